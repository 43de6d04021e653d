/* A machine for tests of one node: a virtual clock, sockets whose datagrams end in a list, a trace in memory. Include
 * it in one file of a test program; it defines the whole of nodes/host.h for that program. */
#ifndef FAREND_TESTS_SBC_FAKE_HOST_H
#define FAREND_TESTS_SBC_FAKE_HOST_H

#include "nodes/base/error.h"
#include "nodes/host.h"
#include "tests/sip/fake_tcp.h"

#include <stdio.h>
#include <stdlib.h>

enum { FAKE_SOCKETS = 256, FAKE_SENT = 512, FAKE_DATA = 4096, FAKE_TRACE = 1 << 20 };

struct host_udp {
    struct host *host;
    struct endpoint local;
    const struct host_udp_events *events;
    void *arg;
    bool open;
};

struct fake_datagram {
    struct endpoint from, to;
    uint8_t ttl;
    char data[FAKE_DATA];
    size_t n;
};

struct host {
    lab_time now;
    struct timers timers;
    struct host_port ports[2];
    struct host_udp sockets[FAKE_SOCKETS];
    struct fake_datagram sent[FAKE_SENT]; /* the first FAKE_SENT; later ones are only counted */
    size_t sent_n;
    size_t drops;
    char last_drop[32];
    char trace[FAKE_TRACE];
    size_t trace_n;
    struct record record;
    char line[RECORD_MAX];
    struct fake_tcp tcp;
    unsigned secrets;    /* lines given to host_secret() */
    uint16_t taken_port; /* host_udp_open() says FE_EUSED for it */
    bool exited;         /* host_exit() was called */
    uint16_t free_port;  /* the last one that it chose for port 0: from 40001 on */
};

static inline struct host *fake_new(const char *first, ipv4 first_addr, const char *second, ipv4 second_addr)
{
    struct host *h = calloc(1, sizeof *h);
    timers_init(&h->timers);
    h->ports[0] = (struct host_port){first, first_addr, 24, 1500};
    h->ports[1] = (struct host_port){second, second_addr, 24, 1500};
    return h;
}

static inline void fake_free(struct host *h)
{
    timers_fini(&h->timers);
    fake_tcp_fini(&h->tcp);
    free(h);
}

/* Lab time goes on to `until`, timers fire on the way. */
static inline void fake_advance(struct host *h, lab_time until)
{
    while (timers_next(&h->timers) <= until) {
        h->now = timers_next(&h->timers) > h->now ? timers_next(&h->timers) : h->now;
        timers_fire(&h->timers, h->now);
    }
    h->now = until;
}

/* False: nobody has this port. */
static inline bool fake_deliver(struct host *h, struct endpoint from, struct endpoint to, uint8_t ttl, struct span data)
{
    for (int i = 0; i < FAKE_SOCKETS; i++) {
        struct host_udp *u = &h->sockets[i];
        if (u->open && endpoint_equal(u->local, to)) {
            u->events->received(u->arg, from, ttl, data);
            return true;
        }
    }
    return false;
}

static inline const struct fake_datagram *fake_last(const struct host *h)
{
    return h->sent_n && h->sent_n <= FAKE_SENT ? &h->sent[h->sent_n - 1] : NULL;
}

/* Lines of the trace that hold both texts. */
static inline size_t fake_traced(const struct host *h, const char *one, const char *other)
{
    size_t n = 0;
    for (const char *line = h->trace; *line; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n');
        const char *a = strstr(line, one);
        const char *b = strstr(line, other);
        n += a && a < end && b && b < end;
    }
    return n;
}

static inline size_t fake_open_sockets(const struct host *h)
{
    size_t n = 0;
    for (int i = 0; i < FAKE_SOCKETS; i++)
        n += h->sockets[i].open;
    return n;
}

/* ---- nodes/host.h ---- */

const char *host_name(const struct host *h)
{
    (void)h;
    return "node";
}

lab_time host_now(const struct host *h)
{
    return h->now;
}

lab_time host_clock(const struct host *h)
{
    return h->now;
}

void host_stream(const struct host *h, const char *purpose, struct prng *out)
{
    (void)h;
    prng_init(out, 1, SPAN("node"), span_of(purpose));
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
    for (int i = 0; i < 2; i++)
        if (h->ports[i].name && strcmp(h->ports[i].name, name) == 0)
            return &h->ports[i];
    return NULL;
}

const struct host_port *host_port_at(const struct host *h, unsigned index)
{
    return index < 2 && h->ports[index].name ? &h->ports[index] : NULL;
}

static struct fake_tcp *fake_tcp_of(struct host *h)
{
    return &h->tcp;
}

int host_udp_open(struct host *h, struct endpoint local, const struct host_udp_events *events, void *arg,
                  struct host_udp **out)
{
    struct host_udp *unused = NULL;
    if (local.port == 0) {
        h->free_port = h->free_port ? (uint16_t)(h->free_port + 1) : 40001;
        local.port = h->free_port;
    }
    for (int i = FAKE_SOCKETS - 1; i >= 0; i--) {
        if (h->sockets[i].open && endpoint_equal(h->sockets[i].local, local))
            return FE_EUSED;
        if (!h->sockets[i].open)
            unused = &h->sockets[i];
    }
    if (local.port == h->taken_port)
        return FE_EUSED;
    if (!unused)
        return FE_EOS;
    *unused = (struct host_udp){h, local, events, arg, true};
    *out = unused;
    return 0;
}

struct endpoint host_udp_local(const struct host_udp *u)
{
    return u->local;
}

int host_udp_send(struct host_udp *u, struct endpoint to, uint8_t ttl, struct span data)
{
    struct host *h = u->host;
    if (h->sent_n < FAKE_SENT && data.n < FAKE_DATA) {
        struct fake_datagram *d = &h->sent[h->sent_n];
        d->from = u->local;
        d->to = to;
        d->ttl = ttl;
        d->n = data.n;
        memcpy(d->data, data.p, data.n);
        d->data[data.n] = '\0';
    }
    h->sent_n++;
    return 0;
}

void host_udp_set_df(struct host_udp *u, bool df)
{
    (void)u;
    (void)df;
}

void host_udp_close(struct host_udp *u)
{
    u->open = false;
}

int host_raw_open(struct host *h, const struct host_raw_events *events, void *arg, struct host_raw **out)
{
    (void)h;
    (void)events;
    (void)arg;
    (void)out;
    return FE_EOS;
}

int host_raw_send(struct host_raw *r, unsigned port, const uint8_t *packet, size_t n)
{
    (void)r;
    (void)port;
    (void)packet;
    (void)n;
    return FE_EOS;
}

void host_raw_close(struct host_raw *r)
{
    (void)r;
}

struct record *host_trace(struct host *h, const char *event)
{
    record_begin(&h->record, h->line, sizeof h->line);
    record_i64(&h->record, "t", h->now);
    record_str(&h->record, "ev", event);
    return &h->record;
}

void host_trace_end(struct host *h)
{
    struct span line = record_end(&h->record);
    if (h->trace_n + line.n + 2 > FAKE_TRACE)
        abort();
    memcpy(h->trace + h->trace_n, line.p, line.n);
    h->trace_n += line.n;
    h->trace[h->trace_n++] = '\n';
}

void host_secret(struct host *h, struct span line)
{
    (void)line;
    h->secrets++;
}

void host_drop(struct host *h, const char *cause, struct span what)
{
    (void)what;
    h->drops++;
    snprintf(h->last_drop, sizeof h->last_drop, "%s", cause);
}

void host_exit(struct host *h, int status)
{
    h->exited = true;
    (void)status;
}

#endif
