#include "nodes/dns/dns_zone.h"

#include "nodes/base/error.h"

#include <assert.h>
#include <stdlib.h>

/* Room for one more behind n elements; NULL without memory: then all is as before. */
static void *grow(void *array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return array;
    size_t more = *cap ? 2 * *cap : 2;
    array = realloc(array, more * size);
    if (array)
        *cap = more;
    return array;
}

/* ---- one record ---- */

static struct span text_of(const struct dns_data *data)
{
    return span_make(data->bytes + 1, data->bytes[0]);
}

static int data_read(const struct dns_data *data, struct dns_record *out)
{
    struct span text = text_of(data);
    out->type = data->type;
    switch (data->type) {
    case DNS_A: return addr_parse(text, &out->addr);
    case DNS_CNAME:
    case DNS_PTR: return dns_name_parse(text, &out->target);
    case DNS_SRV: return dns_srv_parse(text, &out->srv);
    case DNS_NAPTR: return dns_naptr_parse(text, &out->naptr);
    case DNS_TXT: out->data = span_make(data->bytes, 1u + data->bytes[0]); return 0;
    default: return FE_EUNKNOWN;
    }
}

void dns_zone_record(const struct dns_host *host, const struct dns_data *data, struct dns_record *out)
{
    out->name = host->name;
    out->class = DNS_IN;
    out->ttl = host->ttl;
    int error = data_read(data, out);
    assert(!error); /* it was read when it was added */
    (void)error;
}

static int data_add(struct dns_host *host, unsigned type, struct span text)
{
    struct dns_data new = {.type = (uint16_t)type};
    struct dns_record record;
    if (text.n >= DNS_DATA_MAX)
        return FE_ERANGE;
    new.bytes[0] = (uint8_t)text.n;
    if (text.n)
        memcpy(new.bytes + 1, text.p, text.n);
    int error = data_read(&new, &record);
    if (error)
        return error;
    struct dns_data *data = grow(host->data, host->n, &host->cap, sizeof *data);
    if (!data)
        return FE_EMEM;
    host->data = data;
    data[host->n++] = new;
    return 0;
}

/* How many there were; type 0: all. */
static size_t data_remove(struct dns_host *host, unsigned type)
{
    size_t before = host->n;
    host->n = 0;
    for (size_t i = 0; i < before; i++)
        if (type && host->data[i].type != type)
            host->data[host->n++] = host->data[i];
    return before - host->n;
}

/* ---- names ---- */

const struct dns_name *dns_zone_apex(const struct dns_zone *z, const struct dns_name *name)
{
    const struct dns_name *best = NULL;
    for (size_t i = 0; i < z->apexes_n; i++)
        if (dns_name_within(name, &z->apexes[i]) && (!best || z->apexes[i].n > best->n))
            best = &z->apexes[i];
    return best;
}

struct dns_host *dns_zone_find(const struct dns_zone *z, const struct dns_name *name)
{
    for (size_t i = 0; i < z->n; i++)
        if (dns_name_equal(&z->hosts[i].name, name))
            return &z->hosts[i];
    return NULL;
}

bool dns_zone_has(const struct dns_zone *z, const struct dns_name *name)
{
    for (size_t i = 0; i < z->n; i++)
        if (dns_name_within(&z->hosts[i].name, name))
            return true;
    const struct dns_name *apex = dns_zone_apex(z, name);
    return apex && dns_name_equal(apex, name);
}

static int apex_add(struct dns_zone *z, const struct dns_name *name)
{
    for (size_t i = 0; i < z->apexes_n; i++)
        if (dns_name_equal(&z->apexes[i], name))
            return 0;
    struct dns_name *apexes = grow(z->apexes, z->apexes_n, &z->apexes_cap, sizeof *apexes);
    if (!apexes)
        return FE_EMEM;
    z->apexes = apexes;
    apexes[z->apexes_n++] = *name;
    return 0;
}

/* The domain that a name is in, when nobody said which there are: "example.com". */
static int apex_guess(struct dns_zone *z, const struct dns_name *name)
{
    struct dns_name apex;
    dns_name_tail(name, 2, &apex);
    return apex_add(z, &apex);
}

/* The host of this name, made when it is not there; NULL: `error` says why. */
static struct dns_host *host_at(struct dns_zone *z, const struct dns_name *name, int *error)
{
    struct dns_host *host = dns_zone_find(z, name);
    *error = host || dns_zone_apex(z, name) ? 0 : z->fixed ? FE_EUNKNOWN : apex_guess(z, name);
    if (host || *error)
        return host;
    struct dns_host *hosts = grow(z->hosts, z->n, &z->cap, sizeof *hosts);
    *error = hosts ? 0 : FE_EMEM;
    if (!hosts)
        return NULL;
    z->hosts = hosts;
    hosts[z->n] = (struct dns_host){.name = *name, .ttl = z->ttl};
    return &hosts[z->n++];
}

