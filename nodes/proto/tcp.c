#include "nodes/proto/tcp.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"

#include <string.h>

enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2 };
enum { QUOTED = 8 }; /* bytes of the transport that every ICMP error quotes (RFC 792) */

/* ---- views ---- */

size_t tcp_find_mss(const uint8_t *header, size_t n)
{
    for (size_t i = TCP_HEADER; i < n && header[i] != OPTION_END;) {
        size_t size = header[i] == OPTION_NOP ? 1 : i + 1 < n ? header[i + 1] : 0;
        if (size == 0 || (size == 1 && header[i] != OPTION_NOP) || size > n - i)
            return 0;
        if (header[i] == OPTION_MSS)
            return size == TCP_MSS_OPTION ? i + 2 : 0;
        i += size;
    }
    return 0;
}

static void view_start(const uint8_t *tcp, const struct ip_view *v, struct tcp_view *out)
{
    *out = (struct tcp_view){.src = {v->src, get16(tcp)}, .dst = {v->dst, get16(tcp + 2)}, .seq = get32(tcp + 4)};
}

int tcp_parse(const uint8_t *packet, const struct ip_view *v, struct tcp_view *out)
{
    const uint8_t *tcp = packet + v->header;
    size_t n = v->total - (size_t)v->header;
    if (n < TCP_HEADER)
        return FE_ESHORT;
    size_t header = (size_t)(tcp[TCP_OFFSET_AT] >> 4) * 4;
    if (header < TCP_HEADER)
        return FE_ESYNTAX;
    if (header > n)
        return FE_ESHORT;
    view_start(tcp, v, out);
    out->ack = get32(tcp + TCP_ACK_AT);
    out->flags = tcp[TCP_FLAGS_AT];
    out->window = get16(tcp + TCP_WINDOW_AT);
    out->header = (uint16_t)header;
    size_t mss = tcp_find_mss(tcp, header);
    out->mss = mss ? get16(tcp + mss) : 0;
    out->payload = span_make(tcp + header, n - header);
    return 0;
}

int tcp_parse_quoted(const uint8_t *packet, size_t n, const struct ip_view *v, struct tcp_view *out)
{
    if (n < (size_t)v->header + QUOTED)
        return FE_ESHORT;
    view_start(packet + v->header, v, out);
    return 0;
}

/* ---- building ---- */

static void put_tcp(uint8_t *dst, const struct tcp_build *tcp, size_t header)
{
    put16(dst, tcp->sport);
    put16(dst + 2, tcp->dport);
    put32(dst + TCP_SEQ_AT, tcp->seq);
    put32(dst + TCP_ACK_AT, tcp->ack);
    dst[TCP_OFFSET_AT] = (uint8_t)(header / 4 << 4);
    dst[TCP_FLAGS_AT] = tcp->flags;
    put16(dst + TCP_WINDOW_AT, tcp->window);
    put32(dst + TCP_SUM_AT, 0); /* and no urgent pointer */
    if (tcp->mss) {
        dst[TCP_HEADER] = OPTION_MSS;
        dst[TCP_HEADER + 1] = TCP_MSS_OPTION;
        put16(dst + TCP_HEADER + 2, tcp->mss);
    }
}

size_t tcp_build(uint8_t *dst, size_t cap, const struct ip_build *ip, const struct tcp_build *tcp, struct span payload)
{
    size_t header = TCP_HEADER + (tcp->mss ? (size_t)TCP_MSS_OPTION : 0);
    size_t total = IP_HEADER + header + payload.n;
    if (!ip_build_header(dst, cap, ip, IP_TCP, total))
        return 0;
    uint8_t *place = dst + IP_HEADER + header;
    if (payload.n && (const uint8_t *)payload.p != place)
        memcpy(place, payload.p, payload.n);
    put_tcp(dst + IP_HEADER, tcp, header);
    ip_transport_sum(dst, total);
    return total;
}
