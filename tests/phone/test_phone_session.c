/* Session timers of a phone's calls (RFC 4028), and UPDATE (RFC 3311): two phones that are each other's proxy, and a
 * phone whose peer the test plays by hand. */
#include "tests/media/fake_net.h"
#include "tests/phone/phone_rig.h"

static struct rig_phone alice, bob;
static struct rig_server peer;

static const ipv4 alice_addr = IPV4(10, 0, 0, 1);
static const ipv4 bob_addr = IPV4(10, 0, 0, 2);
static const ipv4 peer_addr = IPV4(10, 0, 0, 9);
static const struct endpoint alice_sip = {IPV4(10, 0, 0, 1), 5060};

enum { OPTIONS_MAX = 4 };

static void start(struct rig_phone *p, const char *name, ipv4 addr, const char *const first[3],
                  const char *const *options)
{
    const char *settings[3 + OPTIONS_MAX + 1] = {first[0], first[1], first[2]};
    for (size_t i = 0; i < OPTIONS_MAX && options && options[i]; i++)
        settings[3 + i] = options[i];
    rig_start(p, name, addr, settings);
}

static void phones(const char *const *of_alice, const char *const *of_bob)
{
    const char *const a[] = {"line=101", "proxy=10.0.0.2", "register=no"};
    const char *const b[] = {"line=102", "proxy=10.0.0.1", "register=no"};
    net_begin(20 * MS);
    start(&alice, "alice", alice_addr, a, of_alice);
    start(&bob, "bob", bob_addr, b, of_bob);
    rig_tell(&alice, "call 102");
    net_run(2 * SEC);
}

static int teardown(void **state)
{
    (void)state;
    rig_stop(&alice);
    rig_stop(&bob);
    net_end();
    return 0;
}

static void assert_call(const char *node, const char *state)
{
    if (!record_is(net_last(node, "call", NULL, NULL), "state", state))
        fail_msg("expected %s, is: %.*s", state, SPAN_ARG(net_last(node, "call", NULL, NULL)));
}

static void assert_heard(const char *node)
{
    assert_int_equal(net_number(net_last(node, "media", "state", "report"), "heard_ppm"), 1000000);
}

static void assert_session(const char *node, const char *refresher, int64_t interval)
{
    struct span line = net_last(node, "session", NULL, NULL);
    assert_true(record_is(line, "state", "agreed"));
    assert_true(record_is(line, "refresher", refresher));
    assert_int_equal(net_number(line, "interval"), interval);
}

static const char *const timer_90[] = {"session timer=90s", NULL};

/* ---- two phones ---- */

static void refreshed_by_update_at_half_while_the_media_go_on_7_4(void **state)
{
    (void)state;
    phones(timer_90, timer_90);
    assert_session("alice", "local", 90);
    assert_session("bob", "remote", 90);
    net_run(200 * SEC);
    assert_int_equal(net_count("bob", "sip", "msg", "UPDATE"), 4);
    assert_int_equal(net_number(net_last("alice", "sip", "msg", "UPDATE"), "t") / SEC, 181);
    assert_int_equal(net_count("bob", "media", "state", "started"), 1);
    rig_tell(&alice, "hang up");
    net_run(201 * SEC);
    assert_heard("alice");
    assert_heard("bob");
    assert_int_equal(net_count("alice", "session", "state", "expired"), 0);
}

static void refreshed_by_re_invite_if_so_set(void **state)
{
    (void)state;
    static const char *const by_invite[] = {"session timer=90s", "session refresh=re-invite", NULL};
    phones(by_invite, timer_90);
    net_run(200 * SEC);
    assert_int_equal(net_count("bob", "sip", "msg", "UPDATE"), 0);
    assert_int_equal(net_count("bob", "sip", "msg", "INVITE"), 5);
    assert_call("bob", "established");
    rig_tell(&bob, "hang up");
    net_run(201 * SEC);
    assert_heard("alice");
    assert_heard("bob");
}

