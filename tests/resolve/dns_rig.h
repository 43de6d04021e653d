/* A client that asks and three DNS servers, each on a machine made up (tests/sbc/fake_host.h), without a network
 * between them: what one sends the other has at once.
 *
 *     client 10.0.0.99      inside 10.0.0.2      failover 10.0.1.2      public 8.8.8.8        (DN-1)
 */
#ifndef FAREND_TESTS_RESOLVE_DNS_RIG_H
#define FAREND_TESTS_RESOLVE_DNS_RIG_H

#include "nodes/node.h"
#include "nodes/resolve/resolver.h"
#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

extern const struct node_kind dns_kind;

enum { RIG_SERVERS = 3 };
static const ipv4 rig_client = IPV4(10, 0, 0, 99);
static const ipv4 rig_addresses[RIG_SERVERS] = {IPV4(10, 0, 0, 2), IPV4(10, 0, 1, 2), IPV4(8, 8, 8, 8)};

struct rig {
    struct host *client;
    struct host *servers[RIG_SERVERS];
    void *nodes[RIG_SERVERS], *settings[RIG_SERVERS];
    bool up[RIG_SERVERS];
    struct resolver_settings dns;
    struct endpoint endpoints[RIG_SERVERS];
    struct resolver *resolver;
};

static inline void rig_set(struct rig *r, unsigned server, const char *path, const char *value)
{
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    if (options_set(dns_kind.options, r->settings[server], span_of(path), span_of(value), &why))
        fail_msg("%s", buf);
}

/* The servers, with the settings of before; servers_n of them are asked. */
static inline void rig_prepare(struct rig *r, unsigned servers_n)
{
    *r = (struct rig){0};
    r->client = fake_new("on", rig_client, NULL, 0);
    for (unsigned i = 0; i < RIG_SERVERS; i++) {
        r->servers[i] = fake_new("on", rig_addresses[i], NULL, 0);
        r->settings[i] = options_new(dns_kind.options, dns_kind.settings_size);
        r->endpoints[i] = (struct endpoint){rig_addresses[i], DNS_PORT};
        r->up[i] = true;
        assert_non_null(r->settings[i]);
    }
    r->dns = (struct resolver_settings){{r->endpoints, servers_n, NULL, 0}, 2 * SEC, 2, false};
}

static inline void rig_start(struct rig *r)
{
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    for (unsigned i = 0; i < RIG_SERVERS; i++)
        if (dns_kind.start(r->servers[i], r->settings[i], &r->nodes[i], &why))
            fail_msg("%s", buf);
    assert_int_equal(resolver_new(&r->resolver, r->client, &r->dns), 0);
}

static inline void rig_stop(struct rig *r)
{
    resolver_free(r->resolver);
    assert_int_equal(fake_open_sockets(r->client), 0);
    assert_int_equal(timers_next(&r->client->timers), NEVER);
    for (unsigned i = 0; i < RIG_SERVERS; i++) {
        dns_kind.stop(r->nodes[i]);
        assert_int_equal(fake_open_sockets(r->servers[i]), 0);
        options_free(dns_kind.options, r->settings[i]);
        fake_free(r->servers[i]);
    }
    fake_free(r->client);
}

static inline void rig_tell(struct rig *r, unsigned server, const char *command)
{
    dns_kind.command(r->nodes[server], span_of(command));
    assert_int_equal(fake_traced(r->servers[server], "bad-command", ""), 0);
}

static inline struct host *rig_host(struct rig *r, ipv4 addr)
{
    for (unsigned i = 0; i < RIG_SERVERS; i++)
        if (rig_addresses[i] == addr)
            return r->up[i] ? r->servers[i] : NULL;
    return addr == rig_client ? r->client : NULL;
}

/* A socket on all addresses hears what is sent to any. */
static inline void rig_deliver(struct host *h, struct endpoint from, struct endpoint to, struct span data)
{
    if (!fake_deliver(h, from, to, 64, data))
        fake_deliver(h, from, (struct endpoint){0, to.port}, 64, data);
}

/* True: something was sent and has been delivered. */
static inline bool rig_carry(struct rig *r, struct host *h, ipv4 addr)
{
    static struct fake_datagram sent[FAKE_SENT];
    size_t n = h->sent_n;
    assert_true(n <= FAKE_SENT);
    memcpy(sent, h->sent, n * sizeof *sent);
    h->sent_n = 0;
    for (size_t i = 0; i < n; i++) {
        struct host *to = rig_host(r, sent[i].to.addr);
        if (to)
            rig_deliver(to, (struct endpoint){addr, sent[i].from.port}, sent[i].to, span_make(sent[i].data, sent[i].n));
    }
    return n > 0;
}

static inline void rig_settle(struct rig *r)
{
    for (bool more = true; more;) {
        more = rig_carry(r, r->client, rig_client);
        for (unsigned i = 0; i < RIG_SERVERS; i++)
            more = rig_carry(r, r->servers[i], rig_addresses[i]) || more;
        more = more || timers_next(&r->client->timers) <= r->client->now;
        if (more)
            fake_advance(r->client, r->client->now);
    }
}

static inline lab_time rig_next(const struct rig *r)
{
    lab_time next = timers_next(&r->client->timers);
    for (unsigned i = 0; i < RIG_SERVERS; i++)
        next = timers_next(&r->servers[i]->timers) < next ? timers_next(&r->servers[i]->timers) : next;
    return next;
}

static inline void rig_to(struct rig *r, lab_time now)
{
    fake_advance(r->client, now);
    for (unsigned i = 0; i < RIG_SERVERS; i++)
        fake_advance(r->servers[i], now);
    rig_settle(r);
}

/* Lab time goes on to `until`, and everything that is due happens. */
static inline void rig_advance(struct rig *r, lab_time until)
{
    rig_settle(r);
    while (rig_next(r) <= until)
        rig_to(r, rig_next(r) > r->client->now ? rig_next(r) : r->client->now);
    rig_to(r, until);
}

/* Queries that the client has sent to a server. */
static inline size_t rig_queries(const struct rig *r, unsigned server)
{
    char peer[64];
    char buf[ENDPOINT_TEXT];
    snprintf(peer, sizeof peer, "\"msg\":\"query\",\"peer\":\"%s\"", endpoint_text(r->endpoints[server], buf));
    return fake_traced(r->client, "\"dir\":\"out\"", peer);
}

#endif
