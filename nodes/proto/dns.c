/* A message is a header, questions, and three sections of records (RFC 1035 §4.1). dns_parse() walks all of it once
 * and so knows that dns_next() cannot fail later. */
#include "nodes/proto/dns.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"

#include <assert.h>

enum { RECORD_FIXED = 10 }; /* bytes of type, class, TTL and the data's length */

static const uint8_t *at(struct span bytes, size_t offset)
{
    return (const uint8_t *)bytes.p + offset;
}

/* ---- data ---- */

/* A name that must end where the data ends. */
static int last_name_read(struct span message, size_t here, size_t end, struct dns_name *out)
{
    int error = dns_name_read((struct span){message.p, end}, &here, out);
    return error ? error : here == end ? 0 : FE_ESYNTAX;
}

/* RFC 1035 §3.3.13. */
static int soa_read(struct span message, size_t here, size_t end, struct dns_soa *out)
{
    struct span bounded = {message.p, end};
    int error = dns_name_read(bounded, &here, &out->primary);
    if (!error)
        error = dns_name_read(bounded, &here, &out->mailbox);
    if (error)
        return error;
    if (end - here != 20)
        return FE_ESYNTAX;
    out->serial = get32(at(message, here));
    out->refresh = get32(at(message, here + 4));
    out->retry = get32(at(message, here + 8));
    out->expire = get32(at(message, here + 12));
    out->minimum = get32(at(message, here + 16));
    return 0;
}

static int srv_read(struct span message, size_t here, size_t end, struct dns_srv *out)
{
    if (end - here < 7)
        return FE_ESYNTAX;
    out->priority = get16(at(message, here));
    out->weight = get16(at(message, here + 2));
    out->port = get16(at(message, here + 4));
    return last_name_read(message, here + 6, end, &out->target);
}

/* A <character-string> (RFC 1035 §3.3). */
static int string_read(struct span message, size_t *here, size_t end, struct span *out)
{
    if (*here >= end || *at(message, *here) > end - *here - 1)
        return FE_ESYNTAX;
    *out = (struct span){message.p + *here + 1, *at(message, *here)};
    *here += 1 + out->n;
    return 0;
}

static int naptr_read(struct span message, size_t here, size_t end, struct dns_naptr *out)
{
    if (end - here < 4)
        return FE_ESYNTAX;
    out->order = get16(at(message, here));
    out->preference = get16(at(message, here + 2));
    here += 4;
    if (string_read(message, &here, end, &out->flags) || string_read(message, &here, end, &out->services) ||
        string_read(message, &here, end, &out->regexp))
        return FE_ESYNTAX;
    return last_name_read(message, here, end, &out->replacement);
}

/* Receivers understand compressed names in all of these, whatever senders may do (RFC 3597 §4). */
static int data_read(struct span message, size_t here, size_t end, struct dns_record *out)
{
    bool known = out->class == DNS_IN;
    switch (known ? out->type : 0) {
    case DNS_A:
        if (end - here != 4)
            return FE_ESYNTAX;
        out->addr = get32(at(message, here));
        return 0;
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR: return last_name_read(message, here, end, &out->target);
    case DNS_SOA: return soa_read(message, here, end, &out->soa);
    case DNS_SRV: return srv_read(message, here, end, &out->srv);
    case DNS_NAPTR: return naptr_read(message, here, end, &out->naptr);
    default: out->data = span_make(message.p + here, end - here); return 0;
    }
}

/* ---- records ---- */

/* RFC 2181 §8: a TTL with the topmost bit is none. */
static uint32_t ttl_read(const uint8_t *p)
{
    uint32_t ttl = get32(p);
    return ttl >> 31 ? 0 : ttl;
}

static int record_read(struct span message, size_t *here, struct dns_record *out)
{
    int error = dns_name_read(message, here, &out->name);
    if (error)
        return error;
    if (message.n - *here < RECORD_FIXED)
        return FE_ESHORT;
    const uint8_t *p = at(message, *here);
    size_t n = get16(p + 8);
    out->type = get16(p);
    out->class = get16(p + 2);
    out->ttl = out->type == DNS_OPT ? get32(p + 4) : ttl_read(p + 4);
    *here += RECORD_FIXED;
    if (n > message.n - *here)
        return FE_ESHORT;
    error = data_read(message, *here, *here + n, out);
    *here += n;
    return error;
}

static int question_read(struct span message, size_t *here, struct dns_question *out)
{
    int error = dns_name_read(message, here, &out->name);
    if (error)
        return error;
    if (message.n - *here < 4)
        return FE_ESHORT;
    out->type = get16(at(message, *here));
    out->class = get16(at(message, *here + 2));
    *here += 4;
    return 0;
}

/* ---- messages ---- */

