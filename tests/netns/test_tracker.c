/* The tracker of TCP in lab time by itself (netns/netns_tcp.h): segments in, segments out, virtual time. What the
 * kernel would say is said here. */
#include "netns/netns_end.h"
#include "netns/netns_tcp.h"
#include "nodes/proto/tcp.h"
#include "tests/cmocka.h"

#include <stdlib.h>
#include <string.h>

#define LOCAL  ((struct endpoint){IPV4(192, 168, 1, 20), 40000})
#define REMOTE ((struct endpoint){IPV4(203, 0, 113, 9), 5060})

enum { ISS = 1000, IRS = 5000, MSS = 1460, PORT = 3 };

static struct netns_tcp *tracker;
static lab_time now;
static uint8_t packet[NETNS_PACKET];

static int setup(void **state)
{
    (void)state;
    tracker = netns_tcp_new();
    now = 0;
    return tracker ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    assert_false(netns_tcp_failed(tracker));
    netns_tcp_free(tracker);
    return 0;
}

static uint16_t window = 60000; /* in every segment */

static size_t segment(struct endpoint src, struct endpoint dst, uint8_t flags, uint32_t seq, uint32_t ack, size_t n)
{
    static const char payload[MSS];
    const struct ip_build ip = {.src = src.addr, .dst = dst.addr, .ttl = 64, .fragment = IP_DF, .id = 7};
    const struct tcp_build tcp = {.sport = src.port,
                                  .dport = dst.port,
                                  .seq = seq,
                                  .ack = ack,
                                  .flags = flags,
                                  .window = window,
                                  .mss = flags & TCP_SYN ? MSS : 0};
    return tcp_build(packet, sizeof packet, &ip, &tcp, span_make(payload, n));
}

/* The kernel sends it: true when it goes out. */
static bool sent(uint8_t flags, uint32_t seq, uint32_t ack, size_t n)
{
    size_t length = segment(LOCAL, REMOTE, flags, seq, ack, n);
    return netns_tcp_sent(tracker, now, PORT, packet, length);
}

static void arrives(uint8_t flags, uint32_t seq, uint32_t ack, size_t n)
{
    size_t length = segment(REMOTE, LOCAL, flags, seq, ack, n);
    netns_tcp_pushed(tracker, now, packet, length);
}

/* To the next alarm. */
static void expire(lab_time at)
{
    assert_int_equal(netns_tcp_deadline(tracker), at);
    now = at;
    netns_tcp_expire(tracker, now);
}

/* The tracker's next segment, whole and as expected. */
static void goes_out(uint8_t flags, uint32_t seq, uint32_t ack, size_t n)
{
    unsigned port = 0;
    struct ip_view v;
    struct tcp_view s;
    size_t length = netns_tcp_next(tracker, packet, &port);
    assert_int_not_equal(length, 0);
    assert_int_equal(ip_parse(packet, length, &v), 0);
    assert_int_equal(tcp_parse(packet, &v, &s), 0);
    assert_true(ip_transport_sum_ok(packet, length));
    assert_true(endpoint_equal(s.src, LOCAL) && endpoint_equal(s.dst, REMOTE));
    assert_int_equal(s.flags, flags);
    assert_int_equal(s.seq, seq);
    assert_int_equal(s.ack, ack);
    assert_int_equal(s.payload.n, n);
    assert_int_equal(port, PORT);
}

static void nothing_goes_out(void)
{
    unsigned port;
    assert_int_equal(netns_tcp_next(tracker, packet, &port), 0);
}

/* The kernel is to be reset; with the numbers that it expects. */
static void is_reset(uint32_t seq, uint32_t ack, bool told)
{
    struct turn_ends ends;
    struct ip_view v;
    struct tcp_view s;
    bool is_told = !told;
    size_t length = netns_tcp_reset(tracker, packet, &is_told, &ends);
    assert_int_not_equal(length, 0);
    assert_int_equal(ip_parse(packet, length, &v), 0);
    assert_int_equal(tcp_parse(packet, &v, &s), 0);
    assert_true(endpoint_equal(s.src, REMOTE) && endpoint_equal(s.dst, LOCAL));
    assert_int_equal(s.flags, TCP_RST | TCP_ACK);
    assert_int_equal(s.seq, seq);
    assert_int_equal(s.ack, ack);
    assert_int_equal(is_told, told);
    assert_true(endpoint_equal(ends.local, LOCAL) && endpoint_equal(ends.remote, REMOTE));
    assert_int_equal(netns_tcp_reset(tracker, packet, &is_told, &ends), 0);
    assert_int_equal(netns_tcp_deadline(tracker), NEVER);
}

