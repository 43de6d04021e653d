/* From networks and nodes to the engine's plan: switches, chains of routers, wires. Routes follow in lab_route.c.
 *
 * Numbers: nodes of the file first, then the routers of each network with hops; wires in the order of the networks,
 * within a network those of its ports, then those between its routers. */
#include "nodes/base/error.h"
#include "sim/lab/lab_program.h"
#include "sim/lab/lab_read.h"

struct planner {
    struct lab *lab;
    struct plan *plan;
    bool no_memory;
};

/* ---- wires ---- */

static struct plan_wire *wire_new(struct planner *p, const char *name, uint16_t mtu)
{
    struct plan_wire *w = &p->plan->wires[p->plan->wires_n];
    *w = (struct plan_wire){.name = name};
    w->spec[0].mtu = w->spec[1].mtu = mtu;
    if (!name || names_add(&p->lab->arena, &p->lab->wire_names, name, (unsigned)p->plan->wires_n))
        p->no_memory = true;
    p->plan->wires_n++;
    return w;
}

static void end_is_port(struct planner *p, struct plan_wire *w, unsigned end, unsigned node, unsigned port)
{
    struct plan_port *port_at = &p->plan->nodes[node].ports[port];
    w->end[end] = (struct plan_end){.type = PLAN_END_PORT, .index = node, .port = port};
    port_at->wire = (unsigned)(w - p->plan->wires);
    port_at->end = end;
}

static const char *port_wire_name(struct planner *p, const struct lab_network *n, const struct lab_port *port)
{
    return arena_text(&p->lab->arena, p->lab->nodes[port->node].name, ".", n->name);
}

/* What an attachment says; `out` is the direction that leads from its node. */
static void attach_apply(const struct lab_port *port, struct plan_wire *w, unsigned out)
{
    link_apply(&port->link, port->given, &w->spec[0]);
    link_apply(&port->link, port->given, &w->spec[1]);
    link_apply(&port->up.link, port->up.given, &w->spec[out]);
    link_apply(&port->down.link, port->down.given, &w->spec[!out]);
}

/* A port's own wire. The network's properties lie on it from the port or back to it, as said, and its `up` and `down`
 * each on their way; what the attachment says in their place lies on it both ways. */
static struct plan_wire *port_wire(struct planner *p, const struct lab_network *n, const struct lab_port *port,
                                   bool there, bool back)
{
    struct plan_wire *w = wire_new(p, port_wire_name(p, n, port), (uint16_t)n->mtu);
    if (there)
        link_apply(&n->link, n->given, &w->spec[0]);
    if (back)
        link_apply(&n->link, n->given, &w->spec[1]);
    if (there)
        link_apply(&n->up.link, n->up.given, &w->spec[0]);
    if (there || back)
        link_apply(&n->down.link, n->down.given, &w->spec[1]);
    attach_apply(port, w, 0);
    end_is_port(p, w, 0, port->node, port->index);
    return w;
}

/* ---- networks ---- */

static void plan_switch_network(struct planner *p, struct lab_network *n)
{
    struct plan_switch *s = &p->plan->switches[p->plan->switches_n];
    n->switch_index = (unsigned)p->plan->switches_n++;
    *s = (struct plan_switch){.name = n->name, .gateway = -1};
    for (size_t i = 0; i < n->ports_n; i++) {
        struct plan_wire *w = port_wire(p, n, n->ports[i], true, false);
        w->end[1] = (struct plan_end){.type = PLAN_END_SWITCH, .index = n->switch_index};
        if (n->ports[i] == n->gateway)
            s->gateway = (int)(w - p->plan->wires);
    }
}

/* Two routers back to back need no switch: everything goes to the other one. The wire answers to both ports' names. */
static void plan_direct_network(struct planner *p, struct lab_network *n)
{
    struct plan_wire *w = port_wire(p, n, n->ports[0], true, true);
    const char *other = port_wire_name(p, n, n->ports[1]);
    attach_apply(n->ports[1], w, 1);
    end_is_port(p, w, 1, n->ports[1]->node, n->ports[1]->index);
    if (!other || names_add(&p->lab->arena, &p->lab->wire_names, other, (unsigned)(w - p->plan->wires)))
        p->no_memory = true;
}

/* ---- chains ---- */

