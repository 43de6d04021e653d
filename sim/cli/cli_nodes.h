/* The nodes of a lab as a table for people: name, kind, addresses, and what became of them. */
#ifndef FAREND_CLI_NODES_H
#define FAREND_CLI_NODES_H

#include "sim/lab/facts.h"
#include "sim/lab/lab.h"

#include <stdio.h>

/* facts: NULL: nothing is said of their state. */
void cli_nodes_print(const struct lab *lab, const struct facts *facts, FILE *out);

#endif
