#include "nodes/phone/phone_outbound.h"

#include "nodes/phone/phone.h"
#include "nodes/phone/phone_flow.h"

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
    if (!sip_outbound_mapped(&p->outbound.machine, phone_flow_number(f), host_now(p->host), seen))
        phone_flow_lost(f, &nothing, "mapping changed", 0);
    phone_outbound_run(p);
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
    phone_outbound_run(p);
}

/* A REGISTER under way by this connection hears of it by itself. */
void phone_outbound_down(struct phone *p, const struct sip_flow *flow)
{
    static const struct phone_registered nothing;
    for (unsigned i = 0; i < p->outbound.n; i++) {
        struct phone_flow *f = &p->outbound.flows[i];
        if (f->flow.connection == flow->connection && !f->txn)
            phone_flow_failed(f, &nothing, "connection closed", 0);
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
            phone_flow_register(f);
        else
            phone_flow_failed(f, &nothing, known ? "moved" : "no such host", 0);
    }
    if (p->outbound.n)
        phone_outbound_run(p);
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
            phone_flow_failed(&p->outbound.flows[i], &nothing, why, 0);
}

/* ---- the machine ---- */

bool phone_outbound_any(const struct phone *p)
{
    for (unsigned i = 0; i < p->outbound.n; i++)
        if (p->outbound.flows[i].registered)
            return true;
    return false;
}

static void lost(struct phone_flow *f)
{
    static const struct phone_registered nothing;
    sip_transport_abort(f->phone->transport, &f->flow);
    phone_flow_lost(f, &nothing, "no answer to keep-alives", 0);
}

void phone_outbound_run(struct phone *p)
{
    struct phone_outbound *o = &p->outbound;
    enum sip_outbound_action action;
    unsigned i;
    while ((action = sip_outbound_next(&o->machine, host_now(p->host), &i)) != SIP_OUTBOUND_NOTHING) {
        switch (action) {
        case SIP_OUTBOUND_FORM: phone_flow_register(&o->flows[i]); break;
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
    phone_outbound_run(arg);
}

/* ---- life ---- */

static void refresh(void *arg)
{
    struct phone_flow *f = arg;
    if (!f->txn)
        phone_flow_register(f);
    phone_outbound_run(f->phone);
}

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
    if (!phone_outbound_any(p))
        phone_register_tell(p, PHONE_TRYING, o->flows[0].server, &nothing);
    for (unsigned i = 0; i < o->n; i++)
        if (o->flows[i].registered && !o->flows[i].txn)
            phone_flow_register(&o->flows[i]);
    sip_outbound_start(&o->machine, host_now(p->host));
    phone_outbound_run(p);
}

void phone_outbound_end(struct phone *p)
{
    struct phone_outbound *o = &p->outbound;
    o->ending = true;
    sip_outbound_stop(&o->machine);
    host_timer_stop(p->host, &o->timer);
    for (unsigned i = 0; i < o->n; i++) {
        struct phone_flow *f = &o->flows[i];
        phone_flow_drop_request(f);
        if (f->registered)
            phone_flow_register(f);
        else
            phone_flow_let_go(f);
    }
}

void phone_outbound_stop(struct phone *p)
{
    struct phone_outbound *o = &p->outbound;
    for (unsigned i = 0; i < o->n; i++) {
        phone_flow_drop_request(&o->flows[i]);
        host_timer_stop(p->host, &o->flows[i].refresh);
        stun_client_stop(&o->flows[i].stun);
    }
    host_timer_stop(p->host, &o->timer);
}
