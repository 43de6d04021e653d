/* Mappings and sessions: who is who, how long, and which ports are free. No packet is seen here.
 *
 * Records stand in three arrays and are named by their slots; a free slot is used again, the last freed first. Look-ups
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
    NAT_SEEN_EXPLICIT = 64, /* not seen but asked for, by PCP: nat_explicit.h knows more of the session */
};

enum { NAT_SESSION_ALIGN = 64 }; /* a cache line: the packet of a known session touches one of them, and the index */

struct nat_session {
    _Alignas(NAT_SESSION_ALIGN) struct endpoint inside;
    struct endpoint remote, outside;
    uint8_t protocol;
    uint8_t seen;
    uint32_t mapping;        /* slot */
    uint32_t next, previous; /* of the same mapping, the youngest first; free: next free */
    uint32_t place;          /* in the heap */
    lab_time expires;
    lab_time queued; /* its key in the heap; never later than expires */
};

enum nat_record_state {
    NAT_FREE,
    NAT_LIVE,       /* made by packets; has sessions */
    NAT_FORWARDING, /* made by the user */
    NAT_COOLING,    /* gone; its port waits until `until` (RFC 6888 REQ-8). No look-up but that of the port finds it */
};

struct nat_record {
    struct endpoint inside, outside;
    struct endpoint remote; /* of the first packet, only partly a key: see mapping_key() */
    enum nat_record_state state;
    uint8_t protocol;
    bool by_pcp;
    uint32_t subscriber;     /* slot; NAT_NONE: none (a forward) */
    uint32_t sessions;       /* the youngest; FREE: next free; COOLING: the next to become free */
    uint32_t cooling_before; /* COOLING: who becomes free before */
    lab_time until;          /* COOLING */
};

/* Whoever has an inside address: what it is allowed and what it was given (RFC 6888). Lives as long as a record does.
 */
struct nat_subscriber {
    ipv4 inside;
    uint32_t mappings; /* live ones; free: next free */
    uint32_t records;  /* live or cooling */
    unsigned address;  /* with pairing: its place in the pool */
    uint32_t blocks[NAT_BLOCKS];
    unsigned blocks_n;
};

struct nat_block {
    uint32_t records; /* live or cooling */
    bool taken;
};

/* Of one address of the pool, by protocol. */
struct nat_ports_state {
    uint32_t used[3][2]; /* ports in use inside the range, by parity */
    uint16_t cursor[3];  /* NAT_PORTS_SEQUENTIAL: where to look next */
};

struct nat_explicits;

struct nat_table {
    struct nat_config config;
    struct prng rng;
    nat_changed *changed;
    void *arg;

    struct nat_session *sessions;
    uint32_t sessions_n, sessions_cap, sessions_free;
    struct nat_record *mappings;
    uint32_t mappings_n, mappings_cap, mappings_free;
    struct nat_subscriber *subscribers;
    uint32_t subscribers_n, subscribers_cap, subscribers_free;
    size_t dynamic; /* LIVE mappings */
    bool forwards;  /* there are some */
    uint32_t cooling_first, cooling_last, cooling_n;

    struct nat_index session_by_inside, session_by_outside;
    struct nat_index mapping_by_inside, mapping_by_outside;
    struct nat_index subscriber_by_inside;

    uint32_t *heap; /* slots of sessions, 4-ary, the earliest `queued` first */
    uint32_t heap_n, heap_cap;

    struct nat_ports_state ports[NAT_POOL];
    unsigned next_address;    /* of the pool: whose turn it is */
    struct nat_block *blocks; /* address by address; NULL before the first one is given */
    uint32_t next_block;

    struct nat_explicits *explicits; /* NULL: nobody has asked for anything */
};

void nat_table_init(struct nat_table *t, const struct nat_config *config, const struct prng *rng, nat_changed *changed,
                    void *arg);
void nat_table_fini(struct nat_table *t);

/* ---- look-ups: a slot, or NAT_NONE ---- */
uint32_t nat_session_out(const struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote);
uint32_t nat_session_in(const struct nat_table *t, uint8_t protocol, struct endpoint outside, struct endpoint remote);
uint32_t nat_mapping_out(const struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote);
uint32_t nat_mapping_in(const struct nat_table *t, uint8_t protocol, struct endpoint outside);
/* The record that keeps a port from being given out, a cooling one too. */
uint32_t nat_port_holder(const struct nat_table *t, uint8_t protocol, struct endpoint outside);

