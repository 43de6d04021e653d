#include "nodes/base/option.h"

#include "nodes/base/error.h"
#include "nodes/base/nearest.h"
#include "nodes/base/units.h"

#include <assert.h>
#include <stdlib.h>

static int field_set(const struct option *o, void *field, struct span value);

/* ---- one value ---- */

static int count_set(const struct option *o, void *field, struct span value)
{
    uint64_t n;
    int error = span_u64(value, o->max ? (uint64_t)o->max : UINT32_MAX, &n);
    if (error)
        return error;
    if ((int64_t)n < o->min)
        return FE_ERANGE;
    *(uint32_t *)field = (uint32_t)n;
    return 0;
}

static int time_set(const struct option *o, void *field, struct span value)
{
    lab_time t;
    int error = units_time(value, &t);
    if (error)
        return error;
    if (t < o->min || (o->max && t > o->max))
        return FE_ERANGE;
    *(lab_time *)field = t;
    return 0;
}

static int choice_set(const struct option *o, void *field, struct span value)
{
    for (int i = 0; o->choices[i]; i++)
        if (span_is(value, o->choices[i])) {
            *(int *)field = i;
            return 0;
        }
    return FE_EUNKNOWN;
}

static int text_fits(const struct option *o, struct span value)
{
    return value.n >= o->size ? FE_ERANGE : o->check ? o->check(value) : 0;
}

static int text_set(const struct option *o, void *field, struct span value)
{
    int error = text_fits(o, value);
    if (!error)
        span_copy(value, field, o->size);
    return error;
}

static int ports_set(void *field, struct span value)
{
    struct span high_text;
    struct span low_text = span_cut(value, '-', &high_text);
    uint64_t low;
    uint64_t high;
    int error = span_u64(span_trim(low_text), 65535, &low);
    if (!error)
        error = span_u64(span_trim(high_text), 65535, &high);
    if (error)
        return error;
    if (low == 0 || low > high)
        return FE_ERANGE;
    *(struct port_range *)field = (struct port_range){(uint16_t)low, (uint16_t)high};
    return 0;
}

bool option_is_certificate(struct span value)
{
    return span_is(value, "none") || span_starts(value, SPAN("base64:")) || span_contains(value, SPAN("-----BEGIN "));
}

/* "none" and an empty text are none. */
static int certificate_set(char **field, struct span value)
{
    char *copy = NULL;
    if (value.n && !option_is_certificate(value))
        return FE_ESYNTAX;
    if (value.n && !span_is(value, "none")) {
        copy = malloc(value.n + 1);
        if (!copy)
            return FE_EMEM;
        span_copy(value, copy, value.n + 1);
    }
    free(*field);
    *field = copy;
    return 0;
}

static void default_set(const struct option *o, void *field)
{
    int error = o->def ? field_set(o, field, span_of(o->def)) : 0;
    assert(!error); /* a default is a valid value */
    (void)error;
}

static char *item_at(const struct option *o, const struct option_items *list, size_t i)
{
    return (char *)list->items + i * o->each_size;
}

/* A new element at the end, with its defaults; NULL without memory. There is room for the next power of two. */
static void *items_add(const struct option *o, struct option_items *list)
{
    if ((list->n & (list->n - 1)) == 0) {
        char *items = realloc(list->items, (list->n ? 2 * list->n : 1) * o->each_size);
        if (!items)
            return NULL;
        list->items = items;
    }
    char *element = item_at(o, list, list->n);
    memset(element, 0, o->each_size);
    for (const struct option *e = o->each; o->type == OPT_MAP && e->name;
         e++) /* a list has one option and no end mark */
        default_set(e, element + e->at);
    list->n++;
    return element;
}

static int list_add(const struct option *o, struct option_items *list, struct span value)
{
    char *element = items_add(o, list);
    if (!element)
        return FE_EMEM;
    int error = field_set(o->each, element + o->each->at, value);
    if (error)
        list->n--;
    return error;
}

