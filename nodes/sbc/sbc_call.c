/* Requests of calls, and everything else but REGISTER: routing by flows, double Record-Route, and the descriptions that
 * pass (RFC 3264), which are made to name the media relay.
 *
 * What the SBC must remember of a dialog travels in its own two Record-Route URIs and comes back in the Route of every
 * later request; there is no table of dialogs:
 *
 *     outside   <sip:TOKEN@203.0.113.10:5060;lr;call=7>     the phone's flow, and the number of the media session
 *     inside    <sip:10.0.1.2:5060;lr;call=7>
 */
#include "nodes/base/error.h"
#include "nodes/proto/sip_uri.h"
#include "nodes/sbc/sbc_node.h"

#include <stdlib.h>

/* What hangs on a response context. */
struct pass {
    uint64_t call; /* number of the media session; 0: none */
    bool opens;    /* the INVITE that begins the call: its failure ends the session */
    bool ends;     /* a BYE */
    struct sbc_sdp_source from;
};

/* What the request's own Routes say. */
struct ticket {
    enum sbc_token_state token;
    struct sip_flow flow; /* SBC_TOKEN_GOOD */
    uint64_t call;        /* 0: none */
};

/* ---- reading ---- */

/* A key that outlives a restart may meet other rows of ports. */
static bool is_outside(const struct sbc *sbc, struct sip_flow flow)
{
    return flow.socket < sbc->ports_n && sip_transport_of(sbc->transport, flow.socket) == flow.transport;
}

static void read_own_route(const struct sbc *sbc, struct span text, struct ticket *ticket)
{
    struct sip_uri uri;
    struct span call;
    if (sip_uri_parse(text, &uri))
        return;
    if (!span_empty(uri.user))
        ticket->token = sbc_token_read(&sbc->key, uri.user, &ticket->flow) == 0 && is_outside(sbc, ticket->flow)
                            ? SBC_TOKEN_GOOD
                            : SBC_TOKEN_BAD;
    if (sip_uri_param(&uri, "call", &call) && call.p)
        span_u64(call, UINT64_MAX, &ticket->call);
}

/* PH-4: a call had a connection of its own, and that is closed: its phone is still where it has registered. */
static void find_another_flow(const struct sbc *sbc, const struct sip_incoming *in, struct span contact,
                              struct ticket *ticket)
{
    bool to_phone = sbc_side_of(sbc, in->flow) == SBC_INSIDE && ticket->token == SBC_TOKEN_GOOD;
    if (to_phone && !span_empty(in->core->to.tag) && !sip_transport_is_alive(sbc->transport, &ticket->flow))
        sbc_location_flow_of(sbc->location, in->core->to.uri, contact, ticket->flow.remote.addr, &ticket->flow);
}

/* The number of a session counts only in its own call. */
static struct ticket read_ticket(const struct sbc *sbc, const struct sip_incoming *in,
                                 const struct sip_routing *routing)
{
    struct ticket ticket = {0};
    for (unsigned i = 0; i < routing->own; i++)
        read_own_route(sbc, routing->own_route[i], &ticket);
    if (!sbc_session_find(sbc->sessions, ticket.call, in->core->call_id))
        ticket.call = 0;
    find_another_flow(sbc, in, routing->uri, &ticket);
    return ticket;
}

enum sbc_addressee sbc_addressee(const struct sbc *sbc, struct span text)
{
    struct sip_uri uri;
    struct endpoint at;
    if (sip_uri_parse(text, &uri))
        return SBC_SOMEBODY_ELSE;
    if (span_equal_nocase(uri.host, span_of(sbc->settings.domain)) || sbc_locate_is_name(sbc, uri.host))
        return SBC_DOMAIN_OR_PBX;
    if (sip_uri_endpoint(&uri, &at))
        return SBC_SOMEBODY_ELSE;
    if (sip_transport_is_own(sbc->transport, at))
        return SBC_ITSELF;
    return sbc_servers_have(&sbc->servers, at) ? SBC_DOMAIN_OR_PBX : SBC_SOMEBODY_ELSE;
}

