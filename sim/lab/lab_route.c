/* Routes. Routers join networks into one space of addresses, a NAT ends it; within a space every router, every chain
 * and every node with a second port knows the shortest way to each network. Whoever has nothing better uses its default
 * route: a node by its "outside" or only port, a router towards the nearest NAT's inside.
 *
 * There are no next-hop addresses: on a network with a switch, what is for nobody there goes to the network's gateway.
 * A way that would have to pass by another router of such a network is a problem of the lab file. */
#include "nodes/base/error.h"
#include "sim/lab/lab_read.h"

static const struct subnet everywhere = {0, 0};

/* The shortest ways from one network to all others. */
struct reach {
    unsigned from;
    unsigned *distance;            /* by network, in routers; UNREACHED */
    const struct lab_port **first; /* by network: the router's port on `from` that leads there */
    unsigned *queue;
};
#define UNREACHED (~0u)

static int route_add(struct lab *lab, unsigned node, struct subnet to, unsigned port)
{
    struct plan_node *n = &lab->plan.nodes[node];
    for (size_t i = 0; i < n->routes_n; i++)
        if (n->routes[i].to.addr == to.addr && n->routes[i].to.bits == to.bits)
            return 0; /* the first one stays: explicit before computed, near before far */
    struct plan_route *route = arena_push(&lab->arena, &n->routes, &n->routes_n, sizeof *route);
    if (!route)
        return FE_EMEM;
    *route = (struct plan_route){.to = to, .port = port};
    return 0;
}

/* ---- ways ---- */

static int reach_init(struct lab *lab, struct reach *r)
{
    r->distance = arena_new(&lab->arena, lab->networks_n * sizeof r->distance[0]);
    r->first = arena_new(&lab->arena, lab->networks_n * sizeof(struct lab_port *));
    r->queue = arena_new(&lab->arena, lab->networks_n * sizeof r->queue[0]);
    return r->distance && r->first && r->queue ? 0 : FE_EMEM;
}

/* Breadth first, in the order of the file. */
static void reach_from(const struct lab *lab, struct reach *r, unsigned from)
{
    size_t tail = 0;
    for (size_t i = 0; i < lab->networks_n; i++)
        r->distance[i] = UNREACHED;
    r->from = from;
    r->distance[from] = 0;
    r->queue[tail++] = from;
    for (size_t head = 0; head < tail; head++) {
        const struct lab_network *n = &lab->networks[r->queue[head]];
        for (size_t i = 0; i < n->ports_n; i++) {
            const struct lab_node *router = &lab->nodes[n->ports[i]->node];
            for (size_t j = 0; router->router && j < router->ports_n; j++) {
                unsigned next = router->ports[j].network;
                if (r->distance[next] != UNREACHED)
                    continue;
                r->distance[next] = r->distance[r->queue[head]] + 1;
                r->first[next] = r->queue[head] == from ? n->ports[i] : r->first[r->queue[head]];
                r->queue[tail++] = next;
            }
        }
    }
}

static bool is_reached(const struct reach *r, unsigned network)
{
    return network != r->from && r->distance[network] != UNREACHED;
}

static const struct lab_port *port_on(const struct lab_node *node, unsigned network)
{
    for (size_t i = 0; i < node->ports_n; i++)
        if (node->ports[i].network == network)
            return &node->ports[i];
    return NULL;
}

/* ---- what would be wrong ---- */

static void check_ways(struct lab *lab, const struct reach *r)
{
    const struct lab_network *n = &lab->networks[r->from];
    for (size_t i = 0; i < lab->networks_n; i++) {
        const struct lab_network *to = &lab->networks[i];
        if (!is_reached(r, (unsigned)i))
            continue;
        uint8_t bits = n->subnet.bits < to->subnet.bits ? n->subnet.bits : to->subnet.bits;
        if (subnet_has((struct subnet){n->subnet.addr, bits}, to->subnet.addr) && r->from < i)
            problem(&lab->problems, to->at, "\"", to->name, "\" and \"", n->name,
                    "\" have addresses in common, and no NAT between them");
        if (n->hops || n->direct || r->first[i] == n->gateway)
            continue;
        problem(&lab->problems, n->at, "from \"", n->name, "\" to \"", to->name, "\" the way is by \"",
                lab->nodes[r->first[i]->node].name, "\", which is not the gateway of \"", n->name, "\"");
    }
}

