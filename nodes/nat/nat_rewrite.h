/* New addresses and ports into a packet, with all checksums that cover them (RFC 3022 §4.1, RFC 1624). */
#ifndef FAREND_NAT_REWRITE_H
#define FAREND_NAT_REWRITE_H

#include "nodes/base/addr.h"
#include "nodes/proto/ip.h"

#include <stddef.h>
#include <stdint.h>

/* The two ends of a packet, as it is or as it is to become. */
struct nat_ends {
    struct endpoint src, dst;
};

static inline struct nat_ends nat_ends_of(const struct ip_view *v)
{
    return (struct nat_ends){{v->src, v->sport}, {v->dst, v->dport}};
}

/* n: the bytes that are there, fewer than v->total in a packet quoted by an ICMP error; what is missing is not touched.
 * Ports only where v->has_ports; the identifier of an ICMP echo becomes the port of whichever end has another. */
void nat_rewrite(uint8_t *packet, size_t n, const struct ip_view *v, const struct nat_ends *to);

#endif
