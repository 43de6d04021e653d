/* SIP's transport layer (RFC 3261 §18, RFC 3581, RFC 5626, RFC 5923) on nodes/host.h: sockets and connections, checked
 * messages in, bytes out.
 *
 * Everything that arrives is parsed and checked here, once; what is passed up is well-formed. Each message in or out is
 * traced as a `sip` event, each change of a connection as `flow` and `tls`. UDP, TCP and TLS are spoken.
 *
 * A *socket* is a local end of one transport, numbered in the order of opening: a UDP socket, or a place where
 * connections are accepted and from which they are opened. A *flow* says from which socket to whom; on streams it may
 * name the one connection that is meant. The layers above keep flows and give them back.
 *
 * What is answered or thrown away here, and never passed up:
 * - on UDP, CR LF and CR LF CR LF: keep-alives, counted; on streams, pings are answered and pongs told (RFC 5626
 * §3.5.1);
 * - bytes that are not SIP: host_drop "bad-sip"; a stream of them is closed (§18.3);
 * - requests that sip_parse() or sip_check() refuse: their status is answered statelessly, host_drop "bad-sip";
 * - responses whose top Via is not ours (§18.1.2): host_drop "not-ours".
 *
 * Events come from the host's loop only, never from inside a call to this layer. */
#ifndef FAREND_SIP_TRANSPORT_H
#define FAREND_SIP_TRANSPORT_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "nodes/host.h"
#include "nodes/proto/sip_check.h"
#include "nodes/proto/sip_msg.h"
#include "nodes/proto/sip_stream.h"
#include "nodes/secure/tls.h"

#include <stdbool.h>
#include <stdint.h>

struct sip_transport_layer;

/* Room for any message that arrives (SB-12), for what is written into it on its way, and NUL. */
enum { SIP_BYTES_MAX = SIP_STREAM_MAX + 1024 };

/* Where a message came from, or goes to: a value, to be copied and compared. On UDP it stays good as long as its
 * socket; one that names a connection, as long as that lives (sip_transport_is_alive). */
struct sip_flow {
    enum sip_transport transport; /* SIP_UDP, SIP_TCP, SIP_TLS: the socket's */
    unsigned socket;              /* number of the local socket: from 0, in the order of opening */
    struct endpoint remote;       /* as seen on the wire; port 0: not known */
    uint64_t connection;          /* streams: the connection's serial number, from 1, never used again; 0: whichever
                                     leads there, or a new one. UDP: 0 */
};

/* On a UDP socket; for any socket: sip_transport_flow(). */
static inline struct sip_flow sip_flow_to(unsigned socket, struct endpoint remote)
{
    return (struct sip_flow){SIP_UDP, socket, remote, 0};
}

static inline bool sip_flow_equal(struct sip_flow a, struct sip_flow b)
{
    return a.transport == b.transport && a.socket == b.socket && endpoint_equal(a.remote, b.remote) &&
           a.connection == b.connection;
}

/* What is sent there arrives or fails to arrive by the transport's own means: no timer of SIP repeats it. */
static inline bool sip_flow_is_reliable(struct sip_flow flow)
{
    return flow.transport != SIP_UDP;
}

/* A message that has just arrived. Borrowed for the callback, as everything that it points to. */
struct sip_incoming {
    const struct sip_msg *msg;   /* a request's top Via already holds `received` and `rport`, by the policy below */
    const struct sip_core *core; /* of msg */
    struct sip_flow flow;        /* the socket that received it and its true source; streams: the connection */
    struct sip_flow reply;       /* requests: where responses go, RFC 3261 §18.2.2 and RFC 3581 §4; streams: the
                                    connection, and where to open another one should it be gone */
    uint8_t ttl;                 /* of the IP packet; streams: 0 */
};

/* What is done about the source of a request. */
enum sip_rport {
    SIP_RPORT_ASKED,  /* RFC 3581: to the source address; to the source port when the Via has `rport`, else sent-by's */
    SIP_RPORT_FORCE,  /* as if every Via had `rport`: what SBCs do for phones that do not ask */
    SIP_RPORT_IGNORE, /* to what sent-by says, literally: the failure that rport was made for */
};

