/* The kind that asks DNS, for the tests of both worlds:
 *
 *     locate HOST [PORT]    traces "located": result, targets
 *     forget                what is remembered */
#ifndef FAREND_TESTS_NETNS_DNS_KINDS_H
#define FAREND_TESTS_NETNS_DNS_KINDS_H

#include "nodes/base/error.h"
#include "nodes/node.h"
#include "nodes/resolve/sip_blacklist.h"
#include "nodes/resolve/sip_locate.h"

#include <stdlib.h>

struct asker_settings {
    struct resolver_settings dns;
};

struct asker {
    struct host *host;
    struct resolver *resolver;
    struct sip_locator locator;
};

static const char *const asker_ports[] = {"on", "left", "right", NULL};
static const struct option asker_options[] = {RESOLVER_OPTIONS(struct asker_settings, dns), {0}};

static inline void asker_located(void *arg, const struct sip_location *location)
{
    struct asker *asker = arg;
    static const char *const results[] = {"found", "nothing", "failed"};
    char buf[1024];
    struct text targets = text_on(buf, sizeof buf);
    for (unsigned i = 0; i < location->n; i++) {
        text_str(&targets, i ? ", " : "");
        text_put(&targets, sip_transport_name(location->targets[i].transport));
        text_char(&targets, ' ');
        text_endpoint(&targets, location->targets[i].at);
    }
    struct record *r = host_trace(asker->host, "located");
    record_str(r, "result", results[location->result]);
    record_text(r, "targets", text_span(&targets));
    record_i64(r, "expires", location->expires);
    host_trace_end(asker->host);
}

static inline void asker_command(void *node, struct span line)
{
    struct asker *asker = node;
    struct sip_locate_query query = {.speaks = {SIP_TLS, SIP_TCP, SIP_UDP}, .speaks_n = 3};
    struct sip_search *search;
    struct span words;
    uint64_t port = 0;
    if (span_is(line, "forget")) {
        resolver_forget(asker->resolver);
        return;
    }
    span_cut(line, ' ', &words);
    query.host = span_cut(words, ' ', &words);
    if (words.n && span_u64(words, 65535, &port))
        abort();
    query.port = (uint16_t)port;
    if (sip_locate(&asker->locator, &query, asker_located, asker, &search))
        abort();
}

static inline int asker_start(struct host *h, const void *settings, void **node, struct text *why)
{
    const struct asker_settings *s = settings;
    struct asker *asker = calloc(1, sizeof *asker);
    (void)why;
    if (!asker)
        return FE_EMEM;
    asker->host = h;
    if (resolver_new(&asker->resolver, h, &s->dns)) {
        free(asker);
        return FE_EMEM;
    }
    sip_locator_init(&asker->locator, h, asker->resolver);
    *node = asker;
    return 0;
}

static inline void asker_stop(void *node)
{
    struct asker *asker = node;
    sip_locator_fini(&asker->locator);
    resolver_free(asker->resolver);
    free(asker);
}

static const struct node_kind asker_kind = {.name = "asker",
                                            .help = "asks DNS where SIP servers are",
                                            .ports = asker_ports,
                                            .options = asker_options,
                                            .settings_size = sizeof(struct asker_settings),
                                            .start = asker_start,
                                            .command = asker_command,
                                            .stop = asker_stop,
                                            .commands = "locate HOST [PORT]\nforget"};

extern const struct node_kind dns_kind;

#endif