static void chain_port(struct planner *p, struct plan_node *router, const char *name, uint16_t mtu, ipv4 addr)
{
    if (!name)
        p->no_memory = true;
    router->ports[router->ports_n++] = (struct plan_port){.name = name, .addr = addr, .bits = 32, .mtu = mtu};
}

/* Router i (from 1) and its ports: left, right, then one for each node that hangs on it. */
static void chain_router(struct planner *p, const struct lab_network *n, unsigned i)
{
    struct arena *a = &p->lab->arena;
    char number[24];
    struct text t = text_on(number, sizeof number);
    text_u64(&t, i);
    struct plan_node *router = &p->plan->nodes[p->plan->nodes_n++];
    *router = (struct plan_node){.role = PLAN_ROUTER, .name = arena_text(a, n->name, ".r", number)};
    router->ports = arena_new(a, (3 + (i == 1 || i == n->hops ? n->ports_n : 0)) * sizeof router->ports[0]);
    if (!router->name || !router->ports) {
        p->no_memory = true;
        return;
    }
    ipv4 addr = (n->subnet.addr | ~subnet_mask(n->subnet.bits)) - i;
    if (i > 1)
        chain_port(p, router, "left", (uint16_t)n->mtu, addr);
    if (i < n->hops)
        chain_port(p, router, "right", (uint16_t)n->mtu, addr);
    unsigned hanging = 0;
    for (size_t k = 0; k < n->ports_n; k++)
        if (i == (n->ports[k]->far ? n->hops : 1)) {
            t = text_on(number, sizeof number);
            text_char(&t, 'p');
            text_u64(&t, hanging++);
            chain_port(p, router, arena_copy(a, number, t.n), (uint16_t)n->mtu, addr);
        }
}

static void chain_ports(struct planner *p, const struct lab_network *n, bool far)
{
    unsigned router = n->chain + (far ? n->hops - 1 : 0);
    unsigned port = n->hops > 1; /* after the one that leads to the next router */
    for (size_t i = 0; i < n->ports_n; i++) {
        bool hangs_here = n->hops == 1 || n->ports[i]->far == far;
        if (!hangs_here)
            continue;
        bool carries = !n->ports[i]->far;
        struct plan_wire *w = port_wire(p, n, n->ports[i], carries, carries);
        end_is_port(p, w, 1, router, port++);
    }
}

static void chain_links(struct planner *p, const struct lab_network *n)
{
    for (unsigned i = 1; i < n->hops; i++) {
        char numbers[48];
        struct text t = text_on(numbers, sizeof numbers);
        text_char(&t, '.');
        text_u64(&t, i);
        text_char(&t, '-');
        text_u64(&t, i + 1);
        struct plan_wire *w = wire_new(p, arena_text(&p->lab->arena, n->name, numbers), (uint16_t)n->mtu);
        end_is_port(p, w, 0, n->chain + i - 1, i == 1 ? 0 : 1); /* its "right" */
        end_is_port(p, w, 1, n->chain + i, 0);                  /* its "left" */
    }
}

static void plan_chain_network(struct planner *p, struct lab_network *n)
{
    chain_ports(p, n, false);
    if (n->hops > 1)
        chain_ports(p, n, true);
    chain_links(p, n);
}

/* ---- nodes ---- */

/* What a setting names as the node's own address leads to its port on that network. */
static void own_addresses(struct planner *p, const struct lab_node *node, struct plan_port *port, struct subnet subnet)
{
    for (size_t i = 0; i < node->settings_n; i++) {
        const struct option *o = options_find(node->kind->options, span_of(node->settings[i].path));
        ipv4 addr;
        if (!o || !o->own || addr_parse(span_of(node->settings[i].value), &addr) || !subnet_has(subnet, addr) ||
            addr == port->addr)
            continue;
        ipv4 *place = arena_push(&p->lab->arena, &port->more, &port->more_n, sizeof *place);
        if (place)
            *place = addr;
        else
            p->no_memory = true;
    }
}

