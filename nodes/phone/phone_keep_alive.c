/* What keeps the NAT's mapping to the proxy open. Line ends (RFC 5626 §4.4.1's bytes, over UDP) ask for no answer, so
 * their loss goes unnoticed; OPTIONS does ask, and when no answer comes the phone registers anew. */
#include "nodes/phone/phone.h"

static void probe_drop(struct phone *p)
{
    if (p->probe)
        sip_txn_release(p->probe);
    p->probe = NULL;
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
        phone_server_failed(p, p->probed, "503", retry_after);
    else
        phone_server_answered(p, p->probed); /* any other answer will do: the path works */
}

static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct phone *p = arg;
    (void)txn;
    probe_drop(p);
    phone_server_failed(p, p->probed, phone_failure_text(status), 0);
    if (p->registration.state == PHONE_REGISTERED)
        phone_register_start(p);
}

static const struct sip_client_events probe_events = {.response = on_response, .failed = on_failed};

static void probe_send(struct phone *p)
{
    char call_id[PHONE_CALL_ID + 1];
    char tag[PHONE_TAG + 1];
    if (p->probe)
        return;
    prng_hex(&p->rng, call_id, PHONE_CALL_ID);
    prng_hex(&p->rng, tag, PHONE_TAG);
    struct phone_request request = {.method = "OPTIONS", .call_id = call_id, .tag = tag, .cseq = 1};
    (void)phone_request_route(p, &request, PHONE_PROXY, 0); /* a new request goes somewhere */
    p->probed = request.server;
    if (phone_request_send(p, &request, &probe_events, p, &p->probe))
        p->probe = NULL;
}

/* To everybody who may call us: proxy and registrar in use. A lost one is made good by the next. */
static void line_ends(struct phone *p)
{
    const struct phone_servers *s = &p->servers;
    const struct phone_server *proxy = phone_servers_hop(s, PHONE_PROXY, phone_servers_active(s, PHONE_PROXY));
    const struct phone_server *registrar =
        phone_servers_hop(s, PHONE_REGISTRAR, phone_servers_active(s, PHONE_REGISTRAR));
    struct sip_flow flow = phone_server_flow(p, (unsigned)(proxy - s->list));
    (void)sip_transport_keep_alive(p->transport, &flow);
    if (registrar == proxy)
        return;
    flow = phone_server_flow(p, (unsigned)(registrar - s->list));
    (void)sip_transport_keep_alive(p->transport, &flow);
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
    host_timer_start(p->host, &p->keep_alive, host_now(p->host) + p->settings->keep_alive_interval);
}

void phone_keep_alive_start(struct phone *p)
{
    timer_init(&p->keep_alive, tick, p);
    if (p->settings->keep_alive != PHONE_KEEP_ALIVE_NONE)
        host_timer_start(p->host, &p->keep_alive, host_now(p->host) + p->settings->keep_alive_interval);
}

void phone_keep_alive_stop(struct phone *p)
{
    probe_drop(p);
    host_timer_stop(p->host, &p->keep_alive);
}
