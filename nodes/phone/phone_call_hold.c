/* Changes of a call that is up (RFC 3261 §14, RFC 3311): our hold and resume, whatever the other side describes anew,
 * and what changes nothing but refreshes the session (RFC 4028 §7.4, §10). */
#include "nodes/phone/phone_call.h"

#include "nodes/base/error.h"
#include "nodes/proto/sip_msg.h"

static int reinvite_send(struct phone_call *c);

/* ---- our changes ---- */

static void change_drop(struct phone_call *c)
{
    if (c->change)
        sip_txn_release(c->change);
    c->change = NULL;
}

/* §14.1: both changed the call at once. Who made the call waits 2.1 to 4 s, the other up to 2 s, in steps of 10 ms. */
static lab_time glare_pause(struct phone_call *c)
{
    struct prng *rng = &c->phone->rng;
    return 10 * MS * (lab_time)(c->call_id[0] ? 210 + prng_below(rng, 191) : prng_below(rng, 201));
}

/* RFC 4028 §10: what can be tried again is, when the other side says when; else the session runs out. */
static void refresh_refused(struct phone_call *c, const struct sip_msg *response)
{
    uint32_t seconds;
    struct span after = response ? sip_value(response, SIP_H_RETRY_AFTER) : (struct span){0};
    lab_time pause = NEVER;
    if (response && response->status == 491)
        pause = glare_pause(c);
    else if (after.p && sip_delta_parse(after, &seconds, NULL) == 0)
        pause = seconds * SEC;
    c->refreshing = false;
    phone_call_session_retry(c, pause);
}

/* §14.1: 408 and 481 end the dialog; anything else leaves the call as it was before. `response` may be NULL. */
static void refused(struct phone_call *c, unsigned status, struct span reason, const struct sip_msg *response)
{
    struct phone_call_event event = {.status = status, .reason = reason, .by = "remote"};
    c->offered = false;
    if (status == 408 || status == 481) {
        phone_call_over(c, CALL_ENDED, &event);
        phone_call_leave(c);
        return;
    }
    if (c->refreshing) {
        refresh_refused(c, response);
        return;
    }
    c->holding = !c->holding;
    phone_call_flow(c);
}

static void again(void *arg)
{
    struct phone_call *c = arg;
    if (c->state == CALL_ESTABLISHED && !c->change && reinvite_send(c))
        refused(c, 500, sip_reason_phrase(500), NULL);
}

static void glare(struct phone_call *c)
{
    struct host *h = c->phone->host;
    c->offered = false;
    timer_init(&c->timer, again, c);
    host_timer_start(h, &c->timer, host_now(h) + glare_pause(c));
}

static void accepted(struct phone_call *c, const struct sip_txn *txn, const struct sip_msg *response)
{
    struct sip_msg invite;
    if (!c->offered) { /* repeated: the ACK was lost */
        sip_dialog_ack_again(&c->dialog);
        return;
    }
    sip_txn_msg(txn, &invite);
    c->refreshing = false;
    phone_call_session_confirmed(c, response);
    (void)sip_dialog_refresh(&c->dialog, response);
    (void)sip_dialog_ack(&c->dialog, c->dialog.local_cseq, phone_call_credentials(&invite), (struct span){0},
                         (struct span){0});
    if (phone_call_answered_with(c, response))
        c->offered = false; /* cannot be read: the media stay as they are */
    phone_call_flow(c);
}

static bool worth_another(struct phone_call *c, const struct sip_msg *response)
{
    bool challenged = phone_call_challenged(c, response);
    return sip_session_timer_raised(&c->session, response) || challenged;
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone_call *c = arg;
    unsigned status = in->msg->status;
    if (status < 200)
        return;
    if (status < 300) {
        (void)phone_call_challenged(c, in->msg);
        accepted(c, txn, in->msg);
        return;
    }
    change_drop(c);
    if (status == 491)
        glare(c);
    else if (!worth_another(c, in->msg) || reinvite_send(c))
        refused(c, status, in->msg->reason, in->msg);
}

