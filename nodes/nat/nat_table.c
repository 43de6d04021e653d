#include "nodes/nat/nat_table.h"

#include "nodes/base/error.h"

#include <stdlib.h>
#include <string.h>

void nat_table_init(struct nat_table *t, const struct nat_config *config, const struct prng *rng, nat_changed *changed,
                    void *arg)
{
    *t = (struct nat_table){.config = *config, .rng = *rng, .changed = changed, .arg = arg};
    t->sessions_free = t->mappings_free = t->subscribers_free = NAT_NONE;
    for (size_t i = 0; i < sizeof t->cursor / sizeof t->cursor[0]; i++)
        t->cursor[i] = config->range.low;
}

void nat_table_fini(struct nat_table *t)
{
    free(t->sessions);
    free(t->mappings);
    free(t->subscribers);
    free(t->heap);
    nat_index_fini(&t->session_by_inside);
    nat_index_fini(&t->session_by_outside);
    nat_index_fini(&t->mapping_by_inside);
    nat_index_fini(&t->mapping_by_outside);
    nat_index_fini(&t->subscriber_by_inside);
}

/* Doubles an array of records that has no free slot. FE_EMEM. */
static int grow(void **records, uint32_t *cap, size_t each)
{
    uint32_t wanted = *cap ? 2 * *cap : 4;
    void *grown = realloc(*records, wanted * each);
    if (!grown)
        return FE_EMEM;
    *records = grown;
    *cap = wanted;
    return 0;
}

/* ---- keys ---- */

static uint64_t word(struct endpoint e)
{
    return (uint64_t)e.addr << 16 | e.port;
}

static uint32_t hash_out(uint8_t protocol, struct endpoint inside, struct endpoint remote)
{
    return nat_index_hash(word(inside) << 8 | protocol, word(remote));
}

static uint32_t hash_in(uint8_t protocol, uint16_t outside_port, struct endpoint remote)
{
    return nat_index_hash((uint64_t)outside_port << 8 | protocol, word(remote));
}

/* The part of the remote endpoint on which a mapping depends (RFC 4787 §4.1). */
static struct endpoint mapping_key(const struct nat_table *t, struct endpoint remote)
{
    switch (t->config.mapping) {
    case NAT_ENDPOINT_INDEPENDENT: return (struct endpoint){0};
    case NAT_ADDRESS_DEPENDENT: return (struct endpoint){.addr = remote.addr};
    case NAT_ADDRESS_AND_PORT_DEPENDENT: return remote;
    }
    return remote;
}

static struct endpoint record_key(const struct nat_table *t, const struct nat_record *m)
{
    return m->forward ? (struct endpoint){0} : mapping_key(t, m->remote);
}

/* ---- look-ups ---- */

uint32_t nat_session_out(const struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote)
{
    uint32_t hash = hash_out(protocol, inside, remote);
    uint32_t slot;
    for (uint32_t at = 0; (slot = nat_index_next(&t->session_by_inside, hash, &at)) != NAT_NONE;) {
        const struct nat_session *s = &t->sessions[slot];
        if (endpoint_equal(s->inside, inside) && endpoint_equal(s->remote, remote) && s->protocol == protocol)
            break;
    }
    return slot;
}

uint32_t nat_session_in(const struct nat_table *t, uint8_t protocol, uint16_t outside_port, struct endpoint remote)
{
    uint32_t hash = hash_in(protocol, outside_port, remote);
    uint32_t slot;
    for (uint32_t at = 0; (slot = nat_index_next(&t->session_by_outside, hash, &at)) != NAT_NONE;) {
        const struct nat_session *s = &t->sessions[slot];
        if (s->outside_port == outside_port && endpoint_equal(s->remote, remote) && s->protocol == protocol)
            break;
    }
    return slot;
}

