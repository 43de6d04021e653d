/* TCP of the simulated world: opening, talking, ending (RFC 9293). See tests/world/tcp_rig.h for the lab. */
#include "tests/world/tcp_rig.h"

/* ---- opening (§3.5) ---- */

static void rfc9293_3_5_three_segments_open_a_connection(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    tcp_rig_run(lab);
    IN_ORDER(
        lab,
        "{\"t\":5000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\",\"flags\":\"S\",\"seq\":0,\"ack\":0,\"n\":0,"
        "\"win\":65535}",
        "{\"t\":15000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"left\",\"flags\":\"SA\",\"seq\":0,\"ack\":1,\"n\":0,"
        "\"win\":65535}",
        "{\"t\":20000000,\"node\":\"alice\",\"ev\":\"connected\",\"c\":0,",
        "{\"t\":25000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\",\"flags\":\"A\",\"seq\":1,\"ack\":1,\"n\":0,",
        "{\"t\":30000000,\"node\":\"bob\",\"ev\":\"accepted\",\"c\":0,\"l\":0,\"local\":\"10.0.0.2:5060\"");
    assert_int_equal(lab_count(lab, "\"ev\":\"seg\""), 3);
}

static void rfc9293_3_10_7_1_nobody_listens_refused(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, ALICE, "connect 10.0.0.2:5060");
    lab_run(lab);
    IN_ORDER(lab, "\"to\":\"left\",\"flags\":\"RA\",\"seq\":0,\"ack\":1,\"n\":0,\"win\":0}",
             "{\"t\":20000000,\"node\":\"alice\",\"ev\":\"failed\",\"c\":0,\"error\":\"refused\"}");
    assert_int_equal(lab_count(lab, "\"ev\":\"seg\""), 2);
}

static void rfc9293_3_5_both_open_at_once(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, ALICE, "connect 10.0.0.2:6000 10.0.0.1:7000");
    lab_command(lab, 0, BOB, "connect 10.0.0.1:7000 10.0.0.2:6000");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 10");
    lab_command(lab, 1 * SEC, BOB, "tcp-send 0 20");
    tcp_rig_run(lab);
    assert_int_equal(lab_count(lab, "\"ev\":\"connected\""), 2);
    assert_int_equal(lab_count(lab, "\"flags\":\"S\""), 2);
    assert_int_equal(lab_count(lab, "\"flags\":\"SA\""), 2);
    IN_ORDER(lab, "\"node\":\"alice\",\"ev\":\"received\",\"c\":0,\"n\":20");
    IN_ORDER(lab, "\"node\":\"bob\",\"ev\":\"received\",\"c\":0,\"n\":10");
}

static void rfc9293_3_8_3_a_syn_is_repeated_after_1_3_7_15_31_63_s_and_given_up_after_127(void **state)
{
    static const unsigned seconds[] = {0, 1, 3, 7, 15, 31, 63};
    struct lab *lab = *state;
    char line[96];
    lab_command(lab, 0, TAP, "right cut");
    lab_command(lab, 0, ALICE, "connect 10.0.0.2:5060");
    lab_run(lab);
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        snprintf(line, sizeof line, "{\"t\":%u005000000,\"node\":\"tap\",\"ev\":\"seg\"", seconds[i]);
        assert_int_equal(lab_count(lab, i ? line : "{\"t\":5000000,\"node\":\"tap\",\"ev\":\"seg\""), 1);
    }
    assert_int_equal(lab_count(lab, "\"ev\":\"seg\""), 7);
    assert_int_equal(
        lab_count(lab, "{\"t\":127000000000,\"node\":\"alice\",\"ev\":\"failed\",\"c\":0,\"error\":\"timed out\"}"), 1);
}

static void a_syn_ack_is_repeated_after_1_3_7_15_31_s_and_forgotten_after_63(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, TAP, "left cut");
    tcp_rig_connect(lab);
    lab_command(lab, 500 * MS, ALICE, "tcp-close 0"); /* no second SYN */
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"flags\":\"SA\""), 6);
    assert_int_equal(lab_count(lab, "{\"t\":31015000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"left\""), 1);
    assert_int_equal(engine_now(lab->engine), 63 * SEC + 10 * MS);
    assert_int_equal(lab_count(lab, "\"ev\":\"accepted\""), 0);
}

