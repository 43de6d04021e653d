#include "nodes/base/timers.h"

#include "nodes/base/error.h"

#include <stdlib.h>

void timers_init(struct timers *set)
{
    *set = (struct timers){0};
}

void timers_fini(struct timers *set)
{
    for (size_t i = 0; i < set->n; i++)
        set->heap[i]->slot = 0;
    free(set->heap);
    *set = (struct timers){0};
}

static bool before(const struct timer *a, const struct timer *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void place(struct timers *set, struct timer *t, size_t i)
{
    set->heap[i] = t;
    t->slot = i + 1;
}

static void sift_up(struct timers *set, struct timer *t, size_t i)
{
    while (i > 0) {
        size_t parent = (i - 1) / 4;
        if (!before(t, set->heap[parent]))
            break;
        place(set, set->heap[parent], i);
        i = parent;
    }
    place(set, t, i);
}

static void sift_down(struct timers *set, struct timer *t, size_t i)
{
    for (;;) {
        size_t first = 4 * i + 1;
        size_t least = first;
        if (first >= set->n)
            break;
        for (size_t c = first + 1; c < first + 4 && c < set->n; c++)
            if (before(set->heap[c], set->heap[least]))
                least = c;
        if (!before(set->heap[least], t))
            break;
        place(set, set->heap[least], i);
        i = least;
    }
    place(set, t, i);
}

static int grow(struct timers *set)
{
    size_t cap = set->cap ? 2 * set->cap : 4;
    struct timer **heap = realloc(set->heap, cap * sizeof *heap);
    if (!heap)
        return FE_EMEM;
    set->heap = heap;
    set->cap = cap;
    return 0;
}

int timers_start(struct timers *set, struct timer *t, lab_time at)
{
    timers_stop(set, t);
    if (at == NEVER)
        return 0;
    if (set->n == set->cap && grow(set))
        return FE_EMEM;
    t->at = at;
    t->order = set->started++;
    sift_up(set, t, set->n++);
    return 0;
}

void timers_stop(struct timers *set, struct timer *t)
{
    size_t i = t->slot;
    if (i-- == 0)
        return;
    t->slot = 0;
    struct timer *last = set->heap[--set->n];
    if (last == t)
        return;
    sift_up(set, last, i);
    sift_down(set, last, last->slot - 1);
}

lab_time timers_next(const struct timers *set)
{
    return set->n ? set->heap[0]->at : NEVER;
}

bool timers_fire(struct timers *set, lab_time now)
{
    if (set->n == 0 || set->heap[0]->at > now)
        return false;
    struct timer *t = set->heap[0];
    timers_stop(set, t);
    t->fire(t->arg);
    return true;
}
