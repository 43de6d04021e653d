/* Bounded text in memory of the caller. Writing past the end is remembered, never done: check text_ok() once at the end
 * instead of after every piece. The text always ends in NUL when cap > 0. */
#ifndef FAREND_BASE_TEXT_H
#define FAREND_BASE_TEXT_H

#include "nodes/base/addr.h"
#include "nodes/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *p;    /* memory of the caller */
    size_t n;   /* bytes written, without the NUL */
    size_t cap; /* bytes at p, NUL included */
    bool cut;   /* something did not fit; nothing was written since */
};

static inline struct text text_on(char *p, size_t cap)
{
    if (cap)
        p[0] = '\0';
    return (struct text){p, 0, cap, cap == 0};
}

static inline bool text_ok(const struct text *t)
{
    return !t->cut;
}

static inline struct span text_span(const struct text *t)
{
    return (struct span){t->p, t->n};
}

void text_put(struct text *t, struct span s);
void text_str(struct text *t, const char *s);
void text_char(struct text *t, char c);
void text_u64(struct text *t, uint64_t v);
void text_i64(struct text *t, int64_t v);
void text_hex(struct text *t, const void *bytes, size_t n); /* lower case */
void text_addr(struct text *t, ipv4 addr);
void text_endpoint(struct text *t, struct endpoint e);

/* value / 10^places with exactly `places` digits after the point: 4382, 3 -> "4.382". places 0–9. */
void text_fixed(struct text *t, int64_t value, unsigned places);

/* Escaped for the inside of a JSON string (RFC 8259 §7); bytes that are not UTF-8 become \u00XX. */
void text_json(struct text *t, struct span s);

#endif
