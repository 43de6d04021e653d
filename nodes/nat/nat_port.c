/* Which outside endpoint a new mapping gets (RFC 4787 §4.1, §4.2): first the address, then the port.
 *
 * Every choice of a port comes down to a place to start from; from there the range is searched upward, once around.
 * Counting the used ones first makes the search of a full range cost nothing. With port blocks (RFC 6888 §4) the range
 * is a block of the subscriber's. */
#include "nodes/nat/nat_table.h"
#include "nodes/proto/ip.h"

static unsigned protocol_number(uint8_t protocol)
{
    return protocol == IP_UDP ? 0 : protocol == IP_TCP ? 1 : 2;
}

static bool in_range(struct port_range range, uint16_t port)
{
    return port >= range.low && port <= range.high;
}

static uint32_t range_size(struct port_range range)
{
    return range.high - range.low + 1u;
}

/* ---- counting ---- */

static struct nat_ports_state *ports_of(struct nat_table *t, ipv4 addr)
{
    for (unsigned i = 0; i < t->config.pool_n; i++)
        if (t->config.pool[i] == addr)
            return &t->ports[i];
    return NULL;
}

void nat_port_count(struct nat_table *t, uint8_t protocol, struct endpoint outside, bool used)
{
    struct nat_ports_state *state = ports_of(t, outside.addr);
    if (state && in_range(t->config.range, outside.port))
        state->used[protocol_number(protocol)][outside.port & 1] += used ? 1 : UINT32_MAX;
}

void nat_ports_reset(struct nat_table *t)
{
    t->next_address = 0;
    for (unsigned i = 0; i < NAT_POOL; i++) {
        t->ports[i] = (struct nat_ports_state){0};
        for (unsigned p = 0; p < 3; p++)
            t->ports[i].cursor[p] = t->config.range.low;
    }
}

/* Ports of the range that a mapping of this inside port could have, if nobody had them. */
static uint32_t eligible(const struct nat_table *t, unsigned parity)
{
    struct port_range range = t->config.range;
    if (!t->config.parity)
        return range_size(range);
    return (range.high + 1u + (parity ^ 1)) / 2 - (range.low + (parity ^ 1u)) / 2;
}

/* Shared ports are counted as often as they are used, and say nothing. */
static bool is_full(const struct nat_table *t, const struct nat_ports_state *state, uint8_t protocol, unsigned parity)
{
    const uint32_t *used = state->used[protocol_number(protocol)];
    uint32_t n = t->config.parity ? used[parity] : used[0] + used[1];
    return !t->config.overload && n >= eligible(t, parity);
}

/* ---- one port ---- */

static bool is_free(const struct nat_table *t, const struct nat_wish *w, struct endpoint outside)
{
    uint32_t holder = nat_port_holder(t, w->protocol, outside);
    if (holder == NAT_NONE)
        return true;
    const struct nat_record *m = &t->mappings[holder];
    if (m->state == NAT_COOLING)
        return endpoint_equal(m->inside, w->inside);
    return t->config.overload && m->state == NAT_LIVE && nat_session_in(t, w->protocol, outside, w->remote) == NAT_NONE;
}

static bool is_fit(const struct nat_table *t, const struct nat_wish *w, struct endpoint outside, bool pair)
{
    if (t->config.parity && ((outside.port ^ w->inside.port) & 1))
        return false;
    if (!is_free(t, w, outside))
        return false;
    struct endpoint next = {outside.addr, (uint16_t)(outside.port + 1)};
    return !pair || (!(outside.port & 1) && in_range(t->config.range, next.port) && is_free(t, w, next));
}

static uint16_t next_port(struct port_range range, uint16_t port)
{
    return port == range.high ? range.low : (uint16_t)(port + 1);
}

/* From out->port upward, once around `range`. pair: an even port whose next is free too. */
static bool search(const struct nat_table *t, const struct nat_wish *w, struct port_range range, bool pair,
                   struct endpoint *out)
{
    uint16_t start = out->port;
    do {
        if (is_fit(t, w, *out, pair))
            return true;
        out->port = next_port(range, out->port);
    } while (out->port != start);
    return false;
}

static uint16_t start_of_search(struct nat_table *t, const struct nat_wish *w, struct port_range range, uint16_t cursor)
{
    uint32_t size = range_size(range);
    switch (t->config.ports) {
    case NAT_PORTS_PRESERVE:
        if (in_range(range, w->inside.port))
            return w->inside.port;
        return (uint16_t)(range.low + w->inside.port % size);
    case NAT_PORTS_SEQUENTIAL: return in_range(range, cursor) ? cursor : range.low;
    case NAT_PORTS_RANDOM: return (uint16_t)(range.low + prng_below(&t->rng, size));
    }
    return range.low;
}

/* ---- ranges ---- */

/* With contiguity, an even port is looked for that leaves room for RTCP behind it. */
static bool pick_in(struct nat_table *t, const struct nat_wish *w, struct port_range range, struct endpoint *out)
{
    struct nat_ports_state *state = ports_of(t, out->addr);
    uint16_t *cursor = &state->cursor[protocol_number(w->protocol)];
    bool pair = t->config.contiguity && w->protocol == IP_UDP && !(w->inside.port & 1);
    uint16_t start = start_of_search(t, w, range, *cursor);
    out->port = start;
    if (is_full(t, state, w->protocol, w->inside.port & 1))
        return is_fit(t, w, *out, false); /* perhaps it waits for just this endpoint */
    if (!pair || !search(t, w, range, true, out)) {
        out->port = start;
        if (!search(t, w, range, false, out))
            return false;
    }
    *cursor = next_port(range, out->port);
    return true;
}

