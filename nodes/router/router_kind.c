/* The router node: farend's forwarding step between raw ports. The routers of a lab's networks are the kernel's, or the
 * simulated stack's; this one is for use by hand, and for labs that want a router of their own to look at. */
#include "nodes/base/error.h"
#include "nodes/node.h"
#include "nodes/proto/ip_forward.h"

#include <stdlib.h>
#include <string.h>

enum { PORTS_MAX = 8, OWN_TTL = 64, ERROR_MAX = 576 };

struct route_settings {
    char name[32];
    struct subnet to;
    char by[16]; /* name of a port */
};

struct router_settings {
    struct option_items route; /* struct route_settings */
    char rest[16];             /* name of the port of the default route */
};

struct router_node {
    struct host *host;
    struct host_raw *raw;
    const struct host_port *ports[PORTS_MAX];
    unsigned ports_n;
    struct ip_routes routes;
    uint8_t *piece; /* room for a fragment */
    size_t piece_cap;
};

/* ---- settings ---- */

static const struct option route_options[] = {
    {"", OPT_TEXT, OPTION_AT(struct route_settings, name), .help = "a name of your own"},
    {"to", OPT_SUBNET, OPTION_AT(struct route_settings, to), .needed = true, .help = "destination"},
    {"by", OPT_TEXT, OPTION_AT(struct route_settings, by), .needed = true, .help = "port to leave by"},
    {0}};

static const struct option router_options[] = {
    {"route", OPT_MAP, OPTION_AT(struct router_settings, route), .each = route_options,
     .each_size = sizeof(struct route_settings), .help = "routes beside the ports' own subnets"},
    {"default", OPT_TEXT, OPTION_AT(struct router_settings, rest), .help = "port that takes what no route matches"},
    {0}};

static const char *const router_ports[] = {"left", "right", "p0", "p1", "p2", "p3", "p4", "p5", NULL};

/* ---- packets ---- */

static void drop(struct router_node *node, const char *cause, const uint8_t *packet, size_t n)
{
    char buf[256];
    struct text what = text_on(buf, sizeof buf);
    ip_describe(&what, packet, n);
    host_drop(node->host, cause, text_span(&what));
}

/* Room for a fragment of a port whose MTU may have grown; false without memory. */
static bool piece_reserve(struct router_node *node, size_t mtu)
{
    uint8_t *piece = mtu > node->piece_cap ? realloc(node->piece, mtu) : node->piece;
    if (!piece)
        return false;
    node->piece = piece;
    node->piece_cap = mtu > node->piece_cap ? mtu : node->piece_cap;
    return true;
}

/* What the host refuses is lost on the way out. */
static void send_fragments(struct router_node *node, unsigned port, const uint8_t *packet, size_t n)
{
    uint16_t mtu = node->ports[port]->mtu;
    size_t length;
    if (!piece_reserve(node, mtu))
        return;
    for (unsigned i = 0; (length = ip_fragment(node->piece, node->piece_cap, packet, n, mtu, i)) > 0; i++)
        (void)host_raw_send(node->raw, port, node->piece, length);
}

static void answer_error(struct router_node *node, unsigned port, const struct ip_forward *f, const uint8_t *packet,
                         size_t n)
{
    uint8_t error[ERROR_MAX];
    size_t length = ip_forward_error(error, sizeof error, f, node->ports[port]->addr, packet, n);
    if (length > 0)
        (void)host_raw_send(node->raw, port, error, length);
}

static void forward(struct router_node *node, unsigned from, uint8_t *packet, const struct ip_view *v)
{
    const struct ip_route *route = ip_routes_find(&node->routes, v->dst);
    unsigned to = route ? route->port : from;
    struct ip_forward f;
    ip_forward(packet, v, route ? node->ports[to]->mtu : 0, &f);
    switch (f.action) {
    case IP_FORWARD_SEND: (void)host_raw_send(node->raw, to, packet, v->total); break;
    case IP_FORWARD_FRAGMENT: send_fragments(node, to, packet, v->total); break;
    case IP_FORWARD_ERROR:
        drop(node, f.cause, packet, v->total);
        answer_error(node, from, &f, packet, v->total);
        break;
    case IP_FORWARD_DROP: drop(node, f.cause, packet, v->total); break;
    }
}

