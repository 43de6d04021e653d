#include "nodes/sip/sip_dialog.h"

#include "nodes/base/error.h"
#include "nodes/base/text.h"
#include "nodes/proto/sip_build.h"
#include "nodes/sip/sip_route.h"

#include <stdlib.h>

enum { ROUTES_MAX = 4096 };

static char *copy_text(struct span s)
{
    char *copy = malloc(s.n + 1);
    if (!copy)
        return NULL;
    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

/* Puts a copy of s in the place of *at; FE_EMEM, and *at stays. */
static int replace_text(char **at, struct span s)
{
    char *copy = copy_text(s);
    if (!copy)
        return FE_EMEM;
    free(*at);
    *at = copy;
    return 0;
}

/* ---- making ---- */

/* Copies the four texts into one block, so that a dialog holds its own. */
static int hold_names(struct sip_dialog *d, struct span call_id, struct span local, struct span remote,
                      struct span contact)
{
    struct span *to[] = {&d->call_id, &d->local, &d->remote, &d->local_contact};
    const struct span from[] = {call_id, local, remote, contact};
    size_t at = 0;
    struct sip_addr addr;
    d->block = malloc(call_id.n + local.n + remote.n + contact.n + 1);
    if (!d->block)
        return FE_EMEM;
    for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
        if (from[i].n)
            memcpy(d->block + at, from[i].p, from[i].n);
        *to[i] = span_make(d->block + at, from[i].n);
        at += from[i].n;
    }
    if (sip_addr_parse(d->local, &addr))
        return FE_ESYNTAX;
    d->local_tag = addr.tag;
    if (sip_addr_parse(d->remote, &addr))
        return FE_ESYNTAX;
    d->remote_tag = addr.tag;
    return 0;
}

/* The Record-Routes as a route set: as they come for the UAS (§12.1.1), the other way round for the UAC (§12.1.2). */
static int hold_routes(struct sip_dialog *d, const struct sip_msg *msg, bool reversed)
{
    struct span uris[SIP_MAX_HEADERS];
    struct span value;
    char buf[ROUTES_MAX];
    struct text routes = text_on(buf, sizeof buf);
    struct sip_addr addr;
    struct sip_list list = sip_list(msg, SIP_H_RECORD_ROUTE);
    size_t n = 0;
    while (n < SIP_MAX_HEADERS && sip_list_next(&list, &value))
        if (sip_addr_parse(value, &addr) == 0)
            uris[n++] = addr.uri;
    for (size_t i = 0; i < n; i++) {
        text_str(&routes, i ? ", <" : "<");
        text_put(&routes, uris[reversed ? n - 1 - i : i]);
        text_char(&routes, '>');
    }
    return text_ok(&routes) ? replace_text(&d->routes, text_span(&routes)) : FE_ERANGE;
}

/* The URI of the first Contact; FE_ESYNTAX: there is none that a request could be sent to. */
static int contact_uri(const struct sip_msg *msg, struct span *uri)
{
    struct sip_contact contact;
    struct span value;
    struct sip_list list = sip_list(msg, SIP_H_CONTACT);
    if (!sip_list_next(&list, &value) || sip_contact_parse(value, &contact) || contact.star)
        return FE_ESYNTAX;
    *uri = contact.addr.uri;
    return 0;
}

/* Target and route set of a UAC from a response. Only a provisional one may do without a Contact. */
static int take_response(struct sip_dialog *d, const struct sip_msg *response, struct span otherwise)
{
    struct span target = otherwise;
    if (contact_uri(response, &target) && response->status >= 200)
        return FE_ESYNTAX;
    int error = replace_text(&d->target, target);
    return error ? error : hold_routes(d, response, true);
}

int sip_dialog_init_uac(struct sip_dialog *d, struct sip_txns *txns, const struct sip_msg *invite,
                        const struct sip_msg *response, struct sip_flow sent_on, struct span contact)
{
    struct sip_cseq cseq;
    *d = (struct sip_dialog){.txns = txns, .flow = sent_on};
    if (sip_cseq_parse(sip_value(invite, SIP_H_CSEQ), &cseq))
        return FE_ESYNTAX;
    d->local_cseq = cseq.number;
    int error = hold_names(d, sip_value(invite, SIP_H_CALL_ID), sip_value(invite, SIP_H_FROM),
                           sip_value(response, SIP_H_TO), contact);
    if (!error && d->remote_tag.n == 0)
        error = FE_ESYNTAX;
    if (!error)
        error = take_response(d, response, invite->uri);
    if (error) {
        sip_dialog_fini(d);
        return error;
    }
    d->state = response->status < 200 ? SIP_DIALOG_EARLY : SIP_DIALOG_CONFIRMED;
    return 0;
}

