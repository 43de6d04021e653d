/* A phone on TCP and on UDP and TCP (FACTS PH-2, PH-6 … PH-8, PH-12 … PH-14, PH-16, PH-18, RFC 5626 §4.4.1); what TLS
 * needs (PH-3, PH-15). */
#include "tests/media/fake_net.h"

#include "tests/phone/stream_server.h"

#define SERVER IPV4(10, 0, 1, 10)
#define PHONE  IPV4(10, 0, 1, 20)

static struct rig_server server; /* on UDP */
static struct rig_phone alice;

static void start(const char *const *settings)
{
    net_begin(MS);
    rig_server_start(&server, SERVER, NULL);
    rig_start(&alice, "alice", PHONE, settings);
    net_run(net.now + 10 * MS);
}

static void finish(void)
{
    rig_stop(&alice);
    assert_int_equal(fake_tcp_open(stream_tcp()), 0);
    net_end();
}

#define START(...) start((const char *const[]){"line=101", "password=a1", "proxy=10.0.1.10", __VA_ARGS__, NULL})

static bool is_registered(void)
{
    return record_is(net_last("alice", "registration", NULL, NULL), "state", "registered");
}

/* ---- PH-12, PH-13, PH-14 ---- */

static void ph12_udp_and_tcp_registers_over_tcp(void **state)
{
    struct sip_msg m;
    (void)state;
    START("transport=udp+tcp");
    assert_true(endpoint_equal(stream_connection(0)->remote, (struct endpoint){SERVER, 5060}));
    fake_tcp_connected(stream_connection(0));
    stream_settle();
    stream_take(stream_connection(0), &m);
    assert_true(span_starts(sip_value(&m, SIP_H_VIA), SPAN("SIP/2.0/TCP 10.0.1.20:5060")));
    assert_true(span_is(sip_value(&m, SIP_H_CONTACT), "<sip:101@10.0.1.20;transport=tcp>"));
    stream_reply(stream_connection(0), &m, 200, "Expires: 3600\r\n");
    assert_true(is_registered());
    assert_int_equal(server.received, 0);
    finish();
}

static void ph13_tcp_that_does_not_come_up_gives_way_to_udp_after_30_s(void **state)
{
    (void)state;
    START("transport=udp+tcp");
    net_run(30 * SEC - MS);
    assert_int_equal(server.received, 0);
    net_run(30 * SEC + 10 * MS);
    assert_int_equal(server.received, 1);
    assert_true(span_starts(sip_value(&server.msg, SIP_H_VIA), SPAN("SIP/2.0/UDP")));
    rig_reply(&server, 200, "Expires: 3600\r\n", (struct span){0});
    net_run(net.now + 10 * MS);
    assert_true(is_registered());
    assert_true(net_line("alice", "failover", "what", "target", 0).n > 0);
    finish();
}

static void ph13_the_transaction_timer_does_not_count_while_it_connects(void **state)
{
    struct sip_msg m;
    (void)state;
    START("transport=udp+tcp", "transaction timer=4s");
    net_run(29 * SEC);
    assert_int_equal(server.received, 0);
    fake_tcp_connected(stream_connection(0));
    stream_settle();
    stream_take(stream_connection(0), &m);
    net_run(33 * SEC - MS); /* and does from then on */
    assert_int_equal(server.received, 0);
    net_run(33 * SEC + 10 * MS);
    assert_int_equal(server.received, 1);
    finish();
}

static void the_end_of_a_connection_that_is_not_in_use_is_no_loss(void **state)
{
    struct sip_msg m;
    (void)state;
    START("transport=udp+tcp", "transaction timer=4s");
    fake_tcp_connected(stream_connection(0));
    stream_settle();
    stream_take(stream_connection(0), &m); /* not answered: UDP after 4 s */
    net_run(4 * SEC + 20 * MS);
    rig_reply(&server, 200, "Expires: 3600\r\n", (struct span){0});
    net_run(5 * SEC);
    fake_tcp_failed(stream_connection(0), FE_ERESET);
    net_run(10 * SEC);
    assert_true(is_registered());
    assert_int_equal(net_count("alice", "registration", "state", "trying"), 1);
    finish();
}

