/* Handshakes a second, client and server in one process on one core: nodes/secure against a bare loop of mbedTLS with
 * the same certificates, curves and suites; in turn, so that both meet the same machine. Prints for each sort of
 * handshake "NAME ours=H/s bare=H/s ratio=R", the best of the rounds of each. */
#include "nodes/secure/pki.h"
#include "nodes/secure/pki_text.h"
#include "nodes/secure/tls.h"

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CLIENT, SERVER, SIDES, ROOT = SIDES, ENTITIES };
enum { FULL, MUTUAL, RESUMED, SORTS };
static const char *const sorts[SORTS] = {"full", "mutual", "resumed"};

#define NAME "sbc.example.com"

static struct pki_entity *entity[ENTITIES];

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench_tls: %s\n", what);
    exit(1);
}

/* Of this process's own work: neighbours on the machine do not count. */
static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* ---- certificates: valid on the machine's clock too, which the bare loop asks ---- */

static struct pki_entity *issue(const char *subject, bool ca, struct pki_entity *by)
{
    struct prng random;
    struct pki_entity *e;
    const struct pki_request want = {
        .subject = span_of(subject), .not_before = 0, .not_after = INT64_C(4102444800), .ca = ca, .depth = -1};
    prng_init(&random, 1, want.subject, SPAN("certificate"));
    need(pki_issue(&want, by, &random, &e, NULL) == 0, "no certificate");
    return e;
}

/* ---- bytes from one end to the other ---- */

struct pipe {
    char p[1 << 16];
    size_t n, taken;
};
static struct pipe pipes[SIDES]; /* by the sender */

static void pipes_clear(void)
{
    for (int i = 0; i < SIDES; i++)
        pipes[i].n = pipes[i].taken = 0;
}

static void pipe_put(struct pipe *p, const void *bytes, size_t n)
{
    need(p->n + n <= sizeof p->p, "a pipe is full");
    memcpy(p->p + p->n, bytes, n);
    p->n += n;
}

/* ---- ours ---- */

struct ours {
    struct tls_context *context[SIDES];
    struct tls *tls[SIDES];
    bool established[SIDES], resumed;
};
static struct ours ours;
static const int sides[SIDES] = {CLIENT, SERVER};

static void on_send(void *arg, struct span bytes)
{
    pipe_put(&pipes[*(const int *)arg], bytes.p, bytes.n);
}

static void on_established(void *arg, const struct tls_established *e)
{
    ours.established[*(const int *)arg] = true;
    ours.resumed = e->resumed;
}

static void on_failed(void *arg, const struct tls_failure *f)
{
    (void)arg;
    fprintf(stderr, "bench_tls: %.*s\n", SPAN_ARG(f->why));
    exit(1);
}

static const struct tls_events events = {.send = on_send, .established = on_established, .failed = on_failed};

static void ours_begin(int sort)
{
    for (int i = 0; i < SIDES; i++) {
        static char room[3][8192];
        struct tls_config c = tls_config_of(i == SERVER ? TLS_SERVER : TLS_CLIENT);
        struct prng random;
        struct span parts[3] = {pki_certificate(entity[i]), pki_private_key(entity[i]), pki_certificate(entity[ROOT])};
        for (int j = 0; j < 3; j++) {
            struct text t = text_on(room[j], sizeof room[j]);
            pki_text_line(&t, &parts[j], 1);
            parts[j] = text_span(&t);
        }
        c.trust = parts[2];
        if (i == SERVER || sort == MUTUAL) {
            c.certificate = parts[0];
            c.key = parts[1];
        }
        c.ask = sort == MUTUAL ? TLS_REQUIRE_CERTIFICATE : TLS_ASK_NOTHING;
        c.resume = sort == RESUMED;
        prng_init(&random, 1, span_of(sorts[sort]), i == SERVER ? SPAN("server") : SPAN("client"));
        need(tls_context_new(&c, &random, 0, &ours.context[i], NULL) == 0, "no context");
    }
}

static void ours_end(void)
{
    for (int i = 0; i < SIDES; i++)
        tls_context_free(ours.context[i]);
}

