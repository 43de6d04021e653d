#include "nodes/phone/phone_flow.h"

#include "nodes/base/error.h"
#include "nodes/phone/phone.h"

unsigned phone_flow_number(const struct phone_flow *f)
{
    return (unsigned)(f - f->phone->outbound.flows);
}

/* ---- the trace ---- */

static void trace(struct phone_flow *f, const char *state, const char *why)
{
    struct phone *p = f->phone;
    struct record *r = host_trace(p->host, "outbound");
    record_str(r, "state", state);
    record_u64(r, "reg_id", phone_flow_number(f) + 1);
    record_endpoint(r, "server", phone_server_at(p, f->server));
    record_text(r, "transport", sip_transport_name(phone_server_by(p, f->server)));
    if (why)
        record_str(r, "why", why);
    host_trace_end(p->host);
}

/* ---- what becomes of a flow ---- */

void phone_flow_drop_request(struct phone_flow *f)
{
    if (f->txn)
        sip_txn_release(f->txn);
    f->txn = NULL;
}

/* Nothing is left of it. */
void phone_flow_let_go(struct phone_flow *f)
{
    struct phone *p = f->phone;
    phone_flow_drop_request(f);
    host_timer_stop(p->host, &f->refresh);
    stun_client_stop(&f->stun);
    if (f->flow.connection)
        sip_transport_close(p->transport, &f->flow);
    p->by.lines[f->server].connection = 0;
    f->flow = (struct sip_flow){0};
    f->registered = false;
    f->locating = false;
}

void phone_flow_lost(struct phone_flow *f, const struct phone_registered *answer, const char *why, lab_time retry_after)
{
    struct phone *p = f->phone;
    phone_flow_let_go(f);
    trace(f, "failed", why);
    phone_server_failed(p, f->server, why, retry_after);
    if (!phone_outbound_any(p))
        phone_register_tell(p, PHONE_FAILED, f->server, answer);
}

/* §4.5: a flow that failed waits, or is formed again at once; the machine knows. */
void phone_flow_failed(struct phone_flow *f, const struct phone_registered *answer, const char *why,
                       lab_time retry_after)
{
    struct phone *p = f->phone;
    sip_outbound_failed(&p->outbound.machine, phone_flow_number(f), host_now(p->host), retry_after);
    phone_flow_lost(f, answer, why, retry_after);
    phone_outbound_run(p);
}

/* ---- answers to REGISTER ---- */

static lab_time interval_recommended(const struct sip_msg *response)
{
    struct sip_via via;
    lab_time interval = sip_outbound_flow_timer(response);
    lab_time kept;
    if (interval == 0 && sip_via_parse(sip_value(response, SIP_H_VIA), &via) == 0 && sip_outbound_keep(&via, &kept))
        interval = kept;
    return interval;
}

/* §4.4: keep-alives are for servers that know them: outbound governs, or they said how often. Elsewhere a registration
 * is all that a flow needs. */
static void keep_alives_agree(struct phone *p, const struct sip_msg *response, lab_time interval)
{
    p->outbound.machine.config.no_keep_alive = interval == 0 && !sip_lists(response, SIP_H_REQUIRE, "outbound");
}

static void accepted(struct phone_flow *f, const struct sip_msg *response)
{
    struct phone *p = f->phone;
    bool stream = sip_flow_is_reliable(f->flow);
    bool before = f->registered;
    struct phone_registered answer = {.status = response->status, .reason = response->reason};
    answer.expires = phone_register_granted(p, response, f->flow.transport, f->expires);
    if (answer.expires == 0) {
        phone_flow_failed(f, &answer, "not registered", p->settings->retry);
        return;
    }
    lab_time interval = interval_recommended(response);
    keep_alives_agree(p, response, interval);
    f->registered = true;
    if (!before)
        trace(f, "up", NULL);
    sip_outbound_registered(&p->outbound.machine, phone_flow_number(f), host_now(p->host),
                            stream ? SIP_OUTBOUND_STREAM : SIP_OUTBOUND_DATAGRAM, interval);
    host_timer_start(p->host, &f->refresh, host_now(p->host) + phone_refresh_after(p, (lab_time)answer.expires * SEC));
    phone_register_tell(p, PHONE_REGISTERED, f->server, &answer);
    phone_server_answered(p, f->server);
    phone_subscribe_check(p);
    phone_outbound_run(p);
}

/* §6: the first hop does not know outbound; without it then. */
static bool worth_another(struct phone_flow *f, const struct sip_msg *response)
{
    if (response->status == 401 || response->status == 407)
        return sip_auth_challenged(&f->auth, response) == 0;
    sip_auth_accepted(&f->auth);
    if (response->status == 439 && !f->plain) {
        f->plain = true;
        return true;
    }
    return phone_interval_raised(response, &f->expires);
}