static uint32_t mapping_with_key(const struct nat_table *t, uint8_t protocol, struct endpoint inside,
                                 struct endpoint key, bool forward)
{
    uint32_t hash = hash_out(protocol, inside, key);
    uint32_t slot;
    for (uint32_t at = 0; (slot = nat_index_next(&t->mapping_by_inside, hash, &at)) != NAT_NONE;) {
        const struct nat_record *m = &t->mappings[slot];
        if (endpoint_equal(m->inside, inside) && endpoint_equal(record_key(t, m), key) && m->protocol == protocol &&
            m->forward == forward)
            break;
    }
    return slot;
}

/* A forward goes before whatever the mapping depends on: its inside endpoint has one face to all the world. */
uint32_t nat_mapping_out(const struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote)
{
    if (t->forwards) {
        uint32_t slot = mapping_with_key(t, protocol, inside, (struct endpoint){0}, true);
        if (slot != NAT_NONE)
            return slot;
    }
    return mapping_with_key(t, protocol, inside, mapping_key(t, remote), false);
}

uint32_t nat_mapping_in(const struct nat_table *t, uint8_t protocol, uint16_t outside_port)
{
    uint32_t hash = hash_in(protocol, outside_port, (struct endpoint){0});
    uint32_t slot;
    for (uint32_t at = 0; (slot = nat_index_next(&t->mapping_by_outside, hash, &at)) != NAT_NONE;) {
        const struct nat_record *m = &t->mappings[slot];
        if (m->outside_port == outside_port && m->protocol == protocol)
            break;
    }
    return slot;
}

/* ---- subscribers (RFC 6888 REQ-4) ---- */

static uint32_t subscriber_hash(ipv4 inside)
{
    return nat_index_hash(inside, 0);
}

static uint32_t subscriber_find(const struct nat_table *t, ipv4 inside)
{
    uint32_t slot;
    for (uint32_t at = 0; (slot = nat_index_next(&t->subscriber_by_inside, subscriber_hash(inside), &at)) != NAT_NONE;)
        if (t->subscribers[slot].inside == inside)
            break;
    return slot;
}

/* Counts one more mapping. FE_EAGAIN: the quota is used up; FE_EMEM. */
static int subscriber_take(struct nat_table *t, ipv4 inside)
{
    if (t->config.quota == 0)
        return 0;
    uint32_t slot = subscriber_find(t, inside);
    if (slot != NAT_NONE) {
        if (t->subscribers[slot].mappings >= t->config.quota)
            return FE_EAGAIN;
        t->subscribers[slot].mappings++;
        return 0;
    }
    void *records = t->subscribers;
    if (nat_index_reserve(&t->subscriber_by_inside) ||
        (t->subscribers_free == NAT_NONE && t->subscribers_n == t->subscribers_cap &&
         grow(&records, &t->subscribers_cap, sizeof *t->subscribers)))
        return FE_EMEM;
    t->subscribers = records;
    slot = t->subscribers_free;
    if (slot == NAT_NONE)
        slot = t->subscribers_n++;
    else
        t->subscribers_free = t->subscribers[slot].mappings;
    t->subscribers[slot] = (struct nat_subscriber){inside, 1};
    nat_index_add(&t->subscriber_by_inside, subscriber_hash(inside), slot);
    return 0;
}

static void subscriber_give(struct nat_table *t, ipv4 inside)
{
    if (t->config.quota == 0)
        return;
    uint32_t slot = subscriber_find(t, inside);
    if (--t->subscribers[slot].mappings > 0)
        return;
    nat_index_remove(&t->subscriber_by_inside, subscriber_hash(inside), slot);
    t->subscribers[slot].mappings = t->subscribers_free;
    t->subscribers_free = slot;
}

/* ---- mappings ---- */

static void tell(const struct nat_table *t, enum nat_change change, const struct nat_record *m)
{
    struct nat_mapping mapping = {m->protocol, m->inside, {t->config.public_addr, m->outside_port}, m->remote};
    if (t->changed)
        t->changed(t->arg, change, &mapping);
}

