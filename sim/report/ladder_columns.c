#include "sim/report/ladder_columns.h"

#include "nodes/base/error.h"

#include <stdlib.h>

enum { UNPLACED = 1000000 };

/* A router of a chain, which the lab file does not name, has none. */
static bool worth(const struct ladder *l, const struct ladder_node *node)
{
    bool known = node->topology >= 0 || l->topology->nodes_n == 0;
    return node->speaks || (node->happens && known);
}

static size_t group_of(const struct ladder *l, const struct ladder_node *node)
{
    return node->topology >= 0 ? l->topology->nodes[node->topology].group : SIZE_MAX;
}

static int order_of(const struct ladder *l, const struct ladder_node *node, const struct topology_places *places)
{
    if (!places || !places->groups || node->topology < 0)
        return UNPLACED;
    const struct topology_spot *spot = &places->groups[group_of(l, node)];
    return spot->column < 0 ? UNPLACED : spot->column * (places->rows + 1) + spot->row;
}

static int column_of_group(const struct ladder_columns *c, const struct ladder *l, size_t group)
{
    for (int i = 0; i < c->n && group != SIZE_MAX; i++)
        if (group_of(l, &l->nodes[c->list[i].node]) == group)
            return i;
    return -1;
}

static void add(struct ladder_columns *c, const struct ladder *l, int node, int order)
{
    int shared = column_of_group(c, l, group_of(l, &l->nodes[node]));
    if (shared >= 0) {
        c->list[shared].members++;
    } else if (c->n < LADDER_COLUMNS) {
        c->list[c->n++] = (struct ladder_column){node, 1, order};
    } else if (l->nodes[node].speaks) {
        c->left_out++;
    }
}

/* Stable: equal ones stay in the order of their first lines. */
static void sort(struct ladder_columns *c)
{
    for (int i = 1; i < c->n; i++)
        for (int k = i; k > 0 && c->list[k].order < c->list[k - 1].order; k--) {
            struct ladder_column swap = c->list[k];
            c->list[k] = c->list[k - 1];
            c->list[k - 1] = swap;
        }
}

int ladder_columns(struct ladder_columns *c, const struct ladder *l, const struct topology_places *places)
{
    *c = (struct ladder_columns){0};
    c->of = calloc(l->nodes_n + 1, sizeof c->of[0]);
    if (!c->of)
        return FE_EMEM;
    for (int speaking = 1; speaking >= 0; speaking--)
        for (size_t i = 0; i < l->nodes_n; i++)
            if (worth(l, &l->nodes[i]) && l->nodes[i].speaks == speaking)
                add(c, l, (int)i, order_of(l, &l->nodes[i], places));
    sort(c);
    for (size_t i = 0; i < l->nodes_n; i++) {
        c->of[i] = column_of_group(c, l, group_of(l, &l->nodes[i]));
        for (int k = 0; k < c->n; k++)
            if (c->list[k].node == (int)i)
                c->of[i] = k;
    }
    return 0;
}

void ladder_columns_fini(struct ladder_columns *c)
{
    free(c->of);
    *c = (struct ladder_columns){0};
}
