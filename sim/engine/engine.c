/* The engine's life and its loop. Everything that happens at one instant is settled before the next entry of the queue
 * is looked at, even one of the same time: so a node's answer to a packet is on the wire before the next packet
 * arrives. */
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

/* ---- one instant ---- */

void engine_touch(struct engine *e, unsigned node)
{
    index_set_add(&e->touched, node);
    if (e->nodes[node].program)
        index_set_add(&e->awake, node);
}

static void want_turn(struct engine *e, unsigned node)
{
    e->nodes[node].due = true;
    index_set_add(&e->awake, node);
}

static void leave(struct engine *e, unsigned node, unsigned port, struct packet *p)
{
    if (e->nodes[node].dark) {
        packet_release(p); /* it never was a signal on the wire */
        return;
    }
    if (p->n >= IP_HEADER && p->data[9] == IP_ICMP)
        engine_note_icmp(e, node, p);
    engine_send(e, e->nodes[node].ways[port], p);
}

/* Everything that waits in a node's ports goes onto its wires. */
static void drain(struct engine *e, unsigned node)
{
    const struct engine_node *n = &e->nodes[node];
    if (n->ops->outgoing) {
        for (int port; (port = n->ops->outgoing(n->world, node)) >= 0;)
            leave(e, node, (unsigned)port, n->ops->pull(n->world, node, (unsigned)port));
        return;
    }
    for (unsigned port = 0; port < n->plan->ports_n; port++)
        for (struct packet *p; (p = n->ops->pull(n->world, node, port));)
            leave(e, node, port, p);
}

static void drain_touched(struct engine *e)
{
    while (!index_set_empty(&e->touched)) {
        unsigned node = index_set_first(&e->touched);
        index_set_remove(&e->touched, node);
        drain(e, node);
    }
}

/* Lets the lowest node that is due or ready have a turn; false when there is none. A node stays awake after its turn,
 * as it may have made itself ready again. */
static bool turn_one(struct engine *e)
{
    while (!index_set_empty(&e->awake)) {
        unsigned node = index_set_first(&e->awake);
        struct engine_node *n = &e->nodes[node];
        if (!n->frozen && (n->due || n->ops->ready(n->world, node))) {
            n->due = false;
            queue_set(&e->queue, engine_node_source(e, node), n->ops->turn(n->world, node));
            index_set_add(&e->touched, node);
            return true;
        }
        index_set_remove(&e->awake, node);
    }
    return false;
}

static void settle(struct engine *e)
{
    do
        drain_touched(e);
    while (!e->failed && turn_one(e));
}

/* ---- from instant to instant ---- */

static bool worlds_settled(struct engine *e)
{
    bool settled = true;
    for (size_t i = 0; i < e->worlds_n; i++)
        if (e->worlds[i].ops->settled && !e->worlds[i].ops->settled(e->worlds[i].world))
            settled = false;
    return settled;
}

/* Clock real. A world that can wait also sees its nodes' input; it hears of the others' in worlds_settled(). */
static const struct engine_world *waiting_world(const struct engine *e)
{
    for (size_t i = 0; i < e->worlds_n; i++)
        if (e->worlds[i].ops->wait)
            return &e->worlds[i];
    return NULL;
}

static void sleep_until(struct engine *e, lab_time until)
{
    const struct engine_world *world = waiting_world(e);
    if (world)
        world->ops->wait(world->world, until);
    else if (e->config.sleep)
        e->config.sleep(e->config.arg, until);
}

/* Clock real: lab time is what the clock says, so that a world can tell how long it is to wait. */
static lab_time follow_clock(struct engine *e)
{
    lab_time now = e->config.clock(e->config.arg);
    e->now = now > e->now ? now : e->now;
    return e->now;
}

/* Moves the clock to `next`, the time of the next entry. False: it is not yet there, but nodes may have been touched.
 */
static bool advance(struct engine *e, lab_time next)
{
    if (e->config.real && follow_clock(e) < next) {
        sleep_until(e, next);
        if (follow_clock(e) < next)
            return false;
    }
    e->now = next;
    return true;
}

/* With the next event the packet pushed last has had its fate. */
static void forget_push(struct engine *e)
{
    e->pushed.valid = false;
    if (e->capture)
        capture_settle(e->capture);
}

static void ring(struct engine *e, unsigned node)
{
    queue_renew(&e->queue, NEVER);
    e->nodes[node].ops->alarm(e->nodes[node].world, node);
    engine_touch(e, node);
}

static void take_first(struct engine *e)
{
    size_t source = queue_first(&e->queue);
    size_t ways = 2 * e->plan->wires_n;
    size_t alarms = ways + e->plan->nodes_n;
    if (source == ENGINE_SCRIPT_SOURCE) {
        timers_fire(&e->script, e->now);
        queue_set(&e->queue, ENGINE_SCRIPT_SOURCE, timers_next(&e->script));
    } else if (source <= ways) {
        engine_arrive(e, (unsigned)(source - 1));
    } else if (source <= alarms) {
        ring(e, (unsigned)(source - 1 - ways));
    } else {
        queue_renew(&e->queue, NEVER);
        want_turn(e, (unsigned)(source - 1 - alarms));
    }
}

