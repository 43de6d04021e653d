/* Two ends of TLS in memory: what one sends the other gets, piece by piece, at a time that the test sets.
 *
 *     client ──── wire[0] ───▶ server
 *        ◀─────── wire[1] ────
 *
 * Certificates come from an authority of the test's own: root -> intermediate -> server, and maker -> phone. */
#ifndef FAREND_TESTS_TLS_RIG_H
#define FAREND_TESTS_TLS_RIG_H

#include "nodes/base/error.h"
#include "nodes/secure/pki.h"
#include "nodes/secure/pki_text.h"
#include "nodes/secure/tls.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define DAY (24 * HOUR)

enum { CLIENT, SERVER, SIDES };

/* ---- certificates ---- */

struct rig_text {
    char p[8192];
};

static struct pki_entity *issue(const char *subject, const char *const *names, struct pki_entity *by, bool ca, int from,
                                int days)
{
    struct prng random;
    struct span spans[PKI_NAMES_MAX];
    struct pki_entity *e;
    struct pki_request want = {.subject = span_of(subject), .names = spans, .ca = ca, .depth = -1};
    for (; names && names[want.names_n]; want.names_n++)
        spans[want.names_n] = span_of(names[want.names_n]);
    want.uses = PKI_SERVER | PKI_CLIENT;
    want.not_before = LAB_BEGINS + from * (DAY / SEC);
    want.not_after = want.not_before + days * (DAY / SEC);
    prng_init(&random, 7, span_of(subject), SPAN("certificate"));
    assert_int_equal(pki_issue(&want, by, &random, &e, NULL), 0);
    return e;
}

/* The certificates of the entities up to a NULL, as a node's setting. */
static struct span chain_of(struct rig_text *room, struct pki_entity *const *entities)
{
    struct span ders[8];
    size_t n = 0;
    struct text t = text_on(room->p, sizeof room->p);
    for (; entities[n]; n++)
        ders[n] = pki_certificate(entities[n]);
    pki_text_line(&t, ders, n);
    assert_true(text_ok(&t));
    return text_span(&t);
}
#define CHAIN(room, ...) chain_of((room), (struct pki_entity *const[]){__VA_ARGS__, NULL})

static struct span key_of(struct rig_text *room, const struct pki_entity *e)
{
    struct text t = text_on(room->p, sizeof room->p);
    pki_text_pem(&t, pki_key_label(e), pki_private_key(e));
    assert_true(text_ok(&t));
    return text_span(&t);
}

/* ---- the two ends ---- */

struct bytes {
    char p[1 << 18];
    size_t n;
};

struct side {
    struct tls_context *context;
    struct tls *tls;
    unsigned established_n, closed_n, failed_n, sends;
    enum tls_version version;
    bool resumed, certificate;
    char suite[64], subject[256], names[512];
    enum tls_alert_way way;
    char alert[40], why[600];
    char secret[400]; /* the last line */
    struct bytes sent, received;
    size_t taken;  /* of `sent`, by the other end */
    bool free_now; /* tls_free() inside the next event */
};

struct rig {
    struct side side[SIDES];
    struct tls_config config[SIDES];
    struct rig_text text[SIDES][4];
    struct pki_entity *root, *intermediate, *server, *maker, *phone, *stranger;
    lab_time now;
    lab_time ahead[SIDES]; /* of `now`: a clock that stands wrong */
    size_t piece;          /* bytes of one tls_input(); 0: all there is */
};

static void bytes_add(struct bytes *b, struct span s)
{
    assert_true(b->n + s.n <= sizeof b->p);
    memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
}

static void maybe_free(struct side *s)
{
    if (s->free_now)
        tls_free(s->tls);
    if (s->free_now)
        s->tls = NULL;
}

static void on_send(void *arg, struct span bytes)
{
    struct side *s = arg;
    assert_true(bytes.n > 0);
    s->sends++;
    bytes_add(&s->sent, bytes);
}

static void on_established(void *arg, const struct tls_established *e)
{
    struct side *s = arg;
    s->established_n++;
    s->version = e->version;
    s->resumed = e->resumed;
    s->certificate = e->certificate;
    snprintf(s->suite, sizeof s->suite, "%s", e->suite);
    span_copy(e->subject, s->subject, sizeof s->subject);
    span_copy(e->names, s->names, sizeof s->names);
    assert_true(tls_is_established(s->tls));
    maybe_free(s);
}

static void on_received(void *arg, struct span data)
{
    struct side *s = arg;
    bytes_add(&s->received, data);
    maybe_free(s);
}

static void on_closed(void *arg)
{
    struct side *s = arg;
    s->closed_n++;
}

static void on_failed(void *arg, const struct tls_failure *f)
{
    struct side *s = arg;
    s->failed_n++;
    s->way = f->way;
    snprintf(s->alert, sizeof s->alert, "%s", f->alert);
    assert_true(span_copy(f->why, s->why, sizeof s->why));
    maybe_free(s);
}

static void on_secret(void *arg, struct span line)
{
    struct side *s = arg;
    assert_true(span_copy(line, s->secret, sizeof s->secret));
}

static const struct tls_events rig_events = {on_send, on_established, on_received, on_closed, on_failed, on_secret};

/* ---- arranging ---- */

