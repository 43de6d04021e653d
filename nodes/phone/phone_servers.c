#include "nodes/phone/phone_servers.h"

/* ---- what is configured ---- */

int phone_servers_find(const struct phone_servers *s, struct phone_place place)
{
    for (unsigned i = 0; i < s->n; i++)
        if (phone_place_equal(s->list[i].place, place))
            return (int)i;
    return -1;
}

static unsigned server_of(struct phone_servers *s, struct phone_place place)
{
    int known = phone_servers_find(s, place);
    if (known >= 0)
        return (unsigned)known;
    s->list[s->n] = (struct phone_server){.place = place};
    return s->n++;
}

/* The place itself, or the one that stands for it where none is configured. */
static struct phone_place place_or(struct phone_place place, struct phone_place other)
{
    return phone_place_is_set(place) ? place : other;
}

static void group_add(struct phone_servers *s, struct phone_place primary, struct phone_place backup, bool has_backup)
{
    struct phone_group *g = &s->groups[s->groups_n++];
    *g = (struct phone_group){.n = has_backup ? PHONE_SITES : 1};
    g->hop[PHONE_PRIMARY] = server_of(s, primary);
    g->hop[PHONE_BACKUP] = has_backup ? server_of(s, backup) : g->hop[PHONE_PRIMARY];
}

/* PH-20: the roles move one by one. An outbound proxy without a backup stays before both. */
static void apart(struct phone_servers *s, const struct phone_places *p)
{
    struct phone_place registrar = place_or(p->registrar[PHONE_PRIMARY], p->proxy[PHONE_PRIMARY]);
    struct phone_place outbound = p->outbound[PHONE_PRIMARY];
    group_add(s, place_or(outbound, registrar), place_or(outbound, p->registrar[PHONE_BACKUP]),
              phone_place_is_set(p->registrar[PHONE_BACKUP]));
    group_add(s, place_or(outbound, p->proxy[PHONE_PRIMARY]), place_or(outbound, p->proxy[PHONE_BACKUP]),
              phone_place_is_set(p->proxy[PHONE_BACKUP]));
}

void phone_servers_init(struct phone_servers *s, const struct phone_places *places, lab_time blacklist)
{
    *s = (struct phone_servers){.blacklist = blacklist};
    s->one_registrar =
        !phone_place_is_set(places->registrar[PHONE_BACKUP]) && !phone_place_is_set(places->proxy[PHONE_BACKUP]);
    if (phone_place_is_set(places->outbound[PHONE_BACKUP])) /* PH-22, PH-23 */
        group_add(s, place_or(places->outbound[PHONE_PRIMARY], places->proxy[PHONE_PRIMARY]),
                  places->outbound[PHONE_BACKUP], true);
    else
        apart(s, places);
}

/* ---- questions ---- */

static const struct phone_group *group_of(const struct phone_servers *s, enum phone_role role)
{
    return &s->groups[s->groups_n == 1 ? 0 : role];
}

struct phone_group *phone_servers_group(struct phone_servers *s, enum phone_role role)
{
    return &s->groups[s->groups_n == 1 ? 0 : role];
}

unsigned phone_servers_active(const struct phone_servers *s, enum phone_role role)
{
    return group_of(s, role)->active;
}

const struct phone_server *phone_servers_hop(const struct phone_servers *s, enum phone_role role, unsigned site)
{
    return &s->list[group_of(s, role)->hop[site]];
}

enum phone_server_state phone_server_state(const struct phone_server *server, lab_time now)
{
    if (server->state == PHONE_SERVER_BLACKLISTED && now >= server->until)
        return PHONE_SERVER_SUSPECT;
    return server->state;
}

static bool avoided(const struct phone_server *server, lab_time now)
{
    return phone_server_state(server, now) == PHONE_SERVER_BLACKLISTED;
}

static int choose(const struct phone_servers *s, const struct phone_group *g, unsigned tried, lab_time now)
{
    for (unsigned i = 0; i < g->n; i++)
        if (!(tried & 1u << i) && !avoided(&s->list[g->hop[i]], now))
            return (int)i;
    for (unsigned i = 0; i < g->n; i++)
        if (!(tried & 1u << i) && !(avoided(&s->list[g->hop[i]], now) && s->list[g->hop[i]].barred))
            return (int)i;
    return tried ? -1 : PHONE_PRIMARY;
}

int phone_servers_choose(const struct phone_servers *s, enum phone_role role, unsigned tried, lab_time now)
{
    return choose(s, group_of(s, role), tried, now);
}

bool phone_servers_probed(const struct phone_servers *s, unsigned server, lab_time now)
{
    if (s->list[server].barred && avoided(&s->list[server], now))
        return false;
    for (unsigned i = 0; i < s->groups_n; i++)
        for (unsigned site = 0; site < s->groups[i].active; site++)
            if (s->groups[i].hop[site] == server)
                return true;
    return false;
}

bool phone_servers_away(const struct phone_servers *s)
{
    for (unsigned i = 0; i < s->groups_n; i++)
        if (s->groups[i].active != PHONE_PRIMARY)
            return true;
    return false;
}

/* ---- what came of a request ---- */

unsigned phone_servers_failed(struct phone_servers *s, unsigned server, lab_time retry_after, lab_time now)
{
    unsigned moved = 0;
    lab_time pause = retry_after ? retry_after : s->blacklist;
    struct phone_server *failed = &s->list[server];
    failed->state = pause ? PHONE_SERVER_BLACKLISTED : PHONE_SERVER_SUSPECT;
    failed->until = now + pause;
    failed->barred = retry_after != 0;
    for (unsigned i = 0; i < s->groups_n; i++) {
        struct phone_group *g = &s->groups[i];
        int to = g->hop[g->active] == server ? choose(s, g, 1u << g->active, now) : -1;
        if (to < 0 || g->hop[to] == server)
            continue;
        g->active = (unsigned)to;
        moved |= 1u << i;
    }
    return moved;
}

/* A site that answers takes the place of a lesser one, and of one that failed last. */
unsigned phone_servers_answered(struct phone_servers *s, unsigned server)
{
    unsigned moved = 0;
    s->list[server].state = PHONE_SERVER_UP;
    s->list[server].barred = false;
    phone_targets_answered(&s->list[server].targets);
    for (unsigned i = 0; i < s->groups_n; i++) {
        struct phone_group *g = &s->groups[i];
        bool working = s->list[g->hop[g->active]].state == PHONE_SERVER_UP;
        for (unsigned site = 0; site < g->n; site++) {
            if (g->hop[site] != server || site == g->active || (site > g->active && working))
                continue;
            g->active = site;
            moved |= 1u << i;
            break;
        }
    }
    return moved;
}
