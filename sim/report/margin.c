#include "sim/report/margin.h"

#include "nodes/base/error.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/units.h"

#include <stdlib.h>

enum { COARSE = 8 }; /* parts of the range that are looked at before an edge is narrowed */

/* ---- values ---- */

static int value_read(enum margin_unit unit, struct span s, int64_t *out)
{
    uint64_t number = 0;
    uint32_t ppm = 0;
    int error = 0;
    switch (unit) {
    case MARGIN_COUNT: error = span_u64(s, INT64_MAX, &number); break;
    case MARGIN_TIME: return span_is(s, "never") ? FE_ESYNTAX : units_time(s, out);
    case MARGIN_RATIO:
        error = units_ratio(s, &ppm);
        number = ppm;
        break;
    case MARGIN_RATE: error = units_rate(s, &number); break;
    case MARGIN_SIZE: error = units_size(s, &number); break;
    }
    *out = (int64_t)number;
    return error;
}

/* The unit in which both can be read. "0" is a quantity of any kind: the other end says of which. */
static int ends_read(struct margin *m, struct span low, struct span high)
{
    static const enum margin_unit units[] = {MARGIN_COUNT, MARGIN_TIME, MARGIN_RATIO, MARGIN_RATE, MARGIN_SIZE};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        m->unit = units[i];
        if (value_read(m->unit, low, &m->low) == 0 && value_read(m->unit, high, &m->high) == 0)
            return 0;
    }
    return FE_ESYNTAX;
}

/* A millisecond, or what is a thousandth of a short range; the smallest unit of everything but times. */
static int64_t usual_step(const struct margin *m)
{
    int64_t step = MS;
    if (m->unit != MARGIN_TIME)
        return 1;
    while (step > 1 && (m->high - m->low) / step < 1000)
        step /= 1000;
    return step;
}

static int refuse(struct text *why, int error, struct span what, const char *expected)
{
    text_str(why, "\"");
    text_put(why, what);
    text_str(why, "\" is not ");
    text_str(why, expected);
    return error;
}

/* At the two points, not at one within a number: "0.5%..2%". */
static bool split(struct span between, struct span *low, struct span *high)
{
    for (size_t i = 0; i + 1 < between.n; i++) {
        if (between.p[i] != '.' || between.p[i + 1] != '.')
            continue;
        *low = span_trim((struct span){between.p, i});
        *high = span_trim((struct span){between.p + i + 2, between.n - i - 2});
        return true;
    }
    return false;
}

int margin_init(struct margin *m, struct span between, struct span to, struct text *why)
{
    struct text nowhere = text_on(NULL, 0);
    why = why ? why : &nowhere;
    struct span low;
    struct span high;
    *m = (struct margin){0};
    if (!split(between, &low, &high) || ends_read(m, low, high))
        return refuse(why, FE_ESYNTAX, between, "a range, as 10s..5min, 0.1%..5% or 1..40");
    if (m->low >= m->high)
        return refuse(why, FE_ERANGE, between, "a range from a smaller value to a larger one");
    m->step = usual_step(m);
    if (to.n && (value_read(m->unit, to, &m->step) || m->step <= 0))
        return refuse(why, FE_ESYNTAX, to, "a step of the same kind as the range");
    if (m->step > m->high - m->low)
        return refuse(why, FE_ERANGE, to, "a step within the range");
    return 0;
}

void margin_fini(struct margin *m)
{
    for (size_t i = 0; i < m->n; i++)
        free(m->points[i].failed);
    free(m->points);
    *m = (struct margin){0};
}

/* ---- points ---- */

/* Where the value stands, or would stand. */
static size_t place_of(const struct margin *m, int64_t value)
{
    size_t i = 0;
    while (i < m->n && m->points[i].value < value)
        i++;
    return i;
}

static bool tried(const struct margin *m, int64_t value)
{
    size_t i = place_of(m, value);
    return i < m->n && m->points[i].value == value;
}

