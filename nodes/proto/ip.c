#include "nodes/proto/ip.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"

#include <string.h>

/* What fits of a quoted packet: Linux fills an ICMP error up to the 576 bytes that every host takes (RFC 1812
 * §4.3.2.3). */
enum { ICMP_ERROR_MAX = 576 };
enum { TOS_INTERNETWORK_CONTROL = 0xc0, TOS_BITS = 0x1e };
enum { ICMP_QUENCH = 4, ICMP_REDIRECT = 5 };

/* ---- views ---- */

static bool header_sum_ok(const uint8_t *packet, size_t header)
{
    return ip_checksum(packet, header) == 0;
}

static void view_fixed_part(const uint8_t *packet, struct ip_view *v)
{
    v->header = (uint16_t)((packet[0] & 15) * 4);
    v->tos = packet[1];
    v->total = get16(packet + 2);
    v->id = get16(packet + 4);
    v->fragment = get16(packet + 6);
    v->ttl = packet[8];
    v->protocol = packet[9];
    v->src = get32(packet + 12);
    v->dst = get32(packet + 16);
    v->has_ports = false;
    v->sport = 0;
    v->dport = 0;
    v->icmp_type = UINT8_MAX;
    v->icmp_code = UINT8_MAX;
}

/* n: bytes of the packet that are there. Eight of the transport's are always quoted by ICMP errors (RFC 792). */
static void view_transport(const uint8_t *packet, size_t n, struct ip_view *v)
{
    const uint8_t *transport = packet + v->header;
    if (ip_is_later_fragment(v) || n < v->header + 8u)
        return;
    if (v->protocol == IP_UDP || v->protocol == IP_TCP) {
        v->has_ports = true;
        v->sport = get16(transport);
        v->dport = get16(transport + 2);
    } else if (v->protocol == IP_ICMP) {
        v->icmp_type = transport[0];
        v->icmp_code = transport[1];
        if (v->icmp_type == ICMP_ECHO || v->icmp_type == ICMP_ECHO_REPLY) {
            v->has_ports = true;
            v->sport = v->dport = get16(transport + 4);
        }
    }
}

static int parse_header(const uint8_t *packet, size_t n, struct ip_view *out)
{
    if (n < IP_HEADER)
        return FE_ESHORT;
    if (packet[0] >> 4 != 4)
        return FE_ESYNTAX;
    view_fixed_part(packet, out);
    if (out->header < IP_HEADER || out->total < out->header)
        return FE_ESYNTAX;
    return out->header > n ? FE_ESHORT : 0;
}

int ip_parse(const uint8_t *packet, size_t n, struct ip_view *out)
{
    int error = parse_header(packet, n, out);
    if (error)
        return error;
    if (out->total > n)
        return FE_ESHORT;
    if (!header_sum_ok(packet, out->header))
        return FE_ESYNTAX;
    view_transport(packet, out->total, out);
    return 0;
}

int ip_parse_quoted(const uint8_t *packet, size_t n, struct ip_view *out)
{
    int error = parse_header(packet, n, out);
    if (error)
        return error;
    view_transport(packet, out->total < n ? out->total : n, out);
    return 0;
}

struct span icmp_quoted(const uint8_t *packet, const struct ip_view *v)
{
    size_t start = v->header + (size_t)ICMP_HEADER;
    if (v->protocol != IP_ICMP || !icmp_is_error(v->icmp_type) || v->total <= start)
        return (struct span){0};
    return span_make(packet + start, v->total - start);
}

/* ---- TTL ---- */

void ip_set_ttl(uint8_t *packet, uint8_t ttl)
{
    uint16_t before = get16(packet + 8);
    packet[8] = ttl;
    put16(packet + 10, ip_checksum_fix16(get16(packet + 10), before, get16(packet + 8)));
}

void ip_decrement_ttl(uint8_t *packet)
{
    ip_set_ttl(packet, (uint8_t)(packet[8] - 1));
}

/* ---- builders ---- */

