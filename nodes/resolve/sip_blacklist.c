#include "nodes/resolve/sip_blacklist.h"

#include <assert.h>

static_assert(SIP_LOCATE_TARGETS <= 32, "a bit for every target");

static struct sip_blacklist_entry *find(struct sip_blacklist *b, const struct sip_locate_target *t)
{
    for (unsigned i = 0; i < b->n; i++)
        if (b->entries[i].transport == t->transport && endpoint_equal(b->entries[i].at, t->at))
            return &b->entries[i];
    return NULL;
}

static struct sip_blacklist_entry *room(struct sip_blacklist *b)
{
    if (b->n < SIP_BLACKLIST_MAX)
        return &b->entries[b->n++];
    struct sip_blacklist_entry *soonest = &b->entries[0];
    for (unsigned i = 1; i < b->n; i++)
        if (b->entries[i].until < soonest->until)
            soonest = &b->entries[i];
    return soonest;
}

void sip_blacklist_add(struct sip_blacklist *b, const struct sip_locate_target *t, lab_time now)
{
    if (b->duration == 0)
        return;
    struct sip_blacklist_entry *e = find(b, t);
    if (!e)
        e = room(b);
    *e = (struct sip_blacklist_entry){t->transport, t->at, now + b->duration};
}

void sip_blacklist_remove(struct sip_blacklist *b, const struct sip_locate_target *t)
{
    struct sip_blacklist_entry *e = find(b, t);
    if (e)
        *e = b->entries[--b->n];
}

bool sip_blacklist_has(const struct sip_blacklist *b, const struct sip_locate_target *t, lab_time now)
{
    for (unsigned i = 0; i < b->n; i++)
        if (b->entries[i].transport == t->transport && endpoint_equal(b->entries[i].at, t->at))
            return now < b->entries[i].until;
    return false;
}

const struct sip_locate_target *sip_target_next(struct sip_target_walk *w, const struct sip_location *l,
                                                const struct sip_blacklist *b, lab_time now)
{
    for (unsigned i = 0; i < l->n; i++)
        if (!(w->tried >> i & 1) && !sip_blacklist_has(b, &l->targets[i], now)) {
            w->tried |= 1u << i;
            return &l->targets[i];
        }
    if (w->tried || l->n == 0)
        return NULL;
    w->tried = 1;
    return &l->targets[0];
}
