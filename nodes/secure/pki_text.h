/* Certificates and private keys as text, and back to DER. Three forms are read, and told apart by how they begin:
 *
 * PEM         RFC 7468; any number of blocks after each other, other text between them is skipped
 * DER         one certificate or key, as it is
 * one line    "base64:" and DER in Base64, several separated by commas: a node's setting, which travels as a word of a
 *             command line */
#ifndef FAREND_SECURE_PKI_TEXT_H
#define FAREND_SECURE_PKI_TEXT_H

#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stddef.h>

enum pki_text_what { PKI_TEXT_CERTIFICATE, PKI_TEXT_KEY };

/* Calls `each` with the DER of every certificate or key of a text, in order, until one returns an error (negative).
 * 0; FE_ESYNTAX: not such a text, or there is none in it; FE_EMEM; what `each` returned. The DER is borrowed for the
 * call. */
int pki_text_each(struct span text, enum pki_text_what what, int (*each)(void *arg, struct span der), void *arg);

/* Bytes that the writers below need, NUL included, for `ders_n` pieces of `bytes` in all. */
size_t pki_text_room(size_t ders_n, size_t bytes);

void pki_text_line(struct text *t, const struct span *ders, size_t n);
/* label: "CERTIFICATE", "EC PRIVATE KEY", "RSA PRIVATE KEY". */
void pki_text_pem(struct text *t, const char *label, struct span der);

#endif
