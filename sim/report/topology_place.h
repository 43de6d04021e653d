/* Where everything stands in the picture of a network: in columns from the homes outside, on the left, over NATs and
 * the internet to the office, on the right. Pure.
 *
 * Networks and groups of nodes are the two kinds of points of a graph. From the network of the PBX their distance is
 * counted; it is the column. Who stands on that network alone is to the right of it. Rows follow from the tree of the
 * shortest ways: what hangs on one network stays together. */
#ifndef FAREND_REPORT_TOPOLOGY_PLACE_H
#define FAREND_REPORT_TOPOLOGY_PLACE_H

#include "sim/report/topology.h"

struct topology_spot {
    int column;      /* from 0, the leftmost; -1: it was not reached */
    int row;         /* in eighths of a row, the middle */
    int top, bottom; /* networks: rows of the first and the last group on its left, eighths; equal to row: none */
    int depth;       /* from the PBX's network */
    int parent;      /* of a group: the network, of a network: the group, that leads to the PBX; -1: none */
};

struct topology_places {
    struct topology_spot *groups, *networks;
    int columns;
    int rows; /* eighths */
};

enum {
    TOPOLOGY_ROW = 8,       /* eighths of a row */
    TOPOLOGY_NETWORKS = 60, /* no more than so many networks and groups are drawn */
    TOPOLOGY_GROUPS = 120,
};

bool topology_drawable(const struct topology *t);

/* 0, FE_EMEM. To be freed either way. Only for what is drawable. */
int topology_places(struct topology_places *p, const struct topology *t);
void topology_places_fini(struct topology_places *p);

#endif
