/* The registrar, by the steps of RFC 3261 §10.3, RFC 3327 §5.3 and PB-1, PB-2. */
#include "nodes/proto/digest.h"
#include "tests/pbx/pbx_fixture.h"

#define CONTACT "Contact: <sip:102@10.0.1.31>"

static void a_binding_is_added_with_the_default_expiry(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    const char *response = pbx_register(&f, "102", 1, CONTACT "\r\n");
    assert_status(response, 200);
    assert_non_null(strstr(response, "Contact: <sip:102@10.0.1.31>;expires=3600\r\n"));
    assert_true(endpoint_equal(fake_last(f.host)->to, alice_at));
    assert_int_equal(fake_traced(f.host, "\"state\":\"added\"", "\"contact\":\"10.0.1.31:5060\""), 1);
    assert_int_equal(fake_traced(f.host, "\"aor\":\"sip:102@lab.example\"", "\"location\""), 1);
    pbx_fixture_fini(&f);
}

static void pb_1_a_line_that_is_not_configured_is_refused(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    assert_status(pbx_register(&f, "999", 1, "Contact: <sip:999@10.0.1.31>\r\n"), 404);
    assert_int_equal(fake_traced(f.host, "\"location\"", ""), 0);
    pbx_fixture_fini(&f);
}

static void take(const char *text, const char *name, char *dst, size_t cap)
{
    const char *at = strstr(text, name);
    assert_non_null(at);
    at += strlen(name);
    assert_true(span_copy(span_make(at, strcspn(at, "\"")), dst, cap));
}

static const char *register_with_password(struct pbx_fixture *f, const char *user, const char *password)
{
    char nonce[128];
    char header[1024];
    char value[768];
    const char *challenge = pbx_register(f, "101", 1, "Contact: <sip:101@10.0.1.31>\r\n");
    assert_status(challenge, 401);
    take(challenge, "nonce=\"", nonce, sizeof nonce);
    struct digest_challenge c = {
        .realm = SPAN("lab.example"), .nonce = span_of(nonce), .has_qop = true, .qop_auth = true};
    struct text t = text_on(value, sizeof value);
    assert_int_equal(digest_answer(&t, &c, span_of(user), span_of(password), SPAN("REGISTER"), SPAN("sip:lab.example"),
                                   1, SPAN("0badcafe")),
                     0);
    snprintf(header, sizeof header, "Contact: <sip:101@10.0.1.31>\r\nAuthorization: %s\r\n", value);
    return pbx_register(f, "101", 2, header);
}

static void step_3_the_password_opens(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    assert_status(register_with_password(&f, "101", "a1"), 200);
    pbx_fixture_fini(&f);
}

static void step_3_a_wrong_password_is_403(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    assert_status(register_with_password(&f, "101", "a2"), 403);
    pbx_fixture_fini(&f);
}

static void step_4_another_lines_credentials_are_403(void **state)
{
    (void)state;
    static const char *const changes[] = {"lines.104.password", "d4", NULL};
    struct pbx_fixture f = pbx_fixture_of(changes);
    assert_status(register_with_password(&f, "104", "d4"), 403);
    pbx_fixture_fini(&f);
}

static void no_challenge_when_told_so(void **state)
{
    (void)state;
    static const char *const changes[] = {"challenge register", "no", NULL};
    struct pbx_fixture f = pbx_fixture_of(changes);
    assert_status(pbx_register(&f, "101", 1, "Contact: <sip:101@10.0.1.31>\r\n"), 200);
    pbx_fixture_fini(&f);
}

static void step_7_too_brief_is_423_with_min_expires(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    const char *response = pbx_register(&f, "102", 1, CONTACT ";expires=59\r\n");
    assert_status(response, 423);
    assert_non_null(strstr(response, "Min-Expires: 60\r\n"));
    assert_status(pbx_register(&f, "102", 2, CONTACT "\r\nExpires: 60\r\n"), 200);
    pbx_fixture_fini(&f);
}

