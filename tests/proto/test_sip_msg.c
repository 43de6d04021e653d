/* Framing, names and decoders of SIP messages (RFC 3261 §7, §20, §25), apart from the torture test's messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nodes/base/text.h"
#include "nodes/proto/sip_check.h"

static struct sip_msg m;
static struct sip_problem why;

#define assert_span_equal(span, text) assert_true(span_is((span), (text)))

#define HEAD                                                                                                           \
    "OPTIONS sip:a SIP/2.0\r\n"                                                                                        \
    "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"                                                                           \
    "From: <sip:a>;tag=1\r\n"                                                                                          \
    "To: <sip:b>\r\n"                                                                                                  \
    "Call-ID: c\r\n"                                                                                                   \
    "CSeq: 1 OPTIONS\r\n"

/* ---- names ---- */

static void test_every_header_name_leads_to_its_id(void **state)
{
    (void)state;
    for (unsigned id = SIP_H_OTHER + 1; id < SIP_HEADERS; id++) {
        char lower[32];
        struct span name = sip_header_name((enum sip_header_id)id);
        assert_int_equal(sip_header_id(name), id);
        assert_true(span_copy(name, lower, sizeof lower));
        for (char *c = lower; *c; c++)
            *c = (char)(*c | (*c == '-' ? 0 : 0x20));
        assert_int_equal(sip_header_id(span_of(lower)), id);
    }
}

