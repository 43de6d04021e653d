/* How it works. There is one timer and one step at a time. A step begins by acting or by setting up what it waits for,
 * and then the script is in one of the phases below. Each line of the trace may fulfil what a phase waits for; the
 * script then goes on at the same instant by its timer, because nothing may be done from inside the trace. Otherwise
 * the timer fires at the phase's deadline. */
#include "sim/lab/script.h"

#include "nodes/base/error.h"
#include "nodes/base/record.h"
#include "sim/lab/expect_outage.h"
#include "sim/lab/expect_storm.h"
#include "sim/lab/lab_program.h"
#include "sim/lab/script_fault.h"

#include <stdlib.h>

enum { FRAMES = 8, WHY = 320 };

enum phase {
    PHASE_NEXT,    /* between steps: take the next one */
    PHASE_SLEEP,   /* until the deadline */
    PHASE_WAIT,    /* until the step's condition holds; "never": until it does, which is wrong */
    PHASE_COMMAND, /* a command was given; at this instant's end it was understood or not */
    PHASE_DIAL,    /* until the call is established or over */
    PHASE_TALK,    /* until the deadline, or the call is over, which is wrong */
    PHASE_ASK,     /* reports were asked for; at this instant's end they are there */
    PHASE_HANG_UP, /* until the phones' calls are over */
    PHASE_JUDGE,   /* reports were asked for, for an expectation */
    PHASE_READY,   /* until another's program is ready */
    PHASE_RUN,     /* until the step's command has ended */
    PHASE_HALT,    /* until another's program has ended */
    PHASE_FINAL,   /* reports were asked for, for the lab's expectations */
    PHASE_OVER,
};

/* A list of steps being worked through; repeat nests them. */
struct frame {
    const struct step_list *steps;
    size_t next;
    uint32_t rounds; /* still to go, this one included */
};

struct script {
    const struct lab *lab;
    struct engine *e;
    struct facts facts;
    struct script_faults *faults;
    uint32_t *counts; /* by expectation: lines that matched */
    lab_time *firsts; /* by expectation: when the first of them came */
    struct timer timer;
    struct frame frames[FRAMES];
    unsigned depth;
    const struct step *step;
    unsigned n; /* steps begun */
    enum phase phase;
    lab_time deadline;
    bool met;          /* what the phase waits for has come */
    uint32_t dialled;  /* the caller's latest call before this step */
    unsigned runs;     /* commands run so far */
    uint32_t seen;     /* by text of the step's `has`: a line of the command's output has it */
    bool *halted;      /* by node: its program was asked to end */
    int lost;          /* node whose program ended unasked, and no step was told yet; -1: none */
    char refused[WHY]; /* why a node did not understand its command; "" */
    unsigned failures;
};

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

static void expect_trace(struct script *s, const struct expectation *e, bool held, const char *why)
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

static void enter_for(struct script *s, enum phase phase, lab_time duration)
{
    enter(s, phase, engine_now(s->e) + duration);
}

static void step_done(struct script *s)
{
    step_trace(s, "done", NULL);
    enter_for(s, PHASE_NEXT, 0);
}

/* Nothing after a failed step would mean much: what is left of the steps is not done. */
static void step_failed(struct script *s, const char *why)
{
    s->failures++;
    step_trace(s, "failed", why);
    s->depth = 0;
    enter_for(s, PHASE_NEXT, 0);
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
    expect_trace(s, e, held, buf);
}

/* ---- calls ---- */

/* The call that this step made, once the phone has traced it; else NULL. */
static const struct call_facts *dialled_call(const struct script *s)
{
    const struct call_facts *call = facts_call(&s->facts, s->step->node, s->step->number);
    return call && call->number > s->dialled ? call : NULL;
}

static bool phone_is_idle(const struct script *s, unsigned node, const char *peer)
{
    const struct call_facts *call = facts_call(&s->facts, node, peer);
    return !call || call_is_over(call->state);
}

/* The phone at the other end of the step's call; NULL: none of the lab's. */
static const struct lab_node *other_phone(const struct script *s)
{
    if (s->step->other >= 0)
        return &s->lab->nodes[s->step->other];
    const struct call_facts *call = facts_call(&s->facts, s->step->node, NULL);
    return call ? lab_phone(s->lab, call->peer) : NULL;
}

static bool caller_idle(const struct script *s)
{
    return phone_is_idle(s, s->step->node, s->step->type == STEP_CALL ? s->step->number : NULL);
}

/* The call is over at this end and, as far as the other phone knows of it, at the other. */
static bool both_idle(const struct script *s)
{
    const struct lab_node *other = other_phone(s);
    if (!caller_idle(s))
        return false;
    return !other ||
           phone_is_idle(s, (unsigned)(other - s->lab->nodes), lab_setting(&s->lab->nodes[s->step->node], "line"));
}

