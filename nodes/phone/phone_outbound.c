#include "nodes/phone/phone_outbound.h"

#include "nodes/base/error.h"
#include "nodes/phone/phone.h"

static void register_send(struct phone_flow *f);
static void run(struct phone *p);

static unsigned number_of(const struct phone_flow *f)
{
    return (unsigned)(f - f->phone->outbound.flows);
}

/* ---- the trace ---- */

static void trace(struct phone_flow *f, const char *state, const char *why)
{
    struct phone *p = f->phone;
    struct record *r = host_trace(p->host, "outbound");
    record_str(r, "state", state);
    record_u64(r, "reg_id", number_of(f) + 1);
    record_endpoint(r, "server", phone_server_at(p, f->server));
    record_text(r, "transport", sip_transport_name(phone_server_by(p, f->server)));
    if (why)
        record_str(r, "why", why);
    host_trace_end(p->host);
}

static bool any_registered(const struct phone *p)
{
    for (unsigned i = 0; i < p->outbound.n; i++)
        if (p->outbound.flows[i].registered)
            return true;
    return false;
}

/* ---- what becomes of a flow ---- */

static void txn_drop(struct phone_flow *f)
{
    if (f->txn)
        sip_txn_release(f->txn);
    f->txn = NULL;
}

/* Nothing is left of it. */
static void let_go(struct phone_flow *f)
{
    struct phone *p = f->phone;
    txn_drop(f);
    host_timer_stop(p->host, &f->refresh);
    stun_client_stop(&f->stun);
    if (f->flow.connection)
        sip_transport_close(p->transport, &f->flow);
    p->by.lines[f->server].connection = 0;
    f->flow = (struct sip_flow){0};
    f->registered = false;
    f->locating = false;
}

static void flow_lost(struct phone_flow *f, const struct phone_registered *answer, const char *why,
                      lab_time retry_after)
{
    struct phone *p = f->phone;
    let_go(f);
    trace(f, "failed", why);
    phone_server_failed(p, f->server, why, retry_after);
    if (!any_registered(p))
        phone_register_tell(p, PHONE_FAILED, f->server, answer);
}

/* §4.5: a flow that failed waits, or is formed again at once; the machine knows. */
static void failed(struct phone_flow *f, const struct phone_registered *answer, const char *why, lab_time retry_after)
{
    struct phone *p = f->phone;
    sip_outbound_failed(&p->outbound.machine, number_of(f), host_now(p->host), retry_after);
    flow_lost(f, answer, why, retry_after);
    run(p);
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
        failed(f, &answer, "not registered", p->settings->retry);
        return;
    }
    lab_time interval = interval_recommended(response);
    keep_alives_agree(p, response, interval);
    f->registered = true;
    if (!before)
        trace(f, "up", NULL);
    sip_outbound_registered(&p->outbound.machine, number_of(f), host_now(p->host),
                            stream ? SIP_OUTBOUND_STREAM : SIP_OUTBOUND_DATAGRAM, interval);
    host_timer_start(p->host, &f->refresh, host_now(p->host) + phone_refresh_after(p, (lab_time)answer.expires * SEC));
    phone_register_tell(p, PHONE_REGISTERED, f->server, &answer);
    phone_server_answered(p, f->server);
    phone_subscribe_check(p);
    run(p);
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
    let_go(f);
    if (!any_registered(p))
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
    txn_drop(f);
    if (worth_another(f, m)) {
        register_send(f);
    } else if (p->outbound.ending) {
        ended(f);
    } else if (m->status < 300) {
        accepted(f, m);
    } else {
        struct phone_registered answer = {.status = m->status, .reason = m->reason};
        failed(f, &answer, m->status == 503 ? "503" : "refused", retry_after_of(p, m));
    }
}

/* PH-13: by the next transport at once; the flow has failed when there is none. */
static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct phone_flow *f = arg;
    struct phone *p = f->phone;
    struct phone_registered answer = {.status = status, .reason = sip_reason_phrase(status)};
    bool first = !f->registered;
    if (p->outbound.ending) {
        ended(f);
        return;
    }
    bool again = first && phone_server_again(p, f->server, txn, phone_failure_text(status), false);
    if (!again) {
        failed(f, &answer, phone_failure_text(status), 0);
        return;
    }
    let_go(f);
    register_send(f);
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
        text_u64(room, number_of(f) + 1);
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

