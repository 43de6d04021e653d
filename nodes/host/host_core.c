#define _GNU_SOURCE
#include "nodes/host/host_impl.h"

#include <assert.h>
#include <unistd.h>

void host_init(struct host *h, const char *name, uint64_t seed, int epoll, const struct host_sink *sink)
{
    *h = (struct host){.name = name, .seed = seed, .epoll = epoll, .sink = sink};
    h->last = &h->inputs;
    timers_init(&h->timers);
    host_stream(h, "ports", &h->ports);
}

void host_fini(struct host *h)
{
    for (struct host_input *input = h->inputs, *next; input; input = next) {
        next = input->next;
        host_input_close(input);
        input->free(input);
    }
    timers_fini(&h->timers);
    close(h->epoll);
}

const char *host_name(const struct host *h)
{
    return h->name;
}

lab_time host_now(const struct host *h)
{
    return h->now;
}

lab_time host_clock(const struct host *h)
{
    return h->clock;
}

void host_stream(const struct host *h, const char *purpose, struct prng *out)
{
    prng_init(out, h->seed, span_of(h->name), span_of(purpose));
}

void host_timer_start(struct host *h, struct timer *t, lab_time at)
{
    if (timers_start(&h->timers, t, at))
        host_exit(h, 4); /* a program without its timers would be silently wrong */
}

void host_timer_stop(struct host *h, struct timer *t)
{
    timers_stop(&h->timers, t);
}

const struct host_port *host_port(const struct host *h, const char *name)
{
    for (unsigned i = 0; i < h->interfaces_n; i++)
        if (strcmp(h->interfaces[i].port.name, name) == 0)
            return &h->interfaces[i].port;
    return NULL;
}

const struct host_port *host_port_at(const struct host *h, unsigned index)
{
    return index < h->interfaces_n ? &h->interfaces[index].port : NULL;
}

const struct host_port *host_port_with(const struct host *h, ipv4 addr)
{
    for (unsigned i = 0; i < h->interfaces_n; i++)
        if (h->interfaces[i].port.addr == addr)
            return &h->interfaces[i].port;
    return NULL;
}

static bool fits_everywhere(const struct host *h, size_t n)
{
    for (unsigned i = 0; i < h->interfaces_n; i++)
        if (n > h->interfaces[i].port.mtu)
            return false;
    return true;
}

void host_count_sent(struct host *h, size_t n)
{
    if (!fits_everywhere(h, n))
        h->sent = TURN_SENT_MANY;
    else if (h->sent != TURN_SENT_MANY)
        h->sent++;
}

struct record *host_trace(struct host *h, const char *event)
{
    assert(!h->tracing);
    h->tracing = true;
    record_begin(&h->record, h->sink->room(h), RECORD_MAX);
    record_i64(&h->record, "t", h->now);
    record_str(&h->record, "node", h->name);
    record_str(&h->record, "ev", event);
    return &h->record;
}

void host_trace_end(struct host *h)
{
    assert(h->tracing);
    h->tracing = false;
    h->sink->line(h, record_end(&h->record));
}

void host_drop(struct host *h, const char *cause, struct span what)
{
    struct record *r = host_trace(h, "drop");
    record_str(r, "cause", cause);
    record_text(r, "packet", what);
    host_trace_end(h);
}

void host_secret(struct host *h, struct span line)
{
    h->sink->secret(h, line);
}

void host_exit(struct host *h, int status)
{
    h->ended = true;
    h->status = status;
}
