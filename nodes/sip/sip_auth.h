/* Digest authentication of SIP requests (RFC 3261 §22, RFC 2617; MD5, with and without qop=auth). */
#ifndef FAREND_SIP_AUTH_H
#define FAREND_SIP_AUTH_H

#include "nodes/base/lab_time.h"
#include "nodes/base/prng.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "nodes/host.h"
#include "nodes/proto/sip_msg.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- client: one account against one realm ---- */

/* The challenge as last heard; zero-initialise with sip_auth_init(). Kept between requests, so that later ones carry
 * credentials at once, with a growing nonce count. */
struct sip_auth {
    struct prng rng; /* cnonces */
    char realm[64], nonce[128], opaque[64];
    bool has_opaque;
    bool known;          /* there was a challenge */
    bool proxy;          /* it was a 407: Proxy-Authorization */
    bool qop;            /* "auth" was offered */
    bool named_md5;      /* the challenge said algorithm=MD5; it is echoed then */
    uint32_t nc;         /* requests made with this nonce */
    unsigned challenges; /* in a row, without sip_auth_accepted() */
};

struct sip_credentials {
    struct span user, password;
};

void sip_auth_init(struct sip_auth *a, const struct host *h, const char *purpose); /* purpose: of host_stream() */

/* Reads a 401 or 407. 0: send the request again, with CSeq + 1 and sip_auth_header(). FE_EREFUSED: the credentials
 * were refused (challenged twice in a row, the second time not as stale; or five times in a row). FE_EUNKNOWN: no
 * challenge of this response is Digest with MD5; FE_ERANGE: its texts are longer than there is room for. */
int sip_auth_challenged(struct sip_auth *a, const struct sip_msg *response);

/* The request got through: the next challenge is a fresh one. */
void sip_auth_accepted(struct sip_auth *a);

/* Writes the header line "Authorization: Digest …" (or Proxy-Authorization) with CR LF for a request, and counts up nc.
 * Nothing is written before the first challenge. */
void sip_auth_header(struct sip_auth *a, const struct sip_credentials *who, struct span method, struct span uri,
                     struct text *out);

/* ---- server: a realm ---- */
struct sip_realm;

enum sip_verdict {
    SIP_AUTH_PASSED,
    SIP_AUTH_MISSING, /* no credentials for this realm: challenge */
    SIP_AUTH_STALE,   /* right, but the nonce is too old, unknown or its count was used before: challenge as stale */
    SIP_AUTH_WRONG,   /* unknown user or wrong password */
};

/* `realm` is copied; a nonce serves for `nonce_life` (0: 5 min) and at most as long as it is among the last 16384. The
 * nonces are a function of the node's stream "nonces". FE_EMEM. */
int sip_realm_new(struct sip_realm **out, struct host *h, struct span realm, lab_time nonce_life);
void sip_realm_free(struct sip_realm *r); /* NULL is fine */

/* Looks at Authorization, or Proxy-Authorization when `proxy`. `password` says the password of a user, false when there
 * is no such user. *user is set whenever credentials of this realm were found, verified or not; a span into msg.
 * With qop=auth each (nonce, nc) passes once (RFC 2617 §3.2.2); a request without qop may use a nonce any number of
 * times while it lives. */
enum sip_verdict sip_realm_verify(struct sip_realm *r, const struct sip_msg *msg, bool proxy,
                                  bool (*password)(void *arg, struct span user, struct span *password), void *arg,
                                  struct span *user);

/* Writes the header line of a challenge with a new nonce: WWW-Authenticate for 401, Proxy-Authenticate for 407. */
void sip_realm_challenge(struct sip_realm *r, bool proxy, bool stale, struct text *headers);

#endif
