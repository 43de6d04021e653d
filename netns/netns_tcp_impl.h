/* TCP in lab time, inside: the connections of one node's kernel as the wires show them. netns_tcp.c observes,
 * netns_tcp_timers.c acts. */
#ifndef FAREND_NETNS_TCP_IMPL_H
#define FAREND_NETNS_TCP_IMPL_H

#include "netns/netns_tcp.h"
#include "nodes/base/timers.h"
#include "nodes/proto/tcp.h"
#include "nodes/proto/tcp_rto.h"

enum conn_state {
    CONN_NOTED,     /* the program has spoken of it; nothing was seen yet */
    CONN_OPENING,   /* its SYN is unanswered */
    CONN_ANSWERING, /* its SYN-ACK is */
    CONN_OPEN,      /* until both FINs are acknowledged, or a reset */
};

/* What was sent and is unacknowledged: the packet as it was. */
struct segment {
    struct segment *next;
    uint32_t seq, length; /* in the sequence space */
    lab_time sent;        /* for the first time */
    bool again;           /* and again since: no round trip can be told (Karn) */
    unsigned port;
    uint32_t n;
    uint8_t packet[];
};

struct conn {
    struct conn *next;            /* in its bucket */
    struct conn *later, *earlier; /* in the order of coming to be */
    struct netns_tcp *tracker;
    struct endpoint local, remote;
    enum conn_state state;
    bool orphan;             /* no program has it any more */
    struct turn_tcp options; /* of the program */

    /* Sending (RFC 9293 §3.3.1). */
    uint32_t una, nxt;
    struct segment *first, **last;
    unsigned port; /* by which it left last */
    bool fin_sent;
    unsigned most; /* payload that fits the path, when a router said so; 0: nobody has */
    unsigned fits; /* payload that the port takes, when its MTU has changed; 0: it has not */
    uint16_t peer_window;
    uint32_t largest; /* payload that was sent in one segment */

    /* Receiving, as our kernel acknowledges it. */
    uint32_t acked;
    uint16_t window; /* as offered last */
    bool fin_seen, fin_acked;
    uint32_t fin_end; /* the number behind the peer's FIN */
    lab_time heard;

    /* Timers: each NEVER when it does not run; `timer` has the first. */
    struct timer timer;
    struct tcp_rto rto;
    lab_time opened;          /* SYN, SYN-ACK: first sent */
    unsigned again;           /* and so often since */
    unsigned syns;            /* the peer's, that the kernel may answer once more */
    lab_time retransmit_at;   /* RFC 6298 §5 */
    bool recovering, due;     /* after an expiry: until `recover` is acknowledged each advance sends the next at once */
    uint32_t recover;         /* what was outstanding then ends here */
    lab_time alive_at;        /* RFC 1122 §4.2.3.6 */
    unsigned alive_probes;    /* unanswered */
    lab_time persist_at;      /* RFC 9293 §3.8.6.1 */
    unsigned persist_doubled; /* so often */
    unsigned persist_probes;  /* unanswered */
};

/* A packet that waits to leave, or to be given to the kernel. */
struct made {
    struct made *next;
    unsigned port;
    bool told; /* a reset: the program is to hear of it */
    struct turn_ends ends;
    size_t n;
    uint8_t packet[];
};

struct made_list {
    struct made *first, **last;
};

enum { BUCKETS = 256 };

struct netns_tcp {
    struct conn *buckets[BUCKETS];
    struct conn *oldest, *newest;
    struct timers timers;
    struct conn *stirred; /* by the latest packet in: the kernel may answer for it */
    struct made_list out, resets;
    lab_time now;
    bool failed;
};

/* ---- netns_tcp.c ---- */
void conn_forget(struct conn *c);

/* ---- netns_tcp_timers.c ---- */
void conn_timer_fired(void *conn);
void conn_timer_set(struct conn *c);          /* after any of its times has changed */
void conn_resend(struct conn *c);             /* what is unacknowledged first, at once */
void conn_give_up(struct conn *c, bool told); /* the kernel is to forget it */
void made_clear(struct made_list *list);

#endif
