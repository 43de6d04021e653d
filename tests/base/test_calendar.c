#include "nodes/base/calendar.h"

#include "nodes/base/error.h"
#include "nodes/base/lab_time.h"
#include "tests/cmocka.h"

static void dates_are_gregorian(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds;
        const char *text;
    } known[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {951782400, "2000-02-29T00:00:00Z"},
        {1767225600, "2026-01-01T00:00:00Z"},
        {4107542399, "2100-02-28T23:59:59Z"},
        {4107542400, "2100-03-01T00:00:00Z"},
        {INT64_C(253402300799), "9999-12-31T23:59:59Z"},
        {INT64_MAX, "9999-12-31T23:59:59Z"},
        {INT64_MIN, "0000-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char room[32];
        struct text t = text_on(room, sizeof room);
        calendar_text(&t, known[i].seconds);
        assert_string_equal(room, known[i].text);
    }
    for (int64_t s = -INT64_C(62000000000); s < INT64_C(250000000000); s += 86400 * 37 + 3601) {
        struct calendar c = calendar_of(s);
        assert_int_equal(calendar_seconds(&c), s);
    }
}

/* RFC 3339 §5.6, in UTC and whole seconds; the day alone is its beginning. */
static void a_date_is_read_to_the_second(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } right[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01", 0},
        {"1969-12-31T23:59:59Z", -1},
        {"2000-02-29", 951782400},
        {"2026-01-01T00:00:00Z", LAB_BEGINS},
        {"2100-02-28T23:59:59Z", 4107542399},
        {"9999-12-31T23:59:59Z", INT64_C(253402300799)},
    };
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        int64_t seconds = 7;
        assert_int_equal(calendar_parse(span_of(right[i].text), &seconds), 0);
        assert_int_equal(seconds, right[i].seconds);
    }
}

static void what_is_no_date_is_refused(void **state)
{
    (void)state;
    static const char *const no_form[] = {"",
                                          "2026",
                                          "2026-1-1",
                                          "2026-01-01T00:00Z",
                                          "2026-01-01T00:00:00",
                                          "2026-01-01 00:00:00Z",
                                          "2026-01-01T00:00:00z",
                                          "2026-01-01T00:00:00Z ",
                                          "2026-01-01T00:00:00+01:00",
                                          "2026-01-01T00:00:00.0Z",
                                          "-026-01-01",
                                          "2026/01/01"};
    static const char *const no_date[] = {
        "2026-00-01", "2026-13-01", "2026-01-00",           "2026-02-29",           "2100-02-29",
        "2026-04-31", "2026-01-32", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2016-12-31T23:59:60Z"};
    int64_t seconds = 7;
    for (size_t i = 0; i < sizeof no_form / sizeof no_form[0]; i++)
        assert_int_equal(calendar_parse(span_of(no_form[i]), &seconds), FE_ESYNTAX);
    for (size_t i = 0; i < sizeof no_date / sizeof no_date[0]; i++)
        assert_int_equal(calendar_parse(span_of(no_date[i]), &seconds), FE_ERANGE);
    assert_int_equal(seconds, 7);
}

static void every_day_is_read_as_it_is_written(void **state)
{
    (void)state;
    for (int64_t s = -INT64_C(62000000000); s < INT64_C(250000000000); s += 86400 * 37 + 3601) {
        char room[32];
        struct text t = text_on(room, sizeof room);
        int64_t again;
        calendar_text(&t, s);
        assert_int_equal(calendar_parse(text_span(&t), &again), 0);
        assert_int_equal(again, s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_gregorian),
        cmocka_unit_test(a_date_is_read_to_the_second),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(every_day_is_read_as_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