/* ---- chains ---- */

/* The port of the chain's router i (from 1) that leads towards one of the network's ports. */
static unsigned chain_towards(const struct lab *lab, const struct lab_network *n, unsigned i, const struct lab_port *p)
{
    unsigned hangs_on = p->far ? n->hops : 1;
    if (i < hangs_on)
        return i > 1; /* right */
    if (i > hangs_on)
        return 0; /* left */
    const struct plan_port *port = &lab->plan.nodes[p->node].ports[p->index];
    return lab->plan.wires[port->wire].end[1].port;
}

/* The ways of router i to the addresses of one port. */
static int chain_port_routes(struct lab *lab, const struct lab_network *n, unsigned i, const struct lab_port *p)
{
    const struct plan_port *port = &lab->plan.nodes[p->node].ports[p->index];
    unsigned towards = chain_towards(lab, n, i, p);
    int error = route_add(lab, n->chain + i - 1, (struct subnet){p->addr, 32}, towards);
    for (size_t k = 0; k < port->more_n && !error; k++)
        error = route_add(lab, n->chain + i - 1, (struct subnet){port->more[k], 32}, towards);
    return error;
}

/* Every router knows the far addresses one by one and takes the rest of the subnet to be near; the first one knows
 * those. */
static int chain_subnet_routes(struct lab *lab, const struct lab_network *n)
{
    for (unsigned i = 1; i <= n->hops; i++) {
        for (size_t k = 0; k < n->ports_n; k++)
            if ((n->ports[k]->far || i == 1) && chain_port_routes(lab, n, i, n->ports[k]))
                return FE_EMEM;
        if (i > 1 && route_add(lab, n->chain + i - 1, n->subnet, 0))
            return FE_EMEM;
    }
    return 0;
}

/* Without a gateway, what nobody knows goes back to the first router, and from there out of the lab. */
static int chain_beyond(struct lab *lab, const struct lab_network *n)
{
    int port = lab_add_beyond(lab, n->chain, n->name);
    for (unsigned i = 1; i <= n->hops && port >= 0; i++)
        if (route_add(lab, n->chain + i - 1, everywhere, i == 1 ? (unsigned)port : 0))
            return FE_EMEM;
    return port < 0 ? port : 0;
}

static int chain_routes(struct lab *lab, const struct lab_network *n, const struct reach *r)
{
    if (chain_subnet_routes(lab, n))
        return FE_EMEM;
    for (unsigned i = 1; i <= n->hops; i++) {
        unsigned router = n->chain + i - 1;
        for (size_t k = 0; k < lab->networks_n; k++)
            if (is_reached(r, (unsigned)k) &&
                route_add(lab, router, lab->networks[k].subnet, chain_towards(lab, n, i, r->first[k])))
                return FE_EMEM;
        if (n->gateway && route_add(lab, router, everywhere, chain_towards(lab, n, i, n->gateway)))
            return FE_EMEM;
    }
    return n->gateway ? 0 : chain_beyond(lab, n);
}

/* ---- routers and hosts ---- */

/* Does a network's gateway lead out of the space of addresses? */
static bool is_exit(const struct lab *lab, const struct lab_network *n)
{
    return n->gateway && !lab->nodes[n->gateway->node].router;
}

/* The best way of a router to one network, or out, as far as it is known. */
struct way {
    unsigned distance;
    unsigned port;
};

static void way_offer(struct way *w, unsigned distance, unsigned port)
{
    if (distance < w->distance)
        *w = (struct way){distance, port};
}