int sip_dialog_init_uas(struct sip_dialog *d, struct sip_txns *txns, const struct sip_incoming *invite,
                        struct span local_tag, struct span contact)
{
    char buf[ROUTES_MAX];
    struct text local = text_on(buf, sizeof buf);
    struct span target;
    *d = (struct sip_dialog){.txns = txns, .flow = invite->flow, .remote_cseq = invite->core->cseq.number};
    text_put(&local, sip_value(invite->msg, SIP_H_TO));
    text_str(&local, ";tag=");
    text_put(&local, local_tag);
    int error = text_ok(&local) ? contact_uri(invite->msg, &target) : FE_ERANGE;
    if (!error)
        error = hold_names(d, invite->core->call_id, text_span(&local), sip_value(invite->msg, SIP_H_FROM), contact);
    if (!error)
        error = replace_text(&d->target, target);
    if (!error)
        error = hold_routes(d, invite->msg, false);
    if (error) {
        sip_dialog_fini(d);
        return error;
    }
    d->state = SIP_DIALOG_EARLY;
    return 0;
}

void sip_dialog_fini(struct sip_dialog *d)
{
    free(d->block);
    free(d->target);
    free(d->routes);
    free(d->ack);
    *d = (struct sip_dialog){0};
}

/* ---- what comes in ---- */

static struct span tag_of(const struct sip_msg *msg, enum sip_header_id id)
{
    struct sip_addr addr;
    return sip_addr_parse(sip_value(msg, id), &addr) ? (struct span){0} : addr.tag;
}

bool sip_dialog_has(const struct sip_dialog *d, const struct sip_msg *msg)
{
    enum sip_header_id local = msg->request ? SIP_H_TO : SIP_H_FROM;
    enum sip_header_id remote = msg->request ? SIP_H_FROM : SIP_H_TO;
    return d->state != SIP_DIALOG_NONE && span_equal(sip_value(msg, SIP_H_CALL_ID), d->call_id) &&
           span_equal(tag_of(msg, local), d->local_tag) && span_equal(tag_of(msg, remote), d->remote_tag);
}

int sip_dialog_confirm(struct sip_dialog *d, const struct sip_msg *response)
{
    int error = response ? take_response(d, response, span_of(d->target)) : 0;
    if (!error)
        d->state = SIP_DIALOG_CONFIRMED;
    return error;
}

/* §12.2: the target is refreshed by the messages that RFC 3261, RFC 3311 and RFC 6665 (§8.2.1) name. */
static bool refreshes_target(enum sip_method method)
{
    return method == SIP_INVITE || method == SIP_UPDATE || method == SIP_SUBSCRIBE || method == SIP_NOTIFY;
}

int sip_dialog_refresh(struct sip_dialog *d, const struct sip_msg *msg)
{
    struct span uri;
    if (!refreshes_target(msg->method) || contact_uri(msg, &uri))
        return 0;
    return replace_text(&d->target, uri);
}

int sip_dialog_received(struct sip_dialog *d, const struct sip_msg *request)
{
    struct sip_cseq cseq;
    if (sip_cseq_parse(sip_value(request, SIP_H_CSEQ), &cseq) || cseq.number <= d->remote_cseq)
        return FE_ERANGE;
    d->remote_cseq = cseq.number;
    return sip_dialog_refresh(d, request);
}

/* ---- what goes out ---- */

/* By the dialog's own connection, if it leads there and lives. */
struct sip_flow sip_dialog_next_hop(const struct sip_dialog *d)
{
    const struct sip_transport_layer *transport = sip_txns_transport(d->txns);
    struct sip_flow to = d->flow;
    struct sip_flow by_route;
    if (d->misled)
        return d->wrong;
    struct span rest = span_of(d->routes);
    struct span route;
    struct span hop = sip_route_next(&rest, &route) ? sip_route_uri(route) : span_of(d->target);
    if (sip_transport_route(transport, d->flow.socket, hop, &by_route) &&
        (by_route.socket != to.socket || !endpoint_equal(by_route.remote, to.remote)))
        to = by_route;
    if (!sip_transport_is_alive(transport, &to))
        to.connection = 0;
    return to;
}

