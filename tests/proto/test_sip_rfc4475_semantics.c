/* RFC 4475 §3.2 to §3.4: well-formed messages that ask for judgement, and one from before RFC 3261. */
#include "tests/proto/sip_rfc4475.h"

#include "nodes/proto/digest.h"
#include "nodes/proto/sip_uri.h"

static struct judged j;

static void test_3_2_1_missing_transaction_identifier(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("OPTIONS sip:user@example.com SIP/2.0\r\n"
                          "To: sip:user@example.com\r\n"
                          "From: sip:caller@example.org;tag=33242\r\n"
                          "Max-Forwards: 3\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK\r\n"
                          "Accept: application/sdp\r\n"
                          "Call-ID: badbranch.sadonfo23i420jv0as0derf3j3n\r\n"
                          "CSeq: 8 OPTIONS\r\n"
                          "l: 0\r\n"
                          "\r\n"));
    assert_span_equal(j.core.via.branch, SIP_MAGIC_COOKIE); /* the cookie and nothing else: match as RFC 2543 */
}

static void test_3_3_1_missing_required_headers(void **state)
{
    (void)state;
    assert_refused(&j,
                   SPAN("INVITE sip:user@example.com SIP/2.0\r\n"
                        "CSeq: 193942 INVITE\r\n"
                        "Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf\r\n"
                        "Content-Type: application/sdp\r\n"
                        "l: 152\r\n"
                        "\r\n" SDP_BODY("192.0.2.95", "0 0")),
                   SIP_FAULT_MISSING, 400);
    assert_span_equal(j.why.about, "From");
}

static void test_3_3_2_request_uri_with_unknown_scheme(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\r\n"
                          "To: sip:user@example.com\r\n"
                          "From: sip:caller@example.net;tag=384\r\n"
                          "Max-Forwards: 3\r\n"
                          "Call-ID: unkscm.nasdfasser0q239nwsdfasdkl34\r\n"
                          "CSeq: 3923423 OPTIONS\r\n"
                          "Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234\r\n"
                          "Content-Length: 0\r\n"
                          "\r\n"));
    assert_int_equal(sip_check_uas(&j.m, SPAN(""), &j.why), FE_EREFUSED);
    assert_int_equal(j.why.status, 416);
}

static void test_3_3_3_request_uri_with_atypical_scheme(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0\r\n"
                          "To: sip:user@example.com\r\n"
                          "From: sip:caller@example.net;tag=384\r\n"
                          "Max-Forwards: 3\r\n"
                          "Call-ID: novelsc.asdfasser0q239nwsdfasdkl34\r\n"
                          "CSeq: 3923423 OPTIONS\r\n"
                          "Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234\r\n"
                          "Content-Length: 0\r\n"
                          "\r\n"));
    assert_int_equal(sip_check_proxy(&j.m, &j.core, SPAN(""), &j.why), FE_EREFUSED);
    assert_int_equal(j.why.status, 416);
}

static void test_3_3_4_unknown_schemes_in_headers(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("REGISTER sip:example.com SIP/2.0\r\n"
                          "To: isbn:2983792873\r\n"
                          "From: <http://www.example.com>;tag=3234233\r\n"
                          "Call-ID: unksm2.daksdj@hyphenated-host.example.com\r\n"
                          "CSeq: 234902 REGISTER\r\n"
                          "Max-Forwards: 70\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bKkdjuw\r\n"
                          "Contact: <name:John_Smith>\r\n"
                          "l: 0\r\n"
                          "\r\n"));
    struct sip_uri to;
    assert_int_equal(sip_uri_parse(j.core.to.uri, &to), 0);
    assert_int_equal(to.scheme, SIP_SCHEME_OTHER);
    assert_int_equal(sip_check_uas(&j.m, SPAN(""), &j.why), 0);
}

