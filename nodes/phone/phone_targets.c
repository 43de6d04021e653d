#include "nodes/phone/phone_targets.h"

void phone_targets_add(struct phone_targets *t, struct phone_place target)
{
    if (t->n < PHONE_TARGETS_MAX)
        t->list[t->n++] = target;
}

static void tick_off(struct phone_targets *t, bool machine)
{
    for (unsigned i = 0; i < t->n; i++)
        if (i == t->current || (machine && t->list[i].at.addr == t->list[t->current].at.addr))
            t->tried |= 1u << i;
}

bool phone_targets_failed(struct phone_targets *t, struct phone_place where, bool machine)
{
    if (t->n < 2)
        return false;
    if (!phone_place_equal(where, t->list[t->current]))
        return true; /* another request has found that out before */
    tick_off(t, machine);
    for (unsigned i = 0; i < t->n; i++)
        if (!(t->tried & 1u << i)) {
            t->current = i;
            return true;
        }
    t->current = 0;
    t->tried = 0;
    return false;
}

void phone_targets_answered(struct phone_targets *t)
{
    t->tried = 0;
}
