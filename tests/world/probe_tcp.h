/* The TCP half of the probe (tests/world/probe.h): it does what its commands say and traces what it hears. Only on
 * nodes/host.h: the same code runs on both hosts.
 *
 * Connections and listeners are numbered from 0 in the order in which they came to be. Commands:
 *
 *     connect REMOTE [LOCAL]        listen LOCAL          unlisten L
 *     tcp-send C BYTES              pump C BYTES          (64 KiB at a time, going on when drained)
 *     finish C                      tcp-close C           abort C
 *     keep-alive C IDLE INTERVAL PROBES (ms)              user-timeout C MS
 *     echo       sends back what is received             polite     finishes when the peer has
 *     hang-up    closes when the peer has finished       refuse     takes no connection that comes in from now on
 *     deaf C     closes in the callback that brings the next data
 *
 * Byte i of what a connection sends is PATTERN(i), so that the receiver knows what to expect. Traced: "connected" (c,
 * local, remote), "accepted" (c, l, local, remote), "received" (c, n, total, hash of the stream so far, intact),
 * "drained", "finished", "failed" (c, error). */
#ifndef FAREND_TESTS_WORLD_PROBE_TCP_H
#define FAREND_TESTS_WORLD_PROBE_TCP_H

#include "nodes/base/error.h"
#include "nodes/host.h"
#include "tests/cmocka.h"

#include <stdlib.h>

enum { PROBE_CONNECTIONS = 64, PROBE_LISTENERS = 8, PROBE_PUMP = 65536 };

#define PROBE_HASH  0xcbf29ce484222325u /* FNV-1a, 64 bit */
#define PROBE_PRIME 0x100000001b3u

struct probe_connection {
    struct probe_tcp *probe;
    struct host_tcp *tcp; /* NULL: closed */
    uint64_t sent, received, hash, pumping;
    bool intact, deaf;
};

struct probe_listener {
    struct probe_tcp *probe;
    struct host_listener *listener; /* NULL: closed */
};

struct probe_tcp {
    struct host *host;
    struct probe_connection connections[PROBE_CONNECTIONS];
    struct probe_listener listeners[PROBE_LISTENERS];
    unsigned connections_n, listeners_n;
    bool echo, polite, hang_up, refuse;
};

/* Period 251·256, so that no segment is as another. */
static inline uint8_t probe_byte(uint64_t i)
{
    return (uint8_t)(i % 251 + i / 251);
}

static inline struct record *probe_tcp_trace(const struct probe_connection *c, const char *event)
{
    struct record *r = host_trace(c->probe->host, event);
    record_u64(r, "c", (uint64_t)(c - c->probe->connections));
    return r;
}

static inline void probe_tcp_trace_ends(struct record *r, const struct host_tcp *tcp)
{
    record_endpoint(r, "local", host_tcp_local(tcp));
    record_endpoint(r, "remote", host_tcp_remote(tcp));
}

static inline int probe_tcp_send(struct probe_connection *c, uint64_t n)
{
    uint8_t *bytes = malloc(n + 1);
    assert_non_null(bytes);
    for (uint64_t i = 0; i < n; i++)
        bytes[i] = probe_byte(c->sent + i);
    int error = host_tcp_send(c->tcp, span_make(bytes, n));
    free(bytes);
    if (!error)
        c->sent += n;
    return error;
}

static inline int probe_tcp_pump(struct probe_connection *c)
{
    int error = 0;
    while (c->tcp && c->pumping && !error) {
        uint64_t n = c->pumping < PROBE_PUMP ? c->pumping : PROBE_PUMP;
        error = probe_tcp_send(c, n);
        if (!error)
            c->pumping -= n;
    }
    return error == FE_EAGAIN ? 0 : error;
}

static inline void probe_tcp_close(struct probe_connection *c)
{
    host_tcp_close(c->tcp);
    c->tcp = NULL;
}

/* ---- what is heard ---- */

static inline void probe_tcp_connected(void *arg)
{
    struct probe_connection *c = arg;
    probe_tcp_trace_ends(probe_tcp_trace(c, "connected"), c->tcp);
    host_trace_end(c->probe->host);
}

static inline void probe_tcp_received(void *arg, struct span data)
{
    struct probe_connection *c = arg;
    for (size_t i = 0; i < data.n; i++) {
        uint8_t byte = (uint8_t)data.p[i];
        c->hash = (c->hash ^ byte) * PROBE_PRIME;
        c->intact = c->intact && byte == probe_byte(c->received + i);
    }
    c->received += data.n;
    struct record *r = probe_tcp_trace(c, "received");
    record_u64(r, "n", data.n);
    record_u64(r, "total", c->received);
    record_u64(r, "hash", c->hash);
    record_bool(r, "intact", c->intact);
    host_trace_end(c->probe->host);
    if (c->deaf)
        probe_tcp_close(c);
    else if (c->probe->echo && host_tcp_send(c->tcp, data) == 0)
        c->sent += data.n;
}

static inline void probe_tcp_drained(void *arg)
{
    struct probe_connection *c = arg;
    probe_tcp_trace(c, "drained");
    host_trace_end(c->probe->host);
    probe_tcp_pump(c);
}

static inline void probe_tcp_finished(void *arg)
{
    struct probe_connection *c = arg;
    probe_tcp_trace(c, "finished");
    host_trace_end(c->probe->host);
    if (c->probe->polite)
        host_tcp_finish(c->tcp);
    if (c->probe->hang_up)
        probe_tcp_close(c);
}

static inline void probe_tcp_failed(void *arg, int error)
{
    struct probe_connection *c = arg;
    record_str(probe_tcp_trace(c, "failed"), "error", fe_error_text(error));
    host_trace_end(c->probe->host);
}

