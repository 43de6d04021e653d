/* Steps that are given to a lab that runs, in the simulated world in stepped time. Alice and Bob are registered at once
 * and answer after a second.
 *
 *     alice ── net ── pbx
 *     bob   ──┘
 */
#define _POSIX_C_SOURCE 200809L
#include "nodes/base/error.h"
#include "nodes/base/record.h"
#include "sim/engine/engine.h"
#include "sim/lab/lab.h"
#include "sim/lab/script.h"
#include "tests/cmocka.h"

#include <stdlib.h>

static const char lab_file[] = "lab: t\n"
                               "networks: {net: 10.0.0.0/24}\n"
                               "nodes:\n"
                               "  alice: {kind: phone, on: net.1, line: 101}\n"
                               "  bob: {kind: phone, on: net.2, line: 102}\n"
                               "  pbx: {kind: pbx, on: net.10, lines: {101: {password: a}, 102: {password: b}}}\n"
                               "steps:\n"
                               "  - sleep: 1h\n"
                               "expect:\n"
                               "  - alice not registered\n";

enum { LINES = 40, LINE = 160 };

/* The steps are given one after the other, each once the one before is done; then the lab ends. */
struct live {
    struct lab *lab;
    struct engine *engine;
    struct script *script;
    FILE *trace;
    char *text;
    size_t text_n;
    const char *const *steps;
    char verdicts[LINES][LINE]; /* lines "step" and "expect" but for those that begin, in short */
    size_t verdicts_n;
};

static void remember(struct live *l, struct span line)
{
    struct span text;
    struct span word;
    bool expect = record_is(line, "ev", "expect");
    if ((!expect && !record_is(line, "ev", "step")) || record_is(line, "state", "started"))
        return;
    assert_true(l->verdicts_n < LINES);
    assert_true(record_get(line, "text", &text) && record_get(line, expect ? "held" : "state", &word));
    snprintf(l->verdicts[l->verdicts_n++], LINE, "%.*s: %.*s", SPAN_ARG(text), SPAN_ARG(word));
}

static void observe(void *arg, struct span line)
{
    struct live *l = arg;
    script_line(l->script, line);
    remember(l, line);
}

static void give(struct live *l, const char *text)
{
    const struct step_list *steps = NULL;
    assert_int_equal(lab_add_steps(l->lab, "inject", span_of(text), &steps), 0);
    engine_flush(l->engine);
    FILE *trace = fmemopen(l->text, l->text_n, "r");
    assert_non_null(trace);
    assert_int_equal(script_add(l->script, steps, trace), 0);
    fclose(trace);
}

static bool attend(void *arg)
{
    struct live *l = arg;
    if (!script_is_idle(l->script))
        return false;
    if (*l->steps)
        give(l, *l->steps++);
    else
        script_finish(l->script);
    return true;
}

static void live_prepare(struct live *l, const char *const *steps)
{
    struct engine_config config = {.observe = observe, .attend = attend, .arg = l};
    bool all[3] = {true, true, true};
    *l = (struct live){.steps = steps};
    l->trace = config.trace = open_memstream(&l->text, &l->text_n);
    assert_non_null(l->trace);
    assert_int_equal(lab_parse(&l->lab, "t.yaml", SPAN(lab_file), NULL, 0), 0);
    assert_int_equal(l->lab->plan.nodes_n, 3);
    assert_int_equal(script_new(&l->script, l->lab), 0);
    assert_int_equal(engine_new(&l->engine, &l->lab->plan, &config), 0);
    assert_int_equal(engine_open(l->engine, &sim_world, all, NULL), 0);
    script_open(l->script, l->engine);
}

static void live_run(struct live *l, const char *const *steps)
{
    live_prepare(l, steps);
    assert_int_equal(engine_run(l->engine), ENGINE_STOPPED);
    assert_true(engine_conserved(l->engine));
}

static void live_fini(struct live *l)
{
    engine_free(l->engine);
    script_free(l->script);
    lab_free(l->lab);
    fclose(l->trace);
    free(l->text);
}

static void assert_verdicts(const struct live *l, const char *const *verdicts)
{
    size_t n = 0;
    for (; verdicts[n]; n++) {
        assert_true(n < l->verdicts_n);
        assert_string_equal(l->verdicts[n], verdicts[n]);
    }
    assert_int_equal(l->verdicts_n, n);
}

#define STEPS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void the_labs_own_steps_and_expectations_are_left_out(void **state)
{
    (void)state;
    struct live l;
    live_run(&l, STEPS("wait: alice registered"));
    assert_verdicts(&l, STEPS("wait: alice registered: done"));
    assert_true(engine_now(l.engine) < MINUTE);
    live_fini(&l);
}

static void steps_are_done_in_their_order(void **state)
{
    (void)state;
    struct live l;
    live_run(&l, STEPS("- wait: alice registered\n- wait: bob registered", "call: {from: bob, to: alice, talk: 2s}",
                       "repeat: {times: 2, steps: [{sleep: 1s}, {expect: alice idle}]}"));
    assert_verdicts(&l, STEPS("wait: alice registered: done", "wait: bob registered: done",
                              "call: from bob, to alice, talk 2s: done", "sleep: 1s: done", "alice idle: true",
                              "sleep: 1s: done", "alice idle: true"));
    assert_int_equal(script_failures(l.script), 0);
    live_fini(&l);
}

