/* Nodes of kind program: commands, templates, readiness, the steps that nobody writes, and what is said of mistakes. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "sim/lab/lab_program.h"
#include "sim/lab/step.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD                                                                                                           \
    "lab: t\n"                                                                                                         \
    "networks: {net: 10.0.0.0/24}\n"                                                                                   \
    "nodes:\n"                                                                                                         \
    "  pbx: {kind: pbx, on: net.2, lines: {101: {password: a}}}\n"                                                     \
    "  alice: {kind: phone, on: net.3, line: 101}\n"

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

static void assert_words(const struct foreign_command *c, const char *const *expected)
{
    size_t i = 0;
    for (; expected[i]; i++)
        assert_string_equal(c->words[i], expected[i]);
    assert_null(c->words[i]);
}

static void a_command_in_one_text_is_cut_at_blanks_outside_quotes(void **state)
{
    (void)state;
    struct lab *lab = lab_of(HEAD "  k: {kind: program, on: net.4, command: \"a  -b 'c d' e\\\"f g\\\"h ''\"}\n");
    assert_words(&lab->nodes[2].program->plan.command, (const char *const[]){"a", "-b", "c d", "ef gh", "", NULL});
    lab_free(lab);
}

static void a_command_may_stand_in_several_lines(void **state)
{
    (void)state;
    struct lab *lab = lab_of(HEAD "  k:\n    kind: program\n    on: net.4\n    command: |\n      a b\n\n      c\n");
    assert_words(&lab->nodes[2].program->plan.command, (const char *const[]){"a", "b", "c", NULL});
    lab_free(lab);
}

static void a_command_as_a_list_is_taken_as_it_is(void **state)
{
    (void)state;
    struct lab *lab = lab_of(HEAD "  k: {kind: program, on: net.4, command: [sh, -c, \"echo 'x y'\"]}\n");
    assert_words(&lab->nodes[2].program->plan.command, (const char *const[]){"sh", "-c", "echo 'x y'", NULL});
    lab_free(lab);
}

static void templates_name_ports_and_settings_and_leave_the_folder_open(void **state)
{
    (void)state;
    struct lab *lab = lab_of(HEAD "  k:\n    kind: program\n    on: net.4\n"
                                  "    files: {cfg: \"{{ k.on }}/{{pbx.on}}:{{alice.line}} {{dir}}/x }} {{\"}\n");
    assert_int_equal(lab->nodes[2].program->plan.files_n, 1);
    assert_string_equal(lab->nodes[2].program->plan.files[0].name, "cfg");
    assert_string_equal(lab->nodes[2].program->plan.files[0].text, "10.0.0.4/10.0.0.2:101 {{dir}}/x }} {{");
    lab_free(lab);
}

static void the_plan_has_a_role_of_its_own_and_the_clock_is_real(void **state)
{
    (void)state;
    struct lab *lab = lab_of(HEAD "  k: {kind: program, on: net.4}\n");
    assert_int_equal(lab->plan.nodes[2].role, PLAN_FOREIGN);
    assert_ptr_equal(lab->plan.nodes[2].foreign, &lab->nodes[2].program->plan);
    assert_true(lab_needs_real_clock(lab));
    lab_free(lab);
    lab = lab_of(HEAD);
    assert_false(lab_needs_real_clock(lab));
    lab_free(lab);
}

static void readiness_is_waited_for_first_and_judged_programs_are_stopped_last(void **state)
{
    (void)state;
    struct lab *lab = lab_of(HEAD "  k: {kind: program, on: net.4, command: x, ready: {port: 9, within: 2s}, exit: 3}\n"
                                  "  h: {kind: program, on: net.5}\n"
                                  "steps:\n  - sleep: 1s\n");
    assert_int_equal(lab->steps->n, 3);
    assert_int_equal(lab->steps->items[0].type, STEP_READY);
    assert_int_equal(lab->steps->items[0].within, 2 * SEC);
    assert_int_equal(lab->steps->items[1].type, STEP_SLEEP);
    assert_int_equal(lab->steps->items[2].type, STEP_HALT);
    assert_int_equal(lab->steps->items[2].exit_status, 3);
    lab_free(lab);
}

static bool never_there(void *arg, const char *word)
{
    return strcmp(word, arg) != 0;
}

static void a_missing_program_is_found_in_nodes_and_in_steps(void **state)
{
    (void)state;
    char first[] = "one";
    char second[] = "two";
    char third[] = "three";
    struct lab_missing missing;
    struct lab *lab = lab_of(HEAD "  k: {kind: program, on: net.4, command: one x}\n"
                                  "steps:\n  - repeat: {times: 2, steps: [{run: {on: k, command: two}}]}\n");
    assert_true(lab_program_missing(lab, never_there, first, &missing));
    assert_string_equal(missing.word, "one");
    assert_true(lab_program_missing(lab, never_there, second, &missing));
    assert_string_equal(missing.word, "two");
    assert_string_equal(missing.node->name, "k");
    assert_false(lab_program_missing(lab, never_there, third, &missing));
    lab_free(lab);
}

static void mistakes_are_told(void **state)
{
    (void)state;
    assert_said(HEAD "  k: {kind: program, on: net.4, comand: x}\n", "did you mean \"command\"?");
    assert_said(HEAD "  k: {kind: program, on: net.4, command: \"x {{pbxx.on}}\"}\n", "did you mean \"pbx\"?");
    assert_said(HEAD "  k: {kind: program, on: net.4, command: \"x {{pbx.out}}\"}\n", "neither a port nor a setting");
    assert_said(HEAD "  k: {kind: program, on: net.4, command: []}\n", "expected a command here");
    assert_said(HEAD "  k: {kind: program, on: net.4, command: x, ready: {within: 1s}}\n", "either a port or a line");
    assert_said(HEAD "  k: {kind: program, on: net.4, exit: 0}\n", "no command that could");
    assert_said(HEAD "  k: {kind: program, on: net.4, files: {../x: y}}\n", "cannot be a name here");
    assert_said(HEAD "  k: {kind: program, on: net.4, needs: [\"a b\"]}\n", "name of a Debian package");
    assert_said(HEAD "  k: {kind: program, on: net.4, world: sim}\n", "simulator cannot run");
    assert_said(HEAD "steps:\n  - run: {on: alice, command: x}\n", "run on nodes of kind program");
    assert_said(HEAD "  k: {kind: program, on: net.4}\nsteps:\n  - power: {on: k, do: off}\n", "no power switch");
    assert_said(HEAD "  k: {kind: program, on: net.4}\nsteps:\n  - run: {on: k, command: x, output has: [[]]}\n",
                "expected a text here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_in_one_text_is_cut_at_blanks_outside_quotes),
        cmocka_unit_test(a_command_may_stand_in_several_lines),
        cmocka_unit_test(a_command_as_a_list_is_taken_as_it_is),
        cmocka_unit_test(templates_name_ports_and_settings_and_leave_the_folder_open),
        cmocka_unit_test(the_plan_has_a_role_of_its_own_and_the_clock_is_real),
        cmocka_unit_test(readiness_is_waited_for_first_and_judged_programs_are_stopped_last),
        cmocka_unit_test(a_missing_program_is_found_in_nodes_and_in_steps),
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
