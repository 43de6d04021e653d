/* Two media sessions on a path whose delay and losses the test chooses: 101 at 10.0.0.1, 102 at 10.0.0.2. */
#include "nodes/media/media.h"
#include "nodes/proto/rtcp.h"
#include "nodes/proto/rtp.h"

#include "tests/media/fake_net.h"

#include "tests/cmocka.h"

static struct media *alice, *bob;
static struct media_report heard; /* by alice */
static unsigned sent_packets;     /* RTP from bob, seen by the path */
static unsigned refusals;

static const ipv4 alice_addr = IPV4(10, 0, 0, 1);
static const ipv4 bob_addr = IPV4(10, 0, 0, 2);

static void refused(void *arg, const struct host_icmp *error)
{
    (void)arg;
    (void)error;
    refusals++;
}

static const struct media_events events = {.refused = refused};

static struct media_config config_of(ipv4 addr, const char *line)
{
    return (struct media_config){.addr = addr,
                                 .ports = {10000, 10999},
                                 .line = span_of(line),
                                 .number = 1,
                                 .playout = 60 * MS,
                                 .ttl = 64,
                                 .symmetric = true};
}

static struct media *session(struct host *h, ipv4 addr, const char *line)
{
    struct media_config config = config_of(addr, line);
    struct media *m = NULL;
    assert_int_equal(media_open(&m, h, &config, &events, NULL), 0);
    return m;
}

static void connect_to(struct media *m, const struct media *other, const char *line)
{
    struct endpoint rtp = media_local(other);
    struct media_peer peer = {.rtp = rtp, .rtcp = {rtp.addr, (uint16_t)(rtp.port + 1)}, .line = span_of(line)};
    media_connect(m, &peer);
}

static int begin(void **state)
{
    (void)state;
    net_begin(25 * MS);
    sent_packets = refusals = 0;
    alice = session(net_host("alice", alice_addr), alice_addr, "101");
    bob = session(net_host("bob", bob_addr), bob_addr, "102");
    connect_to(alice, bob, "102");
    connect_to(bob, alice, "101");
    return 0;
}

static int end(void **state)
{
    (void)state;
    media_free(alice);
    media_free(bob);
    net_end();
    return 0;
}

static void talk_until(lab_time until)
{
    media_flow(alice, true, true);
    media_flow(bob, true, true);
    net_run(until);
    media_report(alice, &heard);
}

static bool is_voice(const struct net_packet *p)
{
    return p->from.addr == bob_addr && p->to.port % 2 == 0;
}

/* ---- clean ---- */

static void a_clean_call_is_heard_whole(void **state)
{
    (void)state;
    talk_until(20 * SEC);
    assert_string_equal(heard.heard, "102");
    assert_int_equal(heard.heard_ppm, 1000000);
    assert_int_equal(heard.sent, 1001);
    assert_int_equal(heard.expected, 999); /* two are on their way */
    assert_int_equal(heard.received, 999);
    assert_int_equal(heard.lost + heard.late + heard.duplicate, 0);
    assert_int_equal(heard.jitter, 0);
    assert_true(heard.has_delay);
    assert_int_equal(heard.delay, 25 * MS);
    assert_int_equal(heard.mos, 436); /* 85 ms from mouth to ear */
}

static void ports_are_a_pair_and_the_next_one_is_free(void **state)
{
    (void)state;
    struct media_config config = config_of(alice_addr, "101");
    struct media *third = NULL;
    assert_int_equal(media_local(alice).port, 10000);
    assert_int_equal(media_open(&third, &net.hosts[0], &config, &events, NULL), 0);
    assert_int_equal(media_local(third).port, 10002);
    media_free(third);
    config.ports = (struct port_range){10000, 10001};
    assert_int_equal(media_open(&third, &net.hosts[0], &config, &events, NULL), FE_EUSED);
}

static uint8_t ttl_seen;

static void see_ttl(struct net_packet *p)
{
    ttl_seen = p->ttl;
}

static void media_leave_with_their_ttl_PH_17(void **state)
{
    (void)state;
    net.path = see_ttl;
    talk_until(SEC);
    assert_int_equal(ttl_seen, 64);
    media_set_ttl(alice, 7);
    media_set_ttl(bob, 7);
    net_run(2 * SEC);
    assert_int_equal(ttl_seen, 7);
}

/* ---- silence ---- */

