/* The clocks of the machines: what they are ahead of lab time. They show dates and move nothing. */
#include "nodes/base/calendar.h"
#include "nodes/base/error.h"
#include "sim/engine/engine_impl.h"

void engine_clock_start(struct engine *e, unsigned node)
{
    struct engine_node *n = &e->nodes[node];
    const struct plan_clock *clock = &n->plan->clock;
    n->ahead = clock->unset ? clock->shows - e->now : clock->ahead;
}

lab_time engine_clock(const struct engine *e, unsigned node)
{
    return e->now + e->nodes[node].ahead;
}

static void trace_clock(struct engine *e, unsigned node, lab_time by)
{
    char buf[32];
    struct text shows = text_on(buf, sizeof buf);
    lab_time clock = engine_clock(e, node);
    calendar_text(&shows, LAB_BEGINS + clock / SEC - (clock % SEC < 0));
    struct record *r = trace_begin(&e->trace, e->now, e->nodes[node].plan->name, "clock");
    record_str(r, "shows", buf);
    record_i64(r, "by", by);
    record_bool(r, "right", e->nodes[node].ahead == 0);
    trace_end(&e->trace);
}

int engine_clock_set(struct engine *e, unsigned node, lab_time ahead)
{
    struct engine_node *n = &e->nodes[node];
    lab_time by = ahead - n->ahead;
    if (!n->program)
        return FE_EUNKNOWN;
    n->ahead = ahead;
    if (by)
        trace_clock(e, node, by);
    return 0;
}
