/* The columns of a ladder: who has one, and in which order. Pure. */
#ifndef FAREND_REPORT_LADDER_COLUMNS_H
#define FAREND_REPORT_LADDER_COLUMNS_H

#include "sim/report/ladder.h"
#include "sim/report/topology_place.h"

enum { LADDER_COLUMNS = 20 };

struct ladder_column {
    int node;       /* of the ladder: the first of its nodes */
    size_t members; /* nodes that share it, as they are alike */
    int order;      /* from the left; internal */
};

struct ladder_columns {
    struct ladder_column list[LADDER_COLUMNS];
    int n;
    int *of;         /* for each node of the ladder its column, or -1 */
    size_t left_out; /* nodes that speak SIP and found no room */
};

/* Who speaks SIP, and who else something happens to; in the order of the network's picture, from the phones outside to
 * the office. `places` may be NULL: the order of their first lines. 0, FE_EMEM. To be freed either way. */
int ladder_columns(struct ladder_columns *c, const struct ladder *l, const struct topology_places *places);
void ladder_columns_fini(struct ladder_columns *c);

#endif