static void lose_all(struct net_packet *p)
{
    p->at = NEVER;
}

static void nothing_heard_is_0(void **state)
{
    (void)state;
    net.path = lose_all;
    talk_until(20 * SEC);
    assert_string_equal(heard.heard, "");
    assert_int_equal(heard.heard_ppm, 0);
    assert_int_equal(heard.expected, 0);
    assert_false(heard.has_delay);
    assert_int_equal(heard.mos, 100);
}

static void lose_second_half(struct net_packet *p)
{
    if (net.now >= 11 * SEC)
        p->at = NEVER;
}

static void a_path_that_dies_half_way_leaves_half(void **state)
{
    (void)state;
    net.path = lose_second_half;
    talk_until(21 * SEC);
    assert_string_equal(heard.heard, "102");
    assert_in_range(heard.heard_ppm, 500000, 506000); /* 10 s and the buffer, of 20 s */
    assert_int_equal(heard.lost, 0);                  /* nothing came after the gap to show it */
}

static void silence_before_the_start_up_allowance_is_forgiven(void **state)
{
    (void)state;
    media_flow(alice, true, true);
    net_run(900 * MS);
    media_flow(bob, true, true);
    net_run(10 * SEC);
    media_report(alice, &heard);
    assert_int_equal(heard.heard_ppm, 1000000);
}

static void a_call_shorter_than_the_allowance_counts_when_heard(void **state)
{
    (void)state;
    talk_until(500 * MS);
    assert_int_equal(heard.heard_ppm, 1000000);
    assert_int_equal(heard.mos, 436);
}

/* ---- losses ---- */

static void lose_every_tenth(struct net_packet *p)
{
    if (is_voice(p) && ++sent_packets % 10 == 0)
        p->at = NEVER;
}

static void losses_are_counted_and_heard(void **state)
{
    (void)state;
    net.path = lose_every_tenth;
    talk_until(21 * SEC);
    assert_string_equal(heard.heard, "102");
    assert_int_equal(heard.lost, 104);
    assert_int_equal(heard.received, heard.expected - 104);
    assert_in_range(heard.heard_ppm, 899000, 901000);
    assert_in_range(heard.mos, 130, 150); /* G.711 without concealment */
}

static void delay_every_tenth(struct net_packet *p)
{
    if (is_voice(p) && ++sent_packets % 10 == 0)
        p->at += 90 * MS;
}

static void late_packets_are_not_lost_but_not_heard(void **state)
{
    (void)state;
    net.path = delay_every_tenth;
    talk_until(21 * SEC);
    assert_int_equal(heard.lost, 0);
    assert_int_equal(heard.late, 104);
    assert_in_range(heard.heard_ppm, 899000, 901000);
    assert_true(heard.jitter > 0);
}

static void jitter_within_the_buffer_is_not_heard(void **state)
{
    (void)state;
    net.path = delay_every_tenth;
    media_free(alice);
    struct media_config config = config_of(alice_addr, "101");
    config.playout = 100 * MS;
    assert_int_equal(media_open(&alice, &net.hosts[0], &config, &events, NULL), 0);
    connect_to(alice, bob, "102");
    talk_until(21 * SEC);
    assert_int_equal(heard.late, 0);
    assert_int_equal(heard.heard_ppm, 1000000);
}

static void send_twice(struct net_packet *p)
{
    if (is_voice(p) && p->ttl == 64)
        net_send(p->from, p->to, 63, span_make(p->data, p->n));
}

static void duplicates_are_counted_once(void **state)
{
    (void)state;
    net.path = send_twice;
    talk_until(10 * SEC);
    assert_int_equal(heard.received, heard.expected);
    assert_int_equal(heard.duplicate, heard.received);
    assert_int_equal(heard.heard_ppm, 1000000);
}

/* ---- whose voice ---- */

static void another_voice_is_heard_but_is_not_the_peers(void **state)
{
    (void)state;
    connect_to(alice, bob, "103");
    talk_until(20 * SEC);
    assert_string_equal(heard.heard, "102");
    assert_int_equal(heard.heard_ppm, 0);
    assert_int_equal(heard.mos, 436); /* it is well understood, whoever it is */
}