static void ask(struct script *s, unsigned node)
{
    const struct call_facts *call = facts_call(&s->facts, node, NULL);
    if (call && call->state == CALL_ESTABLISHED)
        engine_command(s->e, node, SPAN("report"));
}

/* A call that hung up was asked before; a call that still stands is asked when its sound is judged. */
static void ask_for(struct script *s, const struct expectation *e)
{
    if (e->type != EXPECT_MEDIA)
        return;
    const struct call_facts *call = facts_call(&s->facts, e->other, NULL);
    if (call && call->state == CALL_ESTABLISHED)
        ask(s, e->node);
}

static void say_call(struct text *why, const struct call_facts *call)
{
    text_str(why, "the call ");
    text_str(why, call ? "is " : "was not made");
    if (!call)
        return;
    text_str(why, call_state_words[call->state]);
    if (!call->status)
        return;
    text_str(why, " with ");
    text_u64(why, call->status);
    text_char(why, ' ');
    text_str(why, call->reason);
}

static void dial_end(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    const struct step *step = s->step;
    const struct call_facts *call = dialled_call(s);
    bool up = call && call->state == CALL_ESTABLISHED;
    bool failed = call && call->state == CALL_FAILED && (!step->status || step->status == call->status);
    say_call(&why, call);
    if (up && step->shall == CALL_SHALL_ESTABLISH)
        enter_for(s, PHASE_TALK, step->duration);
    else if (failed && step->shall == CALL_SHALL_FAIL)
        step_done(s);
    else
        step_failed(s, *s->refused ? s->refused : buf);
}

static void talk_end(struct script *s)
{
    const struct call_facts *call = dialled_call(s);
    if (call && call->state != CALL_ESTABLISHED) {
        char buf[WHY];
        struct text why = text_on(buf, sizeof buf);
        say_call(&why, call);
        text_str(&why, " before the talk was over");
        step_failed(s, buf);
        return;
    }
    s->facts.asking = true;
    ask(s, s->step->node);
    if (s->step->other >= 0)
        ask(s, (unsigned)s->step->other);
    enter_for(s, PHASE_ASK, 0);
}

static void hang_up(struct script *s, lab_time within)
{
    engine_command(s->e, s->step->node, SPAN("hang up"));
    enter_for(s, PHASE_HANG_UP, within);
}

/* The other phone may never learn of it, when the network is broken; that is not this step's concern. */
static void hang_up_end(struct script *s)
{
    if (caller_idle(s))
        step_done(s);
    else
        step_failed(s, *s->refused ? s->refused : "the call does not end");
}

/* ---- other people's programs ---- */

static void say_program(struct text *why, const struct script *s, unsigned node)
{
    const struct node_facts *n = &s->facts.nodes[node];
    const char *name = s->lab->nodes[node].name;
    text_str(why, name);
    text_str(why, n->program == PROGRAM_ENDED ? " " : " is ");
    text_str(why, program_state_words[n->program]);
    if (n->program == PROGRAM_ENDED) {
        text_str(why, " with status ");
        text_u64(why, n->status);
    } else if (*n->reason) {
        text_str(why, ": ");
        text_str(why, n->reason);
    }
    if (n->program == PROGRAM_NOT_STARTED)
        return;
    text_str(why, "; logs/");
    text_str(why, name);
    text_str(why, ".log may say why");
}

static void ready_end(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    if (s->facts.nodes[s->step->node].program == PROGRAM_READY) {
        step_done(s);
        return;
    }
    say_program(&why, s, s->step->node);
    step_failed(s, buf);
}

static void run_begin(struct script *s)
{
    const struct foreign_run run = {++s->runs, &s->step->run};
    s->seen = 0;
    s->facts.run = (struct run_facts){.number = run.number};
    engine_foreign_run(s->e, s->step->node, &run);
    enter_for(s, PHASE_RUN, s->facts.run.failed ? 0 : s->step->within);
}

/* The first text that the output should have had and has not; NULL: it has them all. */
static const char *not_seen(const struct script *s)
{
    for (size_t i = 0; i < s->step->has_n; i++)
        if (!(s->seen & 1u << i))
            return s->step->has[i];
    return NULL;
}

static void run_end(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    const struct run_facts *run = &s->facts.run;
    const char *missing = not_seen(s);
    if (run->ended && run->status == s->step->exit_status && !missing) {
        step_done(s);
        return;
    }
    if (run->failed) {
        text_str(&why, "it could not be started: ");
        text_str(&why, run->reason);
    } else if (!run->ended) {
        text_str(&why, "it does not end");
    } else if (run->status != s->step->exit_status) {
        text_str(&why, "it ended with status ");
        text_u64(&why, run->status);
    } else {
        text_str(&why, "no line of its output has: ");
        text_str(&why, missing);
    }
    text_str(&why, "; logs/");
    text_str(&why, s->lab->nodes[s->step->node].name);
    text_str(&why, ".log has its output");
    step_failed(s, buf);
}

