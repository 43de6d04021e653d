/* Digest authentication, client against server: RFC 3261 §22, RFC 2617 §3. */
#include "nodes/sip/sip_auth.h"
#include "tests/sip/sip_rig.h"

#define URI "sip:lab.example"

struct pair {
    struct host *host;
    struct sip_auth client;
    struct sip_realm *realm;
    struct sip_credentials who;
    char headers[1024]; /* of the last request */
};

static void start(struct pair *p)
{
    *p = (struct pair){.host = rig_new(), .who = {SPAN("101"), SPAN("secret")}};
    sip_auth_init(&p->client, p->host, "cnonce");
    assert_int_equal(sip_realm_new(&p->realm, p->host, SPAN("lab.example"), 0), 0);
}

static void finish(struct pair *p)
{
    sip_realm_free(p->realm);
    rig_free(p->host);
}

static bool find_password(void *arg, struct span user, struct span *password)
{
    (void)arg;
    *password = SPAN("secret");
    return span_is(user, "101");
}

static void parse(char *text, const char *start_line, const char *headers, struct sip_msg *out)
{
    snprintf(text, RIG_DATA, "%s\r\n%sContent-Length: 0\r\n\r\n", start_line, headers);
    assert_int_equal(sip_parse(span_of(text), out, NULL), 0);
}

static int challenge_with(struct pair *p, bool proxy, const char *headers)
{
    char text[RIG_DATA];
    struct sip_msg msg;
    parse(text, proxy ? "SIP/2.0 407 Proxy Authentication Required" : "SIP/2.0 401 Unauthorized", headers, &msg);
    return sip_auth_challenged(&p->client, &msg);
}

static int challenge(struct pair *p, bool proxy, bool stale)
{
    char buf[1024];
    struct text headers = text_on(buf, sizeof buf);
    sip_realm_challenge(p->realm, proxy, stale, &headers);
    return challenge_with(p, proxy, buf);
}

/* The client writes its credentials. */
static void authorize(struct pair *p)
{
    struct text out = text_on(p->headers, sizeof p->headers);
    sip_auth_header(&p->client, &p->who, SPAN("REGISTER"), SPAN(URI), &out);
    assert_true(text_ok(&out));
}

static enum sip_verdict verify(struct pair *p, bool proxy)
{
    char text[RIG_DATA];
    struct sip_msg msg;
    struct span user = {0};
    parse(text, "REGISTER " URI " SIP/2.0", p->headers, &msg);
    enum sip_verdict verdict = sip_realm_verify(p->realm, &msg, proxy, find_password, NULL, &user);
    if (verdict != SIP_AUTH_MISSING)
        assert_true(span_equal(user, p->who.user));
    return verdict;
}

static void no_credentials_before_a_challenge_22_1(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    authorize(&p);
    assert_string_equal(p.headers, "");
    assert_int_equal(verify(&p, false), SIP_AUTH_MISSING);
    finish(&p);
}

static void challenge_is_answered_22_2(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    assert_int_equal(challenge(&p, false, false), 0);
    authorize(&p);
    assert_memory_equal(p.headers, "Authorization: Digest ", 22);
    assert_int_equal(verify(&p, false), SIP_AUTH_PASSED);
    finish(&p);
}

static void proxy_challenge_has_its_own_headers_22_3(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    assert_int_equal(challenge(&p, true, false), 0);
    authorize(&p);
    assert_memory_equal(p.headers, "Proxy-Authorization: Digest ", 28);
    assert_int_equal(verify(&p, false), SIP_AUTH_MISSING);
    assert_int_equal(verify(&p, true), SIP_AUTH_PASSED);
    finish(&p);
}

static void nonce_count_grows_and_serves_again_rfc2617_3_2_2(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    challenge(&p, false, false);
    for (unsigned i = 1; i <= 3; i++) {
        char nc[32];
        authorize(&p);
        snprintf(nc, sizeof nc, "nc=%08u", i);
        assert_non_null(strstr(p.headers, nc));
        assert_int_equal(verify(&p, false), SIP_AUTH_PASSED);
    }
    finish(&p);
}

static void replayed_request_is_stale_rfc2617_3_2_2(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    challenge(&p, false, false);
    authorize(&p);
    assert_int_equal(verify(&p, false), SIP_AUTH_PASSED);
    assert_int_equal(verify(&p, false), SIP_AUTH_STALE);
    finish(&p);
}

static void nonce_is_stale_after_its_life(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    challenge(&p, false, false);
    p.host->now = 5 * MINUTE;
    authorize(&p);
    assert_int_equal(verify(&p, false), SIP_AUTH_PASSED);
    p.host->now = 5 * MINUTE + 1;
    authorize(&p);
    assert_int_equal(verify(&p, false), SIP_AUTH_STALE);
    finish(&p);
}

