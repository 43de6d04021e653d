/* Copies of messages with edits: what was asked for changes, every other byte stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nodes/proto/sip_check.h"
#include "nodes/proto/sip_edit.h"

static struct sip_msg m;
static struct sip_core core;
static struct sip_edit edit;
static char buffer[2048];
static struct text out;

static void begin(const char *message)
{
    assert_int_equal(sip_parse(span_of(message), &m, NULL), 0);
    assert_int_equal(sip_core(&m, &core, NULL), 0);
    sip_edit_begin(&edit, &m);
}

static void assert_written(const char *expected)
{
    out = text_on(buffer, sizeof buffer);
    assert_int_equal(sip_edit_write(&edit, &out), 0);
    assert_string_equal(buffer, expected);
}

#define START "INVITE sip:102@a SIP/2.0\r\n"
#define VIA   "v : SIP/2.0/UDP 192.168.1.20:5060 ;branch=z9hG4bKa ; rport\r\n"
#define MIDDLE                                                                                                         \
    "From:<sip:101@a>;tag=1\r\n"                                                                                       \
    "To: <sip:102@a>\r\n"                                                                                              \
    "X-Own:  kept ,as it is \r\n"                                                                                      \
    "Call-ID: c\r\n"                                                                                                   \
    "CSeq: 1  INVITE\r\n"

/* A proxy's work on a request (RFC 3261 §16.6). */
static void test_forwarding_a_request(void **state)
{
    (void)state;
    begin(START VIA "Max-Forwards:  70\r\n" MIDDLE "Route: <sip:p1;lr> ,  <sip:p2;lr>\r\nl: 0\r\n\r\n");
    sip_edit_received(&edit, &core.via, (struct endpoint){IPV4(203, 0, 113, 7), 40000});
    sip_edit_uri(&edit, SPAN("sip:102@10.0.1.31:5060"));
    sip_edit_pop(&edit, SIP_H_ROUTE, 1);
    sip_edit_prepend(&edit, SIP_H_VIA, SPAN("SIP/2.0/UDP 203.0.113.10;branch=z9hG4bKb"));
    sip_edit_prepend(&edit, SIP_H_RECORD_ROUTE, SPAN("<sip:203.0.113.10;lr>"));
    sip_edit_number(&edit, SIP_H_MAX_FORWARDS, core.max_forwards - 1u);
    assert_written("INVITE sip:102@10.0.1.31:5060 SIP/2.0\r\n"
                   "Via: SIP/2.0/UDP 203.0.113.10;branch=z9hG4bKb\r\n"
                   "v : SIP/2.0/UDP 192.168.1.20:5060 ;branch=z9hG4bKa ; rport=40000;received=203.0.113.7\r\n"
                   "Record-Route: <sip:203.0.113.10;lr>\r\n"
                   "Max-Forwards:  69\r\n" MIDDLE "Route: <sip:p2;lr>\r\nl: 0\r\n\r\n");
}

/* And on a response (§16.7 item 3). */
static void test_forwarding_a_response_takes_off_a_via(void **state)
{
    (void)state;
    begin("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP p;branch=z9hG4bKb\r\n" VIA MIDDLE "\r\n");
    sip_edit_pop(&edit, SIP_H_VIA, 1);
    assert_written("SIP/2.0 200 OK\r\n" VIA MIDDLE "\r\n");
}

static void test_popping_over_the_end_of_a_line(void **state)
{
    (void)state;
    begin(START VIA MIDDLE "Route: <sip:p1>\r\nSubject: x\r\nRoute: <sip:p2>,<sip:p3>,\r\n <sip:p4>\r\n\r\n");
    sip_edit_pop(&edit, SIP_H_ROUTE, 2);
    assert_written(START VIA MIDDLE "Subject: x\r\nRoute: <sip:p3>,\r\n <sip:p4>\r\n\r\n");
    begin(START VIA MIDDLE "Route: <sip:p1>,<sip:p2>\r\nRoute: <sip:p3>\r\n\r\n");
    sip_edit_pop(&edit, SIP_H_ROUTE, 9);
    assert_written(START VIA MIDDLE "\r\n");
}

