/* Nodes: their kind, and the ports by which they hang on networks. */
#include "nodes/base/error.h"
#include "sim/lab/lab_clock.h"
#include "sim/lab/lab_count.h"
#include "sim/lab/lab_program.h"
#include "sim/lab/lab_read.h"

#define AT(member) offsetof(struct node_words, member)

struct node_words {
    const char *kind;
    int world;
    const struct doc *routes, *ports, *clock;
    uint32_t count;
};

static const char *const world_words[] = {"sim", NULL};

const struct field node_form[] = {
    {"kind", FIELD_TEXT, AT(kind), .needed = true, .help = "phone, sbc, pbx, nat, router, stun, prober, program"},
    {"world", FIELD_CHOICE, AT(world), .choices = world_words, .help = "simulated, whatever the world of the run"},
    {"count", FIELD_COUNT, AT(count), .min = 1,
     .help = "so many nodes: names, hosts and lines count up, and a # in other texts is the number"},
    {"clock", FIELD_ANY, AT(clock), .means = "clock",
     .help = "phone, sbc, pbx: the date that its clock shows whenever it gets power (it has no battery), or how far it "
             "is out, as -3min; right unless said"},
    {"routes", FIELD_ANY, AT(routes), .means = "routes", .help = "more routes, as {10.2.0.0/16: inside}"},
    {0}};

const struct field port_form[] = {LINK_FIELDS(struct lab_port, link),
                                  {"at", FIELD_ANY, offsetof(struct lab_port, at_text), .means = "place",
                                   .needed = true, .help = "network and host, as home.20"},
                                  {"mtu", FIELD_SIZE, offsetof(struct lab_port, mtu), .min = LAB_PORT_MTU_MIN,
                                   .max = 65535, .help = "of its own interface; the network's unless said"},
                                  {"up", FIELD_ANY, offsetof(struct lab_port, up.doc), .means = "link",
                                   .help = "what differs on the way into the network"},
                                  {"down", FIELD_ANY, offsetof(struct lab_port, down.doc), .means = "link",
                                   .help = "what differs on the way out of it"},
                                  {0}};

/* ---- names ---- */

static bool name_ok(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return n > 0 && n <= 40;
}

bool lab_check_name(struct lab *lab, const struct doc *key, const char *what)
{
    if (name_ok(key->text))
        return true;
    problem(&lab->problems, key->at, "\"", key->text, "\" cannot be the name of a ", what,
            "; expected up to 40 letters, digits, - and _");
    return false;
}

int lab_find_node(struct lab *lab, const struct doc *name)
{
    if (name->type != DOC_TEXT) {
        problem(&lab->problems, name->at, "expected the name of a node");
        return -1;
    }
    int index = names_find(&lab->node_names, span_of(name->text));
    if (index < 0)
        problem(&lab->problems, name->at, "there is no node \"", name->text, "\"",
                names_hint(&lab->arena, &lab->node_names, name->text));
    return index;
}

int lab_find_network(struct lab *lab, const struct doc *name)
{
    int index = names_find(&lab->network_names, span_of(name->text));
    if (index < 0)
        problem(&lab->problems, name->at, "there is no network \"", name->text, "\"",
                names_hint(&lab->arena, &lab->network_names, name->text));
    return index;
}

/* ---- attachments ---- */

/* "20" on 192.168.1.0/24, "3.20" on a /16, or the whole address. */
static int host_parse(struct subnet subnet, struct span host, ipv4 *out)
{
    ipv4 addr = 0;
    unsigned bits = 0;
    struct span rest = host;
    while (rest.p) {
        uint64_t octet;
        if (span_u64(span_cut(rest, '.', &rest), 255, &octet) || bits == 32)
            return FE_ESYNTAX;
        addr = addr << 8 | (ipv4)octet;
        bits += 8;
    }
    if (bits < 32 && bits + subnet.bits > 32 && (addr & subnet_mask(subnet.bits)) != 0)
        return FE_ERANGE;
    *out = bits == 32 ? addr : addr | (subnet.addr & ~(ipv4)((1u << bits) - 1));
    return 0;
}

