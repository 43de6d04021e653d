/* The judgement on a parsed message. What each header may hold stands in one table; the rules that tie several headers
 * together are functions below it. */
#include "nodes/proto/sip_check.h"

#include "nodes/proto/sip_lex.h"
#include "nodes/proto/sip_uri.h"

/* How many of a header there may be, and what they hold. */
enum header_form {
    FORM_ADDR,   /* one address */
    FORM_ADDRS,  /* a list of addresses */
    FORM_ROUTES, /* a list of addresses in <> */
    FORM_CONTACTS,
    FORM_VIAS,
    FORM_TOKENS,  /* a list of tokens, possibly none */
    FORM_ITEM,    /* one token with parameters */
    FORM_ITEMS,   /* a list of tokens with parameters */
    FORM_SECONDS, /* one number; too large ones are taken for the default (RFC 4475 §3.1.2.4) */
    FORM_NUMBER,
    FORM_DELTA, /* one number with a comment and parameters */
    FORM_MEDIA_TYPE,
    FORM_DATE,
    FORM_ONCE, /* free text that may be there once */
};

struct header_rule {
    enum sip_header_id id;
    enum header_form form;
    enum sip_fault fault;
};

static const struct header_rule rules[] = {
    {SIP_H_VIA, FORM_VIAS, SIP_FAULT_VIA},
    {SIP_H_CONTACT, FORM_CONTACTS, SIP_FAULT_CONTACT},
    {SIP_H_ROUTE, FORM_ROUTES, SIP_FAULT_ROUTE},
    {SIP_H_RECORD_ROUTE, FORM_ROUTES, SIP_FAULT_ROUTE},
    {SIP_H_PATH, FORM_ROUTES, SIP_FAULT_ROUTE},
    {SIP_H_SERVICE_ROUTE, FORM_ROUTES, SIP_FAULT_ROUTE},
    {SIP_H_EXPIRES, FORM_SECONDS, SIP_FAULT_EXPIRES},
    {SIP_H_REQUIRE, FORM_TOKENS, SIP_FAULT_OPTION_TAG},
    {SIP_H_PROXY_REQUIRE, FORM_TOKENS, SIP_FAULT_OPTION_TAG},
    {SIP_H_SUPPORTED, FORM_TOKENS, SIP_FAULT_OPTION_TAG},
    {SIP_H_UNSUPPORTED, FORM_TOKENS, SIP_FAULT_OPTION_TAG},
    {SIP_H_DATE, FORM_DATE, SIP_FAULT_DATE},
    {SIP_H_CONTENT_TYPE, FORM_MEDIA_TYPE, SIP_FAULT_CONTENT_TYPE},
    {SIP_H_ALLOW, FORM_TOKENS, SIP_FAULT_HEADER},
    {SIP_H_ALLOW_EVENTS, FORM_TOKENS, SIP_FAULT_HEADER},
    {SIP_H_CONTENT_ENCODING, FORM_TOKENS, SIP_FAULT_HEADER},
    {SIP_H_CONTENT_DISPOSITION, FORM_ITEM, SIP_FAULT_HEADER},
    {SIP_H_EVENT, FORM_ITEM, SIP_FAULT_HEADER},
    {SIP_H_SUBSCRIPTION_STATE, FORM_ITEM, SIP_FAULT_HEADER},
    {SIP_H_REASON, FORM_ITEMS, SIP_FAULT_HEADER},
    {SIP_H_REFER_TO, FORM_ADDR, SIP_FAULT_HEADER},
    {SIP_H_REFERRED_BY, FORM_ADDR, SIP_FAULT_HEADER},
    {SIP_H_REPLY_TO, FORM_ADDR, SIP_FAULT_HEADER},
    {SIP_H_P_ASSERTED_IDENTITY, FORM_ADDRS, SIP_FAULT_HEADER},
    {SIP_H_P_PREFERRED_IDENTITY, FORM_ADDRS, SIP_FAULT_HEADER},
    {SIP_H_DIVERSION, FORM_ADDRS, SIP_FAULT_HEADER},
    {SIP_H_MIN_EXPIRES, FORM_SECONDS, SIP_FAULT_HEADER},
    {SIP_H_FLOW_TIMER, FORM_SECONDS, SIP_FAULT_HEADER},
    {SIP_H_RSEQ, FORM_NUMBER, SIP_FAULT_HEADER},
    {SIP_H_RETRY_AFTER, FORM_DELTA, SIP_FAULT_HEADER},
    {SIP_H_SESSION_EXPIRES, FORM_DELTA, SIP_FAULT_HEADER},
    {SIP_H_MIN_SE, FORM_DELTA, SIP_FAULT_HEADER},
    {SIP_H_MIME_VERSION, FORM_ONCE, SIP_FAULT_HEADER},
    {SIP_H_ORGANIZATION, FORM_ONCE, SIP_FAULT_HEADER},
    {SIP_H_PRIORITY, FORM_ONCE, SIP_FAULT_HEADER},
    {SIP_H_RACK, FORM_ONCE, SIP_FAULT_HEADER},
    {SIP_H_REPLACES, FORM_ONCE, SIP_FAULT_HEADER},
    {SIP_H_SERVER, FORM_ONCE, SIP_FAULT_HEADER},
    {SIP_H_SUBJECT, FORM_ONCE, SIP_FAULT_HEADER},
    {SIP_H_TIMESTAMP, FORM_ONCE, SIP_FAULT_HEADER},
    {SIP_H_USER_AGENT, FORM_ONCE, SIP_FAULT_HEADER},
};

