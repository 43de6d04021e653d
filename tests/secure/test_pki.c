/* Certificates of the lab's authority, read back, and the texts that carry them. */
#include "nodes/base/calendar.h"
#include "nodes/base/error.h"
#include "nodes/secure/identity.h"
#include "nodes/secure/pki.h"
#include "nodes/secure/pki_text.h"
#include "tests/cmocka.h"

#include <stdlib.h>

enum { FROM = 1767225600, TO = FROM + 90 * 86400 };

static struct pki_entity *issue(const struct pki_request *want, struct pki_entity *by, uint64_t seed)
{
    struct prng random;
    struct pki_entity *e;
    prng_init(&random, seed, want->subject, SPAN("certificate"));
    assert_int_equal(pki_issue(want, by, &random, &e, NULL), 0);
    return e;
}

static struct pki_request request(const char *subject)
{
    return (struct pki_request){.subject = span_of(subject), .not_before = FROM, .not_after = TO, .depth = -1};
}

static struct pki_entity *root(void)
{
    struct pki_request want = request("Public CA");
    want.ca = true;
    return issue(&want, NULL, 1);
}

static mbedtls_x509_crt *parse(const struct pki_entity *e)
{
    static mbedtls_x509_crt c;
    struct span der = pki_certificate(e);
    mbedtls_x509_crt_init(&c);
    assert_int_equal(mbedtls_x509_crt_parse_der(&c, (const unsigned char *)der.p, der.n), 0);
    return &c;
}

static void fields_are_as_requested(void **state)
{
    (void)state;
    const struct span names[] = {SPAN("sbc.example.com"), SPAN("203.0.113.10"), SPAN("*.example.org")};
    struct pki_request want = request("sbc.example.com");
    want.names = names;
    want.names_n = 3;
    want.uses = PKI_SERVER;
    struct pki_entity *ca = root();
    struct pki_entity *e = issue(&want, ca, 1);
    mbedtls_x509_crt *c = parse(e);
    char room[256];
    struct text t = text_on(room, sizeof room);
    identity_subject(&t, &c->subject);
    text_str(&t, " by ");
    identity_subject(&t, &c->issuer);
    text_str(&t, ": ");
    identity_names(&t, c);
    assert_string_equal(room, "CN=sbc.example.com by CN=Public CA: sbc.example.com, 203.0.113.10, *.example.org");
    assert_int_equal(c->version, 3);
    assert_int_equal(c->serial.len, 16);
    assert_int_equal(identity_date(&c->valid_from), FROM);
    assert_int_equal(identity_date(&c->valid_to), TO);
    assert_int_equal(mbedtls_pk_get_bitlen(&c->pk), 256);
    assert_int_equal(mbedtls_x509_crt_check_key_usage(c, MBEDTLS_X509_KU_DIGITAL_SIGNATURE), 0);
    assert_int_not_equal(mbedtls_x509_crt_check_key_usage(c, MBEDTLS_X509_KU_KEY_CERT_SIGN), 0);
    assert_int_equal(mbedtls_x509_crt_check_extended_key_usage(c, "\x2b\x06\x01\x05\x05\x07\x03\x01", 8), 0);
    assert_int_not_equal(mbedtls_x509_crt_check_extended_key_usage(c, "\x2b\x06\x01\x05\x05\x07\x03\x02", 8), 0);
    mbedtls_x509_crt_free(c);
    pki_free(e);
    pki_free(ca);
}

static void authority_may_sign(void **state)
{
    (void)state;
    struct pki_entity *ca = root();
    mbedtls_x509_crt *c = parse(ca);
    assert_int_equal(mbedtls_x509_crt_check_key_usage(c, MBEDTLS_X509_KU_KEY_CERT_SIGN), 0);
    assert_int_equal(mbedtls_x509_crt_check_key_usage(c, MBEDTLS_X509_KU_CRL_SIGN), 0);
    assert_memory_equal(c->issuer_raw.p, c->subject_raw.p, c->subject_raw.len);
    mbedtls_x509_crt_free(c);
    pki_free(ca);
}

/* CT-3 */
static void rsa_key_has_2048_bits(void **state)
{
    (void)state;
    struct pki_request want = request("rsa.example.com");
    want.key = PKI_RSA_2048;
    struct pki_entity *a = issue(&want, NULL, 1);
    struct pki_entity *b = issue(&want, NULL, 1);
    mbedtls_x509_crt *c = parse(a);
    assert_int_equal(mbedtls_pk_get_bitlen(&c->pk), 2048);
    assert_string_equal(pki_key_label(a), "RSA PRIVATE KEY");
    assert_true(span_equal(pki_certificate(a), pki_certificate(b)));
    assert_true(span_equal(pki_private_key(a), pki_private_key(b)));
    mbedtls_x509_crt_free(c);
    pki_free(a);
    pki_free(b);
}

