#include "nodes/sbc/sbc_servers.h"

#include <assert.h>

void sbc_servers_init(struct sbc_servers *set, const struct endpoint *at, unsigned n, lab_time blacklist)
{
    assert(n <= SBC_SERVERS_MAX);
    *set = (struct sbc_servers){.blacklist = blacklist};
    for (unsigned i = 0; i < n; i++)
        if (at[i].addr)
            set->items[set->n++] = (struct sbc_server){.at = at[i], .entry = i};
}

static bool is_suspected(const struct sbc_server *server, lab_time now)
{
    return server->lost && now < server->until;
}

unsigned sbc_servers_order(const struct sbc_servers *set, lab_time now, struct endpoint order[SBC_SERVERS_MAX])
{
    unsigned n = 0;
    for (unsigned i = 0; i < set->n; i++)
        if (!is_suspected(&set->items[i], now))
            order[n++] = set->items[i].at;
    for (unsigned i = 0; i < set->n; i++)
        if (is_suspected(&set->items[i], now))
            order[n++] = set->items[i].at;
    return n;
}

static struct sbc_server *find(struct sbc_servers *set, struct endpoint at)
{
    for (unsigned i = 0; i < set->n; i++)
        if (endpoint_equal(set->items[i].at, at))
            return &set->items[i];
    return NULL;
}

static void put(struct sbc_servers *set, struct sbc_server server)
{
    if (set->n < SBC_SERVERS_MAX && !sbc_servers_have(set, server.at))
        set->items[set->n++] = server;
}

void sbc_servers_locate(struct sbc_servers *set, unsigned entry, const struct endpoint *at, unsigned n)
{
    struct sbc_servers before = *set;
    unsigned i = 0;
    set->n = 0;
    for (; i < before.n && before.items[i].entry < entry; i++)
        put(set, before.items[i]);
    for (unsigned k = 0; k < n; k++) {
        const struct sbc_server *known = find(&before, at[k]);
        struct sbc_server server = known ? *known : (struct sbc_server){.at = at[k]};
        server.entry = entry;
        put(set, server);
    }
    for (; i < before.n; i++)
        if (before.items[i].entry != entry)
            put(set, before.items[i]);
}

bool sbc_servers_failed(struct sbc_servers *set, struct endpoint at, lab_time now, lab_time retry_after)
{
    struct sbc_server *server = find(set, at);
    if (!server)
        return false;
    bool changed = !server->lost;
    server->lost = true;
    server->until = set->blacklist == NEVER ? NEVER : now + (retry_after ? retry_after : set->blacklist);
    return changed;
}

bool sbc_servers_answered(struct sbc_servers *set, struct endpoint at)
{
    struct sbc_server *server = find(set, at);
    bool changed = server && server->lost;
    if (changed)
        server->lost = false;
    return changed;
}

int sbc_servers_entry(const struct sbc_servers *set, struct endpoint at)
{
    for (unsigned i = 0; i < set->n; i++)
        if (endpoint_equal(set->items[i].at, at))
            return (int)set->items[i].entry;
    return -1;
}

bool sbc_servers_have(const struct sbc_servers *set, struct endpoint at)
{
    return sbc_servers_entry(set, at) >= 0;
}