/* Established with a round trip of 100 ms: RTO 300 ms (100 + 4·50). */
static void open_one(void)
{
    assert_true(sent(TCP_SYN, ISS, 0, 0));
    now += 100 * MS;
    arrives(TCP_SYN | TCP_ACK, IRS, ISS + 1, 0);
    assert_true(sent(TCP_ACK, ISS + 1, IRS + 1, 0));
    netns_tcp_drained(tracker, now);
    assert_int_equal(netns_tcp_deadline(tracker), NEVER);
}

/* ---- opening ---- */

static void a_syn_is_sent_again_after_1_3_7_seconds_and_given_up_after_127(void **state)
{
    static const unsigned at[] = {1, 3, 7, 15, 31, 63};
    (void)state;
    assert_true(sent(TCP_SYN, ISS, 0, 0));
    assert_false(sent(TCP_SYN, ISS, 0, 0)); /* by the kernel's clock */
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        expire(at[i] * SEC);
        goes_out(TCP_SYN, ISS, 0, 0);
        assert_false(sent(TCP_SYN, ISS, 0, 0));
    }
    expire(127 * SEC);
    nothing_goes_out();
    is_reset(0, ISS + 1, true);
}

static void a_new_attempt_between_the_same_ends_is_another(void **state)
{
    (void)state;
    assert_true(sent(TCP_SYN, ISS, 0, 0));
    now = 500 * MS;
    assert_true(sent(TCP_SYN, ISS + 77, 0, 0));
    expire(1500 * MS);
    goes_out(TCP_SYN, ISS + 77, 0, 0);
}

static void a_refused_attempt_is_over(void **state)
{
    (void)state;
    sent(TCP_SYN, ISS, 0, 0);
    arrives(TCP_RST | TCP_ACK, 0, ISS + 2, 0); /* not of this SYN */
    assert_int_equal(netns_tcp_deadline(tracker), 1 * SEC);
    arrives(TCP_RST | TCP_ACK, 0, ISS + 1, 0);
    assert_int_equal(netns_tcp_deadline(tracker), NEVER);
}

static void a_syn_ack_is_forgotten_after_63_seconds(void **state)
{
    static const unsigned at[] = {1, 3, 7, 15, 31};
    (void)state;
    arrives(TCP_SYN, IRS, 0, 0);
    assert_true(sent(TCP_SYN | TCP_ACK, ISS, IRS + 1, 0));
    netns_tcp_drained(tracker, now);
    assert_false(sent(TCP_SYN | TCP_ACK, ISS, IRS + 1, 0)); /* by the kernel's clock */
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        expire(at[i] * SEC);
        goes_out(TCP_SYN | TCP_ACK, ISS, IRS + 1, 0);
    }
    expire(63 * SEC);
    is_reset(IRS + 1, ISS + 1, false);
}

static void a_syn_that_comes_again_is_answered_by_the_kernel_once(void **state)
{
    (void)state;
    arrives(TCP_SYN, IRS, 0, 0);
    sent(TCP_SYN | TCP_ACK, ISS, IRS + 1, 0);
    netns_tcp_drained(tracker, now);
    arrives(TCP_SYN, IRS, 0, 0);
    assert_true(sent(TCP_SYN | TCP_ACK, ISS, IRS + 1, 0));
    assert_false(sent(TCP_SYN | TCP_ACK, ISS, IRS + 1, 0));
}

/* ---- RFC 6298 ---- */

static void data_is_sent_again_with_doubled_timeouts_and_given_up_at_the_16th(void **state)
{
    lab_time rto = 300 * MS;
    (void)state;
    open_one();
    assert_true(sent(TCP_ACK | TCP_PSH, ISS + 1, IRS + 1, 500));
    for (lab_time at = now, i = 0; i < 15; i++) {
        at += rto;
        expire(at);
        goes_out(TCP_ACK | TCP_PSH, ISS + 1, IRS + 1, 500);
        rto = 2 * rto < 120 * SEC ? 2 * rto : 120 * SEC;
    }
    expire(now + rto);
    nothing_goes_out();
    is_reset(IRS + 1, ISS + 501, true);
}

