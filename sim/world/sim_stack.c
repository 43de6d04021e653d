/* The IPv4 stack of a simulated node, as Linux with the settings of the netns world has it: one table of routes in
 * which the own addresses stand too, the weak host model (an own address is reached by any port), no source validation
 * but that nobody may use ours, no ICMP rate limits.
 *
 * Reassembled datagrams that stay incomplete are forgotten without a word after 30 s, when the next fragment comes: a
 * kernel's own timer does not run on lab time either. */
#include "sim/world/sim_impl.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"

#include <limits.h>
#include <stdlib.h>

enum {
    REASSEMBLIES = 64, /* datagrams at once */
    HOST_CACHE = 2,    /* bits: a phone talks to few */
    ROUTER_CACHE = 8,
    PROTOCOL_UNREACHABLE = 2,
};

#define OWN_ADDRESS UINT_MAX /* the port of a route to ourselves */

/* ---- routes ---- */

static int routes_add(struct host *h)
{
    static const struct subnet loopback = {IPV4(127, 0, 0, 0), 8};
    int error = ip_routes_add(&h->routes, loopback, OWN_ADDRESS);
    for (unsigned i = 0; !error && i < h->plan->ports_n; i++) {
        const struct plan_port *port = &h->plan->ports[i];
        error = ip_routes_add(&h->routes, (struct subnet){port->addr, port->bits}, i);
    }
    for (size_t i = 0; !error && i < h->plan->routes_n; i++)
        error = ip_routes_add(&h->routes, h->plan->routes[i].to, h->plan->routes[i].port);
    for (size_t i = 0; !error && i < h->plan->ports_n; i++)
        error = ip_routes_add(&h->routes, (struct subnet){h->plan->ports[i].addr, 32}, OWN_ADDRESS);
    return error;
}

int sim_stack_init(struct host *h)
{
    h->cache_bits = h->router ? ROUTER_CACHE : HOST_CACHE;
    h->cache = calloc((size_t)1 << h->cache_bits, sizeof *h->cache);
    if (!h->cache)
        return FE_EMEM;
    for (size_t i = 0; i < (size_t)1 << h->cache_bits; i++)
        h->cache[i].port = ROUTE_NONE; /* what address 0 leads to */
    return routes_add(h);
}

void sim_stack_fini(struct host *h)
{
    sim_tcp_fini(h);
    free(h->cache);
    ip_routes_fini(&h->routes);
    ip_reassembly_free(h->reassembly);
}

static int route_look_up(const struct host *h, ipv4 addr)
{
    const struct ip_route *route = ip_routes_find(&h->routes, addr);
    if (!route)
        return ROUTE_NONE;
    return route->port == OWN_ADDRESS ? ROUTE_LOCAL : (int)route->port;
}

/* Routes never change, so what was once found holds. */
int sim_stack_route(struct host *h, ipv4 addr)
{
    struct sim_route *cached = &h->cache[addr * 0x9e3779b1u >> (32 - h->cache_bits)];
    if (cached->addr != addr)
        *cached = (struct sim_route){addr, route_look_up(h, addr)};
    return cached->port;
}

/* ---- out ---- */

void sim_stack_send(struct host *h, unsigned port, struct packet *p)
{
    sim_packets_add(&h->ports[port].out, p);
    index_set_add(&h->outgoing, port);
}

static int send_fragments(struct host *h, unsigned port, struct packet *p)
{
    uint16_t mtu = h->ports[port].is.mtu;
    for (unsigned i = 0;; i++) {
        struct packet *fragment = packet_new(h->world->pool, mtu);
        size_t n = fragment ? ip_fragment(fragment->data, mtu, p->data, p->n, mtu, i) : 0;
        if (n == 0) {
            packet_release(fragment);
            packet_release(p);
            return fragment ? 0 : FE_EMEM;
        }
        fragment->n = (uint32_t)n;
        sim_stack_send(h, port, fragment);
    }
}