static int rig_setup(void **state)
{
    static const char *const server_names[] = {"sbc.example.com", "203.0.113.10", NULL};
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->root = issue("Lab Root", NULL, NULL, true, -1000, 4000);
    r->intermediate = issue("Lab Intermediate", NULL, r->root, true, -500, 2000);
    r->server = issue("sbc.example.com", server_names, r->intermediate, false, -10, 90);
    r->maker = issue("Phone Maker", NULL, NULL, true, -1000, 4000);
    r->phone = issue("08000F123456", NULL, r->maker, false, -10, 4000);
    r->stranger = issue("Somebody Else", NULL, NULL, true, -1000, 4000);
    r->config[CLIENT] = tls_config_of(TLS_CLIENT);
    r->config[SERVER] = tls_config_of(TLS_SERVER);
    r->config[CLIENT].trust = CHAIN(&r->text[CLIENT][0], r->root);
    r->config[SERVER].certificate = CHAIN(&r->text[SERVER][0], r->server, r->intermediate);
    r->config[SERVER].key = key_of(&r->text[SERVER][1], r->server);
    r->config[SERVER].trust = CHAIN(&r->text[SERVER][2], r->maker);
    *state = r;
    return 0;
}

static void rig_hang_up(struct rig *r)
{
    for (int i = 0; i < SIDES; i++) {
        struct tls_context *context = r->side[i].context;
        tls_free(r->side[i].tls);
        r->side[i] = (struct side){.context = context};
    }
}

static int rig_teardown(void **state)
{
    struct rig *r = *state;
    rig_hang_up(r);
    for (int i = 0; i < SIDES; i++)
        tls_context_free(r->side[i].context);
    pki_free(r->root);
    pki_free(r->intermediate);
    pki_free(r->server);
    pki_free(r->maker);
    pki_free(r->phone);
    pki_free(r->stranger);
    free(r);
    return 0;
}

/* The phone's certificate is installed; the server asks as it says. */
static inline void rig_mutual(struct rig *r, enum tls_ask ask)
{
    r->config[CLIENT].certificate = CHAIN(&r->text[CLIENT][1], r->phone);
    r->config[CLIENT].key = key_of(&r->text[CLIENT][2], r->phone);
    r->config[SERVER].ask = ask;
}

/* The server shows `e`, signed by one who is trusted. */
static inline void rig_server_is(struct rig *r, const struct pki_entity *e)
{
    struct span der = pki_certificate(e);
    struct text t = text_on(r->text[SERVER][0].p, sizeof r->text[SERVER][0].p);
    pki_text_line(&t, &der, 1);
    r->config[SERVER].certificate = text_span(&t);
    r->config[SERVER].key = key_of(&r->text[SERVER][1], e);
}

/* ---- running ---- */

static void rig_contexts(struct rig *r)
{
    for (int i = 0; i < SIDES; i++) {
        char room[600];
        struct text why = text_on(room, sizeof room);
        struct prng random;
        prng_init(&random, 1, i == CLIENT ? SPAN("alice") : SPAN("sbc"), SPAN("tls"));
        tls_context_free(r->side[i].context);
        r->side[i].context = NULL;
        int error = tls_context_new(&r->config[i], &random, r->now + r->ahead[i], &r->side[i].context, &why);
        if (error)
            print_error("%s\n", room);
        assert_int_equal(error, 0);
    }
}

/* Gives what `from` has sent to the other; false: there was nothing. */
static bool rig_carry(struct rig *r, int from)
{
    struct side *a = &r->side[from];
    struct side *b = &r->side[1 - from];
    size_t n = a->sent.n - a->taken;
    if (n == 0 || !b->tls)
        return false;
    if (r->piece && n > r->piece)
        n = r->piece;
    const char *p = a->sent.p + a->taken;
    a->taken += n;
    tls_input(b->tls, span_make(p, n), r->now + r->ahead[1 - from]);
    return true;
}

static inline void rig_settle(struct rig *r)
{
    while (rig_carry(r, CLIENT) || rig_carry(r, SERVER))
        ;
}

static inline void rig_connect(struct rig *r, const char *peer)
{
    if (!r->side[CLIENT].context)
        rig_contexts(r);
    rig_hang_up(r);
    assert_int_equal(
        tls_new(r->side[CLIENT].context, span_of(peer), &rig_events, &r->side[CLIENT], &r->side[CLIENT].tls), 0);
    assert_int_equal(tls_new(r->side[SERVER].context, SPAN(""), &rig_events, &r->side[SERVER], &r->side[SERVER].tls),
                     0);
    tls_start(r->side[SERVER].tls, r->now + r->ahead[SERVER]);
    tls_start(r->side[CLIENT].tls, r->now + r->ahead[CLIENT]);
    rig_settle(r);
}

static inline void assert_established(const struct rig *r)
{
    for (int i = 0; i < SIDES; i++) {
        if (r->side[i].failed_n)
            print_error("side %d: %s: %s\n", i, r->side[i].alert, r->side[i].why);
        assert_int_equal(r->side[i].established_n, 1);
        assert_int_equal(r->side[i].failed_n, 0);
    }
}

/* One end refused with this alert, the other got it. */
static inline void assert_refused(const struct rig *r, int by, const char *alert, const char *why)
{
    const struct side *a = &r->side[by];
    const struct side *b = &r->side[1 - by];
    if (!strstr(a->why, why))
        print_error("expected: %s\nsaid:     %s\n", why, a->why);
    assert_non_null(strstr(a->why, why));
    assert_string_equal(a->alert, alert);
    assert_int_equal(a->way, TLS_ALERT_SENT);
    assert_int_equal(a->failed_n, 1);
    assert_string_equal(b->alert, alert);
    assert_int_equal(b->way, TLS_ALERT_RECEIVED);
    assert_int_equal(b->failed_n, 1);
}

#endif
