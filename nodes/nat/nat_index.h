/* A hash index: from a 32-bit hash to the slots of records that an array holds elsewhere. Linear probing with the
 * hashes kept beside the slots, so that a look-up touches one cache line of the index and then the record itself. The
 * caller compares keys. Nothing ever walks it, so no order depends on hashes. */
#ifndef FAREND_NAT_INDEX_H
#define FAREND_NAT_INDEX_H

#include <stdint.h>

#define NAT_NONE UINT32_MAX /* no slot */

struct nat_bucket {
    uint32_t hash;
    uint32_t slot; /* NAT_NONE: empty */
};

/* Zero-initialise; has no memory before its first entry. */
struct nat_index {
    struct nat_bucket *buckets;
    uint32_t cap; /* a power of two, or 0 */
    uint32_t n;
};

void nat_index_fini(struct nat_index *index);

/* Room for one more entry. FE_EMEM: the index is as it was. */
int nat_index_reserve(struct nat_index *index);
void nat_index_add(struct nat_index *index, uint32_t hash, uint32_t slot);    /* after nat_index_reserve */
void nat_index_remove(struct nat_index *index, uint32_t hash, uint32_t slot); /* it must be there */
void nat_index_clear(struct nat_index *index);

/* The slots whose hash is `hash`, one a call: *at counts the buckets looked at, from 0. NAT_NONE: no more. */
static inline uint32_t nat_index_next(const struct nat_index *index, uint32_t hash, uint32_t *at)
{
    while (*at < index->cap) {
        const struct nat_bucket *b = &index->buckets[(hash + (*at)++) & (index->cap - 1)];
        if (b->slot == NAT_NONE)
            return NAT_NONE;
        if (b->hash == hash)
            return b->slot;
    }
    return NAT_NONE;
}

/* Asks for the bucket where nat_index_next() will begin, and does not wait for it. */
static inline void nat_index_fetch(const struct nat_index *index, uint32_t hash)
{
    if (index->cap)
        __builtin_prefetch(&index->buckets[hash & (index->cap - 1)]);
}

/* Two words to one hash, every bit of which depends on every bit of both. */
static inline uint32_t nat_index_hash(uint64_t a, uint64_t b)
{
    uint64_t h = (a ^ UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);
    h = ((h ^ h >> 32) + b) * UINT64_C(0xc4ceb9fe1a85ec53);
    return (uint32_t)((h ^ h >> 29) * UINT64_C(0x94d049bb133111eb) >> 32);
}

#endif
