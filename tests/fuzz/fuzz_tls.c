/* TLS against hostile bytes, as a client and as a server. Every random number comes from one seed, so that a recorded
 * handshake of the other end is good to its last byte: the corpus gets past the handshake.
 *
 * The first byte says what is set up (below), the rest is what TCP received. */
#include "nodes/secure/pki.h"
#include "nodes/secure/pki_text.h"
#include "nodes/secure/tls.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    AS_SERVER = 1, /* else a client is under test */
    MUTUAL = 2,    /* the client has a certificate, the server demands one */
    OLD = 4,       /* TLS 1.0 and 1.1 alone, where the library has them */
    FREES = 8,     /* the owner frees the connection in its first event after the handshake */
    PIECE = 4,     /* shift: 0 all at once, else pieces of 2^n - 1 bytes */
};

enum { CLIENT, SERVER, ROOT, ENTITIES };

struct text_room {
    char p[4096];
};
static struct text_room chain[ENTITIES];
static struct text_room key[ENTITIES];

struct end {
    struct tls *tls;
    bool established, failed, closed, frees, freed;
    void (*out)(struct span bytes); /* what it sends; NULL: nobody looks */
};

/* ---- certificates, once ---- */

static struct pki_entity *issue(const char *subject, bool ca, struct pki_entity *by)
{
    struct prng random;
    struct pki_entity *e;
    const struct pki_request want = {
        .subject = span_of(subject), .not_before = LAB_BEGINS, .not_after = LAB_BEGINS + 86400, .ca = ca, .depth = -1};
    prng_init(&random, 1, want.subject, SPAN("certificate"));
    if (pki_issue(&want, by, &random, &e, NULL))
        abort();
    return e;
}

static void arrange(void)
{
    struct pki_entity *e[ENTITIES];
    if (chain[ROOT].p[0])
        return;
    e[ROOT] = issue("Root", true, NULL);
    e[SERVER] = issue("sbc.example.com", false, e[ROOT]);
    e[CLIENT] = issue("phone", false, e[ROOT]);
    for (int i = 0; i < ENTITIES; i++) {
        struct span der = pki_certificate(e[i]);
        struct span secret = pki_private_key(e[i]);
        struct text t = text_on(chain[i].p, sizeof chain[i].p);
        pki_text_line(&t, &der, 1);
        t = text_on(key[i].p, sizeof key[i].p);
        pki_text_line(&t, &secret, 1);
        if (!text_ok(&t))
            abort();
    }
    for (int i = 0; i < ENTITIES; i++)
        pki_free(e[i]);
}

static struct tls_context *context_new(int which, unsigned mode)
{
    struct tls_config config = tls_config_of(which == SERVER ? TLS_SERVER : TLS_CLIENT);
    struct tls_context *c;
    struct prng random;
    if (which == SERVER || mode & MUTUAL) {
        config.certificate = span_of(chain[which].p);
        config.key = span_of(key[which].p);
    }
    config.trust = span_of(chain[ROOT].p);
    config.ask = mode & MUTUAL ? TLS_REQUIRE_CERTIFICATE : TLS_ASK_NOTHING;
    if (mode & OLD && tls_version_known(TLS_1_0)) {
        config.least = TLS_1_0;
        config.most = TLS_1_1;
    }
    prng_init(&random, 1, which == SERVER ? SPAN("server") : SPAN("client"), SPAN("tls"));
    if (tls_context_new(&config, &random, 0, &c, NULL))
        abort();
    return c;
}

/* ---- what may be told, and when ---- */

static void maybe_free(struct end *e)
{
    if (!e->frees || e->freed)
        return;
    e->freed = true;
    tls_free(e->tls);
}

static void on_send(void *arg, struct span bytes)
{
    struct end *e = arg;
    if (bytes.n == 0 || e->freed)
        abort();
    if (e->out)
        e->out(bytes);
}

static void on_established(void *arg, const struct tls_established *what)
{
    struct end *e = arg;
    if (e->established || e->failed || e->freed || !what->suite)
        abort();
    e->established = true;
    if (tls_send(e->tls, SPAN("hello"), 0))
        abort();
    maybe_free(e);
}

static void on_received(void *arg, struct span plaintext)
{
    struct end *e = arg;
    if (!e->established || e->failed || e->closed || e->freed || plaintext.n == 0)
        abort();
    tls_send(e->tls, plaintext, 0);
}

static void on_closed(void *arg)
{
    struct end *e = arg;
    if (!e->established || e->failed || e->closed || e->freed)
        abort();
    e->closed = true;
}

static void on_failed(void *arg, const struct tls_failure *f)
{
    struct end *e = arg;
    if (e->failed || e->freed || !f->why.n || (f->way == TLS_ALERT_NONE) != !f->alert[0])
        abort();
    e->failed = true;
    maybe_free(e);
}

static void on_secret(void *arg, struct span line)
{
    struct end *e = arg;
    if (e->freed || !span_starts(line, SPAN("CLIENT_RANDOM ")))
        abort();
}

static const struct tls_events events = {on_send, on_established, on_received, on_closed, on_failed, on_secret};

static void end_new(struct end *e, int which, unsigned mode)
{
    struct tls_context *c = context_new(which, mode);
    if (tls_new(c, SPAN("sbc.example.com"), &events, e, &e->tls))
        abort();
    tls_context_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned mode = size ? data[0] : 0;
    size_t piece = mode >> PIECE ? (1u << (mode >> PIECE)) - 1 : size;
    struct end e = {.frees = mode & FREES};
    arrange();
    end_new(&e, mode & AS_SERVER ? SERVER : CLIENT, mode);
    tls_start(e.tls, 0);
    for (size_t i = 1; i < size && !e.freed; i += piece)
        tls_input(e.tls, span_make(data + i, size - i < piece ? size - i : piece), 0);
    if (!e.freed) {
        tls_close(e.tls, 0);
        tls_free(e.tls);
    }
    return 0;
}
