#include "nodes/proto/sip_lex.h"

#include "nodes/base/error.h"

#define UNRESERVED (SIP_CHAR_UNRESERVED | SIP_CHAR_USER | SIP_CHAR_PASSWORD | SIP_CHAR_PARAM | SIP_CHAR_URIC)
#define TOKEN      (SIP_CHAR_TOKEN | SIP_CHAR_WORD)
#define ALNUM      (UNRESERVED | TOKEN | SIP_CHAR_HOST)

#define IN_NONE             (SIP_ENDS_QUOTED | SIP_ENDS_BRACKETED | SIP_ENDS_BARE)
#define CONTROLS4(a)        [a] = IN_NONE, [(a) + 1] = IN_NONE, [(a) + 2] = IN_NONE, [(a) + 3] = IN_NONE
#define ROW5(a, b, c, d, e) [a] = ALNUM, [b] = ALNUM, [c] = ALNUM, [d] = ALNUM, [e] = ALNUM

/* One row a line of the grammar: which classes the character is in. */
const uint16_t sip_chars[256] = {
    CONTROLS4(0),
    CONTROLS4(4),
    CONTROLS4(8),
    CONTROLS4(12),
    CONTROLS4(16),
    CONTROLS4(20),
    CONTROLS4(24),
    CONTROLS4(28),
    [' '] = SIP_ENDS_BRACKETED | SIP_ENDS_BARE,
    [0x7f] = IN_NONE,
    ROW5('0', '1', '2', '3', '4'),
    ROW5('5', '6', '7', '8', '9'),
    ROW5('A', 'B', 'C', 'D', 'E'),
    ROW5('F', 'G', 'H', 'I', 'J'),
    ROW5('K', 'L', 'M', 'N', 'O'),
    ROW5('P', 'Q', 'R', 'S', 'T'),
    ROW5('U', 'V', 'W', 'X', 'Y'),
    ['Z'] = ALNUM,
    ROW5('a', 'b', 'c', 'd', 'e'),
    ROW5('f', 'g', 'h', 'i', 'j'),
    ROW5('k', 'l', 'm', 'n', 'o'),
    ROW5('p', 'q', 'r', 's', 't'),
    ROW5('u', 'v', 'w', 'x', 'y'),
    ['z'] = ALNUM,
    /* mark */
    ['-'] = UNRESERVED | TOKEN | SIP_CHAR_HOST,
    ['.'] = UNRESERVED | TOKEN | SIP_CHAR_HOST,
    ['_'] = UNRESERVED | TOKEN,
    ['!'] = UNRESERVED | TOKEN,
    ['~'] = UNRESERVED | TOKEN,
    ['*'] = UNRESERVED | TOKEN,
    ['\''] = UNRESERVED | TOKEN,
    ['('] = UNRESERVED | SIP_CHAR_WORD,
    [')'] = UNRESERVED | SIP_CHAR_WORD,
    /* reserved */
    [';'] = SIP_CHAR_USER | SIP_CHAR_URIC | SIP_ENDS_BARE,
    ['/'] = SIP_CHAR_USER | SIP_CHAR_PARAM | SIP_CHAR_URIC | SIP_CHAR_WORD,
    ['?'] = SIP_CHAR_USER | SIP_CHAR_URIC | SIP_CHAR_WORD | SIP_ENDS_BARE,
    [':'] = SIP_CHAR_PARAM | SIP_CHAR_URIC | SIP_CHAR_WORD,
    ['@'] = SIP_CHAR_URIC,
    ['&'] = SIP_CHAR_USER | SIP_CHAR_PASSWORD | SIP_CHAR_PARAM | SIP_CHAR_URIC,
    ['='] = SIP_CHAR_USER | SIP_CHAR_PASSWORD | SIP_CHAR_URIC,
    ['+'] = SIP_CHAR_USER | SIP_CHAR_PASSWORD | SIP_CHAR_PARAM | SIP_CHAR_URIC | TOKEN,
    ['$'] = SIP_CHAR_USER | SIP_CHAR_PASSWORD | SIP_CHAR_PARAM | SIP_CHAR_URIC,
    [','] = SIP_CHAR_USER | SIP_CHAR_PASSWORD | SIP_CHAR_URIC | SIP_ENDS_BARE,
    /* the others of token, word and paramchar */
    ['%'] = TOKEN,
    ['`'] = TOKEN,
    ['<'] = SIP_CHAR_WORD | SIP_ENDS_BRACKETED | SIP_ENDS_BARE,
    ['>'] = SIP_CHAR_WORD | SIP_ENDS_BRACKETED | SIP_ENDS_BARE,
    ['\\'] = SIP_CHAR_WORD | SIP_ENDS_QUOTED,
    ['"'] = SIP_CHAR_WORD | IN_NONE,
    ['['] = SIP_CHAR_WORD | SIP_CHAR_PARAM,
    [']'] = SIP_CHAR_WORD | SIP_CHAR_PARAM,
    ['{'] = SIP_CHAR_WORD,
    ['}'] = SIP_CHAR_WORD,
};