static void input_local(struct host *h, struct packet *p, struct ip_view *v);

int sim_stack_output(struct host *h, struct packet *p)
{
    int port = sim_stack_route(h, get32(p->data + 16));
    struct ip_view v;
    if (port == ROUTE_LOCAL) {
        if (ip_parse(p->data, p->n, &v) == 0)
            input_local(h, p, &v);
        else
            packet_release(p);
        return 0;
    }
    if (port == ROUTE_NONE) {
        packet_release(p);
        return FE_EUNREACH;
    }
    if (p->n <= h->ports[port].is.mtu) {
        sim_stack_send(h, (unsigned)port, p);
        return 0;
    }
    if (get16(p->data + 6) & IP_DF) {
        packet_release(p);
        return FE_ERANGE;
    }
    return send_fragments(h, (unsigned)port, p);
}

/* ---- to ourselves ---- */

/* The datagram that this fragment completes, or NULL. */
static struct packet *reassemble(struct host *h, struct packet *p)
{
    const uint8_t *whole;
    if (!h->reassembly)
        h->reassembly = ip_reassembly_new(REASSEMBLIES);
    size_t n = 0;
    if (h->reassembly) {
        while (ip_reassembly_expire(h->reassembly, h->world->now, NULL, NULL))
            ;
        n = ip_reassembly_add(h->reassembly, p->data, p->n, h->world->now, &whole);
    }
    packet_release(p);
    return n ? packet_copy(h->world->pool, whole, n) : NULL;
}

static void input_local(struct host *h, struct packet *p, struct ip_view *v)
{
    if (ip_is_fragment(v)) {
        p = reassemble(h, p);
        if (!p)
            return;
        if (ip_parse(p->data, p->n, v)) {
            packet_release(p);
            return;
        }
    }
    switch (v->protocol) {
    case IP_UDP: sim_udp_input(h, p, v); return;
    case IP_ICMP: sim_icmp_input(h, p, v); return;
    case IP_TCP: sim_tcp_input(h, p, v); return;
    default: sim_icmp_error(h, v->dst, ICMP_UNREACHABLE, PROTOCOL_UNREACHABLE, 0, p); break;
    }
    packet_release(p);
}

/* ---- in ---- */

static void forward_error(struct host *h, unsigned in, const struct ip_forward *f, const struct packet *p)
{
    sim_icmp_error(h, h->ports[in].is.addr, f->type, f->code, f->mtu, p);
}

static void forward(struct host *h, unsigned in, int out, struct packet *p, const struct ip_view *v)
{
    struct ip_forward f;
    ip_forward(p->data, v, out == ROUTE_NONE ? 0 : h->ports[out].is.mtu, &f);
    switch (f.action) {
    case IP_FORWARD_SEND: sim_stack_send(h, (unsigned)out, p); return;
    case IP_FORWARD_FRAGMENT: send_fragments(h, (unsigned)out, p); return;
    case IP_FORWARD_ERROR: forward_error(h, in, &f, p); break;
    case IP_FORWARD_DROP: break;
    }
    packet_release(p);
}

void sim_stack_input(struct host *h, unsigned port, struct packet *p)
{
    struct ip_view v;
    if (!h->router && h->plan->kind->raw) {
        sim_raw_input(h, port, p);
        return;
    }
    /* Loopback addresses do not come from a wire, nor do ours as a source. */
    if (ip_parse(p->data, p->n, &v) || ip_is_martian(&v) || sim_stack_route(h, v.src) == ROUTE_LOCAL) {
        packet_release(p);
        return;
    }
    p->n = v.total; /* what a link adds to short packets goes */
    int out = sim_stack_route(h, v.dst);
    if (out == ROUTE_LOCAL)
        input_local(h, p, &v);
    else if (h->router)
        forward(h, port, out, p, &v);
    else
        packet_release(p);
}
