/* Calls between lines: RFC 3261 §16 with the location service as target set; PB-1, PB-9.
 *
 *     alice (102) 10.0.1.31 ── PBX 10.0.1.10 ── bob (103) 10.0.1.32
 */
#include "tests/pbx/pbx_fixture.h"

#define FROM_ALICE "From: <sip:102@lab.example>;tag=a\r\nContact: <sip:102@10.0.1.31>\r\n"
#define INVITE_BOB "INVITE sip:103@lab.example"

static void register_bob(struct pbx_fixture *f)
{
    assert_status(pbx_register(f, "103", 1, "Contact: <sip:103@10.0.1.32>\r\n"), 200);
}

static const char *invite(struct pbx_fixture *f, const char *line, const char *headers)
{
    char text[2048];
    snprintf(text, sizeof text, "%sTo: <sip:103@lab.example>\r\n", headers);
    return pbx_request(f, alice_at, line, 1, "call-1", text);
}

/* The last datagram that went there, or NULL. */
static const char *last_to(const struct pbx_fixture *f, struct endpoint to)
{
    for (size_t i = f->host->sent_n; i-- > 0;)
        if (endpoint_equal(f->host->sent[i].to, to))
            return f->host->sent[i].data;
    return NULL;
}

static void take_line(const char *text, const char *name, char *dst, size_t cap)
{
    const char *at = strstr(text, name);
    assert_non_null(at);
    assert_true(span_copy(span_make(at, strcspn(at, "\r") + 2), dst, cap));
}

/* Bob answers the request that he was sent last. Every Via on a line of its own, as the requests had them. */
static void bob_answers(struct pbx_fixture *f, const char *status, const char *headers)
{
    char vias[2][256];
    char cseq[64];
    char response[4096];
    const char *request = last_to(f, bob_at);
    assert_non_null(request);
    take_line(request, "Via:", vias[0], sizeof vias[0]);
    take_line(strstr(request, "Via:") + 1, "Via:", vias[1], sizeof vias[1]);
    take_line(request, "CSeq:", cseq, sizeof cseq);
    int n = snprintf(response, sizeof response,
                     "SIP/2.0 %s\r\n%s%sFrom: <sip:102@lab.example>;tag=a\r\nTo: <sip:103@lab.example>;tag=b\r\n"
                     "Call-ID: call-1\r\n%s%sContent-Length: 0\r\n\r\n",
                     status, vias[0], vias[1], cseq, headers);
    assert_true(fake_deliver(f->host, bob_at, pbx_at, 64, span_make(response, (size_t)n)));
}

static void a_call_with_its_record_pb_9(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    register_bob(&f);
    f.host->now = 1 * SEC;
    invite(&f, INVITE_BOB, FROM_ALICE);
    assert_status(last_to(&f, alice_at), 100);
    const char *forwarded = last_to(&f, bob_at);
    assert_memory_equal(forwarded, "INVITE sip:103@10.0.1.32 SIP/2.0\r\n", 34);
    assert_non_null(strstr(forwarded, "Record-Route: <sip:10.0.1.10:5060;lr>\r\n"));
    assert_non_null(strstr(forwarded, "Max-Forwards: 69\r\n"));
    bob_answers(&f, "180 Ringing", "");
    assert_status(last_to(&f, alice_at), 180);
    f.host->now = 2 * SEC;
    bob_answers(&f, "200 OK", "Contact: <sip:103@10.0.1.32>\r\n");
    assert_status(last_to(&f, alice_at), 200);
    f.host->now = 3 * SEC;
    pbx_request(&f, alice_at, "BYE sip:103@10.0.1.32", 2, "call-1",
                "Route: <sip:10.0.1.10:5060;lr>\r\nFrom: <sip:102@lab.example>;tag=a\r\n"
                "To: <sip:103@lab.example>;tag=b\r\n");
    assert_memory_equal(last_to(&f, bob_at), "BYE sip:103@10.0.1.32", 21);
    assert_int_equal(fake_traced(f.host,
                                 "\"from\":\"102\",\"to\":\"103\",\"result\":\"answered\",\"status\":200,"
                                 "\"start\":1000000000,\"answer\":2000000000,\"end\":3000000000",
                                 "\"cdr\""),
                     1);
    pbx_fixture_fini(&f);
}

