/* `count`: many nodes from one entry. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "sim/lab/lab.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD                                                                                                           \
    "lab: t\n"                                                                                                         \
    "networks: {net: 10.0.0.0/16}\n"                                                                                   \
    "nodes:\n"                                                                                                         \
    "  pbx: {kind: pbx, on: net.9.1, lines: {101: {password: a}}}\n"

static struct lab *lab_of(const char *text)
{
    struct lab *lab = NULL;
    int error = lab_parse(&lab, "t.yaml", span_of(text), NULL, 0);
    if (error)
        problems_write(&lab->problems, stderr);
    assert_int_equal(error, 0);
    return lab;
}

static void assert_said(const char *text, const char *expected)
{
    struct lab *lab = NULL;
    char *said = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&said, &n);
    assert_int_equal(lab_parse(&lab, "t.yaml", span_of(text), NULL, 0), FE_ESYNTAX);
    problems_write(&lab->problems, out);
    fclose(out);
    if (!strstr(said, expected))
        fail_msg("expected: %s\nsaid: %s", expected, said);
    free(said);
    lab_free(lab);
}

static void names_hosts_and_lines_count_up(void **state)
{
    (void)state;
    struct lab *lab = lab_of(HEAD "  p: {kind: phone, count: 300, on: net.1.250, line: 1001, password: \"x#y#\"}\n");
    assert_int_equal(lab->nodes_n, 301);
    assert_string_equal(lab->nodes[1].name, "p1");
    assert_string_equal(lab->nodes[300].name, "p300");
    assert_int_equal(lab->nodes[1].ports[0].addr, 0x0a0001fa);
    assert_int_equal(lab->nodes[6].ports[0].addr, 0x0a0001ff);
    assert_int_equal(lab->nodes[7].ports[0].addr, 0x0a000200);
    assert_string_equal(lab_setting(&lab->nodes[300], "line"), "1300");
    assert_string_equal(lab_setting(&lab->nodes[12], "password"), "x12y12");
    assert_int_equal(lab->plan.nodes_n, 301);
    lab_free(lab);
}

static void lines_of_a_pbx_count_up(void **state)
{
    (void)state;
    struct lab *lab = lab_of("lab: t\nnetworks: {net: 10.0.0.0/16}\nnodes:\n"
                             "  pbx: {kind: pbx, on: net.9.1, lines: {1001: {count: 300, password: \"x#\"}, 7: {}}}\n");
    assert_string_equal(lab_setting(&lab->nodes[0], "lines.1001.password"), "x1");
    assert_string_equal(lab_setting(&lab->nodes[0], "lines.1300.password"), "x300");
    assert_null(lab_setting(&lab->nodes[0], "lines.1301.password"));
    assert_non_null(lab_setting(&lab->nodes[0], "lines.7"));
    lab_free(lab);
    assert_said("lab: t\nnetworks: {net: 10.0.0.0/16}\nnodes:\n"
                "  pbx: {kind: pbx, on: net.9.1, lines: {1: {count: 9999}, 20000: {count: 2}}}\n",
                "a PBX has room for 10000 lines");
}

static void a_mark_in_the_name_and_a_long_attachment_are_counted(void **state)
{
    (void)state;
    struct lab *lab = lab_of(HEAD "  p#x: {kind: phone, count: 2, on: {at: net.2.7, delay: 3ms}, line: 5}\n"
                                  "steps:\n  - call: {from: p1x, to: p2x}\n");
    assert_string_equal(lab->nodes[2].name, "p2x");
    assert_int_equal(lab->nodes[2].ports[0].addr, 0x0a000208);
    lab_free(lab);
}

static void mistakes_are_told_at_their_place(void **state)
{
    (void)state;
    assert_said(HEAD "  p: {kind: phone, count: 0, on: net.1.1, line: 1}\n", "t.yaml:5:27: count");
    assert_said(HEAD "  p: {kind: phone, count: 10001, on: net.1.1, line: 1}\n", "count");
    assert_said(HEAD "  p: {kind: phone, count: 9, on: net.250, line: 1}\n", "cannot be counted up so far");
    assert_said(HEAD "  p: {kind: phone, count: 9000, on: net.1.0, line: 1}\n"
                     "  q: {kind: phone, count: 9000, on: net.99.0, line: 1}\n",
                "10000 nodes");
    assert_said(HEAD "  p: {kind: phone, count: 2, on: net.1.1, line: 1}\n  p2: {kind: phone, on: net.3.1, line: 9}\n",
                "there are two nodes \"p2\"");
    assert_said(HEAD "  p: {kind: phone, count: 2, on: hom.1.1, line: 1}\n", "there is no network \"hom\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_hosts_and_lines_count_up),
        cmocka_unit_test(lines_of_a_pbx_count_up),
        cmocka_unit_test(a_mark_in_the_name_and_a_long_attachment_are_counted),
        cmocka_unit_test(mistakes_are_told_at_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