static int mappings_reserve(struct nat_table *t)
{
    void *records = t->mappings;
    if (nat_index_reserve(&t->mapping_by_inside) || nat_index_reserve(&t->mapping_by_outside))
        return FE_EMEM;
    if (t->mappings_free != NAT_NONE || t->mappings_n < t->mappings_cap)
        return 0;
    int error = grow(&records, &t->mappings_cap, sizeof *t->mappings);
    t->mappings = records;
    return error;
}

/* After mappings_reserve. */
static uint32_t mapping_add(struct nat_table *t, const struct nat_record *m)
{
    uint32_t slot = t->mappings_free;
    if (slot == NAT_NONE)
        slot = t->mappings_n++;
    else
        t->mappings_free = t->mappings[slot].sessions;
    t->mappings[slot] = *m;
    t->mappings[slot].sessions = NAT_NONE;
    nat_index_add(&t->mapping_by_inside, hash_out(m->protocol, m->inside, record_key(t, m)), slot);
    nat_index_add(&t->mapping_by_outside, hash_in(m->protocol, m->outside_port, (struct endpoint){0}), slot);
    nat_port_count(t, m->protocol, m->outside_port, true);
    return slot;
}

static int mapping_create(struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote,
                          uint32_t *out)
{
    struct nat_record m = {.inside = inside, .remote = remote, .protocol = protocol};
    int error = mappings_reserve(t);
    if (!error)
        error = subscriber_take(t, inside.addr);
    if (error)
        return error;
    if (!nat_port_pick(t, protocol, inside.port, &m.outside_port)) {
        subscriber_give(t, inside.addr);
        return FE_EAGAIN;
    }
    *out = mapping_add(t, &m);
    t->dynamic++;
    tell(t, NAT_CREATED, &m);
    return 0;
}

static void mapping_remove(struct nat_table *t, uint32_t slot)
{
    struct nat_record *m = &t->mappings[slot];
    nat_index_remove(&t->mapping_by_inside, hash_out(m->protocol, m->inside, record_key(t, m)), slot);
    nat_index_remove(&t->mapping_by_outside, hash_in(m->protocol, m->outside_port, (struct endpoint){0}), slot);
    nat_port_count(t, m->protocol, m->outside_port, false);
    subscriber_give(t, m->inside.addr);
    t->dynamic--;
    m->protocol = 0;
    m->sessions = t->mappings_free;
    t->mappings_free = slot;
}

int nat_table_forward(struct nat_table *t, uint8_t protocol, uint16_t outside_port, struct endpoint inside)
{
    struct nat_record m = {.inside = inside, .outside_port = outside_port, .protocol = protocol, .forward = true};
    if (nat_mapping_in(t, protocol, outside_port) != NAT_NONE ||
        mapping_with_key(t, protocol, inside, (struct endpoint){0}, true) != NAT_NONE)
        return FE_EUSED;
    int error = mappings_reserve(t);
    if (error)
        return error;
    mapping_add(t, &m);
    t->forwards = true;
    return 0;
}

/* ---- sessions ---- */

static int sessions_reserve(struct nat_table *t)
{
    if (nat_index_reserve(&t->session_by_inside) || nat_index_reserve(&t->session_by_outside) || nat_heap_reserve(t))
        return FE_EMEM;
    if (t->sessions_free != NAT_NONE || t->sessions_n < t->sessions_cap)
        return 0;
    uint32_t cap = t->sessions_cap ? 2 * t->sessions_cap : 4;
    struct nat_session *grown = aligned_alloc(NAT_SESSION_ALIGN, cap * sizeof *grown);
    if (!grown)
        return FE_EMEM;
    if (t->sessions_n)
        memcpy(grown, t->sessions, t->sessions_n * sizeof *grown);
    free(t->sessions);
    t->sessions = grown;
    t->sessions_cap = cap;
    return 0;
}

