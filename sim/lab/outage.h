/* What an outage was for a phone, measured in the trace and nowhere else: when it noticed, when it was registered
 * again, for how long calls could not reach it, how many were lost.
 *
 * It begins with a *fault*: the first harm (a node without power or frozen, a wire cut, a network apart, a NAT that
 * lost its mappings, a packet hit, a PBX that serves badly) after a step `fault`, `power`, `set` or `tell` began; the
 * time is that step's. Harm that goes on, as of a flapping wire, is one fault. What mends is none.
 *
 * Signs that a phone cannot be reached: it traces that it is not registered, or that it leaves a server for another
 * (`failover` to a backup, or to the next target of a name), or a call to it fails. Signs that it can: it is registered
 * anew, or a call comes in. A connection that ends is a sign too, and so is one that cannot be opened, until the phone
 * is registered again: then it is but a probe of the server that is still away. A phone without any sign was not
 * touched by the fault. One with several flows (`outbound`) can be reached while one is up. */
#ifndef FAREND_LAB_OUTAGE_H
#define FAREND_LAB_OUTAGE_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lab;

/* Of one phone, since the last fault. Times are absolute; NEVER: it has not come to that. */
struct outage {
    lab_time noticed;    /* the phone's own first sign */
    lab_time recovered;  /* registered for the first time after the first sign */
    lab_time reachable;  /* after the last sign of the contrary; NEVER while `lost` */
    bool lost;           /* the latest sign says that it cannot be reached */
    uint32_t calls_lost; /* to it */
    uint32_t flows;      /* by bit: the flow with this reg-id is up */
};

struct outages {
    const struct lab *lab;
    struct outage *nodes;
    lab_time fault; /* NEVER: there was none */
    lab_time armed; /* a step that may do harm began then; NEVER: harm belongs to the fault before */
};

int outages_init(struct outages *o, const struct lab *lab); /* 0 or FE_EMEM */
void outages_fini(struct outages *o);                       /* fine on zeroed memory */

/* A line of the trace, in their order; `ev` is its event, `now` its time. */
void outages_line(struct outages *o, struct span line, struct span ev, lab_time now);

/* As the verdict tells it; durations since the fault. NEVER: it has not come to that. */
struct outage_measure {
    lab_time noticed, recovered, unreachable; /* unreachable: until `now` while it lasts; 0: it never was */
    bool lasts;
    uint32_t calls_lost;
};
/* False: there was no fault. */
bool outage_measure(const struct outages *o, unsigned node, lab_time now, struct outage_measure *out);

/* "noticed after 4.020s, registered again after 4.110s, unreachable for 4.110s, 1 call lost" */
void outage_say(const struct outage_measure *m, struct text *t);

#endif
