/* A script whose steps come one by one. Between them it is idle: it has no timer, and hears the trace. */
#include "nodes/base/error.h"
#include "nodes/base/record.h"
#include "sim/lab/script_fault.h"
#include "sim/lab/script_impl.h"

void script_open(struct script *s, struct engine *e)
{
    s->e = e;
    s->live = true;
    s->depth = 0;
    s->phase = PHASE_IDLE;
}

bool script_is_idle(const struct script *s)
{
    return s->phase == PHASE_IDLE;
}

/* ---- what happened before a step was given ---- */

static bool begins_last_action(const struct script *s, struct span line)
{
    int64_t n = 0;
    return record_is(line, "ev", "step") && record_is(line, "state", "started") && record_get_i64(line, "n", &n) &&
           n == s->n_action;
}

static void count_line(struct script *s, size_t first, struct span line)
{
    bool anew = begins_last_action(s, line);
    int64_t at = 0;
    record_get_i64(line, "t", &at);
    for (size_t i = first; i < s->counts_n; i++) {
        const struct expectation *e = s->lab->expectations[i];
        if (anew && !e->since_start)
            s->counts[i] = 0;
        if (expect_matches(e, line) && s->counts[i]++ == 0)
            s->firsts[i] = at;
    }
}

static bool any_counts(const struct script *s, size_t first)
{
    for (size_t i = first; i < s->counts_n; i++)
        if (s->lab->expectations[i]->type == EXPECT_COUNT)
            return true;
    return false;
}

/* A line that is not whole yet is the last, and has no part in it. */
static int count_before(struct script *s, size_t first, FILE *trace)
{
    char line[RECORD_MAX + 2];
    if (!trace || !any_counts(s, first))
        return 0;
    while (fgets(line, sizeof line, trace)) {
        size_t n = strcspn(line, "\n");
        if (line[n])
            count_line(s, first, span_make(line, n));
    }
    return ferror(trace) ? FE_EOS : 0;
}

/* ---- steps ---- */

int script_add(struct script *s, const struct step_list *steps, FILE *trace)
{
    size_t first = s->counts_n;
    int error = script_counts_more(s);
    if (!error)
        error = script_faults_more(s->faults, s->lab);
    if (!error)
        error = count_before(s, first, trace);
    if (error)
        return error;
    s->frames[s->depth++] = (struct frame){steps, 0, 1};
    script_enter_for(s, PHASE_NEXT, 0);
    return 0;
}

void script_give_up(struct script *s)
{
    s->depth = 0;
    s->facts.asking = false;
    if (s->phase != PHASE_IDLE && s->phase != PHASE_NEXT)
        script_step_lost(s, "given up");
}

void script_finish(struct script *s)
{
    s->depth = 0;
    script_final_begin(s);
}
