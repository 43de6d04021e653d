/*     alice 10.0.1.2 ── r1 ── (MTU 600) ── r2 ── bob 10.0.3.2
 *
 * The stack as a host and as a router: fragments, MTU, echo, what cannot be delivered. Packets that no socket can send
 * are pushed in by a node that owns its wire. */
#include "nodes/base/bytes.h"
#include "tests/world/probe.h"

enum { ALICE_NODE, BOB_NODE, R1_NODE, R2_NODE };

#define ALICE IPV4(10, 0, 1, 2)
#define BOB   IPV4(10, 0, 3, 2)
#define R1    IPV4(10, 0, 1, 1)

/* ---- a node that sends one packet and keeps what comes back ---- */

static uint8_t forged[2048];
static size_t forged_n;
static uint8_t answers[8][2048];
static size_t answers_n;

static void forger_received(void *arg, unsigned port, uint8_t *packet, size_t n)
{
    (void)arg;
    (void)port;
    assert_true(answers_n < 8 && n <= sizeof answers[0]);
    memcpy(answers[answers_n++], packet, n);
}

static int forger_start(struct host *h, const void *settings, void **node, struct text *why)
{
    static const struct host_raw_events events = {.received = forger_received};
    struct host_raw *raw;
    (void)settings;
    (void)why;
    *node = NULL;
    assert_int_equal(host_raw_open(h, &events, NULL, &raw), 0);
    return host_raw_send(raw, 0, forged, forged_n);
}

static void forger_stop(void *node)
{
    (void)node;
}

static const struct node_kind forger_kind = {.name = "forger",
                                             .raw = true,
                                             .options = probe_options,
                                             .settings_size = 1,
                                             .start = forger_start,
                                             .stop = forger_stop};

/* ---- the network ---- */

static struct lab *lab_with(const struct node_kind *alice_kind)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    struct plan *plan = &lab->plan;
    build_node(plan, "alice", alice_kind);
    build_node(plan, "bob", &probe_kind);
    build_node(plan, "r1", NULL);
    build_node(plan, "r2", NULL);
    struct plan_end alice = build_port(plan, ALICE_NODE, "on", ALICE, 24);
    struct plan_end bob = build_port(plan, BOB_NODE, "on", BOB, 24);
    struct plan_end r1_left = build_port(plan, R1_NODE, "left", R1, 24);
    struct plan_end r1_right = build_port(plan, R1_NODE, "right", IPV4(10, 0, 2, 1), 24);
    struct plan_end r2_left = build_port(plan, R2_NODE, "left", IPV4(10, 0, 2, 2), 24);
    struct plan_end r2_right = build_port(plan, R2_NODE, "right", IPV4(10, 0, 3, 1), 24);
    build_wire(plan, "alice.r1", alice, r1_left, (struct wire_spec){.delay = 1 * MS});
    build_wire(plan, "r1.r2", r1_right, r2_left, (struct wire_spec){.delay = 1 * MS, .mtu = 600});
    build_wire(plan, "r2.bob", r2_right, bob, (struct wire_spec){.delay = 1 * MS});
    build_route(plan, ALICE_NODE, 0, 0, alice.port);
    build_route(plan, BOB_NODE, 0, 0, bob.port);
    build_route(plan, R1_NODE, IPV4(10, 0, 3, 0), 24, r1_right.port);
    build_route(plan, R2_NODE, IPV4(10, 0, 1, 0), 24, r2_left.port);
    lab_open(lab);
    return lab;
}

static void lab_done(struct lab *lab)
{
    lab_close(lab);
    free(lab);
}

/* What the network answers to `forged`, the number of packets that came back to alice. */
static size_t answers_to_forged(void)
{
    answers_n = 0;
    struct lab *lab = lab_with(&forger_kind);
    lab_run(lab);
    lab_done(lab);
    return answers_n;
}

static void forge_udp(ipv4 src, ipv4 dst, uint8_t ttl)
{
    struct ip_build ip = {.src = src, .dst = dst, .id = 7, .ttl = ttl};
    forged_n = ip_build_udp(forged, sizeof forged, &ip, 4000, PROBE_PORT, SPAN("some payload"));
}

static struct ip_view answer(size_t index)
{
    struct ip_view v;
    assert_int_equal(ip_parse(answers[index], sizeof answers[0], &v), 0);
    assert_true(ip_transport_sum_ok(answers[index], v.total));
    return v;
}

/* ---- fragments and MTU ---- */

