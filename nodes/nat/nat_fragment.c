#include "nodes/nat/nat_fragment.h"

#include <stdlib.h>
#include <string.h>

#define LIFETIME (30 * SEC) /* as long as hosts wait for the rest of a datagram (Linux's ipfrag_time) */

struct datagram {
    bool used;
    bool decided; /* `fate` holds; else the first fragment has not come */
    enum nat_side from;
    uint8_t protocol;
    uint16_t id;
    ipv4 src, dst;
    uint64_t order;
    lab_time until;
    struct nat_fate fate;
};

enum held_state { HELD_FREE, HELD_WAITING, HELD_DUE };

struct held {
    enum held_state state;
    enum nat_side from;
    unsigned datagram;    /* WAITING: for this one */
    struct nat_fate fate; /* DUE */
    uint64_t order;
    uint8_t *bytes; /* kept for reuse */
    size_t n, cap;
};

struct nat_fragments {
    struct datagram datagrams[NAT_DATAGRAMS];
    struct held held[NAT_HELD];
    uint64_t order;   /* counts datagrams and fragments as they come */
    unsigned waiting; /* datagrams without their first fragment */
};

static const struct nat_fate in_vain = {.cause = NAT_NO_MAPPING};

struct nat_fragments *nat_fragments_new(void)
{
    return calloc(1, sizeof(struct nat_fragments));
}

void nat_fragments_free(struct nat_fragments *f)
{
    for (unsigned i = 0; f && i < NAT_HELD; i++)
        free(f->held[i].bytes);
    free(f);
}

void nat_fragments_clear(struct nat_fragments *f)
{
    for (unsigned i = 0; i < NAT_DATAGRAMS; i++)
        f->datagrams[i].used = false;
    for (unsigned i = 0; i < NAT_HELD; i++)
        f->held[i].state = HELD_FREE;
    f->waiting = 0;
}

/* ---- datagrams ---- */

/* Its number, NAT_DATAGRAMS when it is not known. */
static unsigned find(const struct nat_fragments *f, enum nat_side from, const struct ip_view *v)
{
    unsigned i;
    for (i = 0; i < NAT_DATAGRAMS; i++) {
        const struct datagram *d = &f->datagrams[i];
        if (d->used && d->id == v->id && d->src == v->src && d->dst == v->dst && d->protocol == v->protocol &&
            d->from == from)
            break;
    }
    return i;
}

/* Those who wait for the datagram are due. */
static void release(struct nat_fragments *f, unsigned datagram, const struct nat_fate *fate)
{
    for (unsigned i = 0; i < NAT_HELD; i++) {
        struct held *h = &f->held[i];
        if (h->state != HELD_WAITING || h->datagram != datagram)
            continue;
        h->state = HELD_DUE;
        h->fate = *fate;
    }
}

static void forget(struct nat_fragments *f, unsigned i)
{
    struct datagram *d = &f->datagrams[i];
    d->used = false;
    if (d->decided)
        return;
    f->waiting--;
    release(f, i, &in_vain);
}

static unsigned free_or_oldest(struct nat_fragments *f)
{
    unsigned oldest = 0;
    for (unsigned i = 0; i < NAT_DATAGRAMS; i++) {
        if (!f->datagrams[i].used)
            return i;
        if (f->datagrams[i].order < f->datagrams[oldest].order)
            oldest = i;
    }
    forget(f, oldest);
    return oldest;
}

static unsigned find_or_start(struct nat_fragments *f, enum nat_side from, const struct ip_view *v, lab_time now)
{
    unsigned i = find(f, from, v);
    if (i < NAT_DATAGRAMS)
        return i;
    i = free_or_oldest(f);
    f->datagrams[i] = (struct datagram){.used = true,
                                        .from = from,
                                        .protocol = v->protocol,
                                        .id = v->id,
                                        .src = v->src,
                                        .dst = v->dst,
                                        .order = f->order++,
                                        .until = now + LIFETIME};
    f->waiting++;
    return i;
}

void nat_fragments_learn(struct nat_fragments *f, enum nat_side from, const struct ip_view *v, lab_time now,
                         const struct nat_fate *fate)
{
    unsigned i = find_or_start(f, from, v, now);
    struct datagram *d = &f->datagrams[i];
    d->fate = *fate;
    d->until = now + LIFETIME;
    if (d->decided)
        return;
    d->decided = true;
    f->waiting--;
    release(f, i, fate);
}

const struct nat_fate *nat_fragments_find(const struct nat_fragments *f, enum nat_side from, const struct ip_view *v)
{
    unsigned i = find(f, from, v);
    return i < NAT_DATAGRAMS && f->datagrams[i].decided ? &f->datagrams[i].fate : NULL;
}

/* ---- fragments ---- */

static bool keep(struct held *h, const uint8_t *packet, size_t n)
{
    if (h->cap < n) {
        uint8_t *bytes = realloc(h->bytes, n);
        if (!bytes)
            return false;
        h->bytes = bytes;
        h->cap = n;
    }
    memcpy(h->bytes, packet, n);
    h->n = n;
    return true;
}

bool nat_fragments_hold(struct nat_fragments *f, enum nat_side from, const struct ip_view *v, const uint8_t *packet,
                        lab_time now)
{
    unsigned i = 0;
    while (i < NAT_HELD && f->held[i].state != HELD_FREE)
        i++;
    if (i == NAT_HELD || !keep(&f->held[i], packet, v->total))
        return false;
    f->held[i].datagram = find_or_start(f, from, v, now);
    f->held[i].state = HELD_WAITING;
    f->held[i].from = from;
    f->held[i].order = f->order++;
    return true;
}

bool nat_fragments_take(struct nat_fragments *f, uint8_t **packet, size_t *n, struct nat_fate *fate,
                        enum nat_side *from)
{
    struct held *first = NULL;
    for (unsigned i = 0; i < NAT_HELD; i++) {
        struct held *h = &f->held[i];
        if (h->state == HELD_DUE && (!first || h->order < first->order))
            first = h;
    }
    if (!first)
        return false;
    first->state = HELD_FREE;
    *packet = first->bytes;
    *n = first->n;
    *fate = first->fate;
    *from = first->from;
    return true;
}

/* ---- time ---- */

void nat_fragments_expire(struct nat_fragments *f, lab_time now)
{
    for (unsigned i = 0; i < NAT_DATAGRAMS; i++)
        if (f->datagrams[i].used && f->datagrams[i].until <= now)
            forget(f, i);
}

/* Only those who wait need to be told; a decided datagram may be forgotten at any later time. */
lab_time nat_fragments_deadline(const struct nat_fragments *f)
{
    lab_time deadline = NEVER;
    for (unsigned i = 0; f->waiting && i < NAT_DATAGRAMS; i++)
        if (f->datagrams[i].used && !f->datagrams[i].decided && f->datagrams[i].until < deadline)
            deadline = f->datagrams[i].until;
    return deadline;
}
