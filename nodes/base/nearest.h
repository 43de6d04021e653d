/* "did you mean …?": the nearest spelling among the names that would have been right. */
#ifndef FAREND_BASE_NEAREST_H
#define FAREND_BASE_NEAREST_H

#include "nodes/base/span.h"

/* Edits (insert, delete, replace, swap neighbours) from a to b; at most 64 bytes of each are looked at. */
unsigned nearest_distance(struct span a, struct span b);

/* Remembers the best candidate seen; zero-initialise, offer each name, then read `name` (empty: none near enough). */
struct nearest {
    struct span name;
    unsigned distance;
};

void nearest_offer(struct nearest *best, struct span wrong, struct span candidate);

#endif