static void halt_begin(struct script *s)
{
    unsigned node = s->step->node;
    bool over = s->facts.nodes[node].program == PROGRAM_ENDED;
    s->halted[node] = true;
    if (!over)
        engine_foreign_halt(s->e, node);
    enter_for(s, PHASE_HALT, over ? 0 : s->step->within);
}

static void halt_end(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    const struct node_facts *n = &s->facts.nodes[s->step->node];
    if (n->program == PROGRAM_ENDED && (s->step->any_status || n->status == s->step->exit_status)) {
        step_done(s);
        return;
    }
    say_program(&why, s, s->step->node);
    step_failed(s, buf);
}

/* A program whose end the lab neither asked for nor judges: what follows would mean nothing. */
static void loss_line(struct script *s, struct span line, int node)
{
    const struct lab_program *p = s->lab->nodes[node].program;
    if (p && !p->judged && !s->halted[node] && record_is(line, "ev", "program") && record_is(line, "state", "ended"))
        s->lost = node;
}

/* Fails the step under way; false when there is none that could fail. */
static bool loss_told(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    if (s->lost < 0 || !s->step || s->phase == PHASE_NEXT || s->phase == PHASE_FINAL || s->phase == PHASE_OVER)
        return false;
    say_program(&why, s, (unsigned)s->lost);
    s->lost = -1;
    if (s->step->type == STEP_EXPECT) {
        expect_trace(s, s->step->condition, false, buf);
        s->depth = 0;
        enter_for(s, PHASE_NEXT, 0);
    } else {
        step_failed(s, buf);
    }
    return true;
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
    step_done(s);
}

static void engine_did(struct script *s, int error)
{
    if (error)
        step_failed(s, fe_error_text(error));
    else
        step_done(s);
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
        step_failed(s, "its clock cannot show that: it goes from 1970 to 2199");
}

static void call_begin(struct script *s)
{
    const struct call_facts *before = facts_call(&s->facts, s->step->node, NULL);
    s->dialled = before ? before->number : 0;
    engine_command(s->e, s->step->node, span_of(s->step->command));
    enter_for(s, PHASE_DIAL, s->step->within);
}

static void wait_begin(struct script *s, lab_time within)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    enter_for(s, PHASE_WAIT, within);
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
    ask_for(s, e);
    enter_for(s, PHASE_JUDGE, 0);
}

static void repeat_begin(struct script *s)
{
    s->frames[s->depth++] = (struct frame){&s->step->steps, 0, s->step->times};
    enter_for(s, PHASE_NEXT, 0);
}

static void counts_reset(struct script *s)
{
    for (size_t i = 0; i < s->lab->expectations_n; i++)
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
        counts_reset(s);
    if (step->type != STEP_EXPECT)
        step_trace(s, "started", NULL);
    switch (step->type) {
    case STEP_SLEEP: enter_for(s, PHASE_SLEEP, step->duration); break;
    case STEP_WAIT: wait_begin(s, step->within); break;
    case STEP_EXPECT: expect_begin(s); break;
    case STEP_CALL: call_begin(s); break;
    case STEP_HANG_UP: hang_up(s, step->within); break;
    case STEP_COMMAND:
        engine_command(s->e, step->node, span_of(step->command));
        enter_for(s, PHASE_COMMAND, 0);
        break;
    case STEP_LINK: link_change(s); break;
    case STEP_READY:
        enter_for(s, PHASE_READY, s->facts.nodes[step->node].program > PROGRAM_STARTED ? 0 : step->within);
        break;
    case STEP_RUN: run_begin(s); break;
    case STEP_HALT: halt_begin(s); break;
    case STEP_POWER: engine_did(s, power(s)); break;
    case STEP_FREEZE: engine_did(s, engine_freeze(s->e, step->node, step->freeze)); break;
    case STEP_CLOCK: clock_begin(s); break;
    case STEP_MTU: engine_did(s, engine_port_mtu(s->e, step->node, step->index, (uint16_t)step->mtu)); break;
    case STEP_FAULT:
    case STEP_FLAP: engine_did(s, script_fault_begin(s->faults, s->e, step)); break;
    case STEP_SIDES:
        script_sides_set(s->e, step);
        step_done(s);
        break;
    case STEP_REPEAT: break; /* above: what it repeats are steps of their own */
    }
}

