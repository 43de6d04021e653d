/* Two phones that are each other's proxy: calls from end to end (RFC 3261 §13–15, RFC 3264). */
#include "tests/media/fake_net.h"
#include "tests/phone/phone_rig.h"

static struct rig_phone alice, bob, carol;

static const ipv4 alice_addr = IPV4(10, 0, 0, 1);
static const ipv4 bob_addr = IPV4(10, 0, 0, 2);
static const ipv4 carol_addr = IPV4(10, 0, 0, 3);

static void setup(const char *const *of_alice, const char *const *of_bob)
{
    const char *a[16] = {"line=101", "proxy=10.0.0.2", "register=no"};
    const char *b[16] = {"line=102", "proxy=10.0.0.1", "register=no"};
    const char *const c[] = {"line=103", "proxy=10.0.0.2", "register=no", NULL};
    for (size_t i = 0; of_alice && of_alice[i]; i++)
        a[3 + i] = of_alice[i];
    for (size_t i = 0; of_bob && of_bob[i]; i++)
        b[3 + i] = of_bob[i];
    net_begin(20 * MS);
    rig_start(&alice, "alice", alice_addr, a);
    rig_start(&bob, "bob", bob_addr, b);
    rig_start(&carol, "carol", carol_addr, c);
}

static int teardown(void **state)
{
    (void)state;
    rig_stop(&alice);
    rig_stop(&bob);
    rig_stop(&carol);
    net_end();
    return 0;
}

static void assert_call(const char *node, const char *state)
{
    if (!record_is(net_last(node, "call", NULL, NULL), "state", state))
        fail_msg("expected %s, is: %.*s", state, SPAN_ARG(net_last(node, "call", NULL, NULL)));
}

static void assert_heard(const char *node, const char *line, int64_t ppm)
{
    struct span report = net_last(node, "media", "state", "report");
    assert_true(record_is(report, "heard", line));
    assert_int_equal(net_number(report, "heard_ppm"), ppm);
}

/* alice calls bob, who answers after a second */
static void call_up(void)
{
    rig_tell(&alice, "call 102");
    net_run(2 * SEC);
    assert_call("alice", "established");
    assert_call("bob", "established");
}

/* ---- 13 ---- */

static void a_call_from_end_to_end(void **state)
{
    (void)state;
    setup(NULL, NULL);
    rig_tell(&alice, "call 102");
    assert_call("alice", "calling");
    net_run(100 * MS);
    assert_call("alice", "ringing");
    assert_call("bob", "incoming");
    net_run(20 * SEC);
    assert_int_equal(net_number(net_last("bob", "call", "state", "answered"), "t"), 1020 * MS);
    assert_int_equal(net_number(net_last("alice", "call", "state", "established"), "t"), 1040 * MS);
    assert_int_equal(net_number(net_last("bob", "call", "state", "established"), "t"), 1060 * MS);
    rig_tell(&alice, "hang up");
    net_run(21 * SEC);
    struct span line = net_last("alice", "call", NULL, NULL);
    assert_true(record_is(line, "state", "ended"));
    assert_true(record_is(line, "by", "local"));
    assert_true(record_is(line, "peer", "102"));
    assert_int_equal(net_number(line, "call"), 1);
    line = net_last("bob", "call", NULL, NULL);
    assert_true(record_is(line, "state", "ended"));
    assert_true(record_is(line, "by", "remote"));
    assert_true(record_is(line, "peer", "101"));
}

