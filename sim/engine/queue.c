/* The heap is 4-ary, with the root at index 3 so that the four children of i, at 4(i - 2) … 4(i - 2) + 3, share a cache
 * line. Behind the last entry stand at least four that are never due: a parent always has four children to compare,
 * without asking how many there are. */
#include "sim/engine/queue.h"

#include "nodes/base/error.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

enum { ROOT = 3, CHILDREN = 4, CACHE_LINE = 64 };

static const struct queue_entry nothing = {NEVER, UINT64_MAX};

static_assert(sizeof(struct queue_entry) * CHILDREN == CACHE_LINE, "four brothers are one cache line");

int queue_init(struct queue *q, size_t sources)
{
    size_t room = (sources + ROOT + 2 * CHILDREN) / CHILDREN * CHILDREN;
    assert(sources < UINT32_MAX);
    *q = (struct queue){.heap = aligned_alloc(CACHE_LINE, room * sizeof *q->heap),
                        .place = calloc(sources ? sources : 1, sizeof *q->place)};
    if (!q->heap || !q->place) {
        queue_fini(q);
        return FE_EMEM;
    }
    for (size_t i = 0; i < room; i++)
        q->heap[i] = nothing;
    return 0;
}

void queue_fini(struct queue *q)
{
    free(q->heap);
    free(q->place);
    *q = (struct queue){0};
}

static inline bool before(const struct queue_entry *a, const struct queue_entry *b)
{
    return (a->at < b->at) | ((a->at == b->at) & (a->source < b->source)); /* no jump to mispredict */
}

static inline void put(struct queue *q, size_t i, struct queue_entry entry)
{
    q->heap[i] = entry;
    q->place[entry.source] = (uint32_t)i;
}

static inline size_t parent_of(size_t i)
{
    return i / CHILDREN + 2;
}

static inline size_t first_child_of(size_t i)
{
    return CHILDREN * (i - 2);
}

static void sift_up(struct queue *q, size_t i, struct queue_entry entry)
{
    while (i > ROOT && before(&entry, &q->heap[parent_of(i)])) {
        put(q, i, q->heap[parent_of(i)]);
        i = parent_of(i);
    }
    put(q, i, entry);
}

static inline size_t first_of(const struct queue_entry *heap, size_t a, size_t b)
{
    return before(&heap[b], &heap[a]) ? b : a;
}

static void sift_down(struct queue *q, size_t i, struct queue_entry entry)
{
    const struct queue_entry *heap = q->heap;
    size_t end = ROOT + q->n;
    for (size_t c; (c = first_child_of(i)) < end;) {
        size_t least = first_of(heap, first_of(heap, c, c + 1), first_of(heap, c + 2, c + 3));
        if (!before(&heap[least], &entry))
            break;
        put(q, i, heap[least]);
        i = least;
    }
    put(q, i, entry);
}

/* Into a hole at i. */
static void settle(struct queue *q, size_t i, struct queue_entry entry)
{
    if (i > ROOT && before(&entry, &q->heap[parent_of(i)]))
        sift_up(q, i, entry);
    else
        sift_down(q, i, entry);
}

static void remove_at(struct queue *q, size_t i)
{
    size_t last = ROOT + --q->n;
    struct queue_entry moved = q->heap[last];
    q->place[q->heap[i].source] = 0;
    q->heap[last] = nothing;
    if (i != last)
        settle(q, i, moved);
}

void queue_set(struct queue *q, size_t source, lab_time at)
{
    size_t i = q->place[source];
    if (at == NEVER) {
        if (i)
            remove_at(q, i);
    } else if (i) {
        if (q->heap[i].at != at)
            settle(q, i, (struct queue_entry){at, source});
    } else {
        sift_up(q, ROOT + q->n++, (struct queue_entry){at, source});
    }
}

void queue_renew(struct queue *q, lab_time at)
{
    if (at == NEVER)
        remove_at(q, ROOT);
    else
        sift_down(q, ROOT, (struct queue_entry){at, q->heap[ROOT].source});
}
