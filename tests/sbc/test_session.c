/* What becomes of offers and answers (RFC 3264) on their way through the SBC, once and twice.
 *
 *     alice 192.168.1.20 ─┐
 *                         ├ NAT 203.0.113.7 ── 203.0.113.10 SBC 10.0.1.2 ── PBX 10.0.1.10, bob 10.0.1.31
 *     carol 192.168.1.21 ─┘
 */
#include "nodes/sbc/sbc_session.h"
#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

#define OUTSIDE IPV4(203, 0, 113, 10)
#define INSIDE  IPV4(10, 0, 1, 2)
#define HOME    IPV4(203, 0, 113, 7)

static const struct sbc_sdp_source from_alice = {SBC_OUTSIDE, {HOME, 40000}};
static const struct sbc_sdp_source from_carol = {SBC_OUTSIDE, {HOME, 40001}};
static const struct sbc_sdp_source from_pbx = {SBC_INSIDE, {IPV4(10, 0, 1, 10), 5060}};

struct fixture {
    struct host *host;
    struct sbc_relay *relay;
    struct sbc_sessions *set;
};

static struct fixture fixture_of(enum sbc_same_nat policy)
{
    struct fixture f = {.host = fake_new("outside", OUTSIDE, "inside", INSIDE)};
    struct sbc_relay_config config = {
        .ports = {20000, 20019}, .local = {OUTSIDE, INSIDE}, .written = {OUTSIDE, INSIDE}, .timeout = NEVER};
    assert_int_equal(sbc_relay_new(&f.relay, f.host, &config), 0);
    assert_int_equal(sbc_sessions_new(&f.set, f.host, f.relay, policy), 0);
    return f;
}

static void fixture_fini(struct fixture *f)
{
    sbc_sessions_free(f->set);
    sbc_relay_free(f->relay);
    assert_int_equal(fake_open_sockets(f->host), 0);
    fake_free(f->host);
}

static const char *sdp_at(const char *addr, unsigned port)
{
    static char body[512];
    snprintf(body, sizeof body,
             "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %u RTP/AVP 0 101\r\n"
             "a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n",
             addr, addr, port);
    return body;
}

/* The description after it has passed. */
static const char *pass(struct sbc_session *session, const struct sbc_sdp_source *from, const char *body)
{
    static char buf[2][1024];
    static int turn;
    turn = 1 - turn;
    struct text out = text_on(buf[turn], sizeof buf[turn]);
    assert_int_equal(sbc_session_sdp(session, from, span_of(body), &out), 0);
    return buf[turn];
}

static void assert_names(const char *body, const char *addr, unsigned port)
{
    char c[64];
    char m[64];
    snprintf(c, sizeof c, "c=IN IP4 %s\r\n", addr);
    snprintf(m, sizeof m, "m=audio %u RTP/AVP 0 101\r\n", port);
    assert_non_null(strstr(body, c));
    assert_non_null(strstr(body, m));
}

static void one_passage_names_the_relay_and_nothing_else_changes(void **state)
{
    (void)state;
    struct fixture f = fixture_of(SBC_SAME_NAT_AUTO);
    struct sbc_session *call = sbc_session_new(f.set, SPAN("call"), SBC_OUTSIDE);
    const char *offer = pass(call, &from_alice, sdp_at("192.168.1.20", 10000));
    assert_string_equal(offer, "v=0\r\no=- 1 1 IN IP4 192.168.1.20\r\ns=-\r\nc=IN IP4 10.0.1.2\r\nt=0 0\r\n"
                               "m=audio 20000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n");
    assert_names(pass(call, &from_pbx, sdp_at("10.0.1.31", 12000)), "203.0.113.10", 20000);
    assert_true(fake_deliver(f.host, (struct endpoint){HOME, 51000}, (struct endpoint){OUTSIDE, 20000}, 60, SPAN("x")));
    assert_true(endpoint_equal(fake_last(f.host)->to, (struct endpoint){IPV4(10, 0, 1, 31), 12000}));
    fixture_fini(&f);
}