static void large_datagrams_are_fragmented_on_the_way_and_put_together_at_its_end(void **state)
{
    struct lab *lab = lab_with(&probe_kind);
    struct engine_count count;
    (void)state;
    lab_command(lab, 0, ALICE_NODE, "send 10.0.3.2 3000");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"from\":\"10.0.1.2:5000\",\"ttl\":62,\"n\":3000,\"intact\":true"), 1);
    engine_count(lab->engine, 0, &count);
    assert_int_equal(count.delivered, 3); /* 1480 + 1480 + 48 */
    engine_count(lab->engine, 1, &count);
    assert_int_equal(count.delivered, 7); /* 576 + 576 + 328, twice, and 48 */
    lab_done(lab);
}

static void df_above_a_router_s_mtu_is_answered_with_that_mtu(void **state)
{
    struct lab *lab = lab_with(&probe_kind);
    (void)state;
    lab_command(lab, 0, ALICE_NODE, "df");
    lab_command(lab, 1 * SEC, ALICE_NODE, "send 10.0.3.2 572");
    lab_command(lab, 2 * SEC, ALICE_NODE, "send 10.0.3.2 573");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"ev\":\"got\""), 1);
    assert_int_equal(lab_count(lab, "{\"t\":2001000000,\"node\":\"r1\",\"ev\":\"drop\",\"cause\":\"too-big\""), 1);
    assert_int_equal(lab_count(lab, "{\"t\":2002000000,\"node\":\"alice\",\"ev\":\"refused\",\"to\":\"10.0.3.2:5000\","
                                    "\"from\":\"10.0.1.1\",\"type\":\"frag-needed\",\"mtu\":600}"),
                     1);
    lab_done(lab);
}

static void a_lost_fragment_loses_the_datagram(void **state)
{
    struct lab *lab = lab_with(&probe_kind);
    (void)state;
    struct wire_spec lossy = *engine_wire(lab->engine, 1, 0);
    lossy.loss = 300000;
    engine_wire_set(lab->engine, 1, 0, &lossy);
    for (int i = 0; i < 50; i++)
        lab_command(lab, i * SEC, ALICE_NODE, "send 10.0.3.2 3000");
    lab_run(lab);
    assert_in_range(lab_count(lab, "\"ev\":\"got\""), 1, 15); /* 0.7^7 is 8 % */
    assert_int_equal(lab_count(lab, "\"intact\":false"), 0);
    lab_done(lab);
}

/* ---- echo (RFC 1122 §3.2.2.6) ---- */

static void echo_is_answered_from_the_address_that_was_asked(void **state)
{
    static const ipv4 asked[] = {R1, IPV4(10, 0, 2, 1), BOB};
    (void)state;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        struct ip_build ip = {.src = ALICE, .dst = asked[i], .ttl = 10, .tos = 0xb8};
        forged_n = ip_build_echo(forged, sizeof forged, &ip, ICMP_ECHO, 17, 3, SPAN("twelve bytes"));
        assert_int_equal(answers_to_forged(), 1);
        struct ip_view v = answer(0);
        assert_int_equal(v.src, asked[i]);
        assert_int_equal(v.icmp_type, ICMP_ECHO_REPLY);
        assert_int_equal(v.sport, 17);
        assert_int_equal(v.tos, 0xb8);
        assert_int_equal(v.ttl, asked[i] == BOB ? 62 : 64);
        assert_memory_equal(answers[0] + IP_HEADER + ICMP_HEADER, "twelve bytes", 12);
    }
}

/* ---- what cannot be delivered ---- */

static void no_route_is_answered_by_net_unreachable_that_quotes_the_packet(void **state)
{
    (void)state;
    forge_udp(ALICE, IPV4(192, 0, 2, 1), 1); /* a route is looked for before the TTL is looked at */
    assert_int_equal(answers_to_forged(), 1);
    struct ip_view v = answer(0);
    assert_int_equal(v.src, R1);
    assert_int_equal(v.icmp_type, ICMP_UNREACHABLE);
    assert_int_equal(v.icmp_code, ICMP_NET_UNREACHABLE);
    assert_int_equal(v.tos, 0xc0);
    struct span quoted = icmp_quoted(answers[0], &v);
    assert_int_equal(quoted.n, forged_n);
    assert_memory_equal(quoted.p, forged, forged_n);
}