#define SIP_STREAM_TIMEOUT (90 * SEC) /* SB-12 */

/* All false or zero: a plain element of RFC 3261 with RFC 3581's server half. */
struct sip_transport_config {
    enum sip_rport rport;
    bool ask_rport; /* own Vias carry `rport` (RFC 3581 §3) */
    bool heed_icmp; /* an ICMP error fails the client transactions to that address (§18.4). Most UDP user agents never
                       look at them, so the default is to let these transactions time out */
    bool alias;     /* RFC 5923: own Vias on streams carry `alias`, and a connection by which a request with it came is
                       used for requests to its sent-by */
    bool keep;      /* own Vias of REGISTER carry `keep` (RFC 6223 §4.2.1) */
    bool no_pong;   /* pings on streams are not answered */
    lab_time connect_timeout; /* 0: SIP_STREAM_TIMEOUT; from a connection's first SYN, or its acceptance, until it is
                                 up, a TLS handshake included */
    lab_time idle_timeout;    /* a connection on which nothing was sent or received for so long is closed; 0: never */
    size_t largest;           /* bytes of the longest message on streams; 0: SIP_STREAM_MAX, which is the most */
};

/* For the transaction layer. */
struct sip_transport_events {
    void (*request)(void *arg, const struct sip_incoming *in);
    void (*response)(void *arg, const struct sip_incoming *in);
    /* What was sent by this flow will not be answered by it. UDP, only with heed_icmp: FE_EUNREACH. Streams: this
     * connection is gone: FE_EREFUSED, FE_ERESET (also: closed), FE_ETIMEDOUT, FE_EUNREACH. */
    void (*failed)(void *arg, struct sip_flow flow, int error);
};

/* A connection is up: established, and its TLS handshake complete. */
struct sip_flow_up {
    bool accepted;                     /* the peer opened it */
    const struct tls_established *tls; /* NULL on TCP */
};

/* A connection is gone, or never came up. */
struct sip_flow_down {
    bool was_up;
    int error;          /* as `failed` above */
    const char *reason; /* a word of the trace: "refused", "reset", "timed-out", "unreachable"; "closed": by the peer;
                           "idle": by idle_timeout; "local": sip_transport_close(); "bad-sip": the stream could not be
                           framed; "tls": a handshake failed without an alert; else the name of the TLS alert that was
                           sent or received: "unknown_ca" */
    bool alert;         /* `reason` is one */
};

/* For whoever looks after connections. Any may be NULL. In all of them the flow names its connection. */
struct sip_flow_events {
    /* The layer opens a TLS connection by itself, because a message goes there: whom to verify (tls_new()). Write a
     * name or an address to `name`; nothing, or NULL: the remote address. The one event that comes from inside a call.
     */
    void (*name)(void *arg, const struct sip_flow *flow, struct text *name);
    void (*up)(void *arg, const struct sip_flow *flow, const struct sip_flow_up *how);
    /* Comes before the transactions hear of it; not for what sip_transport_free() ends. */
    void (*down)(void *arg, const struct sip_flow *flow, const struct sip_flow_down *why);
    void (*ping)(void *arg, const struct sip_flow *flow); /* received, and answered unless no_pong */
    void (*pong)(void *arg, const struct sip_flow *flow); /* the answer to a sip_transport_keep_alive() */
};

struct sip_transport_count {
    uint64_t received, sent; /* SIP messages */
    uint64_t keep_alives;    /* CR LFs received: on streams pings */
    uint64_t pongs;          /* received */
    uint64_t bad;            /* dropped as bad-sip */
    uint64_t stray;          /* dropped as not-ours */
    uint64_t unsent;         /* the machine refused to send, or the connection failed first */
    uint64_t icmp;           /* errors reported by the network, heeded or not */
    uint64_t connections;    /* that ever were up */
};

/* FE_EMEM. The host outlives the layer. */
int sip_transport_new(struct sip_transport_layer **out, struct host *h, const struct sip_transport_config *config);
void sip_transport_free(struct sip_transport_layer *t); /* closes sockets and connections, silently; NULL is fine */

