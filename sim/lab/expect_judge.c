/* Judging expectations by the facts and by counts of lines. */
#include "nodes/base/record.h"
#include "sim/lab/expect.h"
#include "sim/lab/expect_outage.h"
#include "sim/lab/expect_storm.h"

static void say_status(struct text *why, uint32_t status, const char *reason)
{
    if (!status)
        return;
    text_str(why, " (");
    text_u64(why, status);
    if (*reason) {
        text_char(why, ' ');
        text_str(why, reason);
    }
    text_char(why, ')');
}

/* ---- phones ---- */

static bool phone_is(const struct expectation *e, const struct facts *f)
{
    const struct call_facts *call = facts_call(f, e->node, NULL);
    switch (e->phone) {
    case PHONE_IS_REGISTERED: return f->nodes[e->node].state == PHONE_REGISTERED;
    case PHONE_IS_RINGING: return call && (call->state == CALL_INCOMING || call->state == CALL_RINGING);
    case PHONE_IS_IN_CALL: return call && call->state == CALL_ESTABLISHED;
    case PHONE_IS_IDLE: return !call || call_is_over(call->state);
    }
    return false;
}

static void say_phone(const struct expectation *e, const struct facts *f, struct text *why)
{
    const struct node_facts *n = &f->nodes[e->node];
    const struct call_facts *call = facts_call(f, e->node, NULL);
    text_str(why, f->lab->nodes[e->node].name);
    text_str(why, " is ");
    if (e->phone == PHONE_IS_REGISTERED) {
        text_str(why, phone_state_words[n->state]);
        say_status(why, n->status, n->reason);
    } else {
        text_str(why, call ? call_state_words[call->state] : "idle");
        if (call)
            say_status(why, call->status, call->reason);
    }
}

/* ---- calls ---- */

static bool call_holds(const struct expectation *e, const struct facts *f, struct text *why)
{
    const struct call_facts *call = facts_call(f, e->node, e->peer);
    text_str(why, f->lab->nodes[e->node].name);
    if (!call) {
        text_str(why, " never called ");
        text_str(why, e->peer ? e->peer : "it");
        return false;
    }
    text_str(why, "'s call to ");
    text_str(why, call->peer);
    text_str(why, " is ");
    text_str(why, call_state_words[call->state]);
    say_status(why, call->status, call->reason);
    bool state = (int)call->state == e->state || (e->state == CALL_ESTABLISHED && call->was_established);
    return state && (!e->status || e->status == call->status);
}

/* ---- media ---- */

static bool media_holds(const struct expectation *e, const struct facts *f, struct text *why)
{
    const struct call_facts *call = facts_call(f, e->node, e->peer);
    text_str(why, f->lab->nodes[e->node].name);
    if (!call || !call->report.known) {
        text_str(why, call ? " has no media report of its call with " : " never had a call with ");
        text_str(why, f->lab->nodes[e->other].name);
        return e->heard_most == 0 && e->mos_least == 0;
    }
    const struct report_facts *r = &call->report;
    bool theirs = e->peer && strcmp(r->heard, e->peer) == 0;
    uint32_t heard = theirs ? r->heard_ppm : 0;
    text_str(why, " heard ");
    text_fixed(why, heard / 100, 2);
    text_str(why, "% of ");
    text_str(why, f->lab->nodes[e->other].name);
    if (!theirs && *r->heard) {
        text_str(why, " (but line ");
        text_str(why, r->heard);
        text_char(why, ')');
    }
    text_str(why, ", MOS ");
    text_fixed(why, r->mos, 2);
    text_str(why, ", ");
    text_u64(why, r->received);
    text_str(why, " packets received, ");
    text_u64(why, r->lost);
    text_str(why, " lost");
    return heard >= e->heard_least && heard <= e->heard_most && r->mos >= e->mos_least && r->mos <= e->mos_most;
}

/* ---- events ---- */

static bool match_holds(const struct expect_match *m, struct span line)
{
    struct span raw;
    if (!record_get(line, m->key, &raw))
        return false;
    if (!m->part)
        return span_is(raw, m->value);
    return span_contains(raw, span_of(m->value));
}

bool expect_matches(const struct expectation *e, struct span line)
{
    if (e->type != EXPECT_COUNT)
        return false;
    for (size_t i = 0; i < e->match_n; i++)
        if (!match_holds(&e->match[i], line))
            return false;
    return true;
}

static bool count_holds(const struct expectation *e, uint32_t count, struct text *why)
{
    text_str(why, "there ");
    text_str(why, count == 1 ? "was " : "were ");
    text_u64(why, count);
    return count >= e->least && count <= e->most;
}

bool expect_holds(const struct expectation *e, const struct facts *facts, uint32_t count, struct text *why)
{
    switch (e->type) {
    case EXPECT_PHONE: say_phone(e, facts, why); return phone_is(e, facts) != e->negated;
    case EXPECT_CALL: return call_holds(e, facts, why);
    case EXPECT_MEDIA: return media_holds(e, facts, why);
    case EXPECT_COUNT: return count_holds(e, count, why);
    case EXPECT_OUTAGE: return expect_outage_holds(e, facts, why);
    case EXPECT_STORM: return expect_storm_holds(e, facts, why);
    }
    return false;
}