static void test_3_3_5_require_and_proxy_require(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("OPTIONS sip:user@example.com SIP/2.0\r\n"
                          "To: sip:j_user@example.com\r\n"
                          "From: sip:caller@example.net;tag=242etr\r\n"
                          "Max-Forwards: 6\r\n"
                          "Call-ID: bext01.0ha0isndaksdj\r\n"
                          "Require: nothingSupportsThis, nothingSupportsThisEither\r\n"
                          "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis\r\n"
                          "CSeq: 8 OPTIONS\r\n"
                          "Via: SIP/2.0/TLS fold-and-staple.example.com;branch=z9hG4bKkdjuw\r\n"
                          "Content-Length: 0\r\n"
                          "\r\n"));
    assert_int_equal(sip_check_uas(&j.m, SPAN("100rel, timer"), &j.why), FE_EREFUSED);
    assert_int_equal(j.why.status, 420);
    assert_span_equal(j.why.about, "nothingSupportsThis");
    assert_int_equal(sip_check_proxy(&j.m, &j.core, SPAN(""), &j.why), FE_EREFUSED);
    assert_int_equal(j.why.status, 420);
    assert_span_equal(j.why.about, "noProxiesSupportThis");
    assert_int_equal(sip_check_uas(&j.m, SPAN("nothingSupportsThisEither,NOTHINGsupportsthis"), &j.why), 0);
}

static void test_3_3_6_unknown_content_type(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("INVITE sip:user@example.com SIP/2.0\r\n"
                          "Contact: <sip:caller@host5.example.net>\r\n"
                          "To: sip:j.user@example.com\r\n"
                          "From: sip:caller@example.net;tag=8392034\r\n"
                          "Max-Forwards: 70\r\n"
                          "Call-ID: invut.0ha0isndaksdjadsfij34n23d\r\n"
                          "CSeq: 235448 INVITE\r\n"
                          "Via: SIP/2.0/UDP somehost.example.com;branch=z9hG4bKkdjuw\r\n"
                          "Content-Type: application/unknownformat\r\n"
                          "Content-Length: 40\r\n"
                          "\r\n"
                          "<audio>\r\n"
                          " <pcmu port=\"443\"/>\r\n"
                          "</audio>\r\n"));
    assert_false(sip_body_is(&j.m, "application", "sdp")); /* what the user agent answers with 415 */
    assert_true(sip_body_is(&j.m, "application", "UnknownFormat"));
}

static void test_3_3_7_unknown_authorization_scheme(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("REGISTER sip:example.com SIP/2.0\r\n"
                          "To: sip:j.user@example.com\r\n"
                          "From: sip:j.user@example.com;tag=87321hj23128\r\n"
                          "Max-Forwards: 8\r\n"
                          "Call-ID: regaut01.0ha0isndaksdj\r\n"
                          "CSeq: 9338 REGISTER\r\n"
                          "Via: SIP/2.0/TCP 192.0.2.253;branch=z9hG4bKkdjuw\r\n"
                          "Authorization: NoOneKnowsThisScheme opaque-data=here\r\n"
                          "Content-Length:0\r\n"
                          "\r\n"));
    struct digest_credentials credentials;
    assert_int_equal(digest_credentials_parse(sip_value(&j.m, SIP_H_AUTHORIZATION), &credentials), FE_EUNKNOWN);
}

static void test_3_3_8_multiple_values_in_single_value_fields(void **state)
{
    (void)state;
    assert_refused(&j,
                   SPAN("INVITE sip:user@company.com SIP/2.0\r\n"
                        "Contact: <sip:caller@host25.example.net>\r\n"
                        "Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw\r\n"
                        "Max-Forwards: 70\r\n"
                        "CSeq: 5 INVITE\r\n"
                        "Call-ID: multi01.98asdh@192.0.2.1\r\n"
                        "CSeq: 59 INVITE\r\n"
                        "Call-ID: multi01.98asdh@192.0.2.2\r\n"
                        "From: sip:caller@example.com;tag=3413415\r\n"
                        "To: sip:user@example.com\r\n"
                        "To: sip:other@example.net\r\n"
                        "From: sip:caller@example.net;tag=2923420123\r\n"
                        "Content-Type: application/sdp\r\n"
                        "l: 154\r\n"
                        "Contact: <sip:caller@host36.example.net>\r\n"
                        "Max-Forwards: 5\r\n"
                        "\r\n" SDP_BODY("192.0.2.25", "0 0") "\r\n"),
                   SIP_FAULT_REPEATED, 400);
}

