/* Changes of a call that is up (RFC 3261 §14): our hold and resume, and whatever the other side describes anew. */
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

/* §14.1: 408 and 481 end the dialog; anything else leaves the call as it was before. */
static void refused(struct phone_call *c, unsigned status, struct span reason)
{
    struct phone_call_event event = {.status = status, .reason = reason, .by = "remote"};
    c->offered = false;
    if (status == 408 || status == 481) {
        phone_call_over(c, CALL_ENDED, &event);
        phone_call_leave(c);
        return;
    }
    c->holding = !c->holding;
    phone_call_flow(c);
}

static void again(void *arg)
{
    struct phone_call *c = arg;
    if (c->state == CALL_ESTABLISHED && !c->change && reinvite_send(c))
        refused(c, 500, sip_reason_phrase(500));
}

/* §14.1: both changed the call at once. Who made the call waits 2.1 to 4 s, the other up to 2 s, in steps of 10 ms. */
static void glare(struct phone_call *c)
{
    struct phone *p = c->phone;
    lab_time pause = 10 * MS * (lab_time)(c->call_id[0] ? 210 + prng_below(&p->rng, 191) : prng_below(&p->rng, 201));
    c->offered = false;
    timer_init(&c->timer, again, c);
    host_timer_start(p->host, &c->timer, host_now(p->host) + pause);
}

static void accepted(struct phone_call *c, const struct sip_txn *txn, const struct sip_msg *response)
{
    struct sip_msg invite;
    if (!c->offered) { /* repeated: the ACK was lost */
        sip_dialog_ack_again(&c->dialog);
        return;
    }
    sip_txn_msg(txn, &invite);
    (void)sip_dialog_refresh(&c->dialog, response);
    (void)sip_dialog_ack(&c->dialog, c->dialog.local_cseq, phone_call_credentials(&invite), (struct span){0},
                         (struct span){0});
    if (phone_call_answered_with(c, response))
        c->offered = false; /* cannot be read: the media stay as they are */
    phone_call_flow(c);
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
    else if (!phone_call_challenged(c, in->msg) || reinvite_send(c))
        refused(c, status, in->msg->reason);
}

static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct phone_call *c = arg;
    (void)txn;
    change_drop(c);
    refused(c, status, sip_reason_phrase(status));
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

const char *phone_call_hold(struct phone_call *c, bool hold)
{
    if (c->state != CALL_ESTABLISHED)
        return "no call is up";
    if (c->holding == hold)
        return hold ? "it is on hold already" : "it is not on hold";
    if (c->offered || timer_running(&c->timer) || sip_accept_waiting(&c->accept))
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

/* ---- the other side's changes ---- */

static int change_accept(struct phone_call *c, struct sip_txn *txn, const struct sip_msg *invite)
{
    char headers_room[256];
    char body_room[1024];
    struct text headers = text_on(headers_room, sizeof headers_room);
    struct text body = text_on(body_room, sizeof body_room);
    int error = invite->body.n ? phone_call_answer_to(c, invite, &body) : phone_call_offer(c, &body);
    if (error)
        return error;
    struct sip_reply ok = {.status = 200,
                           .headers = phone_contact_headers(c->phone, c->by, &headers),
                           .content_type = SPAN("application/sdp"),
                           .body = text_span(&body)};
    return sip_accept_start(&c->accept, txn, &ok, phone_call_unacknowledged, c);
}

/* 491 when our own offer is out, 500 when the last one is not settled (§14.2). */
void phone_call_changed(struct phone_call *c, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct sip_reply busy = {.status = 500, .headers = SPAN("Retry-After: 1\r\n")};
    if (c->state == CALL_LEAVING) {
        sip_txn_reply_status(txn, 481);
        return;
    }
    if (c->state != CALL_ESTABLISHED || sip_accept_waiting(&c->accept)) {
        (void)sip_txn_reply(txn, &busy);
        return;
    }
    if (c->offered) {
        sip_txn_reply_status(txn, 491);
        return;
    }
    int error = change_accept(c, txn, in->msg);
    if (error)
        sip_txn_reply_status(txn, error == FE_EREFUSED || error == FE_ESYNTAX ? 488 : 500);
    else
        phone_call_flow(c);
}
