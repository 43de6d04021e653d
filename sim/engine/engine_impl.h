/* The engine, inside: what its files share. The contract is engine.h. */
#ifndef FAREND_ENGINE_IMPL_H
#define FAREND_ENGINE_IMPL_H

#include "nodes/base/timers.h"
#include "nodes/proto/ip.h"
#include "sim/engine/capture.h"
#include "sim/engine/engine.h"
#include "sim/engine/fault.h"
#include "sim/engine/index_set.h"
#include "sim/engine/packet.h"
#include "sim/engine/queue.h"
#include "sim/engine/switch.h"
#include "sim/engine/trace.h"
#include "sim/engine/wire.h"

/* One direction of a wire and where it leads: number 2·wire + direction. A port's or switch's way out is that of its
 * own end of the wire. */
struct engine_way {
    struct plan_end to;
    bool faulty;  /* some fault lies here */
    uint8_t side; /* of a partitioned network: 1 or 2; 0: no side */
    struct wire_way wire;
};

struct engine_node {
    const struct world_ops *ops;
    struct world *world;
    const struct plan_node *plan;
    unsigned *ways; /* of its ports, outwards */
    bool program;   /* takes turns */
    bool due;       /* its deadline, first turn or power switch asks for a turn */
    bool frozen;    /* gets none all the same */
    bool dark;      /* without power: nothing reaches it, nothing leaves it */
    lab_time ahead; /* of lab time, its clock */
};

struct engine_world {
    const struct world_ops *ops;
    struct world *world;
};

enum { ENGINE_WORLDS = 4, ENGINE_FAILURE = 512 };

struct engine {
    const struct plan *plan;
    struct engine_config config;
    lab_time now;

    /* Sources: the script, then the ways, the stacks' alarms, the programs' deadlines; see engine_way_source and the
     * functions beside it. */
    struct queue queue;
    struct timers script;
    struct engine_way *ways;
    struct engine_node *nodes;
    unsigned *node_ways; /* memory of all nodes' `ways` */
    struct switch_table *switches;
    struct fault *faults;
    struct pool *pool;

    struct index_set touched; /* nodes whose ports are to be drained */
    struct index_set awake;   /* program nodes that may be ready */

    /* The packet pushed last: what the node says of it then becomes its fate. */
    struct {
        bool valid;
        unsigned node;
        uint8_t head[IP_HEADER];
        bool icmp_error;
    } pushed;

    struct engine_world worlds[ENGINE_WORLDS];
    size_t worlds_n;

    struct trace trace;
    struct capture *capture; /* NULL: none is kept */

    bool started, stopped, failed;
    char failure[ENGINE_FAILURE];
};

enum { ENGINE_SCRIPT_SOURCE = 0 };

static inline size_t engine_way_source(unsigned way)
{
    return 1 + (size_t)way;
}

static inline size_t engine_alarm_source(const struct engine *e, unsigned node)
{
    return 1 + 2 * e->plan->wires_n + node;
}

static inline size_t engine_node_source(const struct engine *e, unsigned node)
{
    return engine_alarm_source(e, node) + e->plan->nodes_n;
}

/* ---- engine_loop.c ---- */
void engine_want_turn(struct engine *e, unsigned node); /* at this instant, whether or not it has input */
void engine_drain(struct engine *e, unsigned node);     /* all that waits in its ports goes onto its wires */

/* ---- engine_clock.c ---- */
void engine_clock_start(struct engine *e, unsigned node); /* as it stands when the machine gets power */

/* ---- engine_wires.c ---- */
void engine_send(struct engine *e, unsigned way, struct packet *p);               /* onto a wire, with the reference */
void engine_put(struct engine *e, unsigned way, struct packet *p, lab_time late); /* past the faults; wire_send_late */
void engine_arrive(struct engine *e, unsigned way); /* the way's next packet has arrived: the first of the queue */

/* ---- fault.c ---- */
void engine_fault_send(struct engine *e, unsigned way, struct packet *p); /* a way with faults: engine_send */
void engine_faults_free(struct engine *e);

/* ---- engine_fate.c ---- */
void engine_note_push(struct engine *e, unsigned node, const struct packet *p);
/* An ICMP packet leaves a node: traced when it is an error of the node's own. */
void engine_note_icmp(struct engine *e, unsigned node, const struct packet *p);
void engine_note_drop(struct engine *e, unsigned node, struct span line);
void engine_note_dark(struct engine *e, unsigned node, const struct packet *p); /* arrives at a node without power */
/* What the wire has done to a packet that it took: wire_way.marks. */
void engine_note_marks(struct engine *e, unsigned way, const struct packet *p);
/* A wire's drop, traced and captured. way: where it was dropped. */
void engine_note_wire_drop(struct engine *e, unsigned way, enum wire_fate fate, const struct packet *p);

#endif
