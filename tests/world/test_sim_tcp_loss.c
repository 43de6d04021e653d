/* TCP of the simulated world when segments are lost, late or too large: retransmission (RFC 6298), fast retransmit and
 * recovery (RFC 5681, 6582), windows, keep-alives, timeouts. See tests/world/tcp_rig.h for the lab: 20 ms there and
 * back.
 */
#include "sim/engine/fault.h"
#include "tests/world/tcp_rig.h"

#define SEG_AT(ns, to) "{\"t\":" #ns ",\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"" to "\""

/* ---- retransmission ---- */

static void rfc6298_5_the_rto_is_the_round_trip_and_200_ms_and_doubles(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 900 * MS, TAP, "right skip 3");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 100");
    tcp_rig_run(lab);
    /* 20 ms were measured once: RTTVAR is 10 ms, its share 40 ms, the floor 200 ms. */
    assert_int_equal(lab_count(lab, SEG_AT(1005000000, "right")), 1);
    assert_int_equal(lab_count(lab, SEG_AT(1225000000, "right")), 1); /* + 220 ms */
    assert_int_equal(lab_count(lab, SEG_AT(1665000000, "right")), 1); /* + 440 ms */
    assert_int_equal(lab_count(lab, SEG_AT(2545000000, "right")), 1); /* + 880 ms: arrives */
    IN_ORDER(lab, "{\"t\":2550000000,\"node\":\"bob\",\"ev\":\"received\",\"c\":0,\"n\":100");
    assert_int_equal(lab_count(lab, "\"ev\":\"seg\""), 3 + 4 + 1);
}

static void rfc6298_5_7_an_answer_ends_the_doubling(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 900 * MS, TAP, "right skip 2");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 100");
    lab_command(lab, 4900 * MS, TAP, "right skip 1");
    lab_command(lab, 5 * SEC, ALICE, "tcp-send 0 100");
    tcp_rig_run(lab);
    assert_int_equal(lab_count(lab, SEG_AT(1665000000, "right")), 1);
    assert_int_equal(lab_count(lab, SEG_AT(5225000000, "right")), 1); /* Karn: the first measurement still holds */
}

static void fifteen_retransmissions_and_the_connection_has_timed_out(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 900 * MS, TAP, "right cut");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 100");
    lab_command(lab, 2000 * SEC, ALICE, "tcp-close 0");
    tcp_rig_run(lab);
    assert_int_equal(lab_count(lab, "\"n\":100,"), 16);
    /* 0.22 s doubled ten times, of which the last is 120 s, as the six that follow */
    IN_ORDER(lab, "{\"t\":946060000000,\"node\":\"alice\",\"ev\":\"failed\",\"c\":0,\"error\":\"timed out\"}");
}

static void nobody_waits_for_an_orphan_so_long(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 900 * MS, TAP, "right cut");
    lab_command(lab, 1 * SEC, ALICE, "tcp-close 0");
    tcp_rig_run(lab);
    assert_int_equal(lab_count(lab, "\"flags\":\"FA\""), 9); /* Linux: 8 retransmissions */
    assert_int_equal(lab_count(lab, "\"flags\":\"R"), 0);
}

static void a_lost_fin_is_sent_again(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, BOB, "polite");
    tcp_rig_connect(lab);
    lab_command(lab, 900 * MS, TAP, "right skip 1");
    lab_command(lab, 1 * SEC, ALICE, "finish 0");
    lab_command(lab, 5 * SEC, ALICE, "tcp-close 0");
    lab_command(lab, 5 * SEC, BOB, "tcp-close 0");
    lab_run(lab);
    IN_ORDER(lab, SEG_AT(1225000000, "right"), "{\"t\":1230000000,\"node\":\"bob\",\"ev\":\"finished\"",
             "{\"t\":1240000000,\"node\":\"alice\",\"ev\":\"finished\"");
}

/* After an expiry what is still missing follows at once with each acknowledgement, not with an RTO each. */
static void a_whole_flight_lost_is_made_good_round_trip_by_round_trip(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 900 * MS, TAP, "right skip 5");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 7300");
    tcp_rig_run(lab);
    IN_ORDER(lab, SEG_AT(1225000000, "right"), SEG_AT(1245000000, "right"), SEG_AT(1265000000, "right"),
             SEG_AT(1285000000, "right"), SEG_AT(1305000000, "right"), "\"total\":7300,");
    assert_int_equal(lab_count(lab, "\"to\":\"right\",\"flags\":\"A\",\"seq\":1,\"ack\":1,\"n\":1460"), 2);
}

/* ---- fast retransmit (RFC 5681 §3.2, RFC 6582) ---- */

