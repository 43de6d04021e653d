/* SIP transactions (RFC 3261 §17 as corrected by RFC 6026): the layer between transport and user agents or proxies.
 *
 * One file a machine: sip_ict.c (INVITE client), sip_nict.c (other client), sip_ist.c (INVITE server), sip_nist.c
 * (other server). sip_txn.c finds the transaction that a message belongs to (§17.1.3, §17.2.3). The machines send,
 * retransmit, acknowledge refusals and absorb repetitions; their owners see each event once, except 2xx responses to
 * INVITE, of which every one is passed up, as the RFCs say.
 *
 * Life of a transaction. A client transaction begins with sip_txn_request(), a server transaction with the `request`
 * event. It lives until its `ended` event, after which the pointer is dead; an owner that loses interest earlier calls
 * sip_txn_release() and hears no more. Events come from the host's loop, or for server transactions from the very call
 * that made them end (sip_txn_respond never ends one at once). Nothing is freed while its own event runs.
 *
 * On streams nothing is repeated and nobody waits for repetitions: timers A, E and G do not run, D, I, J and K are
 * zero. When a connection fails, the client transactions on it that have no final response fail at once, with 503. */
#ifndef FAREND_SIP_TXN_H
#define FAREND_SIP_TXN_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/host.h"
#include "nodes/proto/sip_msg.h"
#include "nodes/sip/sip_transport.h"

#include <stdbool.h>

struct sip_txns; /* all transactions of a node */
struct sip_txn;

/* Zero: the RFC's default. */
struct sip_timing {
    lab_time t1; /* 500 ms: round-trip time estimate; timers A, E, G start with it */
    lab_time t2; /* 4 s: cap of E and G */
    lab_time t4; /* 5 s: timers I and K */
    lab_time b;  /* 64·T1: INVITE client transaction without any response */
    lab_time f;  /* 64·T1: other client transaction without a final response */
    lab_time d;  /* 32 s: how long repeated refusals of an INVITE are acknowledged */
    /* B and F of a request that waits for its connection begin when that is up: the owner tells, sip_txns_up(). Whether
     * it comes up at all is a matter of the transport's connect_timeout then. */
    bool from_up;
};

/* Events of the node: messages that begin something. */
struct sip_txns_events {
    /* A new request, not an ACK; a retransmission never gets here. The owner answers now or later with sip_txn_reply()
     * or sip_txn_respond(), and takes the transaction with sip_txn_own() if it wants to hear of it.
     * A CANCEL never gets here: the layer answers it, 200 or 481 (§9.2), and the INVITE's owner hears `cancelled`. */
    void (*request)(void *arg, struct sip_txn *txn, const struct sip_incoming *in);
    /* An ACK of a 2xx: it belongs to no transaction, but to a dialog. */
    void (*ack)(void *arg, const struct sip_incoming *in);
};

/* Events of a client transaction. Each may be NULL. */
struct sip_client_events {
    /* Provisional responses, one final one; to an INVITE also every further 2xx while the transaction lives (forks,
     * retransmissions: RFC 6026 §7.1). */
    void (*response)(void *arg, struct sip_txn *txn, const struct sip_incoming *in);
    /* No final response will come: to be treated as this status (§8.1.3.1): 408 after timer B or F, or when a cancelled
     * INVITE stays without a final response (§9.1); 503 after a transport error. */
    void (*failed)(void *arg, struct sip_txn *txn, unsigned status);
    void (*ended)(void *arg, struct sip_txn *txn);
};

/* Events of a server transaction. Each may be NULL. */
struct sip_server_events {
    /* A CANCEL for this INVITE came while no final response was sent; it has its 200 already. */
    void (*cancelled)(void *arg, struct sip_txn *txn);
    /* Timer H: a refusal was never acknowledged. */
    void (*unacknowledged)(void *arg, struct sip_txn *txn);
    void (*ended)(void *arg, struct sip_txn *txn);
};

/* Attaches itself to the transport, which outlives it. `events` is kept. FE_EMEM. */
int sip_txns_new(struct sip_txns **out, struct sip_transport_layer *t, const struct sip_timing *timing,
                 const struct sip_txns_events *events, void *arg);
void sip_txns_free(struct sip_txns *set); /* drops every transaction silently, without events; NULL is fine */

/* While deaf: what arrives is read and forgotten, as by a program that hangs; transactions under way time out. */
void sip_txns_set_deaf(struct sip_txns *set, bool deaf);

/* With from_up: this connection is up now. */
void sip_txns_up(struct sip_txns *set, const struct sip_flow *flow);

