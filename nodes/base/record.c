#include "nodes/base/record.h"

#include "nodes/base/error.h"

#define TAIL 8 /* kept free for the mark of a cut text, a quote, the brace and NUL */

void record_begin(struct record *r, char *buf, size_t cap)
{
    r->text = text_on(buf, cap);
    text_char(&r->text, '{');
}

/* False when the key and a small value would not fit: the field is left out whole. */
static bool key_put(struct record *r, const char *key)
{
    struct text *t = &r->text;
    if (t->cut || t->n + strlen(key) + 64 + TAIL > t->cap)
        return false;
    if (t->n > 1)
        text_char(t, ',');
    text_char(t, '"');
    text_str(t, key);
    text_str(t, "\":");
    return true;
}

void record_text(struct record *r, const char *key, struct span value)
{
    struct text *t = &r->text;
    if (!key_put(r, key))
        return;
    text_char(t, '"');
    struct text room = *t;
    room.cap -= TAIL;
    text_json(&room, value);
    t->n = room.n;
    t->p[t->n] = '\0';
    if (room.cut)
        text_str(t, "…");
    text_char(t, '"');
}

void record_str(struct record *r, const char *key, const char *value)
{
    if (value)
        record_text(r, key, span_of(value));
}

void record_u64(struct record *r, const char *key, uint64_t value)
{
    if (key_put(r, key))
        text_u64(&r->text, value);
}

void record_i64(struct record *r, const char *key, int64_t value)
{
    if (key_put(r, key))
        text_i64(&r->text, value);
}

void record_bool(struct record *r, const char *key, bool value)
{
    if (key_put(r, key))
        text_str(&r->text, value ? "true" : "false");
}

void record_addr(struct record *r, const char *key, ipv4 value)
{
    char buf[ENDPOINT_TEXT];
    record_str(r, key, addr_text(value, buf));
}

void record_endpoint(struct record *r, const char *key, struct endpoint value)
{
    char buf[ENDPOINT_TEXT];
    record_str(r, key, endpoint_text(value, buf));
}

void record_fixed(struct record *r, const char *key, int64_t value, unsigned places)
{
    if (key_put(r, key))
        text_fixed(&r->text, value, places);
}

struct span record_end(struct record *r)
{
    text_char(&r->text, '}');
    return text_span(&r->text);
}

/* The end of the string that starts at `at` (just after its quote): the index of the closing quote, or n. A quote
 * without a backslash before it closes; only behind one is it to be counted which escapes which. */
static size_t string_end(struct span line, size_t at)
{
    const char *quote = at < line.n ? memchr(line.p + at, '"', line.n - at) : NULL;
    if (!quote)
        return line.n;
    if (quote == line.p + at || quote[-1] != '\\')
        return (size_t)(quote - line.p);
    while (at < line.n && line.p[at] != '"')
        at += line.p[at] == '\\' ? 2 : 1;
    return at < line.n ? at : line.n;
}

bool record_next(struct span line, size_t *at, struct span *key, struct span *raw)
{
    size_t i = *at;
    if (i >= line.n || (line.p[i] != '{' && line.p[i] != ',') || i + 1 >= line.n || line.p[i + 1] != '"')
        return false;
    size_t end = string_end(line, i + 2);
    *key = (struct span){line.p + i + 2, end - i - 2};
    i = end + 1;
    if (i + 1 >= line.n || line.p[i] != ':')
        return false;
    i++;
    if (line.p[i] == '"') {
        end = string_end(line, i + 1);
        *raw = (struct span){line.p + i + 1, end - i - 1};
        end++;
    } else {
        for (end = i; end < line.n && line.p[end] != ',' && line.p[end] != '}'; end++)
            ;
        *raw = (struct span){line.p + i, end - i};
    }
    *at = end;
    return end < line.n;
}

bool record_get(struct span line, const char *key, struct span *raw)
{
    size_t at = 0;
    struct span wanted = span_of(key);
    struct span name;
    while (record_next(line, &at, &name, raw))
        if (span_equal(name, wanted))
            return true;
    return false;
}

bool record_get_i64(struct span line, const char *key, int64_t *out)
{
    struct span raw;
    uint64_t value;
    if (!record_get(line, key, &raw) || raw.n == 0)
        return false;
    bool negative = raw.p[0] == '-';
    if (negative) {
        raw.p++;
        raw.n--;
    }
    if (span_u64(raw, INT64_MAX, &value))
        return false;
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

bool record_is(struct span line, const char *key, const char *value)
{
    struct span raw;
    return record_get(line, key, &raw) && span_is(raw, value);
}
