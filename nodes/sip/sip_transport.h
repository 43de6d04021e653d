/* SIP's transport layer (RFC 3261 §18, RFC 3581) on nodes/host.h: sockets, checked messages in, bytes out.
 *
 * Everything that arrives is parsed and checked here, once; what is passed up is well-formed. Each message in or out is
 * traced as a `sip` event. UDP is spoken today; a flow names its transport, so that the layers above need not change
 * for another one.
 *
 * What is answered or thrown away here, and never passed up:
 * - CR LF and CR LF CR LF: keep-alives, counted;
 * - bytes that are not SIP: host_drop "bad-sip";
 * - requests that sip_parse() or sip_check() refuse: their status is answered statelessly, host_drop "bad-sip";
 * - responses whose top Via is not ours (§18.1.2): host_drop "not-ours". */
#ifndef FAREND_SIP_TRANSPORT_H
#define FAREND_SIP_TRANSPORT_H

#include "nodes/base/addr.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "nodes/host.h"
#include "nodes/proto/sip_check.h"
#include "nodes/proto/sip_msg.h"

#include <stdbool.h>
#include <stdint.h>

struct sip_transport_layer;

enum { SIP_BYTES_MAX = 65536 }; /* room for any message that UDP carries, and NUL */

/* Where a message came from, or goes to: a value, to be copied and compared. It stays good as long as its socket. */
struct sip_flow {
    enum sip_transport transport; /* SIP_UDP */
    unsigned socket;              /* number of the local socket: from 0, in the order of sip_transport_listen() */
    struct endpoint remote;       /* as seen on the wire; port 0: not known */
};

static inline struct sip_flow sip_flow_to(unsigned socket, struct endpoint remote)
{
    return (struct sip_flow){SIP_UDP, socket, remote};
}

static inline bool sip_flow_equal(struct sip_flow a, struct sip_flow b)
{
    return a.transport == b.transport && a.socket == b.socket && endpoint_equal(a.remote, b.remote);
}

/* A message that has just arrived. Borrowed for the callback, as everything that it points to. */
struct sip_incoming {
    const struct sip_msg *msg;   /* a request's top Via already holds `received` and `rport`, by the policy below */
    const struct sip_core *core; /* of msg */
    struct sip_flow flow;        /* the socket that received it and its true source */
    struct sip_flow reply;       /* requests: where responses go, RFC 3261 §18.2.2 and RFC 3581 §4 */
    uint8_t ttl;                 /* of the IP packet */
};

/* What is done about the source of a request. */
enum sip_rport {
    SIP_RPORT_ASKED,  /* RFC 3581: to the source address; to the source port when the Via has `rport`, else sent-by's */
    SIP_RPORT_FORCE,  /* as if every Via had `rport`: what SBCs do for phones that do not ask */
    SIP_RPORT_IGNORE, /* to what sent-by says, literally: the failure that rport was made for */
};

/* All false or zero: a plain element of RFC 3261 with RFC 3581's server half. */
struct sip_transport_config {
    enum sip_rport rport;
    bool ask_rport; /* own Vias carry `rport` (RFC 3581 §3) */
    bool heed_icmp; /* an ICMP error fails the client transactions to that address (§18.4). Most UDP user agents never
                       look at them, so the default is to let these transactions time out */
};

struct sip_transport_events {
    void (*request)(void *arg, const struct sip_incoming *in);
    void (*response)(void *arg, const struct sip_incoming *in);
    void (*unreachable)(void *arg, struct sip_flow flow); /* only with heed_icmp */
};

struct sip_transport_count {
    uint64_t received, sent; /* SIP messages */
    uint64_t keep_alives;    /* CR LFs received */
    uint64_t bad;            /* dropped as bad-sip */
    uint64_t stray;          /* dropped as not-ours */
    uint64_t unsent;         /* the machine refused to send */
    uint64_t icmp;           /* errors reported by the network, heeded or not */
};

/* FE_EMEM. The host outlives the layer. */
int sip_transport_new(struct sip_transport_layer **out, struct host *h, const struct sip_transport_config *config);
void sip_transport_free(struct sip_transport_layer *t); /* closes the sockets; NULL is fine */

/* Whoever is above: the transaction layer calls this. `events` is kept. */
void sip_transport_attach(struct sip_transport_layer *t, const struct sip_transport_events *events, void *arg);

/* Opens a UDP socket. `advertised` is what own Vias say (a public address in front of a 1:1 NAT); with addr 0 it is the
 * socket's own address. local.addr 0 is refused with FE_ERANGE: a Via must name an address. Errors as host_udp_open. */
int sip_transport_listen(struct sip_transport_layer *t, struct endpoint local, struct endpoint advertised,
                         unsigned *socket);

struct endpoint sip_transport_local(const struct sip_transport_layer *t, unsigned socket);
struct endpoint sip_transport_advertised(const struct sip_transport_layer *t, unsigned socket);
/* True for a local or advertised endpoint of any socket: "is this URI, Via or Route me?" */
bool sip_transport_is_own(const struct sip_transport_layer *t, struct endpoint e);

/* Sends bytes as they are; a whole message. Errors as host_udp_send. */
int sip_transport_send(struct sip_transport_layer *t, const struct sip_flow *to, struct span bytes);

/* Writes a request anew with a Via of this socket in front of its other headers. FE_ESYNTAX: no line; FE_ERANGE: no
 * room. */
int sip_transport_add_via(const struct sip_transport_layer *t, unsigned socket, struct span request, struct span branch,
                          struct text *out);

/* Both: an ACK of a 2xx, or what a stateless proxy sends. */
int sip_transport_send_request(struct sip_transport_layer *t, const struct sip_flow *to, struct span request,
                               struct span branch);

/* Answers a request without a transaction (§8.2.7); an ACK is never answered. The To tag is a function of the request,
 * so that a retransmission gets the same. */
void sip_transport_reply(struct sip_transport_layer *t, const struct sip_incoming *in, unsigned status);

/* STUN on SIP's own socket, for who wants to know how it is seen: what comes goes to `heard` in place of being dropped
 * as bad SIP. */
typedef void sip_transport_stun(void *arg, unsigned socket, struct endpoint from, struct span bytes);
void sip_transport_on_stun(struct sip_transport_layer *t, sip_transport_stun *heard, void *arg);
int sip_transport_send_stun(struct sip_transport_layer *t, const struct sip_flow *to, struct span bytes);

/* From now on this is written into Vias in place of the local endpoint. */
void sip_transport_advertise(struct sip_transport_layer *t, unsigned socket, struct endpoint advertised);

/* CR LF CR LF, to keep a NAT's mapping alive. Errors as host_udp_send. */
int sip_transport_keep_alive(struct sip_transport_layer *t, const struct sip_flow *to);

/* A message that nobody wants: counted as stray, host_drop "not-ours". */
void sip_transport_discard(struct sip_transport_layer *t, const struct sip_incoming *in);

const struct sip_transport_count *sip_transport_counts(const struct sip_transport_layer *t);
struct host *sip_transport_host(const struct sip_transport_layer *t);

/* "INVITE" or "200 INVITE": how the trace names a message. */
void sip_transport_describe(struct text *t, const struct sip_msg *msg);

#endif
