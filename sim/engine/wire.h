/* One direction of a wire: what it does to the packets sent into it, and which are under way.
 *
 * Packets leave in the order of their arrival times, which is the order of sending unless `reorder` lets jitter change
 * it. The wire keeps them in a list of its own, linked through the packets, so sending allocates nothing. Pure: the
 * time is an argument, the random numbers are its own streams. */
#ifndef FAREND_ENGINE_WIRE_H
#define FAREND_ENGINE_WIRE_H

#include "nodes/base/lab_time.h"
#include "nodes/base/prng.h"
#include "sim/engine/packet.h"
#include "sim/engine/plan.h"

#include <stdint.h>

enum { WIRE_QUEUE = 64000 }; /* bytes: the queue of a wire with a rate whose spec says 0 */

/* What becomes of a packet at a wire's entry. All but WIRE_TAKEN are drops. */
enum wire_fate {
    WIRE_TAKEN,
    WIRE_LOST,         /* by its loss */
    WIRE_QUEUE_FULL,   /* the rate's backlog is larger than the queue */
    WIRE_TOO_BIG,      /* larger than the MTU */
    WIRE_DOWN,         /* the wire is down */
    WIRE_NO_SUCH_HOST, /* delivered to a switch that knows neither its destination nor a gateway */
    WIRE_ICMP_OFF,     /* ICMP on a wire that carries none */
    WIRE_TTL,          /* the wire lowers the TTL by more than was left; nobody is told */
    WIRE_FAULT,        /* a fault of the lab (fault.h) */
    WIRE_PARTITION,    /* a switch whose network is partitioned */
};
enum { WIRE_FATES = WIRE_PARTITION + 1 };

/* What happened to the packet that was sent last, beside its fate. */
enum wire_mark { WIRE_DUPLICATED = 1, WIRE_CORRUPTED = 2 };

enum wire_stream { WIRE_STREAM_BURST, WIRE_STREAM_DUPLICATE, WIRE_STREAM_CORRUPT };
enum { WIRE_STREAMS = WIRE_STREAM_CORRUPT + 1 };

struct wire_way {
    struct packet *first, *last; /* under way, by arrival */
    lab_time busy_until;         /* the last bit of what was sent is on the wire */
    lab_time last_arrival;
    lab_time backlog; /* how long a full queue takes at the rate */
    lab_time delay;   /* the spec's, or at present its profile's */
    uint64_t sent, delivered;
    bool special;       /* the spec asks for something of wire_special.c */
    bool burst;         /* in the bad state */
    uint8_t marks;      /* enum wire_mark, of the packet sent last */
    uint32_t loss_now;  /* special: the spec's loss, or at present its profile's */
    size_t profile_row; /* where the profile was looked up last */
    struct wire_spec spec;
    uint64_t drops[WIRE_FATES]; /* by fate; [WIRE_TAKEN] stays 0 */
    struct prng loss, jitter, special_stream[WIRE_STREAMS];
};

/* Streams: (wire's name, "loss.0" or "loss.1", by the direction), and so "jitter", "burst", "duplicate", "corrupt". */
void wire_init(struct wire_way *way, const struct wire_spec *spec, uint64_t seed, const char *name, unsigned direction);
void wire_fini(struct wire_way *way); /* releases what is under way */

/* From now on; what is under way arrives as it was to. */
void wire_set(struct wire_way *way, const struct wire_spec *spec);

/* Puts the packet on the wire and keeps the caller's reference; with any fate but WIRE_TAKEN the caller keeps it.
 * Nobody else holds the packet: the wire may change it. A duplicate counts as sent, too. */
enum wire_fate wire_send(struct wire_way *way, lab_time now, struct packet *p);

/* The same, but this one packet is `late` by so much more, and those behind it may overtake it. */
enum wire_fate wire_send_late(struct wire_way *way, lab_time now, struct packet *p, lab_time late);

/* When the next packet arrives; NEVER when none is under way. */
static inline lab_time wire_next(const struct wire_way *way)
{
    return way->first ? way->first->at : NEVER;
}

/* Takes the next packet off the wire, with its reference; there is one. Counts it as delivered. */
struct packet *wire_take(struct wire_way *way);

/* The packet that was taken last turned out to go nowhere: it is a drop, not delivered. */
void wire_undeliverable(struct wire_way *way, enum wire_fate fate);

/* A packet that was to be sent was not: it counts as sent and dropped. */
void wire_refuse(struct wire_way *way, enum wire_fate fate);

uint64_t wire_in_flight(const struct wire_way *way); /* counts the list: for checks */

/* Changes one byte of the payload (of the UDP datagram, TCP segment or ICMP message, else of the IP packet; what has no
 * payload: of its header), by the stream; no checksum is repaired. Nothing when there is no byte behind the IP header.
 */
void wire_corrupt(struct packet *p, struct prng *stream);

/* "lost", "queue-full", …: the cause in the trace; NULL for WIRE_TAKEN. */
const char *wire_cause(enum wire_fate fate);

#endif
