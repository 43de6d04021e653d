/* Templates: "{{sbc.outside}}" is the address of sbc's port, "{{alice.line}}" a setting of alice as the lab gives it.
 */
#include "nodes/base/error.h"
#include "sim/lab/lab_program.h"
#include "sim/lab/lab_read.h"

enum { TEMPLATE_PLACE = 64 };

struct template
{
    struct lab *lab;
    const struct doc *d;
};

static const char *port_address(struct lab *lab, const struct lab_node *node, const char *name)
{
    char buf[ENDPOINT_TEXT];
    for (size_t i = 0; i < node->ports_n; i++)
        if (strcmp(node->ports[i].name, name) == 0)
            return arena_text(&lab->arena, addr_text(node->ports[i].addr, buf));
    return NULL;
}

/* What stands for "alice.line"; NULL after a problem. */
static const char *value_of(struct template *t, struct span place)
{
    struct lab *lab = t->lab;
    struct span path;
    struct span name = span_cut(place, '.', &path);
    char buf[TEMPLATE_PLACE];
    int index = names_find(&lab->node_names, name);
    const char *whole = arena_copy(&lab->arena, place.p, place.n);
    if (!whole)
        return NULL;
    if (index < 0 || !path.p || path.n >= sizeof buf) {
        problem(&lab->problems, t->d->at, "\"{{", whole, "}}\" names no node of the lab; expected as {{sbc.outside}}, ",
                "{{alice.line}} or ", FOREIGN_DIR,
                names_hint(&lab->arena, &lab->node_names, arena_copy(&lab->arena, name.p, name.n)));
        return NULL;
    }
    const struct lab_node *node = &lab->nodes[index];
    span_copy(path, buf, sizeof buf);
    const char *value = port_address(lab, node, buf);
    if (!value)
        value = lab_setting(node, buf);
    if (!value)
        problem(&lab->problems, t->d->at, "\"{{", whole, "}}\": \"", node->name,
                "\" has neither a port nor a setting of this name in the lab file");
    return value;
}

/* The next piece of the text, up to and with a place that is filled in; NULL after a problem. */
static const char *piece(struct template *t, struct span *rest)
{
    struct lab *lab = t->lab;
    const char *open = strstr(rest->p, "{{");
    const char *close = open ? strstr(open, "}}") : NULL;
    if (!close) {
        const char *last = rest->p;
        rest->n = 0;
        return last;
    }
    struct span place = span_trim(span_make(open + 2, (size_t)(close - open) - 2));
    const char *before = arena_copy(&lab->arena, rest->p, (size_t)(open - rest->p));
    const char *value = span_is(place, "dir") ? FOREIGN_DIR : value_of(t, place);
    *rest = span_of(close + 2);
    return before && value ? arena_text(&lab->arena, before, value) : NULL;
}

const char *lab_template(struct lab *lab, const struct doc *d)
{
    struct template t = {lab, d};
    struct span rest = span_of(d->text);
    const char *out = "";
    while (out && rest.n) {
        const char *next = piece(&t, &rest);
        out = next ? arena_text(&lab->arena, out, next) : NULL;
    }
    return out;
}
