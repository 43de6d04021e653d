/* A lab: what a lab file says, checked, and the plan that the engine and the worlds build from it.
 *
 * Reading goes through the file once: document (doc.h), networks, nodes with their attachments, settings with their
 * defaults, the plan, the steps. Each stage adds what it finds wrong to `problems` and goes on as far as it makes
 * sense, so that one look tells every mistake. All memory is the lab's arena. */
#ifndef FAREND_LAB_LAB_H
#define FAREND_LAB_LAB_H

#include "sim/engine/plan.h"
#include "sim/lab/arena.h"
#include "sim/lab/doc.h"
#include "sim/lab/form.h"
#include "sim/lab/link.h"
#include "sim/lab/names.h"
#include "sim/lab/problem.h"

struct step_list;
struct expectation;
struct lab_program;
struct lab_certificates;

/* A node's port on a network. */
struct lab_port {
    struct place at;
    const struct doc *at_text; /* "home.20" */
    const char *name;
    unsigned node;    /* index in lab.nodes */
    unsigned index;   /* of the node's ports */
    unsigned network; /* index in lab.networks */
    ipv4 addr;
    bool far; /* on a network with hops: stands at its far end */
    struct link link;
    uint32_t given; /* fields of `link` */
    struct link_way up, down;
    uint32_t mtu; /* bytes; 0: the network's */
};

struct lab_network {
    const char *name;
    struct place at;
    const struct doc *subnet_text;
    struct subnet subnet;
    struct link link;
    uint32_t given; /* fields of `link` */
    struct link_way up, down;
    uint32_t mtu; /* bytes */
    uint32_t hops;
    const struct doc *near, *far; /* lists of node names, or NULL */
    const struct doc *gateway_name;
    struct lab_port **ports; /* in the order of the nodes */
    size_t ports_n;
    struct lab_port *gateway; /* takes what is addressed to nobody here; NULL: there is none */
    bool direct;              /* two routers and nobody else: one wire, no switch */
    unsigned chain;           /* with hops: index in plan.nodes of its first router */
    unsigned switch_index;    /* without hops, not direct: in plan.switches */
};

struct lab_setting {
    const char *path, *value;
    struct place at; /* of the value */
};

struct lab_node {
    const char *name;
    struct place at;
    const struct doc *doc;
    const struct node_kind *kind;
    bool router;   /* forwards in the world's own IP stack (PLAN_ROUTER) */
    bool forwards; /* its kind says so of its settings (node_kind.forwards) */
    bool sim;      /* `world: sim`: simulated whatever the world of the run */
    struct plan_clock clock;
    const struct lab_program *program; /* lab_program.h; NULL: not another's program */
    struct lab_port *ports;
    size_t ports_n;
    struct lab_setting *settings;
    size_t settings_n;
};

struct lab {
    struct arena arena;
    struct problems problems;
    struct problems warnings; /* of a correct lab: what is written but not used */
    struct source source;
    bool on_disk; /* the source is a file: others may lie beside it */
    const struct doc *root;
    const char *name;
    uint64_t seed;
    bool promises_verdict; /* of two runs the verdicts are the same, the traces perhaps not */
    struct lab_network *networks;
    size_t networks_n;
    struct names network_names;
    struct lab_certificates *certificates; /* lab_certificate.h */
    struct lab_node *nodes;                /* plan.nodes begins with the same nodes in the same order */
    size_t nodes_n;
    struct names node_names;
    struct plan plan;
    struct names wire_names; /* wires of the plan, and "node.network" for every attachment */
    const struct step_list *steps;
    struct expectation **expectations; /* all of them: those of the steps, then those of the whole lab */
    size_t expectations_n;
    size_t final_n;  /* the last so many are the whole lab's */
    size_t faults_n; /* steps with a fault or flap: struct step.index counts them */
};

/* A change from the command line: "nodes.sbc.media ttl=reset". */
struct lab_change {
    const char *text;
};

/* Reads a lab file. 0; FE_ESYNTAX: lab->problems says what is wrong; FE_EOS: the file cannot be read, errno says why;
 * FE_EMEM. *out is to be freed unless FE_EOS or FE_EMEM. */
int lab_load(struct lab **out, const char *path, const struct lab_change *changes, size_t changes_n);

/* The same from memory; `name` stands for the file's in messages. The text is copied. */
int lab_parse(struct lab **out, const char *name, struct span text, const struct lab_change *changes, size_t changes_n);

void lab_free(struct lab *lab);

/* The first line of the comment that heads a lab file: what `farend list` shows. Empty when there is none. */
struct span lab_headline(struct span text);

/* One step, or a list of them, for a lab that runs already: as in a lab file, `name` stands for the file's in messages.
 * The text is copied. *out lives as long as the lab. FE_ESYNTAX: lab->problems says what is wrong, and nothing but it;
 * FE_EMEM. */
int lab_add_steps(struct lab *lab, const char *name, struct span text, const struct step_list **out);

/* Steps at the top of the file, those within repeat not counted. */
size_t lab_steps_n(const struct lab *lab);

/* Adds a problem for every node that would be simulated and cannot be; `all`: whatever the nodes say. True: there are
 * none. */
bool lab_check_simulated(struct lab *lab, bool all);

/* A node's setting as the lab file or a default gives it; NULL when neither does. */
const char *lab_setting(const struct lab_node *node, const char *path);

/* The node that answers this phone number: the first phone with this `line`; NULL when there is none. */
const struct lab_node *lab_phone(const struct lab *lab, const char *line);

/* Only phones have lines, call and are called. */
static inline bool lab_is_phone(const struct lab_node *node)
{
    return node->kind && strcmp(node->kind->name, "phone") == 0;
}

#endif
