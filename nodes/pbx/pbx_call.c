/* Everything but REGISTER: calls between lines, and what else their phones say to each other, passes as through a proxy
 * (RFC 3261 §16) that stays in the path (Record-Route), so that it sees the BYE and can write the call record. */
#include "nodes/base/error.h"
#include "nodes/pbx/pbx_node.h"
#include "nodes/proto/sip_build.h"
#include "nodes/sip/sip_route.h"

enum { ROUTES_MAX = 160 }; /* bytes of one or two Record-Route values */

static bool in_dialog(const struct sip_incoming *in)
{
    return !span_empty(in->core->to.tag);
}

/* ---- the line's phones as targets ---- */

/* RFC 5626 §7: bindings of one instance are flows of one phone. Its number: from 1, of the first of them; 0: it did not
 * register by flows. */
static unsigned phone_of(const struct pbx_line *line, const struct pbx_binding *b)
{
    unsigned number = 1;
    if (!b->contact.reg_id)
        return 0;
    const struct pbx_binding *first = pbx_line_bindings(line);
    for (; !span_equal_nocase(first->contact.instance, b->contact.instance); first = first->next)
        number++;
    return number;
}

static struct sip_flow unknown_flow(const struct pbx *pbx)
{
    return sip_transport_flow(pbx->transport, 0, (struct endpoint){0, 0});
}

static struct sip_flow flow_of(const struct pbx *pbx, const struct pbx_contact *contact)
{
    return contact->flow.remote.port ? contact->flow : unknown_flow(pbx);
}

/* Where a call to the contact leaves. */
static unsigned socket_to(const struct pbx *pbx, const struct pbx_contact *contact)
{
    struct sip_flow flow = contact->flow;
    struct span rest = contact->path;
    struct span first;
    struct span hop = sip_route_next(&rest, &first) ? sip_route_uri(first) : contact->uri;
    if (flow.remote.port || sip_transport_route(pbx->transport, 0, hop, &flow))
        return flow.socket;
    return 0;
}

/* Where caller and called do not speak the same transport, each gets a Route of its own: the outgoing side's first. */
static struct span record_route(const struct pbx *pbx, unsigned in, unsigned out, struct text *t)
{
    pbx_put_address(pbx, t, out);
    text_str(t, ";lr>");
    if (in != out) {
        text_str(t, ", ");
        pbx_put_address(pbx, t, in);
        text_str(t, ";lr>");
    }
    return text_span(t);
}

/* All contacts of the line: the proxy core asks those of one q at once, the lower ones later (§16.6). */
static unsigned targets_of(const struct pbx *pbx, const struct pbx_line *line, unsigned in,
                           char routes[SIP_TARGETS_MAX][ROUTES_MAX], struct sip_target *targets)
{
    unsigned n = 0;
    for (const struct pbx_binding *b = pbx_line_bindings(line); b && n < SIP_TARGETS_MAX; b = b->next, n++) {
        struct text t = text_on(routes[n], ROUTES_MAX);
        targets[n] = (struct sip_target){
            .uri = b->contact.uri,
            .route = b->contact.path,
            .record_route = record_route(pbx, in, socket_to(pbx, &b->contact), &t),
            .flow = flow_of(pbx, &b->contact),
            .q = b->contact.q,
            .phone = phone_of(line, b),
        };
    }
    return n;
}

/* ---- new requests ---- */

static void answer(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in, unsigned status)
{
    sip_txn_reply_status(txn, status);
    if (in->msg->method == SIP_INVITE)
        pbx_cdr_status(pbx->cdrs, in->core->call_id, status);
}

static void start_record(struct pbx *pbx, const struct sip_incoming *in, const struct sip_routing *routing)
{
    struct sip_uri caller;
    struct sip_uri called;
    if (in->msg->method != SIP_INVITE || sip_uri_parse(in->core->from.uri, &caller) ||
        sip_uri_parse(routing->uri, &called))
        return;
    /* Without memory for it the call goes on, unrecorded. */
    pbx_cdr_start(pbx->cdrs, in->core->call_id, caller.user, called.user);
}

/* PB-1: may this line send that? Unconfigured ones may not. */
static enum pbx_passport admit(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in,
                               const struct sip_routing *routing)
{
    if (!pbx->settings->challenge_calls || in->msg->method == SIP_OPTIONS)
        return PBX_PASSED;
    struct pbx_line *line = pbx_line_of_text(pbx, in->core->from.uri);
    if (line)
        return pbx_authenticate(pbx, txn, in, line);
    start_record(pbx, in, routing);
    answer(pbx, txn, in, 403);
    return PBX_ANSWERED;
}

