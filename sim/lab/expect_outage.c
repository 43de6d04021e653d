#include "sim/lab/expect_outage.h"

#include "nodes/base/error.h"
#include "nodes/base/record.h"
#include "nodes/base/units.h"
#include "sim/lab/lab_read.h"

struct outage_words {
    const struct doc *outage, *noticed, *recovered, *unreachable, *calls_lost;
};
const struct field expect_outage_form[] = {
    {"outage", FIELD_NAME, offsetof(struct outage_words, outage), .needed = true, .help = "the phone"},
    {"noticed", FIELD_NAME, offsetof(struct outage_words, noticed),
     .help = "from the fault until the phone noticed: 40s, at least 30s, never"},
    {"recovered", FIELD_NAME, offsetof(struct outage_words, recovered),
     .help = "from the fault until it was registered again: 60s, at least 2min, never"},
    {"unreachable", FIELD_NAME, offsetof(struct outage_words, unreachable),
     .help = "from the fault until calls reached it again for good: 70s, at least 2min, never"},
    {"calls lost", FIELD_NAME, offsetof(struct outage_words, calls_lost),
     .help = "calls to it that failed: 1, at least 1, none"},
    {0}};

/* ---- reading ---- */

static int value_read(struct span s, bool number, lab_time *out)
{
    uint64_t count;
    int error = number ? span_u64(s, UINT32_MAX, &count) : units_time(s, out);
    if (number && !error)
        *out = (lab_time)count;
    return error ? error : *out < 0 || *out == NEVER ? FE_ERANGE : 0;
}

/* "40s" and "at most 40s", "at least 30s", "never"; for calls "1", "none". */
static bool bound_read(struct lab *lab, const struct doc *d, const char *what, bool number, struct expect_bound *out)
{
    if (!d)
        return true;
    struct span s = span_trim(span_of(d->text));
    bool at_least = span_starts(s, SPAN("at least "));
    lab_time value;
    if (!number && span_is(s, "never")) {
        *out = (struct expect_bound){NEVER, NEVER};
        return true;
    }
    if (number && span_is(s, "none"))
        s = SPAN("0");
    if (at_least || span_starts(s, SPAN("at most ")))
        s = span_trim((struct span){s.p + 8, s.n - 8});
    if (value_read(s, number, &value)) {
        problem(&lab->problems, d->at, what, ": \"", d->text, "\" is not ",
                number ? "a number of calls, as 1, at least 1 or none"
                       : "a time since the fault, as 40s, at least 30s or never");
        return false;
    }
    *out = at_least ? (struct expect_bound){value, NEVER} : (struct expect_bound){0, value};
    return true;
}

bool expect_outage_read(struct lab *lab, const struct doc *d, struct expectation *e)
{
    static const struct expect_bound anything = {-1, NEVER};
    struct form_reader reader = lab_reader(lab);
    struct outage_words words = {0};
    if (form_read(&reader, d, expect_outage_form, &words) & FORM_BAD)
        return false;
    int node = lab_find_node(lab, words.outage);
    struct expect_outage *o = arena_new(&lab->arena, sizeof *o);
    if (node < 0 || !o)
        return false;
    if (!lab_is_phone(&lab->nodes[node])) {
        problem(&lab->problems, words.outage->at, "outage: \"", lab->nodes[node].name, "\" is not a phone");
        return false;
    }
    *o = (struct expect_outage){anything, anything, anything, anything};
    e->type = EXPECT_OUTAGE;
    e->node = (unsigned)node;
    e->outage = o;
    return bound_read(lab, words.noticed, "noticed", false, &o->noticed) &&
           bound_read(lab, words.recovered, "recovered", false, &o->recovered) &&
           bound_read(lab, words.unreachable, "unreachable", false, &o->unreachable) &&
           bound_read(lab, words.calls_lost, "calls lost", true, &o->calls_lost);
}

/* ---- judging ---- */

/* A bound that was given is not met by what did not happen, unless that was its meaning. */
static bool within(const struct expect_bound *b, lab_time value)
{
    if (b->least < 0)
        return true;
    if (b->least == NEVER)
        return value == NEVER;
    return value != NEVER && value >= b->least && value <= b->most;
}

bool expect_outage_holds(const struct expectation *e, const struct facts *f, struct text *why)
{
    const struct expect_outage *o = e->outage;
    struct outage_measure m;
    text_str(why, f->lab->nodes[e->node].name);
    if (!outage_measure(&f->outages, e->node, f->now, &m)) {
        text_str(why, ": no fault has happened");
        return false;
    }
    text_str(why, ": ");
    outage_say(&m, why);
    lab_time unreachable = m.unreachable || o->unreachable.least != NEVER ? m.unreachable : NEVER;
    bool lasts = m.lasts && o->unreachable.least >= 0 && o->unreachable.most != NEVER;
    return within(&o->noticed, m.noticed) && within(&o->recovered, m.recovered) &&
           within(&o->unreachable, unreachable) && !lasts && within(&o->calls_lost, (lab_time)m.calls_lost);
}

static void time_record(struct record *r, const char *key, lab_time t)
{
    if (t != NEVER)
        record_i64(r, key, t);
}

void expect_outage_record(const struct expectation *e, const struct facts *f, struct record *r)
{
    struct outage_measure m;
    if (!outage_measure(&f->outages, e->node, f->now, &m))
        return;
    time_record(r, "noticed", m.noticed);
    time_record(r, "recovered", m.recovered);
    time_record(r, "unreachable", m.unreachable);
    record_u64(r, "calls_lost", m.calls_lost);
}
