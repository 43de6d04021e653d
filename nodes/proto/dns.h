/* DNS messages (RFC 1035 §4; SRV: RFC 2782; NAPTR: RFC 3403). Bytes in, bytes out.
 *
 *     if (dns_parse(datagram, &m) == 0)
 *         for (struct dns_walk w = dns_records(&m); dns_next(&w, &record);)
 *             …
 *
 * A message is checked as a whole once; what is walked afterwards is well-formed. */
#ifndef FAREND_PROTO_DNS_H
#define FAREND_PROTO_DNS_H

#include "nodes/base/addr.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "nodes/proto/dns_name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DNS_PORT = 53,
    DNS_HEADER = 12,       /* bytes */
    DNS_UDP_MAX = 512,     /* bytes of a message over UDP when nothing was agreed (§4.2.1) */
    DNS_MESSAGE_MAX = 4096 /* what farend agrees to with EDNS (RFC 6891 §6.2.5) */
};

enum dns_class { DNS_IN = 1, DNS_CLASS_ANY = 255 };
enum dns_opcode { DNS_QUERY = 0 };
enum dns_rcode { DNS_NOERROR, DNS_FORMERR, DNS_SERVFAIL, DNS_NXDOMAIN, DNS_NOTIMP, DNS_REFUSED };

/* Those whose data is understood; of any other the data is opaque. */
enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_TXT = 16, /* opaque */
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_NAPTR = 35,
    DNS_OPT = 41,
    DNS_ANY = 255, /* in questions only */
};

/* "SRV"; a type without a name is "TYPE65" (RFC 3597 §5). */
void dns_type_text(struct text *t, unsigned type);
int dns_type_parse(struct span name, uint16_t *out); /* any case. FE_EUNKNOWN */
/* "NXDOMAIN"; "RCODE9" has no name. */
void dns_rcode_text(struct text *t, unsigned rcode);

struct dns_head {
    uint16_t id;
    bool response;
    bool authoritative;
    bool truncated; /* there was more: to be asked again over TCP (§4.2.1) */
    bool recursion_desired, recursion_available;
    uint8_t opcode, rcode;
};

struct dns_question {
    struct dns_name name;
    uint16_t type, class;
};

static inline bool dns_question_equal(const struct dns_question *a, const struct dns_question *b)
{
    return a->type == b->type && a->class == b->class && dns_name_equal(&a->name, &b->name);
}

struct dns_soa {
    struct dns_name primary, mailbox;
    uint32_t serial, refresh, retry, expire; /* s */
    uint32_t minimum;                        /* s: how long it may be remembered that something is not (RFC 2308 §4) */
};

struct dns_srv {
    uint16_t priority, weight, port;
    struct dns_name target; /* the root: the service is not to be had */
};

struct dns_naptr {
    uint16_t order, preference;
    struct span flags, services, regexp; /* without quotes */
    struct dns_name replacement;
};

struct dns_record {
    struct dns_name name;
    uint16_t type, class;
    uint32_t ttl; /* s */
    union {
        ipv4 addr;              /* A */
        struct dns_name target; /* CNAME, NS, PTR */
        struct dns_soa soa;
        struct dns_srv srv;
        struct dns_naptr naptr; /* borrows from the message */
        struct span data;       /* every other type: borrowed */
    };
};

/* Of this type and of the internet's class: only then the type says what the data is. */
static inline bool dns_record_is(const struct dns_record *r, enum dns_type type)
{
    return r->type == type && r->class == DNS_IN;
}

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

/* ---- reading ---- */
struct dns_msg {
    struct span bytes;
    struct dns_head head;
    uint16_t questions;
    uint16_t records[DNS_SECTIONS];
    struct dns_question question; /* the first; its name has n 0 when there is none */
    size_t at;                    /* where the records begin */
    uint16_t udp_room;            /* EDNS: the largest datagram that the sender takes (RFC 6891 §6.2.3); 0: no EDNS */
};

/* *out borrows the bytes. FE_ESHORT: they end early; FE_ESYNTAX: a name or a record's data is not as its RFC says.
 * Bytes behind the last record are ignored. */
int dns_parse(struct span bytes, struct dns_msg *out);

struct dns_walk {
    const struct dns_msg *msg;
    size_t at;
    unsigned left[DNS_SECTIONS];
    enum dns_section section; /* of the record that dns_next() gave last */
};

struct dns_walk dns_records(const struct dns_msg *msg);
bool dns_next(struct dns_walk *walk, struct dns_record *out); /* false: that was all */

/* The answer to the message's own question: follows CNAMEs through the answer section (RFC 1034 §3.6.2), up to 8 of
 * them. */
struct dns_answer {
    struct dns_name name; /* whose records answer: the question's, or where its aliases lead */
    uint32_t ttl;         /* s: the smallest of the aliases and records; with none, of the negative answer */
    unsigned n;           /* records of the asked type that `name` has */
    bool may_remember;    /* n is 0: there was an SOA, so ttl says how long the negative answer holds (RFC 2308 §5) */
};
void dns_answer_find(const struct dns_msg *msg, struct dns_answer *out);

/* ---- writing: into memory of the caller ---- */
enum { DNS_WRITER_NAMES = 64 };

struct dns_writer {
    uint8_t *p;
    size_t n, cap;
    bool cut;                         /* something did not fit */
    uint16_t names[DNS_WRITER_NAMES]; /* where names stand that later ones may point to */
    unsigned names_n;
};

/* cap: at least DNS_HEADER. */
void dns_begin(struct dns_writer *w, uint8_t *p, size_t cap, const struct dns_head *head);
void dns_put_question(struct dns_writer *w, const struct dns_question *q); /* what does not fit sets `cut` */
/* In the order of the sections. False: it does not fit, and nothing was written. Names are compressed where RFC 1035
 * lets them be, so not inside SRV (RFC 2782) and NAPTR (RFC 3403 §4.1). */
bool dns_put_record(struct dns_writer *w, enum dns_section section, const struct dns_record *r);
bool dns_put_edns(struct dns_writer *w, uint16_t udp_room); /* the OPT record */
void dns_set_truncated(struct dns_writer *w);
struct span dns_end(const struct dns_writer *w); /* empty when the question was cut */

/* ---- a record's data as text, as zone files have it (RFC 1035 §5, RFC 2782, RFC 3403 §4.1) ---- */

/* "10 60 5061 sbc1.example.com". FE_ESYNTAX, FE_ERANGE. */
int dns_srv_parse(struct span text, struct dns_srv *out);
/* "10 50 s SIPS+D2T _sips._tcp.example.com", or with its regexp: 10 50 "u" "E2U+sip" "!^.*$!sip:x@y!" . Quotes may be
 * left away where a text has no blanks. *out borrows from `text`. */
int dns_naptr_parse(struct span text, struct dns_naptr *out);
/* "203.0.113.10", "10 60 5061 sbc1.example.com", "sbc.example.com"; an opaque one: "\# 4" and hexadecimal digits (RFC
 * 3597 §5). */
void dns_data_text(struct text *t, const struct dns_record *r);

#endif
