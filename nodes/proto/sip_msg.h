/* A SIP message as spans into the received bytes (RFC 3261 §7, §25).
 *
 * sip_parse() frames: start line, header lines, body. It copies nothing and decodes nothing but Content-Length, so that
 * a message can be forwarded with every untouched header byte for byte (sip_edit.h). The decoders below read one header
 * value when somebody asks; sip_check.h reads what every element needs of every message and judges it.
 *
 * Ownership: a struct sip_msg and all that is decoded from it borrow the bytes given to sip_parse(). */
#ifndef FAREND_PROTO_SIP_MSG_H
#define FAREND_PROTO_SIP_MSG_H

#include "nodes/base/error.h"
#include "nodes/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIP_MAX_HEADERS   128
#define SIP_DEFAULT_PORT  5060
#define SIPS_DEFAULT_PORT 5061
#define SIP_MAGIC_COOKIE  "z9hG4bK" /* a branch of RFC 3261 begins with it (§8.1.1.7) */

enum sip_method {
    SIP_EXTENSION_METHOD, /* a token that is none of these: see the text */
    SIP_ACK,
    SIP_BYE,
    SIP_CANCEL,
    SIP_INFO,
    SIP_INVITE,
    SIP_MESSAGE,
    SIP_NOTIFY,
    SIP_OPTIONS,
    SIP_PRACK,
    SIP_PUBLISH,
    SIP_REFER,
    SIP_REGISTER,
    SIP_SUBSCRIBE,
    SIP_UPDATE,
    SIP_METHODS /* their number */
};

/* The headers that have a name in farend; compact forms (RFC 3261 §7.3.3) have the id of the long one. */
enum sip_header_id {
    SIP_H_OTHER, /* none of these: passed on as it is */
    SIP_H_ACCEPT,
    SIP_H_ACCEPT_ENCODING,
    SIP_H_ACCEPT_LANGUAGE,
    SIP_H_ALERT_INFO,
    SIP_H_ALLOW,
    SIP_H_ALLOW_EVENTS, /* u */
    SIP_H_AUTHENTICATION_INFO,
    SIP_H_AUTHORIZATION,
    SIP_H_CALL_ID, /* i */
    SIP_H_CALL_INFO,
    SIP_H_CONTACT, /* m */
    SIP_H_CONTENT_DISPOSITION,
    SIP_H_CONTENT_ENCODING, /* e */
    SIP_H_CONTENT_LANGUAGE,
    SIP_H_CONTENT_LENGTH, /* l */
    SIP_H_CONTENT_TYPE,   /* c */
    SIP_H_CSEQ,
    SIP_H_DATE,
    SIP_H_DIVERSION,
    SIP_H_EVENT, /* o */
    SIP_H_EXPIRES,
    SIP_H_FLOW_TIMER,
    SIP_H_FROM, /* f */
    SIP_H_HISTORY_INFO,
    SIP_H_IN_REPLY_TO,
    SIP_H_MAX_FORWARDS,
    SIP_H_MIME_VERSION,
    SIP_H_MIN_EXPIRES,
    SIP_H_MIN_SE,
    SIP_H_ORGANIZATION,
    SIP_H_P_ASSERTED_IDENTITY,
    SIP_H_P_PREFERRED_IDENTITY,
    SIP_H_PATH,
    SIP_H_PRIORITY,
    SIP_H_PRIVACY,
    SIP_H_PROXY_AUTHENTICATE,
    SIP_H_PROXY_AUTHORIZATION,
    SIP_H_PROXY_REQUIRE,
    SIP_H_RACK,
    SIP_H_REASON,
    SIP_H_RECORD_ROUTE,
    SIP_H_REFER_TO,    /* r */
    SIP_H_REFERRED_BY, /* b */
    SIP_H_REPLACES,
    SIP_H_REPLY_TO,
    SIP_H_REQUIRE,
    SIP_H_RETRY_AFTER,
    SIP_H_ROUTE,
    SIP_H_RSEQ,
    SIP_H_SERVER,
    SIP_H_SERVICE_ROUTE,
    SIP_H_SESSION_EXPIRES, /* x */
    SIP_H_SIP_ETAG,
    SIP_H_SIP_IF_MATCH,
    SIP_H_SUBJECT, /* s */
    SIP_H_SUBSCRIPTION_STATE,
    SIP_H_SUPPORTED, /* k */
    SIP_H_TIMESTAMP,
    SIP_H_TO, /* t */
    SIP_H_UNSUPPORTED,
    SIP_H_USER_AGENT,
    SIP_H_VIA, /* v */
    SIP_H_WARNING,
    SIP_H_WWW_AUTHENTICATE,
    SIP_HEADERS /* their number */
};

