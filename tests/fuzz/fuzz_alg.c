/* The SIP ALG under arbitrary messages and switches: what leaves is a whole packet with right checksums; what cannot be
 * parsed passes to the byte or is dropped as it came, as configured; what was rewritten is still the same message, and
 * with nothing left that it should have rewritten: looked into once more it stays as it is.
 *
 * Input: two bytes of switches, then the UDP payload. */
#include "nodes/base/bytes.h"
#include "nodes/nat/nat_alg.h"
#include "nodes/proto/ip.h"
#include "nodes/proto/sip_msg.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PHONE  IPV4(10, 0, 0, 2)
#define PUBLIC IPV4(203, 0, 113, 7)
#define SERVER IPV4(198, 51, 100, 1)
enum { PAYLOAD_MAX = 8000, HEADS = IP_HEADER + UDP_HEADER, SHORTEST = 11, TTL_AT = 8 };

struct bench {
    struct nat *nat;
    struct nat_config config;
    struct nat_alg_config alg;
    enum nat_side from;
    unsigned notes;
};

static void noted(void *arg, const struct nat_alg_note *note)
{
    struct bench *b = arg;
    must(note->message.n > 0 && note->from.n > 0 && note->to.n > 0);
    b->notes++;
}

static void configure(struct bench *b, const uint8_t switches[2])
{
    uint8_t x = switches[0];
    uint8_t y = switches[1];
    b->from = y & 0x80 ? NAT_OUTSIDE : NAT_INSIDE;
    b->alg = (struct nat_alg_config){.port = 5060,
                                     .strict = x & 1,
                                     .via = !(x & 2),
                                     .contact = !(x & 4),
                                     .restores = !(x & 8),
                                     .fixes_length = !(x & 16),
                                     .drops_grown = x & 32,
                                     .sdp = (enum nat_alg_sdp)(y % 3),
                                     .pinholes = (enum nat_alg_pinholes)(y / 3 % 3),
                                     .pinhole_timeout = 10 * SEC};
    b->config = (struct nat_config){.own = {IPV4(10, 0, 0, 1), PUBLIC},
                                    .mtu = {65535, x & 64 ? 600 : 65535},
                                    .pool = {PUBLIC},
                                    .pool_n = 1,
                                    .paired = true,
                                    .filtering = NAT_ADDRESS_AND_PORT_DEPENDENT,
                                    .ports = x & 128 ? NAT_PORTS_SEQUENTIAL : NAT_PORTS_PRESERVE,
                                    .range = {1024, 1028}, /* 5060 becomes 1024, however ports are given */
                                    .udp_timeout = 30 * SEC,
                                    .udp_unreplied = 30 * SEC,
                                    .icmp_timeout = SEC,
                                    .tcp_established = SEC,
                                    .tcp_transitory = SEC};
}

/* Through the NAT, in memory of exactly the packet's size. The bytes of what leaves, or of what was dropped, are the
 * caller's to free. */
static uint8_t *pass(struct bench *b, struct span payload, size_t *n, struct nat_verdict *got)
{
    static uint8_t room[PAYLOAD_MAX * 8 + HEADS];
    bool out = b->from == NAT_INSIDE;
    struct ip_build ip = {.src = out ? PHONE : SERVER, .dst = out ? SERVER : PUBLIC, .ttl = 64};
    *n = ip_build_udp(room, sizeof room, &ip, 5060, out ? 5060 : 1024, payload);
    uint8_t *packet = malloc(*n);
    must(*n > 0 && packet);
    memcpy(packet, room, *n);
    nat_packet(b->nat, b->from, packet, *n, 0, got);
    if (got->action == NAT_DROP)
        must(got->packet == packet && memcmp(packet, room, *n) == 0);
    uint8_t *left = malloc(got->n);
    must(left != NULL);
    memcpy(left, got->packet, got->n);
    *n = got->n;
    free(packet);
    return left;
}

/* The first packet out, so that 5060 inside is 1024 outside. */
static void open_mapping(struct bench *b)
{
    struct nat_verdict got;
    size_t n;
    enum nat_side from = b->from;
    b->from = NAT_INSIDE;
    free(pass(b, SPAN("\r\n"), &n, &got));
    must(got.action == NAT_FORWARD);
    b->from = from;
}

static void check_rewritten(struct bench *b, struct span before, struct span after)
{
    struct sip_msg was;
    struct sip_msg is;
    struct nat_verdict again;
    size_t n;
    must(sip_parse(before, &was, NULL) == 0);
    if (!b->alg.fixes_length)
        return;
    must(sip_parse(after, &is, NULL) == 0);
    must(is.request == was.request && is.status == was.status && is.n_headers == was.n_headers);
    unsigned notes = b->notes;
    free(pass(b, after, &n, &again));
    must(b->notes == notes);
}

static void check(struct bench *b, struct span payload)
{
    struct sip_msg msg;
    struct nat_verdict got;
    struct ip_view v;
    size_t n;
    bool looked_at = payload.n >= SHORTEST && (b->from == NAT_INSIDE || b->alg.restores || b->alg.strict);
    bool unparsable = sip_parse(payload, &msg, NULL) != 0;
    uint8_t *packet = pass(b, payload, &n, &got);
    if (got.action == NAT_DROP) {
        must(got.cause == NAT_TOO_BIG || got.cause == NAT_ALG_UNPARSABLE);
        must(got.cause != NAT_ALG_UNPARSABLE || (b->alg.strict && looked_at));
        must(got.cause != NAT_TOO_BIG || b->alg.drops_grown);
        free(packet);
        return;
    }
    must(got.action == NAT_FORWARD && !(unparsable && looked_at && b->alg.strict));
    must(ip_parse(packet, n, &v) == 0 && v.total == n && ip_transport_sum_ok(packet, n));
    must(get16(packet + IP_HEADER + 4) == n - IP_HEADER && packet[TTL_AT] == 63);
    must(got.fragment == (n > b->config.mtu[got.side]));
    struct span after = span_make(packet + HEADS, n - HEADS);
    if (unparsable || !looked_at || b->notes == 0)
        must(span_equal(after, payload));
    else
        check_rewritten(b, payload, after);
    free(packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t none[1];
    struct bench b = {0};
    struct prng rng;
    if (size < 2 || size - 2 > PAYLOAD_MAX)
        return 0;
    configure(&b, data);
    prng_init(&rng, 1, SPAN("fuzz"), SPAN("alg"));
    if (nat_new(&b.nat, &b.config, &rng, 0, NULL, NULL))
        return 0;
    must(nat_alg_start(b.nat, &b.alg, noted, &b) == 0);
    open_mapping(&b);
    check(&b, span_make(size > 2 ? data + 2 : none, size - 2));
    nat_expire(b.nat, HOUR);
    must(nat_count(b.nat) == 0);
    nat_free(b.nat);
    return 0;
}