static void test_3_3_9_multiple_content_lengths(void **state)
{
    (void)state;
    assert_refused(&j,
                   SPAN("OPTIONS sip:user@example.com SIP/2.0\r\n"
                        "Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bK293423\r\n"
                        "To: sip:user@example.com\r\n"
                        "From: sip:other@example.net;tag=3923942\r\n"
                        "Call-ID: mcl01.fhn2323orihawfdoa3o4r52o3irsdf\r\n"
                        "CSeq: 15932 OPTIONS\r\n"
                        "Content-Length: 13\r\n"
                        "Max-Forwards: 60\r\n"
                        "Content-Length: 5\r\n"
                        "Content-Type: text/plain\r\n"
                        "\r\n"
                        "There's no way to know how many octets are supposed to be here.\r\n"),
                   SIP_FAULT_CONTENT_LENGTH, 400);
}

static void test_3_3_10_response_with_broadcast_via(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("SIP/2.0 200 OK\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923\r\n"
                          "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23\r\n"
                          "Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf\r\n"
                          "CSeq: 35 INVITE\r\n"
                          "From: sip:user@example.com;tag=11141343\r\n"
                          "To: sip:user@example.edu;tag=2229\r\n"
                          "Content-Length: 154\r\n"
                          "Content-Type: application/sdp\r\n"
                          "Contact: <sip:user@host28.example.com>\r\n"
                          "\r\n" SDP_BODY("192.0.2.198", "0 0")));
    assert_span_equal(j.core.via.host, "192.0.2.198");
}

static void test_3_3_11_max_forwards_of_zero(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("OPTIONS sip:user@example.com SIP/2.0\r\n"
                          "To: sip:user@example.com\r\n"
                          "From: sip:caller@example.net;tag=3ghsd41\r\n"
                          "Call-ID: zeromf.jfasdlfnm2o2l43r5u0asdfas\r\n"
                          "CSeq: 39234321 OPTIONS\r\n"
                          "Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw2349i\r\n"
                          "Max-Forwards: 0\r\n"
                          "Content-Length: 0\r\n"
                          "\r\n"));
    assert_int_equal(sip_check_uas(&j.m, SPAN(""), &j.why), 0);
    assert_int_equal(sip_check_proxy(&j.m, &j.core, SPAN(""), &j.why), FE_EREFUSED);
    assert_int_equal(j.why.status, 483);
}

static struct sip_contact only_contact(void)
{
    struct sip_list contacts = sip_list(&j.m, SIP_H_CONTACT);
    struct sip_contact contact;
    struct span value;
    assert_true(sip_list_next(&contacts, &value));
    assert_int_equal(sip_contact_parse(value, &contact), 0);
    assert_false(sip_list_next(&contacts, &value));
    return contact;
}

static void test_3_3_12_contact_header_parameter(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("REGISTER sip:example.com SIP/2.0\r\n"
                          "Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw\r\n"
                          "Max-Forwards: 70\r\n"
                          "From: sip:watson@example.com;tag=DkfVgjkrtMwaerKKpe\r\n"
                          "To: sip:watson@example.com\r\n"
                          "Call-ID: cparam01.70710@saturn.example.com\r\n"
                          "CSeq: 2 REGISTER\r\n"
                          "Contact: sip:+19725552222@gw1.example.net;unknownparam\r\n"
                          "l: 0\r\n"
                          "\r\n"));
    struct sip_contact contact = only_contact();
    assert_span_equal(contact.addr.uri, "sip:+19725552222@gw1.example.net");
    assert_true(sip_param(contact.addr.params, "unknownparam", NULL));
}

static void test_3_3_13_contact_uri_parameter(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("REGISTER sip:example.com SIP/2.0\r\n"
                          "Via: SIP/2.0/UDP saturn.example.com:5060;branch=z9hG4bKkdjuw\r\n"
                          "Max-Forwards: 70\r\n"
                          "From: sip:watson@example.com;tag=838293\r\n"
                          "To: sip:watson@example.com\r\n"
                          "Call-ID: cparam02.70710@saturn.example.com\r\n"
                          "CSeq: 3 REGISTER\r\n"
                          "Contact: <sip:+19725552222@gw1.example.net;unknownparam>\r\n"
                          "l: 0\r\n"
                          "\r\n"));
    struct sip_contact contact = only_contact();
    struct sip_uri uri;
    assert_int_equal(contact.addr.params.n, 0);
    assert_int_equal(sip_uri_parse(contact.addr.uri, &uri), 0);
    assert_true(sip_uri_param(&uri, "unknownparam", NULL));
}

