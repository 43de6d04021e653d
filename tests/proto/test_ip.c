/* IPv4 codec: views, checksums, builders, descriptions. */
#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/base/prng.h"
#include "nodes/proto/ip.h"
#include "tests/cmocka.h"

#define ALICE IPV4(192, 168, 1, 20)
#define SBC   IPV4(203, 0, 113, 10)

static const struct ip_build from_alice = {.src = ALICE, .dst = SBC, .id = 7, .ttl = 64, .fragment = IP_DF};

static size_t udp_packet(uint8_t *dst, size_t cap)
{
    return ip_build_udp(dst, cap, &from_alice, 5060, 5061, SPAN("hello"));
}

static void rfc791_udp_round_trip(void **state)
{
    (void)state;
    uint8_t packet[64];
    struct ip_view v;
    size_t n = udp_packet(packet, sizeof packet);
    assert_int_equal(n, 33);
    assert_int_equal(ip_parse(packet, n, &v), 0);
    assert_int_equal(v.src, ALICE);
    assert_int_equal(v.dst, SBC);
    assert_int_equal(v.header, 20);
    assert_int_equal(v.total, 33);
    assert_int_equal(v.id, 7);
    assert_int_equal(v.fragment, IP_DF);
    assert_int_equal(v.ttl, 64);
    assert_int_equal(v.protocol, IP_UDP);
    assert_true(v.has_ports);
    assert_int_equal(v.sport, 5060);
    assert_int_equal(v.dport, 5061);
    assert_true(ip_transport_sum_ok(packet, n));
    assert_false(ip_is_fragment(&v));
}

static void rfc791_refuses_what_contradicts_itself(void **state)
{
    (void)state;
    uint8_t good[64];
    uint8_t bad[64];
    struct ip_view v;
    size_t n = udp_packet(good, sizeof good);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(ip_parse(good, cut, &v), FE_ESHORT);
    assert_int_equal(ip_parse(good, n + 20, &v), 0);
    for (size_t i = 0; i < IP_HEADER; i++) {
        memcpy(bad, good, sizeof bad);
        bad[i] ^= 0x10;
        assert_int_not_equal(ip_parse(bad, n, &v), 0);
    }
    memcpy(bad, good, sizeof bad);
    bad[0] = 0x44; /* a header of 16 bytes */
    ip_header_sum(bad);
    assert_int_equal(ip_parse(bad, n, &v), FE_ESYNTAX);
    memcpy(bad, good, sizeof bad);
    put16(bad + 2, 19);
    ip_header_sum(bad);
    assert_int_equal(ip_parse(bad, n, &v), FE_ESYNTAX);
}

static void rfc791_ports_only_where_the_transport_starts(void **state)
{
    (void)state;
    uint8_t packet[64];
    struct ip_view v;
    size_t n = udp_packet(packet, sizeof packet);
    put16(packet + 6, 1);
    ip_header_sum(packet);
    assert_int_equal(ip_parse(packet, n, &v), 0);
    assert_false(v.has_ports);
    assert_true(ip_is_later_fragment(&v));
    put16(packet + 6, 0);
    put16(packet + 2, 27); /* seven bytes of UDP */
    ip_header_sum(packet);
    assert_int_equal(ip_parse(packet, n, &v), 0);
    assert_false(v.has_ports);
}

/* RFC 1071 §3: the sum of 00 01 f2 03 f4 f5 f6 f7 is ddf2. */
static void rfc1071_example(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(ip_checksum(bytes, sizeof bytes), (uint16_t)~0xddf2);
    assert_int_equal(ip_checksum(bytes, 0), 0xffff);
}

static uint16_t slow_checksum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (uint32_t)p[i] << (i % 2 ? 0 : 8);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

static void rfc1071_any_length_and_alignment(void **state)
{
    (void)state;
    uint8_t bytes[300];
    struct prng rng;
    prng_init(&rng, 1, SPAN("test"), SPAN("checksum"));
    for (int round = 0; round < 2000; round++) {
        prng_bytes(&rng, bytes, sizeof bytes);
        size_t at = prng_below(&rng, 8);
        size_t n = prng_below(&rng, sizeof bytes - at + 1);
        assert_int_equal(ip_checksum(bytes + at, n), slow_checksum(bytes + at, n));
    }
}

