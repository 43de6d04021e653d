/* The search for a margin, with a made-up lab: a function that says which values hold. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "nodes/base/lab_time.h"
#include "sim/report/margin.h"
#include "tests/cmocka.h"

#include <stdlib.h>

static struct margin m;

static void init(const char *between, const char *to)
{
    assert_int_equal(margin_init(&m, span_of(between), span_of(to), NULL), 0);
}

static void refuse(const char *between, const char *to, int error, const char *why)
{
    char buf[200];
    struct text t = text_on(buf, sizeof buf);
    assert_int_equal(margin_init(&m, span_of(between), span_of(to), &t), error);
    assert_string_equal(buf, why);
}

/* Runs the search to its end; returns how many rounds it took. */
static size_t search(bool (*holds)(int64_t value), size_t places)
{
    int64_t values[MARGIN_AT_ONCE];
    size_t rounds = 0;
    for (size_t n; (n = margin_ask(&m, places, values)) > 0; rounds++) {
        assert_true(n <= MARGIN_AT_ONCE);
        assert_true(rounds < 100);
        for (size_t i = 0; i < n; i++) {
            assert_true(values[i] >= m.low && values[i] <= m.high);
            for (size_t k = 0; k < m.n; k++)
                assert_true(m.points[k].value != values[i]); /* nothing is tried twice */
            bool held = holds(values[i]);
            assert_int_equal(margin_tell(&m, values[i], held, held ? 0 : 7, held ? NULL : "expect: it"), 0);
        }
    }
    return rounds;
}

static void expect(enum margin_answer answer, int64_t held, int64_t failed)
{
    struct margin_edge edge = {0};
    assert_int_equal(margin_answer(&m, &edge), answer);
    assert_int_equal(edge.held, held);
    assert_int_equal(edge.failed, failed);
    margin_fini(&m);
}

static bool below_a_minute(int64_t t)
{
    return t < MINUTE;
}

static bool from_17_on(int64_t n)
{
    return n >= 17;
}

static bool always(int64_t value)
{
    (void)value;
    return true;
}

static bool never(int64_t value)
{
    (void)value;
    return false;
}

static bool twice(int64_t n)
{
    return n <= 10 || (n >= 40 && n <= 70);
}

static bool window(int64_t n)
{
    return n >= 40 && n <= 70;
}

static void the_largest_value_is_found_to_the_step(void **state)
{
    (void)state;
    for (size_t places = 1; places < 9; places++) {
        init("10s..5min", "");
        assert_int_equal(m.step, MS);
        search(below_a_minute, places);
        expect(MARGIN_AT_MOST, MINUTE - MS, MINUTE);
    }
    init("10s..5min", "1s");
    search(below_a_minute, 2);
    expect(MARGIN_AT_MOST, 59 * SEC, MINUTE);
}

static void the_smallest_value_is_found(void **state)
{
    (void)state;
    init("1..1000000", "");
    search(from_17_on, 2);
    expect(MARGIN_AT_LEAST, 17, 16);
}

static void more_places_need_fewer_rounds(void **state)
{
    (void)state;
    init("10s..5min", "");
    size_t alone = search(below_a_minute, 1);
    margin_fini(&m);
    init("10s..5min", "");
    assert_true(search(below_a_minute, 7) < alone / 2);
    margin_fini(&m);
}

static void a_range_that_is_no_multiple_of_the_step_ends_where_it_was_said(void **state)
{
    (void)state;
    init("1..17", "5"); /* 1, 6, 11, 16 and 17 */
    search(from_17_on, 3);
    assert_int_equal(m.n, 5);
    expect(MARGIN_AT_LEAST, 17, 16);
}

static void without_an_edge_the_coarse_look_is_all(void **state)
{
    (void)state;
    init("0%..5%", "");
    assert_int_equal(search(always, 4), 1);
    assert_int_equal(m.n, 9);
    expect(MARGIN_HOLDS, 0, 0);
    init("0%..5%", "");
    search(never, 4);
    expect(MARGIN_FAILS, 0, 0);
}

static void a_setting_that_holds_by_turns_is_found_out(void **state)
{
    (void)state;
    init("1..100", "");
    search(twice, 2);
    expect(MARGIN_UNSTEADY, 10, 11);
    init("1..100", "");
    search(window, 1);
    expect(MARGIN_UNSTEADY, 40, 39);
}