static void busy_is_passed_on(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    register_bob(&f);
    invite(&f, INVITE_BOB, FROM_ALICE);
    bob_answers(&f, "486 Busy Here", "");
    assert_status(last_to(&f, alice_at), 486);
    assert_int_equal(fake_traced(f.host, "\"cdr\"", "\"busy\""), 1);
    pbx_fixture_fini(&f);
}

static void an_unknown_line_is_404_and_an_absent_one_480(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    assert_status(invite(&f, "INVITE sip:999@lab.example", FROM_ALICE), 404);
    assert_int_equal(fake_traced(f.host, "\"cdr\"", "\"to\":\"999\",\"result\":\"failed\",\"status\":404"), 1);
    assert_status(invite(&f, INVITE_BOB, FROM_ALICE), 480);
    assert_int_equal(fake_traced(f.host, "\"cdr\"", "\"to\":\"103\",\"result\":\"failed\",\"status\":480"), 1);
    assert_status(invite(&f, "INVITE sip:103@elsewhere.example", FROM_ALICE), 404);
    pbx_fixture_fini(&f);
}

static void pb_1_a_caller_that_is_not_configured_is_403(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    register_bob(&f);
    assert_status(invite(&f, INVITE_BOB, "From: <sip:999@lab.example>;tag=x\r\nContact: <sip:999@10.0.1.31>\r\n"), 403);
    pbx_fixture_fini(&f);
}

static void pb_1_a_line_with_a_password_is_challenged_and_it_is_no_attempt(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    register_bob(&f);
    const char *response =
        invite(&f, INVITE_BOB, "From: <sip:101@lab.example>;tag=x\r\nContact: <sip:101@10.0.1.31>\r\n");
    assert_status(response, 407);
    assert_non_null(strstr(response, "Proxy-Authenticate: Digest "));
    assert_int_equal(fake_traced(f.host, "\"cdr\"", ""), 0);
    pbx_fixture_fini(&f);
}

static void all_contacts_of_a_line_ring(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_register(&f, "103", 1, "Contact: <sip:103@10.0.1.32>, <sip:103@10.0.1.33>\r\n");
    invite(&f, INVITE_BOB, FROM_ALICE);
    assert_non_null(last_to(&f, bob_at));
    assert_non_null(last_to(&f, (struct endpoint){IPV4(10, 0, 1, 33), 5060}));
    pbx_fixture_fini(&f);
}

static void rfc_3327_a_call_follows_the_path(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_register(&f, "103", 1,
                 "Path: <sip:token@10.0.1.2:5060;lr>\r\nSupported: path\r\nContact: <sip:103@192.168.1.20>\r\n");
    invite(&f, INVITE_BOB, FROM_ALICE);
    const char *forwarded = last_to(&f, (struct endpoint){IPV4(10, 0, 1, 2), 5060});
    assert_non_null(forwarded);
    assert_memory_equal(forwarded, "INVITE sip:103@192.168.1.20 SIP/2.0\r\n", 37);
    assert_non_null(strstr(forwarded, "Route: <sip:token@10.0.1.2:5060;lr>\r\n"));
    pbx_fixture_fini(&f);
}

static void nobody_answers_for_32_seconds(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    register_bob(&f);
    invite(&f, INVITE_BOB, FROM_ALICE);
    fake_advance(f.host, 40 * SEC);
    assert_int_equal(fake_traced(f.host, "\"cdr\"", "\"result\":\"no-answer\",\"status\":408"), 1);
    size_t invites = 0;
    for (size_t i = 0; i < f.host->sent_n; i++)
        invites += strncmp(f.host->sent[i].data, "INVITE ", 7) == 0;
    assert_int_equal(invites, 7);
    pbx_fixture_fini(&f);
}