static void rfc1624_incremental_equals_recomputed(void **state)
{
    (void)state;
    uint8_t bytes[40];
    struct prng rng;
    prng_init(&rng, 1, SPAN("test"), SPAN("incremental"));
    for (int round = 0; round < 2000; round++) {
        prng_bytes(&rng, bytes, sizeof bytes);
        uint16_t sum = ip_checksum(bytes, sizeof bytes);
        uint32_t before = get32(bytes + 8);
        uint16_t before16 = get16(bytes + 20);
        put32(bytes + 8, (uint32_t)prng_u64(&rng));
        put16(bytes + 20, (uint16_t)prng_u64(&rng));
        uint32_t change = ip_change32(before, get32(bytes + 8));
        uint16_t by_steps = ip_checksum_fix16(ip_checksum_fix(sum, change), before16, get16(bytes + 20));
        sum = ip_checksum_fix(sum, change + ip_change16(before16, get16(bytes + 20)));
        assert_int_equal(sum, ip_checksum(bytes, sizeof bytes));
        assert_int_equal(by_steps, sum);
    }
}

/* RFC 1624 §4: the case that RFC 1141's equation gets wrong. */
static void rfc1624_section_4_example(void **state)
{
    (void)state;
    assert_int_equal(ip_checksum_fix16(0xdd2f, 0x5555, 0x3285), 0x0000);
}

static void rfc768_zero_checksum_is_sent_as_ones(void **state)
{
    (void)state;
    uint8_t packet[64];
    size_t n = ip_build_udp(packet, sizeof packet, &from_alice, 1, 2, span_make("\0\0", 2));
    uint16_t sum = get16(packet + 26);
    put16(packet + 28, sum); /* the payload now cancels the rest */
    ip_transport_sum(packet, n);
    assert_int_equal(get16(packet + 26), 0xffff);
    assert_true(ip_transport_sum_ok(packet, n));
    put16(packet + 26, 0);
    assert_true(ip_transport_sum_ok(packet, n)); /* none */
    put16(packet + 26, 0x1234);
    assert_false(ip_transport_sum_ok(packet, n));
}

static void ttl_keeps_the_checksum_right(void **state)
{
    (void)state;
    uint8_t packet[64];
    struct ip_view v;
    size_t n = udp_packet(packet, sizeof packet);
    for (uint8_t ttl = 63; ttl > 0; ttl--) {
        ip_decrement_ttl(packet);
        assert_int_equal(ip_parse(packet, n, &v), 0);
        assert_int_equal(v.ttl, ttl);
    }
    ip_set_ttl(packet, 64);
    assert_int_equal(ip_parse(packet, n, &v), 0);
    assert_int_equal(v.ttl, 64);
}

static void builders_refuse_what_does_not_fit(void **state)
{
    (void)state;
    uint8_t packet[64];
    static uint8_t huge[70000];
    assert_int_equal(ip_build_udp(packet, 32, &from_alice, 1, 2, SPAN("hello")), 0);
    assert_int_equal(ip_build_udp(huge, sizeof huge, &from_alice, 1, 2, span_make(huge, 65508)), 0);
    assert_int_equal(ip_build_udp(huge, sizeof huge, &from_alice, 1, 2, SPAN("")), 28);
}

static void rfc792_echo_carries_its_identifier(void **state)
{
    (void)state;
    uint8_t packet[64];
    struct ip_view v;
    size_t n = ip_build_echo(packet, sizeof packet, &from_alice, ICMP_ECHO, 77, 3, SPAN("ping"));
    assert_int_equal(ip_parse(packet, n, &v), 0);
    assert_true(v.has_ports);
    assert_int_equal(v.sport, 77);
    assert_int_equal(v.dport, 77);
    assert_int_equal(v.icmp_type, ICMP_ECHO);
    assert_true(ip_transport_sum_ok(packet, n));
    assert_true(span_empty(icmp_quoted(packet, &v)));
}

static void rfc1812_error_quotes_up_to_576_bytes(void **state)
{
    (void)state;
    static uint8_t packet[1500];
    static uint8_t payload[1400];
    uint8_t error[600];
    struct ip_view v;
    struct ip_view inner;
    struct ip_build router = {.src = IPV4(192, 0, 2, 1), .ttl = 64};
    size_t n = ip_build_udp(packet, sizeof packet, &from_alice, 5060, 5061, span_make(payload, sizeof payload));
    size_t m = ip_build_icmp_error(error, sizeof error, &router, ICMP_UNREACHABLE, ICMP_FRAG_NEEDED, 1300, packet, n);
    assert_int_equal(m, 576);
    assert_int_equal(ip_parse(error, m, &v), 0);
    assert_int_equal(v.dst, ALICE);
    assert_int_equal(v.tos, 0xc0);
    assert_true(ip_transport_sum_ok(error, m));
    assert_int_equal(get32(error + 24), 1300);
    struct span quoted = icmp_quoted(error, &v);
    assert_int_equal(quoted.n, 548);
    assert_int_equal(ip_parse((const uint8_t *)quoted.p, quoted.n, &inner), FE_ESHORT);
    assert_int_equal(ip_parse_quoted((const uint8_t *)quoted.p, quoted.n, &inner), 0);
    assert_int_equal(inner.dport, 5061);
    assert_int_equal(inner.total, 1428);
}

