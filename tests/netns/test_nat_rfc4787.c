/* RFC 4787, the requirements on a NAT for UDP, by number, in both worlds. What the settings can break is set here as
 * the RFC wants it: parity (REQ-4) and hairpinning (REQ-9) are off by default, since most routers have them off. */
#include "tests/netns/nat_bench.h"

#define ANYBODY                                                                                                        \
    {                                                                                                                  \
        "filtering", "endpoint-independent"                                                                            \
    }

/* REQ-1: endpoint-independent mapping. */
static void rfc4787_req_1(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:5060 100"},
                          {2 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:5061 100"},
                          {3 * SEC, A, "udp 10.0.0.2:5060 192.0.2.2:5060 100"}));
    bench_came(1, S, "udp 192.0.2.7:5060 > 192.0.2.1:5060");
    bench_came(1, S, "udp 192.0.2.7:5060 > 192.0.2.1:5061");
    bench_came(1, T, "udp 192.0.2.7:5060 > 192.0.2.2:5060");
    bench_expect(1, "\"ev\":\"mapping\"", "created");
}

/* REQ-2: paired pooling. */
static void rfc4787_req_2(void **state)
{
    (void)state;
    bench_run(
        SETTINGS({"public", "192.0.2.8"}, {"public", "192.0.2.9"}),
        STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"}, {2 * SEC, B, "udp 10.0.0.3:5060 192.0.2.1:9 100"},
              {3 * SEC, A, "udp 10.0.0.2:10000 192.0.2.1:9 100"}, {4 * SEC, B, "udp 10.0.0.3:10000 192.0.2.1:9 100"}));
    bench_came(1, S, "udp 192.0.2.8:5060 > 192.0.2.1:9");
    bench_came(1, S, "udp 192.0.2.8:10000 > 192.0.2.1:9");
    bench_came(1, S, "udp 192.0.2.9:5060 > 192.0.2.1:9");
    bench_came(1, S, "udp 192.0.2.9:10000 > 192.0.2.1:9");
}

/* REQ-3: no overloading. REQ-3 a) recommends that ports below 1024 stay below: farend maps them into its port range, as
 * home routers do; "port range: 1-65535" lets them stay. */
static void rfc4787_req_3(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"},
                          {2 * SEC, B, "udp 10.0.0.3:5060 192.0.2.1:9 100"},
                          {3 * SEC, A, "udp 10.0.0.2:123 192.0.2.2:123 100"}));
    bench_came(1, S, "udp 192.0.2.7:5060 > 192.0.2.1:9");
    bench_came(1, S, "udp 192.0.2.7:5061 > 192.0.2.1:9");
    bench_came(0, T, "udp 192.0.2.7:123 > 192.0.2.2:123");
    bench_run(SETTINGS({"port range", "1-65535"}), STEPS({3 * SEC, A, "udp 10.0.0.2:123 192.0.2.2:123 100"}));
    bench_came(1, T, "udp 192.0.2.7:123 > 192.0.2.2:123");
}

/* REQ-4: port parity. */
static void rfc4787_req_4(void **state)
{
    (void)state;
    bench_run(SETTINGS({"parity", "yes"}), STEPS({1 * SEC, A, "udp 10.0.0.2:10000 192.0.2.1:9 100"},
                                                 {2 * SEC, B, "udp 10.0.0.3:10000 192.0.2.1:9 100"},
                                                 {3 * SEC, B, "udp 10.0.0.3:10001 192.0.2.1:9 100"}));
    bench_came(1, S, "udp 192.0.2.7:10000 > 192.0.2.1:9");
    bench_came(1, S, "udp 192.0.2.7:10002 > 192.0.2.1:9");
    bench_came(1, S, "udp 192.0.2.7:10001 > 192.0.2.1:9");
}

/* REQ-5: a mapping lives two minutes at least, five by default. */
static void rfc4787_req_5(void **state)
{
    (void)state;
    bench_run(SETTINGS(ANYBODY), STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"},
                                       {300 * SEC, S, "udp 192.0.2.1:9 192.0.2.7:5060 100"},
                                       {302 * SEC, S, "udp 192.0.2.1:9 192.0.2.7:5060 100"}));
    bench_came(1, A, "udp 192.0.2.1:9 > 10.0.0.2:5060");
    bench_expect(1, "{\"t\":301002000000,", "expired");
    bench_dropped(1, "no-mapping");
}

/* REQ-6: outbound packets refresh, inbound ones need not (and do not, unless `refresh: both`). */
static void rfc4787_req_6(void **state)
{
    (void)state;
    const struct bench_step *steps = STEPS(
        {1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"}, {200 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"},
        {400 * SEC, S, "udp 192.0.2.1:9 192.0.2.7:5060 100"}, {600 * SEC, S, "udp 192.0.2.1:9 192.0.2.7:5060 100"});
    bench_run(NULL, steps);
    bench_came(1, A, "udp 192.0.2.1:9 > 10.0.0.2:5060");
    bench_expect(1, "{\"t\":500002000000,", "expired");
    bench_run(SETTINGS({"refresh", "both"}), steps);
    bench_came(2, A, "udp 192.0.2.1:9 > 10.0.0.2:5060");
}

/* REQ-7 is about addresses that the outside gives: here all are the lab file's. What it asks for is done (its 2nd way):
 * a host outside whose address could be one inside is reached, when the inside has no such host. */
