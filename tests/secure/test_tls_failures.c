/* Every way in which a handshake fails, seen from both ends: the alert, who sent it, and why. */
#include "tests/secure/tls_rig.h"

static const char *const sbc_names[] = {"sbc.example.com", "203.0.113.10", NULL};

/* ---- the server's certificate ---- */

static void wrong_root_is_unknown_ca(void **state)
{
    struct rig *r = *state;
    r->config[CLIENT].trust = CHAIN(&r->text[CLIENT][0], r->stranger);
    rig_connect(r, "sbc.example.com");
    assert_refused(r, CLIENT, "unknown_ca",
                   "the certificate of CN=Lab Intermediate was issued by CN=Lab Root, whose certificate is neither "
                   "among those that the peer sent nor trusted");
}

/* Failure 46. */
static void missing_intermediate_is_unknown_ca(void **state)
{
    struct rig *r = *state;
    r->config[SERVER].certificate = CHAIN(&r->text[SERVER][0], r->server);
    rig_connect(r, "sbc.example.com");
    assert_refused(r, CLIENT, "unknown_ca", "CN=sbc.example.com was issued by CN=Lab Intermediate");
}

/* PH-3: the file of root and intermediate certificates. The root is not sent, and nothing twice. */
static void intermediates_may_come_from_their_own_file(void **state)
{
    struct rig *r = *state;
    size_t sent = 0;
    r->config[SERVER].intermediates = CHAIN(&r->text[SERVER][3], r->root, r->intermediate);
    for (int i = 0; i < 2; i++) {
        rig_contexts(r);
        rig_connect(r, "sbc.example.com");
        assert_established(r);
        assert_true(i == 0 || r->side[SERVER].sent.n == sent);
        sent = r->side[SERVER].sent.n;
        r->config[SERVER].certificate = CHAIN(&r->text[SERVER][0], r->server);
    }
}

static void self_signed_is_unknown_ca_unless_trusted(void **state)
{
    struct rig *r = *state;
    struct pki_entity *self = issue("self.example.com", NULL, NULL, false, -1, 90);
    rig_server_is(r, self);
    rig_connect(r, "self.example.com");
    assert_refused(r, CLIENT, "unknown_ca", "CN=self.example.com is self-signed");
    r->config[CLIENT].trust = CHAIN(&r->text[CLIENT][0], self);
    rig_contexts(r);
    rig_connect(r, "self.example.com");
    assert_established(r);
    pki_free(self);
}

static void expired_by_lab_time_is_certificate_expired(void **state)
{
    struct rig *r = *state;
    r->now = 80 * DAY; /* valid to the second */
    rig_connect(r, "sbc.example.com");
    assert_established(r);
    tls_context_forget(r->side[CLIENT].context, r->now);
    r->now += SEC;
    rig_connect(r, "sbc.example.com");
    assert_refused(r, CLIENT, "certificate_expired",
                   "CN=sbc.example.com expired at 2026-03-22T00:00:00Z, and it is 2026-03-22T00:00:01Z");
}

/* Failure 48: a clock that was never set. */
static void clock_in_the_past_is_certificate_expired(void **state)
{
    struct rig *r = *state;
    r->ahead[CLIENT] = -LAB_BEGINS * SEC;
    rig_connect(r, "sbc.example.com");
    assert_refused(r, CLIENT, "certificate_expired",
                   "is not valid before 2023-04-07T00:00:00Z, and it is 1970-01-01T00:00:00Z");
}

static void dates_may_be_ignored(void **state)
{
    struct rig *r = *state;
    r->config[CLIENT].verify_dates = false;
    r->now = 3000 * DAY;
    rig_connect(r, "sbc.example.com");
    assert_established(r);
}

/* Failure 45: after a failover by address the certificate is somebody else's. */
static void wrong_address_is_bad_certificate(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "203.0.113.11");
    assert_refused(
        r, CLIENT, "bad_certificate",
        "the certificate of CN=sbc.example.com is for sbc.example.com, 203.0.113.10 and not for 203.0.113.11");
}

static void wrong_domain_is_bad_certificate(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "pbx.example.com");
    assert_refused(r, CLIENT, "bad_certificate", "and not for pbx.example.com");
}

