/* One connection. The library pulls input from t->input and pushes output to t->out; when it has returned, what it made
 * is given to the events. No event is called while the library works: it may call back into this file. */
#include "nodes/secure/tls.h"

#include "nodes/base/addr.h"
#include "nodes/base/error.h"
#include "nodes/secure/identity.h"
#include "nodes/secure/secure_time.h"
#include "nodes/secure/tls_alert.h"
#include "nodes/secure/tls_private.h"

#include <assert.h>
#include <stdlib.h>

enum { READ_ROOM = 4096 };

int tls_bytes_add(struct tls_bytes *b, const void *p, size_t n)
{
    if (b->cap - b->n < n) {
        size_t cap = b->cap ? 2 * b->cap : 2048;
        while (cap - b->n < n)
            cap *= 2;
        char *larger = realloc(b->p, cap);
        if (!larger)
            return FE_EMEM;
        b->p = larger;
        b->cap = cap;
    }
    memcpy(b->p + b->n, p, n);
    b->n += n;
    return 0;
}

/* ---- the library's side ---- */

static int pull(void *arg, unsigned char *to, size_t n)
{
    struct tls *t = arg;
    if (t->input.n == 0)
        return MBEDTLS_ERR_SSL_WANT_READ;
    if (n > t->input.n)
        n = t->input.n;
    memcpy(to, t->input.p, n);
    t->input.p += n;
    t->input.n -= n;
    return (int)n;
}

/* Meaningless before the hellos have been exchanged. */
static enum tls_version version_of(const struct tls *t)
{
    const char *text = mbedtls_ssl_get_version(&t->ssl); /* "TLSv1.2" */
    size_t n = strlen(text);
    return n ? (enum tls_version)(text[n - 1] - '0') : TLS_1_0;
}

static int push(void *arg, const unsigned char *p, size_t n)
{
    struct tls *t = arg;
    uint8_t alert = tls_alert_in(span_make(p, n), version_of(t) == TLS_1_3);
    if (alert != TLS_NO_ALERT)
        t->alert_sent = alert;
    if (tls_bytes_add(&t->out, p, n)) {
        t->no_memory = true;
        return MBEDTLS_ERR_SSL_ALLOC_FAILED;
    }
    return (int)n;
}

static void library_begin(struct tls *t)
{
    secure_time_begin(t->clock);
    t->context->at_work = t;
    t->alert_sent = TLS_NO_ALERT;
}

static void library_end(struct tls *t)
{
    t->context->at_work = NULL;
    secure_time_end();
}

/* ---- calls and events ---- */

static void connection_free(struct tls *t)
{
    mbedtls_ssl_free(&t->ssl);
    free(t->out.p);
    free(t->secrets.p);
    tls_context_release(t->context);
    free(t);
}

static int enter(struct tls *t, lab_time clock)
{
    t->clock = clock;
    t->depth++;
    return tls_wake(t);
}

static void leave(struct tls *t)
{
    if (--t->depth)
        return;
    if (t->freed)
        connection_free(t);
    else
        tls_rest(t);
}

static struct tls_bytes take(struct tls_bytes *b)
{
    struct tls_bytes taken = *b;
    *b = (struct tls_bytes){0};
    return taken;
}

static void tell_secrets(struct tls *t)
{
    struct tls_bytes secrets = take(&t->secrets);
    struct span rest = span_make(secrets.p, secrets.n);
    while (rest.n && !t->freed) {
        struct span line = span_cut(rest, '\n', &rest);
        if (t->events->secret)
            t->events->secret(t->arg, line);
    }
    free(secrets.p);
}

/* All that the library made since. */
static void flush(struct tls *t)
{
    if (t->secrets.n)
        tell_secrets(t);
    struct tls_bytes out = take(&t->out);
    if (out.n && !t->freed)
        t->events->send(t->arg, span_make(out.p, out.n));
    free(out.p);
}

/* ---- the end ---- */

static void tell_failed(struct tls *t, enum tls_alert_way way, uint8_t alert, struct span why)
{
    const struct tls_failure f = {way, way == TLS_ALERT_NONE ? "" : tls_alert_name(alert), why};
    t->state = TLS_DEAD;
    flush(t);
    if (!t->freed && t->events->failed)
        t->events->failed(t->arg, &f);
}

