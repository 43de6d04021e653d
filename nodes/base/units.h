/* Quantities as people write them, to exact integers. A bare number without its unit is an error, except where a count
 * is meant; no floating point is involved, and nothing is rounded silently. */
#ifndef FAREND_BASE_UNITS_H
#define FAREND_BASE_UNITS_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"

#include <stdint.h>

/* All: 0, FE_ESYNTAX (not such a quantity, or no unit), FE_ERANGE (does not fit, or finer than the result can hold). */
int units_time(struct span s, lab_time *out);   /* 20ns 5us 8ms 1.5s 2min 3h 1d; "0" alone; "never" */
int units_ratio(struct span s, uint32_t *ppm);  /* 0.5% 300ppm 0; at most 100% */
int units_rate(struct span s, uint64_t *bits);  /* bits a second: 64kbit/s 10Mbit/s 1Gbit/s 800bit/s */
int units_size(struct span s, uint64_t *bytes); /* 1500B 64kB 1MB (powers of ten), 64KiB 1MiB */
int units_flag(struct span s, bool *out);       /* yes no on off true false */

/* value × 10^places, exactly: "4.38", 3 -> 4380. */
int units_fixed(struct span s, unsigned places, int64_t *out);

#endif
