#include "sim/engine/fault.h"

#include "nodes/base/bytes.h"
#include "nodes/proto/ip.h"
#include "sim/engine/engine_impl.h"

#include <stdlib.h>

const char *const fault_action_words[] = {"drop", "delay", "duplicate", "corrupt", "truncate", NULL};

struct fault {
    struct fault *next; /* in the order of their starts */
    const struct fault_spec *spec;
    lab_time until;
    uint64_t seen, hits;
    struct prng stream;
};

/* ---- life ---- */

struct fault *engine_fault_start(struct engine *e, const struct fault_spec *spec)
{
    struct fault *f = calloc(1, sizeof *f);
    struct fault **last = &e->faults;
    if (!f)
        return NULL;
    f->spec = spec;
    f->until = spec->lasts ? e->now + spec->lasts : NEVER;
    prng_init(&f->stream, e->plan->seed, span_of(spec->text), SPAN("fault"));
    while (*last)
        last = &(*last)->next;
    *last = f;
    for (size_t i = 0; i < spec->ways_n; i++)
        e->ways[spec->ways[i]].faulty = true;
    return f;
}

void engine_fault_stop(struct engine *e, struct fault *f)
{
    f->until = e->now;
}

void engine_faults_free(struct engine *e)
{
    for (struct fault *f = e->faults, *next; f; f = next) {
        next = f->next;
        free(f);
    }
}

uint64_t engine_fault_hits(const struct fault *f)
{
    return f->hits;
}

/* ---- does it hit? ---- */

static bool lies_on(const struct fault_spec *spec, unsigned way)
{
    for (size_t i = 0; i < spec->ways_n; i++)
        if (spec->ways[i] == way)
            return true;
    return false;
}

static bool is_due(const struct fault_spec *spec, uint64_t seen)
{
    if (spec->nth && seen != spec->nth)
        return false;
    if (spec->every && seen % spec->every != 0)
        return false;
    return !spec->first || seen <= spec->first;
}

static bool hits(struct engine *e, struct fault *f, unsigned way, const struct packet *p)
{
    if (e->now >= f->until || !lies_on(f->spec, way) || !packet_matches(&f->spec->match, p->data, p->n))
        return false;
    f->seen++;
    if (!is_due(f->spec, f->seen))
        return false;
    f->hits++;
    return true;
}

static void trace_hit(struct engine *e, const struct fault *f, unsigned way, const struct packet *p)
{
    char buf[512];
    struct text packet = text_on(buf, sizeof buf);
    ip_describe(&packet, p->data, p->n);
    struct record *r = engine_trace(e, "fault");
    record_str(r, "wire", e->plan->wires[way / 2].name);
    record_str(r, "do", fault_action_words[f->spec->action]);
    record_u64(r, "line", f->spec->line);
    record_u64(r, "hit", f->hits);
    record_text(r, "packet", text_span(&packet));
    engine_trace_end(e);
}

/* ---- what it does ---- */

bool fault_truncate(struct packet *p, size_t keep)
{
    struct ip_view v;
    if (ip_parse(p->data, p->n, &v))
        return false;
    bool udp = v.protocol == IP_UDP && !ip_is_fragment(&v) && v.total >= v.header + UDP_HEADER;
    size_t n = v.header + (udp ? UDP_HEADER : 0u) + keep;
    if (n >= v.total)
        return false;
    p->n = (uint32_t)n;
    put16(p->data + 2, (uint16_t)n);
    ip_header_sum(p->data);
    if (udp) {
        put16(p->data + v.header + 4, (uint16_t)(UDP_HEADER + keep));
        ip_transport_sum(p->data, n);
    }
    return true;
}

struct effect {
    bool drop;
    unsigned twins;
    lab_time late;
};

static void suffer(struct fault *f, struct packet *p, struct effect *effect)
{
    switch (f->spec->action) {
    case FAULT_DROP: effect->drop = true; break;
    case FAULT_DELAY: effect->late += f->spec->by; break;
    case FAULT_DUPLICATE: effect->twins++; break;
    case FAULT_CORRUPT: wire_corrupt(p, &f->stream); break;
    case FAULT_TRUNCATE: fault_truncate(p, f->spec->keep); break;
    }
}

void engine_fault_send(struct engine *e, unsigned way, struct packet *p)
{
    struct effect effect = {0};
    for (struct fault *f = e->faults; f && !effect.drop; f = f->next)
        if (hits(e, f, way, p)) {
            trace_hit(e, f, way, p);
            suffer(f, p, &effect);
        }
    if (effect.drop) {
        wire_refuse(&e->ways[way].wire, WIRE_FAULT);
        engine_note_wire_drop(e, way, WIRE_FAULT, p);
        packet_release(p);
        return;
    }
    for (; effect.twins; effect.twins--) {
        struct packet *twin = packet_twin(p);
        if (twin)
            engine_put(e, way, twin, effect.late);
    }
    engine_put(e, way, p, effect.late);
}