static void fail_by_peer(struct tls *t)
{
    uint8_t alert = t->ssl.SECURE_FIELD(in_msg)[1];
    char room[80];
    struct text why = text_on(room, sizeof room);
    text_str(&why, "the peer sent the alert ");
    text_str(&why, tls_alert_name(alert));
    tell_failed(t, TLS_ALERT_RECEIVED, alert, text_span(&why));
}

/* The library sends most alerts by itself; where it does not, the peer is told nevertheless. */
static uint8_t alert_out(struct tls *t, int error)
{
    uint8_t alert = t->refusal.rank ? t->refusal.alert : tls_alert_for(error);
    if (t->alert_sent != TLS_NO_ALERT)
        return t->alert_sent == TLS_ALERT_UNREADABLE ? alert : t->alert_sent;
    library_begin(t);
    (void)mbedtls_ssl_send_alert_message(&t->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert);
    library_end(t);
    return alert;
}

static void fail_without_memory(struct tls *t)
{
    tell_failed(t, TLS_ALERT_NONE, 0, SPAN("out of memory"));
}

static void fail(struct tls *t, int error)
{
    if (t->no_memory) {
        fail_without_memory(t);
        return;
    }
    if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        fail_by_peer(t);
        return;
    }
    uint8_t alert = alert_out(t, error);
    tell_failed(t, TLS_ALERT_SENT, alert, span_of(t->refusal.rank ? t->refusal.why : tls_alert_why(error)));
}

/* ---- the handshake ---- */

static bool is_over(const struct tls *t)
{
    return t->ssl.SECURE_FIELD(state) == MBEDTLS_SSL_HANDSHAKE_OVER;
}

static int handshake_steps(struct tls *t)
{
    while (!is_over(t)) {
        if (t->ssl.SECURE_FIELD(state) == MBEDTLS_SSL_SERVER_CERTIFICATE)
            t->certificate_seen = true;
        t->alert_sent = TLS_NO_ALERT;
        int error = mbedtls_ssl_handshake_step(&t->ssl);
        /* Where a certificate is optional the library goes on after a bad one; none at all is another matter. */
        if (!error && t->refusal.rank)
            error = MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
        if (error)
            return error;
    }
    return 0;
}

static void tell_established(struct tls *t)
{
    char subject[TLS_NAME_ROOM];
    char names[TLS_NAMES_ROOM];
    struct text subject_text = text_on(subject, sizeof subject);
    struct text names_text = text_on(names, sizeof names);
    const mbedtls_x509_crt *peer = mbedtls_ssl_get_peer_cert(&t->ssl);
    if (peer) {
        identity_subject(&subject_text, &peer->subject);
        identity_names(&names_text, peer);
    }
    const struct tls_established e = {.version = version_of(t),
                                      .suite = mbedtls_ssl_get_ciphersuite(&t->ssl),
                                      .resumed = !t->certificate_seen,
                                      .certificate = peer != NULL,
                                      .subject = text_span(&subject_text),
                                      .names = text_span(&names_text)};
    if (!t->freed && t->events->established)
        t->events->established(t->arg, &e);
}

static void handshake(struct tls *t)
{
    library_begin(t);
    int error = handshake_steps(t);
    if (!error)
        tls_session_keep(t);
    library_end(t);
    if (error && error != MBEDTLS_ERR_SSL_WANT_READ) {
        fail(t, error);
        return;
    }
    if (!error)
        t->state = TLS_ESTABLISHED;
    flush(t);
    if (!error && !t->freed)
        tell_established(t);
}

/* ---- the connection ---- */

static bool may_read(const struct tls *t)
{
    return !t->freed && (t->state == TLS_ESTABLISHED || t->state == TLS_CLOSING);
}

static void peer_closed(struct tls *t)
{
    t->state = t->state == TLS_CLOSING ? TLS_DEAD : TLS_PEER_CLOSED;
    flush(t);
    if (!t->freed && t->events->closed)
        t->events->closed(t->arg);
}