static void both_hear_each_other(void **state)
{
    (void)state;
    setup(NULL, NULL);
    call_up();
    net_run(20 * SEC);
    rig_tell(&alice, "report");
    assert_heard("alice", "102", 1000000);
    rig_tell(&bob, "hang up");
    net_run(21 * SEC);
    assert_heard("alice", "102", 1000000);
    assert_heard("bob", "101", 1000000);
    struct span report = net_last("bob", "media", "state", "report");
    struct span mos;
    assert_true(record_is(report, "local", "10.0.0.2:10000"));
    assert_true(record_is(report, "remote", "10.0.0.1:10000"));
    assert_int_equal(net_number(report, "delay_us"), 20000);
    assert_int_equal(net_number(report, "lost"), 0);
    assert_true(record_get(report, "mos", &mos));
    assert_true(span_is(mos, "4.36"));
    assert_int_equal(net_count("alice", "media", "state", "started"), 1);
    assert_int_equal(net_count("alice", "media", "state", "stopped"), 1);
}

static void the_preferred_codec_of_the_caller_is_spoken(void **state)
{
    (void)state;
    const char *const pcma[] = {"codec=pcma", NULL};
    setup(pcma, NULL);
    call_up();
    net_run(10 * SEC);
    rig_tell(&bob, "hang up");
    net_run(11 * SEC);
    assert_heard("alice", "102", 1000000);
    assert_heard("bob", "101", 1000000);
}

static void a_second_call_works_as_the_first_did(void **state)
{
    (void)state;
    setup(NULL, NULL);
    call_up();
    rig_tell(&alice, "hang up");
    net_run(3 * SEC);
    rig_tell(&bob, "call 101");
    net_run(13 * SEC);
    rig_tell(&alice, "hang up");
    net_run(14 * SEC);
    assert_heard("alice", "102", 1000000);
    assert_heard("bob", "101", 1000000);
    assert_int_equal(net_number(net_last("bob", "call", NULL, NULL), "call"), 2);
    assert_true(record_is(net_last("bob", "media", NULL, NULL), "local", "10.0.0.2:10002"));
}

static unsigned acks_to_lose;

static void lose_acks(struct net_packet *p)
{
    if (acks_to_lose && p->n > 4 && memcmp(p->data, "ACK ", 4) == 0) {
        acks_to_lose--;
        p->at = NEVER;
    }
}

static void a_lost_ack_is_repeated_for_each_2xx_13_3_1_4(void **state)
{
    (void)state;
    setup(NULL, NULL);
    acks_to_lose = 2;
    net.path = lose_acks;
    rig_tell(&alice, "call 102");
    net_run(5 * SEC);
    assert_call("bob", "established");
    assert_int_equal(net_number(net_last("bob", "call", NULL, NULL), "t"), (1020 + 500 + 1000 + 40) * MS);
    assert_int_equal(net_count("bob", "call", "state", "established"), 1);
}

static void without_any_ack_the_call_ends_after_64_T1_13_3_1_4(void **state)
{
    (void)state;
    setup(NULL, NULL);
    acks_to_lose = 1000;
    net.path = lose_acks;
    rig_tell(&alice, "call 102");
    net_run(40 * SEC);
    struct span line = net_last("bob", "call", NULL, NULL);
    assert_true(record_is(line, "state", "failed"));
    assert_int_equal(net_number(line, "t"), 1020 * MS + 32 * SEC);
    assert_call("alice", "ended"); /* by bob's BYE */
}

static void hanging_up_before_the_ack_waits_for_it_15(void **state)
{
    (void)state;
    setup(NULL, NULL);
    rig_tell(&alice, "call 102");
    net_run(1030 * MS);
    assert_call("bob", "answered");
    rig_tell(&bob, "hang up");
    assert_call("bob", "answered");
    net_run(2 * SEC);
    assert_call("bob", "ended");
    assert_call("alice", "ended");
    assert_int_equal(net_count("bob", "call", "state", "established"), 1);
}

/* ---- refusals ---- */

static void a_busy_phone_answers_486(void **state)
{
    (void)state;
    setup(NULL, NULL);
    call_up();
    rig_tell(&carol, "call 102");
    net_run(4 * SEC);
    struct span line = net_last("carol", "call", NULL, NULL);
    assert_true(record_is(line, "state", "failed"));
    assert_int_equal(net_number(line, "status"), 486);
    assert_true(record_is(line, "reason", "Busy Here"));
    assert_call("alice", "established");
}