static void node_plan(struct planner *p, const struct lab_node *node)
{
    struct plan_node *out = &p->plan->nodes[p->plan->nodes_n++];
    *out = (struct plan_node){.name = node->name, .ports_n = node->ports_n, .settings_n = node->settings_n};
    out->role = node->router ? PLAN_ROUTER : PLAN_PROGRAM;
    out->kind = node->router || node->program ? NULL : node->kind;
    out->forwards = node->forwards;
    out->clock = node->clock;
    if (node->program) {
        out->role = PLAN_FOREIGN;
        out->foreign = &node->program->plan;
    }
    out->ports = arena_new(&p->lab->arena, (node->ports_n + node->router) * sizeof out->ports[0]);
    out->settings = arena_new(&p->lab->arena, node->settings_n * sizeof out->settings[0]);
    if (!out->ports || !out->settings) {
        p->no_memory = true;
        return;
    }
    for (size_t i = 0; i < node->ports_n; i++) {
        const struct lab_network *n = &p->lab->networks[node->ports[i].network];
        out->ports[i] = (struct plan_port){.name = node->ports[i].name, .addr = node->ports[i].addr};
        out->ports[i].bits = n->subnet.bits;
        out->ports[i].mtu = (uint16_t)(node->ports[i].mtu ? node->ports[i].mtu : n->mtu);
        if (node->kind && !node->router)
            own_addresses(p, node, &out->ports[i], n->subnet);
    }
    for (size_t i = 0; i < node->settings_n; i++)
        out->settings[i] = (struct plan_setting){node->settings[i].path, node->settings[i].value};
}

static int plan_room(struct planner *p)
{
    size_t nodes = p->lab->nodes_n;
    size_t wires = 0;
    size_t switches = p->lab->networks_n;
    for (size_t i = 0; i < p->lab->networks_n; i++) {
        const struct lab_network *n = &p->lab->networks[i];
        nodes += n->hops;
        wires += n->ports_n + n->hops + 1; /* 1: beyond */
    }
    for (size_t i = 0; i < p->lab->nodes_n; i++)
        switches += p->lab->nodes[i].router;
    wires += switches;
    switches += p->lab->networks_n;
    p->plan->nodes = arena_new(&p->lab->arena, nodes * sizeof p->plan->nodes[0]);
    p->plan->wires = arena_new(&p->lab->arena, wires * sizeof p->plan->wires[0]);
    p->plan->switches = arena_new(&p->lab->arena, switches * sizeof p->plan->switches[0]);
    return p->plan->nodes && p->plan->wires && p->plan->switches ? 0 : FE_EMEM;
}

static int plan_nodes(struct planner *p)
{
    for (size_t i = 0; i < p->lab->nodes_n; i++)
        node_plan(p, &p->lab->nodes[i]);
    for (size_t i = 0; i < p->lab->networks_n; i++) {
        struct lab_network *n = &p->lab->networks[i];
        n->chain = (unsigned)p->plan->nodes_n;
        for (unsigned hop = 1; hop <= n->hops; hop++)
            chain_router(p, n, hop);
    }
    return p->no_memory ? FE_EMEM : 0;
}

int lab_make_plan(struct lab *lab)
{
    struct planner p = {.lab = lab, .plan = &lab->plan};
    lab->plan = (struct plan){.name = lab->name, .seed = lab->seed};
    if (plan_room(&p) || plan_nodes(&p))
        return FE_EMEM;
    for (size_t i = 0; i < lab->networks_n; i++) {
        struct lab_network *n = &lab->networks[i];
        if (n->hops)
            plan_chain_network(&p, n);
        else if (n->direct)
            plan_direct_network(&p, n);
        else
            plan_switch_network(&p, n);
    }
    return p.no_memory ? FE_EMEM : 0;
}

/* ---- beyond ---- */

int lab_add_beyond(struct lab *lab, unsigned node, const char *owner)
{
    struct planner p = {.lab = lab, .plan = &lab->plan};
    struct plan_node *router = &lab->plan.nodes[node];
    unsigned port = (unsigned)router->ports_n;
    const char *name = arena_text(&lab->arena, owner, ".beyond");
    router->ports[router->ports_n++] =
        (struct plan_port){.name = "beyond", .addr = router->ports[0].addr, .bits = 32, .mtu = router->ports[0].mtu};
    struct plan_wire *w = wire_new(&p, name, router->ports[0].mtu);
    end_is_port(&p, w, 0, node, port);
    w->end[1] = (struct plan_end){.type = PLAN_END_SWITCH, .index = (unsigned)lab->plan.switches_n};
    lab->plan.switches[lab->plan.switches_n++] = (struct plan_switch){.name = name, .gateway = -1};
    return p.no_memory ? FE_EMEM : (int)port;
}
