#define _GNU_SOURCE
#include "netns/netns_build.h"

#include "netns/netns_rtnl.h"
#include "netns/netns_space.h"
#include "netns/netns_tcp.h"
#include "nodes/base/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LOOPBACK = 1, /* index of lo in every namespace */
    QUEUE = 10000 /* packets a program may send in one turn: a full TUN device drops in silence */
};

static int complain(struct text *why, const char *what)
{
    text_str(why, what);
    text_str(why, ": ");
    text_str(why, strerror(errno));
    return FE_EOS;
}

static enum netns_manner manner_of(const struct plan_node *node)
{
    if (node->role == PLAN_ROUTER || node->forwards)
        return NETNS_ROUTER;
    return netns_tcp_concerns(node) ? NETNS_STEPPED : NETNS_HOST;
}

bool netns_owns_interfaces(const struct plan_node *node)
{
    return node->role == PLAN_PROGRAM && node->kind->raw && !node->forwards;
}

/* A router sends at most the fragments of one packet before it is drained; the device's own queue will do. */
static unsigned queue_of(const struct netns_end *end, const struct plan_node *node)
{
    return end->peer || node->role == PLAN_ROUTER ? 0 : QUEUE;
}

static void add_port(struct netns_rtnl *rtnl, const struct netns_end *end, const struct plan_node *node,
                     const struct plan_port *port)
{
    netns_rtnl_up(rtnl, end->index, port->mtu, queue_of(end, node));
    if (netns_owns_interfaces(node) || !port->addr)
        return;
    netns_rtnl_address(rtnl, end->index, port->addr, port->bits);
    if (port->bits < 32)
        netns_rtnl_route(rtnl, end->index, (struct subnet){port->addr, port->bits}, port->addr,
                         netns_tcp_concerns(node));
}

static int configure(const struct netns_node *n, const struct plan_node *node, struct netns_rtnl *rtnl,
                     struct text *why)
{
    netns_rtnl_up(rtnl, LOOPBACK, 0, 0);
    for (size_t i = 0; i < node->ports_n; i++)
        add_port(rtnl, &n->ends[i], node, &node->ports[i]);
    for (size_t i = 0; !netns_owns_interfaces(node) && i < node->routes_n; i++) {
        unsigned port = node->routes[i].port;
        netns_rtnl_route(rtnl, n->ends[port].index, node->routes[i].to, node->ports[port].addr,
                         netns_tcp_concerns(node));
    }
    return netns_rtnl_commit(rtnl, why);
}

static int furnish(struct netns_node *n, const struct plan_node *node, struct netns_site *site, struct text *why)
{
    struct netns_rtnl *rtnl = netns_rtnl_open();
    if (!rtnl)
        return complain(why, "rtnetlink");
    int error = netns_sysctl_apply(&site->sysctl, manner_of(node), why);
    if (!error)
        error = netns_ends_open(n->ends, node, n->space, rtnl, site->wires, why);
    if (!error)
        error = configure(n, node, rtnl, why);
    netns_rtnl_close(rtnl);
    return error;
}

int netns_build(struct netns_node *n, const struct plan_node *node, struct netns_site *site, struct text *why)
{
    *n = (struct netns_node){.space = -1, .ends = calloc(node->ports_n + 1, sizeof *n->ends)};
    if (!n->ends) {
        text_str(why, "out of memory");
        return FE_EMEM;
    }
    for (size_t i = 0; i < node->ports_n; i++)
        n->ends[i].fd = -1;
    n->space = netns_space_new();
    int error = n->space < 0 ? complain(why, "a new network namespace") : furnish(n, node, site, why);
    if (error)
        netns_build_undo(n, node);
    return error;
}

void netns_build_unplug(struct netns_node *n, const struct plan_node *node)
{
    for (size_t i = 0; n->ends && i < node->ports_n; i++)
        netns_end_close(&n->ends[i]);
}

void netns_build_undo(struct netns_node *n, const struct plan_node *node)
{
    netns_build_unplug(n, node);
    if (n->ends && n->space >= 0)
        close(n->space);
    free(n->ends);
    *n = (struct netns_node){.space = -1};
}

/* ---- waiting ---- */

int netns_build_await(const struct plan_node *node, struct text *why)
{
    for (size_t i = 0; i < node->ports_n; i++)
        if (!netns_interface_await(node->ports[i].name)) {
            text_str(why, node->name);
            text_str(why, ": its interface does not come up: ");
            text_str(why, node->ports[i].name);
            return FE_EOS;
        }
    return 0;
}
