/* Dates of the proleptic Gregorian calendar in UTC, in whole seconds since 1970-01-01T00:00:00Z: what certificates are
 * written with, and clocks set. No leap seconds, no time zones. */
#ifndef FAREND_BASE_CALENDAR_H
#define FAREND_BASE_CALENDAR_H

#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stdint.h>

struct calendar {
    int year;                             /* 0 to 9999 */
    int month, day, hour, minute, second; /* month and day from 1 */
};

int64_t calendar_seconds(const struct calendar *c);
struct calendar calendar_of(int64_t seconds); /* within the years 0 to 9999, or the nearest end of them */

/* "2026-01-01T00:00:00Z" (RFC 3339). */
void calendar_text(struct text *t, int64_t seconds);
/* That, or the day alone, "2026-01-01", which means its beginning. 0; FE_ESYNTAX: not of this form; FE_ERANGE: the
 * calendar has no such date, or the day no such time. */
int calendar_parse(struct span s, int64_t *seconds);

#endif
