#include "nodes/nat/nat_flows.h"

#include "nodes/base/error.h"

#include <stdlib.h>

enum { FIRST_CAP = 16 };

void nat_flows_init(struct nat_flows *t, void (*over)(void *flow), nat_changed *changed, void *arg)
{
    *t = (struct nat_flows){.flows_free = NAT_NONE, .mappings_free = NAT_NONE};
    t->over = over;
    t->changed = changed;
    t->arg = arg;
}

void nat_flows_fini(struct nat_flows *t)
{
    for (uint32_t i = 0; i < t->flows_n; i++)
        free(t->flows[i]);
    free(t->flows);
    free(t->mappings);
    nat_index_fini(&t->by_ends);
    nat_index_fini(&t->mapping_by_ends);
    nat_index_fini(&t->mapping_by_port);
}

/* ---- keys ---- */

static uint64_t word(struct endpoint e)
{
    return (uint64_t)e.addr << 16 | e.port;
}

static uint32_t hash_of(uint8_t protocol, struct endpoint a, struct endpoint b)
{
    return nat_index_hash((uint64_t)protocol << 48 | word(a), word(b));
}

static uint32_t flow_hash(const struct nat_flow *f)
{
    return hash_of(f->is.protocol, f->is.src, f->is.new_dst);
}

static uint32_t port_hash(const struct nat_mapping *m)
{
    return hash_of(m->protocol, m->outside, (struct endpoint){0});
}

static uint32_t ends_hash(const struct nat_mapping *m)
{
    return hash_of(m->protocol, m->inside, m->outside);
}

/* ---- room ---- */

static int grow(void **items, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return 0;
    uint32_t larger = *cap ? *cap * 2 : FIRST_CAP;
    void *moved = realloc(*items, larger * size);
    if (!moved)
        return FE_EMEM;
    *items = moved;
    *cap = larger;
    return 0;
}

static int flow_slot(struct nat_flows *t, uint32_t *out)
{
    *out = t->flows_free;
    if (*out != NAT_NONE) {
        t->flows_free = t->flows[*out]->next_free;
        return 0;
    }
    void *flows = t->flows;
    int error = grow(&flows, t->flows_n, &t->flows_cap, sizeof(struct nat_flow *));
    t->flows = flows;
    if (error || !(t->flows[t->flows_n] = calloc(1, sizeof(struct nat_flow))))
        return FE_EMEM;
    *out = t->flows_n++;
    return 0;
}

static int mapping_slot(struct nat_flows *t, uint32_t *out)
{
    *out = t->mappings_free;
    if (*out != NAT_NONE) {
        t->mappings_free = t->mappings[*out].next_free;
        return 0;
    }
    void *mappings = t->mappings;
    int error = grow(&mappings, t->mappings_n, &t->mappings_cap, sizeof(struct nat_flow_mapping));
    t->mappings = mappings;
    if (!error)
        *out = t->mappings_n++;
    return error;
}

static int reserve(struct nat_flows *t)
{
    return nat_index_reserve(&t->by_ends) || nat_index_reserve(&t->mapping_by_ends) ||
                   nat_index_reserve(&t->mapping_by_port)
               ? FE_EMEM
               : 0;
}

/* ---- mappings ---- */

static uint32_t mapping_find(const struct nat_flows *t, const struct nat_mapping *m)
{
    uint32_t at = 0;
    uint32_t slot;
    while ((slot = nat_index_next(&t->mapping_by_ends, ends_hash(m), &at)) != NAT_NONE) {
        const struct nat_mapping *is = &t->mappings[slot].is;
        if (is->protocol == m->protocol && endpoint_equal(is->inside, m->inside) &&
            endpoint_equal(is->outside, m->outside))
            break;
    }
    return slot;
}

