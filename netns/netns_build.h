/* Builds the namespaces of a plan's nodes: interfaces, addresses, routes, kernel settings. */
#ifndef FAREND_NETNS_BUILD_H
#define FAREND_NETNS_BUILD_H

#include "netns/netns_end.h"
#include "netns/netns_sysctl.h"
#include "nodes/base/text.h"
#include "sim/engine/plan.h"

struct netns_node {
    int space;              /* descriptor of its namespace; -1: none */
    struct netns_end *ends; /* one for each port of the plan */
};

/* What all nodes of a world have in common. */
struct netns_site {
    struct netns_sysctl sysctl;
    struct netns_wires *wires; /* veth; NULL: TUN */
};

/* Whether the node's program speaks IP itself: its kernel has no address then, and says nothing. */
bool netns_owns_interfaces(const struct plan_node *node);

/* A new namespace for the node, with everything in it up; this thread is in it afterwards, also on failure. FE_EOS,
 * FE_EMEM and a sentence; then nothing is open. */
int netns_build(struct netns_node *n, const struct plan_node *node, struct netns_site *site, struct text *why);

/* Closes the ends of its wires. To close one the kernel needs a lock that it holds, too, while it takes a namespace
 * apart: of many nodes, all ends go before the first namespace. Fine on one that was never built. */
void netns_build_unplug(struct netns_node *n, const struct plan_node *node);

/* Closes all descriptors; the namespace goes when its programs are gone too. Fine on one that was never built. */
void netns_build_undo(struct netns_node *n, const struct plan_node *node);

/* Waits until the interfaces pass packets: a veth pair needs a moment after both ends are up, a TUN device with its
 * descriptor open needs none. This thread is in the node's namespace. FE_EOS and a sentence when they do not within 5 s
 * of real time. */
int netns_build_await(const struct plan_node *node, struct text *why);

#endif
