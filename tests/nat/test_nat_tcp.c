/* RFC 5382 and RFC 7857 §2: TCP through the NAT. REQ-6 is about gateways for application protocols, of which the NAT
 * has none; all else has its test here. */
#include "tests/nat/rig.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

static void tcp(struct rig *r, enum nat_side from, struct endpoint src, struct endpoint dst, uint8_t flags)
{
    static const uint8_t empty[12];
    struct ip_build ip = {.src = src.addr, .dst = dst.addr, .ttl = 64};
    size_t n = ip_build_udp(r->sent, sizeof r->sent, &ip, src.port, dst.port, span_make(empty, sizeof empty));
    memset(r->sent + 24, 0, 16); /* what was UDP's length and checksum is TCP's sequence number */
    r->sent[9] = IP_TCP;
    r->sent[32] = 0x50;
    r->sent[33] = flags;
    ip_header_sum(r->sent);
    ip_transport_sum(r->sent, n);
    rig_send(r, from, n);
}

static void out(struct rig *r, uint8_t flags)
{
    tcp(r, NAT_INSIDE, EP(A, 5061), EP(S, 5061), flags);
    assert_forwarded(r, NAT_OUTSIDE, EP(PUBLIC, 5061), EP(S, 5061));
}

static void in(struct rig *r, uint8_t flags)
{
    tcp(r, NAT_OUTSIDE, EP(S, 5061), EP(PUBLIC, 5061), flags);
    assert_forwarded(r, NAT_INSIDE, EP(S, 5061), EP(A, 5061));
}

static void establish(struct rig *r)
{
    out(r, SYN);
    in(r, SYN | ACK);
    out(r, ACK);
}

static void req_5382_1_endpoint_independent_mapping(void **state)
{
    struct rig *r = *state;
    out(r, SYN);
    tcp(r, NAT_INSIDE, EP(A, 5061), EP(T, 443), SYN);
    assert_forwarded(r, NAT_OUTSIDE, EP(PUBLIC, 5061), EP(T, 443));
    assert_int_equal(r->created, 1);
    assert_int_equal(r->mapping.protocol, IP_TCP);
}

static void req_5382_2_simultaneous_open(void **state)
{
    struct rig *r = *state;
    out(r, SYN);
    in(r, SYN);
    out(r, SYN | ACK);
    in(r, ACK);
    assert_int_equal(nat_deadline(r->nat), 4 * MINUTE); /* queued at the first packet */
    nat_expire(r->nat, 4 * MINUTE);
    assert_int_equal(nat_deadline(r->nat), 124 * MINUTE);
}

static void req_5382_3_strangers_are_filtered(void **state)
{
    struct rig *r = *state;
    establish(r);
    tcp(r, NAT_OUTSIDE, EP(T, 5061), EP(PUBLIC, 5061), SYN);
    assert_dropped(r, NAT_FILTERED);
}

static void req_5382_5_half_open_ends_after_4_minutes(void **state)
{
    struct rig *r = *state;
    out(r, SYN);
    in(r, SYN | ACK);
    nat_expire(r->nat, 4 * MINUTE - 1);
    assert_int_equal(nat_count(r->nat), 1);
    nat_expire(r->nat, 4 * MINUTE);
    assert_int_equal(nat_count(r->nat), 0);
}

static void req_5382_5_established_ends_after_124_minutes_idle(void **state)
{
    struct rig *r = *state;
    establish(r);
    r->now = 100 * MINUTE;
    in(r, ACK); /* either side keeps it */
    nat_expire(r->nat, 224 * MINUTE - 1);
    assert_int_equal(nat_count(r->nat), 1);
    nat_expire(r->nat, 224 * MINUTE);
    assert_int_equal(nat_count(r->nat), 0);
}

static void req_5382_5_closed_by_both_ends_after_4_minutes(void **state)
{
    struct rig *r = *state;
    establish(r);
    r->now = MINUTE;
    out(r, FIN | ACK);
    nat_expire(r->nat, 6 * MINUTE);
    assert_int_equal(nat_count(r->nat), 1); /* half closed is open */
    r->now = 6 * MINUTE;
    in(r, FIN | ACK);
    out(r, ACK);
    assert_int_equal(nat_deadline(r->nat), 10 * MINUTE);
    nat_expire(r->nat, 10 * MINUTE);
    assert_int_equal(nat_count(r->nat), 0);
}

static void a_reset_leaves_4_minutes(void **state)
{
    struct rig *r = *state;
    establish(r);
    in(r, RST);
    assert_int_equal(nat_deadline(r->nat), 4 * MINUTE);
}

static void a_new_syn_starts_again(void **state)
{
    struct rig *r = *state;
    establish(r);
    in(r, RST);
    r->now = MINUTE;
    establish(r);
    nat_expire(r->nat, 5 * MINUTE);
    assert_int_equal(nat_deadline(r->nat), 125 * MINUTE);
}

