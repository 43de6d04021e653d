/* Framing on streams: whatever the portions, the same events. */
#include "nodes/base/error.h"
#include "nodes/base/text.h"
#include "nodes/proto/sip_stream.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define OPTIONS "OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKa\r\nCSeq: 1 OPTIONS\r\n"
#define OK      "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKa\r\nCSeq: 1 OPTIONS\r\n"

enum { MAX = 1024, LOG = 4096 };

static struct sip_msg m;
static struct sip_problem why;

/* What came out, as a text: "ping ", "pong ", "OPTIONS:body ", "200:body ", "bad ", and the error that ended it. */
struct log {
    char buf[LOG];
    struct text text;
    bool pong_due;
    struct sip_stream stream;
};

static void begin(struct log *l)
{
    l->text = text_on(l->buf, sizeof l->buf);
    l->pong_due = false;
    sip_stream_init(&l->stream, MAX);
}

static void log_message(struct log *l)
{
    if (why.fault)
        text_str(&l->text, "bad ");
    if (m.request)
        text_put(&l->text, m.method_text);
    else
        text_u64(&l->text, m.status);
    text_char(&l->text, ':');
    text_put(&l->text, m.body);
    text_char(&l->text, ' ');
}

/* The bytes lie in memory of exactly their size, so that reading past their end is seen. */
static int take(struct log *l, struct span bytes)
{
    char *exact = malloc(bytes.n ? bytes.n : 1);
    int event;
    assert_non_null(exact);
    if (bytes.n)
        memcpy(exact, bytes.p, bytes.n);
    struct span portion = span_make(exact, bytes.n);
    while ((event = sip_stream_next(&l->stream, &portion, l->pong_due, &m, &why)) > 0)
        switch ((enum sip_stream_event)event) {
        case SIP_STREAM_MORE: break;
        case SIP_STREAM_MESSAGE: log_message(l); break;
        case SIP_STREAM_PING: text_str(&l->text, "ping "); break;
        case SIP_STREAM_PONG:
            text_str(&l->text, "pong ");
            l->pong_due = false;
            break;
        }
    free(exact);
    if (event == 0)
        assert_int_equal(portion.n, 0);
    return event;
}

/* In one portion, cut in two at every place, and byte by byte: always `expected`, and in the end `result`. */
static void comes_out(struct span stream, bool pong_due, const char *expected, int result)
{
    struct log l;
    for (size_t cut = 0; cut <= stream.n; cut++) {
        begin(&l);
        l.pong_due = pong_due;
        int event = take(&l, span_make(stream.p, cut));
        if (event == 0)
            event = take(&l, span_make(stream.p + cut, stream.n - cut));
        assert_int_equal(event, result);
        assert_string_equal(l.buf, expected);
        sip_stream_fini(&l.stream);
    }
    begin(&l);
    l.pong_due = pong_due;
    int event = 0;
    for (size_t i = 0; i < stream.n && event == 0; i++)
        event = take(&l, span_make(stream.p + i, 1));
    assert_int_equal(event, result);
    assert_string_equal(l.buf, expected);
    sip_stream_fini(&l.stream);
}

/* ---- RFC 3261 §18.3 ---- */

static void test_messages_end_where_content_length_says(void **state)
{
    (void)state;
    static const char stream[] = OPTIONS "Content-Length: 4\r\n\r\nbody" OK "l: 0\r\n\r\n" OPTIONS
                                         "Content-Length:\r\n 10\r\n\r\n\r\n\r\nSIP/2." OK "l: 2\r\n\r\nab";
    comes_out(SPAN(stream), false, "OPTIONS:body 200: OPTIONS:\r\n\r\nSIP/2. 200:ab ", 0);
}