static void a_syn_that_comes_again_is_answered_again(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, TAP, "left skip 1");
    tcp_rig_connect(lab);
    tcp_rig_run(lab);
    /* Bob's own second SYN-ACK and his answer to Alice's second SYN; she answers the later of them with an ACK. */
    assert_int_equal(lab_count(lab, "\"flags\":\"SA\""), 3);
    IN_ORDER(lab, "{\"t\":1020000000,\"node\":\"alice\",\"ev\":\"connected\"",
             "{\"t\":1030000000,\"node\":\"bob\",\"ev\":\"accepted\"");
    assert_int_equal(lab_count(lab, "\"ev\":\"accepted\""), 1);
}

static void a_lost_third_segment_is_made_good_by_data(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 10 * MS, TAP, "right skip 1"); /* the ACK of the SYN-ACK */
    lab_command(lab, 100 * MS, ALICE, "tcp-send 0 100");
    tcp_rig_run(lab);
    IN_ORDER(lab, "{\"t\":110000000,\"node\":\"bob\",\"ev\":\"accepted\"",
             "{\"t\":110000000,\"node\":\"bob\",\"ev\":\"received\",\"c\":0,\"n\":100");
}

static void ports_and_ends_have_rules(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, BOB, "listen 0.0.0.0:5060");
    lab_command(lab, 0, BOB, "listen 10.0.0.2:5060");
    lab_command(lab, 0, BOB, "listen 10.0.0.9:5061");
    lab_command(lab, 0, BOB, "listen 10.0.0.2:0");
    lab_command(lab, 0, ALICE, "connect 10.0.0.2:5060 0.0.0.0:40000");
    lab_command(lab, 0, ALICE, "connect 10.0.0.2:5060 10.0.0.1:40000"); /* the same pair */
    lab_command(lab, 0, ALICE, "connect 10.0.0.2:5060 10.0.0.7:0");
    lab_command(lab, 0, ALICE, "connect 192.0.2.1:5060");
    lab_command(lab, 1 * SEC, BOB, "connect 10.0.0.1:9 10.0.0.2:5060"); /* from where it listens */
    tcp_rig_run(lab);
    assert_int_equal(tcp_rig_result(lab, "listen 10.0.0.2:5060"), FE_EUSED);
    assert_int_equal(tcp_rig_result(lab, "listen 10.0.0.9:5061"), FE_EUNREACH);
    assert_int_equal(tcp_rig_result(lab, "listen 10.0.0.2:0"), FE_ERANGE);
    assert_int_equal(tcp_rig_result(lab, "connect 10.0.0.2:5060 0.0.0.0:40000"), 0);
    assert_int_equal(tcp_rig_result(lab, "connect 10.0.0.2:5060 10.0.0.1:40000"), FE_EUSED);
    assert_int_equal(tcp_rig_result(lab, "connect 10.0.0.2:5060 10.0.0.7:0"), FE_EUNREACH);
    assert_int_equal(tcp_rig_result(lab, "connect 192.0.2.1:5060"), FE_EUNREACH);
    assert_int_equal(tcp_rig_result(lab, "connect 10.0.0.1:9 10.0.0.2:5060"), 0);
}

static void who_is_not_taken_is_reset(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, BOB, "refuse");
    tcp_rig_connect(lab);
    lab_run(lab);
    IN_ORDER(lab, "\"node\":\"alice\",\"ev\":\"connected\"", "\"node\":\"bob\",\"ev\":\"declined\"",
             "\"to\":\"left\",\"flags\":\"RA\",\"seq\":1,\"ack\":1",
             "\"node\":\"alice\",\"ev\":\"failed\",\"c\":0,\"error\":\"connection reset\"");
}

/* ---- talking ---- */

static void both_talk_and_what_was_said_while_connecting_arrives(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 0, ALICE, "tcp-send 0 1000");
    lab_command(lab, 0, ALICE, "tcp-send 0 2000"); /* with the first, in segments of 1460 */
    lab_command(lab, 1 * SEC, BOB, "tcp-send 0 500");
    tcp_rig_run(lab);
    IN_ORDER(lab, "\"node\":\"alice\",\"ev\":\"connected\"",
             "\"to\":\"right\",\"flags\":\"A\",\"seq\":1,\"ack\":1,\"n\":0", "\"seq\":1,\"ack\":1,\"n\":1460",
             "\"seq\":1461,\"ack\":1,\"n\":1460", "\"seq\":2921,\"ack\":1,\"n\":80",
             "\"node\":\"bob\",\"ev\":\"received\",\"c\":0,\"n\":1460,\"total\":1460",
             "\"total\":3000,\"hash\":", "\"node\":\"alice\",\"ev\":\"received\",\"c\":0,\"n\":500");
    assert_int_equal(lab_count(lab, "\"intact\":false"), 0);
    assert_int_equal(lab_count(lab, "\"ev\":\"drained\""), 0); /* nothing had to wait */
}

