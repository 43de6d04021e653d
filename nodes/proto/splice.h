/* Edits on bytes that otherwise stay as they are: "these bytes become those". The pieces are collected first and
 * written in one go, so nothing is copied twice and nothing moves. */
#ifndef FAREND_PROTO_SPLICE_H
#define FAREND_PROTO_SPLICE_H

#include "nodes/base/error.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define SPLICE_MAX 64

struct splice {
    struct span where; /* inside the original; n == 0 inserts before where.p */
    struct span with;  /* borrowed until splices_write() */
};

struct splices {
    struct splice items[SPLICE_MAX]; /* sorted by place; at the same place in the order of the calls */
    size_t n;
    bool full; /* one did not fit */
};

void splices_init(struct splices *s);
void splices_add(struct splices *s, struct span where, struct span with);

/* Writes the original with the edits. FE_ERANGE: it does not fit into t, or there were more than SPLICE_MAX edits;
 * FE_EUSED: two edits overlap. On failure t is incomplete. */
int splices_write(const struct splices *s, struct span original, struct text *t);

#endif
