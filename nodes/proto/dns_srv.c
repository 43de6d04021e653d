#include "nodes/proto/dns_srv.h"

/* By priority, and within one those of weight 0 first (the page on "Weight" in RFC 2782); else the order stays. */
static bool goes_before(const struct dns_srv *a, const struct dns_srv *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority;
    return a->weight == 0 && b->weight != 0;
}

/* Moves list[from] to list[to], to <= from; what is between moves up. */
static void move(struct dns_srv *list, size_t from, size_t to)
{
    struct dns_srv moved = list[from];
    memmove(&list[to + 1], &list[to], (from - to) * sizeof *list);
    list[to] = moved;
}

static void sort(struct dns_srv *list, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        size_t to = i;
        while (to > 0 && goes_before(&list[i], &list[to - 1]))
            to--;
        move(list, i, to);
    }
}

/* The first whose running sum of weights reaches a number from 0 to the sum of all. */
static size_t draw(const struct dns_srv *list, size_t n, struct prng *rng)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += list[i].weight;
    uint64_t number = prng_below(rng, sum + 1);
    uint64_t running = 0;
    for (size_t i = 0; i < n; i++) {
        running += list[i].weight;
        if (running >= number)
            return i;
    }
    return n - 1;
}

void dns_srv_order(struct dns_srv *list, size_t n, struct prng *rng)
{
    sort(list, n);
    for (size_t first = 0; first < n; first++) {
        size_t equal = 1;
        while (first + equal < n && list[first + equal].priority == list[first].priority)
            equal++;
        if (equal > 1)
            move(list + first, draw(list + first, equal, rng), 0);
    }
}
