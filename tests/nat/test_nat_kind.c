/*     alice 10.0.0.2 ── 10.0.0.1 [nat] 203.0.113.7 ── server 198.51.100.1
 *
 * The nat node in the simulated world: settings, commands, timers and what is traced. */
#include "nodes/nat/nat_settings.h"
#include "tests/world/probe.h"

extern const struct node_kind nat_kind;

enum { ALICE, NAT, SERVER };

/* settings: path and value in turn, NULL at the end. The engine numbers nodes in the order of their making. */
static struct lab *open_with(const char *const *settings)
{
    struct lab *lab = calloc(1, sizeof *lab);
    struct plan *plan = &lab->plan;
    assert_non_null(lab);
    unsigned alice = build_node(plan, "alice", &probe_kind);
    unsigned nat = build_node(plan, "nat", &nat_kind);
    unsigned server = build_node(plan, "server", &probe_kind);
    /* outside first: the node finds its ports by their names */
    struct plan_end outside = build_port(plan, nat, "outside", IPV4(203, 0, 113, 7), 24);
    struct plan_end inside = build_port(plan, nat, "inside", IPV4(10, 0, 0, 1), 24);
    struct plan_end a = build_port(plan, alice, "on", IPV4(10, 0, 0, 2), 24);
    struct plan_end s = build_port(plan, server, "on", IPV4(198, 51, 100, 1), 24);
    build_route(plan, alice, 0, 0, 0);
    build_route(plan, server, 0, 0, 0);
    build_wire(plan, "home", a, inside, (struct wire_spec){.delay = 1 * MS});
    build_wire(plan, "access", outside, s, (struct wire_spec){.delay = 1 * MS, .mtu = 1400});
    for (; *settings; settings += 2)
        build_setting(plan, nat, settings[0], settings[1]);
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

static const char *const defaults[] = {NULL};

#define MAPPING(state)                                                                                                 \
    "\"node\":\"nat\",\"ev\":\"mapping\",\"state\":\"" state "\",\"proto\":\"udp\",\"inside\":\"10.0.0.2:5000\","      \
    "\"outside\":\"203.0.113.7:5000\",\"remote\":\"198.51.100.1:5000\"}"

static void a_packet_makes_a_mapping_that_expires_on_time(void **state)
{
    struct lab *lab = open_with(defaults);
    (void)state;
    lab_command(lab, SEC, ALICE, "send 198.51.100.1 100");
    lab_command(lab, 100 * SEC, ALICE, "send 198.51.100.1 100");
    lab_run(lab);
    once(lab, "{\"t\":1001000000," MAPPING("created"));
    once(lab, "{\"t\":1002000000,\"node\":\"server\",\"ev\":\"got\",\"from\":\"203.0.113.7:5000\",\"ttl\":63,");
    once(lab, "{\"t\":400001000000," MAPPING("expired"));
    done(lab);
}

static void what_is_filtered_is_traced(void **state)
{
    struct lab *lab = open_with(defaults);
    (void)state;
    lab_command(lab, SEC, ALICE, "send 198.51.100.1:6000 100");
    lab_command(lab, 2 * SEC, SERVER, "send 203.0.113.7 100");
    lab_command(lab, 3 * SEC, SERVER, "send 203.0.113.7:99 100");
    lab_run(lab);
    once(lab, "\"ev\":\"drop\",\"cause\":\"filtered\",\"packet\":\"udp 198.51.100.1:5000 > 203.0.113.7:5000\"");
    once(lab, "\"ev\":\"drop\",\"cause\":\"no-mapping\",\"packet\":\"udp 198.51.100.1:5000 > 203.0.113.7:99\"");
    done(lab);
}

static void reboot_and_flush(void **state)
{
    struct lab *lab = open_with(defaults);
    (void)state;
    lab_command(lab, 1 * SEC, ALICE, "send 198.51.100.1 100");
    lab_command(lab, 2 * SEC, NAT, "reboot");
    lab_command(lab, 3 * SEC, SERVER, "send 203.0.113.7 100");
    lab_command(lab, 4 * SEC, ALICE, "send 198.51.100.1 100");
    lab_command(lab, 5 * SEC, NAT, "flush");
    lab_run(lab);
    once(lab, "{\"t\":2000000000,\"node\":\"nat\",\"ev\":\"reboot\",\"mappings\":1}");
    once(lab, "\"cause\":\"no-mapping\"");
    once(lab, "{\"t\":5000000000," MAPPING("removed"));
    assert_int_equal(lab_count(lab, "\"expired\""), 0);
    done(lab);
}

static void timeouts_can_be_set(void **state)
{
    static const char *const settings[] = {"udp timeout", "1min", NULL};
    struct lab *lab = open_with(settings);
    (void)state;
    lab_command(lab, 0, NAT, "set udp timeout 30s");
    lab_command(lab, SEC, ALICE, "send 198.51.100.1 100");
    lab_run(lab);
    once(lab, "{\"t\":31001000000," MAPPING("expired"));
    done(lab);
}

static void bad_commands_say_why(void **state)
{
    struct lab *lab = open_with(defaults);
    (void)state;
    lab_command(lab, SEC, NAT, "explode");
    lab_command(lab, 2 * SEC, NAT, "set udp tiemout 30s");
    lab_command(lab, 3 * SEC, NAT, "set udp timeout 30");
    lab_command(lab, 4 * SEC, NAT, "set mapping address-dependent");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"ev\":\"bad-command\""), 4);
    once(lab, "did you mean \\\"udp timeout\\\"?");
    once(lab, "a time with its unit");
    once(lab, "\\\"mapping\\\" cannot be set while the nat runs");
    done(lab);
}