static void test_rfc3261_7_3_3_compact_forms(void **state)
{
    (void)state;
    static const struct {
        const char *compact;
        enum sip_header_id id;
    } forms[] = {
        {"i", SIP_H_CALL_ID},
        {"m", SIP_H_CONTACT},
        {"e", SIP_H_CONTENT_ENCODING},
        {"l", SIP_H_CONTENT_LENGTH},
        {"c", SIP_H_CONTENT_TYPE},
        {"f", SIP_H_FROM},
        {"s", SIP_H_SUBJECT},
        {"k", SIP_H_SUPPORTED},
        {"T", SIP_H_TO},
        {"V", SIP_H_VIA},
        {"o", SIP_H_EVENT},
        {"u", SIP_H_ALLOW_EVENTS},
        {"x", SIP_H_SESSION_EXPIRES},
        {"r", SIP_H_REFER_TO},
        {"b", SIP_H_REFERRED_BY},
        {"z", SIP_H_OTHER},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        assert_int_equal(sip_header_id(span_of(forms[i].compact)), forms[i].id);
}

static void test_names_that_only_look_known_are_not(void **state)
{
    (void)state;
    static const char *const names[] = {"Vib", "Viaa", "Tu", "Call-IE", "X-Via", "Content-Lengti", "Contact2", "", "-"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(sip_header_id(span_of(names[i])), SIP_H_OTHER);
}

static void test_methods_are_case_sensitive(void **state)
{
    (void)state;
    for (unsigned method = SIP_EXTENSION_METHOD + 1; method < SIP_METHODS; method++)
        assert_int_equal(sip_method_id(sip_method_name((enum sip_method)method)), method);
    assert_int_equal(sip_method_id(SPAN("invite")), SIP_EXTENSION_METHOD);
}

static void test_unknown_statuses_take_the_phrase_of_their_class(void **state)
{
    (void)state;
    assert_span_equal(sip_reason_phrase(486), "Busy Here");
    assert_true(sip_reason_phrase(499).n > 0);
    assert_true(sip_reason_phrase(42).n > 0);
}

/* ---- framing ---- */

static void test_line_ends_before_the_message_are_skipped(void **state)
{
    (void)state;
    assert_int_equal(sip_parse(SPAN("\r\n\r\n" HEAD "\r\n"), &m, &why), 0);
    assert_int_equal(m.bytes.n, sizeof HEAD - 1 + 2);
    assert_int_equal(m.method, SIP_OPTIONS);
}

static void test_only_line_ends_is_no_message(void **state)
{
    (void)state;
    assert_int_equal(sip_parse(SPAN("\r\n\r\n"), &m, &why), FE_ESHORT);
    assert_int_equal(why.fault, SIP_FAULT_EMPTY);
    assert_int_equal(sip_parse(SPAN(""), &m, &why), FE_ESHORT);
    assert_int_equal(sip_parse((struct span){NULL, 0}, &m, &why), FE_ESHORT);
}

static void test_headers_that_do_not_end(void **state)
{
    (void)state;
    assert_int_equal(sip_parse(SPAN(HEAD), &m, &why), FE_ESHORT);
    assert_int_equal(why.fault, SIP_FAULT_TRUNCATED);
    assert_int_equal(why.status, 0);
}

static void test_bare_line_feeds_and_returns_are_refused(void **state)
{
    (void)state;
    assert_int_equal(sip_parse(SPAN(HEAD "Subject: a\nFoo: b\r\n\r\n"), &m, &why), FE_ESYNTAX);
    assert_int_equal(why.fault, SIP_FAULT_LINE_END);
    assert_int_equal(why.status, 400);
    assert_int_equal(sip_parse(SPAN(HEAD "Subject: a\rFoo: b\r\n\r\n"), &m, &why), FE_ESYNTAX);
    assert_int_equal(why.fault, SIP_FAULT_LINE_END);
}

/* The line "Subject: " with `filling`, and `odd` at its place in it; then "X: y". */
static int parse_with(size_t filling, size_t place, char odd)
{
    char buffer[512];
    char value[64];
    memset(value, 'a', sizeof value);
    if (place < filling)
        value[place] = odd;
    struct text t = text_on(buffer, sizeof buffer);
    text_str(&t, HEAD "Subject: ");
    text_put(&t, (struct span){value, filling});
    text_str(&t, "\r\nX: y\r\n\r\n");
    return sip_parse((struct span){buffer, t.n}, &m, &why);
}

static void test_line_ends_are_found_wherever_they_stand(void **state)
{
    (void)state;
    for (size_t filling = 1; filling < 40; filling++) {
        for (size_t place = 0; place < filling; place++) {
            assert_int_equal(parse_with(filling, place, '\t'), 0);
            assert_int_equal(m.n_headers, 7);
            assert_int_equal(parse_with(filling, place, (char)0x8d), 0); /* a CR but for its top bit */
            assert_int_equal(m.headers[5].value.n, filling);
            assert_int_equal(parse_with(filling, place, '\n'), FE_ESYNTAX);
            assert_int_equal(why.fault, SIP_FAULT_LINE_END);
            /* A CR before the line's own is as bare as any other. */
            assert_int_equal(parse_with(filling, place, '\r'), FE_ESYNTAX);
            assert_int_equal(why.fault, SIP_FAULT_LINE_END);
        }
    }
}

static void test_a_fault_names_its_place(void **state)
{
    (void)state;
    assert_int_equal(sip_parse(SPAN(HEAD "no colon\r\n\r\n"), &m, &why), FE_ESYNTAX);
    assert_int_equal(why.fault, SIP_FAULT_HEADER_NAME);
    assert_int_equal(why.offset, sizeof HEAD - 1);
    assert_span_equal(why.about, "no colon");
}

static void test_as_many_headers_as_there_is_room_for(void **state)
{
    (void)state;
    static char buffer[4096];
    for (size_t count = SIP_MAX_HEADERS; count <= SIP_MAX_HEADERS + 1; count++) {
        struct text t = text_on(buffer, sizeof buffer);
        text_str(&t, HEAD);
        for (size_t i = 5; i < count; i++)
            text_str(&t, "Foo: y\r\n");
        text_str(&t, "\r\n");
        int error = sip_parse(text_span(&t), &m, &why);
        assert_int_equal(error, count > SIP_MAX_HEADERS ? FE_ERANGE : 0);
        assert_int_equal(m.n_headers, SIP_MAX_HEADERS);
    }
    assert_int_equal(why.status, 513);
}

static void test_rfc3261_18_3_body_is_as_long_as_content_length_says(void **state)
{
    (void)state;
    assert_int_equal(sip_parse(SPAN(HEAD "Content-Length: 2\r\n\r\nbody"), &m, &why), 0);
    assert_span_equal(m.body, "bo");
    assert_int_equal(sip_parse(SPAN(HEAD "\r\nbody"), &m, &why), 0);
    assert_span_equal(m.body, "body");
}

static void test_folds_stay_in_the_value_and_can_be_undone(void **state)
{
    (void)state;
    char value[32];
    assert_int_equal(sip_parse(SPAN(HEAD "Subject: a\r\n  b\r\n\tc\r\n\r\n"), &m, &why), 0);
    assert_span_equal(sip_value(&m, SIP_H_SUBJECT), "a\r\n  b\r\n\tc");
    assert_int_equal(sip_unfold(sip_value(&m, SIP_H_SUBJECT), value, sizeof value), 0);
    assert_string_equal(value, "a b c");
    assert_int_equal(sip_unfold(sip_value(&m, SIP_H_SUBJECT), value, 5), FE_ERANGE);
}

static void test_status_lines(void **state)
{
    (void)state;
    assert_int_equal(sip_parse(SPAN("sip/2.0 486 Busy  Here\r\nCSeq: 7 INVITE\r\n\r\n"), &m, &why), 0);
    assert_int_equal(m.status, 486);
    assert_span_equal(m.reason, "Busy  Here");
    assert_int_equal(m.method, SIP_INVITE);
    static const char *const bad[] = {"SIP/2.0 099 x\r\n\r\n", "SIP/2.0 700 x\r\n\r\n", "SIP/2.0 20 x\r\n\r\n",
                                      "SIP/2.0 200\r\n\r\n", "SIP/3.0 200 OK\r\n\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(sip_parse(span_of(bad[i]), &m, &why), FE_ESYNTAX);
        assert_int_equal(why.status, 0);
    }
}

/* ---- streams (RFC 3261 §18.3) ---- */

static void test_stream_is_cut_into_its_messages(void **state)
{
    (void)state;
    static const char stream[] = "\r\n\r\n" HEAD "l: 4\r\n\r\nbody" HEAD "l: 0\r\n\r\n";
    size_t used;
    struct span rest = SPAN(stream);
    assert_int_equal(sip_parse_stream(rest, 4096, &m, &why, &used), 0);
    assert_span_equal(m.body, "body");
    rest = (struct span){rest.p + used, rest.n - used};
    assert_int_equal(sip_parse_stream(rest, 4096, &m, &why, &used), 0);
    assert_int_equal(m.body.n, 0);
    assert_int_equal(used, rest.n);
}

static void test_stream_waits_for_every_missing_byte(void **state)
{
    (void)state;
    static const char stream[] = "\r\n" HEAD "l: 4\r\n\r\nbody";
    size_t used;
    for (size_t n = 0; n < sizeof stream - 1; n++) {
        assert_int_equal(sip_parse_stream((struct span){stream, n}, 4096, &m, &why, &used), FE_EAGAIN);
        assert_int_equal(used, n < 2 ? 0 : 2);
    }
    assert_int_equal(sip_parse_stream(SPAN(stream), 4096, &m, &why, &used), 0);
}

static void test_stream_without_usable_length_cannot_go_on(void **state)
{
    (void)state;
    size_t used;
    assert_int_equal(sip_parse_stream(SPAN(HEAD "\r\n"), 4096, &m, &why, &used), FE_ESYNTAX);
    assert_int_equal(used, 0);
    assert_int_equal(why.status, 400);
    assert_int_equal(sip_parse_stream(SPAN(HEAD "l: 5000\r\n\r\n"), 4096, &m, &why, &used), FE_ERANGE);
    assert_int_equal(used, 0);
    assert_int_equal(sip_parse_stream(SPAN(HEAD), 64, &m, &why, &used), FE_ERANGE);
    assert_int_equal(used, 0);
}

/* ---- decoders ---- */

static void test_addresses(void **state)
{
    (void)state;
    struct sip_addr addr;
    assert_int_equal(sip_addr_parse(SPAN("\"A, <B>\" <sip:a@b;x=y>;tag=t;p"), &addr), 0);
    assert_span_equal(addr.display, "A, <B>");
    assert_span_equal(addr.uri, "sip:a@b;x=y");
    assert_span_equal(addr.tag, "t");
    assert_true(sip_param(addr.params, "P", NULL));
    assert_int_equal(sip_addr_parse(SPAN("sip:a@b;tag=t"), &addr), 0);
    assert_span_equal(addr.uri, "sip:a@b");
    assert_false(addr.bracketed);
}

static void test_addresses_that_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "<>",
                                      "<sip:a@b",
                                      "sip:a,b",
                                      "sip:a@b;",
                                      "<sip:a>tag",
                                      "<sip:a>;tag=",
                                      "<sip:a>;tag=\"x\"",
                                      "<sip:a>;tag=1;tag=2",
                                      "a b",
                                      "<sip:>",
                                      "\"a\" sip:b",
                                      "<sip:a>;=x",
                                      "<sip:a>;x=\"y"};
    struct sip_addr addr;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sip_addr_parse(span_of(bad[i]), &addr), FE_ESYNTAX);
}

