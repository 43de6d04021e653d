/* RFC 6888, the requirements on a carrier's NAT, by number, in both worlds: of `preset: carrier-grade` unless said. */
#include "tests/netns/nat_bench.h"

#define CARRIER                                                                                                        \
    {                                                                                                                  \
        "preset", "carrier-grade"                                                                                      \
    }
/* Ports that one can foretell. */
#define PLAIN                                                                                                          \
    {"preset", "carrier-grade"}, {"ports", "preserve"},                                                                \
    {                                                                                                                  \
        "block size", "0"                                                                                              \
    }

/* REQ-1: what a NAT must be for UDP, TCP and ICMP, it is: endpoint-independent mapping of each. */
static void rfc6888_req_1(void **state)
{
    (void)state;
    bench_run(SETTINGS(CARRIER),
              STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"},
                    {2 * SEC, A, "udp 10.0.0.2:5060 192.0.2.2:9 100"}, {3 * SEC, A, "tcp S 10.0.0.2:5060 192.0.2.1:9"},
                    {4 * SEC, A, "tcp S 10.0.0.2:5060 192.0.2.2:9"}, {5 * SEC, A, "icmp 8 10.0.0.2:0 192.0.2.1:0 7"},
                    {6 * SEC, A, "icmp 8 10.0.0.2:0 192.0.2.2:0 7"}));
    bench_expect(3, "\"ev\":\"mapping\"", "created");
    bench_expect(3, "\"node\":\"t\",\"ev\":\"came\"", "");
}

/* REQ-2: paired pooling by default. */
static void rfc6888_req_2(void **state)
{
    (void)state;
    bench_run(SETTINGS(CARRIER, {"public", "192.0.2.8"}, {"public", "192.0.2.9"}),
              STEPS({1 * SEC, A, "udp 10.0.0.2:1 192.0.2.1:9 100"}, {2 * SEC, B, "udp 10.0.0.3:1 192.0.2.1:9 100"},
                    {3 * SEC, A, "udp 10.0.0.2:2 192.0.2.1:9 100"}, {4 * SEC, B, "udp 10.0.0.3:2 192.0.2.1:9 100"}));
    bench_expect(2, "\"inside\":\"10.0.0.2:", "\"state\":\"created\",\"proto\":\"udp\",\"inside\":\"10.0.0.2");
    bench_expect(2, "created", "\"outside\":\"192.0.2.8:");
    bench_expect(2, "created", "\"outside\":\"192.0.2.9:");
}

/* REQ-3: any addresses make a pool (16 at most here), one after the other or not. */
static void rfc6888_req_3(void **state)
{
    (void)state;
    bench_run(
        SETTINGS(PLAIN, {"public", "192.0.2.7"}, {"public", "192.0.2.9"}),
        STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"}, {2 * SEC, B, "udp 10.0.0.3:5060 192.0.2.1:9 100"}));
    bench_came(1, S, "udp 192.0.2.7:5060 > 192.0.2.1:9");
    bench_came(1, S, "udp 192.0.2.9:5060 > 192.0.2.1:9");
}

/* REQ-4: a bound on the ports of a subscriber; and REQ-5: with it on the memory that he takes. */
static void rfc6888_req_4_and_5(void **state)
{
    (void)state;
    bench_run(SETTINGS(PLAIN, {"quota", "2"}),
              STEPS({1 * SEC, A, "udp 10.0.0.2:1 192.0.2.1:9 100"}, {2 * SEC, A, "tcp S 10.0.0.2:2 192.0.2.1:9"},
                    {3 * SEC, A, "icmp 8 10.0.0.2:0 192.0.2.1:0 3"}, {4 * SEC, B, "udp 10.0.0.3:1 192.0.2.1:9 100"}));
    bench_dropped(1, "no-port");
    bench_expect(1, "\"cause\":\"no-port\"", "{\"t\":3002000000,");
    bench_expect(3, "\"ev\":\"mapping\"", "created");
}

/* REQ-6: translation is off towards some destinations. */
static void rfc6888_req_6(void **state)
{
    (void)state;
    bench_run(
        SETTINGS(CARRIER, {"untranslated", "192.0.2.1/32"}),
        STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"}, {2 * SEC, A, "udp 10.0.0.2:5060 192.0.2.2:9 100"}));
    bench_came(1, S, "udp 10.0.0.2:5060 > 192.0.2.1:9");
    bench_expect(1, "\"node\":\"t\",\"ev\":\"came\"", "udp 192.0.2.7:");
}

/* REQ-7: endpoint-independent filtering. */
static void rfc6888_req_7(void **state)
{
    (void)state;
    bench_run(SETTINGS(PLAIN), STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"},
                                     {2 * SEC, T, "udp 192.0.2.2:1 192.0.2.7:5060 100"}));
    bench_came(1, A, "udp 192.0.2.2:1 > 10.0.0.2:5060");
}

/* REQ-8: a port rests for 120 s before somebody else gets it. */
static void rfc6888_req_8(void **state)
{
    (void)state;
    bench_run(SETTINGS(PLAIN, {"udp timeout", "10s"}), STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"},
                                                             {130 * SEC, B, "udp 10.0.0.3:5060 192.0.2.1:9 100"},
                                                             {145 * SEC, B, "udp 10.0.0.3:5060 192.0.2.2:9 100"}));
    bench_came(1, S, "udp 192.0.2.7:5060 > 192.0.2.1:9");
    bench_came(1, S, "udp 192.0.2.7:5061 > 192.0.2.1:9");
    bench_came(1, T, "udp 192.0.2.7:5060 > 192.0.2.2:9");
}

