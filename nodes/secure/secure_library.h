/* Where mbedTLS 2.28 and 3.6 differ, for the sources of this folder alone. */
#ifndef FAREND_SECURE_LIBRARY_H
#define FAREND_SECURE_LIBRARY_H

#include "nodes/base/prng.h"

#include <mbedtls/ssl.h>
#include <mbedtls/version.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define SECURE_MBEDTLS_3   1
#define SECURE_FIELD(name) MBEDTLS_PRIVATE(name)
#else
#define SECURE_MBEDTLS_3   0
#define SECURE_FIELD(name) name
#endif

#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
#define SECURE_TLS_1_3 1
#else
#define SECURE_TLS_1_3 0
#endif

/* The f_rng of mbedTLS; rng is a struct prng. */
static inline int secure_random(void *rng, unsigned char *out, size_t n)
{
    prng_bytes(rng, out, n);
    return 0;
}

#endif
