/* Networks are bars, nodes are boxes; lengths are pixels. */
#include "sim/report/topology_svg.h"

#include "sim/report/report_text.h"

enum {
    NODE_WIDTH = 164,
    NODE_SPACE = 176, /* width of a column of nodes, and of one of networks */
    BAR_SPACE = 116,
    BAR_WIDTH = 10,
    ROW = 104,
    BAR_REACH = 24,
    PORTS_SHOWN = 3,
    NAME_SHOWN = 18,
};

static int y_of(int eighths)
{
    return ROW / 2 + eighths * ROW / TOPOLOGY_ROW;
}

/* Columns of networks and of nodes take turns; which come first depends on how deep the lab is. */
static bool is_bar_column(const struct topology *t, const struct topology_places *p, int column)
{
    for (size_t n = 0; n < t->networks_n; n++)
        if (p->networks[n].column == column)
            return true;
    return false;
}

/* The left edge of a column; of the one after the last: the width of all. */
static int x_of(const struct topology *t, const struct topology_places *p, int column)
{
    int x = 0;
    for (int i = 0; i < column; i++)
        x += is_bar_column(t, p, i) ? BAR_SPACE : NODE_SPACE;
    return x;
}

static int bar_x(const struct topology *t, const struct topology_places *p, size_t network)
{
    return x_of(t, p, p->networks[network].column) + (BAR_SPACE - BAR_WIDTH) / 2;
}

/* ---- wires ---- */

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static void wire(const struct topology *t, const struct topology_places *p, size_t group, size_t network, FILE *out)
{
    const struct topology_spot *g = &p->groups[group];
    const struct topology_spot *n = &p->networks[network];
    bool left = g->column < n->column;
    int from =
        x_of(t, p, g->column) + (left ? NODE_SPACE - (NODE_SPACE - NODE_WIDTH) / 2 : (NODE_SPACE - NODE_WIDTH) / 2);
    int to = bar_x(t, p, network) + (left ? 0 : BAR_WIDTH);
    int y = y_of(g->row);
    int bar_y = clamp(y, y_of(n->top), y_of(n->bottom));
    fprintf(out, "<path class=\"wire\" d=\"M%d %dC%d %d %d %d %d %d\"/>\n", from, y, (from + to) / 2, y,
            (from + to) / 2, bar_y, to, bar_y);
}

static void wires(const struct topology *t, const struct topology_places *p, FILE *out)
{
    for (size_t g = 0; g < t->groups_n; g++) {
        const struct topology_node *node = &t->nodes[t->groups[g].first];
        for (size_t i = 0; i < node->ports_n; i++)
            if (node->ports[i].network >= 0 && p->groups[g].column >= 0)
                wire(t, p, g, (size_t)node->ports[i].network, out);
    }
}

/* ---- networks ---- */

static void network(const struct topology *t, const struct topology_places *p, size_t i, FILE *out)
{
    const struct topology_network *n = &t->networks[i];
    int x = bar_x(t, p, i);
    int top = y_of(p->networks[i].top) - BAR_REACH;
    int height = y_of(p->networks[i].bottom) + BAR_REACH - top;
    int label = top - (n->hops ? 34 : 22);
    fprintf(out, "<g class=\"net\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\"%s/>", x, top, BAR_WIDTH,
            height, n->hops ? " class=\"far\"" : "");
    fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%d\">", x + BAR_WIDTH / 2, label);
    report_escape_cut(out, n->name, NAME_SHOWN);
    fprintf(out, "</text><text class=\"addr\" x=\"%d\" y=\"%d\">", x + BAR_WIDTH / 2, label + 14);
    report_escape_cut(out, n->subnet, NAME_SHOWN);
    fputs("</text>", out);
    if (n->hops)
        fprintf(out, "<text class=\"hops\" x=\"%d\" y=\"%d\">%u router%s in a row</text>", x + BAR_WIDTH / 2,
                label + 27, n->hops, n->hops > 1 ? "s" : "");
    fputs("</g>\n", out);
}

/* ---- nodes ---- */

static int height_of(const struct topology_node *node)
{
    size_t lines = node->ports_n > PORTS_SHOWN ? PORTS_SHOWN + 1 : node->ports_n;
    return 26 + 14 * (int)lines;
}

