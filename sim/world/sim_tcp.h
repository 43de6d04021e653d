/* TCP of a simulated node, inside: what the sim_tcp_*.c share. RFC 9293 as Linux does it with the settings of the netns
 * world: no SACK, timestamps or window scaling, Reno (RFC 5681, 6582), acknowledgements at once, no Nagle, no
 * TIME-WAIT.
 *
 * Two parts make a connection. struct sim_tcp is the stack's: numbers, queues, timers; it lives from the SYN until
 * both FINs are acknowledged or a reset, with or without a program. struct host_tcp is the program's: what it has been
 * told, and where to call. Each points to the other while both are there.
 *
 * What Linux does at once when a packet comes, and what the netns world does in its kernel's place when lab time has
 * passed (netns/netns_tcp.h), are kept apart here as they are there: the congestion window belongs to the first
 * (sim_tcp_reno.h) and knows nothing of the second (sim_tcp_timer.c). So both worlds send the same at the same time.
 *
 * Segments wait in packets of the engine's pool, with their payload in its place; each transmission is a copy with the
 * present acknowledgement and window. */
#ifndef FAREND_WORLD_SIM_TCP_H
#define FAREND_WORLD_SIM_TCP_H

#include "nodes/proto/tcp.h"
#include "nodes/proto/tcp_rto.h"
#include "sim/world/sim_impl.h"
#include "sim/world/sim_tcp_reno.h"

/* RFC 9293 §3.3.2. There is no TIME-WAIT, and LISTEN is a struct host_listener. */
enum sim_tcp_state {
    SIM_TCP_SYN_SENT,
    SIM_TCP_SYN_RECEIVED, /* `listener` is set, or it was a simultaneous open */
    SIM_TCP_ESTABLISHED,
    SIM_TCP_FIN_WAIT_1,
    SIM_TCP_FIN_WAIT_2,
    SIM_TCP_CLOSE_WAIT,
    SIM_TCP_CLOSING,
    SIM_TCP_LAST_ACK,
    SIM_TCP_CLOSED, /* not in the table any more; kept for what the program has not been told */
};

/* At the start of a waiting packet's bytes, where its headers will be. */
struct sim_segment {
    uint32_t seq;
    uint8_t flags; /* TCP_FIN, TCP_PSH */
    bool lost;     /* Reno has given it up (TCPCB_LOST) */
    bool resent;   /* Reno has sent it again (TCPCB_RETRANS) */
    bool again;    /* it was sent more than once, by whomever: no round trip can be told (Karn) */
};

enum {
    SIM_TCP_PAYLOAD = IP_HEADER + TCP_HEADER, /* where a waiting segment's payload stands */
    SIM_TCP_WINDOW = 65535,                   /* without scaling */
    /* Bytes that may wait for the program: what Linux makes of the netns world's tcp_rmem of 1 MiB while segments are
     * full, of which it counts 2304 for each of 1460. */
    SIM_TCP_SPACE = 664400,
};

struct sim_tcp {
    struct sim_tcp *sibling; /* with the same hash; of the dead: the next one */
    struct host *host;
    struct endpoint local, remote;
    enum sim_tcp_state state;
    struct host_tcp *owner;         /* NULL: no program has it, or not yet */
    struct host_listener *listener; /* that is to accept it, else NULL */
    struct sim_tcp *next_accepted;  /* in the listener's queue */
    bool corked;                    /* until the program hears that it is connected, nothing is sent */
    bool orphan;                    /* closed by its owner: data that now comes is answered with RST */

    /* Sending (RFC 9293 §3.3.1, SND.*). */
    uint32_t iss, una, nxt, end; /* end: behind what the program has given, FIN included */
    uint32_t pushed;             /* behind the last PSH */
    uint32_t wnd, wl1, most_wnd;
    uint16_t peer_mss, mss; /* announced by the peer; what may be sent */
    uint16_t syn_mss;       /* announced in the latest SYN; 0: none was sent */
    bool fin_queued, fin_sent;
    struct sim_packets sent, unsent; /* struct sim_segment; `at` is when it was first sent */
    uint32_t unsent_bytes;
    struct sim_reno reno;

    /* Receiving (RCV.*). */
    uint32_t rcv_nxt, acked, rcv_wnd; /* acked: rcv_nxt in the last ACK sent, when rcv_wnd was offered */
    struct sim_packets received;      /* in order, not yet taken by the program; `at`: payload bytes passed over */
    struct sim_packets early;         /* behind a gap, by sequence number */
    uint32_t unread, early_bytes;
    bool fin_received, ack_due;
    int error; /* how it ended, for the program; 0: well, or not yet */

