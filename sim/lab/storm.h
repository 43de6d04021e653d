/* The storm after a fault, measured in the trace and nowhere else: how many registrations each node accepts since the
 * last fault (outage.h), and how many in the busiest second. A registration is accepted when a node sends a 200 to
 * REGISTER; one that passes through an SBC counts at the SBC and at the PBX, a refresh counts as well. The busiest
 * second is any, not one that begins with a full second: it ends with a registration, which is counted, and one a
 * second earlier is not. */
#ifndef FAREND_LAB_STORM_H
#define FAREND_LAB_STORM_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "sim/lab/outage.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lab;

/* Of one node, since the last fault. */
struct storm {
    lab_time *recent; /* of the second before the latest one, in a ring; NULL before the first */
    size_t first, n, cap;
    uint32_t accepted, peak;
    lab_time peak_at; /* absolute: the end of the busiest second */
};

struct storms {
    const struct lab *lab;
    struct storm *nodes;
    lab_time fault; /* as of the outages: NEVER: there was none */
    bool no_memory; /* what is measured is too little */
};

int storms_init(struct storms *s, const struct lab *lab); /* 0 or FE_EMEM */
void storms_fini(struct storms *s);                       /* fine on zeroed memory */

/* A line of the trace, after `outages` have heard it; `ev` is its event, `now` its time. */
void storms_line(struct storms *s, const struct outages *outages, struct span line, struct span ev, lab_time now);

/* As the verdict tells it; durations since the fault. */
struct storm_measure {
    uint32_t registrations, peak;
    lab_time peak_at;      /* NEVER: no registration was accepted */
    uint32_t phones, away; /* that noticed the fault; of these, still unreachable */
    lab_time back;         /* all are back since; NEVER while one is away, or when none noticed */
};
/* False: there was no fault. */
bool storm_measure(const struct storms *s, const struct outages *outages, unsigned node, struct storm_measure *out);

/* "300 registrations, at most 12 in a second, after 84.020s; 300 phones noticed, all back after 91.110s" */
void storm_say(const struct storm_measure *m, struct text *t);

#endif