static void the_called_phone_refreshes_if_so_set_9(void **state)
{
    (void)state;
    static const char *const uas[] = {"session timer=90s", "session refresher=uas", NULL};
    phones(timer_90, uas);
    assert_session("alice", "remote", 90);
    net_run(200 * SEC);
    assert_int_equal(net_count("alice", "sip", "msg", "200 UPDATE"), 4);
    assert_call("alice", "established");
}

static void a_peer_without_session_timers_is_refreshed_all_the_same_7_2(void **state)
{
    (void)state;
    phones(timer_90, NULL);
    net_run(100 * SEC);
    assert_int_equal(net_count("bob", "sip", "msg", "200 UPDATE"), 2);
    assert_int_equal(net_count("bob", "session", NULL, NULL), 0);
    assert_call("bob", "established");
}

static void the_called_phone_refreshes_for_one_without_9(void **state)
{
    (void)state;
    phones(NULL, timer_90);
    assert_session("bob", "local", 90);
    net_run(100 * SEC);
    assert_int_equal(net_count("alice", "sip", "msg", "200 UPDATE"), 2);
    assert_call("alice", "established");
}

static void hold_and_resume_refresh_too_10(void **state)
{
    (void)state;
    phones(timer_90, timer_90);
    net_run(40 * SEC);
    rig_tell(&bob, "hold");
    net_run(70 * SEC);
    assert_session("alice", "local", 90);
    assert_session("bob", "remote", 90);
    assert_int_equal(net_count("alice", "session", "state", "agreed"), 2);
    assert_int_equal(net_count("bob", "sip", "msg", "UPDATE"), 0); /* due at 85 s now */
    net_run(90 * SEC);
    assert_int_equal(net_count("bob", "sip", "msg", "UPDATE"), 1);
}

static void a_refresh_that_never_comes_ends_the_call_before_it_expires_10(void **state)
{
    (void)state;
    static const char *const never[] = {"session timer=90s", "session refresh=never", NULL};
    phones(never, timer_90);
    net_run(60 * SEC);
    assert_call("bob", "established");
    net_run(62 * SEC);
    assert_call("bob", "ended");
    assert_int_equal(net_number(net_last("bob", "session", "state", "expired"), "t"), 1020 * MS + 60 * SEC);
    assert_call("alice", "ended");
    assert_true(record_is(net_last("alice", "call", NULL, NULL), "by", "remote"));
}

static void a_refresh_without_an_answer_ends_the_call_10(void **state)
{
    (void)state;
    phones(timer_90, timer_90);
    rig_stop(&bob);
    net_run(77 * SEC);
    assert_call("alice", "established");
    net_run(79 * SEC);
    assert_call("alice", "ended");
    assert_int_equal(net_number(net_last("alice", "call", NULL, NULL), "status"), 408);
}

static void too_short_a_session_is_asked_for_again_7_3(void **state)
{
    (void)state;
    static const char *const least[] = {"session timer=1800s", "min session=300s", NULL};
    phones(timer_90, least);
    assert_int_equal(net_count("alice", "sip", "msg", "422 INVITE"), 1);
    assert_int_equal(net_count("bob", "call", "state", "failed"), 0);
    assert_session("alice", "local", 300);
    assert_session("bob", "remote", 300);
    assert_call("alice", "established");
}

/* ---- a peer by hand ---- */

#define SDP "v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

static const char *answer_headers; /* of the 2xx to INVITE */
static unsigned refusal;           /* the status of the next answer to an INVITE; 0: 200 */
static const char *refusal_headers;
static char origin[2][128]; /* the o= of the last two INVITEs */
static unsigned invites;
static lab_time invited;

static void origin_note(const struct sip_msg *msg)
{
    struct span rest = msg->body;
    struct span line = {0};
    while (rest.n && !span_starts(line, SPAN("o=")))
        line = span_cut(rest, '\n', &rest);
    memcpy(origin[0], origin[1], sizeof origin[0]);
    span_copy(line, origin[1], sizeof origin[1]);
}

