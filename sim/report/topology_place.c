#include "sim/report/topology_place.h"

#include "nodes/base/error.h"

#include <stdlib.h>

struct placing {
    const struct topology *t;
    struct topology_places *p;
    int left, right; /* the next free row on either side of the PBX's network */
};

bool topology_drawable(const struct topology *t)
{
    return t->groups_n && t->groups_n <= TOPOLOGY_GROUPS && t->networks_n <= TOPOLOGY_NETWORKS;
}

static const struct topology_node *node_of(const struct topology *t, size_t group)
{
    return &t->nodes[t->groups[group].first];
}

static bool stands_on(const struct topology *t, size_t group, size_t network)
{
    const struct topology_node *node = node_of(t, group);
    for (size_t i = 0; i < node->ports_n; i++)
        if (node->ports[i].network == (int)network)
            return true;
    return false;
}

static bool is_leaf(const struct topology *t, size_t group)
{
    const struct topology_node *node = node_of(t, group);
    for (size_t i = 1; i < node->ports_n; i++)
        if (node->ports[i].network != node->ports[0].network)
            return false;
    return true;
}

/* ---- columns ---- */

static size_t network_with(const struct topology *t, const char *kind)
{
    for (size_t g = 0; g < t->groups_n; g++) {
        const struct topology_node *node = node_of(t, g);
        if (strcmp(node->kind, kind) == 0 && node->ports_n && node->ports[node->ports_n - 1].network >= 0)
            return (size_t)node->ports[node->ports_n - 1].network;
    }
    return t->networks_n;
}

/* Without a PBX and an SBC: the network that most stand on. */
static size_t busiest(const struct topology *t)
{
    size_t found = 0;
    size_t most = 0;
    for (size_t n = 0; n < t->networks_n; n++) {
        size_t here = 0;
        for (size_t g = 0; g < t->groups_n; g++)
            here += stands_on(t, g, n);
        found = here > most ? n : found;
        most = here > most ? here : most;
    }
    return found;
}

static size_t root_of(const struct topology *t)
{
    size_t root = network_with(t, "pbx");
    if (root == t->networks_n)
        root = network_with(t, "sbc");
    return root == t->networks_n ? busiest(t) : root;
}

/* One step from everything at this depth; false when there was nothing new. */
static bool spread(struct placing *pl, int depth)
{
    const struct topology *t = pl->t;
    struct topology_spot *groups = pl->p->groups;
    struct topology_spot *networks = pl->p->networks;
    bool any = false;
    for (size_t g = 0; g < t->groups_n; g++)
        for (size_t n = 0; n < t->networks_n; n++) {
            if (!stands_on(t, g, n))
                continue;
            if (networks[n].depth == depth && groups[g].depth < 0) {
                groups[g].depth = depth + 1;
                groups[g].parent = (int)n;
                any = true;
            } else if (groups[g].depth == depth && networks[n].depth < 0) {
                networks[n].depth = depth + 1;
                networks[n].parent = (int)g;
                any = true;
            }
        }
    return any;
}

static void depths_from(struct placing *pl, size_t root)
{
    pl->p->networks[root].depth = 0;
    for (int depth = 0; spread(pl, depth); depth++) {
    }
}

static void depths(struct placing *pl, size_t root)
{
    depths_from(pl, root);
    for (size_t n = 0; n < pl->t->networks_n; n++) /* islands */
        if (pl->p->networks[n].depth < 0)
            depths_from(pl, n);
}

/* Leaves of the PBX's own network stand on its right; phones only where somebody else is on its left. */
static bool on_the_right(const struct placing *pl, size_t group, bool others)
{
    const struct topology_spot *spot = &pl->p->groups[group];
    return spot->depth == 1 && is_leaf(pl->t, group) && (others || strcmp(node_of(pl->t, group)->kind, "phone") != 0);
}