static void a_stranger_does_not_get_in_between(void **state)
{
    (void)state;
    const ipv4 addr = IPV4(10, 0, 0, 3);
    struct media *mallory = session(net_host("mallory", addr), addr, "666");
    connect_to(mallory, alice, "101");
    talk_until(5 * SEC);
    media_flow(mallory, true, false);
    net_run(10 * SEC);
    media_report(alice, &heard);
    assert_string_equal(heard.heard, "102");
    assert_int_equal(heard.heard_ppm, 1000000);
    assert_true(net_count("alice", "drop", "cause", "not-latched") > 200);
    media_free(mallory);
}

static void a_new_source_is_heard_when_the_old_one_is_silent(void **state)
{
    (void)state;
    talk_until(5 * SEC);
    media_free(bob);
    struct media_config config = config_of(bob_addr, "102");
    config.number = 2;
    assert_int_equal(media_open(&bob, &net.hosts[1], &config, &events, NULL), 0);
    connect_to(bob, alice, "101");
    net_run(5200 * MS);
    media_flow(bob, true, true);
    net_run(11 * SEC);
    media_report(alice, &heard);
    assert_int_equal(heard.lost, 0);
    assert_in_range(heard.heard_ppm, 970000, 985000); /* 200 ms and a little of 10 s are missing */
    assert_int_equal(heard.delay, 25 * MS);
}

/* ---- hold, the end ---- */

static void a_hold_is_nobodys_silence(void **state)
{
    (void)state;
    talk_until(5 * SEC);
    media_flow(alice, false, false);
    media_flow(bob, false, false);
    net_run(65 * SEC);
    media_flow(alice, true, true);
    media_flow(bob, true, true);
    net_run(75 * SEC);
    media_report(alice, &heard);
    assert_int_equal(heard.heard_ppm, 1000000);
    assert_int_equal(heard.lost, 0);
    assert_int_equal(heard.late, 0);
}

static void after_a_BYE_silence_is_nobodys_fault_6_6(void **state)
{
    (void)state;
    talk_until(10 * SEC);
    media_close(bob);
    bob = NULL;
    net_run(20 * SEC);
    media_report(alice, &heard);
    assert_int_equal(heard.heard_ppm, 1000000);
}

/* ---- RTCP ---- */

static lab_time reports[64];
static unsigned reports_n;
static unsigned reports_bad;

static void see_reports(struct net_packet *p)
{
    if (p->from.addr != bob_addr || p->to.port % 2 == 0)
        return;
    reports_bad += rtcp_check(span_make(p->data, p->n)) != 0;
    if (reports_n < 64)
        reports[reports_n++] = net.now;
}

static void reports_come_every_2_to_6_seconds_6_3_1(void **state)
{
    (void)state;
    reports_n = reports_bad = 0;
    net.path = see_reports;
    talk_until(120 * SEC);
    assert_in_range(reports_n, 20, 58);
    assert_int_equal(reports_bad, 0);
    assert_int_equal(reports[0], 0);
    for (unsigned i = 1; i < reports_n; i++)
        assert_in_range(reports[i] - reports[i - 1], 2052 * MS, 6157 * MS);
}

/* ---- what is no RTP ---- */

static void bad_packets_are_dropped_and_told(void **state)
{
    (void)state;
    const struct endpoint from = {bob_addr, 4000};
    struct endpoint rtcp = media_local(alice);
    rtcp.port++;
    net_send(from, media_local(alice), 64, SPAN("garbage"));
    net_send(from, media_local(alice), 64, SPAN("\x80\x12\0\1\0\0\0\0\0\0\0\1voice")); /* payload type 18 */
    net_send(from, rtcp, 64, SPAN("garbage!"));
    net_run(SEC);
    assert_int_equal(net_count("alice", "drop", "cause", "bad-rtp"), 3);
    assert_true(record_is(net_line("alice", "drop", NULL, NULL, 0), "packet", "udp 10.0.0.2:4000 > 10.0.0.1:10000"));
}

static void hush(struct net_packet *p)
{
    if (is_voice(p))
        memset(p->data + RTP_HEADER, 0xff, p->n - RTP_HEADER);
}

static void silence_that_is_sent_is_played_but_is_nobodys_voice(void **state)
{
    (void)state;
    net.path = hush;
    talk_until(10 * SEC);
    assert_string_equal(heard.heard, "");
    assert_int_equal(heard.heard_ppm, 0);
    assert_int_equal(heard.lost, 0);
    assert_int_equal(heard.mos, 436);
}

