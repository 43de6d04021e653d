/* The simulated world, inside: what its files share. A node here is a `struct host`: an IPv4 stack that answers as
 * Linux does and, unless it is a router, the logic of its kind on top of it.
 *
 *     push -> stack -> forward -> port            -> pull
 *                   -> ICMP    -> port
 *                   -> socket  -> (turn) program  -> port
 *
 * A push runs the stack to its end; the program runs in turns only. */
#ifndef FAREND_WORLD_SIM_IMPL_H
#define FAREND_WORLD_SIM_IMPL_H

#include "nodes/base/timers.h"
#include "nodes/host.h"
#include "nodes/node.h"
#include "nodes/proto/ip.h"
#include "nodes/proto/ip_forward.h"
#include "sim/engine/engine.h"
#include "sim/engine/index_set.h"
#include "sim/engine/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world {
    struct engine *engine;
    struct pool *pool;
    const struct plan *plan;
    struct host **nodes; /* by plan index; NULL: another world's */
    lab_time now;        /* of the turn or push that runs */
    bool tracing;        /* between host_trace and host_trace_end */
    struct record record;
    char line[RECORD_MAX];
    uint8_t portion[65536]; /* what a TCP connection gives its program at once */
};

struct sim_packets { /* a queue */
    struct packet *first, *last;
    unsigned n;
};

/* ---- inputs: what a program's turn works off (sim_input.c) ---- */

/* What a socket has received. Listed in the order of the sockets' opening while there is anything to be worked off. */
struct sim_input {
    struct sim_input *next; /* in the list of ready inputs, or of closed ones */
    struct host *host;
    uint64_t order;             /* of opening */
    struct sim_packets packets; /* `next` of a packet is the queue's */
    struct sim_error *errors, **errors_last;
    bool listed, closed;
    bool errors_due, packets_due;                               /* there when the round began */
    void (*receive)(struct sim_input *input, struct packet *p); /* borrows the packet */
    void (*refuse)(struct sim_input *input, const struct host_icmp *error);

    /* TCP's instead: what there is to tell, 0: nothing; and telling it. */
    unsigned (*poll)(const struct sim_input *input);
    void (*tell)(struct sim_input *input, unsigned what);
    unsigned due; /* what poll said when the round began */
};

void sim_input_init(struct sim_input *input, struct host *h);
void sim_input_close(struct sim_input *input); /* its memory, at `input`, is freed when the turn is over */
void sim_input_packet(struct sim_input *input, struct packet *p); /* with the reference */
void sim_input_error(struct sim_input *input, const struct host_icmp *error);
void sim_input_news(struct sim_input *input); /* poll may say something */
void sim_input_free_closed(struct host *h);
/* Everything that is to be done in a turn: input until there is none, then due timers, and again what came of them. */
void sim_input_work(struct host *h);

/* ---- the node ---- */

struct sim_command {
    struct sim_command *next;
    size_t n;
    char text[];
};

struct sim_port {
    struct host_port is;
    struct sim_packets out; /* to be pulled */
};

struct sim_route { /* of the cache: where an address leads */
    ipv4 addr;
    int port; /* or ROUTE_NONE, ROUTE_LOCAL */
};

enum { ROUTE_NONE = -1, ROUTE_LOCAL = -2 };

struct host {
    struct world *world;
    const struct plan_node *plan;
    unsigned index;
    bool on;         /* the power switch */
    unsigned starts; /* how often it was switched on again */
    bool running;    /* the program has been started */
    bool ended;      /* host_exit() */
    bool router;
    uint16_t ip_id;
    lab_time alarm; /* the engine's, for the stack */

    /* The stack. */
    struct index_set outgoing; /* ports with something to be pulled */
    struct sim_route *cache;   /* 1 << cache_bits of them */
    unsigned cache_bits;
    struct ip_reassembly *reassembly; /* made when the first fragment comes */
    struct ip_routes routes;
    struct sim_tcp_stack *tcp; /* NULL: it has never had to do with TCP */