/* One character of a quoted string or comment at l->p: an escaped one, a fold, or text. false: not allowed there. */
static bool skip_text(struct sip_lex *l)
{
    unsigned char c = (unsigned char)*l->p;
    if (c == '\\') {
        if (l->end - l->p < 2 || (unsigned char)l->p[1] > 0x7f || l->p[1] == '\r' || l->p[1] == '\n')
            return false;
        l->p += 2;
        return true;
    }
    if (c == '\r') {
        const char *before = l->p;
        sip_lex_blanks(l);
        return l->p > before;
    }
    l->p++;
    return c == '\t' || (c >= ' ' && c != 0x7f);
}

bool sip_lex_quoted(struct sip_lex *l, struct span *inside)
{
    if (!sip_lex_char(l, '"'))
        return false;
    const char *start = l->p;
    for (;;) {
        sip_lex_until(l, SIP_ENDS_QUOTED);
        if (sip_lex_end(l))
            return false;
        if (*l->p == '"') {
            *inside = sip_between(start, l->p++);
            return true;
        }
        if (!skip_text(l))
            return false;
    }
}

bool sip_lex_comment(struct sip_lex *l)
{
    unsigned depth = 0;
    if (l->p == l->end || *l->p != '(')
        return false;
    while (l->p < l->end) {
        char c = *l->p;
        if (!skip_text(l))
            return false;
        if (c == '(')
            depth++;
        if (c == ')' && --depth == 0)
            return true;
    }
    return false;
}

static bool skip_ipv6(struct sip_lex *l)
{
    size_t colons = 0;
    for (l->p++; l->p < l->end && *l->p != ']'; l->p++) {
        char c = (char)(*l->p | 0x20);
        if (*l->p == ':')
            colons++;
        else if (!sip_is_digit(*l->p) && *l->p != '.' && (c < 'a' || c > 'f'))
            return false;
    }
    return colons >= 2 && sip_lex_char(l, ']');
}

bool sip_lex_host(struct sip_lex *l, struct span *host)
{
    const char *start = l->p;
    if (l->p < l->end && *l->p == '[') {
        if (!skip_ipv6(l))
            return false;
        *host = sip_between(start, l->p);
        return true;
    }
    *host = sip_lex_run(l, SIP_CHAR_HOST);
    return host->n > 0;
}

int sip_lex_port(struct sip_lex *l, uint16_t *port)
{
    struct span digits = sip_lex_digits(l);
    uint32_t value = 0;
    if (digits.n == 0)
        return FE_ESYNTAX;
    for (size_t i = 0; i < digits.n && value <= UINT16_MAX; i++)
        value = value * 10 + (uint32_t)(digits.p[i] - '0');
    if (value == 0 || value > UINT16_MAX)
        return FE_ERANGE;
    *port = (uint16_t)value;
    return 0;
}