/* After sessions_reserve. */
static uint32_t session_add(struct nat_table *t, const struct nat_session *s)
{
    uint32_t slot = t->sessions_free;
    if (slot == NAT_NONE)
        slot = t->sessions_n++;
    else
        t->sessions_free = t->sessions[slot].next;
    t->sessions[slot] = *s;
    nat_index_add(&t->session_by_inside, hash_out(s->protocol, s->inside, s->remote), slot);
    nat_index_add(&t->session_by_outside, hash_in(s->protocol, s->outside_port, s->remote), slot);
    nat_heap_add(t, slot);
    if (s->next != NAT_NONE)
        t->sessions[s->next].previous = slot;
    t->mappings[s->mapping].sessions = slot;
    return slot;
}

int nat_session_open(struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote,
                     lab_time expires, uint32_t *out)
{
    uint32_t mapping = nat_mapping_out(t, protocol, inside, remote);
    int error = sessions_reserve(t);
    if (!error && mapping == NAT_NONE)
        error = mapping_create(t, protocol, inside, remote, &mapping);
    if (error)
        return error;
    const struct nat_record *m = &t->mappings[mapping];
    struct nat_session s = {.inside = inside,
                            .remote = remote,
                            .outside_port = m->outside_port,
                            .protocol = protocol,
                            .mapping = mapping,
                            .next = m->sessions,
                            .previous = NAT_NONE,
                            .expires = expires,
                            .queued = expires};
    *out = session_add(t, &s);
    return 0;
}

void nat_session_keep(struct nat_table *t, uint32_t session, lab_time expires)
{
    struct nat_session *s = &t->sessions[session];
    s->expires = expires;
    if (expires < s->queued)
        nat_heap_move(t, session, expires);
}

/* Takes a session away; its mapping is the caller's to look after. */
static void session_remove(struct nat_table *t, uint32_t slot)
{
    struct nat_session *s = &t->sessions[slot];
    nat_index_remove(&t->session_by_inside, hash_out(s->protocol, s->inside, s->remote), slot);
    nat_index_remove(&t->session_by_outside, hash_in(s->protocol, s->outside_port, s->remote), slot);
    nat_heap_remove(t, slot);
    if (s->next != NAT_NONE)
        t->sessions[s->next].previous = s->previous;
    if (s->previous != NAT_NONE)
        t->sessions[s->previous].next = s->next;
    else
        t->mappings[s->mapping].sessions = s->next;
    s->next = t->sessions_free;
    t->sessions_free = slot;
}

/* ---- the end ---- */

void nat_table_expire(struct nat_table *t, lab_time now)
{
    while (t->heap_n && t->sessions[t->heap[0]].queued <= now) {
        uint32_t slot = t->heap[0];
        const struct nat_session *s = &t->sessions[slot];
        if (s->expires > now) {
            nat_heap_move(t, slot, s->expires);
            continue;
        }
        uint32_t mapping = s->mapping;
        session_remove(t, slot);
        struct nat_record gone = t->mappings[mapping];
        if (gone.sessions == NAT_NONE && !gone.forward) {
            mapping_remove(t, mapping);
            tell(t, NAT_EXPIRED, &gone);
        }
    }
}

lab_time nat_table_deadline(const struct nat_table *t)
{
    return t->heap_n ? t->sessions[t->heap[0]].queued : NEVER;
}

size_t nat_table_flush(struct nat_table *t, bool telling)
{
    size_t removed = t->dynamic;
    for (uint32_t slot = 0; slot < t->mappings_n; slot++) {
        struct nat_record gone = t->mappings[slot];
        if (gone.protocol == 0)
            continue;
        while (t->mappings[slot].sessions != NAT_NONE)
            session_remove(t, t->mappings[slot].sessions);
        if (gone.forward)
            continue;
        mapping_remove(t, slot);
        if (telling)
            tell(t, NAT_REMOVED, &gone);
    }
    return removed;
}
