#include "nodes/phone/phone_call.h"

#include "nodes/base/error.h"

#include <stdlib.h>

/* ---- life ---- */

struct phone_call *phone_call_new(struct phone *p)
{
    struct phone_call *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->phone = p;
    c->number = ++p->calls_made;
    c->aor = phone_servers_active(&p->servers, PHONE_PROXY);
    phone_call_session_init(c);
    c->next = p->calls;
    p->calls = c;
    return c;
}

static void txn_drop(struct sip_txn **txn)
{
    if (*txn)
        sip_txn_release(*txn);
    *txn = NULL;
}

void phone_call_free(struct phone_call *c)
{
    struct phone_call **at = &c->phone->calls;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    host_timer_stop(c->phone->host, &c->timer);
    phone_call_session_stop(c);
    txn_drop(&c->invite);
    txn_drop(&c->change);
    sip_accept_stop(&c->accept);
    sip_dialog_fini(&c->dialog);
    media_free(c->media);
    phone_transport_close_for_call(c->phone, &c->line);
    free(c);
}

struct phone_call *phone_call_active(struct phone *p)
{
    for (struct phone_call *c = p->calls; c; c = c->next)
        if (c->state != CALL_LEAVING)
            return c;
    return NULL;
}

struct phone_call *phone_call_of(struct phone *p, const struct sip_msg *msg)
{
    for (struct phone_call *c = p->calls; c; c = c->next)
        if (c->dialog.state != SIP_DIALOG_NONE && sip_dialog_has(&c->dialog, msg))
            return c;
    return NULL;
}

/* ---- the trace ---- */

static void trace(struct phone_call *c, const char *state, const struct phone_call_event *event)
{
    struct record *r = host_trace(c->phone->host, "call");
    record_str(r, "state", state);
    record_u64(r, "call", c->number);
    record_str(r, "peer", c->peer);
    if (event && event->status) {
        record_u64(r, "status", event->status);
        record_text(r, "reason", event->reason);
    }
    if (event)
        record_str(r, "by", event->by);
    host_trace_end(c->phone->host);
}

static const char *state_name(enum phone_call_state state)
{
    switch (state) {
    case CALL_CALLING: return "calling";
    case CALL_RINGING: return "ringing";
    case CALL_INCOMING: return "incoming";
    case CALL_ANSWERED: return "answered";
    case CALL_ESTABLISHED: return "established";
    case CALL_IDLE:
    case CALL_CANCELLING: /* told when the other side has answered */
    case CALL_LEAVING: break;
    }
    return NULL;
}

void phone_call_set_state(struct phone_call *c, enum phone_call_state state)
{
    c->state = state;
    host_timer_stop(c->phone->host, &c->timer);
    if (state_name(state))
        trace(c, state_name(state), NULL);
}

/* ---- the end ---- */

static const char *end_name(enum phone_call_end end)
{
    switch (end) {
    case CALL_ENDED: return "ended";
    case CALL_FAILED: return "failed";
    case CALL_CANCELLED: return "cancelled";
    }
    return NULL;
}

void phone_call_over(struct phone_call *c, enum phone_call_end end, const struct phone_call_event *event)
{
    phone_call_media_close(c);
    phone_call_session_stop(c);
    sip_accept_stop(&c->accept);
    phone_call_set_state(c, CALL_LEAVING);
    trace(c, end_name(end), event);
}

static void bye_send(struct phone_call *c);

static void bye_answered(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone_call *c = arg;
    (void)txn;
    if (in->msg->status < 200)
        return;
    txn_drop(&c->change);
    if (phone_call_challenged(c, in->msg))
        bye_send(c);
    else
        phone_call_free(c);
}

static void bye_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    (void)txn;
    (void)status;
    phone_call_free(arg);
}

static const struct sip_client_events bye_events = {.response = bye_answered, .failed = bye_failed};

static void bye_send(struct phone_call *c)
{
    char room[1024];
    struct text headers = text_on(room, sizeof room);
    struct sip_dialog_request bye = {.method = "BYE", .headers = phone_call_headers(c, "BYE", &headers)};
    if (sip_dialog_send(&c->dialog, &bye, &bye_events, c, &c->change)) {
        c->change = NULL;
        phone_call_free(c);
    }
}

void phone_call_leave(struct phone_call *c)
{
    txn_drop(&c->change);
    bye_send(c);
}

const char *phone_call_hang_up(struct phone_call *c)
{
    struct phone_call_event event = {.by = "local"};
    switch (c->state) {
    case CALL_CALLING:
    case CALL_RINGING: phone_call_give_up(c); return NULL;
    case CALL_INCOMING: phone_call_decline(c); return NULL;
    case CALL_ANSWERED: c->hang_up = true; return NULL;
    case CALL_ESTABLISHED:
        phone_call_over(c, CALL_ENDED, &event);
        phone_call_leave(c);
        return NULL;
    case CALL_IDLE:
    case CALL_CANCELLING:
    case CALL_LEAVING: break;
    }
    return "the call is ending already";
}

void phone_call_unacknowledged(void *call)
{
    struct phone_call *c = call;
    struct phone_call_event event = {.status = 408, .reason = SPAN("no ACK"), .by = "local"};
    phone_call_over(c, c->state == CALL_ANSWERED ? CALL_FAILED : CALL_ENDED, &event);
    phone_call_leave(c);
}

/* §15.1.2 */
void phone_call_bye(struct phone_call *c, struct sip_txn *txn)
{
    struct phone_call_event by_remote = {.by = "remote"};
    sip_txn_reply_status(txn, 200);
    if (c->state == CALL_LEAVING)
        return; /* both hung up at once: our own BYE is on its way */
    if (c->state == CALL_INCOMING && c->invite)
        sip_txn_reply_status(c->invite, 487);
    phone_call_over(c, c->state == CALL_INCOMING ? CALL_CANCELLED : CALL_ENDED, &by_remote);
    phone_call_free(c);
}

/* ---- requests in the dialog ---- */

/* By the connection of the dialog, or, as wrong phones do, by UDP to the usual port of whoever is at its other end. */
void phone_call_route(struct phone_call *c)
{
    struct phone *p = c->phone;
    struct endpoint at = {c->dialog.flow.remote.addr, sip_transport_port(SIP_UDP)};
    if (!p->settings->in_dialog_udp)
        return;
    c->dialog.misled = true;
    c->dialog.wrong = sip_flow_to(phone_socket(p, SIP_UDP)->number, at);
}

struct span phone_call_headers(struct phone_call *c, const char *method, struct text *room)
{
    struct sip_credentials who = phone_credentials(c->phone, c->aor);
    sip_auth_header(&c->phone->call_auth, &who, span_of(method), span_of(c->dialog.target), room);
    return text_ok(room) ? text_span(room) : (struct span){0};
}

bool phone_call_challenged(struct phone_call *c, const struct sip_msg *response)
{
    struct sip_auth *auth = &c->phone->call_auth;
    if (response->status == 401 || response->status == 407)
        return sip_auth_challenged(auth, response) == 0;
    sip_auth_accepted(auth); /* whatever else it says, it does not doubt who we are */
    return false;
}

struct span phone_call_credentials(const struct sip_msg *invite)
{
    const struct sip_header *h = sip_find(invite, SIP_H_PROXY_AUTHORIZATION);
    if (!h)
        h = sip_find(invite, SIP_H_AUTHORIZATION);
    return h ? h->bytes : (struct span){0};
}
