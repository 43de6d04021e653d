#include "nodes/phone/phone_locate.h"

#include "nodes/phone/phone.h"

#define LEAST_TTL SEC /* a TTL of 0 is for one use; the phone does not ask without end */

static void ask(struct phone *p, unsigned server);

/* ---- what DNS tells ---- */

static bool has(const struct phone_targets *t, struct phone_place target)
{
    for (unsigned i = 0; i < t->n; i++)
        if (phone_place_equal(t->list[i], target))
            return true;
    return false;
}

/* The one that was in use, else the first that did not fail a short while ago, else the first. */
static unsigned begin_with(struct phone *p, const struct sip_location *l, const struct phone_targets *t,
                           struct phone_place used)
{
    struct sip_target_walk walk = {0};
    bool keeps = !p->settings->dns_each;
    const struct sip_locate_target *first = sip_target_next(&walk, l, &p->locating.blacklist, host_now(p->host));
    for (unsigned i = 0; i < t->n && keeps; i++)
        if (phone_place_equal(t->list[i], used))
            return i;
    size_t at = first ? (size_t)(first - l->targets) : 0;
    return at < t->n ? (unsigned)at : 0;
}

static void located(void *arg, const struct sip_location *l)
{
    struct phone_search *s = arg;
    struct phone *p = s->phone;
    unsigned server = (unsigned)(s - p->locating.searches);
    struct phone_targets *t = &p->servers.list[server].targets;
    struct phone_place used = phone_server_target(&p->servers.list[server]);
    bool anew = p->settings->dns_each;
    bool moved = t->n > 0 && !anew;
    s->search = NULL;
    if (anew && t->tried)
        return; /* a request is on its way through the list */
    *t = (struct phone_targets){.n = 0};
    for (unsigned i = 0; i < l->n && l->result == SIP_LOCATE_FOUND; i++)
        phone_targets_add(t, (struct phone_place){l->targets[i].transport, l->targets[i].at, {0}});
    if (t->n) {
        t->current = begin_with(p, l, t, used);
        lab_time soonest = host_now(p->host) + LEAST_TTL;
        host_timer_start(p->host, &s->timer, l->expires > soonest ? l->expires : soonest);
    }
    moved = moved && t->n && !has(t, used);
    phone_register_located(p, server, moved);
    phone_outbound_located(p, server, moved);
}

/* ---- asking ---- */

static void ask(struct phone *p, unsigned server)
{
    struct phone_search *s = &p->locating.searches[server];
    struct phone_place place = p->servers.list[server].place;
    struct sip_locate_query query = {.host = place.name, .port = place.at.port};
    enum sip_transport list[2];
    query.speaks_n = phone_transport_list(p->settings, list);
    for (unsigned i = 0; i < query.speaks_n; i++)
        query.speaks[i] = list[i];
    query.transport = query.speaks_n == 1 ? list[0] : SIP_TRANSPORT_OTHER;
    if (!s->search && sip_locate(&p->locating.locator, &query, located, s, &s->search))
        s->search = NULL; /* asked again with the next registration */
}

/* PH-11: what was told holds for its TTL, and no longer. */
static void expired(void *arg)
{
    struct phone_search *s = arg;
    ask(s->phone, (unsigned)(s - s->phone->locating.searches));
}

bool phone_locate_known(struct phone *p, unsigned server)
{
    if (p->servers.list[server].place.name.n == 0 || p->servers.list[server].targets.n)
        return true;
    ask(p, server);
    return false;
}

void phone_locate_used(struct phone *p, unsigned server)
{
    if (p->settings->dns_each && p->servers.list[server].place.name.n)
        ask(p, server);
}

void phone_locate_failed(struct phone *p, unsigned server, struct phone_place target)
{
    struct sip_locate_target failed = {.transport = target.transport, .at = target.at};
    if (p->servers.list[server].place.name.n)
        sip_blacklist_add(&p->locating.blacklist, &failed, host_now(p->host));
}

/* ---- TLS ---- */

void phone_locate_name(const struct phone *p, const struct sip_flow *flow, struct text *name)
{
    for (unsigned i = 0; i < p->servers.n; i++) {
        const struct phone_server *s = &p->servers.list[i];
        if (s->place.name.n && has(&s->targets, (struct phone_place){flow->transport, flow->remote, {0}})) {
            text_put(name, s->place.name);
            return;
        }
    }
}

/* ---- life ---- */

static bool any_name(const struct phone_settings *s)
{
    return s->proxy_name[0] || s->registrar_name[0] || s->outbound_proxy_name[0] || s->backup_proxy_name[0] ||
           s->backup_registrar_name[0] || s->backup_outbound_proxy_name[0];
}

const char *phone_locate_conflict(const struct phone_settings *s, struct text *why)
{
    if (!any_name(s) || s->dns.servers.n)
        return NULL;
    text_str(why, "a server is configured by name, and no DNS server to ask");
    return "dns";
}

int phone_locate_init(struct phone *p)
{
    if (!any_name(p->settings))
        return 0;
    int error = resolver_new(&p->locating.resolver, p->host, &p->settings->dns);
    if (error)
        return error;
    sip_locator_init(&p->locating.locator, p->host, p->locating.resolver);
    sip_blacklist_init(&p->locating.blacklist, p->settings->blacklist);
    for (unsigned i = 0; i < p->servers.n; i++) {
        p->locating.searches[i].phone = p;
        timer_init(&p->locating.searches[i].timer, expired, &p->locating.searches[i]);
        (void)phone_locate_known(p, i);
    }
    return 0;
}

void phone_locate_stop(struct phone *p)
{
    if (!p->locating.resolver)
        return;
    for (unsigned i = 0; i < p->servers.n; i++)
        host_timer_stop(p->host, &p->locating.searches[i].timer);
    sip_locator_fini(&p->locating.locator);
    resolver_free(p->locating.resolver);
}
