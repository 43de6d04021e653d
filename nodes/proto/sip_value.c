/* Decoders of header values (RFC 3261 §20, §25.1). Each takes one value, as sip_value() or sip_list_next() give it. */
#include "nodes/proto/sip_lex.h"
#include "nodes/proto/sip_msg.h"

bool sip_is_token(struct span s)
{
    struct sip_lex l = sip_lex_on(s);
    return sip_lex_run(&l, SIP_CHAR_TOKEN).n > 0 && sip_lex_end(&l);
}

/* callid = word [ "@" word ] */
bool sip_call_id_ok(struct span value)
{
    struct sip_lex l = sip_lex_on(value);
    if (sip_lex_run(&l, SIP_CHAR_WORD).n == 0)
        return false;
    if (sip_lex_char(&l, '@') && sip_lex_run(&l, SIP_CHAR_WORD).n == 0)
        return false;
    return sip_lex_end(&l);
}

/* ---- parameters ---- */

/* gen-value = token / host / quoted-string. "received" may also be an IPv6 address without brackets (via-received). */
static bool take_param_value(struct sip_lex *l, struct sip_param *param)
{
    if (!sip_lex_end(l) && *l->p == '"') {
        param->quoted = true;
        return sip_lex_quoted(l, &param->value);
    }
    const char *start = l->p;
    param->token = true;
    sip_lex_run(l, SIP_CHAR_TOKEN);
    while (!sip_lex_end(l) && (*l->p == ':' || *l->p == '[' || *l->p == ']')) {
        param->token = false;
        l->p++;
        sip_lex_run(l, SIP_CHAR_TOKEN);
    }
    param->value = sip_between(start, l->p);
    return param->value.n > 0;
}

/* SEMI token [ EQUAL gen-value ]. 1: got one; 0: there is no more; FE_ESYNTAX. */
static int take_param(struct sip_lex *l, struct sip_param *param)
{
    *param = (struct sip_param){0};
    sip_lex_blanks(l);
    if (sip_lex_end(l))
        return 0;
    if (!sip_lex_mark(l, ';'))
        return FE_ESYNTAX;
    param->name = sip_lex_run(l, SIP_CHAR_TOKEN);
    if (param->name.n == 0)
        return FE_ESYNTAX;
    const char *end = l->p;
    if (sip_lex_mark(l, '=')) {
        if (!take_param_value(l, param))
            return FE_ESYNTAX;
        end = l->p;
    }
    param->bytes = sip_between(param->name.p, end);
    l->p = end; /* blanks behind a flag belong to what follows */
    return 1;
}

int sip_param_next(struct span *params, struct sip_param *out)
{
    struct sip_lex l = sip_lex_on(*params);
    int got = take_param(&l, out);
    if (got >= 0)
        *params = sip_lex_rest(&l);
    return got;
}

bool sip_param(struct span params, const char *name, struct span *value)
{
    struct sip_lex l = sip_lex_on(params);
    struct span wanted = span_of(name);
    struct sip_param param;
    while (take_param(&l, &param) == 1) {
        if (!span_equal_nocase(param.name, wanted))
            continue;
        if (value)
            *value = param.value;
        return true;
    }
    return false;
}

/* All that is left of a value has to be parameters. */
static bool take_params(struct sip_lex *l, struct span *params)
{
    struct sip_param param;
    int got;
    sip_lex_blanks(l);
    *params = sip_lex_rest(l);
    while ((got = take_param(l, &param)) == 1)
        continue;
    return got == 0;
}

/* ---- addresses ---- */

/* display-name = *( token LWS ) / quoted-string. A bare addr-spec begins like tokens: the caller looks for the "<". */
static bool take_display(struct sip_lex *l, struct span *display)
{
    if (!sip_lex_end(l) && *l->p == '"') {
        bool closed = sip_lex_quoted(l, display);
        sip_lex_blanks(l);
        return closed;
    }
    const char *start = l->p;
    const char *end = start;
    while (sip_lex_run(l, SIP_CHAR_TOKEN).n) {
        end = l->p;
        sip_lex_blanks(l);
    }
    *display = sip_between(start, end);
    return true;
}

/* A scheme, a colon and something: what the URI means is for sip_uri_parse(). */
static bool looks_like_uri(struct span uri)
{
    const char *colon = uri.n ? memchr(uri.p, ':', uri.n) : NULL;
    return colon && sip_is_token(sip_between(uri.p, colon)) && colon + 1 < uri.p + uri.n;
}

static bool take_bracketed_uri(struct sip_lex *l, struct span *uri)
{
    *uri = sip_lex_until(l, SIP_ENDS_BRACKETED);
    return sip_lex_char(l, '>');
}

/* §20.10: without brackets, everything from the first semicolon on is a header parameter, and comma or question mark
 * must not occur. */
