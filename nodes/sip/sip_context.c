/* The response context of RFC 3261 §16.7: one request on its way to several targets, and the responses on their way
 * back.
 *
 * A branch waits for its group's turn, is pending while its client transaction has no final response, and is done then.
 * What comes back is looked at twice: at once (1xx and 2xx go to the caller as they come) and when no branch is pending
 * any more (the next group has its turn, or the best of the final responses is sent). The context goes when the
 * caller's transaction and those of all branches have ended, since 2xx responses may be repeated until then. */
#include "nodes/base/error.h"
#include "nodes/base/text.h"
#include "nodes/proto/sip_build.h"
#include "nodes/proto/sip_edit.h"
#include "nodes/sip/sip_proxy_private.h"

#include <stdlib.h>

void *sip_context_owner(const struct sip_context *c)
{
    return c->owner;
}

void sip_context_set_owner(struct sip_context *c, void *owner)
{
    c->owner = owner;
}

struct sip_txn *sip_context_server(const struct sip_context *c)
{
    return c->server;
}

unsigned sip_context_status(const struct sip_context *c)
{
    return c->status;
}

bool sip_context_cancelled(const struct sip_context *c)
{
    return c->cancelled;
}

struct sip_flow sip_context_flow(const struct sip_context *c, unsigned target)
{
    return c->branches[target].flow;
}

unsigned sip_branch_number(const struct sip_branch *b)
{
    return (unsigned)(b - b->context->branches);
}

static struct host *host_of(const struct sip_context *c)
{
    return sip_txns_host(c->proxy->txns);
}

/* ---- the end ---- */

static void free_context(struct sip_context *c)
{
    struct sip_proxy *p = c->proxy;
    if (c->previous)
        c->previous->next = c->next;
    else
        p->contexts = c->next;
    if (c->next)
        c->next->previous = c->previous;
    if (p->hooks->ended)
        p->hooks->ended(p->arg, c);
    for (unsigned i = 0; i < c->n; i++) {
        host_timer_stop(host_of(c), &c->branches[i].timer_c);
        free(c->branches[i].final);
    }
    free(c->names);
    free(c);
}

void sip_context_drop(struct sip_context *c)
{
    if (c->server)
        sip_txn_release(c->server);
    for (unsigned i = 0; i < c->n; i++)
        if (c->branches[i].txn)
            sip_txn_release(c->branches[i].txn);
    free_context(c);
}

static void free_when_over(struct sip_context *c)
{
    if (c->server)
        return;
    for (unsigned i = 0; i < c->n; i++)
        if (c->branches[i].txn)
            return;
    free_context(c);
}

/* ---- branches ---- */

static void finish(struct sip_branch *b, unsigned status, const struct sip_msg *response)
{
    const struct sip_proxy *p = b->context->proxy;
    b->state = SIP_BRANCH_DONE;
    b->status = status;
    host_timer_stop(host_of(b->context), &b->timer_c);
    if (p->hooks->tried)
        p->hooks->tried(p->arg, b->context, sip_branch_number(b), status, response);
}

static void keep_final(struct sip_branch *b, struct span bytes)
{
    b->final = malloc(bytes.n);
    if (!b->final)
        return; /* counts as a failure without a response */
    memcpy(b->final, bytes.p, bytes.n);
    b->final_size = bytes.n;
}

static void cancel_branches(struct sip_context *c, struct span reason)
{
    for (unsigned i = 0; i < c->n; i++) {
        struct sip_branch *b = &c->branches[i];
        if (b->state == SIP_BRANCH_PENDING && b->txn && c->invite)
            sip_txn_cancel(b->txn, reason);
    }
}

static void start_timer_c(struct sip_branch *b)
{
    struct host *h = host_of(b->context);
    host_timer_start(h, &b->timer_c, host_now(h) + b->context->proxy->config.timer_c);
}

/* §16.8: the phone rang for too long. Before any 1xx, timer B of the transaction is the one that counts. */
static void timer_c(void *arg)
{
    struct sip_branch *b = arg;
    struct host *h = host_of(b->context);
    struct record *r = host_trace(h, "timeout");
    record_str(r, "timer", "C");
    record_str(r, "msg", "INVITE");
    host_trace_end(h);
    if (b->txn)
        sip_txn_cancel(b->txn, (struct span){0});
}

static const struct sip_client_events branch_events;

static int send_copy(struct sip_branch *b, const struct sip_msg *msg, const struct sip_routing *r,
                     const struct sip_rewrite *rewrite)
{
    const struct sip_proxy *p = b->context->proxy;
    char buf[SIP_BYTES_MAX];
    char salt_buf[SIP_SALT_MAX];
    struct text out = text_on(buf, sizeof buf);
    int error = sip_forward_write(p, msg, r, &b->target, rewrite, &out);
    if (error)
        return error;
    b->flow = rewrite->flow;
    error = sip_txn_request(p->txns, &b->flow, text_span(&out), sip_forward_salt(msg, salt_buf), &branch_events, b,
                            &b->txn);
    if (!error)
        b->flow = sip_txn_flow(b->txn); /* its size and its connections have a say */
    return error;
}

