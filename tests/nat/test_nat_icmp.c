/* RFC 5508: queries, errors about translated packets in both directions, and the NAT's own answers. */
#include "tests/nat/rig.h"

#define ROUTER IPV4(192, 0, 2, 1) /* somewhere on the way */

/* An ICMP error from `from` about the packet `about`, for its source. */
static void send_error(struct rig *r, enum nat_side side, ipv4 from, uint8_t type, uint8_t code, const uint8_t *about,
                       size_t n)
{
    uint8_t quoted[2000];
    struct ip_build ip = {.src = from, .ttl = 64};
    memcpy(quoted, about, n);
    rig_send(r, side, ip_build_icmp_error(r->sent, sizeof r->sent, &ip, type, code, 0, quoted, n));
}

/* The packet that an error quotes must be whole in itself and equal to what the addressee sent. */
static void assert_quotes(const struct rig *r, const uint8_t *sent, size_t n)
{
    struct span quoted = icmp_quoted(r->got.packet, &r->v);
    uint8_t expected[2000];
    memcpy(expected, sent, n);
    ip_set_ttl(expected, (uint8_t)quoted.p[8]);
    assert_int_equal(quoted.n, n < 548 ? n : 548);
    assert_memory_equal(quoted.p, expected, quoted.n);
}

static void req_5508_1_queries_are_mapped_by_identifier(void **state)
{
    struct rig *r = *state;
    rig_echo(r, NAT_INSIDE, ICMP_ECHO, A, S, 2000);
    assert_forwarded(r, NAT_OUTSIDE, EP(PUBLIC, 2000), EP(S, 2000));
    assert_int_equal(r->mapping.protocol, IP_ICMP);
    assert_true(endpoint_equal(r->mapping.inside, EP(A, 2000)));
    rig_echo(r, NAT_INSIDE, ICMP_ECHO, B, S, 2000);
    assert_forwarded(r, NAT_OUTSIDE, EP(PUBLIC, 2001), EP(S, 2001));
    rig_echo(r, NAT_OUTSIDE, ICMP_ECHO_REPLY, S, PUBLIC, 2001);
    assert_forwarded(r, NAT_INSIDE, EP(S, 2000), EP(B, 2000));
    rig_echo(r, NAT_OUTSIDE, ICMP_ECHO_REPLY, T, PUBLIC, 2001);
    assert_dropped(r, NAT_FILTERED);
}

static void req_5508_1_replies_make_no_mapping(void **state)
{
    struct rig *r = *state;
    rig_echo(r, NAT_INSIDE, ICMP_ECHO_REPLY, A, S, 2000);
    assert_dropped(r, NAT_NO_MAPPING);
    rig_echo(r, NAT_OUTSIDE, ICMP_ECHO_REPLY, S, PUBLIC, 2000);
    assert_dropped(r, NAT_NO_MAPPING);
    assert_int_equal(r->created, 0);
}

static void req_5508_2_queries_end_after_60_s(void **state)
{
    struct rig *r = *state;
    rig_echo(r, NAT_INSIDE, ICMP_ECHO, A, S, 2000);
    assert_int_equal(nat_deadline(r->nat), 60 * SEC);
    r->now = 60 * SEC - 1;
    rig_echo(r, NAT_OUTSIDE, ICMP_ECHO_REPLY, S, PUBLIC, 2000);
    assert_int_equal(r->got.action, NAT_FORWARD);
    r->now = 60 * SEC;
    rig_echo(r, NAT_OUTSIDE, ICMP_ECHO_REPLY, S, PUBLIC, 2000);
    assert_dropped(r, NAT_NO_MAPPING);
}

static void req_5508_3_a_wrong_checksum_is_dropped(void **state)
{
    struct rig *r = *state;
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    send_error(r, NAT_OUTSIDE, ROUTER, ICMP_TIME_EXCEEDED, 0, r->packet, r->n);
    r->sent[r->n - 1] ^= 1;
    rig_send(r, NAT_OUTSIDE, r->n);
    assert_dropped(r, NAT_BAD_PACKET);
}

