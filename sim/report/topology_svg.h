/* The picture of a lab's network, as an SVG within the report. */
#ifndef FAREND_REPORT_TOPOLOGY_SVG_H
#define FAREND_REPORT_TOPOLOGY_SVG_H

#include "sim/report/topology_place.h"

#include <stdio.h>

void topology_svg(const struct topology *t, const struct topology_places *p, FILE *out);

#endif
