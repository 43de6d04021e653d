/* The ladder, drawn: an SVG for the rows between two bands, and the bands as HTML, so that a long one can be read,
 * linked to, searched and printed. */
#ifndef FAREND_REPORT_LADDER_SVG_H
#define FAREND_REPORT_LADDER_SVG_H

#include "sim/report/ladder_columns.h"

#include <stdio.h>

enum {
    LADDER_SHOWN = 2000, /* rows; of more the first and the last half of this are shown */
    LADDER_COLOURS = 6,  /* of dialogs, by turns: classes c0 … c5 */
};

void ladder_svg(const struct ladder *l, const struct ladder_columns *c, FILE *out);

/* Within: the rungs of one SVG, in ladder_rungs.c. Lengths are pixels. */
enum { LADDER_GUTTER = 96 };

struct ladder_drawing {
    const struct ladder *l;
    const struct ladder_columns *c;
    FILE *out;
    int spacing, width;
};

static inline const char *ladder_label(const struct ladder_drawing *d, int number)
{
    return words_text(&d->l->words, number);
}

static inline const char *ladder_name(const struct ladder_drawing *d, int node)
{
    return node >= 0 ? words_text(&d->l->names, node) : "?";
}

/* Of a node, or -1. */
static inline int ladder_column(const struct ladder_drawing *d, int node)
{
    return node >= 0 ? d->c->of[node] : -1;
}

static inline bool ladder_is_grouped(const struct ladder_drawing *d, int node)
{
    int column = ladder_column(d, node);
    return column >= 0 && d->c->list[column].members > 1;
}

/* The column of the node or wire ("alice.home": alice's) where something died; -1. */
int ladder_place_column(const struct ladder_drawing *d, int where);

int ladder_x(const struct ladder_drawing *d, int column);
bool ladder_is_band(const struct ladder_row *row);
bool ladder_is_shown(const struct ladder_drawing *d, const struct ladder_row *row);

/* In ladder_arrow.c: a message in the row that begins at y; and the head of an arrow alone. */
void ladder_arrow(const struct ladder_drawing *d, const struct ladder_row *row, int y);
void ladder_tip(const struct ladder_drawing *d, int x, int y, bool right);

/* Rows from `first` on, none of them a band, as one SVG; returns the row after the last. `stop`: the end. */
size_t ladder_rungs(const struct ladder_drawing *d, size_t first, size_t stop);

#endif