static void a_step_that_fails_does_not_end_the_next(void **state)
{
    (void)state;
    struct live l;
    live_run(&l, STEPS("wait: alice registered",
                       "- expect: alice ringing\n- wait: {for: alice in call, within: 1s}\n- sleep: 1s", "sleep: 2s"));
    assert_verdicts(&l, STEPS("wait: alice registered: done", "alice ringing: false",
                              "wait: for alice in call, within 1s: failed", "sleep: 2s: done"));
    assert_int_equal(script_failures(l.script), 2);
    live_fini(&l);
}

static void give_up_at(void *arg)
{
    struct live *l = arg;
    script_give_up(l->script);
}

static void a_step_can_be_given_up(void **state)
{
    (void)state;
    struct live l;
    live_prepare(&l, STEPS("- sleep: 1h\n- sleep: 2h", "expect: {that: alice ringing, within: 1h}", "sleep: 1s"));
    struct timer first;
    struct timer second;
    timer_init(&first, give_up_at, &l);
    timer_init(&second, give_up_at, &l);
    engine_timer_start(l.engine, &first, 10 * SEC);
    engine_timer_start(l.engine, &second, 20 * SEC);
    assert_int_equal(engine_run(l.engine), ENGINE_STOPPED);
    assert_int_equal(engine_now(l.engine), 21 * SEC);
    assert_verdicts(&l, STEPS("sleep: 1h: failed", "that alice ringing, within 1h: false", "sleep: 1s: done"));
    live_fini(&l);
}

/* As in a lab file, where it would have been counting all the time. */
static void what_happened_since_the_last_action_counts(void **state)
{
    (void)state;
    struct live l;
    live_run(&l,
             STEPS("- wait: alice registered\n- wait: bob registered", "expect: {message: {is: REGISTER, at least: 4}}",
                   "call: {from: bob, to: alice, talk: 1s}", "expect: {message: {sent by: bob, is: BYE, times: 1}}",
                   "expect: {message: {is: REGISTER, times: 0}}",
                   "expect: {message: {is: REGISTER, at least: 4, since: the start}}", "fault: {on: net, do: cut}",
                   "expect: {message: {sent by: bob, is: BYE, times: 0}}"));
    for (size_t i = 0; i < l.verdicts_n; i++)
        if (strstr(l.verdicts[i], "false") || strstr(l.verdicts[i], "failed"))
            fail_msg("%s", l.verdicts[i]);
    assert_int_equal(l.verdicts_n, 9);
    live_fini(&l);
}

/* Slots of faults are added while others are at work: one that flaps, one that waits for its packet. */
static void faults_go_on_beside_later_steps(void **state)
{
    (void)state;
    struct live l;
    live_run(&l, STEPS("wait: alice registered", "fault: {on: net, do: flap, down: 1s, up: 1s, for: 10s}",
                       "fault: {drop: OPTIONS, from: alice}", "fault: {drop: BYE, from: bob, nth: 1}", "sleep: 20s",
                       "call: {from: bob, to: alice, talk: 1s}"));
    assert_string_equal(l.verdicts[l.verdicts_n - 1], "fault: drop OPTIONS, from alice: false"); /* it never hit */
    assert_string_equal(l.verdicts[l.verdicts_n - 2], "call: from bob, to alice, talk 1s: done");
    assert_int_equal(script_failures(l.script), 1);
    live_fini(&l);
}

static void a_wrong_step_is_told_and_leaves_nothing(void **state)
{
    (void)state;
    struct lab *lab;
    const struct step_list *steps = NULL;
    assert_int_equal(lab_parse(&lab, "t.yaml", SPAN(lab_file), NULL, 0), 0);
    for (int i = 0; i < 40; i++) { /* more often than there is room for problems */
        assert_int_equal(lab_add_steps(lab, "inject", SPAN("expect: {mesage: {is: BYE}}"), &steps), FE_ESYNTAX);
        assert_int_equal(lab->problems.n, 1);
        assert_string_equal(lab->problems.items[0].at.source->name, "inject");
        assert_int_equal(lab->problems.items[0].at.line, 1);
        assert_int_equal(lab->problems.items[0].at.column, 10);
        assert_string_equal(lab->problems.items[0].text, "\"mesage\" cannot be expected; did you mean \"message\"?");
        assert_int_equal(lab->expectations_n, 1);
    }
    assert_null(steps);
    assert_int_equal(lab_add_steps(lab, "inject", SPAN("fault: {drop: BYE, from: alic}"), &steps), FE_ESYNTAX);
    assert_int_equal(lab->faults_n, 0);
    assert_int_equal(lab_add_steps(lab, "inject", SPAN(""), &steps), FE_ESYNTAX);
    assert_int_equal(lab_add_steps(lab, "inject", SPAN("sleep: 1s"), &steps), 0);
    assert_int_equal(lab->problems.n, 0);
    lab_free(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_labs_own_steps_and_expectations_are_left_out),
        cmocka_unit_test(steps_are_done_in_their_order),
        cmocka_unit_test(a_step_that_fails_does_not_end_the_next),
        cmocka_unit_test(a_step_can_be_given_up),
        cmocka_unit_test(what_happened_since_the_last_action_counts),
        cmocka_unit_test(faults_go_on_beside_later_steps),
        cmocka_unit_test(a_wrong_step_is_told_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