struct sip_header {
    uint8_t id;        /* enum sip_header_id */
    uint8_t next;      /* 1 + index of the next header with the same id, 0: none. Not kept for SIP_H_OTHER */
    uint8_t last;      /* of the first one with its id: 1 + index of the last one */
    struct span name;  /* as written */
    struct span value; /* without white space at its ends; a folded value still has its line ends inside */
    struct span bytes; /* name to line end, both included, with all continuation lines */
};

struct sip_msg {
    struct span bytes;      /* start line to the end of the body; line ends before the message are left out */
    struct span start_line; /* without its line end */
    bool request;
    enum sip_method method;  /* requests; responses: the method of CSeq when that can be read */
    struct span method_text; /* likewise */
    struct span uri;         /* requests: the Request-URI as written */
    unsigned status;         /* responses: 100–699 */
    struct span reason;      /* responses: the phrase, possibly empty */
    struct span blank;       /* the empty line that ends the headers */
    struct span body;
    bool has_length; /* Content-Length is there and could be read */
    size_t n_headers;
    uint8_t first[SIP_HEADERS]; /* 1 + index of the first header with this id, 0: none; use sip_find() */
    struct sip_header headers[SIP_MAX_HEADERS];
};

/* What is wrong with a message. Grammar first, then what only sip_check() reports. */
enum sip_fault {
    SIP_FINE,
    SIP_FAULT_EMPTY,          /* no start line at all */
    SIP_FAULT_TRUNCATED,      /* no empty line after the headers */
    SIP_FAULT_LINE_END,       /* CR without LF, or LF without CR */
    SIP_FAULT_START_LINE,     /* neither request line nor status line, or stray blanks in it (§7.1, §7.2) */
    SIP_FAULT_VERSION,        /* not SIP/2.0 */
    SIP_FAULT_METHOD,         /* the method is no token */
    SIP_FAULT_URI,            /* the Request-URI is malformed, or has headers (§19.1.1) */
    SIP_FAULT_STATUS,         /* not three digits, 100–699 */
    SIP_FAULT_HEADER_NAME,    /* no token before the colon, or no colon */
    SIP_FAULT_TOO_MANY,       /* more than SIP_MAX_HEADERS headers */
    SIP_FAULT_CONTENT_LENGTH, /* not a number, there twice, or missing in a stream */
    SIP_FAULT_BODY_SHORT,     /* Content-Length says more than the datagram has (§18.3) */
    SIP_FAULT_MISSING,        /* a header that every message must have is not there (§8.1.1) */
    SIP_FAULT_REPEATED,       /* a header that may be there once is there twice */
    SIP_FAULT_VIA,
    SIP_FAULT_FROM,
    SIP_FAULT_TO,
    SIP_FAULT_CALL_ID,
    SIP_FAULT_CSEQ,
    SIP_FAULT_CSEQ_METHOD, /* CSeq names another method than the request line (§8.1.1.5) */
    SIP_FAULT_MAX_FORWARDS,
    SIP_FAULT_CONTACT,
    SIP_FAULT_ROUTE, /* Route, Record-Route or Path */
    SIP_FAULT_EXPIRES,
    SIP_FAULT_OPTION_TAG,    /* Require, Proxy-Require, Supported or Unsupported is no list of tokens */
    SIP_FAULT_DATE,          /* not RFC 1123 in GMT (§20.17) */
    SIP_FAULT_CONTENT_TYPE,  /* malformed, or a body without it (§20.15) */
    SIP_FAULT_HEADER,        /* another header that farend knows is malformed */
    SIP_FAULT_SCHEME,        /* Request-URI with a scheme that is not served: 416 */
    SIP_FAULT_REQUIRED,      /* an extension that is not understood: 420 */
    SIP_FAULT_TOO_MANY_HOPS, /* Max-Forwards is spent: 483 */
    SIP_FAULTS               /* their number */
};

struct sip_problem {
    enum sip_fault fault;
    unsigned status;   /* what a server answers; 0: the message is discarded (responses, ACK, nothing to answer to) */
    size_t offset;     /* where, in bytes from the start of the message */
    struct span about; /* the offending bytes, or the name of what is missing; never more than one header */
};