/* Sends one branch, or finishes it with the status that says why not. */
static void start_branch(struct sip_branch *b)
{
    struct sip_context *c = b->context;
    const struct sip_proxy *p = c->proxy;
    struct sip_msg msg;
    struct sip_routing r;
    unsigned status = 0;
    sip_txn_msg(c->server, &msg);
    struct sip_rewrite rewrite = {.body = msg.body};
    sip_forward_route(p, &msg, &r);
    if (!sip_forward_next_hop(p, &r, &b->target, &rewrite.flow))
        status = 503;
    else if (p->hooks->request)
        status = p->hooks->request(p->arg, c, sip_branch_number(b), &msg, &rewrite);
    if (!status && send_copy(b, &msg, &r, &rewrite))
        status = 500;
    if (status) {
        finish(b, status, NULL);
        return;
    }
    b->state = SIP_BRANCH_PENDING;
    if (c->invite)
        start_timer_c(b);
}

static bool any_in(const struct sip_context *c, enum sip_branch_state state)
{
    for (unsigned i = 0; i < c->n; i++)
        if (c->branches[i].state == state)
            return true;
    return false;
}

/* ---- the flows of one phone: RFC 5626 §7 ---- */

static bool same_phone(const struct sip_branch *a, const struct sip_branch *b)
{
    return a->target.phone && a->target.phone == b->target.phone;
}

static void spare_other_flows(struct sip_branch *b)
{
    struct sip_context *c = b->context;
    for (unsigned i = 0; i < c->n; i++)
        if (&c->branches[i] != b && c->branches[i].state == SIP_BRANCH_WAITING && same_phone(&c->branches[i], b))
            c->branches[i].state = SIP_BRANCH_SPARE;
}

static struct sip_branch *spare_flow(const struct sip_branch *b)
{
    struct sip_context *c = b->context;
    for (unsigned i = 0; i < c->n; i++)
        if (c->branches[i].state == SIP_BRANCH_SPARE && same_phone(&c->branches[i], b))
            return &c->branches[i];
    return NULL;
}

static bool refused_globally(const struct sip_context *c);

/* What the phone did not say itself: that its flow is gone, or nothing. */
static bool flow_failed(const struct sip_branch *b)
{
    return b->state == SIP_BRANCH_DONE &&
           (b->status == 408 || b->status == 430 || (b->status == 503 && (!b->final || b->target.server)));
}

/* A branch that is done is replaced by the next flow of its phone, if that makes sense, until one is under way. */
static void try_other_flows(struct sip_branch *b)
{
    const struct sip_context *c = b->context;
    struct sip_branch *next;
    while (!c->answered && c->server && !c->cancelled && !refused_globally(c) && flow_failed(b) &&
           (next = spare_flow(b))) {
        b->state = SIP_BRANCH_REPLACED;
        b = next;
        start_branch(b);
    }
}

/* §16.6: the targets with the highest q among those that wait. */
static void start_group(struct sip_context *c)
{
    uint16_t q = 0;
    for (unsigned i = 0; i < c->n; i++)
        if (c->branches[i].state == SIP_BRANCH_WAITING && c->branches[i].target.q > q)
            q = c->branches[i].target.q;
    for (unsigned i = 0; i < c->n; i++) {
        struct sip_branch *b = &c->branches[i];
        if (b->state != SIP_BRANCH_WAITING || b->target.q != q)
            continue;
        spare_other_flows(b);
        start_branch(b);
        try_other_flows(b);
    }
}

/* A 6xx speaks for all places where the user could be. */
static bool refused_globally(const struct sip_context *c)
{
    for (unsigned i = 0; i < c->n; i++)
        if (c->branches[i].state == SIP_BRANCH_DONE && c->branches[i].status >= 600)
            return true;
    return false;
}

/* Nothing pending: the next group has its turn, until there is none. */
static void go_on(struct sip_context *c)
{
    while (!c->answered && c->server && !c->cancelled && !refused_globally(c) && !any_in(c, SIP_BRANCH_PENDING) &&
           any_in(c, SIP_BRANCH_WAITING))
        start_group(c);
    if (!c->answered && !any_in(c, SIP_BRANCH_PENDING))
        sip_context_answer_best(c);
}

/* ---- events of the client transactions ---- */

