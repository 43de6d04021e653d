/* The ways in which a PBX fails without being gone: 503 with Retry-After (RFC 3261 §21.5.4), silence, and a stop that
 * waits for the running calls. */
#include "tests/pbx/pbx_fixture.h"

#define CONTACT "Contact: <sip:102@10.0.1.32>\r\n"
#define CALL    "From: <sip:102@lab.example>;tag=b\r\nTo: <sip:103@lab.example>\r\nContact: <sip:102@10.0.1.32>\r\n"

static void rfc_3261_21_5_4_503_says_when_to_come_back(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_kind.command(f.node, SPAN("answers 503 retry after 30s"));
    const char *response = pbx_register(&f, "102", 1, CONTACT);
    assert_status(response, 503);
    assert_non_null(strstr(response, "Retry-After: 30\r\n"));
    assert_int_equal(fake_traced(f.host, "\"service\"", "\"retry_after\":30"), 1);
    pbx_kind.command(f.node, SPAN("answers normally"));
    assert_status(pbx_register(&f, "102", 2, CONTACT), 200);
    pbx_fixture_fini(&f);
}

static void a_setting_makes_it_fail_from_the_start(void **state)
{
    (void)state;
    static const char *const refusing[] = {"answers", "503", "retry after", "2min", NULL};
    struct pbx_fixture f = pbx_fixture_of(refusing);
    assert_non_null(strstr(pbx_register(&f, "102", 1, CONTACT), "Retry-After: 120\r\n"));
    pbx_fixture_fini(&f);
}

static void silence_is_silence_also_to_an_invite(void **state)
{
    (void)state;
    static const char *const silent[] = {"answers", "nothing", "challenge calls", "no", NULL};
    struct pbx_fixture f = pbx_fixture_of(silent);
    pbx_register(&f, "102", 1, CONTACT);
    pbx_request(&f, bob_at, "INVITE sip:103@lab.example", 1, "c1", CALL);
    fake_advance(f.host, f.host->now + 40 * SEC);
    assert_int_equal(f.host->sent_n, 0);
    pbx_kind.command(f.node, SPAN("answers normally"));
    assert_status(pbx_register(&f, "102", 2, CONTACT), 200);
    pbx_fixture_fini(&f);
}

static void above_its_capacity_it_refuses_until_the_next_second(void **state)
{
    (void)state;
    static const char *const small[] = {"capacity", "2", "retry after", "10s", NULL};
    struct pbx_fixture f = pbx_fixture_of(small);
    assert_status(pbx_register(&f, "102", 1, CONTACT), 200);
    assert_status(pbx_register(&f, "102", 2, CONTACT), 200);
    assert_non_null(strstr(pbx_register(&f, "102", 3, CONTACT), "Retry-After: 10\r\n"));
    fake_advance(f.host, f.host->now + SEC);
    assert_status(pbx_register(&f, "102", 4, CONTACT), 200);
    pbx_fixture_fini(&f);
}

static void what_it_does_not_understand_is_told(void **state)
{
    (void)state;
    static const char *const wrong[] = {"answers", "answers 200", "answers nothing now",
                                        "answers 503 retry after noon"};
    struct pbx_fixture f = pbx_fixture_of(NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        pbx_kind.command(f.node, span_of(wrong[i]));
    assert_int_equal(fake_traced(f.host, "\"bad-command\"", ""), 4);
    assert_int_equal(fake_traced(f.host, "\"service\"", ""), 0);
    pbx_fixture_fini(&f);
}

static void a_stop_refuses_what_is_new_and_sees_calls_to_their_end(void **state)
{
    (void)state;
    static const char *const open[] = {"challenge calls", "no", NULL};
    struct pbx_fixture f = pbx_fixture_of(open);
    pbx_request(&f, bob_at, "REGISTER sip:lab.example", 1, "r1",
                "From: <sip:103@lab.example>;tag=f\r\nTo: <sip:103@lab.example>\r\nContact: <sip:103@10.0.1.32>\r\n");
    pbx_request(&f, alice_at, "INVITE sip:103@lab.example", 1, "c1", CALL);
    pbx_kind.command(f.node, SPAN("stop"));
    fake_advance(f.host, f.host->now + 29 * SEC);
    assert_false(f.host->exited);
    assert_status(pbx_request(&f, alice_at, "INVITE sip:103@lab.example", 1, "c2", CALL), 503);
    fake_advance(f.host, f.host->now + 2 * SEC);
    assert_true(f.host->exited);
    pbx_fixture_fini(&f);
}

static void a_stop_without_calls_is_at_once(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_kind.command(f.node, SPAN("stop"));
    fake_advance(f.host, f.host->now);
    assert_true(f.host->exited);
    assert_int_equal(fake_traced(f.host, "\"service\"", "\"stopping\""), 1);
    pbx_fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_3261_21_5_4_503_says_when_to_come_back),
        cmocka_unit_test(a_setting_makes_it_fail_from_the_start),
        cmocka_unit_test(silence_is_silence_also_to_an_invite),
        cmocka_unit_test(above_its_capacity_it_refuses_until_the_next_second),
        cmocka_unit_test(what_it_does_not_understand_is_told),
        cmocka_unit_test(a_stop_refuses_what_is_new_and_sees_calls_to_their_end),
        cmocka_unit_test(a_stop_without_calls_is_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
