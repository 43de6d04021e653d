/* Calls that the phone makes (RFC 3261 §13.2): INVITE, its answers, CANCEL (§9.1). */
#include "nodes/phone/phone_call.h"

#include "nodes/base/error.h"
#include "nodes/proto/sip_msg.h"

static int invite_send(struct phone_call *c);

static void failed_with(struct phone_call *c, unsigned status, struct span reason)
{
    struct phone_call_event event = {.status = status, .reason = reason, .by = "remote"};
    phone_call_over(c, CALL_FAILED, &event);
    phone_call_free(c);
}

static void cancelled_by_us(struct phone_call *c)
{
    struct phone_call_event event = {.by = "local"};
    phone_call_over(c, CALL_CANCELLED, &event);
    phone_call_free(c);
}

/* ---- a 2xx ---- */

static int dialog_begin(struct phone_call *c, const struct sip_msg *invite, const struct sip_msg *response)
{
    char room[128];
    struct text contact = text_on(room, sizeof room);
    phone_dialog_contact_write(c->phone, c->by, &contact);
    int error =
        sip_dialog_init_uac(&c->dialog, c->phone->txns, invite, response, sip_txn_flow(c->invite), text_span(&contact));
    if (!error && c->dialog.state == SIP_DIALOG_EARLY)
        error = sip_dialog_confirm(&c->dialog, response);
    if (!error)
        phone_call_route(c);
    return error;
}

/* §13.2.2.4: acknowledged whatever it holds; without a description that both understand, ended at once. */
static void accepted(struct phone_call *c, const struct sip_msg *response)
{
    struct sip_msg invite;
    sip_txn_msg(c->invite, &invite);
    if (dialog_begin(c, &invite, response)) {
        failed_with(c, response->status, SPAN("unusable answer"));
        return;
    }
    (void)sip_dialog_ack(&c->dialog, c->cseq, phone_call_credentials(&invite), (struct span){0}, (struct span){0});
    if (phone_call_answered_with(c, response)) {
        struct phone_call_event event = {.status = 488, .reason = sip_reason_phrase(488), .by = "local"};
        phone_call_over(c, CALL_FAILED, &event);
        phone_call_leave(c);
        return;
    }
    phone_call_set_state(c, CALL_ESTABLISHED);
    phone_call_session_confirmed(c, response);
    phone_call_flow(c);
}

/* Repeated because our ACK was lost, or from another phone of a fork, or after we gave up. */
static void accepted_again(struct phone_call *c, const struct sip_msg *response)
{
    struct sip_msg invite;
    if (c->dialog.state != SIP_DIALOG_NONE && sip_dialog_has(&c->dialog, response)) {
        sip_dialog_ack_again(&c->dialog);
        return;
    }
    sip_txn_msg(c->invite, &invite);
    sip_dialog_decline(c->phone->txns, &invite, response, sip_txn_flow(c->invite));
}

/* ---- the next proxy ---- */

static bool invite_again(struct phone_call *c)
{
    if (c->invite)
        sip_txn_release(c->invite);
    c->invite = NULL;
    return invite_send(c) == 0;
}

/* The same proxy by another connection, or at its next target. */
static bool same_proxy_again(struct phone_call *c, const struct sip_txn *txn, const char *why, bool machine)
{
    bool reconnect = !c->reconnected && phone_transport_broke(c->phone, txn);
    if (c->state == CALL_CANCELLING || (!reconnect && !phone_server_again(c->phone, c->server, txn, why, machine)))
        return false;
    c->reconnected = c->reconnected || reconnect;
    return invite_again(c);
}

/* The proxy does not work: the same call by the next one (RFC 3263 §4.3; PH-20: the primary is only tried first).
 * False: there is none. */
static bool elsewhere(struct phone_call *c, const char *why, lab_time retry_after)
{
    struct phone *p = c->phone;
    struct phone_request request = {0};
    c->tried |= 1u << c->site;
    phone_server_failed(p, c->server, why, retry_after);
    if (c->state == CALL_CANCELLING || phone_request_route(p, &request, PHONE_PROXY, c->tried) < 0)
        return false;
    sip_auth_accepted(&p->call_auth); /* the next one has not refused anything */
    return invite_again(c);
}

/* ---- events of the INVITE ---- */

