/* A phone with a backup, and its subscription: what is sent where, to the nanosecond (FACTS PH-20 … PH-23; RFC 3261
 * §21.5.4; RFC 6665 §4.1). The servers are the test.
 *
 *     alice, 192.168.1.20 ── 10 ms ──┬── a, 203.0.113.10
 *                                    └── b, 203.0.113.11 */
#include "tests/media/fake_net.h"
#include "tests/phone/phone_rig.h"

#include <stdio.h>

static struct rig_phone alice;
static struct rig_server a, b;

static const ipv4 alice_addr = IPV4(192, 168, 1, 20);
static const ipv4 a_addr = IPV4(203, 0, 113, 10);
static const ipv4 b_addr = IPV4(203, 0, 113, 11);

static void setup(void (*on_a)(struct rig_server *s), void (*on_b)(struct rig_server *s), const char *const *more)
{
    const char *settings[20] = {"line=101", "proxy=203.0.113.10", "transaction timer=4s", "expires=60s", "renewal=30s"};
    for (size_t i = 0; more && more[i]; i++)
        settings[5 + i] = more[i];
    net_begin(10 * MS);
    rig_server_start(&a, a_addr, on_a);
    rig_server_start(&b, b_addr, on_b);
    rig_start(&alice, "alice", alice_addr, settings);
}

static int teardown(void **state)
{
    (void)state;
    rig_stop(&alice);
    net_end();
    return 0;
}

static void accept(struct rig_server *s)
{
    rig_reply(s, 200, "Expires: 60\r\n", (struct span){0});
}

static void refuse(struct rig_server *s)
{
    rig_reply(s, 503, "Retry-After: 100\r\n", (struct span){0});
}

static const char *const boxes[] = {"backup proxy=203.0.113.11", "backup registrar=203.0.113.11",
                                    "backup AOR=101@backup.example", NULL};

static void no_answer_moves_the_registration_PH_20(void **state)
{
    (void)state;
    setup(NULL, accept, boxes);
    net_run(4 * SEC - 1);
    assert_int_equal(b.received, 0);
    net_run(4 * SEC + 10 * MS);
    assert_int_equal(b.received, 1);
    assert_true(span_is(sip_value(&b.msg, SIP_H_TO), "<sip:101@backup.example>"));
    assert_true(span_is(b.msg.uri, "sip:backup.example"));
    net_run(5 * SEC);
    struct span line = net_last("alice", "registration", NULL, NULL);
    assert_true(record_is(line, "state", "registered"));
    assert_true(record_is(line, "server", "203.0.113.11:5060"));
    assert_int_equal(net_count("alice", "failover", "to", "backup"), 2); /* registrar and proxy */
    assert_int_equal(net_count("alice", "registration", "state", "failed"), 0);
}

static void the_primary_is_probed_and_taken_back_PH_21(void **state)
{
    (void)state;
    setup(NULL, accept, boxes);
    net_run(10 * SEC);
    a.on_message = accept;
    a.received = 0;
    net_run(34 * SEC - 1);
    assert_int_equal(a.received, 0);
    net_run(34 * SEC + 100 * MS);
    assert_int_equal(a.received, 2); /* OPTIONS, REGISTER */
    assert_true(span_is(sip_value(&a.msg, SIP_H_TO), "<sip:101@lab.example>"));
    assert_true(span_is(sip_value(&b.msg, SIP_H_EXPIRES), "0")); /* the other one is taken back */
    assert_true(span_is(sip_value(&b.msg, SIP_H_TO), "<sip:101@backup.example>"));
    assert_int_equal(net_count("alice", "failover", "to", "primary"), 2);
    assert_int_equal(net_count("alice", "registration", "state", "trying"), 1);
}

static void where_only_the_way_differs_nothing_is_taken_back_PH_23(void **state)
{
    static const char *const outbound[] = {"backup outbound proxy=203.0.113.11", NULL};
    (void)state;
    setup(NULL, accept, outbound);
    net_run(10 * SEC);
    assert_true(span_is(sip_value(&b.msg, SIP_H_TO), "<sip:101@lab.example>"));
    unsigned received = b.received;
    a.on_message = accept;
    net_run(36 * SEC);
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "server", "203.0.113.10:5060"));
    assert_int_equal(b.received, received);
}

