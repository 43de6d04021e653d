#include "nodes/proto/sip_uri.h"

#include "nodes/proto/sip_lex.h"

#include <assert.h>

static int hex_value(char c)
{
    if (sip_is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character at l->p: an escape undone, or -1 when the escape is malformed. */
static int take_escaped(struct sip_lex *l, bool *escaped)
{
    *escaped = *l->p == '%';
    if (!*escaped)
        return (unsigned char)*l->p++;
    if (l->end - l->p < 3)
        return -1;
    int high = hex_value(l->p[1]);
    int low = hex_value(l->p[2]);
    if (high < 0 || low < 0)
        return -1;
    l->p += 3;
    return high << 4 | low;
}

/* A run of this class and of escapes. false: a malformed escape. */
static bool run_escaped(struct sip_lex *l, enum sip_char class, struct span *out)
{
    const char *start = l->p;
    bool escaped;
    for (;;) {
        sip_lex_run(l, class);
        if (sip_lex_end(l) || *l->p != '%')
            break;
        if (take_escaped(l, &escaped) < 0)
            return false;
    }
    *out = sip_between(start, l->p);
    return true;
}

static bool parse_userinfo(struct sip_lex *l, struct sip_uri *uri)
{
    const char *at = sip_lex_end(l) ? NULL : memchr(l->p, '@', (size_t)(l->end - l->p));
    if (!at)
        return true;
    struct sip_lex info = {l->p, at};
    if (!run_escaped(&info, SIP_CHAR_USER, &uri->user) || uri->user.n == 0)
        return false;
    if (sip_lex_char(&info, ':') && !run_escaped(&info, SIP_CHAR_PASSWORD, &uri->password))
        return false;
    l->p = at + 1;
    return sip_lex_end(&info);
}

/* uri-parameters = *( ";" pname [ "=" pvalue ] ) */
static bool parse_params(struct sip_lex *l, struct span *params)
{
    const char *start = l->p;
    struct span part;
    while (sip_lex_char(l, ';')) {
        if (!run_escaped(l, SIP_CHAR_PARAM, &part) || part.n == 0)
            return false;
        if (sip_lex_char(l, '=') && (!run_escaped(l, SIP_CHAR_PARAM, &part) || part.n == 0))
            return false;
    }
    *params = sip_between(start, l->p);
    return true;
}

/* hname and hvalue are paramchar without "&", and with "?". */
static bool run_header_text(struct sip_lex *l, struct span *out)
{
    const char *start = l->p;
    bool escaped;
    while (l->p < l->end && *l->p != '&' && *l->p != '=') {
        if (!sip_char_is(*l->p, SIP_CHAR_PARAM) && *l->p != '?' && *l->p != '%')
            return false;
        if (take_escaped(l, &escaped) < 0)
            return false;
    }
    *out = sip_between(start, l->p);
    return true;
}

/* headers = "?" hname "=" hvalue *( "&" hname "=" hvalue ) */
static bool parse_headers(struct sip_lex *l, struct span *headers)
{
    struct span part;
    if (!sip_lex_char(l, '?'))
        return true;
    const char *start = l->p;
    do {
        if (!run_header_text(l, &part) || part.n == 0 || !sip_lex_char(l, '=') || !run_header_text(l, &part))
            return false;
    } while (sip_lex_char(l, '&'));
    *headers = sip_between(start, l->p);
    return true;
}

static int parse_sip(struct sip_lex *l, struct sip_uri *uri)
{
    if (!parse_userinfo(l, uri) || !sip_lex_host(l, &uri->host))
        return FE_ESYNTAX;
    int error = sip_lex_char(l, ':') ? sip_lex_port(l, &uri->port) : 0;
    if (error)
        return error;
    if (!parse_params(l, &uri->params) || !parse_headers(l, &uri->headers) || !sip_lex_end(l))
        return FE_ESYNTAX;
    return 0;
}

/* RFC 3966 §3, the number's characters: digits, visual separators, "+" first, and the local "*", "#", A–F. */
static bool is_phone_char(char c, bool first)
{
    return sip_is_digit(c) || hex_value(c) >= 0 || (c != 0 && strchr("-.()*#", c)) || (first && c == '+');
}

static int parse_tel(struct sip_lex *l, struct sip_uri *uri)
{
    const char *start = l->p;
    while (l->p < l->end && is_phone_char(*l->p, l->p == start))
        l->p++;
    uri->user = sip_between(start, l->p);
    return uri->user.n && parse_params(l, &uri->params) && sip_lex_end(l) ? 0 : FE_ESYNTAX;
}

static int parse_opaque(struct sip_lex *l, struct sip_uri *uri)
{
    return run_escaped(l, SIP_CHAR_URIC, &uri->host) && uri->host.n && sip_lex_end(l) ? 0 : FE_ESYNTAX;
}

static enum sip_scheme scheme_of(struct span text)
{
    if (SIP_IS(text, "sip"))
        return SIP_SCHEME_SIP;
    if (SIP_IS(text, "sips"))
        return SIP_SCHEME_SIPS;
    if (SIP_IS(text, "tel"))
        return SIP_SCHEME_TEL;
    return SIP_SCHEME_OTHER;
}

static bool is_alpha(char c)
{
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'z';
}

/* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) ":" */
static bool parse_scheme(struct sip_lex *l, struct span *scheme)
{
    const char *start = l->p;
    while (l->p < l->end && (is_alpha(*l->p) || sip_is_digit(*l->p) || *l->p == '+' || *l->p == '-' || *l->p == '.'))
        l->p++;
    *scheme = sip_between(start, l->p);
    return scheme->n && is_alpha(*start) && sip_lex_char(l, ':');
}

int sip_uri_parse(struct span s, struct sip_uri *out)
{
    struct sip_lex l = sip_lex_on(s);
    *out = (struct sip_uri){.bytes = s};
    if (!parse_scheme(&l, &out->scheme_text))
        return FE_ESYNTAX;
    out->scheme = scheme_of(out->scheme_text);
    switch (out->scheme) {
    case SIP_SCHEME_SIP:
    case SIP_SCHEME_SIPS: return parse_sip(&l, out);
    case SIP_SCHEME_TEL: return parse_tel(&l, out);
    case SIP_SCHEME_OTHER: return parse_opaque(&l, out);
    }
    return FE_ESYNTAX;
}

int sip_uri_param_next(struct span *params, struct span *name, struct span *value)
{
    if (params->n == 0)
        return 0;
    struct span param = span_cut((struct span){params->p + 1, params->n - 1}, ';', params);
    if (params->p)
        *params = (struct span){params->p - 1, params->n + 1};
    *name = span_cut(param, '=', value);
    return 1;
}

bool sip_uri_param(const struct sip_uri *uri, const char *name, struct span *value)
{
    struct span params = uri->params;
    struct span wanted = span_of(name);
    struct span found;
    struct span text;
    while (sip_uri_param_next(&params, &found, &text)) {
        if (span_equal_nocase(found, wanted)) {
            if (value)
                *value = text;
            return true;
        }
    }
    return false;
}

enum sip_transport sip_uri_transport(const struct sip_uri *uri)
{
    struct span name;
    if (uri->scheme == SIP_SCHEME_SIPS)
        return SIP_TLS;
    return sip_uri_param(uri, "transport", &name) ? sip_transport_id(name) : SIP_UDP;
}

int sip_uri_endpoint(const struct sip_uri *uri, struct endpoint *out)
{
    struct span host = uri->host;
    struct span maddr;
    if (uri->scheme != SIP_SCHEME_SIP && uri->scheme != SIP_SCHEME_SIPS)
        return FE_ESYNTAX;
    if (sip_uri_param(uri, "maddr", &maddr))
        host = maddr;
    if (addr_parse(host, &out->addr))
        return FE_EUNKNOWN;
    out->port = uri->port ? uri->port : sip_transport_port(sip_uri_transport(uri));
    return 0;
}

/* ---- comparison (§19.1.4) ---- */

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* A character as comparison sees it: the escape of a reserved character is not that character. */
static int comparable(struct sip_lex *l, bool nocase)
{
    bool escaped;
    int c = take_escaped(l, &escaped);
    if (c < 0)
        return (unsigned char)*l->p++;
    if (escaped && c && strchr(";/?:@&=+$,", c))
        return 0x100 | c;
    return nocase ? lower(c) : c;
}

bool sip_escaped_equal(struct span a, struct span b, bool nocase)
{
    struct sip_lex left = sip_lex_on(a);
    struct sip_lex right = sip_lex_on(b);
    while (!sip_lex_end(&left) && !sip_lex_end(&right))
        if (comparable(&left, nocase) != comparable(&right, nocase))
            return false;
    return sip_lex_end(&left) && sip_lex_end(&right);
}

/* Parameters that never match when only one of the two has them. */
static bool must_be_in_both(struct span name)
{
    static const char *const names[] = {"transport", "user", "ttl", "method", "maddr"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_equal_nocase(name, span_of(names[i])))
            return true;
    return false;
}

/* Does the URI allow this parameter: has it with the same value, or does without it where that does not matter? */
static bool allows_param(const struct sip_uri *uri, struct span name, struct span value)
{
    struct span params = uri->params;
    struct span own_name;
    struct span own_value;
    bool named = false;
    while (sip_uri_param_next(&params, &own_name, &own_value)) {
        if (!sip_escaped_equal(own_name, name, true))
            continue;
        if (sip_escaped_equal(own_value, value, true))
            return true;
        named = true;
    }
    return !named && !must_be_in_both(name);
}

static bool allows_params(const struct sip_uri *uri, struct span params)
{
    struct span name;
    struct span value;
    while (sip_uri_param_next(&params, &name, &value))
        if (!allows_param(uri, name, value))
            return false;
    return true;
}

/* How many of a URI's headers are this "name=value", or how many there are at all when `header` is empty. */
static size_t count_headers(struct span headers, struct span header)
{
    size_t count = 0;
    while (headers.n) {
        struct span one = span_cut(headers, '&', &headers);
        count += header.n == 0 || sip_escaped_equal(one, header, true);
    }
    return count;
}

/* The same ones, as often, in any order. */
static bool headers_equal(struct span a, struct span b)
{
    if (count_headers(a, (struct span){0}) != count_headers(b, (struct span){0}))
        return false;
    for (struct span rest = a; rest.n;) {
        struct span one = span_cut(rest, '&', &rest);
        if (count_headers(a, one) != count_headers(b, one))
            return false;
    }
    return true;
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
    if (a->scheme != b->scheme)
        return false;
    if (a->scheme == SIP_SCHEME_OTHER)
        return span_equal(a->bytes, b->bytes);
    return sip_escaped_equal(a->user, b->user, false) && sip_escaped_equal(a->password, b->password, false) &&
           !a->password.p == !b->password.p && span_equal_nocase(a->host, b->host) && a->port == b->port &&
           allows_params(a, b->params) && allows_params(b, a->params) && headers_equal(a->headers, b->headers);
}

/* ---- writing ---- */

int sip_unescape(struct text *t, struct span s)
{
    struct sip_lex l = sip_lex_on(s);
    bool escaped;
    while (!sip_lex_end(&l)) {
        int c = take_escaped(&l, &escaped);
        if (c < 0)
            return FE_ESYNTAX;
        text_char(t, (char)c);
    }
    return text_ok(t) ? 0 : FE_ERANGE;
}

void sip_escape_user(struct text *t, struct span s)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (sip_char_is((char)c, SIP_CHAR_USER)) {
            text_char(t, (char)c);
        } else {
            text_char(t, '%');
            text_char(t, digits[c >> 4]);
            text_char(t, digits[c & 15]);
        }
    }
}

