/* Congestion control alone, counted in segments of one sequence number each (RFC 5681, 6582, 6928, 6937). */
#include "sim/world/sim_tcp_reno.h"
#include "tests/cmocka.h"

/* A sender with endless data. */
struct sender {
    struct sim_reno reno;
    uint32_t una, nxt;
    bool first_lost, first_resent;
    unsigned resent; /* ever */
};

static void send_all(struct sender *s)
{
    uint32_t sent = 0;
    for (; sim_reno_in_flight(&s->reno) < s->reno.cwnd; sent++) {
        s->reno.out++;
        s->nxt++;
    }
    sim_reno_sent(&s->reno, sent, s->una, s->nxt);
}

static void obey(struct sender *s, struct sim_reno_verdict v)
{
    s->first_lost = s->first_lost || v.mark_first;
    if (v.resend && s->first_lost && !s->first_resent && sim_reno_in_flight(&s->reno) < s->reno.cwnd) {
        s->first_resent = true;
        s->resent++;
        sim_reno_resent(&s->reno);
    }
    send_all(s);
}

static void acked(struct sender *s, uint32_t una)
{
    bool advanced = una != s->una;
    struct sim_reno_ack ack = {
        .advanced = advanced, .changed = advanced, .segments = una - s->una, .una = una, .nxt = s->nxt};
    if (advanced) {
        ack.lost = s->first_lost;
        ack.resent = s->first_resent;
        s->first_lost = s->first_resent = false;
    }
    s->una = una;
    ack.any = una != s->nxt;
    ack.first_lost = s->first_lost;
    ack.first_resent = s->first_resent;
    obey(s, sim_reno_acked(&s->reno, &ack));
}

static struct sender started(void)
{
    struct sender s = {0};
    sim_reno_init(&s.reno);
    send_all(&s);
    return s;
}

/* Each segment of a flight is acknowledged by itself. */
static void round_trip(struct sender *s)
{
    for (uint32_t end = s->nxt; s->una != end;)
        acked(s, s->una + 1);
}

static void rfc6928_ten_segments_at_first(void **state)
{
    (void)state;
    struct sender s = started();
    assert_int_equal(s.nxt, 10);
}

static void rfc5681_3_1_slow_start_doubles(void **state)
{
    (void)state;
    struct sender s = started();
    round_trip(&s);
    assert_int_equal(s.reno.cwnd, 20);
    round_trip(&s);
    assert_int_equal(s.reno.cwnd, 40);
}

static void rfc5681_3_1_a_window_that_is_not_used_does_not_grow(void **state)
{
    (void)state;
    struct sender s = {0};
    sim_reno_init(&s.reno);
    s.reno.out = s.nxt = 2;
    sim_reno_sent(&s.reno, 2, 0, 2);
    const struct sim_reno_ack ack = {.advanced = true, .changed = true, .segments = 2, .una = 2, .nxt = 2};
    sim_reno_acked(&s.reno, &ack);
    assert_int_equal(s.reno.cwnd, 10);
}

static void rfc5681_3_2_the_third_duplicate_is_a_loss(void **state)
{
    (void)state;
    struct sender s = started();
    acked(&s, 0);
    acked(&s, 0);
    assert_int_equal(s.resent, 0);
    assert_int_equal(s.nxt, 12); /* RFC 3042: one more segment for each */
    acked(&s, 0);
    assert_int_equal(s.resent, 1);
    assert_int_equal(s.reno.state, SIM_RENO_RECOVERY);
    assert_int_equal(s.reno.ssthresh, 5);
}

static void rfc6582_recovery_ends_above_what_was_out_and_with_half_the_window(void **state)
{
    (void)state;
    struct sender s = started();
    for (int i = 0; i < 9; i++)
        acked(&s, 0);
    uint32_t recover = s.reno.high_seq;
    acked(&s, recover); /* all of it: held until something above is acknowledged (§4) */
    assert_int_equal(s.reno.state, SIM_RENO_RECOVERY);
    acked(&s, recover + 1);
    assert_int_equal(s.reno.state, SIM_RENO_OPEN);
    assert_int_equal(s.reno.cwnd, 5);
    assert_int_equal(s.resent, 1);
    uint32_t cwnd = s.reno.cwnd;
    round_trip(&s); /* congestion avoidance: one segment a round trip */
    round_trip(&s);
    assert_in_range(s.reno.cwnd, cwnd + 1, cwnd + 2);
}

static void rfc6582_3_2_a_partial_ack_tells_the_next_hole(void **state)
{
    (void)state;
    struct sender s = started();
    for (int i = 0; i < 8; i++)
        acked(&s, 0);
    assert_int_equal(s.resent, 1);
    acked(&s, 4);
    assert_int_equal(s.resent, 2);
    acked(&s, 7);
    assert_int_equal(s.resent, 3);
    assert_int_equal(s.reno.state, SIM_RENO_RECOVERY);
}

static void rfc6937_the_flight_shrinks_to_half_and_not_below(void **state)
{
    (void)state;
    struct sender s = started();
    round_trip(&s); /* 20 */
    uint32_t una = s.una;
    for (int i = 0; i < 19; i++)
        acked(&s, una);
    assert_int_equal(s.reno.ssthresh, 10);
    assert_in_range(sim_reno_in_flight(&s.reno), 9, 10);
}

static void nothing_is_in_flight_twice(void **state)
{
    (void)state;
    struct sender s = started();
    for (int i = 0; i < 200; i++)
        acked(&s, 0); /* more duplicates than there are segments */
    assert_true(s.reno.sacked < s.reno.out);
    assert_true(sim_reno_in_flight(&s.reno) <= s.reno.out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc6928_ten_segments_at_first),
        cmocka_unit_test(rfc5681_3_1_slow_start_doubles),
        cmocka_unit_test(rfc5681_3_1_a_window_that_is_not_used_does_not_grow),
        cmocka_unit_test(rfc5681_3_2_the_third_duplicate_is_a_loss),
        cmocka_unit_test(rfc6582_recovery_ends_above_what_was_out_and_with_half_the_window),
        cmocka_unit_test(rfc6582_3_2_a_partial_ack_tells_the_next_hole),
        cmocka_unit_test(rfc6937_the_flight_shrinks_to_half_and_not_below),
        cmocka_unit_test(nothing_is_in_flight_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
