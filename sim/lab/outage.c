#include "sim/lab/outage.h"

#include "nodes/base/error.h"
#include "nodes/base/record.h"
#include "sim/lab/lab.h"

#include <stdlib.h>

static const struct outage untouched = {.noticed = NEVER, .recovered = NEVER, .reachable = NEVER};

int outages_init(struct outages *o, const struct lab *lab)
{
    *o = (struct outages){.lab = lab, .fault = NEVER, .armed = NEVER};
    o->nodes = calloc(lab->nodes_n ? lab->nodes_n : 1, sizeof o->nodes[0]);
    return o->nodes ? 0 : FE_EMEM;
}

void outages_fini(struct outages *o)
{
    free(o->nodes);
    o->nodes = NULL;
}

/* ---- the fault ---- */

static bool is_true(struct span line, const char *key)
{
    struct span raw;
    return record_get(line, key, &raw) && span_is(raw, "true");
}

static bool is_false(struct span line, const char *key)
{
    struct span raw;
    return record_get(line, key, &raw) && span_is(raw, "false");
}

static bool harms(struct span line, struct span ev)
{
    if (span_is(ev, "power"))
        return is_false(line, "on");
    if (span_is(ev, "wire"))
        return is_true(line, "down");
    if (span_is(ev, "partition"))
        return is_true(line, "apart");
    if (span_is(ev, "freeze"))
        return is_true(line, "frozen");
    if (span_is(ev, "clock"))
        return is_false(line, "right");
    if (span_is(ev, "service"))
        return !record_is(line, "state", "normal");
    return span_is(ev, "reboot") || span_is(ev, "fault");
}

static void step_line(struct outages *o, struct span line, lab_time now)
{
    static const char *const harmful[] = {"fault:", "power:", "set:", "tell:"};
    struct span text;
    if (!record_is(line, "state", "started") || !record_get(line, "text", &text))
        return;
    for (size_t i = 0; i < sizeof harmful / sizeof *harmful; i++)
        if (span_starts(text, span_of(harmful[i])))
            o->armed = now;
}

static void fault_begins(struct outages *o)
{
    o->fault = o->armed;
    o->armed = NEVER;
    for (size_t i = 0; i < o->lab->nodes_n; i++) {
        uint32_t flows = o->nodes[i].flows;
        o->nodes[i] = untouched;
        o->nodes[i].flows = flows;
    }
}

/* ---- the signs ---- */

static void is_lost(struct outage *o)
{
    o->lost = true;
    o->reachable = NEVER;
}

static void is_reachable(struct outage *o, lab_time now)
{
    if (o->lost)
        o->reachable = now;
    o->lost = false;
}

/* Of so many flows as are up, `least` are enough to be reached. */
static void notices(struct outage *o, unsigned least, lab_time now)
{
    unsigned up = 0;
    for (uint32_t flows = o->flows; flows; flows &= flows - 1)
        up++;
    if (o->noticed == NEVER)
        o->noticed = now;
    if (up < least)
        is_lost(o);
}

static void is_served(struct outage *o, lab_time now)
{
    if (o->lost && o->recovered == NEVER)
        o->recovered = now;
    is_reachable(o, now);
}

static void registration_line(struct outage *o, struct span line, lab_time now)
{
    if (record_is(line, "state", "registered"))
        is_served(o, now);
    else
        notices(o, 1, now);
}

static void is_off(struct outage *o)
{
    o->flows = 0;
    is_lost(o);
}

static uint32_t flow_bit(struct span line)
{
    int64_t reg_id = 0;
    record_get_i64(line, "reg_id", &reg_id);
    return 1u << (reg_id & 31);
}

static void outbound_line(struct outage *o, struct span line, lab_time now)
{
    if (record_is(line, "state", "up")) {
        o->flows |= flow_bit(line);
        is_served(o, now);
    } else {
        o->flows &= ~flow_bit(line);
        notices(o, 1, now);
    }
}

/* Who is busy or does not want to was reached. */
static bool reached(struct span line)
{
    int64_t status = 0;
    record_get_i64(line, "status", &status);
    return status == 486 || status == 488 || status == 600 || status == 603;
}