static lab_time retry_after_of(const struct phone *p, const struct sip_msg *response)
{
    uint32_t seconds;
    if (!p->settings->heed_retry_after || sip_delta_parse(sip_value(response, SIP_H_RETRY_AFTER), &seconds, NULL))
        return 0;
    return (lab_time)seconds * SEC;
}

static void ended(struct phone_flow *f)
{
    struct phone *p = f->phone;
    struct phone_registered nothing = {0};
    phone_flow_let_go(f);
    if (!phone_outbound_any(p))
        phone_register_tell(p, PHONE_UNREGISTERED, f->server, &nothing);
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone_flow *f = arg;
    struct phone *p = f->phone;
    const struct sip_msg *m = in->msg;
    (void)txn;
    if (m->status < 200)
        return;
    phone_flow_drop_request(f);
    if (worth_another(f, m)) {
        phone_flow_register(f);
    } else if (p->outbound.ending) {
        ended(f);
    } else if (m->status < 300) {
        accepted(f, m);
    } else {
        struct phone_registered answer = {.status = m->status, .reason = m->reason};
        phone_flow_failed(f, &answer, m->status == 503 ? "503" : "refused", retry_after_of(p, m));
    }
}

/* PH-13: by the next transport at once; the flow has failed when there is none. */
static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct phone_flow *f = arg;
    struct phone *p = f->phone;
    struct phone_registered answer = {.status = status, .reason = sip_reason_phrase(status)};
    bool first = !f->registered;
    phone_transport_doubt(p, txn, status);
    if (p->outbound.ending) {
        ended(f);
        return;
    }
    bool again = first && phone_server_again(p, f->server, txn, phone_failure_text(status), false);
    if (!again) {
        phone_flow_failed(f, &answer, phone_failure_text(status), 0);
        return;
    }
    phone_flow_let_go(f);
    phone_flow_register(f);
}

static const struct sip_client_events register_events = {.response = on_response, .failed = on_failed};

/* ---- forming ---- */

/* <sip:101@192.168.1.20:5061;transport=tls>;+sip.instance="<urn:uuid:…>";reg-id=1 (§4.2.1) */
static struct span headers_write(const struct phone_flow *f, struct text *room)
{
    const struct phone *p = f->phone;
    text_str(room, "Contact: ");
    phone_contact_write(p, phone_server_by(p, f->server), room);
    text_str(room, ";+sip.instance=\"<");
    text_str(room, p->outbound.instance);
    text_str(room, ">\"");
    if (!f->plain) {
        text_str(room, ";reg-id=");
        text_u64(room, phone_flow_number(f) + 1);
    }
    text_str(room, f->plain ? "\r\nSupported: path\r\nExpires: " : "\r\nSupported: path, outbound\r\nExpires: ");
    text_u64(room, p->outbound.ending ? 0 : f->expires);
    text_str(room, "\r\n");
    return text_span(room);
}

/* A connection of the flow's own. FE_EUSED: the last one has not said good-bye to the end (PH-4). */
static int connect(struct phone_flow *f)
{
    struct phone *p = f->phone;
    if (f->flow.transport != SIP_TRANSPORT_OTHER)
        return 0;
    struct sip_flow flow = phone_server_flow(p, f->server);
    flow.connection = 0;
    int error = sip_flow_is_reliable(flow) ? sip_transport_connect(p->transport, &flow, (struct span){0}) : 0;
    if (!error)
        f->flow = flow;
    return error;
}

void phone_flow_register(struct phone_flow *f)
{
    struct phone *p = f->phone;
    char room[384];
    struct text headers = text_on(room, sizeof room);
    struct phone_registered answer = {.status = 503, .reason = sip_reason_phrase(503)};
    f->locating = !phone_locate_known(p, f->server);
    if (f->locating)
        return;
    int error = connect(f);
    if (error == FE_EUSED) {
        host_timer_start(p->host, &f->refresh, host_now(p->host) + p->settings->reopen_after);
        return;
    }
    struct phone_request request = {.method = "REGISTER",
                                    .server = f->server,
                                    .flow = &f->flow,
                                    .call_id = f->call_id,
                                    .tag = f->tag,
                                    .cseq = ++f->cseq,
                                    .auth = &f->auth,
                                    .headers = headers_write(f, &headers)};
    if (!error)
        error = phone_request_send(p, &request, &register_events, f, &f->txn);
    if (!error)
        return;
    f->txn = NULL;
    sip_outbound_failed(&p->outbound.machine, phone_flow_number(f), host_now(p->host), 0);
    phone_flow_lost(f, &answer, "transport error", 0); /* the caller looks for the machine's next deadline */
}
