/* RFC 5382, the requirements on a NAT for TCP, by number, in both worlds. */
#include "tests/netns/nat_bench.h"

#define ANYBODY                                                                                                        \
    {                                                                                                                  \
        "filtering", "endpoint-independent"                                                                            \
    }

/* What the crafter says of a segment. */
#define SEGMENT(from, to) "tcp " from " > " to

/* REQ-1: endpoint-independent mapping. */
static void rfc5382_req_1(void **state)
{
    (void)state;
    bench_run(NULL,
              STEPS({1 * SEC, A, "tcp S 10.0.0.2:4000 192.0.2.1:80"}, {2 * SEC, A, "tcp S 10.0.0.2:4000 192.0.2.1:81"},
                    {3 * SEC, A, "tcp S 10.0.0.2:4000 192.0.2.2:80"}));
    bench_came(1, S, SEGMENT("192.0.2.7:4000", "192.0.2.1:80"));
    bench_came(1, S, SEGMENT("192.0.2.7:4000", "192.0.2.1:81"));
    bench_came(1, T, SEGMENT("192.0.2.7:4000", "192.0.2.2:80"));
    bench_expect(1, "\"ev\":\"mapping\"", "created");
}

/* REQ-2: every valid sequence, simultaneous open too. */
static void rfc5382_req_2(void **state)
{
    (void)state;
    bench_run(
        NULL,
        STEPS({1 * SEC, A, "tcp S 10.0.0.2:4000 192.0.2.1:80"}, {2 * SEC, S, "tcp S 192.0.2.1:80 192.0.2.7:4000"},
              {3 * SEC, A, "tcp SA 10.0.0.2:4000 192.0.2.1:80"}, {4 * SEC, S, "tcp SA 192.0.2.1:80 192.0.2.7:4000"},
              {5 * SEC, A, "tcp FA 10.0.0.2:4000 192.0.2.1:80"}, {6 * SEC, S, "tcp FA 192.0.2.1:80 192.0.2.7:4000"}));
    bench_came(3, S, SEGMENT("192.0.2.7:4000", "192.0.2.1:80"));
    bench_came(3, A, SEGMENT("192.0.2.1:80", "10.0.0.2:4000"));
    bench_expect(0, "\"node\":\"nat\",\"ev\":\"drop\"", "");
}

/* REQ-3: filtering by choice. */
static void rfc5382_req_3(void **state)
{
    (void)state;
    const struct bench_step *steps =
        STEPS({1 * SEC, A, "tcp S 10.0.0.2:4000 192.0.2.1:80"}, {2 * SEC, S, "tcp S 192.0.2.1:81 192.0.2.7:4000"},
              {3 * SEC, T, "tcp S 192.0.2.2:80 192.0.2.7:4000"});
    bench_run(SETTINGS(ANYBODY), steps);
    bench_dropped(0, "filtered");
    bench_came(1, A, SEGMENT("192.0.2.2:80", "10.0.0.2:4000"));
    bench_run(SETTINGS({"filtering", "address-dependent"}), steps);
    bench_dropped(1, "filtered");
    bench_came(1, A, SEGMENT("192.0.2.1:81", "10.0.0.2:4000"));
    bench_run(NULL, steps);
    bench_dropped(2, "filtered");
}

/* REQ-4: an unsolicited SYN gets no answer for 6 s, then an ICMP error; none at all when the inside opens meanwhile. */
static void rfc5382_req_4(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, S, "tcp S 192.0.2.1:80 192.0.2.7:4000"}));
    bench_expect(1, "\"node\":\"s\",\"ev\":\"came\"", "{\"t\":7004000000,");
    bench_came(1, S, "icmp port-unreachable 192.0.2.7 > 192.0.2.1 about tcp 192.0.2.1:80 > 192.0.2.7:4000");
    bench_run(NULL, STEPS({1 * SEC, S, "tcp S 192.0.2.1:80 192.0.2.7:4000"},
                          {2 * SEC, A, "tcp S 10.0.0.2:4000 192.0.2.1:80"}));
    bench_expect(1, "\"node\":\"s\",\"ev\":\"came\"", "");
    bench_came(1, S, SEGMENT("192.0.2.7:4000", "192.0.2.1:80"));
}

/* REQ-5: opening 4 min, established 2 h 4 min. */
static void rfc5382_req_5(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "tcp S 10.0.0.2:4000 192.0.2.1:80"}));
    bench_expect(1, "{\"t\":241002000000,", "expired");
    bench_run(NULL, STEPS({1 * SEC, A, "tcp S 10.0.0.2:4000 192.0.2.1:80"},
                          {2 * SEC, S, "tcp SA 192.0.2.1:80 192.0.2.7:4000"},
                          {3 * SEC, A, "tcp A 10.0.0.2:4000 192.0.2.1:80"}));
    bench_expect(1, "{\"t\":7443002000000,", "expired");
}

/* REQ-6: no ALG touches TCP, on or off: farend's looks into UDP alone. */
static void rfc5382_req_6(void **state)
{
    (void)state;
    bench_run(SETTINGS({"sip alg", "strict"}), STEPS({1 * SEC, A, "tcp SA 10.0.0.2:5060 192.0.2.1:5060"}));
    bench_came(1, S, SEGMENT("192.0.2.7:5060", "192.0.2.1:5060"));
    bench_expect(0, "\"ev\":\"alg\"", "");
    bench_expect(0, "\"node\":\"nat\",\"ev\":\"drop\"", "");
}

/* REQ-7: no overloading. */
static void rfc5382_req_7(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "tcp S 10.0.0.2:4000 192.0.2.1:80"},
                          {2 * SEC, B, "tcp S 10.0.0.3:4000 192.0.2.2:80"}));
    bench_came(1, S, SEGMENT("192.0.2.7:4000", "192.0.2.1:80"));
    bench_came(1, T, SEGMENT("192.0.2.7:4001", "192.0.2.2:80"));
}

/* REQ-8: hairpinning, with the external source (REQ-8 a). */
static void rfc5382_req_8(void **state)
{
    (void)state;
    bench_run(SETTINGS({"hairpin", "yes"}, ANYBODY), STEPS({1 * SEC, A, "tcp S 10.0.0.2:4000 192.0.2.1:80"},
                                                           {2 * SEC, B, "tcp S 10.0.0.3:4010 192.0.2.7:4000"}));
    bench_came(1, A, SEGMENT("192.0.2.7:4010", "10.0.0.2:4000"));
}

/* REQ-9: destination unreachable comes through, REQ-10: and ends nothing. */
static void rfc5382_req_9_and_10(void **state)
{
    (void)state;
    bench_run(NULL, STEPS({1 * SEC, A, "tcp S 10.0.0.2:4000 192.0.2.1:80"}, {2 * SEC, S, "error 3 1 192.0.2.2"},
                          {3 * SEC, S, "tcp SA 192.0.2.1:80 192.0.2.7:4000"}));
    bench_came(1, A, "icmp host-unreachable 192.0.2.2 > 10.0.0.2 about tcp 10.0.0.2:4000 > 192.0.2.1:80");
    bench_came(1, A, SEGMENT("192.0.2.1:80", "10.0.0.2:4000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc5382_req_1), cmocka_unit_test(rfc5382_req_2), cmocka_unit_test(rfc5382_req_3),
        cmocka_unit_test(rfc5382_req_4), cmocka_unit_test(rfc5382_req_5), cmocka_unit_test(rfc5382_req_6),
        cmocka_unit_test(rfc5382_req_7), cmocka_unit_test(rfc5382_req_8), cmocka_unit_test(rfc5382_req_9_and_10),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