/* REQ-9: subscribers control their mappings themselves, by PCP (RFC 6887): one is made before anything was sent, lets
 * strangers in, is kept in silence and ends when it was to end, or when its owner says so. */
static void rfc6888_req_9(void **state)
{
    (void)state;
    bench_run(SETTINGS(PLAIN), STEPS({1 * SEC, A, "pcp 10.0.0.2:4000 map 17 5060 7000 1800"},
                                     {2 * SEC, T, "udp 192.0.2.2:1 192.0.2.7:7000 100"},
                                     {1700 * SEC, T, "udp 192.0.2.2:1 192.0.2.7:7000 100"},
                                     {1802 * SEC, T, "udp 192.0.2.2:1 192.0.2.7:7000 100"},
                                     {2000 * SEC, A, "pcp 10.0.0.2:4000 map 6 5061 0 600"},
                                     {2001 * SEC, A, "pcp 10.0.0.2:4000 map 6 5061 0 0"},
                                     {2002 * SEC, T, "tcp S 192.0.2.2:1 192.0.2.7:5061"}));
    bench_came(2, A, "udp 192.0.2.2:1 > 10.0.0.2:5060");
    bench_came(3, A, "udp 10.0.0.1:5351 > 10.0.0.2:4000");
    bench_expect(1, "{\"t\":1801002000000,", "\"state\":\"expired\",\"proto\":\"udp\",\"inside\":\"10.0.0.2:5060\"");
    bench_expect(1, "{\"t\":2001002000000,", "\"state\":\"removed\",\"proto\":\"tcp\",\"inside\":\"10.0.0.2:5061\"");
    bench_expect(4, "\"ev\":\"mapping\"", "\"by\":\"pcp\"");
    bench_expect(3, "\"ev\":\"pcp\"", "\"result\":\"SUCCESS\"");
    bench_expect(0, "\"node\":\"a\",\"ev\":\"came\"", "tcp");
}

/* REQ-9 and REQ-4, and the NAT's own addresses: PEER keeps what packets made, quotas hold for what is asked for,
 * another subscriber's port is not taken, and from outside there is nobody to ask. */
static void rfc6888_req_9_within_bounds(void **state)
{
    (void)state;
    bench_run(SETTINGS(PLAIN, {"quota", "2"}),
              STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:5060 100"},
                    {2 * SEC, A, "pcp 10.0.0.2:4000 peer 17 5060 0 3600 192.0.2.1:5060"},
                    {3 * SEC, A, "pcp 10.0.0.2:4000 map 17 5062 0 3600"},
                    {4 * SEC, A, "pcp 10.0.0.2:4000 map 17 5064 0 3600"},
                    {5 * SEC, B, "pcp 10.0.0.3:4000 map 17 5060 5060 3600"},
                    {6 * SEC, T, "udp 192.0.2.2:1 192.0.2.7:5351 100"},
                    {3500 * SEC, S, "udp 192.0.2.1:5060 192.0.2.7:5060 100"}));
    bench_came(1, A, "udp 192.0.2.1:5060 > 10.0.0.2:5060");
    bench_expect(1, "\"ev\":\"pcp\"", "\"result\":\"USER_EX_QUOTA\",\"client\":\"10.0.0.2\"");
    bench_expect(1, "\"ev\":\"pcp\"", "\"inside\":\"10.0.0.3:5060\",\"outside\":\"192.0.2.7:5061\"");
    bench_dropped(1, "no-mapping");
    bench_expect(1, "{\"t\":3602002000000,", "\"state\":\"expired\",\"proto\":\"udp\",\"inside\":\"10.0.0.2:5060\"");
}

