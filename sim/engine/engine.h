/* The engine: a single-threaded discrete-event core. It owns the lab clock, the wires and switches, the capture and the
 * trace, and lets the worlds' nodes run in turns. Both worlds use the same engine, so both have the same order of
 * events.
 *
 * Order. Every source of events (a direction of a wire, a stack's alarm, a node's next deadline, the script) has at
 * most one entry in the queue: (time, class, index). Classes: the script before arrivals before the stacks' alarms
 * before the programs' deadlines. At one instant the engine
 *   1. drains the ports of every node touched since (node order, port order) onto the wires,
 *   2. gives the lowest-numbered node that is ready a turn, and starts again at 1,
 *   3. takes the next entry of the queue; when it lies in the future, the clock jumps there (stepped) or waits (real).
 * Numbers are positions in the plan, so the order is the file's. */
#ifndef FAREND_ENGINE_ENGINE_H
#define FAREND_ENGINE_ENGINE_H

#include "nodes/base/lab_time.h"
#include "nodes/base/record.h"
#include "nodes/base/span.h"
#include "nodes/base/timers.h"
#include "sim/engine/plan.h"
#include "sim/engine/world.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct engine;

struct engine_config {
    bool real;                    /* clock real; else stepped */
    lab_time (*clock)(void *arg); /* clock real: ns since the lab started, monotonic (from the CLI) */
    /* Clock real, for labs none of whose worlds can wait: sleeps until lab time `until`, or less. May be NULL. */
    void (*sleep)(void *arg, lab_time until);
    FILE *trace;   /* trace.jsonl, or NULL; the caller's */
    FILE *capture; /* capture.pcapng, or NULL; the caller's */
    /* Every line of the trace, as it is written (without newline). May start script timers, send commands, stop the
     * engine and write lines of its own (four deep); may not run the engine nor switch a node's power. */
    void (*observe)(void *arg, struct span line);
    void *arg;
    /* Asked whenever an instant is settled, before the clock moves: is there anything to do that comes from outside of
     * the lab? It may then do what observe may, and switch power too; true when it did something. A world's wait ends
     * for it, as `sleep` has to. NULL: nothing ever comes. */
    bool (*attend)(void *arg);
    const bool *stop_flag; /* set by a signal handler: engine_run returns ENGINE_INTERRUPTED. May be NULL */
};

enum engine_end {
    ENGINE_STOPPED,     /* engine_stop() was called */
    ENGINE_IDLE,        /* nothing can ever happen again */
    ENGINE_INTERRUPTED, /* *stop_flag */
    ENGINE_FAILED,      /* a node program died unasked, out of memory, …: engine_failure() says what */
};

/* The plan outlives the engine. FE_EMEM. */
int engine_new(struct engine **out, const struct plan *plan, const struct engine_config *config);
void engine_free(struct engine *e); /* closes the worlds too */

/* Opens a world for the nodes with mine[node]; every node belongs to exactly one before the engine runs. Errors as
 * world_ops.open. */
int engine_open(struct engine *e, const struct world_ops *ops, const bool *mine, struct text *why);

/* Gives every program its first turn in node order at time 0, then runs. */
enum engine_end engine_run(struct engine *e);
void engine_stop(struct engine *e); /* from script timers or observe: after the present instant is settled */
void engine_fail(struct engine *e, const char *what); /* copied */
/* Writes out what is buffered of the trace and of the capture, for those who read them while the engine runs. */
void engine_flush(struct engine *e);
const char *engine_failure(const struct engine *e);

lab_time engine_now(const struct engine *e);
/* The world that engine_open() opened with these, for its owner; NULL: none. */
struct world *engine_world(const struct engine *e, const struct world_ops *ops);
struct pool *engine_pool(struct engine *e);
const struct plan *engine_plan(const struct engine *e);

/* ---- for worlds ---- */
void engine_touch(struct engine *e, unsigned node); /* its ports are to be drained, its readiness looked at */
/* When the node's stack wants to act by itself (world_ops.alarm), beside the deadlines of its program: also while that
 * is frozen, or the power is off. One a node; NEVER: none. */
