/* A message as an arrow: to where it arrived, or to the cross where it died. */
#include "sim/report/ladder_svg.h"
#include "sim/report/report_text.h"

enum { HEAD = 7 }; /* length of an arrow's head */

int ladder_place_column(const struct ladder_drawing *d, int where)
{
    char name[64];
    struct span rest;
    const char *place = ladder_label(d, where);
    int node = words_find(&d->l->names, place);
    if (node < 0 && span_copy(span_cut(span_of(place), '.', &rest), name, sizeof name))
        node = words_find(&d->l->names, name);
    return ladder_column(d, node);
}

void ladder_tip(const struct ladder_drawing *d, int x, int y, bool right)
{
    int back = right ? -HEAD : HEAD;
    fprintf(d->out, "<path class=\"tip\" d=\"M%d %dl%d -4v8z\"/>", x, y, back);
}

static void message_title(const struct ladder_drawing *d, const struct ladder_row *row)
{
    char buf[REPORT_TIME];
    fputs("<title>", d->out);
    report_escape(d->out, ladder_name(d, row->node));
    fputs(" → ", d->out);
    report_escape(d->out, row->other >= 0 ? ladder_name(d, row->other) : ladder_label(d, row->peer));
    fputs(": ", d->out);
    report_escape_cut(d->out, ladder_label(d, row->text), 80);
    fprintf(d->out, ", sent at %s", report_time(row->at, buf));
    if (row->count > 1)
        fprintf(d->out, ", transmission %u", row->count);
    if (row->fate == LADDER_ARRIVED) {
        fprintf(d->out, ", arrived at %s", report_time(row->until, buf));
        fprintf(d->out, " (%s)", report_duration(row->until - row->at, buf));
        if (row->arrivals > 1)
            fprintf(d->out, ", %u times", row->arrivals);
    } else if (row->fate == LADDER_LOST) {
        fprintf(d->out, ", died at %s, ", report_time(row->until, buf));
        report_escape(d->out, ladder_label(d, row->where));
        fputs(": ", d->out);
        report_escape(d->out, ladder_label(d, row->cause));
    } else {
        fputs(d->l->now - row->at < SEC ? "; the run ends while it is on its way" : "; nothing tells of its arrival",
              d->out);
    }
    if (row->dialog >= 0) {
        fprintf(d->out, "; #%d, Call-ID ", row->dialog + 1);
        report_escape_cut(d->out, ladder_label(d, d->l->dialogs[row->dialog].call_id), 100);
    }
    fputs("</title>", d->out);
}

static void message_label(const struct ladder_drawing *d, const struct ladder_row *row, int x, int y)
{
    fprintf(d->out, "<text class=\"msg\" x=\"%d\" y=\"%d\">", x, y);
    if (ladder_is_grouped(d, row->node) || ladder_is_grouped(d, row->other)) {
        fputs("<tspan class=\"who\">", d->out);
        report_escape_cut(d->out, ladder_name(d, ladder_is_grouped(d, row->node) ? row->node : row->other), 20);
        fputs("</tspan> ", d->out);
    }
    report_escape_cut(d->out, ladder_label(d, row->text), 30);
    if (row->dialog >= 0)
        fprintf(d->out, " <tspan class=\"id\">#%d</tspan>", row->dialog + 1);
    if (row->count > 1)
        fprintf(d->out, " <tspan class=\"again\">again, %u</tspan>", row->count);
    fputs("</text>", d->out);
}

/* Where the one end is not known: the NAT or node that has the address at that end; -1. */
static int column_of_peer(const struct ladder_drawing *d, const struct ladder_row *row)
{
    int owner = topology_owner(d->l->topology, span_of(ladder_label(d, row->peer)));
    return owner >= 0 ? ladder_column(d, words_find(&d->l->names, d->l->topology->nodes[owner].name)) : -1;
}

/* From where it was sent to where it arrived, died, or was meant to go. */
struct span_x {
    int from, to;
};

static struct span_x ends(const struct ladder_drawing *d, const struct ladder_row *row)
{
    int stub = d->spacing / 2 - 6;
    int from = row->node >= 0 ? ladder_column(d, row->node) : column_of_peer(d, row);
    int to = row->other >= 0 ? ladder_column(d, row->other) : column_of_peer(d, row);
    struct span_x x = {from >= 0 ? ladder_x(d, from) : 0, to >= 0 ? ladder_x(d, to) : 0};
    if (from < 0)
        x.from = to > 0 ? x.to - stub : x.to + stub;
    if (to < 0 || to == from)
        x.to = from + 1 < d->c->n && from < d->c->n / 2 ? x.from + stub : x.from - stub;
    if (row->fate != LADDER_LOST)
        return x;
    int died = ladder_place_column(d, row->where);
    int sign = x.to < x.from ? -1 : 1;
    if (died >= 0 && died != from)
        x.to = ladder_x(d, died);
    else if (died == from && from >= 0)
        x.to = x.from + sign * stub;
    else
        x.to = x.from + (x.to - x.from) * 3 / 5;
    return x;
}

static void cross(const struct ladder_drawing *d, const struct ladder_row *row, int x, int y)
{
    fprintf(d->out, "<path class=\"cross\" d=\"M%d %dl10 10m0 -10l-10 10\"/>", x - 5, y - 5);
    fprintf(d->out, "<text class=\"died\" x=\"%d\" y=\"%d\">", x, y + 16);
    report_escape_cut(d->out, ladder_label(d, row->cause), 24);
    fputs(" at ", d->out);
    report_escape_cut(d->out, ladder_label(d, row->where), 24);
    fputs("</text>", d->out);
}

static const char *fate_class(const struct ladder_row *row)
{
    return row->fate == LADDER_LOST ? " lost" : row->fate == LADDER_UNSEEN ? " unseen" : "";
}

void ladder_arrow(const struct ladder_drawing *d, const struct ladder_row *row, int y)
{
    struct span_x x = ends(d, row);
    int line = y + 17;
    bool right = x.to > x.from;
    fprintf(d->out, "<g class=\"m c%d%s\">", row->dialog >= 0 ? row->dialog % LADDER_COLOURS : 0, fate_class(row));
    message_title(d, row);
    fprintf(d->out, "<path class=\"line\" d=\"M%d %dH%d\"/>", x.from, line, x.to + (right ? -3 : 3));
    if (row->fate != LADDER_LOST)
        ladder_tip(d, x.to, line, right);
    message_label(d, row, (x.from + x.to) / 2, line - 5);
    if (row->fate == LADDER_LOST)
        cross(d, row, x.to, line);
    fputs("</g>\n", d->out);
}
