#include "sim/lab/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    size_t used, cap;
    max_align_t data[];
};

#define BLOCK ((size_t)16 * 1024)

void arena_fini(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
}

static struct arena_block *block_add(struct arena *a, size_t n)
{
    size_t cap = n > BLOCK ? n : BLOCK;
    struct arena_block *b = calloc(1, sizeof *b + cap);
    if (!b)
        return NULL;
    b->cap = cap;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *arena_new(struct arena *a, size_t n)
{
    const size_t align = sizeof(max_align_t);
    if (n > SIZE_MAX / 2)
        return NULL;
    n = (n + align - 1) / align * align;
    struct arena_block *b = a->blocks;
    if (!b || b->cap - b->used < n)
        b = block_add(a, n);
    if (!b)
        return NULL;
    char *p = (char *)b->data + b->used;
    b->used += n;
    return p;
}

char *arena_copy(struct arena *a, const char *text, size_t n)
{
    char *copy = arena_new(a, n + 1);
    if (copy && n)
        memcpy(copy, text, n);
    return copy;
}

char *arena_join(struct arena *a, const char *const *pieces)
{
    size_t n = 0;
    for (size_t i = 0; pieces[i]; i++)
        n += strlen(pieces[i]);
    char *joined = arena_new(a, n + 1);
    char *end = joined;
    for (size_t i = 0; joined && pieces[i]; i++) {
        size_t part = strlen(pieces[i]);
        memcpy(end, pieces[i], part);
        end += part;
    }
    return joined;
}

/* The capacity is the power of two above the count, so it need not be kept: the array is full exactly when the count
 * is zero or a power of two. */
void *arena_push(struct arena *a, void *array, size_t *n, size_t size)
{
    char *elements;
    memcpy(&elements, array, sizeof elements);
    if ((*n & (*n - 1)) == 0) {
        char *larger = arena_new(a, (*n ? 2 * *n : 1) * size);
        if (!larger)
            return NULL;
        if (*n)
            memcpy(larger, elements, *n * size);
        memcpy(array, &larger, sizeof larger);
        elements = larger;
    }
    return elements + (*n)++ * size;
}