static void retry_after_goes_elsewhere_at_once_21_5_4(void **state)
{
    (void)state;
    setup(refuse, accept, boxes);
    net_run(40 * MS);
    assert_int_equal(b.received, 1);
    a.received = 0;
    net_run(100 * SEC); /* not even a probe */
    assert_int_equal(a.received, 0);
    net_run(130 * SEC);
    assert_int_not_equal(a.received, 0);
}

static void both_dead_are_asked_in_turn_after_the_pause_PH_14(void **state)
{
    (void)state;
    setup(NULL, NULL, boxes);
    net_run(8 * SEC);
    assert_int_equal(net_count("alice", "registration", "state", "failed"), 1);
    a.received = b.received = 0;
    net_run(128 * SEC - 1); /* registration timeout retry timer, 120 s */
    assert_int_equal(a.received + b.received, 0);
    b.on_message = accept;
    net_run(133 * SEC);
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "state", "registered"));
}

static void without_probes_the_blacklist_says_when_PH_25(void **state)
{
    static const char *const all[] = {"backup proxy=203.0.113.11", "backup registrar=203.0.113.11",
                                      "unregister on return=no", "probe interval=0", NULL};
    (void)state;
    setup(NULL, accept, all);
    net_run(4 * SEC + 100 * MS);
    a.on_message = accept;
    a.received = 0;
    net_run(304 * SEC - 1); /* no probes: not before the blacklist duration is over */
    assert_int_equal(a.received, 0);
    net_run(340 * SEC); /* then the next refresh tries the primary */
    assert_int_not_equal(a.received, 0);
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "server", "203.0.113.10:5060"));
    assert_false(span_is(sip_value(&b.msg, SIP_H_EXPIRES), "0"));
}

static void the_pause_grows_up_to_its_limit_PH_26(void **state)
{
    static const char *const growing[] = {"registration timeout retry timer=30s", "registration retry limit=100s",
                                          NULL};
    static const lab_time pauses[] = {30 * SEC, 60 * SEC, 100 * SEC, 100 * SEC};
    lab_time at = 4 * SEC;
    (void)state;
    setup(NULL, NULL, growing);
    net_run(at);
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        assert_int_equal(net_count("alice", "registration", "state", "failed"), i + 1);
        at += pauses[i];
        net_run(at - 1);
        assert_int_equal(net_count("alice", "registration", "state", "trying"), i + 1);
        net_run(at);
        assert_int_equal(net_count("alice", "registration", "state", "trying"), i + 2);
        at += 4 * SEC;
        net_run(at);
    }
}

static void a_spread_delays_the_move_and_nothing_else(void **state)
{
    static const char *const spread[] = {"backup proxy=203.0.113.11", "backup registrar=203.0.113.11",
                                         "failover spread=10s", NULL};
    (void)state;
    setup(NULL, accept, spread);
    net_run(4 * SEC + 20 * MS);
    assert_int_equal(net_count("alice", "failover", "to", "backup"), 2);
    unsigned early = b.received;
    net_run(14 * SEC + 20 * MS);
    assert_int_equal(early, 0);
    assert_int_equal(b.received, 1);
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "state", "registered"));
}

/* ---- calls ---- */

static const char *const unregistered[] = {"register=no", "backup proxy=203.0.113.11", "backup registrar=203.0.113.11",
                                           "backup AOR=101@backup.example", NULL};

static void busy(struct rig_server *s)
{
    if (s->msg.request && s->msg.method == SIP_INVITE)
        rig_reply(s, 486, "", (struct span){0});
}

static void a_call_that_nobody_answers_goes_by_the_next_proxy_PH_20(void **state)
{
    char call_id[64];
    struct sip_cseq cseq;
    (void)state;
    setup(NULL, busy, unregistered);
    rig_tell(&alice, "call 102");
    net_run(4 * SEC - 1);
    span_copy(sip_value(&a.msg, SIP_H_CALL_ID), call_id, sizeof call_id);
    assert_int_equal(b.received, 0);
    net_run(4 * SEC + 10 * MS);
    assert_int_equal(b.received, 1);
    assert_true(span_is(b.msg.uri, "sip:102@backup.example"));
    assert_true(span_is(sip_value(&b.msg, SIP_H_CALL_ID), call_id)); /* the same call (§8.1.3.4) */
    assert_int_equal(sip_cseq_parse(sip_value(&b.msg, SIP_H_CSEQ), &cseq), 0);
    assert_int_equal(cseq.number, 2);
    net_run(5 * SEC);
    assert_int_equal(net_number(net_last("alice", "call", "state", "failed"), "status"), 486);
    assert_int_equal(net_count("alice", "call", "state", "calling"), 1);
    rig_tell(&alice, "call 103");
    net_run(5 * SEC + 10 * MS);
    assert_true(span_is(b.msg.uri, "sip:103@backup.example")); /* at once */
}