static void test_contacts(void **state)
{
    (void)state;
    struct sip_contact c;
    assert_int_equal(sip_contact_parse(SPAN("<sip:101@192.168.1.20>;q=0.5;expires=60;reg-id=2"
                                            ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-00085d123456>\""),
                                       &c),
                     0);
    assert_int_equal(c.q, 500);
    assert_true(c.has_expires);
    assert_int_equal(c.expires, 60);
    assert_int_equal(c.reg_id, 2);
    assert_span_equal(c.instance, "<urn:uuid:00000000-0000-1000-8000-00085d123456>");
    assert_int_equal(sip_contact_parse(SPAN("*"), &c), 0);
    assert_true(c.star);
    assert_int_equal(sip_contact_parse(SPAN("<sip:a>;q=1.001"), &c), FE_ESYNTAX);
    assert_int_equal(sip_contact_parse(SPAN("<sip:a>;reg-id=0"), &c), FE_ESYNTAX);
    assert_int_equal(sip_contact_parse(SPAN("<sip:a>;expires=soon"), &c), 0);
    assert_false(c.has_expires);
}

static void test_vias(void **state)
{
    (void)state;
    struct sip_via via;
    assert_int_equal(sip_via_parse(SPAN("SIP/2.0/UDP 192.168.1.20:5062;branch=z9hG4bKx;rport=40000"
                                        ";received=203.0.113.7;ttl=16;maddr=224.2.0.1;alias"),
                                   &via),
                     0);
    assert_int_equal(via.transport, SIP_UDP);
    assert_int_equal(via.port, 5062);
    assert_int_equal(via.rport, 40000);
    assert_span_equal(via.received, "203.0.113.7");
    assert_span_equal(via.maddr, "224.2.0.1");
    assert_int_equal(via.ttl, 16);
    assert_true(via.alias && via.has_rport && via.has_ttl);
    assert_int_equal(sip_via_parse(SPAN("SIP/2.0/TLS [2001:db8::9:1]:5061;received=2001:db8::9:255"), &via), 0);
    assert_span_equal(via.host, "[2001:db8::9:1]");
}

