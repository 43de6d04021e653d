/*     alice 10.0.0.1 ── 5 ms ── bob 10.0.0.2
 *
 * UDP sockets of the simulated world: binding, sending to others and to oneself, errors that come back. */
#include "tests/world/probe.h"

enum { ALICE, BOB };

static int setup(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    if (!lab)
        return -1;
    unsigned alice = build_node(&lab->plan, "alice", &probe_kind);
    unsigned bob = build_node(&lab->plan, "bob", &probe_kind);
    struct plan_end a = build_port(&lab->plan, alice, "on", IPV4(10, 0, 0, 1), 24);
    struct plan_end b = build_port(&lab->plan, bob, "on", IPV4(10, 0, 0, 2), 24);
    build_wire(&lab->plan, "alice.bob", a, b, (struct wire_spec){.delay = 5 * MS});
    lab_open(lab);
    *state = lab;
    return 0;
}

static int teardown(void **state)
{
    lab_close(*state);
    free(*state);
    return 0;
}

/* The result of a command that was given once. */
static int result_of(const struct lab *lab, const char *command)
{
    char key[128];
    snprintf(key, sizeof key, "\"what\":\"%s\",\"result\":", command);
    const char *at = strstr(lab->trace, key);
    if (!at)
        fail_msg("never done: %s", command);
    return (int)strtol(at + strlen(key), NULL, 10);
}

static void a_datagram_arrives_whole_after_the_delay_with_ttl_64(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 1 * SEC, ALICE, "send 10.0.0.2 172");
    lab_run(lab);
    assert_int_equal(lab_count(lab,
                               "{\"t\":1005000000,\"node\":\"bob\",\"ev\":\"got\",\"from\":\"10.0.0.1:5000\",\"ttl\":"
                               "64,\"n\":172,\"intact\":true}"),
                     1);
}

static void empty_and_largest_datagrams_pass(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, ALICE, "send 10.0.0.2 0");
    lab_command(lab, 0, ALICE, "send 10.0.0.2 65507");
    lab_command(lab, 0, ALICE, "send 10.0.0.2 65508");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"n\":0,\"intact\":true"), 1);
    assert_int_equal(lab_count(lab, "\"n\":65507,\"intact\":true"), 1);
    assert_int_equal(result_of(lab, "send 10.0.0.2 65508"), FE_ERANGE);
}

static void no_route_is_an_error_of_the_call(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, ALICE, "send 192.0.2.1 10");
    lab_run(lab);
    assert_int_equal(result_of(lab, "send 192.0.2.1 10"), FE_EUNREACH);
}

/* Where a server is that nobody has told about. */
static void nowhere_is_an_error_of_the_call(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, ALICE, "send 0.0.0.0 10");
    lab_run(lab);
    assert_int_equal(result_of(lab, "send 0.0.0.0 10"), FE_EUNREACH);
}

static void a_port_has_one_socket(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, ALICE, "open 0.0.0.0:5000");
    lab_command(lab, 0, ALICE, "open 10.0.0.1:5000");
    lab_command(lab, 0, ALICE, "open 10.0.0.1:6000");
    lab_command(lab, 0, ALICE, "open 127.0.0.1:6000");
    lab_command(lab, 0, ALICE, "open 0.0.0.0:6000");
    lab_command(lab, 0, ALICE, "open 10.0.0.2:7000");
    lab_run(lab);
    assert_int_equal(result_of(lab, "open 0.0.0.0:5000"), FE_EUSED);
    assert_int_equal(result_of(lab, "open 10.0.0.1:5000"), FE_EUSED);
    assert_int_equal(result_of(lab, "open 10.0.0.1:6000"), 0);
    assert_int_equal(result_of(lab, "open 127.0.0.1:6000"), 0);
    assert_int_equal(result_of(lab, "open 0.0.0.0:6000"), FE_EUSED);
    assert_int_equal(result_of(lab, "open 10.0.0.2:7000"), FE_EUNREACH);
}

static void a_closed_port_is_unreachable_and_the_sender_is_told(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, BOB, "close");
    lab_command(lab, 1 * SEC, ALICE, "send 10.0.0.2 10");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "{\"t\":1005000000,\"node\":\"bob\",\"ev\":\"icmp\",\"from\":\"10.0.0.2\",\"type\":"
                                    "\"port-unreachable\",\"about\":\"udp 10.0.0.1:5000 > 10.0.0.2:5000\"}"),
                     1);
    assert_int_equal(lab_count(lab, "{\"t\":1010000000,\"node\":\"alice\",\"ev\":\"refused\",\"to\":\"10.0.0.2:5000\","
                                    "\"from\":\"10.0.0.2\",\"type\":\"port-unreachable\",\"mtu\":0}"),
                     1);
    assert_int_equal(lab_count(lab, "\"ev\":\"drop\""), 0);
}

static void a_datagram_to_oneself_stays_inside(void **state)
{
    struct lab *lab = *state;
    struct engine_count count;
    lab_command(lab, 0, ALICE, "send 10.0.0.1 10");
    lab_command(lab, 0, ALICE, "send 127.0.0.1 20");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"node\":\"alice\",\"ev\":\"got\",\"from\":\"10.0.0.1:5000\",\"ttl\":64,\"n\":10"),
                     1);
    assert_int_equal(
        lab_count(lab, "\"node\":\"alice\",\"ev\":\"got\",\"from\":\"127.0.0.1:5000\",\"ttl\":64,\"n\":20"), 1);
    engine_count_all(lab->engine, &count);
    assert_int_equal(count.sent, 0);
}

