/* Connections as the program has them: nodes/host.h. What it is told, and in which order, is what the real host makes
 * of the kernel's events (nodes/host/host_tcp.c): in one round connected, received, finished, failed, drained. */
#include "nodes/base/error.h"
#include "sim/world/sim_tcp.h"

#include <stdlib.h>

enum {
    PORT_LOW = 32768, /* as nodes/host/host_socket.c, so that both worlds choose the same */
    PORT_HIGH = 60999,
    PORT_TRIES = 10000,
};

enum { SAY_CONNECTED = 1, SAY_DATA = 2, SAY_END = 4, SAY_ROOM = 8 };

static struct host_tcp *of(const struct sim_input *input)
{
    return (struct host_tcp *)(uintptr_t)input;
}

static bool is_live(const struct host_tcp *c)
{
    return !c->end.input.closed && !c->dead;
}

void sim_tcp_tell(struct sim_tcp *t)
{
    if (t->owner && t->owner->end.input.poll(&t->owner->end.input))
        sim_input_news(&t->owner->end.input);
}

/* ---- what there is to tell ---- */

static unsigned poll(const struct sim_input *input)
{
    const struct host_tcp *c = of(input);
    const struct sim_tcp *t = c->tcp;
    unsigned what = 0;
    if (!is_live(c))
        return 0;
    if (c->connecting && (t->state == SIM_TCP_SYN_SENT || t->state == SIM_TCP_SYN_RECEIVED))
        return 0;
    if (c->connecting)
        what |= SAY_CONNECTED;
    if (t->unread && !c->closing)
        what |= SAY_DATA;
    if (t->error || (t->fin_received && !c->finished && !c->closing))
        what |= SAY_END;
    if (c->waiting && !t->unsent_bytes)
        what |= SAY_ROOM;
    return what;
}

static void release(struct host_tcp *c)
{
    struct sim_tcp *t = c->tcp;
    bool outermost = sim_tcp_enter(t->host);
    c->tcp = NULL;
    sim_tcp_close(t);
    sim_tcp_end_close(&c->end);
    sim_tcp_leave(t->host, outermost);
}

static void failed(struct host_tcp *c, int error)
{
    c->dead = true;
    c->waiting = false;
    if (c->closing)
        release(c);
    else if (c->owned && c->events.failed)
        c->events.failed(c->arg, error);
}

static void flush(struct host_tcp *c)
{
    struct sim_tcp *t = c->tcp;
    bool outermost = sim_tcp_enter(t->host);
    sim_tcp_uncork(t);
    sim_tcp_push(t);
    if (c->closing)
        release(c);
    else if (c->finishing)
        sim_tcp_shut(t);
    else
        c->waiting = t->unsent_bytes != 0;
    sim_tcp_timer_set(t);
    sim_tcp_leave(t->host, outermost);
}

/* A connection that was made and reset at once was made. */
static void tell_connected(struct host_tcp *c)
{
    int error = c->tcp->error;
    c->connecting = false;
    if (error && error != FE_ERESET) {
        failed(c, error);
        return;
    }
    if (!error)
        flush(c);
    if (is_live(c) && c->owned && c->events.connected)
        c->events.connected(c->arg);
}

/* What is there now: what a callback brings about by sending to this machine itself is the next round's. */
static void tell_data(struct host_tcp *c)
{
    struct world *w = c->end.input.host->world;
    uint32_t left = c->tcp->unread;
    while (left && is_live(c)) {
        struct sim_tcp *t = c->tcp;
        bool outermost = sim_tcp_enter(t->host);
        size_t n = sim_tcp_take(t, w->portion, left < sizeof w->portion ? left : sizeof w->portion);
        sim_tcp_window_opened(t);
        sim_tcp_leave(t->host, outermost);
        left -= (uint32_t)n;
        if (c->owned && c->events.received)
            c->events.received(c->arg, span_make(w->portion, n));
    }
}

static void tell_end(struct host_tcp *c)
{
    const struct sim_tcp *t = c->tcp;
    if (t->unread && !c->closing)
        return; /* there is more by now: the next round's */
    if (t->fin_received && !c->finished) {
        c->finished = true;
        if (c->owned && c->events.finished)
            c->events.finished(c->arg);
    }
    if (is_live(c) && c->tcp->error)
        failed(c, c->tcp->error);
}

static void tell_room(struct host_tcp *c)
{
    if (!c->waiting || c->finishing || c->tcp->unsent_bytes || c->tcp->error)
        return;
    c->waiting = false;
    if (c->owned && c->events.drained)
        c->events.drained(c->arg);
}

static void tell(struct sim_input *input, unsigned what)
{
    struct host_tcp *c = of(input);
    if (what & SAY_CONNECTED && is_live(c))
        tell_connected(c);
    if (what & SAY_DATA && is_live(c))
        tell_data(c);
    if (what & SAY_END && is_live(c))
        tell_end(c);
    if (what & SAY_ROOM && is_live(c))
        tell_room(c);
}

/* ---- making ---- */

struct host_tcp *sim_tcp_adopt(struct sim_tcp *t, bool connecting)
{
    struct host_tcp *c = calloc(1, sizeof *c);
    if (!c) {
        engine_fail(t->host->world->engine, "out of memory for a TCP connection");
        return NULL;
    }
    c->tcp = t;
    c->local = t->local;
    c->remote = t->remote;
    c->connecting = connecting;
    c->end.input.poll = poll;
    c->end.input.tell = tell;
    sim_tcp_end_add(t->host, &c->end);
    t->owner = c;
    return c;
}

void host_tcp_own(struct host_tcp *c, const struct host_tcp_events *events, void *arg)
{
    c->events = *events;
    c->arg = arg;
    c->owned = true;
}

