#include "sim/report/ladder_svg.h"

#include "sim/report/report_text.h"

#define GAP (2 * SEC) /* silence that is told */

int ladder_x(const struct ladder_drawing *d, int column)
{
    return LADDER_GUTTER + d->spacing / 2 + column * d->spacing;
}

bool ladder_is_band(const struct ladder_row *row)
{
    return row->type == LADDER_STEP || row->type == LADDER_EXPECT || row->type == LADDER_BAND;
}

bool ladder_is_shown(const struct ladder_drawing *d, const struct ladder_row *row)
{
    return ladder_is_band(row) || row->type == LADDER_DROPS || ladder_column(d, row->node) >= 0 ||
           (row->type == LADDER_MESSAGE && ladder_column(d, row->other) >= 0);
}

/* ---- heads ---- */

static void head(const struct ladder_drawing *d, int i)
{
    const struct ladder_column *column = &d->c->list[i];
    const struct ladder_node *node = &d->l->nodes[column->node];
    const struct topology_node *known = node->topology >= 0 ? &d->l->topology->nodes[node->topology] : NULL;
    const char *kind = known ? known->kind : "";
    bool marked = known && (topology_speaks(known) || strcmp(kind, "nat") == 0);
    int x = ladder_x(d, i);
    int half = d->spacing / 2 - 8;
    fprintf(d->out, "<g class=\"node k-%s\"><rect x=\"%d\" y=\"6\" width=\"%d\" height=\"40\" rx=\"7\"/>",
            marked ? kind : "other", x - half, 2 * half);
    fprintf(d->out, "<rect class=\"mark\" x=\"%d\" y=\"40\" width=\"%d\" height=\"3\" rx=\"1\"/>", x - half + 8,
            2 * half - 16);
    fprintf(d->out, "<text class=\"name mid\" x=\"%d\" y=\"23\">", x);
    report_escape_cut(d->out, words_text(&d->l->words, node->name), column->members > 1 ? 16 : 18);
    if (column->members > 1)
        fputs(" …", d->out);
    fprintf(d->out, "</text><text class=\"kind mid\" x=\"%d\" y=\"36\">", x);
    report_escape_cut(d->out, kind, 18);
    if (column->members > 1)
        fprintf(d->out, " × %zu", column->members);
    fputs("</text></g>\n", d->out);
}

static void heads(const struct ladder_drawing *d)
{
    fprintf(d->out,
            "<div class=\"heads\"><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"52\" viewBox=\"0 0 "
            "%d 52\">\n",
            d->width, d->width);
    for (int i = 0; i < d->c->n; i++)
        head(d, i);
    fputs("</svg></div>\n", d->out);
}

/* Lifelines lie behind everything, so that they pass bands and gaps too. */
static void rungs_begin(const struct ladder_drawing *d)
{
    fprintf(d->out, "<div class=\"rungs\" style=\"width:%dpx;background-image:", d->width);
    for (int i = 0; i < d->c->n; i++)
        fprintf(d->out, "%slinear-gradient(var(--life),var(--life))", i ? "," : "");
    if (d->c->n == 0)
        fputs("none", d->out);
    fputs(";background-position:", d->out);
    for (int i = 0; i < d->c->n; i++)
        fprintf(d->out, "%s%dpx 0", i ? "," : "", ladder_x(d, i));
    if (d->c->n == 0)
        fputs("0 0", d->out);
    fputs("\">\n", d->out);
}

/* ---- bands ---- */

static const char *band_class(const struct ladder_row *row)
{
    switch (row->type) {
    case LADDER_STEP: return row->bad ? "step failed" : "step";
    case LADDER_EXPECT: return row->bad ? "expect failed" : "expect held";
    case LADDER_BAND: return row->bad ? "event failed" : "event";
    case LADDER_MESSAGE:
    case LADDER_NOTE:
    case LADDER_DROPS:
    case LADDER_MEDIA: break;
    }
    return "event";
}

static void band(const struct ladder_drawing *d, const struct ladder_row *row)
{
    char at[REPORT_TIME];
    fprintf(d->out, "<div class=\"band %s\"", band_class(row));
    if (row->item >= 0)
        fprintf(d->out, " id=\"i%d\"", row->item);
    fprintf(d->out, "><span class=\"t\">%s</span><span class=\"say\">", report_time(row->at, at));
    if (row->type == LADDER_EXPECT)
        fprintf(d->out, "<b>%s</b> expect: ", row->bad ? "✗" : "✓");
    else if (row->type == LADDER_STEP)
        fprintf(d->out, "<b>%s</b> ", row->bad ? "✗" : "▸");
    report_escape_cut(d->out, words_text(&d->l->words, row->text), 400);
    if (row->type == LADDER_EXPECT && row->detail >= 0) {
        fputs(" <span class=\"why\">", d->out);
        report_escape_cut(d->out, words_text(&d->l->words, row->detail), 400);
        fputs("</span>", d->out);
    }
    fputs("</span></div>\n", d->out);
}

static void gap(const struct ladder_drawing *d, lab_time silence)
{
    char buf[REPORT_TIME];
    fprintf(d->out, "<div class=\"gap\"><span>… %s …</span></div>\n", report_duration(silence, buf));
}

/* The places of steps that are not shown can be linked to all the same. */
static void left_out(const struct ladder_drawing *d, size_t first, size_t stop)
{
    char from[REPORT_TIME];
    char to[REPORT_TIME];
    fprintf(d->out, "<div class=\"gap left-out\">");
    for (size_t i = first; i < stop; i++)
        if (d->l->rows[i].item >= 0)
            fprintf(d->out, "<i id=\"i%d\"></i>", d->l->rows[i].item);
    fprintf(d->out, "<span>… %zu rows from %s to %s are left out here; trace.jsonl has them …</span></div>\n",
            stop - first, report_time(d->l->rows[first].at, from), report_time(d->l->rows[stop - 1].at, to));
}

/* ---- all ---- */

static void rows(const struct ladder_drawing *d, size_t first, size_t stop)
{
    lab_time last = first < stop ? d->l->rows[first].at : 0;
    for (size_t i = first; i < stop;) {
        const struct ladder_row *row = &d->l->rows[i];
        if (!ladder_is_shown(d, row)) {
            i++;
            continue;
        }
        if (row->at - last >= GAP)
            gap(d, row->at - last);
        size_t next = i + 1;
        if (ladder_is_band(row))
            band(d, row);
        else
            next = ladder_rungs(d, i, stop);
        last = d->l->rows[next - 1].at;
        i = next;
    }
}

static int spacing_for(int columns)
{
    return columns <= 5 ? 196 : columns <= 7 ? 174 : 156;
}

void ladder_svg(const struct ladder *l, const struct ladder_columns *c, FILE *out)
{
    struct ladder_drawing d = {l, c, out, spacing_for(c->n), 0};
    size_t half = LADDER_SHOWN / 2;
    d.width = LADDER_GUTTER + (c->n ? c->n : 4) * d.spacing + 12;
    heads(&d);
    rungs_begin(&d);
    if (l->n <= LADDER_SHOWN) {
        rows(&d, 0, l->n);
    } else {
        rows(&d, 0, half);
        left_out(&d, half, l->n - half);
        rows(&d, l->n - half, l->n);
    }
    fputs("</div>\n", out);
}
