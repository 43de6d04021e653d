#include "nodes/nat/nat_table.h"

#include "nodes/base/error.h"
#include "nodes/nat/nat_explicit.h"

#include <stdlib.h>
#include <string.h>

void nat_table_init(struct nat_table *t, const struct nat_config *config, const struct prng *rng, nat_changed *changed,
                    void *arg)
{
    *t = (struct nat_table){.config = *config, .rng = *rng, .changed = changed, .arg = arg};
    t->sessions_free = t->mappings_free = t->subscribers_free = NAT_NONE;
    t->cooling_first = t->cooling_last = NAT_NONE;
    nat_ports_reset(t);
}

void nat_table_fini(struct nat_table *t)
{
    free(t->sessions);
    free(t->mappings);
    free(t->subscribers);
    free(t->heap);
    free(t->blocks);
    nat_explicits_free(t->explicits);
    nat_index_fini(&t->session_by_inside);
    nat_index_fini(&t->session_by_outside);
    nat_index_fini(&t->mapping_by_inside);
    nat_index_fini(&t->mapping_by_outside);
    nat_index_fini(&t->subscriber_by_inside);
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

static uint32_t hash_in(uint8_t protocol, struct endpoint outside, struct endpoint remote)
{
    return nat_index_hash(word(outside) << 8 | protocol, word(remote));
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
    return m->state == NAT_FORWARDING ? (struct endpoint){0} : mapping_key(t, m->remote);
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

uint32_t nat_session_in(const struct nat_table *t, uint8_t protocol, struct endpoint outside, struct endpoint remote)
{
    uint32_t hash = hash_in(protocol, outside, remote);
    uint32_t slot;
    for (uint32_t at = 0; (slot = nat_index_next(&t->session_by_outside, hash, &at)) != NAT_NONE;) {
        const struct nat_session *s = &t->sessions[slot];
        if (endpoint_equal(s->outside, outside) && endpoint_equal(s->remote, remote) && s->protocol == protocol)
            break;
    }
    return slot;
}

uint32_t nat_session_fetch_bucket(const struct nat_table *t, enum nat_side from, uint8_t protocol, struct endpoint here,
                                  struct endpoint remote)
{
    uint32_t hash = from == NAT_INSIDE ? hash_out(protocol, here, remote) : hash_in(protocol, here, remote);
    nat_index_fetch(from == NAT_INSIDE ? &t->session_by_inside : &t->session_by_outside, hash);
    return hash;
}

void nat_session_fetch(const struct nat_table *t, enum nat_side from, uint32_t hash)
{
    uint32_t at = 0;
    uint32_t slot = nat_index_next(from == NAT_INSIDE ? &t->session_by_inside : &t->session_by_outside, hash, &at);
    if (slot != NAT_NONE)
        __builtin_prefetch(&t->sessions[slot], 1);
}

static uint32_t mapping_with_key(const struct nat_table *t, uint8_t protocol, struct endpoint inside,
                                 struct endpoint key, enum nat_record_state state)
{
    uint32_t hash = hash_out(protocol, inside, key);
    uint32_t slot;
    for (uint32_t at = 0; (slot = nat_index_next(&t->mapping_by_inside, hash, &at)) != NAT_NONE;) {
        const struct nat_record *m = &t->mappings[slot];
        if (endpoint_equal(m->inside, inside) && endpoint_equal(record_key(t, m), key) && m->protocol == protocol &&
            m->state == state)
            break;
    }
    return slot;
}

/* A forward, and what MAP of PCP made, go before whatever the mapping depends on: their inside endpoint has one face to
 * all the world. */
uint32_t nat_mapping_out(const struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote)
{
    if (t->forwards) {
        uint32_t slot = mapping_with_key(t, protocol, inside, (struct endpoint){0}, NAT_FORWARDING);
        if (slot != NAT_NONE)
            return slot;
    }
    if (t->explicits && t->config.mapping != NAT_ENDPOINT_INDEPENDENT) {
        uint32_t slot = nat_explicit_mapping(t, protocol, inside);
        if (slot != NAT_NONE)
            return slot;
    }
    return mapping_with_key(t, protocol, inside, mapping_key(t, remote), NAT_LIVE);
}

uint32_t nat_port_holder(const struct nat_table *t, uint8_t protocol, struct endpoint outside)
{
    uint32_t hash = hash_in(protocol, outside, (struct endpoint){0});
    uint32_t slot;
    for (uint32_t at = 0; (slot = nat_index_next(&t->mapping_by_outside, hash, &at)) != NAT_NONE;) {
        const struct nat_record *m = &t->mappings[slot];
        if (endpoint_equal(m->outside, outside) && m->protocol == protocol)
            break;
    }
    return slot;
}

uint32_t nat_mapping_in(const struct nat_table *t, uint8_t protocol, struct endpoint outside)
{
    uint32_t slot = nat_port_holder(t, protocol, outside);
    return slot != NAT_NONE && t->mappings[slot].state == NAT_COOLING ? NAT_NONE : slot;
}

/* ---- mappings ---- */

static void tell(const struct nat_table *t, enum nat_change change, const struct nat_record *m)
{
    struct nat_mapping mapping = {m->protocol, m->inside, m->outside, m->remote, m->by_pcp, 0};
    if (t->changed)
        t->changed(t->arg, change, &mapping);
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

static void index_outside(struct nat_table *t, uint32_t slot)
{
    const struct nat_record *m = &t->mappings[slot];
    nat_index_add(&t->mapping_by_outside, hash_in(m->protocol, m->outside, (struct endpoint){0}), slot);
    nat_port_count(t, m->protocol, m->outside, true);
    if (m->subscriber != NAT_NONE)
        nat_block_use(t, m->subscriber, m->outside, true);
}

static void unindex_outside(struct nat_table *t, uint32_t slot)
{
    const struct nat_record *m = &t->mappings[slot];
    nat_index_remove(&t->mapping_by_outside, hash_in(m->protocol, m->outside, (struct endpoint){0}), slot);
    nat_port_count(t, m->protocol, m->outside, false);
    if (m->subscriber != NAT_NONE)
        nat_block_use(t, m->subscriber, m->outside, false);
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
    index_outside(t, slot);
    return slot;
}

/* A mapping that a packet made, at the endpoint that was found for it. */
static uint32_t mapping_add_live(struct nat_table *t, const struct nat_record *m)
{
    t->subscribers[m->subscriber].records++;
    t->subscribers[m->subscriber].mappings++;
    t->dynamic++;
    uint32_t slot = mapping_add(t, m);
    tell(t, NAT_CREATED, m);
    return slot;
}

/* RFC 6888 REQ-4. */
static bool quota_is_used_up(const struct nat_table *t, uint32_t subscriber)
{
    return t->config.quota && t->subscribers[subscriber].mappings >= t->config.quota;
}

/* A cooling record at an outside endpoint that is being given out again, or NAT_NONE. It ends after the new one has
 * begun, so that their block stays the subscriber's. */
static uint32_t cooling_at(const struct nat_table *t, uint8_t protocol, struct endpoint outside)
{
    uint32_t holder = nat_port_holder(t, protocol, outside);
    return holder != NAT_NONE && t->mappings[holder].state == NAT_COOLING ? holder : NAT_NONE;
}

static int mapping_create(struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote,
                          const struct nat_suggestion *suggestion, uint32_t *out)
{
    struct nat_record m = {
        .inside = inside, .remote = remote, .protocol = protocol, .state = NAT_LIVE, .by_pcp = suggestion != NULL};
    struct nat_wish wish = {.protocol = protocol, .inside = inside, .remote = remote, .suggestion = suggestion};
    int error = mappings_reserve(t);
    if (!error)
        error = nat_subscriber_get(t, inside.addr, &wish.subscriber);
    if (error)
        return error;
    m.subscriber = wish.subscriber;
    if (quota_is_used_up(t, wish.subscriber) || !nat_port_pick(t, &wish, &m.outside)) {
        nat_subscriber_settle(t, wish.subscriber);
        return FE_EAGAIN;
    }
    uint32_t cooling = cooling_at(t, protocol, m.outside);
    *out = mapping_add_live(t, &m);
    if (cooling != NAT_NONE)
        nat_cooling_end(t, cooling);
    return 0;
}

/* The record is nobody's any more. */
static void mapping_free(struct nat_table *t, uint32_t slot)
{
    struct nat_record *m = &t->mappings[slot];
    unindex_outside(t, slot);
    if (m->subscriber != NAT_NONE) {
        t->subscribers[m->subscriber].records--;
        nat_subscriber_settle(t, m->subscriber);
    }
    m->state = NAT_FREE;
    m->sessions = t->mappings_free;
    t->mappings_free = slot;
}

/* A live mapping is no mapping any more; its port is still its own. */
static void mapping_retire(struct nat_table *t, uint32_t slot)
{
    const struct nat_record *m = &t->mappings[slot];
    nat_index_remove(&t->mapping_by_inside, hash_out(m->protocol, m->inside, record_key(t, m)), slot);
    t->subscribers[m->subscriber].mappings--;
    t->dynamic--;
}

int nat_table_forward(struct nat_table *t, uint8_t protocol, uint16_t outside_port, struct endpoint inside)
{
    struct nat_record m = {.inside = inside,
                           .outside = {t->config.pool[0], outside_port},
                           .protocol = protocol,
                           .state = NAT_FORWARDING,
                           .subscriber = NAT_NONE};
    if (nat_port_holder(t, protocol, m.outside) != NAT_NONE ||
        mapping_with_key(t, protocol, inside, (struct endpoint){0}, NAT_FORWARDING) != NAT_NONE)
        return FE_EUSED;
    int error = mappings_reserve(t);
    if (error)
        return error;
    mapping_add(t, &m);
    t->forwards = true;
    return 0;
}

/* ---- cooling (RFC 6888 REQ-8) ---- */

static void cooling_begin(struct nat_table *t, uint32_t slot, lab_time when)
{
    struct nat_record *m = &t->mappings[slot];
    m->state = NAT_COOLING;
    m->until = t->config.reuse_delay >= NEVER - when ? NEVER : when + t->config.reuse_delay;
    m->sessions = NAT_NONE;
    m->cooling_before = t->cooling_last;
    if (t->cooling_last != NAT_NONE)
        t->mappings[t->cooling_last].sessions = slot;
    else
        t->cooling_first = slot;
    t->cooling_last = slot;
    t->cooling_n++;
    if (t->config.reuse_ports && t->cooling_n > t->config.reuse_ports)
        nat_cooling_end(t, t->cooling_first);
}

void nat_cooling_end(struct nat_table *t, uint32_t record)
{
    struct nat_record *m = &t->mappings[record];
    if (m->sessions != NAT_NONE)
        t->mappings[m->sessions].cooling_before = m->cooling_before;
    else
        t->cooling_last = m->cooling_before;
    if (m->cooling_before != NAT_NONE)
        t->mappings[m->cooling_before].sessions = m->sessions;
    else
        t->cooling_first = m->sessions;
    t->cooling_n--;
    mapping_free(t, record);
}

static lab_time cooling_deadline(const struct nat_table *t)
{
    return t->cooling_n ? t->mappings[t->cooling_first].until : NEVER;
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
    nat_index_add(&t->session_by_outside, hash_in(s->protocol, s->outside, s->remote), slot);
    nat_heap_add(t, slot);
    if (s->next != NAT_NONE)
        t->sessions[s->next].previous = slot;
    t->mappings[s->mapping].sessions = slot;
    return slot;
}

/* After sessions_reserve. */
static uint32_t session_start(struct nat_table *t, uint32_t mapping, struct endpoint inside, struct endpoint remote,
                              lab_time expires)
{
    const struct nat_record *m = &t->mappings[mapping];
    struct nat_session s = {.inside = inside,
                            .remote = remote,
                            .outside = m->outside,
                            .protocol = m->protocol,
                            .mapping = mapping,
                            .next = m->sessions,
                            .previous = NAT_NONE,
                            .expires = expires,
                            .queued = expires};
    return session_add(t, &s);
}

int nat_session_open(struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote,
                     lab_time expires, uint32_t *out)
{
    return nat_session_ask(t, protocol, inside, remote, NULL, expires, out);
}

int nat_session_ask(struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint remote,
                    const struct nat_suggestion *suggestion, lab_time expires, uint32_t *out)
{
    uint32_t mapping = nat_mapping_out(t, protocol, inside, remote);
    int error = sessions_reserve(t);
    if (!error && mapping == NAT_NONE)
        error = mapping_create(t, protocol, inside, remote, suggestion, &mapping);
    if (!error)
        *out = session_start(t, mapping, inside, remote, expires);
    return error;
}

int nat_session_admit(struct nat_table *t, uint8_t protocol, struct endpoint inside, struct endpoint outside,
                      struct endpoint remote, lab_time expires, uint32_t *out)
{
    struct nat_record m = {
        .inside = inside, .outside = outside, .remote = remote, .protocol = protocol, .state = NAT_LIVE};
    if (nat_port_holder(t, protocol, outside) != NAT_NONE || nat_session_out(t, protocol, inside, remote) != NAT_NONE)
        return FE_EUSED;
    int error = sessions_reserve(t);
    if (!error)
        error = mappings_reserve(t);
    if (!error)
        error = nat_subscriber_get(t, inside.addr, &m.subscriber);
    if (!error)
        *out = session_start(t, mapping_add_live(t, &m), inside, remote, expires);
    return error;
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
    if (s->seen & NAT_SEEN_EXPLICIT)
        nat_explicit_forget(t, s);
    nat_index_remove(&t->session_by_inside, hash_out(s->protocol, s->inside, s->remote), slot);
    nat_index_remove(&t->session_by_outside, hash_in(s->protocol, s->outside, s->remote), slot);
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

/* Its last session was over at `when`. */
static void mapping_end(struct nat_table *t, uint32_t slot, enum nat_change how, lab_time when)
{
    const struct nat_record gone = t->mappings[slot];
    mapping_retire(t, slot);
    tell(t, how, &gone);
    if (t->config.reuse_delay)
        cooling_begin(t, slot, when);
    else
        mapping_free(t, slot);
}

void nat_session_end(struct nat_table *t, uint32_t session, lab_time now)
{
    uint32_t mapping = t->sessions[session].mapping;
    session_remove(t, session);
    if (t->mappings[mapping].sessions == NAT_NONE && t->mappings[mapping].state == NAT_LIVE)
        mapping_end(t, mapping, NAT_REMOVED, now);
}

void nat_table_expire(struct nat_table *t, lab_time now)
{
    while (t->heap_n && t->sessions[t->heap[0]].queued <= now) {
        uint32_t slot = t->heap[0];
        const struct nat_session *s = &t->sessions[slot];
        if (s->expires > s->queued) { /* it lived on: all end in the order of their ends, however late this is called */
            nat_heap_move(t, slot, s->expires);
            continue;
        }
        uint32_t mapping = s->mapping;
        lab_time when = s->expires;
        session_remove(t, slot);
        if (t->mappings[mapping].sessions == NAT_NONE && t->mappings[mapping].state == NAT_LIVE)
            mapping_end(t, mapping, NAT_EXPIRED, when);
    }
    while (cooling_deadline(t) <= now)
        nat_cooling_end(t, t->cooling_first);
}

lab_time nat_table_deadline(const struct nat_table *t)
{
    lab_time cooling = cooling_deadline(t);
    lab_time sessions = t->heap_n ? t->sessions[t->heap[0]].queued : NEVER;
    return cooling < sessions ? cooling : sessions;
}

/* ---- all at once ---- */

size_t nat_table_flush(struct nat_table *t, bool telling)
{
    size_t removed = t->dynamic;
    nat_changed *changed = t->changed;
    if (!telling)
        t->changed = NULL;
    while (t->cooling_n)
        nat_cooling_end(t, t->cooling_first);
    for (uint32_t slot = 0; slot < t->mappings_n; slot++) {
        const struct nat_record gone = t->mappings[slot];
        if (gone.state == NAT_FREE)
            continue;
        while (t->mappings[slot].sessions != NAT_NONE)
            session_remove(t, t->mappings[slot].sessions);
        if (gone.state == NAT_FORWARDING)
            continue;
        mapping_retire(t, slot);
        tell(t, NAT_REMOVED, &gone);
        mapping_free(t, slot);
    }
    t->changed = changed;
    return removed;
}

/* The mapping and its sessions move to another outside endpoint. */
static void mapping_move(struct nat_table *t, uint32_t slot, struct endpoint outside)
{
    struct nat_record *m = &t->mappings[slot];
    struct endpoint from = m->outside;
    m->outside = outside;
    index_outside(t, slot); /* before the other end of the move: a block must not become empty on the way */
    m->outside = from;
    unindex_outside(t, slot);
    m->outside = outside;
    for (uint32_t i = m->sessions; i != NAT_NONE; i = t->sessions[i].next) {
        struct nat_session *s = &t->sessions[i];
        nat_index_remove(&t->session_by_outside, hash_in(s->protocol, s->outside, s->remote), i);
        s->outside = outside;
        nat_index_add(&t->session_by_outside, hash_in(s->protocol, s->outside, s->remote), i);
    }
}

size_t nat_table_rebind(struct nat_table *t)
{
    size_t moved = 0;
    if (nat_index_reserve(&t->mapping_by_outside))
        return 0;
    for (uint32_t slot = 0; slot < t->mappings_n; slot++) {
        const struct nat_record before = t->mappings[slot];
        struct nat_wish wish = {before.protocol, before.inside, before.remote, before.subscriber, NULL};
        struct endpoint outside;
        if (before.state != NAT_LIVE || !nat_port_repick(t, &wish, before.outside, &outside))
            continue;
        uint32_t cooling = cooling_at(t, before.protocol, outside);
        mapping_move(t, slot, outside);
        if (cooling != NAT_NONE)
            nat_cooling_end(t, cooling);
        tell(t, NAT_REMOVED, &before);
        tell(t, NAT_CREATED, &t->mappings[slot]);
        moved++;
    }
    return moved;
}

void nat_table_set_pool(struct nat_table *t, const ipv4 *pool, unsigned n)
{
    nat_table_flush(t, true);
    free(t->blocks);
    t->blocks = NULL;
    t->next_block = 0;
    for (uint32_t slot = 0; slot < t->mappings_n; slot++)
        if (t->mappings[slot].state == NAT_FORWARDING)
            unindex_outside(t, slot);
    memcpy(t->config.pool, pool, n * sizeof *pool);
    t->config.pool_n = n;
    t->config.own[NAT_OUTSIDE] = pool[0];
    nat_ports_reset(t);
    for (uint32_t slot = 0; slot < t->mappings_n; slot++)
        if (t->mappings[slot].state == NAT_FORWARDING) {
            t->mappings[slot].outside.addr = pool[0];
            index_outside(t, slot);
        }
}
