/* IPv4, UDP and ICMP on whole packets: views, builders, checksums, fragments. Pure: bytes in, bytes out.
 * RFC 791 (IPv4), RFC 768 (UDP), RFC 792 (ICMP), RFC 1624 (incremental checksums), RFC 1812 §5.2.7 (routers' ICMP).
 * Shared by the simulated stack, the NAT engine, the wires and the capture. */
#ifndef FAREND_PROTO_IP_H
#define FAREND_PROTO_IP_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IP_ICMP = 1, IP_TCP = 6, IP_UDP = 17 };
enum { IP_HEADER = 20, UDP_HEADER = 8, ICMP_HEADER = 8 };
enum { IP_DF = 0x4000, IP_MF = 0x2000, IP_OFFSET = 0x1fff };

enum icmp_type {
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER = 12,
};
enum icmp_code {
    ICMP_NET_UNREACHABLE = 0,
    ICMP_HOST_UNREACHABLE = 1,
    ICMP_PORT_UNREACHABLE = 3,
    ICMP_PROHIBITED = 13, /* RFC 1812 §5.2.7.1: communication administratively prohibited */
    ICMP_FRAG_NEEDED = 4, /* rest of header: next-hop MTU (RFC 1191) */
    ICMP_TTL_EXCEEDED = 0,
    ICMP_REASSEMBLY_EXCEEDED = 1,
};

/* A checked view of one IPv4 packet. Offsets are into the packet's bytes. */
struct ip_view {
    ipv4 src, dst;
    uint16_t header; /* bytes of IP header, options included */
    uint16_t total;  /* total length; the buffer may be longer */
    uint16_t id;
    uint16_t fragment; /* flags and offset as on the wire: IP_DF, IP_MF, IP_OFFSET */
    uint8_t ttl, protocol, tos;
    /* The transport's numbers, when the packet carries its start (not a later fragment): UDP and TCP ports; for ICMP
     * echo the identifier in both. has_ports is false otherwise. */
    bool has_ports;
    uint16_t sport, dport;
    uint8_t icmp_type, icmp_code; /* protocol == IP_ICMP and first fragment with a whole ICMP header; else 255 */
};

/* 0; FE_ESHORT: the bytes end early; FE_ESYNTAX: not IPv4, or header lengths that contradict each other, or a wrong
 * header checksum. The transport's checksum is not looked at. */
int ip_parse(const uint8_t *packet, size_t n, struct ip_view *out);

/* As ip_parse, for the packet quoted in an ICMP error: total may exceed n, and the checksum is not verified. */
int ip_parse_quoted(const uint8_t *packet, size_t n, struct ip_view *out);

static inline bool ip_is_fragment(const struct ip_view *v)
{
    return (v->fragment & (IP_MF | IP_OFFSET)) != 0;
}

static inline bool ip_is_later_fragment(const struct ip_view *v)
{
    return (v->fragment & IP_OFFSET) != 0;
}

static inline bool icmp_is_error(uint8_t type)
{
    return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER;
}

/* The packet quoted by an ICMP error: bytes after the ICMP header; empty when `v` is no ICMP error. */
struct span icmp_quoted(const uint8_t *packet, const struct ip_view *v);

/* ---- checksums (RFC 1071, RFC 1624 eqn. 3) ---- */
uint16_t ip_checksum(const uint8_t *p, size_t n);
/* What the change of a 16- or 32-bit word adds to the sum. Several may be added up, thousands if need be. */
static inline uint32_t ip_change16(uint16_t before, uint16_t after)
{
    return (uint32_t)(uint16_t)~before + after;
}

static inline uint32_t ip_change32(uint32_t before, uint32_t after)
{
    return ip_change16((uint16_t)(before >> 16), (uint16_t)(after >> 16)) +
           ip_change16((uint16_t)before, (uint16_t)after);
}

/* The checksum field `sum` (as read by get16) after changes to the covered data: HC' = ~(~HC + ~m + m'). */
static inline uint16_t ip_checksum_fix(uint16_t sum, uint32_t change)
{
    uint32_t s = (uint32_t)(uint16_t)~sum + change;
    s = (s >> 16) + (s & 0xffff);
    s = (s >> 16) + (s & 0xffff);
    return (uint16_t)~s;
}

