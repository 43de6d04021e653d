/* A profile: how delay and loss of a wire change over lab time, as measured somewhere. A text of lines
 *     time,delay,loss
 *     0s,20ms,0%
 *     10s,180ms,2.5%
 * with units, times rising from 0; each line holds from its time to the next one's. Empty lines and those that begin
 * with # or "time" say nothing. Pure. */
#ifndef FAREND_ENGINE_PROFILE_H
#define FAREND_ENGINE_PROFILE_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile_row {
    lab_time at, delay;
    uint32_t loss; /* ppm */
};

/* Once the last row's time has come: begins again (the last row then only says how long a round is), or it holds. */
struct profile {
    const char *name;               /* for the trace */
    const struct profile_row *rows; /* at least one, the first at 0; looped: at least two */
    size_t n;
    bool loop;
};

enum { PROFILE_ROWS = 100000 };

/* How many rows the text has room for: an upper bound. */
size_t profile_lines(struct span text);

/* Reads the text into rows[cap]; returns their number, 0 when a line is wrong: *line (from 1; 0: there are none) and
 * *why say which and what. */
size_t profile_parse(struct span text, struct profile_row *rows, size_t cap, unsigned *line, const char **why);

/* The row that holds at `now`. *row is where the caller looked last (0 at first): times that rise cost nothing. */
const struct profile_row *profile_at(const struct profile *p, lab_time now, size_t *row);

#endif
