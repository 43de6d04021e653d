/* The contract between a node's logic and the machine it runs on.
 *
 * Everything a node may ask of the world is here: time, timers, UDP, TCP, raw IP, the machine's NAT, random numbers,
 * the trace. There are two implementations, chosen at link time: nodes/host/ (the real machine: epoll, sockets) and
 * sim/world/ (simulated). A node never includes an OS header.
 *
 * Rules that make both alike:
 * - Callbacks come from the host's loop only, never from inside a call to the host.
 * - Sending may succeed or report at once what the machine knows at once; whatever the network answers comes as a
 * callback.
 * - Input first, in the order of the sockets' opening, then the timers that are due, by deadline and order of starting.
 * - The clock stands still during a callback.
 * - Memory passed to a callback is borrowed for the call. */
#ifndef FAREND_HOST_H
#define FAREND_HOST_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/prng.h"
#include "nodes/base/record.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "nodes/base/timers.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;

/* ---- who and when ---- */
const char *host_name(const struct host *h); /* the node's name in the lab file */
lab_time host_now(const struct host *h);
/* What the machine's clock shows (Linux: CLOCK_REALTIME), as nanoseconds since LAB_BEGINS: in a lab the lab's time, but
 * for a clock that is set wrong or has jumped, by hand the true date. For dates alone: no timer and no age goes by it.
 */
lab_time host_clock(const struct host *h);

/* An own stream of random numbers, a function of (seed, node, purpose) and of how often the node was started before: a
 * machine that starts again repeats neither its branches nor its Call-IDs (RFC 3261 §8.1.1.4, §8.1.1.7). */
void host_stream(const struct host *h, const char *purpose, struct prng *out);

/* ---- timers: initialise with timer_init() ---- */
void host_timer_start(struct host *h, struct timer *t, lab_time at); /* absolute; a past time fires in this turn */
void host_timer_stop(struct host *h, struct timer *t);

/* ---- interfaces, by the names of the node kind's ports ("on", "inside", "outside") ---- */
struct host_port {
    const char *name;
    ipv4 addr; /* the node's own address there */
    uint8_t bits;
    uint16_t mtu; /* may change between two turns */
};
const struct host_port *host_port(const struct host *h, const char *name);  /* NULL: there is none */
const struct host_port *host_port_at(const struct host *h, unsigned index); /* NULL: past the last */

/* ---- UDP ---- */
struct host_udp;

/* What an ICMP error told about a datagram that this socket sent (Linux: IP_RECVERR). */
struct host_icmp {
    struct endpoint to; /* where the datagram was going */
    ipv4 from;          /* who sent the ICMP error */
    uint8_t type, code;
    uint32_t mtu; /* for "fragmentation needed" */
};

struct host_udp_events {
    void (*received)(void *arg, struct endpoint from, uint8_t ttl, struct span data);
    void (*refused)(void *arg, const struct host_icmp *error); /* may be NULL: errors are ignored */
};

/* local.addr is one of the ports' addresses or 0 for all; local.port 0 takes a free one from 32768–60999, chosen by the
 * node's stream "ports". FE_EUSED: the port is taken; FE_EUNREACH: not an address of this node; FE_EMEM; FE_EOS. */
int host_udp_open(struct host *h, struct endpoint local, const struct host_udp_events *events, void *arg,
                  struct host_udp **out);
struct endpoint host_udp_local(const struct host_udp *u);
/* 0; FE_EUNREACH: no route, or address or port 0; FE_ERANGE: larger than a UDP datagram can be (65507), or than the MTU
 * with df set; FE_EAGAIN: the machine has no room now (the datagram is lost). ttl 0: the default, 64. Sent without the
 * DF bit: too large packets are fragmented. */
int host_udp_send(struct host_udp *u, struct endpoint to, uint8_t ttl, struct span data);
void host_udp_set_df(struct host_udp *u, bool df); /* set DF and never fragment here */
void host_udp_close(struct host_udp *u);           /* fine inside its own callbacks */

/* ---- TCP ----
 * Linux's, as a program sees it (RFC 9293, 5681, 6582, 6298). Nagle's algorithm is off. With the stepped clock every
 * timer of TCP runs in lab time and no TIME-WAIT is kept, in both worlds (ARCHITECTURE.md, "TCP in lab time"). */