static bool pick_in_blocks(struct nat_table *t, const struct nat_wish *w, struct endpoint *out)
{
    uint32_t block;
    for (unsigned i = 0; i < t->subscribers[w->subscriber].blocks_n; i++) {
        struct port_range range = nat_block_ports(t, t->subscribers[w->subscriber].blocks[i], &out->addr);
        if (pick_in(t, w, range, out))
            return true;
    }
    if (!nat_block_take(t, w->subscriber, &block))
        return false;
    struct port_range range = nat_block_ports(t, block, &out->addr);
    if (pick_in(t, w, range, out))
        return true;
    nat_block_return(t, w->subscriber, block);
    return false;
}

/* ---- addresses ---- */

static bool same_block(const struct nat_table *t, uint16_t a, uint16_t b)
{
    uint16_t low = t->config.range.low;
    return t->config.block == 0 || (a - low) / t->config.block == (b - low) / t->config.block;
}

/* The port after the one that the even port below has, at the same address (RFC 4787 §4.2.3). */
static bool pick_contiguous(const struct nat_table *t, const struct nat_wish *w, struct endpoint *out)
{
    if (!t->config.contiguity || w->protocol != IP_UDP || !(w->inside.port & 1))
        return false;
    struct endpoint below = {w->inside.addr, (uint16_t)(w->inside.port - 1)};
    struct endpoint remote = {w->remote.addr, (uint16_t)(w->remote.port - 1)};
    uint32_t slot = nat_mapping_out(t, w->protocol, below, remote);
    if (slot == NAT_NONE)
        return false;
    *out = t->mappings[slot].outside;
    out->port++;
    return in_range(t->config.range, out->port) && same_block(t, out->port, (uint16_t)(out->port - 1)) &&
           is_free(t, w, *out);
}

/* The addresses of the pool take turns; a paired subscriber stays at the one that it got (RFC 4787 REQ-2). */
static bool pick_anywhere(struct nat_table *t, const struct nat_wish *w, struct endpoint *out)
{
    unsigned n = t->config.pool_n;
    if (t->config.paired) {
        out->addr = t->config.pool[t->subscribers[w->subscriber].address];
        return pick_in(t, w, t->config.range, out);
    }
    for (unsigned i = 0; i < n; i++) {
        out->addr = t->config.pool[t->next_address];
        t->next_address = (t->next_address + 1) % n;
        if (pick_in(t, w, t->config.range, out))
            return true;
    }
    return false;
}

/* The ports of the subscriber's block that has this one. */
static bool own_block(const struct nat_table *t, uint32_t subscriber, struct endpoint outside, struct port_range *out)
{
    const struct nat_subscriber *s = &t->subscribers[subscriber];
    for (unsigned i = 0; i < s->blocks_n; i++) {
        ipv4 addr;
        *out = nat_block_ports(t, s->blocks[i], &addr);
        if (addr == outside.addr && in_range(*out, outside.port))
            return true;
    }
    return false;
}

static bool is_pooled(const struct nat_config *c, ipv4 addr)
{
    for (unsigned i = 0; i < c->pool_n; i++)
        if (c->pool[i] == addr)
            return true;
    return false;
}

/* What a PCP client would like, if the rules could have given it: at an address that the subscriber may have, within
 * the range or a block of its own (RFC 6887 §11.3). */
static bool pick_suggested(const struct nat_table *t, const struct nat_wish *w, struct endpoint *out)
{
    const struct nat_config *c = &t->config;
    struct port_range range = c->range;
    ipv4 usual = c->pool[c->paired ? t->subscribers[w->subscriber].address : 0];
    *out = w->suggestion->outside;
    if (out->addr == 0)
        out->addr = usual;
    bool there = c->paired ? out->addr == usual : is_pooled(c, out->addr);
    bool own = c->block == 0 || own_block(t, w->subscriber, *out, &range);
    return there && own && in_range(range, out->port) && is_fit(t, w, *out, false);
}

bool nat_port_pick(struct nat_table *t, const struct nat_wish *w, struct endpoint *out)
{
    if (w->suggestion && w->suggestion->outside.port && pick_suggested(t, w, out))
        return true;
    if (w->suggestion && w->suggestion->only)
        return false;
    return pick_contiguous(t, w, out) || (t->config.block ? pick_in_blocks(t, w, out) : pick_anywhere(t, w, out));
}

bool nat_port_repick(struct nat_table *t, const struct nat_wish *w, struct endpoint from, struct endpoint *out)
{
    struct port_range range = t->config.range;
    if (!ports_of(t, from.addr) || (t->config.block && !own_block(t, w->subscriber, from, &range)))
        return false; /* it leaked, or is the DMZ host's */
    *out = (struct endpoint){from.addr, (uint16_t)(range.low + prng_below(&t->rng, range_size(range)))};
    return search(t, w, range, false, out);
}
