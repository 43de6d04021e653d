/* SIP URIs (RFC 3261 §19.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nodes/proto/sip_uri.h"

#define assert_span_equal(span, text) assert_true(span_is((span), (text)))

static void test_all_parts(void **state)
{
    (void)state;
    struct sip_uri uri;
    struct span value;
    assert_int_equal(sip_uri_parse(SPAN("sips:alice:secret@example.com:5071;transport=tcp;lr?subject=x&to=y"), &uri),
                     0);
    assert_int_equal(uri.scheme, SIP_SCHEME_SIPS);
    assert_span_equal(uri.user, "alice");
    assert_span_equal(uri.password, "secret");
    assert_span_equal(uri.host, "example.com");
    assert_int_equal(uri.port, 5071);
    assert_true(sip_uri_param(&uri, "TRANSPORT", &value));
    assert_span_equal(value, "tcp");
    assert_true(sip_uri_param(&uri, "lr", &value));
    assert_null(value.p);
    assert_span_equal(uri.headers, "subject=x&to=y");
}

static void test_other_schemes(void **state)
{
    (void)state;
    struct sip_uri uri;
    assert_int_equal(sip_uri_parse(SPAN("tel:+1-201-555-0123;phone-context=x"), &uri), 0);
    assert_int_equal(uri.scheme, SIP_SCHEME_TEL);
    assert_span_equal(uri.user, "+1-201-555-0123");
    assert_int_equal(sip_uri_parse(SPAN("urn:uuid:1"), &uri), 0);
    assert_int_equal(uri.scheme, SIP_SCHEME_OTHER);
    assert_span_equal(uri.host, "uuid:1");
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",          "sip:",       "sip:@host", "sip:a@",      "sip:a@b@c",
                                      "sip:a%4@b", "sip:a b@c",  "sip:h:",    "sip:h:0",     "sip:h:65536",
                                      "sip:h;",    "sip:h;x=",   "sip:h;=x",  "sip:h?",      "sip:h?a",
                                      "sip:h?=a",  "sip:h?a=b&", "sip:[::1",  "sip:[1]",     "sip:a_b",
                                      "tel:",      "nocolon",    "1sip:h",    "sip:h;a=%zz", "sip:h x"};
    struct sip_uri uri;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(sip_uri_parse(span_of(bad[i]), &uri), 0);
}

static bool equal(const char *a, const char *b)
{
    struct sip_uri left;
    struct sip_uri right;
    assert_int_equal(sip_uri_parse(span_of(a), &left), 0);
    assert_int_equal(sip_uri_parse(span_of(b), &right), 0);
    assert_int_equal(sip_uri_equal(&left, &right), sip_uri_equal(&right, &left));
    return sip_uri_equal(&left, &right);
}

static void test_rfc3261_19_1_4_equal(void **state)
{
    (void)state;
    assert_true(equal("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"));
    assert_true(equal("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"));
    assert_true(equal("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"));
    assert_true(equal("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                      "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"));
    assert_true(equal("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                      "sip:alice@atlanta.com?priority=urgent&subject=project%20x"));
}

static void test_rfc3261_19_1_4_not_equal(void **state)
{
    (void)state;
    assert_false(equal("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"));
    assert_false(equal("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
    assert_false(equal("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"));
    assert_false(equal("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"));
    assert_false(equal("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"));
    assert_false(equal("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"));
    assert_false(equal("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"));
    assert_false(equal("sip:a%3Bb@h", "sip:a;b@h"));
    assert_false(equal("sip:h?a=b&a=b&c=d", "sip:h?a=b&c=d&c=d"));
    assert_false(equal("sip:a@h", "sips:a@h"));
}

static void test_where_to_send(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        int error;
        struct endpoint at;
    } cases[] = {
        {"sip:101@192.168.1.20", 0, {IPV4(192, 168, 1, 20), 5060}},
        {"sips:192.168.1.20", 0, {IPV4(192, 168, 1, 20), 5061}},
        {"sip:192.168.1.20;transport=tcp", 0, {IPV4(192, 168, 1, 20), 5060}},
        {"sip:192.168.1.20;transport=TLS", 0, {IPV4(192, 168, 1, 20), 5061}},
        {"sip:192.168.1.20:5070", 0, {IPV4(192, 168, 1, 20), 5070}},
        {"sip:pbx;maddr=10.0.1.10", 0, {IPV4(10, 0, 1, 10), 5060}},
        {"sip:pbx.example.com", FE_EUNKNOWN, {0, 0}},
        {"tel:101", FE_ESYNTAX, {0, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sip_uri uri;
        struct endpoint at = {0, 0};
        assert_int_equal(sip_uri_parse(span_of(cases[i].uri), &uri), 0);
        assert_int_equal(sip_uri_endpoint(&uri, &at), cases[i].error);
        if (!cases[i].error)
            assert_true(endpoint_equal(at, cases[i].at));
    }
}

static void test_writing_escapes_the_user(void **state)
{
    (void)state;
    char buffer[64];
    struct text t = text_on(buffer, sizeof buffer);
    sip_uri_write_endpoint(&t, SPAN("a b@c"), (struct endpoint){IPV4(10, 0, 1, 10), 5060});
    assert_string_equal(buffer, "sip:a%20b%40c@10.0.1.10");
    t = text_on(buffer, sizeof buffer);
    sip_uri_write(&t, SPAN(""), SPAN("pbx"), 5070);
    assert_string_equal(buffer, "sip:pbx:5070");
}

/* RFC 3263 §4.1 */
static void test_transport_of_a_uri(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        enum sip_transport transport;
    } cases[] = {
        {"sip:101@192.168.1.20", SIP_UDP},
        {"sip:192.168.1.20;transport=tcp", SIP_TCP},
        {"sip:192.168.1.20;lr;Transport=TLS", SIP_TLS},
        {"sips:192.168.1.20", SIP_TLS},
        {"sips:192.168.1.20;transport=tcp", SIP_TLS},
        {"sip:192.168.1.20;transport=pigeon", SIP_TRANSPORT_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sip_uri uri;
        assert_int_equal(sip_uri_parse(span_of(cases[i].uri), &uri), 0);
        assert_int_equal(sip_uri_transport(&uri), cases[i].transport);
    }
}