/* ---- the end of a phase ---- */

static void final_begin(struct script *s)
{
    s->facts.asking = true;
    for (size_t i = s->lab->expectations_n - s->lab->final_n; i < s->lab->expectations_n; i++)
        ask_for(s, s->lab->expectations[i]);
    enter_for(s, PHASE_FINAL, 0);
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
    for (size_t i = s->lab->expectations_n - s->lab->final_n; i < s->lab->expectations_n; i++)
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
    final_begin(s);
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
    enter_for(s, PHASE_NEXT, 0);
}

static void wait_end(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    const struct expectation *e = s->step->condition;
    condition_holds(s, e, &why);
    if (s->step->type == STEP_EXPECT) {
        expect_trace(s, e, e->never ? !s->met : s->met, buf);
        enter_for(s, PHASE_NEXT, 0);
    } else if (s->met) {
        wait_done(s);
    } else {
        step_failed(s, buf);
    }
}

static void fire(void *arg)
{
    struct script *s = arg;
    if (s->facts.no_memory)
        engine_fail(s->e, "out of memory");
    if (loss_told(s))
        return;
    switch (s->phase) {
    case PHASE_NEXT: next_step(s); break;
    case PHASE_SLEEP: step_done(s); break;
    case PHASE_WAIT: wait_end(s); break;
    case PHASE_COMMAND:
        if (*s->refused)
            step_failed(s, s->refused);
        else
            step_done(s);
        break;
    case PHASE_DIAL: dial_end(s); break;
    case PHASE_TALK: talk_end(s); break;
    case PHASE_ASK:
        s->facts.asking = false;
        if (s->step->stay)
            step_done(s);
        else
            hang_up(s, s->step->within > 40 * SEC ? s->step->within : 40 * SEC);
        break;
    case PHASE_HANG_UP: hang_up_end(s); break;
    case PHASE_JUDGE:
        s->facts.asking = false;
        judge(s, s->step->condition);
        enter_for(s, PHASE_NEXT, 0);
        break;
    case PHASE_READY: ready_end(s); break;
    case PHASE_RUN: run_end(s); break;
    case PHASE_HALT: halt_end(s); break;
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
        call = dialled_call(s);
        return *s->refused || (call && (call->state == CALL_ESTABLISHED || call_is_over(call->state)));
    case PHASE_TALK: return !dialled_call(s) || dialled_call(s)->state != CALL_ESTABLISHED;
    case PHASE_HANG_UP: return *s->refused || both_idle(s);
    case PHASE_READY: return s->facts.nodes[s->step->node].program > PROGRAM_STARTED;
    case PHASE_RUN: return s->facts.run.ended || s->facts.run.failed;
    case PHASE_HALT: return s->facts.nodes[s->step->node].program == PROGRAM_ENDED;
    case PHASE_NEXT:
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

static void output_line(struct script *s, struct span line)
{
    int64_t run = 0;
    struct span text;
    if (s->phase != PHASE_RUN || !record_is(line, "ev", "output") || !record_get_i64(line, "run", &run) ||
        run != s->runs || !record_get(line, "text", &text))
        return;
    for (size_t i = 0; i < s->step->has_n; i++)
        if (span_contains(text, span_of(s->step->has[i])))
            s->seen |= 1u << i;
}

void script_line(struct script *s, struct span line)
{
    int node = facts_line(&s->facts, line);
    for (size_t i = 0; i < s->lab->expectations_n; i++)
        if (expect_matches(s->lab->expectations[i], line) && s->counts[i]++ == 0)
            s->firsts[i] = engine_now(s->e);
    if (node >= 0)
        refusal_line(s, line, node);
    if (node >= 0)
        loss_line(s, line, node);
    output_line(s, line);
    if (s->met || (s->lost < 0 && !is_met(s)))
        return;
    s->met = true;
    engine_timer_start(s->e, &s->timer, engine_now(s->e));
}

/* ---- life ---- */

int script_new(struct script **out, const struct lab *lab)
{
    struct script *s = calloc(1, sizeof *s);
    if (!s)
        return FE_EMEM;
    s->lab = lab;
    s->counts = calloc(lab->expectations_n + 1, sizeof s->counts[0]);
    s->halted = calloc(lab->nodes_n + 1, sizeof s->halted[0]);
    s->lost = -1;
    s->firsts = calloc(lab->expectations_n + 1, sizeof s->firsts[0]);
    s->faults = script_faults_new(lab);
    if (!s->counts || !s->firsts || !s->halted || !s->faults || facts_init(&s->facts, lab)) {
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

bool script_is_over(const struct script *s)
{
    return s->phase == PHASE_OVER;
}

unsigned script_failures(const struct script *s)
{
    return s->failures;
}
