/* The lab's certificate authority: certificates and keys made from a stream of random numbers, the same on every
 * machine (RFC 5280 profile, SHA-256; CT-3, CT-4). What goes wrong with certificates in the field is made by the
 * request: another root, an intermediate that is not handed out, a wrong name, dates in the past or the future. */
#ifndef FAREND_SECURE_PKI_H
#define FAREND_SECURE_PKI_H

#include "nodes/base/prng.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A certificate with its private key. */
struct pki_entity;

enum pki_key {
    PKI_P256,     /* ECDSA with deterministic signatures (RFC 6979); 1 ms to make */
    PKI_RSA_2048, /* PKCS #1 v1.5; 100 ms to make */
};
extern const char *const pki_key_words[]; /* "p256", "rsa", NULL */

enum pki_use { PKI_SERVER = 1, PKI_CLIENT = 2 };

enum { PKI_SUBJECT_MAX = 64, PKI_NAMES_MAX = 32, PKI_NAME_MAX = 253 }; /* bytes; RFC 5280's ub-common-name */

struct pki_request {
    struct span subject;      /* the common name, of letters, digits, blanks and -._:*@/()' */
    const struct span *names; /* the SAN: domain names (a left-most label "*" is fine) and IPv4 addresses, as text */
    size_t names_n;
    enum pki_key key;
    int64_t not_before, not_after; /* seconds since 1970 */
    bool ca;                       /* may issue others */
    int depth;                     /* ca: so many more authorities below it; -1: any number */
    unsigned uses;                 /* not ca: or'ed pki_use, the extended key usage; 0: none is said */
};

bool pki_name_ok(struct span name); /* a domain name, or an IPv4 address */

/* Could pki_issue() do this? 0, FE_ESYNTAX, FE_ERANGE: `why` (may be NULL) has a sentence. */
int pki_check(const struct pki_request *want, struct text *why);

/* Makes a key and has `issuer` sign; NULL: signed with its own key, a root or a self-signed certificate. The issuer
 * need not be valid, nor an authority. 0; what pki_check() says; FE_EMEM. */
int pki_issue(const struct pki_request *want, struct pki_entity *issuer, struct prng *random, struct pki_entity **out,
              struct text *why);
void pki_free(struct pki_entity *e); /* NULL is fine */

/* Borrowed from the entity. The key is PKCS #1 (RSA) or SEC 1 (P-256): pki_key_label() is its label in PEM. */
struct span pki_certificate(const struct pki_entity *e);
struct span pki_private_key(const struct pki_entity *e);
const char *pki_key_label(const struct pki_entity *e);

#endif
