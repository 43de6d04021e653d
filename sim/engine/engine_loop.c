/* The engine's loop. Everything that happens at one instant is settled before the next entry of the queue
 * is looked at, even one of the same time: so a node's answer to a packet is on the wire before the next packet
 * arrives. */
#include "sim/engine/engine_impl.h"

#include <assert.h>

/* ---- one instant ---- */

void engine_touch(struct engine *e, unsigned node)
{
    index_set_add(&e->touched, node);
    if (e->nodes[node].program)
        index_set_add(&e->awake, node);
}

void engine_want_turn(struct engine *e, unsigned node)
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

void engine_drain(struct engine *e, unsigned node)
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
        engine_drain(e, node);
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
        engine_want_turn(e, (unsigned)(source - 1 - alarms));
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
            if (e->config.attend && e->config.attend(e->config.arg))
                continue;
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
            engine_want_turn(e, i);
    }
}

void engine_flush(struct engine *e)
{
    if (e->capture && capture_flush(e->capture))
        engine_fail(e, "the capture could not be written");
    if (e->config.trace && (fflush(e->config.trace) || e->trace.failed))
        engine_fail(e, "the trace could not be written");
}

enum engine_end engine_run(struct engine *e)
{
    if (!e->started)
        first_turns(e);
    enum engine_end end = loop(e);
    engine_flush(e);
    return e->failed ? ENGINE_FAILED : end;
}

void engine_stop(struct engine *e)
{
    e->stopped = true;
}