static void test_vias_that_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "SIP/2.0/UDP",
                                      "SIP/2.0 UDP host",
                                      "SIP/2.0/UDP host:0",
                                      "SIP/2.0/UDP host:70000",
                                      "SIP/2.0/UDP host:",
                                      "SIP/2.0/UDP a_b",
                                      "SIP/2.0/UDP h;branch=\"x\"",
                                      "SIP/2.0/UDP h;rport=0",
                                      "SIP/2.0/UDP h;ttl=256",
                                      "SIP/2.0/UDP h;received"};
    struct sip_via via;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(sip_via_parse(span_of(bad[i]), &via), FE_ESYNTAX);
}

static void test_numbers_keep_to_their_range(void **state)
{
    (void)state;
    uint32_t number = 7;
    assert_int_equal(sip_number_parse(SPAN("4294967295"), UINT32_MAX, &number), 0);
    assert_int_equal(number, UINT32_MAX);
    assert_int_equal(sip_number_parse(SPAN("4294967296"), UINT32_MAX, &number), FE_ERANGE);
    assert_int_equal(sip_number_parse(SPAN("99999999999999999999999999"), UINT32_MAX, &number), FE_ERANGE);
    assert_int_equal(sip_number_parse(SPAN("9999999999999999999999999x"), UINT32_MAX, &number), FE_ESYNTAX);
    assert_int_equal(sip_number_parse(SPAN("0000000000000000000000000070"), 255, &number), 0);
    assert_int_equal(number, 70);
    assert_int_equal(sip_number_parse(SPAN("-1"), UINT32_MAX, &number), FE_ESYNTAX);
    assert_int_equal(sip_number_parse(SPAN(""), UINT32_MAX, &number), FE_ESYNTAX);
}

