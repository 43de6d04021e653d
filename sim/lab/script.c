/* How it works. There is one timer and one step at a time. A step begins by acting or by setting up what it waits for,
 * and then the script is in one of the phases of script_impl.h. Each line of the trace may fulfil what a phase waits
 * for; the script then goes on at the same instant by its timer, because nothing may be done from inside the trace.
 * Otherwise the timer fires at the phase's deadline. */
#include "sim/lab/script.h"

#include "nodes/base/error.h"
#include "nodes/base/record.h"
#include "sim/lab/expect_outage.h"
#include "sim/lab/expect_storm.h"
#include "sim/lab/lab_program.h"
#include "sim/lab/script_fault.h"
#include "sim/lab/script_impl.h"

#include <stdlib.h>

/* ---- tracing ---- */

static void step_trace(struct script *s, const char *state, const char *why)
{
    struct record *r = engine_trace(s->e, "step");
    record_u64(r, "n", s->n);
    record_u64(r, "line", s->step->at.line);
    record_str(r, "text", s->step->text);
    record_str(r, "state", state);
    record_str(r, "why", why);
    engine_trace_end(s->e);
}

void script_expect_trace(struct script *s, const struct expectation *e, bool held, const char *why)
{
    struct record *r = engine_trace(s->e, "expect");
    record_u64(r, "n", s->n);
    record_u64(r, "line", e->at.line);
    record_str(r, "text", e->text);
    record_bool(r, "held", held);
    record_str(r, "why", why);
    if (e->type == EXPECT_OUTAGE)
        expect_outage_record(e, &s->facts, r);
    if (e->type == EXPECT_STORM)
        expect_storm_record(e, &s->facts, r);
    engine_trace_end(s->e);
    s->failures += !held;
}

/* ---- phases ---- */

static void enter(struct script *s, enum phase phase, lab_time deadline)
{
    s->phase = phase;
    s->deadline = deadline;
    s->met = false;
    engine_timer_start(s->e, &s->timer, deadline);
}

void script_enter_for(struct script *s, enum phase phase, lab_time duration)
{
    enter(s, phase, engine_now(s->e) + duration);
}

void script_step_done(struct script *s)
{
    step_trace(s, "done", NULL);
    script_enter_for(s, PHASE_NEXT, 0);
}

void script_step_failed(struct script *s, const char *why)
{
    s->failures++;
    step_trace(s, "failed", why);
    s->depth = 0;
    script_enter_for(s, PHASE_NEXT, 0);
}

void script_step_lost(struct script *s, const char *why)
{
    if (s->step->type != STEP_EXPECT) {
        script_step_failed(s, why);
        return;
    }
    script_expect_trace(s, s->step->condition, false, why);
    s->depth = 0;
    script_enter_for(s, PHASE_NEXT, 0);
}

static bool condition_holds(const struct script *s, const struct expectation *e, struct text *why)
{
    return expect_holds(e, &s->facts, s->counts[e->index], why);
}

static void judge(struct script *s, const struct expectation *e)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    bool held = condition_holds(s, e, &why);
    script_expect_trace(s, e, held, buf);
}

/* ---- beginning a step ---- */

static void link_change(struct script *s)
{
    const struct step *step = s->step;
    for (size_t i = 0; i < step->wires_n; i++) {
        struct wire_spec spec = *engine_wire(s->e, step->wires[i].wire, step->wires[i].direction);
        link_apply(&step->link, step->given, &spec);
        if (step->cut != CUT_NO)
            spec.down = step->cut == CUT_DOWN;
        engine_wire_set(s->e, step->wires[i].wire, step->wires[i].direction, &spec);
    }
    script_step_done(s);
}

static void engine_did(struct script *s, int error)
{
    if (error)
        script_step_failed(s, fe_error_text(error));
    else
        script_step_done(s);
}

/* A restart is off and on at one moment. */
static int power(struct script *s)
{
    if (s->step->loss)
        return engine_power_loss(s->e, s->step->node);
    int error = engine_power(s->e, s->step->node, s->step->power);
    if (!error && s->step->restart)
        error = engine_power(s->e, s->step->node, true);
    return error;
}