static bool ours_carry(int from)
{
    struct pipe *p = &pipes[from];
    struct span bytes = span_make(p->p + p->taken, p->n - p->taken);
    if (!bytes.n)
        return false;
    p->taken = p->n;
    tls_input(ours.tls[1 - from], bytes, 0);
    return true;
}

static bool ours_handshake(void)
{
    pipes_clear();
    for (int i = 0; i < SIDES; i++) {
        ours.established[i] = false;
        need(tls_new(ours.context[i], SPAN(NAME), &events, (void *)(uintptr_t)&sides[i], &ours.tls[i]) == 0,
             "no connection");
        tls_start(ours.tls[i], 0);
    }
    while (ours_carry(CLIENT) || ours_carry(SERVER))
        ;
    need(ours.established[CLIENT] && ours.established[SERVER], "no handshake");
    for (int i = 0; i < SIDES; i++)
        tls_free(ours.tls[i]);
    return ours.resumed;
}

/* ---- bare ---- */

struct bare {
    mbedtls_ssl_config conf[SIDES];
    mbedtls_x509_crt own[SIDES], trust;
    mbedtls_pk_context key[SIDES];
    mbedtls_ssl_ticket_context tickets;
    mbedtls_ssl_session session;
    bool has_session, keeps_session;
    struct prng random;
};
static struct bare bare;

static int bare_random(void *arg, unsigned char *out, size_t n)
{
    prng_bytes(arg, out, n);
    return 0;
}

static int bare_push(void *arg, const unsigned char *p, size_t n)
{
    pipe_put(&pipes[*(const int *)arg], p, n);
    return (int)n;
}

static int bare_pull(void *arg, unsigned char *to, size_t n)
{
    struct pipe *p = &pipes[1 - *(const int *)arg];
    size_t left = p->n - p->taken;
    if (!left)
        return MBEDTLS_ERR_SSL_WANT_READ;
    n = n < left ? n : left;
    memcpy(to, p->p + p->taken, n);
    p->taken += n;
    return (int)n;
}

static int bare_key(mbedtls_pk_context *to, struct span der)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    return mbedtls_pk_parse_key(to, (const unsigned char *)der.p, der.n, NULL, 0, bare_random, &bare.random);
#else
    return mbedtls_pk_parse_key(to, (const unsigned char *)der.p, der.n, NULL, 0);
#endif
}

static void bare_curves(mbedtls_ssl_config *conf)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
    mbedtls_ssl_conf_groups(conf, groups);
#else
    static const mbedtls_ecp_group_id groups[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE};
    mbedtls_ssl_conf_curves(conf, groups);
#endif
}

