/* The server's half of Digest authentication (RFC 2617 §3.2).
 *
 * A nonce is "serial-time-seal": the seal is a keyed hash of the other two, so that a nonce of ours is known without
 * being stored. What must be stored is how often it was used: a ring of counts, one for each of the last NONCES
 * serials. */
#include "nodes/sip/sip_auth.h"

#include "nodes/base/error.h"
#include "nodes/proto/digest.h"
#include "nodes/proto/md5.h"
#include "nodes/proto/sip_build.h"

#include <stdlib.h>

enum {
    NONCES = 16384, /* a power of two */
    KEY_DIGITS = 32,
    NONCE_MAX = 96,
    VALUE_MAX = 512,
};

struct use {
    uint32_t serial; /* whose count this is */
    uint32_t nc;     /* the highest seen */
};

struct sip_realm {
    struct host *host;
    char *name;
    lab_time life;
    char key[KEY_DIGITS + 1];
    uint32_t serial; /* of the last nonce; the first is 1 */
    struct use uses[NONCES];
};

int sip_realm_new(struct sip_realm **out, struct host *h, struct span realm, lab_time nonce_life)
{
    struct prng rng;
    struct sip_realm *r = calloc(1, sizeof *r);
    char *name = malloc(realm.n + 1);
    if (!r || !name) {
        free(r);
        free(name);
        return FE_EMEM;
    }
    span_copy(realm, name, realm.n + 1);
    r->host = h;
    r->name = name;
    r->life = nonce_life ? nonce_life : 5 * MINUTE;
    host_stream(h, "nonces", &rng);
    prng_hex(&rng, r->key, KEY_DIGITS);
    *out = r;
    return 0;
}

void sip_realm_free(struct sip_realm *r)
{
    if (!r)
        return;
    free(r->name);
    free(r);
}

static void write_nonce(const struct sip_realm *r, uint64_t serial, uint64_t at, struct text *out)
{
    struct md5 md5;
    char seal[MD5_HEX];
    size_t begin = out->n;
    text_u64(out, serial);
    text_char(out, '-');
    text_u64(out, at);
    md5_init(&md5);
    md5_add(&md5, span_of(r->key));
    md5_add(&md5, span_make(out->p + begin, out->n - begin));
    md5_end_hex(&md5, seal);
    text_char(out, '-');
    text_str(out, seal);
}

/* True for a nonce that this realm made. */
static bool read_nonce(const struct sip_realm *r, struct span nonce, uint32_t *serial, lab_time *at)
{
    char buf[NONCE_MAX];
    struct text expected = text_on(buf, sizeof buf);
    struct span rest;
    uint64_t s;
    uint64_t t;
    if (span_u64(span_cut(nonce, '-', &rest), UINT32_MAX, &s) || span_u64(span_cut(rest, '-', &rest), INT64_MAX, &t))
        return false;
    write_nonce(r, s, t, &expected);
    if (!span_equal(text_span(&expected), nonce))
        return false;
    *serial = (uint32_t)s;
    *at = (lab_time)t;
    return true;
}

/* Of our making, young enough, still in the ring, and with a count that has not been used. Uses it up. */
static bool nonce_serves(struct sip_realm *r, const struct digest_credentials *c)
{
    uint32_t serial;
    lab_time at;
    if (!read_nonce(r, c->nonce, &serial, &at) || host_now(r->host) - at > r->life)
        return false;
    struct use *use = &r->uses[serial % NONCES];
    if (use->serial != serial)
        return false;
    if (!c->has_qop)
        return true;
    if (c->nc_value <= use->nc)
        return false;
    use->nc = c->nc_value;
    return true;
}

/* Credentials for this realm: one request may carry those for several (RFC 3261 §22.3). */
static bool find_credentials(const struct sip_realm *r, const struct sip_msg *msg, bool proxy,
                             struct digest_credentials *out)
{
    enum sip_header_id id = proxy ? SIP_H_PROXY_AUTHORIZATION : SIP_H_AUTHORIZATION;
    for (const struct sip_header *h = sip_find(msg, id); h; h = sip_find_next(msg, h))
        if (digest_credentials_parse(h->value, out) == 0 && span_is(out->realm, r->name) &&
            out->algorithm != DIGEST_UNKNOWN_ALGORITHM)
            return true;
    return false;
}

enum sip_verdict sip_realm_verify(struct sip_realm *r, const struct sip_msg *msg, bool proxy,
                                  bool (*password)(void *arg, struct span user, struct span *password), void *arg,
                                  struct span *user)
{
    struct digest_credentials c;
    struct span secret;
    if (!find_credentials(r, msg, proxy, &c))
        return SIP_AUTH_MISSING;
    *user = c.username;
    if (!password(arg, c.username, &secret) || !digest_verify(&c, secret, msg->method_text))
        return SIP_AUTH_WRONG;
    return nonce_serves(r, &c) ? SIP_AUTH_PASSED : SIP_AUTH_STALE;
}

void sip_realm_challenge(struct sip_realm *r, bool proxy, bool stale, struct text *headers)
{
    char nonce_buf[NONCE_MAX];
    char buf[VALUE_MAX];
    struct text nonce = text_on(nonce_buf, sizeof nonce_buf);
    struct text value = text_on(buf, sizeof buf);
    r->serial++;
    r->uses[r->serial % NONCES] = (struct use){.serial = r->serial};
    write_nonce(r, r->serial, (uint64_t)host_now(r->host), &nonce);
    struct digest_challenge c = {
        .realm = span_of(r->name),
        .nonce = text_span(&nonce),
        .algorithm = DIGEST_MD5,
        .algorithm_named = true,
        .has_qop = true,
        .qop_auth = true,
        .stale = stale,
    };
    digest_challenge_write(&value, &c);
    sip_put(headers, proxy ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE, text_span(&value));
}
