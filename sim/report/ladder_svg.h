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

int ladder_x(const struct ladder_drawing *d, int column);
bool ladder_is_band(const struct ladder_row *row);
bool ladder_is_shown(const struct ladder_drawing *d, const struct ladder_row *row);

/* Rows from `first` on, none of them a band, as one SVG; returns the row after the last. `stop`: the end. */
size_t ladder_rungs(const struct ladder_drawing *d, size_t first, size_t stop);

#endif