static void the_timer_begins_anew_with_each_ack_that_advances(void **state)
{
    (void)state;
    open_one();
    sent(TCP_ACK, ISS + 1, IRS + 1, MSS);
    sent(TCP_ACK, ISS + 1 + MSS, IRS + 1, MSS);
    now += 100 * MS;
    arrives(TCP_ACK, IRS + 1, ISS + 1, 0); /* nothing new */
    assert_int_equal(netns_tcp_deadline(tracker), 400 * MS);
    arrives(TCP_ACK, IRS + 1, ISS + 1 + MSS, 0);
    assert_int_equal(netns_tcp_deadline(tracker), now + 300 * MS); /* 100 + max(200, 4·37.5) */
    arrives(TCP_ACK, IRS + 1, ISS + 1 + 2 * MSS, 0);
    assert_int_equal(netns_tcp_deadline(tracker), NEVER);
}

static void after_an_expiry_each_advance_sends_the_next_at_once(void **state)
{
    (void)state;
    open_one();
    for (unsigned i = 0; i < 3; i++)
        sent(TCP_ACK, ISS + 1 + i * MSS, IRS + 1, MSS);
    expire(now + 300 * MS);
    goes_out(TCP_ACK, ISS + 1, IRS + 1, MSS);
    nothing_goes_out();
    now += 100 * MS;
    arrives(TCP_ACK, IRS + 1, ISS + 1 + MSS, 0);
    sent(TCP_ACK, ISS + 1 + 3 * MSS, IRS + 1, MSS); /* new, what the window now permits */
    netns_tcp_drained(tracker, now);
    goes_out(TCP_ACK, ISS + 1 + MSS, IRS + 1, MSS);
    arrives(TCP_ACK, IRS + 1, ISS + 1 + 3 * MSS, 0); /* all that was out then */
    netns_tcp_drained(tracker, now);
    nothing_goes_out();
}

static void what_the_kernel_sends_again_itself_is_not_sent_twice(void **state)
{
    (void)state;
    open_one();
    for (unsigned i = 0; i < 3; i++)
        sent(TCP_ACK, ISS + 1 + i * MSS, IRS + 1, MSS);
    expire(now + 300 * MS);
    goes_out(TCP_ACK, ISS + 1, IRS + 1, MSS);
    arrives(TCP_ACK, IRS + 1, ISS + 1 + MSS, 0);
    assert_true(sent(TCP_ACK, ISS + 1 + MSS, IRS + 1, MSS)); /* NewReno's */
    netns_tcp_drained(tracker, now);
    nothing_goes_out();
}

/* Karn: RFC 6298 §3. */
static void what_was_sent_twice_measures_nothing(void **state)
{
    (void)state;
    open_one();
    sent(TCP_ACK, ISS + 1, IRS + 1, 100);
    expire(now + 300 * MS);
    goes_out(TCP_ACK, ISS + 1, IRS + 1, 100);
    now += 500 * MS;
    arrives(TCP_ACK, IRS + 1, ISS + 101, 0);
    sent(TCP_ACK, ISS + 101, IRS + 1, 100);
    assert_int_equal(netns_tcp_deadline(tracker), now + 300 * MS); /* no longer doubled, and as measured before */
}

static void a_partly_acknowledged_segment_is_sent_without_its_beginning(void **state)
{
    (void)state;
    open_one();
    sent(TCP_ACK, ISS + 1, IRS + 1, 1000);
    arrives(TCP_ACK, IRS + 1, ISS + 401, 0);
    expire(netns_tcp_deadline(tracker));
    goes_out(TCP_ACK, ISS + 401, IRS + 1, 600);
}

/* RFC 1191. */
static void no_more_is_sent_again_than_fits_the_path(void **state)
{
    uint8_t quoted[NETNS_PACKET];
    const struct ip_build ip = {.src = IPV4(198, 51, 100, 1), .ttl = 64};
    (void)state;
    open_one();
    sent(TCP_ACK | TCP_PSH, ISS + 1, IRS + 1, MSS);
    size_t n = segment(LOCAL, REMOTE, TCP_ACK, ISS + 1, IRS + 1, MSS);
    memcpy(quoted, packet, n);
    n = ip_build_icmp_error(packet, sizeof packet, &ip, ICMP_UNREACHABLE, ICMP_FRAG_NEEDED, 1000, quoted, n);
    netns_tcp_pushed(tracker, now, packet, n);
    expire(netns_tcp_deadline(tracker));
    goes_out(TCP_ACK, ISS + 1, IRS + 1, 960);
}

static void a_fin_is_sent_again_too_and_both_fins_are_the_end(void **state)
{
    (void)state;
    open_one();
    sent(TCP_FIN | TCP_ACK, ISS + 1, IRS + 1, 0);
    expire(now + 300 * MS);
    goes_out(TCP_FIN | TCP_ACK, ISS + 1, IRS + 1, 0);
    arrives(TCP_FIN | TCP_ACK, IRS + 1, ISS + 2, 0);
    sent(TCP_ACK, ISS + 2, IRS + 2, 0);
    assert_int_equal(netns_tcp_deadline(tracker), NEVER);
    assert_true(sent(TCP_SYN, ISS, 0, 0)); /* so this is a new one */
    assert_int_equal(netns_tcp_deadline(tracker), now + 1 * SEC);
}

