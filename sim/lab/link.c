#include "sim/lab/link.h"

enum { LINK_DELAY = 1, LINK_JITTER = 2, LINK_REORDER = 4, LINK_LOSS = 8, LINK_RATE = 16, LINK_QUEUE = 32 };

void link_apply(const struct link *link, uint32_t given, struct wire_spec *spec)
{
    if (given & LINK_DELAY)
        spec->delay = link->delay;
    if (given & LINK_JITTER)
        spec->jitter = link->jitter;
    if (given & LINK_REORDER)
        spec->reorder = link->reorder;
    if (given & LINK_LOSS)
        spec->loss = link->loss;
    if (given & LINK_RATE)
        spec->rate = link->rate;
    if (given & LINK_QUEUE)
        spec->queue = link->queue;
}
