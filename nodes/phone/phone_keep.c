#include "nodes/phone/phone_keep.h"

#include "nodes/phone/phone.h"
#include "nodes/proto/sip_msg.h"

#define PONG (10 * SEC) /* RFC 5626 §4.4.1 */

enum { TRANSMISSIONS = 7 }; /* of a STUN request, in SIP_OUTBOUND_STUN_LIMIT (§4.4.2) */

static void schedule(struct phone *p)
{
    struct phone_keep *k = &p->keep;
    bool stream = sip_flow_is_reliable(k->flow);
    lab_time wait =
        sip_outbound_interval(&k->rng, stream ? SIP_OUTBOUND_STREAM : SIP_OUTBOUND_DATAGRAM, k->recommended);
    host_timer_start(p->host, &k->timer, host_now(p->host) + wait);
}

static void trace(struct phone *p, const char *state)
{
    struct record *r = host_trace(p->host, "keep");
    record_str(r, "state", state);
    record_endpoint(r, "server", p->keep.flow.remote);
    if (p->keep.agreed)
        record_u64(r, "interval", (uint64_t)(p->keep.recommended / SEC));
    host_trace_end(p->host);
}

/* What the flow was good for is to be had again by another one, or by this one through another mapping. */
static void failed(struct phone *p)
{
    trace(p, "failed");
    phone_keep_stop(p);
    if (p->registration.state == PHONE_REGISTERED)
        phone_register_start(p);
}

/* ---- keep-alives ---- */

/* How long the answer may take; 0: nothing could be sent. */
static lab_time ask(struct phone *p)
{
    struct phone_keep *k = &p->keep;
    if (sip_flow_is_reliable(k->flow))
        return sip_transport_keep_alive(p->transport, &k->flow) ? 0 : PONG;
    k->stun.server = k->flow.remote;
    stun_client_ask(&k->stun);
    return SIP_OUTBOUND_STUN_LIMIT;
}

static void tick(void *arg)
{
    struct phone *p = arg;
    struct phone_keep *k = &p->keep;
    lab_time patience = timer_running(&k->pong) ? 0 : ask(p);
    if (patience)
        host_timer_start(p->host, &k->pong, host_now(p->host) + patience);
    schedule(p);
}

static void no_answer(void *arg)
{
    struct phone *p = arg;
    if (sip_flow_is_reliable(p->keep.flow))
        sip_transport_abort(p->transport, &p->keep.flow); /* and its `down` lets the phone register again */
    else
        failed(p);
}

void phone_keep_pong(struct phone *p, const struct sip_flow *flow)
{
    if (flow->connection == p->keep.flow.connection)
        host_timer_stop(p->host, &p->keep.pong);
}

static void stun_send(void *arg, struct endpoint to, struct span bytes)
{
    struct phone *p = arg;
    (void)to;
    (void)sip_transport_send_stun(p->transport, &p->keep.flow, bytes); /* what is lost is sent again */
}

/* RFC 5626 §4.4.2: seen as another than before: the flow has failed. */
static void stun_mapped(void *arg, struct endpoint seen)
{
    struct phone *p = arg;
    struct phone_keep *k = &p->keep;
    if (seen.port == 0)
        return; /* an error is no answer */
    host_timer_stop(p->host, &k->pong);
    if (k->seen.port && !endpoint_equal(k->seen, seen))
        failed(p);
    else
        k->seen = seen;
}

static const struct stun_client_events stun_events = {stun_send, stun_mapped};

bool phone_keep_stun(struct phone *p, struct endpoint from, struct span bytes)
{
    return stun_client_heard(&p->keep.stun, from, bytes);
}

/* ---- what is agreed on ---- */

void phone_keep_registered(struct phone *p, const struct sip_msg *response, unsigned server)
{
    struct phone_keep *k = &p->keep;
    struct sip_flow flow = phone_server_flow(p, server);
    struct sip_via via;
    lab_time recommended = 0;
    if (p->settings->keep_alive != PHONE_KEEP_ALIVE_NEGOTIATED)
        return;
    bool agreed = sip_via_parse(sip_value(response, SIP_H_VIA), &via) == 0 && sip_outbound_keep(&via, &recommended);
    if (agreed && k->agreed && k->recommended == recommended && sip_flow_equal(k->flow, flow))
        return; /* goes on as it is */
    phone_keep_stop(p);
    k->agreed = agreed;
    k->recommended = recommended;
    k->flow = flow;
    trace(p, agreed ? "agreed" : "not-wanted");
    if (agreed)
        schedule(p);
}

void phone_keep_down(struct phone *p, const struct sip_flow *flow)
{
    if (flow->connection == p->keep.flow.connection)
        phone_keep_stop(p);
}

void phone_keep_stop(struct phone *p)
{
    struct phone_keep *k = &p->keep;
    host_timer_stop(p->host, &k->timer);
    host_timer_stop(p->host, &k->pong);
    stun_client_stop(&k->stun);
    k->agreed = false;
    k->seen = (struct endpoint){0, 0};
}

void phone_keep_init(struct phone *p)
{
    struct phone_keep *k = &p->keep;
    host_stream(p->host, "keep", &k->rng);
    timer_init(&k->timer, tick, p);
    timer_init(&k->pong, no_answer, p);
    stun_client_init(&k->stun, p->host, (struct endpoint){0, 1}, "keep stun", &stun_events, p);
    k->stun.transmissions = TRANSMISSIONS;
}
