/* One run of one lab in this process: a child of the command, so that namespaces, CPU affinity and signals are its own.
 */
#ifndef FAREND_CLI_CHILD_H
#define FAREND_CLI_CHILD_H

#include "sim/cli/cli.h"

struct cli_serve;

struct cli_child {
    const struct cli_args *args;
    const struct lab *lab;
    const char *folder; /* exists; receives trace.jsonl, capture.pcapng, verdict.json, logs/ */
    bool capture;
    bool report;             /* report.html too */
    bool real;               /* the clock: --clock real, or a lab with other people's programs */
    bool progress;           /* tell on standard error how far it is */
    struct cli_serve *serve; /* steps come from its socket in place of the lab's own; `real` is true. NULL: a run */
};

/* Returns an enum cli_status; `error` receives why, when it is CLI_MACHINE or CLI_FAILED. *signalled: a signal asked it
 * to end, and it did so cleanly. */
int cli_child_run(const struct cli_child *c, struct text *error, bool *signalled);

#endif
