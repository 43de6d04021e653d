#include "nodes/phone/phone.h"

#include "nodes/base/error.h"
#include "nodes/proto/sip_build.h"

static bool is_secure(const struct phone *p, enum sip_transport by)
{
    return by == SIP_TLS && p->settings->send_sips;
}

/* sip:user@domain, or sips: (PH-9). */
static void line_write(const struct phone *p, struct span user, unsigned aor, enum sip_transport by, struct text *out)
{
    char room[128];
    struct text uri = text_on(room, sizeof room);
    sip_uri_write(&uri, user, p->aors[aor].domain, 0);
    struct span rest;
    struct span scheme = span_cut(text_span(&uri), ':', &rest);
    text_put(out, is_secure(p, by) ? SPAN("sips") : scheme);
    text_char(out, ':');
    text_put(out, rest);
}

void phone_aor_write(const struct phone *p, unsigned aor, enum sip_transport by, struct text *out)
{
    line_write(p, p->aors[aor].user, aor, by, out);
}

static void contact_write(const struct phone *p, enum sip_transport by, bool flow, struct text *out)
{
    struct endpoint at = phone_socket(p, by)->contact;
    text_char(out, '<');
    if (by == SIP_UDP)
        sip_uri_write_endpoint(out, span_of(p->settings->line), at);
    else
        sip_uri_write_flow(out, is_secure(p, by), span_of(p->settings->line), at, by);
    text_str(out, flow ? ";ob>" : ">");
}

void phone_contact_write(const struct phone *p, enum sip_transport by, struct text *out)
{
    contact_write(p, by, false, out);
}

void phone_dialog_contact_write(const struct phone *p, enum sip_transport by, struct text *out)
{
    contact_write(p, by, p->settings->outbound, out);
}

void phone_allow_write(const struct phone *p, struct text *out)
{
    text_str(out, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE");
    text_str(out, p->settings->message_waiting ? ", NOTIFY\r\n" : "\r\n");
}

struct span phone_contact_headers(const struct phone *p, enum sip_transport by, struct text *room)
{
    text_str(room, "Contact: ");
    phone_dialog_contact_write(p, by, room);
    text_str(room, "\r\n");
    phone_allow_write(p, room);
    return text_span(room);
}

struct sip_credentials phone_credentials(const struct phone *p, unsigned aor)
{
    return (struct sip_credentials){p->aors[aor].user, span_of(p->settings->password)};
}

static void request_write(const struct phone *p, const struct phone_request *request, struct text *out)
{
    char uri_room[128];
    char from_room[128];
    char to_room[128];
    struct span method = span_of(request->method);
    struct text uri = text_on(uri_room, sizeof uri_room);
    struct text from = text_on(from_room, sizeof from_room);
    struct text to = text_on(to_room, sizeof to_room);
    struct span own = p->aors[request->aor].user;
    struct span peer = span_of(request->to ? request->to : "");
    enum sip_transport by = phone_server_by(p, request->server);
    line_write(p, request->own_uri ? own : peer, request->aor, by,
               &uri); /* REGISTER, OPTIONS: the domain itself (§10.2) */
    line_write(p, own, request->aor, by, &from);
    line_write(p, request->to ? peer : own, request->aor, by, &to);
    sip_put_request_line(out, method, text_span(&uri));
    sip_put_number(out, SIP_H_MAX_FORWARDS, SIP_MAX_FORWARDS);
    sip_put_addr(out, SIP_H_FROM, (struct span){0}, text_span(&from), span_of(request->tag));
    sip_put_addr(out, SIP_H_TO, (struct span){0}, text_span(&to), (struct span){0});
    sip_put(out, SIP_H_CALL_ID, span_of(request->call_id));
    sip_put_cseq(out, request->cseq, method);
    if (request->auth) {
        struct sip_credentials who = phone_credentials(p, request->aor);
        sip_auth_header(request->auth, &who, method, text_span(&uri), out);
    }
    text_put(out, request->headers);
    sip_put(out, SIP_H_USER_AGENT, SPAN("farend-phone"));
    if (request->body.n)
        sip_put_body(out, request->content_type, request->body);
    else
        sip_put_end(out);
}

int phone_request_route(const struct phone *p, struct phone_request *request, enum phone_role role, unsigned tried)
{
    const struct phone_servers *s = &p->servers;
    int site = phone_servers_choose(s, role, tried, host_now(p->host));
    if (site < 0)
        return -1;
    request->server = (unsigned)(phone_servers_hop(s, role, (unsigned)site) - s->list);
    request->aor = role == PHONE_PROXY ? (unsigned)site : phone_servers_active(s, PHONE_PROXY);
    return site;
}

static struct sip_flow flow_of(struct phone *p, const struct phone_request *request)
{
    if (request->flow)
        return *request->flow;
    return request->line ? phone_transport_flow_for_call(p, request->server, *request->line)
                         : phone_server_flow(p, request->server);
}

int phone_request_send(struct phone *p, const struct phone_request *request, const struct sip_client_events *events,
                       void *arg, struct sip_txn **out)
{
    char room[PHONE_TEXT];
    struct text message = text_on(room, sizeof room);
    if (!phone_locate_known(p, request->server) || (!request->flow && !phone_outbound_serves(p, request->server)))
        return FE_EUNREACH;
    request_write(p, request, &message);
    if (!text_ok(&message))
        return FE_ERANGE;
    struct sip_flow flow = flow_of(p, request);
    int error = sip_txn_request(p->txns, &flow, text_span(&message), (struct span){0}, events, arg, out);
    if (error)
        return error;
    phone_locate_used(p, request->server);
    if (request->line)
        *request->line = sip_txn_flow(*out);
    else
        phone_transport_used(p, request->server, sip_txn_flow(*out));
    return 0;
}
