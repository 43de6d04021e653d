/* Two chained hash tables over the same bindings: by AOR (a phone has few contacts, which are compared one by one) and
 * by flow. Nothing is ever done in a table's order, so the order of hashing reaches no trace. */
#include "nodes/sbc/sbc_location.h"

#include "nodes/base/error.h"
#include "nodes/proto/sip_uri.h"

#include <stdlib.h>

struct binding {
    struct binding *next_of_aor, *next_of_flow; /* in their buckets */
    struct sbc_location *location;
    struct sip_flow flow;
    struct timer expiry;
    size_t aor_n, contact_n;
    char text[]; /* aor, contact */
};

struct sbc_location {
    struct host *host;
    const struct sbc_location_events *events;
    void *arg;
    struct binding **by_aor, **by_flow;
    size_t buckets; /* a power of two */
    size_t n;
};

enum { FIRST_BUCKETS = 64 };

/* ---- keys ---- */

static struct span aor_of(const struct binding *b)
{
    return span_make(b->text, b->aor_n);
}

static struct span contact_of(const struct binding *b)
{
    return span_make(b->text + b->aor_n, b->contact_n);
}

static struct binding **aor_bucket(const struct sbc_location *location, struct span aor)
{
    return &location->by_aor[span_hash(aor) & (location->buckets - 1)];
}

/* Flows of one endpoint by several sockets or connections share a bucket: there are few. */
static struct binding **flow_bucket(const struct sbc_location *location, struct sip_flow flow)
{
    struct endpoint at = flow.remote;
    char key[6] = {(char)(at.addr >> 24), (char)(at.addr >> 16), (char)(at.addr >> 8),
                   (char)at.addr,         (char)(at.port >> 8),  (char)at.port};
    return &location->by_flow[span_hash(span_make(key, sizeof key)) & (location->buckets - 1)];
}

static struct binding *first_of_flow(const struct sbc_location *location, struct sip_flow flow)
{
    struct binding *b = *flow_bucket(location, flow);
    while (b && !sip_flow_equal(b->flow, flow))
        b = b->next_of_flow;
    return b;
}

bool sbc_location_has_flow(const struct sbc_location *location, struct sip_flow flow)
{
    return first_of_flow(location, flow) != NULL;
}

/* ---- the tables ---- */

static void link_flow(struct binding *b)
{
    struct sbc_location *location = b->location;
    bool first = !sbc_location_has_flow(location, b->flow);
    struct binding **bucket = flow_bucket(location, b->flow);
    b->next_of_flow = *bucket;
    *bucket = b;
    if (first && location->events && location->events->flow)
        location->events->flow(location->arg, b->flow, true);
}

static void unlink_flow(struct binding *b)
{
    struct sbc_location *location = b->location;
    struct binding **at = flow_bucket(location, b->flow);
    while (*at != b)
        at = &(*at)->next_of_flow;
    *at = b->next_of_flow;
    if (!sbc_location_has_flow(location, b->flow) && location->events && location->events->flow)
        location->events->flow(location->arg, b->flow, false);
}

static void rehash_bucket(struct sbc_location *location, struct binding *chain)
{
    while (chain) {
        struct binding *b = chain;
        chain = b->next_of_aor;
        struct binding **aor = aor_bucket(location, aor_of(b));
        struct binding **flow = flow_bucket(location, b->flow);
        b->next_of_aor = *aor;
        *aor = b;
        b->next_of_flow = *flow;
        *flow = b;
    }
}

static int grow(struct sbc_location *location)
{
    size_t before = location->buckets;
    size_t buckets = before ? 2 * before : FIRST_BUCKETS;
    struct binding **by_aor = calloc(buckets, sizeof *by_aor);
    struct binding **by_flow = calloc(buckets, sizeof *by_flow);
    if (!by_aor || !by_flow) {
        free(by_aor);
        free(by_flow);
        return FE_EMEM;
    }
    struct binding **old = location->by_aor;
    free(location->by_flow);
    location->by_aor = by_aor;
    location->by_flow = by_flow;
    location->buckets = buckets;
    for (size_t i = 0; i < before; i++)
        rehash_bucket(location, old[i]);
    free(old);
    return 0;
}

/* ---- bindings ---- */

static void trace(const struct binding *b, const char *state)
{
    struct record *r = host_trace(b->location->host, "location");
    record_str(r, "state", state);
    record_text(r, "aor", aor_of(b));
    record_endpoint(r, "contact", b->flow.remote);
    host_trace_end(b->location->host);
}

static void end(struct binding *b, const char *state)
{
    struct sbc_location *location = b->location;
    struct binding **at = aor_bucket(location, aor_of(b));
    while (*at != b)
        at = &(*at)->next_of_aor;
    *at = b->next_of_aor;
    location->n--;
    trace(b, state);
    unlink_flow(b);
    host_timer_stop(location->host, &b->expiry);
    free(b);
}

