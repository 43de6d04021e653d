/* What the library below believes the time to be.
 *
 * mbedTLS asks time(): for the first bytes of a hello's random, the age of tickets and the validity of certificates.
 * There is no way to give it another clock but to define time() oneself: a program's definition comes before that of
 * the C library for every shared library that it loads. So time() is defined here. While a call into mbedTLS is under
 * way it returns the date that the node's clock shows; for whoever else in the process asks, it is the machine's clock,
 * as ever. (3.6 has mbedtls_ms_time() beside it, which is treated alike.)
 *
 * This is the layer's one mutable variable. It is set only around calls that do not call back, so nothing nests, and a
 * farend process makes such calls from one thread. */
#ifndef FAREND_SECURE_TIME_H
#define FAREND_SECURE_TIME_H

#include "nodes/base/lab_time.h"

/* clock: what the machine's clock shows (host_clock). */
void secure_time_begin(lab_time clock);
void secure_time_end(void);

/* Whole seconds since 1970. */
static inline int64_t secure_date(lab_time clock)
{
    return LAB_BEGINS + clock / SEC - (clock % SEC < 0);
}

#endif
