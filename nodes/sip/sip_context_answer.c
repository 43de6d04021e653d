/* What a response context answers its caller: the responses of its branches as they come, and the best of the final
 * ones (RFC 3261 §16.7). */
#include "nodes/base/text.h"
#include "nodes/proto/sip_build.h"
#include "nodes/proto/sip_edit.h"
#include "nodes/sip/sip_proxy_private.h"

enum { CHALLENGES_MAX = 4096 };

/* ---- to the caller ---- */

static void tell_answered(struct sip_context *c, unsigned status)
{
    c->status = status;
    if (status >= 200)
        c->answered = true;
    if (c->proxy->hooks->answered)
        c->proxy->hooks->answered(c->proxy->arg, c, status);
}

static void tell_session(struct sip_context *c, const struct sip_incoming *in, lab_time lasts)
{
    const struct sip_proxy *p = c->proxy;
    if (lasts && p->hooks->session)
        p->hooks->session(p->arg, c, in, lasts == NEVER ? NEVER : host_now(sip_txns_host(p->txns)) + lasts);
}

static void answer_locally(struct sip_context *c, unsigned status)
{
    if (c->server && sip_txn_reply_status(c->server, status) == 0)
        tell_answered(c, status);
}

void sip_context_pass_back(struct sip_branch *b, const struct sip_incoming *in, struct span more)
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
        p->hooks->response(p->arg, c, sip_branch_number(b), in, &rewrite);
    sip_edit_begin(&edit, in->msg);
    sip_edit_pop(&edit, SIP_H_VIA, 1);
    sip_edit_replace(&edit, span_make(in->msg->blank.p, 0), more);
    sip_edit_replace(&edit, span_make(in->msg->blank.p, 0), rewrite.headers);
    lab_time lasts = sip_session_proxy_response(&p->config.session, &request, in->msg, &session, &edit);
    if (rewrite.replace_body)
        sip_edit_body(&edit, (struct span){0}, rewrite.body);
    if (sip_edit_write(&edit, &out) || sip_txn_respond(c->server, text_span(&out)))
        return;
    tell_answered(c, in->msg->status);
    tell_session(c, in, lasts);
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

void sip_context_answer_best(struct sip_context *c)
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
    sip_context_pass_back(best, &in, text_span(&challenges));
    if (!c->answered) /* edited beyond what a datagram holds */
        answer_locally(c, 500);
}