static void forwards(void **state)
{
    static const char *const settings[] = {"forward.sip.port",
                                           "5060",
                                           "forward.sip.to",
                                           "10.0.0.2:5000",
                                           "forward.web.port",
                                           "80",
                                           "forward.web.to",
                                           "10.0.0.2",
                                           "forward.web.proto",
                                           "tcp",
                                           NULL};
    struct lab *lab = open_with(settings);
    (void)state;
    lab_command(lab, SEC, SERVER, "send 203.0.113.7:5060 100");
    lab_command(lab, 2 * SEC, ALICE, "send 198.51.100.1 100");
    lab_run(lab);
    once(lab, "\"node\":\"alice\",\"ev\":\"got\",\"from\":\"198.51.100.1:5000\"");
    once(lab, "\"node\":\"server\",\"ev\":\"got\",\"from\":\"203.0.113.7:5060\"");
    assert_int_equal(lab_count(lab, "\"ev\":\"mapping\""), 0);
    done(lab);
}

static void one_to_one(void **state)
{
    static const char *const settings[] = {"one-to-one", "10.0.0.2", NULL};
    struct lab *lab = open_with(settings);
    (void)state;
    lab_command(lab, SEC, SERVER, "send 203.0.113.7 100");
    lab_command(lab, 2 * SEC, ALICE, "send 198.51.100.1 100");
    lab_run(lab);
    once(lab, "\"node\":\"alice\",\"ev\":\"got\",\"from\":\"198.51.100.1:5000\"");
    once(lab, "\"node\":\"server\",\"ev\":\"got\",\"from\":\"203.0.113.7:5000\"");
    done(lab);
}

static void it_is_a_router_too(void **state)
{
    struct lab *lab = open_with(defaults);
    (void)state;
    lab_command(lab, 1 * SEC, ALICE, "send 198.51.100.1 100 1");
    lab_command(lab, 2 * SEC, ALICE, "send 198.51.100.1 1450"); /* two fragments on a link of 1400 */
    lab_command(lab, 3 * SEC, ALICE, "df");
    lab_command(lab, 4 * SEC, ALICE, "send 198.51.100.1 1450");
    lab_run(lab);
    once(lab, "\"node\":\"nat\",\"ev\":\"drop\",\"cause\":\"ttl-exceeded\",\"packet\":\"udp 10.0.0.2:5000 > "
              "198.51.100.1:5000\"");
    once(lab, "\"ev\":\"refused\",\"to\":\"198.51.100.1:5000\",\"from\":\"10.0.0.1\",\"type\":\"time-exceeded\"");
    once(lab, "\"node\":\"server\",\"ev\":\"got\",\"from\":\"203.0.113.7:5000\",\"ttl\":63,\"n\":1450,\"intact\":true");
    once(lab,
         "\"ev\":\"refused\",\"to\":\"198.51.100.1:5000\",\"from\":\"10.0.0.1\",\"type\":\"frag-needed\",\"mtu\":1400");
    done(lab);
}

