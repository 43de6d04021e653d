/*     alice 10.0.0.1 ── r1 ──(narrow)── r2 ── bob 10.0.2.2
 *
 * What ICMP errors do to TCP (RFC 1122 §4.2.3.9, RFC 1191), as Linux has it; and the MSS (RFC 9293 §3.7.1). */
#include "tests/world/probe.h"

enum { ALICE, BOB, R1, R2 };
enum { ALICE_WIRE, MIDDLE_WIRE, BOB_WIRE };

static void draw(struct lab *lab, uint16_t narrow, uint16_t bobs)
{
    struct plan *plan = &lab->plan;
    build_node(plan, "alice", &probe_kind);
    build_node(plan, "bob", &probe_kind);
    build_node(plan, "r1", NULL);
    build_node(plan, "r2", NULL);
    struct plan_end alice = build_port(plan, ALICE, "on", IPV4(10, 0, 0, 1), 24);
    struct plan_end bob = build_port(plan, BOB, "on", IPV4(10, 0, 2, 2), 24);
    struct plan_end left = build_port(plan, R1, "left", IPV4(10, 0, 0, 254), 24);
    struct plan_end right = build_port(plan, R1, "right", IPV4(10, 0, 1, 1), 24);
    struct plan_end left2 = build_port(plan, R2, "left", IPV4(10, 0, 1, 2), 24);
    struct plan_end right2 = build_port(plan, R2, "right", IPV4(10, 0, 2, 254), 24);
    build_wire(plan, "alice.r1", alice, left, (struct wire_spec){.delay = 5 * MS});
    build_wire(plan, "r1.r2", right, left2, (struct wire_spec){.delay = 5 * MS, .mtu = narrow});
    build_wire(plan, "bob.r2", bob, right2, (struct wire_spec){.delay = 5 * MS, .mtu = bobs});
    build_route(plan, ALICE, 0, 0, 0);
    build_route(plan, BOB, 0, 0, 0);
    build_route(plan, R1, IPV4(10, 0, 2, 0), 24, 1);
    build_route(plan, R2, IPV4(10, 0, 0, 0), 24, 0);
}

static struct lab *lab_with(uint16_t narrow, uint16_t bobs)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    draw(lab, narrow, bobs);
    lab_open(lab);
    lab_command(lab, 0, BOB, "listen 0.0.0.0:5060");
    return lab;
}

static void lab_done(struct lab *lab)
{
    lab_close(lab);
    free(lab);
}

static void run(struct lab *lab)
{
    assert_int_equal(engine_run(lab->engine), ENGINE_IDLE);
    assert_true(engine_conserved(lab->engine));
}

/* The sender is told, cuts what was too large, and sends it at once: no RTO passes. */
static void rfc1191_a_narrow_path_is_learned_at_once(void **state)
{
    struct lab *lab = lab_with(1000, 1500);
    (void)state;
    lab_command(lab, 0, ALICE, "connect 10.0.2.2:5060");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 50000");
    lab_command(lab, 5 * SEC, ALICE, "connect 10.0.2.2:5060"); /* and is remembered */
    lab_command(lab, 6 * SEC, ALICE, "tcp-send 1 50000");
    run(lab);
    assert_int_equal(lab_count(lab, "\"total\":50000,"), 2);
    assert_int_equal(lab_count(lab, "\"intact\":false"), 0);
    assert_int_equal(lab_count(lab, "\"ev\":\"icmp\",\"from\":\"10.0.0.254\",\"type\":\"frag-needed\""), 10);
    assert_int_equal(lab_count(lab, "\"n\":960,\"total\":960,"), 2);
    const char *last = strstr(lab->trace, "\"total\":50000,");
    assert_non_null(last);
    while (last > lab->trace && last[-1] != '\n')
        last--;
    assert_true(strtoll(last + 5, NULL, 10) < 1200 * MS);
    lab_done(lab);
}

static void rfc2923_2_1_where_icmp_gets_lost_nothing_large_arrives(void **state)
{
    struct lab *lab = lab_with(1000, 1500);
    struct wire_spec mute = *engine_wire(lab->engine, ALICE_WIRE, 1);
    (void)state;
    mute.icmp_off = true;
    engine_wire_set(lab->engine, ALICE_WIRE, 1, &mute);
    lab_command(lab, 0, ALICE, "connect 10.0.2.2:5060");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 900"); /* small enough */
    lab_command(lab, 2 * SEC, ALICE, "tcp-send 0 1400");
    run(lab);
    assert_int_equal(lab_count(lab, "\"ev\":\"received\""), 1);
    assert_int_equal(lab_count(lab, "\"ev\":\"failed\",\"c\":0,\"error\":\"timed out\""), 1);
    lab_done(lab);
}

static void rfc9293_3_7_1_nobody_sends_more_than_the_peer_announces(void **state)
{
    struct lab *lab = lab_with(1500, 900);
    (void)state;
    lab_command(lab, 0, ALICE, "connect 10.0.2.2:5060");
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 5000");
    run(lab);
    assert_int_equal(lab_count(lab, "\"n\":860,\"total\":860,"), 1);
    assert_int_equal(lab_count(lab, "\"total\":5000,"), 1);
    assert_int_equal(lab_count(lab, "\"ev\":\"icmp\""), 0);
    lab_done(lab);
}

static void rfc1122_4_2_3_9_an_unreachable_ends_an_attempt(void **state)
{
    struct lab *lab = lab_with(1500, 1500);
    (void)state;
    lab_command(lab, 0, ALICE, "connect 10.0.9.9:5060"); /* r1 knows no way */
    run(lab);
    assert_int_equal(
        lab_count(lab, "{\"t\":10000000,\"node\":\"alice\",\"ev\":\"failed\",\"c\":0,\"error\":\"no route\"}"), 1);
    lab_done(lab);
}

static void rfc1122_4_2_3_9_a_connection_outlasts_an_unreachable(void **state)
{
    struct lab *lab = lab_with(1500, 1500);
    struct wire_spec lowered = *engine_wire(lab->engine, ALICE_WIRE, 0);
    const struct wire_spec whole = lowered;
    (void)state;
    lab_command(lab, 0, ALICE, "connect 10.0.2.2:5060");
    run(lab);
    lowered.ttl = 1; /* r1 answers: time exceeded */
    engine_wire_set(lab->engine, ALICE_WIRE, 0, &lowered);
    lab_command(lab, 1 * SEC, ALICE, "tcp-send 0 100");
    lab_command(lab, 1 * SEC, ALICE, "user-timeout 0 1");
    run(lab);
    assert_int_equal(lab_count(lab, "\"type\":\"time-exceeded\""), 1);
    assert_int_equal(lab_count(lab, "\"ev\":\"failed\",\"c\":0,\"error\":\"timed out\""), 1);
    engine_wire_set(lab->engine, ALICE_WIRE, 0, &whole);
    lab_done(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc1191_a_narrow_path_is_learned_at_once),
        cmocka_unit_test(rfc2923_2_1_where_icmp_gets_lost_nothing_large_arrives),
        cmocka_unit_test(rfc9293_3_7_1_nobody_sends_more_than_the_peer_announces),
        cmocka_unit_test(rfc1122_4_2_3_9_an_unreachable_ends_an_attempt),
        cmocka_unit_test(rfc1122_4_2_3_9_a_connection_outlasts_an_unreachable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
