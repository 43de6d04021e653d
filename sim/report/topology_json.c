/* A lab's networks and nodes, written. */
#include "nodes/base/error.h"
#include "sim/lab/lab.h"
#include "sim/lab/lab_program.h"
#include "sim/report/topology.h"

static json_t *network_json(const struct lab_network *n)
{
    char subnet[ENDPOINT_TEXT + 8];
    struct text t = text_on(subnet, sizeof subnet);
    text_addr(&t, n->subnet.addr);
    text_char(&t, '/');
    text_u64(&t, n->subnet.bits);
    return json_pack("{s:s, s:s, s:i}", "name", n->name, "subnet", subnet, "hops", (int)n->hops);
}

static json_t *port_json(const struct lab *lab, const struct lab_port *p)
{
    char address[ENDPOINT_TEXT];
    return json_pack("{s:s, s:s, s:s}", "name", p->name, "network", lab->networks[p->network].name, "address",
                     addr_text(p->addr, address));
}

static const char *kind_of(const struct lab_node *node)
{
    return node->kind ? node->kind->name : node->router ? "router" : "host";
}

static json_t *node_json(const struct lab *lab, const struct lab_node *node)
{
    json_t *ports = json_array();
    for (size_t i = 0; i < node->ports_n; i++)
        json_array_append_new(ports, port_json(lab, &node->ports[i]));
    return json_pack("{s:s, s:s, s:o}", "name", node->name, "kind", kind_of(node), "ports", ports);
}

int topology_json(const struct lab *lab, json_t *root)
{
    json_t *networks = json_array();
    json_t *nodes = json_array();
    for (size_t i = 0; i < lab->networks_n; i++)
        json_array_append_new(networks, network_json(&lab->networks[i]));
    for (size_t i = 0; i < lab->nodes_n; i++)
        json_array_append_new(nodes, node_json(lab, &lab->nodes[i]));
    int failed = json_object_set_new(root, "networks", networks);
    return json_object_set_new(root, "nodes", nodes) || failed ? FE_EMEM : 0;
}
