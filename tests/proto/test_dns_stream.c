/* DNS on a stream: RFC 1035 §4.2.2, RFC 7766 §8. */
#include "nodes/base/text.h"
#include "nodes/proto/dns_stream.h"
#include "tests/cmocka.h"

#include <stdlib.h>

static const char three[] = "\0\3one\0\0\0\2ab";
enum { THREE = sizeof three - 1 };

/* "one||ab|": the messages of the portions of at most `step` bytes. */
static const char *framed(struct span bytes, size_t step)
{
    static char buf[256];
    struct text t = text_on(buf, sizeof buf);
    struct dns_stream s = {0};
    struct span message;
    for (size_t at = 0; at < bytes.n; at += step) {
        struct span portion = {bytes.p + at, bytes.n - at < step ? bytes.n - at : step};
        while (dns_stream_next(&s, &portion, &message)) {
            text_put(&t, message);
            text_char(&t, '|');
        }
        assert_int_equal(portion.n, 0);
    }
    text_str(&t, dns_stream_is_between(&s) ? "" : "cut");
    dns_stream_fini(&s);
    dns_stream_fini(&s);
    return buf;
}

static void portions_mean_nothing(void **state)
{
    (void)state;
    for (size_t step = 1; step <= THREE; step++)
        assert_string_equal(framed(span_make(three, THREE), step), "one||ab|");
}

static void what_is_cut_is_not_handed_out(void **state)
{
    (void)state;
    assert_string_equal(framed(span_make(three, 1), 1), "cut");
    assert_string_equal(framed(span_make(three, 4), 4), "cut");
    assert_string_equal(framed(span_make(three, THREE - 1), 2), "one||cut");
}

static void the_longest_there_is(void **state)
{
    uint8_t *room = malloc(DNS_STREAM_LENGTH + DNS_STREAM_MAX);
    struct dns_stream s = {0};
    struct span message;
    (void)state;
    assert_non_null(room);
    memset(room, 'x', DNS_STREAM_LENGTH + DNS_STREAM_MAX);
    struct span all = dns_stream_frame(room, DNS_STREAM_MAX);
    assert_int_equal(all.n, DNS_STREAM_LENGTH + DNS_STREAM_MAX);
    assert_true(dns_stream_next(&s, &all, &message));
    assert_int_equal(message.n, DNS_STREAM_MAX);
    assert_false(dns_stream_next(&s, &all, &message));
    dns_stream_fini(&s);
    free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portions_mean_nothing),
        cmocka_unit_test(what_is_cut_is_not_handed_out),
        cmocka_unit_test(the_longest_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