/* Before nat_session_out (of INSIDE: here is the inside endpoint) or nat_session_in (of OUTSIDE: the outside one): the
 * hash, whose bucket is on its way to the cache now; and then, when that is there, the session itself. */
uint32_t nat_session_fetch_bucket(const struct nat_table *t, enum nat_side from, uint8_t protocol, struct endpoint here,
                                  struct endpoint remote);
void nat_session_fetch(const struct nat_table *t, enum nat_side from, uint32_t hash);

/* ---- changes ---- */
/* Opens the session of an outbound packet, and its mapping when there is none yet. The session ends at `expires`.
 * FE_EAGAIN: no port is free, or the subscriber's quota is used up; FE_EMEM. */
int nat_session_open(struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote,
                     lab_time expires, uint32_t *out);
/* The same for who asks by PCP, and would like a certain outside endpoint for the mapping, if it has none yet.
 * FE_EAGAIN too when it has to be `only` this one and that is not to be had. */
struct nat_suggestion {
    struct endpoint outside; /* each part may be 0: any */
    bool only;               /* its port is not 0 then */
};
int nat_session_ask(struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote,
                    const struct nat_suggestion *suggestion, lab_time expires, uint32_t *out);
/* The same from outside, for the DMZ host: the mapping has this outside port. FE_EUSED, FE_EMEM. */
int nat_session_admit(struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint outside,
                      struct endpoint remote, lab_time expires, uint32_t *out);
void nat_session_keep(struct nat_table *t, uint32_t session, lab_time expires); /* earlier or later than it was */
/* Before its time, and with it the mapping that has no other. */
void nat_session_end(struct nat_table *t, uint32_t session, lab_time now);
int nat_table_forward(struct nat_table *t, uint8_t protocol, uint16_t outside_port, struct endpoint inside);

void nat_table_expire(struct nat_table *t, lab_time now);
lab_time nat_table_deadline(const struct nat_table *t);
size_t nat_table_flush(struct nat_table *t, bool tell);
size_t nat_table_rebind(struct nat_table *t);
void nat_table_set_pool(struct nat_table *t, const ipv4 *pool, unsigned n);
void nat_cooling_end(struct nat_table *t, uint32_t record); /* its port is free */

/* ---- ports (nat_port.c) ---- */
struct nat_wish {
    uint8_t protocol;
    struct endpoint inside, remote;
    uint32_t subscriber;                     /* slot */
    const struct nat_suggestion *suggestion; /* NULL: none */
};
/* A free outside endpoint; false: none is left. It may be cooling, if it was the same inside
 * endpoint's. */
bool nat_port_pick(struct nat_table *t, const struct nat_wish *wish, struct endpoint *out);
/* Another one than `from`, at the same address. */
bool nat_port_repick(struct nat_table *t, const struct nat_wish *wish, struct endpoint from, struct endpoint *out);
void nat_port_count(struct nat_table *t, uint8_t protocol, struct endpoint outside, bool used);
void nat_ports_reset(struct nat_table *t);

/* ---- subscribers and their blocks (nat_subscriber.c) ---- */
/* Finds or makes one. FE_EMEM. */
int nat_subscriber_get(struct nat_table *t, ipv4 inside, uint32_t *out);
/* It may have no more mappings, or no more blocks. */
bool nat_subscriber_is_full(const struct nat_table *t, ipv4 inside);
void nat_subscriber_settle(struct nat_table *t, uint32_t slot); /* forgets it when it has nothing any more */
uint32_t nat_block_count(const struct nat_table *t);            /* of one address */
struct port_range nat_block_ports(const struct nat_table *t, uint32_t block, ipv4 *addr);
bool nat_block_take(struct nat_table *t, uint32_t subscriber, uint32_t *out);    /* false: none is left for it */
void nat_block_return(struct nat_table *t, uint32_t subscriber, uint32_t block); /* no record came to use it */
/* A record of the subscriber has, or has no longer, a port of one of its blocks. */
void nat_block_use(struct nat_table *t, uint32_t subscriber, struct endpoint outside, bool used);

/* ---- the heap (nat_heap.c) ---- */
int nat_heap_reserve(struct nat_table *t);                /* room for every session there is, and one more. FE_EMEM */
void nat_heap_add(struct nat_table *t, uint32_t session); /* by its `queued` */
void nat_heap_remove(struct nat_table *t, uint32_t session);
void nat_heap_move(struct nat_table *t, uint32_t session, lab_time queued);

#endif
