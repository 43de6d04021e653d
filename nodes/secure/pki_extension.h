/* The extensions of a certificate that mbedTLS 2.28 has no setter for, in DER (X.690) by hand. */
#ifndef FAREND_SECURE_PKI_EXTENSION_H
#define FAREND_SECURE_PKI_EXTENSION_H

#include "nodes/base/span.h"
#include "nodes/secure/pki.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes: PKI_NAMES_MAX names of PKI_NAME_MAX bytes, each with its tag and length, in a sequence. */
enum { PKI_EXTENSION_MAX = PKI_NAMES_MAX * (4 + PKI_NAME_MAX) + 4 };

/* Both return the bytes written to dst. */
size_t pki_put_names(uint8_t dst[PKI_EXTENSION_MAX], const struct span *names, size_t n); /* RFC 5280 §4.2.1.6 */
size_t pki_put_uses(uint8_t dst[PKI_EXTENSION_MAX], unsigned uses); /* §4.2.1.12; or'ed pki_use */

#endif