static void take_provisional(struct sip_branch *b, const struct sip_incoming *in)
{
    unsigned status = in->msg->status;
    if (status == 100 || b->state != SIP_BRANCH_PENDING)
        return;
    if (b->context->invite)
        start_timer_c(b); /* §16.7 item 2 */
    if (!b->context->answered)
        sip_context_pass_back(b, in, (struct span){0});
}

static void take_success(struct sip_branch *b, const struct sip_incoming *in)
{
    struct sip_context *c = b->context;
    finish(b, in->msg->status, in->msg);
    if (!c->answered || c->invite)
        sip_context_pass_back(b, in, (struct span){0});
    cancel_branches(c, (struct span){0}); /* §16.7 item 10 */
}

static void take_refusal(struct sip_branch *b, const struct sip_incoming *in)
{
    struct sip_context *c = b->context;
    finish(b, in->msg->status, in->msg);
    if (c->answered)
        return;
    keep_final(b, in->msg->bytes);
    if (b->status >= 600)
        cancel_branches(c, (struct span){0});
    try_other_flows(b);
    go_on(c);
}

static void response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct sip_branch *b = arg;
    (void)txn;
    if (in->msg->status < 200)
        take_provisional(b, in);
    else if (in->msg->status < 300)
        take_success(b, in);
    else
        take_refusal(b, in);
}

static void failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct sip_branch *b = arg;
    (void)txn;
    finish(b, status, NULL);
    try_other_flows(b);
    go_on(b->context);
}

static void branch_ended(void *arg, struct sip_txn *txn)
{
    struct sip_branch *b = arg;
    (void)txn;
    b->txn = NULL;
    free_when_over(b->context);
}

static const struct sip_client_events branch_events = {
    .response = response,
    .failed = failed,
    .ended = branch_ended,
};

/* ---- events of the caller's transaction ---- */

void sip_context_cancel(struct sip_context *c, struct span reason)
{
    if (c->answered || c->cancelled)
        return;
    c->cancelled = true;
    cancel_branches(c, reason);
}

static void cancelled(void *arg, struct sip_txn *txn)
{
    (void)txn;
    sip_context_cancel(arg, (struct span){0});
}

static void server_ended(void *arg, struct sip_txn *txn)
{
    struct sip_context *c = arg;
    (void)txn;
    c->server = NULL;
    free_when_over(c);
}

static const struct sip_server_events server_events = {
    .cancelled = cancelled,
    .ended = server_ended,
};

/* ---- the beginning ---- */

/* Moves the texts of the targets into memory of the context. */
static int hold_targets(struct sip_context *c)
{
    size_t size = 1;
    for (unsigned i = 0; i < c->n; i++) {
        const struct sip_target *t = &c->branches[i].target;
        size += t->uri.n + t->route.n + t->record_route.n + t->headers.n;
    }
    c->names = malloc(size);
    if (!c->names)
        return FE_EMEM;
    char *at = c->names;
    for (unsigned i = 0; i < c->n; i++) {
        struct sip_target *t = &c->branches[i].target;
        struct span *texts[] = {&t->uri, &t->route, &t->record_route, &t->headers};
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
            if (texts[k]->n)
                memcpy(at, texts[k]->p, texts[k]->n);
            texts[k]->p = at;
            at += texts[k]->n;
        }
    }
    return 0;
}

static struct sip_context *new_context(struct sip_proxy *p, struct sip_txn *txn, const struct sip_target *targets,
                                       unsigned n, void *owner)
{
    struct sip_context *c = calloc(1, sizeof *c + n * sizeof c->branches[0]);
    if (!c)
        return NULL;
    c->proxy = p;
    c->server = txn;
    c->owner = owner;
    c->invite = sip_txn_is_invite(txn);
    c->n = n;
    for (unsigned i = 0; i < n; i++) {
        struct sip_branch *b = &c->branches[i];
        b->context = c;
        b->target = targets[i];
        timer_init(&b->timer_c, timer_c, b);
    }
    if (hold_targets(c)) {
        free(c);
        return NULL;
    }
    c->next = p->contexts;
    if (c->next)
        c->next->previous = c;
    p->contexts = c;
    return c;
}

struct sip_context *sip_proxy_forward(struct sip_proxy *p, struct sip_txn *txn, const struct sip_target *targets,
                                      unsigned n, void *owner)
{
    if (n == 0) {
        sip_txn_reply_status(txn, 480);
        return NULL;
    }
    struct sip_context *c = new_context(p, txn, targets, n < SIP_TARGETS_MAX ? n : SIP_TARGETS_MAX, owner);
    if (!c) {
        sip_txn_reply_status(txn, 500);
        return NULL;
    }
    sip_txn_own(txn, &server_events, c);
    if (c->invite)
        sip_txn_reply_status(txn, 100);
    go_on(c);
    return c;
}
