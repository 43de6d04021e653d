/* Mappings and sessions: who is who, how long, and which ports are free. No packet is seen here.
 *
 * Records stand in two arrays and are named by their slots; a free slot is used again, the last freed first. Look-ups
 * go through five hash indexes. Each session is in a heap by a time at which it may end: a refreshed session is not
 * moved in the heap, but looked at again when that time comes, so that a packet of a known session writes to one record
 * only. (A home router in front of every one of 10,000 phones: nothing is allocated before the first mapping.) */
#ifndef FAREND_NAT_TABLE_H
#define FAREND_NAT_TABLE_H

#include "nodes/nat/nat.h"
#include "nodes/nat/nat_index.h"

/* What a session has seen, as bits of nat_session.seen. The TCP ones are used for TCP only. */
enum {
    NAT_SEEN_OUT = 1,
    NAT_SEEN_IN = 2,
    NAT_SEEN_UP = 4, /* TCP: both sides have spoken and gone on: established */
    NAT_SEEN_FIN_OUT = 8,
    NAT_SEEN_FIN_IN = 16,
    NAT_SEEN_RST = 32,
};

enum { NAT_SESSION_ALIGN = 64 }; /* a cache line: the packet of a known session touches one of them, and the index */

struct nat_session {
    _Alignas(NAT_SESSION_ALIGN) struct endpoint inside;
    struct endpoint remote;
    uint16_t outside_port;
    uint8_t protocol;
    uint8_t seen;
    uint32_t mapping;        /* slot */
    uint32_t next, previous; /* of the same mapping, the youngest first; free: next free */
    uint32_t place;          /* in the heap */
    lab_time expires;
    lab_time queued; /* its key in the heap; never later than expires */
};

struct nat_record {
    struct endpoint inside, remote; /* remote: of the first packet, only partly a key: see mapping_key() */
    uint16_t outside_port;
    uint8_t protocol; /* 0: free */
    bool forward;
    uint32_t sessions; /* the youngest; free: next free */
};

struct nat_subscriber {
    ipv4 inside;
    uint32_t mappings; /* free: next free */
};

struct nat_table {
    struct nat_config config;
    struct prng rng;
    nat_changed *changed;
    void *arg;

    struct nat_session *sessions;
    uint32_t sessions_n, sessions_cap, sessions_free;
    struct nat_record *mappings;
    uint32_t mappings_n, mappings_cap, mappings_free;
    struct nat_subscriber *subscribers; /* with a quota only */
    uint32_t subscribers_n, subscribers_cap, subscribers_free;
    size_t dynamic; /* mappings that are no forwards */
    bool forwards;  /* there are some */

    struct nat_index session_by_inside, session_by_outside;
    struct nat_index mapping_by_inside, mapping_by_outside;
    struct nat_index subscriber_by_inside;

    uint32_t *heap; /* slots of sessions, 4-ary, the earliest `queued` first */
    uint32_t heap_n, heap_cap;

    uint32_t used[3][2]; /* ports in use inside the range, by protocol and parity */
    uint16_t cursor[3];  /* NAT_PORTS_SEQUENTIAL: where to look next */
};

void nat_table_init(struct nat_table *t, const struct nat_config *config, const struct prng *rng, nat_changed *changed,
                    void *arg);
void nat_table_fini(struct nat_table *t);

/* ---- look-ups: a slot, or NAT_NONE ---- */
uint32_t nat_session_out(const struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote);
uint32_t nat_session_in(const struct nat_table *t, uint8_t protocol, uint16_t outside_port, struct endpoint remote);
uint32_t nat_mapping_out(const struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote);
uint32_t nat_mapping_in(const struct nat_table *t, uint8_t protocol, uint16_t outside_port);

/* ---- changes ---- */
/* Opens the session of an outbound packet, and its mapping when there is none yet. The session ends at `expires`.
 * FE_EAGAIN: no port is free, or the subscriber's quota is used up; FE_EMEM. */
int nat_session_open(struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote,
                     lab_time expires, uint32_t *out);
void nat_session_keep(struct nat_table *t, uint32_t session, lab_time expires); /* earlier or later than it was */
int nat_table_forward(struct nat_table *t, uint8_t protocol, uint16_t outside_port, struct endpoint inside);

void nat_table_expire(struct nat_table *t, lab_time now);
lab_time nat_table_deadline(const struct nat_table *t);
size_t nat_table_flush(struct nat_table *t, bool tell);

/* ---- ports (nat_port.c) ---- */
/* A free port for a new mapping of `inside_port`; false: none is left. */
bool nat_port_pick(struct nat_table *t, uint8_t protocol, uint16_t inside_port, uint16_t *out);
void nat_port_count(struct nat_table *t, uint8_t protocol, uint16_t port, bool used);

/* ---- the heap (nat_heap.c) ---- */
int nat_heap_reserve(struct nat_table *t);                /* room for every session there is, and one more. FE_EMEM */
void nat_heap_add(struct nat_table *t, uint32_t session); /* by its `queued` */
void nat_heap_remove(struct nat_table *t, uint32_t session);
void nat_heap_move(struct nat_table *t, uint32_t session, lab_time queued);

#endif
