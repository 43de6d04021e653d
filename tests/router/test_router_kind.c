/*     alice 10.0.0.2 ── 10.0.0.1 left [router] right 192.0.2.1 ── server 198.51.100.1
 *
 * The router node in the simulated world. */
#include "tests/world/probe.h"

extern const struct node_kind router_kind;

enum { ALICE, ROUTER };

static struct lab *open_lab(const char *default_port)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    struct plan *plan = &lab->plan;
    unsigned alice = build_node(plan, "alice", &probe_kind);
    unsigned router = build_node(plan, "router", &router_kind);
    unsigned server = build_node(plan, "server", &probe_kind);
    struct plan_end a = build_port(plan, alice, "on", IPV4(10, 0, 0, 2), 24);
    struct plan_end left = build_port(plan, router, "left", IPV4(10, 0, 0, 1), 24);
    struct plan_end right = build_port(plan, router, "right", IPV4(192, 0, 2, 1), 24);
    struct plan_end s = build_port(plan, server, "on", IPV4(198, 51, 100, 1), 24);
    build_route(plan, alice, 0, 0, 0);
    build_route(plan, server, 0, 0, 0);
    build_wire(plan, "near", a, left, (struct wire_spec){.delay = 1 * MS});
    build_wire(plan, "far", right, s, (struct wire_spec){.delay = 1 * MS, .mtu = 1400});
    build_setting(plan, router, "route.servers.to", "198.51.100.0/24");
    build_setting(plan, router, "route.servers.by", "right");
    if (default_port)
        build_setting(plan, router, "default", default_port);
    lab_open(lab);
    return lab;
}

static void once(const struct lab *lab, const char *line)
{
    if (lab_count(lab, line) != 1)
        fail_msg("not once: %s\nin:%s", line, lab->trace);
}

static void done(struct lab *lab)
{
    lab_close(lab);
    free(lab);
}

static void rfc1812_forwards_and_answers(void **state)
{
    struct lab *lab = open_lab(NULL);
    (void)state;
    lab_command(lab, 1 * SEC, ALICE, "send 198.51.100.1 100");
    lab_command(lab, 2 * SEC, ALICE, "send 198.51.100.1 101 1");
    lab_command(lab, 3 * SEC, ALICE, "send 172.16.0.1 102");
    lab_command(lab, 4 * SEC, ALICE, "send 198.51.100.1 1450");
    lab_command(lab, 5 * SEC, ALICE, "send 10.0.0.1 103");
    lab_run(lab);
    once(lab, "\"node\":\"server\",\"ev\":\"got\",\"from\":\"10.0.0.2:5000\",\"ttl\":63,\"n\":100,");
    once(lab, "\"cause\":\"ttl-exceeded\"");
    once(lab, "\"ev\":\"refused\",\"to\":\"198.51.100.1:5000\",\"from\":\"10.0.0.1\",\"type\":\"time-exceeded\"");
    once(lab, "\"cause\":\"no-route\"");
    once(lab, "\"ev\":\"refused\",\"to\":\"172.16.0.1:5000\",\"from\":\"10.0.0.1\",\"type\":\"net-unreachable\"");
    once(lab, "\"n\":1450,\"intact\":true");
    once(lab, "\"cause\":\"not-ours\"");
    once(lab, "\"ev\":\"refused\",\"to\":\"10.0.0.1:5000\",\"from\":\"10.0.0.1\",\"type\":\"port-unreachable\"");
    done(lab);
}

static void the_default_takes_the_rest(void **state)
{
    struct lab *lab = open_lab("right");
    (void)state;
    lab_command(lab, SEC, ALICE, "send 172.16.0.1 102");
    lab_command(lab, 2 * SEC, ROUTER, "reboot");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"cause\":\"no-route\""), 0);
    once(lab, "\"ev\":\"bad-command\",\"line\":\"reboot\",\"reason\":\"a router has no commands\"");
    done(lab);
}

static void an_unknown_port_is_named(void **state)
{
    struct lab *lab = open_lab("up");
    (void)state;
    assert_int_equal(engine_run(lab->engine), ENGINE_FAILED);
    assert_non_null(strstr(engine_failure(lab->engine), "there is no port \"up\" here"));
    done(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc1812_forwards_and_answers),
        cmocka_unit_test(the_default_takes_the_rest),
        cmocka_unit_test(an_unknown_port_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
