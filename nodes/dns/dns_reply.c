/* The algorithm of RFC 1034 §4.3.2 without delegation and wildcards: follow aliases as far as they stay in the zones,
 * then the records that were asked for, else an SOA that says how long "no" may be remembered (RFC 2308). Room that is
 * left takes along what will be asked next (RFC 2782, RFC 3403: the additional section). */
#include "nodes/dns/dns_server.h"

enum { ALIASES = 8 };

struct reply {
    struct dns_server *server;
    const struct dns_question *question;
    const struct dns_host *aliases[ALIASES];
    unsigned aliases_n;
    struct dns_name name;  /* where they lead */
    struct dns_host *host; /* of that name; NULL: there is none here */
    struct dns_writer writer;
};

/* ---- finding ---- */

static const struct dns_data *data_of(const struct dns_host *host, unsigned type)
{
    for (size_t i = 0; host && i < host->n; i++)
        if (host->data[i].type == type)
            return &host->data[i];
    return NULL;
}

static void follow(struct reply *r)
{
    r->name = r->question->name;
    for (;;) {
        r->host = dns_zone_find(&r->server->zone, &r->name);
        const struct dns_data *alias = data_of(r->host, DNS_CNAME);
        unsigned type = r->question->type;
        if (!alias || type == DNS_CNAME || type == DNS_ANY || r->aliases_n == ALIASES)
            return;
        struct dns_record record;
        dns_zone_record(r->host, alias, &record);
        r->aliases[r->aliases_n++] = r->host;
        r->name = record.target;
    }
}

/* ---- writing ---- */

static bool put(struct reply *r, enum dns_section section, const struct dns_host *host, const struct dns_data *data)
{
    struct dns_record record;
    dns_zone_record(host, data, &record);
    return dns_put_record(&r->writer, section, &record);
}

/* All records of a type (0: of every type), the next one first when answers are rotated. *n counts them. False: there
 * is no room. */
static bool put_all(struct reply *r, enum dns_section section, struct dns_host *host, unsigned type, unsigned *n)
{
    size_t first = r->server->settings->order == DNS_ROTATED && host->n ? host->turn % host->n : 0;
    for (size_t i = 0; i < host->n; i++) {
        const struct dns_data *data = &host->data[(first + i) % host->n];
        if (type && data->type != type)
            continue;
        if (!put(r, section, host, data))
            return false;
        ++*n;
    }
    return true;
}

static bool put_soa(struct reply *r, const struct dns_name *apex, enum dns_section section)
{
    struct dns_record soa;
    dns_zone_soa(&r->server->zone, apex, (uint32_t)(r->server->settings->negative_ttl / SEC), &soa);
    return dns_put_record(&r->writer, section, &soa);
}

/* False: truncated. */
static bool put_answers(struct reply *r, unsigned *n)
{
    for (unsigned i = 0; i < r->aliases_n; i++)
        if (!put(r, DNS_ANSWER, r->aliases[i], data_of(r->aliases[i], DNS_CNAME)))
            return false;
    const struct dns_name *apex = dns_zone_apex(&r->server->zone, &r->name);
    bool any = r->question->type == DNS_ANY;
    if (apex && dns_name_equal(apex, &r->name) && (any || r->question->type == DNS_SOA)) {
        if (!put_soa(r, apex, DNS_ANSWER))
            return false;
        ++*n;
    }
    if (!r->host)
        return true;
    bool fits = put_all(r, DNS_ANSWER, r->host, any ? 0 : r->question->type, n);
    r->host->turn++;
    return fits;
}

/* ---- what will be asked next ---- */

static void add_addresses(struct reply *r, const struct dns_name *name)
{
    struct dns_host *host = dns_zone_find(&r->server->zone, name);
    unsigned n = 0;
    if (host && host->added != r->server->replies) {
        host->added = r->server->replies;
        (void)put_all(r, DNS_ADDITIONAL, host, DNS_A, &n); /* what has no room is asked for */
    }
}

static void add_servers(struct reply *r, const struct dns_host *host)
{
    for (size_t i = 0; i < host->n; i++)
        if (host->data[i].type == DNS_SRV) {
            struct dns_record record;
            dns_zone_record(host, &host->data[i], &record);
            add_addresses(r, &record.srv.target);
        }
}

static void add_services(struct reply *r, const struct dns_host *host)
{
    for (size_t i = 0; i < host->n; i++)
        if (host->data[i].type == DNS_NAPTR) {
            struct dns_record record;
            unsigned n = 0;
            dns_zone_record(host, &host->data[i], &record);
            struct dns_host *service = dns_zone_find(&r->server->zone, &record.naptr.replacement);
            if (!service || service->added == r->server->replies)
                continue;
            service->added = r->server->replies;
            (void)put_all(r, DNS_ADDITIONAL, service, DNS_SRV, &n);
            add_servers(r, service);
        }
}

static void put_additional(struct reply *r)
{
    unsigned type = r->question->type;
    if (!r->host || !r->server->settings->additional)
        return;
    if (type == DNS_SRV)
        add_servers(r, r->host);
    if (type == DNS_NAPTR)
        add_services(r, r->host);
}

/* ---- the whole ---- */

/* NXDOMAIN is about the end of the aliases (RFC 2308 §2.1); where they leave the zones, nothing is said about it. */
static enum dns_rcode rcode_of(const struct reply *r)
{
    const struct dns_zone *zone = &r->server->zone;
    return !dns_zone_apex(zone, &r->name) || dns_zone_has(zone, &r->name) ? DNS_NOERROR : DNS_NXDOMAIN;
}

struct span dns_reply_write(struct dns_server *s, const struct dns_msg *query, uint8_t *room, size_t cap)
{
    struct reply r = {.server = s, .question = &query->question};
    unsigned n = 0;
    s->replies++;
    follow(&r);
    struct dns_head head = {.id = query->head.id,
                            .response = true,
                            .authoritative = true,
                            .recursion_desired = query->head.recursion_desired,
                            .recursion_available = s->upstream != NULL,
                            .rcode = (uint8_t)rcode_of(&r)};
    const struct dns_name *apex = dns_zone_apex(&s->zone, &r.name);
    dns_begin(&r.writer, room, cap, &head);
    dns_put_question(&r.writer, r.question);
    bool whole = put_answers(&r, &n);
    if (whole && n == 0 && apex)
        whole = put_soa(&r, apex, DNS_AUTHORITY);
    if (query->udp_room)
        (void)dns_put_edns(&r.writer, DNS_MESSAGE_MAX);
    if (whole)
        put_additional(&r);
    else
        dns_set_truncated(&r.writer);
    return dns_end(&r.writer);
}
