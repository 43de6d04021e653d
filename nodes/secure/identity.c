#include "nodes/secure/identity.h"

#include "nodes/base/addr.h"
#include "nodes/base/calendar.h"

#include <mbedtls/oid.h>

/* The last five bits of a GeneralName's tag (RFC 5280 §4.2.1.6). */
enum { TAG_BITS = 0x1f, DNS_NAME = 2, IP_ADDRESS = 7 };

/* The next GeneralName of this kind at or after `item`. */
static const mbedtls_x509_sequence *next_name(const mbedtls_x509_sequence *item, int kind)
{
    while (item && !(item->buf.p && (item->buf.tag & TAG_BITS) == kind))
        item = item->next;
    return item;
}

static struct span text_of(const mbedtls_x509_buf *buf)
{
    return span_make(buf->p, buf->len);
}

/* ---- matching ---- */

/* RFC 6125 §6.4.3: the wildcard is a whole label and stands for one. */
static bool domain_is(struct span pattern, struct span name)
{
    struct span pattern_rest;
    struct span name_rest;
    struct span first = span_cut(pattern, '.', &pattern_rest);
    struct span label = span_cut(name, '.', &name_rest);
    if (!span_is(first, "*"))
        return span_equal_nocase(pattern, name);
    return label.n > 0 && pattern_rest.n > 0 && span_equal_nocase(pattern_rest, name_rest);
}

static bool common_name_is(const mbedtls_x509_crt *c, struct span peer)
{
    for (const mbedtls_x509_name *n = &c->subject; n; n = n->next)
        if (n->oid.p && MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &n->oid) == 0 && domain_is(text_of(&n->val), peer))
            return true;
    return false;
}

static bool address_is(const mbedtls_x509_crt *c, ipv4 addr, struct span peer)
{
    const uint8_t octets[4] = {(uint8_t)(addr >> 24), (uint8_t)(addr >> 16), (uint8_t)(addr >> 8), (uint8_t)addr};
    const mbedtls_x509_sequence *s = next_name(&c->subject_alt_names, IP_ADDRESS);
    if (!s)
        return common_name_is(c, peer);
    for (; s; s = next_name(s->next, IP_ADDRESS))
        if (s->buf.len == sizeof octets && memcmp(s->buf.p, octets, sizeof octets) == 0)
            return true;
    return false;
}

bool identity_is(const mbedtls_x509_crt *certificate, struct span peer)
{
    ipv4 addr;
    if (addr_parse(peer, &addr) == 0)
        return address_is(certificate, addr, peer);
    if (peer.n && peer.p[peer.n - 1] == '.')
        peer.n--; /* the root's label */
    const mbedtls_x509_sequence *s = next_name(&certificate->subject_alt_names, DNS_NAME);
    if (!s)
        return common_name_is(certificate, peer);
    for (; s; s = next_name(s->next, DNS_NAME))
        if (domain_is(text_of(&s->buf), peer))
            return true;
    return false;
}

/* ---- as text ---- */

/* What a stranger wrote, for people: without control characters. */
static void put_plain(struct text *t, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        text_char(t, s.p[i] >= ' ' && s.p[i] <= '~' ? s.p[i] : '?');
}

void identity_subject(struct text *t, const mbedtls_x509_name *name)
{
    char room[256];
    int n = mbedtls_x509_dn_gets(room, sizeof room, name);
    if (n <= 0)
        text_str(t, "(no name)");
    else
        put_plain(t, span_make(room, (size_t)n));
}

static void put_address(struct text *t, const mbedtls_x509_buf *b)
{
    if (b->len == 4)
        text_addr(t, IPV4(b->p[0], b->p[1], b->p[2], b->p[3]));
    else
        text_hex(t, b->p, b->len);
}

void identity_names(struct text *t, const mbedtls_x509_crt *certificate)
{
    const char *before = "";
    for (const mbedtls_x509_sequence *s = &certificate->subject_alt_names; s; s = s->next) {
        int kind = s->buf.p ? s->buf.tag & TAG_BITS : -1;
        if (kind != DNS_NAME && kind != IP_ADDRESS)
            continue;
        text_str(t, before);
        before = ", ";
        if (kind == DNS_NAME)
            put_plain(t, text_of(&s->buf));
        else
            put_address(t, &s->buf);
    }
}

bool identity_is_self_signed(const mbedtls_x509_crt *certificate)
{
    return span_equal(text_of(&certificate->issuer_raw), text_of(&certificate->subject_raw));
}

int64_t identity_date(const mbedtls_x509_time *at)
{
    const struct calendar c = {at->year, at->mon, at->day, at->hour, at->min, at->sec};
    return calendar_seconds(&c);
}
