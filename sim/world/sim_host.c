/* The rest of nodes/host.h: who, when, timers, interfaces, trace. */
#include "sim/world/sim_impl.h"

#include <assert.h>

const char *host_name(const struct host *h)
{
    return h->plan->name;
}

lab_time host_now(const struct host *h)
{
    return h->world->now;
}

lab_time host_clock(const struct host *h)
{
    return engine_clock(h->world->engine, h->index);
}

void host_stream(const struct host *h, const char *purpose, struct prng *out)
{
    uint64_t seed = prng_seed_again(h->world->plan->seed, h->starts);
    prng_init(out, seed, span_of(h->plan->name), span_of(purpose));
}

void host_timer_start(struct host *h, struct timer *t, lab_time at)
{
    if (timers_start(&h->timers, t, at))
        engine_fail(h->world->engine, "out of memory for a node's timers");
}

void host_timer_stop(struct host *h, struct timer *t)
{
    timers_stop(&h->timers, t);
}

const struct host_port *host_port(const struct host *h, const char *name)
{
    for (size_t i = 0; i < h->ports_n; i++)
        if (strcmp(h->ports[i].is.name, name) == 0)
            return &h->ports[i].is;
    return NULL;
}

const struct host_port *host_port_at(const struct host *h, unsigned index)
{
    return index < h->ports_n ? &h->ports[index].is : NULL;
}

/* One node runs at a time and writes one line at a time: the world has memory for one. */
struct record *host_trace(struct host *h, const char *event)
{
    struct world *w = h->world;
    assert(!w->tracing);
    w->tracing = true;
    record_begin(&w->record, w->line, sizeof w->line);
    record_i64(&w->record, "t", w->now);
    record_str(&w->record, "node", h->plan->name);
    record_str(&w->record, "ev", event);
    return &w->record;
}

void host_trace_end(struct host *h)
{
    struct world *w = h->world;
    assert(w->tracing);
    if (h->on)
        engine_trace_line(w->engine, h->index, record_end(&w->record));
    w->tracing = false;
}

void host_drop(struct host *h, const char *cause, struct span what)
{
    struct record *r = host_trace(h, "drop");
    record_str(r, "cause", cause);
    record_text(r, "packet", what);
    host_trace_end(h);
}

void host_secret(struct host *h, struct span line)
{
    engine_secret(h->world->engine, line);
}

void host_exit(struct host *h, int status)
{
    (void)status; /* of a process */
    h->ended = true;
}
