/* Who a certificate is for: its subject and subjectAltName as text, and whether a name that was configured is one of
 * them (RFC 6125 §6, RFC 5922 §7; PB-3). */
#ifndef FAREND_SECURE_IDENTITY_H
#define FAREND_SECURE_IDENTITY_H

#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <mbedtls/x509_crt.h>

/* A fully qualified domain name is one of the dNSNames, where "*" stands for one whole left-most label; without any
 * dNSName, the common name. An IPv4 address is one of the iPAddresses; without any, the common name. */
bool identity_is(const mbedtls_x509_crt *certificate, struct span peer);

/* "CN=sbc.example.com": for `t`, and cut off where it ends. */
void identity_subject(struct text *t, const mbedtls_x509_name *name);

/* "sbc.example.com, 203.0.113.10"; without a SAN nothing. */
void identity_names(struct text *t, const mbedtls_x509_crt *certificate);

/* Issued by whom it is for; the signature is not looked at. */
bool identity_is_self_signed(const mbedtls_x509_crt *certificate);

/* Seconds since 1970. */
int64_t identity_date(const mbedtls_x509_time *at);

#endif