static void expired(void *arg)
{
    end(arg, "expired");
}

static struct binding *find(const struct sbc_location *location, struct span aor, struct span contact)
{
    for (struct binding *b = *aor_bucket(location, aor); b; b = b->next_of_aor)
        if (span_equal(aor_of(b), aor) && span_equal(contact_of(b), contact))
            return b;
    return NULL;
}

static struct binding *add(struct sbc_location *location, struct span aor, struct span contact, struct sip_flow flow)
{
    if (location->n == location->buckets && grow(location))
        return NULL;
    struct binding *b = malloc(sizeof *b + aor.n + contact.n);
    if (!b)
        return NULL;
    *b = (struct binding){.location = location, .flow = flow, .aor_n = aor.n, .contact_n = contact.n};
    memcpy(b->text, aor.p, aor.n);
    memcpy(b->text + aor.n, contact.p, contact.n);
    timer_init(&b->expiry, expired, b);
    struct binding **bucket = aor_bucket(location, aor);
    b->next_of_aor = *bucket;
    *bucket = b;
    location->n++;
    link_flow(b);
    trace(b, "added");
    return b;
}

int sbc_location_set(struct sbc_location *location, struct span aor, struct span contact, struct sip_flow flow,
                     lab_time expires)
{
    struct binding *b = find(location, aor, contact);
    if (!b) {
        b = add(location, aor, contact, flow);
        if (!b)
            return FE_EMEM;
    } else {
        if (!sip_flow_equal(b->flow, flow)) {
            unlink_flow(b);
            b->flow = flow;
            link_flow(b);
        }
        trace(b, "refreshed");
    }
    host_timer_start(location->host, &b->expiry, expires);
    return 0;
}

void sbc_location_remove(struct sbc_location *location, struct span aor, struct span contact)
{
    struct binding *b = find(location, aor, contact);
    if (b)
        end(b, "removed");
}

void sbc_location_remove_all(struct sbc_location *location, struct span aor)
{
    struct binding *b = *aor_bucket(location, aor);
    while (b) {
        struct binding *next = b->next_of_aor;
        if (span_equal(aor_of(b), aor))
            end(b, "removed");
        b = next;
    }
}

void sbc_location_remove_flow(struct sbc_location *location, struct sip_flow flow)
{
    struct binding *b;
    while ((b = first_of_flow(location, flow)))
        end(b, "removed");
}

/* ---- who it is that comes by another flow ---- */

bool sbc_location_knows_caller(const struct sbc_location *location, struct span aor, struct sip_flow flow)
{
    if (!sip_flow_is_reliable(flow))
        return false;
    for (const struct binding *b = *aor_bucket(location, aor); b; b = b->next_of_aor)
        if (span_equal(aor_of(b), aor) && b->flow.remote.addr == flow.remote.addr &&
            (b->flow.transport != SIP_TLS || flow.transport == SIP_TLS))
            return true;
    return false;
}

static bool same_uri(struct span a, struct span b)
{
    struct sip_uri left;
    struct sip_uri right;
    return sip_uri_parse(a, &left) == 0 && sip_uri_parse(b, &right) == 0 && sip_uri_equal(&left, &right);
}

bool sbc_location_flow_of(const struct sbc_location *location, struct span aor, struct span contact, ipv4 from,
                          struct sip_flow *flow)
{
    for (const struct binding *b = *aor_bucket(location, aor); b; b = b->next_of_aor)
        if (span_equal(aor_of(b), aor) && b->flow.remote.addr == from && same_uri(contact_of(b), contact)) {
            *flow = b->flow;
            return true;
        }
    return false;
}

/* ---- the store ---- */

size_t sbc_location_count(const struct sbc_location *location)
{
    return location->n;
}

int sbc_location_new(struct sbc_location **out, struct host *h, const struct sbc_location_events *events, void *arg)
{
    struct sbc_location *location = calloc(1, sizeof *location);
    if (!location)
        return FE_EMEM;
    *location = (struct sbc_location){.host = h, .events = events, .arg = arg};
    if (grow(location)) {
        free(location);
        return FE_EMEM;
    }
    *out = location;
    return 0;
}

void sbc_location_free(struct sbc_location *location)
{
    if (!location)
        return;
    for (size_t i = 0; i < location->buckets; i++)
        while (location->by_aor[i]) {
            struct binding *b = location->by_aor[i];
            location->by_aor[i] = b->next_of_aor;
            host_timer_stop(location->host, &b->expiry);
            free(b);
        }
    free(location->by_aor);
    free(location->by_flow);
    free(location);
}
