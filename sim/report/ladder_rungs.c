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
    HEAD = 7,      /* length of an arrow's head */
};
#define SILENCE (2 * SEC)

/* Where each row of one SVG has its top. */
struct rungs {
    size_t rows[RUNGS_MOST];
    int y[RUNGS_MOST];
    int n, height;
};

static const char *word(const struct ladder_drawing *d, int number)
{
    return words_text(&d->l->words, number);
}

static int column_of(const struct ladder_drawing *d, int node)
{
    return node >= 0 ? d->c->of[node] : -1;
}

static const char *name_of(const struct ladder_drawing *d, int node)
{
    return node >= 0 ? words_text(&d->l->names, node) : "?";
}

static bool in_a_group(const struct ladder_drawing *d, int node)
{
    int column = column_of(d, node);
    return column >= 0 && d->c->list[column].members > 1;
}

/* The column of the node or wire ("alice.home": alice's) where something died; -1. */
static int column_of_place(const struct ladder_drawing *d, int where)
{
    char name[64];
    struct span rest;
    const char *place = word(d, where);
    int node = words_find(&d->l->names, place);
    if (node < 0 && span_copy(span_cut(span_of(place), '.', &rest), name, sizeof name))
        node = words_find(&d->l->names, name);
    return column_of(d, node);
}

/* ---- rows and their places ---- */

static int height_of(const struct ladder_row *row)
{
    if (row->type == LADDER_MESSAGE)
        return row->fate == LADDER_LOST ? LOST_ROW : ARROW_ROW;
    return row->type == LADDER_MEDIA ? ARROW_ROW + 3 : NOTE_ROW;
}

