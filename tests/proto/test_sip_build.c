/* Writing messages: responses, ACK and CANCEL from the request they belong to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nodes/proto/sip_build.h"

static const char invite[] = "INVITE sip:102@sbc SIP/2.0\r\n"
                             "Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKa;rport\r\n"
                             "Via: SIP/2.0/UDP second;branch=z9hG4bKb, SIP/2.0/UDP third\r\n"
                             "Record-Route: <sip:p1;lr>\r\n"
                             "Route: <sip:p2;lr>\r\n"
                             "Max-Forwards: 69\r\n"
                             "From: <sip:101@sbc>;tag=1\r\n"
                             "t: <sip:102@sbc> \r\n"
                             "Call-ID: c\r\n"
                             "CSeq: 7 INVITE\r\n"
                             "Timestamp: 54\r\n"
                             "Content-Length: 0\r\n"
                             "\r\n";

static struct sip_msg m;
static char buffer[2048];
static struct text out;

static void parse_invite(void **state)
{
    (void)state;
    assert_int_equal(sip_parse(SPAN(invite), &m, NULL), 0);
    out = text_on(buffer, sizeof buffer);
}

#define VIAS_REST "Via: SIP/2.0/UDP second;branch=z9hG4bKb, SIP/2.0/UDP third\r\n"

static void test_rfc3261_8_2_6_response(void **state)
{
    parse_invite(state);
    sip_put_response(&out, &m, 200, SPAN(""), SPAN("99"), (struct endpoint){IPV4(203, 0, 113, 7), 40000});
    sip_put_end(&out);
    assert_string_equal(
        buffer, "SIP/2.0 200 OK\r\n"
                "Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKa;rport=40000;received=203.0.113.7\r\n" VIAS_REST
                "Record-Route: <sip:p1;lr>\r\n"
                "From: <sip:101@sbc>;tag=1\r\n"
                "t: <sip:102@sbc>;tag=99 \r\n"
                "Call-ID: c\r\n"
                "CSeq: 7 INVITE\r\n"
                "Content-Length: 0\r\n\r\n");
}

static void test_rfc3261_8_2_6_1_trying_has_timestamp_and_no_tag(void **state)
{
    parse_invite(state);
    sip_put_response(&out, &m, 100, SPAN(""), SPAN("99"), (struct endpoint){0, 0});
    sip_put_end(&out);
    assert_string_equal(buffer, "SIP/2.0 100 Trying\r\n"
                                "Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKa;rport\r\n" VIAS_REST
                                "From: <sip:101@sbc>;tag=1\r\n"
                                "t: <sip:102@sbc> \r\n"
                                "Call-ID: c\r\n"
                                "CSeq: 7 INVITE\r\n"
                                "Timestamp: 54\r\n"
                                "Content-Length: 0\r\n\r\n");
}

static void test_broken_requests_are_answered_with_what_they_have(void **state)
{
    (void)state;
    struct sip_problem why;
    assert_int_equal(sip_parse(SPAN("INVITE sip:a b SIP/2.0\r\nVia: ;;\r\nTo: \"x\r\nCSeq: z\r\n\r\n"), &m, &why),
                     FE_ESYNTAX);
    assert_int_equal(why.status, 400);
    out = text_on(buffer, sizeof buffer);
    sip_put_response(&out, &m, why.status, SPAN("So Not"), SPAN("99"), (struct endpoint){IPV4(1, 2, 3, 4), 5});
    sip_put_end(&out);
    assert_string_equal(buffer, "SIP/2.0 400 So Not\r\nVia: ;;\r\nTo: \"x\r\nCSeq: z\r\nContent-Length: 0\r\n\r\n");
}

static void test_rfc3261_17_1_1_3_ack(void **state)
{
    static struct sip_msg response;
    parse_invite(state);
    assert_int_equal(sip_parse(SPAN("SIP/2.0 486 Busy Here\r\nTo: <sip:102@sbc>;tag=99\r\n\r\n"), &response, NULL), 0);
    sip_put_ack(&out, &m, &response);
    assert_string_equal(buffer, "ACK sip:102@sbc SIP/2.0\r\n"
                                "Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKa;rport\r\n"
                                "Route: <sip:p2;lr>\r\n"
                                "Max-Forwards: 70\r\n"
                                "From: <sip:101@sbc>;tag=1\r\n"
                                "To: <sip:102@sbc>;tag=99\r\n"
                                "Call-ID: c\r\n"
                                "CSeq: 7 ACK\r\n"
                                "Content-Length: 0\r\n\r\n");
}

static void test_rfc3261_9_1_cancel(void **state)
{
    parse_invite(state);
    sip_put_cancel(&out, &m);
    assert_string_equal(buffer, "CANCEL sip:102@sbc SIP/2.0\r\n"
                                "Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKa;rport\r\n"
                                "Route: <sip:p2;lr>\r\n"
                                "Max-Forwards: 70\r\n"
                                "From: <sip:101@sbc>;tag=1\r\n"
                                "t: <sip:102@sbc> \r\n"
                                "Call-ID: c\r\n"
                                "CSeq: 7 CANCEL\r\n"
                                "Content-Length: 0\r\n\r\n");
}

static void test_a_request_from_scratch(void **state)
{
    (void)state;
    struct sip_core core;
    struct sip_problem why;
    out = text_on(buffer, sizeof buffer);
    sip_put_request_line(&out, SPAN("MESSAGE"), SPAN("sip:102@sbc"));
    sip_put_via(&out, SIP_UDP, (struct endpoint){IPV4(192, 168, 1, 20), 5060}, SPAN("z9hG4bKa"), true, false, false);
    sip_put_number(&out, SIP_H_MAX_FORWARDS, SIP_MAX_FORWARDS);
    sip_put_addr(&out, SIP_H_FROM, SPAN("A \"quoted\" \\ name"), SPAN("sip:101@sbc"), SPAN("1"));
    sip_put_addr(&out, SIP_H_TO, SPAN(""), SPAN("sip:102@sbc"), SPAN(""));
    sip_put(&out, SIP_H_CALL_ID, SPAN("c"));
    sip_put_cseq(&out, 7, SPAN("MESSAGE"));
    sip_put_named(&out, SPAN("X-Own"), SPAN("y"));
    sip_put_body(&out, SPAN("text/plain"), SPAN("hi"));
    assert_true(text_ok(&out));
    assert_int_equal(sip_parse(text_span(&out), &m, &why), 0);
    assert_int_equal(sip_check(&m, &core, &why), 0);
    assert_true(span_is(core.from.display, "A \\\"quoted\\\" \\\\ name"));
    assert_true(core.via.has_rport);
    assert_true(span_is(m.body, "hi"));
}

static void test_rfc3261_18_2_2_where_responses_go(void **state)
{
    (void)state;
    static const struct {
        const char *via;
        struct endpoint at;
    } cases[] = {
        {"SIP/2.0/UDP 192.0.2.1", {IPV4(192, 0, 2, 1), 5060}},
        {"SIP/2.0/TLS 192.0.2.1", {IPV4(192, 0, 2, 1), 5061}},
        {"SIP/2.0/UDP 192.0.2.1:5070", {IPV4(192, 0, 2, 1), 5070}},
        {"SIP/2.0/UDP host:5070;received=192.0.2.2", {IPV4(192, 0, 2, 2), 5070}},
        {"SIP/2.0/UDP 10.0.0.1:5070;received=192.0.2.2;rport=40000", {IPV4(192, 0, 2, 2), 40000}},
        {"SIP/2.0/UDP 10.0.0.1;maddr=224.2.0.1;received=192.0.2.2;rport=40000", {IPV4(224, 2, 0, 1), 5060}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sip_via via;
        struct endpoint at;
        assert_int_equal(sip_via_parse(span_of(cases[i].via), &via), 0);
        assert_int_equal(sip_response_target(&via, &at), 0);
        assert_true(endpoint_equal(at, cases[i].at));
    }
    struct sip_via via;
    struct endpoint at;
    assert_int_equal(sip_via_parse(SPAN("SIP/2.0/UDP host"), &via), 0);
    assert_int_equal(sip_response_target(&via, &at), FE_EUNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3261_8_2_6_response),
        cmocka_unit_test(test_rfc3261_8_2_6_1_trying_has_timestamp_and_no_tag),
        cmocka_unit_test(test_broken_requests_are_answered_with_what_they_have),
        cmocka_unit_test(test_rfc3261_17_1_1_3_ack),
        cmocka_unit_test(test_rfc3261_9_1_cancel),
        cmocka_unit_test(test_a_request_from_scratch),
        cmocka_unit_test(test_rfc3261_18_2_2_where_responses_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