static const struct host_tcp_events probe_tcp_events = {.connected = probe_tcp_connected,
                                                        .received = probe_tcp_received,
                                                        .drained = probe_tcp_drained,
                                                        .finished = probe_tcp_finished,
                                                        .failed = probe_tcp_failed};

static inline struct probe_connection *probe_tcp_new(struct probe_tcp *probe)
{
    assert_true(probe->connections_n < PROBE_CONNECTIONS);
    struct probe_connection *c = &probe->connections[probe->connections_n];
    *c = (struct probe_connection){.probe = probe, .hash = PROBE_HASH, .intact = true};
    return c;
}

static inline void probe_tcp_accepted(void *arg, struct host_tcp *tcp, struct endpoint remote)
{
    struct probe_listener *l = arg;
    struct probe_tcp *probe = l->probe;
    struct probe_connection *c = probe_tcp_new(probe);
    assert_true(endpoint_equal(remote, host_tcp_remote(tcp)));
    if (!probe->refuse) {
        probe->connections_n++;
        c->tcp = tcp;
        host_tcp_own(tcp, &probe_tcp_events, c);
    }
    struct record *r = probe_tcp_trace(c, probe->refuse ? "declined" : "accepted");
    record_u64(r, "l", (uint64_t)(l - probe->listeners));
    probe_tcp_trace_ends(r, tcp);
    host_trace_end(probe->host);
}

static const struct host_listener_events probe_listener_events = {probe_tcp_accepted};

/* ---- commands ---- */

static inline struct span probe_word(struct span *words)
{
    return span_cut(*words, ' ', words);
}

static inline uint64_t probe_number(struct span *words)
{
    uint64_t n = 0;
    assert_int_equal(span_u64(probe_word(words), UINT32_MAX, &n), 0);
    return n;
}

static inline struct endpoint probe_endpoint(struct span *words)
{
    struct endpoint e;
    assert_int_equal(endpoint_parse(probe_word(words), 0, &e), 0);
    return e;
}

static inline int probe_tcp_connect(struct probe_tcp *probe, struct span words)
{
    struct probe_connection *c = probe_tcp_new(probe);
    struct endpoint remote = probe_endpoint(&words);
    struct endpoint local = {0};
    if (words.n)
        local = probe_endpoint(&words);
    int error = host_tcp_connect(probe->host, local, remote, &probe_tcp_events, c, &c->tcp);
    if (error)
        c->tcp = NULL;
    else
        probe->connections_n++;
    return error;
}

static inline int probe_tcp_listen(struct probe_tcp *probe, struct span words)
{
    assert_true(probe->listeners_n < PROBE_LISTENERS);
    struct probe_listener *l = &probe->listeners[probe->listeners_n];
    l->probe = probe;
    int error = host_tcp_listen(probe->host, probe_endpoint(&words), &probe_listener_events, l, &l->listener);
    if (error)
        l->listener = NULL;
    else
        probe->listeners_n++;
    return error;
}

static inline void probe_tcp_unlisten(struct probe_tcp *probe, struct span words)
{
    uint64_t n = probe_number(&words);
    assert_true(n < probe->listeners_n);
    host_listener_close(probe->listeners[n].listener);
    probe->listeners[n].listener = NULL;
}

static inline void probe_tcp_keep_alive(struct host_tcp *tcp, struct span words)
{
    lab_time idle = (lab_time)probe_number(&words) * MS;
    lab_time interval = (lab_time)probe_number(&words) * MS;
    host_tcp_keep_alive(tcp, idle, interval, (unsigned)probe_number(&words));
}

static inline int probe_tcp_start_pump(struct probe_connection *c, struct span words)
{
    c->pumping += probe_number(&words);
    return probe_tcp_pump(c);
}

/* A command about a connection; false: it is none. */
static inline bool probe_tcp_about(struct probe_tcp *probe, struct span verb, struct span words, int *error)
{
    static const char *const verbs[] = {"tcp-send",   "pump",         "finish", "tcp-close", "abort",
                                        "keep-alive", "user-timeout", "deaf",   NULL};
    size_t i = 0;
    while (verbs[i] && !span_is(verb, verbs[i]))
        i++;
    if (!verbs[i])
        return false;
    uint64_t n = probe_number(&words);
    assert_true(n < probe->connections_n && probe->connections[n].tcp);
    struct probe_connection *c = &probe->connections[n];
    switch (i) {
    case 0: *error = probe_tcp_send(c, probe_number(&words)); break;
    case 1: *error = probe_tcp_start_pump(c, words); break;
    case 2: host_tcp_finish(c->tcp); break;
    case 3: probe_tcp_close(c); break;
    case 4: host_tcp_abort(c->tcp), c->tcp = NULL; break;
    case 5: probe_tcp_keep_alive(c->tcp, words); break;
    case 6: host_tcp_user_timeout(c->tcp, (lab_time)probe_number(&words) * MS); break;
    default: c->deaf = true; break;
    }
    return true;
}

/* False: this is none of TCP's commands. */
static inline bool probe_tcp_command(struct probe_tcp *probe, struct span verb, struct span words, int *error)
{
    if (span_is(verb, "connect"))
        *error = probe_tcp_connect(probe, words);
    else if (span_is(verb, "listen"))
        *error = probe_tcp_listen(probe, words);
    else if (span_is(verb, "unlisten"))
        probe_tcp_unlisten(probe, words);
    else if (span_is(verb, "echo"))
        probe->echo = true;
    else if (span_is(verb, "polite"))
        probe->polite = true;
    else if (span_is(verb, "hang-up"))
        probe->hang_up = true;
    else if (span_is(verb, "refuse"))
        probe->refuse = true;
    else
        return probe_tcp_about(probe, verb, words, error);
    return true;
}

#endif