static void a_repeated_description_gets_the_same_ports(void **state)
{
    (void)state;
    struct fixture f = fixture_of(SBC_SAME_NAT_AUTO);
    struct sbc_session *call = sbc_session_new(f.set, SPAN("call"), SBC_OUTSIDE);
    pass(call, &from_alice, sdp_at("192.168.1.20", 10000));
    assert_names(pass(call, &from_alice, sdp_at("192.168.1.20", 10000)), "10.0.1.2", 20000);
    assert_int_equal(fake_open_sockets(f.host), 4);
    fixture_fini(&f);
}

/* Alice calls Carol: what Alice's offer says to Carol and Carol's answer to Alice. */
struct two_passages {
    char offer[1024], answer[1024];
};

static struct two_passages call_carol(struct fixture *f, struct sbc_place carol, const char *carols_addr)
{
    struct two_passages p;
    struct sbc_session *first = sbc_session_new(f->set, SPAN("call"), SBC_OUTSIDE);
    struct sbc_session *second = sbc_session_new(f->set, SPAN("call"), SBC_INSIDE);
    sbc_session_callee(second, carol);
    const char *to_pbx = pass(first, &from_alice, sdp_at("192.168.1.20", 10000));
    assert_names(to_pbx, "10.0.1.2", 20000);
    snprintf(p.offer, sizeof p.offer, "%s", pass(second, &from_pbx, to_pbx));
    const char *back = pass(second, &from_carol, sdp_at(carols_addr, 11000));
    assert_names(back, "10.0.1.2", 20002);
    snprintf(p.answer, sizeof p.answer, "%s", pass(first, &from_pbx, back));
    return p;
}

static void two_passages_are_relayed(void **state)
{
    (void)state;
    struct fixture f = fixture_of(SBC_SAME_NAT_RELAY);
    struct two_passages p = call_carol(&f, (struct sbc_place){HOME, IPV4(192, 168, 1, 21)}, "192.168.1.21");
    assert_names(p.offer, "203.0.113.10", 20002);
    assert_names(p.answer, "203.0.113.10", 20000);
    fixture_fini(&f);
}

static void sb_4_two_phones_of_one_home_talk_directly(void **state)
{
    (void)state;
    struct fixture f = fixture_of(SBC_SAME_NAT_AUTO);
    struct two_passages p = call_carol(&f, (struct sbc_place){HOME, IPV4(192, 168, 1, 21)}, "192.168.1.21");
    assert_names(p.offer, "192.168.1.20", 10000);
    assert_names(p.answer, "192.168.1.21", 11000);
    fixture_fini(&f);
}

static void sb_4_double_nat_is_relayed_unless_the_shortcut_is_forced(void **state)
{
    (void)state;
    struct sbc_place carol = {HOME, IPV4(192, 168, 2, 20)}; /* another home behind the same carrier */
    struct fixture f = fixture_of(SBC_SAME_NAT_AUTO);
    assert_names(call_carol(&f, carol, "192.168.2.20").offer, "203.0.113.10", 20002);
    fixture_fini(&f);
    f = fixture_of(SBC_SAME_NAT_DIRECT);
    assert_names(call_carol(&f, carol, "192.168.2.20").answer, "192.168.2.20", 11000);
    fixture_fini(&f);
}

static void hold_and_refused_streams_keep_their_meaning(void **state)
{
    (void)state;
    struct fixture f = fixture_of(SBC_SAME_NAT_AUTO);
    struct sbc_session *call = sbc_session_new(f.set, SPAN("call"), SBC_OUTSIDE);
    pass(call, &from_alice, sdp_at("192.168.1.20", 10000));
    assert_names(pass(call, &from_alice, sdp_at("0.0.0.0", 10000)), "0.0.0.0", 20000);
    assert_names(pass(call, &from_pbx, sdp_at("10.0.1.31", 0)), "10.0.1.31", 0);
    fixture_fini(&f);
}

