#include "sim/lab/expect_storm.h"

#include "nodes/base/record.h"
#include "sim/lab/lab_read.h"

struct storm_words {
    const struct doc *storm, *peak, *back, *registrations, *phones;
};
const struct field expect_storm_form[] = {
    {"storm", FIELD_NAME, offsetof(struct storm_words, storm), .needed = true,
     .help = "the node that registrations come to: an SBC, a PBX"},
    {"peak", FIELD_NAME, offsetof(struct storm_words, peak),
     .help = "registrations that it accepted in the busiest second since the fault: 120, at least 50"},
    {"back", FIELD_NAME, offsetof(struct storm_words, back),
     .help = "from the fault until the last phone that noticed it was reachable again: 2min, at least 30s, never"},
    {"registrations", FIELD_NAME, offsetof(struct storm_words, registrations),
     .help = "that it accepted since the fault: 300, at least 300"},
    {"phones", FIELD_NAME, offsetof(struct storm_words, phones), .help = "that noticed the fault: at least 300, none"},
    {0}};

bool expect_storm_read(struct lab *lab, const struct doc *d, struct expectation *e)
{
    struct form_reader reader = lab_reader(lab);
    struct storm_words words = {0};
    if (form_read(&reader, d, expect_storm_form, &words) & FORM_BAD)
        return false;
    int node = lab_find_node(lab, words.storm);
    struct expect_storm *s = arena_new(&lab->arena, sizeof *s);
    if (node < 0 || !s)
        return false;
    *s = (struct expect_storm){EXPECT_BOUND_NONE, EXPECT_BOUND_NONE, EXPECT_BOUND_NONE, EXPECT_BOUND_NONE};
    e->type = EXPECT_STORM;
    e->node = (unsigned)node;
    e->storm = s;
    return expect_bound_read(lab, words.peak, "peak", "registrations", &s->peak) &&
           expect_bound_read(lab, words.back, "back", NULL, &s->back) &&
           expect_bound_read(lab, words.registrations, "registrations", "registrations", &s->registrations) &&
           expect_bound_read(lab, words.phones, "phones", "phones", &s->phones);
}

bool expect_storm_holds(const struct expectation *e, const struct facts *f, struct text *why)
{
    const struct expect_storm *s = e->storm;
    struct storm_measure m;
    text_str(why, f->lab->nodes[e->node].name);
    if (!storm_measure(&f->storms, &f->outages, e->node, &m)) {
        text_str(why, ": no fault has happened");
        return false;
    }
    text_str(why, ": ");
    storm_say(&m, why);
    return expect_bound_holds(&s->peak, m.peak) && expect_bound_holds(&s->back, m.back) &&
           expect_bound_holds(&s->registrations, m.registrations) && expect_bound_holds(&s->phones, m.phones);
}

static void time_record(struct record *r, const char *key, lab_time t)
{
    if (t != NEVER)
        record_i64(r, key, t);
}

void expect_storm_record(const struct expectation *e, const struct facts *f, struct record *r)
{
    struct storm_measure m;
    if (!storm_measure(&f->storms, &f->outages, e->node, &m))
        return;
    record_u64(r, "peak", m.peak);
    time_record(r, "peak_at", m.peak_at);
    record_u64(r, "registrations", m.registrations);
    record_u64(r, "phones", m.phones);
    record_u64(r, "away", m.away);
    time_record(r, "back", m.back);
}