/* Whoever is above: the transaction layer calls this. `events` is kept. */
void sip_transport_attach(struct sip_transport_layer *t, const struct sip_transport_events *events, void *arg);
/* Whoever looks after the connections: the node. `events` is kept. */
void sip_transport_watch(struct sip_transport_layer *t, const struct sip_flow_events *events, void *arg);

/* ---- sockets ---- */

struct sip_local {
    enum sip_transport transport; /* SIP_UDP, SIP_TCP, SIP_TLS */
    struct endpoint at;           /* addr 0 is refused with FE_ERANGE: a Via must name an address. UDP: port 0 takes a
                                     free one; streams: port 0 is the usual one, 5060 or 5061 */
    struct endpoint advertised;   /* what own Vias say (a public address in front of a 1:1 NAT); addr 0: `at` */
    bool deaf;                    /* streams: accepts no connections, only opens them; `at` is written into Vias */
    bool lasting;                 /* streams: connections may idle, whatever idle_timeout says */
    bool passive;                 /* streams: opens none, so that what has no connection cannot be sent (PB-5) */
    /* Whom it listens to (SB-2); NULL: everybody. What others send is dropped as "not-allowed" before it is read, and a
     * connection of theirs is reset. */
    bool (*admits)(const void *arg, struct endpoint from);
    const void *admits_arg;
    uint16_t connect_port;      /* streams: connections are opened from this local port (PH-4); 0: from a free one */
    struct tls_context *server; /* TLS: for connections accepted; not NULL unless deaf */
    struct tls_context *client; /* TLS: for connections opened; NULL: none is ever opened (PB-5) */
};

/* FE_ERANGE; FE_EMEM; errors as host_udp_open, host_tcp_listen. The contexts outlive the layer. */
int sip_transport_open(struct sip_transport_layer *t, const struct sip_local *local, unsigned *socket);
/* A UDP socket. */
int sip_transport_listen(struct sip_transport_layer *t, struct endpoint local, struct endpoint advertised,
                         unsigned *socket);
/* Other certificates for the connections to come (CT-4). */
void sip_transport_set_tls(struct sip_transport_layer *t, unsigned socket, struct tls_context *server,
                           struct tls_context *client);
/* From now on this is written into Vias in place of the local endpoint. */
void sip_transport_advertise(struct sip_transport_layer *t, unsigned socket, struct endpoint advertised);

enum sip_transport sip_transport_of(const struct sip_transport_layer *t, unsigned socket);
struct endpoint sip_transport_local(const struct sip_transport_layer *t, unsigned socket);
struct endpoint sip_transport_advertised(const struct sip_transport_layer *t, unsigned socket);
/* True for a local or advertised endpoint of any socket: "is this URI, Via or Route me?" */
bool sip_transport_is_own(const struct sip_transport_layer *t, struct endpoint e);
/* The first socket of that transport at the address of socket number `beside`; false: there is none. */
bool sip_transport_sibling(const struct sip_transport_layer *t, unsigned beside, enum sip_transport transport,
                           unsigned *socket);

/* ---- flows ---- */

/* From this socket to there, by whichever connection. */
struct sip_flow sip_transport_flow(const struct sip_transport_layer *t, unsigned socket, struct endpoint remote);

/* Where a URI of a Route, Request-URI or Contact leads, from the address of socket number `from` (RFC 3263 §4.1,
 * without DNS): `transport` of the URI, TLS for sips, else UDP, if there is a socket for it, else from `from` itself.
 * False: the host is a name. */
bool sip_transport_route(const struct sip_transport_layer *t, unsigned from, struct span uri, struct sip_flow *out);

/* How a request of so many bytes leaves, its Via included. Above 1300 bytes, or less than 200 below the interface's
 * MTU, UDP becomes TCP if there is a TCP socket beside (§18.1.1). On streams a flow without connection gets one: the
 * living one that leads there (or its alias, RFC 5923), else a new one. 0; FE_ERESET: the connection named is gone;
 * FE_EUNREACH: this socket opens none; errors as host_tcp_connect. */