static void final(struct phone_call *c, const struct sip_msg *response)
{
    lab_time retry_after;
    if (response->status == 430) /* RFC 5626 §5.3.1: the flow that we think is up is not */
        phone_outbound_failed(c->phone, c->server, "430");
    if (phone_server_refuses(c->phone, response, &retry_after) &&
        (same_proxy_again(c, c->invite, "503", true) || elsewhere(c, "503", retry_after)))
        return;
    bool again = phone_call_challenged(c, response);
    again = sip_session_timer_raised(&c->session, response) || again;
    if (again && c->state != CALL_CANCELLING) {
        sip_txn_release(c->invite);
        c->invite = NULL;
        if (invite_send(c))
            failed_with(c, 503, sip_reason_phrase(503));
    } else if (c->state == CALL_CANCELLING) {
        cancelled_by_us(c);
    } else {
        failed_with(c, response->status, response->reason);
    }
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone_call *c = arg;
    unsigned status = in->msg->status;
    (void)txn;
    if (status != 503)
        phone_server_answered(c->phone, c->server);
    if (status == 100)
        return;
    if (status < 200) {
        if (c->state == CALL_CALLING && status != 181 && status != 182) {
            lab_time deadline = c->timer.at;
            phone_call_set_state(c, CALL_RINGING);
            host_timer_start(c->phone->host, &c->timer, deadline);
        }
    } else if (status >= 300) {
        final(c, in->msg);
    } else if (c->state == CALL_CALLING || c->state == CALL_RINGING) {
        (void)phone_call_challenged(c, in->msg);
        accepted(c, in->msg);
    } else {
        accepted_again(c, in->msg);
        if (c->state == CALL_CANCELLING)
            cancelled_by_us(c);
    }
}

static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct phone_call *c = arg;
    if (c->state == CALL_CANCELLING)
        cancelled_by_us(c);
    else if (!same_proxy_again(c, txn, phone_failure_text(status), false) &&
             !elsewhere(c, phone_failure_text(status), 0))
        failed_with(c, status, sip_reason_phrase(status));
}

static void on_ended(void *arg, struct sip_txn *txn)
{
    struct phone_call *c = arg;
    (void)txn;
    c->invite = NULL;
}

static const struct sip_client_events invite_events = {on_response, on_failed, on_ended};

static int invite_send(struct phone_call *c)
{
    struct phone *p = c->phone;
    char headers_room[256 + SIP_SESSION_HEADERS];
    char body_room[1024];
    struct text headers = text_on(headers_room, sizeof headers_room);
    struct text body = text_on(body_room, sizeof body_room);
    int error = phone_call_offer(c, &body);
    if (error)
        return error;
    struct phone_request request = {.method = "INVITE",
                                    .to = c->peer,
                                    .call_id = c->call_id,
                                    .tag = c->tag,
                                    .cseq = ++c->cseq,
                                    .auth = &p->call_auth,
                                    .line = &c->line,
                                    .content_type = SPAN("application/sdp"),
                                    .body = text_span(&body)};
    c->site = phone_request_route(p, &request, PHONE_PROXY, c->tried);
    if (c->site < 0)
        return FE_EUNREACH;
    c->server = request.server;
    c->aor = request.aor;
    c->by = phone_server_by(p, c->server);
    (void)phone_contact_headers(p, c->by, &headers);
    sip_session_timer_ask(&c->session, &headers);
    request.headers = text_span(&headers);
    return phone_request_send(p, &request, &invite_events, c, &c->invite);
}

static void failed_here(struct phone_call *c, int error)
{
    struct phone_call_event event = {.status = 503, .reason = span_of(fe_error_text(error)), .by = "local"};
    phone_call_over(c, CALL_FAILED, &event);
    phone_call_free(c);
}

void phone_call_invite(struct phone_call *c)
{
    int error = invite_send(c);
    if (error)
        failed_here(c, error);
}

/* ---- the user ---- */

void phone_call_give_up(struct phone_call *c)
{
    struct phone_call_event event = {.by = "local"};
    if (!c->invite) { /* nobody knows of it yet */
        phone_call_over(c, CALL_CANCELLED, &event);
        phone_call_free(c);
        return;
    }
    phone_call_set_state(c, CALL_CANCELLING);
    sip_txn_cancel(c->invite, (struct span){0});
}

static void dial_timeout(void *arg)
{
    phone_call_give_up(arg);
}

const char *phone_call_dial(struct phone *p, struct span line)
{
    if (phone_call_active(p))
        return "there is a call already";
    if (line.n == 0 || line.n >= sizeof((struct phone_call *)0)->peer)
        return "that is no line";
    struct phone_call *c = phone_call_new(p);
    if (!c)
        return fe_error_text(FE_EMEM);
    span_copy(line, c->peer, sizeof c->peer);
    prng_hex(&p->rng, c->call_id, PHONE_CALL_ID);
    prng_hex(&p->rng, c->tag, PHONE_TAG);
    timer_init(&c->timer, dial_timeout, c);
    sip_auth_accepted(&p->call_auth); /* a refusal was of the last call, not of this one */
    phone_call_set_state(c, CALL_CALLING);
    host_timer_start(p->host, &c->timer, host_now(p->host) + p->settings->dial_timeout);
    int error = phone_call_media_open(c);
    if (error)
        failed_here(c, error);
    else if (!media_asks(c->media))
        phone_call_invite(c);
    return NULL;
}