static int mapping_join(struct nat_flows *t, struct nat_flow *f)
{
    const struct nat_mapping m = {
        .protocol = f->is.protocol, .inside = f->is.src, .outside = f->is.new_src, .remote = f->is.dst};
    uint32_t slot = mapping_find(t, &m);
    f->mapping = slot;
    if (slot != NAT_NONE) {
        t->mappings[slot].flows++;
        return 0;
    }
    if (mapping_slot(t, &slot))
        return FE_EMEM;
    f->mapping = slot;
    t->mappings[slot] = (struct nat_flow_mapping){.is = m, .flows = 1};
    nat_index_add(&t->mapping_by_ends, ends_hash(&m), slot);
    nat_index_add(&t->mapping_by_port, port_hash(&m), slot);
    t->mapped++;
    t->changed(t->arg, NAT_CREATED, &m);
    return 0;
}

static void mapping_leave(struct nat_flows *t, uint32_t slot, enum nat_change how)
{
    struct nat_flow_mapping *m = &t->mappings[slot];
    if (--m->flows > 0)
        return;
    const struct nat_mapping was = m->is;
    nat_index_remove(&t->mapping_by_ends, ends_hash(&was), slot);
    nat_index_remove(&t->mapping_by_port, port_hash(&was), slot);
    m->next_free = t->mappings_free;
    t->mappings_free = slot;
    t->mapped--;
    t->changed(t->arg, how, &was);
}

bool nat_flows_is_mapped(const struct nat_flows *t, uint8_t protocol, struct endpoint outside)
{
    const struct nat_mapping m = {.protocol = protocol, .outside = outside};
    uint32_t at = 0;
    uint32_t slot;
    while ((slot = nat_index_next(&t->mapping_by_port, port_hash(&m), &at)) != NAT_NONE)
        if (t->mappings[slot].is.protocol == protocol && endpoint_equal(t->mappings[slot].is.outside, outside))
            return true;
    return false;
}

/* ---- flows ---- */

static uint32_t flow_find(const struct nat_flows *t, uint8_t protocol, struct endpoint src, struct endpoint dst)
{
    uint32_t hash = hash_of(protocol, src, dst);
    uint32_t at = 0;
    uint32_t slot;
    while ((slot = nat_index_next(&t->by_ends, hash, &at)) != NAT_NONE) {
        const struct host_knat_flow *is = &t->flows[slot]->is;
        if (is->protocol == protocol && endpoint_equal(is->src, src) && endpoint_equal(is->new_dst, dst))
            break;
    }
    return slot;
}

struct nat_flow *nat_flows_find(const struct nat_flows *t, uint8_t protocol, struct endpoint src, struct endpoint dst,
                                bool *back)
{
    uint32_t slot = flow_find(t, protocol, src, dst);
    *back = slot == NAT_NONE;
    if (*back)
        slot = flow_find(t, protocol, dst, src);
    return slot == NAT_NONE ? NULL : t->flows[slot];
}

struct nat_flow *nat_flows_same(const struct nat_flows *t, const struct host_knat_flow *flow)
{
    uint32_t slot = flow_find(t, flow->protocol, flow->src, flow->new_dst);
    return slot != NAT_NONE && t->flows[slot]->is.id == flow->id ? t->flows[slot] : NULL;
}

int nat_flows_add(struct nat_flows *t, const struct host_knat_flow *flow, bool mapping, bool outward,
                  struct nat_flow **out)
{
    uint32_t slot;
    if (reserve(t) || flow_slot(t, &slot))
        return FE_EMEM;
    struct nat_flow *f = t->flows[slot];
    *f = (struct nat_flow){.is = *flow, .mapping = NAT_NONE, .used = true, .outward = outward, .all = t};
    timer_init(&f->timer, t->over, f);
    nat_index_add(&t->by_ends, flow_hash(f), slot);
    *out = f;
    return mapping ? mapping_join(t, f) : 0;
}

void nat_flows_remove(struct nat_flows *t, struct nat_flow *f, enum nat_change how)
{
    uint32_t slot = flow_find(t, f->is.protocol, f->is.src, f->is.new_dst);
    nat_index_remove(&t->by_ends, flow_hash(f), slot);
    f->used = false;
    f->next_free = t->flows_free;
    t->flows_free = slot;
    if (f->mapping != NAT_NONE)
        mapping_leave(t, f->mapping, how);
}
