/* The SBC's parts know each other by this; private to nodes/sbc/. */
#ifndef FAREND_SBC_NODE_H
#define FAREND_SBC_NODE_H

#include "nodes/host.h"
#include "nodes/sbc/sbc_locate.h"
#include "nodes/sbc/sbc_location.h"
#include "nodes/sbc/sbc_ports.h"
#include "nodes/sbc/sbc_relay.h"
#include "nodes/sbc/sbc_route.h"
#include "nodes/sbc/sbc_servers.h"
#include "nodes/sbc/sbc_session.h"
#include "nodes/sbc/sbc_settings.h"
#include "nodes/sbc/sbc_token.h"
#include "nodes/sbc/sbc_watch.h"
#include "nodes/sip/sip_proxy.h"
#include "nodes/sip/sip_txn.h"

struct sbc {
    struct host *host;
    struct sbc_settings settings; /* a copy: the command "set" changes it */
    struct sip_transport_layer *transport;
    struct sip_txns *txns;
    struct sip_proxy *proxy;
    struct sbc_relay *relay;
    struct sbc_sessions *sessions;
    struct sbc_location *location;
    struct sbc_pings *pings;
    struct sbc_monitor *monitor;
    struct sbc_servers servers;
    struct sbc_locating locating;
    struct sbc_watch *watch;
    struct sbc_registers *registers;
    struct sbc_token_key key;
    struct tls_context *tls[2]; /* by enum sbc_side: server outside, client inside; NULL: none */
    struct sbc_port ports[SBC_PORTS_MAX];
    unsigned ports_n;         /* sockets outside: their numbers are those of `ports` */
    unsigned inside;          /* the socket there: the one after them */
    char body[SIP_BYTES_MAX]; /* the description that a hook writes: read before the next hook runs */
};

static inline enum sbc_side sbc_side_of(const struct sbc *sbc, struct sip_flow flow)
{
    return flow.socket < sbc->ports_n ? SBC_OUTSIDE : SBC_INSIDE;
}

/* To a PBX, or whatever else stands inside. */
static inline struct sip_flow sbc_flow_inside(const struct sbc *sbc, struct endpoint to)
{
    return sip_transport_flow(sbc->transport, sbc->inside, to);
}

/* ---- sbc_transport.c ---- */
/* The layer and its sockets. Errors as sip_transport_open() and sip_identity_context(); `why` may be NULL. */
int sbc_transport_open(struct sbc *sbc, struct text *why);
const char *sbc_transport_conflict(const struct sbc_settings *s, struct text *why); /* as node_kind.conflict */
/* "<sip:USER@203.0.113.10:5061;transport=tls;lr": a Route that leads to this socket, for the caller to finish. `user`
 * may be NULL. */
void sbc_put_route(const struct sbc *sbc, struct text *t, unsigned socket, const char *user);

/* ---- sbc_call.c: everything but REGISTER ---- */
enum sbc_addressee { SBC_SOMEBODY_ELSE, SBC_DOMAIN_OR_PBX, SBC_ITSELF };
enum sbc_addressee sbc_addressee(const struct sbc *sbc, struct span uri);

extern const struct sip_proxy_hooks sbc_call_hooks;
void sbc_call_request(struct sbc *sbc, struct sip_txn *txn, const struct sip_incoming *in,
                      const struct sip_routing *routing);
void sbc_call_ack(struct sbc *sbc, const struct sip_incoming *in);

/* ---- sbc_register.c ---- */
struct sbc_registers;
int sbc_registers_new(struct sbc_registers **out);  /* FE_EMEM */
void sbc_registers_free(struct sbc_registers *set); /* before the transactions; NULL is fine */
void sbc_register_request(struct sbc *sbc, struct sip_txn *txn, const struct sip_incoming *in,
                          const struct sip_routing *routing);

/* ---- sbc_ping.c: OPTIONS to the phones, so that their NATs see traffic ---- */
struct sbc_pings;
int sbc_pings_new(struct sbc_pings **out, struct sbc *sbc);                 /* FE_EMEM */
void sbc_pings_free(struct sbc_pings *set);                                 /* NULL is fine */
void sbc_ping_flow(struct sbc_pings *set, struct sip_flow flow, bool good); /* begins and ends */
/* An OPTIONS of the SBC to whoever is there. */
void sbc_write_options(const struct sbc *sbc, struct prng *rng, const struct sip_flow *to_flow, const char *call_id,
                       uint32_t cseq, struct text *t);

/* ---- sbc_monitor.c: which PBXs are there ---- */
struct sbc_monitor;
int sbc_monitor_new(struct sbc *sbc);         /* FE_EMEM; after the transactions */
void sbc_monitor_free(struct sbc_monitor *m); /* before them; NULL is fine */
void sbc_monitor_follow(struct sbc *sbc);     /* there are other servers now */
/* A request to the server got no answer (NULL), or this 503; or it got another answer. */
void sbc_server_failed(struct sbc *sbc, struct endpoint server, const struct sip_msg *response);
void sbc_server_answered(struct sbc *sbc, struct endpoint server);

#endif
