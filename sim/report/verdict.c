#include "sim/report/verdict.h"

#include "nodes/base/error.h"
#include "nodes/base/record.h"

#include <stdlib.h>

int verdict_init(struct verdict *v)
{
    *v = (struct verdict){0};
    v->recent = calloc(1, sizeof *v->recent);
    return v->recent ? 0 : FE_EMEM;
}

void verdict_fini(struct verdict *v)
{
    for (size_t i = 0; i < v->n; i++) {
        free(v->items[i].text);
        free(v->items[i].why);
        free(v->items[i].moments);
    }
    free(v->items);
    free(v->recent);
    *v = (struct verdict){0};
}

/* ---- JSON strings ---- */

static unsigned hex(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
}

/* The text of a string in a record, without its escapes; NULL without memory. Records escape with \" \\ and \u00xx. */
static char *unescaped(struct span raw)
{
    char *text = malloc(raw.n + 1);
    size_t n = 0;
    for (size_t i = 0; text && i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '\\' && i + 1 < raw.n) {
            c = raw.p[++i];
            if (c == 'u' && i + 4 < raw.n) {
                c = (char)(hex(raw.p[i + 3]) << 4 | hex(raw.p[i + 4]));
                i += 4;
            } else if (c == 'n') {
                c = '\n';
            } else if (c == 't') {
                c = '\t';
            }
        }
        text[n++] = c;
    }
    if (text)
        text[n] = '\0';
    return text;
}

static char *text_get(struct verdict *v, struct span line, const char *key)
{
    struct span raw;
    if (!record_get(line, key, &raw))
        return NULL;
    char *text = unescaped(raw);
    v->no_memory = v->no_memory || !text;
    return text;
}

static unsigned number_get(struct span line, const char *key)
{
    int64_t value = 0;
    return record_get_i64(line, key, &value) && value > 0 && value <= INT32_MAX ? (unsigned)value : 0;
}

/* ---- items ---- */

const char *const verdict_measure_words[VERDICT_MEASURES] = {
    "noticed", "recovered", "unreachable", "calls_lost", "peak", "peak_at", "registrations", "phones", "away", "back"};

static void measures_get(struct verdict_item *item, struct span line)
{
    for (unsigned i = 0; i < VERDICT_MEASURES; i++) {
        int64_t value = NEVER;
        item->measured = record_get_i64(line, verdict_measure_words[i], &value) || item->measured;
        item->measures[i] = value;
    }
}

static struct verdict_item *item_new(struct verdict *v, struct span line)
{
    if ((v->n & (v->n - 1)) == 0) {
        void *larger = realloc(v->items, (v->n ? 2 * v->n : 1) * sizeof v->items[0]);
        if (!larger) {
            v->no_memory = true;
            return NULL;
        }
        v->items = larger;
    }
    struct verdict_item *item = &v->items[v->n++];
    *item = (struct verdict_item){.n = number_get(line, "n"), .line = number_get(line, "line"), .started = v->now};
    item->ended = v->now;
    item->text = text_get(v, line, "text");
    return item;
}

static void item_ends(struct verdict *v, struct verdict_item *item, bool held, struct span line)
{
    item->state = held ? VERDICT_HELD : VERDICT_FAILED;
    item->ended = v->now;
    item->why = text_get(v, line, "why");
    v->held += held;
    v->failed += !held;
    if (held)
        return;
    struct moment picked[MOMENTS_SHOWN];
    size_t n = moments_pick(v->recent, span_of(item->text), picked);
    item->moments = n ? malloc(n * sizeof picked[0]) : NULL;
    if (item->moments) {
        memcpy(item->moments, picked, n * sizeof picked[0]);
        item->moments_n = n;
    }
}

/* A step's number is its own; steps that repeat others contain their lines between their own two. */
static void step_line(struct verdict *v, struct span line)
{
    unsigned n = number_get(line, "n");
    struct verdict_item *item = NULL;
    if (record_is(line, "state", "started")) {
        item_new(v, line);
        return;
    }
    for (size_t i = v->n; i > 0 && !item; i--)
        if (!v->items[i - 1].expectation && v->items[i - 1].n == n)
            item = &v->items[i - 1];
    if (item)
        item_ends(v, item, record_is(line, "state", "done"), line);
}

static void expect_line(struct verdict *v, struct span line)
{
    struct span held;
    struct verdict_item *item = item_new(v, line);
    if (!item)
        return;
    item->expectation = true;
    measures_get(item, line);
    item_ends(v, item, record_get(line, "held", &held) && span_is(held, "true"), line);
}

void verdict_line(struct verdict *v, struct span line)
{
    struct moment m;
    record_get_i64(line, "t", &v->now);
    if (record_is(line, "ev", "step"))
        step_line(v, line);
    else if (record_is(line, "ev", "expect"))
        expect_line(v, line);
    else if (moment_read(&m, line))
        moments_add(v->recent, &m);
}

int verdict_read(struct verdict *v, FILE *trace)
{
    char line[RECORD_MAX + 2];
    while (fgets(line, sizeof line, trace))
        verdict_line(v, (struct span){line, strcspn(line, "\n")});
    return ferror(trace) ? FE_EOS : v->no_memory ? FE_EMEM : 0;
}

bool verdict_all_held(const struct verdict *v)
{
    return v->failed == 0;
}

static bool items_same(const struct verdict_item *a, const struct verdict_item *b)
{
    return a->expectation == b->expectation && a->n == b->n && a->state == b->state && strcmp(a->text, b->text) == 0;
}

const struct verdict_item *verdict_parting(const struct verdict *v, const struct verdict *other)
{
    for (size_t i = 0; i < v->n; i++)
        if (i >= other->n || !items_same(&v->items[i], &other->items[i]))
            return &v->items[i];
    return other->n > v->n ? &other->items[v->n] : NULL;
}
