#include "nodes/base/addr.h"
#include "nodes/base/error.h"
#include "nodes/base/record.h"
#include "nodes/base/text.h"
#include "tests/cmocka.h"

static void text_that_does_not_fit_is_not_written(void **state)
{
    char buf[8];
    struct text t = text_on(buf, sizeof buf);
    (void)state;
    text_str(&t, "1234567");
    assert_true(text_ok(&t));
    text_char(&t, '8');
    assert_false(text_ok(&t));
    assert_string_equal(buf, "1234567");
    text_str(&t, "");
    assert_false(text_ok(&t));
}

static void numbers(void **state)
{
    char buf[128];
    struct text t = text_on(buf, sizeof buf);
    (void)state;
    text_u64(&t, 0);
    text_char(&t, ' ');
    text_u64(&t, UINT64_MAX);
    text_char(&t, ' ');
    text_i64(&t, INT64_MIN);
    text_char(&t, ' ');
    text_fixed(&t, 4382, 3);
    text_char(&t, ' ');
    text_fixed(&t, -5, 2);
    text_char(&t, ' ');
    text_fixed(&t, 7, 0);
    assert_string_equal(buf, "0 18446744073709551615 -9223372036854775808 4.382 -0.05 7");
}

static void json_strings_are_always_valid(void **state)
{
    char buf[128];
    struct text t = text_on(buf, sizeof buf);
    (void)state;
    text_json(&t, span_make("a\"b\\c\r\n\t\x01\x7f", 10));
    text_json(&t, span_make("\xc3\xa9\xff\xc3", 4));     /* é, then two bytes that are no UTF-8 */
    text_json(&t, span_make("\xed\xa0\x80\xc0\xaf", 5)); /* a surrogate, an overlong slash */
    assert_string_equal(buf, "a\\\"b\\\\c\\r\\n\\t\\u0001\\u007f"
                             "\xc3\xa9\\u00ff\\u00c3"
                             "\\u00ed\\u00a0\\u0080\\u00c0\\u00af");
}

static void addresses_are_strict(void **state)
{
    static const char *const wrong[] = {"",         "1.2.3",    "1.2.3.4.5", "1.2.3.256",
                                        "01.2.3.4", "1.2.3.4 ", "a.b.c.d",   "1..3.4"};
    ipv4 addr = 0;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(addr_parse(span_of(wrong[i]), &addr), FE_ESYNTAX);
    assert_int_equal(addr_parse(SPAN("203.0.113.10"), &addr), 0);
    assert_int_equal(addr, IPV4(203, 0, 113, 10));
}

static void endpoints_and_subnets(void **state)
{
    char buf[ENDPOINT_TEXT];
    struct endpoint e;
    struct subnet net;
    (void)state;
    assert_int_equal(endpoint_parse(SPAN("10.0.0.1"), 5060, &e), 0);
    assert_string_equal(endpoint_text(e, buf), "10.0.0.1:5060");
    assert_int_equal(endpoint_parse(SPAN("255.255.255.255:65535"), 0, &e), 0);
    assert_string_equal(endpoint_text(e, buf), "255.255.255.255:65535");
    assert_int_equal(endpoint_parse(SPAN("10.0.0.1:65536"), 0, &e), FE_ESYNTAX);
    assert_int_equal(endpoint_parse(SPAN("10.0.0.1:"), 0, &e), FE_ESYNTAX);
    assert_int_equal(subnet_parse(SPAN("192.168.1.1/24"), &net), 0);
    assert_true(subnet_has(net, IPV4(192, 168, 1, 254)));
    assert_false(subnet_has(net, IPV4(192, 168, 2, 1)));
    assert_true(subnet_has((struct subnet){0, 0}, IPV4(8, 8, 8, 8)));
    assert_int_equal(subnet_parse(SPAN("192.168.1.1/33"), &net), FE_ESYNTAX);
    assert_int_equal(subnet_parse(SPAN("192.168.1.1"), &net), FE_ESYNTAX);
}