static struct sbc_decision decide(const struct sbc *sbc, const struct sip_incoming *in,
                                  const struct sip_routing *routing, const struct ticket *ticket)
{
    enum sbc_side from = sbc_side_of(sbc, in->flow);
    return sbc_route(&(struct sbc_question){
        .from = from,
        .in_dialog = !span_empty(in->core->to.tag),
        .token = ticket->token,
        .flow_registered = sbc_location_has_flow(sbc->location, from == SBC_OUTSIDE ? in->flow : ticket->flow),
        .caller_registered =
            from == SBC_OUTSIDE && sbc_location_knows_caller(sbc->location, in->core->from.uri, in->flow),
        .flow_gone = ticket->token == SBC_TOKEN_GOOD && !sip_transport_is_alive(sbc->transport, &ticket->flow),
        .open = sbc->settings.unregistered_callers,
        .for_us = sbc_addressee(sbc, routing->uri) != SBC_SOMEBODY_ELSE,
        .preloaded = !span_empty(routing->next),
    });
}

/* ---- forwarding ---- */

static void put_route_uri(const struct sbc *sbc, struct text *t, unsigned socket, const char *token, uint64_t call)
{
    sbc_put_route(sbc, t, socket, token);
    if (call) {
        text_str(t, ";call=");
        text_u64(t, call);
    }
    text_char(t, '>');
}

/* The outgoing side's URI comes first: the next element's way back enters by it. */
static void put_record_route(const struct sbc *sbc, struct text *t, enum sbc_side to, struct sip_flow flow,
                             uint64_t call)
{
    char token[SBC_TOKEN_MAX + 1];
    sbc_token_make(&sbc->key, flow, token);
    put_route_uri(sbc, t, to == SBC_OUTSIDE ? flow.socket : sbc->inside, to == SBC_OUTSIDE ? token : NULL, call);
    text_str(t, ", ");
    put_route_uri(sbc, t, to == SBC_OUTSIDE ? sbc->inside : flow.socket, to == SBC_OUTSIDE ? NULL : token, call);
}

static bool begins_dialog(const struct sip_incoming *in)
{
    enum sip_method method = in->msg->method;
    return span_empty(in->core->to.tag) && (method == SIP_INVITE || method == SIP_SUBSCRIBE || method == SIP_REFER);
}

/* A phone that takes the SBC for its registrar calls sip:102@<the SBC>: for the PBX that is a line of the domain. */
static void put_pbx_uri(const struct sbc *sbc, const struct sip_routing *routing, struct text *t)
{
    struct sip_uri uri;
    if (sbc_addressee(sbc, routing->uri) != SBC_ITSELF || sip_uri_parse(routing->uri, &uri))
        return;
    text_str(t, "sip:");
    text_put(t, uri.user);
    text_char(t, '@');
    text_str(t, sbc->settings.domain);
}

static struct sip_flow flow_of(const struct sbc *sbc, const struct sbc_decision *decision, enum sbc_side from,
                               const struct ticket *ticket)
{
    switch (decision->way) {
    case SBC_TO_FLOW: return ticket->flow;
    case SBC_TO_PBX: /* each server in its turn */
    case SBC_ALONG_ROUTE:
    case SBC_REFUSED: break;
    }
    return sip_transport_flow(sbc->transport, from == SBC_OUTSIDE ? sbc->inside : ticket->flow.socket,
                              (struct endpoint){0, 0});
}

/* Where the phone that is called stands: seen at its flow, by its own account at its Contact. */
static void note_callee(struct sbc_session *session, const struct sip_routing *routing, struct sip_flow flow)
{
    struct sip_uri uri;
    struct endpoint contact;
    if (sip_uri_parse(routing->uri, &uri) == 0 && sip_uri_endpoint(&uri, &contact) == 0)
        sbc_session_callee(session, (struct sbc_place){.seen = flow.remote.addr, .written = contact.addr});
}

static struct pass *pass_new(struct sbc *sbc, const struct sip_incoming *in, const struct ticket *ticket)
{
    struct pass *pass = malloc(sizeof *pass);
    if (!pass)
        return NULL;
    *pass = (struct pass){
        .call = ticket->call,
        .opens = in->msg->method == SIP_INVITE && span_empty(in->core->to.tag),
        .ends = in->msg->method == SIP_BYE,
        .from = {.side = sbc_side_of(sbc, in->flow), .seen = in->flow.remote},
    };
    if (!pass->opens)
        return pass;
    struct sbc_session *session = sbc_session_new(sbc->sessions, in->core->call_id, pass->from.side);
    if (!session) {
        free(pass);
        return NULL;
    }
    pass->call = sbc_session_number(session);
    return pass;
}

