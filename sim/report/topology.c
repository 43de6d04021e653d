#include "sim/report/topology.h"

#include "nodes/base/error.h"
#include "sim/report/report_text.h"

#include <stdlib.h>

struct topology_key {
    const char *text;
    int node;
};

static int network_find(const struct topology *t, const char *name)
{
    for (size_t i = 0; i < t->networks_n; i++)
        if (span_is(span_of(name), t->networks[i].name))
            return (int)i;
    return TOPOLOGY_NONE;
}

/* ---- reading ---- */

static void networks_read(struct topology *t, const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        json_int_t hops = json_integer_value(json_object_get(item, "hops"));
        struct topology_network n = {report_string(item, "name"), report_string(item, "subnet"), 0};
        if (!*n.name || network_find(t, n.name) >= 0)
            continue;
        n.hops = hops > 0 && hops < 1000 ? (unsigned)hops : 0;
        t->networks[t->networks_n++] = n;
    }
}

static int ports_read(struct topology *t, struct topology_node *node, const json_t *list)
{
    size_t i;
    json_t *item;
    node->ports = calloc(json_array_size(list) + 1, sizeof node->ports[0]);
    if (!node->ports)
        return FE_EMEM;
    json_array_foreach(list, i, item) node->ports[node->ports_n++] = (struct topology_port){
        report_string(item, "name"), report_string(item, "address"), network_find(t, report_string(item, "network"))};
    return 0;
}

static int nodes_read(struct topology *t, const json_t *list)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        struct topology_node *node = &t->nodes[t->nodes_n];
        *node = (struct topology_node){.name = report_string(item, "name"), .kind = report_string(item, "kind")};
        if (!*node->name)
            continue;
        t->nodes_n++;
        if (ports_read(t, node, json_object_get(item, "ports")))
            return FE_EMEM;
    }
    return 0;
}

/* ---- groups ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool names_alike(const char *a, const char *b)
{
    while (a && b) { /* as they always are, which the analyzer cannot know */
        while (is_digit(*a))
            a++;
        while (is_digit(*b))
            b++;
        if (*a != *b || !*a)
            return *a == *b;
        a++;
        b++;
    }
    return false;
}

static bool nodes_alike(const struct topology_node *a, const struct topology_node *b)
{
    if (!span_is(span_of(a->kind), b->kind) || a->ports_n != b->ports_n || !names_alike(a->name, b->name))
        return false;
    for (size_t i = 0; i < a->ports_n; i++)
        if (a->ports[i].network != b->ports[i].network)
            return false;
    return true;
}

static void groups_make(struct topology *t)
{
    for (size_t i = 0; i < t->nodes_n;) {
        size_t n = 1;
        while (i + n < t->nodes_n && nodes_alike(&t->nodes[i], &t->nodes[i + n]))
            n++;
        for (size_t step = n > TOPOLOGY_ALONE ? n : 1, end = i + n; i < end; i += step) {
            for (size_t k = 0; k < step; k++)
                t->nodes[i + k].group = t->groups_n;
            t->groups[t->groups_n++] = (struct topology_group){i, step};
        }
    }
}

/* ---- looking up ---- */

static int by_text(const void *a, const void *b)
{
    const struct topology_key *x = a;
    const struct topology_key *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->node > y->node) - (x->node < y->node);
}

static int keys_make(struct topology *t)
{
    size_t ports = 0;
    for (size_t i = 0; i < t->nodes_n; i++)
        ports += t->nodes[i].ports_n;
    t->names = calloc(t->nodes_n + 1, sizeof t->names[0]);
    t->addresses = calloc(ports + 1, sizeof t->addresses[0]);
    if (!t->names || !t->addresses)
        return FE_EMEM;
    for (size_t i = 0; i < t->nodes_n; i++) {
        t->names[i] = (struct topology_key){t->nodes[i].name, (int)i};
        for (size_t k = 0; k < t->nodes[i].ports_n; k++)
            t->addresses[t->addresses_n++] = (struct topology_key){t->nodes[i].ports[k].address, (int)i};
    }
    qsort(t->names, t->nodes_n, sizeof t->names[0], by_text);
    qsort(t->addresses, t->addresses_n, sizeof t->addresses[0], by_text);
    return 0;
}

/* The first of those with this text; `n`: none is there. */
static size_t key_find(const struct topology_key *keys, size_t n, struct span text)
{
    size_t low = 0;
    for (size_t high = n; low < high;) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(keys[middle].text, text.p, text.n);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && span_equal(span_of(keys[low].text), text) ? low : n;
}

int topology_node(const struct topology *t, const char *name)
{
    size_t at = key_find(t->names, t->nodes_n, span_of(name));
    return at < t->nodes_n ? t->names[at].node : TOPOLOGY_NONE;
}

int topology_owner(const struct topology *t, struct span endpoint)
{
    struct span address = span_cut(endpoint, ':', &endpoint);
    size_t at = span_empty(address) ? t->addresses_n : key_find(t->addresses, t->addresses_n, address);
    if (at == t->addresses_n)
        return TOPOLOGY_NONE;
    for (size_t next = at + 1; next < t->addresses_n && span_is(address, t->addresses[next].text); next++)
        if (t->addresses[next].node != t->addresses[at].node)
            return TOPOLOGY_NONE;
    return t->addresses[at].node;
}

bool topology_speaks(const struct topology_node *node)
{
    static const char *const kinds[] = {"phone", "sbc", "pbx", "program"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(node->kind, kinds[i]) == 0)
            return true;
    return false;
}

/* ---- all of it ---- */

int topology_read(struct topology *t, const json_t *root)
{
    const json_t *networks = json_object_get(root, "networks");
    const json_t *nodes = json_object_get(root, "nodes");
    *t = (struct topology){0};
    t->networks = calloc(json_array_size(networks) + 1, sizeof t->networks[0]);
    t->nodes = calloc(json_array_size(nodes) + 1, sizeof t->nodes[0]);
    t->groups = calloc(json_array_size(nodes) + 1, sizeof t->groups[0]);
    if (!t->networks || !t->nodes || !t->groups)
        return FE_EMEM;
    networks_read(t, networks);
    if (nodes_read(t, nodes))
        return FE_EMEM;
    groups_make(t);
    return keys_make(t);
}

void topology_fini(struct topology *t)
{
    for (size_t i = 0; i < t->nodes_n; i++)
        free(t->nodes[i].ports);
    free(t->networks);
    free(t->nodes);
    free(t->groups);
    free(t->names);
    free(t->addresses);
    *t = (struct topology){0};
}
