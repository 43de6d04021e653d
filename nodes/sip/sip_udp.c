/* SIP in datagrams (RFC 3261 §18): one message each, or a keep-alive, or STUN on the same socket. */
#include "nodes/sip/sip_transport_private.h"

#include "nodes/base/error.h"
#include "nodes/proto/stun.h"

static bool is_keep_alive(struct span data)
{
    return span_is(data, "\r\n") || span_is(data, "\r\n\r\n");
}

static void received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct sip_socket *socket = arg;
    struct sip_transport_layer *t = socket->layer;
    struct sip_msg msg;
    struct sip_problem why = {0};
    struct sip_flow flow = sip_flow_to(socket->number, from);
    if (!sip_socket_admits(socket, from)) {
        sip_transport_drop(t, "not-allowed", NULL, NULL, &flow);
        return;
    }
    if (is_keep_alive(data)) {
        t->count.keep_alives++;
        return;
    }
    if (t->stun_heard && stun_is(data)) {
        t->stun_heard(t->stun_arg, socket->number, from, data);
        return;
    }
    (void)sip_parse(data, &msg, &why);
    sip_arrival_take(t, &msg, &why, flow, ttl);
}

static void refused(void *arg, const struct host_icmp *error)
{
    struct sip_socket *socket = arg;
    struct sip_transport_layer *t = socket->layer;
    t->count.icmp++;
    if (t->config.heed_icmp && t->events && t->events->failed)
        t->events->failed(t->arg, sip_flow_to(socket->number, error->to), FE_EUNREACH);
}

int sip_udp_open(struct sip_socket *s)
{
    static const struct host_udp_events events = {.received = received, .refused = refused};
    int error = host_udp_open(s->layer->host, s->local, &events, s, &s->udp);
    if (!error)
        s->local = host_udp_local(s->udp);
    return error;
}

void sip_udp_close(struct sip_socket *s)
{
    host_udp_close(s->udp);
}

int sip_udp_send(struct sip_socket *s, struct endpoint to, struct span bytes)
{
    int error = host_udp_send(s->udp, to, 0, bytes);
    if (error)
        s->layer->count.unsent++;
    return error;
}