static void test_3_3_14_contact_uri_with_escaped_header(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("REGISTER sip:example.com SIP/2.0\r\n"
                          "To: sip:user@example.com\r\n"
                          "From: sip:user@example.com;tag=8\r\n"
                          "Max-Forwards: 70\r\n"
                          "Call-ID: regescrt.k345asrl3fdbv@192.0.2.1\r\n"
                          "CSeq: 14398234 REGISTER\r\n"
                          "Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bKkdjuw\r\n"
                          "M: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>\r\n"
                          "L:0\r\n"
                          "\r\n"));
    struct sip_uri uri;
    assert_int_equal(sip_uri_parse(only_contact().addr.uri, &uri), 0);
    assert_span_equal(uri.headers, "Route=%3Csip:sip.example.com%3E");
}

static void test_3_3_15_unacceptable_accept(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("INVITE sip:user@example.com SIP/2.0\r\n"
                          "To: sip:j_user@example.com\r\n"
                          "Contact: <sip:caller@host15.example.net>\r\n"
                          "From: sip:caller@example.net;tag=234\r\n"
                          "Max-Forwards: 5\r\n"
                          "Call-ID: sdp01.ndaksdj9342dasdd\r\n"
                          "Accept: text/nobodyKnowsThis\r\n"
                          "CSeq: 8 INVITE\r\n"
                          "Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw\r\n"
                          "Content-Length: 150\r\n"
                          "Content-Type: application/sdp\r\n"
                          "\r\n" SDP_BODY("192.0.2.5", "0 0")));
    assert_true(sip_body_is(&j.m, "application", "sdp"));
    assert_false(sip_lists(&j.m, SIP_H_ACCEPT, "application/sdp")); /* what the user agent answers with 406 */
}

static void test_3_4_1_invite_of_rfc_2543(void **state)
{
    (void)state;
    assert_valid(&j, SPAN("INVITE sip:UserB@example.com SIP/2.0\r\n"
                          "Via: SIP/2.0/UDP iftgw.example.com\r\n"
                          "From: <sip:+13035551111@ift.client.example.net;user=phone>\r\n"
                          "Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>\r\n"
                          "To: sip:+16505552222@ss1.example.net;user=phone\r\n"
                          "Call-ID: inv2543.1717@ift.client.example.com\r\n"
                          "CSeq: 56 INVITE\r\n"
                          "Content-Type: application/sdp\r\n"
                          "\r\n"
                          "v=0\r\n"
                          "o=mhandley 29739 7272939 IN IP4 192.0.2.5\r\n"
                          "s=-\r\n"
                          "c=IN IP4 192.0.2.5\r\n"
                          "t=0 0\r\n"
                          "m=audio 49217 RTP/AVP 0\r\n"));
    assert_false(j.core.has_max_forwards);
    assert_int_equal(j.core.via.branch.n, 0);
    assert_int_equal(j.core.from.tag.n, 0);
    assert_true(j.m.body.n > 0); /* without Content-Length the body is the rest of the datagram */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_3_2_1_missing_transaction_identifier),
        cmocka_unit_test(test_3_3_1_missing_required_headers),
        cmocka_unit_test(test_3_3_2_request_uri_with_unknown_scheme),
        cmocka_unit_test(test_3_3_3_request_uri_with_atypical_scheme),
        cmocka_unit_test(test_3_3_4_unknown_schemes_in_headers),
        cmocka_unit_test(test_3_3_5_require_and_proxy_require),
        cmocka_unit_test(test_3_3_6_unknown_content_type),
        cmocka_unit_test(test_3_3_7_unknown_authorization_scheme),
        cmocka_unit_test(test_3_3_8_multiple_values_in_single_value_fields),
        cmocka_unit_test(test_3_3_9_multiple_content_lengths),
        cmocka_unit_test(test_3_3_10_response_with_broadcast_via),
        cmocka_unit_test(test_3_3_11_max_forwards_of_zero),
        cmocka_unit_test(test_3_3_12_contact_header_parameter),
        cmocka_unit_test(test_3_3_13_contact_uri_parameter),
        cmocka_unit_test(test_3_3_14_contact_uri_with_escaped_header),
        cmocka_unit_test(test_3_3_15_unacceptable_accept),
        cmocka_unit_test(test_3_4_1_invite_of_rfc_2543),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
