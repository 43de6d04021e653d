/* The rungs: arrows, notes and bars between two bands. */
#include "sim/report/ladder_svg.h"
#include "sim/report/report_text.h"

#include <stdlib.h>

enum {
    RUNGS_MOST = 80, /* in one SVG */
    ARROW_ROW = 25,
    LOST_ROW = 38,
    NOTE_ROW = 21,
    CHARACTER = 6, /* width of one in a note, about */
};
#define SILENCE (2 * SEC)

/* Where each row of one SVG has its top. */
struct rungs {
    size_t rows[RUNGS_MOST];
    int y[RUNGS_MOST];
    int n, height;
};

/* ---- rows and their places ---- */

static int height_of(const struct ladder_row *row)
{
    if (row->type == LADDER_MESSAGE)
        return row->fate == LADDER_LOST ? LOST_ROW : ARROW_ROW;
    return row->type == LADDER_MEDIA ? ARROW_ROW + 3 : NOTE_ROW;
}

static uint32_t column_bit(const struct ladder_drawing *d, const struct ladder_row *row)
{
    int column = ladder_column(d, row->node);
    return row->type == LADDER_NOTE && column >= 0 ? 1u << (unsigned)column : 0;
}

/* Notes of one instant stand side by side. `taken`: the columns of that row, a bit each. */
static bool shares(const struct ladder_drawing *d, const struct rungs *r, const struct ladder_row *row, uint32_t taken)
{
    if (r->n == 0 || row->type != LADDER_NOTE)
        return false;
    const struct ladder_row *before = &d->l->rows[r->rows[r->n - 1]];
    return before->type == LADDER_NOTE && before->at == row->at && !(taken & column_bit(d, row));
}

/* Returns the row after the last. */
static size_t arrange(const struct ladder_drawing *d, struct rungs *r, size_t first, size_t stop)
{
    uint32_t taken = 0;
    lab_time last = d->l->rows[first].at;
    size_t i = first;
    r->height = 4;
    for (; i < stop && r->n < RUNGS_MOST; i++) {
        const struct ladder_row *row = &d->l->rows[i];
        if (!ladder_is_shown(d, row))
            continue;
        if (ladder_is_band(row) || row->at - last >= SILENCE)
            break;
        last = row->at;
        bool beside = shares(d, r, row, taken);
        r->y[r->n] = beside ? r->y[r->n - 1] : r->height;
        r->height += beside ? 0 : height_of(row);
        taken = (beside ? taken : 0) | column_bit(d, row);
        r->rows[r->n++] = i;
    }
    r->height += 4;
    return i;
}

/* ---- notes, drops, media ---- */

static void pill(const struct ladder_drawing *d, const char *class, int x, int y, size_t characters)
{
    int width = (int)characters * CHARACTER + 16;
    fprintf(d->out, "<rect class=\"pill %s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"17\" rx=\"8\"/>", class,
            x - width / 2, y + 2, width);
    fprintf(d->out, "<text class=\"note %s\" x=\"%d\" y=\"%d\">", class, x, y + 14);
}

static void note(const struct ladder_drawing *d, const struct ladder_row *row, int y)
{
    char more[24] = "";
    const char *text = ladder_label(d, row->text);
    const char *who = ladder_is_grouped(d, row->node) ? ladder_name(d, row->node) : "";
    size_t shown = (size_t)(d->spacing - 8) / CHARACTER;
    size_t length = report_length(text) + (*who ? report_length(who) + 1 : 0);
    if (row->count > 1)
        snprintf(more, sizeof more, " × %u", row->count);
    shown -= report_length(more);
    length = length > shown ? shown : length;
    fputs("<g><title>", d->out);
    report_escape(d->out, ladder_name(d, row->node));
    fputs(": ", d->out);
    report_escape_cut(d->out, ladder_label(d, row->detail), 600);
    fputs("</title>", d->out);
    pill(d, row->bad ? "bad" : "plain", ladder_x(d, ladder_column(d, row->node)), y, length + report_length(more));
    if (*who) {
        report_escape_cut(d->out, who, 12);
        fputs(" ", d->out);
        shown = report_length(who) + 1 < shown - 4 ? shown - report_length(who) - 1 : shown / 2;
    }
    report_escape_cut(d->out, text, shown);
    fprintf(d->out, "%s</text></g>\n", more);
}

