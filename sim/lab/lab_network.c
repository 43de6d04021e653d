/* Networks: their own description, and once the nodes are known, who stands where on them. */
#include "nodes/base/error.h"
#include "sim/lab/lab_read.h"

#include <stdlib.h>

#define AT(member) offsetof(struct lab_network, member)

const struct field network_form[] = {
    LINK_FIELDS(struct lab_network, link),
    {"up", FIELD_ANY, AT(up.doc), .means = "link", .help = "what differs on the way into the network"},
    {"down", FIELD_ANY, AT(down.doc), .means = "link", .help = "what differs on the way out of it"},
    {"subnet", FIELD_ANY, AT(subnet_text), .means = "subnet", .needed = true,
     .help = "its addresses, as 192.168.1.0/24"},
    {"mtu", FIELD_SIZE, AT(mtu), .min = 68, .max = 65535, .help = "largest IP packet; 1500B unless said"},
    {"hops", FIELD_COUNT, AT(hops), .min = 1, .max = 250,
     .help = "so many routers in a row from the near to the far end"},
    {"near", FIELD_ANY, AT(near), .means = "names", .help = "with hops: nodes at the near end"},
    {"far", FIELD_ANY, AT(far), .means = "names", .help = "with hops: nodes at the far end"},
    {"gateway", FIELD_NAME, AT(gateway_name), .help = "the node that leads out of it; a NAT's inside unless said"},
    {0}};

/* ---- description ---- */

static bool subnet_read(struct lab *lab, const struct doc *d, struct subnet *out)
{
    int error = d->type == DOC_TEXT ? subnet_parse(span_of(d->text), out) : FE_ESYNTAX;
    if (error) {
        problem(&lab->problems, d->at, "\"", d->type == DOC_TEXT ? d->text : "…",
                "\" is not a subnet; expected one as 192.168.1.0/24");
        return false;
    }
    if (out->addr & ~subnet_mask(out->bits)) {
        char right[ENDPOINT_TEXT];
        addr_text(out->addr & subnet_mask(out->bits), right);
        problem(&lab->problems, d->at, "\"", d->text, "\" has host bits; the subnet begins at ", right);
        return false;
    }
    if (out->bits < 8 || out->bits > 30) {
        problem(&lab->problems, d->at, "\"", d->text, "\": expected a prefix length from 8 to 30");
        return false;
    }
    return true;
}

static void network_read(struct lab *lab, struct lab_network *n, const struct doc *key, const struct doc *value)
{
    struct form_reader reader = lab_reader(lab);
    n->name = key->text;
    n->at = key->at;
    n->mtu = 1500;
    n->subnet_text = value;
    if (value->type == DOC_MAP) {
        n->subnet_text = NULL;
        n->given = form_read(&reader, value, network_form, n);
        link_check(lab, &n->link, &n->given);
        link_way_read(lab, &n->up);
        link_way_read(lab, &n->down);
    }
    if (n->subnet_text)
        subnet_read(lab, n->subnet_text, &n->subnet);
    if (!n->hops && (n->near || n->far))
        problem(&lab->problems, (n->near ? n->near : n->far)->at, "only a network with hops has a near and a far end");
}

int lab_read_networks(struct lab *lab, const struct doc *networks)
{
    if (networks->type != DOC_MAP || networks->n == 0) {
        problem(&lab->problems, networks->at, "expected networks here, as {home: 192.168.1.0/24}");
        return FE_ESYNTAX;
    }
    lab->networks = arena_new(&lab->arena, networks->n * sizeof lab->networks[0]);
    if (!lab->networks)
        return FE_EMEM;
    for (size_t i = 0; i < networks->n; i++) {
        const struct doc *key = networks->entries[i].key;
        lab_check_name(lab, key, "network");
        network_read(lab, &lab->networks[lab->networks_n++], key, networks->entries[i].value);
        if (names_add(&lab->arena, &lab->network_names, key->text, (unsigned)i))
            return FE_EMEM;
    }
    names_sort(&lab->network_names);
    return 0;
}

/* ---- addresses ---- */

static int by_addr(const void *a, const void *b)
{
    const struct lab_port *x = *(struct lab_port *const *)a;
    const struct lab_port *y = *(struct lab_port *const *)b;
    if (x->addr != y->addr)
        return x->addr < y->addr ? -1 : 1;
    return x->node != y->node ? (x->node < y->node ? -1 : 1) : (x->index < y->index ? -1 : x->index > y->index);
}

/* The routers of a network with hops have the highest addresses of its subnet: .254, .253, … */
static void check_chain_address(struct lab *lab, const struct lab_network *n, const struct lab_port *p)
{
    ipv4 broadcast = n->subnet.addr | ~subnet_mask(n->subnet.bits);
    ipv4 lowest = broadcast - n->hops;
    if (!n->hops || p->addr < lowest || p->addr >= broadcast)
        return;
    char addr[ENDPOINT_TEXT];
    char from[ENDPOINT_TEXT];
    problem(&lab->problems, p->at, addr_text(p->addr, addr), " belongs to a router of \"", n->name,
            "\": its hops have the addresses from ", addr_text(lowest, from), " up");
}

