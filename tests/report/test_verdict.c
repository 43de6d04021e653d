/* The verdict, from lines of a trace. */
#define _GNU_SOURCE
#include "sim/report/verdict.h"
#include "tests/cmocka.h"

#include <jansson.h>
#include <stdlib.h>

static const char *const failing[] = {
    "{\"t\":0,\"ev\":\"step\",\"n\":1,\"line\":20,\"text\":\"wait: for alice registered, within "
    "5s\",\"state\":\"started\"}",
    "{\"t\":1000000,\"node\":\"alice\",\"ev\":\"sip\",\"dir\":\"out\",\"msg\":\"REGISTER\",\"peer\":\"203.0.113.10:"
    "5060\"}",
    "{\"t\":1000000,\"node\":\"bob\",\"ev\":\"sip\",\"dir\":\"out\",\"msg\":\"REGISTER\",\"peer\":\"203.0.113.10:"
    "5060\"}",
    "{\"t\":2000000,\"node\":\"router\",\"ev\":\"drop\",\"cause\":\"no-mapping\",\"packet\":\"udp 1.2.3.4:1 > "
    "5.6.7.8:2\"}",
    "{\"t\":22000000,\"node\":\"router\",\"ev\":\"drop\",\"cause\":\"no-mapping\",\"packet\":\"udp 1.2.3.4:1 > "
    "5.6.7.8:2\"}",
    "{\"t\":5000000000,\"ev\":\"step\",\"n\":1,\"line\":20,\"text\":\"wait: for alice registered, within 5s\","
    "\"state\":\"failed\",\"why\":\"alice is \\\"trying\\\"\"}",
    "{\"t\":5000000000,\"ev\":\"expect\",\"n\":1,\"line\":30,\"text\":\"drops none\",\"held\":true,\"why\":\"there "
    "were 0\"}",
    NULL};

static const struct verdict_run run = {"t", "t.yaml", "sim", 1, NULL, NULL};

static void verdict_of(struct verdict *v, const char *const *lines)
{
    assert_int_equal(verdict_init(v), 0);
    for (; *lines; lines++)
        verdict_line(v, span_of(*lines));
}

static void items_are_counted(void **state)
{
    (void)state;
    struct verdict v;
    verdict_of(&v, failing);
    assert_int_equal(v.n, 2);
    assert_int_equal(v.held, 1);
    assert_int_equal(v.failed, 1);
    assert_false(verdict_all_held(&v));
    assert_string_equal(v.items[0].why, "alice is \"trying\"");
    verdict_fini(&v);
}

static void failure_is_explained_by_the_nodes_it_names_and_by_fates(void **state)
{
    (void)state;
    struct verdict v;
    verdict_of(&v, failing);
    assert_int_equal(v.items[0].moments_n, 2); /* bob's REGISTER is not among them */
    assert_string_equal(v.items[0].moments[0].what, "sends REGISTER to 203.0.113.10:5060");
    assert_string_equal(v.items[0].moments[1].what, "drops udp 1.2.3.4:1 > 5.6.7.8:2: no-mapping");
    assert_int_equal(v.items[0].moments[1].count, 2);
    verdict_fini(&v);
}

static void a_clock_and_an_mtu_are_told(void **state)
{
    static const char *const lines[] = {
        "{\"t\":1,\"node\":\"sbc\",\"ev\":\"clock\",\"shows\":\"1970-01-01T00:00:00Z\",\"by\":-1,\"right\":false}",
        "{\"t\":2,\"node\":\"router\",\"ev\":\"mtu\",\"port\":\"outside\",\"mtu\":1492}",
        "{\"t\":3,\"ev\":\"expect\",\"n\":1,\"line\":9,\"text\":\"alice registered\",\"held\":false,\"why\":\"no\"}",
        NULL,
    };
    (void)state;
    struct verdict v;
    verdict_of(&v, lines);
    assert_int_equal(v.items[0].moments_n, 2);
    assert_string_equal(v.items[0].moments[0].what, "has a clock that now shows 1970-01-01T00:00:00Z");
    assert_string_equal(v.items[0].moments[1].what, "has an MTU of 1492 at port outside");
    verdict_fini(&v);
}

/* What an outage cost is told also when it was allowed. */
static void an_outage_is_printed_and_measured(void **state)
{
    static const char *const lines[] = {
        "{\"t\":9000000000,\"ev\":\"expect\",\"n\":1,\"line\":30,\"text\":\"outage alice\",\"held\":true,"
        "\"why\":\"alice: noticed after 4.000s\",\"noticed\":4000000000,\"unreachable\":0,\"calls_lost\":2}",
        NULL};
    (void)state;
    struct verdict v;
    char *text = NULL;
    size_t n;
    verdict_of(&v, lines);
    assert_true(v.items[0].measured);
    assert_int_equal(v.items[0].measures[VERDICT_NOTICED], 4 * SEC);
    assert_int_equal(v.items[0].measures[VERDICT_RECOVERED], NEVER);
    assert_int_equal(v.items[0].measures[VERDICT_CALLS_LOST], 2);
    FILE *out = open_memstream(&text, &n);
    verdict_print(&v, &run, false, out);
    assert_int_equal(verdict_json(&v, &run, out), 0);
    fclose(out);
    assert_non_null(strstr(text, "alice: noticed after 4.000s\n"));
    assert_non_null(strstr(text, "\"noticed\": 4000000000"));
    assert_null(strstr(text, "\"recovered\""));
    free(text);
    verdict_fini(&v);
}

