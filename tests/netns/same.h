/* One lab in the simulated world, in namespaces on TUN devices, and in namespaces on veth pairs: the traces are the
 * same bytes. */
#ifndef FAREND_TESTS_NETNS_SAME_H
#define FAREND_TESTS_NETNS_SAME_H

#include "tests/netns/rig.h"

typedef void draw(struct lab *lab);     /* the plan */
typedef void instruct(struct lab *lab); /* the commands */

static inline char *trace_of(draw *plan, instruct *commands, const struct netns_config *config)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    plan(lab);
    rig_open_or_skip(lab, config);
    commands(lab);
    return lab_finish(lab);
}

/* lines: how many the trace has; 0: they are not counted. */
static inline void same_in_all_worlds(draw *plan, instruct *commands, unsigned lines)
{
    struct netns_config tun = rig_config();
    struct netns_config veth = rig_config();
    veth.veth = true;
    char *sim = trace_of(plan, commands, NULL);
    char *on_tun = trace_of(plan, commands, &tun);
    char *on_veth = trace_of(plan, commands, &veth);
    unsigned count = 0;
    for (const char *at = sim; (at = strchr(at, '\n')); at++)
        count++;
    assert_string_equal(on_tun, sim);
    assert_string_equal(on_veth, sim);
    if (lines)
        assert_int_equal(count - 1, lines); /* the first is empty */
    free(sim);
    free(on_tun);
    free(on_veth);
}

/* ---- two probes on a wire ---- */

#define ALICE IPV4(192, 168, 1, 20)
#define BOB   IPV4(192, 168, 1, 30)

static inline void draw_pair(struct lab *lab)
{
    unsigned alice = build_node(&lab->plan, "alice", &talker_kind);
    unsigned bob = build_node(&lab->plan, "bob", &talker_kind);
    struct plan_end a = build_port(&lab->plan, alice, "on", ALICE, 24);
    struct plan_end b = build_port(&lab->plan, bob, "on", BOB, 24);
    lab->plan.seed = 7;
    build_wire(&lab->plan, "alice.home", a, b, (struct wire_spec){.delay = 10 * MS});
}

#endif
