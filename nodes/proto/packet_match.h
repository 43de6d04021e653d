/* Which packets are meant: told from the bytes of one IPv4 packet alone, without any state. Looks into UDP, and into
 * TCP as far as a segment begins with what is sought. Written as everything · SIP · REGISTER · 200 · 200 INVITE · 2xx
 * INVITE · keep-alive · STUN · RTP · RTCP · ICMP · fragments · later fragments · DNS · TLS · TLS ClientHello · TLS
 * ServerHello · TLS Certificate · TLS ClientKeyExchange · TLS handshake · TLS ChangeCipherSpec · TLS application data ·
 * TLS alert · SYN · SYN-ACK · FIN · RST · TCP data · TCP ACK */
#ifndef FAREND_PROTO_PACKET_MATCH_H
#define FAREND_PROTO_PACKET_MATCH_H

#include "nodes/base/addr.h"
#include "nodes/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum packet_kind {
    PACKET_ANY,
    PACKET_SIP,            /* RFC 3261 §7: a start line; `method`, `status` */
    PACKET_KEEP_ALIVE,     /* CRLF CRLF or CRLF alone (RFC 5626 §4.4.1) */
    PACKET_STUN,           /* RFC 8489 §5: the magic cookie */
    PACKET_RTP,            /* RFC 3550 §5.1; told from RTCP by RFC 5761 §4; `ssrc` */
    PACKET_RTCP,           /* RFC 3550 §6; `ssrc` is its sender's */
    PACKET_ICMP,           /* RFC 792 */
    PACKET_FRAGMENT,       /* RFC 791 §3.2: any of them */
    PACKET_LATER_FRAGMENT, /* any but the first */
    PACKET_DNS,            /* port 53; `name` in the question (RFC 1035 §4.1.2) */
    PACKET_TLS,            /* a record begins (RFC 8446 §5.1); `record`, `handshake` */
    PACKET_TCP_FLAG,       /* `flags` are set (RFC 9293 §3.1) */
    PACKET_TCP_DATA,       /* a segment with payload, whatever it begins with */
    PACKET_TCP_ACK,        /* a segment that acknowledges, and nothing else */
};

/* Zero-initialise: any packet. What is not given is not asked. Spans are borrowed. */
struct packet_match {
    enum packet_kind kind;
    struct span method;            /* SIP: of the request, or of CSeq in a response */
    bool response;                 /* SIP: a response is meant; else a request, or without a method either */
    uint16_t status, status_class; /* SIP response: 200; or 2 for 2xx */
    struct span text;              /* stands somewhere in the payload, letter by letter */
    struct span name;              /* DNS: "sip.example.com", in any case */
    uint8_t record, handshake;     /* TLS: content type, handshake type */
    uint8_t flags;                 /* TCP_FLAG */
    bool has_ssrc;
    uint32_t ssrc;
    const ipv4 *src, *dst; /* one of these addresses */
    size_t src_n, dst_n;   /* 0: any */
    uint8_t protocol;
    uint16_t sport, dport;
    uint32_t least, most; /* bytes of IP packet */
};

/* Reads the words above into kind, method, status, record, handshake and flags; the method borrows `text`.
 * FE_ESYNTAX: none of them, nothing is changed. */
int packet_match_parse(struct span text, struct packet_match *out);

bool packet_matches(const struct packet_match *m, const uint8_t *packet, size_t n);

#endif