static void req_5508_4_errors_from_outside_reach_the_sender(void **state)
{
    struct rig *r = *state;
    static const size_t payloads[] = {5, 600};
    for (size_t i = 0; i < 2; i++) {
        uint8_t sent[2000];
        size_t n = rig_udp_packet(sent, EP(B, 5060), EP(S, 5060), 64, payloads[i]);
        rig_mapped(r, EP(A, 5060), EP(S, 5060)); /* takes 5060, so that B's port changes */
        memcpy(r->sent, sent, n);
        rig_send(r, NAT_INSIDE, n);
        assert_int_equal(r->v.sport, 5061);
        send_error(r, NAT_OUTSIDE, ROUTER, ICMP_TIME_EXCEEDED, ICMP_TTL_EXCEEDED, r->packet, n);
        assert_int_equal(r->got.action, NAT_FORWARD);
        assert_int_equal(r->got.side, NAT_INSIDE);
        assert_int_equal(r->v.src, ROUTER);
        assert_int_equal(r->v.dst, B);
        assert_quotes(r, sent, n);
    }
}

static void req_5508_4_errors_about_nothing_of_ours_are_dropped(void **state)
{
    struct rig *r = *state;
    uint8_t never_sent[100];
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    size_t n = rig_udp_packet(never_sent, EP(PUBLIC, 5060), EP(T, 5060), 64, 5);
    send_error(r, NAT_OUTSIDE, ROUTER, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, never_sent, n);
    assert_dropped(r, NAT_NO_MAPPING);
    n = rig_udp_packet(never_sent, EP(PUBLIC, 6000), EP(S, 5060), 64, 5);
    send_error(r, NAT_OUTSIDE, ROUTER, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, never_sent, n);
    assert_dropped(r, NAT_NO_MAPPING);
}

static void req_5508_4_errors_about_queries(void **state)
{
    struct rig *r = *state;
    uint8_t sent[200];
    rig_echo(r, NAT_INSIDE, ICMP_ECHO, A, S, 2000);
    rig_echo(r, NAT_INSIDE, ICMP_ECHO, B, S, 2000);
    size_t n = r->n;
    memcpy(sent, r->sent, n);
    send_error(r, NAT_OUTSIDE, ROUTER, ICMP_TIME_EXCEEDED, 0, r->packet, n);
    assert_int_equal(r->got.action, NAT_FORWARD);
    assert_int_equal(r->v.dst, B);
    assert_quotes(r, sent, n);
}

static void req_5508_5_errors_from_inside_come_from_the_public_address(void **state)
{
    struct rig *r = *state;
    uint8_t sent[2000];
    static const ipv4 complainers[] = {B, IPV4(10, 9, 9, 9)}; /* the host itself, and a router on the way to it */
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    rig_mapped(r, EP(B, 5060), EP(S, 5060));
    for (size_t i = 0; i < 2; i++) {
        rig_udp(r, NAT_OUTSIDE, EP(S, 5060), EP(PUBLIC, 5061));
        memcpy(sent, r->sent, r->n);
        send_error(r, NAT_INSIDE, complainers[i], ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, r->packet, r->n);
        assert_int_equal(r->got.action, NAT_FORWARD);
        assert_int_equal(r->got.side, NAT_OUTSIDE);
        assert_int_equal(r->v.src, PUBLIC);
        assert_int_equal(r->v.dst, S);
        assert_quotes(r, sent, 33);
    }
}

static void req_5508_5_also_about_packets_of_strangers(void **state)
{
    struct rig *r = *state;
    uint8_t sent[2000];
    r->config.filtering = NAT_ENDPOINT_INDEPENDENT;
    rig_new(r);
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    rig_udp(r, NAT_OUTSIDE, EP(T, 99), EP(PUBLIC, 5060));
    memcpy(sent, r->sent, r->n);
    send_error(r, NAT_INSIDE, A, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, r->packet, r->n);
    assert_int_equal(r->v.dst, T);
    assert_quotes(r, sent, 33);
}

static void req_5508_6_errors_neither_refresh_nor_end_a_mapping(void **state)
{
    struct rig *r = *state;
    r->config.refresh_inbound = true;
    rig_new(r);
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    r->now = 100 * SEC;
    for (uint8_t code = 0; code < 16; code++) {
        uint8_t about[100];
        size_t n = rig_udp_packet(about, EP(PUBLIC, 5060), EP(S, 5060), 64, 5);
        send_error(r, NAT_OUTSIDE, S, ICMP_UNREACHABLE, code, about, n);
        assert_int_equal(r->got.action, NAT_FORWARD);
    }
    assert_int_equal(nat_count(r->nat), 1);
    assert_int_equal(nat_deadline(r->nat), 300 * SEC);
    nat_expire(r->nat, 300 * SEC);
    assert_int_equal(nat_count(r->nat), 0);
}

