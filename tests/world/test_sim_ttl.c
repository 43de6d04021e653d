/*     alice ── r1 ── r2 ── … ── r64 ── bob
 *
 * TTL exhaustion (X2): a packet sent with TTL k dies at router k, which says so; 65 arrives with 1. */
#include "tests/world/probe.h"

enum { ROUTERS = 64 };

#define ALICE     IPV4(192, 0, 2, 1)
#define BOB       IPV4(203, 0, 113, 1)
#define ROUTER(k) (IPV4(198, 51, 100, 0) + (k)) /* k from 1 */

static unsigned chain_router(struct plan *plan, unsigned k, struct plan_end *left, struct plan_end *right)
{
    char name[16];
    snprintf(name, sizeof name, "r%u", k);
    unsigned r = build_node(plan, name, NULL);
    *left = build_port(plan, r, "left", ROUTER(k), 32);
    *right = build_port(plan, r, "right", ROUTER(k), 32);
    build_route(plan, r, ALICE, 32, left->port);
    build_route(plan, r, BOB, 32, right->port);
    for (unsigned other = 1; other <= ROUTERS; other++)
        if (other != k)
            build_route(plan, r, ROUTER(other), 32, other < k ? left->port : right->port);
    return r;
}

/* Returns alice's number; bob's is the next. */
static unsigned build_chain(struct plan *plan)
{
    static const struct wire_spec wire = {.delay = 1 * MS};
    unsigned alice = build_node(plan, "alice", &probe_kind);
    unsigned bob = build_node(plan, "bob", &probe_kind);
    struct plan_end last = build_port(plan, alice, "on", ALICE, 32);
    build_route(plan, alice, 0, 0, 0);
    for (unsigned k = 1; k <= ROUTERS; k++) {
        struct plan_end left;
        struct plan_end right;
        chain_router(plan, k, &left, &right);
        build_wire(plan, "hop", last, left, wire);
        last = right;
    }
    build_wire(plan, "hop", last, build_port(plan, bob, "on", BOB, 32), wire);
    build_route(plan, bob, 0, 0, 0);
    return alice;
}

static struct lab *lab_of_chain(void)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    build_chain(&lab->plan);
    lab_open(lab);
    return lab;
}

static void once(const struct lab *lab, const char *line)
{
    if (lab_count(lab, line) != 1)
        fail_msg("not once: %s", line);
}

static void died_at(const struct lab *lab, unsigned k)
{
    char line[256];
    snprintf(line, sizeof line,
             "\"node\":\"r%u\",\"ev\":\"drop\",\"cause\":\"ttl-exceeded\","
             "\"packet\":\"udp 192.0.2.1:5000 > 203.0.113.1:5000\"",
             k);
    once(lab, line);
    snprintf(line, sizeof line,
             "\"node\":\"r%u\",\"ev\":\"icmp\",\"from\":\"198.51.100.%u\",\"type\":\"time-exceeded\"", k, k);
    once(lab, line);
    snprintf(line, sizeof line, "\"ev\":\"refused\",\"to\":\"203.0.113.1:5000\",\"from\":\"198.51.100.%u\"", k);
    once(lab, line);
}

static void ttl_k_dies_at_router_k(void **state)
{
    static char commands[ROUTERS][64];
    struct lab *lab = lab_of_chain();
    (void)state;
    for (unsigned k = 1; k <= ROUTERS; k++) {
        snprintf(commands[k - 1], sizeof commands[0], "send 203.0.113.1 100 %u", k);
        lab_command(lab, k * SEC, 0, commands[k - 1]);
    }
    lab_run(lab);
    for (unsigned k = 1; k <= ROUTERS; k++)
        died_at(lab, k);
    assert_int_equal(lab_count(lab, "\"got\""), 0);
    assert_int_equal(lab_count(lab, "\"ev\":\"icmp\""), ROUTERS);
    assert_int_equal(lab_count(lab, "\"ev\":\"drop\""), ROUTERS);
    lab_close(lab);
    free(lab);
}

static void ttl_one_more_than_the_routers_arrives_with_one(void **state)
{
    struct lab *lab = lab_of_chain();
    (void)state;
    lab_command(lab, 0, 0, "send 203.0.113.1 100 65");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "{\"t\":65000000,\"node\":\"bob\",\"ev\":\"got\",\"from\":\"192.0.2.1:5000\","
                                    "\"ttl\":1,\"n\":100,\"intact\":true}"),
                     1);
    assert_int_equal(lab_count(lab, "\"ev\":\"drop\""), 0);
    lab_close(lab);
    free(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ttl_k_dies_at_router_k),
        cmocka_unit_test(ttl_one_more_than_the_routers_arrives_with_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