static void step_7_too_long_is_cut(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    assert_non_null(strstr(pbx_register(&f, "102", 1, CONTACT ";expires=99999\r\n"), ";expires=3600\r\n"));
    pbx_fixture_fini(&f);
}

static void step_7_a_registration_that_was_overtaken_changes_nothing(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    assert_status(pbx_register(&f, "102", 5, CONTACT "\r\n"), 200);
    assert_status(pbx_register(&f, "102", 4, CONTACT ";expires=0\r\n"), 500);
    assert_status(pbx_register(&f, "102", 6, CONTACT ";expires=0\r\n"), 200);
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"removed\""), 1);
    pbx_fixture_fini(&f);
}

static void step_7_all_contacts_or_none(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    assert_status(pbx_register(&f, "102", 1, CONTACT ", <sip:102@10.0.1.40>;expires=5\r\n"), 423);
    assert_int_equal(fake_traced(f.host, "\"location\"", ""), 0);
    pbx_fixture_fini(&f);
}

static void several_contacts_are_listed_in_order(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_register(&f, "102", 1, CONTACT "\r\n");
    fake_advance(f.host, 10 * SEC);
    const char *response = pbx_register(&f, "102", 2, "Contact: <sip:102@10.0.1.40>;expires=120\r\n");
    assert_non_null(strstr(response, "Contact: <sip:102@10.0.1.31>;expires=3590\r\n"
                                     "Contact: <sip:102@10.0.1.40>;expires=120\r\n"));
    pbx_fixture_fini(&f);
}

static void step_6_a_star_removes_everything(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_register(&f, "102", 1, CONTACT ", <sip:102@10.0.1.40>\r\n");
    assert_status(pbx_register(&f, "102", 2, "Contact: *\r\nExpires: 3600\r\n"), 400);
    const char *response = pbx_register(&f, "102", 3, "Contact: *\r\nExpires: 0\r\n");
    assert_status(response, 200);
    assert_int_equal(times(response, "Contact:"), 0);
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"removed\""), 2);
    pbx_fixture_fini(&f);
}

static void a_register_without_contact_asks(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_register(&f, "102", 1, CONTACT "\r\n");
    assert_int_equal(times(pbx_register(&f, "102", 2, ""), "Contact:"), 1);
    assert_int_equal(fake_traced(f.host, "\"location\"", ""), 1);
    pbx_fixture_fini(&f);
}

static void a_binding_expires_in_its_time(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_register(&f, "102", 1, CONTACT ";expires=60\r\n");
    fake_advance(f.host, 59 * SEC);
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"expired\""), 0);
    fake_advance(f.host, 60 * SEC);
    assert_int_equal(fake_traced(f.host, "\"expired\"", "\"t\":60000000000"), 1);
    pbx_fixture_fini(&f);
}

static void rfc_3327_the_path_is_stored_and_echoed_nw_2(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    const char *response = pbx_register(&f, "102", 1,
                                        "Path: <sip:token@10.0.1.2:5060;lr>\r\nSupported: path\r\n"
                                        "Contact: <sip:102@192.168.1.20>\r\n");
    assert_status(response, 200);
    assert_non_null(strstr(response, "Path: <sip:token@10.0.1.2:5060;lr>\r\n"));
    assert_int_equal(fake_traced(f.host, "\"added\"", "\"contact\":\"10.0.1.2:5060\""), 1);
    pbx_fixture_fini(&f);
}

static void step_2_an_unknown_extension_is_420(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    const char *response = pbx_register(&f, "102", 1, CONTACT "\r\nRequire: path, levitation\r\n");
    assert_status(response, 420);
    assert_non_null(strstr(response, "Unsupported: levitation\r\n"));
    pbx_fixture_fini(&f);
}

static void a_range_of_lines_stands_beside_the_named_ones(void **state)
{
    (void)state;
    static const char *const range[] = {"line range", "99-104", NULL};
    struct pbx_fixture f = pbx_fixture_of(range);
    assert_status(pbx_register(&f, "99", 1, CONTACT "\r\n"), 200);
    assert_status(pbx_register(&f, "104", 1, CONTACT "\r\n"), 200);
    assert_status(pbx_register(&f, "105", 1, CONTACT "\r\n"), 404);
    assert_status(pbx_register(&f, "101", 1, CONTACT "\r\n"), 401); /* named: it has its password */
    pbx_fixture_fini(&f);
}

