/* TCP segments and sequence numbers (RFC 9293). */
#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/proto/tcp.h"
#include "tests/cmocka.h"

static const struct ip_build from_alice = {
    .src = IPV4(10, 0, 0, 1), .dst = IPV4(10, 0, 0, 2), .id = 7, .fragment = IP_DF, .ttl = 64};

static void view_of(const uint8_t *packet, size_t n, struct tcp_view *out)
{
    struct ip_view v;
    assert_int_equal(ip_parse(packet, n, &v), 0);
    assert_int_equal(v.protocol, IP_TCP);
    assert_true(ip_transport_sum_ok(packet, n));
    assert_int_equal(tcp_parse(packet, &v, out), 0);
}

static void rfc9293_3_1_a_segment_is_read_as_it_was_built(void **state)
{
    uint8_t packet[128];
    struct tcp_view s;
    struct tcp_build tcp = {.sport = 40000,
                            .dport = 5060,
                            .seq = 0xfffffff0u,
                            .ack = 0x80000001u,
                            .flags = TCP_ACK | TCP_PSH | TCP_FIN,
                            .window = 65535};
    (void)state;
    size_t n = tcp_build(packet, sizeof packet, &from_alice, &tcp, SPAN("hello"));
    assert_int_equal(n, 45);
    view_of(packet, n, &s);
    assert_true(endpoint_equal(s.src, (struct endpoint){IPV4(10, 0, 0, 1), 40000}));
    assert_true(endpoint_equal(s.dst, (struct endpoint){IPV4(10, 0, 0, 2), 5060}));
    assert_int_equal(s.seq, 0xfffffff0u);
    assert_int_equal(s.ack, 0x80000001u);
    assert_int_equal(s.flags, TCP_ACK | TCP_PSH | TCP_FIN);
    assert_int_equal(s.window, 65535);
    assert_int_equal(s.mss, 0);
    assert_true(span_is(s.payload, "hello"));
    assert_int_equal(tcp_length(&s), 6);
}

static void rfc9293_3_7_1_a_syn_announces_the_mss(void **state)
{
    uint8_t packet[64];
    struct tcp_view s;
    struct tcp_build tcp = {.flags = TCP_SYN, .window = 65535, .mss = 1460};
    (void)state;
    size_t n = tcp_build(packet, sizeof packet, &from_alice, &tcp, (struct span){0});
    assert_int_equal(n, 44);
    view_of(packet, n, &s);
    assert_int_equal(s.mss, 1460);
    assert_int_equal(s.header, 24);
    assert_int_equal(tcp_length(&s), 1);
}

static void rfc9293_3_2_other_options_are_passed_over(void **state)
{
    uint8_t header[32] = {[20] = 1, 8, 10, [30] = 2, 4}; /* NOP, timestamps, an MSS that is cut off */
    (void)state;
    assert_int_equal(tcp_find_mss(header, 32), 0);
    header[20] = header[21] = 1;
    header[22] = 2, header[23] = 4, header[24] = 5, header[25] = 180;
    assert_int_equal(tcp_find_mss(header, 28), 24);
    header[20] = 0; /* the end of the options */
    assert_int_equal(tcp_find_mss(header, 28), 0);
    header[20] = 3, header[21] = 0; /* an option without length */
    assert_int_equal(tcp_find_mss(header, 28), 0);
    header[20] = 2, header[21] = 3; /* an MSS of a wrong length */
    assert_int_equal(tcp_find_mss(header, 28), 0);
}

static void a_payload_in_its_place_is_left_there(void **state)
{
    uint8_t packet[64];
    struct tcp_view s;
    struct tcp_build tcp = {.flags = TCP_ACK};
    (void)state;
    memcpy(packet + 40, "here", 4);
    size_t n = tcp_build(packet, sizeof packet, &from_alice, &tcp, span_make(packet + 40, 4));
    view_of(packet, n, &s);
    assert_true(span_is(s.payload, "here"));
}

static void what_does_not_fit_is_not_built(void **state)
{
    static uint8_t packet[66000];
    struct tcp_build tcp = {.flags = TCP_SYN, .mss = 1460};
    (void)state;
    assert_int_equal(tcp_build(packet, 43, &from_alice, &tcp, (struct span){0}), 0);
    assert_int_equal(tcp_build(packet, 44, &from_alice, &tcp, (struct span){0}), 44);
    assert_int_equal(tcp_build(packet, sizeof packet, &from_alice, &tcp, span_make(packet, 65535 - 43)), 0);
}

static void malformed_headers_are_told(void **state)
{
    uint8_t packet[64];
    struct ip_view v;
    struct tcp_view s;
    struct tcp_build tcp = {.flags = TCP_ACK};
    (void)state;
    size_t n = tcp_build(packet, sizeof packet, &from_alice, &tcp, SPAN("xyz"));
    assert_int_equal(ip_parse(packet, n, &v), 0);
    packet[IP_HEADER + TCP_OFFSET_AT] = 4 << 4;
    assert_int_equal(tcp_parse(packet, &v, &s), FE_ESYNTAX);
    packet[IP_HEADER + TCP_OFFSET_AT] = 6 << 4;
    assert_int_equal(tcp_parse(packet, &v, &s), FE_ESHORT);
    v.total = IP_HEADER + TCP_HEADER - 1;
    assert_int_equal(tcp_parse(packet, &v, &s), FE_ESHORT);
}

static void rfc792_eight_quoted_bytes_are_ports_and_sequence_number(void **state)
{
    uint8_t packet[64];
    struct ip_view v;
    struct tcp_view s;
    struct tcp_build tcp = {.sport = 1, .dport = 2, .seq = 3, .ack = 4, .flags = TCP_ACK};
    (void)state;
    tcp_build(packet, sizeof packet, &from_alice, &tcp, SPAN("xyz"));
    assert_int_equal(ip_parse_quoted(packet, IP_HEADER + 8, &v), 0);
    assert_int_equal(tcp_parse_quoted(packet, IP_HEADER + 8, &v, &s), 0);
    assert_int_equal(s.src.port, 1);
    assert_int_equal(s.dst.port, 2);
    assert_int_equal(s.seq, 3);
    assert_int_equal(tcp_parse_quoted(packet, IP_HEADER + 7, &v, &s), FE_ESHORT);
}

static void rfc9293_3_4_sequence_numbers_wrap_around(void **state)
{
    (void)state;
    assert_true(tcp_before(1, 2));
    assert_false(tcp_before(2, 2));
    assert_true(tcp_before(0xffffffffu, 0));
    assert_true(tcp_before(0x80000001u, 0));
    assert_false(tcp_before(5, 0xfffffff0u));
    assert_true(tcp_at_most(7, 7));
    assert_true(tcp_at_most(0xfffffff0u, 5));
    assert_false(tcp_at_most(5, 0xfffffff0u));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc9293_3_1_a_segment_is_read_as_it_was_built),
        cmocka_unit_test(rfc9293_3_7_1_a_syn_announces_the_mss),
        cmocka_unit_test(rfc9293_3_2_other_options_are_passed_over),
        cmocka_unit_test(a_payload_in_its_place_is_left_there),
        cmocka_unit_test(what_does_not_fit_is_not_built),
        cmocka_unit_test(malformed_headers_are_told),
        cmocka_unit_test(rfc792_eight_quoted_bytes_are_ports_and_sequence_number),
        cmocka_unit_test(rfc9293_3_4_sequence_numbers_wrap_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
