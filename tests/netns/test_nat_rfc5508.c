/* RFC 5508, the requirements on a NAT for ICMP, by number, in both worlds. */
#include "tests/netns/nat_bench.h"

/* REQ-1: queries from inside and their answers pass. */
static void rfc5508_req_1(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "icmp 8 10.0.0.2:0 192.0.2.1:0 2000"},
                          {2 * SEC, B, "icmp 8 10.0.0.3:0 192.0.2.1:0 2000"},
                          {3 * SEC, S, "icmp 0 192.0.2.1:0 192.0.2.7:0 2001"}));
    bench_came(1, S, "icmp echo 192.0.2.7 > 192.0.2.1 id 2000");
    bench_came(1, S, "icmp echo 192.0.2.7 > 192.0.2.1 id 2001");
    bench_came(1, B, "icmp echo-reply 192.0.2.1 > 10.0.0.3 id 2000");
}

/* REQ-2: the session of a query lives 60 s at least. */
static void rfc5508_req_2(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "icmp 8 10.0.0.2:0 192.0.2.1:0 2000"},
                          {60 * SEC, S, "icmp 0 192.0.2.1:0 192.0.2.7:0 2000"}));
    bench_came(1, A, "icmp echo-reply 192.0.2.1 > 10.0.0.2 id 2000");
    bench_expect(1, "{\"t\":61002000000,", "expired");
}

/* REQ-3: an error with a wrong checksum is dropped in silence. */
static void rfc5508_req_3(void **state)
{
    (void)state;
    bench_run(NULL,
              STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"}, {2 * SEC, S, "error 3 3 192.0.2.1 broken"}));
    bench_expect(0, "\"node\":\"a\",\"ev\":\"came\"", "");
    bench_expect(1, "\"node\":\"s\",\"ev\":\"came\"", "");
    bench_dropped(1, "bad-packet");
}

/* REQ-4: an error from outside reaches the sender of what it quotes, in its words; about nothing of ours: dropped. */
static void rfc5508_req_4(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"}, {2 * SEC, S, "error 11 0 192.0.2.2"},
                          {3 * SEC, NAT, "flush"}, {4 * SEC, S, "error 11 0 192.0.2.2"}));
    bench_came(1, A, "icmp time-exceeded 192.0.2.2 > 10.0.0.2 about udp 10.0.0.2:5060 > 192.0.2.1:9");
    bench_dropped(1, "no-mapping");
}

/* REQ-5: an error from inside comes from the public address, about the public endpoint; about nothing: dropped. */
static void rfc5508_req_5(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"},
                          {2 * SEC, S, "udp 192.0.2.1:9 192.0.2.7:5060 100"}, {3 * SEC, A, "error 3 3 10.0.0.2"},
                          {4 * SEC, NAT, "flush"}, {5 * SEC, A, "error 3 3 10.0.0.2"}));
    bench_came(1, S, "icmp port-unreachable 192.0.2.7 > 192.0.2.1 about udp 192.0.2.1:9 > 192.0.2.7:5060");
    bench_dropped(1, "no-mapping");
}

/* REQ-6: an error about a query neither refreshes nor ends its session. */
static void rfc5508_req_6(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "icmp 8 10.0.0.2:0 192.0.2.1:0 2000"}, {30 * SEC, S, "error 3 1 192.0.2.2"}));
    bench_came(1, A, "icmp host-unreachable 192.0.2.2 > 10.0.0.2 about icmp echo 10.0.0.2 > 192.0.2.1");
    bench_expect(1, "{\"t\":61002000000,", "expired");
}

/* REQ-7: errors about hairpinned packets turn round too. */
static void rfc5508_req_7(void **state)
{
    (void)state;
    bench_run(SETTINGS({"hairpin", "yes"}, {"filtering", "endpoint-independent"}),
              STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"},
                    {2 * SEC, B, "udp 10.0.0.3:5070 192.0.2.7:5060 100"}, {3 * SEC, A, "error 3 3 10.0.0.2"}));
    bench_came(1, B, "icmp port-unreachable 192.0.2.7 > 10.0.0.3 about udp 10.0.0.3:5070 > 192.0.2.7:5060");
}

/* REQ-8: who gets no session is told: administratively prohibited. REQ-9: unless it shall not be. */
static void rfc5508_req_8_and_9(void **state)
{
    (void)state;
    const struct bench_step *steps =
        STEPS({1 * SEC, A, "udp 10.0.0.2:5060 192.0.2.1:9 100"}, {2 * SEC, A, "udp 10.0.0.2:5061 192.0.2.1:9 100"});
    bench_run(SETTINGS({"quota", "1"}), steps);
    bench_came(1, A, "icmp prohibited 10.0.0.1 > 10.0.0.2 about udp 10.0.0.2:5061 > 192.0.2.1:9");
    bench_dropped(1, "no-port");
    bench_run(SETTINGS({"quota", "1"}, {"refuse", "silently"}), steps);
    bench_expect(0, "\"node\":\"a\",\"ev\":\"came\"", "");
}

/* REQ-10: the NAT is a host and router too: it answers pings and says when a packet's time is over. */
static void rfc5508_req_10(void **state)
{
    (void)state;
    bench_run(NULL,
              STEPS({1 * SEC, A, "icmp 8 10.0.0.2:0 10.0.0.1:0 7"}, {2 * SEC, S, "icmp 8 192.0.2.1:0 192.0.2.7:0 8"}));
    bench_came(1, A, "icmp echo-reply 10.0.0.1 > 10.0.0.2 id 7");
    bench_came(1, S, "icmp echo-reply 192.0.2.7 > 192.0.2.1 id 8");
}

/* REQ-11: messages that are neither query nor error are dropped (router advertisement; timestamps are queries of a
 * kind that nobody uses any more). */
static void rfc5508_req_11(void **state)
{
    (void)state;
    bench_run(NULL,
              STEPS({1 * SEC, A, "icmp 9 10.0.0.2:0 192.0.2.1:0 7"}, {2 * SEC, A, "icmp 13 10.0.0.2:0 192.0.2.1:0 7"}));
    bench_expect(0, "\"node\":\"s\",\"ev\":\"came\"", "");
    bench_expect(2, "\"node\":\"nat\",\"ev\":\"drop\"", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc5508_req_1),  cmocka_unit_test(rfc5508_req_2),       cmocka_unit_test(rfc5508_req_3),
        cmocka_unit_test(rfc5508_req_4),  cmocka_unit_test(rfc5508_req_5),       cmocka_unit_test(rfc5508_req_6),
        cmocka_unit_test(rfc5508_req_7),  cmocka_unit_test(rfc5508_req_8_and_9), cmocka_unit_test(rfc5508_req_10),
        cmocka_unit_test(rfc5508_req_11),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
