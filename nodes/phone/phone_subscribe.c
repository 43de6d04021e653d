#include "nodes/phone/phone_subscribe.h"

#include "nodes/phone/phone.h"
#include "nodes/proto/mwi.h"
#include "nodes/proto/sip_event.h"

static void subscribe_send(struct phone *p);

/* ---- states ---- */

/* Begins a line of the trace; the caller adds to it and ends it. */
static struct record *trace(struct phone *p, const char *state)
{
    const struct phone_subscription *sub = &p->subscription;
    char room[192];
    struct text aor = text_on(room, sizeof room);
    phone_aor_write(p, sub->aor, SIP_UDP, &aor); /* as it is, whatever the scheme on the wire */
    struct record *r = host_trace(p->host, "subscription");
    record_str(r, "state", state);
    record_str(r, "event", MWI_EVENT);
    record_text(r, "aor", text_span(&aor));
    record_endpoint(r, "server", phone_server_at(p, sub->server));
    return r;
}

static void txn_drop(struct phone *p)
{
    if (p->subscription.txn)
        sip_txn_release(p->subscription.txn);
    p->subscription.txn = NULL;
}

/* The subscription is no more; nothing is sent. */
static void forget(struct phone *p)
{
    struct phone_subscription *sub = &p->subscription;
    txn_drop(p);
    host_timer_stop(p->host, &sub->timer);
    host_timer_stop(p->host, &sub->notify);
    sip_dialog_fini(&sub->dialog);
    sub->state = PHONE_UNSUBSCRIBED;
}

/* pause NEVER: no further attempt here. */
static void failed(struct phone *p, unsigned status, struct span reason, lab_time pause)
{
    struct phone_subscription *sub = &p->subscription;
    forget(p);
    sub->state = PHONE_SUBSCRIBE_PAUSE;
    struct record *r = trace(p, "failed");
    if (status)
        record_u64(r, "status", status);
    record_text(r, "reason", reason);
    host_trace_end(p->host);
    if (pause != NEVER)
        host_timer_start(p->host, &sub->timer, host_now(p->host) + pause);
}

/* At a site that has not failed the attempt; there is one, at least when none has (phone_servers_choose). */
static void begin(struct phone *p, unsigned tried)
{
    struct phone_subscription *sub = &p->subscription;
    struct phone_request request = {0};
    if (phone_request_route(p, &request, PHONE_PROXY, tried) < 0)
        return;
    forget(p);
    sub->tried = tried;
    sub->server = request.server;
    sub->aor = request.aor;
    prng_hex(&sub->rng, sub->call_id, PHONE_CALL_ID);
    prng_hex(&sub->rng, sub->tag, PHONE_TAG);
    sub->cseq = 0;
    sub->state = PHONE_SUBSCRIBING;
    sip_auth_accepted(&sub->auth);
    (void)trace(p, "trying");
    host_trace_end(p->host);
    subscribe_send(p);
}

/* ---- answers ---- */

/* As of registrations (PH-25): early, or at half of it when that comes later. */
static lab_time refresh_after(const struct phone *p, lab_time expires)
{
    lab_time early = expires - p->settings->renewal;
    return early > expires / 2 ? early : expires / 2;
}

static int dialog_begin(struct phone *p, struct sip_txn *txn, const struct sip_msg *response)
{
    struct phone_subscription *sub = &p->subscription;
    char room[128];
    struct text contact = text_on(room, sizeof room);
    struct sip_msg request;
    if (sub->dialog.state != SIP_DIALOG_NONE)
        return 0;
    phone_dialog_contact_write(p, sip_txn_flow(txn).transport, &contact);
    sip_txn_msg(txn, &request);
    return sip_dialog_init_uac(&sub->dialog, p->txns, &request, response, sip_txn_flow(txn), text_span(&contact));
}

/* §4.1.2.1: Expires of a 2xx says how long it is, at most what was asked for. */
static void accepted(struct phone *p, const struct sip_msg *response)
{
    struct phone_subscription *sub = &p->subscription;
    uint32_t expires = sub->expires;
    int error = dialog_begin(p, sub->txn, response);
    txn_drop(p);
    (void)sip_number_parse(sip_value(response, SIP_H_EXPIRES), UINT32_MAX, &expires);
    if (error || expires == 0) {
        failed(p, response->status, SPAN("unusable answer"), p->settings->retry);
        return;
    }
    sub->state = PHONE_SUBSCRIBED;
    struct record *r = trace(p, "active");
    record_u64(r, "expires", expires);
    host_trace_end(p->host);
    host_timer_start(p->host, &sub->timer, host_now(p->host) + refresh_after(p, (lab_time)expires * SEC));
    if (!sub->notified)
        host_timer_start(p->host, &sub->notify, host_now(p->host) + 64 * sip_txns_timing(p->txns)->t1);
}