static void check_host(struct lab *lab, const struct doc *text, const struct lab_network *n, ipv4 addr)
{
    char buf[ENDPOINT_TEXT];
    char net[ENDPOINT_TEXT];
    ipv4 host = addr & ~subnet_mask(n->subnet.bits);
    if (n->subnet.bits == 0)
        return; /* the subnet itself was refused */
    if (!subnet_has(n->subnet, addr))
        problem(&lab->problems, text->at, addr_text(addr, buf), " is not in \"", n->name, "\", which begins at ",
                addr_text(n->subnet.addr, net));
    else if (host == 0 || host == ~subnet_mask(n->subnet.bits))
        problem(&lab->problems, text->at, addr_text(addr, buf), " is the ", host ? "broadcast" : "network",
                " address of \"", n->name, "\"; expected a host's");
}

/* "home.20": false after a problem. */
static bool place_read(struct lab *lab, const struct doc *text, struct lab_port *p)
{
    if (text->type != DOC_TEXT || !*text->text) {
        problem(&lab->problems, text->at, "expected a network and a host, as home.20");
        return false;
    }
    struct span host;
    struct span network = span_cut(span_of(text->text), '.', &host);
    struct doc named = *text;
    named.text = arena_copy(&lab->arena, network.p, network.n);
    if (!named.text)
        return false;
    int index = lab_find_network(lab, &named);
    if (index < 0)
        return false;
    const struct lab_network *n = &lab->networks[index];
    if (!host.p || host_parse(n->subnet, host, &p->addr)) {
        problem(&lab->problems, text->at, "\"", text->text, "\" names no host of \"", named.text, "\"; expected as ",
                named.text, ".20");
        return false;
    }
    p->network = (unsigned)index;
    check_host(lab, text, n, p->addr);
    return true;
}

static int port_add(struct lab *lab, struct lab_node *node, const char *name, const struct doc *value)
{
    struct form_reader reader = lab_reader(lab);
    struct lab_port p = {.name = name, .at = value->at, .at_text = value};
    p.node = (unsigned)(node - lab->nodes);
    if (value->type == DOC_MAP)
        p.given = form_read(&reader, value, port_form, &p);
    bool links = link_check(lab, &p.link, &p.given) && link_way_read(lab, &p.up) && link_way_read(lab, &p.down);
    if (!links || !place_read(lab, p.at_text, &p))
        return FE_ESYNTAX;
    for (size_t i = 0; i < node->ports_n; i++)
        if (node->ports[i].network == p.network) {
            problem(&lab->problems, value->at, "\"", node->name, "\" is already on \"", lab->networks[p.network].name,
                    "\" with \"", node->ports[i].name, "\"");
            return FE_ESYNTAX;
        }
    p.index = (unsigned)node->ports_n;
    struct lab_port *place = arena_push(&lab->arena, &node->ports, &node->ports_n, sizeof p);
    if (!place)
        return FE_EMEM;
    *place = p;
    return 0;
}

/* Interface names of a router's list of ports. */
static const char *const router_ports[] = {"p0", "p1", "p2",  "p3",  "p4",  "p5",  "p6",  "p7",
                                           "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15"};
enum { ROUTER_PORTS = sizeof router_ports / sizeof router_ports[0] };

static int router_attach(struct lab *lab, struct lab_node *node, const struct doc *list)
{
    if (list->type != DOC_LIST || list->n < 2 || list->n > ROUTER_PORTS) {
        problem(&lab->problems, list->at, "expected a list of 2 to 16 attachments, as [office.1, lab.1]");
        return 0;
    }
    for (size_t i = 0; i < list->n; i++)
        if (port_add(lab, node, router_ports[i], list->entries[i].value) == FE_EMEM)
            return FE_EMEM;
    return 0;
}

static bool is_spare(const struct node_kind *kind, size_t port)
{
    return kind->enough > 0 && port >= kind->enough;
}

