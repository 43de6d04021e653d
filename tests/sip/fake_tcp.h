/* TCP for the fake machines of tests: connections whose other end is the test itself. Include it in one file of a test
 * program, before struct host, which holds a struct fake_tcp and is asked for it by fake_tcp_of(). It defines the part
 * of nodes/host.h about TCP. */
#ifndef FAREND_TESTS_SIP_FAKE_TCP_H
#define FAREND_TESTS_SIP_FAKE_TCP_H

#include "nodes/base/error.h"
#include "nodes/host.h"

#include <stdio.h>
#include <stdlib.h>

enum { FAKE_CONNECTIONS = 64, FAKE_LISTENERS = 8 };

struct host_tcp {
    struct host *host;
    struct endpoint local, remote;
    const struct host_tcp_events *events; /* NULL: not owned */
    void *arg;
    bool open; /* not closed by its owner */
    bool aborted;
    char *sent; /* all that was sent, and NUL */
    size_t sent_n;
};

struct host_listener {
    struct host *host;
    struct endpoint local;
    const struct host_listener_events *events; /* NULL: closed */
    void *arg;
};

struct fake_tcp {
    struct host_tcp connections[FAKE_CONNECTIONS]; /* in the order of opening and accepting; places are not reused */
    unsigned n;
    struct host_listener listeners[FAKE_LISTENERS];
    unsigned listeners_n;
    int connect_error; /* what host_tcp_connect() returns */
    int send_error;    /* what host_tcp_send() returns */
};

static struct fake_tcp *fake_tcp_of(struct host *h);

/* ---- nodes/host.h ---- */

static inline struct host_tcp *fake_tcp_new(struct host *h, struct endpoint local, struct endpoint remote)
{
    struct fake_tcp *net = fake_tcp_of(h);
    if (net->n == FAKE_CONNECTIONS)
        abort();
    struct host_tcp *c = &net->connections[net->n++];
    *c = (struct host_tcp){.host = h, .local = local, .remote = remote, .open = true};
    return c;
}

int host_tcp_connect(struct host *h, struct endpoint local, struct endpoint remote,
                     const struct host_tcp_events *events, void *arg, struct host_tcp **out)
{
    struct fake_tcp *net = fake_tcp_of(h);
    if (net->connect_error)
        return net->connect_error;
    if (local.port == 0)
        local.port = (uint16_t)(50000 + net->n);
    *out = fake_tcp_new(h, local, remote);
    host_tcp_own(*out, events, arg);
    return 0;
}

int host_tcp_listen(struct host *h, struct endpoint local, const struct host_listener_events *events, void *arg,
                    struct host_listener **out)
{
    struct fake_tcp *net = fake_tcp_of(h);
    for (unsigned i = 0; i < net->listeners_n; i++)
        if (net->listeners[i].events && endpoint_equal(net->listeners[i].local, local))
            return FE_EUSED;
    if (net->listeners_n == FAKE_LISTENERS)
        abort();
    *out = &net->listeners[net->listeners_n++];
    **out = (struct host_listener){h, local, events, arg};
    return 0;
}

void host_listener_close(struct host_listener *l)
{
    l->events = NULL;
}

void host_tcp_own(struct host_tcp *c, const struct host_tcp_events *events, void *arg)
{
    c->events = events;
    c->arg = arg;
}

struct endpoint host_tcp_local(const struct host_tcp *c)
{
    return c->local;
}

struct endpoint host_tcp_remote(const struct host_tcp *c)
{
    return c->remote;
}

int host_tcp_send(struct host_tcp *c, struct span data)
{
    int error = fake_tcp_of(c->host)->send_error;
    if (error)
        return error;
    char *grown = realloc(c->sent, c->sent_n + data.n + 1);
    if (!grown || !c->open)
        abort();
    memcpy(grown + c->sent_n, data.p, data.n);
    c->sent = grown;
    c->sent_n += data.n;
    c->sent[c->sent_n] = '\0';
    return 0;
}

void host_tcp_finish(struct host_tcp *c)
{
    (void)c;
}

void host_tcp_close(struct host_tcp *c)
{
    if (!c->open)
        abort();
    c->open = false;
    c->events = NULL;
}

void host_tcp_abort(struct host_tcp *c)
{
    host_tcp_close(c);
    c->aborted = true;
}

void host_tcp_keep_alive(struct host_tcp *c, lab_time idle, lab_time interval, unsigned probes)
{
    (void)c;
    (void)idle;
    (void)interval;
    (void)probes;
}

void host_tcp_user_timeout(struct host_tcp *c, lab_time timeout)
{
    (void)c;
    (void)timeout;
}

/* ---- the test's side ---- */

static inline void fake_tcp_fini(struct fake_tcp *net)
{
    for (unsigned i = 0; i < net->n; i++)
        free(net->connections[i].sent);
}

static inline unsigned fake_tcp_open(const struct fake_tcp *net)
{
    unsigned n = 0;
    for (unsigned i = 0; i < net->n; i++)
        n += net->connections[i].open;
    for (unsigned i = 0; i < net->listeners_n; i++)
        n += net->listeners[i].events != NULL;
    return n;
}

static inline void fake_tcp_connected(struct host_tcp *c)
{
    c->events->connected(c->arg);
}

static inline void fake_tcp_failed(struct host_tcp *c, int error)
{
    c->events->failed(c->arg, error);
}

static inline void fake_tcp_finished(struct host_tcp *c)
{
    c->events->finished(c->arg);
}

/* In memory of exactly its size. */
static inline void fake_tcp_receive(struct host_tcp *c, struct span data)
{
    char *exact = malloc(data.n ? data.n : 1);
    if (!exact)
        abort();
    memcpy(exact, data.p, data.n);
    c->events->received(c->arg, span_make(exact, data.n));
    free(exact);
}

/* A peer connects to this port. NULL: nobody listens, or nobody took it. */
static inline struct host_tcp *fake_tcp_accept(struct host *h, uint16_t port, struct endpoint remote)
{
    struct fake_tcp *net = fake_tcp_of(h);
    for (unsigned i = 0; i < net->listeners_n; i++) {
        struct host_listener *l = &net->listeners[i];
        if (!l->events || l->local.port != port)
            continue;
        struct host_tcp *c = fake_tcp_new(h, l->local, remote);
        l->events->accepted(l->arg, c, remote);
        if (c->events)
            return c;
        c->open = false;
    }
    return NULL;
}

/* What was sent so far is forgotten. */
static inline void fake_tcp_forget(struct host_tcp *c)
{
    c->sent_n = 0;
    if (c->sent)
        c->sent[0] = '\0';
}

#endif
