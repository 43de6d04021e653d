/* A search goes through up to three phases, one question at a time: NAPTR makes services, SRV makes servers of
 * services, A makes targets of servers. Addresses that an SRV answer brought along need no question. */
#include "nodes/resolve/sip_locate.h"

#include "nodes/base/error.h"
#include "nodes/proto/dns_srv.h"

#include <assert.h>
#include <stdlib.h>

enum { SERVICES = 8, SERVERS = SIP_LOCATE_TARGETS, ADDITIONAL = 4, SIP_PORT = 5060, SIPS_PORT = 5061 };

struct service {
    enum sip_transport transport;
    struct dns_name name; /* "_sips._tcp.example.com" */
};

struct server {
    enum sip_transport transport;
    uint16_t port;
    struct dns_name name;
    ipv4 addresses[ADDITIONAL]; /* that came with the SRV */
    unsigned addresses_n;
};

enum search_phase {
    SEARCH_NAPTR,
    SEARCH_SRV,  /* services[at] */
    SEARCH_A,    /* servers[at] */
    SEARCH_DONE, /* the location is complete; told when the timer is due */
};

struct sip_search {
    struct sip_locator *locator;
    struct sip_search *next;
    void (*done)(void *arg, const struct sip_location *location);
    void *arg;
    enum search_phase phase;
    struct timer timer; /* so that nothing is told from inside sip_locate() */
    struct resolver_waiter waiter;
    struct dns_name host;
    enum sip_transport transport; /* given; or SIP_TRANSPORT_OTHER */
    bool sips;
    enum sip_transport speaks[SIP_LOCATE_TRANSPORTS];
    unsigned speaks_n;
    struct service services[SERVICES];
    struct server servers[SERVERS];
    unsigned services_n, servers_n, at;
    bool srv_found;  /* some service has SRV records: addresses of the host itself mean nothing (RFC 2782) */
    bool unanswered; /* some question was not answered */
    struct sip_location location;
};

/* ---- transports ---- */

static bool speaks(const struct sip_search *s, enum sip_transport t)
{
    for (unsigned i = 0; i < s->speaks_n; i++)
        if (s->speaks[i] == t)
            return !s->sips || t == SIP_TLS;
    return false;
}

/* Without DNS's word (§4.1): UDP for sip, TLS for sips; a client that has no UDP takes what it likes best. */
static enum sip_transport usual_transport(const struct sip_search *s)
{
    if (s->transport != SIP_TRANSPORT_OTHER)
        return s->transport;
    if (s->sips)
        return SIP_TLS;
    return speaks(s, SIP_UDP) || s->speaks_n == 0 ? SIP_UDP : s->speaks[0];
}

static uint16_t usual_port(enum sip_transport t)
{
    return t == SIP_TLS ? SIPS_PORT : SIP_PORT;
}

/* §4.1's service fields. */
static enum sip_transport transport_of(struct span services)
{
    return span_equal_nocase(services, SPAN("SIP+D2U"))    ? SIP_UDP
           : span_equal_nocase(services, SPAN("SIP+D2T"))  ? SIP_TCP
           : span_equal_nocase(services, SPAN("SIPS+D2T")) ? SIP_TLS
                                                           : SIP_TRANSPORT_OTHER;
}

static struct span srv_prefix(enum sip_transport t)
{
    return t == SIP_UDP ? SPAN("_sip._udp") : t == SIP_TLS ? SPAN("_sips._tcp") : SPAN("_sip._tcp");
}

/* ---- collecting ---- */

static void valid_until(struct sip_search *s, lab_time t)
{
    if (t < s->location.expires)
        s->location.expires = t;
}

/* Two servers may have one address: it is one target. */
static void add_target(struct sip_search *s, enum sip_transport t, struct endpoint at, const struct dns_name *server)
{
    struct sip_location *l = &s->location;
    for (unsigned i = 0; i < l->n; i++)
        if (l->targets[i].transport == t && endpoint_equal(l->targets[i].at, at))
            return;
    if (l->n < SIP_LOCATE_TARGETS)
        l->targets[l->n++] = (struct sip_locate_target){t, at, *server};
}

static void add_service(struct sip_search *s, enum sip_transport t)
{
    struct service *service = &s->services[s->services_n];
    if (s->services_n < SERVICES && dns_name_below(srv_prefix(t), &s->host, &service->name) == 0) {
        service->transport = t;
        s->services_n++;
    }
}

static struct server *add_server(struct sip_search *s, enum sip_transport t, uint16_t port, const struct dns_name *name)
{
    if (s->servers_n == SERVERS)
        return NULL;
    struct server *server = &s->servers[s->servers_n++];
    *server = (struct server){.transport = t, .port = port, .name = *name};
    return server;
}

/* ---- NAPTR ---- */

struct offer {
    uint16_t order, preference;
    struct service service;
};

static bool comes_before(const struct offer *a, const struct offer *b)
{
    return a->order != b->order ? a->order < b->order : a->preference < b->preference;
}