static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct phone_call *c = arg;
    (void)txn;
    change_drop(c);
    refused(c, status, sip_reason_phrase(status), NULL);
}

static void on_ended(void *arg, struct sip_txn *txn)
{
    struct phone_call *c = arg;
    if (c->change == txn)
        c->change = NULL;
}

static const struct sip_client_events change_events = {on_response, on_failed, on_ended};

static int reinvite_send(struct phone_call *c)
{
    char headers_room[1024];
    char body_room[1024];
    struct text headers = text_on(headers_room, sizeof headers_room);
    struct text body = text_on(body_room, sizeof body_room);
    int error = phone_call_offer(c, &body);
    if (error)
        return error;
    sip_session_timer_ask(&c->session, &headers);
    struct sip_dialog_request invite = {.method = "INVITE",
                                        .headers = phone_call_headers(c, "INVITE", &headers),
                                        .content_type = SPAN("application/sdp"),
                                        .body = text_span(&body)};
    error = sip_dialog_send(&c->dialog, &invite, &change_events, c, &c->change);
    if (error) {
        c->change = NULL;
        c->offered = false;
    }
    return error;
}

static bool is_changing(const struct phone_call *c)
{
    return c->offered || c->refreshing || timer_running(&c->timer) || sip_accept_waiting(&c->accept);
}

const char *phone_call_hold(struct phone_call *c, bool hold)
{
    if (c->state != CALL_ESTABLISHED)
        return "no call is up";
    if (c->holding == hold)
        return hold ? "it is on hold already" : "it is not on hold";
    if (is_changing(c))
        return "another change is under way";
    change_drop(c);
    c->holding = hold;
    if (reinvite_send(c)) {
        c->holding = !hold;
        return "it cannot be sent";
    }
    phone_call_flow(c);
    return NULL;
}

/* ---- our refreshes ---- */

static int update_send(struct phone_call *c);

static void on_updated(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone_call *c = arg;
    (void)txn;
    if (in->msg->status < 200)
        return;
    change_drop(c);
    if (in->msg->status < 300) {
        (void)phone_call_challenged(c, in->msg);
        (void)sip_dialog_refresh(&c->dialog, in->msg);
        c->refreshing = false;
        phone_call_session_confirmed(c, in->msg);
    } else if (!worth_another(c, in->msg) || update_send(c)) {
        refused(c, in->msg->status, in->msg->reason, in->msg);
    }
}

static const struct sip_client_events update_events = {on_updated, on_failed, on_ended};

/* Without an offer (RFC 4028 §7.4). */
static int update_send(struct phone_call *c)
{
    char room[1024];
    struct text headers = text_on(room, sizeof room);
    sip_session_timer_ask(&c->session, &headers);
    struct sip_dialog_request update = {.method = "UPDATE", .headers = phone_call_headers(c, "UPDATE", &headers)};
    int error = sip_dialog_send(&c->dialog, &update, &update_events, c, &c->change);
    if (error)
        c->change = NULL;
    return error;
}

void phone_call_refresh(struct phone_call *c)
{
    int by = c->phone->settings->refresh;
    bool update = c->peer_updates && by == PHONE_REFRESH_UPDATE;
    if (by == PHONE_REFRESH_NEVER)
        return;
    if (c->state != CALL_ESTABLISHED || is_changing(c)) {
        phone_call_session_retry(c, 1 * SEC); /* what is under way may refresh it too */
        return;
    }
    change_drop(c);
    c->refreshing = true;
    if (update ? update_send(c) : reinvite_send(c))
        refused(c, 500, sip_reason_phrase(500), NULL);
}

/* ---- the other side's changes ---- */

