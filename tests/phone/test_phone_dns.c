/* A phone whose servers are names (FACTS PH-11, PH-25, DN-2; RFC 3263). The gateways are the test, the DNS server is
 * one.
 *
 *     alice, 10.0.1.20      a, 10.0.1.10      b, 10.0.1.11      dns, 10.0.1.53 */
#include "tests/media/fake_net.h"

#include "tests/phone/phone_rig.h"

extern const struct node_kind dns_kind;

static struct rig_phone alice;
static struct rig_server a, b;
static void *dns, *dns_settings;

static void record(const char *path, const char *value)
{
    char room[256];
    struct text why = text_on(room, sizeof room);
    if (options_set(dns_kind.options, dns_settings, span_of(path), span_of(value), &why))
        fail_msg("%s", room);
}

static void accept(struct rig_server *s)
{
    rig_reply(s, 200, "Expires: 3600\r\n", (struct span){0});
}

static void refuse(struct rig_server *s)
{
    rig_reply(s, 503, "", (struct span){0});
}

/* Both gateways behind the name; a is asked first. */
static void start(const char *proxy, const char *more, void (*on_a)(struct rig_server *s))
{
    char room[256];
    char setting[128];
    struct text why = text_on(room, sizeof room);
    net_begin(MS);
    rig_server_start(&a, IPV4(10, 0, 1, 10), on_a);
    rig_server_start(&b, IPV4(10, 0, 1, 11), accept);
    dns_settings = options_new(dns_kind.options, dns_kind.settings_size);
    record("zones", "example.com");
    record("records._sip._udp.example.com.srv", "10 50 5060 sbc1.example.com");
    record("records._sip._udp.example.com.srv", "20 50 5060 sbc2.example.com");
    record("records._sip._udp.example.com.ttl", "60s");
    record("records._sip._udp.even.example.com.srv", "10 50 5060 sbc1.example.com");
    record("records._sip._udp.even.example.com.srv", "10 50 5060 sbc2.example.com");
    record("records.sbc1.example.com.a", "10.0.1.10");
    record("records.sbc1.example.com.ttl", "60s");
    record("records.sbc2.example.com.a", "10.0.1.11");
    record("records.sbc2.example.com.ttl", "60s");
    if (dns_kind.start(net_host("dns", IPV4(10, 0, 1, 53)), dns_settings, &dns, &why))
        fail_msg("%s", room);
    snprintf(setting, sizeof setting, "proxy=%s", proxy);
    rig_start(&alice, "alice", IPV4(10, 0, 1, 20),
              (const char *const[]){"line=101", setting, "dns=10.0.1.53", "transaction timer=4s",
                                    more ? more : "expires=3600s", NULL});
    net_run(100 * MS);
}

static int finish(void **state)
{
    (void)state;
    rig_stop(&alice);
    dns_kind.stop(dns);
    options_free(dns_kind.options, dns_settings);
    net_end();
    return 0;
}

static bool is_registered_at(const char *server)
{
    struct span line = net_last("alice", "registration", NULL, NULL);
    return record_is(line, "state", "registered") && record_is(line, "server", server);
}

static void ph25_a_name_without_a_port_is_asked_for_by_srv(void **state)
{
    (void)state;
    start("example.com", NULL, accept);
    assert_true(is_registered_at("10.0.1.10:5060"));
    assert_true(net_line("alice", "dns", "type", "SRV", 0).n > 0);
    assert_int_equal(b.received, 0);
}

static void ph25_one_with_a_port_is_asked_for_by_a(void **state)
{
    (void)state;
    start("sbc2.example.com:5060", NULL, accept);
    assert_true(is_registered_at("10.0.1.11:5060"));
    assert_int_equal(net_count("alice", "dns", "type", "SRV"), 0);
}

static void ph25_the_port_may_be_a_setting_of_its_own(void **state)
{
    (void)state;
    start("sbc2.example.com", "proxy port=5060", accept);
    assert_true(is_registered_at("10.0.1.11:5060"));
    assert_int_equal(net_count("alice", "dns", "type", "SRV"), 0);
}

static void dn2_no_answer_the_next_server_of_the_name(void **state)
{
    (void)state;
    start("example.com", NULL, NULL);
    net_run(4 * SEC + 50 * MS);
    assert_true(is_registered_at("10.0.1.11:5060"));
    assert_true(record_is(net_last("alice", "failover", "what", "target"), "why", "no answer"));
    assert_int_equal(net_count("alice", "registration", "state", "failed"), 0);
}