static bool interrupted(const struct engine *e)
{
    return e->config.stop_flag && *e->config.stop_flag;
}

static enum engine_end loop(struct engine *e)
{
    for (;;) {
        settle(e);
        lab_time next = queue_next(&e->queue);
        if (e->failed)
            return ENGINE_FAILED;
        if (interrupted(e))
            return ENGINE_INTERRUPTED;
        if (next > e->now) {
            if (!worlds_settled(e))
                continue;
            if (e->stopped)
                return ENGINE_STOPPED;
            if (next == NEVER && !(e->config.real && waiting_world(e)))
                return ENGINE_IDLE;
            if (!advance(e, next))
                continue;
        }
        forget_push(e);
        take_first(e);
    }
}

static void first_turns(struct engine *e)
{
    e->started = true;
    for (unsigned i = 0; i < e->plan->nodes_n; i++) {
        assert(e->nodes[i].ops);
        if (e->nodes[i].program)
            want_turn(e, i);
    }
}

enum engine_end engine_run(struct engine *e)
{
    if (!e->started)
        first_turns(e);
    enum engine_end end = loop(e);
    if (e->capture && capture_flush(e->capture))
        engine_fail(e, "the capture could not be written");
    if (e->config.trace && (fflush(e->config.trace) || e->trace.failed))
        engine_fail(e, "the trace could not be written");
    return e->failed ? ENGINE_FAILED : end;
}

void engine_stop(struct engine *e)
{
    e->stopped = true;
}

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

void engine_command(struct engine *e, unsigned node, struct span line)
{
    struct engine_node *n = &e->nodes[node];
    if (!n->program)
        return;
    n->ops->command(n->world, node, line);
    engine_touch(e, node);
}

void engine_foreign_run(struct engine *e, unsigned node, const struct foreign_run *run)
{
    assert(e->plan->nodes[node].role == PLAN_FOREIGN);
    e->nodes[node].ops->run(e->nodes[node].world, node, run);
    engine_touch(e, node);
}

void engine_foreign_halt(struct engine *e, unsigned node)
{
    assert(e->plan->nodes[node].role == PLAN_FOREIGN);
    e->nodes[node].ops->halt(e->nodes[node].world, node);
}

int engine_port_mtu(struct engine *e, unsigned node, unsigned port, uint16_t mtu)
{
    struct engine_node *n = &e->nodes[node];
    int error = n->ops->mtu(n->world, node, port, mtu);
    if (error)
        return error;
    struct record *r = trace_begin(&e->trace, e->now, n->plan->name, "mtu");
    record_str(r, "port", n->plan->ports[port].name);
    record_u64(r, "mtu", mtu);
    trace_end(&e->trace);
    engine_touch(e, node);
    return 0;
}

static void thaw(struct engine_node *n, unsigned node)
{
    if (n->frozen && n->ops->freeze)
        n->ops->freeze(n->world, node, false);
    n->frozen = false;
}

int engine_freeze(struct engine *e, unsigned node, bool frozen)
{
    struct engine_node *n = &e->nodes[node];
    if (!n->program)
        return FE_EUNKNOWN;
    if (n->frozen == frozen)
        return 0;
    struct record *r = trace_begin(&e->trace, e->now, n->plan->name, "freeze");
    record_bool(r, "frozen", frozen);
    trace_end(&e->trace);
    if (!frozen) {
        thaw(n, node);
        engine_touch(e, node);
        return 0;
    }
    if (n->ops->freeze)
        n->ops->freeze(n->world, node, true);
    n->frozen = true;
    return 0;
}

int engine_power(struct engine *e, unsigned node, bool on)
{
    struct engine_node *n = &e->nodes[node];
    if (!n->program)
        return FE_EUNKNOWN;
    thaw(n, node);
    if (n->dark && on) {
        drain(e, node); /* of the old life */
        n->dark = false;
        if (n->plan->clock.unset)
            engine_clock_start(e, node);
    }
    int error = n->ops->power(n->world, node, on);
    if (error)
        return error;
    struct record *r = trace_begin(&e->trace, e->now, n->plan->name, "power");
    record_bool(r, "on", on);
    trace_end(&e->trace);
    queue_set(&e->queue, engine_node_source(e, node), NEVER);
    n->due = false;
    engine_touch(e, node);
    if (on)
        want_turn(e, node);
    return 0;
}

/* What the stack says for its dead program, and of what it then forgets, nobody hears. */
int engine_power_loss(struct engine *e, unsigned node)
{
    struct engine_node *n = &e->nodes[node];
    if (!n->program)
        return FE_EUNKNOWN;
    n->dark = true;
    int error = engine_power(e, node, false);
    if (n->ops->forget)
        n->ops->forget(n->world, node);
    drain(e, node);
    return error;
}
