/* Sessions that a client may resume: the last one with each peer, by the peer's name. */
#include "nodes/secure/tls_private.h"

#include <stdlib.h>

static struct tls_session *find(const struct tls_context *c, const char *peer)
{
    struct tls_session *s = c->sessions;
    while (s && strcmp(s->peer, peer) != 0)
        s = s->next;
    return s;
}

void tls_session_offer(struct tls *t)
{
    const struct tls_session *s = find(t->context, t->peer);
    if (s && t->context->config.resume)
        (void)mbedtls_ssl_set_session(&t->ssl, &s->session); /* without memory: a full handshake */
}

void tls_session_keep(struct tls *t)
{
    struct tls_context *c = t->context;
    if (c->config.role != TLS_CLIENT || !c->config.resume)
        return;
    struct tls_session *s = find(c, t->peer);
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s)
            return; /* the next handshake is a full one */
        memcpy(s->peer, t->peer, sizeof s->peer);
        s->next = c->sessions;
        c->sessions = s;
    } else {
        mbedtls_ssl_session_free(&s->session);
    }
    mbedtls_ssl_session_init(&s->session);
    (void)mbedtls_ssl_get_session(&t->ssl, &s->session);
}

void tls_sessions_free(struct tls_context *c)
{
    while (c->sessions) {
        struct tls_session *s = c->sessions;
        c->sessions = s->next;
        mbedtls_ssl_session_free(&s->session);
        free(s);
    }
}
