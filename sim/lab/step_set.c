/* The step `set`: properties of wires and networks, {on: home, delay: 20ms}; a node's setting, {on: sbc, media ttl:
 * reset}; its machine's clock, {on: alice, clock: right}, or its port's MTU, {on: alice, mtu: 1400B}. */
#include "nodes/base/error.h"
#include "sim/lab/lab_read.h"
#include "sim/lab/step_read.h"

const char *const step_direction_words[] = {"out", "in", NULL};

struct set_words {
    const struct doc *on, *wire, *clock, *port;
    int direction;
    uint32_t mtu;
    struct link link;
};

#define AT(member) offsetof(struct set_words, member)

const struct field step_set_form[] = {
    LINK_FIELDS(struct set_words, link),
    {"mtu", FIELD_SIZE, AT(mtu), .min = LAB_PORT_MTU_MIN, .max = 65535, .help = "of a node's own interface"},
    {"port", FIELD_NAME, AT(port), .help = "mtu: the node's port, where it has several"},
    {"clock", FIELD_ANY, AT(clock), .means = "clock",
     .help = "a node's: right, or the date that it shows from now on, or how far it is out"},
    {"on", FIELD_NAME, AT(on), .help = "the network, or a node and one of its settings"},
    {"wire", FIELD_NAME, AT(wire), .help = "the wire, as alice.home or internet.3-4"},
    {"direction", FIELD_CHOICE, AT(direction), .choices = step_direction_words,
     .help = "from the node or to it; both unless said"},
    {0}};

static bool words_read(struct step_reader *r, const struct doc *d, struct set_words *words, uint32_t *given)
{
    struct form_reader reader = lab_reader(r->lab);
    uint32_t bits = form_read(&reader, d, step_set_form, words);
    if (given)
        *given = bits;
    return !(bits & FORM_BAD);
}

/* {on: sbc, media ttl: reset}: one setting of a node, as the command "set media ttl reset". */
static bool set_node_read(struct step_reader *r, struct step *s, const struct doc *d, int node)
{
    struct lab *lab = r->lab;
    const struct node_kind *kind = lab->nodes[node].kind;
    char buf[PROBLEM_TEXT];
    struct text why = text_on(buf, sizeof buf);
    if (d->n != 2 || !kind) {
        problem(&lab->problems, d->at, "expected one setting of \"", lab->nodes[node].name, "\" beside \"on\"");
        return false;
    }
    const struct doc_entry *e = &d->entries[strcmp(d->entries[0].key->text, "on") == 0];
    void *settings = options_new(kind->options, kind->settings_size);
    if (!step_kept(r, settings))
        return false;
    int error = FE_ESYNTAX;
    if (e->value->type == DOC_TEXT)
        error = options_set(kind->options, settings, span_of(e->key->text), span_of(e->value->text), &why);
    else
        text_str(&why, "expected a single value here");
    options_free(kind->options, settings);
    if (error) {
        problem(&lab->problems, error == FE_EUNKNOWN ? e->key->at : e->value->at, buf);
        return false;
    }
    s->type = STEP_COMMAND;
    s->node = (unsigned)node;
    s->command = arena_text(&lab->arena, "set ", e->key->text, " ", e->value->text);
    return step_kept(r, s->command) && step_command_known(r, s->node, s->command, e->key->at);
}

/* {on: alice, clock: right}: the time came, or somebody typed it. */
static bool set_clock_read(struct step_reader *r, struct step *s, const struct doc *d, int node)
{
    const struct doc *value = doc_get(d, "clock");
    s->type = STEP_CLOCK;
    s->node = (unsigned)node;
    if (d->n == 2)
        return lab_clock_matters(r->lab, &r->lab->nodes[node], value->at) && lab_clock_read(r->lab, value, &s->clock);
    problem(&r->lab->problems, d->at, "expected the clock alone beside \"on\"");
    return false;
}

static bool port_find(struct step_reader *r, struct step *s, const struct doc *d, const struct doc *name)
{
    const struct lab_node *node = &r->lab->nodes[s->node];
    const char *names[LAB_PORTS_MAX + 1] = {0};
    for (unsigned i = 0; i < node->ports_n && i < LAB_PORTS_MAX; i++) {
        names[i] = node->ports[i].name;
        s->index = i;
        if (name ? strcmp(name->text, names[i]) == 0 : node->ports_n == 1)
            return true;
    }
    problem(&r->lab->problems, name ? name->at : d->at, "which port of \"", node->name,
            "\"? expected \"port\": ", words_list(&r->lab->arena, names));
    return false;
}

/* {on: router, port: outside, mtu: 1492B}: as somebody sets it on the machine. */
static bool set_mtu_read(struct step_reader *r, struct step *s, const struct doc *d, int node)
{
    struct set_words words = {.direction = -1};
    if (!words_read(r, d, &words, NULL))
        return false;
    s->type = STEP_MTU;
    s->node = (unsigned)node;
    s->mtu = words.mtu;
    if (d->n == (words.port ? 3 : 2))
        return port_find(r, s, d, words.port);
    problem(&r->lab->problems, d->at, "expected the mtu alone beside \"on\" and \"port\"");
    return false;
}

bool step_set_read(struct step_reader *r, struct step *s, const struct doc *d)
{
    struct set_words words = {.direction = -1};
    struct lab *lab = r->lab;
    const struct doc *on = doc_get(d, "on");
    int node = on && on->type == DOC_TEXT ? names_find(&lab->node_names, span_of(on->text)) : -1;
    if (node >= 0 && doc_get(d, "clock"))
        return set_clock_read(r, s, d, node);
    if (node >= 0 && doc_get(d, "mtu"))
        return set_mtu_read(r, s, d, node);
    if (node >= 0)
        return set_node_read(r, s, d, node);
    if (!words_read(r, d, &words, &s->given) || !step_wire_or_on(r, d, words.on, words.wire))
        return false;
    if (words.clock || words.mtu || words.port) {
        problem(&lab->problems, d->at,
                words.clock ? "only a node has a clock"
                            : "only a node's port has an mtu that changes; of a wire or network it is the path mtu");
        return false;
    }
    if (!link_check(lab, &words.link, &s->given))
        return false;
    s->type = STEP_LINK;
    s->link = words.link;
    s->given &= LINK_BITS;
    if (!s->given) {
        problem(&lab->problems, d->at, "nothing is set; expected delay, jitter, loss, rate, …");
        return false;
    }
    if (words.wire)
        return step_named_wire(r, s, words.wire, words.direction);
    int network = names_find(&lab->network_names, span_of(words.on->text));
    return network >= 0 ? step_network_wires(r, s, (unsigned)network, false, words.direction)
                        : step_nobody(r, words.on);
}
