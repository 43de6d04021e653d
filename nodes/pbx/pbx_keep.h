/* Copies of short texts behind a struct, in one allocation with it. */
#ifndef FAREND_PBX_KEEP_H
#define FAREND_PBX_KEEP_H

#include "nodes/base/span.h"

/* Copies s to *at and moves *at behind the copy. There is room. */
static inline struct span pbx_keep(char **at, struct span s)
{
    char *copy = *at;
    if (s.n)
        memcpy(copy, s.p, s.n);
    *at += s.n;
    return span_make(copy, s.n);
}

#endif
