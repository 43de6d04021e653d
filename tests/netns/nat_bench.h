/* The requirements of the RFCs on a NAT as it runs in a lab: the kind `nat`, its settings, packets from both sides.
 * Every test runs in the simulated world and in namespaces (there the program farend-nat), and the traces must be the
 * same bytes; then it is looked at what came where.
 *
 *     A 10.0.0.2 ─┐                                       ┌─ S 192.0.2.1
 *     B 10.0.0.3 ─┴─ 10.0.0.1 [nat] 192.0.2.7, .8, .9 ────┴─ T 192.0.2.2
 */
#ifndef FAREND_TESTS_NETNS_NAT_BENCH_H
#define FAREND_TESTS_NETNS_NAT_BENCH_H

#define _GNU_SOURCE
#include "tests/netns/crafter.h"
#include "tests/netns/rig.h"

enum { A, B, S, T, NAT }; /* nodes */

struct bench_step {
    lab_time at;
    unsigned node;
    const char *command;
};

/* The trace of the last run; freed by the next. */
static char *bench_trace;
/* Of the NAT's outside wire, for the tests that set it; 0: 1500. */
static uint16_t bench_mtu;

static inline void bench_draw(struct plan *plan, const struct plan_setting *settings)
{
    static const struct wire_spec wire = {.delay = 1 * MS};
    static const ipv4 addrs[] = {IPV4(10, 0, 0, 2), IPV4(10, 0, 0, 3), IPV4(192, 0, 2, 1), IPV4(192, 0, 2, 2)};
    static ipv4 more[] = {IPV4(192, 0, 2, 8), IPV4(192, 0, 2, 9)};
    static const char *const names[] = {"a", "b", "s", "t"};
    struct plan_end inside = build_switch(plan, "inside");
    struct plan_end outside = build_switch(plan, "outside");
    for (unsigned i = A; i <= T; i++) {
        unsigned node = build_node(plan, names[i], &crafter_kind);
        build_route(plan, node, 0, 0, 0);
        build_wire(plan, names[i], build_port(plan, node, "on", addrs[i], 24), i < S ? inside : outside, wire);
    }
    unsigned nat = build_node(plan, "nat", node_kind_find(SPAN("nat")));
    struct plan_end in = build_port(plan, nat, "inside", IPV4(10, 0, 0, 1), 24);
    struct plan_end out = build_port(plan, nat, "outside", IPV4(192, 0, 2, 7), 24);
    plan->nodes[nat].ports[1].more = more;
    plan->nodes[nat].ports[1].more_n = 2;
    plan->switches[inside.index].gateway = (int)build_wire(plan, "nat.inside", in, inside, wire);
    (void)build_wire(plan, "nat.outside", out, outside, (struct wire_spec){.delay = 1 * MS, .mtu = bench_mtu});
    for (; settings && settings->path; settings++)
        build_setting(plan, nat, settings->path, settings->value);
    plan->seed = 1;
}

/* config NULL: the simulated world. */
static inline char *bench_run_in(const struct plan_setting *settings, const struct bench_step *steps,
                                 const struct netns_config *config)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    bench_draw(&lab->plan, settings);
    rig_open_or_skip(lab, config);
    for (; steps->command; steps++)
        lab_command(lab, steps->at, steps->node, steps->command);
    return lab_finish(lab);
}

static inline void bench_run(const struct plan_setting *settings, const struct bench_step *steps)
{
    struct netns_config tun = rig_config();
    free(bench_trace);
    bench_trace = bench_run_in(settings, steps, NULL);
    char *on_tun = bench_run_in(settings, steps, &tun);
    assert_string_equal(on_tun, bench_trace);
    free(on_tun);
}

#define SETTINGS(...) ((const struct plan_setting[]){__VA_ARGS__, {0}})
#define STEPS(...)    ((const struct bench_step[]){__VA_ARGS__, {0}})

/* Lines of the trace with both texts. */
static inline unsigned bench_count(const char *one, const char *other)
{
    unsigned count = 0;
    for (const char *at = bench_trace; (at = strstr(at, one));) {
        const char *line = memrchr(bench_trace, '\n', (size_t)(at - bench_trace));
        const char *end = strchr(at, '\n');
        const char *found = strstr(line ? line : bench_trace, other);
        count += found && found < end;
        at = end;
    }
    return count;
}

static inline void bench_expect(unsigned times, const char *one, const char *other)
{
    unsigned count = bench_count(one, other);
    if (count != times)
        fail_msg("%u times, not %u: %s … %s in%s", count, times, one, other, bench_trace);
}

/* This packet came to the node so many times, whole. */
static inline void bench_came(unsigned times, unsigned node, const char *packet)
{
    static const char *const names[] = {"a", "b", "s", "t"};
    char where[64];
    char what[160];
    snprintf(where, sizeof where, "\"node\":\"%s\",\"ev\":\"came\"", names[node]);
    snprintf(what, sizeof what, "\"packet\":\"%s\"", packet);
    bench_expect(times, where, what);
    bench_expect(0, where, "\"whole\":false");
}

static inline void bench_dropped(unsigned times, const char *cause)
{
    char what[64];
    snprintf(what, sizeof what, "\"cause\":\"%s\"", cause);
    bench_expect(times, "\"node\":\"nat\",\"ev\":\"drop\"", what);
}

#endif
