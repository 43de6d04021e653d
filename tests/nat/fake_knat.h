/* A machine whose NAT is played by the test, for the nat node with `engine: kernel`.
 *
 *     A 10.0.0.2 ─── 10.0.0.1 [NAT] 203.0.113.7 ─── S 198.51.100.1
 */
#ifndef FAREND_TESTS_NAT_FAKE_KNAT_H
#define FAREND_TESTS_NAT_FAKE_KNAT_H

#include "nodes/base/error.h"
#include "nodes/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC IPV4(203, 0, 113, 7)

enum { INSIDE, OUTSIDE, TRACE = 8192 };

struct host {
    lab_time now;
    struct timers timers;
    struct record record;
    char line[RECORD_MAX];
    char trace[TRACE]; /* lines so far */
    bool refuses;      /* has no NAT of its own */
};

struct host_knat {
    struct host_knat_config rules;
    struct host_knat_events events;
    void *arg;
    unsigned ended, flushed, closed;
    struct host_knat_flow last; /* ended */
};

static struct host_knat the_knat;

static const struct host_port ports[] = {{"inside", IPV4(10, 0, 0, 1), 24, 1500}, {"outside", PUBLIC, 24, 1500}};

const struct host_port *host_port_at(const struct host *h, unsigned index)
{
    (void)h;
    return index < 2 ? &ports[index] : NULL;
}

lab_time host_now(const struct host *h)
{
    return h->now;
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
    size_t n = strlen(h->trace);
    if (n + line.n + 2 >= sizeof h->trace)
        h->trace[n = 0] = '\0'; /* the fuzzer does not read it */
    snprintf(h->trace + n, sizeof h->trace - n, "%.*s\n", SPAN_ARG(line));
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
    (void)h, (void)status;
    abort();
}

int host_knat_open(struct host *h, const struct host_knat_config *config, const struct host_knat_events *events,
                   void *arg, struct host_knat **out, struct text *why)
{
    if (h->refuses) {
        text_str(why, "there is none");
        return FE_EREFUSED;
    }
    the_knat = (struct host_knat){.rules = *config, .events = *events, .arg = arg};
    *out = &the_knat;
    return 0;
}

int host_knat_configure(struct host_knat *k, const struct host_knat_config *config)
{
    k->rules = *config;
    return 0;
}

void host_knat_end(struct host_knat *k, const struct host_knat_flow *flow)
{
    k->ended++;
    k->last = *flow;
}

void host_knat_flush(struct host_knat *k)
{
    k->flushed++;
}

void host_knat_close(struct host_knat *k)
{
    k->closed++;
}

/* Not asked for by this engine, but by the other one of the kind. */
void host_stream(const struct host *h, const char *purpose, struct prng *out)
{
    (void)h, (void)purpose, (void)out;
    abort();
}

int host_raw_open(struct host *h, const struct host_raw_events *events, void *arg, struct host_raw **out)
{
    (void)h, (void)events, (void)arg, (void)out;
    abort();
}

int host_raw_send(struct host_raw *r, unsigned port, const uint8_t *packet, size_t n)
{
    (void)r, (void)port, (void)packet, (void)n;
    abort();
}

void host_raw_close(struct host_raw *r)
{
    (void)r;
}

#endif