static void rfc5681_3_2_the_third_duplicate_sends_it_again_without_an_rto(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 900 * MS, TAP, "right lose 2");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 14600"); /* ten segments */
    tcp_rig_run(lab);
    assert_int_equal(lab_count(lab,
                               "{\"t\":1025000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\",\"flags\":\"A\","
                               "\"seq\":1461,\"ack\":1,\"n\":1460"),
                     1);
    IN_ORDER(lab, "{\"t\":1030000000,\"node\":\"bob\",\"ev\":\"received\",\"c\":0,\"n\":13140,\"total\":14600");
    assert_int_equal(lab_count(lab, "\"n\":1460,\"win\""), 11);
}

static void rfc6582_3_2_two_of_a_window_are_recovered_without_an_rto(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 900 * MS, TAP, "right lose 2 4");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 14600");
    tcp_rig_run(lab);
    /* The partial ACK at 1.035 s brings the second hole one round trip later. */
    IN_ORDER(lab, "{\"t\":1025000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\",\"flags\":\"A\",\"seq\":1461",
             "{\"t\":1045000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\",\"flags\":\"A\",\"seq\":4381",
             "{\"t\":1050000000,\"node\":\"bob\",\"ev\":\"received\"");
    assert_int_equal(lab_count(lab, "\"total\":14600,"), 1);
    assert_int_equal(lab_count(lab, "\"intact\":false"), 0);
}

static void two_duplicates_are_no_loss(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 900 * MS, TAP, "right hold 2"); /* overtaken by one: one duplicate ACK */
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 14600");
    tcp_rig_run(lab);
    assert_int_equal(lab_count(lab, "\"to\":\"right\",\"flags\":\"A\",\"seq\":1461"), 1);
    assert_int_equal(lab_count(lab, "\"total\":14600,"), 1);
    assert_int_equal(lab_count(lab, "\"intact\":false"), 0);
}

/* RFC 3042. */
static void a_duplicate_lets_one_more_segment_out(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 900 * MS, TAP, "right lose 1");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 29200");
    tcp_rig_run(lab);
    /* Nine duplicates at 1.020 s: two new segments, then the lost one. */
    IN_ORDER(lab, "{\"t\":1025000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\",\"flags\":\"A\",\"seq\":14601",
             "{\"t\":1025000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\",\"flags\":\"A\",\"seq\":16061",
             "{\"t\":1025000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\",\"flags\":\"A\",\"seq\":1,");
    assert_int_equal(lab_count(lab, "\"total\":29200,"), 1);
}

/* Each of the first segments, alone and in pairs, and the last of a flight. */
static void whichever_segment_is_lost_the_stream_stays_whole(void **state)
{
    (void)state;
    for (unsigned k = 1; k <= 21; k++)
        for (unsigned more = 0; more < 3; more++) {
            void *rig = NULL;
            char lose[64];
            assert_int_equal(tcp_rig_setup(&rig), 0);
            struct lab *lab = rig;
            snprintf(lose, sizeof lose, "right lose %u %u", k, k + more);
            tcp_rig_connect(lab);
            lab_command(lab, 900 * MS, TAP, lose);
            lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 30000");
            tcp_rig_run(lab);
            assert_int_equal(lab_count(lab, "\"total\":30000,"), 1);
            assert_int_equal(lab_count(lab, "\"intact\":false"), 0);
            assert_true(lab_count(lab, "\"lost\":true") >= 1); /* a second may be the first's retransmission */
            tcp_rig_teardown(&rig);
        }
}

static void run_impaired(const char *command, const struct wire_spec *spec, unsigned seed)
{
    struct lab *lab = calloc(1, sizeof *lab);
    char total[64];
    assert_non_null(lab);
    tcp_rig_draw(lab, &probe_kind);
    lab->plan.seed = seed;
    for (unsigned i = 0; i < 2; i++)
        lab->plan.wires[i].spec[0] = lab->plan.wires[i].spec[1] = *spec;
    lab_open(lab);
    lab_command(lab, 0, BOB, "listen 0.0.0.0:5060");
    lab_command(lab, 0, BOB, "hang-up");
    lab_command(lab, 0, ALICE, "connect 10.0.0.2:5060");
    lab_command(lab, 1 * MINUTE, ALICE, command);
    lab_command(lab, 1 * MINUTE, ALICE, "finish 0");
    lab_command(lab, HOUR, ALICE, "tcp-close 0");
    lab_run(lab);
    snprintf(total, sizeof total, "\"total\":%s,", strrchr(command, ' ') + 1);
    assert_int_equal(lab_count(lab, total), 1);
    assert_int_equal(lab_count(lab, "\"intact\":false"), 0);
    assert_int_equal(lab_count(lab, "\"node\":\"bob\",\"ev\":\"finished\""), 1);
    lab_close(lab);
    free(lab);
}

static void a_megabyte_goes_through_one_percent_of_loss(void **state)
{
    static const struct wire_spec lossy = {.delay = 5 * MS, .loss = 10000, .mtu = 1500};
    (void)state;
    for (unsigned seed = 1; seed <= 5; seed++)
        run_impaired("tcp-send 0 1000000", &lossy, seed);
}