/* PH-9 */
static void test_writing_the_way_by_which_requests_shall_come(void **state)
{
    (void)state;
    static const struct {
        bool secure;
        enum sip_transport transport;
        uint16_t port;
        const char *uri;
    } cases[] = {
        {false, SIP_UDP, 5060, "sip:101@10.0.1.10"},
        {false, SIP_TCP, 5060, "sip:101@10.0.1.10;transport=tcp"},
        {false, SIP_TLS, 5061, "sip:101@10.0.1.10;transport=tls"},
        {false, SIP_TLS, 5060, "sip:101@10.0.1.10:5060;transport=tls"},
        {true, SIP_TLS, 5061, "sips:101@10.0.1.10"},
        {true, SIP_TLS, 40000, "sips:101@10.0.1.10:40000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char buffer[64];
        struct text t = text_on(buffer, sizeof buffer);
        struct endpoint at = {IPV4(10, 0, 1, 10), cases[i].port};
        sip_uri_write_flow(&t, cases[i].secure, SPAN("101"), at, cases[i].transport);
        assert_string_equal(buffer, cases[i].uri);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_parts),
        cmocka_unit_test(test_other_schemes),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_rfc3261_19_1_4_equal),
        cmocka_unit_test(test_rfc3261_19_1_4_not_equal),
        cmocka_unit_test(test_where_to_send),
        cmocka_unit_test(test_writing_escapes_the_user),
        cmocka_unit_test(test_transport_of_a_uri),
        cmocka_unit_test(test_writing_the_way_by_which_requests_shall_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
