/* ICMP as Linux's hosts and routers speak it (RFC 792, RFC 1122 §3.2.2). */
#include "sim/world/sim_impl.h"

#include "nodes/base/bytes.h"
#include "nodes/proto/tcp.h"

enum { OWN_TTL = 64, ICMP_ERROR_ROOM = 576 };

void sim_icmp_error(struct host *h, ipv4 from, uint8_t type, uint8_t code, uint32_t rest, const struct packet *about)
{
    struct ip_build ip = {.src = from, .id = h->ip_id++, .ttl = OWN_TTL};
    struct packet *p = packet_new(h->world->pool, ICMP_ERROR_ROOM);
    if (!p)
        return;
    size_t n = ip_build_icmp_error(p->data, ICMP_ERROR_ROOM, &ip, type, code, rest, about->data, about->n);
    p->n = (uint32_t)n;
    if (n)
        sim_stack_output(h, p); /* without a route back there is nobody to tell */
    else
        packet_release(p);
}

/* RFC 1122 §3.2.2.6: the reply comes from the address that was asked, with the same data and TOS. The packet is turned
 * round in place. */
static void echo_reply(struct host *h, struct packet *p, const struct ip_view *v)
{
    uint8_t *icmp = p->data + v->header;
    icmp[0] = ICMP_ECHO_REPLY;
    put16(p->data + 4, h->ip_id++);
    put16(p->data + 6, 0);
    p->data[8] = OWN_TTL;
    put32(p->data + 12, v->dst);
    put32(p->data + 16, v->src);
    ip_header_sum(p->data);
    ip_transport_sum(p->data, p->n);
    sim_stack_output(h, p);
}

/* What Linux tells no UDP socket: that a fragment timed out, and an MTU to one that does not care (udp_err). */
static void deliver_error(struct host *h, const struct packet *p, const struct ip_view *v)
{
    struct span quoted = icmp_quoted(p->data, v);
    const uint8_t *about = (const uint8_t *)quoted.p;
    struct ip_view inner;
    struct tcp_view segment;
    if (ip_parse_quoted(about, quoted.n, &inner) || !inner.has_ports)
        return;
    struct host_icmp error = {
        .to = {inner.dst, inner.dport}, .from = v->src, .type = v->icmp_type, .code = v->icmp_code};
    if (v->icmp_type == ICMP_UNREACHABLE && v->icmp_code == ICMP_FRAG_NEEDED)
        error.mtu = get16(p->data + v->header + 6);
    if (inner.protocol == IP_TCP && tcp_parse_quoted(about, quoted.n, &inner, &segment) == 0)
        sim_tcp_error(h, &segment, &error);
    if (inner.protocol == IP_UDP && !(v->icmp_type == ICMP_TIME_EXCEEDED && v->icmp_code == ICMP_REASSEMBLY_EXCEEDED))
        sim_udp_error(h, &inner, &error);
}

void sim_icmp_input(struct host *h, struct packet *p, const struct ip_view *v)
{
    if (v->total >= v->header + ICMP_HEADER && ip_transport_sum_ok(p->data, p->n)) {
        if (v->icmp_type == ICMP_ECHO) {
            echo_reply(h, p, v);
            return;
        }
        if (icmp_is_error(v->icmp_type))
            deliver_error(h, p, v);
    }
    packet_release(p);
}