static void bad_and_too_large_descriptions_are_errors(void **state)
{
    (void)state;
    struct fixture f = fixture_of(SBC_SAME_NAT_AUTO);
    struct sbc_session *call = sbc_session_new(f.set, SPAN("call"), SBC_OUTSIDE);
    char buf[4096];
    struct text out = text_on(buf, sizeof buf);
    char body[1024];
    struct text many = text_on(body, sizeof body);
    assert_int_equal(sbc_session_sdp(call, &from_alice, SPAN("nonsense"), &out), FE_ESYNTAX);
    text_str(&many, "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\n");
    for (int i = 0; i < 7; i++) /* SB-12: six streams */
        text_str(&many, "m=audio 1000 RTP/AVP 0\r\n");
    assert_int_equal(sbc_session_sdp(call, &from_alice, text_span(&many), &out), FE_ERANGE);
    struct sbc_session *next = sbc_session_new(f.set, SPAN("next"), SBC_OUTSIDE);
    assert_int_equal(sbc_session_sdp(next, &from_alice, text_span(&many), &out), FE_EAGAIN); /* 10 pairs a side */
    fixture_fini(&f);
}

static void a_session_is_found_by_its_number_and_call_id(void **state)
{
    (void)state;
    struct fixture f = fixture_of(SBC_SAME_NAT_AUTO);
    struct sbc_session *call = sbc_session_new(f.set, SPAN("call"), SBC_OUTSIDE);
    uint64_t number = sbc_session_number(call);
    assert_ptr_equal(sbc_session_find(f.set, number, SPAN("call")), call);
    assert_null(sbc_session_find(f.set, number, SPAN("another")));
    assert_null(sbc_session_find(f.set, number + 1, SPAN("call")));
    sbc_session_end(call);
    assert_null(sbc_session_find(f.set, number, SPAN("call")));
    fixture_fini(&f);
}

static void rfc_4028_8_3_a_session_that_expires_closes_its_streams(void **state)
{
    (void)state;
    struct fixture f = fixture_of(SBC_SAME_NAT_AUTO);
    struct sbc_session *call = sbc_session_new(f.set, SPAN("call"), SBC_OUTSIDE);
    struct sbc_session *other = sbc_session_new(f.set, SPAN("other"), SBC_OUTSIDE);
    pass(call, &from_alice, sdp_at("192.168.1.20", 10000));
    pass(other, &from_carol, sdp_at("192.168.1.21", 10000));
    sbc_session_expires(call, 90 * SEC);
    fake_advance(f.host, 45 * SEC);
    sbc_session_expires(call, 135 * SEC); /* refreshed */
    fake_advance(f.host, 135 * SEC - 1);
    assert_int_equal(sbc_sessions_count(f.set), 2);
    fake_advance(f.host, 135 * SEC);
    assert_int_equal(fake_traced(f.host, "\"closed\"", "\"call_id\":\"call\""), 2);
    assert_int_equal(fake_traced(f.host, "\"t\":135000000000", "\"reason\":\"session-expired\""), 2);
    assert_int_equal(sbc_sessions_count(f.set), 1);
    assert_int_equal(fake_open_sockets(f.host), 4); /* the other one's */
    fixture_fini(&f);
}

static void rfc_4028_8_2_a_session_whose_timer_was_taken_away_goes_on(void **state)
{
    (void)state;
    struct fixture f = fixture_of(SBC_SAME_NAT_AUTO);
    struct sbc_session *call = sbc_session_new(f.set, SPAN("call"), SBC_OUTSIDE);
    sbc_session_expires(call, 90 * SEC);
    sbc_session_expires(call, NEVER);
    assert_int_equal(timers_next(&f.host->timers), NEVER);
    sbc_session_expires(call, 90 * SEC);
    sbc_session_end(call);
    assert_int_equal(timers_next(&f.host->timers), NEVER);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_passage_names_the_relay_and_nothing_else_changes),
        cmocka_unit_test(a_repeated_description_gets_the_same_ports),
        cmocka_unit_test(two_passages_are_relayed),
        cmocka_unit_test(sb_4_two_phones_of_one_home_talk_directly),
        cmocka_unit_test(sb_4_double_nat_is_relayed_unless_the_shortcut_is_forced),
        cmocka_unit_test(hold_and_refused_streams_keep_their_meaning),
        cmocka_unit_test(bad_and_too_large_descriptions_are_errors),
        cmocka_unit_test(a_session_is_found_by_its_number_and_call_id),
        cmocka_unit_test(rfc_4028_8_3_a_session_that_expires_closes_its_streams),
        cmocka_unit_test(rfc_4028_8_2_a_session_whose_timer_was_taken_away_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