struct host_tcp;      /* a connection */
struct host_listener; /* a passive open */

/* Each may be NULL. After `failed` the connection is dead, and still the owner's to close. */
struct host_tcp_events {
    void (*connected)(void *arg);                  /* what host_tcp_connect began has succeeded */
    void (*received)(void *arg, struct span data); /* in order; how the bytes are portioned means nothing */
    void (*drained)(
        void *arg); /* everything that host_tcp_send took has been given to the machine, after it had to wait */
    void (*finished)(void *arg); /* the peer's FIN: nothing more will be received; sending goes on */
    /* FE_EREFUSED: nobody listens there; FE_ERESET; FE_ETIMEDOUT: retransmissions or keep-alives went unanswered for
     * too long; FE_EUNREACH: an ICMP error while connecting (RFC 1122 §4.2.3.9). */
    void (*failed)(void *arg, int error);
};

/* local.addr 0: the address that the route says; local.port 0: a free one, as host_udp_open. 0: it has begun, the first
 * SYN is out, and no event has been delivered; FE_EUSED: this pair of endpoints has a connection; FE_EUNREACH: no
 * route, or not an address of this node; FE_EMEM; FE_EOS. */
int host_tcp_connect(struct host *h, struct endpoint local, struct endpoint remote,
                     const struct host_tcp_events *events, void *arg, struct host_tcp **out);

/* A connection has come in, complete. The callee takes it with host_tcp_own() in this call, or it is reset. */
struct host_listener_events {
    void (*accepted)(void *arg, struct host_tcp *connection, struct endpoint remote);
};
/* local.port 0 is refused with FE_ERANGE. FE_EUSED; FE_EUNREACH: not an address of this node; FE_EMEM; FE_EOS.
 * Connections that have been accepted use the same local port, and one may be opened from it (host_tcp_connect). */
int host_tcp_listen(struct host *h, struct endpoint local, const struct host_listener_events *events, void *arg,
                    struct host_listener **out);
void host_listener_close(struct host_listener *l); /* connections stay; fine inside its own callback */
void host_tcp_own(struct host_tcp *c, const struct host_tcp_events *events, void *arg);

struct endpoint host_tcp_local(const struct host_tcp *c);
struct endpoint host_tcp_remote(const struct host_tcp *c);

/* Takes all of data, or nothing: 0; FE_EAGAIN: more than HOST_TCP_BACKLOG bytes would wait for the peer's window;
 * FE_ERESET: the connection is dead, or this side has finished. Fine while connecting. */
enum { HOST_TCP_BACKLOG = 4 << 20 };
int host_tcp_send(struct host_tcp *c, struct span data);
void host_tcp_finish(struct host_tcp *c); /* FIN, after what was sent; receiving goes on */
/* The owner hears no more. What was sent and a FIN still go out; what then comes in is answered with RST, as Linux
 * does. Fine inside its own callbacks. */
void host_tcp_close(struct host_tcp *c);
void host_tcp_abort(struct host_tcp *c); /* RST instead (RFC 9293 §3.10.7.4) */

/* RFC 1122 §4.2.3.6: after `idle` without a segment probes every `interval`; `probes` of them unanswered: FE_ETIMEDOUT.
 * idle 0: off, the default. */
void host_tcp_keep_alive(struct host_tcp *c, lab_time idle, lab_time interval, unsigned probes);
/* RFC 5482: data unacknowledged for so long: FE_ETIMEDOUT. 0: the default, 15 retransmissions (some 15 min). */
void host_tcp_user_timeout(struct host_tcp *c, lab_time timeout);

/* ---- raw IP: the node owns its interfaces; the machine neither answers nor forwards (the NAT) ---- */
struct host_raw;

struct host_raw_events {
    /* One whole IPv4 packet that arrived at port number `port`; the bytes may be changed in place. Its header was
     * checked with ip_parse by nobody. */
    void (*received)(void *arg, unsigned port, uint8_t *packet, size_t n);
    /* May be NULL. Several packets have arrived at this port at once: they will be handed over one by one from now on,
     * unless the node stops. Told so that memory can be asked for ahead; nothing else may follow from it. */
    void (*coming)(void *arg, unsigned port, const struct span *packets, size_t n);
};

