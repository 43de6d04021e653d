/* A moment: one event of the trace that explains a failure, in words. Events that repeat are one moment with a count.
 */
#ifndef FAREND_REPORT_MOMENT_H
#define FAREND_REPORT_MOMENT_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MOMENT_WHO = 44, MOMENT_WHAT = 200 };

struct moment {
    lab_time first, last;
    uint32_t count;
    bool fate; /* the end of a packet, mapping or transaction: matters whoever it happened to */
    char who[MOMENT_WHO];
    char what[MOMENT_WHAT];
    uint64_t key; /* equal keys are one moment */
};

/* False when the line tells nothing that explains a failure. */
bool moment_read(struct moment *m, struct span line);

enum { MOMENTS_KEPT = 256, MOMENTS_SHOWN = 16 };

/* The latest moments of a run. Zero-initialise. */
struct moments {
    struct moment ring[MOMENTS_KEPT];
    uint64_t n; /* ever added */
};

void moments_add(struct moments *all, const struct moment *m);

/* Picks at most MOMENTS_SHOWN that matter to a step or expectation: what happened to the nodes that its text names, and
 * every fate. In the order of time; returns their number. */
size_t moments_pick(const struct moments *all, struct span text, struct moment out[MOMENTS_SHOWN]);

#endif