static void name_may_be_ignored(void **state)
{
    struct rig *r = *state;
    r->config[CLIENT].verify_name = false;
    rig_connect(r, "pbx.example.com");
    assert_established(r);
}

static void graver_reason_is_told(void **state)
{
    struct rig *r = *state;
    r->config[CLIENT].trust = CHAIN(&r->text[CLIENT][0], r->stranger);
    r->now = 100 * DAY;
    rig_connect(r, "pbx.example.com");
    assert_refused(r, CLIENT, "unknown_ca", "was issued by CN=Lab Root");
}

static void expired_root_fails_too(void **state)
{
    struct rig *r = *state;
    struct pki_entity *old = issue("Old Root", NULL, NULL, true, -100, 50);
    struct pki_entity *leaf = issue("sbc.example.com", sbc_names, old, false, -10, 90);
    rig_server_is(r, leaf);
    r->config[CLIENT].trust = CHAIN(&r->text[CLIENT][0], old);
    rig_connect(r, "sbc.example.com");
    assert_refused(r, CLIENT, "certificate_expired", "CN=Old Root expired at");
    pki_free(leaf);
    pki_free(old);
}

/* RFC 5280 §4.2.1.9: who is no authority issues nothing. */
static void certificate_of_no_authority_is_unknown_ca(void **state)
{
    struct rig *r = *state;
    struct pki_entity *leaf = issue("other.example.com", sbc_names, r->server, false, -10, 90);
    r->config[SERVER].key = key_of(&r->text[SERVER][1], leaf);
    r->config[SERVER].certificate = CHAIN(&r->text[SERVER][0], leaf, r->server, r->intermediate);
    rig_connect(r, "sbc.example.com");
    assert_refused(r, CLIENT, "unknown_ca", "was issued by CN=sbc.example.com");
    pki_free(leaf);
}

/* RFC 5280 §4.2.1.12. */
static struct pki_entity *issue_for(struct rig *r, unsigned uses)
{
    struct prng random;
    struct pki_entity *e;
    const struct pki_request want = {
        .subject = SPAN("sbc.example.com"), .not_before = LAB_BEGINS, .not_after = LAB_BEGINS + 1000, .uses = uses};
    prng_init(&random, 1, SPAN("use"), SPAN("certificate"));
    assert_int_equal(pki_issue(&want, r->root, &random, &e, NULL), 0);
    return e;
}

static void server_does_not_use_a_client_certificate(void **state)
{
    struct rig *r = *state;
    struct pki_entity *e = issue_for(r, PKI_CLIENT);
    rig_server_is(r, e);
    rig_connect(r, "sbc.example.com");
    assert_refused(r, SERVER, "handshake_failure", "in common");
    pki_free(e);
}

static void server_certificate_is_no_client_certificate(void **state)
{
    struct rig *r = *state;
    struct pki_entity *e = issue_for(r, PKI_SERVER);
    rig_mutual(r, TLS_REQUIRE_CERTIFICATE);
    r->config[CLIENT].certificate = CHAIN(&r->text[CLIENT][1], e);
    r->config[CLIENT].key = key_of(&r->text[CLIENT][2], e);
    r->config[SERVER].trust = CHAIN(&r->text[SERVER][2], r->root);
    rig_connect(r, "sbc.example.com");
    assert_refused(r, SERVER, "unsupported_certificate", "the peer's certificate cannot be used");
    pki_free(e);
}

/* ---- the client's certificate ---- */

/* CT-1, failure 47. */
static void no_client_certificate_is_handshake_failure(void **state)
{
    struct rig *r = *state;
    r->config[SERVER].ask = TLS_REQUIRE_CERTIFICATE;
    rig_connect(r, "sbc.example.com");
    assert_refused(r, SERVER, "handshake_failure", "the client has shown no certificate");
}

/* CT-5: without the maker's root, factory phones are refused. */
static void client_of_unknown_maker_is_unknown_ca(void **state)
{
    struct rig *r = *state;
    rig_mutual(r, TLS_REQUIRE_CERTIFICATE);
    r->config[SERVER].trust = CHAIN(&r->text[SERVER][2], r->stranger);
    rig_connect(r, "sbc.example.com");
    assert_refused(r, SERVER, "unknown_ca", "CN=08000F123456 was issued by CN=Phone Maker");
}

