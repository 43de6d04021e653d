/* Steps about other people's programs, and what becomes of these meanwhile. */
#include "nodes/base/record.h"
#include "sim/lab/lab_program.h"
#include "sim/lab/script_impl.h"

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

void script_program_ready_end(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    if (s->facts.nodes[s->step->node].program == PROGRAM_READY) {
        script_step_done(s);
        return;
    }
    say_program(&why, s, s->step->node);
    script_step_failed(s, buf);
}

void script_program_run(struct script *s)
{
    const struct foreign_run run = {++s->runs, &s->step->run};
    s->seen = 0;
    s->facts.run = (struct run_facts){.number = run.number};
    engine_foreign_run(s->e, s->step->node, &run);
    script_enter_for(s, PHASE_RUN, s->facts.run.failed ? 0 : s->step->within);
}

/* The first text that the output should have had and has not; NULL: it has them all. */
static const char *not_seen(const struct script *s)
{
    for (size_t i = 0; i < s->step->has_n; i++)
        if (!(s->seen & 1u << i))
            return s->step->has[i];
    return NULL;
}

void script_program_run_end(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    const struct run_facts *run = &s->facts.run;
    const char *missing = not_seen(s);
    if (run->ended && run->status == s->step->exit_status && !missing) {
        script_step_done(s);
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
    script_step_failed(s, buf);
}

void script_program_halt(struct script *s)
{
    unsigned node = s->step->node;
    bool over = s->facts.nodes[node].program == PROGRAM_ENDED;
    s->halted[node] = true;
    if (!over)
        engine_foreign_halt(s->e, node);
    script_enter_for(s, PHASE_HALT, over ? 0 : s->step->within);
}

void script_program_halt_end(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    const struct node_facts *n = &s->facts.nodes[s->step->node];
    if (n->program == PROGRAM_ENDED && (s->step->any_status || n->status == s->step->exit_status)) {
        script_step_done(s);
        return;
    }
    say_program(&why, s, s->step->node);
    script_step_failed(s, buf);
}

void script_program_lost_line(struct script *s, struct span line, int node)
{
    const struct lab_program *p = s->lab->nodes[node].program;
    if (p && !p->judged && !s->halted[node] && record_is(line, "ev", "program") && record_is(line, "state", "ended"))
        s->lost = node;
}

bool script_program_loss_told(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    if (s->lost < 0 || !s->step || s->phase == PHASE_NEXT || s->phase == PHASE_IDLE || s->phase == PHASE_FINAL ||
        s->phase == PHASE_OVER)
        return false;
    say_program(&why, s, (unsigned)s->lost);
    s->lost = -1;
    script_step_lost(s, buf);
    return true;
}

void script_program_output_line(struct script *s, struct span line)
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
