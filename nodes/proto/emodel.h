/* The E-model of ITU-T G.107 for G.711 with everything but delay and loss at its default, in integers:
 *     R = 93.2 - Id(delay) - Ie,eff(loss),   MOS from R by annex B.
 * Without impairment R is 93.2 and MOS 4.41. */
#ifndef FAREND_PROTO_EMODEL_H
#define FAREND_PROTO_EMODEL_H

#include "nodes/base/lab_time.h"

#include <stdbool.h>
#include <stdint.h>

struct emodel {
    lab_time delay;   /* one way, mouth to ear; 1 s and more count as 1 s */
    uint32_t loss;    /* of packets, ppm */
    uint32_t burst;   /* BurstR in thousandths: 1000 (and 0) is random loss */
    bool concealment; /* G.711 appendix I packet loss concealment: Bpl 25.1 instead of 4.3 */
};

/* R in thousandths; may be negative. */
int32_t emodel_r(const struct emodel *m);

/* Mean opinion score in hundredths, 100–450, of R in thousandths. */
uint32_t emodel_mos(int32_t r);

#endif
