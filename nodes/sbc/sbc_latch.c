#include "nodes/sbc/sbc_latch.h"

static bool known(struct sbc_latch *latch, struct endpoint from, lab_time now)
{
    for (unsigned i = 0; i < latch->senders; i++)
        if (endpoint_equal(latch->sender[i], from)) {
            if (i == latch->target)
                latch->heard = now;
            return true;
        }
    return false;
}

static void aim(struct sbc_latch *latch, unsigned target, lab_time now)
{
    latch->target = target;
    latch->heard = now;
}

static enum sbc_latch_verdict join(struct sbc_latch *latch, bool late, struct endpoint from, lab_time now)
{
    if (latch->senders == SBC_LATCH_SENDERS)
        return SBC_LATCH_REFUSED;
    latch->sender[latch->senders++] = from;
    if (!late)
        return SBC_LATCH_LATCHED;
    aim(latch, latch->senders - 1, now);
    return SBC_LATCH_MOVED;
}

enum sbc_latch_verdict sbc_latch_packet(struct sbc_latch *latch, const struct sbc_latch_policy *policy,
                                        struct endpoint from, lab_time now)
{
    if (known(latch, from, now))
        return SBC_LATCH_KNOWN;
    if (latch->senders == 0) {
        latch->sender[latch->senders++] = from;
        aim(latch, 0, now);
        return SBC_LATCH_LATCHED;
    }
    if (policy->several)
        return join(latch, policy->late, from, now);
    if (!policy->late || now - latch->heard < SBC_LATCH_SILENCE)
        return SBC_LATCH_REFUSED;
    latch->sender[0] = from;
    aim(latch, 0, now);
    return SBC_LATCH_MOVED;
}