/* Says what is wrong. Nobody answers a response or an ACK, whatever is wrong with it. */
static void report(const struct sip_msg *m, struct sip_problem *why, enum sip_fault fault, unsigned status,
                   struct span about)
{
    bool inside = about.p >= m->bytes.p && about.p <= m->bytes.p + m->bytes.n;
    bool answered = m->request && m->method != SIP_ACK;
    if (why)
        *why = (struct sip_problem){
            .fault = fault,
            .status = answered ? status : 0,
            .offset = inside ? (size_t)(about.p - m->bytes.p) : 0,
            .about = about,
        };
}

static int bad(const struct sip_msg *m, struct sip_problem *why, enum sip_fault fault, struct span about)
{
    report(m, why, fault, 400, about);
    return FE_ESYNTAX;
}

static int refuse(const struct sip_msg *m, struct sip_problem *why, enum sip_fault fault, unsigned status,
                  struct span about)
{
    report(m, why, fault, status, about);
    return FE_EREFUSED;
}

/* ---- the core ---- */

/* The only header with this id. */
static int only(const struct sip_msg *m, enum sip_header_id id, struct span *value, struct sip_problem *why)
{
    const struct sip_header *h = sip_find(m, id);
    if (!h)
        return bad(m, why, SIP_FAULT_MISSING, sip_header_name(id));
    if (h->next)
        return bad(m, why, SIP_FAULT_REPEATED, sip_find_next(m, h)->bytes);
    *value = h->value;
    return 0;
}

static int read_top_via(const struct sip_msg *m, struct sip_via *via, struct sip_problem *why)
{
    struct sip_list vias = sip_list(m, SIP_H_VIA);
    struct span value;
    if (!sip_find(m, SIP_H_VIA))
        return bad(m, why, SIP_FAULT_MISSING, sip_header_name(SIP_H_VIA));
    if (!sip_list_next(&vias, &value) || sip_via_parse(value, via))
        return bad(m, why, SIP_FAULT_VIA, sip_find(m, SIP_H_VIA)->bytes);
    return 0;
}

static int read_addr(const struct sip_msg *m, enum sip_header_id id, enum sip_fault fault, struct sip_addr *addr,
                     struct sip_problem *why)
{
    struct span value;
    int error = only(m, id, &value, why);
    if (error)
        return error;
    return sip_addr_parse(value, addr) ? bad(m, why, fault, value) : 0;
}

static int read_call_id(const struct sip_msg *m, struct span *call_id, struct sip_problem *why)
{
    int error = only(m, SIP_H_CALL_ID, call_id, why);
    if (error)
        return error;
    return sip_call_id_ok(*call_id) ? 0 : bad(m, why, SIP_FAULT_CALL_ID, *call_id);
}

static int read_cseq(const struct sip_msg *m, struct sip_cseq *cseq, struct sip_problem *why)
{
    struct span value;
    int error = only(m, SIP_H_CSEQ, &value, why);
    if (error)
        return error;
    if (sip_cseq_parse(value, cseq))
        return bad(m, why, SIP_FAULT_CSEQ, value);
    if (m->request && !span_equal(cseq->method_text, m->method_text))
        return bad(m, why, SIP_FAULT_CSEQ_METHOD, value);
    return 0;
}

