#include "nodes/proto/ip_forward.h"

#include "nodes/base/error.h"

#include <stdlib.h>

enum { ROUTER_TTL = 64 }; /* of the ICMP errors: Linux's default */

/* ---- routes ---- */

/* Where `addr` stands, or would stand, among the routes of its length. */
static size_t route_position(const struct ip_routes *table, uint8_t bits, ipv4 addr)
{
    size_t low = table->first[bits];
    size_t high = table->first[bits + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->routes[middle].to.addr < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool route_is_at(const struct ip_routes *table, size_t i, uint8_t bits, ipv4 addr)
{
    return i < table->first[bits + 1] && table->routes[i].to.addr == addr;
}

static int routes_grow(struct ip_routes *table)
{
    size_t cap = table->cap ? 2 * table->cap : 4;
    struct ip_route *routes = realloc(table->routes, cap * sizeof *routes);
    if (!routes)
        return FE_EMEM;
    table->routes = routes;
    table->cap = cap;
    return 0;
}

int ip_routes_add(struct ip_routes *table, struct subnet to, unsigned port)
{
    if (to.bits > 32)
        return FE_ERANGE;
    to.addr &= subnet_mask(to.bits);
    size_t i = route_position(table, to.bits, to.addr);
    if (route_is_at(table, i, to.bits, to.addr)) {
        table->routes[i].port = port;
        return 0;
    }
    if (table->n == table->cap && routes_grow(table))
        return FE_EMEM;
    memmove(table->routes + i + 1, table->routes + i, (table->n - i) * sizeof *table->routes);
    table->routes[i] = (struct ip_route){to, port};
    table->n++;
    for (unsigned bits = to.bits + 1u; bits <= 33; bits++)
        table->first[bits]++;
    return 0;
}

void ip_routes_fini(struct ip_routes *table)
{
    free(table->routes);
    *table = (struct ip_routes){0};
}

const struct ip_route *ip_routes_find(const struct ip_routes *table, ipv4 dst)
{
    for (unsigned left = 33; left > 0; left--) {
        uint8_t bits = (uint8_t)(left - 1);
        if (table->first[bits] == table->first[bits + 1])
            continue;
        ipv4 addr = dst & subnet_mask(bits);
        size_t i = route_position(table, bits, addr);
        if (route_is_at(table, i, bits, addr))
            return &table->routes[i];
    }
    return NULL;
}

/* ---- one packet ---- */

/* RFC 1122 §3.2.1.3: addresses that stand for no single host beyond this link. Class E passes, as in Linux. */
static bool is_no_host(ipv4 addr)
{
    uint8_t top = (uint8_t)(addr >> 24);
    return top == 0 || top == 127 || top >> 4 == 14 || addr == 0xffffffffu;
}

bool ip_is_martian(const struct ip_view *v)
{
    return is_no_host(v->src) || is_no_host(v->dst);
}

void ip_forward_check(const struct ip_view *v, uint16_t mtu, struct ip_forward *out)
{
    *out = (struct ip_forward){.action = IP_FORWARD_ERROR};
    if (ip_is_martian(v)) {
        out->action = IP_FORWARD_DROP;
        out->cause = "bad-packet";
    } else if (mtu == 0) {
        out->type = ICMP_UNREACHABLE;
        out->code = ICMP_NET_UNREACHABLE;
        out->cause = "no-route";
    } else if (v->ttl <= 1) {
        out->type = ICMP_TIME_EXCEEDED;
        out->code = ICMP_TTL_EXCEEDED;
        out->cause = "ttl-exceeded";
    } else if (v->total > mtu && (v->fragment & IP_DF)) {
        out->type = ICMP_UNREACHABLE;
        out->code = ICMP_FRAG_NEEDED;
        out->mtu = mtu;
        out->cause = "too-big";
    } else {
        out->action = v->total > mtu ? IP_FORWARD_FRAGMENT : IP_FORWARD_SEND;
    }
}

void ip_forward(uint8_t *packet, const struct ip_view *v, uint16_t mtu, struct ip_forward *out)
{
    ip_forward_check(v, mtu, out);
    if (out->action == IP_FORWARD_SEND || out->action == IP_FORWARD_FRAGMENT)
        ip_decrement_ttl(packet);
}

size_t ip_forward_error(uint8_t *dst, size_t cap, const struct ip_forward *f, ipv4 own, const uint8_t *packet, size_t n)
{
    struct ip_build from_us = {.src = own, .ttl = ROUTER_TTL};
    return ip_build_icmp_error(dst, cap, &from_us, f->type, f->code, f->mtu, packet, n);
}
