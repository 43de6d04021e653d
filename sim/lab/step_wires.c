/* Which wires a step means. */
#include "sim/lab/lab_read.h"
#include "sim/lab/step_read.h"

/* Which directions are meant: out of the wire's first end, which is the node's, in, or (-1) both. */
static bool wanted(int direction, unsigned d)
{
    return direction < 0 || (unsigned)direction == d;
}

static bool wire_add(struct step_reader *r, struct step *s, unsigned wire, unsigned direction)
{
    struct step_wire *w = arena_push(&r->lab->arena, &s->wires, &s->wires_n, sizeof *w);
    if (w)
        *w = (struct step_wire){wire, direction};
    return step_kept(r, w);
}

/* The wires on which a network's own properties lie (sim/engine/plan.h), or all of them, both ways; with a direction
 * that one: out of the nodes or in to them. */
bool step_network_wires(struct step_reader *r, struct step *s, unsigned network, bool all, int direction)
{
    const struct lab_network *n = &r->lab->networks[network];
    const struct plan *plan = &r->lab->plan;
    for (size_t i = 0; i < n->ports_n && plan->nodes_n; i++) {
        const struct lab_port *p = n->ports[i];
        unsigned wire = plan->nodes[p->node].ports[p->index].wire;
        bool carries = all || !n->hops || !p->far;
        bool there = carries && wanted(direction, 0);
        bool back = carries && (all || n->direct || n->hops || direction == 1) && wanted(direction, 1);
        if (n->direct && i > 0)
            break; /* its two ports share the one wire */
        if ((there && !wire_add(r, s, wire, 0)) || (back && !wire_add(r, s, wire, 1)))
            return false;
    }
    return true;
}

bool step_node_wires(struct step_reader *r, struct step *s, unsigned node, int direction)
{
    const struct plan *plan = &r->lab->plan;
    for (size_t i = 0; plan->nodes_n && i < plan->nodes[node].ports_n; i++) {
        const struct plan_port *port = &plan->nodes[node].ports[i];
        for (unsigned d = 0; d < 2; d++)
            if (wanted(direction, d ^ port->end) && !wire_add(r, s, port->wire, d))
                return false;
    }
    return true;
}

bool step_named_wire(struct step_reader *r, struct step *s, const struct doc *name, int direction)
{
    struct lab *lab = r->lab;
    if (lab->plan.wires_n == 0)
        return true; /* the plan has problems of its own */
    int wire = names_find(&lab->wire_names, span_of(name->text));
    if (wire < 0) {
        problem(&lab->problems, name->at, "there is no wire \"", name->text, "\"",
                names_hint(&lab->arena, &lab->wire_names, name->text));
        return false;
    }
    for (unsigned d = 0; d < 2; d++)
        if (wanted(direction, d) && !wire_add(r, s, (unsigned)wire, d))
            return false;
    return true;
}

bool step_nobody(struct step_reader *r, const struct doc *name)
{
    const char *hint = names_hint(&r->lab->arena, &r->lab->node_names, name->text);
    problem(&r->lab->problems, name->at, "there is no node or network \"", name->text, "\"",
            *hint ? hint : names_hint(&r->lab->arena, &r->lab->network_names, name->text));
    return false;
}

bool step_wire_or_on(struct step_reader *r, const struct doc *d, const struct doc *on, const struct doc *wire)
{
    if (!on == !wire) {
        problem(&r->lab->problems, d->at, "expected either \"on\" with a node or network, or \"wire\"");
        return false;
    }
    return true;
}
