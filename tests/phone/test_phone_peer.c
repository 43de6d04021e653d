/* A phone and a peer that the test plays by hand: what other implementations may ask of it (RFC 3261, 3264). */
#include "tests/media/fake_net.h"
#include "tests/phone/phone_rig.h"

#include "nodes/proto/digest.h"

static struct rig_phone alice;
static struct rig_server peer;

static const ipv4 alice_addr = IPV4(10, 0, 0, 1);
static const struct endpoint alice_sip = {IPV4(10, 0, 0, 1), 5060};
static const ipv4 peer_addr = IPV4(10, 0, 0, 9);

#define SDP(port, more)                                                                                                \
    "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio " port " RTP/AVP 0 8\r\n" more

static void setup(void (*on_message)(struct rig_server *s), const char *option)
{
    const char *const settings[] = {"line=101", "proxy=10.0.0.9", "password=a1", "register=no", option, NULL};
    net_begin(10 * MS);
    rig_server_start(&peer, peer_addr, on_message);
    rig_start(&alice, "alice", alice_addr, settings);
}

static int teardown(void **state)
{
    (void)state;
    rig_stop(&alice);
    net_end();
    return 0;
}

/* A request from the peer; `body` with its own headers and empty line, NULL: none. */
static void ask(const char *method, unsigned cseq, const char *to, const char *body)
{
    char room[NET_DATAGRAM];
    struct text t = text_on(room, sizeof room);
    text_str(&t, method);
    text_str(&t, " sip:101@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK");
    text_str(&t, method);
    text_u64(&t, cseq);
    text_str(&t, "\r\nMax-Forwards: 70\r\nFrom: <sip:102@lab.example>;tag=p\r\nTo: ");
    text_str(&t, to);
    text_str(&t, "\r\nCall-ID: by-hand\r\nContact: <sip:102@10.0.0.9>\r\nCSeq: ");
    text_u64(&t, cseq);
    text_char(&t, ' ');
    text_str(&t, method);
    text_str(&t, "\r\n");
    if (body)
        sip_put_body(&t, SPAN("application/sdp"), span_of(body));
    else
        sip_put_end(&t);
    assert_true(text_ok(&t));
    rig_send(&peer, alice_sip, t.p);
}

#define LINE_101 "<sip:101@lab.example>"

/* The To of the phone's last response, as later requests repeat it. */
static const char *to_with_tag(void)
{
    static char to[128];
    span_copy(sip_value(&peer.msg, SIP_H_TO), to, sizeof to);
    return to;
}

static void assert_call(const char *state)
{
    if (!record_is(net_last("alice", "call", NULL, NULL), "state", state))
        fail_msg("expected %s, is: %.*s", state, SPAN_ARG(net_last("alice", "call", NULL, NULL)));
}

static const char *called_up(const char *offer)
{
    ask("INVITE", 1, LINE_101, offer);
    net_run(2 * SEC);
    assert_int_equal(peer.msg.status, 200);
    const char *to = to_with_tag();
    ask("ACK", 1, to, NULL);
    net_run(3 * SEC);
    assert_call("established");
    return to;
}

/* ---- out of dialogs ---- */

static void options_are_answered_11_2(void **state)
{
    (void)state;
    setup(NULL, NULL);
    ask("OPTIONS", 1, LINE_101, NULL);
    net_run(SEC);
    assert_int_equal(peer.msg.status, 200);
    assert_true(sip_lists(&peer.msg, SIP_H_ALLOW, "INVITE"));
    assert_true(span_is(sip_value(&peer.msg, SIP_H_ACCEPT), "application/sdp"));
}

static void other_methods_are_not_allowed_8_2_1(void **state)
{
    (void)state;
    setup(NULL, NULL);
    static const char *const methods[] = {"MESSAGE", "NOTIFY", "REFER", "DANCE"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        ask(methods[i], 1, LINE_101, NULL);
        net_run((lab_time)(i + 1) * SEC);
        assert_int_equal(peer.msg.status, 405);
        assert_true(sip_lists(&peer.msg, SIP_H_ALLOW, "BYE"));
    }
}

static void requests_of_no_dialog_get_481_12_2_2(void **state)
{
    (void)state;
    setup(NULL, NULL);
    ask("BYE", 1, LINE_101 ";tag=x", NULL);
    net_run(SEC);
    assert_int_equal(peer.msg.status, 481);
    ask("INVITE", 2, LINE_101 ";tag=x", SDP("4000", ""));
    net_run(2 * SEC);
    assert_int_equal(peer.msg.status, 481);
    assert_int_equal(net_count("alice", "call", NULL, NULL), 0);
}