static void ph13_when_udp_fails_too_it_waits_and_starts_again_with_tcp(void **state)
{
    (void)state;
    START("transport=udp+tcp", "registration timeout retry timer=60s");
    net_run(62 * SEC + 10 * MS); /* 30 s of TCP, 32 s of timer F */
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "state", "failed"));
    assert_int_equal(stream_tcp()->n, 1);
    net_run(122 * SEC - MS);
    assert_int_equal(stream_tcp()->n, 1);
    net_run(122 * SEC + 10 * MS);
    assert_int_equal(stream_tcp()->n, 2);
    finish();
}

static void ph13_how_long_a_connection_may_take_is_a_setting(void **state)
{
    (void)state;
    START("transport=udp+tcp", "connect timeout=5s");
    net_run(5 * SEC + 10 * MS);
    assert_int_equal(server.received, 1);
    finish();
}

static void ph14_tcp_alone_never_uses_udp(void **state)
{
    (void)state;
    START("transport=tcp", "registration timeout retry timer=60s");
    fake_tcp_failed(stream_connection(0), FE_EREFUSED);
    net_run(20 * SEC);
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "state", "failed"));
    assert_int_equal(server.received, 0);
    assert_int_equal(stream_tcp()->n, 1);
    net_run(61 * SEC);
    assert_int_equal(stream_tcp()->n, 2);
    assert_int_equal(server.received, 0);
    finish();
}

static void ph14_udp_alone_never_connects(void **state)
{
    (void)state;
    START("transport=udp");
    net_run(300 * SEC);
    assert_int_equal(stream_tcp()->n, 0);
    assert_true(server.received > 1);
    finish();
}

/* ---- PH-2 ---- */

static void ph2_registration_and_calls_share_the_connection(void **state)
{
    struct sip_msg m;
    (void)state;
    START("transport=tcp");
    stream_accept_register(stream_connection(0));
    rig_tell(&alice, "call 102");
    stream_settle();
    stream_take(stream_connection(0), &m);
    assert_true(span_is(m.method_text, "INVITE"));
    assert_true(span_is(sip_value(&m, SIP_H_CONTACT), "<sip:101@10.0.1.20;transport=tcp>"));
    assert_int_equal(stream_tcp()->n, 1);
    finish();
}

static const char invite[] = "INVITE sip:101@10.0.1.20 SIP/2.0\r\n"
                             "Via: SIP/2.0/TCP 10.0.1.10:5060;branch=z9hG4bKi\r\n"
                             "Max-Forwards: 70\r\nFrom: <sip:102@lab.example>;tag=b\r\nTo: <sip:101@lab.example>\r\n"
                             "Call-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:102@10.0.1.10;transport=tcp>\r\n"
                             "Content-Length: 0\r\n\r\n";

static const char ack[] =
    "ACK sip:101@10.0.1.20 SIP/2.0\r\n"
    "Via: SIP/2.0/TCP 10.0.1.10:5060;branch=z9hG4bKa\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:102@lab.example>;tag=b\r\nTo: <sip:101@lab.example>;tag=%.*s\r\n"
    "Call-ID: c\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n";

/* Called, answered, acknowledged; then alice hangs up. */
static void be_called_and_hang_up(struct host_tcp *c)
{
    struct sip_msg m;
    struct sip_addr to;
    char text[1024];
    stream_accept_register(c);
    fake_tcp_receive(c, span_of(invite));
    stream_settle();
    stream_take(c, &m);
    assert_int_equal(m.status, 180);
    net_run(net.now + 2 * SEC);
    stream_take(c, &m);
    assert_int_equal(m.status, 200);
    assert_true(span_is(sip_value(&m, SIP_H_CONTACT), "<sip:101@10.0.1.20;transport=tcp>"));
    assert_int_equal(sip_addr_parse(sip_value(&m, SIP_H_TO), &to), 0);
    snprintf(text, sizeof text, ack, (int)to.tag.n, to.tag.p);
    fake_tcp_receive(c, span_of(text));
    rig_tell(&alice, "hang up");
    net_run(net.now + 10 * MS);
}