static bool too_short(struct phone_call *c, struct sip_txn *txn, const struct sip_msg *request)
{
    char room[SIP_SESSION_HEADERS];
    struct text headers = text_on(room, sizeof room);
    if (!phone_call_session_refuses(c->phone, request, &headers))
        return false;
    (void)sip_txn_reply(txn, &(struct sip_reply){.status = 422, .headers = text_span(&headers)});
    return true;
}

static int change_accept(struct phone_call *c, struct sip_txn *txn, const struct sip_msg *invite)
{
    char headers_room[256 + SIP_SESSION_HEADERS];
    char body_room[1024];
    struct text headers = text_on(headers_room, sizeof headers_room);
    struct text body = text_on(body_room, sizeof body_room);
    int error = invite->body.n ? phone_call_answer_to(c, invite, &body) : phone_call_offer(c, &body);
    if (error)
        return error;
    (void)phone_contact_headers(c->phone, c->by, &headers);
    phone_call_session_grant(c, invite, &headers);
    struct sip_reply ok = {.status = 200,
                           .headers = text_span(&headers),
                           .content_type = SPAN("application/sdp"),
                           .body = text_span(&body)};
    return sip_accept_start(&c->accept, txn, &ok, phone_call_unacknowledged, c);
}

static unsigned status_of(int error)
{
    return error == FE_EREFUSED || error == FE_ESYNTAX ? 488 : 500;
}

static const struct sip_reply unsettled = {.status = 500, .headers = {"Retry-After: 1\r\n", 16}};

/* 491 when our own offer is out, 500 when the last one is not settled (§14.2). */
void phone_call_changed(struct phone_call *c, struct sip_txn *txn, const struct sip_incoming *in)
{
    if (c->state == CALL_LEAVING) {
        sip_txn_reply_status(txn, 481);
        return;
    }
    if (c->state != CALL_ESTABLISHED || sip_accept_waiting(&c->accept)) {
        (void)sip_txn_reply(txn, &unsettled);
        return;
    }
    if (c->offered) {
        sip_txn_reply_status(txn, 491);
        return;
    }
    if (too_short(c, txn, in->msg))
        return;
    int error = change_accept(c, txn, in->msg);
    if (error)
        sip_txn_reply_status(txn, status_of(error));
    else
        phone_call_flow(c);
}

static int update_accept(struct phone_call *c, struct sip_txn *txn, const struct sip_msg *update)
{
    char headers_room[256 + SIP_SESSION_HEADERS];
    char body_room[1024];
    struct text headers = text_on(headers_room, sizeof headers_room);
    struct text body = text_on(body_room, sizeof body_room);
    int error = update->body.n ? phone_call_answer_to(c, update, &body) : 0;
    if (error)
        return error;
    (void)phone_contact_headers(c->phone, c->by, &headers);
    phone_call_session_grant(c, update, &headers);
    struct sip_reply ok = {.status = 200, .headers = text_span(&headers)};
    if (update->body.n) {
        ok.content_type = SPAN("application/sdp");
        ok.body = text_span(&body);
    }
    return sip_txn_reply(txn, &ok);
}

/* RFC 3311 §5.2: one with an offer is refused as a re-INVITE is; one without, which refreshes, comes at any time. */
void phone_call_updated(struct phone_call *c, struct sip_txn *txn, const struct sip_incoming *in)
{
    bool offers = in->msg->body.n > 0;
    if (c->state == CALL_LEAVING) {
        sip_txn_reply_status(txn, 481);
        return;
    }
    if (offers && (c->state != CALL_ESTABLISHED || sip_accept_waiting(&c->accept))) {
        (void)sip_txn_reply(txn, &unsettled);
        return;
    }
    if (offers && c->offered) {
        sip_txn_reply_status(txn, 491);
        return;
    }
    if (too_short(c, txn, in->msg))
        return;
    int error = update_accept(c, txn, in->msg);
    if (error)
        sip_txn_reply_status(txn, status_of(error));
    else
        phone_call_flow(c);
}