static void same_seed_gives_the_same_certificate(void **state)
{
    (void)state;
    struct pki_request want = request("sbc.example.com");
    struct pki_entity *a = issue(&want, NULL, 1);
    struct pki_entity *b = issue(&want, NULL, 1);
    struct pki_entity *other = issue(&want, NULL, 2);
    assert_true(span_equal(pki_certificate(a), pki_certificate(b)));
    assert_true(span_equal(pki_private_key(a), pki_private_key(b)));
    assert_false(span_equal(pki_private_key(a), pki_private_key(other)));
    pki_free(a);
    pki_free(b);
    pki_free(other);
}

/* RFC 5280 §4.1.2.5: up to 2049 as UTCTime, from 2050 on as GeneralizedTime. */
static void dates_may_be_far_away(void **state)
{
    (void)state;
    struct pki_request want = request("old");
    want.not_before = 86400;
    want.not_after = INT64_C(4102444800); /* 2100-01-01 */
    struct pki_entity *e = issue(&want, NULL, 1);
    mbedtls_x509_crt *c = parse(e);
    assert_int_equal(identity_date(&c->valid_from), 86400);
    assert_int_equal(identity_date(&c->valid_to), INT64_C(4102444800));
    mbedtls_x509_crt_free(c);
    pki_free(e);
}

static void refuse(const struct pki_request *want, int error, const char *says)
{
    char room[256];
    struct text why = text_on(room, sizeof room);
    struct prng random = {{1}};
    struct pki_entity *e;
    assert_int_equal(pki_issue(want, NULL, &random, &e, &why), error);
    assert_string_equal(room, says);
}

static void impossible_requests_are_refused(void **state)
{
    (void)state;
    struct span name = SPAN("sbc..example.com");
    struct pki_request want = request("a,CN=b");
    refuse(&want, FE_ESYNTAX, "\"a,CN=b\" cannot be a subject; expected letters, digits, blanks, -._:*@/()'");
    want.subject = SPAN("");
    refuse(&want, FE_ERANGE, "\"\" cannot be a subject; expected 1 to 64 bytes");
    want = request("sbc");
    want.names = &name;
    want.names_n = 1;
    refuse(&want, FE_ESYNTAX, "\"sbc..example.com\" is neither a domain name nor an IPv4 address");
    name = SPAN("sbc.*.com");
    refuse(&want, FE_ESYNTAX, "\"sbc.*.com\" is neither a domain name nor an IPv4 address");
    want.names_n = 0;
    want.not_after = want.not_before - 1;
    refuse(&want, FE_ERANGE, "\"sbc\" ends before it begins to be valid");
}

static void as_many_names_as_there_may_be(void **state)
{
    (void)state;
    char name[PKI_NAME_MAX + 1];
    struct span names[PKI_NAMES_MAX];
    struct pki_request want = request("many");
    for (int i = 0; i < PKI_NAME_MAX; i++)
        name[i] = i % 64 == 63 ? '.' : 'a';
    for (int i = 0; i < PKI_NAMES_MAX; i++)
        names[i] = span_make(name, PKI_NAME_MAX);
    want.names = names;
    want.names_n = PKI_NAMES_MAX;
    struct pki_entity *e = issue(&want, NULL, 1);
    mbedtls_x509_crt *c = parse(e);
    assert_true(identity_is(c, names[0]));
    mbedtls_x509_crt_free(c);
    pki_free(e);
}

/* ---- identity (RFC 6125) ---- */

static void assert_identity(const char *subject, const struct span *names, size_t n, const char *peer, bool is)
{
    struct pki_request want = request(subject);
    want.names = names;
    want.names_n = n;
    struct pki_entity *e = issue(&want, NULL, 1);
    mbedtls_x509_crt *c = parse(e);
    if (identity_is(c, span_of(peer)) != is)
        print_error("%s\n", peer);
    assert_int_equal(identity_is(c, span_of(peer)), is);
    mbedtls_x509_crt_free(c);
    pki_free(e);
}

static void domain_names_are_matched_by_label(void **state)
{
    (void)state;
    const struct span names[] = {SPAN("sbc.example.com"), SPAN("*.example.org"), SPAN("*")};
    assert_identity("x", names, 3, "sbc.example.com", true);
    assert_identity("x", names, 3, "SBC.Example.COM", true);
    assert_identity("x", names, 3, "sbc.example.com.", true);
    assert_identity("x", names, 3, "a.sbc.example.com", false);
    assert_identity("x", names, 3, "any.example.org", true);
    assert_identity("x", names, 3, "example.org", false);
    assert_identity("x", names, 3, "a.b.example.org", false);
    assert_identity("x", names, 3, ".example.org", false);
    assert_identity("x", names, 3, "x", false);
    assert_identity("x", names, 3, "", false);
}