    /* The program. */
    void *settings, *node;
    struct timers timers;
    struct prng ports_stream;  /* ephemeral ports */
    struct host_udp **sockets; /* hash table by port, 1 << sockets_bits heads; NULL while there are none */
    unsigned sockets_bits, sockets_n;
    struct host_raw *raw;
    uint64_t opened; /* inputs, ever */
    struct sim_input *ready, *closed;
    struct sim_command *commands, **commands_last;

    size_t ports_n;
    struct sim_port ports[];
};

/* ---- sim_stack.c ---- */
int sim_stack_init(struct host *h); /* routes and cache. FE_EMEM */
void sim_stack_fini(struct host *h);
void sim_stack_input(struct host *h, unsigned port, struct packet *p); /* from a wire, with the reference */
/* A packet of the node's own, whole and with its checksums, with the reference: looped back, or out by its route, in
 * fragments if need be. FE_EUNREACH: no route; FE_ERANGE: it may not be fragmented; FE_EMEM. */
int sim_stack_output(struct host *h, struct packet *p);
int sim_stack_route(struct host *h, ipv4 addr);                       /* a port's number, ROUTE_NONE, ROUTE_LOCAL */
void sim_stack_send(struct host *h, unsigned port, struct packet *p); /* to be pulled, as it is */

/* ---- sim_icmp.c ---- */
void sim_icmp_input(struct host *h, struct packet *p, const struct ip_view *v); /* to one of our addresses */
/* An ICMP error about p, which the caller keeps, from one of our addresses; silent where RFC 1122 §3.2.2 forbids one.
 */
void sim_icmp_error(struct host *h, ipv4 from, uint8_t type, uint8_t code, uint32_t rest, const struct packet *p);

/* ---- sim_udp.c ---- */
void sim_udp_input(struct host *h, struct packet *p, const struct ip_view *v);
/* An ICMP error about a datagram that this node sent; quoted: its header as it came back. */
void sim_udp_error(struct host *h, const struct ip_view *quoted, const struct host_icmp *error);
void sim_udp_close_all(struct host *h);
uint64_t sim_udp_held(const struct host *h); /* packets in the sockets */

/* ---- sim_tcp_*.c: see sim_tcp.h ---- */
struct tcp_view;
void sim_tcp_input(struct host *h, struct packet *p, const struct ip_view *v); /* with the reference */
/* An ICMP error about a segment that this node sent; quoted: what came back of it. */
void sim_tcp_error(struct host *h, const struct tcp_view *quoted, const struct host_icmp *error);
/* The MTU of a port was `before` and is another one now. */
void sim_tcp_port_mtu(struct host *h, unsigned port, uint16_t before);
lab_time sim_tcp_next(const struct host *h); /* when a timer of TCP's expires; NEVER */
void sim_tcp_expire(struct host *h);
/* The program has ended: its sockets are closed, as Linux closes them, and the stack goes on. */
void sim_tcp_close_all(struct host *h);
/* The power is gone: everything is forgotten, nothing sent. */
void sim_tcp_forget_all(struct host *h);
void sim_tcp_fini(struct host *h);
uint64_t sim_tcp_held(const struct host *h);

/* ---- sim_raw.c ---- */
void sim_raw_input(struct host *h, unsigned port, struct packet *p);
uint64_t sim_raw_held(const struct host *h);

/* ---- sim_program.c ---- */
lab_time sim_program_turn(struct host *h);
void sim_program_command(struct host *h, struct span line);
void sim_program_stop(struct host *h); /* the power is cut: sockets, timers and the node vanish */
bool sim_program_ready(const struct host *h);

/* ---- sim_packets.c ---- */
void sim_packets_add(struct sim_packets *q, struct packet *p);
struct packet *sim_packets_take(struct sim_packets *q); /* NULL when empty */
void sim_packets_clear(struct sim_packets *q);

#endif