bool ip_build_header(uint8_t *dst, size_t cap, const struct ip_build *ip, uint8_t protocol, size_t total)
{
    if (total > cap || total > UINT16_MAX)
        return false;
    dst[0] = 4 << 4 | IP_HEADER / 4;
    dst[1] = ip->tos;
    put16(dst + 2, (uint16_t)total);
    put16(dst + 4, ip->id);
    put16(dst + 6, ip->fragment);
    dst[8] = ip->ttl;
    dst[9] = protocol;
    put32(dst + 12, ip->src);
    put32(dst + 16, ip->dst);
    ip_header_sum(dst);
    return true;
}

static void put_payload(uint8_t *dst, const void *payload, size_t n)
{
    if (n)
        memcpy(dst, payload, n);
}

size_t ip_build_udp(uint8_t *dst, size_t cap, const struct ip_build *ip, uint16_t sport, uint16_t dport,
                    struct span payload)
{
    size_t total = IP_HEADER + UDP_HEADER + payload.n;
    if (!ip_build_header(dst, cap, ip, IP_UDP, total))
        return 0;
    uint8_t *udp = dst + IP_HEADER;
    put16(udp, sport);
    put16(udp + 2, dport);
    put16(udp + 4, (uint16_t)(UDP_HEADER + payload.n));
    put_payload(udp + UDP_HEADER, payload.p, payload.n);
    ip_transport_sum(dst, total);
    return total;
}

static size_t build_icmp(uint8_t *dst, size_t cap, const struct ip_build *ip, uint8_t type, uint8_t code, uint32_t rest,
                         struct span payload)
{
    size_t total = IP_HEADER + ICMP_HEADER + payload.n;
    if (!ip_build_header(dst, cap, ip, IP_ICMP, total))
        return 0;
    uint8_t *icmp = dst + IP_HEADER;
    icmp[0] = type;
    icmp[1] = code;
    put32(icmp + 4, rest);
    put_payload(icmp + ICMP_HEADER, payload.p, payload.n);
    ip_transport_sum(dst, total);
    return total;
}

size_t ip_build_echo(uint8_t *dst, size_t cap, const struct ip_build *ip, uint8_t type, uint16_t id, uint16_t seq,
                     struct span payload)
{
    return build_icmp(dst, cap, ip, type, 0, (uint32_t)id << 16 | seq, payload);
}

static bool addr_is_multicast(ipv4 addr)
{
    return addr >> 28 == 14;
}

/* RFC 1122 §3.2.2. What is a directed broadcast is known to the caller alone. */
static bool may_complain(const struct ip_view *about)
{
    if (ip_is_later_fragment(about))
        return false;
    if (about->protocol == IP_ICMP && (icmp_is_error(about->icmp_type) || about->icmp_type == ICMP_QUENCH ||
                                       about->icmp_type == ICMP_REDIRECT || about->icmp_type == UINT8_MAX))
        return false;
    return about->src != 0 && about->src >> 24 != 127 && about->src != 0xffffffffu && about->dst != 0xffffffffu &&
           !addr_is_multicast(about->src) && !addr_is_multicast(about->dst);
}

size_t ip_build_icmp_error(uint8_t *dst, size_t cap, const struct ip_build *ip, uint8_t type, uint8_t code,
                           uint32_t rest, const uint8_t *packet, size_t n)
{
    struct ip_view about;
    if (ip_parse(packet, n, &about) || !may_complain(&about))
        return 0;
    struct ip_build error = *ip;
    error.dst = about.src;
    error.tos = (uint8_t)((about.tos & TOS_BITS) | TOS_INTERNETWORK_CONTROL); /* RFC 1812 §4.3.2.5 */
    size_t room = ICMP_ERROR_MAX - IP_HEADER - ICMP_HEADER;
    return build_icmp(dst, cap, &error, type, code, rest, span_make(packet, about.total < room ? about.total : room));
}

bool ip_answer_echo(uint8_t *packet, const struct ip_view *v, uint8_t ttl)
{
    if (v->protocol != IP_ICMP || v->icmp_type != ICMP_ECHO || ip_is_fragment(v) ||
        !ip_transport_sum_ok(packet, v->total))
        return false;
    put16(packet + 6, 0);
    packet[8] = ttl;
    put32(packet + 12, v->dst);
    put32(packet + 16, v->src);
    ip_header_sum(packet);
    packet[v->header] = ICMP_ECHO_REPLY;
    ip_transport_sum(packet, v->total);
    return true;
}
