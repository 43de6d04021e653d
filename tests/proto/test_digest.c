/* MD5 (RFC 1321 §A.5) and Digest (RFC 2617 §3.5). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nodes/proto/digest.h"

#define assert_span_equal(span, text) assert_true(span_is((span), (text)))

static void assert_md5(struct span input, const char *expected)
{
    struct md5 md5;
    char hex[MD5_HEX];
    for (size_t cut = 0; cut <= input.n; cut++) { /* in two pieces, at every place */
        md5_init(&md5);
        md5_add(&md5, (struct span){input.p, cut});
        md5_add(&md5, (struct span){input.p + cut, input.n - cut});
        md5_end_hex(&md5, hex);
        assert_string_equal(hex, expected);
    }
}

static void test_rfc1321_a_5_test_suite(void **state)
{
    (void)state;
    assert_md5(SPAN(""), "d41d8cd98f00b204e9800998ecf8427e");
    assert_md5(SPAN("a"), "0cc175b9c0f1b6a831c399e269772661");
    assert_md5(SPAN("abc"), "900150983cd24fb0d6963f7d28e17f72");
    assert_md5(SPAN("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
    assert_md5(SPAN("abcdefghijklmnopqrstuvwxyz"), "c3fcd3d76192e4007dfb496cca67e13b");
    assert_md5(SPAN("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
               "d174ab98d277d9f5a5611c2c9f419d9f");
    assert_md5(SPAN("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
               "57edf4a22be3c955ac49da2e2107b67a");
}

#define NONCE "dcd98b7102dd2f0e8b11d0f600bfb0c093"

static void test_rfc2617_3_5_example(void **state)
{
    (void)state;
    struct digest_credentials c;
    assert_int_equal(digest_credentials_parse(SPAN("Digest username=\"Mufasa\",\r\n"
                                                   " realm=\"testrealm@host.com\",\r\n"
                                                   " nonce=\"" NONCE "\",\r\n"
                                                   " uri=\"/dir/index.html\",\r\n"
                                                   " qop=auth,\r\n"
                                                   " nc=00000001,\r\n"
                                                   " cnonce=\"0a4f113b\",\r\n"
                                                   " response=\"6629fae49393a05397450978507c4ef1\",\r\n"
                                                   " opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""),
                                              &c),
                     0);
    assert_int_equal(c.nc_value, 1);
    assert_true(digest_verify(&c, SPAN("Circle Of Life"), SPAN("GET")));
    assert_false(digest_verify(&c, SPAN("Circle of Life"), SPAN("GET")));
    assert_false(digest_verify(&c, SPAN("Circle Of Life"), SPAN("POST")));
}

/* RFC 2069 §2.4 as corrected by its erratum: no qop. */
static void test_rfc2069_without_qop(void **state)
{
    (void)state;
    const struct digest_credentials c = {
        .username = SPAN("Mufasa"),
        .realm = SPAN("testrealm@host.com"),
        .nonce = SPAN(NONCE),
        .uri = SPAN("/dir/index.html"),
    };
    char response[MD5_HEX];
    digest_response(&c, SPAN("CircleOfLife"), SPAN("GET"), response);
    assert_string_equal(response, "1949323746fe6a43ef61f9606e7febea");
}

static void test_challenge_parameters(void **state)
{
    (void)state;
    struct digest_challenge c;
    assert_int_equal(digest_challenge_parse(SPAN("digest realm=\"pbx\", domain=\"sip:a\", nonce=\"n\", opaque=\"\", "
                                                 "stale=TRUE, algorithm=md5, qop=\"auth-int, auth\""),
                                            &c),
                     0);
    assert_span_equal(c.realm, "pbx");
    assert_non_null(c.opaque.p);
    assert_int_equal(c.algorithm, DIGEST_MD5);
    assert_true(c.stale && c.has_qop && c.qop_auth && c.algorithm_named);
}

static void test_challenges_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        int error;
    } cases[] = {
        {"Basic realm=\"x\"", FE_EUNKNOWN},
        {"Digest realm=\"x\", nonce=\"n\", qop=\"auth-int\"", FE_EUNKNOWN},
        {"Digest realm=\"x\"", FE_ESYNTAX},
        {"Digest realm=\"x\", realm=\"y\", nonce=\"n\"", FE_ESYNTAX},
        {"Digest realm=\"x\", nonce=\"n\",", FE_ESYNTAX},
        {"Digest realm=\"x\" nonce=\"n\"", FE_ESYNTAX},
        {"Digest realm=\"x, nonce=n", FE_ESYNTAX},
        {"Digest", FE_ESYNTAX},
        {"", FE_ESYNTAX},
    };
    struct digest_challenge c;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(digest_challenge_parse(span_of(cases[i].value), &c), cases[i].error);
}

/* A server's challenge, a client's answer, the server's verdict. */
static bool round_trip(struct digest_challenge challenge)
{
    char buffer[1024];
    char answer[1024];
    struct digest_challenge heard;
    struct digest_credentials c;
    struct text t = text_on(buffer, sizeof buffer);
    digest_challenge_write(&t, &challenge);
    assert_int_equal(digest_challenge_parse(text_span(&t), &heard), 0);
    struct text a = text_on(answer, sizeof answer);
    assert_int_equal(
        digest_answer(&a, &heard, SPAN("101"), SPAN("a1"), SPAN("REGISTER"), SPAN("sip:pbx"), 17, SPAN("c0ffee")), 0);
    assert_int_equal(digest_credentials_parse(text_span(&a), &c), 0);
    assert_int_equal(c.has_qop, challenge.qop_auth);
    assert_int_equal(c.nc_value, challenge.qop_auth ? 17 : 0);
    assert_false(digest_verify(&c, SPAN("a2"), SPAN("REGISTER")));
    return digest_verify(&c, SPAN("a1"), SPAN("REGISTER"));
}

static void test_answers_are_verified(void **state)
{
    (void)state;
    const struct span realm = SPAN("pbx");
    const struct span nonce = SPAN(NONCE);
    assert_true(round_trip((struct digest_challenge){.realm = realm, .nonce = nonce}));
    assert_true(
        round_trip((struct digest_challenge){.realm = realm, .nonce = nonce, .has_qop = true, .qop_auth = true}));
    assert_true(round_trip((struct digest_challenge){
        .realm = realm, .nonce = nonce, .opaque = SPAN("o"), .algorithm_named = true, .stale = true}));
    assert_true(round_trip((struct digest_challenge){.realm = realm,
                                                     .nonce = nonce,
                                                     .algorithm = DIGEST_MD5_SESS,
                                                     .algorithm_named = true,
                                                     .has_qop = true,
                                                     .qop_auth = true}));
}

static void test_unknown_algorithms_are_not_answered(void **state)
{
    (void)state;
    char buffer[256];
    struct digest_challenge c;
    struct text t = text_on(buffer, sizeof buffer);
    assert_int_equal(digest_challenge_parse(SPAN("Digest realm=\"x\", nonce=\"n\", algorithm=SHA-256"), &c), 0);
    assert_int_equal(c.algorithm, DIGEST_UNKNOWN_ALGORITHM);
    assert_int_equal(digest_answer(&t, &c, SPAN("u"), SPAN("p"), SPAN("INVITE"), SPAN("sip:x"), 1, SPAN("c")),
                     FE_EUNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc1321_a_5_test_suite),
        cmocka_unit_test(test_rfc2617_3_5_example),
        cmocka_unit_test(test_rfc2069_without_qop),
        cmocka_unit_test(test_challenge_parameters),
        cmocka_unit_test(test_challenges_that_are_refused),
        cmocka_unit_test(test_answers_are_verified),
        cmocka_unit_test(test_unknown_algorithms_are_not_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
