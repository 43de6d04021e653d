/* Memory of one lab: given out piece by piece, zeroed, and freed all at once with the lab. */
#ifndef FAREND_LAB_ARENA_H
#define FAREND_LAB_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* zero-initialise */
};

void arena_fini(struct arena *a);

/* n bytes of zeroes, aligned for anything; NULL without memory. n == 0 gives a pointer that is not NULL. */
void *arena_new(struct arena *a, size_t n);

/* A copy of n bytes and a NUL; NULL without memory. */
char *arena_copy(struct arena *a, const char *text, size_t n);

/* The pieces, up to a NULL, in one string; NULL without memory. */
char *arena_join(struct arena *a, const char *const *pieces);
#define arena_text(a, ...) arena_join((a), (const char *const[]){__VA_ARGS__, NULL})

/* Room for one more element at the end of a growing array of *n elements of `size` bytes: counts it, zeroes it and
 * returns it; NULL without memory (nothing changed). The array may move. Zero-initialise array and n. */
void *arena_push(struct arena *a, void *array, size_t *n, size_t size);

#endif
