/* Packet buffers: written once, counted by reference, from a pool that stops allocating once it is warm.
 *
 * The 32 bytes before the data and an IPv4 and UDP header behind them share two cache lines at most, and a router's hop
 * (addresses, TTL, checksum, the link to the next packet of a wire) touches the first alone. */
#ifndef FAREND_ENGINE_PACKET_H
#define FAREND_ENGINE_PACKET_H

#include "nodes/base/lab_time.h"

#include <stddef.h>
#include <stdint.h>

struct pool;
struct packet_class; /* the packets of one size: packet.c */

struct packet {
    struct packet *next;       /* free for whoever holds the packet in a list */
    struct packet_class *home; /* where it returns to */
    lab_time at;               /* free for whoever holds it: on a wire, the time of its arrival */
    uint32_t refs;
    uint32_t n;     /* bytes used: one whole IPv4 packet */
    uint8_t data[]; /* packet_room() bytes */
};

struct pool *pool_new(void);    /* NULL without memory */
void pool_free(struct pool *p); /* every packet has been released; NULL is fine */

/* A packet with room for at least n bytes (at most 65,535), refs 1, p->n == n, contents undefined; NULL without memory.
 */
struct packet *packet_new(struct pool *pool, size_t n);
struct packet *packet_copy(struct pool *pool, const uint8_t *bytes, size_t n);
void packet_release(struct packet *p); /* NULL is fine */
size_t packet_room(const struct packet *p);

static inline struct packet *packet_share(struct packet *p)
{
    p->refs++;
    return p;
}

/* The same packet when nobody else holds it, else a copy (the caller's reference moves to it). NULL without memory: the
 * reference is then given up all the same. */
struct packet *packet_own(struct packet *p);

/* A copy that nobody else holds; NULL without memory. */
struct packet *packet_twin(const struct packet *p);

/* Buffers handed out and not yet back: 0 at the end of a clean run. Buffers ever allocated. */
uint64_t pool_live(const struct pool *p);
uint64_t pool_allocated(const struct pool *p);

#endif