/* After a reboot the phone goes on sending; like Linux, the NAT takes it as it comes. The other side then resets. */
static void picked_up_in_the_middle(void **state)
{
    struct rig *r = *state;
    establish(r);
    nat_reboot(r->nat, r->now);
    tcp(r, NAT_OUTSIDE, EP(S, 5061), EP(PUBLIC, 5061), ACK);
    assert_dropped(r, NAT_NO_MAPPING);
    out(r, ACK);
    in(r, RST);
    assert_int_equal(nat_count(r->nat), 1);
}

static void rfc9293_a_cut_header_is_bad(void **state)
{
    struct rig *r = *state;
    tcp(r, NAT_INSIDE, EP(A, 5061), EP(S, 5061), SYN);
    put16(r->sent + 2, 39);
    ip_header_sum(r->sent);
    rig_send(r, NAT_INSIDE, 39);
    assert_dropped(r, NAT_BAD_PACKET);
}

/* ---- REQ-4 ---- */

static void hold(struct rig *r)
{
    r->config.hold_syn = true;
    rig_new(r);
}

static void req_5382_4_an_unsolicited_syn_is_refused_after_6_s(void **state)
{
    struct rig *r = *state;
    hold(r);
    r->now = SEC;
    tcp(r, NAT_OUTSIDE, EP(S, 5061), EP(PUBLIC, 5061), SYN);
    assert_int_equal(r->got.action, NAT_HOLD);
    assert_int_equal(nat_deadline(r->nat), 7 * SEC);
    nat_expire(r->nat, 7 * SEC - 1);
    assert_false(rig_released(r));
    nat_expire(r->nat, 7 * SEC);
    assert_true(rig_released(r));
    assert_int_equal(r->got.action, NAT_ANSWER);
    assert_int_equal(r->got.side, NAT_OUTSIDE);
    assert_int_equal(r->got.cause, NAT_NO_MAPPING);
    assert_int_equal(r->v.src, PUBLIC);
    assert_int_equal(r->v.dst, S);
    assert_int_equal(r->v.icmp_type, ICMP_UNREACHABLE);
    assert_int_equal(r->v.icmp_code, ICMP_PORT_UNREACHABLE);
    assert_memory_equal(r->got.packet + 28, r->sent, r->n);
    assert_int_equal(r->held.n, r->n);
    assert_memory_equal(r->held.packet, r->sent, r->n);
    assert_false(rig_released(r));
    assert_true(nat_deadline(r->nat) == NEVER);
}

static void req_5382_4a_no_answer_when_the_inside_opens_too(void **state)
{
    struct rig *r = *state;
    hold(r);
    tcp(r, NAT_OUTSIDE, EP(S, 5061), EP(PUBLIC, 5061), SYN);
    r->now = 3 * SEC;
    out(r, SYN);
    in(r, SYN); /* its retransmission: now it is expected */
    nat_expire(r->nat, 6 * SEC);
    assert_true(rig_released(r));
    assert_int_equal(r->got.action, NAT_DROP);
    assert_int_equal(r->got.cause, NAT_NO_MAPPING);
    assert_false(rig_released(r));
}

static void req_5382_4_also_behind_a_filter(void **state)
{
    struct rig *r = *state;
    hold(r);
    establish(r);
    tcp(r, NAT_OUTSIDE, EP(T, 5061), EP(PUBLIC, 5061), SYN);
    assert_int_equal(r->got.action, NAT_HOLD);
    tcp(r, NAT_OUTSIDE, EP(T, 5061), EP(PUBLIC, 5061), SYN); /* a retransmission is not held twice */
    assert_dropped(r, NAT_FILTERED);
    nat_expire(r->nat, 6 * SEC);
    assert_true(rig_released(r));
    assert_int_equal(r->got.cause, NAT_FILTERED);
}

static void req_5382_4_only_openings_are_held(void **state)
{
    static const uint8_t others[] = {ACK, SYN | ACK, RST, FIN | ACK, SYN | RST};
    struct rig *r = *state;
    hold(r);
    for (size_t i = 0; i < sizeof others; i++) {
        tcp(r, NAT_OUTSIDE, EP(S, 5061), EP(PUBLIC, 5061), others[i]);
        assert_dropped(r, NAT_NO_MAPPING);
    }
}

