#include "nodes/nat/nat_rewrite.h"

#include "nodes/base/bytes.h"
#include "nodes/proto/tcp.h"

#include <stdbool.h>

enum { IP_SUM_AT = 10, IP_SRC_AT = 12, IP_DST_AT = 16 };
enum { ICMP_SUM_AT = 2, ICMP_ID_AT = 4, UDP_SUM_AT = 6 };

static uint32_t address_change(const struct ip_view *v, const struct nat_ends *to)
{
    return ip_change32(v->src, to->src.addr) + ip_change32(v->dst, to->dst.addr);
}

static void rewrite_addresses(uint8_t *packet, const struct ip_view *v, const struct nat_ends *to)
{
    put16(packet + IP_SUM_AT, ip_checksum_fix(get16(packet + IP_SUM_AT), address_change(v, to)));
    put32(packet + IP_SRC_AT, to->src.addr);
    put32(packet + IP_DST_AT, to->dst.addr);
}

static void rewrite_ports(uint8_t *transport, size_t n, const struct ip_view *v, const struct nat_ends *to)
{
    size_t at = v->protocol == IP_UDP ? UDP_SUM_AT : TCP_SUM_AT;
    put16(transport, to->src.port);
    put16(transport + 2, to->dst.port);
    if (n < at + 2)
        return;
    uint16_t sum = get16(transport + at);
    if (v->protocol == IP_UDP && sum == 0)
        return; /* RFC 768: there is none */
    sum = ip_checksum_fix(sum, address_change(v, to) + ip_change16(v->sport, to->src.port) +
                                   ip_change16(v->dport, to->dst.port));
    put16(transport + at, v->protocol == IP_UDP && sum == 0 ? 0xffff : sum);
}

/* RFC 5508 §3.1: the identifier is all that an echo has of a port, and its checksum has no pseudo-header. */
static void rewrite_identifier(uint8_t *icmp, const struct ip_view *v, const struct nat_ends *to)
{
    uint16_t id = to->src.port != v->sport ? to->src.port : to->dst.port;
    put16(icmp + ICMP_SUM_AT, ip_checksum_fix16(get16(icmp + ICMP_SUM_AT), v->sport, id));
    put16(icmp + ICMP_ID_AT, id);
}

void nat_rewrite(uint8_t *packet, size_t n, const struct ip_view *v, const struct nat_ends *to)
{
    rewrite_addresses(packet, v, to);
    if (!v->has_ports)
        return;
    if (v->protocol == IP_ICMP)
        rewrite_identifier(packet + v->header, v, to);
    else
        rewrite_ports(packet + v->header, n - v->header, v, to);
}
