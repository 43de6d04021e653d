#include "nodes/proto/digest.h"

#include "nodes/proto/sip_lex.h"
#include "nodes/proto/sip_msg.h"

#include <assert.h>

/* ---- reading: "Digest" 1*( name EQUAL ( token / quoted-string ) ) separated by commas ---- */

/* Takes "Digest" off the value. FE_EUNKNOWN: another scheme. */
static int take_scheme(struct sip_lex *l)
{
    struct span scheme = sip_lex_run(l, SIP_CHAR_TOKEN);
    if (scheme.n == 0)
        return FE_ESYNTAX;
    if (!span_equal_nocase(scheme, SPAN("Digest")))
        return FE_EUNKNOWN;
    const char *before = l->p;
    sip_lex_blanks(l);
    return l->p > before ? 0 : FE_ESYNTAX;
}

/* Takes one parameter and the comma behind it. 1: got it; 0: the end; FE_ESYNTAX. */
static int take_param(struct sip_lex *l, struct span *name, struct span *value)
{
    if (sip_lex_end(l))
        return 0;
    *name = sip_lex_run(l, SIP_CHAR_TOKEN);
    if (name->n == 0 || !sip_lex_mark(l, '='))
        return FE_ESYNTAX;
    if (!sip_lex_end(l) && *l->p == '"') {
        if (!sip_lex_quoted(l, value))
            return FE_ESYNTAX;
    } else {
        *value = sip_lex_run(l, SIP_CHAR_TOKEN);
        if (value->n == 0)
            return FE_ESYNTAX;
    }
    sip_lex_blanks(l);
    if (sip_lex_end(l))
        return 1;
    return sip_lex_mark(l, ',') && !sip_lex_end(l) ? 1 : FE_ESYNTAX;
}

static enum digest_algorithm algorithm_of(struct span name)
{
    if (span_equal_nocase(name, SPAN("MD5")))
        return DIGEST_MD5;
    if (span_equal_nocase(name, SPAN("MD5-sess")))
        return DIGEST_MD5_SESS;
    return DIGEST_UNKNOWN_ALGORITHM;
}

static struct span algorithm_name(enum digest_algorithm algorithm)
{
    assert(algorithm != DIGEST_UNKNOWN_ALGORITHM);
    return algorithm == DIGEST_MD5_SESS ? SPAN("MD5-sess") : SPAN("MD5");
}

/* A parameter of plain text, and where it goes; a second one with the same name is an error. */
struct field {
    const char *name;
    struct span *to;
};

/* 1: stored; 0: not among the fields; FE_ESYNTAX: there twice. */
static int store(const struct field *fields, size_t n, struct span name, struct span value)
{
    for (size_t i = 0; i < n; i++) {
        if (!span_equal_nocase(name, span_of(fields[i].name)))
            continue;
        if (fields[i].to->p)
            return FE_ESYNTAX;
        *fields[i].to = value;
        return 1;
    }
    return 0;
}

/* qop-options: "auth,auth-int" */
static bool offers_auth(struct span options)
{
    while (options.n)
        if (span_equal_nocase(span_trim(span_cut(options, ',', &options)), SPAN("auth")))
            return true;
    return false;
}

/* Reads all parameters of a value into the fields. */
static int read_fields(struct span value, const struct field *fields, size_t n)
{
    struct sip_lex l = sip_lex_on(value);
    struct span name;
    struct span text;
    int error = take_scheme(&l);
    int got;
    if (error)
        return error;
    while ((got = take_param(&l, &name, &text)) == 1)
        if (store(fields, n, name, text) < 0)
            return FE_ESYNTAX;
    return got;
}

int digest_challenge_parse(struct span value, struct digest_challenge *out)
{
    struct span algorithm = {0};
    struct span qop = {0};
    struct span stale = {0};
    *out = (struct digest_challenge){0};
    const struct field fields[] = {
        {"realm", &out->realm},    {"nonce", &out->nonce}, {"opaque", &out->opaque},
        {"algorithm", &algorithm}, {"qop", &qop},          {"stale", &stale},
    };
    int error = read_fields(value, fields, sizeof fields / sizeof *fields);
    if (error)
        return error;
    if (!out->realm.p || !out->nonce.p)
        return FE_ESYNTAX;
    out->algorithm_named = algorithm.p != NULL;
    out->algorithm = algorithm.p ? algorithm_of(algorithm) : DIGEST_MD5;
    out->has_qop = qop.p != NULL;
    out->qop_auth = offers_auth(qop);
    out->stale = span_equal_nocase(stale, SPAN("true"));
    return out->has_qop && !out->qop_auth ? FE_EUNKNOWN : 0;
}

/* nc = 8LHEX */
static int parse_nc(struct span s, uint32_t *out)
{
    uint32_t value = 0;
    if (s.n != 8)
        return FE_ESYNTAX;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        char letter = (char)(c | 0x20);
        if (!sip_is_digit(c) && (letter < 'a' || letter > 'f'))
            return FE_ESYNTAX;
        value = value << 4 | (uint32_t)(sip_is_digit(c) ? c - '0' : letter - 'a' + 10);
    }
    *out = value;
    return 0;
}

/* With qop there must be cnonce and nc (RFC 2617 §3.2.2). */
static int finish_credentials(struct digest_credentials *c, struct span qop)
{
    if (!c->username.p || !c->realm.p || !c->nonce.p || !c->uri.p || !c->response.p)
        return FE_ESYNTAX;
    if (!qop.p)
        return 0;
    c->has_qop = true;
    if (!span_equal_nocase(qop, SPAN("auth")))
        return FE_EUNKNOWN;
    return c->cnonce.p ? parse_nc(c->nc, &c->nc_value) : FE_ESYNTAX;
}