static void a_closed_port_of_ones_own_is_unreachable_too(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, ALICE, "send 10.0.0.1:9 10");
    lab_run(lab);
    assert_int_equal(
        lab_count(lab, "\"node\":\"alice\",\"ev\":\"refused\",\"to\":\"10.0.0.1:9\",\"from\":\"10.0.0.1\""), 1);
}

static void df_limits_the_size_to_the_mtu(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 0, ALICE, "df");
    lab_command(lab, 0, ALICE, "send 10.0.0.2 1472");
    lab_command(lab, 0, ALICE, "send 10.0.0.2 1473");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"ev\":\"got\""), 1);
    assert_int_equal(result_of(lab, "send 10.0.0.2 1473"), FE_ERANGE);
}

static void without_power_the_stack_still_refuses(void **state)
{
    struct lab *lab = *state;
    lab_command(lab, 1 * SEC, ALICE, "send 10.0.0.2 10");
    assert_int_equal(engine_power(lab->engine, BOB, false), 0);
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"node\":\"bob\",\"ev\":\"power\",\"on\":false"), 1);
    assert_int_equal(lab_count(lab, "\"type\":\"port-unreachable\",\"mtu\":0"), 1);
}

/* ---- a node of its own for each case below ---- */

static uint16_t chosen[4];

static int ephemeral_start(struct host *h, const void *settings, void **node, struct text *why)
{
    (void)settings;
    (void)why;
    *node = NULL;
    for (size_t i = 0; i < sizeof chosen / sizeof *chosen; i++) {
        struct host_udp *u;
        assert_int_equal(host_udp_open(h, (struct endpoint){0}, &probe_events, NULL, &u), 0);
        chosen[i] = host_udp_local(u).port;
    }
    return 0;
}

static void ephemeral_stop(void *node)
{
    (void)node;
}

static void ephemeral_ports_are_the_stream_s_and_within_linux_s_range(void **state)
{
    static const struct node_kind kind = {.name = "ephemeral",
                                          .options = probe_options,
                                          .settings_size = 1,
                                          .start = ephemeral_start,
                                          .stop = ephemeral_stop};
    struct lab lab = {.plan.seed = 7};
    uint16_t first[4];
    (void)state;
    for (int run = 0; run < 2; run++) {
        build_node(&lab.plan, "alice", &kind);
        lab_open(&lab);
        lab_run(&lab);
        lab_close(&lab);
        lab.plan.seed = 7;
        for (size_t i = 0; i < 4; i++) {
            assert_in_range(chosen[i], 32768, 60999);
            if (run)
                assert_int_equal(chosen[i], first[i]);
            first[i] = chosen[i];
        }
    }
}

/* A node with two sockets: the second gets its datagram first, yet the first is worked off first; it closes the second.
 */
static struct host_udp *pair[2];
static unsigned pair_received[2];

static void pair_got(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    size_t index = (size_t)((struct host_udp **)arg - pair);
    (void)from;
    (void)ttl;
    (void)data;
    pair_received[index]++;
    if (index == 0)
        host_udp_close(pair[1]);
}

static int pair_start(struct host *h, const void *settings, void **node, struct text *why)
{
    static const struct host_udp_events events = {pair_got, NULL};
    (void)settings;
    (void)why;
    *node = h;
    for (uint16_t i = 0; i < 2; i++)
        assert_int_equal(host_udp_open(h, (struct endpoint){0, (uint16_t)(7000 + i)}, &events, &pair[i], &pair[i]), 0);
    for (uint16_t i = 2; i-- > 0;)
        host_udp_send(pair[0], (struct endpoint){IPV4(127, 0, 0, 1), (uint16_t)(7000 + i)}, 0, SPAN("x"));
    assert_int_equal(pair_received[0] + pair_received[1], 0); /* never from inside a call */
    return 0;
}

static void sockets_are_worked_off_in_the_order_of_opening_and_may_close_each_other(void **state)
{
    static const struct node_kind kind = {
        .name = "pair", .options = probe_options, .settings_size = 1, .start = pair_start, .stop = ephemeral_stop};
    struct lab lab = {0};
    (void)state;
    build_node(&lab.plan, "alice", &kind);
    lab_open(&lab);
    lab_run(&lab);
    assert_int_equal(pair_received[0], 1);
    assert_int_equal(pair_received[1], 0);
    lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_datagram_arrives_whole_after_the_delay_with_ttl_64, setup, teardown),
        cmocka_unit_test_setup_teardown(empty_and_largest_datagrams_pass, setup, teardown),
        cmocka_unit_test_setup_teardown(no_route_is_an_error_of_the_call, setup, teardown),
        cmocka_unit_test_setup_teardown(nowhere_is_an_error_of_the_call, setup, teardown),
        cmocka_unit_test_setup_teardown(a_port_has_one_socket, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_port_is_unreachable_and_the_sender_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_datagram_to_oneself_stays_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_port_of_ones_own_is_unreachable_too, setup, teardown),
        cmocka_unit_test_setup_teardown(df_limits_the_size_to_the_mtu, setup, teardown),
        cmocka_unit_test_setup_teardown(without_power_the_stack_still_refuses, setup, teardown),
        cmocka_unit_test(ephemeral_ports_are_the_stream_s_and_within_linux_s_range),
        cmocka_unit_test(sockets_are_worked_off_in_the_order_of_opening_and_may_close_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