static void columns(struct placing *pl)
{
    int deepest = 0;
    bool others = false;
    bool right = false;
    struct topology_places *p = pl->p;
    for (size_t g = 0; g < pl->t->groups_n; g++) {
        others = others || (p->groups[g].depth == 1 && !is_leaf(pl->t, g));
        deepest = p->groups[g].depth > deepest ? p->groups[g].depth : deepest;
    }
    for (size_t n = 0; n < pl->t->networks_n; n++)
        deepest = p->networks[n].depth > deepest ? p->networks[n].depth : deepest;
    for (size_t n = 0; n < pl->t->networks_n; n++)
        p->networks[n].column = p->networks[n].depth < 0 ? -1 : deepest - p->networks[n].depth;
    for (size_t g = 0; g < pl->t->groups_n; g++) {
        bool here = on_the_right(pl, g, others);
        right = right || here;
        p->groups[g].column = p->groups[g].depth < 0 ? -1 : here ? deepest + 1 : deepest - p->groups[g].depth;
    }
    p->columns = deepest + 1 + right;
}

/* ---- rows ---- */

static void network_rows(struct placing *pl, size_t n);

static void group_rows(struct placing *pl, size_t g)
{
    struct topology_spot *spot = &pl->p->groups[g];
    int first = -1;
    int last = -1;
    for (size_t n = 0; n < pl->t->networks_n; n++) {
        if (pl->p->networks[n].parent != (int)g)
            continue;
        network_rows(pl, n);
        first = first < 0 ? pl->p->networks[n].row : first;
        last = pl->p->networks[n].row;
    }
    if (first < 0) {
        first = last = pl->left;
        pl->left += TOPOLOGY_ROW;
    }
    spot->row = (first + last) / 2;
}

/* A network without anybody on its left takes a row of its own. */
static void network_rows(struct placing *pl, size_t n)
{
    struct topology_spot *spot = &pl->p->networks[n];
    int first = -1;
    int last = -1;
    for (size_t g = 0; g < pl->t->groups_n; g++) {
        struct topology_spot *group = &pl->p->groups[g];
        if (group->parent != (int)n)
            continue;
        if (group->column > spot->column) {
            group->row = pl->right;
            pl->right += TOPOLOGY_ROW;
            continue;
        }
        group_rows(pl, g);
        first = first < 0 ? group->row : first;
        last = group->row;
    }
    if (first < 0) {
        first = last = pl->left;
        pl->left += TOPOLOGY_ROW;
    }
    spot->top = first;
    spot->bottom = last;
    spot->row = (first + last) / 2;
}

/* The lower one of the two sides is moved to the middle of the other. */
static void balance(struct placing *pl)
{
    int shift = (pl->left - pl->right) / 2;
    struct topology_places *p = pl->p;
    for (size_t g = 0; g < pl->t->groups_n; g++) {
        bool right = p->groups[g].column == p->columns - 1 && p->groups[g].depth == 1;
        if (right == (shift > 0))
            p->groups[g].row += abs(shift);
    }
    for (size_t n = 0; n < pl->t->networks_n && shift < 0; n++) {
        p->networks[n].row -= shift;
        p->networks[n].top -= shift;
        p->networks[n].bottom -= shift;
    }
    p->rows = pl->left > pl->right ? pl->left : pl->right;
}

int topology_places(struct topology_places *p, const struct topology *t)
{
    static const struct topology_spot unknown = {.column = -1, .depth = -1, .parent = -1};
    struct placing pl = {.t = t, .p = p};
    p->groups = calloc(t->groups_n + 1, sizeof p->groups[0]);
    p->networks = calloc(t->networks_n + 1, sizeof p->networks[0]);
    if (!p->groups || !p->networks)
        return FE_EMEM;
    for (size_t g = 0; g < t->groups_n; g++)
        p->groups[g] = unknown;
    for (size_t n = 0; n < t->networks_n; n++)
        p->networks[n] = unknown;
    if (t->networks_n == 0)
        return 0;
    depths(&pl, root_of(t));
    columns(&pl);
    for (size_t n = 0; n < t->networks_n; n++)
        if (p->networks[n].parent < 0)
            network_rows(&pl, n);
    balance(&pl);
    return 0;
}

void topology_places_fini(struct topology_places *p)
{
    free(p->groups);
    free(p->networks);
    *p = (struct topology_places){0};
}