static void fragments_come_in(void **state)
{
    struct lab *lab = open_with(defaults);
    (void)state;
    lab_command(lab, 1 * SEC, ALICE, "send 198.51.100.1 100");
    lab_command(lab, 2 * SEC, SERVER, "send 203.0.113.7 4000");
    lab_run(lab);
    once(lab, "\"node\":\"alice\",\"ev\":\"got\",\"from\":\"198.51.100.1:5000\",\"ttl\":63,\"n\":4000,\"intact\":true");
    done(lab);
}

static void the_alg_can_be_switched_while_it_runs(void **state)
{
    static const char *const settings[] = {"sip alg", "strict", NULL};
    struct lab *lab = open_with(settings);
    (void)state;
    lab_command(lab, 1 * SEC, ALICE, "send 198.51.100.1:5060 100");
    lab_command(lab, 2 * SEC, NAT, "set alg port 5080");
    lab_command(lab, 3 * SEC, ALICE, "send 198.51.100.1:5060 100");
    lab_command(lab, 4 * SEC, ALICE, "send 198.51.100.1:5080 100");
    lab_command(lab, 5 * SEC, NAT, "set sip alg off");
    lab_command(lab, 6 * SEC, ALICE, "send 198.51.100.1:5080 100");
    lab_run(lab);
    assert_int_equal(lab_count(lab, "\"ev\":\"bad-command\""), 0);
    once(lab, "{\"t\":1001000000,\"node\":\"nat\",\"ev\":\"drop\",\"cause\":\"alg-unparsed\",\"packet\":\"udp "
              "10.0.0.2:5000 > 198.51.100.1:5060\"");
    once(lab, "{\"t\":4001000000,\"node\":\"nat\",\"ev\":\"drop\",\"cause\":\"alg-unparsed\"");
    assert_int_equal(lab_count(lab, "alg-unparsed"), 2);
    done(lab);
}

static void settings_that_contradict_each_other(void **state)
{
    static const char *const settings[] = {"one-to-one", "10.0.0.2", "forward.sip.port", "5060", "forward.sip.to",
                                           "10.0.0.3",   NULL};
    struct lab *lab = open_with(settings);
    (void)state;
    assert_int_equal(engine_run(lab->engine), ENGINE_FAILED);
    assert_non_null(strstr(engine_failure(lab->engine), "one-to-one"));
    done(lab);
}

static void rebind(void **state)
{
    struct lab *lab = open_with(defaults);
    (void)state;
    lab_command(lab, 1 * SEC, ALICE, "send 198.51.100.1 100");
    lab_command(lab, 2 * SEC, NAT, "rebind");
    lab_command(lab, 3 * SEC, ALICE, "send 198.51.100.1 100");
    lab_run(lab);
    once(lab, "{\"t\":2000000000," MAPPING("removed"));
    assert_int_equal(lab_count(lab, "\"state\":\"created\""), 2);
    once(lab, "\"node\":\"server\",\"ev\":\"got\",\"from\":\"203.0.113.7:5000\"");
    assert_int_equal(lab_count(lab, "\"node\":\"server\",\"ev\":\"got\""), 2);
    done(lab);
}

