/* The core of a stateful proxy (RFC 3261 §16): what a session border controller and a registrar's proxy have in common.
 * Where requests go is the owner's decision; how they get there is decided here.
 *
 * A request's way:
 *   1. the owner's `request` event (sip_txn.h) shows it. What the owner answers itself, it answers with
 * sip_txn_reply().
 *   2. sip_proxy_accept() validates it (§16.3) and takes this proxy's own Routes off (§16.4).
 *   3. the owner looks at the routing, chooses targets (§16.5) and calls sip_proxy_forward(), which answers 100 to an
 *      INVITE at once and forks: targets of the same q in parallel, groups of falling q one after the other.
 *   4. responses come back by §16.7: every 1xx but 100 and every 2xx at once, else the best final response; a 6xx or
 * the caller's CANCEL cancels what is pending; timer C cancels a branch that rings for too long. An ACK of a 2xx goes
 * through sip_proxy_accept_ack() and sip_proxy_forward_ack(), statelessly (§16.11).
 *
 * A response context is the state of one forwarded request. It lives from sip_proxy_forward() to its `ended` event, so
 * an owner may hang its own state (a call record, a media relay) on it. */
#ifndef FAREND_SIP_PROXY_H
#define FAREND_SIP_PROXY_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/proto/sip_msg.h"
#include "nodes/sip/sip_session_proxy.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>
#include <stdint.h>

struct sip_proxy;
struct sip_context;

enum { SIP_TARGETS_MAX = 16 }; /* targets of one request; more are ignored */

/* One place to send a request to. The spans are copied by sip_proxy_forward(). */
struct sip_target {
    struct span uri;          /* Request-URI to write; empty: as routed */
    struct span route;        /* Route values to put on top, comma separated ("<sip:t@10.0.1.2;lr>"): a registration's
                                 Path; may be empty */
    struct span record_route; /* Record-Route values to put on top, comma separated: with a different address on each
                                 side the outgoing side's comes first (double Record-Route); may be empty */
    struct span headers;      /* further header lines to put on top, each with its CR LF: Path, …; may be empty */
    struct sip_flow flow; /* remote.port 0: the next hop is found by §16.6 step 7 (first Route, else Request-URI) and
                             sent from socket flow.socket, unless the next_hop hook says otherwise */
    uint16_t q;           /* 0–1000 */
    /* Targets with the same number, not 0, are flows of one phone (RFC 5626 §7): only the first of them is sent to, and
     * the next one only in place of one that failed, with 408, 430 or without any response. Once the phone has answered
     * otherwise the rest are not tried. Or they are servers of one service (RFC 3263 §4.3), with `server`: then 503 is
     * a failure too. */
    unsigned phone;
    bool server;
};

/* What the owner may change in a message that is about to leave; filled with what would be sent. Memory that the hook
 * puts in must live until its next call. */
struct sip_rewrite {
    bool replace_body;
    struct span body;     /* with replace_body: the new body; Content-Length follows, Content-Type stays */
    struct span headers;  /* header lines to add on top, each with its CR LF */
    struct sip_flow flow; /* requests only: where it goes */
};

struct sip_proxy_hooks {
    /* Does this URI of a Route or Request-URI name this proxy? NULL: yes when it is an address of the transport. */
    bool (*own)(void *arg, struct span uri);
    /* The next hop for a URI, when the target named no flow: true and *flow is set (its socket is that of the target at
     * first). NULL or false: the URI's host is taken if it is an IPv4 address, else the branch fails as if with 503
     * (§16.9). */
    bool (*next_hop)(void *arg, struct span uri, struct sip_flow *flow);
    /* A request is about to be sent to target number `target`. `msg` is the request as received. Returns 0, or the
     * status with which the branch fails instead. May be NULL. */
    unsigned (*request)(void *arg, struct sip_context *c, unsigned target, const struct sip_msg *msg,
                        struct sip_rewrite *out);
    /* A response of target number `target` was chosen and is about to be sent to the caller. `in` is as received. May
     * be NULL. */
    void (*response)(void *arg, struct sip_context *c, unsigned target, const struct sip_incoming *in,
                     struct sip_rewrite *out);
    /* The branch of target number `target` has its final status: that of `response`, or without one (NULL) what counts
     * as such, 408 and 503 when no answer came. Every 2xx once per repetition. May be NULL. */
    void (*tried)(void *arg, struct sip_context *c, unsigned target, unsigned status, const struct sip_msg *response);
    /* This status went to the caller: 101–699, forwarded or the proxy's own; every 2xx once per repetition. May be
     * NULL. */
    void (*answered)(void *arg, struct sip_context *c, unsigned status);
    /* RFC 4028 §8.2: `in`, a 2xx to an INVITE or UPDATE, as received, went to the caller, so the session of its dialog
     * expires then unless it is refreshed; NEVER: it does not. Holds in place of what was told before. After
     * `answered`. May be NULL. */
    void (*session)(void *arg, struct sip_context *c, const struct sip_incoming *in, lab_time expires);
    /* The context is freed after this call: the transactions are done. May be NULL. */
    void (*ended)(void *arg, struct sip_context *c);
};