static int attach(struct lab *lab, struct lab_node *node)
{
    const struct doc *list = doc_get(node->doc, "ports");
    if (node->router && list)
        return router_attach(lab, node, list);
    size_t attached = 0;
    for (const char *const *port = node->kind->ports; *port; port++) {
        const struct doc *value = doc_get(node->doc, *port);
        attached += value != NULL;
        if (value && port_add(lab, node, *port, value) == FE_EMEM)
            return FE_EMEM;
        bool optional = node->router || (lab_is_program(node) && port != node->kind->ports) ||
                        is_spare(node->kind, (size_t)(port - node->kind->ports));
        if (!value && !optional)
            problem(&lab->problems, node->at, "\"", node->name, "\" has no \"", *port, "\"; a ", node->kind->name,
                    " hangs on a network by it, as {", *port, ": home.20}");
    }
    if (node->router && attached < 2)
        problem(&lab->problems, node->at, "a router joins networks: {kind: router, ports: [office.1, lab.1]}");
    return 0;
}

/* ---- nodes ---- */

static const struct node_kind *kind_read(struct lab *lab, const struct lab_node *node)
{
    const struct doc *value = doc_get(node->doc, "kind");
    const char *words[32] = {0};
    size_t n = 0;
    for (; node_kinds[n] && n < 30; n++)
        words[n] = node_kinds[n]->name;
    words[n] = lab_program_kind.name;
    if (!value) {
        problem(&lab->problems, node->at, "\"", node->name, "\" needs a kind: ", words_list(&lab->arena, words));
        return NULL;
    }
    const struct node_kind *kind = value->type == DOC_TEXT ? node_kind_find(span_of(value->text)) : NULL;
    if (value->type == DOC_TEXT && strcmp(value->text, lab_program_kind.name) == 0)
        kind = &lab_program_kind;
    if (!kind)
        problem(&lab->problems, value->at, "there is no kind \"", value->type == DOC_TEXT ? value->text : "…",
                "\"; expected ", words_list(&lab->arena, words),
                value->type == DOC_TEXT ? words_hint(&lab->arena, words, value->text) : "");
    return kind;
}

static void clock_read(struct lab *lab, struct lab_node *node)
{
    const struct doc *value = doc_get(node->doc, "clock");
    struct lab_clock clock;
    if (value && lab_clock_matters(lab, node, value->at) && lab_clock_read(lab, value, &clock))
        node->clock = lab_clock_plan(&clock);
}

static int node_read(struct lab *lab, struct lab_node *node, const struct doc *key, const struct doc *value)
{
    node->name = key->text;
    node->at = key->at;
    node->doc = value;
    lab_check_name(lab, key, "node");
    if (value->type != DOC_MAP) {
        problem(&lab->problems, value->at, "expected a node here, as {kind: phone, on: home.20}");
        return 0;
    }
    node->kind = kind_read(lab, node);
    if (!node->kind)
        return 0;
    node->router = strcmp(node->kind->name, "router") == 0;
    const struct doc *world = doc_get(value, "world");
    int word;
    struct form_reader reader = lab_reader(lab);
    const struct field field = {"world", FIELD_CHOICE, 0, .choices = world_words};
    if (world)
        node->sim = form_value(&reader, world, &field, &word);
    clock_read(lab, node);
    return attach(lab, node);
}

int lab_read_nodes(struct lab *lab, const struct doc *nodes)
{
    if (nodes->type != DOC_MAP || nodes->n == 0) {
        problem(&lab->problems, nodes->at, "expected nodes here, as {alice: {kind: phone, on: home.20}}");
        return FE_ESYNTAX;
    }
    nodes = lab_count_nodes(lab, nodes);
    if (!nodes)
        return FE_EMEM;
    if (lab->problems.n && nodes->n == 0)
        return FE_ESYNTAX;
    lab->nodes = arena_new(&lab->arena, nodes->n * sizeof lab->nodes[0]);
    if (!lab->nodes)
        return FE_EMEM;
    for (size_t i = 0; i < nodes->n; i++)
        if (node_read(lab, &lab->nodes[lab->nodes_n++], nodes->entries[i].key, nodes->entries[i].value))
            return FE_EMEM;
    return 0;
}
