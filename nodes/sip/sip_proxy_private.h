/* What sip_proxy.c, sip_forward.c, sip_context.c and sip_context_answer.c share, and nobody else sees. */
#ifndef FAREND_SIP_PROXY_PRIVATE_H
#define FAREND_SIP_PROXY_PRIVATE_H

#include "nodes/sip/sip_proxy.h"

#include <stddef.h>

enum { SIP_SALT_DIGITS = 16, SIP_SALT_MAX = SIP_SALT_DIGITS + 2 };

struct sip_proxy {
    struct sip_txns *txns;
    struct sip_proxy_config config; /* with the defaults filled in */
    const struct sip_proxy_hooks *hooks;
    void *arg;
    struct sip_context *contexts; /* all that live */
};

enum sip_branch_state {
    SIP_BRANCH_WAITING,  /* its group has not had its turn */
    SIP_BRANCH_SPARE,    /* another flow of its phone has been tried; its turn is when that one fails (RFC 5626 §7) */
    SIP_BRANCH_PENDING,  /* sent; no final response yet */
    SIP_BRANCH_DONE,     /* `status` is final; its transaction may live on */
    SIP_BRANCH_REPLACED, /* its flow failed and another one of its phone was tried: `status` no longer counts */
};

/* One target of a context (the client half of §16.6 and §16.7). */
struct sip_branch {
    struct sip_context *context;
    enum sip_branch_state state;
    struct sip_target target; /* its spans are in the context's heap block */
    struct sip_flow flow;     /* where it was sent */
    struct sip_txn *txn;      /* NULL before and after its life */
    struct timer timer_c;
    unsigned status; /* DONE: the final response's, or what counts as such */
    char *final;     /* its bytes when it may have to be forwarded later; NULL: none came, or it was forwarded */
    size_t final_size;
};

struct sip_context {
    struct sip_proxy *proxy;
    struct sip_context *next, *previous;
    struct sip_txn *server; /* NULL: it has ended */
    void *owner;
    bool invite;
    bool answered;  /* a final response went to the caller */
    bool cancelled; /* by the caller or the owner */
    unsigned status;
    unsigned n;
    char *names; /* the targets' texts */
    struct sip_branch branches[];
};

/* ---- sip_forward.c ---- */

/* §16.4: fills r; spans into the message. */
void sip_forward_route(const struct sip_proxy *p, const struct sip_msg *msg, struct sip_routing *r);

/* The next hop of §16.6 items 6 and 7: the target's flow, else the first Route's, else the Request-URI's. False: nobody
 * knows an address. */
bool sip_forward_next_hop(const struct sip_proxy *p, const struct sip_routing *r, const struct sip_target *target,
                          struct sip_flow *flow);

/* Writes the copy of §16.6, without the Via, which the transaction or transport adds. `rewrite` may be NULL. FE_ERANGE.
 */
int sip_forward_write(const struct sip_proxy *p, const struct sip_msg *msg, const struct sip_routing *r,
                      const struct sip_target *target, const struct sip_rewrite *rewrite, struct text *out);

/* The end of our branches: a function of what makes a request the same request (RFC 5393 §4.2). */
struct span sip_forward_salt(const struct sip_msg *msg, char dst[SIP_SALT_MAX]);

/* ---- sip_context.c ---- */
void sip_context_drop(struct sip_context *c); /* releases its transactions, tells `ended`, frees */
unsigned sip_branch_number(const struct sip_branch *b);

/* ---- sip_context_answer.c ---- */

/* A branch's response goes to the caller: the top Via comes off, the owner has the last word (§16.7 items 3, 8, 9).
 * `more` are header lines to add. */
void sip_context_pass_back(struct sip_branch *b, const struct sip_incoming *in, struct span more);

/* No branch is pending any more, and nothing final went to the caller (§16.7 item 6). */
void sip_context_answer_best(struct sip_context *c);

#endif