static void call_line(struct outages *o, struct outage *of, struct span line, lab_time now)
{
    struct span peer;
    char number[24];
    if (record_is(line, "state", "incoming"))
        is_reachable(of, now);
    if (!record_is(line, "state", "failed") || record_is(line, "by", "local") || reached(line) ||
        !record_get(line, "peer", &peer) || !span_copy(peer, number, sizeof number))
        return;
    const struct lab_node *called = lab_phone(o->lab, number);
    if (!called)
        return;
    struct outage *theirs = &o->nodes[called - o->lab->nodes];
    theirs->calls_lost++;
    is_lost(theirs);
}

static void flow_line(struct outage *o, struct span line, lab_time now)
{
    if (record_is(line, "state", "closed") && !record_is(line, "reason", "local"))
        notices(o, 2, now); /* somebody else ended it; it counts itself until `outbound` says that it is gone */
    else if (record_is(line, "state", "failed") && o->recovered == NEVER)
        notices(o, 1, now); /* it never was one; later it is a probe of the server that is still away */
}

/* The events that tell something: most lines are none of them. */
static bool tells(struct span ev)
{
    return span_is(ev, "registration") || span_is(ev, "failover") || span_is(ev, "flow") || span_is(ev, "call") ||
           span_is(ev, "power") || span_is(ev, "outbound");
}

static void node_line(struct outages *o, struct span line, struct span ev, lab_time now)
{
    struct span name;
    int index = record_get(line, "node", &name) ? names_find(&o->lab->node_names, name) : -1;
    if (index < 0)
        return;
    struct outage *of = &o->nodes[index];
    if (span_is(ev, "registration"))
        registration_line(of, line, now);
    else if (span_is(ev, "failover") && (record_is(line, "to", "backup") || record_is(line, "what", "target")))
        notices(of, 1, now);
    else if (span_is(ev, "flow"))
        flow_line(of, line, now);
    else if (span_is(ev, "outbound"))
        outbound_line(of, line, now);
    else if (span_is(ev, "call"))
        call_line(o, of, line, now);
    else if (span_is(ev, "power") && is_false(line, "on"))
        is_off(of);
}

void outages_line(struct outages *o, struct span line, struct span ev, lab_time now)
{
    if (span_is(ev, "step"))
        step_line(o, line, now);
    else if (o->armed != NEVER && harms(line, ev))
        fault_begins(o);
    if ((o->fault != NEVER || span_is(ev, "outbound")) && tells(ev))
        node_line(o, line, ev, now);
}

/* ---- what it comes to ---- */

static lab_time since(lab_time fault, lab_time t)
{
    return t == NEVER ? NEVER : t - fault;
}

bool outage_measure(const struct outages *o, unsigned node, lab_time now, struct outage_measure *out)
{
    const struct outage *of = &o->nodes[node];
    if (o->fault == NEVER)
        return false;
    *out = (struct outage_measure){.noticed = since(o->fault, of->noticed),
                                   .recovered = since(o->fault, of->recovered),
                                   .lasts = of->lost,
                                   .calls_lost = of->calls_lost};
    if (of->lost)
        out->unreachable = now - o->fault;
    else if (of->reachable != NEVER)
        out->unreachable = of->reachable - o->fault;
    return true;
}

static void say_time(struct text *t, const char *before, lab_time time)
{
    text_str(t, before);
    text_fixed(t, time / MS, 3);
    text_char(t, 's');
}

void outage_say(const struct outage_measure *m, struct text *t)
{
    if (m->noticed == NEVER)
        text_str(t, "noticed nothing");
    else
        say_time(t, "noticed after ", m->noticed);
    if (m->recovered != NEVER)
        say_time(t, ", registered again after ", m->recovered);
    else if (m->unreachable)
        text_str(t, ", not registered again");
    if (!m->unreachable)
        text_str(t, ", never unreachable");
    else
        say_time(t, ", unreachable for ", m->unreachable);
    if (m->lasts)
        text_str(t, " and still so");
    text_str(t, ", ");
    text_u64(t, m->calls_lost);
    text_str(t, m->calls_lost == 1 ? " call lost" : " calls lost");
}
