/* A TLS of its own for tests of who uses it: a hello each way, then plaintext in lines of their own. It defines the
 * part of nodes/secure/tls.h that the SIP layer needs; include it in one file of a test program. A context is memory of
 * the test.
 *
 *     client: "HELLO peer\n"        server: "WELCOME\n", or "ALERT name\n"
 *     both:   "DATA n\n" and n bytes, "BYE\n"
 */
#ifndef FAREND_TESTS_SIP_FAKE_TLS_H
#define FAREND_TESTS_SIP_FAKE_TLS_H

#include "nodes/base/error.h"
#include "nodes/secure/tls.h"

#include <stdio.h>
#include <stdlib.h>

struct tls_context {
    enum tls_role role;
    const char *refuse; /* the alert that answers a hello; NULL: none */
    const char *expect; /* client: the peer is to be named so */
};

struct tls {
    struct tls_context *context;
    const struct tls_events *events;
    void *arg;
    char peer[256];
    bool established, dead;
    bool in_input, freed; /* one that is freed from its own event goes at the end of the call */
};

const char *const tls_version_words[] = {"1.0", "1.1", "1.2", "1.3", NULL};

int tls_new(struct tls_context *c, struct span peer, const struct tls_events *events, void *arg, struct tls **out)
{
    struct tls *t = calloc(1, sizeof *t);
    if (!t)
        return FE_EMEM;
    t->context = c;
    t->events = events;
    t->arg = arg;
    if (!span_copy(peer, t->peer, sizeof t->peer)) {
        free(t);
        return FE_ERANGE;
    }
    *out = t;
    return 0;
}

static inline void fake_tls_say(struct tls *t, const char *what)
{
    t->events->send(t->arg, span_of(what));
}

void tls_start(struct tls *t, lab_time now)
{
    char hello[300];
    (void)now;
    if (t->context->role == TLS_SERVER)
        return;
    snprintf(hello, sizeof hello, "HELLO %s\n", t->peer);
    fake_tls_say(t, hello);
}

static inline void fake_tls_establish(struct tls *t)
{
    struct tls_established e = {.version = TLS_1_2, .suite = "TLS-FAKE", .certificate = true, .subject = SPAN("CN=x")};
    t->established = true;
    t->events->secret(t->arg, SPAN("CLIENT_RANDOM 00 00"));
    t->events->established(t->arg, &e);
}

static inline void fake_tls_fail(struct tls *t, enum tls_alert_way way, const char *alert)
{
    struct tls_failure f = {way, alert, SPAN("as the test wants it")};
    char line[128];
    t->dead = true;
    snprintf(line, sizeof line, "ALERT %s\n", alert);
    if (way == TLS_ALERT_SENT)
        fake_tls_say(t, line);
    t->events->failed(t->arg, &f);
}

/* One line, and what belongs to it. Each call makes at most one event, so that it may free. */
static inline void fake_tls_take_line(struct tls *t, struct span line, struct span *rest)
{
    uint64_t n;
    if (span_starts(line, SPAN("HELLO ")) && t->context->refuse) {
        fake_tls_fail(t, TLS_ALERT_SENT, t->context->refuse);
    } else if (span_starts(line, SPAN("HELLO "))) {
        fake_tls_say(t, "WELCOME\n");
        fake_tls_establish(t);
    } else if (span_is(line, "WELCOME")) {
        fake_tls_establish(t);
    } else if (span_starts(line, SPAN("ALERT "))) {
        char name[64];
        span_copy(span_make(line.p + 6, line.n - 6), name, sizeof name);
        fake_tls_fail(t, TLS_ALERT_RECEIVED, name);
    } else if (span_is(line, "BYE")) {
        t->events->closed(t->arg);
    } else if (span_starts(line, SPAN("DATA ")) && span_u64(span_make(line.p + 5, line.n - 5), 65536, &n) == 0) {
        struct span data = span_make(rest->p, (size_t)n);
        *rest = span_make(rest->p + n, rest->n - (size_t)n);
        t->events->received(t->arg, data);
    } else {
        fake_tls_fail(t, TLS_ALERT_SENT, "decode_error");
    }
}

/* Whole lines only. */
void tls_input(struct tls *t, struct span bytes, lab_time now)
{
    (void)now;
    t->in_input = true;
    while (bytes.n && !t->freed && !t->dead) {
        struct span line = span_cut(bytes, '\n', &bytes);
        fake_tls_take_line(t, line, &bytes);
    }
    t->in_input = false;
    if (t->freed)
        free(t);
}

int tls_send(struct tls *t, struct span plaintext, lab_time now)
{
    char record[8192];
    (void)now;
    if (!t->established)
        return FE_EAGAIN;
    int n = snprintf(record, sizeof record, "DATA %zu\n%.*s", plaintext.n, SPAN_ARG(plaintext));
    t->events->send(t->arg, span_make(record, (size_t)n));
    return 0;
}

void tls_close(struct tls *t, lab_time now)
{
    (void)now;
    if (t->dead)
        abort();
    if (t->established)
        fake_tls_say(t, "BYE\n");
}

void tls_free(struct tls *t)
{
    if (t && t->in_input)
        t->freed = true;
    else
        free(t);
}

#endif
