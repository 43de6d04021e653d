/* What a lab file with mistakes is answered: the exact place, what was expected, the nearest spelling, and several
 * mistakes at once. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "sim/lab/lab.h"
#include "tests/cmocka.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD                                                                                                           \
    "lab: t\n"                                                                                                         \
    "networks:\n"                                                                                                      \
    "  home: 192.168.1.0/24\n"                                                                                         \
    "  net: {subnet: 203.0.113.0/24, hops: 3}\n"
#define NODES                                                                                                          \
    "nodes:\n"                                                                                                         \
    "  alice: {kind: phone, on: home.20, line: 101}\n"                                                                 \
    "  nat: {kind: nat, inside: home.1, outside: net.7}\n"                                                             \
    "  pbx: {kind: pbx, on: net.10, lines: {101: {password: a}, 102: {password: b}}}\n"                                \
    "  bob: {kind: phone, on: net.11, line: 102}\n"

/* Everything that problems_write() says; "" for a correct lab. The caller frees it. */
static char *complaints(const char *text)
{
    struct lab *lab = NULL;
    char *said = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&said, &n);
    int error = lab_parse(&lab, "t.yaml", span_of(text), NULL, 0);
    assert_non_null(lab);
    assert_int_equal(error, lab->problems.n ? FE_ESYNTAX : 0);
    problems_write(&lab->problems, out);
    fclose(out);
    lab_free(lab);
    return said;
}

static void assert_said(const char *text, const char *expected)
{
    char *said = complaints(text);
    if (!strstr(said, expected)) {
        print_error("expected: %s\nsaid:     %s\n", expected, said);
        fail();
    }
    free(said);
}

static void correct_lab_has_no_problem(void **state)
{
    (void)state;
    char *said = complaints(HEAD NODES);
    assert_string_equal(said, "");
    free(said);
}

/* PH-16. */
static void udp_and_tls_together_are_refused(void **state)
{
    (void)state;
    assert_said(
        HEAD "certificates: {roots: {ca: {}}}\n"
             "nodes:\n"
             "  alice: {kind: phone, on: net.20, line: 101, proxy: pbx, transport: udp+tls, trusted certificates: ca}\n"
             "  pbx: {kind: pbx, on: net.10, lines: {101: {}}}\n",
        "t.yaml:7:70: transport: UDP and TLS together are not supported; a phone speaks UDP and TCP, TCP and TLS, or "
        "one of "
        "the three\n");
}

static void problem_shows_line_and_caret(void **state)
{
    (void)state;
    assert_said(HEAD "nodes:\n  alice: {kind: phone, on: hom.20, line: 101}\n",
                "t.yaml:6:28: there is no network \"hom\"; did you mean \"home\"?\n"
                "    6 |   alice: {kind: phone, on: hom.20, line: 101}\n"
                "      |                            ^\n");
}

static void caret_counts_characters_not_bytes(void **state)
{
    (void)state;
    assert_said("lab: t\nnetworks: {é: 10.0.0.0/24}\nnodes: {}\n",
                "t.yaml:2:12: \"é\" cannot be the name of a network; expected up to 40 letters, digits, - and _\n"
                "    2 | networks: {é: 10.0.0.0/24}\n"
                "      |            ^\n");
}

static void several_problems_are_told_in_file_order(void **state)
{
    (void)state;
    char *said = complaints(
        "lab: t\nnetworks: {home: 10.0.0.1/24}\nnodes: {a: {kind: fone, on: home.1}}\nsteps: [{slep: 1s}]\n");
    const char *subnet = strstr(said, "t.yaml:2:18: \"10.0.0.1/24\" has host bits; the subnet begins at 10.0.0.0\n");
    const char *kind = strstr(
        said, "t.yaml:3:19: there is no kind \"fone\"; expected dns, nat, pbx, phone, prober, router, sbc, stun or "
              "program; did you mean \"phone\"?\n");
    const char *step = strstr(said, "t.yaml:4:10: there is no step \"slep\"; did you mean \"sleep\"?\n");
    assert_true(subnet && kind && step);
    assert_true(subnet < kind && kind < step);
    free(said);
}