static bool worth_another(struct phone *p, const struct sip_msg *response)
{
    struct phone_subscription *sub = &p->subscription;
    uint32_t least;
    if (response->status == 401 || response->status == 407)
        return sip_auth_challenged(&sub->auth, response) == 0;
    sip_auth_accepted(&sub->auth);
    if (response->status != 423 || sip_number_parse(sip_value(response, SIP_H_MIN_EXPIRES), UINT32_MAX, &least) ||
        least <= sub->expires)
        return false;
    sub->expires = least;
    return true;
}

static void unserved(struct phone *p, unsigned status, struct span reason, const char *why, lab_time retry_after)
{
    struct phone_subscription *sub = &p->subscription;
    unsigned tried = sub->tried | 1u << sub->aor; /* the address of record is the site's */
    failed(p, status, reason, retry_after ? retry_after : p->settings->timeout_retry);
    phone_server_failed(p, sub->server, why, retry_after);
    if (sub->state == PHONE_SUBSCRIBE_PAUSE && !phone_register_busy(p))
        begin(p, tried);
}

static void refused(struct phone *p, const struct sip_msg *response)
{
    bool gone = response->status == 481 && p->subscription.state == PHONE_SUBSCRIBED;
    lab_time retry_after;
    if (phone_server_refuses(p, response, &retry_after))
        unserved(p, response->status, response->reason, "503", retry_after);
    else if (gone) /* §4.1.2.2: the notifier knows of no such dialog any more */
        begin(p, 0);
    else
        failed(p, response->status, response->reason, p->settings->retry);
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone *p = arg;
    (void)txn;
    if (in->msg->status < 200)
        return;
    if (in->msg->status != 503)
        phone_server_answered(p, p->subscription.server);
    if (p->subscription.txn != txn)
        return; /* the phone has moved */
    if (in->msg->status < 300) {
        sip_auth_accepted(&p->subscription.auth);
        accepted(p, in->msg);
        return;
    }
    txn_drop(p);
    if (worth_another(p, in->msg))
        subscribe_send(p);
    else
        refused(p, in->msg);
}

static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct phone *p = arg;
    bool again = p->subscription.state == PHONE_SUBSCRIBING &&
                 phone_server_again(p, p->subscription.server, txn, phone_failure_text(status), false);
    txn_drop(p);
    if (again)
        subscribe_send(p);
    else
        unserved(p, status, sip_reason_phrase(status), phone_failure_text(status), 0);
}

static const struct sip_client_events subscribe_events = {.response = on_response, .failed = on_failed};

/* ---- sending ---- */

static void headers_write(uint32_t expires, struct text *out)
{
    text_str(out, "Event: " MWI_EVENT "\r\nAccept: " MWI_TYPE "\r\nExpires: ");
    text_u64(out, expires);
    text_str(out, "\r\n");
}

static int send_first(struct phone *p)
{
    struct phone_subscription *sub = &p->subscription;
    char room[512];
    struct text headers = text_on(room, sizeof room);
    text_str(&headers, "Contact: ");
    phone_dialog_contact_write(p, phone_server_by(p, sub->server), &headers);
    text_str(&headers, "\r\n");
    headers_write(sub->expires, &headers);
    struct phone_request request = {.method = "SUBSCRIBE",
                                    .server = sub->server,
                                    .aor = sub->aor,
                                    .own_uri = true,
                                    .call_id = sub->call_id,
                                    .tag = sub->tag,
                                    .cseq = ++sub->cseq,
                                    .auth = &sub->auth,
                                    .headers = text_span(&headers)};
    return phone_request_send(p, &request, &subscribe_events, p, &sub->txn);
}

static int send_refresh(struct phone *p)
{
    struct phone_subscription *sub = &p->subscription;
    struct sip_credentials who = phone_credentials(p, sub->aor);
    char room[1024];
    struct text headers = text_on(room, sizeof room);
    headers_write(sub->expires, &headers);
    sip_auth_header(&sub->auth, &who, SPAN("SUBSCRIBE"), span_of(sub->dialog.target), &headers);
    struct sip_dialog_request request = {.method = "SUBSCRIBE", .headers = text_span(&headers)};
    return sip_dialog_send(&sub->dialog, &request, &subscribe_events, p, &sub->txn);
}

static void subscribe_send(struct phone *p)
{
    struct phone_subscription *sub = &p->subscription;
    sub->notified = false;
    int error = sub->state == PHONE_SUBSCRIBED ? send_refresh(p) : send_first(p);
    if (!error)
        return;
    sub->txn = NULL;
    failed(p, 503, sip_reason_phrase(503), p->settings->timeout_retry);
}