static void a_cancelled_call_is_487_and_recorded(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    register_bob(&f);
    invite(&f, INVITE_BOB, FROM_ALICE);
    bob_answers(&f, "180 Ringing", "");
    /* The CANCEL has the branch of the INVITE (§9.1). */
    char via[256];
    char cancel[1024];
    take_line(last_to(&f, alice_at), "Via:", via, sizeof via);
    int n = snprintf(cancel, sizeof cancel,
                     "CANCEL sip:103@lab.example SIP/2.0\r\n%sMax-Forwards: 70\r\nFrom: <sip:102@lab.example>;tag=a\r\n"
                     "To: <sip:103@lab.example>\r\nCall-ID: call-1\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n",
                     via);
    assert_true(fake_deliver(f.host, alice_at, pbx_at, 64, span_make(cancel, (size_t)n)));
    assert_memory_equal(last_to(&f, bob_at), "CANCEL sip:103@10.0.1.32", 24);
    fake_advance(f.host, 100 * SEC); /* Bob says nothing more */
    assert_int_equal(fake_traced(f.host, "\"cdr\"", ""), 1);
    pbx_fixture_fini(&f);
}

#define TIMER_180 "Supported: timer\r\nSession-Expires: 180\r\n"

static void rfc_4028_8_3_a_call_that_nobody_refreshes_is_recorded(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    register_bob(&f);
    invite(&f, INVITE_BOB, FROM_ALICE TIMER_180);
    fake_advance(f.host, 10 * SEC);
    bob_answers(&f, "200 OK", "Contact: <sip:103@10.0.1.32>\r\nSession-Expires: 180;refresher=uac\r\n");
    fake_advance(f.host, 100 * SEC);
    pbx_request(&f, alice_at, "UPDATE sip:103@10.0.1.32", 2, "call-1",
                "Route: <sip:10.0.1.10:5060;lr>\r\nFrom: <sip:102@lab.example>;tag=a\r\n"
                "To: <sip:103@lab.example>;tag=b\r\n" TIMER_180);
    bob_answers(&f, "200 OK", "Session-Expires: 180;refresher=uac\r\n");
    fake_advance(f.host, 280 * SEC - 1);
    assert_int_equal(fake_traced(f.host, "\"cdr\"", ""), 0);
    size_t sent = f.host->sent_n;
    fake_advance(f.host, 280 * SEC);
    assert_int_equal(
        fake_traced(f.host, "\"result\":\"expired\",\"status\":200", "\"answer\":10000000000,\"end\":280000000000"), 1);
    assert_int_equal(f.host->sent_n, sent); /* a proxy MUST NOT send a BYE */
    pbx_fixture_fini(&f);
}

static void rfc_4028_8_2_a_bye_in_time_is_an_ordinary_end(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    register_bob(&f);
    invite(&f, INVITE_BOB, FROM_ALICE TIMER_180);
    bob_answers(&f, "200 OK", "Contact: <sip:103@10.0.1.32>\r\n"); /* the PBX tells alice to refresh */
    assert_non_null(strstr(last_to(&f, alice_at), "Session-Expires: 180;refresher=uac\r\n"));
    fake_advance(f.host, 180 * SEC - 1);
    pbx_request(&f, alice_at, "BYE sip:103@10.0.1.32", 2, "call-1",
                "Route: <sip:10.0.1.10:5060;lr>\r\nFrom: <sip:102@lab.example>;tag=a\r\n"
                "To: <sip:103@lab.example>;tag=b\r\n");
    fake_advance(f.host, 300 * SEC);
    assert_int_equal(fake_traced(f.host, "\"cdr\"", "\"result\":\"answered\""), 1);
    assert_int_equal(fake_traced(f.host, "\"cdr\"", ""), 1);
    pbx_fixture_fini(&f);
}