/* REQ-10: it can be managed while it runs: settings change, and it says what it does not know. */
static void rfc6888_req_10(void **state)
{
    (void)state;
    bench_run(SETTINGS(PLAIN),
              STEPS({1 * SEC, NAT, "set udp timeout 10s"}, {2 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"},
                    {20 * SEC, NAT, "set colour blue"}));
    bench_expect(1, "{\"t\":12002000000,", "expired");
    bench_expect(1, "\"ev\":\"bad-command\"", "set colour blue");
}

/* REQ-11: who gets none is told (host unreachable), and nobody loses his mapping for it. */
static void rfc6888_req_11(void **state)
{
    (void)state;
    bench_run(SETTINGS(PLAIN, {"quota", "1"}),
              STEPS({1 * SEC, A, "udp 10.0.0.2:1 192.0.2.1:9 100"}, {2 * SEC, A, "udp 10.0.0.2:2 192.0.2.1:9 100"},
                    {3 * SEC, A, "udp 10.0.0.2:1 192.0.2.1:9 100"}));
    bench_came(1, A, "icmp host-unreachable 10.0.0.1 > 10.0.0.2 about udp 10.0.0.2:2 > 192.0.2.1:9");
    bench_expect(2, "\"node\":\"s\",\"ev\":\"came\"", "");
}

/* REQ-12: a block is logged without destinations. REQ-14: and once for all its ports. (Each mapping's own line is for
 * the lab's expectations.) */
static void rfc6888_req_12_and_14(void **state)
{
    (void)state;
    bench_run(SETTINGS(CARRIER),
              STEPS({1 * SEC, A, "udp 10.0.0.2:1 192.0.2.1:9 100"}, {2 * SEC, A, "udp 10.0.0.2:2 192.0.2.1:9 100"},
                    {3 * SEC, A, "udp 10.0.0.2:3 192.0.2.2:9 100"}));
    bench_expect(1, "\"ev\":\"block\"", "taken");
    bench_expect(1, "\"ev\":\"block\"", "given-back");
    bench_expect(0, "\"ev\":\"block\"", "192.0.2.1");
}

/* REQ-13: every port of a block is used before another is taken. */
static void rfc6888_req_13(void **state)
{
    (void)state;
    bench_run(SETTINGS(CARRIER, {"block size", "2"}),
              STEPS({1 * SEC, A, "udp 10.0.0.2:1 192.0.2.1:9 100"}, {2 * SEC, A, "udp 10.0.0.2:2 192.0.2.1:9 100"},
                    {3 * SEC, A, "udp 10.0.0.2:3 192.0.2.1:9 100"}, {4 * SEC, A, "udp 10.0.0.2:4 192.0.2.1:9 100"}));
    bench_expect(2, "\"ev\":\"block\"", "taken");
    bench_expect(4, "\"ev\":\"mapping\"", "created");
}

/* REQ-15: ports cannot be guessed: neither the subscriber's own nor the next after the last. */
static void rfc6888_req_15(void **state)
{
    (void)state;
    bench_run(SETTINGS(CARRIER), STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"},
                                       {2 * SEC, A, "udp 10.0.0.2:5061 192.0.2.1:9 100"}));
    unsigned ports[2];
    const char *at = bench_trace;
    for (size_t i = 0; i < 2; i++) {
        at = strstr(at, "> 192.0.2.1:9");
        assert_non_null(at);
        const char *colon = memrchr(bench_trace, ':', (size_t)(at - bench_trace));
        ports[i] = (unsigned)strtoul(colon + 1, NULL, 10);
        at++;
    }
    assert_int_not_equal(ports[0], 5060);
    assert_int_not_equal(ports[1], ports[0] + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc6888_req_1),
        cmocka_unit_test(rfc6888_req_2),
        cmocka_unit_test(rfc6888_req_3),
        cmocka_unit_test(rfc6888_req_4_and_5),
        cmocka_unit_test(rfc6888_req_6),
        cmocka_unit_test(rfc6888_req_7),
        cmocka_unit_test(rfc6888_req_8),
        cmocka_unit_test(rfc6888_req_9),
        cmocka_unit_test(rfc6888_req_9_within_bounds),
        cmocka_unit_test(rfc6888_req_10),
        cmocka_unit_test(rfc6888_req_11),
        cmocka_unit_test(rfc6888_req_12_and_14),
        cmocka_unit_test(rfc6888_req_13),
        cmocka_unit_test(rfc6888_req_15),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
