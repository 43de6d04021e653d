/* The plan: what a lab file comes down to before any world exists. Networks have become switches, routers and wires;
 * names have become addresses and indices. Made by sim/lab, read by the engine (wires, switches) and the worlds
 * (nodes).
 *
 * A network without hops is a switch: every attached port has one wire to it, and the switch passes a packet on by its
 * destination address, else to the network's gateway port, at once. The network's delay, jitter, loss and rate apply on
 * the way from a port to the switch, so that two ports of a network are one delay apart.
 * A network with `hops: N` is a chain of N routers; near ports hang on the first, far ports on the last, each by its
 * own point-to-point wire. The network's properties lie on the near ports' wires, both ways.
 *
 * All memory belongs to the plan; indices are positions in its arrays. */
#ifndef FAREND_ENGINE_PLAN_H
#define FAREND_ENGINE_PLAN_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/node.h"
#include "sim/engine/foreign.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct profile; /* sim/engine/profile.h */

/* What one direction of a wire does to packets. Changeable while the lab runs. */
struct wire_spec {
    lab_time delay;
    lab_time jitter; /* added: uniform 0…jitter; order is kept unless `reorder` */
    bool reorder;    /* jitter may let packets overtake each other */
    uint32_t loss;   /* ppm */
    uint64_t rate;   /* bits a second, 0: infinitely fast */
    uint32_t queue;  /* bytes waiting for a wire with a rate; more are dropped. 0: the default, 64 kB */
    uint16_t mtu;    /* bytes of IP packet; also the MTU of the ports at its ends, unless they have their own */
    bool down;       /* packets sent while down are dropped; those in flight arrive */

    /* What few wires do; a wire without any of it does not pay for it (wire_special.c). */
    bool icmp_off;                 /* ICMP does not pass: who sends too large a packet is never told (RFC 2923 §2.1) */
    uint16_t path_mtu;             /* larger packets vanish on the way, and nobody is told (RFC 2923 §2.1); 0: none */
    bool dscp_clear;               /* the DSCP becomes 0; ECN stays (RFC 2474 §3) */
    int16_t ttl;                   /* above 0: set to this; below 0: lowered by so many; 0: left alone */
    uint32_t burst_begins;         /* Gilbert-Elliott, ppm a packet: from the good state to the bad one, */
    uint32_t burst_ends;           /* and back. In the good state `loss` holds, */
    uint32_t burst_loss;           /* in the bad one this, ppm */
    uint32_t duplicate;            /* ppm: arrives twice */
    uint32_t corrupt;              /* ppm: one byte of the payload is changed, the checksum is not */
    const struct profile *profile; /* in place of delay and loss; NULL: none. Outlives the wire */
};

enum plan_end_type { PLAN_END_PORT, PLAN_END_SWITCH };

struct plan_end {
    enum plan_end_type type;
    unsigned index; /* PORT: the node; SWITCH: the switch */
    unsigned port;  /* PORT: the node's port */
};

struct plan_wire {
    const char *name; /* "alice.home", "internet.3-4" */
    struct plan_end end[2];
    struct wire_spec spec[2]; /* [0]: from end 0 to end 1; [1]: back */
};

struct plan_switch {
    const char *name; /* the network's name */
    int gateway;      /* wire that takes what no attached address matches; -1: dropped as "no-such-host" */
};

struct plan_port {
    const char *name; /* interface name: "on", "inside", "outside", or "left"/"right"/"p0"… of a router; ≤ 15 bytes */
    ipv4 addr;        /* with bits 32 for a router of a chain */
    uint8_t bits;
    uint16_t mtu;
    unsigned wire, end; /* plan_wire.end[end] is this port */
    ipv4 *more;         /* other addresses of its network that lead here too: a NAT's public ones */
    size_t more_n;
};

struct plan_route {
    struct subnet to; /* 0.0.0.0/0: the default route */
    unsigned port;    /* packets leave here; there is no next-hop address: wires are point-to-point */
};

enum plan_role {
    PLAN_PROGRAM, /* a node kind's logic: sim host, or a program in a namespace */
    PLAN_ROUTER,  /* forwards: the kernel in netns, farend's stack in sim */
    PLAN_FOREIGN, /* somebody else's program, or a host for such: in netns on the real clock only */
};

struct plan_setting {
    const char *path, *value; /* for options_set() */
};

/* A machine's clock, which shows dates (host_clock); its timers run in lab time all the same. All 0: it is right. */
struct plan_clock {
    bool unset;     /* no battery keeps it: with power it starts from `shows` */
    lab_time ahead; /* of the right time; negative: it is behind */
    lab_time shows; /* `unset`: a date, as host_clock has it */
};

struct plan_node {
    const char *name; /* "alice", or "internet.r7" for a router of a chain */
    enum plan_role role;
    const struct node_kind *kind;       /* PLAN_PROGRAM */
    bool forwards;                      /* PLAN_PROGRAM: the world's stack forwards for it (node_kind.forwards) */
    const struct plan_foreign *foreign; /* PLAN_FOREIGN */
    struct plan_clock clock;            /* PLAN_PROGRAM */
    struct plan_port *ports;
    size_t ports_n;
    struct plan_route *routes; /* beside the subnets of its ports */
    size_t routes_n;
    struct plan_setting *settings;
    size_t settings_n;
};

struct plan {
    const char *name; /* of the lab */
    uint64_t seed;
    struct plan_node *nodes; /* in file order; routers of chains after all named nodes */
    size_t nodes_n;
    struct plan_wire *wires;
    size_t wires_n;
    struct plan_switch *switches;
    size_t switches_n;
};

#endif