/* Request line and Route (§12.2.1.1): through a strict router, the first route becomes the Request-URI and the target
 * travels as the last Route. */
static void put_route(const struct sip_dialog *d, struct span method, struct text *out)
{
    struct span rest = span_of(d->routes);
    struct span first;
    struct span target = span_of(d->target);
    bool routed = sip_route_next(&rest, &first);
    bool strict = routed && !sip_route_is_loose(sip_route_uri(first));
    sip_put_request_line(out, method, strict ? sip_route_uri(first) : target);
    if (!strict) {
        if (routed)
            sip_put(out, SIP_H_ROUTE, span_of(d->routes));
        return;
    }
    if (rest.n)
        sip_put(out, SIP_H_ROUTE, span_trim(rest));
    sip_put_addr(out, SIP_H_ROUTE, (struct span){0}, target, (struct span){0});
}

static void write_request(const struct sip_dialog *d, uint32_t cseq, const struct sip_dialog_request *request,
                          struct text *out)
{
    struct span method = span_of(request->method);
    put_route(d, method, out);
    sip_put_number(out, SIP_H_MAX_FORWARDS, SIP_MAX_FORWARDS);
    sip_put(out, SIP_H_FROM, d->local);
    sip_put(out, SIP_H_TO, d->remote);
    sip_put(out, SIP_H_CALL_ID, d->call_id);
    sip_put_cseq(out, cseq, method);
    if (d->local_contact.n && refreshes_target(sip_method_id(method)))
        sip_put(out, SIP_H_CONTACT, d->local_contact);
    text_put(out, request->headers);
    if (request->body.n)
        sip_put_body(out, request->content_type, request->body);
    else
        sip_put_end(out);
}

int sip_dialog_send(struct sip_dialog *d, const struct sip_dialog_request *request,
                    const struct sip_client_events *events, void *arg, struct sip_txn **out)
{
    char buf[SIP_BYTES_MAX];
    struct text bytes = text_on(buf, sizeof buf);
    struct sip_flow to = sip_dialog_next_hop(d);
    write_request(d, d->local_cseq + 1, request, &bytes);
    if (!text_ok(&bytes))
        return FE_ERANGE;
    int error = sip_txn_request(d->txns, &to, text_span(&bytes), (struct span){0}, events, arg, out);
    if (!error)
        d->local_cseq++;
    return error;
}

int sip_dialog_ack(struct sip_dialog *d, uint32_t cseq, struct span headers, struct span content_type, struct span body)
{
    char buf[SIP_BYTES_MAX];
    char full[SIP_BYTES_MAX];
    char branch_buf[SIP_BRANCH_MAX];
    struct text bytes = text_on(buf, sizeof buf);
    struct text whole = text_on(full, sizeof full);
    struct text branch = text_on(branch_buf, sizeof branch_buf);
    struct sip_dialog_request ack = {"ACK", headers, content_type, body};
    struct sip_transport_layer *transport = sip_txns_transport(d->txns);
    struct sip_flow to = sip_dialog_next_hop(d);
    write_request(d, cseq, &ack, &bytes);
    sip_txns_draw_branch(d->txns, (struct span){0}, &branch);
    if (!text_ok(&bytes))
        return FE_ERANGE;
    int error = sip_transport_prepare(transport, &to, text_span(&bytes), text_span(&branch), &whole);
    if (!error)
        error = replace_text(&d->ack, text_span(&whole));
    if (error)
        return error;
    d->ack_size = whole.n;
    d->ack_flow = to;
    return sip_transport_send(transport, &to, text_span(&whole));
}

void sip_dialog_ack_again(struct sip_dialog *d)
{
    if (d->ack)
        sip_transport_send(sip_txns_transport(d->txns), &d->ack_flow, span_make(d->ack, d->ack_size));
}

void sip_dialog_decline(struct sip_txns *txns, const struct sip_msg *invite, const struct sip_msg *response,
                        struct sip_flow sent_on)
{
    struct sip_dialog d;
    struct sip_txn *bye;
    if (sip_dialog_init_uac(&d, txns, invite, response, sent_on, (struct span){0}))
        return;
    struct sip_dialog_request request = {.method = "BYE"};
    sip_dialog_ack(&d, d.local_cseq, (struct span){0}, (struct span){0}, (struct span){0});
    sip_dialog_send(&d, &request, NULL, NULL, &bye);
    sip_dialog_fini(&d);
}