static void held_openings_are_bounded_and_die_with_the_power(void **state)
{
    struct rig *r = *state;
    hold(r);
    for (uint16_t i = 0; i < 32; i++) {
        tcp(r, NAT_OUTSIDE, EP(S, (uint16_t)(1 + i)), EP(PUBLIC, 5061), SYN);
        assert_int_equal(r->got.action, NAT_HOLD);
    }
    tcp(r, NAT_OUTSIDE, EP(S, 99), EP(PUBLIC, 5061), SYN);
    assert_dropped(r, NAT_NO_MAPPING);
    nat_reboot(r->nat, r->now);
    assert_true(nat_deadline(r->nat) == NEVER);
    nat_expire(r->nat, 6 * SEC);
    assert_false(rig_released(r));
}

/* ---- REQ-7, REQ-8, REQ-10 ---- */

static void req_5382_7_no_port_is_shared(void **state)
{
    struct rig *r = *state;
    out(r, SYN);
    tcp(r, NAT_INSIDE, EP(B, 5061), EP(S, 5061), SYN);
    assert_forwarded(r, NAT_OUTSIDE, EP(PUBLIC, 5062), EP(S, 5061));
}

static void req_5382_8_hairpin(void **state)
{
    struct rig *r = *state;
    r->config.hairpin = true;
    r->config.filtering = NAT_ENDPOINT_INDEPENDENT;
    rig_new(r);
    out(r, SYN);
    tcp(r, NAT_INSIDE, EP(B, 6000), EP(PUBLIC, 5061), SYN);
    assert_forwarded(r, NAT_INSIDE, EP(PUBLIC, 6000), EP(A, 5061));
    tcp(r, NAT_INSIDE, EP(A, 5061), EP(PUBLIC, 6000), SYN | ACK);
    assert_forwarded(r, NAT_INSIDE, EP(PUBLIC, 5061), EP(B, 6000));
}

static void hairpin_with_the_internal_source(void **state)
{
    struct rig *r = *state;
    r->config.hairpin = r->config.hairpin_internal = true;
    r->config.filtering = NAT_ENDPOINT_INDEPENDENT;
    rig_new(r);
    out(r, SYN);
    tcp(r, NAT_INSIDE, EP(B, 6000), EP(PUBLIC, 5061), SYN);
    assert_forwarded(r, NAT_INSIDE, EP(B, 6000), EP(A, 5061));
}

static void req_5382_9_and_10_errors_come_through_and_end_nothing(void **state)
{
    struct rig *r = *state;
    uint8_t about[200];
    establish(r);
    size_t about_n = r->got.n;
    memcpy(about, r->got.packet, about_n);
    lab_time deadline = nat_deadline(r->nat);
    struct ip_build ip = {.src = T, .ttl = 64};
    for (uint8_t code = 0; code <= 15; code++) {
        size_t n = ip_build_icmp_error(r->sent, sizeof r->sent, &ip, ICMP_UNREACHABLE, code, 0, about, about_n);
        rig_send(r, NAT_OUTSIDE, n);
        assert_int_equal(r->got.action, NAT_FORWARD);
        assert_int_equal(r->v.dst, A);
    }
    assert_int_equal(nat_deadline(r->nat), deadline);
    in(r, ACK);
    assert_int_equal(nat_count(r->nat), 1);
}

static void mapping_and_filtering_3_by_3(void **state)
{
    struct rig *r = *state;
    for (int mapping = NAT_ENDPOINT_INDEPENDENT; mapping <= NAT_ADDRESS_AND_PORT_DEPENDENT; mapping++)
        for (int filtering = NAT_ENDPOINT_INDEPENDENT; filtering <= NAT_ADDRESS_AND_PORT_DEPENDENT; filtering++) {
            r->config.mapping = (enum nat_dependence)mapping;
            r->config.filtering = (enum nat_dependence)filtering;
            rig_new(r);
            establish(r);
            tcp(r, NAT_OUTSIDE, EP(S, 9), EP(PUBLIC, 5061), SYN);
            assert_int_equal(r->got.action == NAT_FORWARD, filtering != NAT_ADDRESS_AND_PORT_DEPENDENT);
            tcp(r, NAT_OUTSIDE, EP(T, 5061), EP(PUBLIC, 5061), SYN);
            assert_int_equal(r->got.action == NAT_FORWARD, filtering == NAT_ENDPOINT_INDEPENDENT);
            tcp(r, NAT_INSIDE, EP(A, 5061), EP(S, 9), SYN);
            assert_int_equal(r->v.sport == 5061, mapping != NAT_ADDRESS_AND_PORT_DEPENDENT);
            tcp(r, NAT_INSIDE, EP(A, 5061), EP(T, 9), SYN);
            assert_int_equal(r->v.sport == 5061, mapping == NAT_ENDPOINT_INDEPENDENT);
        }
}

/* ---- RFC 7857 §2.2, §2.3 ---- */

