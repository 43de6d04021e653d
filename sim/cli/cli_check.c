#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "sim/cli/cli.h"
#include "sim/cli/cli_labs.h"
#include "sim/engine/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct lab *cli_lab_load(const struct cli_args *args, const char *name)
{
    struct lab *lab = NULL;
    struct lab_change *changes = calloc(args->changes_n + 1, sizeof *changes);
    size_t changes_n = args->changes_n;
    char seed[32];
    if (!changes)
        return NULL;
    char *path = cli_lab_path(name);
    memcpy(changes, args->changes, changes_n * sizeof *changes);
    if (args->seed) {
        snprintf(seed, sizeof seed, "seed=%s", args->seed);
        changes[changes_n++].text = seed;
    }
    int error = path ? lab_load(&lab, path, changes, changes_n) : FE_EOS;
    if (!error && !lab_check_simulated(lab, args->world == &sim_world))
        error = FE_ESYNTAX;
    if (error == FE_EOS || error == FE_EMEM)
        fprintf(stderr, "farend: %s: %s\n", name, error == FE_EMEM ? "out of memory" : strerror(path ? errno : ENOENT));
    else if (error)
        problems_write(&lab->problems, stderr);
    else
        problems_write(&lab->warnings, stderr);
    if (error && lab) {
        lab_free(lab);
        lab = NULL;
    }
    free(path);
    free(changes);
    return lab;
}

int cli_check(const struct cli_args *args)
{
    int status = CLI_HELD;
    for (size_t i = 0; i < args->names_n; i++) {
        struct lab *lab = cli_lab_load(args, args->names[i]);
        if (!lab) {
            status = CLI_WRONG;
            continue;
        }
        printf("%s: a correct lab: %zu networks, %zu nodes, %zu wires, %zu steps\n", args->names[i], lab->networks_n,
               lab->plan.nodes_n, lab->plan.wires_n, lab_steps_n(lab));
        lab_free(lab);
    }
    return status;
}
