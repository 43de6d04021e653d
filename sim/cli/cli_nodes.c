#include "sim/cli/cli_nodes.h"

#include "nodes/base/text.h"
#include "sim/lab/lab_program.h"

#include <string.h>

enum { CELL = 512 };

struct widths {
    int name, kind, ports;
};

static const char *kind_of(const struct lab_node *node)
{
    return node->kind ? node->kind->name : "router";
}

/* "on 192.168.1.20", "inside 192.168.1.1, outside 100.64.0.20". */
static void ports_say(const struct lab_node *node, struct text *out)
{
    for (size_t i = 0; i < node->ports_n; i++) {
        text_str(out, i ? ", " : "");
        text_str(out, node->ports[i].name);
        text_char(out, ' ');
        text_addr(out, node->ports[i].addr);
    }
}

static struct widths widths_of(const struct lab *lab)
{
    struct widths w = {0};
    for (size_t i = 0; i < lab->nodes_n; i++) {
        char buf[CELL];
        struct text ports = text_on(buf, sizeof buf);
        int name = (int)strlen(lab->nodes[i].name);
        int kind = (int)strlen(kind_of(&lab->nodes[i]));
        ports_say(&lab->nodes[i], &ports);
        w.name = name > w.name ? name : w.name;
        w.kind = kind > w.kind ? kind : w.kind;
        w.ports = (int)ports.n > w.ports ? (int)ports.n : w.ports;
    }
    return w;
}

/* ---- states ---- */

static void phone_say(const struct facts *facts, unsigned node, struct text *out)
{
    const struct node_facts *n = &facts->nodes[node];
    const struct call_facts *call = facts_call(facts, node, NULL);
    text_str(out, phone_state_words[n->state]);
    if (n->state == PHONE_FAILED && n->status) {
        text_str(out, " with ");
        text_u64(out, n->status);
    }
    if (!call || call_is_over(call->state))
        return;
    text_str(out, call->state == CALL_ESTABLISHED ? ", in call with " : ", ");
    if (call->state != CALL_ESTABLISHED) {
        text_str(out, call_state_words[call->state]);
        text_char(out, ' ');
    }
    text_str(out, call->peer);
}

static void program_say(const struct node_facts *n, struct text *out)
{
    text_str(out, program_state_words[n->program]);
    if (n->program != PROGRAM_ENDED)
        return;
    text_str(out, " with status ");
    text_u64(out, n->status);
}

static void state_say(const struct lab *lab, const struct facts *facts, unsigned node, struct text *out)
{
    const struct node_facts *n = &facts->nodes[node];
    if (n->off)
        text_str(out, "off");
    else if (n->frozen)
        text_str(out, "frozen");
    else if (lab_is_phone(&lab->nodes[node]))
        phone_say(facts, node, out);
    else if (lab->nodes[node].program && lab->nodes[node].program->plan.command.words)
        program_say(n, out);
    else
        text_str(out, "on");
}

/* ---- the table ---- */

void cli_nodes_print(const struct lab *lab, const struct facts *facts, FILE *out)
{
    struct widths w = widths_of(lab);
    for (unsigned i = 0; i < lab->nodes_n; i++) {
        char ports_buf[CELL];
        char state_buf[CELL];
        struct text ports = text_on(ports_buf, sizeof ports_buf);
        struct text state = text_on(state_buf, sizeof state_buf);
        ports_say(&lab->nodes[i], &ports);
        if (facts)
            state_say(lab, facts, i, &state);
        fprintf(out, "  %-*s  %-*s  %-*s%s%s\n", w.name, lab->nodes[i].name, w.kind, kind_of(&lab->nodes[i]),
                facts ? w.ports : 0, ports_buf, facts ? "  " : "", state_buf);
    }
}
