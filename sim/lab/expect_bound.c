#include "sim/lab/expect_bound.h"

#include "nodes/base/error.h"
#include "nodes/base/units.h"
#include "sim/lab/doc.h"
#include "sim/lab/problem.h"

static int value_read(struct span s, bool number, lab_time *out)
{
    uint64_t count;
    int error = number ? span_u64(s, UINT32_MAX, &count) : units_time(s, out);
    if (number && !error)
        *out = (lab_time)count;
    return error ? error : *out < 0 || *out == NEVER ? FE_ERANGE : 0;
}

static bool not_a_bound(struct lab *lab, const struct doc *d, const char *what, const char *of)
{
    if (of)
        problem(&lab->problems, d->at, what, ": \"", d->text, "\" is not a number of ", of,
                ", as 1, at least 1 or none");
    else
        problem(&lab->problems, d->at, what, ": \"", d->text,
                "\" is not a time since the fault, as 40s, at least 30s or never");
    return false;
}

bool expect_bound_read(struct lab *lab, const struct doc *d, const char *what, const char *of, struct expect_bound *out)
{
    if (!d)
        return true;
    struct span s = span_trim(span_of(d->text));
    bool at_least = span_starts(s, SPAN("at least "));
    lab_time value;
    if (!of && span_is(s, "never")) {
        *out = (struct expect_bound){NEVER, NEVER};
        return true;
    }
    if (of && span_is(s, "none"))
        s = SPAN("0");
    if (at_least || span_starts(s, SPAN("at most ")))
        s = span_trim((struct span){s.p + 8, s.n - 8});
    if (value_read(s, of != NULL, &value))
        return not_a_bound(lab, d, what, of);
    *out = at_least ? (struct expect_bound){value, NEVER} : (struct expect_bound){0, value};
    return true;
}

bool expect_bound_holds(const struct expect_bound *b, lab_time value)
{
    if (b->least < 0)
        return true;
    if (b->least == NEVER)
        return value == NEVER;
    return value != NEVER && value >= b->least && value <= b->most;
}