static void yaml_errors_have_their_place(void **state)
{
    (void)state;
    assert_said("a: [1, 2\nb: {",
                "t.yaml:2:2: not YAML: did not find expected ',' or ']', while parsing a flow sequence\n");
    assert_said("", "t.yaml: there is nothing in it\n");
    assert_said("lab: a\nlab: b\n", "t.yaml:2:1: \"lab\" is here a second time\n");
    assert_said("a: b\n---\nc: d\n", "a second document begins here; one file is one lab\n");
    assert_said("&a [*a]\n", "nested too deeply\n");
}

static void a_lifetime_is_whole_seconds(void **state)
{
    (void)state;
    assert_said(HEAD NODES "expect:\n  - {nat: {lifetime: 1500ms}}\n",
                "lifetime: expected a time of whole seconds with its unit, as 60s\n");
    assert_said(HEAD NODES "expect:\n  - {nat: {mapping: symmetric}}\n",
                "mapping: \"symmetric\" is not endpoint-independent, address-dependent or address-and-port-dependent");
}

static void addresses_are_checked(void **state)
{
    (void)state;
    assert_said(HEAD NODES "  carol: {kind: phone, on: home.20, line: 103}\n",
                "t.yaml:10:28: the address 192.168.1.20 is taken by \"alice\"\n");
    assert_said(HEAD NODES "  carol: {kind: phone, on: home.10.1.1.1, line: 103}\n",
                "t.yaml:10:28: 10.1.1.1 is not in \"home\", which begins at 192.168.1.0\n");
    assert_said(HEAD NODES "  carol: {kind: phone, on: home.255, line: 103}\n",
                "t.yaml:10:28: 192.168.1.255 is the broadcast address of \"home\"; expected a host's\n");
    assert_said(HEAD NODES "  carol: {kind: phone, on: home, line: 103}\n",
                "t.yaml:10:28: \"home\" names no host of \"home\"; expected as home.20\n");
    assert_said(HEAD NODES "  carol: {kind: phone, on: net.253, line: 103}\n",
                "203.0.113.253 belongs to a router of \"net\": its hops have the addresses from 203.0.113.252 up\n");
}

static void networks_are_checked(void **state)
{
    (void)state;
    assert_said(HEAD "  spare: 10.0.0.0/8\n" NODES, "t.yaml:5:3: nobody is attached to \"spare\"\n");
    assert_said("lab: t\nnetworks: {n: {subnet: 10.0.0.0/29, hops: 6}}\nnodes: {}\n",
                "t.yaml:3:8: expected nodes here");
    assert_said("lab: t\nnetworks: {n: {subnet: 10.0.0.0/24, delay: 15}}\nnodes: {}\n",
                "t.yaml:2:44: delay: \"15\" is not a time with its unit, as 500ms, 30s or 1.5min\n");
}

static void settings_are_checked(void **state)
{
    (void)state;
    assert_said(HEAD NODES "  carol: {kind: phone, on: home.21, lin: 103}\n",
                "t.yaml:10:37: a phone has no \"lin\"; did you mean \"line\"?\n");
    assert_said(HEAD NODES "  carol: {kind: phone, on: home.21, line: 103, expires: 60}\n",
                "t.yaml:10:57: expires: \"60\" is not a time with its unit, as 500ms, 30s or 1.5min\n");
    assert_said(HEAD NODES "  carol: {kind: phone, on: home.21, line: 103, proxy: pbxx}\n",
                "t.yaml:10:55: proxy: \"pbxx\" is neither a node nor an address; did you mean \"pbx\"?\n");
    assert_said(HEAD NODES "  carol: {kind: phone, on: home.21}\n", "t.yaml:10:3: \"carol\" needs \"line\": ");
}

#define DNS HEAD "nodes:\n  dns:\n    kind: dns\n    on: home.2\n    records:\n"

