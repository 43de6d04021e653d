/* Client transactions: how they begin, and which one a response or a transport error is for (RFC 3261 §17.1.3, §18.4).
 */
#include "nodes/base/error.h"
#include "nodes/proto/sip_build.h"
#include "nodes/sip/sip_txn_private.h"

#include <assert.h>
#include <stdlib.h>

enum { BRANCH_DIGITS = 16 };

int sip_txn_begin(struct sip_txns *set, const struct sip_flow *to, struct span request, struct sip_txn **out)
{
    char buf[SIP_KEY_MAX];
    struct text key = text_on(buf, sizeof buf);
    struct sip_msg msg;
    struct sip_via via;
    struct sip_txn *txn;
    if (sip_parse(request, &msg, NULL) || !msg.request || sip_via_parse(sip_value(&msg, SIP_H_VIA), &via))
        return FE_ESYNTAX;
    sip_key_client(&key, via.branch, msg.method_text);
    int error = sip_txn_new(set, msg.method == SIP_INVITE ? SIP_ICT : SIP_NICT, &key, request, &txn);
    if (error)
        return error;
    txn->flow = *to;
    txn->branch = span_make(txn->request.p + (via.branch.p - request.p), via.branch.n);
    *out = txn;
    if (txn->machine == SIP_ICT)
        sip_ict_start(txn);
    else
        sip_nict_start(txn);
    return 0;
}

void sip_txns_draw_branch(struct sip_txns *set, struct span salt, struct text *branch)
{
    char digits[BRANCH_DIGITS + 1];
    prng_hex(&set->branches, digits, BRANCH_DIGITS);
    text_str(branch, SIP_MAGIC_COOKIE);
    text_str(branch, digits);
    text_put(branch, salt);
}

int sip_txn_request(struct sip_txns *set, const struct sip_flow *to, struct span request, struct span salt,
                    const struct sip_client_events *events, void *arg, struct sip_txn **out)
{
    char buf[SIP_BYTES_MAX];
    char branch_buf[SIP_BRANCH_MAX];
    struct text whole = text_on(buf, sizeof buf);
    struct text branch = text_on(branch_buf, sizeof branch_buf);
    struct sip_flow flow = *to;
    struct sip_txn *txn;
    sip_txns_draw_branch(set, salt, &branch);
    int error = text_ok(&branch) ? 0 : FE_ERANGE;
    if (!error)
        error = sip_transport_prepare(set->transport, &flow, request, text_span(&branch), &whole);
    if (!error)
        error = sip_txn_begin(set, &flow, text_span(&whole), &txn);
    if (error)
        return error;
    txn->switched = flow.transport != to->transport;
    txn->udp = *to;
    txn->client = events;
    txn->arg = arg;
    *out = txn;
    return 0;
}

void sip_txn_cancel(struct sip_txn *txn, struct span reason)
{
    assert(txn->machine == SIP_ICT);
    if (txn->cancel_wanted)
        return;
    txn->cancel_wanted = true;
    if (reason.n) {
        txn->cancel_reason = calloc(1, reason.n + 1);
        if (txn->cancel_reason)
            memcpy(txn->cancel_reason, reason.p, reason.n);
    }
    sip_ict_cancel(txn);
}

void sip_txns_take_response(void *arg, const struct sip_incoming *in)
{
    struct sip_txns *set = arg;
    char buf[SIP_KEY_MAX];
    struct text key = text_on(buf, sizeof buf);
    sip_key_client(&key, in->core->via.branch, in->core->cseq.method_text);
    struct sip_txn *txn = sip_txns_find(set, &key);
    if (set->deaf)
        return;
    if (!txn)
        sip_transport_discard(set->transport, in);
    else if (txn->machine == SIP_ICT)
        sip_ict_response(txn, in);
    else
        sip_nict_response(txn, in);
}

/* Is its response to come from there? An INVITE with a provisional response sends nothing more, so that only the end of
 * its connection concerns it. */
static bool waits_for(const struct sip_txn *txn, struct sip_flow flow)
{
    bool stream = sip_flow_is_reliable(flow);
    bool waits = (txn->machine == SIP_ICT && txn->state.ict <= (stream ? SIP_ICT_PROCEEDING : SIP_ICT_CALLING)) ||
                 (txn->machine == SIP_NICT && txn->state.nict <= SIP_NICT_PROCEEDING);
    return waits && (stream ? txn->flow.connection == flow.connection : sip_flow_equal(txn->flow, flow));
}

/* The oldest one; `held`: of those whose time has not begun. */
static struct sip_txn *find_waiting(const struct sip_txns *set, struct sip_flow flow, bool held)
{
    struct sip_txn *oldest = NULL;
    for (size_t i = 0; i < set->n_buckets; i++)
        for (struct sip_txn *txn = set->buckets[i]; txn; txn = txn->next)
            if (waits_for(txn, flow) && (txn->held || !held) && (!oldest || txn->number < oldest->number))
                oldest = txn;
    return oldest;
}

void sip_txns_up(struct sip_txns *set, const struct sip_flow *flow)
{
    for (struct sip_txn *txn; (txn = find_waiting(set, *flow, true)) != NULL;) {
        txn->held = false;
        sip_txn_start_limit(txn, txn->machine == SIP_ICT ? set->timing.b : set->timing.f);
    }
}

/* The request with the Via of its UDP socket and the same branch. */
static int write_for_udp(const struct sip_txn *txn, struct text *out)
{
    char buf[SIP_BYTES_MAX];
    struct text plain = text_on(buf, sizeof buf);
    struct sip_msg msg;
    sip_txn_msg(txn, &msg);
    struct span via = msg.headers[0].bytes; /* it was written in front of the others */
    const char *rest = via.p + via.n;
    text_put(&plain, span_make(msg.bytes.p, (size_t)(via.p - msg.bytes.p)));
    text_put(&plain, span_make(rest, (size_t)(msg.bytes.p + msg.bytes.n - rest)));
    return sip_transport_add_via(txn->set->transport, txn->udp.socket, text_span(&plain), txn->branch, out);
}

/* §18.1.1: over TCP for its size alone, and nobody listens there. False: it fails. */
static bool fall_back(struct sip_txn *txn, int error)
{
    char buf[SIP_BYTES_MAX];
    struct text whole = text_on(buf, sizeof buf);
    if (!txn->switched || (error != FE_EREFUSED && error != FE_EUNREACH) || write_for_udp(txn, &whole))
        return false;
    txn->rewritten = malloc(whole.n);
    if (!txn->rewritten)
        return false;
    memcpy(txn->rewritten, whole.p, whole.n);
    txn->request = span_make(txn->rewritten, whole.n);
    txn->flow = txn->udp;
    txn->switched = false;
    if (txn->machine == SIP_ICT)
        sip_ict_start(txn);
    else
        sip_nict_start(txn);
    return true;
}

/* §18.4. Each error ends its transaction or moves it to another flow, so that the search comes to an end. */
void sip_txns_take_failure(void *arg, struct sip_flow flow, int error)
{
    struct sip_txns *set = arg;
    for (struct sip_txn *txn; (txn = find_waiting(set, flow, false)) != NULL;)
        if (fall_back(txn, error))
            continue;
        else if (txn->machine == SIP_ICT)
            sip_ict_error(txn);
        else
            sip_nict_error(txn);
}
