#include "nodes/secure/secure_time.h"

#include "nodes/secure/secure_library.h"

#include <mbedtls/platform_time.h>
#include <stdbool.h>
#include <time.h>

static bool under_way;
static int64_t date; /* seconds since 1970; while `under_way` */

void secure_time_begin(lab_time clock)
{
    date = secure_date(clock);
    under_way = true;
}

void secure_time_end(void)
{
    under_way = false;
}

static time_t machine_time(void)
{
    struct timespec now;
    return timespec_get(&now, TIME_UTC) == TIME_UTC ? now.tv_sec : (time_t)-1;
}

/* The C library's, for the whole process: see secure_time.h. */
time_t time(time_t *out)
{
    time_t t = under_way ? (time_t)date : machine_time();
    if (out)
        *out = t;
    return t;
}

#if SECURE_MBEDTLS_3
/* The age of tickets is asked of this one, in milliseconds. Weak, so that a library that is linked statically keeps its
 * own beside what else is in the same object. */
__attribute__((weak)) mbedtls_ms_time_t mbedtls_ms_time(void)
{
    return (mbedtls_ms_time_t)time(NULL) * 1000;
}
#endif