static struct sbc_session *session_of(struct sbc *sbc, const struct pass *pass)
{
    return sbc_session_numbered(sbc->sessions, pass->call);
}

static void end_session(struct sbc *sbc, const struct pass *pass)
{
    struct sbc_session *session = session_of(sbc, pass);
    if (session)
        sbc_session_end(session);
}

/* The targets of a request: what the decision says, or one PBX after the other. */
static unsigned spread(const struct sbc *sbc, const struct sbc_decision *decision, const struct sip_target *target,
                       struct sip_target targets[SBC_SERVERS_MAX])
{
    struct endpoint order[SBC_SERVERS_MAX];
    targets[0] = *target;
    if (decision->way != SBC_TO_PBX)
        return 1;
    unsigned n = sbc_servers_order(&sbc->servers, host_now(sbc->host), order);
    for (unsigned i = 0; i < n; i++) {
        targets[i] = *target;
        targets[i].flow = sbc_flow_inside(sbc, order[i]);
        targets[i].phone = n > 1 ? 1 : 0;
        targets[i].server = true;
    }
    return n;
}

static void forward(struct sbc *sbc, struct sip_txn *txn, const struct sip_incoming *in,
                    const struct sip_routing *routing, const struct sbc_decision *decision, const struct ticket *ticket)
{
    char record_route[256];
    char uri[512];
    struct text routes = text_on(record_route, sizeof record_route);
    struct text new_uri = text_on(uri, sizeof uri);
    if (decision->way == SBC_TO_PBX)
        put_pbx_uri(sbc, routing, &new_uri);
    struct pass *pass = text_ok(&new_uri) ? pass_new(sbc, in, ticket) : NULL;
    if (!pass) {
        sip_txn_reply_status(txn, text_ok(&new_uri) ? 500 : 414);
        return;
    }
    enum sbc_side from = pass->from.side;
    if (begins_dialog(in))
        put_record_route(sbc, &routes, sbc_side_other(from), from == SBC_OUTSIDE ? in->flow : ticket->flow, pass->call);
    if (decision->way == SBC_TO_FLOW && pass->opens)
        note_callee(session_of(sbc, pass), routing, ticket->flow);
    struct sip_target target = {
        .uri = text_span(&new_uri),
        .record_route = text_span(&routes),
        .flow = flow_of(sbc, decision, from, ticket),
    };
    struct sip_target targets[SBC_SERVERS_MAX];
    unsigned n = spread(sbc, decision, &target, targets);
    if (!sip_proxy_forward(sbc->proxy, txn, targets, n, pass)) {
        if (pass->opens)
            end_session(sbc, pass);
        free(pass);
    }
}

static bool is_for_this(const struct sbc *sbc, const struct sip_msg *msg, const struct sip_routing *routing)
{
    struct sip_uri uri;
    return msg->method == SIP_OPTIONS && sip_uri_parse(routing->uri, &uri) == 0 && span_empty(uri.user) &&
           sbc_addressee(sbc, routing->uri) != SBC_SOMEBODY_ELSE;
}

void sbc_call_request(struct sbc *sbc, struct sip_txn *txn, const struct sip_incoming *in,
                      const struct sip_routing *routing)
{
    if (is_for_this(sbc, in->msg, routing)) { /* a phone looks whether the SBC is there */
        sip_txn_reply_status(txn, 200);
        return;
    }
    struct ticket ticket = read_ticket(sbc, in, routing);
    struct sbc_decision decision = decide(sbc, in, routing, &ticket);
    if (decision.way == SBC_TO_PBX && sbc->servers.n == 0)
        sip_txn_reply_status(txn, 500); /* DNS has told of none: as one that cannot be reached (§16.7 step 6) */
    else if (decision.way != SBC_REFUSED)
        forward(sbc, txn, in, routing, &decision, &ticket);
    else if (decision.status == 430)
        sip_txn_reply(txn, &(struct sip_reply){.status = 430, .reason = "Flow Failed"}); /* RFC 5626 §11.5 */
    else
        sip_txn_reply_status(txn, decision.status);
}

/* ---- descriptions ---- */

/* 0 or the status that the request is to be refused with. */
static unsigned status_of(int error)
{
    switch (error) {
    case 0: return 0;
    case FE_ESYNTAX:
    case FE_ERANGE: return 488;
    case FE_EAGAIN: return 503; /* no media port is left */
    default: return 500;
    }
}