int host_raw_open(struct host *h, const struct host_raw_events *events, void *arg, struct host_raw **out);
/* 0; FE_ERANGE: larger than the port's MTU; FE_EAGAIN: no room, the packet is lost. */
int host_raw_send(struct host_raw *r, unsigned port, const uint8_t *packet, size_t n);
void host_raw_close(struct host_raw *r);

/* ---- the machine's own NAT (Linux: nf_tables and conntrack) ----
 * The machine has the node's addresses, forwards and translates; the node looks after it: it learns of every flow and
 * of every packet that passed, and ends flows when their time is over. By itself the machine forgets nothing. Only
 * where node_kind.forwards said so; one a node. */
struct host_knat;

enum { HOST_KNAT_FORWARDS = 256 };

/* All addresses and ports as a packet from outside sees them, except where `inside` is said. */
struct host_knat_config {
    unsigned inside, outside; /* numbers of the two ports */
    ipv4 public_addr;         /* source of what leaves; 0: nothing is translated but one_to_one */
    struct {
        ipv4 inside, outside; /* 0: no such pair */
    } one_to_one;
    uint16_t low, high; /* ports and ICMP identifiers to translate to; the sender's own when it is free and `random` is
                           not set */
    bool random;        /* any free one, for each flow anew */
    bool hairpin;       /* forwards work from inside too */
    bool sip_alg;       /* the machine's own SIP helper looks into UDP port 5060 */
    size_t forwards_n;
    struct host_knat_forward {
        uint8_t protocol; /* IP_UDP, IP_TCP */
        uint16_t port;
        struct endpoint inside;
    } forwards[HOST_KNAT_FORWARDS];
};

/* A flow by its first packet: as it came and as it left. For ICMP queries both ports are the identifier. */
struct host_knat_flow {
    uint32_t id; /* the machine's; of no meaning but to tell flows apart */
    uint8_t protocol;
    struct endpoint src, dst;
    struct endpoint new_src, new_dst;
};

enum host_knat_drop { HOST_KNAT_NO_MAPPING, HOST_KNAT_NO_HAIRPIN };

/* In the order in which the machine did it: a packet of a new flow passes before the flow is told of. */
struct host_knat_events {
    void (*created)(void *arg, const struct host_knat_flow *flow);
    void (*ended)(void *arg, const struct host_knat_flow *flow); /* by whomever: also by host_knat_end */
    /* A packet that is forwarded, between the translation of its destination and that of its source. n: bytes at
     * `packet`, its headers at least. */
    void (*passed)(void *arg, unsigned port, const uint8_t *packet, size_t n);
    void (*dropped)(void *arg, enum host_knat_drop why, const uint8_t *packet, size_t n);
};

/* FE_EREFUSED: this machine has no such NAT, and `why` says what to do; FE_EOS; FE_EMEM. */
int host_knat_open(struct host *h, const struct host_knat_config *config, const struct host_knat_events *events,
                   void *arg, struct host_knat **out, struct text *why);
/* New rules from the next packet on; flows stay. FE_EOS: the old ones hold. */
int host_knat_configure(struct host_knat *k, const struct host_knat_config *config);
void host_knat_end(struct host_knat *k, const struct host_knat_flow *flow); /* fine on one that is gone */
void host_knat_flush(struct host_knat *k);                                  /* ends all */
void host_knat_close(struct host_knat *k);

/* ---- trace ---- */
/* Begins a line {"t":…,"node":…,"ev":event…; add fields with record_*(), then host_trace_end(). One at a time. */
struct record *host_trace(struct host *h, const char *event);
void host_trace_end(struct host *h);

/* A packet or message that the node received and will not use or forward: counted, traced as
 * {"ev":"drop","cause":…,"packet":…}, and written beside the packet in the capture. `cause` is a word of the vocabulary
 * in ARCHITECTURE.md ("no-mapping", "filtered", "bad-sip", …); what: text that identifies it. */
void host_drop(struct host *h, const char *cause, struct span what);

/* A line of the NSS key log format ("CLIENT_RANDOM …"): written into the capture, so that who reads it can decrypt; by
 * hand appended to the file that SSLKEYLOGFILE names. */
void host_secret(struct host *h, struct span line);

/* ---- the end ---- */
/* The program by hand leaves its loop; in a lab the node is stopped, as by the step that stops it. */
void host_exit(struct host *h, int status);

#endif
