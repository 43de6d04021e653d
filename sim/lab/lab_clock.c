#include "sim/lab/lab_clock.h"

#include "nodes/base/calendar.h"
#include "nodes/base/error.h"
#include "nodes/base/units.h"
#include "sim/lab/lab_read.h"

/* The years that a machine's clock can show: from 1970 to 2199. */
#define CLOCK_FIRST (-LAB_BEGINS * SEC)
#define CLOCK_LAST  ((INT64_C(7258118399) - LAB_BEGINS) * SEC)
#define JUMP_MAX    (36600 * 24 * HOUR) /* so that the sum with any clock is a lab_time */

static bool shown(lab_time clock)
{
    return clock >= CLOCK_FIRST && clock <= CLOCK_LAST;
}

static bool wrong(struct lab *lab, const struct doc *d, const char *what)
{
    problem(&lab->problems, d->at, "\"", d->type == DOC_TEXT ? d->text : "…", "\" ", what);
    return false;
}

static bool is_early_or_late(struct lab *lab, const struct doc *d)
{
    return wrong(lab, d, "is beyond a machine's clock; expected a date from 1970 to 2199");
}

/* "-3min", "400d". */
static int distance_parse(struct span s, lab_time *out)
{
    bool negative = s.n && s.p[0] == '-';
    size_t sign = s.n && (negative || s.p[0] == '+');
    int error = units_time((struct span){s.p + sign, s.n - sign}, out);
    if (!error && *out == NEVER)
        return FE_ESYNTAX;
    if (!error && *out > JUMP_MAX)
        return FE_ERANGE;
    if (!error && negative)
        *out = -*out;
    return error;
}

static bool date_read(struct lab *lab, const struct doc *d, int64_t date, struct lab_clock *out)
{
    const int64_t first = LAB_BEGINS + CLOCK_FIRST / SEC;
    const int64_t last = LAB_BEGINS + CLOCK_LAST / SEC;
    if (date < first || date > last)
        return is_early_or_late(lab, d);
    *out = (struct lab_clock){LAB_CLOCK_SHOWS, (date - LAB_BEGINS) * SEC};
    return true;
}

bool lab_clock_read(struct lab *lab, const struct doc *d, struct lab_clock *out)
{
    struct span s = d->type == DOC_TEXT ? span_of(d->text) : SPAN("");
    lab_time ahead = 0;
    int64_t date;
    int error = calendar_parse(s, &date);
    if (!error)
        return date_read(lab, d, date, out);
    if (error == FE_ERANGE)
        return wrong(lab, d, "is in no calendar; expected a date as 1970-01-01T00:00:00Z");
    error = span_is(s, "right") ? 0 : distance_parse(s, &ahead);
    if (error == FE_ERANGE || (!error && !shown(ahead)))
        return is_early_or_late(lab, d);
    if (error)
        return wrong(lab, d,
                     "is no setting of a clock; expected right, the date in UTC that it shows, as "
                     "1970-01-01T00:00:00Z, or how far it is out, as -3min or 400d");
    *out = (struct lab_clock){LAB_CLOCK_AHEAD, ahead};
    return true;
}

bool lab_clock_read_jump(struct lab *lab, const struct doc *d, struct lab_clock *out)
{
    lab_time by = 0;
    int error = d->type == DOC_TEXT ? distance_parse(span_of(d->text), &by) : FE_ESYNTAX;
    if (error == FE_ERANGE)
        return wrong(lab, d, "is too far; expected at most 36600d");
    if (error || by == 0)
        return wrong(lab, d, "is no jump; expected a time with its unit, as 400d, or -1h for one back");
    *out = (struct lab_clock){LAB_CLOCK_BY, by};
    return true;
}

bool lab_clock_matters(struct lab *lab, const struct lab_node *node, struct place at)
{
    if (node->kind && node->kind->dates)
        return true;
    if (node->kind)
        problem(&lab->problems, at, "\"", node->name, "\" is a ", node->kind->name,
                ", which does nothing by the date; a phone, an sbc and a pbx have a clock");
    return false;
}

struct plan_clock lab_clock_plan(const struct lab_clock *c)
{
    if (c->how == LAB_CLOCK_SHOWS)
        return (struct plan_clock){.unset = true, .shows = c->value};
    return (struct plan_clock){.ahead = c->value};
}

bool lab_clock_apply(const struct lab_clock *c, lab_time now, lab_time *ahead)
{
    lab_time wanted = c->value;
    switch (c->how) {
    case LAB_CLOCK_AHEAD: break;
    case LAB_CLOCK_SHOWS: wanted = c->value - now; break;
    case LAB_CLOCK_BY: wanted = *ahead + c->value; break;
    }
    if (!shown(now + wanted))
        return false;
    *ahead = wanted;
    return true;
}