static void every_segment_is_acknowledged_at_once(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 10");
    tcp_rig_run(lab);
    IN_ORDER(lab, "{\"t\":1005000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"right\",\"flags\":\"PA\",\"seq\":1,",
             "{\"t\":1015000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"left\",\"flags\":\"A\",\"seq\":1,\"ack\":11");
}

static void a_megabyte_goes_through_and_drained_is_told_once(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 1000000");
    tcp_rig_run(lab);
    assert_int_equal(lab_count(lab, "\"total\":1000000,"), 1);
    assert_int_equal(lab_count(lab, "\"intact\":false"), 0);
    assert_int_equal(lab_count(lab, "\"ev\":\"drained\""), 1);
    /* RFC 6928: ten segments at once, and no more */
    assert_int_equal(lab_count(lab, "{\"t\":1005000000,\"node\":\"tap\""), 10);
}

static void more_than_the_backlog_is_not_taken(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 4194305");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 4194304");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 14601"); /* ten segments are out already */
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 14600");
    tcp_rig_run(lab);
    assert_int_equal(tcp_rig_result(lab, "tcp-send 0 4194305"), FE_EAGAIN);
    assert_int_equal(tcp_rig_result(lab, "tcp-send 0 4194304"), 0);
    assert_int_equal(tcp_rig_result(lab, "tcp-send 0 14601"), FE_EAGAIN);
    assert_int_equal(tcp_rig_result(lab, "tcp-send 0 14600"), 0);
    assert_int_equal(lab_count(lab, "\"total\":4208904,"), 1);
    assert_int_equal(lab_count(lab, "\"intact\":false"), 0);
}

static void who_pumps_goes_on_when_drained(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, ALICE, "pump 0 9000000");
    tcp_rig_run(lab);
    assert_int_equal(lab_count(lab, "\"total\":9000000,"), 1);
    assert_int_equal(lab_count(lab, "\"intact\":false"), 0);
    assert_in_range(lab_count(lab, "\"ev\":\"drained\""), 2, 10);
}

static void to_oneself(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, ALICE, "echo");
    lab_command(lab, 0, ALICE, "listen 0.0.0.0:80");
    lab_command(lab, 1 * SEC, ALICE, "connect 127.0.0.1:80");
    lab_command(lab, 2 * SEC, ALICE, "connect 127.0.0.1:81");
    lab_command(lab, 3 * SEC, ALICE, "tcp-close 0");
    tcp_rig_run(lab);
    IN_ORDER(lab, "{\"t\":1000000000,\"node\":\"alice\",\"ev\":\"accepted\",\"c\":1",
             "{\"t\":1000000000,\"node\":\"alice\",\"ev\":\"connected\",\"c\":0",
             "{\"t\":2000000000,\"node\":\"alice\",\"ev\":\"did\"",
             "{\"t\":2000000000,\"node\":\"alice\",\"ev\":\"failed\",\"c\":2,\"error\":\"refused\"}",
             "{\"t\":3000000000,\"node\":\"alice\",\"ev\":\"finished\",\"c\":1}");
}

/* ---- ending (§3.6) ---- */

static void rfc9293_3_6_each_side_ends_its_own_direction(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, ALICE, "finish 0");
    lab_command(lab, 2 * SEC, BOB, "tcp-send 0 3000"); /* half closed: it still arrives */
    lab_command(lab, 3 * SEC, BOB, "tcp-close 0");
    lab_command(lab, 4 * SEC, ALICE, "tcp-send 0 1");
    lab_command(lab, 5 * SEC, ALICE, "tcp-close 0");
    lab_run(lab);
    IN_ORDER(lab, "\"to\":\"right\",\"flags\":\"FA\",\"seq\":1,\"ack\":1", "\"node\":\"bob\",\"ev\":\"finished\"",
             "\"total\":3000", "\"to\":\"left\",\"flags\":\"FA\",\"seq\":3001,\"ack\":2",
             "\"node\":\"alice\",\"ev\":\"finished\"", "\"to\":\"right\",\"flags\":\"A\",\"seq\":2,\"ack\":3002");
    assert_int_equal(tcp_rig_result(lab, "tcp-send 0 1"), FE_ERESET);
    assert_int_equal(lab_count(lab, "\"ev\":\"failed\""), 0);
    assert_int_equal(lab_count(lab, "\"flags\":\"R"), 0);
}

