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
};
enum { WIRE_FATES = WIRE_NO_SUCH_HOST + 1 };

struct wire_way {
    struct packet *first, *last; /* under way, by arrival */
    lab_time busy_until;         /* the last bit of what was sent is on the wire */
    lab_time last_arrival;
    lab_time backlog; /* how long a full queue takes at the rate */
    struct wire_spec spec;
    uint64_t sent, delivered;
    uint64_t drops[WIRE_FATES]; /* by fate; [WIRE_TAKEN] stays 0 */
    struct prng loss, jitter;
};

/* Streams: (wire's name, "loss.0" or "loss.1", "jitter.0" or "jitter.1"), by the direction. */
void wire_init(struct wire_way *way, const struct wire_spec *spec, uint64_t seed, const char *name, unsigned direction);
void wire_fini(struct wire_way *way); /* releases what is under way */

/* From now on; what is under way arrives as it was to. */
void wire_set(struct wire_way *way, const struct wire_spec *spec);

/* Puts the packet on the wire and keeps the caller's reference; with any fate but WIRE_TAKEN the caller keeps it. */
enum wire_fate wire_send(struct wire_way *way, lab_time now, struct packet *p);

/* When the next packet arrives; NEVER when none is under way. */
static inline lab_time wire_next(const struct wire_way *way)
{
    return way->first ? way->first->at : NEVER;
}

/* Takes the next packet off the wire, with its reference; there is one. Counts it as delivered. */
struct packet *wire_take(struct wire_way *way);

/* The packet that was taken last turned out to have nowhere to go: it is a drop, not delivered. */
void wire_undeliverable(struct wire_way *way);

uint64_t wire_in_flight(const struct wire_way *way); /* counts the list: for checks */

/* "lost", "queue-full", …: the cause in the trace; NULL for WIRE_TAKEN. */
const char *wire_cause(enum wire_fate fate);

#endif
