#include "nodes/proto/emodel.h"

enum { R_DEFAULT = 93200, STEP = 20 };

/* Id = Idte + Idle + Idd (G.107 §7.4) for T = Ta = Tr / 2 at 0, 20, … 1000 ms, every other parameter at its default
 * (TELR 65 dB, WEPL 110 dB, STMR 15 dB), in thousandths, less the 0.149 at 0 ms that 93.2 contains.
 * Straight lines between the points stay within 0.1 of the formula. */
static const uint16_t delay_impairment[] = {0,     675,   1208,  1682,  2124,  2543,  2942,  3375,  4071,  5375,  7402,
                                            9929,  12656, 15389, 18031, 20541, 22905, 25124, 27201, 29144, 30960, 32657,
                                            34243, 35725, 37110, 38404, 39614, 40746, 41805, 42796, 43724, 44593, 45408,
                                            46172, 46890, 47564, 48198, 48795, 49356, 49886, 50385, 50857, 51303, 51725,
                                            52124, 52503, 52862, 53204, 53528, 53837, 54131};

static int32_t impairment_of_delay(lab_time delay)
{
    const lab_time last = sizeof delay_impairment / sizeof *delay_impairment - 1;
    if (delay <= 0)
        return 0;
    if (delay >= last * STEP * MS)
        return delay_impairment[last];
    lab_time i = delay / (STEP * MS);
    lab_time rest = delay % (STEP * MS);
    lab_time rise = delay_impairment[i + 1] - delay_impairment[i];
    return (int32_t)(delay_impairment[i] + rise * rest / (STEP * MS));
}

/* Ie,eff = Ie + (95 - Ie) · Ppl / (Ppl / BurstR + Bpl), with Ie 0 for G.711 and Bpl of G.113 appendix I. */
static int32_t impairment_of_loss(const struct emodel *m)
{
    int64_t bpl = m->concealment ? 251000 : 43000; /* ppm, as Ppl */
    int64_t burst = m->burst ? m->burst : 1000;
    int64_t loss = m->loss;
    return (int32_t)(95000 * loss / (loss * 1000 / burst + bpl));
}

int32_t emodel_r(const struct emodel *m)
{
    return R_DEFAULT - impairment_of_delay(m->delay) - impairment_of_loss(m);
}

/* Annex B: MOS = 1 + 0.035 R + R (R - 60) (100 - R) 7·10⁻⁶ between R = 0 and 100; here in millionths. Just above R = 0
 * the polynomial dips below 1. */
uint32_t emodel_mos(int32_t r)
{
    if (r <= 0)
        return 100;
    if (r >= 100000)
        return 450;
    int64_t x = r;
    int64_t millionths = 1000000 + 35 * x + x * (x - 60000) * (100000 - x) * 7 / 1000000000;
    return millionths < 1000000 ? 100 : (uint32_t)((millionths + 5000) / 10000);
}
