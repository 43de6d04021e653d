#include "nodes/nat/nat_explicit.h"

#include "nodes/base/error.h"
#include "nodes/nat/nat_lifetime.h"

#include <stdlib.h>

struct nat_explicits {
    struct nat_explicit *entries;
    uint32_t n, cap, free;
    struct nat_index by_session;
};

static const struct endpoint nobody;

static uint32_t hash(uint8_t protocol, struct endpoint inside, struct endpoint remote)
{
    return nat_index_hash((uint64_t)inside.addr << 24 | (uint64_t)inside.port << 8 | protocol,
                          (uint64_t)remote.addr << 16 | remote.port);
}

void nat_explicits_free(struct nat_explicits *all)
{
    if (!all)
        return;
    nat_index_fini(&all->by_session);
    free(all->entries);
    free(all);
}

static uint32_t find(const struct nat_explicits *all, uint8_t protocol, struct endpoint inside, struct endpoint remote)
{
    uint32_t at = 0;
    uint32_t slot = NAT_NONE;
    while (all && (slot = nat_index_next(&all->by_session, hash(protocol, inside, remote), &at)) != NAT_NONE) {
        const struct nat_explicit *e = &all->entries[slot];
        if (e->protocol == protocol && endpoint_equal(e->inside, inside) && endpoint_equal(e->remote, remote))
            break;
    }
    return slot;
}

struct nat_explicit *nat_explicit_find(const struct nat_table *t, uint8_t protocol, struct endpoint inside,
                                       struct endpoint remote)
{
    uint32_t slot = find(t->explicits, protocol, inside, remote);
    return slot == NAT_NONE ? NULL : &t->explicits->entries[slot];
}

static struct nat_explicits *explicits_new(void)
{
    struct nat_explicits *all = calloc(1, sizeof *all);
    if (all)
        all->free = NAT_NONE;
    return all;
}

static int reserve(struct nat_explicits *all)
{
    if (nat_index_reserve(&all->by_session))
        return FE_EMEM;
    if (all->free != NAT_NONE || all->n < all->cap)
        return 0;
    uint32_t cap = all->cap ? 2 * all->cap : 4;
    struct nat_explicit *grown = realloc(all->entries, cap * sizeof *grown);
    if (!grown)
        return FE_EMEM;
    all->entries = grown;
    all->cap = cap;
    return 0;
}

int nat_explicit_add(struct nat_table *t, uint32_t session, const struct pcp_nonce *nonce, struct nat_explicit **out)
{
    struct nat_session *s = &t->sessions[session];
    if (!t->explicits)
        t->explicits = explicits_new();
    struct nat_explicits *all = t->explicits;
    if (!all || reserve(all))
        return FE_EMEM;
    uint32_t slot = all->free;
    if (slot == NAT_NONE)
        slot = all->n++;
    else
        all->free = all->entries[slot].next_free;
    all->entries[slot] =
        (struct nat_explicit){.protocol = s->protocol, .inside = s->inside, .remote = s->remote, .nonce = *nonce};
    nat_index_add(&all->by_session, hash(s->protocol, s->inside, s->remote), slot);
    s->seen |= NAT_SEEN_EXPLICIT;
    *out = &all->entries[slot];
    return 0;
}

void nat_explicit_forget(struct nat_table *t, const struct nat_session *s)
{
    struct nat_explicits *all = t->explicits;
    uint32_t slot = find(all, s->protocol, s->inside, s->remote);
    if (slot == NAT_NONE)
        return;
    nat_index_remove(&all->by_session, hash(s->protocol, s->inside, s->remote), slot);
    all->entries[slot].protocol = 0;
    all->entries[slot].next_free = all->free;
    all->free = slot;
}

const struct nat_explicit *nat_explicit_next(const struct nat_table *t, uint32_t *at)
{
    const struct nat_explicits *all = t->explicits;
    while (all && *at < all->n) {
        const struct nat_explicit *e = &all->entries[(*at)++];
        if (e->protocol)
            return e;
    }
    return NULL;
}

/* ---- for packets ---- */

lab_time nat_explicit_end(const struct nat_table *t, const struct nat_session *s, lab_time expires)
{
    if (nat_explicit_is_map(s->remote))
        return s->expires;
    const struct nat_explicit *e = nat_explicit_find(t, s->protocol, s->inside, s->remote);
    bool closing = s->protocol == IP_TCP && nat_lifetime_is_closing(s->seen);
    return e && !closing && e->until > expires ? e->until : expires;
}

/* The session that MAP made, or NAT_NONE. */
static uint32_t map_session(const struct nat_table *t, uint8_t protocol, struct endpoint inside)
{
    uint32_t session = nat_session_out(t, protocol, inside, nobody);
    return session != NAT_NONE && t->sessions[session].seen & NAT_SEEN_EXPLICIT ? session : NAT_NONE;
}

uint32_t nat_explicit_mapping(const struct nat_table *t, uint8_t protocol, struct endpoint inside)
{
    uint32_t session = map_session(t, protocol, inside);
    return session == NAT_NONE ? NAT_NONE : t->sessions[session].mapping;
}

static bool matches(const struct nat_explicit *e, struct endpoint remote)
{
    for (unsigned i = 0; i < e->filters_n; i++) {
        const struct pcp_filter *f = &e->filters[i];
        if (subnet_has(f->peers, remote.addr) && (f->port == 0 || f->port == remote.port))
            return true;
    }
    return false;
}

bool nat_explicit_decides(const struct nat_table *t, const struct nat_record *m, struct endpoint remote,
                          uint32_t *session, bool *passes)
{
    uint32_t made = map_session(t, m->protocol, m->inside);
    if (made == NAT_NONE || !endpoint_equal(t->sessions[made].outside, m->outside))
        return false;
    const struct nat_explicit *e = nat_explicit_find(t, m->protocol, m->inside, nobody);
    *passes = e && (e->filters_n == 0 || matches(e, remote));
    if (!*passes && t->config.filtering != NAT_ENDPOINT_INDEPENDENT)
        return false;
    if (*passes)
        *session = made;
    return true;
}