static void optional_client_certificate_must_be_good(void **state)
{
    struct rig *r = *state;
    rig_mutual(r, TLS_ASK_CERTIFICATE);
    r->config[SERVER].trust = CHAIN(&r->text[SERVER][2], r->stranger);
    rig_connect(r, "sbc.example.com");
    assert_refused(r, SERVER, "unknown_ca", "CN=08000F123456 was issued by CN=Phone Maker");
}

static void expired_client_is_certificate_expired(void **state)
{
    struct rig *r = *state;
    struct pki_entity *old = issue("old phone", NULL, r->maker, false, -100, 10);
    rig_mutual(r, TLS_REQUIRE_CERTIFICATE);
    r->config[CLIENT].certificate = CHAIN(&r->text[CLIENT][1], old);
    r->config[CLIENT].key = key_of(&r->text[CLIENT][2], old);
    rig_connect(r, "sbc.example.com");
    assert_refused(r, SERVER, "certificate_expired", "CN=old phone expired at 2025-10-03");
    pki_free(old);
}

/* CT-5: the bundle holds five. */
static void bundle_of_five_roots_is_read(void **state)
{
    struct rig *r = *state;
    rig_mutual(r, TLS_REQUIRE_CERTIFICATE);
    r->config[SERVER].trust = CHAIN(&r->text[SERVER][2], r->stranger, r->root, r->intermediate, r->server, r->maker);
    rig_connect(r, "sbc.example.com");
    assert_established(r);
}

/* ---- versions, hostile bytes ---- */

/* CT-2 */
static void no_common_version_is_protocol_version(void **state)
{
    struct rig *r = *state;
    if (!tls_version_known(TLS_1_0))
        skip();
    r->config[CLIENT].least = r->config[CLIENT].most = TLS_1_0;
    r->config[SERVER].least = TLS_1_1;
    rig_connect(r, "sbc.example.com");
    assert_refused(r, SERVER, "protocol_version", "no TLS version in common");
}

static void server_of_an_old_version_is_protocol_version(void **state)
{
    struct rig *r = *state;
    if (!tls_version_known(TLS_1_0))
        skip();
    r->config[SERVER].least = r->config[SERVER].most = TLS_1_0;
    rig_connect(r, "sbc.example.com");
    assert_refused(r, CLIENT, "protocol_version", "no TLS version in common");
}

static void new_server(struct rig *r)
{
    rig_contexts(r);
    rig_hang_up(r);
    assert_int_equal(tls_new(r->side[SERVER].context, SPAN(""), &rig_events, &r->side[SERVER], &r->side[SERVER].tls),
                     0);
    tls_start(r->side[SERVER].tls, 0);
}

static void plain_sip_is_no_record(void **state)
{
    struct rig *r = *state;
    new_server(r);
    tls_input(r->side[SERVER].tls, SPAN("REGISTER sip:example.com SIP/2.0\r\n"), 0);
    assert_int_equal(r->side[SERVER].failed_n, 1);
    assert_int_equal(r->side[SERVER].way, TLS_ALERT_SENT);
    assert_true(r->side[SERVER].sent.n > 0);
    tls_input(r->side[SERVER].tls, SPAN("more"), 0); /* ignored */
    assert_int_equal(r->side[SERVER].failed_n, 1);
}

static void changed_record_is_bad_record_mac(void **state)
{
    struct rig *r = *state;
    rig_connect(r, "sbc.example.com");
    assert_int_equal(tls_send(r->side[CLIENT].tls, SPAN("REGISTER"), r->now), 0);
    r->side[CLIENT].sent.p[r->side[CLIENT].sent.n - 1] ^= 1;
    rig_settle(r);
    assert_refused(r, SERVER, "bad_record_mac", "a record was changed on its way");
    assert_int_equal(r->side[SERVER].received.n, 0);
}

static void connection_may_be_freed_when_it_fails(void **state)
{
    struct rig *r = *state;
    new_server(r);
    r->side[SERVER].free_now = true;
    tls_input(r->side[SERVER].tls, SPAN("REGISTER sip:example.com SIP/2.0\r\n"), 0);
    assert_int_equal(r->side[SERVER].failed_n, 1);
    assert_null(r->side[SERVER].tls);
}

/* ---- configurations that cannot be (PH-3) ---- */