int margin_tell(struct margin *m, int64_t value, bool held, unsigned line, const char *failed)
{
    size_t i = place_of(m, value);
    size_t bytes = failed ? strlen(failed) + 1 : 0;
    char *copy = failed ? malloc(bytes) : NULL;
    struct margin_point *points = realloc(m->points, (m->n + 1) * sizeof *points);
    if (points)
        m->points = points;
    if (!points || (failed && !copy)) {
        free(copy);
        return FE_EMEM;
    }
    if (copy)
        memcpy(copy, failed, bytes);
    memmove(&points[i + 1], &points[i], (m->n - i) * sizeof *points);
    points[i] = (struct margin_point){value, held, line, copy};
    m->n++;
    return 0;
}

/* ---- the answer ---- */

static bool is_edge(const struct margin *m, size_t i)
{
    return m->points[i].held != m->points[i + 1].held;
}

static struct margin_edge edge_at(const struct margin *m, size_t i)
{
    const struct margin_point *a = &m->points[i];
    const struct margin_point *b = &m->points[i + 1];
    return a->held ? (struct margin_edge){a->value, b->value} : (struct margin_edge){b->value, a->value};
}

enum margin_answer margin_answer(const struct margin *m, struct margin_edge *edge)
{
    size_t edges = 0;
    size_t lowest = 0;
    size_t highest = 0;
    for (size_t i = 0; i + 1 < m->n; i++) {
        if (!is_edge(m, i))
            continue;
        lowest = edges ? lowest : i;
        highest = i;
        edges++;
    }
    if (edges == 0)
        return m->n && m->points[0].held ? MARGIN_HOLDS : MARGIN_FAILS;
    bool from_above = !m->points[0].held && m->points[m->n - 1].held;
    *edge = edge_at(m, from_above ? highest : lowest);
    if (edges > 1)
        return MARGIN_UNSTEADY;
    return edge->held < edge->failed ? MARGIN_AT_MOST : MARGIN_AT_LEAST;
}

/* ---- what to try ---- */

/* Values of the raster that cut (from, to) into `parts` about equal ones, without those two and without any twice. */
static size_t cut(const struct margin *m, int64_t from, int64_t to, size_t parts, int64_t *values)
{
    int64_t first = (from - m->low) / m->step;            /* the raster's last value up to `from` */
    int64_t last = (to - m->low + m->step - 1) / m->step; /* and its first one from `to` on */
    int64_t steps = last - first;
    size_t n = 0;
    if ((int64_t)parts > steps)
        parts = (size_t)steps;
    for (size_t i = 1; i < parts; i++) {
        /* steps × i / parts without its overflow */
        int64_t part = (int64_t)parts;
        int64_t index = steps / part * (int64_t)i + steps % part * (int64_t)i / part;
        int64_t value = m->low + (first + index) * m->step;
        if (value > from && value < to && !tried(m, value))
            values[n++] = value;
    }
    return n;
}

static size_t ask_coarse(const struct margin *m, int64_t *values)
{
    values[0] = m->low;
    values[1] = m->high;
    return 2 + cut(m, m->low, m->high, COARSE, values + 2);
}

size_t margin_ask(const struct margin *m, size_t places, int64_t values[MARGIN_AT_ONCE])
{
    struct margin_edge edge;
    if (m->n == 0)
        return ask_coarse(m, values);
    switch (margin_answer(m, &edge)) {
    case MARGIN_HOLDS:
    case MARGIN_FAILS: return 0;
    case MARGIN_AT_MOST:
    case MARGIN_AT_LEAST:
    case MARGIN_UNSTEADY: break;
    }
    int64_t from = edge.held < edge.failed ? edge.held : edge.failed;
    int64_t to = edge.held < edge.failed ? edge.failed : edge.held;
    size_t most = places < MARGIN_AT_ONCE ? places : MARGIN_AT_ONCE;
    return cut(m, from, to, most + 1, values);
}
