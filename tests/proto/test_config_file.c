/* The makers' configuration files, line by line. */
#include "nodes/base/error.h"
#include "nodes/proto/config_file.h"

#include "tests/cmocka.h"

static struct config_reader r;
static struct config_item item;

static void next_is(const char *name, const char *value)
{
    int got = config_next(&r, &item);
    if (got != 1 || !span_is(item.name, name) || !span_is(item.value, value))
        fail_msg("line %u: %d, \"%.*s\" is \"%.*s\"", r.line, got, SPAN_ARG(item.name), SPAN_ARG(item.value));
}

static void names_colons_values(void **state)
{
    (void)state;
    config_begin(&r, SPAN("# Aastra\r\n\r\nsip proxy ip: 10.0.1.10\r\n  sip line1 user name :  101  # his\n"
                          "!sip password: \"a#1 \" # secret\nsip registrar ip:\nsip display name: a#b\n"));
    assert_int_equal(r.format, CONFIG_COLON);
    next_is("sip proxy ip", "10.0.1.10");
    assert_int_equal(item.line, 3);
    assert_int_equal(item.value_column, 15);
    next_is("sip line1 user name", "101");
    assert_int_equal(item.name_column, 3);
    next_is("sip password", "a#1 ");
    assert_true(item.locked);
    next_is("sip registrar ip", "");
    next_is("sip display name", "a#b");
    assert_int_equal(config_next(&r, &item), 0);
}

static void words_with_and_without_set(void **state)
{
    (void)state;
    config_begin(&r, SPAN("\xef\xbb\xbf## Avaya\n# LABEL\n[USER_CONFIG]\nSET SIPDOMAIN lab.example ## ours\n"
                          "SERVER_IP1_1 10.0.1.10\nSET EMPTY\nSET NAME \"two words\"\nSET TAG a#b\n"));
    assert_int_equal(r.format, CONFIG_WORDS);
    next_is("SIPDOMAIN", "lab.example");
    assert_int_equal(item.line, 4);
    assert_int_equal(item.name_column, 5);
    next_is("SERVER_IP1_1", "10.0.1.10");
    next_is("EMPTY", "");
    next_is("NAME", "two words");
    next_is("TAG", "a#b");
    assert_int_equal(config_next(&r, &item), 0);
}

static void mistakes_have_their_place_and_reading_goes_on(void **state)
{
    (void)state;
    config_begin(&r,
                 SPAN("sip proxy ip: 10.0.1.10\n  sip proxy port 5060\nsip password: \"a1\nüber: \"x\" y\nlast: 1"));
    next_is("sip proxy ip", "10.0.1.10");
    assert_int_equal(config_next(&r, &item), FE_ESYNTAX);
    assert_int_equal(r.line, 2);
    assert_int_equal(r.column, 3);
    assert_int_equal(config_next(&r, &item), FE_ESYNTAX);
    assert_int_equal(r.column, 15);
    assert_int_equal(config_next(&r, &item), FE_ESYNTAX);
    assert_int_equal(r.line, 4);
    assert_int_equal(r.column, 11); /* in characters */
    next_is("last", "1");
    assert_int_equal(config_next(&r, &item), 0);
    config_begin(&r, SPAN("SET A 1\nSET lower 1\n"));
    next_is("A", "1");
    assert_int_equal(config_next(&r, &item), FE_ESYNTAX);
    assert_int_equal(r.column, 5);
}

static void nothing_is_nothing(void **state)
{
    static const char *const empty[] = {"", "\n", "# only a comment", "\r\n\r\n", "[FW]"};
    (void)state;
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        config_begin(&r, span_of(empty[i]));
        assert_int_equal(config_next(&r, &item), 0);
        assert_int_equal(config_next(&r, &item), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_colons_values),
        cmocka_unit_test(words_with_and_without_set),
        cmocka_unit_test(mistakes_have_their_place_and_reading_goes_on),
        cmocka_unit_test(nothing_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