static void records_of_names_are_checked(void **state)
{
    (void)state;
    assert_said(DNS "      a.example.com: {srv: [1 2 b.example.com]}\n",
                "t.yaml:10:29: srv: \"1 2 b.example.com\" is not "
                "priority, weight, port and target");
    assert_said(DNS "      a.example.com: {a: nobody}\n",
                "t.yaml:10:26: a: \"nobody\" is neither a node nor an address");
    assert_said(DNS "      a.example.com: {tll: 5s}\n",
                "t.yaml:10:23: there is no setting \"tll\"; did you mean \"ttl\"?");
    assert_said(DNS "      a.example.com: 1.2.3.4\n",
                "t.yaml:10:22: records: expected what \"a.example.com\" has, as {a: …}");
    assert_said(DNS "      a..example.com: {a: 1.2.3.4}\n", "\"a..example.com\" is not a name, as sbc.example.com");
    assert_said(DNS "      a.example.com: {a: 1.2.3.4, cname: b.c}\n", "is an alias and can have nothing else");
    assert_said(HEAD "nodes:\n  p: {kind: pbx, on: home.2, lines: {a.b: {password: x}}}\n",
                "\"a.b\": a name without dots was expected");
}

static void steps_are_checked(void **state)
{
    (void)state;
    assert_said(HEAD NODES "steps: [{wait: {for: alise registered}}]\n",
                "t.yaml:10:22: there is no node \"alise\"; did you mean \"alice\"?\n");
    assert_said(HEAD NODES "steps: [{call: {from: alice, to: 109}}]\n", "t.yaml:10:34: nobody has the line \"109\"\n");
    assert_said(HEAD NODES "steps: [{call: {from: alice, to: 101}}]\n", "\"101\" cannot call itself\n");
    assert_said(HEAD NODES "steps: [{fault: {on: nat, do: rebot}}]\n",
                "t.yaml:10:31: \"rebot\" is no command of a nat; did you mean \"reboot\"?\n");
    assert_said(HEAD NODES "steps: [{fault: {wire: alice.hom, do: cut}}]\n",
                "t.yaml:10:24: there is no wire \"alice.hom\"; did you mean \"alice.home\"?\n");
    assert_said(HEAD NODES "steps: [{set: {on: net, los: 1%}}]\n",
                "t.yaml:10:25: \"los\" is not known here; did you mean \"loss\"?\n");
    assert_said(HEAD NODES "steps: [{sleep: 5}]\n", "t.yaml:10:17: sleep: expected a time with its unit");
}

static void steps_that_can_never_hold_are_problems(void **state)
{
    (void)state;
    assert_said(HEAD NODES "steps: [{wait: nat registered}]\n", "\"nat\" is a nat; only a phone can be that\n");
    assert_said(HEAD NODES "steps: [{expect: {media: bob -> alice, mos: 4.5}}]\n",
                "mos: no call reaches more than 4.41 (G.107)\n");
    assert_said(HEAD NODES "steps: [{expect: {drops: {at least: 3, at most: 2}}}]\n",
                "this can never hold: at least is more than at most\n");
    assert_said(HEAD NODES "  carol: {kind: phone, on: home.21, line: 103, register: no}\n"
                           "steps: [{wait: carol registered}]\n",
                "\"carol\" never registers: its \"register\" is no\n");
    assert_said(HEAD NODES "steps: [{expect: {drops: {cause: no-maping}}}]\n", "did you mean \"no-mapping\"?\n");
    assert_said(HEAD NODES "steps: [{expect: {outage: nat}}]\n", "outage: \"nat\" is not a phone\n");
    assert_said(HEAD NODES "steps: [{expect: {outage: alice, noticed: soon}}]\n",
                "noticed: \"soon\" is not a time since the fault, as 40s, at least 30s or never\n");
    assert_said(HEAD NODES "steps: [{expect: {outage: alice, calls lost: few}}]\n",
                "calls lost: \"few\" is not a number of calls, as 1, at least 1 or none\n");
    assert_said(HEAD NODES "steps: [{expect: {storm: alice, peak: high}}]\n",
                "peak: \"high\" is not a number of registrations, as 1, at least 1 or none\n");
    assert_said(HEAD NODES "steps: [{expect: {storm: nobody}}]\n", "there is no node \"nobody\"\n");
    assert_said(HEAD NODES "steps: [{expect: {storms: alice}}]\n", "did you mean \"storm\"?\n");
}

