/* A kind for the tests of NATs: sends packets as it is told to, byte by byte, and tells of each that comes, in both
 * worlds. Raw: no stack answers for it.
 *
 *     udp SRC DST BYTES [df | pieces | backwards]     pieces: in fragments of 576 bytes at most; backwards: last first
 *     tcp FLAGS SRC DST                               FLAGS of S, A, F, R
 *     icmp TYPE SRC DST ID                            a query or its reply: 8, 0; or any other message
 *     error TYPE CODE SRC [broken]                    about the packet that came last; broken: with a wrong checksum
 *     pcp SRC map PROTOCOL PORT SUGGESTED SECONDS     a request to 10.0.0.1 (RFC 6887), protocol and port as numbers
 *     pcp SRC peer PROTOCOL PORT SUGGESTED SECONDS PEER
 *
 * It traces "came" (packet, as ip_describe says it, and the identifier of a query; ttl, n, whole: its checksums hold).
 */
#ifndef FAREND_TESTS_NETNS_CRAFTER_H
#define FAREND_TESTS_NETNS_CRAFTER_H

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/node.h"
#include "nodes/proto/ip.h"
#include "nodes/proto/pcp.h"
#include "tests/cmocka.h"

#include <stdlib.h>
#include <string.h>

enum { CRAFTER_PACKET = 4096, CRAFTER_PIECE = 576, CRAFTER_TTL = 64 };

struct crafter {
    struct host *host;
    struct host_raw *raw;
    uint8_t last[CRAFTER_PACKET]; /* the packet that came last */
    size_t last_n;
    uint16_t id;
};

static inline void crafter_received(void *arg, unsigned port, uint8_t *packet, size_t n)
{
    struct crafter *crafter = arg;
    char buf[256];
    struct text what = text_on(buf, sizeof buf);
    struct ip_view v = {0};
    (void)port;
    assert_true(n <= sizeof crafter->last);
    bool good = ip_parse(packet, n, &v) == 0 && ip_transport_sum_ok(packet, n);
    memcpy(crafter->last, packet, n);
    crafter->last_n = n;
    ip_describe(&what, packet, n);
    if (good && v.protocol == IP_ICMP && v.has_ports) {
        text_str(&what, " id ");
        text_u64(&what, v.sport);
    }
    struct record *r = host_trace(crafter->host, "came");
    record_text(r, "packet", text_span(&what));
    record_u64(r, "ttl", v.ttl);
    record_u64(r, "n", n);
    record_bool(r, "whole", good);
    host_trace_end(crafter->host);
}

static inline int crafter_start(struct host *h, const void *settings, void **node, struct text *why)
{
    static const struct host_raw_events events = {.received = crafter_received};
    struct crafter *crafter = calloc(1, sizeof *crafter);
    (void)settings;
    (void)why;
    if (!crafter)
        return FE_EMEM;
    crafter->host = h;
    *node = crafter;
    return host_raw_open(h, &events, crafter, &crafter->raw);
}

static inline void crafter_stop(void *node)
{
    struct crafter *crafter = node;
    host_raw_close(crafter->raw);
    free(crafter);
}

/* ---- words ---- */

static inline uint16_t crafter_number(struct span *words)
{
    uint64_t number;
    assert_int_equal(span_u64(span_cut(*words, ' ', words), UINT16_MAX, &number), 0);
    return (uint16_t)number;
}

static inline struct endpoint crafter_endpoint(struct span *words)
{
    struct endpoint e;
    assert_int_equal(endpoint_parse(span_cut(*words, ' ', words), 0, &e), 0);
    return e;
}

static inline struct ip_build crafter_header(struct crafter *crafter, ipv4 src, ipv4 dst)
{
    return (struct ip_build){.src = src, .dst = dst, .ttl = CRAFTER_TTL, .id = ++crafter->id};
}

/* ---- packets ---- */

static inline void crafter_send(struct crafter *crafter, const uint8_t *packet, size_t n)
{
    assert_int_equal(host_raw_send(crafter->raw, 0, packet, n), 0);
}

static inline void crafter_pieces(struct crafter *crafter, const uint8_t *packet, size_t n, bool backwards)
{
    uint8_t piece[CRAFTER_PIECE];
    unsigned pieces = 0;
    while (ip_fragment(piece, sizeof piece, packet, n, CRAFTER_PIECE, pieces))
        pieces++;
    for (unsigned i = 0; i < pieces; i++) {
        size_t size = ip_fragment(piece, sizeof piece, packet, n, CRAFTER_PIECE, backwards ? pieces - 1 - i : i);
        crafter_send(crafter, piece, size);
    }
}

static inline void crafter_udp(struct crafter *crafter, struct span words)
{
    static const uint8_t payload[CRAFTER_PACKET];
    uint8_t packet[CRAFTER_PACKET];
    struct endpoint src = crafter_endpoint(&words);
    struct endpoint dst = crafter_endpoint(&words);
    size_t bytes = crafter_number(&words);
    struct ip_build ip = crafter_header(crafter, src.addr, dst.addr);
    ip.fragment = span_is(words, "df") ? IP_DF : 0;
    size_t n = ip_build_udp(packet, sizeof packet, &ip, src.port, dst.port, span_make(payload, bytes));
    if (span_is(words, "pieces") || span_is(words, "backwards"))
        crafter_pieces(crafter, packet, n, span_is(words, "backwards"));
    else
        crafter_send(crafter, packet, n);
}