static void test_rfc3261_18_2_1_received(void **state)
{
    (void)state;
    static const struct {
        const char *via;
        const char *expected;
        struct endpoint from;
    } cases[] = {
        {"Via: SIP/2.0/UDP 192.0.2.1\r\n", "Via: SIP/2.0/UDP 192.0.2.1\r\n", {IPV4(192, 0, 2, 1), 9}},
        {"Via: SIP/2.0/UDP 192.0.2.1\r\n",
         "Via: SIP/2.0/UDP 192.0.2.1;received=192.0.2.2\r\n",
         {IPV4(192, 0, 2, 2), 9}},
        {"Via: SIP/2.0/UDP host\r\n", "Via: SIP/2.0/UDP host;received=192.0.2.2\r\n", {IPV4(192, 0, 2, 2), 9}},
        {"Via: SIP/2.0/UDP 192.0.2.1;rport;x\r\n",
         "Via: SIP/2.0/UDP 192.0.2.1;rport=9;x;received=192.0.2.1\r\n",
         {IPV4(192, 0, 2, 1), 9}},
        {"Via: SIP/2.0/UDP h;received=1.1.1.1;rport=1,SIP/2.0/UDP i\r\n",
         "Via: SIP/2.0/UDP h;received=192.0.2.2;rport=9,SIP/2.0/UDP i\r\n",
         {IPV4(192, 0, 2, 2), 9}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[512];
        char expected[512];
        struct text in = text_on(message, sizeof message);
        struct text want = text_on(expected, sizeof expected);
        text_str(&in, START);
        text_str(&in, cases[i].via);
        text_str(&in, MIDDLE "\r\n");
        text_str(&want, START);
        text_str(&want, cases[i].expected);
        text_str(&want, MIDDLE "\r\n");
        begin(message);
        sip_edit_received(&edit, &core.via, cases[i].from);
        assert_written(expected);
    }
}

static void test_set_append_and_remove(void **state)
{
    (void)state;
    begin(START VIA MIDDLE "m: <sip:1>\r\nExpires: 1\r\nContact: <sip:2>\r\nSubject:\r\n\r\n");
    sip_edit_set(&edit, SIP_H_CONTACT, SPAN("<sip:3>"));
    sip_edit_set(&edit, SIP_H_SUBJECT, SPAN("x"));
    sip_edit_set(&edit, SIP_H_USER_AGENT, SPAN("farend"));
    sip_edit_remove(&edit, SIP_H_EXPIRES);
    sip_edit_append(&edit, SIP_H_VIA, SPAN("SIP/2.0/UDP last"));
    assert_written(START VIA "Via: SIP/2.0/UDP last\r\n" MIDDLE
                             "m: <sip:3>\r\nSubject:x\r\nUser-Agent: farend\r\n\r\n");
}

static void test_a_new_body_has_its_length(void **state)
{
    (void)state;
    begin(START VIA MIDDLE "c: application/sdp\r\nl: 3\r\n\r\nold");
    sip_edit_body(&edit, SPAN(""), SPAN("a new body"));
    assert_written(START VIA MIDDLE "c: application/sdp\r\nl: 10\r\n\r\na new body");
}

static void test_a_body_where_there_was_none(void **state)
{
    (void)state;
    begin(START VIA MIDDLE "\r\n");
    sip_edit_body(&edit, SPAN("text/plain"), SPAN("hi"));
    assert_written(START VIA MIDDLE "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
}

static void test_no_body_where_there_was_one(void **state)
{
    (void)state;
    begin(START VIA MIDDLE "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
    sip_edit_body(&edit, SPAN(""), SPAN(""));
    assert_written(START VIA MIDDLE "Content-Length: 0\r\n\r\n");
}

static void test_edits_that_cannot_be_written(void **state)
{
    (void)state;
    char small[32];
    struct text t = text_on(small, sizeof small);
    begin(START VIA MIDDLE "Subject: x\r\n\r\n");
    assert_int_equal(sip_edit_write(&edit, &t), FE_ERANGE);
    sip_edit_remove(&edit, SIP_H_SUBJECT);
    sip_edit_set(&edit, SIP_H_SUBJECT, SPAN("y"));
    out = text_on(buffer, sizeof buffer);
    assert_int_equal(sip_edit_write(&edit, &out), FE_EUSED);
    sip_edit_begin(&edit, &m);
    for (size_t i = 0; i <= SPLICE_MAX; i++)
        sip_edit_replace(&edit, (struct span){m.blank.p, 0}, SPAN("x"));
    out = text_on(buffer, sizeof buffer);
    assert_int_equal(sip_edit_write(&edit, &out), FE_ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forwarding_a_request),
        cmocka_unit_test(test_forwarding_a_response_takes_off_a_via),
        cmocka_unit_test(test_popping_over_the_end_of_a_line),
        cmocka_unit_test(test_rfc3261_18_2_1_received),
        cmocka_unit_test(test_set_append_and_remove),
        cmocka_unit_test(test_a_new_body_has_its_length),
        cmocka_unit_test(test_a_body_where_there_was_none),
        cmocka_unit_test(test_no_body_where_there_was_one),
        cmocka_unit_test(test_edits_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
