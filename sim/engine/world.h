/* What the engine asks of a world: where the nodes' IP stacks live. Implemented by sim/world/ and netns/.
 *
 * The engine pushes a packet into a node's port, pulls what came out of the node's ports, and gives program nodes
 * turns. A push runs the receiving stack to completion: what the stack itself answers (ICMP, forwarded packets) can be
 * pulled when push returns; what concerns the node's program makes the node ready. */
#ifndef FAREND_ENGINE_WORLD_H
#define FAREND_ENGINE_WORLD_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "sim/engine/packet.h"
#include "sim/engine/plan.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct world; /* each world's own */

struct world_ops {
    const char *name; /* "sim", "netns" */

    /* Builds the nodes for which mine[node] is true; all their interfaces are up when it returns. On failure a negative
     * enum fe_error; `why` says what and what to do about it; nothing is left behind. Program nodes have not run yet.
     * `mine` is borrowed for the call. */
    int (*open)(struct world **out, struct engine *e, const struct plan *plan, const bool *mine, struct text *why);
    void (*close)(struct world *w); /* releases every packet it holds */

    /* Takes the caller's reference; nobody else holds the packet. */
    void (*push)(struct world *w, unsigned node, unsigned port, struct packet *p);
    /* The next packet that left the node by this port, with a reference for the caller, who may change it and link it
     * into lists: the world keeps none. NULL: no more. */
    struct packet *(*pull)(struct world *w, unsigned node, unsigned port);
    /* The lowest port of the node at which a packet waits, -1: none. NULL when the world cannot tell: every port is
     * then asked in its order. */
    int (*outgoing)(struct world *w, unsigned node);

    /* True when the node's program has input waiting (packets, ICMP errors, a command). Not asked of routers. */
    bool (*ready)(struct world *w, unsigned node);
    /* One turn at the engine's present time: commands, input, then due timers. Returns the node's next deadline (NEVER:
     * none). The first turn starts the node's logic. Trace lines go to engine_trace_line() before it returns. */
    lab_time (*turn)(struct world *w, unsigned node);
    /* The time of engine_alarm() has come: the node's stack does what it then has to do, whatever its program does.
     * What it sends can be pulled when alarm returns. NULL: no node's stack has timers. */
    void (*alarm)(struct world *w, unsigned node);
    /* Queues a command line; the node is then ready. */
    void (*command)(struct world *w, unsigned node, struct span line);

    /* Called when the engine finds nothing left to do at the present time, before the clock moves. When something has
     * become readable after all: calls engine_touch() for those nodes and returns false. May be NULL (always settled).
     */
    bool (*settled)(struct world *w);
    /* Clock real: sleeps until something is readable (then as `settled`) or lab time `until` has come. May be NULL. */
    void (*wait)(struct world *w, lab_time until);

    /* The power switch: the program ends at once, sends nothing; sockets vanish. And on again: a fresh start, first
     * turn at the present time. FE_EUNKNOWN for routers. */
    int (*power)(struct world *w, unsigned node, bool on);

    /* A loss of power, after power() has ended the program: the node's stack forgets its connections. What it sends by
     * either is thrown away. NULL: it has nothing to forget. */
    void (*forget)(struct world *w, unsigned node);

    /* Other people's programs (sim/engine/foreign.h). run: starts a command beside the node's program; what becomes of
     * it is traced, also that it could not be started. halt: asks the node's program to end, by its stop signal. NULL:
     * the world has none. */
    void (*run)(struct world *w, unsigned node, const struct foreign_run *run);
    void (*halt)(struct world *w, unsigned node);

    /* The MTU of the node's port changes, as of a network interface: 0 or FE_EOS. It outlives the node's program. */
    int (*mtu)(struct world *w, unsigned node, unsigned port, uint16_t mtu);

    /* The engine gives the node no turns from now on, or again: its input is to wake nobody meanwhile. May be NULL. */
    void (*freeze)(struct world *w, unsigned node, bool frozen);

    /* Packets of the engine's pool that the world holds: waiting in ports and sockets. NULL: never any between turns.
     */
    uint64_t (*held)(const struct world *w);
};

extern const struct world_ops sim_world;
extern const struct world_ops netns_world;

#endif
