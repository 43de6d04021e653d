/* Names of types and codes, and records as zone files have them. */
#include "nodes/base/error.h"
#include "nodes/proto/dns.h"

static const struct {
    uint16_t type;
    const char *name;
} types[] = {{DNS_A, "A"},         {DNS_NS, "NS"},   {DNS_CNAME, "CNAME"}, {DNS_SOA, "SOA"},
             {DNS_PTR, "PTR"},     {DNS_TXT, "TXT"}, {DNS_AAAA, "AAAA"},   {DNS_SRV, "SRV"},
             {DNS_NAPTR, "NAPTR"}, {DNS_OPT, "OPT"}, {DNS_ANY, "ANY"}};
enum { TYPES = sizeof types / sizeof types[0] };

static const char *const rcodes[] = {
    [DNS_NOERROR] = "NOERROR",   [DNS_FORMERR] = "FORMERR", [DNS_SERVFAIL] = "SERVFAIL",
    [DNS_NXDOMAIN] = "NXDOMAIN", [DNS_NOTIMP] = "NOTIMP",   [DNS_REFUSED] = "REFUSED",
};
enum { RCODES = sizeof rcodes / sizeof rcodes[0] };

void dns_type_text(struct text *t, unsigned type)
{
    for (size_t i = 0; i < TYPES; i++)
        if (types[i].type == type) {
            text_str(t, types[i].name);
            return;
        }
    text_str(t, "TYPE");
    text_u64(t, type);
}

int dns_type_parse(struct span name, uint16_t *out)
{
    for (size_t i = 0; i < TYPES; i++)
        if (span_equal_nocase(name, span_of(types[i].name))) {
            *out = types[i].type;
            return 0;
        }
    return FE_EUNKNOWN;
}

void dns_rcode_text(struct text *t, unsigned rcode)
{
    if (rcode < RCODES) {
        text_str(t, rcodes[rcode]);
        return;
    }
    text_str(t, "RCODE");
    text_u64(t, rcode);
}

/* ---- reading ---- */

/* The next word, or what stands between quotes. FE_ESYNTAX: there is none, or the quote is not closed. */
static int word_take(struct span *text, struct span *out)
{
    *text = span_trim(*text);
    if (text->n && text->p[0] == '"') {
        struct span rest = {text->p + 1, text->n - 1};
        *out = span_cut(rest, '"', text);
        return text->p ? 0 : FE_ESYNTAX;
    }
    *out = span_cut(*text, ' ', text);
    return out->n ? 0 : FE_ESYNTAX;
}

static int number_take(struct span *text, uint16_t *out)
{
    struct span word;
    uint64_t value;
    int error = word_take(text, &word);
    if (!error)
        error = span_u64(word, 65535, &value);
    if (!error)
        *out = (uint16_t)value;
    return error;
}

/* The name that is the last word. */
static int name_take(struct span *text, struct dns_name *out)
{
    struct span word;
    int error = word_take(text, &word);
    if (!error)
        error = dns_name_parse(word, out);
    return error ? error : span_trim(*text).n ? FE_ESYNTAX : 0;
}

int dns_srv_parse(struct span text, struct dns_srv *out)
{
    struct dns_srv srv;
    int error = number_take(&text, &srv.priority);
    if (!error)
        error = number_take(&text, &srv.weight);
    if (!error)
        error = number_take(&text, &srv.port);
    if (!error)
        error = name_take(&text, &srv.target);
    if (!error)
        *out = srv;
    return error;
}

int dns_naptr_parse(struct span text, struct dns_naptr *out)
{
    struct dns_naptr naptr = {.regexp = SPAN("")};
    int error = number_take(&text, &naptr.order);
    if (!error)
        error = number_take(&text, &naptr.preference);
    if (!error)
        error = word_take(&text, &naptr.flags);
    if (!error)
        error = word_take(&text, &naptr.services);
    struct span two = text;
    struct span word;
    if (!error && word_take(&two, &word) == 0 && span_trim(two).n) { /* two words are left: the first is the regexp */
        naptr.regexp = word;
        text = two;
    }
    if (!error)
        error = name_take(&text, &naptr.replacement);
    if (naptr.flags.n > 255 || naptr.services.n > 255 || naptr.regexp.n > 255)
        error = FE_ERANGE;
    if (!error)
        *out = naptr;
    return error;
}

/* ---- writing ---- */

static void numbers_text(struct text *t, unsigned a, unsigned b)
{
    text_u64(t, a);
    text_char(t, ' ');
    text_u64(t, b);
    text_char(t, ' ');
}

static void naptr_text(struct text *t, const struct dns_naptr *naptr)
{
    numbers_text(t, naptr->order, naptr->preference);
    const struct span strings[] = {naptr->flags, naptr->services, naptr->regexp};
    for (unsigned i = 0; i < 3; i++) {
        bool bare = strings[i].n && !span_contains(strings[i], SPAN(" "));
        if (i == 2 && strings[i].n == 0)
            break;
        text_str(t, bare ? "" : "\"");
        text_put(t, strings[i]);
        text_str(t, bare ? " " : "\" ");
    }
    dns_name_text(t, &naptr->replacement);
}

static void soa_text(struct text *t, const struct dns_soa *soa)
{
    const uint32_t numbers[] = {soa->serial, soa->refresh, soa->retry, soa->expire, soa->minimum};
    dns_name_text(t, &soa->primary);
    text_char(t, ' ');
    dns_name_text(t, &soa->mailbox);
    for (unsigned i = 0; i < 5; i++) {
        text_char(t, ' ');
        text_u64(t, numbers[i]);
    }
}

static void opaque_text(struct text *t, struct span data)
{
    text_str(t, "\\# ");
    text_u64(t, data.n);
    text_char(t, ' ');
    text_hex(t, data.p, data.n);
}

void dns_data_text(struct text *t, const struct dns_record *r)
{
    switch (r->class == DNS_IN ? r->type : 0) {
    case DNS_A: text_addr(t, r->addr); break;
    case DNS_NS:
    case DNS_CNAME:
    case DNS_PTR: dns_name_text(t, &r->target); break;
    case DNS_SOA: soa_text(t, &r->soa); break;
    case DNS_SRV:
        numbers_text(t, r->srv.priority, r->srv.weight);
        text_u64(t, r->srv.port);
        text_char(t, ' ');
        dns_name_text(t, &r->srv.target);
        break;
    case DNS_NAPTR: naptr_text(t, &r->naptr); break;
    default: opaque_text(t, r->data); break;
    }
}
