/* The engine's life: made from a plan, given its worlds, freed. What it does in between is in engine_loop.c. */
#include "sim/engine/engine_impl.h"

#include "nodes/base/error.h"

#include <assert.h>
#include <stdlib.h>

/* ---- making ---- */

static int nodes_new(struct engine *e, const struct plan *plan)
{
    size_t ports = 0;
    for (size_t i = 0; i < plan->nodes_n; i++)
        ports += plan->nodes[i].ports_n;
    e->nodes = calloc(plan->nodes_n + 1, sizeof *e->nodes);
    e->node_ways = calloc(ports + 1, sizeof *e->node_ways);
    if (!e->nodes || !e->node_ways)
        return FE_EMEM;
    unsigned *ways = e->node_ways;
    for (size_t i = 0; i < plan->nodes_n; i++) {
        const struct plan_node *node = &plan->nodes[i];
        e->nodes[i] = (struct engine_node){.plan = node, .ways = ways, .program = node->role == PLAN_PROGRAM};
        engine_clock_start(e, (unsigned)i);
        for (size_t port = 0; port < node->ports_n; port++)
            *ways++ = 2 * node->ports[port].wire + node->ports[port].end;
    }
    return 0;
}

static int ways_new(struct engine *e, const struct plan *plan)
{
    e->ways = calloc(2 * plan->wires_n + 1, sizeof *e->ways);
    if (!e->ways)
        return FE_EMEM;
    for (unsigned wire = 0; wire < plan->wires_n; wire++)
        for (unsigned direction = 0; direction < 2; direction++) {
            const struct plan_wire *w = &plan->wires[wire];
            struct engine_way *way = &e->ways[2 * wire + direction];
            way->to = w->end[!direction];
            wire_init(&way->wire, &w->spec[direction], plan->seed, w->name, direction);
        }
    return 0;
}

static int parts_new(struct engine *e, const struct plan *plan)
{
    int error = nodes_new(e, plan);
    if (!error)
        error = ways_new(e, plan);
    if (!error)
        error = switch_tables_new(&e->switches, plan);
    if (!error)
        error = queue_init(&e->queue, 1 + 2 * plan->wires_n + 2 * plan->nodes_n);
    if (!error)
        error = index_set_init(&e->touched, plan->nodes_n);
    if (!error)
        error = index_set_init(&e->awake, plan->nodes_n);
    if (!error && !(e->pool = pool_new()))
        error = FE_EMEM;
    if (!error && e->config.capture)
        error = capture_new(&e->capture, e->config.capture, plan);
    return error;
}

int engine_new(struct engine **out, const struct plan *plan, const struct engine_config *config)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e)
        return FE_EMEM;
    assert(!config->real || config->clock);
    e->plan = plan;
    e->config = *config;
    timers_init(&e->script);
    trace_init(&e->trace, config);
    int error = parts_new(e, plan);
    if (error) {
        engine_free(e);
        return error;
    }
    *out = e;
    return 0;
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->worlds_n; i++)
        e->worlds[i].ops->close(e->worlds[i].world);
    for (size_t i = 0; e->ways && i < 2 * e->plan->wires_n; i++)
        wire_fini(&e->ways[i].wire);
    engine_faults_free(e);
    capture_free(e->capture);
    pool_free(e->pool);
    index_set_fini(&e->awake);
    index_set_fini(&e->touched);
    queue_fini(&e->queue);
    timers_fini(&e->script);
    switch_tables_free(e->switches, e->plan);
    free(e->ways);
    free(e->node_ways);
    free(e->nodes);
    free(e);
}

int engine_open(struct engine *e, const struct world_ops *ops, const bool *mine, struct text *why)
{
    struct engine_world *world = &e->worlds[e->worlds_n];
    assert(e->worlds_n < ENGINE_WORLDS && !e->started);
    int error = ops->open(&world->world, e, e->plan, mine, why);
    if (error)
        return error;
    world->ops = ops;
    e->worlds_n++;
    for (size_t i = 0; i < e->plan->nodes_n; i++)
        if (mine[i]) {
            e->nodes[i].ops = ops;
            e->nodes[i].world = world->world;
        }
    return 0;
}

/* ---- failing, and what it has ---- */

void engine_fail(struct engine *e, const char *what)
{
    if (e->failed)
        return; /* what came first is the cause */
    struct text t = text_on(e->failure, sizeof e->failure);
    text_str(&t, what);
    e->failed = true;
}

const char *engine_failure(const struct engine *e)
{
    return e->failure;
}

lab_time engine_now(const struct engine *e)
{
    return e->now;
}

struct world *engine_world(const struct engine *e, const struct world_ops *ops)
{
    for (size_t i = 0; i < e->worlds_n; i++)
        if (e->worlds[i].ops == ops)
            return e->worlds[i].world;
    return NULL;
}

struct pool *engine_pool(struct engine *e)
{
    return e->pool;
}

const struct plan *engine_plan(const struct engine *e)
{
    return e->plan;
}

/* ---- for worlds ---- */

void engine_alarm(struct engine *e, unsigned node, lab_time at)
{
    queue_set(&e->queue, engine_alarm_source(e, node), at);
}

void engine_secret(struct engine *e, struct span line)
{
    if (e->capture)
        capture_secret(e->capture, line);
}

/* ---- trace ---- */

void engine_trace_line(struct engine *e, unsigned node, struct span line)
{
    engine_note_drop(e, node, line);
    trace_line(&e->trace, line);
}

struct record *engine_trace(struct engine *e, const char *event)
{
    return trace_begin(&e->trace, e->now, NULL, event);
}

struct record *engine_trace_node(struct engine *e, unsigned node, const char *event)
{
    return trace_begin(&e->trace, e->now, e->plan->nodes[node].name, event);
}

void engine_trace_end(struct engine *e)
{
    trace_end(&e->trace);
}

/* ---- script ---- */

void engine_timer_start(struct engine *e, struct timer *t, lab_time at)
{
    assert(at >= e->now);
    if (timers_start(&e->script, t, at))
        engine_fail(e, "out of memory for the lab's timers");
    queue_set(&e->queue, ENGINE_SCRIPT_SOURCE, timers_next(&e->script));
}

void engine_timer_stop(struct engine *e, struct timer *t)
{
    timers_stop(&e->script, t);
    queue_set(&e->queue, ENGINE_SCRIPT_SOURCE, timers_next(&e->script));
}
