/* A set of small numbers, taken out in ascending order: a bitmap with a summary bit for every word below, up to the
 * root. Insert, remove and first touch one word a level: at most four. */
#ifndef FAREND_ENGINE_INDEX_SET_H
#define FAREND_ENGINE_INDEX_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INDEX_SET_LEVELS = 4, INDEX_SET_MAX = 1 << 24 };

struct index_set {
    uint64_t root;                         /* the top level; all there is for up to 64 numbers */
    uint64_t *lower[INDEX_SET_LEVELS - 1]; /* [0]: a bit for each number */
    unsigned levels;                       /* the root included */
};

/* For numbers below `limit` (at most INDEX_SET_MAX). FE_EMEM; FE_ERANGE. */
int index_set_init(struct index_set *set, size_t limit);
void index_set_fini(struct index_set *set);

void index_set_add(struct index_set *set, unsigned index);
void index_set_remove(struct index_set *set, unsigned index);
unsigned index_set_first(const struct index_set *set); /* not of an empty set */

static inline bool index_set_empty(const struct index_set *set)
{
    return set->root == 0;
}

#endif