static void test_rfc3261_20_33_retry_after(void **state)
{
    (void)state;
    uint32_t seconds;
    struct span params;
    assert_int_equal(sip_delta_parse(SPAN("18000 (I'm in a (long) meeting) ;duration=3600"), &seconds, &params), 0);
    assert_int_equal(seconds, 18000);
    assert_true(sip_param(params, "duration", NULL));
    assert_int_equal(sip_delta_parse(SPAN("120 (open"), &seconds, &params), FE_ESYNTAX);
}

static void test_commas_in_quotes_and_brackets_do_not_separate(void **state)
{
    (void)state;
    static const char *const values[] = {"\"a, \\\"b\" <sip:x,y@h>", "<sip:p;lr>", "<sip:q>"};
    struct span value;
    assert_int_equal(
        sip_parse(SPAN(HEAD "Route: \"a, \\\"b\" <sip:x,y@h> , <sip:p;lr>\r\nRoute:<sip:q>\r\n\r\n"), &m, &why), 0);
    struct sip_list routes = sip_list(&m, SIP_H_ROUTE);
    for (size_t i = 0; i < 3; i++) {
        assert_true(sip_list_next(&routes, &value));
        assert_span_equal(value, values[i]);
    }
    assert_false(sip_list_next(&routes, &value));
}

/* ---- checks ---- */

static enum sip_fault fault_of(const char *headers)
{
    static char buffer[1024];
    struct sip_core core;
    struct text t = text_on(buffer, sizeof buffer);
    text_str(&t, HEAD);
    text_str(&t, headers);
    text_str(&t, "\r\n");
    assert_int_equal(sip_parse(text_span(&t), &m, &why), 0);
    int error = sip_check(&m, &core, &why);
    return error ? why.fault : SIP_FINE;
}

static void test_check_finds_what_is_wrong_in_known_headers(void **state)
{
    (void)state;
    assert_int_equal(fault_of("Supported:\r\nAllow: INVITE,ACK\r\nFoo: ;;,\r\n"), SIP_FINE);
    assert_int_equal(fault_of("Route: sip:p\r\n"), SIP_FAULT_ROUTE);
    assert_int_equal(fault_of("Record-Route:\r\n"), SIP_FAULT_ROUTE);
    assert_int_equal(fault_of("Require: a b\r\n"), SIP_FAULT_OPTION_TAG);
    assert_int_equal(fault_of("Expires: soon\r\n"), SIP_FAULT_EXPIRES);
    assert_int_equal(fault_of("Expires: 1\r\nExpires: 1\r\n"), SIP_FAULT_REPEATED);
    assert_int_equal(fault_of("Contact: *\r\n"), SIP_FAULT_CONTACT);
    assert_int_equal(fault_of("Max-Forwards: 256\r\n"), SIP_FAULT_MAX_FORWARDS);
    assert_int_equal(fault_of("To: <sip:c>\r\n"), SIP_FAULT_REPEATED);
    assert_int_equal(fault_of("Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"), SIP_FINE);
    assert_int_equal(fault_of("Event: ;x\r\n"), SIP_FAULT_HEADER);
}

