/* The flows of a machine's own NAT, as the nat node keeps them: found by the packets that pass, grouped into mappings,
 * each with the lab time at which it is over. Nothing here talks to the machine. */
#ifndef FAREND_NAT_FLOWS_H
#define FAREND_NAT_FLOWS_H

#include "nodes/host.h"
#include "nodes/nat/nat.h"
#include "nodes/nat/nat_index.h"
#include "nodes/nat/nat_lifetime.h"

struct nat_flows;

struct nat_flow {
    struct host_knat_flow is;
    uint32_t mapping; /* slot; NAT_NONE: it makes none (a forward's, one-to-one, the machine's own) */
    uint8_t seen;     /* NAT_SEEN_… */
    bool used;        /* the slot */
    bool outward;     /* its first packet came from inside */
    bool ended;       /* the machine has forgotten it; it is over at `expires` */
    uint32_t next_free;
    lab_time expires;
    struct timer timer;
    struct nat_flows *all;
};

struct nat_flow_mapping {
    struct nat_mapping is;
    uint32_t flows; /* 0: a free slot */
    uint32_t next_free;
};

struct nat_flows {
    struct nat_flow **flows; /* slots; each flow stays where it is, for its timer */
    uint32_t flows_n, flows_cap, flows_free;
    struct nat_flow_mapping *mappings;
    uint32_t mappings_n, mappings_cap, mappings_free;
    struct nat_index by_ends, mapping_by_ends, mapping_by_port;
    size_t mapped;           /* mappings there are */
    void (*over)(void *arg); /* of the flows' timers; arg: the flow */
    nat_changed *changed;    /* mappings that begin and end */
    void *arg;
};

void nat_flows_init(struct nat_flows *t, void (*over)(void *flow), nat_changed *changed, void *arg);
void nat_flows_fini(struct nat_flows *t); /* the timers were stopped */

/* mapping: the flow takes part in one. There is none with the same ends yet. FE_EMEM. */
int nat_flows_add(struct nat_flows *t, const struct host_knat_flow *flow, bool mapping, bool outward,
                  struct nat_flow **out);
/* how: what is told of the mapping that ends with its last flow. The timer is the caller's to stop. */
void nat_flows_remove(struct nat_flows *t, struct nat_flow *flow, enum nat_change how);

/* The flow of a packet as the forward hook sees it, in either direction (*back: against that of the first packet). */
struct nat_flow *nat_flows_find(const struct nat_flows *t, uint8_t protocol, struct endpoint src, struct endpoint dst,
                                bool *back);
struct nat_flow *nat_flows_same(const struct nat_flows *t, const struct host_knat_flow *flow);
/* Is some mapping at this port of the outside? */
bool nat_flows_is_mapped(const struct nat_flows *t, uint8_t protocol, struct endpoint outside);

#endif