static void a_storm_is_measured(void **state)
{
    static const char *const lines[] = {
        "{\"t\":9000000000,\"ev\":\"expect\",\"n\":1,\"line\":30,\"text\":\"storm sbc\",\"held\":true,"
        "\"why\":\"sbc: 12 registrations\",\"peak\":12,\"peak_at\":500000000,\"registrations\":12,\"phones\":0,"
        "\"away\":0}",
        NULL};
    (void)state;
    struct verdict v;
    char *text = NULL;
    size_t n;
    verdict_of(&v, lines);
    assert_true(v.items[0].measured);
    FILE *out = open_memstream(&text, &n);
    assert_int_equal(verdict_json(&v, &run, out), 0);
    fclose(out);
    assert_non_null(strstr(text, "\"peak\": 12"));
    assert_non_null(strstr(text, "\"peak_at\": 500000000"));
    assert_null(strstr(text, "\"back\""));
    free(text);
    verdict_fini(&v);
}

static void terminal_shows_it_at_a_glance(void **state)
{
    (void)state;
    struct verdict v;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    verdict_of(&v, failing);
    verdict_print(&v, &run, false, out);
    fclose(out);
    assert_string_equal(text, "t  sim, seed 1\n"
                              "  ✗       5.000s  wait: for alice registered, within 5s\n"
                              "                  line 20; alice is \"trying\"\n"
                              "                  what happened before, and to whom:\n"
                              "            0.001s  alice          sends REGISTER to 203.0.113.10:5060\n"
                              "            0.002s  router         drops udp 1.2.3.4:1 > 5.6.7.8:2: no-mapping  "
                              "(2 times, last at 0.022s)\n"
                              "  ✓       5.000s  expect: drops none\n"
                              "t: 1 of 2 did not hold, in 5.000s of lab time\n");
    free(text);
    verdict_fini(&v);
}

static void json_is_whole(void **state)
{
    (void)state;
    struct verdict v;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    verdict_of(&v, failing);
    assert_int_equal(verdict_json(&v, &run, out), 0);
    fclose(out);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    assert_false(json_is_true(json_object_get(root, "held")));
    assert_int_equal(json_array_size(json_object_get(root, "items")), 2);
    json_decref(root);
    free(text);
    verdict_fini(&v);
}

static void junit_escapes_and_counts(void **state)
{
    (void)state;
    struct verdict v;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    verdict_of(&v, failing);
    verdict_junit_begin(out);
    verdict_junit(&v, &run, out);
    verdict_junit_end(out);
    fclose(out);
    assert_non_null(
        strstr(text, "<testsuite name=\"t (sim)\" tests=\"2\" failures=\"1\" errors=\"0\" time=\"5.000\">"));
    assert_non_null(strstr(text, "<failure message=\"alice is &quot;trying&quot;\">"));
    assert_non_null(strstr(text, "udp 1.2.3.4:1 &gt; 5.6.7.8:2"));
    free(text);
    verdict_fini(&v);
}

static void step_that_never_ended_is_shown_as_such(void **state)
{
    (void)state;
    struct verdict v;
    const char *const lines[] = {failing[0], NULL};
    verdict_of(&v, lines);
    assert_int_equal(v.items[0].state, VERDICT_RUNNING);
    verdict_fini(&v);
}

/* Times and findings may differ between two runs of one verdict; how a step or expectation ended may not. */
static void verdicts_part_where_an_end_differs(void **state)
{
    static const char *const later[] = {
        "{\"t\":0,\"ev\":\"step\",\"n\":1,\"line\":20,\"text\":\"wait: for alice registered, within "
        "5s\",\"state\":\"started\"}",
        "{\"t\":5000000007,\"ev\":\"step\",\"n\":1,\"line\":20,\"text\":\"wait: for alice registered, within 5s\","
        "\"state\":\"failed\",\"why\":\"alice is another thing\"}",
        "{\"t\":5000000007,\"ev\":\"expect\",\"n\":1,\"line\":30,\"text\":\"drops none\",\"held\":false,\"why\":"
        "\"there was 1\"}",
        NULL};
    struct verdict first;
    struct verdict same;
    struct verdict other;
    struct verdict none;
    (void)state;
    verdict_of(&first, failing);
    verdict_of(&same, failing);
    verdict_of(&other, later);
    verdict_of(&none, (const char *const[]){NULL});
    assert_null(verdict_parting(&first, &same));
    assert_ptr_equal(verdict_parting(&first, &other), &first.items[1]);
    assert_ptr_equal(verdict_parting(&first, &none), &first.items[0]);
    assert_ptr_equal(verdict_parting(&none, &first), &first.items[0]);
    verdict_fini(&first);
    verdict_fini(&same);
    verdict_fini(&other);
    verdict_fini(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_counted),
        cmocka_unit_test(verdicts_part_where_an_end_differs),
        cmocka_unit_test(a_clock_and_an_mtu_are_told),
        cmocka_unit_test(failure_is_explained_by_the_nodes_it_names_and_by_fates),
        cmocka_unit_test(an_outage_is_printed_and_measured),
        cmocka_unit_test(a_storm_is_measured),
        cmocka_unit_test(terminal_shows_it_at_a_glance),
        cmocka_unit_test(json_is_whole),
        cmocka_unit_test(junit_escapes_and_counts),
        cmocka_unit_test(step_that_never_ended_is_shown_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