static int rewrite(struct sbc *sbc, struct sbc_session *session, const struct sbc_sdp_source *from,
                   const struct sip_msg *msg, struct sip_rewrite *out)
{
    struct text body = text_on(sbc->body, sizeof sbc->body);
    int error = sbc_session_sdp(session, from, msg->body, &body);
    if (error) {
        host_drop(sbc->host, "bad-sdp", msg->start_line);
        return error;
    }
    out->replace_body = true;
    out->body = text_span(&body);
    return 0;
}

static bool has_sdp(const struct sip_msg *msg)
{
    return !span_empty(msg->body) && sip_body_is(msg, "application", "sdp");
}

static unsigned request_passes(void *arg, struct sip_context *c, unsigned target, const struct sip_msg *msg,
                               struct sip_rewrite *out)
{
    (void)target;
    struct sbc *sbc = arg;
    const struct pass *pass = sip_context_owner(c);
    struct sbc_session *session = session_of(sbc, pass);
    return session && has_sdp(msg) ? status_of(rewrite(sbc, session, &pass->from, msg, out)) : 0;
}

/* A description in a response that cannot be read is passed on as it is: its reader will say what is to be said. */
static void response_passes(void *arg, struct sip_context *c, unsigned target, const struct sip_incoming *in,
                            struct sip_rewrite *out)
{
    (void)target;
    struct sbc *sbc = arg;
    struct sbc_session *session = session_of(sbc, sip_context_owner(c));
    struct sbc_sdp_source from = {.side = sbc_side_of(sbc, in->flow), .seen = in->flow.remote};
    sbc_watch_heard(sbc->watch, in->flow);
    if (session && has_sdp(in->msg))
        rewrite(sbc, session, &from, in->msg, out);
}

/* What a request to a PBX tells of it (SB-12). */
static void tried(void *arg, struct sip_context *c, unsigned target, unsigned status, const struct sip_msg *response)
{
    struct sbc *sbc = arg;
    struct endpoint server = sip_context_flow(c, target).remote;
    if (status == 503 || (status == 408 && !response))
        sbc_server_failed(sbc, server, response);
    else if (response)
        sbc_server_answered(sbc, server);
}

static void answered(void *arg, struct sip_context *c, unsigned status)
{
    const struct pass *pass = sip_context_owner(c);
    if ((pass->opens && status >= 300) || (pass->ends && status >= 200))
        end_session(arg, pass);
}

/* RFC 4028 §8.3: nobody says BYE for phones that are gone. */
static void session_lasts(void *arg, struct sip_context *c, const struct sip_incoming *in, lab_time expires)
{
    (void)in;
    struct sbc_session *session = session_of(arg, sip_context_owner(c));
    if (session)
        sbc_session_expires(session, expires);
}

/* A BYE that nobody answered ends the call too. */
static void ended(void *arg, struct sip_context *c)
{
    struct pass *pass = sip_context_owner(c);
    if (pass->ends || (pass->opens && sip_context_status(c) < 200))
        end_session(arg, pass);
    free(pass);
}

const struct sip_proxy_hooks sbc_call_hooks = {
    .request = request_passes,
    .response = response_passes,
    .tried = tried,
    .answered = answered,
    .session = session_lasts,
    .ended = ended,
};

/* ---- ACK of a 2xx: has no transaction, may carry the answer of a late offer ---- */

void sbc_call_ack(struct sbc *sbc, const struct sip_incoming *in)
{
    struct sip_routing routing;
    struct sip_rewrite change = {0};
    if (!sip_proxy_accept_ack(sbc->proxy, in, &routing))
        return;
    struct ticket ticket = read_ticket(sbc, in, &routing);
    struct sbc_decision decision = decide(sbc, in, &routing, &ticket);
    if (decision.way != SBC_ALONG_ROUTE && decision.way != SBC_TO_FLOW) {
        host_drop(sbc->host, "not-ours", in->msg->start_line);
        return;
    }
    enum sbc_side from = sbc_side_of(sbc, in->flow);
    struct sbc_sdp_source source = {.side = from, .seen = in->flow.remote};
    struct sbc_session *session = sbc_session_numbered(sbc->sessions, ticket.call);
    if (session && has_sdp(in->msg))
        rewrite(sbc, session, &source, in->msg, &change);
    struct sip_target target = {.flow = flow_of(sbc, &decision, from, &ticket)};
    sip_proxy_forward_ack(sbc->proxy, in, &routing, &target, &change);
}