/* "the Request-URI is malformed", …: a sentence without its full stop. Never NULL. */
const char *sip_fault_text(enum sip_fault fault);

/* Parses one datagram: line ends before the message are skipped (§7.5); the body is as long as Content-Length says, or
 * all the rest without one (§18.3); what is behind the body is ignored.
 * 0; FE_ESHORT: the headers do not end; FE_ERANGE: too many headers; FE_ESYNTAX: anything else in enum sip_fault up to
 * SIP_FAULT_BODY_SHORT. `why` (may be NULL) says what and where. The parser goes on behind the first fault as well as
 * it can: when why->status is not 0, m is good enough to build that response from. */
int sip_parse(struct span datagram, struct sip_msg *m, struct sip_problem *why);

/* Parses the first message of a stream, of at most `max` bytes. *used receives how many bytes of the stream are done
 * with; on FE_EAGAIN they are line ends only (keep-alives, RFC 5626 §3.5.1), and more bytes are needed.
 * 0 and faults as above; when *used is 0 on another failure, the end of the message is not known (Content-Length is
 * missing or bad, or the message is longer than max): close the connection (§18.3). */
int sip_parse_stream(struct span stream, size_t max, struct sip_msg *m, struct sip_problem *why, size_t *used);

/* ---- names ---- */
enum sip_header_id sip_header_id(struct span name);  /* any case, compact too; SIP_H_OTHER: not known */
struct span sip_header_name(enum sip_header_id id);  /* "Call-ID"; static. Not for SIP_H_OTHER */
enum sip_method sip_method_id(struct span name);     /* case matters (§7.1) */
struct span sip_method_name(enum sip_method method); /* "INVITE"; static. Not for SIP_EXTENSION_METHOD */
struct span sip_reason_phrase(unsigned status);      /* "Not Found", …; static; never empty */

/* ---- headers ---- */
/* The first header with this id, or NULL; sip_find_next: the one after it. */
const struct sip_header *sip_find(const struct sip_msg *m, enum sip_header_id id);
const struct sip_header *sip_find_next(const struct sip_msg *m, const struct sip_header *h);
/* By name, for headers without an id; NULL: there is none. */
const struct sip_header *sip_find_name(const struct sip_msg *m, struct span name);
struct span sip_value(const struct sip_msg *m, enum sip_header_id id); /* of the first; p == NULL: there is none */

/* Walks the comma-separated values of all headers with one id, in order (§7.3.1). Commas in quotes and in <> do not
 * separate. An empty header has no values; an empty value beside a comma comes out as an empty span, which every
 * decoder refuses. Not for the four headers of authentication, whose commas separate parameters (digest.h). */
struct sip_list {
    const struct sip_msg *m;
    const struct sip_header *header; /* of the value that came last */
    struct span rest;                /* what follows it in that header; p == NULL: nothing */
    struct span value;               /* the value that came last */
};

struct sip_list sip_list(const struct sip_msg *m, enum sip_header_id id);
bool sip_list_next(struct sip_list *list, struct span *value); /* false: no more */

/* ---- pieces of values ---- */
/* Parameters ";name=value;name" with white space anywhere the grammar lets it be. */
struct sip_param {
    struct span bytes; /* from the name to the end of the value */
    struct span name;
    struct span value; /* without the quotes of a quoted string; p == NULL: there is none */
    bool quoted;       /* the value is a quoted string */
    bool token;        /* the value is a token: neither quoted nor with the colons and brackets of an address */
};

/* Takes the first parameter off *params (which begins with ';' or is empty). 1: got one; 0: no more; FE_ESYNTAX. */
int sip_param_next(struct span *params, struct sip_param *out);
/* The value of the parameter with this name in any case; false: not there. *value may be NULL, and has p == NULL when
 * the parameter is a flag. Parameters behind a malformed one are not found. */
bool sip_param(struct span params, const char *name, struct span *value);

/* name-addr or addr-spec with header parameters: From, To, Route, Record-Route, Path, Refer-To, P-Asserted-Identity. */
struct sip_addr {
    struct span bytes;
    struct span display; /* a quoted string without its quotes, escapes kept; or tokens; empty: none */
    struct span uri;     /* what stands between < and >, or the bare addr-spec */
    struct span params;  /* header parameters, from their first ';'; empty: none. All of them well-formed */
    struct span tag;     /* the "tag" parameter; empty: none */
    bool bracketed;      /* written in <> */
};

