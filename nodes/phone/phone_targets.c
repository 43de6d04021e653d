#include "nodes/phone/phone_targets.h"

void phone_targets_add(struct phone_targets *t, struct phone_place target)
{
    if (t->n < PHONE_TARGETS_MAX)
        t->list[t->n++] = target;
}

static int find(const struct phone_targets *t, struct phone_place where)
{
    for (unsigned i = 0; i < t->n; i++)
        if (phone_place_equal(t->list[i], where))
            return (int)i;
    return -1;
}

static bool is_tried(const struct phone_targets *t, unsigned i)
{
    return (t->tried & 1u << i) != 0;
}

static void tick_off(struct phone_targets *t, unsigned failed, bool machine)
{
    for (unsigned i = 0; i < t->n; i++)
        if (i == failed || (machine && t->list[i].at.addr == t->list[failed].at.addr))
            t->tried |= 1u << i;
}

bool phone_targets_failed(struct phone_targets *t, struct phone_place where, bool machine)
{
    int failed = find(t, where);
    if (failed < 0)
        return t->n > 0; /* DNS has told of others meanwhile */
    tick_off(t, (unsigned)failed, machine);
    if (!is_tried(t, t->current))
        return true; /* another request has gone over to it before */
    for (unsigned i = 0; i < t->n; i++)
        if (!is_tried(t, i)) {
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