static void private_addresses(void **state)
{
    (void)state;
    assert_true(addr_is_private(IPV4(172, 31, 255, 255)));
    assert_true(addr_is_private(IPV4(100, 64, 0, 1)));
    assert_false(addr_is_private(IPV4(172, 32, 0, 0)));
    assert_false(addr_is_private(IPV4(203, 0, 113, 1)));
}

static void a_record_reads_back(void **state)
{
    char buf[RECORD_MAX];
    struct record r;
    struct span raw;
    int64_t t;
    (void)state;
    record_begin(&r, buf, sizeof buf);
    record_i64(&r, "t", -15);
    record_text(&r, "say", SPAN("he said \"no\", {x}"));
    record_endpoint(&r, "peer", (struct endpoint){IPV4(10, 0, 0, 1), 5060});
    record_bool(&r, "held", true);
    record_fixed(&r, "mos", 441, 2);
    struct span line = record_end(&r);
    assert_string_equal(
        line.p,
        "{\"t\":-15,\"say\":\"he said \\\"no\\\", {x}\",\"peer\":\"10.0.0.1:5060\",\"held\":true,\"mos\":4.41}");
    assert_true(record_get_i64(line, "t", &t));
    assert_int_equal(t, -15);
    assert_true(record_is(line, "peer", "10.0.0.1:5060"));
    assert_true(record_get(line, "mos", &raw));
    assert_true(span_is(raw, "4.41"));
    assert_false(record_get(line, "no", &raw));
}

static void a_string_ends_at_the_quote_that_is_not_escaped(void **state)
{
    static const char *const texts[] = {"", "\\", "\\\\", "\"", "\\\"", "a\\", "a\"", "\"a\"", "a\\\"b\\"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char buf[128];
        struct record r;
        struct span raw;
        record_begin(&r, buf, sizeof buf);
        record_str(&r, "say", texts[i]);
        record_u64(&r, "n", 7);
        struct span line = record_end(&r);
        assert_true(record_get(line, "n", &raw));
        assert_true(span_is(raw, "7"));
        assert_true(record_get(line, "say", &raw));
        size_t escaped = 0;
        for (const char *c = texts[i]; *c; c++)
            escaped += *c == '"' || *c == '\\' ? 2 : 1;
        assert_int_equal(raw.n, escaped);
    }
}

static void a_long_text_is_cut_and_the_record_stays_whole(void **state)
{
    char buf[128];
    char longest[200];
    struct record r;
    struct span raw;
    (void)state;
    memset(longest, 'x', sizeof longest);
    record_begin(&r, buf, sizeof buf);
    record_text(&r, "packet", span_make(longest, sizeof longest));
    record_u64(&r, "after", 1); /* no room any more: left out whole */
    struct span line = record_end(&r);
    assert_true(text_ok(&r.text));
    assert_int_equal(line.p[line.n - 1], '}');
    assert_true(record_get(line, "packet", &raw));
    assert_true(raw.n > 50);
    assert_false(record_get(line, "after", &raw));
}

static void broken_records_are_survived(void **state)
{
    static const char *const lines[] = {"",        "{",         "{\"",         "{\"a",     "{\"a\"",
                                        "{\"a\":", "{\"a\":\"", "{\"a\":\"\\", "{\"a\":1", "x"};
    struct span raw;
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_false(record_get(span_of(lines[i]), "b", &raw));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_does_not_fit_is_not_written),
        cmocka_unit_test(numbers),
        cmocka_unit_test(json_strings_are_always_valid),
        cmocka_unit_test(addresses_are_strict),
        cmocka_unit_test(endpoints_and_subnets),
        cmocka_unit_test(private_addresses),
        cmocka_unit_test(a_record_reads_back),
        cmocka_unit_test(a_string_ends_at_the_quote_that_is_not_escaped),
        cmocka_unit_test(a_long_text_is_cut_and_the_record_stays_whole),
        cmocka_unit_test(broken_records_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