static void restart_at_5_s(struct net_packet *p)
{
    if (!is_voice(p) || net.now < 5 * SEC)
        return;
    p->data[2] ^= 0x80; /* sequence number and timestamp are elsewhere at once */
    p->data[4] ^= 0x40;
}

static void a_source_that_starts_anew_is_followed_A_1(void **state)
{
    (void)state;
    net.path = restart_at_5_s;
    talk_until(11 * SEC);
    assert_int_equal(heard.lost, 0);
    assert_int_equal(heard.received, 549 - 1); /* the first packet behind the jump was not believed */
    assert_in_range(heard.heard_ppm, 990000, 999999);
}

static void what_comes_to_a_port_that_only_sends_is_dropped(void **state)
{
    (void)state;
    struct media_config config = config_of(alice_addr, "101");
    struct media *m = NULL;
    config.symmetric = false;
    assert_int_equal(media_open(&m, &net.hosts[0], &config, &events, NULL), 0);
    net_send(media_local(bob), (struct endpoint){alice_addr, 32768}, 64, SPAN("voice"));
    net_run(SEC);
    assert_int_equal(net_count("alice", "drop", "cause", "no-session"), 1);
    media_free(m);
}

static void a_taken_rtcp_port_makes_the_pair_useless(void **state)
{
    (void)state;
    struct media_config config = config_of(bob_addr, "102");
    struct media *m = NULL;
    struct host_udp *taken;
    const struct endpoint at = {bob_addr, 10003};
    assert_int_equal(host_udp_open(&net.hosts[1], at, &(struct host_udp_events){0}, NULL, &taken), 0);
    assert_int_equal(media_open(&m, &net.hosts[1], &config, &events, NULL), 0);
    assert_int_equal(media_local(m).port, 10004);
    media_free(m);
}

static struct endpoint voice_from;

static void see_source(struct net_packet *p)
{
    if (is_voice(p))
        voice_from = p->from;
}

static void without_symmetric_rtp_voice_leaves_from_elsewhere_RFC_4961(void **state)
{
    (void)state;
    media_free(bob);
    struct media_config config = config_of(bob_addr, "102");
    config.symmetric = false;
    assert_int_equal(media_open(&bob, &net.hosts[1], &config, &events, NULL), 0);
    connect_to(bob, alice, "101");
    net.path = see_source;
    talk_until(2 * SEC);
    assert_int_equal(media_local(bob).port, 10000);
    assert_true(voice_from.port >= 32768);
    assert_int_equal(heard.heard_ppm, 1000000);
}

static void icmp_errors_are_counted(void **state)
{
    (void)state;
    struct host_icmp error = {.to = media_local(bob), .from = IPV4(10, 0, 0, 254), .type = 11};
    struct host_udp *u = net_socket(media_local(alice));
    u->events->refused(u->arg, &error);
    u->events->refused(u->arg, &error);
    media_report(alice, &heard);
    assert_int_equal(heard.refused, 2);
    assert_int_equal(refusals, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_clean_call_is_heard_whole),
        TEST(ports_are_a_pair_and_the_next_one_is_free),
        TEST(media_leave_with_their_ttl_PH_17),
        TEST(nothing_heard_is_0),
        TEST(a_path_that_dies_half_way_leaves_half),
        TEST(silence_before_the_start_up_allowance_is_forgiven),
        TEST(a_call_shorter_than_the_allowance_counts_when_heard),
        TEST(losses_are_counted_and_heard),
        TEST(late_packets_are_not_lost_but_not_heard),
        TEST(jitter_within_the_buffer_is_not_heard),
        TEST(duplicates_are_counted_once),
        TEST(another_voice_is_heard_but_is_not_the_peers),
        TEST(a_stranger_does_not_get_in_between),
        TEST(a_new_source_is_heard_when_the_old_one_is_silent),
        TEST(a_hold_is_nobodys_silence),
        TEST(after_a_BYE_silence_is_nobodys_fault_6_6),
        TEST(reports_come_every_2_to_6_seconds_6_3_1),
        TEST(bad_packets_are_dropped_and_told),
        TEST(silence_that_is_sent_is_played_but_is_nobodys_voice),
        TEST(a_source_that_starts_anew_is_followed_A_1),
        TEST(what_comes_to_a_port_that_only_sends_is_dropped),
        TEST(a_taken_rtcp_port_makes_the_pair_useless),
        TEST(without_symmetric_rtp_voice_leaves_from_elsewhere_RFC_4961),
        TEST(icmp_errors_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
