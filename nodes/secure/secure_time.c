#include "nodes/secure/secure_time.h"

#include <stdbool.h>
#include <time.h>

static bool under_way;
static int64_t date; /* seconds since 1970; while `under_way` */

void secure_time_begin(int64_t epoch, lab_time now)
{
    date = secure_date(epoch, now);
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