static void changes_come_before_reading(void **state)
{
    (void)state;
    struct lab *lab;
    const struct lab_change changes[] = {{"nodes.alice.line=150"}, {"seed=7"}, {"networks.net.hops=5"}};
    assert_int_equal(lab_parse(&lab, "t.yaml", SPAN(HEAD NODES), changes, 3), 0);
    assert_string_equal(lab_setting(&lab->nodes[0], "line"), "150");
    assert_int_equal(lab->seed, 7);
    assert_int_equal(lab->plan.nodes_n, 4 + 5);
    lab_free(lab);
}

static void a_change_finds_names_with_dots(void **state)
{
    (void)state;
    struct lab *lab;
    const struct lab_change changes[] = {{"nodes.dns.records.sbc.example.com.ttl=30s"},
                                         {"nodes.dns.records.example.com.ttl=20s"}};
    assert_int_equal(lab_parse(&lab, "t.yaml",
                               SPAN("lab: t\nnetworks: {home: 192.168.1.0/24}\nnodes:\n  dns: {kind: dns, on: home.2, "
                                    "records: {example.com: {ttl: 1s}, sbc.example.com: {a: 1.2.3.4, ttl: 60s}}}\n"),
                               changes, 2),
                     0);
    assert_string_equal(lab_setting(&lab->nodes[0], "records.sbc.example.com.ttl"), "30s");
    assert_string_equal(lab_setting(&lab->nodes[0], "records.example.com.ttl"), "20s");
    lab_free(lab);
}

static void bad_change_names_itself(void **state)
{
    (void)state;
    struct lab *lab;
    const struct lab_change change = {"nodes.alice.lines=1"};
    assert_int_equal(lab_parse(&lab, "t.yaml", SPAN(HEAD NODES), &change, 1), FE_ESYNTAX);
    assert_int_equal(lab->problems.n, 1);
    assert_string_equal(lab->problems.items[0].at.source->name, "--set nodes.alice.lines=1");
    lab_free(lab);
}

static void headline_is_the_first_comment_line(void **state)
{
    (void)state;
    struct span s = lab_headline(SPAN("# Double NAT.\n#\n# more\nlab: x\n"));
    assert_true(span_is(s, "Double NAT."));
    assert_int_equal(lab_headline(SPAN("lab: x\n")).n, 0);
}

static void what_a_wire_cannot_do_is_told(void **state)
{
    (void)state;
    assert_said("lab: t\nnetworks: {home: {subnet: 10.0.0.0/24, ttl: -300}}\n" NODES, "neither a TTL up to 255");
    assert_said("lab: t\nnetworks: {home: {subnet: 10.0.0.0/24, dscp: drop}}\n" NODES, "is not keep or clear");
    assert_said("lab: t\nnetworks: {home: {subnet: 10.0.0.0/24, up: {dely: 5ms}}}\n" NODES, "did you mean \"delay\"");
    assert_said("lab: t\nnetworks: {home: {subnet: 10.0.0.0/24, profile: /etc/passwd}}\n" NODES,
                "is no file beside the lab's");
    assert_said(HEAD NODES "steps: [{set: {on: net, corrupt: 3}}]\n", "is not a ratio");
}

static void a_fault_that_says_nothing_clear_is_told(void **state)
{
    (void)state;
#define FAULT(words) HEAD NODES "steps: [{fault: {" words "}}]\n"
    assert_said(FAULT("drop: register, from: alice"), "names no packets");
    assert_said(FAULT("drop: REGISTER"), "where? expected");
    assert_said(FAULT("drop: REGISTER, from: alcie"), "did you mean \"alice\"");
    assert_said(FAULT("drop: REGISTER, from: alice, nth: 2, first: 3"), "exclude each other");
    assert_said(FAULT("delay: REGISTER, from: alice"), "belong together");
    assert_said(FAULT("drop: RTP, delay: RTP, by: 3s, from: alice"), "a fault does one thing");
    assert_said(FAULT("drop: SIP, from: alice, ssrc: 0x12"), "only RTP and RTCP have one");
    assert_said(FAULT("drop: SIP, on: home, wire: alice.home"), "either \"on\" with a network, or \"wire\"");
    assert_said(FAULT("wire: alice.home, do: flap"), "to flap, a wire needs its times");
    assert_said(FAULT("on: net, do: partition, between: [bob]"), "only a network without hops");
    assert_said(FAULT("on: alice, do: freez"), "is no command of a phone");
#undef FAULT
}

