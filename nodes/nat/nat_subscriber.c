/* Subscribers: quotas, paired addresses and port blocks (RFC 4787 REQ-2, RFC 6888 REQ-4 and §4). */
#include "nodes/base/error.h"
#include "nodes/nat/nat_table.h"

#include <stdlib.h>

static uint32_t hash(ipv4 inside)
{
    return nat_index_hash(inside, 0);
}

static uint32_t find(const struct nat_table *t, ipv4 inside)
{
    uint32_t slot;
    for (uint32_t at = 0; (slot = nat_index_next(&t->subscriber_by_inside, hash(inside), &at)) != NAT_NONE;)
        if (t->subscribers[slot].inside == inside)
            break;
    return slot;
}

static int reserve(struct nat_table *t)
{
    if (nat_index_reserve(&t->subscriber_by_inside))
        return FE_EMEM;
    if (t->subscribers_free != NAT_NONE || t->subscribers_n < t->subscribers_cap)
        return 0;
    uint32_t cap = t->subscribers_cap ? 2 * t->subscribers_cap : 1;
    struct nat_subscriber *grown = realloc(t->subscribers, cap * sizeof *grown);
    if (!grown)
        return FE_EMEM;
    t->subscribers = grown;
    t->subscribers_cap = cap;
    return 0;
}

int nat_subscriber_get(struct nat_table *t, ipv4 inside, uint32_t *out)
{
    *out = find(t, inside);
    if (*out != NAT_NONE)
        return 0;
    if (reserve(t))
        return FE_EMEM;
    uint32_t slot = t->subscribers_free;
    if (slot == NAT_NONE)
        slot = t->subscribers_n++;
    else
        t->subscribers_free = t->subscribers[slot].mappings;
    t->subscribers[slot] = (struct nat_subscriber){.inside = inside};
    if (t->config.paired && t->config.pool_n) {
        t->subscribers[slot].address = t->next_address;
        t->next_address = (t->next_address + 1) % t->config.pool_n;
    }
    nat_index_add(&t->subscriber_by_inside, hash(inside), slot);
    *out = slot;
    return 0;
}

bool nat_subscriber_is_full(const struct nat_table *t, ipv4 inside)
{
    const struct nat_config *c = &t->config;
    uint32_t slot = find(t, inside);
    if (slot == NAT_NONE)
        return false;
    const struct nat_subscriber *s = &t->subscribers[slot];
    return (c->quota && s->mappings >= c->quota) || (c->block && s->blocks_n >= c->blocks);
}

void nat_subscriber_settle(struct nat_table *t, uint32_t slot)
{
    struct nat_subscriber *s = &t->subscribers[slot];
    if (s->records)
        return;
    nat_index_remove(&t->subscriber_by_inside, hash(s->inside), slot);
    s->mappings = t->subscribers_free;
    t->subscribers_free = slot;
}

/* ---- blocks ---- */

uint32_t nat_block_count(const struct nat_table *t)
{
    return (t->config.range.high - t->config.range.low + 1u) / t->config.block;
}

struct port_range nat_block_ports(const struct nat_table *t, uint32_t block, ipv4 *addr)
{
    uint32_t per_address = nat_block_count(t);
    uint32_t low = t->config.range.low + block % per_address * t->config.block;
    *addr = t->config.pool[block / per_address];
    return (struct port_range){(uint16_t)low, (uint16_t)(low + t->config.block - 1u)};
}

static void tell(const struct nat_table *t, enum nat_change change, ipv4 inside, uint32_t block)
{
    struct nat_mapping m = {.inside = {.addr = inside}, .ports = t->config.block};
    m.outside.port = nat_block_ports(t, block, &m.outside.addr).low;
    if (t->changed)
        t->changed(t->arg, change, &m);
}

/* Where a subscriber's blocks may lie: with pairing at its address, else anywhere. */
static void permitted(const struct nat_table *t, const struct nat_subscriber *s, uint32_t *first, uint32_t *n)
{
    uint32_t per_address = nat_block_count(t);
    *first = t->config.paired ? s->address * per_address : 0;
    *n = t->config.paired ? per_address : per_address * t->config.pool_n;
}

bool nat_block_take(struct nat_table *t, uint32_t subscriber, uint32_t *out)
{
    struct nat_subscriber *s = &t->subscribers[subscriber];
    uint32_t first;
    uint32_t n;
    permitted(t, s, &first, &n);
    if (!t->blocks)
        t->blocks = calloc((size_t)nat_block_count(t) * t->config.pool_n + 1, sizeof *t->blocks);
    if (!t->blocks || s->blocks_n >= t->config.blocks || n == 0)
        return false;
    uint32_t start = t->config.ports == NAT_PORTS_RANDOM ? (uint32_t)prng_below(&t->rng, n) : t->next_block;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t block = first + (start + i) % n;
        if (t->blocks[block].taken)
            continue;
        t->blocks[block] = (struct nat_block){.taken = true};
        t->next_block = start + i + 1;
        s->blocks[s->blocks_n++] = *out = block;
        tell(t, NAT_BLOCK_TAKEN, s->inside, block);
        return true;
    }
    return false;
}

static void give_back(struct nat_table *t, struct nat_subscriber *s, unsigned i)
{
    uint32_t block = s->blocks[i];
    t->blocks[block].taken = false;
    s->blocks_n--;
    for (; i < s->blocks_n; i++)
        s->blocks[i] = s->blocks[i + 1];
    tell(t, NAT_BLOCK_GIVEN, s->inside, block);
}

void nat_block_return(struct nat_table *t, uint32_t subscriber, uint32_t block)
{
    struct nat_subscriber *s = &t->subscribers[subscriber];
    for (unsigned i = 0; i < s->blocks_n; i++)
        if (s->blocks[i] == block) {
            give_back(t, s, i);
            return;
        }
}

void nat_block_use(struct nat_table *t, uint32_t subscriber, struct endpoint outside, bool used)
{
    struct nat_subscriber *s = &t->subscribers[subscriber];
    for (unsigned i = 0; i < s->blocks_n; i++) {
        ipv4 addr;
        struct port_range range = nat_block_ports(t, s->blocks[i], &addr);
        if (addr != outside.addr || outside.port < range.low || outside.port > range.high)
            continue;
        struct nat_block *b = &t->blocks[s->blocks[i]];
        b->records += used ? 1 : UINT32_MAX;
        if (b->records == 0)
            give_back(t, s, i);
        return;
    }
}