static void reordered_and_doubled_segments_come_together(void **state)
{
    static const struct wire_spec jumbled = {
        .delay = 5 * MS, .jitter = 4 * MS, .reorder = true, .duplicate = 20000, .loss = 5000, .mtu = 1500};
    (void)state;
    for (unsigned seed = 1; seed <= 5; seed++)
        run_impaired("tcp-send 0 300000", &jumbled, seed);
}

/* ---- windows (RFC 9293 §3.8.6) ---- */

static void thaw(void *arg)
{
    struct lab *lab = arg;
    engine_freeze(lab->engine, BOB, false);
}

static void rfc9293_3_8_6_1_a_closed_window_is_probed_until_the_program_reads(void **state)
{
    struct lab *lab = *state;
    struct timer timer;
    tcp_rig_connect(lab);
    tcp_rig_run(lab);
    engine_freeze(lab->engine, BOB, true);
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 1000000");
    timer_init(&timer, thaw, lab);
    engine_timer_start(lab->engine, &timer, 60 * SEC);
    tcp_rig_run(lab);
    IN_ORDER(lab, "\"to\":\"left\",\"flags\":\"A\",\"seq\":1,", "\"win\":0}", "\"n\":0,", "\"win\":0}",
             "\"ev\":\"freeze\",\"frozen\":false",
             "{\"t\":60000000000,\"node\":\"bob\",\"ev\":\"received\",\"c\":0,\"n\":65536",
             "{\"t\":60005000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"left\"", "\"ev\":\"drained\"",
             "\"total\":1000000,");
    assert_in_range(lab_count(lab, "\"win\":0}"), 7, 12); /* the probes double */
    assert_int_equal(lab_count(lab, "\"intact\":false"), 0);
}

/* ---- keep-alive (RFC 1122 §4.2.3.6) ---- */

static void rfc1122_4_2_3_6_an_idle_connection_is_probed_and_the_peer_answers(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, ALICE, "keep-alive 0 10000 2000 3");
    lab_command(lab, 35 * SEC, ALICE, "tcp-close 0");
    lab_command(lab, 35 * SEC, BOB, "tcp-close 0");
    lab_run(lab);
    /* 10 s after the SYN-ACK, and then after each answer */
    IN_ORDER(lab,
             "{\"t\":10025000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\",\"flags\":\"A\",\"seq\":0,\"ack\":1,",
             "{\"t\":10035000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"left\",\"flags\":\"A\",\"seq\":1,\"ack\":1,",
             "{\"t\":20045000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\"",
             "{\"t\":30065000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\"");
    assert_int_equal(lab_count(lab, "\"ev\":\"failed\""), 0);
}

static void unanswered_probes_end_it(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, ALICE, "keep-alive 0 10000 2000 3");
    lab_command(lab, 5 * SEC, TAP, "left cut");
    tcp_rig_run(lab);
    assert_int_equal(lab_count(lab, "\"to\":\"right\",\"flags\":\"A\",\"seq\":0,"), 3);
    IN_ORDER(lab, "{\"t\":16020000000,\"node\":\"alice\",\"ev\":\"failed\",\"c\":0,\"error\":\"timed out\"}");
}

/* ---- user timeout (RFC 5482) ---- */

static void rfc5482_data_unacknowledged_for_so_long_ends_it(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 500 * MS, ALICE, "user-timeout 0 30000");
    lab_command(lab, 900 * MS, TAP, "right cut");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 100");
    tcp_rig_run(lab);
    IN_ORDER(lab, "{\"t\":31000000000,\"node\":\"alice\",\"ev\":\"failed\",\"c\":0,\"error\":\"timed out\"}");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, tcp_rig_setup, tcp_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rfc6298_5_the_rto_is_the_round_trip_and_200_ms_and_doubles),
        CASE(rfc6298_5_7_an_answer_ends_the_doubling),
        CASE(fifteen_retransmissions_and_the_connection_has_timed_out),
        CASE(nobody_waits_for_an_orphan_so_long),
        CASE(a_lost_fin_is_sent_again),
        CASE(a_whole_flight_lost_is_made_good_round_trip_by_round_trip),
        CASE(rfc5681_3_2_the_third_duplicate_sends_it_again_without_an_rto),
        CASE(rfc6582_3_2_two_of_a_window_are_recovered_without_an_rto),
        CASE(two_duplicates_are_no_loss),
        CASE(a_duplicate_lets_one_more_segment_out),
        cmocka_unit_test(whichever_segment_is_lost_the_stream_stays_whole),
        cmocka_unit_test(a_megabyte_goes_through_one_percent_of_loss),
        cmocka_unit_test(reordered_and_doubled_segments_come_together),
        CASE(rfc9293_3_8_6_1_a_closed_window_is_probed_until_the_program_reads),
        CASE(rfc1122_4_2_3_6_an_idle_connection_is_probed_and_the_peer_answers),
        CASE(unanswered_probes_end_it),
        CASE(rfc5482_data_unacknowledged_for_so_long_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