/* RFC 5961 §3.2: the kernel believes only a reset with the expected number. */
static void a_reset_ends_it_when_its_number_is_right(void **state)
{
    (void)state;
    open_one();
    sent(TCP_ACK, ISS + 1, IRS + 1, 100);
    arrives(TCP_RST, IRS + 50, 0, 0);
    assert_int_equal(netns_tcp_deadline(tracker), now + 300 * MS);
    arrives(TCP_RST, IRS + 1, 0, 0);
    assert_int_equal(netns_tcp_deadline(tracker), NEVER);
}

static void a_damaged_segment_does_not_count(void **state)
{
    (void)state;
    open_one();
    sent(TCP_ACK, ISS + 1, IRS + 1, 100);
    size_t n = segment(REMOTE, LOCAL, TCP_ACK, IRS + 1, ISS + 101, 10);
    packet[n - 1] ^= 1;
    netns_tcp_pushed(tracker, now, packet, n);
    assert_int_equal(netns_tcp_deadline(tracker), now + 300 * MS);
}

static void what_the_kernels_clock_sends_is_thrown_away(void **state)
{
    (void)state;
    open_one();
    sent(TCP_ACK, ISS + 1, IRS + 1, MSS);
    netns_tcp_drained(tracker, now);
    assert_false(sent(TCP_ACK, ISS + 1, IRS + 1, MSS));     /* nothing has come */
    assert_false(sent(TCP_ACK, ISS, IRS + 1, 0));           /* a probe */
    assert_false(sent(TCP_ACK, ISS + 1 + MSS, IRS + 1, 0)); /* nothing new */
    window = 50000;
    assert_true(sent(TCP_ACK, ISS + 1 + MSS, IRS + 1, 0));
    window = 60000;
    arrives(TCP_ACK, IRS + 1, ISS + 1, 0);
    assert_true(sent(TCP_ACK, ISS + 1, IRS + 1, MSS)); /* the third duplicate, for example */
}

/* The flag means nothing where ECN is off, and everything else stays what it was. */
static void segments_are_kept_off_header_prediction(void **state)
{
    struct ip_view v;
    struct tcp_view s;
    (void)state;
    size_t n = segment(REMOTE, LOCAL, TCP_ACK | TCP_PSH, IRS + 1, ISS + 1, 333);
    netns_tcp_unpredict(packet, n);
    assert_int_equal(ip_parse(packet, n, &v), 0);
    assert_int_equal(tcp_parse(packet, &v, &s), 0);
    assert_int_equal(s.flags, TCP_ACK | TCP_PSH | 0x80);
    assert_true(ip_transport_sum_ok(packet, n));
    n = segment(REMOTE, LOCAL, TCP_SYN, IRS, 0, 0);
    netns_tcp_unpredict(packet, n);
    assert_int_equal(tcp_parse(packet, &v, &s) == 0 ? s.flags : 0, TCP_SYN);
}

/* ---- what the program says ---- */

static struct turn_tcp note(enum turn_tcp_state state)
{
    return (struct turn_tcp){.local = LOCAL, .remote = REMOTE, .state = state};
}

/* RFC 1122 §4.2.3.6. */
static void keep_alives_are_sent_and_end_it(void **state)
{
    struct turn_tcp said = note(TURN_TCP_OWNED);
    (void)state;
    said.idle = 10 * SEC;
    said.interval = 2 * SEC;
    said.probes = 2;
    open_one();
    netns_tcp_note(tracker, now, &said);
    expire(10 * SEC + 100 * MS);
    goes_out(TCP_ACK, ISS, IRS + 1, 0);
    arrives(TCP_ACK, IRS + 1, ISS + 1, 0); /* it lives */
    expire(12 * SEC + 100 * MS);
    nothing_goes_out();
    expire(20 * SEC + 100 * MS);
    goes_out(TCP_ACK, ISS, IRS + 1, 0);
    expire(22 * SEC + 100 * MS);
    goes_out(TCP_ACK, ISS, IRS + 1, 0);
    expire(24 * SEC + 100 * MS);
    is_reset(IRS + 1, ISS + 1, true);
}

