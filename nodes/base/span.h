/* A span borrows bytes: it owns nothing and need not end in NUL. Parsers return spans into what they were given. */
#ifndef FAREND_BASE_SPAN_H
#define FAREND_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *p;
    size_t n;
};

/* A span over a string literal, usable in static initialisers. */
#define SPAN(literal) ((struct span){(literal), sizeof(literal) - 1})
/* For printf's "%.*s". */
#define SPAN_ARG(s) (int)(s).n, (s).p

static inline struct span span_of(const char *text)
{
    return (struct span){text, text ? strlen(text) : 0};
}

static inline struct span span_make(const void *p, size_t n)
{
    return (struct span){(const char *)p, n};
}

static inline bool span_empty(struct span s)
{
    return s.n == 0;
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_is(struct span a, const char *text)
{
    return span_equal(a, span_of(text));
}

/* ASCII only, as SIP's tokens are (RFC 3261 §7.3.1). */
bool span_equal_nocase(struct span a, struct span b);

/* span_equal_nocase() for names that are nearly always written alike: the exact comparison first, and in place. */
static inline bool span_alike(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0 || span_equal_nocase(a, b));
}
bool span_starts(struct span s, struct span prefix);

/* Without blanks and tabs at either end. */
struct span span_trim(struct span s);

/* The part before the first `c`; *rest is what follows it. When there is no `c`, the whole of s, and *rest is empty
 * with p == NULL, which tells it from an empty remainder. `rest` may point to s itself. */
struct span span_cut(struct span s, char c, struct span *rest);

/* Decimal digits only, the whole span. FE_ESYNTAX when not, FE_ERANGE above `max`. */
int span_u64(struct span s, uint64_t max, uint64_t *out);

/* Copies into dst with a NUL; false (and dst is "") when it does not fit. */
bool span_copy(struct span s, char *dst, size_t cap);

/* FNV-1a, 64 bit: the hash for names and seeds. Not for hostile keys. */
uint64_t span_hash(struct span s);

/* Is `part` somewhere in it? An empty part is everywhere. */
bool span_contains(struct span s, struct span part);

#endif
