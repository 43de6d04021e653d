#include "nodes/proto/dns_name.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"

/* ---- text ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One character of a label, escaped or not (RFC 1035 §5.1): takes it off *text. */
static int char_take(struct span *text, uint8_t *out)
{
    const char *p = text->p;
    size_t n = 1;
    unsigned value = (uint8_t)p[0];
    if (p[0] == '\\' && text->n >= 4 && is_digit(p[1]) && is_digit(p[2]) && is_digit(p[3])) {
        value = (unsigned)((p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0'));
        n = 4;
    } else if (p[0] == '\\' && text->n >= 2 && !is_digit(p[1])) {
        value = (uint8_t)p[1];
        n = 2;
    } else if (p[0] == '\\') {
        return FE_ESYNTAX;
    }
    if (value > 255)
        return FE_ESYNTAX;
    *out = (uint8_t)value;
    *text = (struct span){p + n, text->n - n};
    return 0;
}

/* One label and the dot behind it. */
static int label_take(struct span *text, struct dns_name *name)
{
    size_t length_at = name->n;
    size_t n = 0;
    while (text->n && text->p[0] != '.') {
        uint8_t c;
        int error = char_take(text, &c);
        if (error)
            return error;
        if (n == DNS_LABEL_MAX || length_at + 1 + n >= DNS_NAME_MAX - 1)
            return FE_ERANGE;
        name->wire[length_at + 1 + n++] = c;
    }
    if (n == 0)
        return FE_ESYNTAX;
    name->wire[length_at] = (uint8_t)n;
    name->n = (uint8_t)(length_at + 1 + n);
    if (text->n)
        *text = (struct span){text->p + 1, text->n - 1};
    return 0;
}

int dns_name_parse(struct span text, struct dns_name *out)
{
    struct dns_name name = {0};
    if (text.n == 0)
        return FE_ESYNTAX;
    if (span_is(text, "."))
        text.n = 0;
    while (text.n) {
        int error = label_take(&text, &name);
        if (error)
            return error;
    }
    name.wire[name.n++] = 0;
    *out = name;
    return 0;
}

static void char_text(struct text *t, uint8_t c)
{
    if (c == '.' || c == '\\') {
        text_char(t, '\\');
        text_char(t, (char)c);
    } else if (c > ' ' && c < 127) {
        text_char(t, (char)c);
    } else {
        text_char(t, '\\');
        text_char(t, (char)('0' + c / 100));
        text_char(t, (char)('0' + c / 10 % 10));
        text_char(t, (char)('0' + c % 10));
    }
}

void dns_name_text(struct text *t, const struct dns_name *name)
{
    if (name->n == 1)
        text_char(t, '.');
    for (size_t at = 0; at < name->n && name->wire[at];) {
        size_t end = at + 1 + name->wire[at];
        if (at)
            text_char(t, '.');
        for (at++; at < end; at++)
            char_text(t, name->wire[at]);
    }
}

/* ---- comparing: lengths are at most 63 and so no letters, and the case of the whole can be ignored at once ---- */

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return span_alike(span_make(a->wire, a->n), span_make(b->wire, b->n));
}

unsigned dns_name_labels(const struct dns_name *name)
{
    unsigned labels = 0;
    for (size_t at = 0; at < name->n && name->wire[at]; at += 1u + name->wire[at])
        labels++;
    return labels;
}

void dns_name_tail(const struct dns_name *name, unsigned labels, struct dns_name *out)
{
    size_t at = 0;
    for (unsigned more = dns_name_labels(name); more > labels; more--)
        at += 1u + name->wire[at];
    struct dns_name tail = {.n = (uint8_t)(name->n - at)};
    memcpy(tail.wire, name->wire + at, tail.n);
    *out = tail;
}

bool dns_name_within(const struct dns_name *name, const struct dns_name *zone)
{
    struct dns_name tail;
    dns_name_tail(name, dns_name_labels(zone), &tail);
    return name->n && dns_name_equal(&tail, zone);
}

int dns_name_below(struct span prefix, const struct dns_name *name, struct dns_name *out)
{
    struct dns_name whole;
    int error = dns_name_parse(prefix, &whole);
    if (error)
        return error;
    size_t labels = whole.n - 1u;
    if (labels + name->n > DNS_NAME_MAX)
        return FE_ERANGE;
    memcpy(whole.wire + labels, name->wire, name->n);
    whole.n = (uint8_t)(labels + name->n);
    *out = whole;
    return 0;
}

/* ---- from a message ---- */

enum { POINTER = 0xc0, KIND = 0xc0 };

/* One label or the root at `at`; *at moves behind it. FE_ESYNTAX: too long in all. */
static int label_read(struct span message, size_t *at, struct dns_name *name)
{
    const uint8_t *p = (const uint8_t *)message.p + *at;
    size_t n = 1u + p[0];
    if (n > message.n - *at)
        return FE_ESHORT;
    if (name->n + n > DNS_NAME_MAX || (p[0] && name->n + n == DNS_NAME_MAX))
        return FE_ESYNTAX;
    memcpy(name->wire + name->n, p, n);
    name->n = (uint8_t)(name->n + n);
    *at += n;
    return 0;
}

int dns_name_read(struct span message, size_t *at, struct dns_name *out)
{
    const uint8_t *p = (const uint8_t *)message.p;
    struct dns_name name = {0};
    size_t here = *at;
    size_t run = here; /* where the labels began that are being read */
    size_t end = 0;    /* behind the first pointer */
    for (;;) {
        if (here >= message.n)
            return FE_ESHORT;
        if ((p[here] & KIND) == POINTER) {
            if (message.n - here < 2)
                return FE_ESHORT;
            size_t to = get16(p + here) & 0x3fffu;
            if (to >= run)
                return FE_ESYNTAX;
            end = end ? end : here + 2;
            here = run = to;
        } else if (p[here] & KIND) {
            return FE_ESYNTAX;
        } else {
            bool root = p[here] == 0;
            int error = label_read(message, &here, &name);
            if (error)
                return error;
            if (root)
                break;
        }
    }
    *at = end ? end : here;
    *out = name;
    return 0;
}
