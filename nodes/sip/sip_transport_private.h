/* What the files of the transport layer share, and nobody else sees.
 *
 * sip_transport.c: the layer, its sockets, messages out. sip_arrival.c: messages in. sip_udp.c: datagrams.
 * sip_connection.c: one connection. sip_connections.c: which one leads where. sip_secure.c: TLS on one. */
#ifndef FAREND_SIP_TRANSPORT_PRIVATE_H
#define FAREND_SIP_TRANSPORT_PRIVATE_H

#include "nodes/sip/sip_transport.h"

#include <stddef.h>

struct sip_socket {
    struct sip_transport_layer *layer;
    unsigned number;
    enum sip_transport transport;
    struct endpoint local, advertised;
    struct host_udp *udp;           /* UDP */
    struct host_listener *listener; /* streams; NULL: deaf */
    uint16_t connect_port;          /* streams; 0: a free one */
    struct tls_context *server, *client;
    bool lasting, passive;
    bool (*admits)(const void *arg, struct endpoint from); /* NULL: everybody */
    const void *admits_arg;
};

static inline bool sip_socket_admits(const struct sip_socket *s, struct endpoint from)
{
    return !s->admits || s->admits(s->admits_arg, from);
}

/* By serial number, which is the order in which they came. */
struct sip_connections {
    struct sip_connection **all;
    size_t n, cap;
    uint64_t serials; /* given out */
};

struct sip_transport_layer {
    struct host *host;
    struct sip_transport_config config; /* with the defaults filled in */
    const struct sip_transport_events *events;
    void *arg;
    const struct sip_flow_events *watch; /* never NULL */
    void *watch_arg;
    struct sip_socket **sockets; /* each at an address of its own: the host keeps a pointer to it */
    unsigned n;
    struct sip_connections connections;
    struct sip_transport_count count;
    sip_transport_stun *stun_heard; /* NULL: STUN is bad SIP */
    void *stun_arg;
};

/* ---- sip_transport.c ---- */
void sip_transport_trace(struct sip_transport_layer *t, const char *direction, const struct sip_msg *msg,
                         struct endpoint peer);
/* host_drop: "why: 200 INVITE from 192.0.2.1:5060". `why` and `msg` may be NULL. */
void sip_transport_drop(struct sip_transport_layer *t, const char *cause, const char *why, const struct sip_msg *msg,
                        const struct sip_flow *from);
/* Answers statelessly. `source` goes into the Via unless it has been there before (address 0). */
void sip_transport_answer(struct sip_transport_layer *t, const struct sip_msg *request, const struct sip_flow *to,
                          unsigned status, struct span reason, struct endpoint source);

/* ---- sip_arrival.c ---- */
/* A message has come and was parsed: `why` is what the parser said. It is judged, answered, dropped or passed up. */
void sip_arrival_take(struct sip_transport_layer *t, const struct sip_msg *msg, const struct sip_problem *why,
                      struct sip_flow from, uint8_t ttl);
/* Not SIP, or SIP that breaks its rules: answered when it can be, and dropped. */
void sip_arrival_refuse(struct sip_transport_layer *t, const struct sip_msg *msg, const struct sip_problem *why,
                        const struct sip_flow *from);

/* ---- sip_udp.c ---- */
int sip_udp_open(struct sip_socket *s); /* at s->local; errors as host_udp_open */
void sip_udp_close(struct sip_socket *s);
int sip_udp_send(struct sip_socket *s, struct endpoint to, struct span bytes);

