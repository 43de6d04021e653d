/* Kinds of nodes for the tests of the netns world. Each test program has them for the simulated world; for the other
 * they are programs of their own (kind_program.c), so that the same code meets both hosts.
 *
 *     talker    tests/world/probe.h, with ports
 *     mirror    raw: sends every UDP packet back to where it came from
 *     trouble   does what it is told: "flood N" lines of trace, "secret N" lines of a key log, "die", "hang", "exit",
 *               "timer MS" */
#ifndef FAREND_TESTS_NETNS_KINDS_H
#define FAREND_TESTS_NETNS_KINDS_H

#include "nodes/base/bytes.h"
#include "tests/world/probe.h"

static const char *const kinds_ports[] = {"on", "left", "right", NULL};

static const struct node_kind talker_kind = {.name = "talker",
                                             .help = "sends and tells what it receives",
                                             .ports = kinds_ports,
                                             .options = probe_options,
                                             .settings_size = 1,
                                             .start = probe_start,
                                             .command = probe_command,
                                             .stop = free};

/* ---- mirror ---- */

struct mirror {
    struct host *host;
    struct host_raw *raw;
};

static inline void mirror_received(void *arg, unsigned port, uint8_t *packet, size_t n)
{
    struct mirror *mirror = arg;
    struct ip_view v;
    struct record *r = host_trace(mirror->host, "mirrored");
    int error = ip_parse(packet, n, &v);
    if (!error && v.protocol == IP_UDP && v.has_ports) {
        put32(packet + 12, v.dst);
        put32(packet + 16, v.src);
        put16(packet + v.header, v.dport);
        put16(packet + v.header + 2, v.sport);
        error = host_raw_send(mirror->raw, port, packet, n);
    }
    record_u64(r, "port", port);
    record_u64(r, "ttl", error ? 0 : v.ttl);
    record_u64(r, "n", n);
    record_bool(r, "sums", ip_transport_sum_ok(packet, n));
    record_i64(r, "result", error);
    host_trace_end(mirror->host);
}

static inline int mirror_start(struct host *h, const void *settings, void **node, struct text *why)
{
    static const struct host_raw_events events = {.received = mirror_received};
    struct mirror *mirror = calloc(1, sizeof *mirror);
    (void)settings;
    (void)why;
    if (!mirror)
        return FE_EMEM;
    mirror->host = h;
    *node = mirror;
    return host_raw_open(h, &events, mirror, &mirror->raw);
}

static inline void ignore_command(void *node, struct span line)
{
    (void)node;
    (void)line;
}

static inline void mirror_stop(void *node)
{
    struct mirror *mirror = node;
    host_raw_close(mirror->raw);
    free(mirror);
}

static const struct node_kind mirror_kind = {.name = "mirror",
                                             .help = "sends UDP packets back",
                                             .ports = kinds_ports,
                                             .raw = true,
                                             .options = probe_options,
                                             .settings_size = 1,
                                             .start = mirror_start,
                                             .command = ignore_command,
                                             .stop = mirror_stop};

/* ---- trouble ---- */

struct trouble_settings {
    bool start;
    uint32_t number;
};

static const struct option trouble_options[] = {
    {"start", OPT_FLAG, OPTION_AT(struct trouble_settings, start), .def = "yes", .help = "whether it starts"},
    {"number", OPT_COUNT, OPTION_AT(struct trouble_settings, number), .def = "1", .help = "a number"},
    {0}};

struct trouble {
    struct host *host;
    struct timer timer;
    uint32_t number;
};

static inline void trouble_timer(void *arg)
{
    struct trouble *trouble = arg;
    host_trace(trouble->host, "timer");
    host_trace_end(trouble->host);
}

static inline int trouble_start(struct host *h, const void *settings, void **node, struct text *why)
{
    const struct trouble_settings *s = settings;
    if (!s->start) {
        text_str(why, "it was told not to start");
        return FE_EREFUSED;
    }
    struct trouble *trouble = calloc(1, sizeof *trouble);
    if (!trouble)
        return FE_EMEM;
    trouble->host = h;
    trouble->number = s->number;
    timer_init(&trouble->timer, trouble_timer, trouble);
    *node = trouble;
    struct record *r = host_trace(h, "started");
    record_u64(r, "number", s->number);
    host_trace_end(h);
    return 0;
}

static inline void trouble_flood(struct trouble *trouble, uint64_t lines)
{
    for (uint64_t i = 0; i < lines; i++) {
        struct record *r = host_trace(trouble->host, "flood");
        record_u64(r, "i", i);
        host_trace_end(trouble->host);
    }
}

static inline void trouble_secrets(struct trouble *trouble, uint64_t lines)
{
    char line[256];
    for (uint64_t i = 0; i < lines; i++) {
        int n = snprintf(line, sizeof line, "CLIENT_RANDOM %064u %096u", (unsigned)i, (unsigned)i);
        host_secret(trouble->host, (struct span){line, (size_t)n});
    }
}

static inline void trouble_command(void *node, struct span line)
{
    struct trouble *trouble = node;
    struct span rest;
    uint64_t n = 0;
    struct span verb = span_cut(line, ' ', &rest);
    span_u64(rest, UINT64_MAX, &n);
    if (span_is(verb, "flood"))
        trouble_flood(trouble, n);
    else if (span_is(verb, "secret"))
        trouble_secrets(trouble, n);
    else if (span_is(verb, "timer"))
        host_timer_start(trouble->host, &trouble->timer, host_now(trouble->host) + (lab_time)n * MS);
    else if (span_is(verb, "exit"))
        host_exit(trouble->host, 0);
    else if (span_is(verb, "die"))
        abort();
    else if (span_is(verb, "hang"))
        for (volatile bool for_ever = true; for_ever;)
            ;
}

static inline void trouble_stop(void *node)
{
    struct trouble *trouble = node;
    host_timer_stop(trouble->host, &trouble->timer);
    free(trouble);
}

static const struct node_kind trouble_kind = {.name = "trouble",
                                              .help = "misbehaves when told to",
                                              .ports = kinds_ports,
                                              .options = trouble_options,
                                              .settings_size = sizeof(struct trouble_settings),
                                              .start = trouble_start,
                                              .command = trouble_command,
                                              .stop = trouble_stop,
                                              .commands = "flood N\nsecret N\ntimer MS\ndie\nhang\nexit"};

#endif