static void head_read(struct span bytes, struct dns_msg *m)
{
    unsigned flags = get16(at(bytes, 2));
    m->head = (struct dns_head){
        .id = get16(at(bytes, 0)),
        .response = flags >> 15 & 1,
        .opcode = (uint8_t)(flags >> 11 & 15),
        .authoritative = flags >> 10 & 1,
        .truncated = flags >> 9 & 1,
        .recursion_desired = flags >> 8 & 1,
        .recursion_available = flags >> 7 & 1,
        .rcode = (uint8_t)(flags & 15),
    };
    m->questions = get16(at(bytes, 4));
    for (unsigned s = 0; s < DNS_SECTIONS; s++)
        m->records[s] = get16(at(bytes, 6 + 2 * (size_t)s));
}

static int questions_read(struct dns_msg *m)
{
    struct dns_question q;
    for (unsigned i = 0; i < m->questions; i++) {
        int error = question_read(m->bytes, &m->at, &q);
        if (error)
            return error;
        if (i == 0)
            m->question = q;
    }
    return 0;
}

/* Less than 512 means 512 (RFC 6891 §6.2.3). */
static void edns_note(struct dns_msg *m, const struct dns_record *r)
{
    if (r->type == DNS_OPT)
        m->udp_room = r->class < DNS_UDP_MAX ? DNS_UDP_MAX : r->class;
}

int dns_parse(struct span bytes, struct dns_msg *out)
{
    struct dns_msg m = {.bytes = bytes, .at = DNS_HEADER};
    struct dns_record r;
    if (bytes.n < DNS_HEADER)
        return FE_ESHORT;
    head_read(bytes, &m);
    int error = questions_read(&m);
    size_t here = m.at;
    for (unsigned s = 0; s < DNS_SECTIONS; s++)
        for (unsigned i = 0; !error && i < m.records[s]; i++) {
            error = record_read(bytes, &here, &r);
            if (!error)
                edns_note(&m, &r);
        }
    if (!error)
        *out = m;
    return error;
}

struct dns_walk dns_records(const struct dns_msg *msg)
{
    struct dns_walk w = {.msg = msg, .at = msg->at};
    for (unsigned s = 0; s < DNS_SECTIONS; s++)
        w.left[s] = msg->records[s];
    return w;
}

bool dns_next(struct dns_walk *walk, struct dns_record *out)
{
    unsigned s = walk->section;
    while (s < DNS_SECTIONS && walk->left[s] == 0)
        s++;
    if (s == DNS_SECTIONS)
        return false;
    walk->section = (enum dns_section)s;
    walk->left[s]--;
    int error = record_read(walk->msg->bytes, &walk->at, out);
    assert(!error); /* dns_parse() has read it before */
    return !error;
}

/* ---- the answer ---- */

enum { ALIASES_MAX = 8 };

/* The alias that `name` is, if it is one. */
static bool alias_follow(const struct dns_msg *msg, struct dns_name *name, uint32_t *ttl)
{
    struct dns_record r;
    for (struct dns_walk w = dns_records(msg); dns_next(&w, &r) && w.section == DNS_ANSWER;)
        if (dns_record_is(&r, DNS_CNAME) && dns_name_equal(&r.name, name)) {
            *name = r.target;
            *ttl = r.ttl < *ttl ? r.ttl : *ttl;
            return true;
        }
    return false;
}

static void matches_count(const struct dns_msg *msg, struct dns_answer *out)
{
    struct dns_record r;
    for (struct dns_walk w = dns_records(msg); dns_next(&w, &r) && w.section == DNS_ANSWER;)
        if (dns_record_is(&r, (enum dns_type)msg->question.type) && dns_name_equal(&r.name, &out->name)) {
            out->ttl = r.ttl < out->ttl ? r.ttl : out->ttl;
            out->n++;
        }
}

/* RFC 2308 §5: the smaller one of the SOA's TTL and its minimum. */
static void negative_find(const struct dns_msg *msg, struct dns_answer *out)
{
    struct dns_record r;
    for (struct dns_walk w = dns_records(msg); dns_next(&w, &r);)
        if (w.section == DNS_AUTHORITY && dns_record_is(&r, DNS_SOA)) {
            uint32_t ttl = r.soa.minimum < r.ttl ? r.soa.minimum : r.ttl;
            out->ttl = ttl < out->ttl ? ttl : out->ttl;
            out->may_remember = true;
            return;
        }
}

void dns_answer_find(const struct dns_msg *msg, struct dns_answer *out)
{
    *out = (struct dns_answer){.name = msg->question.name, .ttl = UINT32_MAX};
    for (unsigned i = 0; i < ALIASES_MAX && msg->question.type != DNS_CNAME; i++)
        if (!alias_follow(msg, &out->name, &out->ttl))
            break;
    matches_count(msg, out);
    if (out->n == 0)
        negative_find(msg, out);
    if (out->n == 0 && !out->may_remember)
        out->ttl = 0;
}