static void host_remove(struct dns_zone *z, struct dns_host *host)
{
    free(host->data);
    size_t at = (size_t)(host - z->hosts);
    memmove(host, host + 1, (z->n - at - 1) * sizeof *host);
    z->n--;
}

/* ---- changes ---- */

static int values_add(struct dns_host *host, unsigned type, struct span values)
{
    int error = span_trim(values).n ? 0 : FE_ESYNTAX;
    while (values.p && !error)
        error = data_add(host, type, span_trim(span_cut(values, ',', &values)));
    return error;
}

int dns_zone_set(struct dns_zone *z, const struct dns_name *name, unsigned type, struct span values)
{
    struct dns_host new = {0};
    int error = values_add(&new, type, values);
    struct dns_host *host = error ? NULL : host_at(z, name, &error);
    if (host) {
        data_remove(host, type);
        for (size_t i = 0; i < new.n && !error; i++)
            error = data_add(host, type, text_of(&new.data[i]));
        z->serial++;
    }
    free(new.data);
    return error;
}

int dns_zone_set_ttl(struct dns_zone *z, const struct dns_name *name, uint32_t ttl)
{
    struct dns_host *host = dns_zone_find(z, name);
    if (!host)
        return FE_EUNKNOWN;
    host->ttl = ttl;
    z->serial++;
    return 0;
}

int dns_zone_remove(struct dns_zone *z, const struct dns_name *name, unsigned type)
{
    struct dns_host *host = dns_zone_find(z, name);
    if (!host || data_remove(host, type) == 0)
        return FE_EUNKNOWN;
    if (host->n == 0)
        host_remove(z, host);
    z->serial++;
    return 0;
}

/* ---- from the settings ---- */

static int texts_add(struct dns_host *host, unsigned type, const struct option_items *list)
{
    int error = 0;
    for (size_t i = 0; i < list->n && !error; i++)
        error = data_add(host, type, span_of((const char *)list->items + i * DNS_DATA_MAX));
    return error;
}

static int addresses_add(struct dns_host *host, const struct option_items *list)
{
    int error = 0;
    for (size_t i = 0; i < list->n && !error; i++) {
        char buf[ENDPOINT_TEXT];
        error = data_add(host, DNS_A, span_of(addr_text(((const ipv4 *)list->items)[i], buf)));
    }
    return error;
}

static int host_read(struct dns_zone *z, const struct dns_host_settings *s)
{
    struct dns_name name;
    int error = dns_name_parse(span_of(s->name), &name);
    struct dns_host *host = error ? NULL : host_at(z, &name, &error);
    if (!host)
        return error;
    if (s->has_ttl)
        host->ttl = (uint32_t)(s->ttl / SEC);
    if (s->cname[0])
        error = data_add(host, DNS_CNAME, span_of(s->cname));
    if (!error)
        error = addresses_add(host, &s->a);
    if (!error)
        error = texts_add(host, DNS_SRV, &s->srv);
    if (!error)
        error = texts_add(host, DNS_NAPTR, &s->naptr);
    if (!error)
        error = texts_add(host, DNS_PTR, &s->ptr);
    return error ? error : texts_add(host, DNS_TXT, &s->txt);
}

int dns_zone_init(struct dns_zone *z, const struct dns_settings *settings)
{
    const struct dns_host_settings *hosts = settings->records.items;
    int error = 0;
    *z = (struct dns_zone){.ttl = (uint32_t)(settings->ttl / SEC), .serial = 1, .fixed = settings->zones.n > 0};
    for (size_t i = 0; i < settings->zones.n && !error; i++) {
        struct dns_name apex;
        error = dns_name_parse(span_of((const char *)settings->zones.items + i * DNS_HOST_TEXT), &apex);
        if (!error)
            error = apex_add(z, &apex);
    }
    for (size_t i = 0; i < settings->records.n && !error; i++)
        error = host_read(z, &hosts[i]);
    return error;
}

void dns_zone_fini(struct dns_zone *z)
{
    for (size_t i = 0; i < z->n; i++)
        free(z->hosts[i].data);
    free(z->hosts);
    free(z->apexes);
    *z = (struct dns_zone){0};
}

/* ---- SOA ---- */

/* RFC 1035 §3.3.13; the times are for secondary servers, which there are none of. */
void dns_zone_soa(const struct dns_zone *z, const struct dns_name *apex, uint32_t negative_ttl, struct dns_record *out)
{
    *out = (struct dns_record){.name = *apex, .type = DNS_SOA, .class = DNS_IN, .ttl = negative_ttl};
    out->soa = (struct dns_soa){.serial = z->serial, .refresh = 3600, .retry = 600, .expire = 86400};
    out->soa.minimum = negative_ttl;
    if (dns_name_below(SPAN("ns"), apex, &out->soa.primary))
        out->soa.primary = *apex;
    if (dns_name_below(SPAN("hostmaster"), apex, &out->soa.mailbox))
        out->soa.mailbox = *apex;
}
