/* A lab of test kinds (tests/world/probe.h) in the netns world: same plan, same commands, other world. */
#ifndef FAREND_TESTS_NETNS_RIG_H
#define FAREND_TESTS_NETNS_RIG_H

#include "netns/netns.h"
#include "tests/netns/kinds.h"

#include <libgen.h>
#include <limits.h>
#include <unistd.h>

/* The folder of the test program: its farend-talker and the others stand beside it. */
static inline const char *rig_programs(void)
{
    static char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    assert_true(n > 0);
    path[n] = '\0';
    return dirname(path);
}

static const char *rig_folder; /* other programs than those beside the test; NULL: those */

static inline struct netns_config rig_config(void)
{
    struct netns_config config = NETNS_CONFIG;
    config.programs = rig_folder ? rig_folder : rig_programs();
    return config;
}

/* Every node in the one world; config NULL: the simulated one. 0 or an error with its sentence. */
static inline int rig_open(struct lab *lab, const struct netns_config *config, struct text *why)
{
    struct engine_config engine = {.observe = lab_observe, .arg = lab, .capture = lab->capture};
    bool *mine = calloc(lab->plan.nodes_n, sizeof *mine);
    assert_non_null(mine);
    memset(mine, 1, lab->plan.nodes_n);
    lab_observe(lab, SPAN(""));
    assert_int_equal(engine_new(&lab->engine, &lab->plan, &engine), 0);
    if (config)
        netns_configure(config);
    int error = engine_open(lab->engine, config ? &netns_world : &sim_world, mine, why);
    free(mine);
    return error;
}

/* A machine that cannot make namespaces skips the test; farend doctor says the same. */
static inline void rig_open_or_skip(struct lab *lab, const struct netns_config *config)
{
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    if (rig_open(lab, config, &why) == 0)
        return;
    print_message("skipped: %s\n", buf);
    lab_close(lab);
    skip();
}

#endif
