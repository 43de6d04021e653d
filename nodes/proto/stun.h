/* STUN: RFC 8489 (and 5389 before it), with the attributes that RFC 5780 adds to find out how NATs behave. Bytes in,
 * bytes out; only IPv4, and no credentials: what authenticates is understood to be there and not looked at, as by a
 * server that serves everybody. */
#ifndef FAREND_PROTO_STUN_H
#define FAREND_PROTO_STUN_H

#include "nodes/base/addr.h"
#include "nodes/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STUN_PORT = 3478,
    STUN_HEADER = 20,    /* bytes */
    STUN_ID = 12,        /* bytes of a transaction id */
    STUN_UNKNOWN_MAX = 8 /* of the unknown attributes so many are told */
};

enum stun_class { STUN_REQUEST, STUN_INDICATION, STUN_SUCCESS, STUN_ERROR };
enum { STUN_BINDING = 1 };

/* What is understood. 0x0000–0x7fff must be understood by who gets it, 0x8000–0xffff may be ignored (§14). */
enum stun_attribute {
    STUN_MAPPED_ADDRESS = 0x0001,
    STUN_CHANGE_REQUEST = 0x0003, /* RFC 5780 §7.2 */
    STUN_USERNAME = 0x0006,
    STUN_MESSAGE_INTEGRITY = 0x0008,
    STUN_ERROR_CODE = 0x0009,
    STUN_UNKNOWN_ATTRIBUTES = 0x000a,
    STUN_REALM = 0x0014,
    STUN_NONCE = 0x0015,
    STUN_MESSAGE_INTEGRITY_SHA256 = 0x001c,
    STUN_XOR_MAPPED_ADDRESS = 0x0020,
    STUN_PADDING = 0x0026,       /* RFC 5780 §7.6 */
    STUN_RESPONSE_PORT = 0x0027, /* RFC 5780 §7.5 */
    STUN_SOFTWARE = 0x8022,
    STUN_FINGERPRINT = 0x8028,
    STUN_RESPONSE_ORIGIN = 0x802b, /* RFC 5780 §7.3 */
    STUN_OTHER_ADDRESS = 0x802c,   /* RFC 5780 §7.4 */
};

/* Flags of CHANGE-REQUEST. */
enum { STUN_CHANGE_ADDR = 0x4, STUN_CHANGE_PORT = 0x2 };

struct stun_id {
    uint8_t bytes[STUN_ID];
};

static inline bool stun_id_equal(const struct stun_id *a, const struct stun_id *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* A message as it was read. An endpoint that is absent, or of IPv6, has port 0 and address 0. Of an attribute that
 * stands twice only the first counts (§14); what stands after MESSAGE-INTEGRITY is ignored (§14.5). */
struct stun_msg {
    enum stun_class class;
    uint16_t method;
    struct stun_id id;
    struct endpoint mapped, xor_mapped, origin, other;
    uint32_t change;        /* flags */
    uint16_t response_port; /* 0: absent */
    bool padding;
    bool fingerprint; /* there, and right */
    uint16_t error;   /* 300–699; 0: absent */
    struct span reason, software;
    uint16_t unknown[STUN_UNKNOWN_MAX]; /* that must be understood (a request with them is answered with 420) */
    size_t unknown_n;
};

/* The first bits and the magic cookie: enough to tell STUN from SIP, RTP and RTCP on the same port (RFC 7983, §6). */
bool stun_is(struct span bytes);

/* 0; FE_ESHORT: the bytes end early; FE_ESYNTAX: not STUN, an attribute that is not as its RFC says, or a FINGERPRINT
 * that is wrong or not the last. *out borrows from the bytes. */
int stun_parse(struct span bytes, struct stun_msg *out);

/* Where the message says that its receiver was seen: XOR-MAPPED-ADDRESS, or from an old server MAPPED-ADDRESS. */
struct endpoint stun_public(const struct stun_msg *msg);

/* ---- writing: into memory of the caller; what does not fit sets `cut`, and nothing is written from then on ---- */
struct stun_writer {
    uint8_t *p;
    size_t n, cap;
    bool cut;
};

void stun_begin(struct stun_writer *w, uint8_t *p, size_t cap, enum stun_class class, const struct stun_id *id);
/* MAPPED-ADDRESS, XOR-MAPPED-ADDRESS, RESPONSE-ORIGIN, OTHER-ADDRESS. */
void stun_put_endpoint(struct stun_writer *w, enum stun_attribute type, struct endpoint e);
void stun_put_change(struct stun_writer *w, uint32_t flags);
void stun_put_response_port(struct stun_writer *w, uint16_t port);
void stun_put_padding(struct stun_writer *w, size_t n);
void stun_put_software(struct stun_writer *w, struct span name);
void stun_put_error(struct stun_writer *w, uint16_t code, struct span reason);
void stun_put_unknown(struct stun_writer *w, const uint16_t *types, size_t n);
void stun_put_fingerprint(struct stun_writer *w);  /* the last one */
struct span stun_end(const struct stun_writer *w); /* empty when it was cut */

#endif