static void clock_begin(struct script *s)
{
    const struct step *step = s->step;
    lab_time now = engine_now(s->e);
    lab_time ahead = engine_clock(s->e, step->node) - now;
    if (lab_clock_apply(&step->clock, now, &ahead))
        engine_did(s, engine_clock_set(s->e, step->node, ahead));
    else
        script_step_failed(s, "its clock cannot show that: it goes from 1970 to 2199");
}

static void wait_begin(struct script *s, lab_time within)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    script_enter_for(s, PHASE_WAIT, within);
    s->met = condition_holds(s, s->step->condition, &why);
    if (s->met)
        engine_timer_start(s->e, &s->timer, engine_now(s->e));
}

static void expect_begin(struct script *s)
{
    const struct expectation *e = s->step->condition;
    if (e->within || e->never) {
        wait_begin(s, e->within ? e->within : e->never);
        return;
    }
    s->facts.asking = true;
    script_call_ask_for(s, e);
    script_enter_for(s, PHASE_JUDGE, 0);
}

static void repeat_begin(struct script *s)
{
    s->frames[s->depth++] = (struct frame){&s->step->steps, 0, s->step->times};
    script_enter_for(s, PHASE_NEXT, 0);
}

void script_counts_reset(struct script *s)
{
    s->n_action = s->n;
    for (size_t i = 0; i < s->counts_n; i++)
        if (!s->lab->expectations[i]->since_start)
            s->counts[i] = 0;
}

static void step_begin(struct script *s, const struct step *step)
{
    s->step = step;
    s->refused[0] = '\0';
    if (step->type == STEP_REPEAT) {
        repeat_begin(s);
        return;
    }
    s->n++;
    if (step_is_action(step))
        script_counts_reset(s);
    if (step->type != STEP_EXPECT)
        step_trace(s, "started", NULL);
    switch (step->type) {
    case STEP_SLEEP: script_enter_for(s, PHASE_SLEEP, step->duration); break;
    case STEP_WAIT: wait_begin(s, step->within); break;
    case STEP_EXPECT: expect_begin(s); break;
    case STEP_CALL: script_call_begin(s); break;
    case STEP_HANG_UP: script_call_hang_up(s, step->within); break;
    case STEP_COMMAND:
        engine_command(s->e, step->node, span_of(step->command));
        script_enter_for(s, PHASE_COMMAND, 0);
        break;
    case STEP_LINK: link_change(s); break;
    case STEP_READY:
        script_enter_for(s, PHASE_READY, s->facts.nodes[step->node].program > PROGRAM_STARTED ? 0 : step->within);
        break;
    case STEP_RUN: script_program_run(s); break;
    case STEP_HALT: script_program_halt(s); break;
    case STEP_POWER: engine_did(s, power(s)); break;
    case STEP_FREEZE: engine_did(s, engine_freeze(s->e, step->node, step->freeze)); break;
    case STEP_CLOCK: clock_begin(s); break;
    case STEP_MTU: engine_did(s, engine_port_mtu(s->e, step->node, step->index, (uint16_t)step->mtu)); break;
    case STEP_FAULT:
    case STEP_FLAP: engine_did(s, script_fault_begin(s->faults, s->e, step)); break;
    case STEP_SIDES:
        script_sides_set(s->e, step);
        script_step_done(s);
        break;
    case STEP_REPEAT: break; /* above: what it repeats are steps of their own */
    }
}

/* ---- the end of a phase ---- */

/* The first of the whole lab's expectations; those of a live script are none of its steps' business. */
static size_t first_final(const struct script *s)
{
    return s->live ? s->lab->expectations_n : s->lab->expectations_n - s->lab->final_n;
}

void script_final_begin(struct script *s)
{
    s->facts.asking = true;
    for (size_t i = first_final(s); i < s->lab->expectations_n; i++)
        script_call_ask_for(s, s->lab->expectations[i]);
    script_enter_for(s, PHASE_FINAL, 0);
}

