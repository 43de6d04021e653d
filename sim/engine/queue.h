/* The event queue: sources of events, each with at most one entry, taken out by (time, source).
 *
 * A source is a number below the limit given at the start, and its number is its rank among the events of one instant:
 * the engine numbers the script before the wires before the nodes. A wire full of packets has its first one here only,
 * so the heap is as small as the number of busy sources, whatever is in flight. */
#ifndef FAREND_ENGINE_QUEUE_H
#define FAREND_ENGINE_QUEUE_H

#include "nodes/base/lab_time.h"

#include <stddef.h>
#include <stdint.h>

struct queue_entry {
    lab_time at;
    uint64_t source;
};

struct queue {
    struct queue_entry *heap; /* 4-ary; four brothers are one cache line */
    uint32_t *place;          /* of each source: its index in the heap, 0: not queued */
    size_t n;
};

int queue_init(struct queue *q, size_t sources); /* FE_EMEM. Nothing is allocated later. */
void queue_fini(struct queue *q);

/* The source's entry is now at this time, whether it had one before or not; NEVER takes it out. */
void queue_set(struct queue *q, size_t source, lab_time at);

/* The first entry's time; NEVER when the queue is empty. */
static inline lab_time queue_next(const struct queue *q)
{
    return q->heap[3].at;
}

static inline size_t queue_first(const struct queue *q) /* not of an empty queue */
{
    return (size_t)q->heap[3].source;
}

/* As queue_set() of the first source: what a source does that has just had its event. */
void queue_renew(struct queue *q, lab_time at);

#endif
