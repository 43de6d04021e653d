/* Lab time: nanoseconds since the lab started, a signed 64-bit count.
 *
 * Every deadline, age and duration of farend is a lab_time; no other unit is ever passed as a bare integer.
 * Nothing below the hosts reads a clock: the time is an argument or comes from host_now(). */
#ifndef FAREND_BASE_LAB_TIME_H
#define FAREND_BASE_LAB_TIME_H

#include <stdint.h>

typedef int64_t lab_time;

#define NS     ((lab_time)1)
#define US     (1000 * NS)
#define MS     (1000 * US)
#define SEC    (1000 * MS)
#define MINUTE (60 * SEC)
#define HOUR   (60 * MINUTE)

/* The date at lab time 0, in seconds since 1970: 2026-01-01T00:00:00Z. It is what a machine's clock shows then, unless
 * the lab has set that clock wrong (host_clock). */
#define LAB_BEGINS INT64_C(1767225600)

/* Later than every event of every lab (292 years). Never add to it. */
#define NEVER INT64_MAX

#endif