static void fault_missed(void *arg, const struct step *step)
{
    struct script *s = arg;
    struct record *r = engine_trace(s->e, "expect");
    record_u64(r, "n", s->n);
    record_u64(r, "line", step->at.line);
    record_str(r, "text", step->text);
    record_bool(r, "held", false);
    record_str(r, "why", "the fault never hit anything; say {may miss: yes} if it need not");
    engine_trace_end(s->e);
    s->failures++;
}

static void final_end(struct script *s)
{
    s->failures += s->lost >= 0; /* between the last step and now */
    script_faults_report(s->faults, fault_missed, s);
    for (size_t i = first_final(s); i < s->lab->expectations_n; i++)
        judge(s, s->lab->expectations[i]);
    s->phase = PHASE_OVER;
    engine_stop(s->e);
}

static void next_step(struct script *s)
{
    while (s->depth) {
        struct frame *f = &s->frames[s->depth - 1];
        if (f->next < f->steps->n) {
            step_begin(s, &f->steps->items[f->next++]);
            return;
        }
        f->next = 0;
        if (f->steps->n == 0 || --f->rounds == 0)
            s->depth--;
    }
    if (s->live)
        s->phase = PHASE_IDLE;
    else
        script_final_begin(s);
}

/* How fast many events came, where that says something: on the real clock. */
static void say_rate(const struct script *s, struct text *why)
{
    const struct expectation *e = s->step->condition;
    lab_time took = engine_now(s->e) - s->firsts[e->index];
    uint64_t n = s->counts[e->index];
    if (e->type != EXPECT_COUNT || n < 2 || took < MS || !lab_needs_real_clock(s->lab))
        return;
    text_u64(why, n);
    text_str(why, " in ");
    text_fixed(why, took / MS, 3);
    text_str(why, "s, ");
    text_u64(why, (n - 1) * 1000 / (uint64_t)(took / MS));
    text_str(why, " a second");
}

static void wait_done(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    say_rate(s, &why);
    step_trace(s, "done", why.n ? buf : NULL);
    script_enter_for(s, PHASE_NEXT, 0);
}

static void wait_end(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    const struct expectation *e = s->step->condition;
    condition_holds(s, e, &why);
    if (s->step->type == STEP_EXPECT) {
        script_expect_trace(s, e, e->never ? !s->met : s->met, buf);
        script_enter_for(s, PHASE_NEXT, 0);
    } else if (s->met) {
        wait_done(s);
    } else {
        script_step_failed(s, buf);
    }
}

static void fire(void *arg)
{
    struct script *s = arg;
    if (s->facts.no_memory)
        engine_fail(s->e, "out of memory");
    if (script_program_loss_told(s))
        return;
    switch (s->phase) {
    case PHASE_NEXT: next_step(s); break;
    case PHASE_IDLE: s->lost = -1; break; /* a program that ended meanwhile is no step's failure */
    case PHASE_SLEEP: script_step_done(s); break;
    case PHASE_WAIT: wait_end(s); break;
    case PHASE_COMMAND:
        if (*s->refused)
            script_step_failed(s, s->refused);
        else
            script_step_done(s);
        break;
    case PHASE_DIAL: script_call_dial_end(s); break;
    case PHASE_TALK: script_call_talk_end(s); break;
    case PHASE_ASK:
        s->facts.asking = false;
        if (s->step->stay)
            script_step_done(s);
        else
            script_call_hang_up(s, s->step->within > 40 * SEC ? s->step->within : 40 * SEC);
        break;
    case PHASE_HANG_UP: script_call_hang_up_end(s); break;
    case PHASE_JUDGE:
        s->facts.asking = false;
        judge(s, s->step->condition);
        script_enter_for(s, PHASE_NEXT, 0);
        break;
    case PHASE_READY: script_program_ready_end(s); break;
    case PHASE_RUN: script_program_run_end(s); break;
    case PHASE_HALT: script_program_halt_end(s); break;
    case PHASE_FINAL: final_end(s); break;
    case PHASE_OVER: break;
    }
}

/* ---- lines ---- */