static inline uint8_t crafter_flags(struct span text)
{
    uint8_t flags = 0;
    for (size_t i = 0; i < text.n; i++)
        flags |= text.p[i] == 'F' ? 0x01 : text.p[i] == 'S' ? 0x02 : text.p[i] == 'R' ? 0x04 : 0x10;
    return flags;
}

/* Built as UDP with what makes 20 bytes of TCP header in all (RFC 9293 §3.1). */
static inline void crafter_tcp(struct crafter *crafter, struct span words)
{
    enum { TCP_HEADER = 20, PROTOCOL_AT = 9, SEQUENCE_AT = 4, OFFSET_AT = 12, FLAGS_AT = 13 };
    static const uint8_t rest[TCP_HEADER - UDP_HEADER];
    uint8_t packet[IP_HEADER + TCP_HEADER];
    uint8_t flags = crafter_flags(span_cut(words, ' ', &words));
    struct endpoint src = crafter_endpoint(&words);
    struct endpoint dst = crafter_endpoint(&words);
    struct ip_build ip = crafter_header(crafter, src.addr, dst.addr);
    size_t n = ip_build_udp(packet, sizeof packet, &ip, src.port, dst.port, span_make(rest, sizeof rest));
    packet[PROTOCOL_AT] = IP_TCP;
    put32(packet + IP_HEADER + SEQUENCE_AT, 1);
    put32(packet + IP_HEADER + SEQUENCE_AT + 4, 0);
    packet[IP_HEADER + OFFSET_AT] = TCP_HEADER / 4 << 4;
    packet[IP_HEADER + FLAGS_AT] = flags;
    ip_header_sum(packet);
    ip_transport_sum(packet, n);
    crafter_send(crafter, packet, n);
}

static inline void crafter_icmp(struct crafter *crafter, struct span words)
{
    uint8_t packet[128];
    uint8_t type = (uint8_t)crafter_number(&words);
    struct endpoint src = crafter_endpoint(&words);
    struct endpoint dst = crafter_endpoint(&words);
    uint16_t id = crafter_number(&words);
    struct ip_build ip = crafter_header(crafter, src.addr, dst.addr);
    crafter_send(crafter, packet, ip_build_echo(packet, sizeof packet, &ip, type, id, 1, SPAN("ping")));
}

static inline void crafter_error(struct crafter *crafter, struct span words)
{
    uint8_t packet[600];
    uint8_t type = (uint8_t)crafter_number(&words);
    uint8_t code = (uint8_t)crafter_number(&words);
    struct ip_build ip = crafter_header(crafter, crafter_endpoint(&words).addr, 0);
    size_t n = ip_build_icmp_error(packet, sizeof packet, &ip, type, code, 0, crafter->last, crafter->last_n);
    assert_true(n > 0);
    if (span_is(words, "broken"))
        packet[IP_HEADER + 2] ^= 0xff;
    crafter_send(crafter, packet, n);
}

static inline void crafter_pcp(struct crafter *crafter, struct span words)
{
    uint8_t packet[CRAFTER_PACKET];
    uint8_t bytes[PCP_MAX];
    struct endpoint src = crafter_endpoint(&words);
    struct pcp_msg m = {.client = src.addr, .nonce = {{1, 2, 3}}};
    m.opcode = span_is(span_cut(words, ' ', &words), "peer") ? PCP_PEER : PCP_MAP;
    m.protocol = (uint8_t)crafter_number(&words);
    m.internal = crafter_number(&words);
    m.external.port = crafter_number(&words);
    m.lifetime = crafter_number(&words);
    if (m.opcode == PCP_PEER)
        m.peer = crafter_endpoint(&words);
    size_t n = pcp_write_request(bytes, sizeof bytes, &m);
    struct ip_build ip = crafter_header(crafter, src.addr, IPV4(10, 0, 0, 1));
    n = ip_build_udp(packet, sizeof packet, &ip, src.port, PCP_PORT, span_make(bytes, n));
    crafter_send(crafter, packet, n);
}

static inline void crafter_command(void *node, struct span line)
{
    struct span words;
    struct span verb = span_cut(line, ' ', &words);
    if (span_is(verb, "udp"))
        crafter_udp(node, words);
    else if (span_is(verb, "tcp"))
        crafter_tcp(node, words);
    else if (span_is(verb, "icmp"))
        crafter_icmp(node, words);
    else if (span_is(verb, "error"))
        crafter_error(node, words);
    else if (span_is(verb, "pcp"))
        crafter_pcp(node, words);
    else
        fail_msg("no such command");
}

static const struct option crafter_options[] = {{0}};
static const char *const crafter_ports[] = {"on", NULL};
static const struct node_kind crafter_kind = {.name = "crafter",
                                              .help = "sends packets as it is told to",
                                              .ports = crafter_ports,
                                              .raw = true,
                                              .options = crafter_options,
                                              .settings_size = 1,
                                              .start = crafter_start,
                                              .command = crafter_command,
                                              .stop = crafter_stop,
                                              .commands = "udp …\ntcp …\nicmp …\nerror …\npcp …"};

#endif
