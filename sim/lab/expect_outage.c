#include "sim/lab/expect_outage.h"

#include "nodes/base/record.h"
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

bool expect_outage_read(struct lab *lab, const struct doc *d, struct expectation *e)
{
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
    *o = (struct expect_outage){EXPECT_BOUND_NONE, EXPECT_BOUND_NONE, EXPECT_BOUND_NONE, EXPECT_BOUND_NONE};
    e->type = EXPECT_OUTAGE;
    e->node = (unsigned)node;
    e->outage = o;
    return expect_bound_read(lab, words.noticed, "noticed", NULL, &o->noticed) &&
           expect_bound_read(lab, words.recovered, "recovered", NULL, &o->recovered) &&
           expect_bound_read(lab, words.unreachable, "unreachable", NULL, &o->unreachable) &&
           expect_bound_read(lab, words.calls_lost, "calls lost", "calls", &o->calls_lost);
}

/* ---- judging ---- */

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
    return expect_bound_holds(&o->noticed, m.noticed) && expect_bound_holds(&o->recovered, m.recovered) &&
           expect_bound_holds(&o->unreachable, unreachable) && !lasts &&
           expect_bound_holds(&o->calls_lost, (lab_time)m.calls_lost);
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