static void rfc4787_req_7(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "udp 10.0.0.2:5060 10.0.0.77:9 100"}));
    bench_expect(1, "\"cause\":\"no-such-host\"", "udp 192.0.2.7:5060 > 10.0.0.77:9");
}

/* REQ-8: filtering by choice: everybody, who was spoken to, or only that port. */
static void rfc4787_req_8(void **state)
{
    (void)state;
    const struct bench_step *steps =
        STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"}, {2 * SEC, S, "udp 192.0.2.1:9 192.0.2.7:5060 100"},
              {3 * SEC, S, "udp 192.0.2.1:10 192.0.2.7:5060 100"}, {4 * SEC, T, "udp 192.0.2.2:9 192.0.2.7:5060 100"});
    bench_run(SETTINGS(ANYBODY), steps);
    bench_dropped(0, "filtered");
    bench_came(1, A, "udp 192.0.2.2:9 > 10.0.0.2:5060");
    bench_run(SETTINGS({"filtering", "address-dependent"}), steps);
    bench_dropped(1, "filtered");
    bench_came(1, A, "udp 192.0.2.1:10 > 10.0.0.2:5060");
    bench_run(NULL, steps);
    bench_dropped(2, "filtered");
    bench_came(1, A, "udp 192.0.2.1:9 > 10.0.0.2:5060");
}

/* REQ-9: hairpinning, with the external source (REQ-9 a). */
static void rfc4787_req_9(void **state)
{
    (void)state;
    bench_run(SETTINGS({"hairpin", "yes"}, ANYBODY), STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"},
                                                           {2 * SEC, B, "udp 10.0.0.3:5070 192.0.2.7:5060 100"}));
    bench_came(1, A, "udp 192.0.2.7:5070 > 10.0.0.2:5060");
}

/* REQ-10: ALGs are off by default: an address in a SIP message stays as it is. What the ALG does when it is on:
 * tests/nat/test_nat_alg.c, topologies/alg. */
static void rfc4787_req_10(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:5060 300"}));
    bench_expect(0, "\"ev\":\"alg\"", "");
    bench_came(1, S, "udp 192.0.2.7:5060 > 192.0.2.1:5060");
}

/* REQ-11: a collision does not change the behaviour: the moved mapping is endpoint-independent too. */
static void rfc4787_req_11(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"},
                          {2 * SEC, B, "udp 10.0.0.3:5060 192.0.2.1:9 100"},
                          {3 * SEC, B, "udp 10.0.0.3:5060 192.0.2.2:9 100"},
                          {4 * SEC, B, "udp 10.0.0.3:5060 192.0.2.1:9 100"}));
    bench_came(2, S, "udp 192.0.2.7:5061 > 192.0.2.1:9");
    bench_came(1, T, "udp 192.0.2.7:5061 > 192.0.2.2:9");
}

/* REQ-12: no ICMP message ends a mapping. */
static void rfc4787_req_12(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"}, {2 * SEC, S, "error 3 3 192.0.2.1"},
                          {3 * SEC, S, "error 3 1 192.0.2.2"}, {4 * SEC, S, "udp 192.0.2.1:9 192.0.2.7:5060 100"}));
    bench_came(1, A, "icmp port-unreachable 192.0.2.1 > 10.0.0.2 about udp 10.0.0.2:5060 > 192.0.2.1:9");
    bench_came(1, A, "icmp host-unreachable 192.0.2.2 > 10.0.0.2 about udp 10.0.0.2:5060 > 192.0.2.1:9");
    bench_came(1, A, "udp 192.0.2.1:9 > 10.0.0.2:5060");
    bench_expect(0, "\"ev\":\"mapping\"", "removed");
}

/* REQ-13: what is too large is refused with the MTU that would do (DF), or fragmented (REQ-13 a). */
static void rfc4787_req_13(void **state)
{
    (void)state;
    bench_mtu = 1000;
    bench_run(NULL, STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 1200 df"},
                          {2 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 1200"}));
    bench_mtu = 0;
    bench_came(1, A, "icmp frag-needed 10.0.0.1 > 10.0.0.2 about udp 10.0.0.2:5060 > 192.0.2.1:9");
    bench_dropped(1, "too-big");
    bench_expect(2, "\"node\":\"s\",\"ev\":\"came\"", "192.0.2.7");
}

/* REQ-14: fragments in order and out of order. Each carries its part of the translated datagram. */
static void rfc4787_req_14(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 1000 pieces"},
                          {2 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 1000 backwards"},
                          {3 * SEC, S, "udp 192.0.2.1:9 192.0.2.7:5060 1000 backwards"}));
    bench_expect(4, "\"node\":\"s\",\"ev\":\"came\"", "192.0.2.7");
    bench_expect(2, "\"node\":\"a\",\"ev\":\"came\"", "10.0.0.2");
    bench_expect(0, "\"node\":\"nat\",\"ev\":\"drop\"", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc4787_req_1),  cmocka_unit_test(rfc4787_req_2),  cmocka_unit_test(rfc4787_req_3),
        cmocka_unit_test(rfc4787_req_4),  cmocka_unit_test(rfc4787_req_5),  cmocka_unit_test(rfc4787_req_6),
        cmocka_unit_test(rfc4787_req_7),  cmocka_unit_test(rfc4787_req_8),  cmocka_unit_test(rfc4787_req_9),
        cmocka_unit_test(rfc4787_req_10), cmocka_unit_test(rfc4787_req_11), cmocka_unit_test(rfc4787_req_12),
        cmocka_unit_test(rfc4787_req_13), cmocka_unit_test(rfc4787_req_14),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
