/* The command `farend`: its words, its options, its exit statuses. */
#ifndef FAREND_CLI_H
#define FAREND_CLI_H

#include "sim/lab/lab.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum cli_status {
    CLI_HELD = 0,     /* every expectation held */
    CLI_NOT_HELD = 1, /* one did not; or two runs or files differ */
    CLI_WRONG = 2,    /* the lab file or the command line is wrong */
    CLI_MACHINE = 3,  /* this machine cannot run it */
    CLI_FAILED = 4,   /* farend itself failed */
};

enum { CLI_PATH = 4096 }; /* bytes of a path, NUL included */

struct world_ops;

/* What `farend run` and its kin were asked for. */
struct cli_args {
    char **names; /* labs, or whatever the command takes; owned */
    size_t names_n;
    const struct world_ops *world;
    bool real;        /* --clock real */
    const char *seed; /* NULL: the lab's own */
    uint32_t repeat;
    uint32_t jobs; /* 0: not said; use cli_jobs() */
    const char *out, *junit, *json;
    struct lab_change *changes;
    size_t changes_n;
    bool all;                                /* of `down` */
    const char *over, *between, *until, *to; /* of `margin`; NULL: not said */
};

/* The whole command: argv as main() gets it; returns the exit status. */
int cli_main(int argc, char **argv);

/* The commands. */
int cli_run(const struct cli_args *args);
int cli_margin(const struct cli_args *args);
int cli_check(const struct cli_args *args);
int cli_list(const struct cli_args *args);
int cli_doctor(const struct cli_args *args);
int cli_diff(const struct cli_args *args);
int cli_report(const struct cli_args *args);
int cli_schema(const struct cli_args *args);
int cli_hear(const struct cli_args *args);
int cli_needs(const struct cli_args *args);
int cli_up(const struct cli_args *args);
int cli_inject(const struct cli_args *args);
int cli_status(const struct cli_args *args);
int cli_down(const struct cli_args *args);
/* argv: "exec", perhaps a lab, a node, a command: only that reads its own options. Returns its status, or what keeps it
 * from being run. */
int cli_exec(char **argv);
/* argv: "nat-probe" and the prober's own words, which nobody else reads. Returns only when there is no prober to run.
 */
int cli_nat_probe(char **argv);

/* Reads what follows the command's word. False after it has told on standard error what is wrong. The caller frees
 * it with cli_args_fini(). */
bool cli_args_read(struct cli_args *args, int argc, char **argv);
/* --jobs, or what is usual for the command. */
uint32_t cli_jobs(const struct cli_args *args, uint32_t usual);
void cli_args_fini(struct cli_args *args);
void cli_args_help(FILE *out);

/* Loads a lab, looking in the library too, and tells on standard error what is wrong with it. NULL then. */
struct lab *cli_lab_load(const struct cli_args *args, const char *name);

/* Two traces: 0 the same; 1 they part, which is told on `out`; negative: one cannot be read (enum fe_error). */
int cli_diff_traces(const char *a, const char *b, FILE *out);

#endif