static void to_line(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in,
                    const struct sip_routing *routing)
{
    char routes[SIP_TARGETS_MAX][ROUTES_MAX];
    struct sip_target targets[SIP_TARGETS_MAX];
    struct pbx_line *line = pbx_line_of_text(pbx, routing->uri);
    if (admit(pbx, txn, in, routing) == PBX_ANSWERED)
        return;
    start_record(pbx, in, routing);
    if (!line) {
        answer(pbx, txn, in, 404);
        return;
    }
    unsigned n = targets_of(pbx, line, in->flow.socket, routes, targets);
    if (n == 0)
        answer(pbx, txn, in, 480);
    else
        sip_proxy_forward(pbx->proxy, txn, targets, n, pbx);
}

/* ---- requests of a dialog ---- */

static struct sip_target along_the_route(const struct pbx *pbx)
{
    return (struct sip_target){.flow = unknown_flow(pbx)};
}

static void within_dialog(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in,
                          const struct sip_routing *routing)
{
    struct sip_target target = along_the_route(pbx);
    if (routing->own == 0) { /* it did not come by our Record-Route: no dialog of ours */
        sip_txn_reply_status(txn, 481);
        return;
    }
    if (in->msg->method == SIP_BYE)
        pbx_cdr_bye(pbx->cdrs, in->core->call_id);
    sip_proxy_forward(pbx->proxy, txn, &target, 1, pbx);
}

/* OPTIONS to the PBX itself (§11.2). */
static bool is_for_us(const struct pbx *pbx, const struct sip_msg *msg, const struct sip_routing *routing)
{
    struct sip_uri uri;
    return msg->method == SIP_OPTIONS && sip_uri_parse(routing->uri, &uri) == 0 && span_empty(uri.user) &&
           pbx_is_ours(pbx, &uri);
}

static void answer_options(const struct pbx *pbx, struct sip_txn *txn)
{
    char buf[128];
    struct text headers = text_on(buf, sizeof buf);
    sip_put(&headers, SIP_H_ALLOW, SPAN("INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, SUBSCRIBE"));
    sip_put(&headers, SIP_H_SUPPORTED, pbx_extensions(pbx));
    sip_txn_reply(txn, &(struct sip_reply){.status = 200, .headers = text_span(&headers)});
}

void pbx_call_request(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct sip_routing routing;
    if (!sip_proxy_accept(pbx->proxy, txn, in, &routing))
        return;
    if (is_for_us(pbx, in->msg, &routing))
        answer_options(pbx, txn);
    else if (in_dialog(in))
        within_dialog(pbx, txn, in, &routing);
    else
        to_line(pbx, txn, in, &routing);
}

void pbx_call_ack(struct pbx *pbx, const struct sip_incoming *in)
{
    struct sip_routing routing;
    struct sip_target target = along_the_route(pbx);
    if (!sip_proxy_accept_ack(pbx->proxy, in, &routing))
        return;
    if (routing.own == 0 || sip_proxy_forward_ack(pbx->proxy, in, &routing, &target, NULL))
        host_drop(pbx->host, "not-ours", in->msg->start_line);
}

/* ---- what the proxy core reports ---- */

static void answered(void *arg, struct sip_context *c, unsigned status)
{
    struct pbx *pbx = arg;
    struct sip_msg request;
    struct sip_txn *server = sip_context_server(c);
    if (status >= 200)
        pbx_service_call_ended(pbx);
    if (!server || !sip_txn_is_invite(server))
        return;
    sip_txn_msg(server, &request);
    pbx_cdr_status(pbx->cdrs, sip_value(&request, SIP_H_CALL_ID), status);
}

/* RFC 4028 §8.3: nobody says BYE for phones that are gone. */
static void session_lasts(void *arg, struct sip_context *c, const struct sip_incoming *in, lab_time expires)
{
    struct pbx *pbx = arg;
    (void)c;
    pbx_cdr_session(pbx->cdrs, in->core->call_id, expires);
}

/* A BYE that nobody answered ends the call too. */
static void ended(void *arg, struct sip_context *c)
{
    (void)c;
    pbx_service_call_ended(arg);
}

/* A phone that keeps a flow to this PBX is reached by it in its dialogs too, whatever its Contact says. */
static bool next_hop(void *arg, struct span text, struct sip_flow *flow)
{
    struct pbx *pbx = arg;
    struct sip_uri uri;
    char name[PBX_NAME];
    struct text user = text_on(name, sizeof name);
    if (sip_uri_parse(text, &uri) || sip_unescape(&user, uri.user))
        return false;
    const struct pbx_line *line = pbx_location_line(pbx->location, text_span(&user));
    const struct pbx_binding *b = line ? pbx_line_reached(line, &uri) : NULL;
    if (b)
        *flow = b->contact.flow;
    return b != NULL;
}

const struct sip_proxy_hooks pbx_call_hooks = {
    .answered = answered, .session = session_lasts, .ended = ended, .next_hop = next_hop};
