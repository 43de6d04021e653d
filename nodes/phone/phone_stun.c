/* What a phone does about NATs by itself: it asks a STUN server how its SIP port is seen, and writes that into Contact
 * and Via as if it were its own (RFC 5389 §2's use by SIP, before RFC 5626). That holds as long as the NAT maps the
 * port alike towards the server and towards the proxy. The ports of the media are asked for with each call. */
#include "nodes/phone/phone.h"

static void send(void *arg, struct endpoint to, struct span bytes)
{
    struct phone *p = arg;
    struct sip_flow flow = sip_flow_to(phone_socket(p, SIP_UDP)->number, to);
    (void)sip_transport_send_stun(p->transport, &flow, bytes); /* what is lost is sent again */
}

static void trace(struct phone *p, const char *state)
{
    struct record *r = host_trace(p->host, "stun");
    record_str(r, "state", state);
    record_endpoint(r, "local", phone_socket(p, SIP_UDP)->local);
    record_endpoint(r, "public", phone_socket(p, SIP_UDP)->contact);
    host_trace_end(p->host);
}

/* The first answer lets the phone register; another address than before makes it register anew. */
static void mapped(void *arg, struct endpoint seen)
{
    struct phone *p = arg;
    struct phone_socket *udp = &p->by.sockets[SIP_UDP];
    bool moved = seen.port && !endpoint_equal(seen, udp->contact);
    if (moved) {
        udp->contact = seen;
        sip_transport_advertise(p->transport, udp->number, seen);
    }
    if (moved || !seen.port)
        trace(p, seen.port ? "mapped" : "failed");
    bool first = !p->stun_tried;
    p->stun_tried = true;
    if (first ? p->settings->registers : moved && p->registration.state == PHONE_REGISTERED)
        phone_register_start(p);
}

static void heard(void *arg, unsigned socket, struct endpoint from, struct span bytes)
{
    struct phone *p = arg;
    (void)socket;
    if (!phone_outbound_stun(p, from, bytes) && !phone_keep_stun(p, from, bytes))
        (void)stun_client_heard(&p->stun, from, bytes);
}

static const struct stun_client_events events = {send, mapped};

void phone_stun_init(struct phone *p)
{
    const struct endpoint nobody = {0, 0}; /* STUN is UDP's; connections are seen as they are */
    struct endpoint server = phone_socket(p, SIP_UDP)->open ? p->settings->stun : nobody;
    stun_client_init(&p->stun, p->host, server, "stun", &events, p);
    if (p->settings->stun.port || p->settings->outbound || p->settings->keep_alive == PHONE_KEEP_ALIVE_NEGOTIATED)
        sip_transport_on_stun(p->transport, heard, p);
}