static void peer_answers(struct rig_server *s)
{
    if (!s->msg.request || s->msg.method == SIP_ACK)
        return;
    if (s->msg.method != SIP_INVITE) {
        rig_reply(s, 200, "", (struct span){0});
        return;
    }
    invites++;
    invited = net.now;
    origin_note(&s->msg);
    unsigned status = refusal ? refusal : 200;
    refusal = 0;
    if (status == 200)
        rig_reply(s, 200, answer_headers, SPAN(SDP));
    else
        rig_reply(s, status, refusal_headers, (struct span){0});
}

static void with_peer(const char *headers)
{
    const char *const a[] = {"line=101", "proxy=10.0.0.9", "register=no"};
    const char *const timers[] = {"session timer=100s", NULL};
    answer_headers = headers;
    refusal = invites = 0;
    net_begin(10 * MS);
    rig_server_start(&peer, peer_addr, peer_answers);
    start(&alice, "alice", alice_addr, a, timers);
    rig_tell(&alice, "call 102");
    net_run(1 * SEC);
    assert_call("alice", "established");
}

#define CONTACT "Contact: <sip:102@10.0.0.9>\r\n"
#define OURS    CONTACT "Require: timer\r\nSession-Expires: 100;refresher=uac\r\n"

static void a_refresh_offers_the_same_description_7_4(void **state)
{
    (void)state;
    with_peer(OURS);
    net_run(60 * SEC);
    assert_int_equal(invites, 2); /* the peer has not said that it knows UPDATE */
    assert_string_equal(origin[0], origin[1]);
    rig_tell(&alice, "hold");
    net_run(61 * SEC);
    assert_int_equal(invites, 3);
    assert_string_not_equal(origin[0], origin[1]);
}

static void a_refresh_may_be_refused_as_too_short_too_7_3(void **state)
{
    (void)state;
    with_peer(OURS);
    refusal = 422;
    refusal_headers = "Min-SE: 240\r\n";
    answer_headers = CONTACT "Session-Expires: 240;refresher=uac\r\n";
    net_run(60 * SEC);
    assert_int_equal(invites, 3);
    assert_session("alice", "local", 240);
    assert_call("alice", "established");
}

static void a_refresh_that_is_refused_comes_again_when_the_peer_says_10(void **state)
{
    (void)state;
    with_peer(OURS);
    refusal = 500;
    refusal_headers = "Retry-After: 7\r\n";
    net_run(51 * SEC);
    assert_int_equal(invites, 2);
    net_run(60 * SEC);
    assert_int_equal(invites, 3);
    assert_int_equal(invited / SEC, 57);
    net_run(90 * SEC);
    assert_call("alice", "established");
}

static void a_refresh_that_is_refused_for_good_is_not_repeated_10(void **state)
{
    (void)state;
    with_peer(OURS);
    refusal = 488;
    refusal_headers = "";
    net_run(99 * SEC);
    assert_int_equal(invites, 2);
    assert_call("alice", "established");
    net_run(101 * SEC);
    assert_call("alice", "ended");
    assert_int_equal(net_count("alice", "session", "state", "expired"), 1);
}

static void a_refresh_that_meets_no_dialog_ends_the_call_10(void **state)
{
    (void)state;
    with_peer(OURS);
    refusal = 481;
    refusal_headers = "";
    net_run(52 * SEC);
    assert_call("alice", "ended");
    assert_int_equal(net_number(net_last("alice", "call", NULL, NULL), "status"), 481);
}

static void a_refresh_that_meets_another_change_comes_again(void **state)
{
    (void)state;
    with_peer(OURS);
    refusal = 491;
    refusal_headers = "";
    net_run(60 * SEC);
    assert_int_equal(invites, 3);
    assert_string_equal(origin[0], origin[1]);
    assert_session("alice", "local", 100);
}

/* ---- UPDATE ---- */