struct sip_proxy_config {
    lab_time timer_c;                 /* 0: 3 min 1 s; must be above 3 min by the RFC, not here */
    unsigned max_forwards;            /* 0: 70; put into requests that have none, and the most that is passed on */
    bool double_record_route;         /* this proxy writes two Record-Routes: two own Routes come off in a row */
    struct sip_session_proxy session; /* RFC 4028 */
    bool detect_loops;                /* 482 when the same request comes back unchanged (§16.3 item 4) */
};

/* FE_EMEM. `hooks` is kept; the transactions outlive the proxy. */
int sip_proxy_new(struct sip_proxy **out, struct sip_txns *txns, const struct sip_proxy_config *config,
                  const struct sip_proxy_hooks *hooks, void *arg);
/* Drops the contexts, each with its `ended` event; NULL is fine. Before sip_txns_free(). */
void sip_proxy_free(struct sip_proxy *p);

/* What §16.4 leaves of a request's route. Spans into the request. */
struct sip_routing {
    struct span uri;          /* the Request-URI to forward: repaired when a strict router sent it */
    bool strict;              /* it was: the last Route value became the Request-URI and comes off */
    unsigned own;             /* own Route values on top that come off: 0–2 */
    struct span own_route[2]; /* their URIs, the topmost first: a flow token is in their user part */
    struct span next;         /* URI of the first Route that stays; empty: none */
};

/* §16.3, §16.4. False: refused, and answered (416, 420, 422, 482, 483; a request at Max-Forwards 0 that is an OPTIONS
 * too).
 */
bool sip_proxy_accept(struct sip_proxy *p, struct sip_txn *txn, const struct sip_incoming *in, struct sip_routing *r);

/* Forwards an accepted request to the targets, n of them, at most SIP_TARGETS_MAX. The transaction is the proxy's from
 * now on. `owner` is sip_context_owner(). The new context, or NULL when the request has been answered already (480: n
 * is 0; 500: no memory). Hooks may be called from inside, but never `ended`. */
struct sip_context *sip_proxy_forward(struct sip_proxy *p, struct sip_txn *txn, const struct sip_target *targets,
                                      unsigned n, void *owner);

/* The same for an ACK that no transaction took: false when it is to be dropped (Max-Forwards). */
bool sip_proxy_accept_ack(struct sip_proxy *p, const struct sip_incoming *in, struct sip_routing *r);
/* `rewrite` may be NULL; its flow is not used. Errors as sip_transport_send; FE_EUNREACH: no next hop. */
int sip_proxy_forward_ack(struct sip_proxy *p, const struct sip_incoming *in, const struct sip_routing *r,
                          const struct sip_target *target, const struct sip_rewrite *rewrite);

/* ---- contexts ---- */
void *sip_context_owner(const struct sip_context *c);
void sip_context_set_owner(struct sip_context *c, void *owner);
struct sip_txn *
sip_context_server(const struct sip_context *c);          /* the caller's transaction: sip_txn_msg() is the request;
                                                             NULL when it has ended before the context */
unsigned sip_context_status(const struct sip_context *c); /* the last status that went to the caller; 0: only 100 */
bool sip_context_cancelled(const struct sip_context *c);  /* by the caller or by sip_context_cancel() */
struct sip_flow sip_context_flow(const struct sip_context *c, unsigned target); /* where that branch was sent */
/* Cancels what is pending, as if the caller had; `reason`: value of a Reason header for the CANCELs, or empty. */
void sip_context_cancel(struct sip_context *c, struct span reason);

#endif