int sip_transport_choose(struct sip_transport_layer *t, struct sip_flow *flow, size_t bytes);

/* Opens a connection, always a new one; *flow, from sip_transport_flow(), then names it. `peer`: whom TLS verifies, an
 * address or a name; empty: as the `name` event says. What is sent before it is up waits for it. Errors as above;
 * FE_EUSED from a fixed local port (PH-4): its last connection to there has not said good-bye to the end. */
int sip_transport_connect(struct sip_transport_layer *t, struct sip_flow *flow, struct span peer);

/* Is the connection up, or on its way up? UDP, and a flow without a connection: true. */
bool sip_transport_is_alive(const struct sip_transport_layer *t, const struct sip_flow *flow);
bool sip_transport_is_up(const struct sip_transport_layer *t, const struct sip_flow *flow); /* UDP: true */

/* Ends the connection: close_notify, FIN. Its `down` comes from the loop. Fine on one that is gone. */
void sip_transport_close(struct sip_transport_layer *t, const struct sip_flow *flow);

/* The same for one whose other end does not answer any more: no good-bye, a reset, and its local port is free at once.
 */
void sip_transport_abort(struct sip_transport_layer *t, const struct sip_flow *flow);

/* CR LF CR LF, to keep a NAT's mapping alive. On streams the `pong` event follows if the peer answers; whoever waits
 * for it counts the seconds (RFC 5626 §4.4.1: 10). UDP: errors as host_udp_send; streams: FE_EAGAIN: it is not up yet;
 * FE_ERESET: it is gone, or the flow names none. */
int sip_transport_keep_alive(struct sip_transport_layer *t, const struct sip_flow *to);

/* ---- messages ---- */

/* Sends bytes as they are; a whole message. On streams a request goes by the connection that the flow names and by no
 * other; a response, if that one is gone, by any to flow.remote (§18.2.2). Errors as host_udp_send and
 * sip_transport_choose; FE_EAGAIN: the connection's backlog is full. */
int sip_transport_send(struct sip_transport_layer *t, const struct sip_flow *to, struct span bytes);

/* Writes a request anew with a Via of this socket in front of its other headers. FE_ESYNTAX: no line; FE_ERANGE: no
 * room. */
int sip_transport_add_via(const struct sip_transport_layer *t, unsigned socket, struct span request, struct span branch,
                          struct text *out);

/* Chooses the flow by the request's size (sip_transport_choose), whose errors are ignored: then the flow stays, and
 * sending by it fails; and adds the Via. */
int sip_transport_prepare(struct sip_transport_layer *t, struct sip_flow *flow, struct span request, struct span branch,
                          struct text *out);

/* Prepares and sends: an ACK of a 2xx, or what a stateless proxy sends. */
int sip_transport_send_request(struct sip_transport_layer *t, const struct sip_flow *to, struct span request,
                               struct span branch);

/* Answers a request without a transaction (§8.2.7); an ACK is never answered. The To tag is a function of the request,
 * so that a retransmission gets the same. */
void sip_transport_reply(struct sip_transport_layer *t, const struct sip_incoming *in, unsigned status);

/* STUN on SIP's own UDP sockets, for who wants to know how it is seen: what comes goes to `heard` in place of being
 * dropped as bad SIP. */
typedef void sip_transport_stun(void *arg, unsigned socket, struct endpoint from, struct span bytes);
void sip_transport_on_stun(struct sip_transport_layer *t, sip_transport_stun *heard, void *arg);
int sip_transport_send_stun(struct sip_transport_layer *t, const struct sip_flow *to, struct span bytes);

/* A message that nobody wants: counted as stray, host_drop "not-ours". */
void sip_transport_discard(struct sip_transport_layer *t, const struct sip_incoming *in);

const struct sip_transport_count *sip_transport_counts(const struct sip_transport_layer *t);
struct host *sip_transport_host(const struct sip_transport_layer *t);

/* "INVITE" or "200 INVITE": how the trace names a message. */
void sip_transport_describe(struct text *t, const struct sip_msg *msg);

#endif
