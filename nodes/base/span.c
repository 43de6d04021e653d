#include "nodes/base/span.h"

#include "nodes/base/error.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool span_equal_nocase(struct span a, struct span b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool span_starts(struct span s, struct span prefix)
{
    return s.n >= prefix.n && span_equal((struct span){s.p, prefix.n}, prefix);
}

struct span span_trim(struct span s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

struct span span_cut(struct span s, char c, struct span *rest)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    if (!at) {
        *rest = (struct span){NULL, 0};
        return s;
    }
    size_t head = (size_t)(at - s.p);
    *rest = (struct span){at + 1, s.n - head - 1};
    return (struct span){s.p, head};
}

int span_u64(struct span s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (s.n == 0)
        return FE_ESYNTAX;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return FE_ESYNTAX;
    }
    for (size_t i = 0; i < s.n; i++) {
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (value > (max - digit) / 10 && (value > max / 10 || value * 10 > max - digit))
            return FE_ERANGE;
        value = value * 10 + digit;
    }
    if (value > max)
        return FE_ERANGE;
    *out = value;
    return 0;
}

bool span_copy(struct span s, char *dst, size_t cap)
{
    if (cap == 0)
        return false;
    if (s.n >= cap) {
        dst[0] = '\0';
        return false;
    }
    if (s.n)
        memcpy(dst, s.p, s.n);
    dst[s.n] = '\0';
    return true;
}

uint64_t span_hash(struct span s)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < s.n; i++)
        hash = (hash ^ (uint8_t)s.p[i]) * 1099511628211u;
    return hash;
}

bool span_contains(struct span s, struct span part)
{
    for (size_t i = 0; i + part.n <= s.n; i++)
        if (span_starts(span_make(s.p + i, s.n - i), part))
            return true;
    return false;
}