static void ph2_a_call_that_comes_is_answered_and_ended_by_the_same_connection(void **state)
{
    struct sip_msg m;
    (void)state;
    START("transport=tcp");
    be_called_and_hang_up(stream_connection(0));
    stream_take(stream_connection(0), &m);
    assert_true(span_is(m.method_text, "BYE"));
    assert_int_equal(stream_tcp()->n, 1);
    assert_int_equal(server.received, 0);
    finish();
}

static void a_wrong_phone_sends_requests_of_the_dialog_by_udp(void **state)
{
    (void)state;
    START("transport=tcp", "in-dialog transport=udp");
    be_called_and_hang_up(stream_connection(0));
    assert_int_equal(stream_connection(0)->sent_n, 0);
    assert_int_equal(server.received, 1);
    assert_true(span_is(server.msg.method_text, "BYE"));
    finish();
}

/* ---- PH-6, PH-7, PH-8, PH-18 ---- */

static void ph7_a_connection_that_closes_is_opened_again_by_registering(void **state)
{
    (void)state;
    START("transport=tcp", "reopen after=2s");
    stream_accept_register(stream_connection(0));
    fake_tcp_finished(stream_connection(0));
    stream_settle();
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "state", "trying"));
    net_run(net.now + 2 * SEC - MS);
    assert_int_equal(stream_tcp()->n, 1);
    net_run(net.now + 10 * MS);
    assert_int_equal(stream_tcp()->n, 2);
    stream_accept_register(stream_connection(1));
    assert_true(is_registered());
    finish();
}

static void ph18_unless_it_is_made_otherwise(void **state)
{
    (void)state;
    START("transport=tcp", "reopen connection=no");
    stream_accept_register(stream_connection(0));
    fake_tcp_finished(stream_connection(0));
    net_run(net.now + 60 * SEC);
    assert_int_equal(stream_tcp()->n, 1);
    assert_true(is_registered()); /* it believes */
    finish();
}

static void ph6_it_goes_on_trying(void **state)
{
    (void)state;
    START("transport=tcp", "registration timeout retry timer=30s");
    for (unsigned i = 0; i < 4; i++) {
        fake_tcp_failed(stream_connection(i), FE_EREFUSED);
        net_run(net.now + 30 * SEC + 10 * MS);
    }
    assert_int_equal(stream_tcp()->n, 5);
    finish();
}

static void ph8_primary_down_backup_works_switch_to_the_backup(void **state)
{
    (void)state;
    START("transport=tcp", "backup proxy=10.0.1.11", "backup registrar=10.0.1.11");
    stream_accept_register(stream_connection(0));
    fake_tcp_finished(stream_connection(0));
    net_run(net.now + 2 * SEC);
    fake_tcp_failed(stream_connection(1), FE_EREFUSED);
    net_run(net.now + 10 * MS);
    assert_true(endpoint_equal(stream_connection(2)->remote, (struct endpoint){IPV4(10, 0, 1, 11), 5060}));
    stream_accept_register(stream_connection(2));
    assert_true(record_is(net_last("alice", "registration", "state", "registered"), "server", "10.0.1.11:5060"));
    finish();
}

