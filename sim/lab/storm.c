#include "sim/lab/storm.h"

#include "nodes/base/error.h"
#include "nodes/base/record.h"
#include "sim/lab/lab.h"

#include <stdlib.h>

enum { FIRST_RECENT = 8 };

int storms_init(struct storms *s, const struct lab *lab)
{
    *s = (struct storms){.lab = lab, .fault = NEVER};
    s->nodes = calloc(lab->nodes_n ? lab->nodes_n : 1, sizeof s->nodes[0]);
    return s->nodes ? 0 : FE_EMEM;
}

void storms_fini(struct storms *s)
{
    for (size_t i = 0; s->nodes && i < s->lab->nodes_n; i++)
        free(s->nodes[i].recent);
    free(s->nodes);
    s->nodes = NULL;
}

/* ---- the second before ---- */

static lab_time *recent_at(const struct storm *s, size_t i)
{
    return &s->recent[(s->first + i) & (s->cap - 1)];
}

static bool recent_grow(struct storm *s)
{
    size_t cap = s->cap ? 2 * s->cap : FIRST_RECENT;
    lab_time *larger = malloc(cap * sizeof larger[0]);
    if (!larger)
        return false;
    for (size_t i = 0; i < s->n; i++)
        larger[i] = *recent_at(s, i);
    free(s->recent);
    s->recent = larger;
    s->first = 0;
    s->cap = cap;
    return true;
}

static bool recent_add(struct storm *s, lab_time now)
{
    while (s->n && *recent_at(s, 0) <= now - SEC) {
        s->first = (s->first + 1) & (s->cap - 1);
        s->n--;
    }
    if (s->n == s->cap && !recent_grow(s))
        return false;
    *recent_at(s, s->n++) = now;
    return true;
}

/* ---- the trace ---- */

static void fault_begins(struct storms *s, lab_time fault)
{
    s->fault = fault;
    for (size_t i = 0; i < s->lab->nodes_n; i++) {
        struct storm *of = &s->nodes[i];
        *of = (struct storm){.recent = of->recent, .cap = of->cap};
    }
}

static void accepted(struct storms *s, struct storm *of, lab_time now)
{
    of->accepted++;
    if (!recent_add(of, now)) {
        s->no_memory = true;
        return;
    }
    if (of->n <= of->peak)
        return;
    of->peak = (uint32_t)of->n;
    of->peak_at = now;
}

void storms_line(struct storms *s, const struct outages *outages, struct span line, struct span ev, lab_time now)
{
    struct span name;
    if (s->fault != outages->fault)
        fault_begins(s, outages->fault);
    if (s->fault == NEVER || !span_is(ev, "sip") || !record_is(line, "msg", "200 REGISTER") ||
        !record_is(line, "dir", "out") || !record_get(line, "node", &name))
        return;
    int index = names_find(&s->lab->node_names, name);
    if (index >= 0)
        accepted(s, &s->nodes[index], now);
}

/* ---- what it comes to ---- */

static void count_phones(const struct outages *o, struct storm_measure *out)
{
    lab_time latest = o->fault;
    for (size_t i = 0; i < o->lab->nodes_n; i++) {
        const struct outage *of = &o->nodes[i];
        if (of->noticed == NEVER)
            continue;
        out->phones++;
        out->away += of->lost;
        if (!of->lost && of->reachable > latest)
            latest = of->reachable;
    }
    if (out->phones && !out->away)
        out->back = latest - o->fault;
}

bool storm_measure(const struct storms *s, const struct outages *outages, unsigned node, struct storm_measure *out)
{
    const struct storm *of = &s->nodes[node];
    if (s->fault == NEVER)
        return false;
    *out = (struct storm_measure){.registrations = of->accepted, .peak = of->peak, .peak_at = NEVER, .back = NEVER};
    if (of->accepted)
        out->peak_at = of->peak_at - s->fault;
    count_phones(outages, out);
    return true;
}

static void say_time(struct text *t, const char *before, lab_time time)
{
    text_str(t, before);
    text_fixed(t, time / MS, 3);
    text_char(t, 's');
}

static void say_number(struct text *t, uint32_t n, const char *one)
{
    text_u64(t, n);
    text_char(t, ' ');
    text_str(t, one);
    if (n != 1)
        text_char(t, 's');
}

void storm_say(const struct storm_measure *m, struct text *t)
{
    say_number(t, m->registrations, "registration");
    if (m->registrations) {
        text_str(t, ", at most ");
        text_u64(t, m->peak);
        say_time(t, " in a second, after ", m->peak_at);
    }
    text_str(t, "; ");
    say_number(t, m->phones, "phone");
    text_str(t, " noticed");
    if (m->away) {
        text_str(t, ", ");
        text_u64(t, m->away);
        text_str(t, " still away");
    } else if (m->phones) {
        say_time(t, ", all back after ", m->back);
    }
}
