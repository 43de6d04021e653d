/* Server transactions: which one a request is for (RFC 3261 §17.2.3), and what their owners answer. */
#include "nodes/base/error.h"
#include "nodes/proto/sip_build.h"
#include "nodes/sip/sip_txn_private.h"

#include <assert.h>

void sip_txn_own(struct sip_txn *txn, const struct sip_server_events *events, void *arg)
{
    txn->server = events;
    txn->arg = arg;
}

int sip_txn_respond(struct sip_txn *txn, struct span response)
{
    struct sip_msg msg;
    assert(txn->machine == SIP_IST || txn->machine == SIP_NIST);
    if (sip_parse(response, &msg, NULL) || msg.request)
        return FE_ESYNTAX;
    return txn->machine == SIP_IST ? sip_ist_respond(txn, msg.status, response)
                                   : sip_nist_respond(txn, msg.status, response);
}

int sip_txn_write_reply(struct sip_txn *txn, const struct sip_reply *reply, struct text *out)
{
    struct sip_msg request;
    struct span tag = reply->status > 100 ? sip_txn_tag(txn) : (struct span){0};
    sip_txn_msg(txn, &request);
    sip_put_response(out, &request, reply->status, span_of(reply->reason), tag, (struct endpoint){0});
    text_put(out, reply->headers);
    if (reply->body.n)
        sip_put_body(out, reply->content_type, reply->body);
    else
        sip_put_end(out);
    return text_ok(out) ? 0 : FE_ERANGE;
}

int sip_txn_reply(struct sip_txn *txn, const struct sip_reply *reply)
{
    char buf[SIP_BYTES_MAX];
    struct text out = text_on(buf, sizeof buf);
    int error = sip_txn_write_reply(txn, reply, &out);
    return error ? error : sip_txn_respond(txn, text_span(&out));
}

int sip_txn_reply_status(struct sip_txn *txn, unsigned status)
{
    return sip_txn_reply(txn, &(struct sip_reply){.status = status});
}

static bool is_copy(const struct sip_core *a, const struct sip_txn *txn)
{
    struct sip_msg msg;
    struct sip_core b;
    sip_txn_msg(txn, &msg);
    return sip_core(&msg, &b, NULL) == 0 && span_equal(a->call_id, b.call_id) && span_equal(a->from.tag, b.from.tag) &&
           a->cseq.number == b.cseq.number && span_equal(a->cseq.method_text, b.cseq.method_text);
}

bool sip_txn_is_merged(const struct sip_txn *txn)
{
    struct sip_msg msg;
    struct sip_core core;
    const struct sip_txns *set = txn->set;
    sip_txn_msg(txn, &msg);
    if (sip_core(&msg, &core, NULL) || core.to.tag.n)
        return false;
    for (size_t i = 0; i < set->n_buckets; i++)
        for (const struct sip_txn *other = set->buckets[i]; other; other = other->next)
            if (other != txn && other->machine == txn->machine && is_copy(&core, other))
                return true;
    return false;
}

static struct sip_txn *find_server(const struct sip_txns *set, const struct sip_incoming *in, struct span method)
{
    char buf[SIP_KEY_MAX];
    struct text key = text_on(buf, sizeof buf);
    sip_key_server(&key, in->msg, in->core, method);
    return sip_txns_find(set, &key);
}

static struct sip_txn *new_server(struct sip_txns *set, const struct sip_incoming *in)
{
    char buf[SIP_KEY_MAX];
    struct text key = text_on(buf, sizeof buf);
    enum sip_machine machine = in->msg->method == SIP_INVITE ? SIP_IST : SIP_NIST;
    struct sip_txn *txn;
    sip_key_server(&key, in->msg, in->core, in->msg->method_text);
    if (sip_txn_new(set, machine, &key, in->msg->bytes, &txn))
        return NULL;
    txn->flow = in->flow;
    txn->reply = in->reply;
    struct span branch = in->core->via.branch;
    if (branch.n)
        txn->branch = span_make(txn->request.p + (branch.p - in->msg->bytes.p), branch.n);
    if (machine == SIP_IST)
        sip_ist_start(txn);
    else
        sip_nist_start(txn);
    return txn;
}

/* §9.2. An element that does not know the INVITE answers 481; a proxy would have to forward the CANCEL blindly
 * (§16.10), with a branch that nobody could match, so it answers too. */
static void take_cancel(struct sip_txns *set, const struct sip_incoming *in)
{
    struct sip_txn *invite = find_server(set, in, sip_method_name(SIP_INVITE));
    struct sip_txn *cancel = new_server(set, in);
    if (!cancel)
        return;
    if (!invite) {
        sip_txn_reply_status(cancel, 481);
        return;
    }
    memcpy(cancel->tag, sip_txn_tag(invite).p, sizeof cancel->tag); /* the same tag in both To (§9.2) */
    sip_txn_reply_status(cancel, 200);
    if (invite->state.ist == SIP_IST_PROCEEDING && invite->server && invite->server->cancelled)
        invite->server->cancelled(invite->arg, invite);
}

static void take_ack(struct sip_txns *set, const struct sip_incoming *in)
{
    struct sip_txn *invite = find_server(set, in, sip_method_name(SIP_INVITE));
    if (!invite || !sip_ist_ack(invite))
        set->events->ack(set->arg, in);
}

void sip_txns_take_request(void *arg, const struct sip_incoming *in)
{
    struct sip_txns *set = arg;
    if (set->deaf)
        return;
    if (in->msg->method == SIP_ACK) {
        take_ack(set, in);
        return;
    }
    struct sip_txn *txn = find_server(set, in, in->msg->method_text);
    if (txn && txn->machine == SIP_IST)
        sip_ist_request(txn);
    else if (txn)
        sip_nist_request(txn);
    else if (in->msg->method == SIP_CANCEL)
        take_cancel(set, in);
    else if ((txn = new_server(set, in)) != NULL)
        set->events->request(set->arg, txn, in);
}
