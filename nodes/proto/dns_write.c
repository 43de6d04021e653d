/* Writing. The counts in the header are kept right after every record, so that a message may end after any of them. */
#include "nodes/base/bytes.h"
#include "nodes/proto/dns.h"

#include <assert.h>

enum { POINTER = 0xc000, POINTER_REACH = 0x4000, QUESTIONS_AT = 4, RECORDS_AT = 6, FLAGS_AT = 2, TRUNCATED = 1 << 9 };

/* ---- pieces ---- */

static void put_bytes(struct dns_writer *w, const void *bytes, size_t n)
{
    if (w->cut || n > w->cap - w->n) {
        w->cut = true;
        return;
    }
    if (n)
        memcpy(w->p + w->n, bytes, n);
    w->n += n;
}

static void put_u16(struct dns_writer *w, unsigned v)
{
    uint8_t b[2];
    put16(b, (uint16_t)v);
    put_bytes(w, b, sizeof b);
}

static void put_u32(struct dns_writer *w, uint32_t v)
{
    uint8_t b[4];
    put32(b, v);
    put_bytes(w, b, sizeof b);
}

static void put_plain_name(struct dns_writer *w, const struct dns_name *name)
{
    put_bytes(w, name->wire, name->n);
}

/* ---- compression (RFC 1035 §4.1.4) ---- */

/* Are the labels at `here` of what was written these? Both end in the root. */
static bool stands_at(const struct dns_writer *w, size_t here, const uint8_t *labels)
{
    for (;;) {
        while (w->p[here] >= POINTER >> 8)
            here = get16(w->p + here) & (POINTER_REACH - 1u);
        size_t n = 1u + labels[0];
        if (w->p[here] != labels[0] || !span_alike(span_make(w->p + here, n), span_make(labels, n)))
            return false;
        if (labels[0] == 0)
            return true;
        here += n;
        labels += n;
    }
}

/* Where these labels stand already, in one of the first `known` names; 0: nowhere. */
static size_t earlier(const struct dns_writer *w, unsigned known, const uint8_t *labels)
{
    for (unsigned i = 0; i < known; i++)
        if (stands_at(w, w->names[i], labels))
            return w->names[i];
    return 0;
}

static void put_name(struct dns_writer *w, const struct dns_name *name)
{
    unsigned known = w->names_n; /* the labels of this name have no end yet */
    for (size_t at = 0; !w->cut && name->wire[at]; at += 1u + name->wire[at]) {
        size_t there = earlier(w, known, name->wire + at);
        if (there) {
            put_u16(w, POINTER | (unsigned)there);
            return;
        }
        if (w->n < POINTER_REACH && w->names_n < DNS_WRITER_NAMES)
            w->names[w->names_n++] = (uint16_t)w->n;
        put_bytes(w, name->wire + at, 1u + name->wire[at]);
    }
    put_bytes(w, "", 1);
}

/* ---- data ---- */

static void put_soa(struct dns_writer *w, const struct dns_soa *soa)
{
    put_name(w, &soa->primary);
    put_name(w, &soa->mailbox);
    put_u32(w, soa->serial);
    put_u32(w, soa->refresh);
    put_u32(w, soa->retry);
    put_u32(w, soa->expire);
    put_u32(w, soa->minimum);
}

static void put_srv(struct dns_writer *w, const struct dns_srv *srv)
{
    put_u16(w, srv->priority);
    put_u16(w, srv->weight);
    put_u16(w, srv->port);
    put_plain_name(w, &srv->target);
}

static void put_string(struct dns_writer *w, struct span s)
{
    uint8_t n = (uint8_t)s.n;
    if (s.n > 255) {
        w->cut = true;
        return;
    }
    put_bytes(w, &n, 1);
    put_bytes(w, s.p, s.n);
}

static void put_naptr(struct dns_writer *w, const struct dns_naptr *naptr)
{
    put_u16(w, naptr->order);
    put_u16(w, naptr->preference);
    put_string(w, naptr->flags);
    put_string(w, naptr->services);
    put_string(w, naptr->regexp);
    put_plain_name(w, &naptr->replacement);
}

static void put_data(struct dns_writer *w, const struct dns_record *r)
{
    switch (r->class == DNS_IN ? r->type : 0) {
    case DNS_A: put_u32(w, r->addr); break;
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR: put_name(w, &r->target); break;
    case DNS_SOA: put_soa(w, &r->soa); break;
    case DNS_SRV: put_srv(w, &r->srv); break;
    case DNS_NAPTR: put_naptr(w, &r->naptr); break;
    default: put_bytes(w, r->data.p, r->data.n); break;
    }
}

/* ---- messages ---- */

void dns_begin(struct dns_writer *w, uint8_t *p, size_t cap, const struct dns_head *head)
{
    assert(cap >= DNS_HEADER);
    *w = (struct dns_writer){.p = p, .n = DNS_HEADER, .cap = cap};
    memset(p, 0, DNS_HEADER);
    put16(p, head->id);
    put16(p + FLAGS_AT, (uint16_t)(head->response << 15 | (head->opcode & 15) << 11 | head->authoritative << 10 |
                                   head->truncated << 9 | head->recursion_desired << 8 |
                                   head->recursion_available << 7 | (head->rcode & 15)));
}

static void count_up(struct dns_writer *w, size_t at)
{
    put16(w->p + at, (uint16_t)(get16(w->p + at) + 1));
}

void dns_put_question(struct dns_writer *w, const struct dns_question *q)
{
    put_name(w, &q->name);
    put_u16(w, q->type);
    put_u16(w, q->class);
    if (!w->cut)
        count_up(w, QUESTIONS_AT);
}

bool dns_put_record(struct dns_writer *w, enum dns_section section, const struct dns_record *r)
{
    struct dns_writer before = *w;
    put_name(w, &r->name);
    put_u16(w, r->type);
    put_u16(w, r->class);
    put_u32(w, r->ttl);
    size_t length_at = w->n;
    put_u16(w, 0);
    put_data(w, r);
    if (w->cut) {
        *w = before;
        return false;
    }
    put16(w->p + length_at, (uint16_t)(w->n - length_at - 2));
    count_up(w, RECORDS_AT + 2 * (size_t)section);
    return true;
}

bool dns_put_edns(struct dns_writer *w, uint16_t udp_room)
{
    struct dns_record opt = {.name = {1, {0}}, .type = DNS_OPT, .class = udp_room};
    return dns_put_record(w, DNS_ADDITIONAL, &opt);
}

void dns_set_truncated(struct dns_writer *w)
{
    put16(w->p + FLAGS_AT, (uint16_t)(get16(w->p + FLAGS_AT) | TRUNCATED));
}

struct span dns_end(const struct dns_writer *w)
{
    return w->cut ? (struct span){0} : span_make(w->p, w->n);
}