static void a_request_whose_connection_breaks_is_sent_once_more_by_another(void **state)
{
    struct sip_msg m;
    (void)state;
    START("transport=tcp", "registration timeout retry timer=30s");
    stream_accept_register(stream_connection(0));
    rig_tell(&alice, "register");
    stream_settle();
    stream_take(stream_connection(0), &m);
    fake_tcp_failed(stream_connection(0), FE_ERESET); /* the NAT before it was rebooted */
    net_run(net.now + 10 * MS);
    assert_int_equal(stream_tcp()->n, 2);
    stream_accept_register(stream_connection(1));
    assert_true(is_registered());
    finish();
}

static void without_an_answer_to_register_the_connection_is_believed_dead(void **state)
{
    (void)state;
    START("transport=tcp", "expires=60s", "transaction timer=4s", "drop silent connection=yes",
          "registration timeout retry timer=30s");
    fake_tcp_connected(stream_connection(0));
    net_run(4 * SEC + 20 * MS);
    assert_true(stream_connection(0)->aborted);
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "state", "failed"));
    net_run(35 * SEC);
    assert_int_equal(stream_tcp()->n, 2);
    finish();
}

static void and_no_more_than_once(void **state)
{
    struct sip_msg m;
    (void)state;
    START("transport=tcp", "registration timeout retry timer=30s");
    for (unsigned i = 0; i < 2; i++) {
        fake_tcp_connected(stream_connection(i));
        stream_settle();
        stream_take(stream_connection(i), &m);
        fake_tcp_failed(stream_connection(i), FE_ERESET);
        net_run(net.now + 10 * MS);
    }
    assert_int_equal(stream_tcp()->n, 2);
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "state", "failed"));
    finish();
}

/* ---- RFC 5626 §4.4.1 ---- */

static void s4_4_1_a_connection_without_pongs_is_given_up(void **state)
{
    (void)state;
    START("transport=tcp", "keep-alive=crlf", "keep-alive interval=20s", "keep-alive pong=10s");
    stream_accept_register(stream_connection(0));
    net_run(20 * SEC + 10 * MS);
    assert_string_equal(stream_connection(0)->sent, "\r\n\r\n");
    fake_tcp_forget(stream_connection(0));
    fake_tcp_receive(stream_connection(0), SPAN("\r\n"));
    net_run(40 * SEC + 10 * MS);
    assert_string_equal(stream_connection(0)->sent, "\r\n\r\n"); /* not answered */
    net_run(50 * SEC - MS);
    assert_true(stream_connection(0)->open);
    net_run(50 * SEC + 10 * MS);
    assert_false(stream_connection(0)->open);
    net_run(52 * SEC);
    stream_accept_register(stream_connection(1));
    finish();
}

static void s4_4_1_unless_nobody_waits_for_them(void **state)
{
    (void)state;
    START("transport=tcp", "keep-alive=crlf", "keep-alive interval=20s");
    stream_accept_register(stream_connection(0));
    net_run(300 * SEC);
    assert_true(stream_connection(0)->open);
    finish();
}

/* ---- what does not go together ---- */

static const char *conflict_of(const char *const *settings, char *why_text, size_t cap)
{
    struct text why = text_on(why_text, cap);
    void *s = options_new(phone_options, sizeof(struct phone_settings));
    assert_non_null(s);
    for (; *settings; settings++) {
        struct span value;
        struct span key = span_cut(span_of(*settings), '=', &value);
        assert_int_equal(options_set(phone_options, s, key, value, &why), 0);
    }
    const char *setting = phone_kind.conflict(s, &why);
    options_free(phone_options, s);
    return setting;
}

#define CONFLICT(...) conflict_of((const char *const[]){"line=101", __VA_ARGS__, NULL}, why, sizeof why)

#define TRUST         "trusted certificates=base64:AA=="
#define INTERMEDIATES "root and intermediate certificates=base64:AA=="
#define CERTIFICATE   "local certificate=base64:AA=="
#define KEY           "private key=base64:AA=="

static void ph16_udp_and_tls_is_refused(void **state)
{
    char why[512];
    (void)state;
    assert_string_equal(CONFLICT("proxy=10.0.1.10", "transport=udp+tls"), "transport");
    assert_non_null(strstr(why, "not supported"));
}

