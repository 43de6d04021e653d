/* Plans built by hand, for tests and benchmarks: nodes, their ports and routes, wires and switches, one call each.
 * Memory is never short here: a failed allocation ends the test. */
#ifndef FAREND_TESTS_WORLD_BUILD_H
#define FAREND_TESTS_WORLD_BUILD_H

#include "sim/engine/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUILD_MTU = 1500 };

/* One more element behind n of them; the array doubles when n is a power of two. */
static inline void *build_grow(void *array, size_t n, size_t size)
{
    if (n & (n - 1))
        return array;
    array = realloc(array, (n ? 2 * n : 1) * size);
    if (!array)
        abort();
    return array;
}

static inline char *build_text(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = malloc(n);
    if (!copy)
        abort();
    return memcpy(copy, text, n);
}

static inline unsigned build_node(struct plan *plan, const char *name, const struct node_kind *kind)
{
    plan->nodes = build_grow(plan->nodes, plan->nodes_n, sizeof *plan->nodes);
    plan->nodes[plan->nodes_n] =
        (struct plan_node){.name = build_text(name), .role = kind ? PLAN_PROGRAM : PLAN_ROUTER, .kind = kind};
    return (unsigned)plan->nodes_n++;
}

/* name is borrowed. */
static inline struct plan_end build_port(struct plan *plan, unsigned node, const char *name, ipv4 addr, uint8_t bits)
{
    struct plan_node *n = &plan->nodes[node];
    n->ports = build_grow(n->ports, n->ports_n, sizeof *n->ports);
    n->ports[n->ports_n] = (struct plan_port){.name = name, .addr = addr, .bits = bits, .mtu = BUILD_MTU};
    return (struct plan_end){PLAN_END_PORT, node, (unsigned)n->ports_n++};
}

static inline void build_route(struct plan *plan, unsigned node, ipv4 addr, uint8_t bits, unsigned port)
{
    struct plan_node *n = &plan->nodes[node];
    n->routes = build_grow(n->routes, n->routes_n, sizeof *n->routes);
    n->routes[n->routes_n++] = (struct plan_route){{addr, bits}, port};
}

/* path is borrowed. */
static inline void build_setting(struct plan *plan, unsigned node, const char *path, const char *value)
{
    struct plan_node *n = &plan->nodes[node];
    n->settings = build_grow(n->settings, n->settings_n, sizeof *n->settings);
    n->settings[n->settings_n++] = (struct plan_setting){path, build_text(value)};
}

static inline void build_attach(struct plan *plan, unsigned wire, unsigned end, uint16_t mtu)
{
    const struct plan_end *e = &plan->wires[wire].end[end];
    if (e->type != PLAN_END_PORT)
        return;
    struct plan_port *port = &plan->nodes[e->index].ports[e->port];
    port->wire = wire;
    port->end = end;
    port->mtu = mtu;
}

/* The same both ways; mtu 0: 1500. */
static inline unsigned build_wire(struct plan *plan, const char *name, struct plan_end a, struct plan_end b,
                                  struct wire_spec spec)
{
    unsigned wire = (unsigned)plan->wires_n;
    if (!spec.mtu)
        spec.mtu = BUILD_MTU;
    plan->wires = build_grow(plan->wires, plan->wires_n++, sizeof *plan->wires);
    plan->wires[wire] = (struct plan_wire){.name = build_text(name), .end = {a, b}, .spec = {spec, spec}};
    build_attach(plan, wire, 0, spec.mtu);
    build_attach(plan, wire, 1, spec.mtu);
    return wire;
}

static inline struct plan_end build_switch(struct plan *plan, const char *name)
{
    plan->switches = build_grow(plan->switches, plan->switches_n, sizeof *plan->switches);
    plan->switches[plan->switches_n] = (struct plan_switch){.name = build_text(name), .gateway = -1};
    return (struct plan_end){.type = PLAN_END_SWITCH, .index = (unsigned)plan->switches_n++};
}

static inline void build_free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

static inline void build_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->nodes_n; i++) {
        struct plan_node *n = &plan->nodes[i];
        for (size_t s = 0; s < n->settings_n; s++)
            build_free_text(n->settings[s].value);
        build_free_text(n->name);
        free(n->ports);
        free(n->routes);
        free(n->settings);
    }
    for (size_t i = 0; i < plan->wires_n; i++)
        build_free_text(plan->wires[i].name);
    for (size_t i = 0; i < plan->switches_n; i++)
        build_free_text(plan->switches[i].name);
    free(plan->nodes);
    free(plan->wires);
    free(plan->switches);
    *plan = (struct plan){0};
}

#endif
