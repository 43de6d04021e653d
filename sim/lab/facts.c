#include "sim/lab/facts.h"

#include "nodes/base/error.h"
#include "nodes/base/record.h"
#include "nodes/base/units.h"

#include <stdlib.h>

const char *const phone_state_words[] = {"unregistered", "trying", "registered", "failed", NULL};
const char *const call_state_words[] = {"calling", "ringing", "incoming",  "answered", "established",
                                        "ended",   "failed",  "cancelled", NULL};

const char *const program_state_words[] = {"not started", "started", "ready", "unready", "ended", NULL};

int facts_init(struct facts *f, const struct lab *lab)
{
    *f = (struct facts){.lab = lab};
    f->nodes = calloc(lab->nodes_n ? lab->nodes_n : 1, sizeof f->nodes[0]);
    return f->nodes && outages_init(&f->outages, lab) == 0 && storms_init(&f->storms, lab) == 0 ? 0 : FE_EMEM;
}

void facts_fini(struct facts *f)
{
    for (size_t i = 0; f->nodes && i < f->lab->nodes_n; i++)
        free(f->nodes[i].calls);
    free(f->nodes);
    f->nodes = NULL;
    outages_fini(&f->outages);
    storms_fini(&f->storms);
}

/* ---- reading fields ---- */

static bool word_get(struct span line, const char *key, const char *const *words, int *out)
{
    struct span raw;
    if (!record_get(line, key, &raw))
        return false;
    for (int i = 0; words[i]; i++)
        if (span_is(raw, words[i])) {
            *out = i;
            return true;
        }
    return false;
}

static uint32_t number_get(struct span line, const char *key)
{
    int64_t value = 0;
    return record_get_i64(line, key, &value) && value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* What does not fit is cut; these are texts for people and short numbers. */
static void text_get(struct span line, const char *key, char *dst, size_t cap)
{
    struct span raw;
    if (!record_get(line, key, &raw))
        raw = (struct span){0};
    if (raw.n >= cap)
        raw.n = cap - 1;
    span_copy(raw, dst, cap);
}

/* ---- events ---- */

static void registration_line(struct node_facts *n, struct span line)
{
    int state;
    if (!word_get(line, "state", phone_state_words, &state))
        return;
    n->state = (enum phone_state)state;
    n->status = number_get(line, "status");
    text_get(line, "reason", n->reason, sizeof n->reason);
}

/* The call with the line's number, begun when it is new. */
static struct call_facts *call_of(struct facts *f, struct node_facts *n, struct span line)
{
    uint32_t number = number_get(line, "call");
    if (!n->calls && !(n->calls = calloc(CALLS_KEPT, sizeof n->calls[0]))) {
        f->no_memory = true;
        return NULL;
    }
    struct call_facts *call = &n->calls[number % CALLS_KEPT];
    if (number == 0 || number < call->number)
        return NULL;
    if (number > call->number) {
        *call = (struct call_facts){.number = number};
        text_get(line, "peer", call->peer, sizeof call->peer);
    }
    return call;
}

static void call_line(struct facts *f, struct node_facts *n, struct span line)
{
    int state;
    struct call_facts *call = word_get(line, "state", call_state_words, &state) ? call_of(f, n, line) : NULL;
    int64_t now = 0;
    if (!call)
        return;
    record_get_i64(line, "t", &now);
    call->state = (enum call_state)state;
    call->since = now;
    call->was_established = call->was_established || state == CALL_ESTABLISHED;
    if (number_get(line, "status"))
        call->status = number_get(line, "status");
    text_get(line, "reason", call->reason, sizeof call->reason);
}

static void media_line(struct facts *f, struct node_facts *n, struct span line)
{
    struct span raw;
    int64_t mos = 0;
    struct call_facts *call = record_is(line, "state", "report") ? call_of(f, n, line) : NULL;
    if (!call || (call->report.asked && !f->asking))
        return;
    struct report_facts *r = &call->report;
    r->known = true;
    r->asked = f->asking;
    text_get(line, "heard", r->heard, sizeof r->heard);
    r->heard_ppm = number_get(line, "heard_ppm");
    if (record_get(line, "mos", &raw))
        units_fixed(raw, 2, &mos);
    r->mos = (uint32_t)mos;
    r->received = number_get(line, "received");
    r->lost = number_get(line, "lost");
}

/* ---- other people's programs ---- */

static void program_line(struct node_facts *n, struct span line)
{
    int state;
    if (!word_get(line, "state", program_state_words, &state))
        return;
    n->program = (enum program_state)state;
    n->status = number_get(line, "status");
    text_get(line, "reason", n->reason, sizeof n->reason);
}

static void run_line(struct run_facts *run, struct span line)
{
    *run = (struct run_facts){.number = number_get(line, "run"), .status = number_get(line, "status")};
    run->ended = record_is(line, "state", "ended");
    run->failed = record_is(line, "state", "failed");
    text_get(line, "reason", run->reason, sizeof run->reason);
}

static void freeze_line(struct node_facts *n, struct span line)
{
    struct span frozen;
    n->frozen = record_get(line, "frozen", &frozen) && span_is(frozen, "true");
}

/* A phone that is switched off or on has no calls, and counts them from 1 again. */
static void power_line(struct node_facts *n, struct span line)
{
    struct span on;
    n->off = record_get(line, "on", &on) && span_is(on, "false");
    n->frozen = false;
    n->state = PHONE_UNREGISTERED;
    if (n->calls)
        memset(n->calls, 0, CALLS_KEPT * sizeof n->calls[0]);
}

int facts_line(struct facts *f, struct span line)
{
    struct span name;
    struct span ev;
    if (!record_get(line, "ev", &ev))
        return -1;
    record_get_i64(line, "t", &f->now);
    outages_line(&f->outages, line, ev, f->now);
    storms_line(&f->storms, &f->outages, line, ev, f->now);
    f->no_memory = f->no_memory || f->storms.no_memory;
    if (!record_get(line, "node", &name))
        return -1;
    int index = names_find(&f->lab->node_names, name);
    if (index < 0)
        return -1;
    struct node_facts *n = &f->nodes[index];
    if (span_is(ev, "registration"))
        registration_line(n, line);
    else if (span_is(ev, "call"))
        call_line(f, n, line);
    else if (span_is(ev, "media"))
        media_line(f, n, line);
    else if (span_is(ev, "program"))
        program_line(n, line);
    else if (span_is(ev, "run"))
        run_line(&f->run, line);
    else if (span_is(ev, "power"))
        power_line(n, line);
    else if (span_is(ev, "freeze"))
        freeze_line(n, line);
    return index;
}

const struct call_facts *facts_call(const struct facts *f, unsigned node, const char *peer)
{
    const struct call_facts *calls = f->nodes[node].calls;
    const struct call_facts *latest = NULL;
    for (unsigned i = 0; calls && i < CALLS_KEPT; i++)
        if (calls[i].number && (!peer || strcmp(calls[i].peer, peer) == 0) &&
            (!latest || calls[i].number > latest->number))
            latest = &calls[i];
    return latest;
}
