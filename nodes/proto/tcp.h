/* TCP segments (RFC 9293 §3.1): a view, a builder, arithmetic of sequence numbers (§3.4). Pure: bytes in, bytes out.
 * Only option 2, the maximum segment size, is known; others are passed over. */
#ifndef FAREND_PROTO_TCP_H
#define FAREND_PROTO_TCP_H

#include "nodes/proto/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TCP_HEADER = 20 }; /* without options */
enum {
    TCP_SEQ_AT = 4,
    TCP_ACK_AT = 8,
    TCP_OFFSET_AT = 12, /* header length in its high four bits, in words */
    TCP_FLAGS_AT = 13,
    TCP_WINDOW_AT = 14,
    TCP_SUM_AT = 16,
};
enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08, TCP_ACK = 0x10 };
enum { TCP_MSS_OPTION = 4 };    /* bytes of the option */
enum { TCP_DEFAULT_MSS = 536 }; /* of who announces none (§3.7.1) */

struct tcp_view {
    struct endpoint src, dst;
    uint32_t seq, ack; /* ack: whatever stands there, also without TCP_ACK */
    uint8_t flags;     /* TCP_FIN … */
    uint16_t window;   /* as on the wire, not scaled */
    uint16_t mss;      /* 0: no such option */
    uint16_t header;   /* bytes, options included */
    struct span payload;
};

/* packet, v: as ip_parse() took it apart; protocol TCP, no fragment. 0; FE_ESHORT: the header is cut off; FE_ESYNTAX:
 * its length is no header's. The checksum is not looked at: ip_transport_sum_ok(). The payload borrows the packet. */
int tcp_parse(const uint8_t *packet, const struct ip_view *v, struct tcp_view *out);

/* The same of a packet that an ICMP error quotes, of which n bytes are there, 8 of TCP's at least: ports and sequence
 * number, and no more, as RFC 792 promises no more. FE_ESHORT. */
int tcp_parse_quoted(const uint8_t *packet, size_t n, const struct ip_view *v, struct tcp_view *out);

/* What the segment takes of the sequence space: its payload, SYN and FIN (§3.4: SEG.LEN). */
static inline uint32_t tcp_length(const struct tcp_view *s)
{
    return (uint32_t)s->payload.n + ((s->flags & TCP_SYN) != 0) + ((s->flags & TCP_FIN) != 0);
}

/* ---- sequence numbers, modulo 2^32 (§3.4): meaningful within 2^31 of each other ---- */
static inline bool tcp_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline bool tcp_at_most(uint32_t a, uint32_t b)
{
    return !tcp_before(b, a);
}

/* ---- building ---- */
struct tcp_build {
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window;
    uint16_t mss; /* 0: without the option */
};

/* A whole packet with its checksums; returns its length, 0 when it does not fit in cap. ip->protocol is ignored.
 * payload.p may be where the payload has to stand: it is then not copied. */
size_t tcp_build(uint8_t *dst, size_t cap, const struct ip_build *ip, const struct tcp_build *tcp, struct span payload);

/* Where the value of the option stands in a TCP header of n bytes; 0: there is none, or it is malformed. May be odd. */
size_t tcp_find_mss(const uint8_t *header, size_t n);

#endif