static void register_send(struct phone_flow *f)
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
    sip_outbound_failed(&p->outbound.machine, number_of(f), host_now(p->host), 0);
    flow_lost(f, &answer, "transport error", 0); /* the caller looks for the machine's next deadline */
}

static void refresh(void *arg)
{
    struct phone_flow *f = arg;
    if (!f->txn)
        register_send(f);
    run(f->phone);
}

/* ---- keep-alives ---- */

static void ping(struct phone_flow *f)
{
    struct phone *p = f->phone;
    if (sip_flow_is_reliable(f->flow)) {
        (void)sip_transport_keep_alive(p->transport, &f->flow); /* what cannot be sent is not answered */
        return;
    }
    f->stun.server = f->flow.remote;
    stun_client_ask(&f->stun);
}

static void stun_send(void *arg, struct endpoint to, struct span bytes)
{
    struct phone_flow *f = arg;
    (void)to;
    (void)sip_transport_send_stun(f->phone->transport, &f->flow, bytes); /* what is lost is sent again */
}

static void stun_mapped(void *arg, struct endpoint seen)
{
    static const struct phone_registered nothing;
    struct phone_flow *f = arg;
    struct phone *p = f->phone;
    if (seen.port == 0)
        return; /* the machine's own deadline says so */
    if (!sip_outbound_mapped(&p->outbound.machine, number_of(f), host_now(p->host), seen))
        flow_lost(f, &nothing, "mapping changed", 0);
    run(p);
}

static const struct stun_client_events stun_events = {stun_send, stun_mapped};

bool phone_outbound_stun(struct phone *p, struct endpoint from, struct span bytes)
{
    for (unsigned i = 0; i < p->outbound.n; i++)
        if (stun_client_heard(&p->outbound.flows[i].stun, from, bytes))
            return true;
    return false;
}

void phone_outbound_pong(struct phone *p, const struct sip_flow *flow)
{
    if (p->outbound.n == 0)
        return;
    for (unsigned i = 0; i < p->outbound.n; i++)
        if (p->outbound.flows[i].flow.connection == flow->connection)
            sip_outbound_pong(&p->outbound.machine, i, host_now(p->host));
    run(p);
}

/* A REGISTER under way by this connection hears of it by itself. */
void phone_outbound_down(struct phone *p, const struct sip_flow *flow)
{
    static const struct phone_registered nothing;
    for (unsigned i = 0; i < p->outbound.n; i++) {
        struct phone_flow *f = &p->outbound.flows[i];
        if (f->flow.connection == flow->connection && !f->txn)
            failed(f, &nothing, "connection closed", 0);
    }
}

void phone_outbound_located(struct phone *p, unsigned server, bool moved)
{
    static const struct phone_registered nothing;
    bool known = p->servers.list[server].targets.n > 0;
    for (unsigned i = 0; i < p->outbound.n; i++) {
        struct phone_flow *f = &p->outbound.flows[i];
        if (f->server != server || !(f->locating || moved))
            continue;
        if (f->locating && known)
            register_send(f);
        else
            failed(f, &nothing, known ? "moved" : "no such host", 0);
    }
    if (p->outbound.n)
        run(p);
}

bool phone_outbound_serves(const struct phone *p, unsigned server)
{
    for (unsigned i = 0; i < p->outbound.n; i++)
        if (p->outbound.flows[i].server == server)
            return p->outbound.flows[i].registered;
    return true;
}

void phone_outbound_failed(struct phone *p, unsigned server, const char *why)
{
    static const struct phone_registered nothing;
    for (unsigned i = 0; i < p->outbound.n; i++)
        if (p->outbound.flows[i].server == server && p->outbound.flows[i].registered)
            failed(&p->outbound.flows[i], &nothing, why, 0);
}

/* ---- the machine ---- */

static void lost(struct phone_flow *f)
{
    static const struct phone_registered nothing;
    sip_transport_abort(f->phone->transport, &f->flow);
    flow_lost(f, &nothing, "no answer to keep-alives", 0);
}