static void test_rfc3261_10_2_2_star_needs_register_and_expires_zero(void **state)
{
    (void)state;
    static const char head[] = "REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:a>\r\n"
                               "Call-ID: c\r\nCSeq: 1 REGISTER\r\nContact: *\r\n";
    static const struct {
        const char *rest;
        int error;
    } cases[] = {{"Expires: 0\r\n\r\n", 0},
                 {"Expires: 1\r\n\r\n", FE_ESYNTAX},
                 {"\r\n", FE_ESYNTAX},
                 {"Contact: <sip:b>\r\nExpires: 0\r\n\r\n", FE_ESYNTAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char buffer[512];
        struct sip_core core;
        struct text t = text_on(buffer, sizeof buffer);
        text_str(&t, head);
        text_str(&t, cases[i].rest);
        assert_int_equal(sip_parse(text_span(&t), &m, &why), 0);
        assert_int_equal(sip_check(&m, &core, &why), cases[i].error);
    }
}

static void test_rfc3261_20_15_a_body_has_a_type(void **state)
{
    (void)state;
    struct sip_core core;
    assert_int_equal(sip_parse(SPAN(HEAD "\r\nbody"), &m, &why), 0);
    assert_int_equal(sip_check(&m, &core, &why), FE_ESYNTAX);
    assert_int_equal(why.fault, SIP_FAULT_CONTENT_TYPE);
}

static void test_nobody_answers_an_ack(void **state)
{
    (void)state;
    struct sip_core core;
    assert_int_equal(sip_parse(SPAN("ACK sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n"), &m, &why), 0);
    assert_int_equal(sip_check(&m, &core, &why), FE_ESYNTAX);
    assert_int_equal(why.status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_header_name_leads_to_its_id),
        cmocka_unit_test(test_rfc3261_7_3_3_compact_forms),
        cmocka_unit_test(test_names_that_only_look_known_are_not),
        cmocka_unit_test(test_methods_are_case_sensitive),
        cmocka_unit_test(test_unknown_statuses_take_the_phrase_of_their_class),
        cmocka_unit_test(test_line_ends_before_the_message_are_skipped),
        cmocka_unit_test(test_only_line_ends_is_no_message),
        cmocka_unit_test(test_headers_that_do_not_end),
        cmocka_unit_test(test_bare_line_feeds_and_returns_are_refused),
        cmocka_unit_test(test_line_ends_are_found_wherever_they_stand),
        cmocka_unit_test(test_a_fault_names_its_place),
        cmocka_unit_test(test_as_many_headers_as_there_is_room_for),
        cmocka_unit_test(test_rfc3261_18_3_body_is_as_long_as_content_length_says),
        cmocka_unit_test(test_folds_stay_in_the_value_and_can_be_undone),
        cmocka_unit_test(test_status_lines),
        cmocka_unit_test(test_stream_is_cut_into_its_messages),
        cmocka_unit_test(test_stream_waits_for_every_missing_byte),
        cmocka_unit_test(test_stream_without_usable_length_cannot_go_on),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_addresses_that_are_refused),
        cmocka_unit_test(test_contacts),
        cmocka_unit_test(test_vias),
        cmocka_unit_test(test_vias_that_are_refused),
        cmocka_unit_test(test_numbers_keep_to_their_range),
        cmocka_unit_test(test_rfc3261_20_33_retry_after),
        cmocka_unit_test(test_commas_in_quotes_and_brackets_do_not_separate),
        cmocka_unit_test(test_check_finds_what_is_wrong_in_known_headers),
        cmocka_unit_test(test_rfc3261_10_2_2_star_needs_register_and_expires_zero),
        cmocka_unit_test(test_rfc3261_20_15_a_body_has_a_type),
        cmocka_unit_test(test_nobody_answers_an_ack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