/* ---- endpoints ---- */

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
}

/* "sip.example.com": a dot inside, and a letter at the last label's beginning, so that no mistyped address is one. */
static bool is_domain_name(struct span s)
{
    size_t last = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_name_character(s.p[i]))
            return false;
        if (s.p[i] == '.' && (i == 0 || s.p[i - 1] == '.'))
            return false;
        if (s.p[i] == '.' && i + 1 < s.n)
            last = i + 1;
    }
    return s.n < OPTION_HOST && last > 0 && (s.p[last] < '0' || s.p[last] > '9');
}

static int endpoint_set(const struct option *o, void *field, struct span value)
{
    char *host = o->host ? (char *)field - o->at + o->host : NULL;
    struct endpoint e;
    struct span port;
    struct span name = span_cut(value, ':', &port);
    uint64_t number = 0;
    int error = endpoint_parse(value, o->port, &e);
    if (error && host && is_domain_name(name) && (!port.p || span_u64(port, 65535, &number) == 0)) {
        *(struct endpoint *)field = (struct endpoint){0, (uint16_t)number};
        span_copy(name, host, OPTION_HOST);
        return 0;
    }
    if (error)
        return error;
    *(struct endpoint *)field = e;
    if (host)
        *host = '\0';
    return 0;
}

static int field_set(const struct option *o, void *field, struct span value)
{
    switch (o->type) {
    case OPT_FLAG: return units_flag(value, field);
    case OPT_COUNT: return count_set(o, field, value);
    case OPT_TIME: return time_set(o, field, value);
    case OPT_TEXT: return text_set(o, field, value);
    case OPT_ADDR: return addr_parse(value, field);
    case OPT_ENDPOINT: return endpoint_set(o, field, value);
    case OPT_SUBNET: return subnet_parse(value, field);
    case OPT_CHOICE: return choice_set(o, field, value);
    case OPT_RATIO: return units_ratio(value, field);
    case OPT_PORTS: return ports_set(field, value);
    case OPT_LIST: return list_add(o, field, value);
    case OPT_MAP: return FE_ESYNTAX;
    case OPT_CERTIFICATE: return certificate_set(field, value);
    }
    return FE_ESYNTAX;
}

/* ---- tables ---- */

void *options_new(const struct option *table, size_t size)
{
    char *settings = calloc(1, size);
    if (!settings)
        return NULL;
    for (const struct option *o = table; o->name; o++)
        default_set(o, settings + o->at);
    return settings;
}

static void fields_free(const struct option *table, void *fields);

static void items_free(const struct option *o, struct option_items *list)
{
    for (size_t i = 0; o->type == OPT_MAP && i < list->n; i++)
        fields_free(o->each, item_at(o, list, i));
    free(list->items);
    free(list->slots);
}

/* What the fields own. */
static void fields_free(const struct option *table, void *fields)
{
    for (const struct option *o = table; o->name; o++) {
        void *field = (char *)fields + o->at;
        if (o->type == OPT_LIST || o->type == OPT_MAP)
            items_free(o, field);
        else if (o->type == OPT_CERTIFICATE)
            free(*(char **)field);
    }
}

void options_free(const struct option *table, void *settings)
{
    if (!settings)
        return;
    fields_free(table, settings);
    free(settings);
}

static const struct option *by_name(const struct option *table, struct span name)
{
    for (const struct option *o = table; o->name; o++)
        if (o->name[0] && span_is(name, o->name))
            return o;
    return NULL;
}

/* The name of an element of a map, and in *rest the path inside it (p is NULL: there is none). */
static struct span element_cut(const struct option *map, struct span path, struct span *rest)
{
    size_t end = path.n;
    while (map->dotted && end > 0 && path.p[end - 1] != '.')
        end--;
    if (end == 0 || !map->dotted)
        return span_cut(path, '.', rest);
    *rest = (struct span){path.p + end, path.n - end};
    return (struct span){path.p, end - 1};
}

