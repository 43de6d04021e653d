/* Calls that come to the phone (RFC 3261 §13.3): 180, 200 repeated until its ACK, refusals. */
#include "nodes/phone/phone_call.h"

#include "nodes/base/error.h"
#include "nodes/proto/sip_msg.h"
#include "nodes/proto/sip_uri.h"

/* The line that a From names. */
static void caller_copy(const struct sip_msg *invite, char *dst, size_t cap)
{
    struct sip_addr from;
    struct sip_uri uri;
    dst[0] = '\0';
    if (sip_addr_parse(sip_value(invite, SIP_H_FROM), &from) == 0 && sip_uri_parse(from.uri, &uri) == 0)
        span_copy(uri.user, dst, cap);
}

static bool is_for_us(const struct phone *p, const struct sip_msg *invite)
{
    struct sip_uri uri;
    return sip_uri_parse(invite->uri, &uri) == 0 && sip_escaped_equal(uri.user, span_of(p->settings->line), false);
}

static void refuse(struct phone_call *c, unsigned status, enum phone_call_end end, const char *by)
{
    struct phone_call_event event = {.status = status, .reason = sip_reason_phrase(status), .by = by};
    if (c->invite)
        sip_txn_reply_status(c->invite, status);
    phone_call_over(c, end, &event);
    phone_call_free(c);
}

/* ---- events of the INVITE ---- */

/* §9.2, §15: CANCEL had its 200 already. */
static void on_cancelled(void *arg, struct sip_txn *txn)
{
    struct phone_call *c = arg;
    (void)txn;
    if (c->state == CALL_INCOMING)
        refuse(c, 487, CALL_CANCELLED, "remote");
}

static void on_ended(void *arg, struct sip_txn *txn)
{
    struct phone_call *c = arg;
    (void)txn;
    c->invite = NULL;
}

static const struct sip_server_events invite_events = {.cancelled = on_cancelled, .ended = on_ended};

/* ---- answering ---- */

/* Our description: the answer to the INVITE's offer, or an offer when it had none (§13.2.1). */
static int describe(struct phone_call *c, struct text *body)
{
    struct sip_msg invite;
    sip_txn_msg(c->invite, &invite);
    return invite.body.n ? phone_call_answer_to(c, &invite, body) : phone_call_offer(c, body);
}

static int accept_send(struct phone_call *c, struct span body)
{
    char room[256 + SIP_SESSION_HEADERS];
    struct text headers = text_on(room, sizeof room);
    struct sip_msg invite;
    sip_txn_msg(c->invite, &invite);
    (void)phone_contact_headers(c->phone, c->by, &headers);
    phone_call_session_grant(c, &invite, &headers);
    struct sip_reply ok = {
        .status = 200, .headers = text_span(&headers), .content_type = SPAN("application/sdp"), .body = body};
    int error = sip_accept_start(&c->accept, c->invite, &ok, phone_call_unacknowledged, c);
    return error ? error : sip_dialog_confirm(&c->dialog, NULL);
}

const char *phone_call_answer(struct phone_call *c)
{
    char room[1024];
    struct text body = text_on(room, sizeof room);
    if (c->state != CALL_INCOMING)
        return "nothing rings";
    int error = c->media ? 0 : phone_call_media_open(c);
    if (!error && media_asks(c->media))
        return NULL; /* goes on when the answer has come */
    if (!error)
        error = describe(c, &body);
    if (!error)
        error = accept_send(c, text_span(&body));
    if (error) {
        refuse(c, error == FE_EREFUSED || error == FE_ESYNTAX ? 488 : 500, CALL_FAILED, "local");
        return NULL;
    }
    phone_call_set_state(c, CALL_ANSWERED);
    phone_call_flow(c);
    return NULL;
}

void phone_call_acked(struct phone_call *c, const struct sip_msg *ack)
{
    if (!sip_accept_acked(&c->accept, ack))
        return; /* repeated, or of a refusal */
    if (c->offered && phone_call_answered_with(c, ack))
        c->offered = false; /* cannot be read: the media stay as they are */
    if (c->state == CALL_ANSWERED)
        phone_call_set_state(c, CALL_ESTABLISHED);
    phone_call_flow(c);
    if (c->hang_up)
        (void)phone_call_hang_up(c);
}

/* ---- ringing ---- */

void phone_call_decline(struct phone_call *c)
{
    refuse(c, 603, CALL_FAILED, "local");
}

static void rung(void *arg)
{
    struct phone_call *c = arg;
    if (c->phone->settings->answer == PHONE_ANSWER_AUTO)
        (void)phone_call_answer(c);
    else
        refuse(c, 480, CALL_FAILED, "local");
}

static void ring(struct phone_call *c)
{
    const struct phone_settings *s = c->phone->settings;
    char room[256];
    struct text headers = text_on(room, sizeof room);
    struct sip_reply ringing = {.status = 180, .headers = phone_contact_headers(c->phone, c->by, &headers)};
    phone_call_set_state(c, CALL_INCOMING);
    (void)sip_txn_reply(c->invite, &ringing);
    lab_time wait = s->answer == PHONE_ANSWER_AUTO ? s->answer_after : s->ring_timeout;
    host_timer_start(c->phone->host, &c->timer, host_now(c->phone->host) + wait);
}

/* The status with which an INVITE is refused before it becomes a call, or 0; `headers`: what belongs to a 422. */
static unsigned refusal(struct phone *p, const struct sip_txn *txn, const struct sip_msg *invite, struct text *headers)
{
    if (sip_txn_is_merged(txn))
        return 482;
    if (!is_for_us(p, invite))
        return 404;
    if (invite->body.n && !sip_body_is(invite, "application", "sdp"))
        return 415;
    if (p->settings->answer == PHONE_ANSWER_BUSY || phone_call_active(p))
        return 486;
    return phone_call_session_refuses(p, invite, headers) ? 422 : 0;
}

static void refuse_early(struct sip_txn *txn, unsigned status, struct text *headers)
{
    if (status == 415)
        text_str(headers, "Accept: application/sdp\r\n");
    (void)sip_txn_reply(txn, &(struct sip_reply){.status = status, .headers = text_span(headers)});
}

void phone_call_incoming(struct phone *p, struct sip_txn *txn, const struct sip_incoming *in)
{
    char room[128];
    char headers_room[SIP_SESSION_HEADERS];
    struct text contact = text_on(room, sizeof room);
    struct text headers = text_on(headers_room, sizeof headers_room);
    unsigned status = refusal(p, txn, in->msg, &headers);
    if (status) {
        refuse_early(txn, status, &headers);
        return;
    }
    struct phone_call *c = phone_call_new(p);
    phone_dialog_contact_write(p, in->flow.transport, &contact);
    if (!c || sip_dialog_init_uas(&c->dialog, p->txns, in, sip_txn_tag(txn), text_span(&contact))) {
        sip_txn_reply_status(txn, 500);
        if (c)
            phone_call_free(c);
        return;
    }
    caller_copy(in->msg, c->peer, sizeof c->peer);
    timer_init(&c->timer, rung, c);
    c->invite = txn;
    c->by = in->flow.transport;
    phone_call_route(c);
    sip_txn_own(txn, &invite_events, c);
    ring(c);
}