static void req_5508_7_errors_about_hairpinned_packets(void **state)
{
    struct rig *r = *state;
    uint8_t sent[200];
    r->config.hairpin = true;
    r->config.filtering = NAT_ENDPOINT_INDEPENDENT;
    rig_new(r);
    rig_mapped(r, EP(A, 4000), EP(S, 5060));
    rig_mapped(r, EP(B, 4000), EP(S, 5060)); /* 4001 */
    rig_udp(r, NAT_INSIDE, EP(A, 4000), EP(PUBLIC, 4001));
    memcpy(sent, r->sent, r->n);
    send_error(r, NAT_INSIDE, B, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, r->packet, r->n);
    assert_int_equal(r->got.action, NAT_FORWARD);
    assert_int_equal(r->got.side, NAT_INSIDE);
    assert_int_equal(r->v.src, PUBLIC);
    assert_int_equal(r->v.dst, A);
    assert_quotes(r, sent, 33);
}

static void req_5508_10_pings_of_the_nat_itself_are_answered(void **state)
{
    struct rig *r = *state;
    static const struct {
        enum nat_side from;
        ipv4 who, whom;
    } rows[] = {{NAT_INSIDE, A, INSIDE}, {NAT_INSIDE, A, PUBLIC}, {NAT_OUTSIDE, S, PUBLIC}};
    for (size_t i = 0; i < 3; i++) {
        rig_echo(r, rows[i].from, ICMP_ECHO, rows[i].who, rows[i].whom, 9);
        assert_int_equal(r->got.action, NAT_ANSWER);
        assert_int_equal(r->got.cause, NAT_NO_CAUSE);
        assert_int_equal(r->got.side, rows[i].from);
        assert_int_equal(r->v.src, rows[i].whom);
        assert_int_equal(r->v.dst, rows[i].who);
        assert_int_equal(r->v.icmp_type, ICMP_ECHO_REPLY);
        assert_int_equal(r->v.sport, 9);
        assert_int_equal(r->v.ttl, 64);
    }
    rig_echo(r, NAT_OUTSIDE, ICMP_ECHO, S, INSIDE, 9);
    assert_dropped(r, NAT_NO_MAPPING);
}

static void req_5508_11_other_messages_are_dropped(void **state)
{
    struct rig *r = *state;
    static const uint8_t types[] = {4, 5, 9, 10, 13, 14, 17, 18, 255};
    for (size_t i = 0; i < sizeof types; i++) {
        rig_echo(r, NAT_INSIDE, types[i], A, S, 9);
        assert_dropped(r, NAT_NO_MAPPING);
        rig_echo(r, NAT_OUTSIDE, types[i], S, PUBLIC, 9);
        assert_dropped(r, NAT_NO_MAPPING);
    }
}

static void one_to_one_translates_quotes_too(void **state)
{
    struct rig *r = *state;
    uint8_t sent[200];
    r->config.pool_n = 0;
    r->config.one_to_one.inside = A;
    r->config.one_to_one.outside = PUBLIC;
    rig_new(r);
    rig_udp(r, NAT_INSIDE, EP(A, 5060), EP(S, 5060));
    memcpy(sent, r->sent, r->n);
    send_error(r, NAT_OUTSIDE, ROUTER, ICMP_TIME_EXCEEDED, 0, r->packet, r->n);
    assert_int_equal(r->v.dst, A);
    assert_quotes(r, sent, 33);
    rig_udp(r, NAT_OUTSIDE, EP(S, 5060), EP(PUBLIC, 1));
    memcpy(sent, r->sent, r->n);
    send_error(r, NAT_INSIDE, A, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, r->packet, r->n);
    assert_int_equal(r->v.src, PUBLIC);
    assert_int_equal(r->v.dst, S);
    assert_quotes(r, sent, 33);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(req_5508_1_queries_are_mapped_by_identifier),
        RIG_TEST(req_5508_1_replies_make_no_mapping),
        RIG_TEST(req_5508_2_queries_end_after_60_s),
        RIG_TEST(req_5508_3_a_wrong_checksum_is_dropped),
        RIG_TEST(req_5508_4_errors_from_outside_reach_the_sender),
        RIG_TEST(req_5508_4_errors_about_nothing_of_ours_are_dropped),
        RIG_TEST(req_5508_4_errors_about_queries),
        RIG_TEST(req_5508_5_errors_from_inside_come_from_the_public_address),
        RIG_TEST(req_5508_5_also_about_packets_of_strangers),
        RIG_TEST(req_5508_6_errors_neither_refresh_nor_end_a_mapping),
        RIG_TEST(req_5508_7_errors_about_hairpinned_packets),
        RIG_TEST(req_5508_10_pings_of_the_nat_itself_are_answered),
        RIG_TEST(req_5508_11_other_messages_are_dropped),
        RIG_TEST(one_to_one_translates_quotes_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