static int check_addresses(struct lab *lab, const struct lab_network *n)
{
    if (n->hops && n->hops > (~subnet_mask(n->subnet.bits)) - 3)
        problem(&lab->problems, n->at, "the subnet is too small for so many hops");
    struct lab_port **sorted = arena_new(&lab->arena, n->ports_n * sizeof(struct lab_port *));
    if (!sorted)
        return FE_EMEM;
    for (size_t i = 0; i < n->ports_n; i++) {
        sorted[i] = n->ports[i];
        check_chain_address(lab, n, n->ports[i]);
    }
    if (n->ports_n > 1)
        qsort(sorted, n->ports_n, sizeof(struct lab_port *), by_addr);
    for (size_t i = 1; i < n->ports_n; i++) {
        char addr[ENDPOINT_TEXT];
        if (sorted[i]->addr == sorted[i - 1]->addr)
            problem(&lab->problems, sorted[i]->at, "the address ", addr_text(sorted[i]->addr, addr), " is taken by \"",
                    lab->nodes[sorted[i - 1]->node].name, "\"");
    }
    return 0;
}

/* ---- gateways ---- */

static bool is_nat(const struct lab_node *node)
{
    return node->kind && !node->router && node->kind->raw;
}

/* What leads out of a network: a NAT's inside before a router's port. */
static bool leads_out(const struct lab *lab, const struct lab_port *p, bool nats)
{
    const struct lab_node *node = &lab->nodes[p->node];
    return nats ? is_nat(node) && strcmp(p->name, "inside") == 0 : node->router;
}

static void choose_gateway(struct lab *lab, struct lab_network *n)
{
    for (int nats = 1; nats >= 0 && !n->gateway; nats--) {
        size_t found = 0;
        for (size_t i = 0; i < n->ports_n; i++)
            if (leads_out(lab, n->ports[i], nats)) {
                n->gateway = n->ports[i];
                found++;
            }
        if (found > 1 && nats)
            problem(&lab->problems, n->at, "several NATs lead out of \"", n->name, "\"; say which: {gateway: NODE}");
        if (found > 1 && !nats)
            n->gateway = NULL; /* only wrong when a route needs it: lab_route.c */
    }
}

static void named_gateway(struct lab *lab, struct lab_network *n)
{
    int node = lab_find_node(lab, n->gateway_name);
    for (size_t i = 0; i < n->ports_n && node >= 0; i++)
        if (n->ports[i]->node == (unsigned)node)
            n->gateway = n->ports[i];
    if (node >= 0 && !n->gateway)
        problem(&lab->problems, n->gateway_name->at, "\"", n->gateway_name->text, "\" is not on \"", n->name, "\"");
}

/* ---- the ends of a network with hops ---- */

/* Far stand the kinds that say so (SBC, PBX), the network's gateway, and a NAT with such a node inside. */
static bool far_by_kind(const struct lab *lab, const struct lab_network *n, const struct lab_port *p)
{
    const struct lab_node *node = &lab->nodes[p->node];
    if ((node->kind && node->kind->far) || n->gateway == p)
        return true;
    if (!is_nat(node))
        return false;
    for (size_t i = 0; i < node->ports_n; i++) {
        const struct lab_network *inside = &lab->networks[node->ports[i].network];
        for (size_t j = 0; inside != n && j < inside->ports_n; j++) {
            const struct lab_node *other = &lab->nodes[inside->ports[j]->node];
            if (other->kind && other->kind->far)
                return true;
        }
    }
    return false;
}

static void named_end(struct lab *lab, struct lab_network *n, const struct doc *list, bool far)
{
    if (!list)
        return;
    if (list->type != DOC_LIST) {
        problem(&lab->problems, list->at, "expected a list of nodes, as [alice, bob]");
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        int node = lab_find_node(lab, list->entries[i].value);
        bool found = false;
        for (size_t j = 0; j < n->ports_n && node >= 0; j++)
            if (n->ports[j]->node == (unsigned)node) {
                n->ports[j]->far = far;
                found = true;
            }
        if (node >= 0 && !found)
            problem(&lab->problems, list->entries[i].value->at, "\"", lab->nodes[node].name, "\" is not on \"", n->name,
                    "\"");
    }
}

static void check_network(struct lab *lab, struct lab_network *n)
{
    size_t routers = 0;
    if (n->ports_n == 0)
        problem(&lab->problems, n->at, "nobody is attached to \"", n->name, "\"");
    if (n->gateway_name)
        named_gateway(lab, n);
    else
        choose_gateway(lab, n);
    for (size_t i = 0; i < n->ports_n; i++) {
        n->ports[i]->far = far_by_kind(lab, n, n->ports[i]);
        routers += lab->nodes[n->ports[i]->node].router;
    }
    n->direct = !n->hops && n->ports_n == 2 && routers == 2;
    named_end(lab, n, n->near, false);
    named_end(lab, n, n->far, true);
}

int lab_check_networks(struct lab *lab)
{
    for (size_t i = 0; i < lab->nodes_n; i++)
        for (size_t j = 0; j < lab->nodes[i].ports_n; j++) {
            struct lab_port *p = &lab->nodes[i].ports[j];
            struct lab_network *n = &lab->networks[p->network];
            struct lab_port **place = arena_push(&lab->arena, &n->ports, &n->ports_n, sizeof *place);
            if (!place)
                return FE_EMEM;
            *place = p;
        }
    for (size_t i = 0; i < lab->networks_n; i++) {
        if (check_addresses(lab, &lab->networks[i]))
            return FE_EMEM;
        check_network(lab, &lab->networks[i]);
    }
    return 0;
}