/* For the router itself: pings are answered; there is nothing else that one could want of it. */
static void deliver(struct router_node *node, unsigned from, uint8_t *packet, const struct ip_view *v)
{
    static const struct ip_forward nobody = {.type = ICMP_UNREACHABLE, .code = ICMP_PORT_UNREACHABLE};
    if (ip_answer_echo(packet, v, OWN_TTL)) {
        (void)host_raw_send(node->raw, from, packet, v->total);
        return;
    }
    drop(node, "not-ours", packet, v->total);
    if (v->protocol == IP_UDP)
        answer_error(node, from, &nobody, packet, v->total);
}

static bool is_own(const struct router_node *node, ipv4 addr)
{
    for (unsigned i = 0; i < node->ports_n; i++)
        if (node->ports[i]->addr == addr)
            return true;
    return false;
}

static void packet_came(void *arg, unsigned port, uint8_t *packet, size_t n)
{
    struct router_node *node = arg;
    struct ip_view v;
    if (ip_parse(packet, n, &v))
        drop(node, "bad-packet", packet, n);
    else if (is_own(node, v.dst))
        deliver(node, port, packet, &v);
    else
        forward(node, port, packet, &v);
}

/* ---- start and stop ---- */

static void router_stop(void *arg)
{
    struct router_node *node = arg;
    if (node->raw)
        host_raw_close(node->raw);
    ip_routes_fini(&node->routes);
    free(node->piece);
    free(node);
}

static int add_route(struct router_node *node, struct subnet to, const char *by, struct text *why)
{
    for (unsigned i = 0; i < node->ports_n; i++)
        if (strcmp(node->ports[i]->name, by) == 0)
            return ip_routes_add(&node->routes, to, i);
    text_str(why, "there is no port \"");
    text_str(why, by);
    text_str(why, "\" here");
    return FE_EUNKNOWN;
}

static int add_ports(struct router_node *node)
{
    const struct host_port *port;
    while (node->ports_n < PORTS_MAX && (port = host_port_at(node->host, node->ports_n)) != NULL) {
        int error = ip_routes_add(&node->routes, (struct subnet){port->addr, port->bits}, node->ports_n);
        if (error)
            return error;
        node->ports[node->ports_n++] = port;
    }
    return 0;
}

static int add_routes(struct router_node *node, const struct router_settings *s, struct text *why)
{
    const struct route_settings *routes = s->route.items;
    int error = 0;
    for (size_t i = 0; i < s->route.n && !error; i++)
        error = add_route(node, routes[i].to, routes[i].by, why);
    if (!error && s->rest[0])
        error = add_route(node, (struct subnet){0, 0}, s->rest, why);
    return error;
}

static int router_start(struct host *h, const void *settings, void **out, struct text *why)
{
    static const struct host_raw_events events = {.received = packet_came};
    struct router_node *node = calloc(1, sizeof *node);
    if (!node)
        return FE_EMEM;
    node->host = h;
    int error = add_ports(node);
    if (!error)
        error = add_routes(node, settings, why);
    if (!error)
        error = host_raw_open(h, &events, node, &node->raw);
    if (error)
        router_stop(node);
    else
        *out = node;
    return error;
}

static void router_command(void *arg, struct span line)
{
    struct router_node *node = arg;
    struct record *r = host_trace(node->host, "bad-command");
    record_text(r, "line", line);
    record_str(r, "reason", "a router has no commands");
    host_trace_end(node->host);
}

const struct node_kind router_kind = {
    .name = "router",
    .help = "forwards between its networks: TTL, ICMP errors, fragments",
    .ports = router_ports,
    .raw = true,
    .options = router_options,
    .settings_size = sizeof(struct router_settings),
    .start = router_start,
    .command = router_command,
    .stop = router_stop,
    .commands = "",
};
