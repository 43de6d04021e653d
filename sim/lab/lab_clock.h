/* A machine's clock as a lab file says it: `clock` of a node, what a step sets it to, by how much it jumps. */
#ifndef FAREND_LAB_LAB_CLOCK_H
#define FAREND_LAB_LAB_CLOCK_H

#include "sim/engine/plan.h"
#include "sim/lab/doc.h"

#include <stdbool.h>

struct lab;
struct lab_node;

enum lab_clock_how {
    LAB_CLOCK_AHEAD, /* of the right time */
    LAB_CLOCK_SHOWS, /* a date, as host_clock has it */
    LAB_CLOCK_BY,    /* from where it stands */
};

struct lab_clock {
    enum lab_clock_how how;
    lab_time value;
};

/* "right", a date, or how far it is out: "-3min". False after a problem. */
bool lab_clock_read(struct lab *lab, const struct doc *d, struct lab_clock *out);
/* "400d", "-1h": by how much it jumps. False after a problem. */
bool lab_clock_read_jump(struct lab *lab, const struct doc *d, struct lab_clock *out);
/* Has the node a clock by which something goes? False after a problem at `at`. */
bool lab_clock_matters(struct lab *lab, const struct lab_node *node, struct place at);

struct plan_clock lab_clock_plan(const struct lab_clock *c);
/* What the clock is then ahead of lab time, which is `now`; `ahead`: what it is. False: no machine's clock goes so far.
 */
bool lab_clock_apply(const struct lab_clock *c, lab_time now, lab_time *ahead);

#endif