static size_t error_about(uint8_t *packet, size_t n)
{
    static uint8_t error[600];
    struct ip_build router = {.src = IPV4(192, 0, 2, 1), .ttl = 64};
    return ip_build_icmp_error(error, sizeof error, &router, ICMP_TIME_EXCEEDED, 0, 0, packet, n);
}

static void rfc1122_no_error_about_errors_fragments_and_crowds(void **state)
{
    (void)state;
    uint8_t packet[64];
    uint8_t error[600];
    struct ip_build router = {.src = IPV4(192, 0, 2, 1), .ttl = 64};
    size_t n = udp_packet(packet, sizeof packet);
    size_t m = ip_build_icmp_error(error, sizeof error, &router, ICMP_TIME_EXCEEDED, 0, 0, packet, n);
    assert_int_not_equal(m, 0);
    assert_int_equal(error_about(error, m), 0);
    put16(packet + 6, 1);
    ip_header_sum(packet);
    assert_int_equal(error_about(packet, n), 0);
    put16(packet + 6, IP_MF);
    ip_header_sum(packet);
    assert_int_not_equal(error_about(packet, n), 0);
    put32(packet + 16, IPV4(224, 0, 0, 1));
    ip_header_sum(packet);
    assert_int_equal(error_about(packet, n), 0);
    put32(packet + 16, SBC);
    put32(packet + 12, 0);
    ip_header_sum(packet);
    assert_int_equal(error_about(packet, n), 0);
}

static void assert_described(const uint8_t *packet, size_t n, const char *expected)
{
    char buf[200];
    struct text t = text_on(buf, sizeof buf);
    ip_describe(&t, packet, n);
    assert_string_equal(buf, expected);
}

static void describes_packets(void **state)
{
    (void)state;
    uint8_t packet[64];
    uint8_t error[600];
    struct ip_build router = {.src = IPV4(203, 0, 113, 254), .ttl = 64};
    size_t n = udp_packet(packet, sizeof packet);
    assert_described(packet, n, "udp 192.168.1.20:5060 > 203.0.113.10:5061");
    size_t m = ip_build_icmp_error(error, sizeof error, &router, ICMP_TIME_EXCEEDED, 0, 0, packet, n);
    assert_described(error, m,
                     "icmp time-exceeded 203.0.113.254 > 192.168.1.20 "
                     "about udp 192.168.1.20:5060 > 203.0.113.10:5061");
    put16(packet + 6, 185);
    ip_header_sum(packet);
    assert_described(packet, n, "udp fragment 1480+13 192.168.1.20 > 203.0.113.10");
    packet[9] = 47;
    put16(packet + 6, 0);
    ip_header_sum(packet);
    assert_described(packet, n, "protocol 47 192.168.1.20 > 203.0.113.10");
    assert_described(packet, 12, "cut IPv4 packet, 12 bytes");
    packet[0] = 0x60;
    assert_described(packet, n, "malformed packet, 33 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc791_udp_round_trip),
        cmocka_unit_test(rfc791_refuses_what_contradicts_itself),
        cmocka_unit_test(rfc791_ports_only_where_the_transport_starts),
        cmocka_unit_test(rfc1071_example),
        cmocka_unit_test(rfc1071_any_length_and_alignment),
        cmocka_unit_test(rfc1624_incremental_equals_recomputed),
        cmocka_unit_test(rfc1624_section_4_example),
        cmocka_unit_test(rfc768_zero_checksum_is_sent_as_ones),
        cmocka_unit_test(ttl_keeps_the_checksum_right),
        cmocka_unit_test(builders_refuse_what_does_not_fit),
        cmocka_unit_test(rfc792_echo_carries_its_identifier),
        cmocka_unit_test(rfc1812_error_quotes_up_to_576_bytes),
        cmocka_unit_test(rfc1122_no_error_about_errors_fragments_and_crowds),
        cmocka_unit_test(describes_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