const struct option *options_find(const struct option *table, struct span path)
{
    struct span rest;
    const struct option *o = by_name(table, span_cut(path, '.', &rest));
    if (!o || !rest.p)
        return o;
    if (o->type != OPT_MAP)
        return NULL;
    element_cut(o, rest, &rest);
    return rest.p ? options_find(o->each, rest) : o;
}

const struct option *options_missing(const struct option *table, const void *settings)
{
    for (const struct option *o = table; o->name; o++) {
        const char *field = (const char *)settings + o->at;
        size_t i = 0;
        while (i < o->size && field[i] == 0)
            i++;
        bool named = o->host && ((const char *)settings)[o->host];
        if (o->needed && i == o->size && !named)
            return o;
    }
    return NULL;
}

const char *option_expects(const struct option *o)
{
    switch (o->type) {
    case OPT_FLAG: return "yes or no";
    case OPT_COUNT: return "a whole number";
    case OPT_TIME: return "a time with its unit, as 500ms, 30s or 1.5min";
    case OPT_TEXT: return o->expects ? o->expects : "a text";
    case OPT_ADDR: return "an IPv4 address";
    case OPT_ENDPOINT:
        if (o->host)
            return "an IPv4 address or a domain name, with or without a port, as 203.0.113.10:5060";
        return "an IPv4 address with or without a port, as 203.0.113.10:5060";
    case OPT_SUBNET: return "a subnet, as 192.168.1.0/24";
    case OPT_CHOICE: return "one of the words";
    case OPT_RATIO: return "a ratio, as 0.5% or 300ppm";
    case OPT_PORTS: return "a range of ports, as 10000-20000";
    case OPT_LIST: return "a list";
    case OPT_MAP: return "a mapping";
    case OPT_CERTIFICATE:
        return o->part == OPTION_KEY ? "a PEM file with a private key, or none"
                                     : "a PEM file with certificates, or none";
    }
    return "a value";
}

/* ---- errors ---- */

static void why_unknown(const struct option *table, struct span name, struct text *why)
{
    struct nearest best = {0};
    for (const struct option *o = table; o->name; o++)
        nearest_offer(&best, name, span_of(o->name));
    text_str(why, "there is no setting \"");
    text_put(why, name);
    text_str(why, "\"");
    if (best.name.n) {
        text_str(why, "; did you mean \"");
        text_put(why, best.name);
        text_str(why, "\"?");
    }
}

static void why_choice(const struct option *o, struct text *why)
{
    for (int i = 0; o->choices[i]; i++) {
        text_str(why, i == 0 ? " " : o->choices[i + 1] ? ", " : " or ");
        text_str(why, o->choices[i]);
    }
}

static void why_value(const struct option *o, struct span value, int error, struct text *why)
{
    text_str(why, o->name[0] ? o->name : "name");
    text_str(why, ": \"");
    if (o->type == OPT_LIST)
        o = o->each;
    text_put(why, value);
    text_str(why, error == FE_ERANGE ? "\" is out of range; expected " : "\" is not ");
    text_str(why, option_expects(o));
    if (o->type == OPT_CHOICE)
        why_choice(o, why);
    if (o->type == OPT_TEXT && error == FE_ERANGE && value.n >= o->size) {
        text_str(why, " of at most ");
        text_u64(why, o->size - 1);
        text_str(why, " bytes");
    }
    if (o->type == OPT_COUNT && (o->min || o->max)) {
        text_str(why, " from ");
        text_i64(why, o->min);
        if (o->max) {
            text_str(why, " to ");
            text_i64(why, o->max);
        }
    }
    if (o->type == OPT_TIME && error == FE_ERANGE && o->max) {
        text_str(why, ", from ");
        text_fixed(why, o->min / MS, 3);
        text_str(why, "s to ");
        text_fixed(why, o->max / MS, 3);
        text_str(why, "s");
    }
}

