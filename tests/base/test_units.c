#include "nodes/base/error.h"
#include "nodes/base/units.h"
#include "tests/cmocka.h"

static void check_time(const char *text, lab_time expected)
{
    lab_time t = -1;
    assert_int_equal(units_time(span_of(text), &t), 0);
    assert_int_equal(t, expected);
}

static void times_are_exact(void **state)
{
    (void)state;
    check_time("20ns", 20);
    check_time("5us", 5 * US);
    check_time("8ms", 8 * MS);
    check_time("1.5s", 1500 * MS);
    check_time("0.000000001s", 1);
    check_time("2min", 2 * MINUTE);
    check_time("2 min", 2 * MINUTE);
    check_time("1.5min", 90 * SEC);
    check_time("3h", 3 * HOUR);
    check_time("1d", 24 * HOUR);
    check_time("0", 0);
    check_time("never", NEVER);
}

static void a_time_needs_its_unit(void **state)
{
    static const char *const wrong[] = {"", "5", "s", "-1s", "1,5s", "1.s", ".5s", "1.5.5s", "5 parsecs", "5S"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        lab_time t = 77;
        assert_int_equal(units_time(span_of(wrong[i]), &t), FE_ESYNTAX);
        assert_int_equal(t, 77);
    }
}

static void nothing_is_rounded(void **state)
{
    lab_time t;
    uint32_t ppm;
    (void)state;
    assert_int_equal(units_time(SPAN("0.5ns"), &t), FE_ERANGE);
    assert_int_equal(units_time(SPAN("99999999999d"), &t), FE_ERANGE);
    assert_int_equal(units_ratio(SPAN("0.00001%"), &ppm), FE_ERANGE);
}

static void ratios_are_parts_per_million(void **state)
{
    uint32_t ppm;
    (void)state;
    assert_int_equal(units_ratio(SPAN("0.5%"), &ppm), 0);
    assert_int_equal(ppm, 5000);
    assert_int_equal(units_ratio(SPAN("300ppm"), &ppm), 0);
    assert_int_equal(ppm, 300);
    assert_int_equal(units_ratio(SPAN("100%"), &ppm), 0);
    assert_int_equal(ppm, 1000000);
    assert_int_equal(units_ratio(SPAN("101%"), &ppm), FE_ERANGE);
}

static void rates_and_sizes(void **state)
{
    uint64_t v;
    (void)state;
    assert_int_equal(units_rate(SPAN("1.5Mbit/s"), &v), 0);
    assert_int_equal(v, 1500000);
    assert_int_equal(units_size(SPAN("64KiB"), &v), 0);
    assert_int_equal(v, 65536);
    assert_int_equal(units_size(SPAN("1500B"), &v), 0);
    assert_int_equal(v, 1500);
    assert_int_equal(units_rate(SPAN("10MB"), &v), FE_ESYNTAX);
}

static void flags_are_yaml_words(void **state)
{
    bool on = false;
    (void)state;
    assert_int_equal(units_flag(SPAN("yes"), &on), 0);
    assert_true(on);
    assert_int_equal(units_flag(SPAN("off"), &on), 0);
    assert_false(on);
    assert_int_equal(units_flag(SPAN("1"), &on), FE_ESYNTAX);
}

static void fixed_point(void **state)
{
    int64_t v;
    (void)state;
    assert_int_equal(units_fixed(SPAN("4.38"), 3, &v), 0);
    assert_int_equal(v, 4380);
    assert_int_equal(units_fixed(SPAN("-0.5"), 1, &v), 0);
    assert_int_equal(v, -5);
    assert_int_equal(units_fixed(SPAN("4.387"), 2, &v), FE_ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_exact),    cmocka_unit_test(a_time_needs_its_unit),
        cmocka_unit_test(nothing_is_rounded), cmocka_unit_test(ratios_are_parts_per_million),
        cmocka_unit_test(rates_and_sizes),    cmocka_unit_test(flags_are_yaml_words),
        cmocka_unit_test(fixed_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