static void another_line_is_not_found(void **state)
{
    (void)state;
    setup(NULL, NULL);
    rig_tell(&alice, "call 199");
    net_run(SEC);
    assert_int_equal(net_number(net_last("alice", "call", "state", "failed"), "status"), 404);
    assert_int_equal(net_count("bob", "call", NULL, NULL), 0);
}

static void rejected_by_hand_603(void **state)
{
    (void)state;
    const char *const manual[] = {"answer=manual", NULL};
    setup(NULL, manual);
    rig_tell(&alice, "call 102");
    net_run(5 * SEC);
    rig_tell(&bob, "reject");
    net_run(6 * SEC);
    assert_int_equal(net_number(net_last("alice", "call", "state", "failed"), "status"), 603);
    assert_call("bob", "failed");
}

static void answered_by_hand(void **state)
{
    (void)state;
    const char *const manual[] = {"answer=manual", NULL};
    setup(NULL, manual);
    rig_tell(&alice, "call 102");
    net_run(5 * SEC);
    rig_tell(&bob, "answer");
    net_run(6 * SEC);
    assert_call("alice", "established");
}

static void nobody_answers_480(void **state)
{
    (void)state;
    const char *const never[] = {"answer=never", "ring timeout=20s", NULL};
    setup(NULL, never);
    rig_tell(&alice, "call 102");
    net_run(21 * SEC);
    assert_int_equal(net_number(net_last("alice", "call", "state", "failed"), "status"), 480);
    assert_int_equal(net_number(net_last("bob", "call", "state", "failed"), "status"), 480);
}

static void nobody_there_408(void **state)
{
    (void)state;
    setup(NULL, NULL);
    rig_stop(&bob);
    rig_tell(&alice, "call 102");
    net_run(40 * SEC);
    struct span line = net_last("alice", "call", "state", "failed");
    assert_int_equal(net_number(line, "status"), 408);
    assert_int_equal(net_number(line, "t"), 32 * SEC);
    assert_int_equal(net_count("alice", "sip", "msg", "INVITE"), 7);
}

/* ---- CANCEL ---- */

static void cancelled_by_the_caller_9_1(void **state)
{
    (void)state;
    const char *const manual[] = {"answer=manual", NULL};
    setup(NULL, manual);
    rig_tell(&alice, "call 102");
    net_run(3 * SEC);
    rig_tell(&alice, "cancel");
    net_run(4 * SEC);
    assert_call("alice", "cancelled");
    assert_call("bob", "cancelled");
    assert_true(record_is(net_last("alice", "call", NULL, NULL), "by", "local"));
    assert_true(record_is(net_last("bob", "call", NULL, NULL), "by", "remote"));
    rig_tell(&bob, "call 101");
    net_run(6 * SEC);
    assert_call("bob", "established");
}

static void given_up_after_the_dial_timeout(void **state)
{
    (void)state;
    const char *const manual[] = {"answer=manual", NULL};
    const char *const patience[] = {"dial timeout=10s", NULL};
    setup(patience, manual);
    rig_tell(&alice, "call 102");
    net_run(11 * SEC);
    assert_call("alice", "cancelled");
    assert_int_equal(net_number(net_last("bob", "call", "state", "cancelled"), "t"), 10 * SEC + 20 * MS);
}

static void a_cancel_that_crosses_the_200_ends_in_BYE_9_1(void **state)
{
    (void)state;
    setup(NULL, NULL);
    rig_tell(&alice, "call 102");
    net_run(1030 * MS); /* bob's 200 is under way */
    rig_tell(&alice, "cancel");
    net_run(5 * SEC);
    assert_call("alice", "cancelled");
    assert_call("bob", "ended");
    assert_int_equal(net_count("alice", "call", "state", "established"), 0);
}

/* ---- hold ---- */