/* What one setting allows another may forbid: told at the place of the one to change. */
static void settings_that_do_not_go_together_are_told(void **state)
{
    (void)state;
    assert_said(
        HEAD "nodes:\n  nat: {kind: nat, inside: home.1, outside: net.7, engine: kernel, ports: sequential}\n",
        "t.yaml:6:75: ports: Linux gives no sequential ports; expected preserve or random, or engine: farend\n");
    assert_said(HEAD "nodes:\n  nat: {kind: nat, inside: home.1, outside: net.7, sip alg: kernel}\n",
                "t.yaml:6:61: sip alg: the kernel's SIP ALG needs engine: kernel\n");
}

/* Failure 48's setting: one text, read strictly. */
static void a_clock_is_checked(void **state)
{
    (void)state;
#define CLOCK(text) HEAD NODES "  ann: {kind: phone, on: net.12, line: 103, clock: " text "}\n"
    static const char *const right[] = {
        CLOCK("right"), CLOCK("1970-01-01T00:00:00Z"), CLOCK("2027-02-03"), CLOCK("-3min"), CLOCK("+400d"), CLOCK("0")};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        char *said = complaints(right[i]);
        assert_string_equal(said, "");
        free(said);
    }
    assert_said(CLOCK("1970-02-30"), "t.yaml:10:52: \"1970-02-30\" is in no calendar; expected a date as ");
    assert_said(CLOCK("1969-12-31T23:59:59Z"), "t.yaml:10:52: \"1969-12-31T23:59:59Z\" is beyond a machine's clock");
    assert_said(CLOCK("2200-01-01"), "expected a date from 1970 to 2199");
    assert_said(CLOCK("-21000d"), "\"-21000d\" is beyond a machine's clock; expected a date from 1970 to 2199");
    assert_said(CLOCK("yesterday"), "\"yesterday\" is no setting of a clock; expected right, the date in UTC");
    assert_said(CLOCK("never"), "is no setting of a clock");
    assert_said(CLOCK("3"), "is no setting of a clock");
    assert_said(CLOCK("[1, 2]"), "is no setting of a clock");
#undef CLOCK
    assert_said(HEAD "nodes:\n  nat: {kind: nat, inside: home.1, outside: net.7, clock: right}\n",
                "t.yaml:6:59: \"nat\" is a nat, which does nothing by the date; a phone, an sbc and a pbx have a "
                "clock\n");
}

static void a_clock_jump_is_checked(void **state)
{
    (void)state;
#define STEP(text) HEAD NODES "steps:\n  - " text "\n"
    static const char *const right[] = {
        STEP("fault: {on: alice, do: clock jump, by: 400d}"),
        STEP("fault: {on: alice, do: clock jump, by: -1h}"),
        STEP("fault: {on: pbx, do: clock jump, to: 2027-02-03T00:00:00Z}"),
        STEP("fault: {on: pbx, do: clock jump, to: -2d}"),
        STEP("set: {on: alice, clock: right}"),
    };
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        char *said = complaints(right[i]);
        assert_string_equal(said, "");
        free(said);
    }
    assert_said(STEP("fault: {on: alice, do: clock jump}"), "t.yaml:11:12: a clock jumps \"by\" a time, as 400d, or");
    assert_said(STEP("fault: {on: alice, do: clock jump, by: 1h, to: right}"), "a clock jumps \"by\" a time");
    assert_said(STEP("fault: {on: alice, do: clock jump, by: 0}"), "t.yaml:11:44: \"0\" is no jump; expected a time");
    assert_said(STEP("fault: {on: alice, do: clock jump, by: 40000d}"), "\"40000d\" is too far; expected at most 366");
    assert_said(STEP("fault: {on: alice, do: clock jump, to: 2027-02-30}"), "t.yaml:11:44: \"2027-02-30\" is in no");
    assert_said(STEP("fault: {on: alice, do: crash, by: 1h}"), "only a clock jumps");
    assert_said(STEP("fault: {on: nat, do: clock jump, by: 1h}"), "t.yaml:11:17: \"nat\" is a nat, which does nothing");
    assert_said(STEP("fault: {on: home, do: clock jump, by: 1h}"), "\"clock jump\" cannot be done to a wire");
    assert_said(STEP("set: {on: nat, clock: right}"), "t.yaml:11:27: \"nat\" is a nat, which does nothing");
    assert_said(STEP("set: {on: home, clock: right}"), "t.yaml:11:10: only a node has a clock");