static void timer_fired(void *arg)
{
    struct phone *p = arg;
    if (p->subscription.state == PHONE_SUBSCRIBED)
        subscribe_send(p);
    else
        begin(p, 0);
}

static void not_notified(void *arg)
{
    struct phone *p = arg;
    failed(p, 0, SPAN("no NOTIFY"), p->settings->timeout_retry);
}

/* ---- NOTIFY ---- */

/* In the dialog, or ahead of the answer that makes it (§4.1.2.4). */
static bool is_ours(const struct phone_subscription *sub, const struct sip_incoming *in)
{
    if (sub->dialog.state != SIP_DIALOG_NONE)
        return sip_dialog_has(&sub->dialog, in->msg);
    return sub->state == PHONE_SUBSCRIBING && span_is(in->core->call_id, sub->call_id) &&
           span_is(in->core->to.tag, sub->tag);
}

/* §4.1.3: what a subscriber does when it was told that the subscription has ended. */
static void terminated(struct phone *p, const struct sip_subscription *s)
{
    lab_time later = s->has_retry_after ? (lab_time)s->retry_after * SEC : p->settings->retry;
    forget(p);
    (void)trace(p, "terminated");
    host_trace_end(p->host);
    p->subscription.state = PHONE_SUBSCRIBE_PAUSE;
    switch (s->reason) {
    case SIP_REASON_REJECTED:
    case SIP_REASON_NORESOURCE:
    case SIP_REASON_INVARIANT: return;
    case SIP_REASON_PROBATION:
    case SIP_REASON_GIVEUP: break;
    case SIP_REASON_NONE:
    case SIP_REASON_DEACTIVATED:
    case SIP_REASON_TIMEOUT: later = 0; break;
    }
    host_timer_start(p->host, &p->subscription.timer, host_now(p->host) + later);
}

static void messages_trace(struct phone *p, const struct sip_msg *notify)
{
    char room[32];
    struct text counts = text_on(room, sizeof room);
    struct mwi m;
    if (notify->body.n == 0 || mwi_parse(notify->body, &m))
        return;
    text_u64(&counts, m.new);
    text_char(&counts, '/');
    text_u64(&counts, m.old);
    struct record *r = trace(p, "notified");
    record_str(r, "waiting", m.waiting ? "yes" : "no");
    if (m.has_counts)
        record_text(r, "messages", text_span(&counts));
    host_trace_end(p->host);
}

void phone_subscribe_notify(struct phone *p, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone_subscription *sub = &p->subscription;
    struct sip_subscription s;
    if (phone_unsubscribe_notified(p, txn, in->msg))
        return;
    if (!is_ours(sub, in) || !sip_event_is(in->msg, MWI_EVENT)) {
        sip_txn_reply_status(txn, 481);
        return;
    }
    if (sub->dialog.state != SIP_DIALOG_NONE && sip_dialog_received(&sub->dialog, in->msg)) {
        sip_txn_reply_status(txn, 500);
        return;
    }
    if (sip_subscription_parse(sip_value(in->msg, SIP_H_SUBSCRIPTION_STATE), &s)) {
        sip_txn_reply_status(txn, 400);
        return;
    }
    sip_txn_reply_status(txn, 200);
    sub->notified = true;
    host_timer_stop(p->host, &sub->notify);
    messages_trace(p, in->msg);
    if (s.state == SIP_SUBSCRIPTION_TERMINATED)
        terminated(p, &s);
}

/* ---- life ---- */

void phone_subscribe_check(struct phone *p)
{
    struct phone_subscription *sub = &p->subscription;
    unsigned site = phone_servers_active(&p->servers, PHONE_PROXY);
    bool there = &p->servers.list[sub->server] == phone_servers_hop(&p->servers, PHONE_PROXY, site) && sub->aor == site;
    if (!p->settings->message_waiting || p->registration.state != PHONE_REGISTERED)
        return;
    if (sub->state != PHONE_UNSUBSCRIBED && there)
        return;
    if (site < sub->aor && sub->state == PHONE_SUBSCRIBED)
        phone_unsubscribe(p, &sub->dialog, sub->aor);
    begin(p, 0);
}

void phone_subscribe_init(struct phone *p)
{
    struct phone_subscription *sub = &p->subscription;
    sip_auth_init(&sub->auth, p->host, "subscribe");
    host_stream(p->host, "subscription", &sub->rng);
    sub->expires = (uint32_t)(p->settings->message_waiting_period / SEC);
    timer_init(&sub->timer, timer_fired, p);
    timer_init(&sub->notify, not_notified, p);
    phone_unsubscribe_init(p);
}

void phone_subscribe_stop(struct phone *p)
{
    phone_unsubscribe_stop(p);
    forget(p);
}