static int choose_port(struct host *h, struct endpoint *local)
{
    for (int i = 0; i < PORT_TRIES; i++) {
        local->port = (uint16_t)(PORT_LOW + prng_below(&h->ports_stream, PORT_HIGH - PORT_LOW + 1));
        if (!sim_tcp_port_used(h, local->port))
            return 0;
    }
    return FE_EUSED;
}

/* The local end, whole. */
static int local_for(struct host *h, struct endpoint *local, struct endpoint remote)
{
    int error = local->port ? 0 : choose_port(h, local);
    int route = sim_stack_route(h, remote.addr);
    if (error)
        return error;
    if (local->addr && sim_stack_route(h, local->addr) != ROUTE_LOCAL)
        return FE_EUNREACH;
    if (route == ROUTE_NONE || (local->addr >> 24 == 127 && route != ROUTE_LOCAL))
        return FE_EUNREACH;
    if (!local->addr)
        local->addr = route == ROUTE_LOCAL ? remote.addr : h->ports[route].is.addr;
    return sim_tcp_find(h, *local, remote) ? FE_EUSED : 0;
}

static int begin(struct host *h, struct endpoint local, struct endpoint remote, struct host_tcp **out)
{
    struct sim_tcp *t = sim_tcp_new(h, local, remote);
    *out = t ? sim_tcp_adopt(t, true) : NULL;
    if (!*out) {
        if (t)
            sim_tcp_done(t, 0);
        return FE_EMEM;
    }
    t->corked = true;
    t->peer_mss = UINT16_MAX; /* until it says otherwise */
    sim_tcp_measure(t);
    sim_tcp_syn(t);
    sim_tcp_timer_opening(t);
    sim_tcp_timer_set(t);
    return 0;
}

int host_tcp_connect(struct host *h, struct endpoint local, struct endpoint remote,
                     const struct host_tcp_events *events, void *arg, struct host_tcp **out)
{
    int error = local_for(h, &local, remote);
    if (error)
        return error;
    if (!sim_tcp_stack(h))
        return FE_EMEM;
    bool outermost = sim_tcp_enter(h);
    error = begin(h, local, remote, out);
    if (!error)
        host_tcp_own(*out, events, arg);
    sim_tcp_leave(h, outermost);
    return error;
}

struct endpoint host_tcp_local(const struct host_tcp *c)
{
    return c->local;
}

struct endpoint host_tcp_remote(const struct host_tcp *c)
{
    return c->remote;
}

/* ---- sending ---- */

int host_tcp_send(struct host_tcp *c, struct span data)
{
    struct sim_tcp *t = c->tcp;
    if (!is_live(c) || c->finishing || t->state == SIM_TCP_CLOSED)
        return FE_ERESET;
    if (t->unsent_bytes + data.n > HOST_TCP_BACKLOG)
        return FE_EAGAIN;
    bool outermost = sim_tcp_enter(t->host);
    int error = data.n ? sim_tcp_queue(t, data) : 0;
    if (!t->corked) {
        sim_tcp_push(t);
        sim_tcp_timer_set(t);
        c->waiting = t->unsent_bytes != 0;
    }
    sim_tcp_leave(t->host, outermost);
    return error ? FE_ERESET : 0;
}

/* ---- ending ---- */

void host_tcp_finish(struct host_tcp *c)
{
    if (!is_live(c) || c->finishing)
        return;
    c->finishing = true;
    if (c->connecting)
        return;
    c->waiting = false;
    bool outermost = sim_tcp_enter(c->tcp->host);
    sim_tcp_shut(c->tcp);
    sim_tcp_leave(c->end.input.host, outermost);
}

/* Linux forgets a connection that is still being made; who has given it something to send waits for it. */
void host_tcp_close(struct host_tcp *c)
{
    c->owned = false;
    if (c->end.input.closed)
        return;
    if (is_live(c) && c->connecting && c->tcp->unsent_bytes && !c->tcp->error)
        c->closing = true;
    else
        release(c);
}

/* RFC 9293 §3.10.5. */
void host_tcp_abort(struct host_tcp *c)
{
    c->owned = false;
    if (c->end.input.closed)
        return;
    struct sim_tcp *t = c->tcp;
    bool outermost = sim_tcp_enter(t->host);
    bool over = t->state == SIM_TCP_CLOSING || t->state == SIM_TCP_LAST_ACK;
    if ((sim_tcp_is_open(t) || t->state == SIM_TCP_SYN_RECEIVED) && (!over || t->nxt != t->end || t->unread))
        sim_tcp_active_reset(t);
    sim_packets_clear(&t->received);
    t->unread = 0;
    t->owner = NULL;
    if (t->state == SIM_TCP_CLOSED)
        sim_tcp_bury(t);
    else
        sim_tcp_done(t, 0);
    c->tcp = NULL;
    sim_tcp_end_close(&c->end);
    sim_tcp_leave(c->end.input.host, outermost);
}

/* ---- options ---- */

void host_tcp_keep_alive(struct host_tcp *c, lab_time idle, lab_time interval, unsigned probes)
{
    if (!is_live(c))
        return;
    struct sim_tcp *t = c->tcp;
    lab_time now = t->host->world->now;
    bool other = t->idle != idle;
    t->idle = idle;
    t->interval = interval;
    t->alive_most = probes;
    if (sim_tcp_is_open(t) && other)
        t->alive_at = !idle ? NEVER : t->heard + idle > now ? t->heard + idle : now;
    sim_tcp_timer_set(t);
}

void host_tcp_user_timeout(struct host_tcp *c, lab_time timeout)
{
    if (!is_live(c))
        return;
    c->tcp->user_timeout = timeout;
    sim_tcp_timer_set(c->tcp);
}