struct sip_transport_layer *sip_txns_transport(const struct sip_txns *set);
struct host *sip_txns_host(const struct sip_txns *set);
const struct sip_timing *sip_txns_timing(const struct sip_txns *set); /* with the defaults filled in */
size_t sip_txns_live(const struct sip_txns *set);                     /* transactions that have not ended */

/* ---- client ---- */

/* Sends `request`, a whole request without this node's Via; the branch is drawn from the node's stream. `salt` (may be
 * empty) becomes the end of the branch: a proxy's loop detection. On success the transaction is alive and no event has
 * been delivered. A send that the machine refuses is reported as `failed` 503 from the loop. ACK and CANCEL are not
 * sent this way. The flow is chosen by the request's size (sip_transport_choose): sip_txn_flow() tells. A request that
 * went over TCP for its size alone is sent by UDP after all when the connection is refused (§18.1.1).
 * FE_EMEM; FE_ESYNTAX: not a request; FE_ERANGE: too large. */
int sip_txn_request(struct sip_txns *set, const struct sip_flow *to, struct span request, struct span salt,
                    const struct sip_client_events *events, void *arg, struct sip_txn **out);

/* Cancels an INVITE (§9.1): at once when a provisional response has come, else as soon as one comes; never when a final
 * response has come. Then the INVITE ends with its final response, usually 487, or `failed` 408 after 64·T1.
 * `reason` (may be empty) is the value of a Reason header (RFC 3326). Repeated calls do nothing. */
void sip_txn_cancel(struct sip_txn *txn, struct span reason);

/* A fresh branch, at most SIP_BRANCH_MAX - 1 bytes: for an ACK of a 2xx, which has no transaction. */
enum { SIP_BRANCH_MAX = 96 };
void sip_txns_draw_branch(struct sip_txns *set, struct span salt, struct text *branch);

/* ---- server ---- */

/* The owner of a server transaction. `events` is kept. */
void sip_txn_own(struct sip_txn *txn, const struct sip_server_events *events, void *arg);

/* Sends a response: whole bytes, their Vias as the request had them. Ignored (FE_EREFUSED) when a final response was
 * sent before, except a 2xx to an INVITE after a 2xx (§13.3.1.4, RFC 6026 §7.1). FE_ESYNTAX: not a response. */
int sip_txn_respond(struct sip_txn *txn, struct span response);

/* Builds a response from the request (§8.2.6) and sends it. */
struct sip_reply {
    unsigned status;
    const char *reason;       /* NULL: the usual phrase */
    struct span headers;      /* further header lines, each with its CR LF; may be empty */
    struct span content_type; /* of the body */
    struct span body;         /* may be empty */
};
int sip_txn_reply(struct sip_txn *txn, const struct sip_reply *reply);
int sip_txn_reply_status(struct sip_txn *txn, unsigned status);
int sip_txn_write_reply(struct sip_txn *txn, const struct sip_reply *reply,
                        struct text *out); /* only writes; FE_ERANGE */

/* The tag that this transaction's own responses put into To, when the request had none: drawn once, then constant. */
struct span sip_txn_tag(struct sip_txn *txn);

/* A copy of the request by another way (§8.2.2.2): no To tag, and From tag, Call-ID and CSeq equal those of another
 * living server transaction. User agents answer it with 482; proxies do not look. */
bool sip_txn_is_merged(const struct sip_txn *txn);

/* ---- both ---- */

/* The request; client: as sent, with its Via. The view lives as long as the transaction. */
void sip_txn_msg(const struct sip_txn *txn, struct sip_msg *out);
struct sip_flow sip_txn_flow(const struct sip_txn *txn); /* client: where it was sent; server: where it came from */
struct sip_flow sip_txn_reply_flow(const struct sip_txn *txn); /* server: where responses go */
struct sip_txns *sip_txn_set(const struct sip_txn *txn);
struct span sip_txn_branch(const struct sip_txn *txn);
bool sip_txn_is_invite(const struct sip_txn *txn);
unsigned sip_txn_status(const struct sip_txn *txn); /* the last response received or sent; 0: none yet */

/* The owner wants no more events; the transaction ends by itself (a client INVITE still acknowledges refusals). */
void sip_txn_release(struct sip_txn *txn);

/* Ends a server transaction, other than INVITE, without an answer and without events: what RFC 4320 §4.2 asks of an
 * element whose own request timed out, since a 408 would come too late for everybody. */
void sip_txn_abandon(struct sip_txn *txn);

#endif