/* Has what the phase waits for come? */
static bool is_met(const struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    const struct call_facts *call;
    switch (s->phase) {
    case PHASE_WAIT: return condition_holds(s, s->step->condition, &why);
    case PHASE_DIAL:
        call = script_call_dialled(s);
        return *s->refused || (call && (call->state == CALL_ESTABLISHED || call_is_over(call->state)));
    case PHASE_TALK: return !script_call_dialled(s) || script_call_dialled(s)->state != CALL_ESTABLISHED;
    case PHASE_HANG_UP: return *s->refused || script_call_is_over(s);
    case PHASE_READY: return s->facts.nodes[s->step->node].program > PROGRAM_STARTED;
    case PHASE_RUN: return s->facts.run.ended || s->facts.run.failed;
    case PHASE_HALT: return s->facts.nodes[s->step->node].program == PROGRAM_ENDED;
    case PHASE_NEXT:
    case PHASE_IDLE:
    case PHASE_SLEEP:
    case PHASE_COMMAND:
    case PHASE_ASK:
    case PHASE_JUDGE:
    case PHASE_FINAL:
    case PHASE_OVER: return false;
    }
    return false;
}

static void refusal_line(struct script *s, struct span line, int node)
{
    struct span reason;
    if (!s->step || (unsigned)node != s->step->node || !record_is(line, "ev", "bad-command"))
        return;
    if (!record_get(line, "reason", &reason) || span_empty(reason))
        reason = SPAN("it does not understand the command");
    if (reason.n >= sizeof s->refused)
        reason.n = sizeof s->refused - 1;
    span_copy(reason, s->refused, sizeof s->refused);
}

void script_line(struct script *s, struct span line)
{
    int node = facts_line(&s->facts, line);
    for (size_t i = 0; i < s->counts_n; i++)
        if (expect_matches(s->lab->expectations[i], line) && s->counts[i]++ == 0)
            s->firsts[i] = engine_now(s->e);
    if (node >= 0)
        refusal_line(s, line, node);
    if (node >= 0)
        script_program_lost_line(s, line, node);
    script_program_output_line(s, line);
    if (s->met || (s->lost < 0 && !is_met(s)))
        return;
    s->met = true;
    engine_timer_start(s->e, &s->timer, engine_now(s->e));
}

/* ---- life ---- */

int script_counts_more(struct script *s)
{
    size_t n = s->lab->expectations_n;
    uint32_t *counts = realloc(s->counts, (n + 1) * sizeof *counts);
    if (counts)
        s->counts = counts;
    lab_time *firsts = realloc(s->firsts, (n + 1) * sizeof *firsts);
    if (firsts)
        s->firsts = firsts;
    if (!counts || !firsts)
        return FE_EMEM;
    for (; s->counts_n < n; s->counts_n++) {
        counts[s->counts_n] = 0;
        firsts[s->counts_n] = 0;
    }
    return 0;
}

int script_new(struct script **out, const struct lab *lab)
{
    struct script *s = calloc(1, sizeof *s);
    if (!s)
        return FE_EMEM;
    s->lab = lab;
    s->halted = calloc(lab->nodes_n + 1, sizeof s->halted[0]);
    s->lost = -1;
    s->faults = script_faults_new(lab);
    if (script_counts_more(s) || !s->halted || !s->faults || facts_init(&s->facts, lab)) {
        script_free(s);
        return FE_EMEM;
    }
    s->frames[s->depth++] = (struct frame){lab->steps, 0, 1};
    timer_init(&s->timer, fire, s);
    *out = s;
    return 0;
}

void script_free(struct script *s)
{
    if (!s)
        return;
    if (s->facts.nodes)
        facts_fini(&s->facts);
    script_faults_free(s->faults);
    free(s->counts);
    free(s->firsts);
    free(s->halted);
    free(s);
}

void script_begin(struct script *s, struct engine *e)
{
    s->e = e;
    enter(s, PHASE_NEXT, 0);
}

const struct facts *script_facts(const struct script *s)
{
    return &s->facts;
}

bool script_is_over(const struct script *s)
{
    return s->phase == PHASE_OVER;
}

unsigned script_failures(const struct script *s)
{
    return s->failures;
}
