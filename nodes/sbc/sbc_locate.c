#include "nodes/sbc/sbc_locate.h"

#include "nodes/sbc/sbc_node.h"

#define LEAST_TTL SEC        /* a TTL of 0 is for one use; the SBC does not ask without end */
#define ASK_AGAIN (10 * SEC) /* after no answer, or one of no use */

/* ---- the settings ---- */

static const struct sbc_pbx_settings *pbx_of(const struct sbc_settings *s, unsigned entry)
{
    return (const struct sbc_pbx_settings *)s->pbx.items + entry;
}

static bool any_name(const struct sbc_settings *s)
{
    for (unsigned i = 0; i < s->pbx.n; i++)
        if (pbx_of(s, i)->name[0])
            return true;
    return false;
}

const char *sbc_locate_conflict(const struct sbc_settings *s, struct text *why)
{
    if (!any_name(s) || s->dns.servers.n)
        return NULL;
    text_str(why, "a PBX is configured by name, and no DNS server to ask");
    return "dns";
}

/* ---- what DNS tells ---- */

static void located(void *arg, const struct sip_location *l)
{
    struct sbc_search *s = arg;
    struct sbc *sbc = s->sbc;
    struct endpoint at[SIP_LOCATE_TARGETS];
    unsigned n = l->result == SIP_LOCATE_FOUND ? l->n : 0;
    lab_time next = host_now(sbc->host) + (n ? LEAST_TTL : ASK_AGAIN);
    s->search = NULL;
    for (unsigned i = 0; i < n; i++)
        at[i] = l->targets[i].at;
    sbc_servers_locate(&sbc->servers, s->entry, at, n);
    sbc_monitor_follow(sbc);
    if (l->expires != NEVER && l->expires > next)
        next = l->expires;
    host_timer_start(sbc->host, &s->timer, next);
}

/* ---- asking ---- */

static enum sip_transport inside_transport(const struct sbc *sbc)
{
    return sip_transport_of(sbc->transport, sbc->inside);
}

static void ask(void *arg)
{
    struct sbc_search *s = arg;
    struct sbc *sbc = s->sbc;
    const struct sbc_pbx_settings *pbx = pbx_of(&sbc->settings, s->entry);
    struct sip_locate_query query = {.host = span_of(pbx->name),
                                     .port = pbx->at.port,
                                     .transport = inside_transport(sbc),
                                     .speaks = {inside_transport(sbc)},
                                     .speaks_n = 1};
    if (sip_locate(&sbc->locating.locator, &query, located, s, &s->search)) {
        s->search = NULL;
        host_timer_start(sbc->host, &s->timer, host_now(sbc->host) + ASK_AGAIN);
    }
}

/* ---- names ---- */

bool sbc_locate_is_name(const struct sbc *sbc, struct span host)
{
    for (unsigned i = 0; i < sbc->settings.pbx.n; i++)
        if (pbx_of(&sbc->settings, i)->name[0] && span_equal_nocase(host, span_of(pbx_of(&sbc->settings, i)->name)))
            return true;
    return false;
}

void sbc_locate_name(const struct sbc *sbc, struct endpoint at, struct text *name)
{
    int entry = sbc_servers_entry(&sbc->servers, at);
    if (entry >= 0)
        text_str(name, pbx_of(&sbc->settings, (unsigned)entry)->name);
}

/* ---- life ---- */

int sbc_locate_init(struct sbc *sbc)
{
    struct sbc_locating *l = &sbc->locating;
    if (!any_name(&sbc->settings))
        return 0;
    int error = resolver_new(&l->resolver, sbc->host, &sbc->settings.dns);
    if (error)
        return error;
    sip_locator_init(&l->locator, sbc->host, l->resolver);
    for (unsigned i = 0; i < sbc->settings.pbx.n; i++) {
        l->searches[i] = (struct sbc_search){.sbc = sbc, .entry = i};
        timer_init(&l->searches[i].timer, ask, &l->searches[i]);
        if (pbx_of(&sbc->settings, i)->name[0])
            ask(&l->searches[i]);
    }
    return 0;
}

void sbc_locate_fini(struct sbc *sbc)
{
    struct sbc_locating *l = &sbc->locating;
    if (!l->resolver)
        return;
    for (unsigned i = 0; i < sbc->settings.pbx.n; i++)
        host_timer_stop(sbc->host, &l->searches[i].timer);
    sip_locator_fini(&l->locator);
    resolver_free(l->resolver);
    l->resolver = NULL;
}