static bool take_bare_uri(struct sip_lex *l, struct span *uri)
{
    *uri = sip_lex_until(l, SIP_ENDS_BARE);
    return sip_lex_end(l) || *l->p == ';' || *l->p == '\r' || sip_is_blank(*l->p);
}

/* name-addr / addr-spec, without the parameters. */
static bool take_address(struct sip_lex *l, struct sip_addr *out)
{
    const char *start = l->p;
    if (!take_display(l, &out->display))
        return false;
    out->bracketed = sip_lex_char(l, '<');
    if (out->bracketed)
        return take_bracketed_uri(l, &out->uri) && looks_like_uri(out->uri);
    l->p = start;
    out->display = (struct span){NULL, 0};
    return take_bare_uri(l, &out->uri) && looks_like_uri(out->uri);
}

static bool read_tag(struct sip_addr *out, const struct sip_param *param)
{
    if (!SIP_IS(param->name, "tag"))
        return true;
    if (!param->token || out->tag.p)
        return false;
    out->tag = param->value;
    return true;
}

int sip_addr_parse(struct span value, struct sip_addr *out)
{
    struct sip_lex l = sip_lex_on(value);
    struct sip_param param;
    int got;
    *out = (struct sip_addr){.bytes = value};
    sip_lex_blanks(&l);
    if (!take_address(&l, out))
        return FE_ESYNTAX;
    sip_lex_blanks(&l);
    out->params = sip_lex_rest(&l);
    while ((got = take_param(&l, &param)) == 1)
        if (!read_tag(out, &param))
            return FE_ESYNTAX;
    return got;
}

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ), in thousandths. */
static bool parse_q(struct span s, uint16_t *q)
{
    uint16_t value = 0;
    if (s.n < 1 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1') || (s.n > 1 && s.p[1] != '.'))
        return false;
    for (size_t i = 2; i < 5; i++) {
        if (i < s.n && !sip_is_digit(s.p[i]))
            return false;
        value = (uint16_t)(value * 10 + (i < s.n ? s.p[i] - '0' : 0));
    }
    value = (uint16_t)(value + (s.p[0] - '0') * 1000);
    *q = value;
    return value <= 1000;
}

static bool read_contact_param(struct sip_contact *out, const struct sip_param *param)
{
    if (SIP_IS(param->name, "expires")) {
        out->has_expires = sip_number_parse(param->value, UINT32_MAX, &out->expires) == 0;
    } else if (SIP_IS(param->name, "q")) {
        out->has_q = parse_q(param->value, &out->q);
        return out->has_q;
    } else if (SIP_IS(param->name, "+sip.instance")) {
        out->instance = param->value;
        return param->quoted;
    } else if (SIP_IS(param->name, "reg-id")) {
        return sip_number_parse(param->value, INT32_MAX, &out->reg_id) == 0 && out->reg_id > 0;
    }
    return true;
}

int sip_contact_parse(struct span value, struct sip_contact *out)
{
    struct sip_lex l = sip_lex_on(value);
    struct sip_param param;
    int got;
    *out = (struct sip_contact){.addr = {.bytes = value}};
    out->star = span_is(value, "*");
    if (out->star)
        return 0;
    sip_lex_blanks(&l);
    if (!take_address(&l, &out->addr))
        return FE_ESYNTAX;
    sip_lex_blanks(&l);
    out->addr.params = sip_lex_rest(&l);
    while ((got = take_param(&l, &param)) == 1)
        if (!read_contact_param(out, &param))
            return FE_ESYNTAX;
    return got;
}

/* ---- Via ---- */

/* sent-protocol = protocol-name SLASH protocol-version SLASH transport */
static bool take_sent_protocol(struct sip_lex *l, struct sip_via *out)
{
    if (sip_lex_run(l, SIP_CHAR_TOKEN).n == 0 || !sip_lex_mark(l, '/'))
        return false;
    if (sip_lex_run(l, SIP_CHAR_TOKEN).n == 0 || !sip_lex_mark(l, '/'))
        return false;
    out->transport_text = sip_lex_run(l, SIP_CHAR_TOKEN);
    out->transport = sip_transport_id(out->transport_text);
    return out->transport_text.n > 0;
}

/* sent-by = host [ COLON port ], after at least one blank */
static bool take_sent_by(struct sip_lex *l, struct sip_via *out)
{
    const char *before = l->p;
    sip_lex_blanks(l);
    if (l->p == before || !sip_lex_host(l, &out->host))
        return false;
    return !sip_lex_mark(l, ':') || sip_lex_port(l, &out->port) == 0;
}

static bool read_via_param(struct sip_via *out, const struct sip_param *param)
{
    uint32_t number;
    if (SIP_IS(param->name, "branch")) {
        out->branch = param->value;
        return param->token;
    }
    if (SIP_IS(param->name, "rport")) {
        out->has_rport = true;
        if (!param->value.p)
            return true;
        if (sip_number_parse(param->value, UINT16_MAX, &number) || number == 0)
            return false;
        out->rport = (uint16_t)number;
    } else if (SIP_IS(param->name, "received")) {
        out->received = param->value;
        return param->value.n > 0;
    } else if (SIP_IS(param->name, "maddr")) {
        out->maddr = param->value;
        return param->value.n > 0;
    } else if (SIP_IS(param->name, "ttl")) {
        if (sip_number_parse(param->value, UINT8_MAX, &number))
            return false;
        out->has_ttl = true;
        out->ttl = (uint8_t)number;
    } else if (SIP_IS(param->name, "alias")) {
        out->alias = true;
    }
    return true;
}

int sip_via_parse(struct span value, struct sip_via *out)
{
    struct sip_lex l = sip_lex_on(value);
    struct sip_param param;
    int got;
    *out = (struct sip_via){.bytes = value};
    sip_lex_blanks(&l);
    if (!take_sent_protocol(&l, out) || !take_sent_by(&l, out))
        return FE_ESYNTAX;
    sip_lex_blanks(&l);
    out->params = sip_lex_rest(&l);
    while ((got = take_param(&l, &param)) == 1)
        if (!read_via_param(out, &param))
            return FE_ESYNTAX;
    return got;
}

/* ---- numbers and tokens ---- */

int sip_number_parse(struct span value, uint32_t max, uint32_t *out)
{
    uint64_t number = 0;
    bool large = false;
    for (size_t i = 0; i < value.n; i++) {
        if (!sip_is_digit(value.p[i]))
            return FE_ESYNTAX;
        number = number * 10 + (uint64_t)(value.p[i] - '0');
        large = large || number > max;
        number = large ? 0 : number;
    }
    if (value.n == 0 || large)
        return value.n ? FE_ERANGE : FE_ESYNTAX;
    *out = (uint32_t)number;
    return 0;
}

/* CSeq = 1*DIGIT LWS Method. The number is below 2^31 by §8.1.1.5, below 2^32 by §20.16: the latter is taken. */
int sip_cseq_parse(struct span value, struct sip_cseq *out)
{
    struct sip_lex l = sip_lex_on(value);
    struct span digits = sip_lex_digits(&l);
    sip_lex_blanks(&l);
    bool apart = l.p > digits.p + digits.n;
    out->method_text = sip_lex_run(&l, SIP_CHAR_TOKEN);
    out->method = sip_method_id(out->method_text);
    if (!apart || out->method_text.n == 0 || !sip_lex_end(&l))
        return FE_ESYNTAX;
    return sip_number_parse(digits, UINT32_MAX, &out->number);
}

int sip_delta_parse(struct span value, uint32_t *seconds, struct span *params)
{
    struct sip_lex l = sip_lex_on(value);
    struct span ignored;
    int error = sip_number_parse(sip_lex_digits(&l), UINT32_MAX, seconds);
    if (error)
        return error;
    sip_lex_blanks(&l);
    if (!sip_lex_end(&l) && *l.p == '(' && !sip_lex_comment(&l))
        return FE_ESYNTAX;
    return take_params(&l, params ? params : &ignored) ? 0 : FE_ESYNTAX;
}

int sip_token_parse(struct span value, struct span *token, struct span *params)
{
    struct sip_lex l = sip_lex_on(value);
    *token = sip_lex_run(&l, SIP_CHAR_TOKEN);
    return token->n && take_params(&l, params) ? 0 : FE_ESYNTAX;
}

int sip_media_type_parse(struct span value, struct sip_media_type *out)
{
    struct sip_lex l = sip_lex_on(value);
    *out = (struct sip_media_type){0};
    out->type = sip_lex_run(&l, SIP_CHAR_TOKEN);
    if (out->type.n == 0 || !sip_lex_mark(&l, '/'))
        return FE_ESYNTAX;
    out->subtype = sip_lex_run(&l, SIP_CHAR_TOKEN);
    return out->subtype.n && take_params(&l, &out->params) ? 0 : FE_ESYNTAX;
}

bool sip_body_is(const struct sip_msg *m, const char *type, const char *subtype)
{
    struct sip_media_type found;
    if (m->body.n == 0 || sip_media_type_parse(sip_value(m, SIP_H_CONTENT_TYPE), &found))
        return false;
    return span_equal_nocase(found.type, span_of(type)) && span_equal_nocase(found.subtype, span_of(subtype));
}

int sip_unfold(struct span value, char *dst, size_t cap)
{
    struct sip_lex l = sip_lex_on(value);
    size_t n = 0;
    while (!sip_lex_end(&l) && n + 1 < cap) {
        bool fold = *l.p == '\r';
        dst[n++] = fold ? ' ' : *l.p++;
        if (fold) {
            const char *before = l.p;
            sip_lex_blanks(&l);
            l.p += l.p == before;
        }
    }
    if (cap)
        dst[sip_lex_end(&l) ? n : 0] = '\0';
    return sip_lex_end(&l) && n < cap ? 0 : FE_ERANGE;
}