static void rfc9293_3_6_both_close_at_once(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, ALICE, "finish 0");
    lab_command(lab, 1 * SEC, BOB, "finish 0");
    lab_command(lab, 2 * SEC, ALICE, "tcp-close 0");
    lab_command(lab, 2 * SEC, BOB, "tcp-close 0");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"flags\":\"FA\""), 2);
    assert_int_equal(lab_count(lab, "\"ev\":\"finished\""), 2);
    assert_int_equal(lab_count(lab, "\"flags\":\"R"), 0);
    assert_int_equal(lab_count(lab, "\"ev\":\"seg\""), 7);
}

static void what_was_sent_before_a_close_arrives_with_the_fin(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, BOB, "hang-up");
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 300000");
    lab_command(lab, 1 * SEC, ALICE, "tcp-close 0");
    lab_run(lab);
    IN_ORDER(lab, "\"total\":300000,", "\"node\":\"bob\",\"ev\":\"finished\"");
    assert_int_equal(lab_count(lab, "\"flags\":\"R"), 0);
    assert_int_equal(lab_count(lab, "\"flags\":\"FPA\""), 1); /* on the last segment */
}

static void closed_while_connecting_with_something_to_say_it_is_still_said(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, BOB, "hang-up");
    tcp_rig_connect(lab);
    lab_command(lab, 0, ALICE, "tcp-send 0 100");
    lab_command(lab, 0, ALICE, "tcp-close 0");
    lab_run(lab);
    IN_ORDER(lab, "\"total\":100,", "\"node\":\"bob\",\"ev\":\"finished\"");
    assert_int_equal(lab_count(lab, "\"ev\":\"connected\""), 0);
}

static void closed_while_connecting_it_is_forgotten(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 0, ALICE, "tcp-close 0");
    lab_run(lab);
    IN_ORDER(lab, "\"flags\":\"SA\"", "\"to\":\"right\",\"flags\":\"R\",\"seq\":1");
    assert_int_equal(lab_count(lab, "\"ev\":\"accepted\""), 0);
}

/* RFC 2525 §2.17. */
static void who_closes_with_unread_data_resets(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 990 * MS, BOB, "deaf 0");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 5000"); /* Bob closes at the first segment */
    lab_run(lab);
    IN_ORDER(lab, "\"node\":\"bob\",\"ev\":\"received\"", "\"to\":\"left\",\"flags\":\"R",
             "\"node\":\"alice\",\"ev\":\"failed\",\"c\":0,\"error\":\"connection reset\"");
    assert_int_equal(lab_count(lab, "\"node\":\"bob\",\"ev\":\"received\""), 1);
}

static void data_after_a_close_is_reset(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, BOB, "tcp-close 0");
    lab_command(lab, 2 * SEC, ALICE, "tcp-send 0 10");
    lab_command(lab, 3 * SEC, ALICE, "tcp-send 0 11");
    lab_run(lab);
    IN_ORDER(lab, "\"node\":\"alice\",\"ev\":\"finished\"", "\"to\":\"left\",\"flags\":\"R\",\"seq\":2",
             "\"node\":\"alice\",\"ev\":\"failed\",\"c\":0,\"error\":\"connection reset\"");
    assert_int_equal(tcp_rig_result(lab, "tcp-send 0 11"), FE_ERESET);
}

static void rfc9293_3_10_5_an_abort_is_a_reset(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 100000");
    lab_command(lab, 1 * SEC, ALICE, "abort 0");
    lab_run(lab);
    IN_ORDER(lab, "\"to\":\"right\",\"flags\":\"RA\",\"seq\":14601,\"ack\":1",
             "\"node\":\"bob\",\"ev\":\"failed\",\"c\":0,\"error\":\"connection reset\"");
}

