/* The real machine's host, inside: what the files of this folder share. Its contract is nodes/host.h.
 *
 * Every descriptor a node waits for is an input: they are worked off in the order in which they were opened, whatever
 * order epoll reports, because the simulated host does the same. A closed input stays in the list, without its
 * descriptor, until the round is over, so that any callback may close any socket. */
#ifndef FAREND_HOST_IMPL_H
#define FAREND_HOST_IMPL_H

#include "nodes/base/timers.h"
#include "nodes/host.h"
#include "nodes/host/turn.h"
#include "nodes/node.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum { HOST_PORTS = 16, HOST_EVENTS = 64 };

struct host_input {
    struct host_input *next;
    struct host *host;
    int fd;           /* -1: closed, to be freed after the round */
    uint32_t watched; /* what epoll is asked for */
    uint32_t events;  /* what epoll reported in this round; 0: nothing */
    uint64_t arrival; /* what the engine calls it (turn.h); 0: it has no name */
    void (*ready)(struct host_input *input);
    void (*free)(struct host_input *input);
};

/* How a host gets rid of its trace: into the engine's page, or onto standard output; and of its secrets: into the page,
 * or the file that SSLKEYLOGFILE names. */
struct host_sink {
    char *(*room)(struct host *h);                    /* RECORD_MAX bytes for the next line */
    void (*line)(struct host *h, struct span line);   /* the line stands in that room */
    void (*secret)(struct host *h, struct span line); /* without a newline */
};

struct host_interface {
    struct host_port port;
    char name[IFNAMSIZ]; /* the kernel's name; the port has its own */
    int index;
};

struct host {
    const char *name;
    uint64_t seed;
    lab_time now;   /* stands still while callbacks run */
    lab_time clock; /* host_clock, as of `now` */
    struct timers timers;
    struct prng ports; /* chooses ephemeral ports */
    struct host_interface interfaces[HOST_PORTS];
    unsigned interfaces_n;

    int epoll;
    struct host_input *inputs, **last; /* in the order of opening */
    bool closed;                       /* some input is closed and waits to be freed */
    bool looped; /* something was sent to ourselves, or an error was queued: look at the inputs once more */

    uint64_t arrival;  /* the only input there is in this turn, if the engine knows it (turn.h) */
    bool unsure;       /* without input this is no turn (turn.h) */
    bool single;       /* what is ready has one packet: no need to ask for more */
    uint32_t received; /* packets taken from sockets in this turn */
    uint32_t sent;     /* packets given to the interfaces in this turn; TURN_SENT_MANY: cannot tell */

    const struct host_sink *sink;
    struct record record;
    bool tracing;           /* between host_trace and host_trace_end */
    struct turn_page *page; /* in a lab, else NULL */
    uint32_t links;         /* of the page, when the interfaces were looked at */
    bool json;              /* by hand: the trace as JSON */

    bool ended; /* host_exit was called */
    int status;
};

/* ---- host_core.c ---- */
/* The caller's memory. name is borrowed, epoll is taken over. */
void host_init(struct host *h, const char *name, uint64_t seed, int epoll, const struct host_sink *sink);
void host_fini(struct host *h); /* closes everything */

/* Notes that a packet of n bytes left: alone, or as fragments of which nobody knows the number. */
void host_count_sent(struct host *h, size_t n);

/* ---- host_loop.c ---- */
/* Watches fd for input and errors. FE_EOS. */
int host_input_add(struct host *h, struct host_input *input, int fd);
void host_input_close(struct host_input *input);
/* Watches for these events of epoll (and, as epoll does, for EPOLLERR and EPOLLHUP) from now on. */
void host_input_watch(struct host_input *input, uint32_t events);
void host_input_ignore(struct host_input *input); /* for good, without closing it */
/* Everything that is to be done at h->now: input until there is none, then the due timers, and again what came of them.
 */
void host_work(struct host *h);

/* ---- host_ports.c ---- */
/* Attaches a port by its word: "ADDRESS", "INTERFACE" or "INTERFACE:ADDRESS/BITS". raw: the node will own it. Negative
 * enum fe_error and a sentence. */
int host_port_attach(struct host *h, bool raw, const char *port, struct span where, struct text *why);
/* Asks the kernel for the MTUs again. */
void host_ports_look(struct host *h);
/* The port with this address, or NULL. */
const struct host_port *host_port_with(const struct host *h, ipv4 addr);

/* ---- the two ways to run; both return the program's exit status ---- */
int host_lab_run(struct host *h, const struct node_kind *kind, const void *settings);
int host_hand_run(struct host *h, const struct node_kind *kind, const void *settings);
extern const struct host_sink host_lab_sink, host_hand_sink;

#endif