static void test_message_in_one_portion_is_not_copied(void **state)
{
    (void)state;
    static const char stream[] = "\r\n" OPTIONS "l: 4\r\n\r\nbody" OK "l: 0\r\n\r\n";
    struct sip_stream s;
    struct span portion = SPAN(stream);
    sip_stream_init(&s, MAX);
    assert_int_equal(sip_stream_next(&s, &portion, false, &m, &why), SIP_STREAM_MESSAGE);
    assert_ptr_equal(m.bytes.p, stream + 2);
    assert_int_equal(sip_stream_next(&s, &portion, false, &m, &why), SIP_STREAM_MESSAGE);
    assert_true(m.bytes.p > stream && m.bytes.p < stream + sizeof stream);
    assert_null(s.kept);
    sip_stream_fini(&s);
}

static void test_message_behind_a_cut_one_is_not_copied(void **state)
{
    (void)state;
    static const char stream[] = OPTIONS "l: 4\r\n\r\nbody" OK "l: 0\r\n\r\n";
    struct sip_stream s;
    struct span portion = span_make(stream, 20);
    sip_stream_init(&s, MAX);
    assert_int_equal(sip_stream_next(&s, &portion, false, &m, &why), SIP_STREAM_MORE);
    assert_false(sip_stream_is_between(&s));
    portion = span_make(stream + 20, sizeof stream - 1 - 20);
    assert_int_equal(sip_stream_next(&s, &portion, false, &m, &why), SIP_STREAM_MESSAGE);
    assert_true(sip_stream_is_between(&s));
    assert_int_equal(sip_stream_next(&s, &portion, false, &m, &why), SIP_STREAM_MESSAGE);
    assert_true(m.bytes.p > stream && m.bytes.p < stream + sizeof stream);
    sip_stream_fini(&s);
}

static void test_broken_message_with_a_certain_end_does_not_end_the_stream(void **state)
{
    (void)state;
    static const char stream[] = "OPTIONS sip:a@192.0.2.1 SIP/3.0\r\nl: 3\r\n\r\nabc" OK "l: 0\r\n\r\n";
    comes_out(SPAN(stream), false, "bad OPTIONS:abc 200: ", 0);
}

static void test_lines_that_end_in_lf_alone_are_a_fault_of_their_message(void **state)
{
    (void)state;
    comes_out(SPAN("OPTIONS sip:a@b SIP/2.0\nl: 1\n\nx" OK "l: 0\r\n\r\n"), false, "bad OPTIONS:x 200: ", 0);
    comes_out(SPAN("OPTIONS sip:a@b SIP/2.0\r\nl: 1\n\r\nx" OK "l: 0\r\n\r\n"), false, "bad OPTIONS:x 200: ", 0);
}

/* ---- RFC 5626 §3.5.1, §4.4.1; §7.5 ---- */

static void test_double_line_end_is_a_ping(void **state)
{
    (void)state;
    comes_out(SPAN("\r\n\r\n"), false, "ping ", 0);
    comes_out(SPAN("\r\n\r\n\r\n\r\n" OPTIONS "l: 1\r\n\r\nx\r\n\r\n"), false, "ping ping OPTIONS:x ping ", 0);
}

static void test_lone_line_end_is_the_pong_that_is_due(void **state)
{
    (void)state;
    comes_out(SPAN("\r\n"), true, "pong ", 0);
    comes_out(SPAN("\r\n"), false, "", 0);
    comes_out(SPAN(OK "l: 0\r\n\r\n\r\n" OK "l: 0\r\n\r\n"), true, "200: pong 200: ", 0);
}

/* FACTS failure 6 */
static void test_pong_directly_before_a_response(void **state)
{
    (void)state;
    comes_out(SPAN("\r\n" OK "l: 2\r\n\r\nab"), true, "pong 200:ab ", 0);
    comes_out(SPAN("\r\n" OK "l: 2\r\n\r\nab"), false, "200:ab ", 0);
}

static void test_pong_and_ping_of_the_peer_are_both_seen(void **state)
{
    (void)state;
    comes_out(SPAN("\r\n\r\n\r\n"), true, "pong ping ", 0);
}