static void dn2_503_the_next_server_of_the_name(void **state)
{
    (void)state;
    start("example.com", NULL, refuse);
    assert_true(is_registered_at("10.0.1.11:5060"));
    assert_true(record_is(net_last("alice", "failover", "what", "target"), "why", "503"));
}

static void ph11_what_dns_told_holds_for_its_ttl(void **state)
{
    (void)state;
    start("example.com", NULL, accept);
    size_t asked = net_count("alice", "dns", "msg", "query");
    net_run(59 * SEC);
    assert_int_equal(net_count("alice", "dns", "msg", "query"), asked);
    net_run(61 * SEC);
    assert_true(net_count("alice", "dns", "msg", "query") > asked);
    assert_true(is_registered_at("10.0.1.10:5060")); /* the same answer: nothing moves */
    assert_int_equal(a.received, 1);
}

static void ph11_when_dns_tells_of_another_server_the_phone_moves(void **state)
{
    (void)state;
    start("example.com", NULL, accept);
    dns_kind.command(dns, SPAN("set _sip._udp.example.com srv 10 50 5060 sbc2.example.com"));
    net_run(59 * SEC);
    assert_true(is_registered_at("10.0.1.10:5060"));
    net_run(62 * SEC);
    assert_true(is_registered_at("10.0.1.11:5060"));
}

static void one_that_failed_a_short_while_ago_is_not_begun_with_when_dns_answers_anew(void **state)
{
    (void)state;
    start("example.com", "expires=100s", NULL);
    net_run(4 * SEC + 50 * MS);
    assert_true(is_registered_at("10.0.1.11:5060"));
    net_run(90 * SEC); /* over the TTL, and its refresh at 85 s */
    assert_true(is_registered_at("10.0.1.11:5060"));
    assert_true(b.received >= 1);
}

static void a_name_that_does_not_exist_is_tried_again_later(void **state)
{
    (void)state;
    start("nowhere.example.com", "registration timeout retry timer=30s", accept);
    struct span line = net_last("alice", "registration", NULL, NULL);
    assert_true(record_is(line, "state", "failed"));
    assert_true(record_is(line, "reason", "no such host"));
    net_run(31 * SEC);
    assert_int_equal(net_count("alice", "registration", "state", "failed"), 2);
    rig_tell(&alice, "call 102");
    net_run(32 * SEC);
    assert_true(record_is(net_last("alice", "call", NULL, NULL), "state", "failed"));
}

static void a_call_goes_where_the_registration_is(void **state)
{
    (void)state;
    start("example.com", NULL, refuse);
    b.on_message = NULL;
    rig_tell(&alice, "call 102");
    net_run(net.now + 10 * MS);
    assert_true(span_is(b.msg.method_text, "INVITE"));
}

/* Of two servers of equal weight. */
static void drawn_anew_for_each_request_both_are_used(void **state)
{
    (void)state;
    start("even.example.com", "dns choice=each request", accept);
    for (unsigned i = 0; i < 20; i++) {
        rig_tell(&alice, "register");
        net_run(net.now + SEC);
    }
    assert_true(a.received > 3);
    assert_true(b.received > 3);
}

static void kept_one_is_used(void **state)
{
    (void)state;
    start("even.example.com", NULL, accept);
    for (unsigned i = 0; i < 20; i++) {
        rig_tell(&alice, "register");
        net_run(net.now + SEC);
    }
    assert_true(a.received == 0 || b.received == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(ph25_a_name_without_a_port_is_asked_for_by_srv, finish),
        cmocka_unit_test_teardown(ph25_one_with_a_port_is_asked_for_by_a, finish),
        cmocka_unit_test_teardown(ph25_the_port_may_be_a_setting_of_its_own, finish),
        cmocka_unit_test_teardown(dn2_no_answer_the_next_server_of_the_name, finish),
        cmocka_unit_test_teardown(dn2_503_the_next_server_of_the_name, finish),
        cmocka_unit_test_teardown(ph11_what_dns_told_holds_for_its_ttl, finish),
        cmocka_unit_test_teardown(ph11_when_dns_tells_of_another_server_the_phone_moves, finish),
        cmocka_unit_test_teardown(one_that_failed_a_short_while_ago_is_not_begun_with_when_dns_answers_anew, finish),
        cmocka_unit_test_teardown(a_name_that_does_not_exist_is_tried_again_later, finish),
        cmocka_unit_test_teardown(a_call_goes_where_the_registration_is, finish),
        cmocka_unit_test_teardown(drawn_anew_for_each_request_both_are_used, finish),
        cmocka_unit_test_teardown(kept_one_is_used, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
