#include "nodes/base/units.h"

#include "nodes/base/error.h"

struct unit {
    const char *name;
    uint64_t scale;
};

/* number × scale exactly; the number may have a fraction as long as the product is whole. */
static int scaled(struct span number, uint64_t scale, uint64_t *out)
{
    struct span fraction;
    struct span whole = span_cut(number, '.', &fraction);
    uint64_t value;
    int error = span_u64(whole, INT64_MAX / scale, &value);
    if (error)
        return error;
    value *= scale;
    if (fraction.n == 0 && fraction.p)
        return FE_ESYNTAX;
    for (size_t i = 0; i < fraction.n; i++) {
        if (fraction.p[i] < '0' || fraction.p[i] > '9')
            return FE_ESYNTAX;
        uint64_t digit = (uint64_t)(fraction.p[i] - '0');
        if (digit && scale % 10)
            return FE_ERANGE;
        scale /= 10;
        value += digit * scale;
    }
    if (value > INT64_MAX)
        return FE_ERANGE;
    *out = value;
    return 0;
}

static int with_unit(struct span s, const struct unit *units, uint64_t *out)
{
    size_t digits = 0;
    while (digits < s.n && ((s.p[digits] >= '0' && s.p[digits] <= '9') || s.p[digits] == '.'))
        digits++;
    struct span number = {s.p, digits};
    struct span name = span_trim((struct span){s.p + digits, s.n - digits});
    if (digits == 0)
        return FE_ESYNTAX;
    if (name.n == 0 && span_is(number, "0")) {
        *out = 0;
        return 0;
    }
    for (; units->name; units++)
        if (span_is(name, units->name))
            return scaled(number, units->scale, out);
    return FE_ESYNTAX;
}

int units_time(struct span s, lab_time *out)
{
    static const struct unit units[] = {{"ns", NS},      {"us", US},  {"ms", MS},       {"s", SEC},
                                        {"min", MINUTE}, {"h", HOUR}, {"d", 24 * HOUR}, {0}};
    uint64_t value;
    if (span_is(s, "never")) {
        *out = NEVER;
        return 0;
    }
    int error = with_unit(s, units, &value);
    if (!error)
        *out = (lab_time)value;
    return error;
}

int units_ratio(struct span s, uint32_t *ppm)
{
    static const struct unit units[] = {{"%", 10000}, {"ppm", 1}, {0}};
    uint64_t value;
    int error = with_unit(s, units, &value);
    if (error)
        return error;
    if (value > 1000000)
        return FE_ERANGE;
    *ppm = (uint32_t)value;
    return 0;
}

int units_rate(struct span s, uint64_t *bits)
{
    static const struct unit units[] = {
        {"bit/s", 1}, {"kbit/s", 1000}, {"Mbit/s", 1000000}, {"Gbit/s", 1000000000}, {0}};
    return with_unit(s, units, bits);
}

int units_size(struct span s, uint64_t *bytes)
{
    static const struct unit units[] = {{"B", 1}, {"kB", 1000}, {"MB", 1000000}, {"KiB", 1024}, {"MiB", 1048576}, {0}};
    return with_unit(s, units, bytes);
}

int units_flag(struct span s, bool *out)
{
    if (span_is(s, "yes") || span_is(s, "on") || span_is(s, "true"))
        *out = true;
    else if (span_is(s, "no") || span_is(s, "off") || span_is(s, "false"))
        *out = false;
    else
        return FE_ESYNTAX;
    return 0;
}

int units_fixed(struct span s, unsigned places, int64_t *out)
{
    uint64_t scale = 1;
    uint64_t value;
    bool negative = s.n && s.p[0] == '-';
    while (places--)
        scale *= 10;
    if (negative) {
        s.p++;
        s.n--;
    }
    int error = scaled(s, scale, &value);
    if (!error)
        *out = negative ? -(int64_t)value : (int64_t)value;
    return error;
}