static void rfc_4028_8_3_a_pbx_that_stops_waits_for_no_call_that_has_expired(void **state)
{
    (void)state;
    static const char *const changes[] = {"patience", "1h", NULL};
    struct pbx_fixture f = pbx_fixture_of(changes);
    register_bob(&f);
    invite(&f, INVITE_BOB, FROM_ALICE TIMER_180);
    bob_answers(&f, "200 OK", "Contact: <sip:103@10.0.1.32>\r\nSession-Expires: 180;refresher=uac\r\n");
    pbx_kind.command(f.node, SPAN("stop"));
    fake_advance(f.host, 180 * SEC - 1);
    assert_false(f.host->exited);
    fake_advance(f.host, 180 * SEC);
    assert_true(f.host->exited);
    pbx_fixture_fini(&f);
}

static void a_pbx_that_stops_waits_for_no_answer_to_the_last_bye(void **state)
{
    (void)state;
    static const char *const changes[] = {"patience", "1h", NULL};
    struct pbx_fixture f = pbx_fixture_of(changes);
    register_bob(&f);
    invite(&f, INVITE_BOB, FROM_ALICE);
    bob_answers(&f, "200 OK", "Contact: <sip:103@10.0.1.32>\r\n");
    pbx_kind.command(f.node, SPAN("stop"));
    pbx_request(&f, alice_at, "BYE sip:103@10.0.1.32", 2, "call-1",
                "Route: <sip:10.0.1.10:5060;lr>\r\nFrom: <sip:102@lab.example>;tag=a\r\n"
                "To: <sip:103@lab.example>;tag=b\r\n");
    fake_advance(f.host, 31 * SEC);
    assert_false(f.host->exited);
    fake_advance(f.host, 33 * SEC); /* timer F */
    assert_true(f.host->exited);
    pbx_fixture_fini(&f);
}

static void a_bye_of_no_dialog_is_481(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    assert_status(pbx_request(&f, alice_at, "BYE sip:103@10.0.1.32", 2, "call-9",
                              "From: <sip:102@lab.example>;tag=a\r\nTo: <sip:103@lab.example>;tag=b\r\n"),
                  481);
    pbx_fixture_fini(&f);
}

static void options_to_the_pbx_are_answered_11_2(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    const char *response = pbx_request(&f, alice_at, "OPTIONS sip:lab.example", 1, "opt-1",
                                       "From: <sip:999@lab.example>;tag=a\r\nTo: <sip:lab.example>\r\n");
    assert_status(response, 200);
    assert_non_null(strstr(response, "Allow: "));
    pbx_fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_with_its_record_pb_9),
        cmocka_unit_test(busy_is_passed_on),
        cmocka_unit_test(an_unknown_line_is_404_and_an_absent_one_480),
        cmocka_unit_test(pb_1_a_caller_that_is_not_configured_is_403),
        cmocka_unit_test(pb_1_a_line_with_a_password_is_challenged_and_it_is_no_attempt),
        cmocka_unit_test(all_contacts_of_a_line_ring),
        cmocka_unit_test(rfc_3327_a_call_follows_the_path),
        cmocka_unit_test(nobody_answers_for_32_seconds),
        cmocka_unit_test(a_cancelled_call_is_487_and_recorded),
        cmocka_unit_test(rfc_4028_8_3_a_call_that_nobody_refreshes_is_recorded),
        cmocka_unit_test(rfc_4028_8_2_a_bye_in_time_is_an_ordinary_end),
        cmocka_unit_test(rfc_4028_8_3_a_pbx_that_stops_waits_for_no_call_that_has_expired),
        cmocka_unit_test(a_pbx_that_stops_waits_for_no_answer_to_the_last_bye),
        cmocka_unit_test(a_bye_of_no_dialog_is_481),
        cmocka_unit_test(options_to_the_pbx_are_answered_11_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
