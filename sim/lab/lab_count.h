/* `count: 1000`: many nodes from one entry of the lab file. Copies are made of the document before anything else reads
 * it, so that each of them is checked and told of like a node that somebody wrote. */
#ifndef FAREND_LAB_COUNT_H
#define FAREND_LAB_COUNT_H

#include "sim/lab/lab.h"

/* The nodes with every entry that has a count in its copies' place; NULL without memory. What is wrong is a problem of
 * the lab. Number i, from 1:
 *     name         "phone" becomes "phone7"; a "#" in it is replaced instead
 *     on, inside … the host counts up: home.20 is home.26 for number 7, home.1.250 goes on to home.2.0
 *     line         counts up
 *     other texts  a "#" becomes the number
 * The same for the lines of a PBX: lines: {1001: {count: 1000, password: secret}}. */
const struct doc *lab_count_nodes(struct lab *lab, const struct doc *nodes);

#endif