/* Whoever is behind a proxy has that proxy's Via above its own. */
static void rfc6223_4_2_1_an_offer_to_keep_alive_is_taken_by_a_value(void **state)
{
    (void)state;
    static const char *const settings[] = {"keep timer", "30s", NULL};
    static const char offer[] =
        "REGISTER sip:lab.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.1.31:5060;branch=z9hG4bKk1;keep"
        "%s\r\nMax-Forwards: 70\r\nFrom: <sip:102@lab.example>;tag=f\r\n"
        "To: <sip:102@lab.example>\r\nCall-ID: k\r\nCSeq: %u REGISTER\r\n" CONTACT "\r\nContent-Length: 0\r\n\r\n";
    static const struct {
        const char *const *settings;
        const char *value, *answer;
    } rows[] = {{settings, "", ";keep=30\r\n"}, {settings, "=7", ";keep=7\r\n"}, {NULL, "", ";keep\r\n"}};
    for (unsigned i = 0; i < 3; i++) {
        struct pbx_fixture f = pbx_fixture_of(rows[i].settings);
        char text[1024];
        int n = snprintf(text, sizeof text, offer, rows[i].value, i + 1);
        assert_true(fake_deliver(f.host, alice_at, pbx_at, 64, span_make(text, (size_t)n)));
        assert_status(fake_last(f.host)->data, 200);
        assert_non_null(strstr(fake_last(f.host)->data, rows[i].answer));
        pbx_fixture_fini(&f);
    }
}

static void pb_2_a_restart_remembers_or_forgets(void **state)
{
    (void)state;
    static const char *const forget[] = {"remember registrations", "no", NULL};
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_register(&f, "102", 1, CONTACT "\r\n");
    pbx_kind.command(f.node, SPAN("restart"));
    assert_int_equal(times(pbx_register(&f, "102", 2, ""), "Contact:"), 1);
    pbx_fixture_fini(&f);
    f = pbx_fixture_of(forget);
    pbx_register(&f, "102", 1, CONTACT "\r\n");
    pbx_kind.command(f.node, SPAN("restart"));
    assert_int_equal(times(pbx_register(&f, "102", 2, ""), "Contact:"), 0);
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"removed\""), 1);
    pbx_kind.command(f.node, SPAN("dance"));
    assert_int_equal(fake_traced(f.host, "\"bad-command\"", "dance"), 1);
    pbx_fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_binding_is_added_with_the_default_expiry),
        cmocka_unit_test(rfc6223_4_2_1_an_offer_to_keep_alive_is_taken_by_a_value),
        cmocka_unit_test(pb_1_a_line_that_is_not_configured_is_refused),
        cmocka_unit_test(step_3_the_password_opens),
        cmocka_unit_test(step_3_a_wrong_password_is_403),
        cmocka_unit_test(step_4_another_lines_credentials_are_403),
        cmocka_unit_test(no_challenge_when_told_so),
        cmocka_unit_test(step_7_too_brief_is_423_with_min_expires),
        cmocka_unit_test(step_7_too_long_is_cut),
        cmocka_unit_test(step_7_a_registration_that_was_overtaken_changes_nothing),
        cmocka_unit_test(step_7_all_contacts_or_none),
        cmocka_unit_test(several_contacts_are_listed_in_order),
        cmocka_unit_test(step_6_a_star_removes_everything),
        cmocka_unit_test(a_register_without_contact_asks),
        cmocka_unit_test(a_binding_expires_in_its_time),
        cmocka_unit_test(rfc_3327_the_path_is_stored_and_echoed_nw_2),
        cmocka_unit_test(step_2_an_unknown_extension_is_420),
        cmocka_unit_test(a_range_of_lines_stands_beside_the_named_ones),
        cmocka_unit_test(pb_2_a_restart_remembers_or_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