static void bare_side(int i, int sort)
{
    struct span der = pki_certificate(entity[i]);
    mbedtls_ssl_config *conf = &bare.conf[i];
    mbedtls_ssl_config_init(conf);
    mbedtls_x509_crt_init(&bare.own[i]);
    mbedtls_pk_init(&bare.key[i]);
    need(mbedtls_x509_crt_parse_der(&bare.own[i], (const unsigned char *)der.p, der.n) == 0 &&
             bare_key(&bare.key[i], pki_private_key(entity[i])) == 0 &&
             mbedtls_ssl_config_defaults(conf, i == SERVER ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
                                         MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) == 0,
         "mbedTLS refuses");
    mbedtls_ssl_conf_rng(conf, bare_random, &bare.random);
    mbedtls_ssl_conf_min_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    bare_curves(conf);
    mbedtls_ssl_conf_ca_chain(conf, &bare.trust, NULL);
    mbedtls_ssl_conf_authmode(conf,
                              i == CLIENT || sort == MUTUAL ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
    if (i == SERVER || sort == MUTUAL)
        mbedtls_ssl_conf_own_cert(conf, &bare.own[i], &bare.key[i]);
    if (i == CLIENT && sort != RESUMED)
        mbedtls_ssl_conf_session_tickets(conf, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
}

static void bare_begin(int sort)
{
    struct span root = pki_certificate(entity[ROOT]);
    bare = (struct bare){.keeps_session = sort == RESUMED};
    prng_init(&bare.random, 1, span_of(sorts[sort]), SPAN("bare"));
    mbedtls_x509_crt_init(&bare.trust);
    mbedtls_ssl_ticket_init(&bare.tickets);
    mbedtls_ssl_session_init(&bare.session);
    need(mbedtls_x509_crt_parse_der(&bare.trust, (const unsigned char *)root.p, root.n) == 0, "no root");
    for (int i = 0; i < SIDES; i++)
        bare_side(i, sort);
    if (sort != RESUMED)
        return;
    need(mbedtls_ssl_ticket_setup(&bare.tickets, bare_random, &bare.random, MBEDTLS_CIPHER_AES_256_GCM, 86400) == 0,
         "no tickets");
    mbedtls_ssl_conf_session_tickets_cb(&bare.conf[SERVER], mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                        &bare.tickets);
}

static void bare_end(void)
{
    for (int i = 0; i < SIDES; i++) {
        mbedtls_ssl_config_free(&bare.conf[i]);
        mbedtls_x509_crt_free(&bare.own[i]);
        mbedtls_pk_free(&bare.key[i]);
    }
    mbedtls_x509_crt_free(&bare.trust);
    mbedtls_ssl_ticket_free(&bare.tickets);
    mbedtls_ssl_session_free(&bare.session);
}

static bool bare_handshake(void)
{
    mbedtls_ssl_context ssl[SIDES];
    int left[SIDES] = {MBEDTLS_ERR_SSL_WANT_READ, MBEDTLS_ERR_SSL_WANT_READ};
    bool resumes = bare.has_session;
    pipes_clear();
    for (int i = 0; i < SIDES; i++) {
        mbedtls_ssl_init(&ssl[i]);
        need(mbedtls_ssl_setup(&ssl[i], &bare.conf[i]) == 0, "no connection");
        mbedtls_ssl_set_bio(&ssl[i], (void *)(uintptr_t)&sides[i], bare_push, bare_pull, NULL);
    }
    need(mbedtls_ssl_set_hostname(&ssl[CLIENT], NAME) == 0, "no name");
    if (resumes)
        need(mbedtls_ssl_set_session(&ssl[CLIENT], &bare.session) == 0, "no session");
    while (left[CLIENT] || left[SERVER])
        for (int i = 0; i < SIDES; i++)
            if (left[i]) {
                left[i] = mbedtls_ssl_handshake(&ssl[i]);
                need(left[i] == 0 || left[i] == MBEDTLS_ERR_SSL_WANT_READ, "no bare handshake");
            }
    if (bare.keeps_session) {
        mbedtls_ssl_session_free(&bare.session);
        mbedtls_ssl_session_init(&bare.session);
        bare.has_session = mbedtls_ssl_get_session(&ssl[CLIENT], &bare.session) == 0;
    }
    for (int i = 0; i < SIDES; i++)
        mbedtls_ssl_free(&ssl[i]);
    return resumes;
}

/* ---- measuring ---- */

/* Handshakes a second over about so long. */
static double rate(bool (*handshake)(void), bool resumes, double length)
{
    double start;
    double passed;
    long n = 0;
    handshake(); /* warm, and for resumption the first session */
    start = seconds();
    do {
        for (int i = 0; i < 10; i++, n++)
            need(handshake() == resumes, "resumed or not: not as meant");
        passed = seconds() - start;
    } while (passed < length);
    return (double)n / passed;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

int main(int argc, char **argv)
{
    double length = argc > 1 ? atof(argv[1]) : 0.7;
    entity[ROOT] = issue("Root", true, NULL);
    entity[SERVER] = issue(NAME, false, entity[ROOT]);
    entity[CLIENT] = issue("phone", false, entity[ROOT]);
    for (int sort = 0; sort < SORTS; sort++) {
        double best_ours = 0;
        double best_bare = 0;
        ours_begin(sort);
        bare_begin(sort);
        for (int round = 0; round < 3; round++) {
            best_ours = larger(best_ours, rate(ours_handshake, sort == RESUMED, length));
            best_bare = larger(best_bare, rate(bare_handshake, sort == RESUMED, length));
        }
        printf("%-8s ours=%.0f/s bare=%.0f/s ratio=%.2f\n", sorts[sort], best_ours, best_bare, best_ours / best_bare);
        ours_end();
        bare_end();
    }
    for (int i = 0; i < ENTITIES; i++)
        pki_free(entity[i]);
    return 0;
}
