/* Nodes of `kind: program`: other people's programs, which run as they are in the node's namespace, on the real clock
 * (sim/engine/foreign.h). Texts of the lab file that are given to them may name the lab's addresses and settings:
 * "{{sbc.outside}}", "{{alice.line}}". */
#ifndef FAREND_LAB_PROGRAM_H
#define FAREND_LAB_PROGRAM_H

#include "sim/lab/lab.h"

struct lab_program {
    struct plan_foreign plan;
    bool judged;          /* `exit` was given: it is stopped at the end of the steps, and its status judged */
    uint32_t exit_status; /* that it shall end with */
    const char **needs;   /* Debian packages */
    size_t needs_n;
};

/* The kind as the checker and the schema know it: its word, its ports. It has no logic of ours. */
extern const struct node_kind lab_program_kind;
extern const struct field lab_program_form[];
extern const struct field lab_ready_form[];

static inline bool lab_is_program(const struct lab_node *node)
{
    return node->kind == &lab_program_kind;
}

/* Does the lab need the real clock, because programs of others take part? */
bool lab_needs_real_clock(const struct lab *lab);

/* Reads what a program node says, once all nodes have their ports and settings. FE_EMEM. */
int lab_read_program(struct lab *lab, struct lab_node *node);

/* A command: a list of words, or one text that is cut at blanks and may have quoted parts. NULL words after a problem.
 * FE_EMEM. */
int lab_read_command(struct lab *lab, const struct doc *d, struct foreign_command *out);

/* The text with every {{…}} replaced, except {{dir}}, which is the world's to replace. NULL after a problem or without
 * memory. */
const char *lab_template(struct lab *lab, const struct doc *d);

/* The first program of the lab's, a node's or a step's, that is nowhere in the folders of `path` (separated by colons):
 * its word, and the node whose it is. NULL when all are there. is_there: tells whether a file can be run. */
struct lab_missing {
    const char *word;
    const struct lab_node *node;
};
bool lab_program_missing(const struct lab *lab, bool (*is_there)(void *arg, const char *word), void *arg,
                         struct lab_missing *out);

#endif