/* 0 or FE_ESYNTAX. A bare addr-spec ends at the first ';', and may hold neither ',' nor '?' (§20.10). */
int sip_addr_parse(struct span value, struct sip_addr *out);

struct sip_contact {
    struct sip_addr addr; /* empty when `star`; its tag is not looked for */
    bool star;            /* "*": only alone, in a REGISTER with Expires: 0 (§10.2.2) */
    bool has_expires;     /* a malformed or too large value counts as absent (§10.2.1.1) */
    uint32_t expires;     /* s */
    bool has_q;
    uint16_t q;           /* thousandths, 0–1000 */
    struct span instance; /* +sip.instance without its quotes, with its <>; empty: none (RFC 5626 §4.1) */
    uint32_t reg_id;      /* RFC 5626 §4.2; 0: none */
};

int sip_contact_parse(struct span value, struct sip_contact *out); /* 0 or FE_ESYNTAX */

enum sip_transport { SIP_TRANSPORT_OTHER, SIP_UDP, SIP_TCP, SIP_TLS, SIP_SCTP, SIP_WS, SIP_WSS };

enum sip_transport sip_transport_id(struct span name); /* any case */
struct span sip_transport_name(enum sip_transport t);  /* "UDP"; not for SIP_TRANSPORT_OTHER */

/* The port that is meant where none is written (RFC 3261 §18.2.2, §19.1.2). */
static inline uint16_t sip_transport_port(enum sip_transport t)
{
    return t == SIP_TLS || t == SIP_WSS ? SIPS_DEFAULT_PORT : SIP_DEFAULT_PORT;
}

struct sip_via {
    struct span bytes;
    enum sip_transport transport;
    struct span transport_text;
    struct span host; /* sent-by: name, IPv4 address, or IPv6 reference with its brackets */
    uint16_t port;    /* 0: not given */
    struct span params;
    struct span branch;   /* empty: none (a client of RFC 2543) */
    struct span received; /* empty: none */
    struct span maddr;    /* empty: none */
    bool has_rport;       /* RFC 3581 */
    uint16_t rport;       /* 0: without value */
    bool alias;           /* RFC 5923 */
    bool has_ttl;
    uint8_t ttl;
};

int sip_via_parse(struct span value, struct sip_via *out); /* 0 or FE_ESYNTAX */

struct sip_cseq {
    uint32_t number;
    enum sip_method method;
    struct span method_text;
};

int sip_cseq_parse(struct span value, struct sip_cseq *out); /* 0, FE_ESYNTAX, FE_ERANGE (2^32 or more) */

/* Whole seconds or hops: Expires, Max-Forwards, Min-Expires, Content-Length. 0, FE_ESYNTAX, FE_ERANGE above max. */
int sip_number_parse(struct span value, uint32_t max, uint32_t *out);

/* "120 (in a meeting);duration=3600": Retry-After (§20.33), Session-Expires and Min-SE without the comment.
 * *params (may be NULL) as in struct sip_addr. 0, FE_ESYNTAX, FE_ERANGE. */
int sip_delta_parse(struct span value, uint32_t *seconds, struct span *params);

/* "application/sdp; charset=utf-8" (§20.15). */
struct sip_media_type {
    struct span type, subtype;
    struct span params;
};

int sip_media_type_parse(struct span value, struct sip_media_type *out);          /* 0 or FE_ESYNTAX */
bool sip_body_is(const struct sip_msg *m, const char *type, const char *subtype); /* Content-Type, any case */

/* token *(;param): Event, Subscription-State, Reason, Content-Disposition, Replaces. 0 or FE_ESYNTAX. */
int sip_token_parse(struct span value, struct span *token, struct span *params);

bool sip_call_id_ok(struct span value); /* word [ "@" word ] */
bool sip_is_token(struct span s);

/* Is this token, in any case, among the comma-separated values of the headers with this id? (Supported, Allow, …) */
bool sip_lists(const struct sip_msg *m, enum sip_header_id id, const char *token);

/* A value without folds: each is one blank. For people and traces; FE_ERANGE (and dst is "") when it does not fit. */
int sip_unfold(struct span value, char *dst, size_t cap);

#endif