static void ph3_plain_tls_needs_all_four(void **state)
{
    static const char *const names[] = {"trusted certificates", "root and intermediate certificates",
                                        "local certificate", "private key"};
    static const char *const given[] = {TRUST, INTERMEDIATES, CERTIFICATE, KEY};
    char why[512];
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const char *settings[8] = {"proxy=10.0.1.10", "transport=tls"};
        unsigned n = 2;
        for (unsigned j = 0; j < 4; j++)
            if (j != i)
                settings[n++] = given[j];
        assert_string_equal(conflict_of(settings, why, sizeof why), names[i]);
        assert_non_null(strstr(why, names[i]));
    }
    assert_null(CONFLICT("proxy=10.0.1.10", "transport=tls", given[0], given[1], given[2], given[3]));
}

static void ph3_persistent_tls_needs_trust_alone(void **state)
{
    char why[512];
    (void)state;
    assert_string_equal(CONFLICT("proxy=10.0.1.10", "transport=tls", "persistent tls=yes"), "trusted certificates");
    assert_null(CONFLICT("proxy=10.0.1.10", "transport=tls", "persistent tls=yes", TRUST));
}

static void ph15_a_certificate_comes_with_its_key(void **state)
{
    char why[512];
    (void)state;
    assert_string_equal(CONFLICT("proxy=10.0.1.10", "transport=tcp+tls", TRUST, CERTIFICATE), "private key");
}

static void ph25_a_name_needs_a_dns_server(void **state)
{
    char why[512];
    (void)state;
    assert_string_equal(CONFLICT("proxy=sip.example.com"), "dns");
    assert_null(CONFLICT("proxy=sip.example.com", "dns=10.0.1.53"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ph12_udp_and_tcp_registers_over_tcp),
        cmocka_unit_test(ph13_tcp_that_does_not_come_up_gives_way_to_udp_after_30_s),
        cmocka_unit_test(ph13_the_transaction_timer_does_not_count_while_it_connects),
        cmocka_unit_test(the_end_of_a_connection_that_is_not_in_use_is_no_loss),
        cmocka_unit_test(ph13_when_udp_fails_too_it_waits_and_starts_again_with_tcp),
        cmocka_unit_test(ph13_how_long_a_connection_may_take_is_a_setting),
        cmocka_unit_test(ph14_tcp_alone_never_uses_udp),
        cmocka_unit_test(ph14_udp_alone_never_connects),
        cmocka_unit_test(ph2_registration_and_calls_share_the_connection),
        cmocka_unit_test(ph2_a_call_that_comes_is_answered_and_ended_by_the_same_connection),
        cmocka_unit_test(a_wrong_phone_sends_requests_of_the_dialog_by_udp),
        cmocka_unit_test(ph7_a_connection_that_closes_is_opened_again_by_registering),
        cmocka_unit_test(ph18_unless_it_is_made_otherwise),
        cmocka_unit_test(ph6_it_goes_on_trying),
        cmocka_unit_test(ph8_primary_down_backup_works_switch_to_the_backup),
        cmocka_unit_test(a_request_whose_connection_breaks_is_sent_once_more_by_another),
        cmocka_unit_test(without_an_answer_to_register_the_connection_is_believed_dead),
        cmocka_unit_test(and_no_more_than_once),
        cmocka_unit_test(s4_4_1_a_connection_without_pongs_is_given_up),
        cmocka_unit_test(s4_4_1_unless_nobody_waits_for_them),
        cmocka_unit_test(ph16_udp_and_tls_is_refused),
        cmocka_unit_test(ph3_plain_tls_needs_all_four),
        cmocka_unit_test(ph3_persistent_tls_needs_trust_alone),
        cmocka_unit_test(ph15_a_certificate_comes_with_its_key),
        cmocka_unit_test(ph25_a_name_needs_a_dns_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