/* RFC 5482. */
static void a_user_timeout_ends_it_to_the_millisecond(void **state)
{
    struct turn_tcp said = note(TURN_TCP_OWNED);
    (void)state;
    said.user_timeout = 1 * SEC;
    netns_tcp_note(tracker, now, &said); /* before its SYN was seen */
    open_one();
    sent(TCP_ACK, ISS + 1, IRS + 1, 100);
    expire(400 * MS);
    expire(1000 * MS);
    expire(1100 * MS);
    is_reset(IRS + 1, ISS + 101, true);
}

/* RFC 9293 §3.8.6.1. */
static void a_closed_window_is_probed(void **state)
{
    struct turn_tcp said = note(TURN_TCP_OWNED);
    (void)state;
    said.waiting = 1;
    open_one();
    netns_tcp_note(tracker, now, &said);
    assert_int_equal(netns_tcp_deadline(tracker), NEVER); /* it is not closed */
    window = 0;
    arrives(TCP_ACK, IRS + 1, ISS + 1, 0);
    window = 60000;
    expire(400 * MS);
    goes_out(TCP_ACK, ISS, IRS + 1, 0);
    expire(1000 * MS);
    goes_out(TCP_ACK, ISS, IRS + 1, 0);
    said.waiting = 0;
    netns_tcp_note(tracker, now, &said);
    assert_int_equal(netns_tcp_deadline(tracker), NEVER);
}

static void an_orphan_has_fewer_tries_and_nobody_is_told(void **state)
{
    const struct turn_tcp said = note(TURN_TCP_ORPHAN);
    (void)state;
    open_one();
    sent(TCP_FIN | TCP_ACK, ISS + 1, IRS + 1, 0);
    netns_tcp_note(tracker, now, &said);
    for (unsigned i = 0; i < 8; i++) {
        expire(netns_tcp_deadline(tracker));
        goes_out(TCP_FIN | TCP_ACK, ISS + 1, IRS + 1, 0);
    }
    expire(netns_tcp_deadline(tracker));
    is_reset(IRS + 1, ISS + 2, false);
}

static void a_closed_attempt_and_a_closed_listeners_are_gone(void **state)
{
    struct turn_tcp said = note(TURN_TCP_GONE);
    (void)state;
    sent(TCP_SYN, ISS, 0, 0);
    netns_tcp_note(tracker, now, &said);
    assert_int_equal(netns_tcp_deadline(tracker), NEVER);
    arrives(TCP_SYN, IRS, 0, 0);
    sent(TCP_SYN | TCP_ACK, ISS, IRS + 1, 0);
    said.remote = (struct endpoint){0};
    said.local.addr = 0;
    netns_tcp_note(tracker, now, &said);
    assert_int_equal(netns_tcp_deadline(tracker), NEVER);
}

static void a_loss_of_power_resets_all(void **state)
{
    (void)state;
    open_one();
    sent(TCP_ACK, ISS + 1, IRS + 1, 100);
    netns_tcp_forget_all(tracker);
    is_reset(IRS + 1, ISS + 101, false);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_syn_is_sent_again_after_1_3_7_seconds_and_given_up_after_127),
        CASE(a_new_attempt_between_the_same_ends_is_another),
        CASE(a_refused_attempt_is_over),
        CASE(a_syn_ack_is_forgotten_after_63_seconds),
        CASE(a_syn_that_comes_again_is_answered_by_the_kernel_once),
        CASE(data_is_sent_again_with_doubled_timeouts_and_given_up_at_the_16th),
        CASE(the_timer_begins_anew_with_each_ack_that_advances),
        CASE(after_an_expiry_each_advance_sends_the_next_at_once),
        CASE(what_the_kernel_sends_again_itself_is_not_sent_twice),
        CASE(what_was_sent_twice_measures_nothing),
        CASE(a_partly_acknowledged_segment_is_sent_without_its_beginning),
        CASE(no_more_is_sent_again_than_fits_the_path),
        CASE(a_fin_is_sent_again_too_and_both_fins_are_the_end),
        CASE(a_reset_ends_it_when_its_number_is_right),
        CASE(a_damaged_segment_does_not_count),
        CASE(what_the_kernels_clock_sends_is_thrown_away),
        CASE(segments_are_kept_off_header_prediction),
        CASE(keep_alives_are_sent_and_end_it),
        CASE(a_user_timeout_ends_it_to_the_millisecond),
        CASE(a_closed_window_is_probed),
        CASE(an_orphan_has_fewer_tries_and_nobody_is_told),
        CASE(a_closed_attempt_and_a_closed_listeners_are_gone),
        CASE(a_loss_of_power_resets_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