static void put_uri(struct text *t, const char *scheme, struct span user, struct span host, uint16_t port)
{
    text_str(t, scheme);
    if (user.n) {
        sip_escape_user(t, user);
        text_char(t, '@');
    }
    text_put(t, host);
    if (port) {
        text_char(t, ':');
        text_u64(t, port);
    }
}

void sip_uri_write(struct text *t, struct span user, struct span host, uint16_t port)
{
    put_uri(t, "sip:", user, host, port);
}

void sip_uri_write_endpoint(struct text *t, struct span user, struct endpoint at)
{
    char addr[ENDPOINT_TEXT];
    sip_uri_write(t, user, span_of(addr_text(at.addr, addr)), at.port == SIP_DEFAULT_PORT ? 0 : at.port);
}

/* In lower case, as it is usually seen. */
static const char *transport_param(enum sip_transport transport)
{
    switch (transport) {
    case SIP_TCP: return ";transport=tcp";
    case SIP_TLS: return ";transport=tls";
    case SIP_SCTP: return ";transport=sctp";
    case SIP_WS: return ";transport=ws";
    case SIP_WSS: return ";transport=wss";
    case SIP_UDP:
    case SIP_TRANSPORT_OTHER: break;
    }
    return "";
}

void sip_uri_write_flow(struct text *t, bool secure, struct span user, struct endpoint at, enum sip_transport transport)
{
    char addr[ENDPOINT_TEXT];
    uint16_t port = at.port == sip_transport_port(transport) ? 0 : at.port;
    assert(!secure || transport == SIP_TLS);
    put_uri(t, secure ? "sips:" : "sip:", user, span_of(addr_text(at.addr, addr)), port);
    if (!secure)
        text_str(t, transport_param(transport));
}
