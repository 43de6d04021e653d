#include "nodes/base/text.h"

void text_put(struct text *t, struct span s)
{
    if (t->cut || s.n >= t->cap - t->n) {
        t->cut = true;
        return;
    }
    if (s.n)
        memcpy(t->p + t->n, s.p, s.n);
    t->n += s.n;
    t->p[t->n] = '\0';
}

void text_str(struct text *t, const char *s)
{
    text_put(t, span_of(s));
}

void text_char(struct text *t, char c)
{
    text_put(t, (struct span){&c, 1});
}

void text_u64(struct text *t, uint64_t v)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    text_put(t, (struct span){digits + at, sizeof digits - at});
}

void text_i64(struct text *t, int64_t v)
{
    if (v < 0)
        text_char(t, '-');
    text_u64(t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void text_hex(struct text *t, const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < n; i++) {
        char pair[2] = {"0123456789abcdef"[b[i] >> 4], "0123456789abcdef"[b[i] & 15]};
        text_put(t, (struct span){pair, 2});
    }
}

void text_addr(struct text *t, ipv4 addr)
{
    char buf[ENDPOINT_TEXT];
    text_str(t, addr_text(addr, buf));
}

void text_endpoint(struct text *t, struct endpoint e)
{
    char buf[ENDPOINT_TEXT];
    text_str(t, endpoint_text(e, buf));
}

void text_fixed(struct text *t, int64_t value, unsigned places)
{
    uint64_t scale = 1;
    for (unsigned i = 0; i < places; i++)
        scale *= 10;
    uint64_t whole = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (value < 0)
        text_char(t, '-');
    text_u64(t, whole / scale);
    if (places)
        text_char(t, '.');
    for (uint64_t rest = whole % scale; places; places--, rest %= scale) {
        scale /= 10;
        text_char(t, (char)('0' + rest / scale));
    }
}

/* The length of the well-formed UTF-8 sequence at p (RFC 3629 §4), 0 when there is none. */
static size_t utf8_length(const uint8_t *p, size_t n)
{
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t more;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        more = 1;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        more = 2;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        more = 3;
    else
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0; /* overlong */
    if (p[0] == 0xed)
        high = 0x9f; /* surrogates */
    if (p[0] == 0xf0)
        low = 0x90;
    if (p[0] == 0xf4)
        high = 0x8f; /* above U+10FFFF */
    if (n <= more || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i <= more; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    return more + 1;
}

static void json_escape(struct text *t, uint8_t c)
{
    switch (c) {
    case '"': text_str(t, "\\\""); break;
    case '\\': text_str(t, "\\\\"); break;
    case '\n': text_str(t, "\\n"); break;
    case '\r': text_str(t, "\\r"); break;
    case '\t': text_str(t, "\\t"); break;
    default: text_str(t, "\\u00"); text_hex(t, &c, 1);
    }
}

void text_json(struct text *t, struct span s)
{
    const uint8_t *p = (const uint8_t *)s.p;
    for (size_t i = 0; i < s.n;) {
        size_t length = utf8_length(p + i, s.n - i);
        if (length == 0 || p[i] < 0x20 || p[i] == '"' || p[i] == '\\' || p[i] == 0x7f) {
            json_escape(t, p[i]);
            i++;
        } else {
            text_put(t, (struct span){s.p + i, length});
            i += length;
        }
    }
}
