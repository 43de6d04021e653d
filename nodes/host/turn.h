/* Turns: how the engine and the node programs of a lab share the lab's time.
 *
 * One program runs at a time. The engine and each program share one page (a memfd) and one epoll descriptor, both made
 * by the engine before the program starts:
 *
 *     engine                                 program
 *     now, commands  ->  holder = NODE   ->  input of the epoll descriptor, commands, due timers;
 *                                            trace lines into the page
 *     lines -> trace <-  holder = ENGINE <-  deadline, result; then it sleeps on `holder` (futex), never in epoll
 *
 * Both run on one CPU, as a rule, and a program that is woken takes it from the engine at once. The engine is then no
 * sleeper when the turn ends, and need not be woken: TURN_AWAITED tells.
 *
 * So the engine knows two things for certain: whether a program has input (the epoll descriptor is readable in the
 * engine's own epoll), and that nobody else runs. Neither side touches the page while the other holds it.
 *
 * The program's half is nodes/host/turn.c, the engine's netns/netns_turn.c. */
#ifndef FAREND_HOST_TURN_H
#define FAREND_HOST_TURN_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Where a program finds what it inherits; nothing else is open but 0 (/dev/null), 1 and 2 (its log). */
enum { TURN_PAGE_FD = 3, TURN_EPOLL_FD = 4 };

enum turn_holder {
    TURN_ENGINE,  /* the page is the engine's; the program sleeps, or is about to */
    TURN_NODE,    /* the page is the program's; the engine is about to sleep */
    TURN_AWAITED, /* the same, and the engine may sleep already: it has to be woken */
};

/* What the program says when it gives the turn back. */
enum turn_result {
    TURN_DONE,   /* the turn is over; `deadline` is valid */
    TURN_FLUSH,  /* the page is full of what the program says: take it and grant again at the same time */
    TURN_FAILED, /* the node did not start; `why` is a sentence. The program ends */
    TURN_EXITED, /* the node called host_exit(). The program ends */
};

#define TURN_SENT_MANY UINT32_MAX

/* What the engine, which keeps TCP's time in a lab, has to know of a connection. */
enum turn_tcp_state {
    TURN_TCP_OWNED,
    TURN_TCP_ORPHAN, /* its owner has closed it; what was sent still goes out */
    TURN_TCP_GONE,   /* the kernel has forgotten it without a word. remote 0: all that were coming in at `local` */
};

struct turn_tcp {
    struct endpoint local, remote;
    uint32_t state;          /* enum turn_tcp_state */
    lab_time idle, interval; /* host_tcp_keep_alive; idle 0: off */
    uint32_t probes;
    uint32_t waiting;      /* 1: data waits for the peer's window (RFC 9293 §3.8.6.1: a closed one is probed) */
    lab_time user_timeout; /* host_tcp_user_timeout; 0: the default */
};

struct turn_ends { /* of a connection */
    struct endpoint local, remote;
};

enum {
    TURN_WHY = 512,        /* bytes, NUL included */
    TURN_COMMANDS = 3072,  /* bytes of command lines, each ended by a newline */
    TURN_SECRETS = 4096,   /* bytes of key log lines, each ended by a newline */
    TURN_TCPS = 32,        /* connections a page can tell of */
    TURN_TRACE = 64 * 1024 /* bytes of trace lines, each ended by a newline; room for many records */
};

struct turn_page {
    _Atomic uint32_t holder; /* enum turn_holder; the futex */
    uint32_t result;         /* enum turn_result */
    lab_time now;            /* lab time of the turn */
    lab_time clock;          /* what the node's clock shows then (host_clock) */
    lab_time deadline;       /* the node's next timer; NEVER: none */
    uint64_t arrival;        /* by the engine: where the turn's only input waits; 0: it cannot tell */
    uint32_t unsure;      /* by the engine: 1: if nothing waits there, it is no turn, and due timers wait for theirs */
    int32_t engine;       /* process id of the engine: a program whose parent is another ends at once */
    uint32_t sent;        /* packets that the node gave to its interfaces in this turn; TURN_SENT_MANY: cannot tell */
    uint32_t received;    /* packets that the node took from its sockets in this turn */
    uint32_t links;       /* by the engine: grows when the MTU of an interface has changed */
    uint32_t commands_n;  /* bytes in use; written by the engine, set to 0 by the program */
    uint32_t trace_n;     /* bytes in use; written by the program, set to 0 by the engine */
    uint32_t secrets_n;   /* as trace_n */
    uint32_t tcps_n;      /* as trace_n */
    uint32_t timed_out_n; /* written by the engine, set to 0 by the program */
    struct turn_tcp tcps[TURN_TCPS];       /* connections whose options have changed */
    struct turn_ends timed_out[TURN_TCPS]; /* connections that the engine has reset because their time was over */
    char why[TURN_WHY];
    char secrets[TURN_SECRETS];
    char commands[TURN_COMMANDS];
    char trace[TURN_TRACE];
};

/* Names for `arrival`; those of a node that owns its interfaces and those of sockets are never the same. */
#define TURN_ARRIVAL_NONE (UINT64_C(1) << 62) /* there is no input: the turn is for timers and commands */

static inline uint64_t turn_arrival_port(unsigned port)
{
    return UINT64_C(1) << 63 | port;
}

static inline uint64_t turn_arrival_udp(struct endpoint local)
{
    return (uint64_t)local.addr << 16 | local.port;
}

/* ---- the program's half ---- */

/* Maps the page and binds this process's life to the engine's: when the engine ends, however it ends, so does the
 * program. NULL when this process was not started by an engine; errno says why. */
struct turn_page *turn_attach(void);

/* Sleeps until the program holds the page. */
void turn_await(struct turn_page *page);

/* Gives the page back with a result and, unless the program is about to end, sleeps until it is granted again. */
void turn_yield(struct turn_page *page, enum turn_result result);
void turn_leave(struct turn_page *page, enum turn_result result);

#endif