int digest_credentials_parse(struct span value, struct digest_credentials *out)
{
    struct span algorithm = {0};
    struct span qop = {0};
    *out = (struct digest_credentials){0};
    const struct field fields[] = {
        {"username", &out->username}, {"realm", &out->realm},
        {"nonce", &out->nonce},       {"uri", &out->uri},
        {"response", &out->response}, {"opaque", &out->opaque},
        {"cnonce", &out->cnonce},     {"nc", &out->nc},
        {"algorithm", &algorithm},    {"qop", &qop},
    };
    int error = read_fields(value, fields, sizeof fields / sizeof *fields);
    if (error)
        return error;
    out->algorithm_named = algorithm.p != NULL;
    out->algorithm = algorithm.p ? algorithm_of(algorithm) : DIGEST_MD5;
    return finish_credentials(out, qop);
}

/* ---- writing ---- */

static void put_quoted(struct text *t, const char *name, struct span value)
{
    text_str(t, name);
    text_str(t, "=\"");
    text_put(t, value);
    text_char(t, '"');
}

void digest_challenge_write(struct text *t, const struct digest_challenge *c)
{
    text_str(t, "Digest ");
    put_quoted(t, "realm", c->realm);
    put_quoted(t, ", nonce", c->nonce);
    if (c->opaque.p)
        put_quoted(t, ", opaque", c->opaque);
    if (c->stale)
        text_str(t, ", stale=TRUE");
    if (c->algorithm_named) {
        text_str(t, ", algorithm=");
        text_put(t, algorithm_name(c->algorithm));
    }
    if (c->qop_auth)
        text_str(t, ", qop=\"auth\"");
}

void digest_credentials_write(struct text *t, const struct digest_credentials *c)
{
    text_str(t, "Digest ");
    put_quoted(t, "username", c->username);
    put_quoted(t, ", realm", c->realm);
    put_quoted(t, ", nonce", c->nonce);
    put_quoted(t, ", uri", c->uri);
    put_quoted(t, ", response", c->response);
    if (c->algorithm_named) {
        text_str(t, ", algorithm=");
        text_put(t, algorithm_name(c->algorithm));
    }
    if (c->cnonce.p)
        put_quoted(t, ", cnonce", c->cnonce);
    if (c->opaque.p)
        put_quoted(t, ", opaque", c->opaque);
    if (c->has_qop) {
        text_str(t, ", qop=auth, nc=");
        text_put(t, c->nc);
    }
}

/* ---- computing ---- */

/* MD5 of the parts with colons between them, as hexadecimal digits. */
static void hash(char out[MD5_HEX], const struct span *parts, size_t n)
{
    struct md5 md5;
    md5_init(&md5);
    for (size_t i = 0; i < n; i++) {
        if (i)
            md5_add(&md5, SPAN(":"));
        md5_add(&md5, parts[i]);
    }
    md5_end_hex(&md5, out);
}

#define HASH(out, ...)                                                                                                 \
    hash(out, (const struct span[]){__VA_ARGS__}, sizeof((const struct span[]){__VA_ARGS__}) / sizeof(struct span))

void digest_response(const struct digest_credentials *c, struct span password, struct span method, char out[MD5_HEX])
{
    char a1[MD5_HEX];
    char a2[MD5_HEX];
    struct span ha1 = {a1, MD5_HEX - 1};
    struct span ha2 = {a2, MD5_HEX - 1};
    HASH(a1, c->username, c->realm, password);
    if (c->algorithm == DIGEST_MD5_SESS)
        HASH(a1, ha1, c->nonce, c->cnonce);
    HASH(a2, method, c->uri);
    if (c->has_qop)
        HASH(out, ha1, c->nonce, c->nc, c->cnonce, SPAN("auth"), ha2);
    else
        HASH(out, ha1, c->nonce, ha2);
}

bool digest_verify(const struct digest_credentials *c, struct span password, struct span method)
{
    char expected[MD5_HEX];
    if (c->algorithm == DIGEST_UNKNOWN_ALGORITHM)
        return false;
    digest_response(c, password, method, expected);
    return span_equal_nocase(c->response, (struct span){expected, MD5_HEX - 1});
}

static void write_nc(uint32_t nc, char digits[8])
{
    for (size_t i = 8; i-- > 0; nc >>= 4)
        digits[i] = "0123456789abcdef"[nc & 15];
}

int digest_answer(struct text *t, const struct digest_challenge *c, struct span username, struct span password,
                  struct span method, struct span uri, uint32_t nc, struct span cnonce)
{
    char digits[8];
    char response[MD5_HEX];
    if (c->algorithm == DIGEST_UNKNOWN_ALGORITHM || (c->has_qop && !c->qop_auth))
        return FE_EUNKNOWN;
    struct digest_credentials answer = {
        .username = username,
        .realm = c->realm,
        .nonce = c->nonce,
        .uri = uri,
        .opaque = c->opaque,
        .algorithm = c->algorithm,
        .algorithm_named = c->algorithm_named,
        .has_qop = c->has_qop,
        .nc_value = nc,
    };
    write_nc(nc, digits);
    if (c->has_qop)
        answer.nc = (struct span){digits, sizeof digits};
    if (c->has_qop || c->algorithm == DIGEST_MD5_SESS)
        answer.cnonce = cnonce;
    digest_response(&answer, password, method, response);
    answer.response = (struct span){response, MD5_HEX - 1};
    digest_credentials_write(t, &answer);
    return text_ok(t) ? 0 : FE_ERANGE;
}