    /* Lab time (sim_tcp_timer.c). */
    struct timer timer; /* the earliest of the times below */
    struct tcp_rto rto;
    lab_time retransmit_at;  /* RFC 6298 §5; SYN and SYN-ACK too */
    lab_time opened;         /* SYN, SYN-ACK: first sent */
    unsigned again;          /* and so often since */
    bool recovering, due;    /* after an expiry: until `recover` is acknowledged each advance sends the next at once */
    uint32_t recover;        /* what was outstanding then ends here */
    lab_time heard;          /* the last segment that counted */
    lab_time alive_at;       /* RFC 1122 §4.2.3.6 */
    lab_time idle, interval; /* idle 0: off */
    unsigned alive_probes, alive_most;
    lab_time persist_at; /* RFC 9293 §3.8.6.1 */
    unsigned persist_doubled, persist_probes;
    lab_time user_timeout; /* RFC 5482; 0: none */
};

/* What an ACK has taken from the queue of what was sent. */
struct sim_tcp_covered {
    uint32_t segments, lost, resent; /* as in struct sim_reno_ack */
    bool again;                      /* one of them was sent more than once */
    lab_time first_sent;             /* the first of them */
};

/* What a program has open, connections and listeners, in the order of opening. */
struct sim_tcp_end {
    struct sim_input input; /* first: the two are one block */
    struct sim_tcp_end *older, *newer;
    bool listens; /* struct host_listener, else struct host_tcp */
};

struct host_tcp {
    struct sim_tcp_end end; /* first: the two are one block */
    struct sim_tcp *tcp;    /* as long as this one is open */
    struct endpoint local, remote;
    struct host_tcp_events events;
    void *arg;
    bool owned;      /* else nobody hears of it any more, or not yet */
    bool connecting; /* the program has not heard of the SYN's answer */
    bool dead;       /* `failed` was called */
    bool finished;   /* the peer's FIN was told */
    bool finishing;  /* our FIN was asked for */
    bool closing;    /* by its owner, with something to be sent when it is connected */
    bool waiting;    /* something was not sent at once: `drained` is to come */
};

struct host_listener {
    struct sim_tcp_end end; /* first: the two are one block */
    struct host_listener *sibling;
    struct endpoint local;
    struct host_listener_events events;
    void *arg;
    struct sim_tcp *first, **last; /* complete, to be accepted */
};

/* A path narrower than the first link (RFC 1191). */
struct sim_tcp_path {
    ipv4 to;
    uint16_t mtu;
};

enum { SIM_TCP_PATHS = 16 }; /* the oldest gives way */

/* What a node has of TCP; made when it first has to do with it. */
struct sim_tcp_stack {
    struct sim_tcp **heads; /* hash table, 1 << bits heads */
    unsigned bits;
    size_t n;
    struct host_listener *listeners;
    struct sim_tcp_end *newest;
    struct timers timers;
    struct prng isn;
    struct sim_packets looped; /* sent to ourselves, not yet received */
    bool busy;                 /* something of TCP is running: what loops back waits */
    struct sim_tcp *dead;      /* to be freed when nothing runs */
    struct sim_tcp_path paths[SIM_TCP_PATHS];
    unsigned paths_n;
};

static inline struct sim_segment *sim_segment(struct packet *p)
{
    return (struct sim_segment *)(void *)p->data;
}

static inline uint32_t sim_segment_payload(const struct packet *p)
{
    return p->n - SIM_TCP_PAYLOAD;
}

/* The sequence number behind it. */
static inline uint32_t sim_segment_end(struct packet *p)
{
    const struct sim_segment *s = sim_segment(p);
    return s->seq + sim_segment_payload(p) + ((s->flags & TCP_FIN) != 0);
}

static inline bool sim_tcp_is_open(const struct sim_tcp *t) /* both SYNs are acknowledged */
{
    return t->state >= SIM_TCP_ESTABLISHED && t->state != SIM_TCP_CLOSED;
}

/* ---- sim_tcp_table.c: who there is ---- */
struct sim_tcp_stack *sim_tcp_stack(struct host *h); /* NULL without memory: the engine has failed */
struct sim_tcp *sim_tcp_find(const struct host *h, struct endpoint local, struct endpoint remote);
struct host_listener *sim_tcp_listener(const struct host *h, struct endpoint local);
bool sim_tcp_port_used(const struct host *h, uint16_t port);
/* In the table, in SYN-SENT, with its numbers and sizes. NULL without memory. */
struct sim_tcp *sim_tcp_new(struct host *h, struct endpoint local, struct endpoint remote);
/* The connection is over, error: what the program is told. It is freed when nobody has it any more. */
void sim_tcp_done(struct sim_tcp *t, int error);
void sim_tcp_bury(struct sim_tcp *t); /* of a closed one: frees it when nothing runs */
/* Around everything that TCP does: what looped back meanwhile is received, what died freed. */
bool sim_tcp_enter(struct host *h); /* true: this is the outermost; to be given to sim_tcp_leave */
void sim_tcp_leave(struct host *h, bool outermost);

