/* The pure forwarding step of a router: longest-prefix routes, TTL, MTU. RFC 1812 §5.2–5.3 in the order of Linux:
 * a packet without a route is answered before its TTL is looked at, an expired one before its size is.
 * Shared by the simulated stack, the NAT engine and the router node. No link, no clock: the caller sends. */
#ifndef FAREND_PROTO_IP_FORWARD_H
#define FAREND_PROTO_IP_FORWARD_H

#include "nodes/base/addr.h"
#include "nodes/proto/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- routes ---- */
struct ip_route {
    struct subnet to; /* host bits cleared */
    unsigned port;    /* the caller's number for the way out */
};

/* Sorted by (prefix length, address), so that the same routes are the same table in whatever order they were added.
 * A look-up costs one binary search for each prefix length in use. Zero-initialise; free with ip_routes_fini. */
struct ip_routes {
    struct ip_route *routes;
    size_t n, cap;
    size_t first[34]; /* routes of `bits` bits are [first[bits], first[bits + 1]) */
};

/* Adds a route; one to the very same subnet is replaced. FE_EMEM; FE_ERANGE: more than 32 bits. */
int ip_routes_add(struct ip_routes *table, struct subnet to, unsigned port);
void ip_routes_fini(struct ip_routes *table);

/* The longest match, or NULL. Lives until the table changes. */
const struct ip_route *ip_routes_find(const struct ip_routes *table, ipv4 dst);

/* ---- one packet ---- */
enum ip_forward_action {
    IP_FORWARD_SEND,     /* the packet fits; its TTL has been decremented in place */
    IP_FORWARD_FRAGMENT, /* the same, but send ip_fragment() number 0, 1, … of it instead */
    IP_FORWARD_ERROR,    /* untouched; drop it and send ip_forward_error(), which may have nothing to say */
    IP_FORWARD_DROP,     /* untouched; drop it in silence: a router passes on no such addresses (RFC 1812 §5.3.7) */
};

struct ip_forward {
    enum ip_forward_action action;
    uint8_t type, code; /* ERROR: of the ICMP message */
    uint16_t mtu;       /* ERROR: the next-hop MTU of "fragmentation needed" (RFC 1191 §4), else 0 */
    const char *cause;  /* ERROR, DROP: the trace's word: "no-route", "ttl-exceeded", "too-big", "bad-packet" */
};

/* The step of one packet. `v` is ip_parse's view of it; after SEND and FRAGMENT only v->ttl is out of date.
 * mtu: of the link it leaves by, in bytes; 0: there is no route. Delivery to the router itself is the caller's
 * business. */
void ip_forward(uint8_t *packet, const struct ip_view *v, uint16_t mtu, struct ip_forward *out);

/* The same decision, without touching the packet: for who has more to find out before it goes. */
void ip_forward_check(const struct ip_view *v, uint16_t mtu, struct ip_forward *out);

/* Writes the ICMP error of an ERROR into dst, from `own` (the router's address where the packet came in), with TTL 64.
 * Returns its length, 0 when no error may be sent about this packet. */
size_t ip_forward_error(uint8_t *dst, size_t cap, const struct ip_forward *f, ipv4 own, const uint8_t *packet,
                        size_t n);

/* From or to 0.0.0.0/8, loopback, multicast or broadcast: never forwarded. */
bool ip_is_martian(const struct ip_view *v);

#endif
