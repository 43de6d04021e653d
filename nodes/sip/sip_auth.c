/* The client's half of Digest authentication. */
#include "nodes/sip/sip_auth.h"

#include "nodes/base/error.h"
#include "nodes/proto/digest.h"
#include "nodes/proto/sip_build.h"

enum { CNONCE_DIGITS = 16, VALUE_MAX = 1024 };

void sip_auth_init(struct sip_auth *a, const struct host *h, const char *purpose)
{
    *a = (struct sip_auth){0};
    host_stream(h, purpose, &a->rng);
}

/* The first challenge of the response that can be answered here (RFC 7616 §3.7 lets the client choose). */
static bool find_challenge(const struct sip_msg *response, enum sip_header_id id, struct digest_challenge *out)
{
    for (const struct sip_header *h = sip_find(response, id); h; h = sip_find_next(response, h))
        if (digest_challenge_parse(h->value, out) == 0 && out->algorithm == DIGEST_MD5 &&
            (!out->has_qop || out->qop_auth))
            return true;
    return false;
}

static bool remember(struct sip_auth *a, const struct digest_challenge *c)
{
    bool same = a->known && span_is(c->nonce, a->nonce);
    if (!span_copy(c->realm, a->realm, sizeof a->realm) || !span_copy(c->nonce, a->nonce, sizeof a->nonce) ||
        !span_copy(c->opaque, a->opaque, sizeof a->opaque))
        return false;
    a->has_opaque = c->opaque.p != NULL;
    a->qop = c->has_qop;
    a->named_md5 = c->algorithm_named;
    if (!same)
        a->nc = 0;
    return true;
}

int sip_auth_challenged(struct sip_auth *a, const struct sip_msg *response)
{
    enum { MANY = 5 };
    struct digest_challenge c;
    bool proxy = response->status == 407;
    if (!find_challenge(response, proxy ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE, &c))
        return FE_EUNKNOWN;
    bool again = a->challenges > 0 && !c.stale;
    a->challenges++;
    a->known = remember(a, &c);
    a->proxy = proxy;
    if (!a->known)
        return FE_ERANGE;
    return again || a->challenges >= MANY ? FE_EREFUSED : 0;
}

void sip_auth_accepted(struct sip_auth *a)
{
    a->challenges = 0;
}

void sip_auth_header(struct sip_auth *a, const struct sip_credentials *who, struct span method, struct span uri,
                     struct text *out)
{
    char cnonce[CNONCE_DIGITS + 1];
    char buf[VALUE_MAX];
    struct text value = text_on(buf, sizeof buf);
    struct digest_challenge c = {
        .realm = span_of(a->realm),
        .nonce = span_of(a->nonce),
        .opaque = a->has_opaque ? span_of(a->opaque) : (struct span){0},
        .algorithm = DIGEST_MD5,
        .algorithm_named = a->named_md5,
        .has_qop = a->qop,
        .qop_auth = a->qop,
    };
    if (!a->known)
        return;
    prng_hex(&a->rng, cnonce, CNONCE_DIGITS);
    if (digest_answer(&value, &c, who->user, who->password, method, uri, ++a->nc, span_of(cnonce)) == 0)
        sip_put(out, a->proxy ? SIP_H_PROXY_AUTHORIZATION : SIP_H_AUTHORIZATION, text_span(&value));
}