static uint32_t column_bit(const struct ladder_drawing *d, const struct ladder_row *row)
{
    int column = column_of(d, row->node);
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

/* ---- messages ---- */

static void message_title(const struct ladder_drawing *d, const struct ladder_row *row)
{
    char buf[REPORT_TIME];
    fputs("<title>", d->out);
    report_escape(d->out, name_of(d, row->node));
    fputs(" → ", d->out);
    report_escape(d->out, row->other >= 0 ? name_of(d, row->other) : word(d, row->peer));
    fputs(": ", d->out);
    report_escape_cut(d->out, word(d, row->text), 80);
    fprintf(d->out, ", sent at %s", report_time(row->at, buf));
    if (row->count > 1)
        fprintf(d->out, ", for the %u. time", row->count);
    if (row->fate == LADDER_ARRIVED) {
        fprintf(d->out, ", arrived at %s", report_time(row->until, buf));
        fprintf(d->out, " (%s)", report_duration(row->until - row->at, buf));
        if (row->arrivals > 1)
            fprintf(d->out, ", %u times", row->arrivals);
    } else if (row->fate == LADDER_LOST) {
        fprintf(d->out, ", died at %s, ", report_time(row->until, buf));
        report_escape(d->out, word(d, row->where));
        fputs(": ", d->out);
        report_escape(d->out, word(d, row->cause));
    } else {
        fputs(d->l->now - row->at < SEC ? "; the run ends while it is on its way" : "; nothing tells of its arrival",
              d->out);
    }
    if (row->dialog >= 0) {
        fprintf(d->out, "; #%d, Call-ID ", row->dialog + 1);
        report_escape_cut(d->out, word(d, d->l->dialogs[row->dialog].call_id), 100);
    }
    fputs("</title>", d->out);
}

static void message_label(const struct ladder_drawing *d, const struct ladder_row *row, int x, int y)
{
    fprintf(d->out, "<text class=\"msg\" x=\"%d\" y=\"%d\">", x, y);
    if (in_a_group(d, row->node) || in_a_group(d, row->other)) {
        fputs("<tspan class=\"who\">", d->out);
        report_escape_cut(d->out, name_of(d, in_a_group(d, row->node) ? row->node : row->other), 20);
        fputs("</tspan> ", d->out);
    }
    report_escape_cut(d->out, word(d, row->text), 30);
    if (row->dialog >= 0)
        fprintf(d->out, " <tspan class=\"id\">#%d</tspan>", row->dialog + 1);
    if (row->count > 1)
        fprintf(d->out, " <tspan class=\"again\">again, %u</tspan>", row->count);
    fputs("</text>", d->out);
}

/* From where it was sent to where it arrived, died, or was meant to go. */
struct span_x {
    int from, to;
};

static struct span_x ends(const struct ladder_drawing *d, const struct ladder_row *row)
{
    int from = column_of(d, row->node);
    int to = column_of(d, row->other);
    int stub = d->spacing / 2 - 6;
    if (to < 0 && row->fate != LADDER_ARRIVED) { /* towards the NAT that it was sent to, else to the other side */
        int owner = topology_owner(d->l->topology, span_of(word(d, row->peer)));
        int node = owner >= 0 ? words_find(&d->l->names, d->l->topology->nodes[owner].name) : -1;
        to = column_of(d, node);
    }
    struct span_x x = {from >= 0 ? ladder_x(d, from) : 0, to >= 0 ? ladder_x(d, to) : 0};
    if (from < 0)
        x.from = to > 0 ? x.to - stub : x.to + stub;
    if (to < 0 || to == from)
        x.to = from + 1 < d->c->n && from < d->c->n / 2 ? x.from + stub : x.from - stub;
    if (row->fate != LADDER_LOST)
        return x;
    int died = column_of_place(d, row->where);
    int sign = x.to < x.from ? -1 : 1;
    if (died >= 0 && died != from)
        x.to = ladder_x(d, died);
    else if (died == from && from >= 0)
        x.to = x.from + sign * stub;
    else
        x.to = x.from + (x.to - x.from) * 3 / 5;
    return x;
}

static void arrow_head(const struct ladder_drawing *d, int x, int y, bool right)
{
    int back = right ? -HEAD : HEAD;
    fprintf(d->out, "<path class=\"tip\" d=\"M%d %dl%d -4v8z\"/>", x, y, back);
}

static void cross(const struct ladder_drawing *d, const struct ladder_row *row, int x, int y)
{
    fprintf(d->out, "<path class=\"cross\" d=\"M%d %dl10 10m0 -10l-10 10\"/>", x - 5, y - 5);
    fprintf(d->out, "<text class=\"died\" x=\"%d\" y=\"%d\">", x, y + 16);
    report_escape_cut(d->out, word(d, row->cause), 24);
    fputs(", ", d->out);
    report_escape_cut(d->out, word(d, row->where), 24);
    fputs("</text>", d->out);
}

static const char *fate_class(const struct ladder_row *row)
{
    return row->fate == LADDER_LOST ? " lost" : row->fate == LADDER_UNSEEN ? " unseen" : "";
}

static void message(const struct ladder_drawing *d, const struct ladder_row *row, int y)
{
    struct span_x x = ends(d, row);
    int line = y + 17;
    bool right = x.to > x.from;
    fprintf(d->out, "<g class=\"m c%d%s\">", row->dialog >= 0 ? row->dialog % LADDER_COLOURS : 0, fate_class(row));
    message_title(d, row);
    fprintf(d->out, "<path class=\"line\" d=\"M%d %dH%d\"/>", x.from, line, x.to + (right ? -3 : 3));
    if (row->fate != LADDER_LOST)
        arrow_head(d, x.to, line, right);
    message_label(d, row, (x.from + x.to) / 2, line - 5);
    if (row->fate == LADDER_LOST)
        cross(d, row, x.to, line);
    fputs("</g>\n", d->out);
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
    const char *text = word(d, row->text);
    const char *who = in_a_group(d, row->node) ? name_of(d, row->node) : "";
    size_t shown = (size_t)(d->spacing - 22) / CHARACTER;
    size_t length = report_length(text) + (*who ? report_length(who) + 1 : 0);
    if (row->count > 1)
        snprintf(more, sizeof more, " × %u", row->count);
    shown -= report_length(more);
    length = length > shown ? shown : length;
    fputs("<g><title>", d->out);
    report_escape(d->out, name_of(d, row->node));
    fputs(": ", d->out);
    report_escape_cut(d->out, word(d, row->detail), 600);
    fputs("</title>", d->out);
    pill(d, row->bad ? "bad" : "plain", ladder_x(d, column_of(d, row->node)), y, length + report_length(more));
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
    int column = column_of_place(d, row->where);
    const char *cause = word(d, row->cause);
    const char *where = column < 0 ? word(d, row->where) : "";
    snprintf(times, sizeof times, "✗ %u × ", row->count);
    size_t length = report_length(times) + report_length(cause) + (*where ? report_length(where) + 4 : 0);
    fputs("<g><title>", d->out);
    report_escape(d->out, word(d, row->where));
    fprintf(d->out, " dropped %u packet%s, ", row->count, row->count > 1 ? "s" : "");
    report_escape(d->out, cause);
    fputs("; the first: ", d->out);
    report_escape_cut(d->out, word(d, row->detail), 200);
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
    int to = ladder_x(d, column_of(d, row->node));
    int from = column_of(d, row->other) >= 0 ? ladder_x(d, column_of(d, row->other)) : to + d->spacing / 2;
    int left = from < to ? from : to;
    int width = abs(to - from);
    bool wide = width > d->spacing;
    fprintf(d->out, "<g class=\"media%s\"><title>", row->bad ? " deaf" : "");
    report_escape(d->out, name_of(d, row->node));
    fputs(", of ", d->out);
    report_escape(d->out, row->other >= 0 ? name_of(d, row->other) : "the other");
    fputs(": ", d->out);
    report_escape(d->out, word(d, row->text));
    fprintf(d->out, "</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"20\"/>", left, y + 3, width);
    arrow_head(d, to, y + 13, from < to);
    fprintf(d->out, "<text class=\"heard%s\" x=\"%d\" y=\"%d\">", wide ? "" : " narrow",
            wide ? left + width / 2 : left + 10, y + 17);
    report_escape_cut(d->out, name_of(d, row->node), 20);
    fputs(": ", d->out);
    report_escape_cut(d->out, word(d, row->text), 60);
    fputs("</text></g>\n", d->out);
}

/* ---- one SVG ---- */

static void rung(const struct ladder_drawing *d, const struct ladder_row *row, int y)
{
    switch (row->type) {
    case LADDER_MESSAGE: message(d, row, y); return;
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