static void the_public_address_changes(void **state)
{
    static const char *const settings[] = {"reserve", "203.0.113.8", NULL};
    struct lab *lab = open_with(settings);
    (void)state;
    lab_command(lab, 1 * SEC, ALICE, "send 198.51.100.1 100");
    lab_command(lab, 2 * SEC, NAT, "set public 203.0.113.8");
    lab_command(lab, 3 * SEC, ALICE, "send 198.51.100.1 100");
    lab_command(lab, 4 * SEC, NAT, "set public 203.0.113.7");
    lab_command(lab, 5 * SEC, ALICE, "send 198.51.100.1 100");
    lab_command(lab, 6 * SEC, NAT, "set public 203.0.113.9");
    lab_run(lab);
    once(lab, "{\"t\":2000000000," MAPPING("removed"));
    once(lab, "\"node\":\"server\",\"ev\":\"got\",\"from\":\"203.0.113.8:5000\"");
    assert_int_equal(lab_count(lab, "\"node\":\"server\",\"ev\":\"got\",\"from\":\"203.0.113.7:5000\""), 2);
    once(lab, "\"ev\":\"bad-command\",\"line\":\"set public 203.0.113.9\"");
    done(lab);
}

/* A setting of the user's goes before the preset's, whichever comes first. */
static void presets(void **state)
{
    static const char *const settings[] = {"udp unreplied timeout", "40s", "preset", "linux", NULL};
    static const char *const other_way[] = {"preset", "linux", "udp unreplied timeout", "40s", NULL};
    static const char *const alone[] = {"preset", "linux", NULL};
    (void)state;
    const char *const *const ways[] = {settings, other_way, alone};
    for (size_t i = 0; i < 3; i++) {
        struct lab *lab = open_with(ways[i]);
        lab_command(lab, SEC, ALICE, "send 198.51.100.1 100");
        lab_run(lab);
        once(lab, i < 2 ? "{\"t\":41001000000," MAPPING("expired") : "{\"t\":31001000000," MAPPING("expired"));
        done(lab);
    }
}

static void every_preset_starts(void **state)
{
    (void)state;
    for (const char *const *name = nat_preset_names; *name; name++) {
        const char *const settings[] = {"preset", *name, NULL};
        struct lab *lab = open_with(settings);
        lab_command(lab, SEC, ALICE, "send 198.51.100.1 100");
        lab_run(lab);
        once(lab, "\"state\":\"created\"");
        once(lab, "\"node\":\"server\",\"ev\":\"got\"");
        done(lab);
    }
}

static void blocks_are_traced(void **state)
{
    static const char *const settings[] = {"block size", "64", NULL};
    struct lab *lab = open_with(settings);
    (void)state;
    lab_command(lab, SEC, ALICE, "send 198.51.100.1 100");
    lab_run(lab);
    once(lab, "{\"t\":1001000000,\"node\":\"nat\",\"ev\":\"block\",\"state\":\"taken\",\"inside\":\"10.0.0.2\","
              "\"outside\":\"203.0.113.7\",\"low\":1024,\"high\":1087}");
    once(lab, "{\"t\":301001000000,\"node\":\"nat\",\"ev\":\"block\",\"state\":\"given-back\"");
    done(lab);
}

static void shared_ports_need_symmetric_mapping(void **state)
{
    static const char *const settings[] = {"overload", "yes", NULL};
    struct lab *lab = open_with(settings);
    (void)state;
    assert_int_equal(engine_run(lab->engine), ENGINE_FAILED);
    assert_non_null(strstr(engine_failure(lab->engine), "overload"));
    done(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_makes_a_mapping_that_expires_on_time),
        cmocka_unit_test(what_is_filtered_is_traced),
        cmocka_unit_test(reboot_and_flush),
        cmocka_unit_test(timeouts_can_be_set),
        cmocka_unit_test(bad_commands_say_why),
        cmocka_unit_test(forwards),
        cmocka_unit_test(one_to_one),
        cmocka_unit_test(it_is_a_router_too),
        cmocka_unit_test(fragments_come_in),
        cmocka_unit_test(the_alg_can_be_switched_while_it_runs),
        cmocka_unit_test(settings_that_contradict_each_other),
        cmocka_unit_test(rebind),
        cmocka_unit_test(the_public_address_changes),
        cmocka_unit_test(presets),
        cmocka_unit_test(every_preset_starts),
        cmocka_unit_test(blocks_are_traced),
        cmocka_unit_test(shared_ports_need_symmetric_mapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
