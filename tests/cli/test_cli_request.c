/* Lines of the control socket. */
#define _POSIX_C_SOURCE 200809L
#include "sim/cli/cli_request.h"
#include "tests/cmocka.h"

#include <stdlib.h>
#include <string.h>

static void assert_written(const struct cli_request *r, const char *line)
{
    char buf[256];
    struct text text = text_on(buf, sizeof buf);
    assert_true(cli_request_write(r, &text));
    assert_string_equal(buf, line);
}

static bool read_line(struct cli_request *r, const char *line)
{
    static char buf[256];
    snprintf(buf, sizeof buf, "%s", line);
    return cli_request_read(r, buf, strlen(buf));
}

static void requests_are_lines(void **state)
{
    (void)state;
    assert_written(&(struct cli_request){.verb = CLI_ASK_STATUS}, "status plain\n");
    assert_written(&(struct cli_request){.verb = CLI_ASK_STATUS, .colour = true}, "status colour\n");
    assert_written(&(struct cli_request){.verb = CLI_ASK_BRIEF}, "brief\n");
    assert_written(&(struct cli_request){.verb = CLI_ASK_SPACE, .text = SPAN("alice")}, "space alice\n");
    assert_written(&(struct cli_request){.verb = CLI_ASK_DOWN}, "down\n");
    assert_written(&(struct cli_request){.verb = CLI_ASK_INJECT, .text = SPAN("sleep: 1s")},
                   "inject plain sleep: 1s\n");
}

static void a_step_of_several_lines_is_one_line(void **state)
{
    (void)state;
    struct cli_request r = {.verb = CLI_ASK_INJECT, .text = SPAN("repeat:\n  times: 2 \\ 3\n")};
    assert_written(&r, "inject plain repeat:\\n  times: 2 \\\\ 3\\n\n");
    assert_true(read_line(&r, "inject colour repeat:\\n  times: 2 \\\\ 3\\n"));
    assert_int_equal(r.verb, CLI_ASK_INJECT);
    assert_true(r.colour);
    assert_true(span_is(r.text, "repeat:\n  times: 2 \\ 3\n"));
}

static void an_empty_step_is_a_request(void **state)
{
    (void)state;
    struct cli_request r;
    assert_true(read_line(&r, "inject plain "));
    assert_int_equal(r.text.n, 0);
}

static void nonsense_is_none(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",           "stat plain",       "status",       "status green",     "status plain more", "brief plain",
        "down alice", "inject sleep: 1s", "inject plain", "inject plain \\x", "inject plain x\\",  "space",
        " status",    "status  plain",
    };
    struct cli_request r;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (read_line(&r, lines[i]))
            fail_msg("understood: %s", lines[i]);
    char zero[] = "space al\0ice";
    assert_false(cli_request_read(&r, zero, sizeof zero - 1));
}

static void what_does_not_fit_is_not_sent(void **state)
{
    (void)state;
    static char step[CLI_REQUEST_MAX];
    static char line[CLI_REQUEST_MAX + 1];
    struct text text = text_on(line, sizeof line);
    memset(step, 'x', sizeof step);
    struct cli_request r = {.verb = CLI_ASK_INJECT, .text = {step, sizeof step - strlen("inject plain \n")}};
    assert_true(cli_request_write(&r, &text));
    assert_int_equal(text.n, CLI_REQUEST_MAX);
    r.text.n++;
    text = text_on(line, sizeof line);
    assert_false(cli_request_write(&r, &text));
}

static void an_answer_has_lines_and_an_end(void **state)
{
    (void)state;
    char *page = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&page, &n);
    assert_non_null(out);
    cli_answer_text(out, CLI_SAY, "one\n\ntwo\n");
    cli_answer_text(out, CLI_COMPLAIN, "no");
    cli_answer_text(out, CLI_SAY, "");
    cli_answer_end(out, 1);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(page, "say one\nsay \nsay two\ncomplain no\nend 1\n");
    free(page);
}

static void answers_are_read(void **state)
{
    (void)state;
    struct cli_answer a;
    assert_true(cli_answer_read(&a, SPAN("say   one")));
    assert_int_equal(a.part, CLI_SAY);
    assert_true(span_is(a.text, "  one"));
    assert_true(cli_answer_read(&a, SPAN("complain no")));
    assert_int_equal(a.part, CLI_COMPLAIN);
    assert_true(cli_answer_read(&a, SPAN("end 4")));
    assert_int_equal(a.part, CLI_END);
    assert_int_equal(a.status, 4);
    assert_false(cli_answer_read(&a, SPAN("end 256")));
    assert_false(cli_answer_read(&a, SPAN("end")));
    assert_false(cli_answer_read(&a, SPAN("said one")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_lines),
        cmocka_unit_test(a_step_of_several_lines_is_one_line),
        cmocka_unit_test(an_empty_step_is_a_request),
        cmocka_unit_test(nonsense_is_none),
        cmocka_unit_test(what_does_not_fit_is_not_sent),
        cmocka_unit_test(an_answer_has_lines_and_an_end),
        cmocka_unit_test(answers_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
