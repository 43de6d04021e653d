/* A network for tests: hosts that implement nodes/host.h in one process, joined by a path whose delay and losses the
 * test decides packet by packet, in virtual time. Every line of the trace is kept. Included by one .c file of a test
 * program; it defines the host_* functions. */
#ifndef FAREND_TESTS_FAKE_NET_H
#define FAREND_TESTS_FAKE_NET_H

#include "nodes/base/error.h"
#include "nodes/base/prng.h"
#include "nodes/base/record.h"
#include "nodes/base/timers.h"
#include "nodes/host.h"
#include "tests/sip/fake_tcp.h"

#include <stdlib.h>
#include <string.h>

enum { NET_HOSTS = 8, NET_SOCKETS = 64, NET_LINES = 8192, NET_DATAGRAM = 4096 };

struct net_packet {
    struct net_packet *next;
    lab_time at; /* arrival; the path may change it, NEVER loses the packet */
    struct endpoint from, to;
    uint8_t ttl;
    size_t n;
    uint8_t data[NET_DATAGRAM];
};

struct host_udp {
    struct host *host; /* NULL: free */
    struct endpoint local;
    const struct host_udp_events *events;
    void *arg;
};

struct host {
    const char *name;
    struct host_port port;
    struct timers timers;
    struct fake_tcp tcp;
};

struct net {
    lab_time now;
    lab_time delay; /* of the path, one way */
    /* Called for every packet sent; may change at, ttl, from (a NAT) and the data. May be NULL. */
    void (*path)(struct net_packet *p);
    struct host hosts[NET_HOSTS];
    size_t hosts_n;
    struct host_udp sockets[NET_SOCKETS];
    struct net_packet *packets; /* by time of arrival, then by order of sending */
    struct record record;
    char line[RECORD_MAX];
    char *lines[NET_LINES];
    size_t lines_n;
};

static struct net net;

/* ---- arranging ---- */

static inline void net_begin(lab_time delay)
{
    net = (struct net){.delay = delay};
}

static inline struct host *net_host(const char *name, ipv4 addr)
{
    struct host *h = &net.hosts[net.hosts_n++];
    *h = (struct host){.name = name, .port = {"on", addr, 24, 1500}};
    timers_init(&h->timers);
    return h;
}

static inline void net_end(void)
{
    while (net.packets) {
        struct net_packet *p = net.packets;
        net.packets = p->next;
        free(p);
    }
    for (size_t i = 0; i < net.hosts_n; i++) {
        timers_fini(&net.hosts[i].timers);
        fake_tcp_fini(&net.hosts[i].tcp);
    }
    for (size_t i = 0; i < net.lines_n; i++)
        free(net.lines[i]);
}

/* ---- running ---- */

static inline struct host_udp *net_socket(struct endpoint local)
{
    for (size_t i = 0; i < NET_SOCKETS; i++)
        if (net.sockets[i].host && endpoint_equal(net.sockets[i].local, local))
            return &net.sockets[i];
    return NULL;
}

static inline void net_deliver(void)
{
    struct net_packet *p = net.packets;
    if (!p)
        abort();
    struct host_udp *u = net_socket(p->to);
    net.packets = p->next;
    net.now = p->at;
    if (u)
        u->events->received(u->arg, p->from, p->ttl, span_make(p->data, p->n));
    free(p);
}

/* Runs everything that happens up to and at `until`: at one instant packets before timers, hosts in their order. */
static inline void net_run(lab_time until)
{
    for (;;) {
        struct host *first = NULL;
        lab_time at = net.packets ? net.packets->at : NEVER;
        for (size_t i = 0; i < net.hosts_n; i++)
            if (timers_next(&net.hosts[i].timers) < at) {
                first = &net.hosts[i];
                at = timers_next(&first->timers);
            }
        if (at > until)
            break;
        net.now = at > net.now ? at : net.now;
        if (first)
            timers_fire(&first->timers, net.now);
        else
            net_deliver();
    }
    net.now = until;
}

static inline void net_insert(struct net_packet *p)
{
    struct net_packet **at = &net.packets;
    while (*at && (*at)->at <= p->at)
        at = &(*at)->next;
    p->next = *at;
    *at = p;
}

static inline void net_send(struct endpoint from, struct endpoint to, uint8_t ttl, struct span data)
{
    struct net_packet *p = calloc(1, sizeof *p);
    if (!p || data.n > sizeof p->data)
        abort();
    *p = (struct net_packet){.at = net.now + net.delay, .from = from, .to = to, .ttl = ttl, .n = data.n};
    memcpy(p->data, data.p, data.n);
    if (net.path)
        net.path(p);
    if (p->at == NEVER)
        free(p);
    else
        net_insert(p);
}