static void drops(const struct ladder_drawing *d, const struct ladder_row *row, int y)
{
    char times[40];
    int column = ladder_place_column(d, row->where);
    const char *cause = ladder_label(d, row->cause);
    const char *where = column < 0 ? ladder_label(d, row->where) : "";
    snprintf(times, sizeof times, "✗ %u × ", row->count);
    size_t length = report_length(times) + report_length(cause) + (*where ? report_length(where) + 4 : 0);
    fputs("<g><title>", d->out);
    report_escape(d->out, ladder_label(d, row->where));
    fprintf(d->out, " dropped %u packet%s, ", row->count, row->count > 1 ? "s" : "");
    report_escape(d->out, cause);
    fputs("; the first: ", d->out);
    report_escape_cut(d->out, ladder_label(d, row->detail), 200);
    fputs("</title>", d->out);
    pill(d, "bad", column >= 0 ? ladder_x(d, column) : LADDER_GUTTER + (d->width - LADDER_GUTTER) / 2, y,
         length < 60 ? length : 60);
    fputs(times, d->out);
    report_escape_cut(d->out, cause, 24);
    if (*where) {
        fputs(" at ", d->out);
        report_escape_cut(d->out, where, 24);
    }
    fputs("</text></g>\n", d->out);
}

static void media(const struct ladder_drawing *d, const struct ladder_row *row, int y)
{
    int to = ladder_x(d, ladder_column(d, row->node));
    int from = ladder_column(d, row->other) >= 0 ? ladder_x(d, ladder_column(d, row->other)) : to + d->spacing / 2;
    int left = from < to ? from : to;
    int width = abs(to - from);
    bool wide = width > d->spacing;
    fprintf(d->out, "<g class=\"media%s\"><title>", row->bad ? " deaf" : "");
    report_escape(d->out, ladder_name(d, row->node));
    fputs(", of ", d->out);
    report_escape(d->out, row->other >= 0 ? ladder_name(d, row->other) : "the other");
    fputs(": ", d->out);
    report_escape(d->out, ladder_label(d, row->text));
    fprintf(d->out, "</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"20\"/>", left, y + 3, width);
    ladder_tip(d, to, y + 13, from < to);
    fprintf(d->out, "<text class=\"heard%s\" x=\"%d\" y=\"%d\">", wide ? "" : " narrow",
            wide ? left + width / 2 : left + 10, y + 17);
    report_escape_cut(d->out, ladder_name(d, row->node), 20);
    fputs(": ", d->out);
    report_escape_cut(d->out, ladder_label(d, row->text), 60);
    fputs("</text></g>\n", d->out);
}

/* ---- one SVG ---- */

static void rung(const struct ladder_drawing *d, const struct ladder_row *row, int y)
{
    switch (row->type) {
    case LADDER_MESSAGE: ladder_arrow(d, row, y); return;
    case LADDER_NOTE: note(d, row, y); return;
    case LADDER_DROPS: drops(d, row, y); return;
    case LADDER_MEDIA: media(d, row, y); return;
    case LADDER_STEP:
    case LADDER_EXPECT:
    case LADDER_BAND: return;
    }
}

size_t ladder_rungs(const struct ladder_drawing *d, size_t first, size_t stop)
{
    struct rungs r = {.n = 0};
    lab_time last = -1;
    char at[REPORT_TIME];
    size_t next = arrange(d, &r, first, stop);
    fprintf(d->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n",
            d->width, r.height, d->width, r.height);
    for (int i = 0; i < r.n; i++) {
        const struct ladder_row *row = &d->l->rows[r.rows[i]];
        if (row->at != last)
            fprintf(d->out, "<text class=\"t\" x=\"%d\" y=\"%d\">%s</text>\n", LADDER_GUTTER - 14, r.y[i] + 17,
                    report_time(row->at, at));
        last = row->at;
        rung(d, row, r.y[i]);
    }
    fputs("</svg>\n", d->out);
    return next;
}
