/* What a maker's configuration file sets on a node; for lab_settings.c. */
#ifndef FAREND_LAB_CONFIG_H
#define FAREND_LAB_CONFIG_H

#include "sim/lab/lab.h"

struct lab_config_entry {
    const char *path;
    struct doc value; /* a DOC_TEXT; its place is in that file */
};

struct lab_config {
    struct lab_config_entry *entries;
    size_t n;
};

/* Reads the file that `name` names, beside the lab's. What is wrong with it is added to lab->problems, what is not used
 * to lab->warnings. 0 or FE_EMEM. */
int lab_read_config(struct lab *lab, const struct node_kind *kind, const struct doc *name, struct lab_config *out);

#endif