static void port_line(const struct topology_port *port, bool named, int x, int y, FILE *out)
{
    fprintf(out, "<text class=\"addr\" x=\"%d\" y=\"%d\">", x, y);
    report_escape_cut(out, port->address, NAME_SHOWN);
    if (named) {
        fputs(" <tspan class=\"side\">", out);
        report_escape_cut(out, port->name, 8);
        fputs("</tspan>", out);
    }
    fputs("</text>", out);
}

/* One node, or so many of a kind: the first address, and how many there are. */
static void node(const struct topology *t, const struct topology_places *p, size_t i, FILE *out)
{
    const struct topology_group *group = &t->groups[i];
    const struct topology_node *first = &t->nodes[group->first];
    int height = height_of(first);
    int x = x_of(t, p, p->groups[i].column) + (NODE_SPACE - NODE_WIDTH) / 2;
    int y = y_of(p->groups[i].row) - height / 2;
    bool known = topology_speaks(first) || strcmp(first->kind, "nat") == 0;
    fprintf(out, "<g class=\"node k-%s\">", known ? first->kind : "other");
    if (group->n > 1)
        fprintf(out, "<rect class=\"more\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"7\"/>", x + 5, y - 5,
                NODE_WIDTH, height);
    fprintf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"7\"/>", x, y, NODE_WIDTH, height);
    fprintf(out, "<rect class=\"mark\" x=\"%d\" y=\"%d\" width=\"4\" height=\"%d\" rx=\"2\"/>", x + 6, y + 8,
            height - 16);
    fprintf(out, "<text class=\"name\" x=\"%d\" y=\"%d\">", x + 18, y + 18);
    report_escape_cut(out, first->name, group->n > 1 ? NAME_SHOWN - 6 : NAME_SHOWN - 4);
    if (group->n > 1)
        fputs(" …", out);
    fprintf(out, "</text><text class=\"kind\" x=\"%d\" y=\"%d\">", x + NODE_WIDTH - 10, y + 18);
    if (group->n > 1)
        fprintf(out, "× %zu", group->n);
    else
        report_escape_cut(out, first->kind, 8);
    fputs("</text>", out);
    for (size_t k = 0; k < first->ports_n && k < PORTS_SHOWN; k++)
        port_line(&first->ports[k], first->ports_n > 1, x + 18, y + 34 + 14 * (int)k, out);
    if (first->ports_n > PORTS_SHOWN)
        fprintf(out, "<text class=\"addr\" x=\"%d\" y=\"%d\">and %zu more</text>", x + 18, y + 34 + 14 * PORTS_SHOWN,
                first->ports_n - PORTS_SHOWN);
    fputs("</g>\n", out);
}

/* Above the topmost names and boxes; it may be below 0. */
static int top_of(const struct topology *t, const struct topology_places *p)
{
    int top = ROW;
    for (size_t i = 0; i < t->networks_n; i++) {
        int y = y_of(p->networks[i].top) - BAR_REACH - (t->networks[i].hops ? 34 : 22) - 18;
        top = y < top ? y : top;
    }
    for (size_t i = 0; i < t->groups_n; i++) {
        int y = y_of(p->groups[i].row) - height_of(&t->nodes[t->groups[i].first]) / 2 - 12;
        top = y < top ? y : top;
    }
    return top;
}

void topology_svg(const struct topology *t, const struct topology_places *p, FILE *out)
{
    int width = x_of(t, p, p->columns);
    int top = top_of(t, p);
    int height = y_of(p->rows - TOPOLOGY_ROW) + ROW / 2 + 8 - top;
    fprintf(out,
            "<svg class=\"topology\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"%d\" height=\"%d\" "
            "viewBox=\"0 %d %d %d\">\n<title>The network, from the phones outside to the PBX</title>\n",
            width, height, top, width, height);
    wires(t, p, out);
    for (size_t i = 0; i < t->networks_n; i++)
        if (p->networks[i].column >= 0)
            network(t, p, i, out);
    for (size_t i = 0; i < t->groups_n; i++)
        if (p->groups[i].column >= 0)
            node(t, p, i, out);
    fputs("</svg>\n", out);
}
