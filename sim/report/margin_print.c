/* What a search for a margin found: a table, a plot and a sentence for people; JSON for machines. */
#include "nodes/base/error.h"
#include "nodes/base/lab_time.h"
#include "sim/report/margin.h"

#include <jansson.h>

enum { PLOT = 64 };

/* ---- values ---- */

/* value / scale with as many decimals as it has. `scale` is a power of ten or 60 s, which then divides the value. */
static void decimal(struct text *t, int64_t value, int64_t scale, const char *unit)
{
    text_i64(t, value / scale);
    int64_t rest = value % scale;
    if (rest)
        text_char(t, '.');
    while (rest) {
        scale /= 10;
        text_char(t, (char)('0' + rest / scale));
        rest %= scale;
    }
    text_str(t, unit);
}

static void time_value(struct text *t, int64_t value)
{
    if (value == 0)
        text_str(t, "0s");
    else if (value >= 2 * MINUTE && value % MINUTE == 0)
        decimal(t, value, MINUTE, "min");
    else if (value >= SEC)
        decimal(t, value, SEC, "s");
    else if (value >= MS)
        decimal(t, value, MS, "ms");
    else if (value >= US)
        decimal(t, value, US, "us");
    else
        decimal(t, value, 1, "ns");
}

void margin_value(struct text *t, enum margin_unit unit, int64_t value)
{
    switch (unit) {
    case MARGIN_COUNT: text_i64(t, value); break;
    case MARGIN_TIME: time_value(t, value); break;
    case MARGIN_RATIO: decimal(t, value, 10000, "%"); break;
    case MARGIN_RATE:
        if (value >= 1000000)
            decimal(t, value, 1000000, "Mbit/s");
        else
            decimal(t, value, value >= 1000 ? 1000 : 1, value >= 1000 ? "kbit/s" : "bit/s");
        break;
    case MARGIN_SIZE: decimal(t, value, value >= 1000 ? 1000 : 1, value >= 1000 ? "kB" : "B"); break;
    }
}

static const char *value_text(const struct margin *m, int64_t value, char buf[MARGIN_VALUE_TEXT])
{
    struct text t = text_on(buf, MARGIN_VALUE_TEXT);
    margin_value(&t, m->unit, value);
    return buf;
}

/* ---- the table and the plot ---- */

static void print_point(const struct margin *m, const struct margin_point *p, FILE *out)
{
    char value[MARGIN_VALUE_TEXT];
    fprintf(out, "  %s %14s", p->held ? "✓" : "✗", value_text(m, p->value, value));
    if (p->failed && p->line)
        fprintf(out, "  line %u: %s", p->line, p->failed);
    else if (p->failed)
        fprintf(out, "  %s", p->failed);
    fputc('\n', out);
}

/* A mark for each value that was tried. Where several share a column, one that failed is seen; the ends have columns of
 * their own. */
static void print_plot(const struct margin *m, FILE *out)
{
    char low[MARGIN_VALUE_TEXT];
    char high[MARGIN_VALUE_TEXT];
    const char *columns[PLOT];
    int64_t scale = (m->high - m->low) / (PLOT - 2) + 1;
    for (size_t i = 0; i < PLOT; i++)
        columns[i] = "·";
    for (size_t i = 0; i < m->n; i++) {
        const struct margin_point *p = &m->points[i];
        size_t column = p->value == m->low ? 0 : p->value == m->high ? PLOT - 1 : 1;
        if (column == 1)
            column += (size_t)((p->value - m->low) / scale);
        if (strcmp(columns[column], "✗") != 0)
            columns[column] = p->held ? "✓" : "✗";
    }
    fprintf(out, "\n  %s ", value_text(m, m->low, low));
    for (size_t i = 0; i < PLOT; i++)
        fputs(columns[i], out);
    fprintf(out, " %s\n\n", value_text(m, m->high, high));
}

/* ---- the answer ---- */

static void print_unsteady(const struct margin *m, FILE *out)
{
    char value[MARGIN_VALUE_TEXT];
    fputs("there is not one margin but several:", out);
    for (size_t i = 0; i < m->n;) {
        size_t last = i;
        while (last + 1 < m->n && m->points[last + 1].held == m->points[i].held)
            last++;
        fprintf(out, "%s %s at %s", i ? "," : "", m->points[i].held ? "it holds" : "it fails",
                value_text(m, m->points[i].value, value));
        if (last > i)
            fprintf(out, " to %s", value_text(m, m->points[last].value, value));
        i = last + 1;
    }
}