/* RFC 5961 §3.2. */
static void a_reset_counts_only_with_the_expected_number(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, TAP, "right say R 100 0"); /* in the window: Bob answers with a challenge */
    lab_command(lab, 2 * SEC, TAP, "right say R 100000 0");
    lab_command(lab, 3 * SEC, TAP, "right say R 1 0");
    tcp_rig_run(lab);
    assert_int_equal(
        lab_count(lab, "{\"t\":1010000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"left\",\"flags\":\"A\",\"seq\":1"),
        1);
    assert_int_equal(lab_count(lab, "{\"t\":2010000000"), 0);
    assert_int_equal(lab_count(lab, "{\"t\":3005000000,\"node\":\"bob\",\"ev\":\"failed\""), 1);
}

/* RFC 5961 §4.2. */
static void a_syn_on_a_connection_is_challenged(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, TAP, "right say S 100 0");
    tcp_rig_run(lab);
    assert_int_equal(
        lab_count(lab, "{\"t\":1010000000,\"node\":\"tap\",\"ev\":\"seg\",\"to\":\"left\",\"flags\":\"A\""), 1);
    assert_int_equal(lab_count(lab, "\"ev\":\"failed\""), 0);
}

/* ---- programs that end ---- */

static void a_killed_program_s_connections_are_closed_and_the_stack_goes_on(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 100000");
    tcp_rig_run(lab);
    assert_int_equal(engine_power(lab->engine, ALICE, false), 0);
    tcp_rig_run(lab);
    IN_ORDER(lab, "\"total\":100000", "\"to\":\"right\",\"flags\":\"FA\",\"seq\":100001",
             "\"node\":\"bob\",\"ev\":\"finished\"");
    lab_command(lab, engine_now(lab->engine), BOB, "tcp-send 0 10");
    lab_run(lab);
    IN_ORDER(lab, "\"to\":\"left\",\"flags\":\"PA\",\"seq\":1", "\"to\":\"right\",\"flags\":\"R",
             "\"node\":\"bob\",\"ev\":\"failed\"");
}

static void a_listener_that_closes_resets_whom_nobody_has_taken(void **state)
{
    struct lab *lab = *state;
    tcp_rig_connect(lab);
    tcp_rig_run(lab);
    lab_command(lab, 1 * SEC, BOB, "unlisten 0");
    lab_command(lab, 2 * SEC, ALICE, "connect 10.0.0.2:5060");
    lab_command(lab, 3 * SEC, ALICE, "tcp-send 0 10"); /* the accepted one stays */
    tcp_rig_run(lab);
    IN_ORDER(lab, "\"node\":\"alice\",\"ev\":\"failed\",\"c\":1,\"error\":\"refused\"",
             "\"node\":\"bob\",\"ev\":\"received\",\"c\":0,\"n\":10");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, tcp_rig_setup, tcp_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rfc9293_3_5_three_segments_open_a_connection),
        CASE(rfc9293_3_10_7_1_nobody_listens_refused),
        CASE(rfc9293_3_5_both_open_at_once),
        CASE(rfc9293_3_8_3_a_syn_is_repeated_after_1_3_7_15_31_63_s_and_given_up_after_127),
        CASE(a_syn_ack_is_repeated_after_1_3_7_15_31_s_and_forgotten_after_63),
        CASE(a_syn_that_comes_again_is_answered_again),
        CASE(a_lost_third_segment_is_made_good_by_data),
        CASE(ports_and_ends_have_rules),
        CASE(who_is_not_taken_is_reset),
        CASE(both_talk_and_what_was_said_while_connecting_arrives),
        CASE(every_segment_is_acknowledged_at_once),
        CASE(a_megabyte_goes_through_and_drained_is_told_once),
        CASE(more_than_the_backlog_is_not_taken),
        CASE(who_pumps_goes_on_when_drained),
        CASE(to_oneself),
        CASE(rfc9293_3_6_each_side_ends_its_own_direction),
        CASE(rfc9293_3_6_both_close_at_once),
        CASE(what_was_sent_before_a_close_arrives_with_the_fin),
        CASE(closed_while_connecting_with_something_to_say_it_is_still_said),
        CASE(closed_while_connecting_it_is_forgotten),
        CASE(who_closes_with_unread_data_resets),
        CASE(data_after_a_close_is_reset),
        CASE(rfc9293_3_10_5_an_abort_is_a_reset),
        CASE(a_reset_counts_only_with_the_expected_number),
        CASE(a_syn_on_a_connection_is_challenged),
        CASE(a_killed_program_s_connections_are_closed_and_the_stack_goes_on),
        CASE(a_listener_that_closes_resets_whom_nobody_has_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