static int router_routes(struct lab *lab, unsigned node, struct reach *r)
{
    const struct lab_node *router = &lab->nodes[node];
    struct way *ways = arena_new(&lab->arena, lab->networks_n * sizeof ways[0]);
    struct way out = {UNREACHED, 0};
    if (!ways)
        return FE_EMEM;
    for (size_t i = 0; i < lab->networks_n; i++)
        ways[i].distance = UNREACHED;
    for (size_t p = 0; p < router->ports_n; p++) {
        reach_from(lab, r, router->ports[p].network);
        for (size_t i = 0; i < lab->networks_n; i++) {
            bool itself = is_reached(r, (unsigned)i) && r->first[i]->node == node;
            if (r->distance[i] == UNREACHED || itself)
                continue;
            way_offer(&ways[i], r->distance[i], (unsigned)p);
            if (is_exit(lab, &lab->networks[i]))
                way_offer(&out, r->distance[i], (unsigned)p);
        }
    }
    for (size_t i = 0; i < lab->networks_n; i++)
        if (ways[i].distance != UNREACHED && !port_on(router, (unsigned)i) &&
            route_add(lab, node, lab->networks[i].subnet, ways[i].port))
            return FE_EMEM;
    if (out.distance != UNREACHED)
        return route_add(lab, node, everywhere, out.port);
    int beyond = lab_add_beyond(lab, node, router->name);
    return beyond < 0 ? beyond : route_add(lab, node, everywhere, (unsigned)beyond);
}

static bool has_router(const struct lab *lab, const struct lab_network *n)
{
    for (size_t i = 0; i < n->ports_n; i++)
        if (lab->nodes[n->ports[i]->node].router)
            return true;
    return false;
}

static unsigned default_port(const struct lab_node *node)
{
    for (unsigned i = 0; i < node->ports_n; i++)
        if (strcmp(node->ports[i].name, "outside") == 0)
            return i;
    return 0;
}

/* The networks behind routers on its other ports, then the rest by the default port. */
static int host_routes(struct lab *lab, unsigned node, struct reach *r)
{
    const struct lab_node *host = &lab->nodes[node];
    unsigned by_default = default_port(host);
    for (unsigned p = 0; p < host->ports_n; p++) {
        if (p == by_default || !has_router(lab, &lab->networks[host->ports[p].network]))
            continue;
        reach_from(lab, r, host->ports[p].network);
        for (unsigned i = 0; i < lab->networks_n; i++)
            if (is_reached(r, i) && !port_on(host, i) && route_add(lab, node, lab->networks[i].subnet, p))
                return FE_EMEM;
    }
    return host->ports_n ? route_add(lab, node, everywhere, by_default) : 0;
}

/* ---- routes that the file gives ---- */

static int given_route(struct lab *lab, unsigned node, const struct doc_entry *e)
{
    const struct lab_node *n = &lab->nodes[node];
    struct subnet to;
    if (subnet_parse(span_of(e->key->text), &to)) {
        problem(&lab->problems, e->key->at, "\"", e->key->text, "\" is not a subnet; expected one as 10.2.0.0/16");
        return 0;
    }
    for (unsigned i = 0; i < n->ports_n; i++)
        if (e->value->type == DOC_TEXT && strcmp(e->value->text, n->ports[i].name) == 0)
            return route_add(lab, node, to, i);
    problem(&lab->problems, e->value->at, "expected the name of a port of \"", n->name, "\", as ",
            n->ports_n ? n->ports[0].name : "on");
    return 0;
}

static int given_routes(struct lab *lab, unsigned node)
{
    const struct doc *routes = doc_get(lab->nodes[node].doc, "routes");
    if (routes && routes->type != DOC_MAP)
        problem(&lab->problems, routes->at, "expected routes here, as {10.2.0.0/16: inside}");
    for (size_t i = 0; routes && routes->type == DOC_MAP && i < routes->n; i++)
        if (given_route(lab, node, &routes->entries[i]))
            return FE_EMEM;
    return 0;
}

int lab_make_routes(struct lab *lab)
{
    struct reach r;
    if (reach_init(lab, &r))
        return FE_EMEM;
    for (unsigned i = 0; i < lab->nodes_n; i++) {
        bool router = lab->nodes[i].router;
        if (given_routes(lab, i) || (router ? router_routes(lab, i, &r) : host_routes(lab, i, &r)))
            return FE_EMEM;
    }
    for (unsigned i = 0; i < lab->networks_n; i++) {
        const struct lab_network *n = &lab->networks[i];
        if (!n->hops && !has_router(lab, n))
            continue;
        reach_from(lab, &r, i);
        check_ways(lab, &r);
        if (n->hops && chain_routes(lab, n, &r))
            return FE_EMEM;
    }
    names_sort(&lab->wire_names);
    return 0;
}