void engine_alarm(struct engine *e, unsigned node, lab_time at);
/* A line of the NSS key log format, without newline (host_secret), for who reads the capture. */
void engine_secret(struct engine *e, struct span line);
/* What the node's clock shows now, as host_clock has it. */
lab_time engine_clock(const struct engine *e, unsigned node);
/* A finished line from a node program (host_trace): goes to the trace and to observe. Lines with "ev":"drop" also
 * become the fate of the packet that was pushed into this node last. */
void engine_trace_line(struct engine *e, unsigned node, struct span line);
/* Begins a line about a node that the world itself writes; finish with engine_trace_end(). */
struct record *engine_trace_node(struct engine *e, unsigned node, const char *event);

/* ---- for the script ---- */
void engine_timer_start(struct engine *e, struct timer *t, lab_time at); /* class script; at >= now */
void engine_timer_stop(struct engine *e, struct timer *t);
void engine_command(struct engine *e, unsigned node, struct span line);
/* The program ends, or begins; its machine runs on. Traced as "power"; errors as world_ops.power. */
int engine_power(struct engine *e, unsigned node, bool on);
/* The machine with its program loses power, until engine_power() switches both on: nothing leaves it, what reaches it
 * is dropped ("powered-off"), and nothing is remembered. Traced as "power"; errors as world_ops.power. */
int engine_power_loss(struct engine *e, unsigned node);
/* The node's clock is set: from now on it is `ahead` of lab time. As a step of CLOCK_REALTIME is to a program whose
 * timers are CLOCK_MONOTONIC's: nothing but dates changes, and nobody is told. It stays so when the program is started
 * again, and over a loss of power too, since a machine writes what it believes into the clock that its battery keeps;
 * without battery it starts from plan_clock.shows. Traced as "clock"; FE_EUNKNOWN for nodes without a program. */
int engine_clock_set(struct engine *e, unsigned node, lab_time ahead);
/* The MTU of a node's own port; that of its wire stays. Traced as "mtu"; errors as world_ops.mtu. */
int engine_port_mtu(struct engine *e, unsigned node, unsigned port, uint16_t mtu);
/* For nodes of PLAN_FOREIGN; see world_ops. */
void engine_foreign_run(struct engine *e, unsigned node, const struct foreign_run *run);
void engine_foreign_halt(struct engine *e, unsigned node);
/* Begins a line {"t":…,"ev":event… of the engine's own (no "node"); finish with engine_trace_end(). */
struct record *engine_trace(struct engine *e, const char *event);
void engine_trace_end(struct engine *e);
/* The present spec of a wire's direction; change it with engine_wire_set, for one direction or ENGINE_BOTH. Traced as
 * "wire" with the fields that change (ARCHITECTURE.md); nothing when none does. The MTU, which is also the ports',
 * stays what it is; that of the path between them changes. */
enum { ENGINE_BOTH = 2 };
const struct wire_spec *engine_wire(const struct engine *e, unsigned wire, unsigned direction);
void engine_wire_set(struct engine *e, unsigned wire, unsigned direction, const struct wire_spec *spec);

/* A network without hops can fall apart: wires of side 1 and of side 2 hear nothing of each other; 0: no side. */
void engine_side_set(struct engine *e, unsigned wire, unsigned side);
/* A frozen program gets no turns; what comes for it waits in its sockets. Thawed, it finds all at once, and the timers
 * that were due meanwhile. Traced as "freeze"; FE_EUNKNOWN for routers. */
int engine_freeze(struct engine *e, unsigned node, bool frozen);

/* ---- conservation: copies sent = delivered + in flight + drops ---- */
struct engine_count {
    uint64_t sent, delivered, in_flight;
    uint64_t lost, queue_full, too_big, wire_down, no_such_host; /* drops by cause */
    uint64_t icmp_off, ttl_exceeded, fault, partition;
};
void engine_count(const struct engine *e, unsigned wire, struct engine_count *out); /* both directions of one wire */
void engine_count_all(const struct engine *e, struct engine_count *out);
bool engine_conserved(const struct engine *e); /* also checks the pool against what is in flight */

#endif