static void refused_with(const char *offer, unsigned status)
{
    setup(NULL, NULL);
    ask("INVITE", 1, LINE_101, offer);
    net_run(3 * SEC);
    assert_int_equal(peer.msg.status, status);
    assert_call("failed");
}

static void an_offer_without_a_common_codec_gets_488(void **state)
{
    (void)state;
    refused_with("v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
                 "m=audio 4000 RTP/AVP 18\r\n",
                 488);
}

static void an_offer_that_is_no_description_gets_488(void **state)
{
    (void)state;
    refused_with("hello\r\n", 488);
}

static void a_body_that_is_no_session_description_gets_415(void **state)
{
    (void)state;
    setup(NULL, NULL);
    rig_send(&peer, alice_sip,
             "INVITE sip:101@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKt\r\n"
             "Max-Forwards: 70\r\nFrom: <sip:102@lab.example>;tag=p\r\nTo: <sip:101@lab.example>\r\n"
             "Call-ID: text\r\nContact: <sip:102@10.0.0.9>\r\nCSeq: 1 INVITE\r\n"
             "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
    net_run(SEC);
    assert_int_equal(peer.msg.status, 415);
    assert_true(span_is(sip_value(&peer.msg, SIP_H_ACCEPT), "application/sdp"));
}

/* ---- settings that cannot be ---- */

static void assert_refused(const char *line, bool port_taken)
{
    char room[256];
    struct text why = text_on(room, sizeof room);
    struct phone_settings *s = options_new(phone_options, sizeof *s);
    struct host_udp *taken;
    void *node = NULL;
    net_begin(0);
    struct host *h = net_host("alice", alice_addr);
    span_copy(span_of(line), s->line, sizeof s->line);
    if (port_taken)
        host_udp_open(h, alice_sip, &(struct host_udp_events){0}, NULL, &taken);
    assert_true(phone_kind.start(h, s, &node, &why) < 0);
    assert_true(why.n > 0);
    options_free(phone_options, s);
}

static void a_line_that_cannot_be_said_is_refused(void **state)
{
    (void)state;
    assert_refused("alice", false);
}

static void a_port_that_is_taken_is_refused(void **state)
{
    (void)state;
    assert_refused("101", true);
}

/* ---- as the called ---- */

static void a_repeated_invite_is_one_call_17_2_1(void **state)
{
    (void)state;
    setup(NULL, "answer=manual");
    for (int i = 0; i < 3; i++) {
        ask("INVITE", 1, LINE_101, SDP("4000", ""));
        net_run((i + 1) * 500 * MS);
    }
    assert_int_equal(net_count("alice", "call", "state", "incoming"), 1);
    assert_int_equal(peer.msg.status, 180);
    assert_true(peer.received >= 3);
}

static void an_invite_without_offer_is_offered_to_13_2_1(void **state)
{
    (void)state;
    setup(NULL, NULL);
    ask("INVITE", 1, LINE_101, NULL);
    net_run(2 * SEC);
    assert_int_equal(peer.msg.status, 200);
    assert_true(peer.msg.body.n > 0);
    assert_int_equal(net_count("alice", "media", NULL, NULL), 0);
    ask("ACK", 1, to_with_tag(), SDP("4000", ""));
    net_run(3 * SEC);
    assert_call("established");
    assert_true(record_is(net_last("alice", "media", "state", "started"), "remote", "10.0.0.9:4000"));
}

static void the_2xx_is_repeated_up_to_T2_13_3_1_4(void **state)
{
    (void)state;
    setup(NULL, NULL);
    ask("INVITE", 1, LINE_101, SDP("4000", ""));
    net_run(10 * SEC); /* 200 at 1.01, 1.51, 2.51, 4.51, 8.51 s, then every 4 s */
    assert_int_equal(net_count("alice", "sip", "msg", "200 INVITE"), 5);
}

static void a_BYE_before_the_answer_cancels_15(void **state)
{
    (void)state;
    setup(NULL, "answer=manual");
    ask("INVITE", 1, LINE_101, SDP("4000", ""));
    net_run(SEC);
    ask("BYE", 2, to_with_tag(), NULL);
    net_run(2 * SEC);
    assert_call("cancelled");
    assert_true(net_count("alice", "sip", "msg", "487 INVITE") >= 1);
    assert_int_equal(net_count("alice", "sip", "msg", "200 BYE"), 1);
}

static void an_old_request_gets_500_12_2_2(void **state)
{
    (void)state;
    setup(NULL, NULL);
    const char *to = called_up(SDP("4000", ""));
    ask("BYE", 0, to, NULL);
    net_run(4 * SEC);
    assert_int_equal(peer.msg.status, 500);
    assert_call("established");
}

static void a_hold_by_the_peer_is_answered_recvonly_RFC_3264_8_4(void **state)
{
    (void)state;
    setup(NULL, NULL);
    const char *to = called_up(SDP("4000", ""));
    ask("INVITE", 2, to, SDP("4000", "a=sendonly\r\n"));
    net_run(4 * SEC);
    assert_int_equal(peer.msg.status, 200);
    assert_non_null(strstr(peer.last, "a=recvonly"));
    ask("ACK", 2, to, NULL);
    assert_true(record_is(net_last("alice", "media", NULL, NULL), "state", "stopped"));
    net_run(5 * SEC);
    ask("INVITE", 3, to, SDP("4010", ""));
    net_run(6 * SEC);
    ask("ACK", 3, to, NULL);
    assert_true(record_is(net_last("alice", "media", NULL, NULL), "state", "started"));
    assert_true(record_is(net_last("alice", "media", NULL, NULL), "remote", "10.0.0.9:4010"));
}

static void the_hold_of_RFC_2543_is_understood(void **state)
{
    (void)state;
    setup(NULL, NULL);
    const char *to = called_up(SDP("4000", ""));
    ask("INVITE", 2, to,
        "v=0\r\no=- 1 2 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n");
    net_run(4 * SEC);
    assert_int_equal(peer.msg.status, 200);
    assert_true(record_is(net_last("alice", "media", NULL, NULL), "state", "stopped"));
}

static void a_change_that_cannot_be_leaves_the_call_14_2(void **state)
{
    (void)state;
    setup(NULL, NULL);
    const char *to = called_up(SDP("4000", ""));
    ask("INVITE", 2, to, "hello\r\n");
    net_run(4 * SEC);
    assert_int_equal(peer.msg.status, 488);
    assert_call("established");
    assert_true(record_is(net_last("alice", "media", NULL, NULL), "state", "started"));
}

/* ---- as the caller ---- */

static void challenge(struct rig_server *s)
{
    struct digest_credentials c;
    struct span value = sip_value(&s->msg, SIP_H_PROXY_AUTHORIZATION);
    if (!s->msg.request || s->msg.method == SIP_ACK)
        return;
    if (value.p && digest_credentials_parse(value, &c) == 0 && digest_verify(&c, SPAN("a1"), s->msg.method_text))
        rig_reply(s, 200, "Contact: <sip:102@10.0.0.9>\r\n",
                  s->msg.method == SIP_INVITE ? SPAN(SDP("4000", "")) : (struct span){0});
    else
        rig_reply(s, 407, "Proxy-Authenticate: Digest realm=\"lab.example\", nonce=\"n1\"\r\n", (struct span){0});
}

static void digest_on_invite_and_bye_22_3(void **state)
{
    (void)state;
    setup(challenge, NULL);
    rig_tell(&alice, "call 102");
    net_run(SEC);
    assert_call("established");
    assert_int_equal(net_count("alice", "sip", "msg", "407 INVITE"), 1);
    assert_int_equal(peer.msg.method, SIP_ACK);
    assert_true(sip_value(&peer.msg, SIP_H_PROXY_AUTHORIZATION).n > 0);
    rig_tell(&alice, "hang up");
    net_run(2 * SEC);
    assert_int_equal(net_count("alice", "sip", "msg", "407 BYE"), 0); /* it carried credentials at once */
    assert_call("ended");
}

static void a_wrong_password_fails_the_call(void **state)
{
    (void)state;
    setup(challenge, "password=wrong");
    rig_tell(&alice, "call 102");
    net_run(SEC);
    assert_int_equal(net_number(net_last("alice", "call", "state", "failed"), "status"), 407);
    assert_int_equal(net_count("alice", "sip", "msg", "407 INVITE"), 2);
}

static void answer_by_two_forks(struct rig_server *s)
{
    char room[NET_DATAGRAM];
    if (s->msg.method != SIP_INVITE || !s->msg.request)
        return;
    static const char *const tags[] = {"fork1", "fork2"};
    for (size_t i = 0; i < 2; i++) {
        struct text t = text_on(room, sizeof room);
        sip_put_response(&t, &s->msg, 200, (struct span){0}, span_of(tags[i]), s->peer);
        text_str(&t, "Contact: <sip:102@10.0.0.9>\r\n");
        sip_put_body(&t, SPAN("application/sdp"), SPAN(SDP("4000", "")));
        host_udp_send(s->udp, s->peer, 0, text_span(&t));
    }
}

static void the_second_fork_is_acknowledged_and_left_13_2_2_4(void **state)
{
    (void)state;
    setup(answer_by_two_forks, NULL);
    rig_tell(&alice, "call 102");
    net_run(400 * MS);
    assert_call("established");
    assert_int_equal(net_count("alice", "sip", "msg", "ACK"), 2);
    assert_int_equal(net_count("alice", "sip", "msg", "BYE"), 1);
    assert_int_equal(peer.msg.method, SIP_BYE);
    struct span to = sip_value(&peer.msg, SIP_H_TO);
    assert_true(to.n > 5 && memcmp(to.p + to.n - 5, "fork2", 5) == 0);
}

static void answer_without_description(struct rig_server *s)
{
    if (s->msg.request && s->msg.method != SIP_ACK)
        rig_reply(s, 200, "Contact: <sip:102@10.0.0.9>\r\n", (struct span){0});
}

static void an_answer_without_a_description_ends_the_call(void **state)
{
    (void)state;
    setup(answer_without_description, NULL);
    rig_tell(&alice, "call 102");
    net_run(SEC);
    assert_int_equal(net_number(net_last("alice", "call", "state", "failed"), "status"), 488);
    assert_int_equal(net_count("alice", "sip", "msg", "ACK"), 1);
    assert_int_equal(net_count("alice", "sip", "msg", "200 BYE"), 1);
}

/* ---- media ---- */

static uint8_t voice_ttl;

static void see_voice(struct net_packet *p)
{
    if (p->to.port == 4000)
        voice_ttl = p->ttl;
}

static void the_media_ttl_is_a_setting_and_a_command_PH_17(void **state)
{
    (void)state;
    setup(NULL, "media ttl=9");
    net.path = see_voice;
    called_up(SDP("4000", ""));
    assert_int_equal(voice_ttl, 9);
    rig_tell(&alice, "set media ttl 200");
    net_run(4 * SEC);
    assert_int_equal(voice_ttl, 200);
}

static void icmp_about_media_is_traced_once(void **state)
{
    (void)state;
    setup(NULL, NULL);
    called_up(SDP("4000", ""));
    struct host_icmp error = {.to = {peer_addr, 4000}, .from = IPV4(10, 0, 0, 254), .type = 11, .code = 0};
    struct host_udp *u = net_socket((struct endpoint){alice_addr, 10000});
    for (int i = 0; i < 5; i++)
        u->events->refused(u->arg, &error);
    assert_int_equal(net_count("alice", "media", "state", "refused"), 1);
    struct span line = net_last("alice", "media", "state", "refused");
    assert_true(record_is(line, "from", "10.0.0.254"));
    assert_true(record_is(line, "type", "time-exceeded"));
}

static void a_call_in_which_nothing_is_heard_reports_0(void **state)
{
    (void)state;
    setup(NULL, NULL);
    const char *to = called_up(SDP("4000", ""));
    net_run(20 * SEC);
    ask("BYE", 2, to, NULL);
    net_run(21 * SEC);
    struct span report = net_last("alice", "media", "state", "report");
    struct span mos;
    assert_true(record_is(report, "heard", ""));
    assert_int_equal(net_number(report, "heard_ppm"), 0);
    assert_true(record_get(report, "mos", &mos) && span_is(mos, "1.00"));
    assert_false(record_get(report, "delay_us", &mos));
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_are_answered_11_2),
        TEST(other_methods_are_not_allowed_8_2_1),
        TEST(requests_of_no_dialog_get_481_12_2_2),
        TEST(an_offer_without_a_common_codec_gets_488),
        TEST(an_offer_that_is_no_description_gets_488),
        TEST(a_body_that_is_no_session_description_gets_415),
        TEST(a_line_that_cannot_be_said_is_refused),
        TEST(a_port_that_is_taken_is_refused),
        TEST(a_repeated_invite_is_one_call_17_2_1),
        TEST(an_invite_without_offer_is_offered_to_13_2_1),
        TEST(the_2xx_is_repeated_up_to_T2_13_3_1_4),
        TEST(a_BYE_before_the_answer_cancels_15),
        TEST(an_old_request_gets_500_12_2_2),
        TEST(a_hold_by_the_peer_is_answered_recvonly_RFC_3264_8_4),
        TEST(the_hold_of_RFC_2543_is_understood),
        TEST(a_change_that_cannot_be_leaves_the_call_14_2),
        TEST(digest_on_invite_and_bye_22_3),
        TEST(a_wrong_password_fails_the_call),
        TEST(the_second_fork_is_acknowledged_and_left_13_2_2_4),
        TEST(an_answer_without_a_description_ends_the_call),
        TEST(the_media_ttl_is_a_setting_and_a_command_PH_17),
        TEST(icmp_about_media_is_traced_once),
        TEST(a_call_in_which_nothing_is_heard_reports_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
