/* The simulated world as the engine sees it. */
#include "sim/world/sim_impl.h"

#include "nodes/base/error.h"

#include <stdlib.h>

/* ---- nodes ---- */

static void node_free(struct host *h)
{
    if (!h)
        return;
    sim_tcp_forget_all(h);
    sim_program_stop(h);
    for (size_t i = 0; i < h->ports_n; i++)
        sim_packets_clear(&h->ports[i].out);
    sim_stack_fini(h);
    index_set_fini(&h->outgoing);
    free(h);
}

static struct host *node_new(struct world *w, unsigned index)
{
    const struct plan_node *plan = &w->plan->nodes[index];
    struct host *h = calloc(1, sizeof *h + plan->ports_n * sizeof h->ports[0]);
    if (!h)
        return NULL;
    h->world = w;
    h->plan = plan;
    h->index = index;
    h->router = plan->role == PLAN_ROUTER;
    h->on = !h->router;
    h->alarm = NEVER;
    h->commands_last = &h->commands;
    h->ports_n = plan->ports_n;
    timers_init(&h->timers);
    for (size_t i = 0; i < plan->ports_n; i++) {
        const struct plan_port *port = &plan->ports[i];
        h->ports[i].is = (struct host_port){port->name, port->addr, port->bits, port->mtu};
    }
    if (index_set_init(&h->outgoing, plan->ports_n) || sim_stack_init(h)) {
        node_free(h);
        return NULL;
    }
    return h;
}

/* ---- the world ---- */

static void sim_close(struct world *w)
{
    for (size_t i = 0; w->nodes && i < w->plan->nodes_n; i++)
        node_free(w->nodes[i]);
    free(w->nodes);
    free(w);
}

static int sim_open(struct world **out, struct engine *e, const struct plan *plan, const bool *mine, struct text *why)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        return FE_EMEM;
    w->engine = e;
    w->pool = engine_pool(e);
    w->plan = plan;
    w->nodes = calloc(plan->nodes_n + 1, sizeof(struct host *));
    for (unsigned i = 0; w->nodes && i < plan->nodes_n; i++)
        if (mine[i] && plan->nodes[i].role == PLAN_FOREIGN) {
            text_str(why, "the simulator cannot run other people's programs: ");
            text_str(why, plan->nodes[i].name);
            sim_close(w);
            return FE_EUNKNOWN;
        }
    for (unsigned i = 0; w->nodes && i < plan->nodes_n; i++)
        if (mine[i] && !(w->nodes[i] = node_new(w, i))) {
            text_str(why, "out of memory for the nodes of the lab");
            sim_close(w);
            return FE_EMEM;
        }
    if (!w->nodes) {
        sim_close(w);
        return FE_EMEM;
    }
    *out = w;
    return 0;
}

/* After anything in which the stack may have started or stopped a timer. */
static void set_alarm(struct host *h)
{
    lab_time at = sim_tcp_next(h);
    if (at == h->alarm)
        return;
    h->alarm = at;
    engine_alarm(h->world->engine, h->index, at);
}

static void sim_push(struct world *w, unsigned node, unsigned port, struct packet *p)
{
    w->now = engine_now(w->engine);
    sim_stack_input(w->nodes[node], port, p);
    set_alarm(w->nodes[node]);
}

static void sim_alarm(struct world *w, unsigned node)
{
    struct host *h = w->nodes[node];
    w->now = engine_now(w->engine);
    h->alarm = NEVER;
    sim_tcp_expire(h);
    set_alarm(h);
}

static int sim_outgoing(struct world *w, unsigned node)
{
    const struct host *h = w->nodes[node];
    return index_set_empty(&h->outgoing) ? -1 : (int)index_set_first(&h->outgoing);
}

static struct packet *sim_pull(struct world *w, unsigned node, unsigned port)
{
    struct host *h = w->nodes[node];
    struct sim_packets *out = &h->ports[port].out;
    struct packet *p = sim_packets_take(out);
    if (out->n == 0)
        index_set_remove(&h->outgoing, port);
    return p;
}

static bool sim_ready(struct world *w, unsigned node)
{
    return sim_program_ready(w->nodes[node]);
}

static lab_time sim_turn(struct world *w, unsigned node)
{
    w->now = engine_now(w->engine);
    lab_time deadline = sim_program_turn(w->nodes[node]);
    set_alarm(w->nodes[node]);
    return deadline;
}

static void sim_command(struct world *w, unsigned node, struct span line)
{
    if (w->nodes[node]->on)
        sim_program_command(w->nodes[node], line);
}

/* What the kernel of a machine without its programs would still do, the stack does: it answers pings and refuses
 * datagrams. */
static int sim_power(struct world *w, unsigned node, bool on)
{
    struct host *h = w->nodes[node];
    if (h->router)
        return FE_EUNKNOWN;
    w->now = engine_now(w->engine);
    if (!on)
        sim_program_stop(h);
    set_alarm(h);
    h->on = on;
    h->starts += on;
    return 0;
}

static void sim_forget(struct world *w, unsigned node)
{
    struct host *h = w->nodes[node];
    w->now = engine_now(w->engine);
    sim_tcp_forget_all(h);
    set_alarm(h);
}

static int sim_mtu(struct world *w, unsigned node, unsigned port, uint16_t mtu)
{
    struct host *h = w->nodes[node];
    uint16_t before = h->ports[port].is.mtu;
    w->now = engine_now(w->engine);
    h->ports[port].is.mtu = mtu;
    sim_tcp_port_mtu(h, port, before);
    set_alarm(h);
    return 0;
}

static uint64_t node_held(const struct host *h)
{
    uint64_t n = sim_udp_held(h) + sim_tcp_held(h) + sim_raw_held(h);
    for (size_t i = 0; i < h->ports_n; i++)
        n += h->ports[i].out.n;
    return n;
}

static uint64_t sim_held(const struct world *w)
{
    uint64_t n = 0;
    for (size_t i = 0; i < w->plan->nodes_n; i++)
        if (w->nodes[i])
            n += node_held(w->nodes[i]);
    return n;
}

const struct world_ops sim_world = {
    .name = "sim",
    .open = sim_open,
    .close = sim_close,
    .push = sim_push,
    .pull = sim_pull,
    .outgoing = sim_outgoing,
    .ready = sim_ready,
    .turn = sim_turn,
    .alarm = sim_alarm,
    .command = sim_command,
    .power = sim_power,
    .forget = sim_forget,
    .mtu = sim_mtu,
    .held = sim_held,
};