static void test_single_line_end_before_a_message_is_no_half_of_a_later_ping(void **state)
{
    (void)state;
    comes_out(SPAN("\r\n" OK "l: 0\r\n\r\n\r\n" OK "l: 0\r\n\r\n"), false, "200: 200: ", 0);
}

/* ---- the end of a stream ---- */

static void test_without_content_length_nobody_knows_what_follows(void **state)
{
    (void)state;
    comes_out(SPAN(OPTIONS "\r\n"), false, "", FE_ESYNTAX);
    assert_int_equal(why.fault, SIP_FAULT_CONTENT_LENGTH);
    assert_int_equal(why.status, 400);
    comes_out(SPAN(OK "l: 0\r\n\r\n" OPTIONS "l: 0\r\nl: 0\r\n\r\n"), false, "200: ", FE_ESYNTAX);
    comes_out(SPAN(OPTIONS "l: many\r\n\r\n"), false, "", FE_ESYNTAX);
    comes_out(SPAN("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), false, "", FE_ESYNTAX);
}

static void test_bytes_that_begin_no_message(void **state)
{
    (void)state;
    comes_out(span_make("\x16\x03\x01\x00\x05hello", 10), false, "", FE_ESYNTAX); /* a TLS client at the TCP port */
    assert_int_equal(why.fault, SIP_FINE);
    comes_out(SPAN("\r\n\r\n\nOPTIONS"), false, "ping ", FE_ESYNTAX);
    comes_out(SPAN("\r\r\n"), false, "", FE_ESYNTAX);
    comes_out(SPAN(OPTIONS "l: 0\r\n\r\n too much"), false, "OPTIONS: ", FE_ESYNTAX);
}

/* SB-12 */
static void test_largest_message(void **state)
{
    (void)state;
    char stream[2 * MAX];
    struct log l;
    size_t head = sizeof OPTIONS "l: 0000\r\n\r\n" - 1;
    for (size_t extra = 0; extra < 2; extra++) {
        int n = snprintf(stream, sizeof stream, OPTIONS "l: %04zu\r\n\r\n", MAX - head + extra);
        memset(stream + n, 'x', MAX);
        begin(&l);
        assert_int_equal(take(&l, span_make(stream, MAX + extra)), extra ? FE_ERANGE : 0);
        assert_int_equal(l.text.n > 0, extra == 0);
        assert_int_equal(why.fault, extra ? SIP_FAULT_CONTENT_LENGTH : SIP_FINE);
        sip_stream_fini(&l.stream);
    }
    begin(&l);
    memset(stream, 'x', sizeof stream);
    assert_int_equal(take(&l, span_make(stream, MAX - 1)), 0);
    assert_int_equal(take(&l, span_make(stream, 1)), FE_ERANGE);
    sip_stream_fini(&l.stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_end_where_content_length_says),
        cmocka_unit_test(test_message_in_one_portion_is_not_copied),
        cmocka_unit_test(test_message_behind_a_cut_one_is_not_copied),
        cmocka_unit_test(test_broken_message_with_a_certain_end_does_not_end_the_stream),
        cmocka_unit_test(test_lines_that_end_in_lf_alone_are_a_fault_of_their_message),
        cmocka_unit_test(test_double_line_end_is_a_ping),
        cmocka_unit_test(test_lone_line_end_is_the_pong_that_is_due),
        cmocka_unit_test(test_pong_directly_before_a_response),
        cmocka_unit_test(test_pong_and_ping_of_the_peer_are_both_seen),
        cmocka_unit_test(test_single_line_end_before_a_message_is_no_half_of_a_later_ping),
        cmocka_unit_test(test_without_content_length_nobody_knows_what_follows),
        cmocka_unit_test(test_bytes_that_begin_no_message),
        cmocka_unit_test(test_largest_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
