#include "nodes/base/error.h"
#include "nodes/nat/nat_table.h"

#include <stdlib.h>

/* Sessions with the same time leave in the order of their slots. */
static bool before(const struct nat_table *t, uint32_t a, uint32_t b)
{
    lab_time at = t->sessions[a].queued;
    lab_time bt = t->sessions[b].queued;
    return at != bt ? at < bt : a < b;
}

static void place(struct nat_table *t, uint32_t session, uint32_t i)
{
    t->heap[i] = session;
    t->sessions[session].place = i;
}

static void sift_up(struct nat_table *t, uint32_t session, uint32_t i)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / 4;
        if (!before(t, session, t->heap[parent]))
            break;
        place(t, t->heap[parent], i);
        i = parent;
    }
    place(t, session, i);
}

static void sift_down(struct nat_table *t, uint32_t session, uint32_t i)
{
    for (;;) {
        uint32_t first = 4 * i + 1;
        uint32_t least = first;
        if (first >= t->heap_n)
            break;
        for (uint32_t c = first + 1; c < first + 4 && c < t->heap_n; c++)
            if (before(t, t->heap[c], t->heap[least]))
                least = c;
        if (!before(t, t->heap[least], session))
            break;
        place(t, t->heap[least], i);
        i = least;
    }
    place(t, session, i);
}

int nat_heap_reserve(struct nat_table *t)
{
    if (t->heap_n < t->heap_cap)
        return 0;
    uint32_t cap = t->heap_cap ? 2 * t->heap_cap : 4;
    uint32_t *heap = realloc(t->heap, cap * sizeof *heap);
    if (!heap)
        return FE_EMEM;
    t->heap = heap;
    t->heap_cap = cap;
    return 0;
}

void nat_heap_add(struct nat_table *t, uint32_t session)
{
    sift_up(t, session, t->heap_n++);
}

void nat_heap_remove(struct nat_table *t, uint32_t session)
{
    uint32_t i = t->sessions[session].place;
    uint32_t last = t->heap[--t->heap_n];
    if (last == session)
        return;
    sift_up(t, last, i);
    sift_down(t, last, t->sessions[last].place);
}

void nat_heap_move(struct nat_table *t, uint32_t session, lab_time queued)
{
    t->sessions[session].queued = queued;
    sift_up(t, session, t->sessions[session].place);
    sift_down(t, session, t->sessions[session].place);
}