static void offer_insert(struct offer *offers, unsigned n, const struct offer *new)
{
    unsigned at = n;
    for (; at > 0 && comes_before(new, &offers[at - 1]); at--)
        offers[at] = offers[at - 1];
    offers[at] = *new;
}

/* What the domain offers and the caller can use, the best first. RFC 3403 §4.1: once a record of an order was used,
 * those of a higher one are not looked at. */
static void services_read(struct sip_search *s, const struct resolver_answer *answer)
{
    struct offer offers[SERVICES];
    unsigned n = 0;
    struct dns_record r;
    for (struct dns_walk w = dns_records(answer->msg); dns_next(&w, &r) && w.section == DNS_ANSWER;) {
        bool ours = dns_record_is(&r, DNS_NAPTR) && dns_name_equal(&r.name, &answer->name);
        enum sip_transport t = ours ? transport_of(r.naptr.services) : SIP_TRANSPORT_OTHER;
        if (!speaks(s, t) || !span_equal_nocase(r.naptr.flags, SPAN("s")) || n == SERVICES)
            continue;
        struct offer new = {r.naptr.order, r.naptr.preference, {t, r.naptr.replacement}};
        offer_insert(offers, n++, &new);
    }
    for (unsigned i = 0; i < n && offers[i].order == offers[0].order; i++)
        s->services[s->services_n++] = offers[i].service;
}

/* ---- SRV ---- */

static void addresses_find(struct sip_search *s, struct server *server, const struct resolver_answer *answer)
{
    struct dns_record r;
    for (struct dns_walk w = dns_records(answer->msg); dns_next(&w, &r);) {
        lab_time expires = answer->received + (lab_time)r.ttl * SEC;
        if (w.section != DNS_ADDITIONAL || !dns_record_is(&r, DNS_A) || !dns_name_equal(&r.name, &server->name) ||
            expires <= host_now(s->locator->host) || server->addresses_n == ADDITIONAL)
            continue;
        server->addresses[server->addresses_n++] = r.addr;
        valid_until(s, expires);
    }
}

static void servers_read(struct sip_search *s, const struct service *service, const struct resolver_answer *answer)
{
    struct dns_srv list[SERVERS];
    size_t n = 0;
    struct dns_record r;
    for (struct dns_walk w = dns_records(answer->msg); dns_next(&w, &r) && w.section == DNS_ANSWER;)
        if (dns_record_is(&r, DNS_SRV) && dns_name_equal(&r.name, &answer->name) && n < SERVERS)
            list[n++] = r.srv;
    dns_srv_order(list, n, &s->locator->rng);
    s->srv_found = true;
    for (size_t i = 0; i < n; i++) {
        bool nowhere = list[i].target.n == 1; /* RFC 2782: the service is not to be had */
        struct server *server = nowhere ? NULL : add_server(s, service->transport, list[i].port, &list[i].target);
        if (server)
            addresses_find(s, server, answer);
    }
}

/* ---- A ---- */

static void targets_read(struct sip_search *s, const struct server *server, const struct resolver_answer *answer)
{
    struct dns_record r;
    for (struct dns_walk w = dns_records(answer->msg); dns_next(&w, &r) && w.section == DNS_ANSWER;)
        if (dns_record_is(&r, DNS_A) && dns_name_equal(&r.name, &answer->name))
            add_target(s, server->transport, (struct endpoint){r.addr, server->port}, &server->name);
}

/* ---- one question after the other ---- */

static void unlink_search(struct sip_search *s)
{
    struct sip_search **link = &s->locator->searches;
    while (*link != s)
        link = &(*link)->next;
    *link = s->next;
}

static void stop_asking(struct sip_search *s)
{
    host_timer_stop(s->locator->host, &s->timer);
    resolver_cancel(&s->waiter);
}

static void finish(struct sip_search *s)
{
    struct sip_location *l = &s->location;
    s->phase = SEARCH_DONE;
    l->result = l->n ? SIP_LOCATE_FOUND : s->unanswered ? SIP_LOCATE_FAILED : SIP_LOCATE_NOTHING;
    if (l->result == SIP_LOCATE_FAILED)
        l->expires = host_now(s->locator->host);
    unlink_search(s);
    stop_asking(s);
    s->done(s->arg, l);
    free(s);
}

static void ask(struct sip_search *s, const struct dns_name *name, enum dns_type type)
{
    if (resolver_ask(s->locator->resolver, name, type, &s->waiter) == 0)
        return;
    s->unanswered = true;
    finish(s);
}

/* On to the next server that needs a question; those whose addresses are known need none. */
static void servers_next(struct sip_search *s)
{
    s->phase = SEARCH_A;
    for (; s->at < s->servers_n; s->at++) {
        const struct server *server = &s->servers[s->at];
        if (server->addresses_n == 0) {
            ask(s, &server->name, DNS_A);
            return;
        }
        for (unsigned i = 0; i < server->addresses_n; i++)
            add_target(s, server->transport, (struct endpoint){server->addresses[i], server->port}, &server->name);
    }
    finish(s);
}

