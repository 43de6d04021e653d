#include "nodes/sbc/sbc_servers.h"

#include <assert.h>

void sbc_servers_init(struct sbc_servers *set, const struct endpoint *at, unsigned n, lab_time blacklist)
{
    assert(n <= SBC_SERVERS_MAX);
    *set = (struct sbc_servers){.blacklist = blacklist, .n = n};
    for (unsigned i = 0; i < n; i++)
        set->items[i].at = at[i];
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

bool sbc_servers_have(const struct sbc_servers *set, struct endpoint at)
{
    for (unsigned i = 0; i < set->n; i++)
        if (endpoint_equal(set->items[i].at, at))
            return true;
    return false;
}
