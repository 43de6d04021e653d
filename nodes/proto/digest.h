/* Digest authentication (RFC 2617 with the names of RFC 7616, as used by RFC 3261 §22): MD5 and MD5-sess, with
 * qop=auth and without qop (RFC 2069 style).
 *
 * Quoted strings are taken and written as the bytes between the quotes: escapes are neither undone nor made, since both
 * ends hash what they saw. Ownership: parsed structs borrow the header value. */
#ifndef FAREND_PROTO_DIGEST_H
#define FAREND_PROTO_DIGEST_H

#include "nodes/base/error.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "nodes/proto/md5.h"

#include <stdbool.h>
#include <stdint.h>

enum digest_algorithm {
    DIGEST_MD5, /* also when none is named */
    DIGEST_MD5_SESS,
    DIGEST_UNKNOWN_ALGORITHM,
};

/* WWW-Authenticate, Proxy-Authenticate. */
struct digest_challenge {
    struct span realm, nonce;
    struct span opaque; /* p == NULL: none */
    enum digest_algorithm algorithm;
    bool algorithm_named; /* "algorithm" was, or is to be, written */
    bool has_qop;         /* the server knows qop; without it the answer has none */
    bool qop_auth;        /* "auth" is among its values */
    bool stale;           /* the nonce was too old, the password was right: try again at once */
};

/* Authorization, Proxy-Authorization. */
struct digest_credentials {
    struct span username, realm, nonce, uri, response;
    struct span opaque; /* p == NULL: none */
    struct span cnonce; /* p == NULL: none */
    struct span nc;     /* 8 hexadecimal digits as written; p == NULL: none */
    uint32_t nc_value;
    enum digest_algorithm algorithm;
    bool algorithm_named;
    bool has_qop; /* with a value other than "auth" the credentials are refused as FE_EUNKNOWN */
};

/* 0; FE_EUNKNOWN: another scheme than Digest, or a qop that is not known; FE_ESYNTAX: malformed, a parameter twice, or
 * one missing that must be there. */
int digest_challenge_parse(struct span value, struct digest_challenge *out);
int digest_credentials_parse(struct span value, struct digest_credentials *out);

/* The header's value, from "Digest " on. */
void digest_challenge_write(struct text *t, const struct digest_challenge *c);
void digest_credentials_write(struct text *t, const struct digest_credentials *c);

/* The 32 digits that `c` should have as its response (RFC 2617 §3.2.2.1), from all its other fields. c->algorithm is
 * MD5 or MD5-sess. */
void digest_response(const struct digest_credentials *c, struct span password, struct span method, char out[MD5_HEX]);

/* Server: is the response right for this password and method? Says nothing about the nonce's age, the nc or the uri. */
bool digest_verify(const struct digest_credentials *c, struct span password, struct span method);

/* Client: writes the credentials for a challenge. nc counts the uses of this nonce from 1; cnonce is the client's, and
 * is not written when the challenge has no qop (unless MD5-sess needs it).
 * 0; FE_EUNKNOWN: algorithm or qop that is not spoken here; FE_ERANGE: does not fit. */
int digest_answer(struct text *t, const struct digest_challenge *c, struct span username, struct span password,
                  struct span method, struct span uri, uint32_t nc, struct span cnonce);

#endif
