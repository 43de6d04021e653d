/* Line ends (RFC 5626 §4.4.1's bytes) ask for no answer over UDP, so their loss goes unnoticed; on a connection they
 * may be waited for. OPTIONS does ask, and when no answer comes the phone registers anew. */
#include "nodes/phone/phone.h"

static void probe_drop(struct phone *p)
{
    if (p->keep_alives.probe)
        sip_txn_release(p->keep_alives.probe);
    p->keep_alives.probe = NULL;
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone *p = arg;
    lab_time retry_after;
    (void)txn;
    if (in->msg->status < 200)
        return;
    probe_drop(p);
    if (phone_server_refuses(p, in->msg, &retry_after))
        phone_server_failed(p, p->keep_alives.probed, "503", retry_after);
    else
        phone_server_answered(p, p->keep_alives.probed); /* any other answer will do: the path works */
}

static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct phone *p = arg;
    bool again = phone_server_again(p, p->keep_alives.probed, txn, phone_failure_text(status), false);
    phone_transport_doubt(p, txn, status);
    probe_drop(p);
    if (!again)
        phone_server_failed(p, p->keep_alives.probed, phone_failure_text(status), 0);
    if (p->registration.state == PHONE_REGISTERED)
        phone_register_start(p);
}

static const struct sip_client_events probe_events = {.response = on_response, .failed = on_failed};

static void probe_send(struct phone *p)
{
    char call_id[PHONE_CALL_ID + 1];
    char tag[PHONE_TAG + 1];
    if (p->keep_alives.probe)
        return;
    prng_hex(&p->rng, call_id, PHONE_CALL_ID);
    prng_hex(&p->rng, tag, PHONE_TAG);
    struct phone_request request = {.method = "OPTIONS", .call_id = call_id, .tag = tag, .cseq = 1};
    (void)phone_request_route(p, &request, PHONE_PROXY, 0); /* a new request goes somewhere */
    p->keep_alives.probed = request.server;
    if (phone_request_send(p, &request, &probe_events, p, &p->keep_alives.probe))
        p->keep_alives.probe = NULL;
}

/* ---- line ends ---- */

/* By a connection that is not up nothing is sent: it is opened by who has something to say. Nor is anything sent to a
 * server of which DNS does not tell any more where it is. */
static void ping(struct phone *p, const struct sip_flow *flow)
{
    struct phone_keep_alives *k = &p->keep_alives;
    if (flow->remote.port == 0)
        return;
    int error = sip_transport_keep_alive(p->transport, flow);
    if (error || !sip_flow_is_reliable(*flow) || p->settings->pong == 0 || timer_running(&k->pong))
        return;
    k->pinged = *flow;
    host_timer_start(p->host, &k->pong, host_now(p->host) + p->settings->pong);
}

void phone_keep_alive_pong(struct phone *p, const struct sip_flow *flow)
{
    if (flow->connection == p->keep_alives.pinged.connection)
        host_timer_stop(p->host, &p->keep_alives.pong);
}

/* §4.4.1: a flow by which no answer comes has failed. */
static void no_pong(void *arg)
{
    struct phone *p = arg;
    sip_transport_abort(p->transport, &p->keep_alives.pinged);
}

/* To everybody who may call us: proxy and registrar in use. A lost one is made good by the next. */
static void line_ends(struct phone *p)
{
    const struct phone_servers *s = &p->servers;
    const struct phone_server *proxy = phone_servers_hop(s, PHONE_PROXY, phone_servers_active(s, PHONE_PROXY));
    const struct phone_server *registrar =
        phone_servers_hop(s, PHONE_REGISTRAR, phone_servers_active(s, PHONE_REGISTRAR));
    struct sip_flow flow = phone_server_flow(p, (unsigned)(proxy - s->list));
    ping(p, &flow);
    if (registrar == proxy)
        return;
    flow = phone_server_flow(p, (unsigned)(registrar - s->list));
    ping(p, &flow);
}

static void tick(void *arg)
{
    struct phone *p = arg;
    if (p->settings->keep_alive == PHONE_KEEP_ALIVE_OPTIONS)
        probe_send(p);
    else if (p->settings->keep_alive == PHONE_KEEP_ALIVE_STUN)
        stun_client_ask(&p->stun);
    else
        line_ends(p);
    host_timer_start(p->host, &p->keep_alives.timer, host_now(p->host) + p->settings->keep_alive_interval);
}

/* ---- persistent TLS ---- */

/* PH-5: 80 to 100 % of the interval. */
static void persistent_set(struct phone *p)
{
    struct phone_keep_alives *k = &p->keep_alives;
    lab_time n = p->settings->persistent_keep_alive;
    lab_time wait = n - (lab_time)prng_below(&k->rng, (uint64_t)(n / 5) + 1);
    host_timer_start(p->host, &k->persistent, host_now(p->host) + wait);
}

static void persistent_tick(void *arg)
{
    struct phone *p = arg;
    ping(p, &p->keep_alives.line);
    persistent_set(p);
}

void phone_keep_alive_up(struct phone *p, const struct sip_flow *flow)
{
    if (flow->transport != SIP_TLS || !p->settings->persistent_tls || p->settings->outbound ||
        p->settings->persistent_keep_alive == 0)
        return;
    p->keep_alives.line = *flow;
    persistent_set(p);
}

void phone_keep_alive_down(struct phone *p, const struct sip_flow *flow)
{
    struct phone_keep_alives *k = &p->keep_alives;
    if (flow->connection == k->pinged.connection)
        host_timer_stop(p->host, &k->pong);
    if (flow->connection == k->line.connection)
        host_timer_stop(p->host, &k->persistent);
}

/* ---- life ---- */

void phone_keep_alive_start(struct phone *p)
{
    host_stream(p->host, "keep-alive", &p->keep_alives.rng);
    timer_init(&p->keep_alives.timer, tick, p);
    timer_init(&p->keep_alives.persistent, persistent_tick, p);
    timer_init(&p->keep_alives.pong, no_pong, p);
    if (p->settings->keep_alive != PHONE_KEEP_ALIVE_NONE && p->settings->keep_alive != PHONE_KEEP_ALIVE_NEGOTIATED)
        host_timer_start(p->host, &p->keep_alives.timer, host_now(p->host) + p->settings->keep_alive_interval);
}

void phone_keep_alive_stop(struct phone *p)
{
    probe_drop(p);
    host_timer_stop(p->host, &p->keep_alives.timer);
    host_timer_stop(p->host, &p->keep_alives.persistent);
    host_timer_stop(p->host, &p->keep_alives.pong);
}
