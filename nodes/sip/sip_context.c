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

enum { CHALLENGES_MAX = 4096 };

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

static unsigned number_of(const struct sip_branch *b)
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

/* ---- to the caller ---- */

static void tell_answered(struct sip_context *c, unsigned status)
{
    c->status = status;
    if (status >= 200)
        c->answered = true;
    if (c->proxy->hooks->answered)
        c->proxy->hooks->answered(c->proxy->arg, c, status);
}

static void answer_locally(struct sip_context *c, unsigned status)
{
    if (c->server && sip_txn_reply_status(c->server, status) == 0)
        tell_answered(c, status);
}

/* §16.7 items 3, 8, 9: the top Via comes off; the owner has the last word. `more` are header lines to add. */
static void answer_with(struct sip_branch *b, const struct sip_incoming *in, struct span more)
{
    struct sip_context *c = b->context;
    const struct sip_proxy *p = c->proxy;
    char buf[SIP_BYTES_MAX];
    struct text out = text_on(buf, sizeof buf);
    struct sip_rewrite rewrite = {.body = in->msg->body};
    struct sip_edit edit;
    struct sip_session_edit session;
    struct sip_msg request;
    if (!c->server)
        return;
    sip_txn_msg(c->server, &request);
    if (p->hooks->response)
        p->hooks->response(p->arg, c, number_of(b), in, &rewrite);
    sip_edit_begin(&edit, in->msg);
    sip_edit_pop(&edit, SIP_H_VIA, 1);
    sip_edit_replace(&edit, span_make(in->msg->blank.p, 0), more);
    sip_edit_replace(&edit, span_make(in->msg->blank.p, 0), rewrite.headers);
    sip_session_proxy_response(&p->config.session, &request, in->msg, &session, &edit);
    if (rewrite.replace_body)
        sip_edit_body(&edit, (struct span){0}, rewrite.body);
    if (sip_edit_write(&edit, &out) == 0 && sip_txn_respond(c->server, text_span(&out)) == 0)
        tell_answered(c, in->msg->status);
}

/* ---- the best final response: §16.7 item 6 ---- */

/* Lower is better: a 6xx decides; else the lowest class, in it what helps the caller to try again, and last what nobody
 * said but the clock. */
static unsigned rank(const struct sip_branch *b)
{
    unsigned class = b->status / 100;
    unsigned within = 1;
    switch (b->status) {
    case 401:
    case 407:
    case 415:
    case 420:
    case 484: within = 0; break;
    case 487: within = b->context->cancelled ? 0 : 1; break; /* what the caller waits for */
    case 503: within = 2; break;                             /* becomes 500 */
    default: break;
    }
    if (!b->final)
        within = 3;
    return (class == 6 ? 0 : class) * 4 + within;
}

static struct sip_branch *best_of(struct sip_context *c)
{
    struct sip_branch *best = NULL;
    for (unsigned i = 0; i < c->n; i++) {
        struct sip_branch *b = &c->branches[i];
        if (b->state == SIP_BRANCH_DONE && (!best || rank(b) < rank(best)))
            best = b;
    }
    return best;
}

/* §16.7 item 7: the caller gets the challenges of all branches at once. */
static void gather_challenges(const struct sip_branch *best, struct text *out)
{
    const struct sip_context *c = best->context;
    struct sip_msg msg;
    if (best->status != 401 && best->status != 407)
        return;
    for (unsigned i = 0; i < c->n; i++) {
        const struct sip_branch *b = &c->branches[i];
        if (b == best || !b->final || (b->status != 401 && b->status != 407) ||
            sip_parse(span_make(b->final, b->final_size), &msg, NULL))
            continue;
        sip_put_copy(out, &msg, SIP_H_WWW_AUTHENTICATE);
        sip_put_copy(out, &msg, SIP_H_PROXY_AUTHENTICATE);
    }
}

/* RFC 4320 §4.2: nobody waits for a 408 to anything but an INVITE: it would come when the caller has given up too. */
static void answer_nothing(struct sip_context *c, unsigned status)
{
    if (c->invite || status != 408 || !c->server) {
        answer_locally(c, status);
        return;
    }
    c->answered = true;
    sip_txn_abandon(c->server);
    c->server = NULL;
}

static void answer_best(struct sip_context *c)
{
    char buf[CHALLENGES_MAX];
    struct text challenges = text_on(buf, sizeof buf);
    struct sip_msg msg;
    struct sip_core core;
    struct sip_branch *best = best_of(c);
    if (best && best->status == 503) { /* §16.7 item 6: it speaks of that branch, not of us */
        answer_locally(c, 500);
        return;
    }
    if (best && best->status == 430 && !best->target.server) { /* RFC 5626 §11.5: between proxies only */
        answer_locally(c, 480);
        return;
    }
    if (!best || !best->final || sip_parse(span_make(best->final, best->final_size), &msg, NULL) ||
        sip_core(&msg, &core, NULL)) {
        answer_nothing(c, best ? best->status : 480);
        return;
    }
    struct sip_incoming in = {.msg = &msg, .core = &core, .flow = best->flow};
    gather_challenges(best, &challenges);
    answer_with(best, &in, text_span(&challenges));
    if (!c->answered) /* edited beyond what a datagram holds */
        answer_locally(c, 500);
}

/* ---- branches ---- */

static void finish(struct sip_branch *b, unsigned status, const struct sip_msg *response)
{
    const struct sip_proxy *p = b->context->proxy;
    b->state = SIP_BRANCH_DONE;
    b->status = status;
    host_timer_stop(host_of(b->context), &b->timer_c);
    if (p->hooks->tried)
        p->hooks->tried(p->arg, b->context, number_of(b), status, response);
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
        status = p->hooks->request(p->arg, c, number_of(b), &msg, &rewrite);
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
        answer_best(c);
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
        answer_with(b, in, (struct span){0});
}

static void take_success(struct sip_branch *b, const struct sip_incoming *in)
{
    struct sip_context *c = b->context;
    finish(b, in->msg->status, in->msg);
    if (!c->answered || c->invite)
        answer_with(b, in, (struct span){0});
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
