/* The netns world: every node of the plan lives in a network namespace of its own, on the real kernel's stack.
 *
 * A wire ends in a descriptor that the engine holds: a TUN device, or, where /dev/net/tun may not be opened, a veth
 * pair with a packet socket on its peer. Routers are the kernel's own forwarding. Programs are farend-<kind>, one
 * process each, and take turns (nodes/host/turn.h).
 *
 * Nothing has a name outside this process: namespaces are held by descriptors, devices live in them, programs die with
 * their parent. So nothing is left behind, however the process ends.
 *
 * The world itself is `netns_world` (sim/engine/world.h). One netns world at a time is open in a process: a process has
 * one CPU affinity, one network namespace and one set of children. Parallel labs are parallel processes. */
#ifndef FAREND_NETNS_H
#define FAREND_NETNS_H

#include "nodes/base/lab_time.h"

#include <stdbool.h>

struct netns_config {
    /* Folder of the programs farend-<kind>. NULL: $FAREND_BIN, else the folder of this executable. Borrowed. */
    const char *programs;
    /* Folder for the programs' logs, <node>.log each; -1: their output goes to standard error. The caller keeps it. */
    int logs;
    /* Folder in which other people's programs get working folders of their own; absolute. NULL: such nodes cannot be
     * built. Borrowed until the world closes. */
    const char *work;
    /* Run the engine and all programs on the one CPU where the engine is: a turn then costs a third. For clock stepped,
     * where only one of them ever runs; it is undone when the world closes. */
    bool pinned;
    /* Wires of veth pairs even where TUN devices are to be had. */
    bool veth;
    /* Without privileges of our own, become root of a new user namespace (for good: a process cannot come back). */
    bool user_namespace;
    /* A descriptor for which the world's wait ends while it is readable (engine_config.attend); -1: there is none. */
    int wake;
    /* Programs that the lab does not know may be started in the nodes' namespaces (netns_node_space()): packets are
     * expected everywhere, at any time. For clock real. */
    bool guests;
    /* Real time after which a turn counts as wedged, and the lab as failed. */
    lab_time patience;
};

#define NETNS_DEFAULTS                                                                                                 \
    {                                                                                                                  \
        .logs = -1, .wake = -1, .pinned = true, .user_namespace = true, .patience = 10 * SEC                           \
    }
#define NETNS_CONFIG ((struct netns_config)NETNS_DEFAULTS)

/* For worlds opened from now on; without a call NETNS_CONFIG holds. */
void netns_configure(const struct netns_config *config);

/* A descriptor of the node's network namespace, the world's own; -1 for nodes of other worlds. */
struct world;
int netns_node_space(const struct world *w, unsigned node);

#endif