static void ranges_have_units(void **state)
{
    (void)state;
    init("0.5%..2%", "0.1%");
    assert_int_equal(m.unit, MARGIN_RATIO);
    assert_int_equal(m.low, 5000);
    assert_int_equal(m.step, 1000);
    init("0 .. 30ms", "");
    assert_int_equal(m.unit, MARGIN_TIME);
    assert_int_equal(m.step, US);
    init("64kbit/s..2Mbit/s", "8kbit/s");
    assert_int_equal(m.high, 2000000);
    init("1500B..64kB", "");
    assert_int_equal(m.unit, MARGIN_SIZE);
}

static void what_is_no_range_is_refused(void **state)
{
    (void)state;
    const char *expected = "\" is not a range, as 10s..5min, 0.1%..5% or 1..40";
    const char *const wrong[] = {"10s", "10s.5min", "..5s", "1..", "10s..5%", "1..x", "10s..never"};
    char why[200];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(why, sizeof why, "\"%s%s", wrong[i], expected);
        refuse(wrong[i], "", FE_ESYNTAX, why);
    }
    refuse("5s..5s", "", FE_ERANGE, "\"5s..5s\" is not a range from a smaller value to a larger one");
    refuse("1s..5s", "3%", FE_ESYNTAX, "\"3%\" is not a step of the same kind as the range");
    refuse("1s..5s", "0s", FE_ESYNTAX, "\"0s\" is not a step of the same kind as the range");
    refuse("1s..5s", "5s", FE_ERANGE, "\"5s\" is not a step within the range");
}

static void value_is(enum margin_unit unit, int64_t value, const char *text)
{
    char buf[MARGIN_VALUE_TEXT];
    struct text t = text_on(buf, sizeof buf);
    margin_value(&t, unit, value);
    assert_string_equal(buf, text);
}

static void values_are_written_as_lab_files_write_them(void **state)
{
    (void)state;
    value_is(MARGIN_TIME, 0, "0s");
    value_is(MARGIN_TIME, 59999 * MS, "59.999s");
    value_is(MARGIN_TIME, 90 * SEC, "90s");
    value_is(MARGIN_TIME, 5 * MINUTE, "5min");
    value_is(MARGIN_TIME, 1500 * US, "1.5ms");
    value_is(MARGIN_TIME, 7, "7ns");
    value_is(MARGIN_RATIO, 2137, "0.2137%");
    value_is(MARGIN_RATIO, 1000000, "100%");
    value_is(MARGIN_RATE, 2500000, "2.5Mbit/s");
    value_is(MARGIN_SIZE, 1500, "1.5kB");
    value_is(MARGIN_COUNT, INT64_MAX, "9223372036854775807");
}

/* What is printed or written, in one buffer. */
static const char *written(bool json)
{
    static char text[16384];
    struct margin_run run = {"small", "small.yaml", "sim", "nodes.a.x", "verdict", 1};
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    if (json)
        assert_int_equal(margin_json(&m, &run, out), 0);
    else
        margin_print(&m, &run, out);
    fclose(out);
    return text;
}

static void the_answer_is_one_sentence(void **state)
{
    (void)state;
    init("10s..5min", "1s");
    search(below_a_minute, 2);
    assert_non_null(strstr(written(false), "  ✓            59s\n  ✗            60s  line 7: expect: it\n"));
    assert_non_null(strstr(written(false), "small: with nodes.a.x it holds up to 59s and fails from 60s on ("));
    assert_non_null(strstr(written(true), "\"answer\": \"at-most\""));
    assert_non_null(strstr(written(true), "\"holds_at\": \"59s\""));
    margin_fini(&m);
    init("1..100", "");
    search(twice, 2);
    assert_non_null(strstr(written(false), "there is not one margin but several: it holds at 1 to 10, it fails at 11"));
    assert_non_null(strstr(written(true), "\"answer\": \"unsteady\""));
    margin_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_value_is_found_to_the_step),
        cmocka_unit_test(the_smallest_value_is_found),
        cmocka_unit_test(more_places_need_fewer_rounds),
        cmocka_unit_test(a_range_that_is_no_multiple_of_the_step_ends_where_it_was_said),
        cmocka_unit_test(without_an_edge_the_coarse_look_is_all),
        cmocka_unit_test(a_setting_that_holds_by_turns_is_found_out),
        cmocka_unit_test(ranges_have_units),
        cmocka_unit_test(what_is_no_range_is_refused),
        cmocka_unit_test(values_are_written_as_lab_files_write_them),
        cmocka_unit_test(the_answer_is_one_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