/* ---- paths ---- */

/* A PBX may have ten thousand lines: a map finds its elements by an open-addressed table of their numbers from 1. The
 * elements keep the order in which they were made; the order of the table is never seen. */
static uint32_t *map_slot(const struct option *o, const struct option_items *map, struct span name)
{
    size_t i = span_hash(name) & (map->slots_n - 1);
    while (map->slots[i] && !span_is(name, item_at(o, map, map->slots[i] - 1)))
        i = (i + 1) & (map->slots_n - 1);
    return &map->slots[i];
}

/* Makes the table at least twice as large as the map will be. FE_EMEM. */
static int map_reserve(const struct option *o, struct option_items *map, size_t n)
{
    if (2 * n <= map->slots_n)
        return 0;
    size_t slots_n = map->slots_n ? 2 * map->slots_n : 8;
    uint32_t *slots = calloc(slots_n, sizeof *slots);
    if (!slots || n > UINT32_MAX) {
        free(slots);
        return FE_EMEM;
    }
    free(map->slots);
    map->slots = slots;
    map->slots_n = slots_n;
    for (size_t i = 0; i < map->n; i++)
        *map_slot(o, map, span_of(item_at(o, map, i))) = (uint32_t)i + 1;
    return 0;
}

/* The element of this name, made when it is not there; NULL: `error` says why. */
static void *map_element(const struct option *o, struct option_items *map, struct span name, int *error)
{
    const struct option *key = o->each;
    assert(key->type == OPT_TEXT && key->at == 0 && key->name[0] == '\0');
    *error = name.n == 0 ? FE_ERANGE : text_fits(key, name);
    if (*error)
        return NULL;
    *error = map_reserve(o, map, map->n + 1);
    if (*error)
        return NULL;
    uint32_t *slot = map_slot(o, map, name);
    if (*slot)
        return item_at(o, map, *slot - 1);
    char *element = items_add(o, map);
    if (!element) {
        *error = FE_EMEM;
        return NULL;
    }
    span_copy(name, element, key->size);
    *slot = (uint32_t)map->n;
    return element;
}

/* Takes back the element that was made last. Nothing else was put into the table since, so no search passes its slot.
 */
static void map_forget_last(const struct option *o, struct option_items *map)
{
    char *element = item_at(o, map, map->n - 1);
    *map_slot(o, map, span_of(element)) = 0;
    fields_free(o->each, element);
    map->n--;
}

static int map_set(const struct option *o, struct option_items *map, struct span path, struct span value,
                   struct text *why)
{
    struct span rest;
    struct span name = element_cut(o, path, &rest);
    size_t before = map->n;
    int error = 0;
    void *element = map_element(o, map, name, &error);
    if (!element) {
        why_value(o->each, name, error, why);
        return error;
    }
    if (!rest.p)
        return 0; /* "lines.101" alone makes the element with its defaults */
    error = options_set(o->each, element, rest, value, why);
    if (error && map->n > before)
        map_forget_last(o, map);
    return error;
}

int options_set(const struct option *table, void *settings, struct span path, struct span value, struct text *why)
{
    struct text nowhere = text_on(NULL, 0);
    struct span rest;
    struct span name = span_cut(path, '.', &rest);
    const struct option *o = by_name(table, name);
    if (!why)
        why = &nowhere;
    if (!o || (rest.p && o->type != OPT_MAP)) {
        why_unknown(table, o ? path : name, why);
        return FE_EUNKNOWN;
    }
    char *field = (char *)settings + o->at;
    if (o->type == OPT_MAP && rest.p)
        return map_set(o, (struct option_items *)(void *)field, rest, value, why);
    int error = field_set(o, field, value);
    if (error)
        why_value(o, value, error, why);
    else if (o->given)
        *(bool *)((char *)settings + o->given) = true;
    return error;
}
