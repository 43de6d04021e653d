/* Which port a new mapping gets (RFC 4787 §4.2). Every choice comes down to a place to start from; from there the range
 * is searched upward, once around. Counting the used ones first makes the search of a full range cost nothing. */
#include "nodes/nat/nat_table.h"
#include "nodes/proto/ip.h"

static unsigned protocol_number(uint8_t protocol)
{
    return protocol == IP_UDP ? 0 : protocol == IP_TCP ? 1 : 2;
}

static uint32_t range_size(const struct nat_table *t)
{
    return t->config.range.high - t->config.range.low + 1u;
}

static bool in_range(const struct nat_table *t, uint16_t port)
{
    return port >= t->config.range.low && port <= t->config.range.high;
}

void nat_port_count(struct nat_table *t, uint8_t protocol, uint16_t port, bool used)
{
    if (in_range(t, port))
        t->used[protocol_number(protocol)][port & 1] += used ? 1 : UINT32_MAX;
}

/* Ports of the range that a mapping of this inside port could have, if nobody had them. */
static uint32_t eligible(const struct nat_table *t, unsigned parity)
{
    if (!t->config.parity)
        return range_size(t);
    return (t->config.range.high + 1u + (parity ^ 1)) / 2 - (t->config.range.low + (parity ^ 1u)) / 2;
}

static bool is_full(const struct nat_table *t, uint8_t protocol, unsigned parity)
{
    const uint32_t *used = t->used[protocol_number(protocol)];
    uint32_t n = t->config.parity ? used[parity] : used[0] + used[1];
    return n >= eligible(t, parity);
}

static uint16_t start_of_search(struct nat_table *t, uint8_t protocol, uint16_t inside_port)
{
    uint32_t size = range_size(t);
    uint16_t low = t->config.range.low;
    switch (t->config.ports) {
    case NAT_PORTS_PRESERVE:
        if (in_range(t, inside_port))
            return inside_port;
        return (uint16_t)(low + inside_port % size);
    case NAT_PORTS_SEQUENTIAL: return t->cursor[protocol_number(protocol)];
    case NAT_PORTS_RANDOM: return (uint16_t)(low + prng_below(&t->rng, size));
    }
    return low;
}

static uint16_t next_port(const struct nat_table *t, uint16_t port)
{
    return port == t->config.range.high ? t->config.range.low : (uint16_t)(port + 1);
}

bool nat_port_pick(struct nat_table *t, uint8_t protocol, uint16_t inside_port, uint16_t *out)
{
    unsigned parity = inside_port & 1;
    if (is_full(t, protocol, parity))
        return false;
    uint16_t port = start_of_search(t, protocol, inside_port);
    while ((t->config.parity && (port & 1) != parity) || nat_mapping_in(t, protocol, port) != NAT_NONE)
        port = next_port(t, port);
    t->cursor[protocol_number(protocol)] = next_port(t, port);
    *out = port;
    return true;
}
