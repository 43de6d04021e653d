/* A kind of node: its settings, its ports and its logic. One constant of this type is all that the worlds, the lab
 * checker and the programs' main() know of it. */
#ifndef FAREND_NODE_H
#define FAREND_NODE_H

#include "nodes/base/option.h"
#include "nodes/base/text.h"
#include "nodes/host.h"

#include <stdbool.h>
#include <stddef.h>

/* What a maker's own file of settings says. Places are lines and columns of the file, from 1, columns in characters. */
struct node_config_events {
    void (*set)(void *arg, const char *path, struct span value, unsigned line, unsigned column);
    void (*warn)(void *arg, unsigned line, unsigned column, const char *what);   /* it is not used */
    void (*refuse)(void *arg, unsigned line, unsigned column, const char *what); /* it is wrong: what was expected */
};

struct node_kind {
    const char *name;         /* "phone": the word in the lab file; the program is farend-phone */
    const char *help;         /* one line */
    const char *const *ports; /* NULL-terminated: the words that attach it ("on", or "inside", "outside"), in order */
    unsigned enough;          /* so many ports from the first on are enough; 0: all are needed */
    bool raw;                 /* owns its interfaces (host_raw): the machine's IP stack stays out */
    bool dates;               /* asks what day it is (host_clock): its machine's clock matters */
    bool far;                 /* on a network with hops: stands at the far end unless the lab says otherwise */
    const struct option *options;
    size_t settings_size;

    /* True when with these settings the machine's own stack has the node's addresses and forwards, whatever `raw` says
     * (host_knat). NULL: never. */
    bool (*forwards)(const void *settings);
    /* Settings that are right one by one but not together: the name of one to change, and a sentence that says how;
     * NULL: they go together. The pointer itself may be NULL: there is nothing to check. */
    const char *(*conflict)(const void *settings, struct text *why);

    /* Reads a maker's own file of settings, whose name stands in the setting `config`: calls the events in the order of
     * the file. What the user sets himself goes over it. NULL: the kind has no such files. */
    void (*read_config)(struct span text, const struct node_config_events *events, void *arg);

    /* Called in the node's first turn. Keeps `settings` (valid until stop). On failure a negative enum fe_error, and
     * `why` holds a sentence for the user. */
    int (*start)(struct host *h, const void *settings, void **node, struct text *why);
    /* A line from the lab's step, or typed at the program's standard input: "call 102", "hang up". What comes of it is
     * seen in the trace; what is not understood is traced as "bad-command" with the reason. */
    void (*command)(void *node, struct span line);
    /* Frees everything. Sends nothing: this is the power switch. */
    void (*stop)(void *node);
    const char *commands; /* help: one command a line */
};

/* Every kind there is, in alphabetical order, NULL-terminated (nodes/kinds.c). */
extern const struct node_kind *const node_kinds[];
const struct node_kind *node_kind_find(struct span name); /* NULL: no such kind */

#endif
