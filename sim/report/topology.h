/* The network of a lab as a picture needs it: networks, nodes, who stands where. verdict.json carries it; a run that
 * was left by an older farend has none, which is an empty topology. */
#ifndef FAREND_REPORT_TOPOLOGY_H
#define FAREND_REPORT_TOPOLOGY_H

#include "nodes/base/span.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct lab;

struct topology_port {
    const char *name, *address; /* "outside", "203.0.113.7" */
    int network;                /* -1: of a network that is not there */
};

struct topology_node {
    const char *name, *kind;
    struct topology_port *ports;
    size_t ports_n;
    size_t group; /* its place in topology.groups */
};

struct topology_network {
    const char *name, *subnet;
    unsigned hops; /* routers in a row; 0: none */
};

/* Neighbours in the list of nodes that differ only in the numbers of their names: one box for many. Most are of one. */
struct topology_group {
    size_t first, n; /* nodes */
};

struct topology_key;

struct topology {
    struct topology_network *networks;
    size_t networks_n;
    struct topology_node *nodes;
    size_t nodes_n;
    struct topology_group *groups;
    size_t groups_n;
    struct topology_key *names, *addresses; /* sorted */
    size_t addresses_n;
};

enum {
    TOPOLOGY_NONE = -1,
    TOPOLOGY_ALONE = 4, /* so many alike are still drawn one by one */
};

/* For verdict.json: {"networks": […], "nodes": […]} are added to `root`. 0, FE_EMEM. */
int topology_json(const struct lab *lab, json_t *root);

/* From verdict.json, whatever it holds: what is not as expected is left out. Texts are borrowed from `root`. 0,
 * FE_EMEM. To be freed either way. */
int topology_read(struct topology *t, const json_t *root);
void topology_fini(struct topology *t);

int topology_node(const struct topology *t, const char *name); /* or TOPOLOGY_NONE */

/* The node with this address: "10.0.1.2", or an endpoint "10.0.1.2:5060". TOPOLOGY_NONE when there is none, or several
 * have it. */
int topology_owner(const struct topology *t, struct span endpoint);

/* May it speak SIP, as far as its kind tells? Another's program may, though no line tells of it. */
bool topology_speaks(const struct topology_node *node);

#endif