static void ask(const char *method, unsigned cseq, const char *headers, const char *body)
{
    char room[NET_DATAGRAM];
    static char tag[64];
    struct text t = text_on(room, sizeof room);
    struct sip_addr from;
    if (peer.msg.request && sip_addr_parse(sip_value(&peer.msg, SIP_H_FROM), &from) == 0)
        span_copy(from.tag, tag, sizeof tag);
    static char call_id[64];
    span_copy(sip_value(&peer.msg, SIP_H_CALL_ID), call_id, sizeof call_id);
    text_str(&t, method);
    text_str(&t, " sip:101@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK");
    text_u64(&t, cseq);
    text_str(&t, "\r\nMax-Forwards: 70\r\nFrom: <sip:102@lab.example>;tag=server\r\nTo: <sip:101@lab.example>;tag=");
    text_str(&t, tag);
    text_str(&t, "\r\nCall-ID: ");
    text_str(&t, call_id);
    text_str(&t, "\r\nContact: <sip:102@10.0.0.9>\r\nCSeq: ");
    text_u64(&t, cseq);
    text_char(&t, ' ');
    text_str(&t, method);
    text_str(&t, "\r\n");
    text_str(&t, headers);
    if (body)
        sip_put_body(&t, SPAN("application/sdp"), span_of(body));
    else
        sip_put_end(&t);
    assert_true(text_ok(&t));
    rig_send(&peer, alice_sip, t.p);
}

static void an_update_refreshes_and_one_with_an_offer_is_answered_rfc_3311(void **state)
{
    (void)state;
    with_peer(CONTACT "Session-Expires: 100;refresher=uas\r\n");
    ask("UPDATE", 1, "Supported: timer\r\nSession-Expires: 100;refresher=uac\r\n", NULL);
    net_run(2 * SEC);
    assert_int_equal(peer.msg.status, 200);
    assert_true(sip_lists(&peer.msg, SIP_H_REQUIRE, "timer"));
    assert_true(span_is(sip_value(&peer.msg, SIP_H_SESSION_EXPIRES), "100;refresher=uac"));
    assert_int_equal(peer.msg.body.n, 0);
    assert_session("alice", "remote", 100);
    ask("UPDATE", 2, "Supported: timer\r\n", SDP "a=sendonly\r\n");
    net_run(3 * SEC);
    assert_int_equal(peer.msg.status, 200);
    assert_true(peer.msg.body.n > 0);
    assert_int_equal(net_count("alice", "media", "state", "stopped"), 1); /* on hold */
}

static void an_update_of_no_dialog_gets_481_and_a_short_one_422(void **state)
{
    (void)state;
    with_peer(CONTACT "Session-Expires: 100;refresher=uas\r\n");
    ask("UPDATE", 1, "Supported: timer\r\nSession-Expires: 60\r\n", NULL);
    net_run(2 * SEC);
    assert_int_equal(peer.msg.status, 422);
    assert_true(span_is(sip_value(&peer.msg, SIP_H_MIN_SE), "90"));
    rig_tell(&alice, "hang up");
    net_run(3 * SEC);
    ask("UPDATE", 2, "", NULL);
    net_run(4 * SEC);
    assert_int_equal(peer.msg.status, 481);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refreshed_by_update_at_half_while_the_media_go_on_7_4),
        TEST(refreshed_by_re_invite_if_so_set),
        TEST(the_called_phone_refreshes_if_so_set_9),
        TEST(a_peer_without_session_timers_is_refreshed_all_the_same_7_2),
        TEST(the_called_phone_refreshes_for_one_without_9),
        TEST(hold_and_resume_refresh_too_10),
        TEST(a_refresh_that_never_comes_ends_the_call_before_it_expires_10),
        TEST(a_refresh_without_an_answer_ends_the_call_10),
        TEST(too_short_a_session_is_asked_for_again_7_3),
        TEST(a_refresh_offers_the_same_description_7_4),
        TEST(a_refresh_may_be_refused_as_too_short_too_7_3),
        TEST(a_refresh_that_is_refused_comes_again_when_the_peer_says_10),
        TEST(a_refresh_that_is_refused_for_good_is_not_repeated_10),
        TEST(a_refresh_that_meets_no_dialog_ends_the_call_10),
        TEST(a_refresh_that_meets_another_change_comes_again),
        TEST(an_update_refreshes_and_one_with_an_offer_is_answered_rfc_3311),
        TEST(an_update_of_no_dialog_gets_481_and_a_short_one_422),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
