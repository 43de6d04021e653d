/* SIP and SIPS URIs (RFC 3261 §19.1), and the others as far as they must be told apart.
 * Ownership: a struct sip_uri borrows the bytes it was parsed from. */
#ifndef FAREND_PROTO_SIP_URI_H
#define FAREND_PROTO_SIP_URI_H

#include "nodes/base/addr.h"
#include "nodes/base/error.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "nodes/proto/sip_msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sip_scheme {
    SIP_SCHEME_OTHER, /* a scheme and an opaque rest */
    SIP_SCHEME_SIP,
    SIP_SCHEME_SIPS,
    SIP_SCHEME_TEL, /* RFC 3966: the number is in `user`, its parameters in `params` */
};

struct sip_uri {
    struct span bytes;
    enum sip_scheme scheme;
    struct span scheme_text;
    struct span user;     /* still escaped; empty: none. tel: the number */
    struct span password; /* still escaped; p == NULL: none */
    struct span host;     /* name, IPv4 address, or IPv6 reference with its brackets. Other schemes: the opaque rest */
    uint16_t port;        /* 0: not given */
    struct span params;   /* from the first ';' to before '?'; empty: none */
    struct span headers;  /* behind '?'; empty: none */
};

/* The whole span must be the URI. 0, FE_ESYNTAX, FE_ERANGE (port). */
int sip_uri_parse(struct span s, struct sip_uri *out);

/* uri-parameters; *value may be NULL, and has p == NULL when the parameter is a flag ("lr"). Any case. */
bool sip_uri_param(const struct sip_uri *uri, const char *name, struct span *value);
/* Takes the first ";name=value" off *params. 1: got one; 0: no more. */
int sip_uri_param_next(struct span *params, struct span *name, struct span *value);

/* RFC 3263 §4.1, without DNS: TLS for a sips URI, else what `transport` says, SIP_TRANSPORT_OTHER when that is not
 * known, SIP_UDP without it. */
enum sip_transport sip_uri_transport(const struct sip_uri *uri);

/* Where to send without asking DNS: the host (or maddr) when it is an IPv4 address, with the port or the default of the
 * transport (5060; TLS 5061). FE_EUNKNOWN: the host is a name. FE_ESYNTAX: not a sip or sips URI. */
int sip_uri_endpoint(const struct sip_uri *uri, struct endpoint *out);

/* RFC 3261 §19.1.4, with escapes of characters that need none taken as these characters. Other schemes: the bytes. */
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);

/* Compares two escaped texts as the characters they stand for; `nocase` for ASCII letters. */
bool sip_escaped_equal(struct span a, struct span b, bool nocase);

/* %HH undone. FE_ESYNTAX: malformed escape; FE_ERANGE: does not fit (text is then cut). */
int sip_unescape(struct text *t, struct span s);

/* Writes s as the user part of a URI: everything that is neither unreserved nor user-unreserved is escaped. */
void sip_escape_user(struct text *t, struct span s);

/* "sip:101@10.0.1.10", or "sip:101@10.0.1.10:5070" when the port is not 5060; user may be empty. Escapes the user.
 * host: name or address as text, port 0: none is written. */
void sip_uri_write(struct text *t, struct span user, struct span host, uint16_t port);
void sip_uri_write_endpoint(struct text *t, struct span user, struct endpoint at);

/* The same for a Contact, Path or Record-Route by which requests shall come by this transport: ";transport=tcp" on a
 * stream, none on UDP. `secure`: "sips:10.0.1.10", which says TLS by itself (§26.2.2, PH-9); only with SIP_TLS. The
 * port is left out when it is the transport's usual one. */
void sip_uri_write_flow(struct text *t, bool secure, struct span user, struct endpoint at,
                        enum sip_transport transport);

#endif
