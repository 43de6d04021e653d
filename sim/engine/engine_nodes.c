/* What a lab's steps and faults do to a node: commands, programs, its interfaces, its power. */
#include "sim/engine/engine_impl.h"

#include "nodes/base/error.h"

#include <assert.h>

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
        engine_drain(e, node); /* of the old life */
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
        engine_want_turn(e, node);
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
    engine_drain(e, node);
    return error;
}