static void run(struct phone *p)
{
    struct phone_outbound *o = &p->outbound;
    enum sip_outbound_action action;
    unsigned i;
    while ((action = sip_outbound_next(&o->machine, host_now(p->host), &i)) != SIP_OUTBOUND_NOTHING) {
        switch (action) {
        case SIP_OUTBOUND_FORM: register_send(&o->flows[i]); break;
        case SIP_OUTBOUND_PING: ping(&o->flows[i]); break;
        case SIP_OUTBOUND_LOST: lost(&o->flows[i]); break;
        case SIP_OUTBOUND_NOTHING: break;
        }
    }
    lab_time deadline = sip_outbound_deadline(&o->machine);
    if (deadline == NEVER)
        host_timer_stop(p->host, &o->timer);
    else
        host_timer_start(p->host, &o->timer, deadline);
}

static void tick(void *arg)
{
    run(arg);
}

/* ---- life ---- */

/* As these phones make it from their hardware address, of the maker's block (SB-7). */
static void instance_draw(struct phone *p)
{
    struct prng rng;
    struct text t = text_on(p->outbound.instance, sizeof p->outbound.instance);
    char digits[7];
    host_stream(p->host, "instance", &rng);
    prng_hex(&rng, digits, 6);
    text_str(&t, "urn:uuid:00000000-0000-1000-8000-08000f");
    text_str(&t, digits);
}

static void flow_init(struct phone *p, unsigned i)
{
    static const char *const purposes[PHONE_SITES] = {"flow 1", "flow 2"};
    struct phone_flow *f = &p->outbound.flows[i];
    struct prng rng;
    f->phone = p;
    f->server = (unsigned)(phone_servers_hop(&p->servers, PHONE_REGISTRAR, i) - p->servers.list);
    f->expires = (uint32_t)(p->settings->expires / SEC);
    sip_auth_init(&f->auth, p->host, purposes[i]);
    host_stream(p->host, purposes[i], &rng);
    prng_hex(&rng, f->call_id, PHONE_CALL_ID);
    prng_hex(&rng, f->tag, PHONE_TAG);
    timer_init(&f->refresh, refresh, f);
    stun_client_init(&f->stun, p->host, (struct endpoint){0, 1}, purposes[i], &stun_events, f);
}

void phone_outbound_init(struct phone *p)
{
    struct phone_outbound *o = &p->outbound;
    const struct phone_settings *s = p->settings;
    struct sip_outbound_config config = {.pong = s->pong, .interval = s->outbound_keep_alive};
    struct prng rng;
    if (!s->outbound)
        return;
    if (config.interval == 0 && s->persistent_tls)
        config.interval = s->persistent_keep_alive;
    host_stream(p->host, "outbound", &rng);
    instance_draw(p);
    timer_init(&o->timer, tick, p);
    o->n = phone_servers_group(&p->servers, PHONE_REGISTRAR)->n;
    for (unsigned i = 0; i < o->n; i++)
        flow_init(p, i);
    sip_outbound_init(&o->machine, &config, o->n, &rng);
}

void phone_outbound_start(struct phone *p)
{
    struct phone_outbound *o = &p->outbound;
    struct phone_registered nothing = {0};
    o->ending = false;
    if (!any_registered(p))
        phone_register_tell(p, PHONE_TRYING, o->flows[0].server, &nothing);
    for (unsigned i = 0; i < o->n; i++)
        if (o->flows[i].registered && !o->flows[i].txn)
            register_send(&o->flows[i]);
    sip_outbound_start(&o->machine, host_now(p->host));
    run(p);
}

void phone_outbound_end(struct phone *p)
{
    struct phone_outbound *o = &p->outbound;
    o->ending = true;
    sip_outbound_stop(&o->machine);
    host_timer_stop(p->host, &o->timer);
    for (unsigned i = 0; i < o->n; i++) {
        struct phone_flow *f = &o->flows[i];
        txn_drop(f);
        if (f->registered)
            register_send(f);
        else
            let_go(f);
    }
}

void phone_outbound_stop(struct phone *p)
{
    struct phone_outbound *o = &p->outbound;
    for (unsigned i = 0; i < o->n; i++) {
        txn_drop(&o->flows[i]);
        host_timer_stop(p->host, &o->flows[i].refresh);
        stun_client_stop(&o->flows[i].stun);
    }
    host_timer_stop(p->host, &o->timer);
}
