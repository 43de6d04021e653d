/* Faults that hit what is meant: on some directions of wires, packets that match are dropped, delayed, doubled, changed
 * or cut short. They act where a packet enters a wire, before the wire's own properties. A wire without a fault asks
 * for nothing but one bit. */
#ifndef FAREND_ENGINE_FAULT_H
#define FAREND_ENGINE_FAULT_H

#include "nodes/base/lab_time.h"
#include "nodes/proto/packet_match.h"
#include "sim/engine/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct fault;

enum fault_action {
    FAULT_DROP,
    FAULT_DELAY,     /* by `by`; what comes behind may overtake */
    FAULT_DUPLICATE, /* arrives twice */
    FAULT_CORRUPT,   /* one byte of the payload, as wire_corrupt */
    FAULT_TRUNCATE,  /* the payload to `keep` bytes, with lengths and checksums that fit: the program sees it cut */
};

extern const char *const fault_action_words[]; /* drop, delay, …, NULL */

struct fault_spec {
    enum fault_action action;
    struct packet_match match;
    const unsigned *ways; /* 2 · wire + direction */
    size_t ways_n;
    uint32_t nth, every, first; /* of the packets that match: this one, each such, so many; 0: not asked */
    lab_time by, lasts;         /* lasts 0: for good */
    uint32_t keep;              /* bytes */
    const char *text;           /* names it in the trace and its random stream */
    unsigned line;              /* of the lab file */
};

/* From now on; counts begin anew for each start. The spec outlives the engine. NULL without memory. */
struct fault *engine_fault_start(struct engine *e, const struct fault_spec *spec);
void engine_fault_stop(struct engine *e, struct fault *f); /* it hits nothing more */
uint64_t engine_fault_hits(const struct fault *f);

/* Cuts the payload of a UDP datagram that is no fragment, or of any other packet what follows its IP header. False: it
 * was no longer than that. */
bool fault_truncate(struct packet *p, size_t keep);

#endif