static int read_some(struct tls *t, unsigned char room[READ_ROOM])
{
    library_begin(t);
    int n = mbedtls_ssl_read(&t->ssl, room, READ_ROOM);
#if SECURE_TLS_1_3
    if (n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
        tls_session_keep(t);
#endif
    library_end(t);
    return n;
}

/* An error of reading that only says: go on, there may be more. */
static bool is_passing(int error)
{
#if SECURE_TLS_1_3
    if (error == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
        return true;
#endif
    return error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE;
}

static void read_all(struct tls *t)
{
    unsigned char room[READ_ROOM];
    size_t before;
    int n;
    do {
        before = t->input.n;
        n = read_some(t, room);
        if (n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
            peer_closed(t);
        } else if (n < 0 && !is_passing(n)) {
            fail(t, n);
        } else {
            flush(t);
            if (n > 0 && !t->freed && t->state == TLS_ESTABLISHED && t->events->received)
                t->events->received(t->arg, span_make(room, (size_t)n));
        }
    } while (may_read(t) && (n > 0 || t->input.n < before));
}

/* ---- the interface ---- */

static int set_up(struct tls *t)
{
    int bad = mbedtls_ssl_setup(&t->ssl, &t->context->conf);
    ipv4 addr;
    if (bad)
        return FE_EMEM;
    mbedtls_ssl_set_bio(&t->ssl, t, push, pull, NULL);
    mbedtls_ssl_set_verify(&t->ssl, tls_verify, t);
    tls_secret_of_connection(t);
    if (t->context->config.role == TLS_SERVER)
        return 0;
    bool domain = t->peer[0] && addr_parse(span_of(t->peer), &addr) != 0;
    if (mbedtls_ssl_set_hostname(&t->ssl, domain ? t->peer : NULL))
        return FE_EMEM;
    tls_session_offer(t);
    return 0;
}

int tls_new(struct tls_context *c, struct span peer, const struct tls_events *events, void *arg, struct tls **out)
{
    if (peer.n > TLS_PEER_MAX)
        return FE_ERANGE;
    struct tls *t = calloc(1, sizeof *t);
    if (!t)
        return FE_EMEM;
    *t = (struct tls){.context = c, .events = events, .arg = arg, .alert_sent = TLS_NO_ALERT};
    span_copy(peer, t->peer, sizeof t->peer);
    c->users++;
    mbedtls_ssl_init(&t->ssl);
    int error = set_up(t);
    if (error) {
        connection_free(t);
        return error;
    }
    tls_rest(t);
    *out = t;
    return 0;
}

void tls_start(struct tls *t, lab_time clock)
{
    assert(t->state == TLS_NEW);
    t->state = TLS_HANDSHAKE;
    if (enter(t, clock))
        fail_without_memory(t);
    else if (t->context->config.role == TLS_CLIENT)
        handshake(t);
    leave(t);
}

void tls_input(struct tls *t, struct span bytes, lab_time clock)
{
    assert(t->input.n == 0); /* not from inside an event of itself */
    t->input = bytes;
    if (enter(t, clock))
        fail_without_memory(t);
    if (t->state == TLS_HANDSHAKE)
        handshake(t);
    if (may_read(t) && t->input.n)
        read_all(t);
    t->input = (struct span){0};
    leave(t);
}

static int write_all(struct tls *t, struct span data)
{
    int n = 0;
    library_begin(t);
    while (data.n && (n = mbedtls_ssl_write(&t->ssl, (const unsigned char *)data.p, data.n)) > 0) {
        data.p += n;
        data.n -= (size_t)n;
    }
    library_end(t);
    return n < 0 ? n : 0;
}

int tls_send(struct tls *t, struct span plaintext, lab_time clock)
{
    if (t->state == TLS_NEW || t->state == TLS_HANDSHAKE)
        return FE_EAGAIN;
    if (t->state != TLS_ESTABLISHED)
        return FE_ERESET;
    int error = enter(t, clock);
    if (error)
        fail_without_memory(t);
    else if ((error = write_all(t, plaintext)))
        fail(t, error);
    else
        flush(t);
    leave(t);
    return error ? FE_ERESET : 0;
}

void tls_close(struct tls *t, lab_time clock)
{
    bool closed = t->state == TLS_PEER_CLOSED;
    if (t->state != TLS_ESTABLISHED && !closed)
        return;
    bool awake = enter(t, clock) == 0;
    library_begin(t);
    if (awake)
        (void)mbedtls_ssl_close_notify(&t->ssl);
    library_end(t);
    t->state = closed ? TLS_DEAD : TLS_CLOSING;
    flush(t);
    leave(t);
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    t->freed = true;
    if (t->depth == 0)
        connection_free(t);
}

bool tls_is_established(const struct tls *t)
{
    return t->state == TLS_ESTABLISHED;
}
