/* Four sizes: RTP and small SIP in 256 bytes with their head, most SIP in 1 KiB (ten thousand phones register at once),
 * what fits an Ethernet link in 2 KiB, and whole datagrams. Each size is carved from chunks and kept in a stack, so
 * that the packet used last, still in the cache, is used next. */
#include "sim/engine/packet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64, CLASSES = 4 };

struct chunk {
    struct chunk *next;
    uint8_t pad[CACHE_LINE - sizeof(struct chunk *)]; /* the packets behind it start on a cache line */
};

struct packet_class {
    struct pool *pool;
    struct packet *free;
    struct chunk *chunks;
    size_t block; /* bytes of a packet with its head; a multiple of CACHE_LINE */
    size_t count; /* packets in a chunk */
    uint64_t out, allocated;
};

struct pool {
    struct packet_class classes[CLASSES];
};

static_assert(sizeof(struct packet) == 32, "an RTP packet of G.711 has to fit in 256 bytes");
static_assert(sizeof(struct chunk) == CACHE_LINE, "packets start on a cache line");

static const struct {
    size_t block, count;
} sizes[CLASSES] = {{256, 63}, {1024, 31}, {2048, 15}, {65536 + CACHE_LINE, 1}};

struct pool *pool_new(void)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    for (size_t i = 0; i < CLASSES; i++)
        pool->classes[i] = (struct packet_class){.pool = pool, .block = sizes[i].block, .count = sizes[i].count};
    return pool;
}

static void class_fini(struct packet_class *class)
{
    for (struct chunk *chunk = class->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    assert(pool_live(p) == 0);
    for (size_t i = 0; i < CLASSES; i++)
        class_fini(&p->classes[i]);
    free(p);
}

static struct packet_class *class_for(struct pool *pool, size_t n)
{
    struct packet_class *class = pool->classes;
    while (n > class->block - sizeof(struct packet))
        class ++;
    return class;
}

static struct packet *class_grow(struct packet_class *class)
{
    struct chunk *chunk = aligned_alloc(CACHE_LINE, sizeof *chunk + class->count * class->block);
    if (!chunk)
        return NULL;
    chunk->next = class->chunks;
    class->chunks = chunk;
    class->allocated += class->count;
    uint8_t *block = (uint8_t *)(chunk + 1);
    for (size_t i = class->count; i-- > 0;) {
        struct packet *p = (struct packet *)(void *)(block + i * class->block);
        p->home = class;
        p->next = class->free;
        class->free = p;
    }
    return class->free;
}

struct packet *packet_new(struct pool *pool, size_t n)
{
    assert(n <= UINT16_MAX);
    struct packet_class *class = class_for(pool, n);
    struct packet *p = class->free;
    if (!p && !(p = class_grow(class)))
        return NULL;
    class->free = p->next;
    class->out++;
    p->next = NULL;
    p->refs = 1;
    p->n = (uint32_t)n;
    return p;
}

struct packet *packet_copy(struct pool *pool, const uint8_t *bytes, size_t n)
{
    struct packet *p = packet_new(pool, n);
    if (p && n)
        memcpy(p->data, bytes, n);
    return p;
}

void packet_release(struct packet *p)
{
    if (!p || --p->refs)
        return;
    struct packet_class *class = p->home;
    p->next = class->free;
    class->free = p;
    class->out--;
}

size_t packet_room(const struct packet *p)
{
    return p->home->block - sizeof *p;
}

struct packet *packet_own(struct packet *p)
{
    if (p->refs == 1)
        return p;
    struct packet *own = packet_twin(p);
    packet_release(p);
    return own;
}

struct packet *packet_twin(const struct packet *p)
{
    return packet_copy(p->home->pool, p->data, p->n);
}

uint64_t pool_live(const struct pool *p)
{
    uint64_t live = 0;
    for (size_t i = 0; i < CLASSES; i++)
        live += p->classes[i].out;
    return live;
}

uint64_t pool_allocated(const struct pool *p)
{
    uint64_t allocated = 0;
    for (size_t i = 0; i < CLASSES; i++)
        allocated += p->classes[i].allocated;
    return allocated;
}
