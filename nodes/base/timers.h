/* Timers of one node: an intrusive 4-ary heap ordered by (deadline, order of starting).
 *
 * A timer is memory of its owner; starting it again moves it; a stopped timer never fires. Two timers with the same
 * deadline fire in the order in which they were started, so that a run never depends on addresses. No allocation
 * but the growth of the heap's array. */
#ifndef FAREND_BASE_TIMERS_H
#define FAREND_BASE_TIMERS_H

#include "nodes/base/lab_time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    void (*fire)(void *arg); /* may start and stop any timer, this one too, and free its owner */
    void *arg;
    lab_time at;
    uint64_t order;
    size_t slot; /* index in the heap + 1; 0: not running */
};

struct timers {
    struct timer **heap;
    size_t n, cap;
    uint64_t started;
};

void timers_init(struct timers *set);
void timers_fini(struct timers *set); /* every timer is stopped */

static inline void timer_init(struct timer *t, void (*fire)(void *arg), void *arg)
{
    *t = (struct timer){.fire = fire, .arg = arg};
}

static inline bool timer_running(const struct timer *t)
{
    return t->slot != 0;
}

/* FE_EMEM when the heap cannot grow; the timer is then stopped. at == NEVER stops it. */
int timers_start(struct timers *set, struct timer *t, lab_time at);
void timers_stop(struct timers *set, struct timer *t); /* fine on one that is not running */

lab_time timers_next(const struct timers *set); /* NEVER when none runs */

/* Fires the first timer with a deadline <= now; false when there is none. */
bool timers_fire(struct timers *set, lab_time now);

#endif