static void nonce_of_another_maker_is_stale(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    assert_int_equal(challenge_with(&p, false,
                                    "WWW-Authenticate: Digest realm=\"lab.example\", qop=\"auth\", "
                                    "nonce=\"1-0-0123456789abcdef0123456789abcdef\"\r\n"),
                     0);
    authorize(&p);
    assert_int_equal(verify(&p, false), SIP_AUTH_STALE);
    finish(&p);
}

static void forgotten_nonce_is_stale(void **state)
{
    struct pair p;
    char buf[1024];
    (void)state;
    start(&p);
    challenge(&p, false, false);
    for (unsigned i = 0; i < 16384; i++) {
        struct text headers = text_on(buf, sizeof buf);
        sip_realm_challenge(p.realm, false, false, &headers);
    }
    authorize(&p);
    assert_int_equal(verify(&p, false), SIP_AUTH_STALE);
    finish(&p);
}

static void wrong_password_or_user_is_wrong_22_4(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    challenge(&p, false, false);
    p.who.password = SPAN("guess");
    authorize(&p);
    assert_int_equal(verify(&p, false), SIP_AUTH_WRONG);
    p.who = (struct sip_credentials){SPAN("999"), SPAN("secret")};
    authorize(&p);
    assert_int_equal(verify(&p, false), SIP_AUTH_WRONG);
    finish(&p);
}

static void credentials_of_another_realm_do_not_count_22_3(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    challenge_with(&p, false, "WWW-Authenticate: Digest realm=\"elsewhere\", nonce=\"1\"\r\n");
    authorize(&p);
    assert_int_equal(verify(&p, false), SIP_AUTH_MISSING);
    finish(&p);
}

static void second_challenge_in_a_row_means_refused_22_1(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    assert_int_equal(challenge(&p, false, false), 0);
    assert_int_equal(challenge(&p, false, false), FE_EREFUSED);
    sip_auth_accepted(&p.client);
    assert_int_equal(challenge(&p, false, false), 0);
    finish(&p);
}

static void stale_challenge_is_answered_again_rfc2617_3_3(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    assert_int_equal(challenge(&p, false, false), 0);
    authorize(&p);
    assert_int_equal(challenge(&p, false, true), 0);
    authorize(&p);
    assert_non_null(strstr(p.headers, "nc=00000001"));
    assert_int_equal(verify(&p, false), SIP_AUTH_PASSED);
    finish(&p);
}

static void endless_stale_challenges_are_refused(void **state)
{
    struct pair p;
    int error = 0;
    unsigned rounds = 0;
    (void)state;
    start(&p);
    for (; !error && rounds < 100; rounds++)
        error = challenge(&p, false, true);
    assert_int_equal(error, FE_EREFUSED);
    assert_int_equal(rounds, 5);
    finish(&p);
}

static void unknown_algorithm_is_passed_over_for_md5_rfc7616_3_7(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    assert_int_equal(
        challenge_with(&p, false, "WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=SHA-256\r\n"),
        FE_EUNKNOWN);
    assert_int_equal(challenge_with(&p, false,
                                    "WWW-Authenticate: Digest realm=\"x\", nonce=\"1\", algorithm=SHA-256\r\n"
                                    "WWW-Authenticate: Digest realm=\"x\", nonce=\"2\", algorithm=MD5\r\n"),
                     0);
    assert_string_equal(p.client.nonce, "2");
    finish(&p);
}

static void challenge_without_qop_is_answered_without_rfc2617_3_2_2(void **state)
{
    struct pair p;
    (void)state;
    start(&p);
    challenge_with(&p, false, "WWW-Authenticate: Digest realm=\"lab.example\", nonce=\"1\", opaque=\"o\"\r\n");
    authorize(&p);
    assert_null(strstr(p.headers, "qop="));
    assert_null(strstr(p.headers, "cnonce="));
    assert_non_null(strstr(p.headers, "opaque=\"o\""));
    finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_credentials_before_a_challenge_22_1),
        cmocka_unit_test(challenge_is_answered_22_2),
        cmocka_unit_test(proxy_challenge_has_its_own_headers_22_3),
        cmocka_unit_test(nonce_count_grows_and_serves_again_rfc2617_3_2_2),
        cmocka_unit_test(replayed_request_is_stale_rfc2617_3_2_2),
        cmocka_unit_test(nonce_is_stale_after_its_life),
        cmocka_unit_test(nonce_of_another_maker_is_stale),
        cmocka_unit_test(forgotten_nonce_is_stale),
        cmocka_unit_test(wrong_password_or_user_is_wrong_22_4),
        cmocka_unit_test(credentials_of_another_realm_do_not_count_22_3),
        cmocka_unit_test(second_challenge_in_a_row_means_refused_22_1),
        cmocka_unit_test(stale_challenge_is_answered_again_rfc2617_3_3),
        cmocka_unit_test(endless_stale_challenges_are_refused),
        cmocka_unit_test(unknown_algorithm_is_passed_over_for_md5_rfc7616_3_7),
        cmocka_unit_test(challenge_without_qop_is_answered_without_rfc2617_3_2_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
