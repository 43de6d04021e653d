/* What is measured lies between two values: "40s" and "at most 40s", "at least 30s", "never"; of numbers "1", "none".
 */
#ifndef FAREND_LAB_EXPECT_BOUND_H
#define FAREND_LAB_EXPECT_BOUND_H

#include "nodes/base/lab_time.h"
#include "sim/lab/lab.h"

/* Both included. */
struct expect_bound {
    lab_time least, most; /* most NEVER, least NEVER: shall not come to that at all */
};

#define EXPECT_BOUND_NONE ((struct expect_bound){-1, NEVER}) /* anything will do */

/* A time; of: of what a number is, "calls", and then `out` holds numbers; NULL: a time since the fault. Without `d`
 * *out stays as it is. False after a problem. */
bool expect_bound_read(struct lab *lab, const struct doc *d, const char *what, const char *of,
                       struct expect_bound *out);

/* NEVER: it has not come to that. A bound that was given is not met by this, unless that was its meaning. */
bool expect_bound_holds(const struct expect_bound *b, lab_time value);

#endif
