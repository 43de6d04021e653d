/* Steps that call, talk and hang up. */
#include "nodes/base/record.h"
#include "sim/lab/script_impl.h"

void script_call_begin(struct script *s)
{
    const struct call_facts *before = facts_call(&s->facts, s->step->node, NULL);
    s->dialled = before ? before->number : 0;
    engine_command(s->e, s->step->node, span_of(s->step->command));
    script_enter_for(s, PHASE_DIAL, s->step->within);
}

const struct call_facts *script_call_dialled(const struct script *s)
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

bool script_call_is_over(const struct script *s)
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

void script_call_ask_for(struct script *s, const struct expectation *e)
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

void script_call_dial_end(struct script *s)
{
    char buf[WHY];
    struct text why = text_on(buf, sizeof buf);
    const struct step *step = s->step;
    const struct call_facts *call = script_call_dialled(s);
    bool up = call && call->state == CALL_ESTABLISHED;
    bool failed = call && call->state == CALL_FAILED && (!step->status || step->status == call->status);
    say_call(&why, call);
    if (up && step->shall == CALL_SHALL_ESTABLISH)
        script_enter_for(s, PHASE_TALK, step->duration);
    else if (failed && step->shall == CALL_SHALL_FAIL)
        script_step_done(s);
    else
        script_step_failed(s, *s->refused ? s->refused : buf);
}

void script_call_talk_end(struct script *s)
{
    const struct call_facts *call = script_call_dialled(s);
    if (call && call->state != CALL_ESTABLISHED) {
        char buf[WHY];
        struct text why = text_on(buf, sizeof buf);
        say_call(&why, call);
        text_str(&why, " before the talk was over");
        script_step_failed(s, buf);
        return;
    }
    s->facts.asking = true;
    ask(s, s->step->node);
    if (s->step->other >= 0)
        ask(s, (unsigned)s->step->other);
    script_enter_for(s, PHASE_ASK, 0);
}

void script_call_hang_up(struct script *s, lab_time within)
{
    engine_command(s->e, s->step->node, SPAN("hang up"));
    script_enter_for(s, PHASE_HANG_UP, within);
}

/* The other phone may never learn of it, when the network is broken; that is not this step's concern. */
void script_call_hang_up_end(struct script *s)
{
    if (caller_idle(s))
        script_step_done(s);
    else
        script_step_failed(s, *s->refused ? s->refused : "the call does not end");
}