static void an_unknown_protocol_is_unreachable(void **state)
{
    (void)state;
    forge_udp(ALICE, R1, 64);
    forged[9] = 132;
    ip_header_sum(forged);
    assert_int_equal(answers_to_forged(), 1);
    assert_int_equal(answer(0).icmp_code, 2);
}

static void nobody_answers(void)
{
    assert_int_equal(answers_to_forged(), 0);
}

static void no_error_is_sent_about_an_error_or_a_later_fragment(void **state)
{
    (void)state;
    uint8_t about[256];
    forge_udp(ALICE, BOB, 64);
    memcpy(about, forged, forged_n);
    struct ip_build ip = {.src = ALICE, .dst = IPV4(192, 0, 2, 1), .ttl = 64};
    forged_n = ip_build_icmp_error(forged, sizeof forged, &ip, ICMP_TIME_EXCEEDED, 0, 0, about, forged_n);
    put32(forged + 16, IPV4(192, 0, 2, 1));
    ip_header_sum(forged);
    nobody_answers();
    forge_udp(ALICE, IPV4(192, 0, 2, 1), 64);
    put16(forged + 6, 100);
    ip_header_sum(forged);
    nobody_answers();
}

static void bad_packets_vanish(void **state)
{
    (void)state;
    forge_udp(ALICE, R1, 64);
    forged[10] ^= 1; /* IP checksum */
    nobody_answers();
    forge_udp(ALICE, R1, 64);
    forged[forged_n - 1] ^= 1; /* UDP checksum */
    nobody_answers();
    forge_udp(ALICE, R1, 64);
    put16(forged + IP_HEADER + 4, 100); /* UDP length beyond the packet */
    nobody_answers();
}

static void nobody_may_use_an_address_of_ours_as_a_source(void **state)
{
    (void)state;
    forge_udp(R1, R1, 64);
    nobody_answers();
    forge_udp(IPV4(127, 0, 0, 1), R1, 64);
    nobody_answers();
}

/* Only a router passes on what is not for it. */
static void a_host_does_not_forward(void **state)
{
    struct lab lab = {0};
    (void)state;
    answers_n = 0;
    unsigned forger = build_node(&lab.plan, "forger", &forger_kind);
    unsigned host = build_node(&lab.plan, "host", &probe_kind);
    struct plan_end a = build_port(&lab.plan, forger, "on", ALICE, 24);
    struct plan_end b = build_port(&lab.plan, host, "on", R1, 24);
    build_wire(&lab.plan, "wire", a, b, (struct wire_spec){.delay = 1 * MS});
    build_route(&lab.plan, host, 0, 0, b.port);
    lab_open(&lab);
    forge_udp(ALICE, IPV4(192, 0, 2, 1), 64);
    lab_run(&lab);
    assert_int_equal(answers_n, 0);
    lab_close(&lab);
}

/* Whatever arrives, the stack neither falls over nor loses count: each run checks that every buffer came back. */
static void damaged_packets_are_survived(void **state)
{
    struct prng rng;
    (void)state;
    prng_init(&rng, 1, SPAN("test"), SPAN("damage"));
    for (int i = 0; i < 2000; i++) {
        forge_udp(ALICE, prng_below(&rng, 2) ? R1 : BOB, (uint8_t)prng_below(&rng, 4));
        if (prng_below(&rng, 4) == 0)
            forged[9] = IP_ICMP;
        for (uint64_t damage = prng_below(&rng, 6); damage > 0; damage--)
            forged[prng_below(&rng, forged_n)] = (uint8_t)prng_u64(&rng);
        if (prng_below(&rng, 4))
            ip_header_sum(forged);
        assert_in_range(answers_to_forged(), 0, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_datagrams_are_fragmented_on_the_way_and_put_together_at_its_end),
        cmocka_unit_test(df_above_a_router_s_mtu_is_answered_with_that_mtu),
        cmocka_unit_test(a_lost_fragment_loses_the_datagram),
        cmocka_unit_test(echo_is_answered_from_the_address_that_was_asked),
        cmocka_unit_test(no_route_is_answered_by_net_unreachable_that_quotes_the_packet),
        cmocka_unit_test(an_unknown_protocol_is_unreachable),
        cmocka_unit_test(no_error_is_sent_about_an_error_or_a_later_fragment),
        cmocka_unit_test(bad_packets_vanish),
        cmocka_unit_test(nobody_may_use_an_address_of_ours_as_a_source),
        cmocka_unit_test(a_host_does_not_forward),
        cmocka_unit_test(damaged_packets_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
