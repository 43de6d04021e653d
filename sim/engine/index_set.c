#include "sim/engine/index_set.h"

#include "nodes/base/error.h"

#include <assert.h>
#include <stdlib.h>

/* The number of the lowest bit set: each mask tells one digit of it. Standard C has no instruction for this. */
static unsigned lowest_bit(uint64_t word)
{
    uint64_t bit = word & (0 - word);
    return (unsigned)((bit & 0xaaaaaaaaaaaaaaaau) != 0) | (unsigned)((bit & 0xccccccccccccccccu) != 0) << 1 |
           (unsigned)((bit & 0xf0f0f0f0f0f0f0f0u) != 0) << 2 | (unsigned)((bit & 0xff00ff00ff00ff00u) != 0) << 3 |
           (unsigned)((bit & 0xffff0000ffff0000u) != 0) << 4 | (unsigned)((bit & 0xffffffff00000000u) != 0) << 5;
}

int index_set_init(struct index_set *set, size_t limit)
{
    *set = (struct index_set){.levels = 1};
    if (limit > INDEX_SET_MAX)
        return FE_ERANGE;
    for (size_t n = (limit + 63) / 64; n > 1; n = (n + 63) / 64) {
        uint64_t *words = calloc(n, sizeof *words);
        if (!words) {
            index_set_fini(set);
            return FE_EMEM;
        }
        set->lower[set->levels++ - 1] = words;
    }
    return 0;
}

void index_set_fini(struct index_set *set)
{
    for (unsigned level = 0; level < INDEX_SET_LEVELS - 1; level++)
        free(set->lower[level]);
    *set = (struct index_set){.levels = 1};
}

void index_set_add(struct index_set *set, unsigned index)
{
    for (unsigned level = 0; level + 1 < set->levels; level++, index /= 64) {
        uint64_t *word = &set->lower[level][index / 64];
        bool summarised = *word != 0;
        *word |= UINT64_C(1) << index % 64;
        if (summarised)
            return;
    }
    set->root |= UINT64_C(1) << index % 64;
}

void index_set_remove(struct index_set *set, unsigned index)
{
    for (unsigned level = 0; level + 1 < set->levels; level++, index /= 64) {
        uint64_t *word = &set->lower[level][index / 64];
        *word &= ~(UINT64_C(1) << index % 64);
        if (*word)
            return;
    }
    set->root &= ~(UINT64_C(1) << index % 64);
}

unsigned index_set_first(const struct index_set *set)
{
    assert(set->root);
    unsigned index = lowest_bit(set->root);
    for (unsigned level = set->levels - 1; level-- > 0;)
        index = index * 64 + lowest_bit(set->lower[level][index]);
    return index;
}