static void services_done(struct sip_search *s)
{
    if (!s->srv_found && !s->unanswered && speaks(s, usual_transport(s)))
        (void)add_server(s, usual_transport(s), usual_port(usual_transport(s)), &s->host);
    s->at = 0;
    servers_next(s);
}

static void services_next(struct sip_search *s)
{
    s->phase = SEARCH_SRV;
    if (s->at < s->services_n && !s->unanswered)
        ask(s, &s->services[s->at].name, DNS_SRV);
    else
        services_done(s);
}

/* NAPTR offers nothing: the transports that the caller speaks, one after the other (§4.1). */
static void services_guess(struct sip_search *s)
{
    for (unsigned i = 0; i < s->speaks_n; i++)
        if (speaks(s, s->speaks[i]))
            add_service(s, s->speaks[i]);
}

static void told(void *arg, const struct resolver_answer *answer)
{
    struct sip_search *s = arg;
    bool found = answer->result == RESOLVER_FOUND;
    if (answer->result == RESOLVER_FAILED)
        s->unanswered = true;
    else if (found || answer->expires > answer->received)
        valid_until(s, answer->expires);
    switch (s->phase) {
    case SEARCH_NAPTR:
        if (found)
            services_read(s, answer);
        if (s->services_n == 0)
            services_guess(s);
        services_next(s); /* which ends the search when this question was not answered */
        break;
    case SEARCH_SRV:
        if (found)
            servers_read(s, &s->services[s->at], answer);
        s->at++;
        services_next(s);
        break;
    case SEARCH_A:
        if (found)
            targets_read(s, &s->servers[s->at], answer);
        s->at++;
        servers_next(s);
        break;
    case SEARCH_DONE: break;
    }
}

/* ---- the beginning ---- */

static void begin(void *arg)
{
    struct sip_search *s = arg;
    switch (s->phase) {
    case SEARCH_NAPTR: ask(s, &s->host, DNS_NAPTR); break;
    case SEARCH_SRV: services_next(s); break;
    case SEARCH_A: servers_next(s); break;
    case SEARCH_DONE: finish(s); break;
    }
}

/* §4.1, §4.2: which phase is the first. */
static void plan(struct sip_search *s, const struct sip_locate_query *query)
{
    enum sip_transport usual = usual_transport(s);
    uint16_t port = query->port ? query->port : usual_port(usual);
    ipv4 addr;
    s->phase = SEARCH_DONE;
    if (s->transport != SIP_TRANSPORT_OTHER && !speaks(s, s->transport))
        return;
    if (addr_parse(query->host, &addr) == 0) {
        if (speaks(s, usual))
            add_target(s, usual, (struct endpoint){addr, port}, &s->host);
        return;
    }
    if (dns_name_parse(query->host, &s->host))
        return;
    s->location.domain = s->host;
    s->phase = query->port ? SEARCH_A : s->transport != SIP_TRANSPORT_OTHER ? SEARCH_SRV : SEARCH_NAPTR;
    if (s->phase == SEARCH_A && speaks(s, usual))
        (void)add_server(s, usual, port, &s->host);
    if (s->phase == SEARCH_SRV)
        add_service(s, s->transport);
}

static void query_read(struct sip_search *s, const struct sip_locate_query *query)
{
    assert(query->speaks_n <= SIP_LOCATE_TRANSPORTS);
    s->sips = query->sips;
    /* RFC 3261 §26.2.2: with sips every transport is TLS over it */
    s->transport = query->sips && query->transport != SIP_TRANSPORT_OTHER ? SIP_TLS : query->transport;
    s->speaks_n = query->speaks_n;
    memcpy(s->speaks, query->speaks, sizeof s->speaks);
}

int sip_locate(struct sip_locator *l, const struct sip_locate_query *query,
               void (*done)(void *arg, const struct sip_location *location), void *arg, struct sip_search **out)
{
    struct sip_search *s = calloc(1, sizeof *s);
    if (!s)
        return FE_EMEM;
    s->locator = l;
    s->done = done;
    s->arg = arg;
    s->location.expires = NEVER;
    s->waiter.done = told;
    s->waiter.arg = s;
    s->next = l->searches;
    l->searches = s;
    query_read(s, query);
    plan(s, query);
    timer_init(&s->timer, begin, s);
    host_timer_start(l->host, &s->timer, host_now(l->host));
    *out = s;
    return 0;
}

void sip_search_cancel(struct sip_search *search)
{
    if (!search)
        return;
    unlink_search(search);
    stop_asking(search);
    free(search);
}

void sip_locator_init(struct sip_locator *l, struct host *h, struct resolver *resolver)
{
    *l = (struct sip_locator){.host = h, .resolver = resolver};
    host_stream(h, "srv", &l->rng);
}

void sip_locator_fini(struct sip_locator *l)
{
    for (struct sip_search *s = l->searches, *next; s; s = next) {
        next = s->next;
        stop_asking(s);
        free(s);
    }
    l->searches = NULL;
}