static void hold_and_resume_RFC_3264_8_4(void **state)
{
    (void)state;
    setup(NULL, NULL);
    call_up();
    net_run(5 * SEC);
    rig_tell(&alice, "hold");
    net_run(10 * SEC);
    assert_int_equal(net_count("alice", "media", "state", "stopped"), 1);
    assert_int_equal(net_count("bob", "media", "state", "stopped"), 1);
    rig_tell(&bob, "report");
    int64_t sent = net_number(net_last("bob", "media", "state", "report"), "sent");
    net_run(60 * SEC);
    rig_tell(&bob, "report");
    assert_int_equal(net_number(net_last("bob", "media", "state", "report"), "sent"), sent);
    rig_tell(&alice, "resume");
    net_run(70 * SEC);
    rig_tell(&bob, "hang up");
    net_run(71 * SEC);
    assert_heard("alice", "102", 1000000);
    assert_heard("bob", "101", 1000000);
    assert_int_equal(net_count("bob", "media", "state", "started"), 2);
}

static void both_hold_at_once_one_tries_again_14_1(void **state)
{
    (void)state;
    setup(NULL, NULL);
    call_up();
    rig_tell(&alice, "hold");
    rig_tell(&bob, "hold");
    net_run(10 * SEC);
    assert_true(net_count("alice", "sip", "msg", "491 INVITE") >= 1);
    assert_call("alice", "established");
    assert_call("bob", "established");
    rig_tell(&alice, "resume");
    net_run(12 * SEC);
    rig_tell(&bob, "resume");
    net_run(20 * SEC);
    rig_tell(&bob, "hang up");
    net_run(21 * SEC);
    assert_heard("alice", "102", 1000000);
    assert_heard("bob", "101", 1000000);
}

static void commands_out_of_place_are_told(void **state)
{
    (void)state;
    setup(NULL, NULL);
    rig_tell(&alice, "hold");
    rig_tell(&alice, "answer");
    rig_tell(&alice, "report");
    rig_tell(&alice, "cancel");
    assert_int_equal(net_count("alice", "bad-command", NULL, NULL), 4);
    call_up();
    rig_tell(&alice, "call 103");
    rig_tell(&alice, "resume");
    assert_int_equal(net_count("alice", "bad-command", NULL, NULL), 6);
}

/* ---- the power switch ---- */

static void stopped_in_the_middle_of_everything(void **state)
{
    (void)state;
    setup(NULL, NULL);
    for (int step = 0; step < 60; step++) {
        teardown(NULL);
        setup(NULL, NULL);
        rig_tell(&alice, "call 102");
        net_run(step * 37 * MS);
        if (step % 3 == 0)
            rig_tell(&alice, "hang up");
        if (step % 3 == 1)
            rig_tell(&alice, "hold");
        rig_stop(step % 2 ? &alice : &bob);
        net_run(step * 37 * MS + 100 * MS);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_from_end_to_end),
        TEST(both_hear_each_other),
        TEST(the_preferred_codec_of_the_caller_is_spoken),
        TEST(a_second_call_works_as_the_first_did),
        TEST(a_lost_ack_is_repeated_for_each_2xx_13_3_1_4),
        TEST(without_any_ack_the_call_ends_after_64_T1_13_3_1_4),
        TEST(hanging_up_before_the_ack_waits_for_it_15),
        TEST(a_busy_phone_answers_486),
        TEST(another_line_is_not_found),
        TEST(rejected_by_hand_603),
        TEST(answered_by_hand),
        TEST(nobody_answers_480),
        TEST(nobody_there_408),
        TEST(cancelled_by_the_caller_9_1),
        TEST(given_up_after_the_dial_timeout),
        TEST(a_cancel_that_crosses_the_200_ends_in_BYE_9_1),
        TEST(hold_and_resume_RFC_3264_8_4),
        TEST(both_hold_at_once_one_tries_again_14_1),
        TEST(commands_out_of_place_are_told),
        TEST(stopped_in_the_middle_of_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
