/* The lexical rules of RFC 3261 §25.1, shared by the SIP codecs; not for use outside nodes/proto.
 * A struct sip_lex walks over one header value. Framing has made sure that CR and LF occur in it only as folds. */
#ifndef FAREND_PROTO_SIP_LEX_H
#define FAREND_PROTO_SIP_LEX_H

#include "nodes/base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum sip_char {
    SIP_CHAR_TOKEN = 1 << 0,      /* token */
    SIP_CHAR_WORD = 1 << 1,       /* word: Call-ID */
    SIP_CHAR_HOST = 1 << 2,       /* hostname and IPv4address */
    SIP_CHAR_UNRESERVED = 1 << 3, /* unreserved */
    SIP_CHAR_USER = 1 << 4,       /* unreserved / user-unreserved */
    SIP_CHAR_PASSWORD = 1 << 5,   /* unreserved and "&=+$," */
    SIP_CHAR_PARAM = 1 << 6,      /* paramchar */
    SIP_CHAR_URIC = 1 << 7,       /* reserved / unreserved */
    SIP_ENDS_QUOTED = 1 << 8,     /* not plain text of a quoted string: controls, quote, backslash */
    SIP_ENDS_BRACKETED = 1 << 9,  /* not in <>: controls, blanks, angle brackets, quote */
    SIP_ENDS_BARE = 1 << 10,      /* not in a URI without <>: those, semicolon, comma, question mark (§20.10) */
};

extern const uint16_t sip_chars[256];

static inline bool sip_char_is(char c, enum sip_char class)
{
    return (sip_chars[(uint8_t)c] & class) != 0;
}

static inline bool sip_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool sip_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The bytes from p to end. */
static inline struct span sip_between(const char *p, const char *end)
{
    return (struct span){p, (size_t)(end - p)};
}

/* Is it this name, in any case? The length is compared first, and in place: most names differ in it. */
#define SIP_IS(s, literal) span_alike((s), SPAN(literal))

struct sip_lex {
    const char *p, *end;
};

/* A header that is not there (p == NULL) is walked as an empty one. */
static inline struct sip_lex sip_lex_on(struct span s)
{
    const char *p = s.p ? s.p : "";
    return (struct sip_lex){p, p + s.n};
}

static inline bool sip_lex_end(const struct sip_lex *l)
{
    return l->p == l->end;
}

static inline struct span sip_lex_rest(const struct sip_lex *l)
{
    return sip_between(l->p, l->end);
}

/* LWS (optional): blanks and folds. */
static inline void sip_lex_blanks(struct sip_lex *l)
{
    while (l->p < l->end) {
        if (sip_is_blank(*l->p))
            l->p++;
        else if (*l->p == '\r' && l->end - l->p > 2 && l->p[1] == '\n' && sip_is_blank(l->p[2]))
            l->p += 3;
        else
            return;
    }
}

/* Moves on to `to`; the bytes passed over. Loops walk with a pointer of their own, which stays in a register. */
static inline struct span sip_lex_take(struct sip_lex *l, const char *to)
{
    struct span taken = sip_between(l->p, to);
    l->p = to;
    return taken;
}

/* The longest run of characters of this class; may be empty. */
static inline struct span sip_lex_run(struct sip_lex *l, enum sip_char class)
{
    const char *p = l->p;
    const char *end = l->end;
    while (p < end && sip_char_is(*p, class))
        p++;
    return sip_lex_take(l, p);
}

/* Everything before the next character of this class, or before the end. */
static inline struct span sip_lex_until(struct sip_lex *l, enum sip_char class)
{
    const char *p = l->p;
    const char *end = l->end;
    while (p < end && !sip_char_is(*p, class))
        p++;
    return sip_lex_take(l, p);
}

/* The longest run of digits; may be empty. */
static inline struct span sip_lex_digits(struct sip_lex *l)
{
    const char *p = l->p;
    const char *end = l->end;
    while (p < end && sip_is_digit(*p))
        p++;
    return sip_lex_take(l, p);
}

/* Exactly this character; nothing is skipped. */
static inline bool sip_lex_char(struct sip_lex *l, char c)
{
    if (l->p == l->end || *l->p != c)
        return false;
    l->p++;
    return true;
}

/* SEMI, COMMA, EQUAL, SLASH, COLON …: the character with LWS around it. */
static inline bool sip_lex_mark(struct sip_lex *l, char c)
{
    sip_lex_blanks(l);
    if (!sip_lex_char(l, c))
        return false;
    sip_lex_blanks(l);
    return true;
}

/* quoted-string; *inside receives what stands between the quotes, escapes kept. */
bool sip_lex_quoted(struct sip_lex *l, struct span *inside);

/* comment: parentheses that nest (§20.35). */
bool sip_lex_comment(struct sip_lex *l);

/* hostname, IPv4address or IPv6reference (with its brackets); not empty. */
bool sip_lex_host(struct sip_lex *l, struct span *host);

/* port, 1 to 65535. FE_ESYNTAX: no digits; FE_ERANGE. */
int sip_lex_port(struct sip_lex *l, uint16_t *port);

static inline bool sip_is_blank_or_end(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* s without LWS at its ends. */
static inline struct span sip_lex_trim(struct span s)
{
    struct sip_lex l = sip_lex_on(s);
    sip_lex_blanks(&l);
    while (l.end > l.p && sip_is_blank_or_end(l.end[-1]))
        l.end--;
    return sip_lex_rest(&l);
}

#endif
