/* The programs' command line, and the files of settings. */
#ifndef FAREND_HOST_ARGS_H
#define FAREND_HOST_ARGS_H

#include "nodes/base/text.h"
#include "nodes/host/host_impl.h"
#include "nodes/node.h"

enum { HOST_WHERE = 64 }; /* bytes of a port's word, NUL included: INTERFACE:ADDRESS/BITS */

struct host_args {
    const char *name; /* --name; else the kind's */
    uint64_t seed;    /* --seed; else from the machine */
    bool seeded;
    bool lab;  /* --lab: started by an engine */
    bool json; /* --json: the trace as JSON lines */
    bool help;
    char ports[HOST_PORTS][HOST_WHERE]; /* the word of each port in the order of kind->ports; empty: not attached */
    void *settings;                     /* of kind->settings_size; owned: host_args_free */
    char warnings[1024];                /* what a maker's file says and nobody uses: a line each */
};

/* The words are borrowed from argv. 0, or a negative enum fe_error and a sentence. Free in both cases. */
int host_args_read(struct host_args *args, const struct node_kind *kind, int argc, char **argv, struct text *why);
void host_args_free(struct host_args *args, const struct node_kind *kind);

/* What a program understands, from the kind's tables, on standard output. */
void host_help(const struct node_kind *kind);

#endif
