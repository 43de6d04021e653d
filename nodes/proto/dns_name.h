/* Domain names (RFC 1035 §2.3, §3.1): labels of up to 63 bytes, in any case, 255 bytes on the wire. */
#ifndef FAREND_PROTO_DNS_NAME_H
#define FAREND_PROTO_DNS_NAME_H

#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DNS_LABEL_MAX = 63,
    DNS_NAME_MAX = 255,   /* bytes of the wire form: each label behind its length, and the root's 0 */
    DNS_NAME_TEXT = 1009, /* room for any name as text, every byte escaped as \DDD, and NUL */
};

/* A name in its wire form, never compressed: a value, to be copied. */
struct dns_name {
    uint8_t n; /* bytes, with the root's 0; 0: no name at all, 1: the root */
    uint8_t wire[DNS_NAME_MAX];
};

/* "sip.example.com", "example.com.", "." (the root); §5.1's \. and \DDD are understood. Letters stay as they are.
 * FE_ESYNTAX: an empty label or a broken escape; FE_ERANGE: a label or the name is too long. */
int dns_name_parse(struct span text, struct dns_name *out);

/* Without the last dot; the root is ".". */
void dns_name_text(struct text *t, const struct dns_name *name);

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b); /* in any case (§2.3.3, RFC 4343) */

/* Is it `zone` itself, or below it? Everything is below the root. */
bool dns_name_within(const struct dns_name *name, const struct dns_name *zone);

unsigned dns_name_labels(const struct dns_name *name); /* without the root */
/* The last `labels` labels of it: of "a.b.example.com" with 2 "example.com"; the name itself when it has no more. */
void dns_name_tail(const struct dns_name *name, unsigned labels, struct dns_name *out);
/* label + "." + name, as "_sips._tcp" before a domain: `prefix` is text. Errors of dns_name_parse(). */
int dns_name_below(struct span prefix, const struct dns_name *name, struct dns_name *out);

/* Reads the name that begins at *at of a message, follows compression pointers (§4.1.4), and moves *at behind it. A
 * pointer must lead back to before the labels that it ends, so that every name ends. FE_ESHORT: the bytes end early;
 * FE_ESYNTAX: a pointer that leads elsewhere, a reserved kind of label, more than 255 bytes. */
int dns_name_read(struct span message, size_t *at, struct dns_name *out);

#endif