static int read_max_forwards(const struct sip_msg *m, struct sip_core *out, struct sip_problem *why)
{
    struct span value;
    uint32_t hops;
    out->has_max_forwards = m->first[SIP_H_MAX_FORWARDS] != 0;
    out->max_forwards = 0;
    if (!out->has_max_forwards)
        return 0;
    int error = only(m, SIP_H_MAX_FORWARDS, &value, why);
    if (error)
        return error;
    if (sip_number_parse(value, UINT8_MAX, &hops))
        return bad(m, why, SIP_FAULT_MAX_FORWARDS, value);
    out->max_forwards = (uint8_t)hops;
    return 0;
}

int sip_core(const struct sip_msg *m, struct sip_core *out, struct sip_problem *why)
{
    int error = read_top_via(m, &out->via, why);
    if (!error)
        error = read_addr(m, SIP_H_FROM, SIP_FAULT_FROM, &out->from, why);
    if (!error)
        error = read_addr(m, SIP_H_TO, SIP_FAULT_TO, &out->to, why);
    if (!error)
        error = read_call_id(m, &out->call_id, why);
    if (!error)
        error = read_cseq(m, &out->cseq, why);
    if (!error)
        error = read_max_forwards(m, out, why);
    return error;
}

/* ---- every header ---- */

static bool uri_ok(struct span text)
{
    struct sip_uri uri;
    return sip_uri_parse(text, &uri) == 0;
}

static bool addr_ok(struct span value, bool bracketed)
{
    struct sip_addr addr;
    return sip_addr_parse(value, &addr) == 0 && (addr.bracketed || !bracketed) && uri_ok(addr.uri);
}

static bool contact_ok(struct span value)
{
    struct sip_contact contact;
    return sip_contact_parse(value, &contact) == 0 && (contact.star || uri_ok(contact.addr.uri));
}

static bool item_ok(struct span value)
{
    struct span token;
    struct span params;
    return sip_token_parse(value, &token, &params) == 0;
}

static bool via_ok(struct span value)
{
    struct sip_via via;
    return sip_via_parse(value, &via) == 0;
}

static bool delta_ok(struct span value)
{
    uint32_t seconds;
    return sip_delta_parse(value, &seconds, NULL) != FE_ESYNTAX;
}

static bool media_type_ok(struct span value)
{
    struct sip_media_type type;
    return sip_media_type_parse(value, &type) == 0;
}

/* "Sat, 13 Nov 2010 23:29:00 GMT": '#' stands for a digit, 'a' for a letter (RFC 1123 by way of §25.1). */
static bool date_ok(struct span value)
{
    static const char form[] = "aaa, ## aaa #### ##:##:## GMT";
    if (value.n != sizeof form - 1)
        return false;
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        char letter = (char)(c | 0x20);
        bool fits = form[i] == '#' ? sip_is_digit(c) : form[i] == 'a' ? letter >= 'a' && letter <= 'z' : c == form[i];
        if (!fits)
            return false;
    }
    return true;
}

static bool is_list(enum header_form form)
{
    switch (form) {
    case FORM_ADDRS:
    case FORM_ROUTES:
    case FORM_CONTACTS:
    case FORM_VIAS:
    case FORM_TOKENS:
    case FORM_ITEMS: return true;
    case FORM_ADDR:
    case FORM_ITEM:
    case FORM_SECONDS:
    case FORM_NUMBER:
    case FORM_DELTA:
    case FORM_MEDIA_TYPE:
    case FORM_DATE:
    case FORM_ONCE: return false;
    }
    return false;
}

static bool value_ok(enum header_form form, struct span value)
{
    uint32_t number;
    switch (form) {
    case FORM_ADDR:
    case FORM_ADDRS: return addr_ok(value, false);
    case FORM_ROUTES: return addr_ok(value, true);
    case FORM_CONTACTS: return contact_ok(value);
    case FORM_VIAS: return via_ok(value);
    case FORM_TOKENS: return sip_is_token(value);
    case FORM_ITEM:
    case FORM_ITEMS: return item_ok(value);
    case FORM_SECONDS: return sip_number_parse(value, UINT32_MAX, &number) != FE_ESYNTAX;
    case FORM_NUMBER: return sip_number_parse(value, UINT32_MAX, &number) == 0;
    case FORM_DELTA: return delta_ok(value);
    case FORM_MEDIA_TYPE: return media_type_ok(value);
    case FORM_DATE: return date_ok(value);
    case FORM_ONCE: return true;
    }
    return true;
}

