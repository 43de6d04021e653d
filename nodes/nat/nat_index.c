#include "nodes/nat/nat_index.h"

#include "nodes/base/error.h"

#include <stdlib.h>

enum { FIRST_CAP = 8 };

void nat_index_fini(struct nat_index *index)
{
    free(index->buckets);
    *index = (struct nat_index){0};
}

static void put(struct nat_index *index, struct nat_bucket entry)
{
    uint32_t i = entry.hash & (index->cap - 1);
    while (index->buckets[i].slot != NAT_NONE)
        i = (i + 1) & (index->cap - 1);
    index->buckets[i] = entry;
}

void nat_index_clear(struct nat_index *index)
{
    for (uint32_t i = 0; i < index->cap; i++)
        index->buckets[i].slot = NAT_NONE;
    index->n = 0;
}

/* Half full at most: runs stay short. */
int nat_index_reserve(struct nat_index *index)
{
    if (index->n < index->cap / 2)
        return 0;
    struct nat_index grown = {.cap = index->cap ? 2 * index->cap : FIRST_CAP};
    grown.buckets = malloc(grown.cap * sizeof *grown.buckets);
    if (!grown.buckets)
        return FE_EMEM;
    nat_index_clear(&grown);
    grown.n = index->n;
    for (uint32_t i = 0; i < index->cap; i++)
        if (index->buckets[i].slot != NAT_NONE)
            put(&grown, index->buckets[i]);
    free(index->buckets);
    *index = grown;
    return 0;
}

void nat_index_add(struct nat_index *index, uint32_t hash, uint32_t slot)
{
    put(index, (struct nat_bucket){hash, slot});
    index->n++;
}

/* Closes the gap by moving back what was pushed beyond it, so that no marks of the dead pile up (Knuth 6.4, algorithm
 * R). */
void nat_index_remove(struct nat_index *index, uint32_t hash, uint32_t slot)
{
    uint32_t mask = index->cap - 1;
    uint32_t gap = hash & mask;
    while (index->buckets[gap].slot != slot || index->buckets[gap].hash != hash)
        gap = (gap + 1) & mask;
    for (uint32_t i = (gap + 1) & mask; index->buckets[i].slot != NAT_NONE; i = (i + 1) & mask) {
        uint32_t home = index->buckets[i].hash & mask;
        if (((i - home) & mask) < ((i - gap) & mask))
            continue;
        index->buckets[gap] = index->buckets[i];
        gap = i;
    }
    index->buckets[gap].slot = NAT_NONE;
    index->n--;
}