static inline uint16_t ip_checksum_fix16(uint16_t sum, uint16_t before, uint16_t after)
{
    return ip_checksum_fix(sum, ip_change16(before, after));
}
void ip_header_sum(uint8_t *packet);              /* computes and stores it */
void ip_transport_sum(uint8_t *packet, size_t n); /* UDP, TCP, ICMP of an unfragmented packet: computes and stores */
bool ip_transport_sum_ok(const uint8_t *packet, size_t n); /* true for UDP with checksum 0, and for fragments */

/* ttl - 1 with the checksum fixed in place; the caller has seen ttl > 1. */
void ip_decrement_ttl(uint8_t *packet);
void ip_set_ttl(uint8_t *packet, uint8_t ttl);

/* ---- builders: write a whole packet with its checksums, return its length, 0 when it does not fit in cap ---- */
struct ip_build {
    ipv4 src, dst;
    uint16_t id;
    uint16_t fragment; /* IP_DF or 0 */
    uint8_t ttl, protocol, tos;
};

/* The header alone, of a packet of `total` bytes; false when it does not fit. */
bool ip_build_header(uint8_t *dst, size_t cap, const struct ip_build *ip, uint8_t protocol, size_t total);
size_t ip_build_udp(uint8_t *dst, size_t cap, const struct ip_build *ip, uint16_t sport, uint16_t dport,
                    struct span payload);
size_t ip_build_echo(uint8_t *dst, size_t cap, const struct ip_build *ip, uint8_t type, uint16_t id, uint16_t seq,
                     struct span payload);
/* An ICMP error about `packet`: as Linux does, quotes as much of it as fits in 576 bytes in all. Returns 0 also when no
 * error may be sent about it (RFC 1122 §3.2.2: an ICMP error, a later fragment, a broadcast or multicast).
 * ip->dst, ip->protocol and ip->tos are ignored: the error goes to the packet's source, with the TOS that Linux gives
 * it. */
size_t ip_build_icmp_error(uint8_t *dst, size_t cap, const struct ip_build *ip, uint8_t type, uint8_t code,
                           uint32_t rest, const uint8_t *packet, size_t n);

/* Turns an echo request into its reply in place (RFC 792; Linux's own replies have no DF). False, and nothing was
 * changed, when it is none, a fragment of one, or its checksum is wrong. */
bool ip_answer_echo(uint8_t *packet, const struct ip_view *v, uint8_t ttl);

/* ---- fragments (RFC 791 §3.2) ---- */
/* Writes fragment number `index` (from 0) of `packet` for links of `mtu` bytes into dst; returns its length, 0 when
 * there is no such fragment. Fragments of a fragment keep their offsets. A packet that fits is its own fragment 0. */
size_t ip_fragment(uint8_t *dst, size_t cap, const uint8_t *packet, size_t n, uint16_t mtu, unsigned index);

/* Collects fragments of a host's or NAT's incoming packets. Bounded: `max` datagrams at once, 30 s each (Linux's
 * ipfrag_time); the oldest gives way. Overlapping fragments destroy the datagram, as Linux does (RFC 5722's rule). */
struct ip_reassembly;
struct ip_reassembly *ip_reassembly_new(unsigned max); /* NULL without memory */
void ip_reassembly_free(struct ip_reassembly *r);
/* Takes a fragment. When it completes a datagram: returns its length and sets *out to bytes that live until the next
 * call. Otherwise 0. */
size_t ip_reassembly_add(struct ip_reassembly *r, const uint8_t *packet, size_t n, lab_time now, const uint8_t **out);
/* Drops one datagram that is older than 30 s; call at ip_reassembly_next() until it returns false: nothing was dropped.
 * *expired (may be NULL) receives the datagram's first fragment, for the ICMP error, or NULL when that never came; it
 * lives until the next call. */
bool ip_reassembly_expire(struct ip_reassembly *r, lab_time now, const uint8_t **expired, size_t *n);
lab_time ip_reassembly_next(const struct ip_reassembly *r); /* NEVER when empty */

/* "udp 192.168.1.20:5060 > 203.0.113.10:5060", "icmp time-exceeded 203.0.113.254 > 192.168.1.20 about udp … > …",
 * "udp fragment 1480+520 a > b": for traces, the capture's comments and verdicts. Never fails; odd bytes are said so.
 */
void ip_describe(struct text *t, const uint8_t *packet, size_t n);

/* "time-exceeded", "port-unreachable", …: the name of an ICMP type and code; never NULL. */
const char *icmp_name(uint8_t type, uint8_t code);

#endif