static void a_call_that_is_refused_with_503_goes_by_the_next_proxy_RFC_3263_4_3(void **state)
{
    (void)state;
    setup(refuse, busy, unregistered);
    rig_tell(&alice, "call 102");
    net_run(100 * MS);
    assert_true(span_is(b.msg.uri, "sip:102@backup.example"));
    assert_true(record_is(net_last("alice", "failover", NULL, NULL), "why", "503"));
}

static void a_call_that_was_given_up_goes_nowhere(void **state)
{
    (void)state;
    setup(NULL, busy, unregistered);
    rig_tell(&alice, "call 102");
    net_run(2 * SEC);
    rig_tell(&alice, "hang up");
    net_run(40 * SEC);
    assert_int_equal(b.received, 0);
    assert_int_equal(net_count("alice", "call", "state", "cancelled"), 1);
}

static void a_call_that_failed_everywhere_has_failed(void **state)
{
    (void)state;
    setup(NULL, NULL, unregistered);
    rig_tell(&alice, "call 102");
    net_run(9 * SEC);
    assert_int_equal(net_number(net_last("alice", "call", "state", "failed"), "status"), 408);
    assert_int_equal(net_number(net_last("alice", "call", "state", "failed"), "t"), 8 * SEC);
}

/* ---- subscriptions ---- */

/* The last SUBSCRIBE that a server saw. */
static struct {
    char from[128], to[128], call_id[64];
    unsigned seen;
} subscribed;

static void remember(const struct rig_server *s)
{
    struct span to = sip_value(&s->msg, SIP_H_TO);
    struct span tag = SPAN(";tag=server");
    if (!span_contains(to, tag)) /* a refresh has it */
        span_copy(to, subscribed.to, sizeof subscribed.to);
    span_copy(sip_value(&s->msg, SIP_H_FROM), subscribed.from, sizeof subscribed.from);
    span_copy(sip_value(&s->msg, SIP_H_CALL_ID), subscribed.call_id, sizeof subscribed.call_id);
    subscribed.seen++;
}

static void notify(struct rig_server *s, const char *subscription_state, const char *body)
{
    static unsigned cseq;
    char text[2048];
    cseq++;
    snprintf(text, sizeof text,
             "NOTIFY sip:101@192.168.1.20 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.10;branch=z9hG4bKn%u\r\n"
             "Max-Forwards: 70\r\nFrom: %s;tag=server\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u NOTIFY\r\n"
             "Contact: <sip:203.0.113.10>\r\nEvent: message-summary\r\nSubscription-State: %s\r\n"
             "Content-Type: application/simple-message-summary\r\nContent-Length: %zu\r\n\r\n%s",
             cseq, subscribed.to, subscribed.from, subscribed.call_id, cseq, subscription_state, strlen(body), body);
    rig_send(s, (struct endpoint){alice_addr, 5060}, text);
}

static void serve(struct rig_server *s)
{
    if (!s->msg.request)
        return;
    if (s->msg.method != SIP_SUBSCRIBE) {
        accept(s);
        return;
    }
    remember(s);
    rig_reply(s, 200, "Contact: <sip:203.0.113.10>\r\nExpires: 600\r\n", (struct span){0});
    notify(s, "active;expires=600", "Messages-Waiting: yes\r\nVoice-Message: 2/8\r\n");
}

static const char *const watching[] = {"message waiting=yes", "backup proxy=203.0.113.11",
                                       "backup registrar=203.0.113.11", "backup AOR=101@backup.example", NULL};

static void it_subscribes_once_it_is_registered_rfc_3842(void **state)
{
    (void)state;
    setup(serve, serve, watching);
    net_run(SEC);
    assert_int_equal(net_count("alice", "subscription", "state", "active"), 1);
    struct span line = net_last("alice", "subscription", "state", "notified");
    assert_true(record_is(line, "messages", "2/8"));
    assert_true(record_is(line, "waiting", "yes"));
    assert_string_equal(subscribed.to, "<sip:101@lab.example>");
    net_run(580 * SEC); /* refreshed 30 s before the expiry, in the dialog */
    assert_int_equal(net_count("alice", "subscription", "state", "active"), 2);
    assert_int_equal(net_count("alice", "subscription", "state", "trying"), 1);
}