/* ---- the trace ---- */

/* The n-th line (from 0) of this host (NULL: any) with ev and, when not NULL, key = value; an empty span: none. */
static inline struct span net_line(const char *host, const char *ev, const char *key, const char *value, size_t n)
{
    for (size_t i = 0; i < net.lines_n; i++) {
        struct span line = span_of(net.lines[i]);
        if ((!host || record_is(line, "node", host)) && record_is(line, "ev", ev) &&
            (!key || record_is(line, key, value)) && n-- == 0)
            return line;
    }
    return (struct span){NULL, 0};
}

static inline size_t net_count(const char *host, const char *ev, const char *key, const char *value)
{
    size_t n = 0;
    while (net_line(host, ev, key, value, n).n)
        n++;
    return n;
}

static inline struct span net_last(const char *host, const char *ev, const char *key, const char *value)
{
    size_t n = net_count(host, ev, key, value);
    return n ? net_line(host, ev, key, value, n - 1) : (struct span){NULL, 0};
}

static inline int64_t net_number(struct span line, const char *key)
{
    int64_t value = -1;
    (void)record_get_i64(line, key, &value);
    return value;
}

/* ---- nodes/host.h ---- */

const char *host_name(const struct host *h)
{
    return h->name;
}

lab_time host_now(const struct host *h)
{
    (void)h;
    return net.now;
}

lab_time host_clock(const struct host *h)
{
    (void)h;
    return net.now;
}

void host_stream(const struct host *h, const char *purpose, struct prng *out)
{
    prng_init(out, 1, span_of(h->name), span_of(purpose));
}

void host_timer_start(struct host *h, struct timer *t, lab_time at)
{
    if (timers_start(&h->timers, t, at))
        abort();
}

void host_timer_stop(struct host *h, struct timer *t)
{
    timers_stop(&h->timers, t);
}

const struct host_port *host_port(const struct host *h, const char *name)
{
    return strcmp(name, h->port.name) == 0 ? &h->port : NULL;
}

const struct host_port *host_port_at(const struct host *h, unsigned index)
{
    return index == 0 ? &h->port : NULL;
}

static struct fake_tcp *fake_tcp_of(struct host *h)
{
    return &h->tcp;
}

int host_udp_open(struct host *h, struct endpoint local, const struct host_udp_events *events, void *arg,
                  struct host_udp **out)
{
    struct host_udp *u = net.sockets;
    if (local.port == 0)
        for (local.port = 32768; net_socket(local); local.port++)
            ;
    if (net_socket(local))
        return FE_EUSED;
    while (u->host)
        if (++u == net.sockets + NET_SOCKETS)
            return FE_EMEM;
    *u = (struct host_udp){h, local, events, arg};
    *out = u;
    return 0;
}

struct endpoint host_udp_local(const struct host_udp *u)
{
    return u->local;
}

int host_udp_send(struct host_udp *u, struct endpoint to, uint8_t ttl, struct span data)
{
    net_send(u->local, to, ttl ? ttl : 64, data);
    return 0;
}

void host_udp_set_df(struct host_udp *u, bool df)
{
    (void)u;
    (void)df;
}

void host_udp_close(struct host_udp *u)
{
    u->host = NULL;
}

int host_raw_open(struct host *h, const struct host_raw_events *events, void *arg, struct host_raw **out)
{
    (void)h;
    (void)events;
    (void)arg;
    (void)out;
    return FE_EREFUSED;
}

int host_raw_send(struct host_raw *r, unsigned port, const uint8_t *packet, size_t n)
{
    (void)r;
    (void)port;
    (void)packet;
    (void)n;
    return FE_EREFUSED;
}

void host_raw_close(struct host_raw *r)
{
    (void)r;
}

struct record *host_trace(struct host *h, const char *event)
{
    record_begin(&net.record, net.line, sizeof net.line);
    record_i64(&net.record, "t", net.now);
    record_str(&net.record, "node", h->name);
    record_str(&net.record, "ev", event);
    return &net.record;
}

void host_trace_end(struct host *h)
{
    struct span line = record_end(&net.record);
    char *copy = malloc(line.n + 1);
    (void)h;
    if (!copy || net.lines_n == NET_LINES)
        abort();
    memcpy(copy, line.p, line.n);
    copy[line.n] = '\0';
    net.lines[net.lines_n++] = copy;
}

void host_secret(struct host *h, struct span line)
{
    (void)h;
    (void)line;
}

void host_drop(struct host *h, const char *cause, struct span what)
{
    struct record *r = host_trace(h, "drop");
    record_str(r, "cause", cause);
    record_text(r, "packet", what);
    host_trace_end(h);
}

void host_exit(struct host *h, int status)
{
    (void)h;
    (void)status;
}

#endif