#undef STEP
}

static void a_ports_mtu_is_checked(void **state)
{
    (void)state;
#define STEP(text) HEAD NODES "steps:\n  - set: {" text "}\n"
    static const char *const right[] = {STEP("on: alice, mtu: 1400B"), STEP("on: alice, port: on, mtu: 576B"),
                                        STEP("on: nat, port: outside, mtu: 1492B")};
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        char *said = complaints(right[i]);
        assert_string_equal(said, "");
        free(said);
    }
    assert_said(STEP("on: nat, mtu: 1492B"),
                "t.yaml:11:10: which port of \"nat\"? expected \"port\": inside or outside");
    assert_said(STEP("on: nat, port: wan, mtu: 1492B"), "t.yaml:11:26: which port of \"nat\"?");
    assert_said(STEP("on: alice, mtu: 575B"), "mtu: \"575B\" is out of range");
    assert_said(STEP("on: alice, mtu: 1400"), "t.yaml:11:27: mtu: \"1400\" is not");
    assert_said(STEP("on: alice, mtu: 1400B, clock: right"), "t.yaml:11:10: expected the ");
    assert_said(STEP("on: home, mtu: 1400B"), "only a node's port has an mtu that changes");
    assert_said(HEAD "nodes:\n  nat: {kind: nat, inside: {at: home.1, mtu: 100B}, outside: net.7}\n",
                "mtu: \"100B\" is out of range");
#undef STEP
}

static void the_kernels_nat_cannot_be_simulated(void **state)
{
    (void)state;
    static const char text[] = HEAD "nodes:\n  nat: {kind: nat, inside: home.1, outside: net.7, engine: kernel}\n";
    struct lab *lab = NULL;
    assert_int_equal(lab_parse(&lab, "t.yaml", span_of(text), NULL, 0), 0);
    assert_true(lab->plan.nodes[0].forwards);
    assert_true(lab_check_simulated(lab, false));
    assert_int_equal(lab->problems.n, 0);
    assert_false(lab_check_simulated(lab, true));
    assert_int_equal(lab->problems.n, 1);
    assert_int_equal(lab->problems.items[0].at.line, 6);
    assert_non_null(strstr(lab->problems.items[0].text, "--set nodes.nat.engine=farend"));
    lab_free(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(correct_lab_has_no_problem),
        cmocka_unit_test(what_a_wire_cannot_do_is_told),
        cmocka_unit_test(a_fault_that_says_nothing_clear_is_told),
        cmocka_unit_test(settings_that_do_not_go_together_are_told),
        cmocka_unit_test(a_clock_is_checked),
        cmocka_unit_test(a_clock_jump_is_checked),
        cmocka_unit_test(a_ports_mtu_is_checked),
        cmocka_unit_test(the_kernels_nat_cannot_be_simulated),
        cmocka_unit_test(udp_and_tls_together_are_refused),
        cmocka_unit_test(problem_shows_line_and_caret),
        cmocka_unit_test(caret_counts_characters_not_bytes),
        cmocka_unit_test(several_problems_are_told_in_file_order),
        cmocka_unit_test(yaml_errors_have_their_place),
        cmocka_unit_test(a_lifetime_is_whole_seconds),
        cmocka_unit_test(addresses_are_checked),
        cmocka_unit_test(networks_are_checked),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(records_of_names_are_checked),
        cmocka_unit_test(steps_are_checked),
        cmocka_unit_test(steps_that_can_never_hold_are_problems),
        cmocka_unit_test(changes_come_before_reading),
        cmocka_unit_test(a_change_finds_names_with_dots),
        cmocka_unit_test(bad_change_names_itself),
        cmocka_unit_test(headline_is_the_first_comment_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
