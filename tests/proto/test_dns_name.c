/* Domain names: RFC 1035 §2.3, §3.1, §4.1.4, §5.1. */
#include "nodes/base/error.h"
#include "nodes/proto/dns_name.h"
#include "tests/cmocka.h"

static struct dns_name name_of(const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_parse(span_of(text), &name), 0);
    return name;
}

static void assert_text(const struct dns_name *name, const char *expected)
{
    char buf[DNS_NAME_TEXT];
    struct text t = text_on(buf, sizeof buf);
    dns_name_text(&t, name);
    assert_true(text_ok(&t));
    assert_string_equal(buf, expected);
}

static void refuse(const char *text, int error)
{
    struct dns_name name;
    assert_int_equal(dns_name_parse(span_of(text), &name), error);
}

static void text_and_back_5_1(void **state)
{
    (void)state;
    struct dns_name name = name_of("sip.Example.com");
    assert_int_equal(name.n, 17);
    assert_memory_equal(name.wire, "\3sip\7Example\3com\0", 17);
    assert_text(&name, "sip.Example.com");
    name = name_of("example.com.");
    assert_text(&name, "example.com");
    name = name_of(".");
    assert_int_equal(name.n, 1);
    assert_text(&name, ".");
    name = name_of("a\\.b.c\\032d.\\092");
    assert_memory_equal(name.wire, "\3a.b\3c d\1\\\0", 11);
    assert_text(&name, "a\\.b.c\\032d.\\\\");
    refuse("", FE_ESYNTAX);
    refuse("a..b", FE_ESYNTAX);
    refuse(".a", FE_ESYNTAX);
    refuse("a\\", FE_ESYNTAX);
    refuse("a\\25", FE_ESYNTAX);
    refuse("a\\256", FE_ESYNTAX);
}

static void sizes_2_3_4(void **state)
{
    char text[300];
    (void)state;
    memset(text, 'a', sizeof text);
    text[63] = '\0';
    struct dns_name name = name_of(text);
    assert_int_equal(name.n, 65);
    text[63] = 'a';
    text[64] = '\0';
    refuse(text, FE_ERANGE);
    memset(text, 'a', sizeof text);
    text[63] = text[127] = text[191] = '.';
    text[253] = '\0'; /* 63, 63, 63 and 61 with their lengths, and the root: 255 */
    name = name_of(text);
    assert_int_equal(name.n, DNS_NAME_MAX);
    assert_text(&name, text);
    text[253] = 'a';
    text[254] = '\0';
    refuse(text, FE_ERANGE);
    struct dns_name longer;
    assert_int_equal(dns_name_below(SPAN("x"), &name, &longer), FE_ERANGE);
}

static void any_case_2_3_3(void **state)
{
    (void)state;
    struct dns_name a = name_of("SIP.example.COM"), b = name_of("sip.Example.com"), c = name_of("sip.example.org");
    assert_true(dns_name_equal(&a, &b));
    assert_false(dns_name_equal(&a, &c));
}

static void zones(void **state)
{
    (void)state;
    struct dns_name zone = name_of("example.com"), root = name_of(".");
    struct dns_name in = name_of("_sips._tcp.EXAMPLE.com"), beside = name_of("notexample.com"), above = name_of("com");
    assert_true(dns_name_within(&in, &zone));
    assert_true(dns_name_within(&zone, &zone));
    assert_false(dns_name_within(&beside, &zone));
    assert_false(dns_name_within(&above, &zone));
    assert_true(dns_name_within(&in, &root));
    assert_int_equal(dns_name_labels(&in), 4);
    assert_int_equal(dns_name_labels(&root), 0);
    struct dns_name out;
    dns_name_tail(&in, 3, &out);
    assert_text(&out, "_tcp.EXAMPLE.com");
    assert_int_equal(dns_name_below(SPAN("_sip._udp"), &zone, &out), 0);
    assert_text(&out, "_sip._udp.example.com");
}

static int read_at(const char *bytes, size_t n, size_t *at, struct dns_name *out)
{
    return dns_name_read(span_make(bytes, n), at, out);
}

static void pointers_4_1_4(void **state)
{
    static const char message[] = "\7example\3com\0\3sip\300\0\1a\300\15";
    struct dns_name name;
    size_t at = 13;
    (void)state;
    assert_int_equal(read_at(message, sizeof message - 1, &at, &name), 0);
    assert_int_equal(at, 19);
    assert_text(&name, "sip.example.com");
    assert_int_equal(read_at(message, sizeof message - 1, &at, &name), 0); /* a pointer to a pointer */
    assert_int_equal(at, 23);
    assert_text(&name, "a.sip.example.com");
}

static void pointers_never_go_round(void **state)
{
    static const struct {
        const char *bytes;
        size_t n, at;
        int error;
    } bad[] = {
        {"\300\0", 2, 0, FE_ESYNTAX},             /* to itself */
        {"\1a\300\0", 4, 0, FE_ESYNTAX},          /* to its own beginning */
        {"\300\2\300\0", 4, 0, FE_ESYNTAX},       /* forward */
        {"\1a\300\2", 4, 0, FE_ESYNTAX},          /* to the pointer */
        {"\1a\300\0\1b\300\0", 8, 4, FE_ESYNTAX}, /* to what is a loop */
        {"\100a\0", 3, 0, FE_ESYNTAX},            /* reserved */
        {"\200a\0", 3, 0, FE_ESYNTAX},
        {"\3ab", 3, 0, FE_ESHORT},
        {"\1a", 2, 0, FE_ESHORT},
        {"\300", 1, 0, FE_ESHORT},
        {"", 0, 0, FE_ESHORT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct dns_name name = {.n = 7};
        size_t at = bad[i].at;
        assert_int_equal(read_at(bad[i].bytes, bad[i].n, &at, &name), bad[i].error);
        assert_int_equal(at, bad[i].at);
        assert_int_equal(name.n, 7);
    }
}

static void longest_name_read(void **state)
{
    char bytes[400] = {0};
    (void)state;
    for (size_t i = 0; i < 4; i++)
        bytes[i * 64] = 63;
    struct dns_name name;
    size_t at = 64; /* three labels of 64 bytes and the root */
    assert_int_equal(read_at(bytes, sizeof bytes, &at, &name), 0);
    at = 0; /* four: 257 */
    assert_int_equal(read_at(bytes, sizeof bytes, &at, &name), FE_ESYNTAX);
    bytes[192] = 61;
    at = 0;
    assert_int_equal(read_at(bytes, sizeof bytes, &at, &name), 0);
    assert_int_equal(name.n, DNS_NAME_MAX);
    bytes[192] = 62;
    at = 0;
    assert_int_equal(read_at(bytes, sizeof bytes, &at, &name), FE_ESYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_back_5_1), cmocka_unit_test(sizes_2_3_4),
        cmocka_unit_test(any_case_2_3_3),    cmocka_unit_test(zones),
        cmocka_unit_test(pointers_4_1_4),    cmocka_unit_test(pointers_never_go_round),
        cmocka_unit_test(longest_name_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