/* A list of tokens may be empty ("Supported:"); the other lists have at least one value in every line. */
static int check_list(const struct sip_msg *m, const struct header_rule *rule, struct sip_problem *why)
{
    struct sip_list list = sip_list(m, rule->id);
    struct span value;
    while (sip_list_next(&list, &value))
        if (!value_ok(rule->form, value))
            return bad(m, why, rule->fault, list.header->bytes);
    if (rule->form == FORM_TOKENS)
        return 0;
    for (const struct sip_header *h = sip_find(m, rule->id); h; h = sip_find_next(m, h))
        if (h->value.n == 0)
            return bad(m, why, rule->fault, h->bytes);
    return 0;
}

static int check_rule(const struct sip_msg *m, const struct header_rule *rule, struct sip_problem *why)
{
    const struct sip_header *h = sip_find(m, rule->id);
    if (!h)
        return 0;
    if (is_list(rule->form))
        return check_list(m, rule, why);
    if (h->next)
        return bad(m, why, SIP_FAULT_REPEATED, sip_find_next(m, h)->bytes);
    return value_ok(rule->form, h->value) ? 0 : bad(m, why, rule->fault, h->bytes);
}

/* ---- rules between headers ---- */

/* "Contact: *" stands alone, in a REGISTER that has Expires: 0 (§10.2.2). */
static int check_star(const struct sip_msg *m, struct sip_problem *why)
{
    struct sip_list contacts = sip_list(m, SIP_H_CONTACT);
    struct span value;
    bool star = false;
    size_t count = 0;
    uint32_t expires = 1;
    for (; sip_list_next(&contacts, &value); count++)
        star = star || span_is(value, "*");
    if (!star)
        return 0;
    if (count == 1 && m->method == SIP_REGISTER &&
        sip_number_parse(sip_value(m, SIP_H_EXPIRES), UINT32_MAX, &expires) == 0 && expires == 0)
        return 0;
    return bad(m, why, SIP_FAULT_CONTACT, sip_find(m, SIP_H_CONTACT)->bytes);
}

/* §20.15: a body has a type. */
static int check_body(const struct sip_msg *m, struct sip_problem *why)
{
    if (m->body.n && !m->first[SIP_H_CONTENT_TYPE])
        return bad(m, why, SIP_FAULT_CONTENT_TYPE, m->blank);
    return 0;
}

int sip_check(const struct sip_msg *m, struct sip_core *out, struct sip_problem *why)
{
    int error = sip_core(m, out, why);
    if (error)
        return error;
    if (!uri_ok(out->from.uri))
        return bad(m, why, SIP_FAULT_FROM, out->from.bytes);
    if (!uri_ok(out->to.uri))
        return bad(m, why, SIP_FAULT_TO, out->to.bytes);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        error = check_rule(m, &rules[i], why);
        if (error)
            return error;
    }
    error = check_star(m, why);
    return error ? error : check_body(m, why);
}

/* ---- what a server can do ---- */

static int check_scheme(const struct sip_msg *m, struct sip_problem *why)
{
    struct sip_uri uri;
    if (sip_uri_parse(m->uri, &uri) == 0 && uri.scheme == SIP_SCHEME_OTHER)
        return refuse(m, why, SIP_FAULT_SCHEME, 416, m->uri);
    return 0;
}

static bool is_among(struct span list, struct span token)
{
    while (list.n) {
        struct span one = span_trim(span_cut(list, ',', &list));
        if (span_equal_nocase(one, token))
            return true;
    }
    return false;
}

static int check_required(const struct sip_msg *m, enum sip_header_id id, struct span supported,
                          struct sip_problem *why)
{
    struct sip_list list = sip_list(m, id);
    struct span tag;
    if (m->method == SIP_ACK || m->method == SIP_CANCEL)
        return 0;
    while (sip_list_next(&list, &tag))
        if (!is_among(supported, tag))
            return refuse(m, why, SIP_FAULT_REQUIRED, 420, tag);
    return 0;
}

int sip_check_uas(const struct sip_msg *m, struct span supported, struct sip_problem *why)
{
    int error = check_scheme(m, why);
    return error ? error : check_required(m, SIP_H_REQUIRE, supported, why);
}

int sip_check_proxy(const struct sip_msg *m, const struct sip_core *core, struct span supported,
                    struct sip_problem *why)
{
    int error = check_scheme(m, why);
    if (error)
        return error;
    if (core->has_max_forwards && core->max_forwards == 0)
        return refuse(m, why, SIP_FAULT_TOO_MANY_HOPS, 483, sip_value(m, SIP_H_MAX_FORWARDS));
    return check_required(m, SIP_H_PROXY_REQUIRE, supported, why);
}