static void assert_config(const struct tls_config *config, int error, const char *says)
{
    char room[400];
    struct text why = text_on(room, sizeof room);
    struct prng random = {{1}};
    struct tls_context *c;
    assert_int_equal(tls_context_new(config, &random, 0, &c, &why), error);
    assert_string_equal(room, says);
}

static void missing_materials_are_named(void **state)
{
    struct rig *r = *state;
    struct tls_config c = tls_config_of(TLS_CLIENT);
    assert_config(&c, FE_EUNKNOWN, "TLS needs the trusted certificates, which are missing");
    c.needs = TLS_INTERMEDIATES | TLS_CERTIFICATE | TLS_KEY | TLS_TRUST;
    assert_config(&c, FE_EUNKNOWN,
                  "TLS needs the root and intermediate certificates, the local certificate, the private key and the "
                  "trusted certificates, which are missing");
    c.trust = c.certificate = c.intermediates = r->config[CLIENT].trust;
    assert_config(&c, FE_EUNKNOWN, "TLS needs the private key, which is missing");
    c = tls_config_of(TLS_SERVER);
    assert_config(&c, FE_EUNKNOWN, "TLS needs the local certificate and the private key, which are missing");
    c = r->config[SERVER];
    c.trust = (struct span){0};
    c.ask = TLS_REQUIRE_CERTIFICATE;
    assert_config(&c, FE_EUNKNOWN, "TLS needs the trusted certificates, which are missing");
}

static void unreadable_materials_are_named(void **state)
{
    struct rig *r = *state;
    struct tls_config c = r->config[SERVER];
    c.certificate = SPAN("certificate of the SBC");
    assert_config(&c, FE_ESYNTAX, "the local certificate cannot be read; expected PEM");
    c = r->config[SERVER];
    c.key = SPAN("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n");
    assert_config(&c, FE_ESYNTAX, "the private key cannot be read; expected one key in PEM, not encrypted");
    c = r->config[SERVER];
    c.trust = SPAN("base64:AAAA");
    assert_config(&c, FE_ESYNTAX, "the trusted certificates cannot be read; expected PEM");
}

static void key_must_be_of_the_certificate(void **state)
{
    struct rig *r = *state;
    struct tls_config c = r->config[SERVER];
    c.key = key_of(&r->text[SERVER][1], r->phone);
    assert_config(&c, FE_EREFUSED, "the private key is not that of the local certificate");
}

static void versions_must_make_a_range(void **state)
{
    struct rig *r = *state;
    struct tls_config c = r->config[SERVER];
    c.most = TLS_1_1;
    assert_config(&c, FE_ERANGE, "the least TLS version, 1.2, is above the most, 1.1");
    c.most = TLS_1_3;
    if (!tls_version_known(TLS_1_3))
        assert_config(&c, FE_ERANGE, "the library of this build does not speak TLS 1.3");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(wrong_root_is_unknown_ca),
        TEST(missing_intermediate_is_unknown_ca),
        TEST(intermediates_may_come_from_their_own_file),
        TEST(self_signed_is_unknown_ca_unless_trusted),
        TEST(expired_by_lab_time_is_certificate_expired),
        TEST(clock_in_the_past_is_certificate_expired),
        TEST(dates_may_be_ignored),
        TEST(wrong_address_is_bad_certificate),
        TEST(wrong_domain_is_bad_certificate),
        TEST(name_may_be_ignored),
        TEST(graver_reason_is_told),
        TEST(expired_root_fails_too),
        TEST(certificate_of_no_authority_is_unknown_ca),
        TEST(server_does_not_use_a_client_certificate),
        TEST(server_certificate_is_no_client_certificate),
        TEST(no_client_certificate_is_handshake_failure),
        TEST(client_of_unknown_maker_is_unknown_ca),
        TEST(optional_client_certificate_must_be_good),
        TEST(expired_client_is_certificate_expired),
        TEST(bundle_of_five_roots_is_read),
        TEST(no_common_version_is_protocol_version),
        TEST(server_of_an_old_version_is_protocol_version),
        TEST(plain_sip_is_no_record),
        TEST(changed_record_is_bad_record_mac),
        TEST(connection_may_be_freed_when_it_fails),
        TEST(missing_materials_are_named),
        TEST(unreadable_materials_are_named),
        TEST(key_must_be_of_the_certificate),
        TEST(versions_must_make_a_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
