/* The netns world, inside: what its files share. The contract is sim/engine/world.h. */
#ifndef FAREND_NETNS_IMPL_H
#define FAREND_NETNS_IMPL_H

#include "netns/netns.h"
#include "netns/netns_build.h"
#include "netns/netns_foreigns.h"
#include "netns/netns_program.h"
#include "netns/netns_tcp.h"
#include "nodes/proto/ip.h"
#include "sim/engine/engine.h"
#include "sim/engine/world.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

/* What an event of the master epoll is about: the node's number, and which of its descriptors. */
enum watch { WATCH_END, WATCH_INPUT, WATCH_LIFE, WATCH_FOREIGN, WATCH_WAKE, WATCHES };

enum { ACCOUNT_PORTS = 8 }; /* a guess is remembered for so many: more ports than routers have in labs */

/* What may be found at a node. A system call that finds nothing costs as much as one that does, so the world keeps
 * account of what there can be: a small packet given to a kernel brings about one other at most, and a program says how
 * many it sent. A program's kernel gives a datagram to a socket or refuses it with an ICMP error, never both: the
 * turn says which. What the account misses is found by the master epoll before the clock moves; only then does it say
 * EXPECT_ANY. */
struct account {
    unsigned expected; /* packets waiting in the ports; 0: none, no need to look */
    unsigned cursor;   /* ports below have been emptied in this round */
    unsigned came_by;  /* port of the latest packet in */
    /* 1 + the port by which the latest packet left that came in by port i; 0: none yet. */
    uint8_t left_by[ACCOUNT_PORTS];
    bool input;       /* the program may have some */
    uint64_t arrival; /* where it is, see turn.h; 0: anywhere, or nowhere */
    bool frozen;      /* no turn will say what became of a packet */
};

#define EXPECT_ANY UINT_MAX

struct world {
    struct engine *engine;
    const struct plan *plan;
    struct netns_node *nodes;       /* as in the plan; those of other worlds have no namespace */
    struct netns_program *programs; /* as in the plan; routers and those of other worlds have none */
    struct account *accounts;       /* as in the plan */
    struct netns_tcp **tcps;        /* as in the plan; NULL while a node's kernel speaks no TCP */
    int master;                     /* epoll */
    int home;                       /* the namespace that this thread came from */
    bool doubtful;                  /* something is in no account: look before the clock moves */
    bool guests;                    /* of netns_config: always doubtful */
    bool streams;                   /* a program's kernel speaks TCP, which has timers of its own: always doubtful */
    unsigned not_looked;            /* moves of the clock since the last look */
    bool unsettled;                 /* veth: packets may be on their way in the kernel */
    struct netns_wires wires;       /* veth */
    struct netns_site site;
    struct netns_programs launch;
    struct netns_foreigns *foreigns; /* NULL: the lab has none */
    struct netns_foreigns_config foreigns_config;
    bool pinned;
    cpu_set_t cpus;       /* where this process ran before it was pinned */
    char folder[4096];    /* of the programs */
    struct packet *found; /* by outgoing(), for pull() */
    uint8_t packet[NETNS_PACKET];
};

extern struct netns_config netns_chosen; /* netns_configure() */

/* ---- netns_open.c ---- */
int netns_open(struct world **out, struct engine *e, const struct plan *plan, const bool *mine, struct text *why);
void netns_close(struct world *w);
/* Starts the node's program in its namespace, where this thread is. FE_EOS, FE_EMEM and a sentence. */
int netns_start_program(struct world *w, unsigned node, struct text *why);
bool netns_watch(struct world *w, int fd, unsigned node, enum watch what); /* false: errno */

/* ---- netns_world.c ---- */
void netns_fail(struct world *w, unsigned node, const char *what);

static inline bool netns_is_tcp(const struct packet *p)
{
    return p->n >= IP_HEADER && p->data[9] == IP_TCP;
}

/* ---- netns_account.c: what may be found where ---- */
void netns_account_expect(struct account *a, unsigned more);
/* A packet was given to the node's kernel. It is input for the program and nothing else when that is sure, otherwise
 * there may be an answer too. */
void netns_account_pushed(struct world *w, unsigned node, unsigned port, const struct packet *p);
/* After a turn: what the program sent, and the error with which its kernel may have refused the packet instead. */
void netns_account_turned(struct world *w, unsigned node, enum netns_turn_end end);
/* For the turn's page: TURN_ARRIVAL_NONE where the turn is only for what the program itself wants to do now, else 0. */
uint64_t netns_account_no_input(const struct world *w, const struct account *a);
/* Where the only packet that there can be is, probably: where the last one went that came the same way. */
unsigned netns_account_likely_port(const struct account *a);
void netns_account_left(struct account *a); /* by the port a->cursor */
/* Does this packet show that the node's kernel speaks TCP? */
void netns_account_streams(struct world *w, unsigned node, const struct packet *p);

/* ---- netns_streams.c: the nodes' TCP, whose time is the world's ---- */
/* A packet was given to the node's kernel. */
void netns_streams_pushed(struct world *w, unsigned node, const struct packet *p);
/* w->packet, n bytes, left the node by this port. False: it is to be thrown away. */
bool netns_streams_sent(struct world *w, unsigned node, unsigned port, size_t n);
/* The kernel has sent all; the next packet that leaves in its place goes to w->packet, by *port. 0: none. */
size_t netns_streams_next(struct world *w, unsigned node, unsigned *port);
void netns_streams_alarm(struct world *w, unsigned node);  /* world_ops.alarm */
void netns_streams_forget(struct world *w, unsigned node); /* world_ops.forget */
/* What the program says in the page, after a turn. */
void netns_streams_notes(struct world *w, unsigned node, struct turn_page *page);
void netns_streams_resets(struct world *w, unsigned node);   /* as many as the page has room to tell of */
void netns_streams_orphaned(struct world *w, unsigned node); /* the program has ended */

#endif