/* ---- sip_connections.c ---- */
int sip_connections_listen(struct sip_socket *s); /* at s->local; errors as host_tcp_listen */
void sip_connections_close_listener(struct sip_socket *s);
void sip_connections_fini(struct sip_transport_layer *t); /* silently */
/* That one; NULL: there is none, or it is gone. */
struct sip_connection *sip_connections_find(const struct sip_transport_layer *t, uint64_t serial);
/* The flow gets a connection if it has none: the youngest that leads there, else a new one. As sip_transport_choose. */
int sip_connections_bind(struct sip_transport_layer *t, struct sip_flow *flow);
/* A new connection; *flow names it. `peer` as sip_transport_connect(). */
int sip_connections_open(struct sip_transport_layer *t, struct sip_flow *flow, struct span peer);
/* For sip_connection.c: in and out of the table; enter gives the serial number. FE_EMEM. */
int sip_connections_enter(struct sip_transport_layer *t, struct sip_connection *c);
void sip_connections_leave(struct sip_transport_layer *t, struct sip_connection *c);

/* ---- sip_connection.c ---- */
enum sip_connection_state {
    SIP_CONNECTING, /* TCP's handshake runs; what is sent waits */
    SIP_SECURING,   /* TLS's handshake runs; what is sent waits */
    SIP_UP,         /* messages go both ways */
    SIP_DOWN,       /* dead: nothing is sent or received; its end is told from the loop, then it is freed */
};

enum { SIP_REASON_MAX = 40 }; /* the longest name of an alert and NUL */

struct sip_waiting; /* a message that waits for SIP_UP */

struct sip_connection {
    struct sip_transport_layer *layer;
    const struct sip_socket *socket;
    struct sip_flow flow;  /* names it */
    struct endpoint alias; /* RFC 5923: it leads there too; port 0: none */
    enum sip_connection_state state;
    bool accepted;
    bool ending;          /* on its way to SIP_DOWN */
    bool dead;            /* nobody is believed to be at its other end: it ends without a word */
    struct host_tcp *tcp; /* NULL once it failed, and once SIP_DOWN */
    struct tls *tls;      /* NULL on TCP, once it failed, and once SIP_DOWN */
    struct sip_stream in;
    struct sip_waiting *first, *last;
    unsigned pongs_due; /* pings sent and not answered */
    struct timer timer; /* CONNECTING, SECURING: gives up; UP: looks whether it idles; DOWN: tells its end */
    lab_time active;    /* when something was last sent or received */
    struct sip_flow_down end;
    char reason[SIP_REASON_MAX]; /* of `end` */
};

/* Begins to connect. 0; FE_EMEM, FE_EUNREACH: this socket opens none; errors as host_tcp_connect and tls_new. */
int sip_connection_open(struct sip_socket *s, struct endpoint remote, struct span peer, struct sip_connection **out);
/* Takes one that came in; what cannot be taken is left to the host, which resets it. */
void sip_connection_accept(struct sip_socket *s, struct host_tcp *tcp, struct endpoint remote);
/* A whole message, at once or when it is up. FE_ERESET: SIP_DOWN; FE_EMEM; errors as host_tcp_send. */
int sip_connection_send(struct sip_connection *c, struct span bytes);
int sip_connection_ping(struct sip_connection *c); /* errors as sip_transport_keep_alive() */
/* Ends it; `reason` as in struct sip_flow_down. Fine on one that has ended. */
void sip_connection_end(struct sip_connection *c, int error, const char *reason, bool alert);
void sip_connection_free(struct sip_connection *c); /* silently */

/* For sip_secure.c: */
void sip_connection_establish(struct sip_connection *c, const struct tls_established *tls); /* SIP_UP */
void sip_connection_take(struct sip_connection *c, struct span plaintext);

/* ---- sip_secure.c ---- */
int sip_secure_init(struct sip_connection *c, struct tls_context *context, struct span peer); /* errors as tls_new */
void sip_secure_start(struct sip_connection *c);
void sip_secure_input(struct sip_connection *c, struct span ciphertext);
int sip_secure_send(struct sip_connection *c, struct span plaintext); /* errors as tls_send */
void sip_secure_close(struct sip_connection *c);                      /* says so to the peer */
void sip_secure_fini(struct sip_connection *c);

#endif
