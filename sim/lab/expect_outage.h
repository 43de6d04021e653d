/* {outage: alice, noticed: 40s, recovered: 60s, unreachable: 70s, calls lost: 1}: what an outage may have cost a phone,
 * counted from the last fault (outage.h). Each is an upper bound unless it says "at least". */
#ifndef FAREND_LAB_EXPECT_OUTAGE_H
#define FAREND_LAB_EXPECT_OUTAGE_H

#include "sim/lab/expect.h"
#include "sim/lab/expect_bound.h"

struct expect_outage {
    struct expect_bound noticed, recovered, unreachable;
    struct expect_bound calls_lost; /* a number, not a time */
};

bool expect_outage_read(struct lab *lab, const struct doc *d, struct expectation *e);
bool expect_outage_holds(const struct expectation *e, const struct facts *f, struct text *why);

/* The numbers, for the trace: noticed, recovered, unreachable (ns), calls_lost; what has not come to pass is absent. */
void expect_outage_record(const struct expectation *e, const struct facts *f, struct record *r);

extern const struct field expect_outage_form[];

#endif