static void rfc7857_2_2_opening_and_closing_have_their_own_timeouts(void **state)
{
    struct rig *r = *state;
    r->config.tcp_transitory = 30 * SEC;
    r->config.tcp_closing = 10 * SEC;
    rig_new(r);
    out(r, SYN);
    assert_int_equal(nat_deadline(r->nat), 30 * SEC);
    in(r, SYN | ACK);
    out(r, ACK);
    out(r, FIN | ACK);
    in(r, FIN | ACK);
    assert_int_equal(nat_deadline(r->nat), 10 * SEC);
    nat_expire(r->nat, 10 * SEC);
    assert_int_equal(nat_count(r->nat), 0);
}

/* ---- the maximum segment size ---- */

/* A SYN with these options, padded with their end. */
static void syn_with(struct rig *r, enum nat_side from, struct endpoint src, struct endpoint dst,
                     const uint8_t *options, size_t options_n)
{
    uint8_t rest[12 + 12] = {[4] = 0x80, [5] = SYN};
    struct ip_build ip = {.src = src.addr, .dst = dst.addr, .ttl = 64};
    memcpy(rest + 12, options, options_n);
    size_t n = ip_build_udp(r->sent, sizeof r->sent, &ip, src.port, dst.port, span_make(rest, sizeof rest));
    memset(r->sent + 24, 0, 4);
    r->sent[9] = IP_TCP;
    ip_header_sum(r->sent);
    ip_transport_sum(r->sent, n);
    rig_send(r, from, n);
}

static void mss_is_lowered_never_raised(void **state)
{
    static const uint8_t even[] = {2, 4, 1460 >> 8, 1460 & 255};
    static const uint8_t odd[] = {1, 2, 4, 1460 >> 8, 1460 & 255};
    static const uint8_t small[] = {1, 1, 2, 4, 536 >> 8, 536 & 255};
    struct rig *r = *state;
    r->config.mss = 1360;
    rig_new(r);
    syn_with(r, NAT_INSIDE, EP(A, 5061), EP(S, 1), even, sizeof even); /* rig_send looks at the checksum */
    assert_int_equal(get16(r->got.packet + 42), 1360);
    syn_with(r, NAT_INSIDE, EP(A, 5061), EP(S, 2), odd, sizeof odd);
    assert_int_equal(get16(r->got.packet + 43), 1360);
    syn_with(r, NAT_INSIDE, EP(A, 5061), EP(S, 3), small, sizeof small);
    assert_int_equal(get16(r->got.packet + 44), 536);
    syn_with(r, NAT_OUTSIDE, EP(S, 1), EP(PUBLIC, 5061), even, sizeof even);
    assert_int_equal(get16(r->got.packet + 42), 1360);
}

static void mss_survives_broken_options(void **state)
{
    static const uint8_t broken[][6] = {{2, 0},    {2, 40},           {3, 1, 2, 4},
                                        {2, 3, 5}, {0, 2, 4, 5, 180}, {1, 1, 1, 1, 1, 9}};
    struct rig *r = *state;
    r->config.mss = 100;
    rig_new(r);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        syn_with(r, NAT_INSIDE, EP(A, 5061), EP(S, 1), broken[i], sizeof broken[i]);
        assert_int_equal(r->got.action, NAT_FORWARD);
        assert_memory_equal(r->got.packet + 40, r->sent + 40, 12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(req_5382_1_endpoint_independent_mapping),
        RIG_TEST(req_5382_2_simultaneous_open),
        RIG_TEST(req_5382_3_strangers_are_filtered),
        RIG_TEST(req_5382_5_half_open_ends_after_4_minutes),
        RIG_TEST(req_5382_5_established_ends_after_124_minutes_idle),
        RIG_TEST(req_5382_5_closed_by_both_ends_after_4_minutes),
        RIG_TEST(a_reset_leaves_4_minutes),
        RIG_TEST(a_new_syn_starts_again),
        RIG_TEST(picked_up_in_the_middle),
        RIG_TEST(rfc9293_a_cut_header_is_bad),
        RIG_TEST(req_5382_4_an_unsolicited_syn_is_refused_after_6_s),
        RIG_TEST(req_5382_4a_no_answer_when_the_inside_opens_too),
        RIG_TEST(req_5382_4_also_behind_a_filter),
        RIG_TEST(req_5382_4_only_openings_are_held),
        RIG_TEST(held_openings_are_bounded_and_die_with_the_power),
        RIG_TEST(req_5382_7_no_port_is_shared),
        RIG_TEST(req_5382_8_hairpin),
        RIG_TEST(hairpin_with_the_internal_source),
        RIG_TEST(req_5382_9_and_10_errors_come_through_and_end_nothing),
        RIG_TEST(mapping_and_filtering_3_by_3),
        RIG_TEST(rfc7857_2_2_opening_and_closing_have_their_own_timeouts),
        RIG_TEST(mss_is_lowered_never_raised),
        RIG_TEST(mss_survives_broken_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