/* ---- sim_tcp_output.c: single segments ---- */
void sim_tcp_transmit(struct sim_tcp *t, struct packet *p); /* a waiting segment, as it is now */
void sim_tcp_syn(struct sim_tcp *t);                        /* SYN or SYN-ACK */
void sim_tcp_ack(struct sim_tcp *t);
void sim_tcp_probe(struct sim_tcp *t);                         /* with a number that the peer has had: it answers */
void sim_tcp_active_reset(struct sim_tcp *t);                  /* RST of a connection of ours */
void sim_tcp_refuse(struct host *h, const struct tcp_view *s); /* RST to what belongs to nobody (§3.10.7.1) */

/* ---- sim_tcp_send.c: the stream that goes out ---- */
int sim_tcp_queue(struct sim_tcp *t, struct span data); /* FE_EMEM: the engine has failed */
void sim_tcp_uncork(struct sim_tcp *t); /* what was queued before the peer said its MSS is cut as it should be */
void sim_tcp_queue_fin(struct sim_tcp *t);
void sim_tcp_push(struct sim_tcp *t);         /* what the windows permit */
void sim_tcp_resend(struct sim_tcp *t);       /* Reno: what is lost, as far as the window goes */
void sim_tcp_resend_first(struct sim_tcp *t); /* whatever the window */
void sim_tcp_drop_acked(struct sim_tcp *t, struct sim_tcp_covered *covered); /* what una covers */
void sim_tcp_mark_first(struct sim_tcp *t);                                  /* as given up */
void sim_tcp_measure(struct sim_tcp *t);                                     /* mss, from the path and the peer */
void sim_tcp_path_mtu(struct sim_tcp *t, uint16_t mtu);
void sim_tcp_learn_mtu(struct host *h, ipv4 to, uint16_t mtu);

/* ---- sim_tcp_receive.c: the stream that comes in ---- */
uint16_t sim_tcp_window(struct sim_tcp *t);     /* to be offered now; noted as offered */
uint32_t sim_tcp_room(const struct sim_tcp *t); /* what is left of the window that was offered */
void sim_tcp_data(struct sim_tcp *t, struct packet *p, const struct tcp_view *s); /* with the reference */
/* The next up to n bytes, copied to dst. */
size_t sim_tcp_take(struct sim_tcp *t, uint8_t *dst, size_t n);
void sim_tcp_window_opened(struct sim_tcp *t); /* the program has read: the peer may have to know */

/* ---- sim_tcp_input.c: the state machine ---- */
void sim_tcp_close(struct sim_tcp *t); /* its owner has gone */
void sim_tcp_shut(struct sim_tcp *t);  /* FIN behind what was given */

/* ---- sim_tcp_acked.c: an acknowledgement ---- */
enum sim_tcp_ack_result {
    SIM_TCP_ACK_UNSENT = -2,
    SIM_TCP_ACK_ANCIENT = -1,
    SIM_TCP_ACK_OLD = 0,
    SIM_TCP_ACK_GOOD = 1
};
enum sim_tcp_ack_result sim_tcp_acknowledged(struct sim_tcp *t, const struct tcp_view *s);

/* ---- sim_tcp_timer.c: lab time ---- */
void sim_tcp_timer_init(struct sim_tcp *t);
void sim_tcp_timer_set(struct sim_tcp *t);     /* after anything has changed */
void sim_tcp_timer_opening(struct sim_tcp *t); /* SYN or SYN-ACK is out for the first time */
void sim_tcp_timer_opened(struct sim_tcp *t);  /* and acknowledged */
void sim_tcp_timer_sent(struct sim_tcp *t);    /* something new is out */
void sim_tcp_timer_advanced(struct sim_tcp *t, const struct sim_tcp_covered *covered);
void sim_tcp_timer_heard(struct sim_tcp *t);
void sim_tcp_timer_settle(struct sim_tcp *t); /* Reno has answered a segment: what is due is sent again */

/* ---- sim_tcp_host.c: what the program hears ---- */
void sim_tcp_tell(struct sim_tcp *t); /* there may be something */

struct host_tcp *sim_tcp_adopt(struct sim_tcp *t, bool connecting); /* NULL without memory: the engine has failed */

/* ---- sim_tcp_listen.c: what the program has open ---- */
void sim_tcp_end_add(struct host *h, struct sim_tcp_end *end); /* its input is initialised and has its callbacks */
void sim_tcp_end_close(struct sim_tcp_end *end);               /* freed with its input, after the turn */
void sim_tcp_end_forget(struct sim_tcp_end *end);              /* without a word to anybody */
uint64_t sim_tcp_end_held(const struct sim_tcp_end *end);      /* packets that are in no connection of the table */
void sim_tcp_complete(struct sim_tcp *t);                      /* the handshake of a listener's is over */

#endif