static void print_sentence(const struct margin *m, const struct margin_run *run, FILE *out)
{
    struct margin_edge edge = {0};
    char a[MARGIN_VALUE_TEXT];
    char b[MARGIN_VALUE_TEXT];
    enum margin_answer answer = margin_answer(m, &edge);
    fprintf(out, "%s: with %s ", run->lab, run->over);
    switch (answer) {
    case MARGIN_HOLDS:
        fprintf(out, "it holds from %s to %s, wherever it was tried", value_text(m, m->low, a),
                value_text(m, m->high, b));
        break;
    case MARGIN_FAILS:
        fprintf(out, "it fails from %s to %s, wherever it was tried", value_text(m, m->low, a),
                value_text(m, m->high, b));
        break;
    case MARGIN_AT_MOST:
        fprintf(out, "it holds up to %s and fails from %s on", value_text(m, edge.held, a),
                value_text(m, edge.failed, b));
        break;
    case MARGIN_AT_LEAST:
        fprintf(out, "it fails up to %s and holds from %s on", value_text(m, edge.failed, a),
                value_text(m, edge.held, b));
        break;
    case MARGIN_UNSTEADY:
        print_unsteady(m, out);
        fprintf(out, "; only the one between %s and %s was narrowed",
                value_text(m, edge.held < edge.failed ? edge.held : edge.failed, a),
                value_text(m, edge.held < edge.failed ? edge.failed : edge.held, b));
        break;
    }
    fprintf(out, " (%zu values tried)\n", m->n);
}

void margin_print(const struct margin *m, const struct margin_run *run, FILE *out)
{
    fprintf(out, "%s  %s, seed %llu, over %s, until %s\n", run->lab, run->world, (unsigned long long)run->seed,
            run->over, run->until);
    for (size_t i = 0; i < m->n; i++)
        print_point(m, &m->points[i], out);
    if (m->n)
        print_plot(m, out);
    print_sentence(m, run, out);
}

/* ---- JSON ---- */

static const char *const answer_words[] = {"holds", "fails", "at-most", "at-least", "unsteady"};
static const char *const unit_words[] = {"count", "ns", "ppm", "bit/s", "bytes"};

static json_t *point_json(const struct margin *m, const struct margin_point *p)
{
    char value[MARGIN_VALUE_TEXT];
    json_t *point = json_pack("{s:s, s:I, s:b}", "value", value_text(m, p->value, value), "number",
                              (json_int_t)p->value, "held", p->held);
    if (p->failed) {
        json_object_set_new(point, "failed", json_string(p->failed));
        json_object_set_new(point, "line", json_integer((json_int_t)p->line));
    }
    return point;
}

static void edge_json(const struct margin *m, json_t *root, const struct margin_edge *edge)
{
    char value[MARGIN_VALUE_TEXT];
    json_object_set_new(root, "holds_at", json_string(value_text(m, edge->held, value)));
    json_object_set_new(root, "fails_at", json_string(value_text(m, edge->failed, value)));
}

int margin_json(const struct margin *m, const struct margin_run *run, FILE *out)
{
    struct margin_edge edge;
    enum margin_answer answer = margin_answer(m, &edge);
    json_t *points = json_array();
    for (size_t i = 0; i < m->n; i++)
        json_array_append_new(points, point_json(m, &m->points[i]));
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:o}", "lab", run->lab, "file", run->file,
                  "world", run->world, "seed", (json_int_t)run->seed, "over", run->over, "until", run->until, "unit",
                  unit_words[m->unit], "low", (json_int_t)m->low, "high", (json_int_t)m->high, "step",
                  (json_int_t)m->step, "answer", answer_words[answer], "points", points);
    if (!root)
        return FE_EMEM;
    if (answer > MARGIN_FAILS)
        edge_json(m, root, &edge);
    int failed = json_dumpf(root, out, JSON_INDENT(2));
    json_decref(root);
    return failed || fputc('\n', out) == EOF ? FE_EOS : 0;
}