static void it_moves_with_the_proxy_PH_20(void **state)
{
    (void)state;
    setup(NULL, serve, watching);
    net_run(5 * SEC);
    assert_string_equal(subscribed.to, "<sip:101@backup.example>");
    a.on_message = serve;
    net_run(36 * SEC);
    assert_true(record_is(net_last("alice", "subscription", "state", "active"), "server", "203.0.113.10:5060"));
    assert_true(span_is(sip_value(&b.msg, SIP_H_EXPIRES), "0")); /* the farewells to b: binding and subscription */
}

static void serve_deaf(struct rig_server *s)
{
    if (s->msg.request && s->msg.method == SIP_SUBSCRIBE)
        rig_reply(s, 200, "Contact: <sip:203.0.113.10>\r\nExpires: 600\r\n", (struct span){0});
    else if (s->msg.request)
        accept(s);
}

static void without_a_notify_it_has_failed_4_1_2_4(void **state)
{
    (void)state;
    setup(serve_deaf, accept, watching);
    net_run(33 * SEC); /* timer N: 64·T1 */
    assert_true(record_is(net_last("alice", "subscription", "state", "failed"), "reason", "no NOTIFY"));
}

static void what_it_was_told_decides_whether_it_subscribes_again_4_1_3(void **state)
{
    (void)state;
    setup(serve, accept, watching);
    net_run(SEC);
    unsigned before = subscribed.seen;
    notify(&a, "terminated;reason=deactivated", ""); /* at once */
    net_run(2 * SEC);
    assert_int_equal(subscribed.seen, before + 1);
    notify(&a, "terminated;reason=probation;retry-after=10", ""); /* later */
    net_run(12 * SEC);
    assert_int_equal(subscribed.seen, before + 1);
    net_run(13 * SEC);
    assert_int_equal(subscribed.seen, before + 2);
    notify(&a, "terminated;reason=rejected", ""); /* never */
    net_run(4000 * SEC);
    assert_int_equal(subscribed.seen, before + 2);
    assert_int_equal(net_count("alice", "subscription", "state", "terminated"), 3);
}

static void a_notify_of_nobody_is_481(void **state)
{
    (void)state;
    setup(serve, accept, watching);
    net_run(SEC);
    span_copy(SPAN("another"), subscribed.call_id, sizeof subscribed.call_id);
    notify(&a, "active", "Messages-Waiting: no\r\n");
    net_run(2 * SEC);
    assert_int_equal(a.msg.status, 481);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(no_answer_moves_the_registration_PH_20, teardown),
        cmocka_unit_test_teardown(the_primary_is_probed_and_taken_back_PH_21, teardown),
        cmocka_unit_test_teardown(where_only_the_way_differs_nothing_is_taken_back_PH_23, teardown),
        cmocka_unit_test_teardown(retry_after_goes_elsewhere_at_once_21_5_4, teardown),
        cmocka_unit_test_teardown(both_dead_are_asked_in_turn_after_the_pause_PH_14, teardown),
        cmocka_unit_test_teardown(without_probes_the_blacklist_says_when_PH_25, teardown),
        cmocka_unit_test_teardown(the_pause_grows_up_to_its_limit_PH_26, teardown),
        cmocka_unit_test_teardown(a_spread_delays_the_move_and_nothing_else, teardown),
        cmocka_unit_test_teardown(a_call_that_failed_everywhere_has_failed, teardown),
        cmocka_unit_test_teardown(a_call_that_was_given_up_goes_nowhere, teardown),
        cmocka_unit_test_teardown(a_call_that_is_refused_with_503_goes_by_the_next_proxy_RFC_3263_4_3, teardown),
        cmocka_unit_test_teardown(a_call_that_nobody_answers_goes_by_the_next_proxy_PH_20, teardown),
        cmocka_unit_test_teardown(it_subscribes_once_it_is_registered_rfc_3842, teardown),
        cmocka_unit_test_teardown(it_moves_with_the_proxy_PH_20, teardown),
        cmocka_unit_test_teardown(without_a_notify_it_has_failed_4_1_2_4, teardown),
        cmocka_unit_test_teardown(what_it_was_told_decides_whether_it_subscribes_again_4_1_3, teardown),
        cmocka_unit_test_teardown(a_notify_of_nobody_is_481, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