/* RFC 6125 §6.4.4: the common name counts only where no name of the kind is. */
static void common_name_counts_without_other_names(void **state)
{
    (void)state;
    const struct span domain = SPAN("sbc.example.com");
    const struct span address = SPAN("203.0.113.10");
    assert_identity("pbx.example.com", NULL, 0, "pbx.example.com", true);
    assert_identity("pbx.example.com", &domain, 1, "pbx.example.com", false);
    assert_identity("203.0.113.11", NULL, 0, "203.0.113.11", true);
    assert_identity("203.0.113.11", &address, 1, "203.0.113.11", false);
    assert_identity("203.0.113.11", &domain, 1, "203.0.113.11", true);
    assert_identity("203.0.113.11", &address, 1, "203.0.113.10", true);
}

/* ---- texts ---- */

struct found {
    struct span der[4];
    size_t n;
    char p[4][4096];
};

static int find(void *arg, struct span der)
{
    struct found *f = arg;
    assert_true(f->n < 4 && der.n <= sizeof f->p[0]);
    memcpy(f->p[f->n], der.p, der.n);
    f->der[f->n] = span_make(f->p[f->n], der.n);
    f->n++;
    return 0;
}

static void every_form_gives_the_same_bytes(void **state)
{
    (void)state;
    struct pki_entity *ca = root();
    struct pki_request want = request("leaf");
    struct pki_entity *leaf = issue(&want, ca, 1);
    const struct span ders[] = {pki_certificate(leaf), pki_certificate(ca)};
    size_t room_n = pki_text_room(3, ders[0].n + ders[1].n + pki_private_key(leaf).n);
    char *room = malloc(room_n);
    static struct found line, pem, der, key;
    assert_non_null(room);
    struct text t = text_on(room, room_n);
    pki_text_line(&t, ders, 2);
    assert_true(text_ok(&t));
    assert_null(memchr(room, '\n', t.n));
    assert_int_equal(pki_text_each(text_span(&t), PKI_TEXT_CERTIFICATE, find, &line), 0);
    t = text_on(room, room_n);
    pki_text_pem(&t, "CERTIFICATE", ders[0]);
    pki_text_pem(&t, pki_key_label(leaf), pki_private_key(leaf));
    pki_text_pem(&t, "CERTIFICATE", ders[1]);
    assert_true(text_ok(&t));
    assert_int_equal(pki_text_each(text_span(&t), PKI_TEXT_CERTIFICATE, find, &pem), 0);
    assert_int_equal(pki_text_each(text_span(&t), PKI_TEXT_KEY, find, &key), 0);
    assert_int_equal(pki_text_each(ders[0], PKI_TEXT_CERTIFICATE, find, &der), 0);
    assert_int_equal(line.n, 2);
    assert_int_equal(pem.n, 2);
    assert_int_equal(der.n, 1);
    for (int i = 0; i < 2; i++)
        assert_true(span_equal(line.der[i], ders[i]) && span_equal(pem.der[i], ders[i]));
    assert_true(span_equal(der.der[0], ders[0]));
    assert_true(key.n == 1 && span_equal(key.der[0], pki_private_key(leaf)));
    free(room);
    pki_free(leaf);
    pki_free(ca);
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static struct found f;
    const char *const wrong[] = {"",
                                 "base64:",
                                 "base64:AAA",
                                 "base64:MA==,",
                                 "base64:?",
                                 "hello",
                                 "-----BEGIN CERTIFICATE-----\nMA==\n",
                                 "-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        f.n = 0;
        assert_int_equal(pki_text_each(span_of(wrong[i]), PKI_TEXT_CERTIFICATE, find, &f), FE_ESYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_as_requested),
        cmocka_unit_test(authority_may_sign),
        cmocka_unit_test(rsa_key_has_2048_bits),
        cmocka_unit_test(same_seed_gives_the_same_certificate),
        cmocka_unit_test(dates_may_be_far_away),
        cmocka_unit_test(impossible_requests_are_refused),
        cmocka_unit_test(as_many_names_as_there_may_be),
        cmocka_unit_test(domain_names_are_matched_by_label),
        cmocka_unit_test(common_name_counts_without_other_names),
        cmocka_unit_test(every_form_gives_the_same_bytes),
        cmocka_unit_test(other_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
