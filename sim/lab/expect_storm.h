/* {storm: sbc, peak: 120, back: 2min, phones: at least 300}: what came upon a node after the last fault (storm.h). */
#ifndef FAREND_LAB_EXPECT_STORM_H
#define FAREND_LAB_EXPECT_STORM_H

#include "sim/lab/expect.h"
#include "sim/lab/expect_bound.h"

struct expect_storm {
    struct expect_bound peak, registrations, phones; /* numbers */
    struct expect_bound back;
};

bool expect_storm_read(struct lab *lab, const struct doc *d, struct expectation *e);
bool expect_storm_holds(const struct expectation *e, const struct facts *f, struct text *why);

/* The numbers, for the trace: peak, peak_at (ns), registrations, phones, away, back (ns); what has not come to pass is
 * absent. */
void expect_storm_record(const struct expectation *e, const struct facts *f, struct record *r);

extern const struct field expect_storm_form[];

#endif
