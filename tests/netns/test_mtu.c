/* The MTU of a node's own port changes while it runs, in all worlds alike: what the node sends follows it, its routes
 * and what TCP announces too, as those of Linux do; the wire and the other end stay. What is received may be larger,
 * but not on a veth pair, whose kernel drops it: no test here sends such a packet to a port that was lowered. */
#define _GNU_SOURCE
#include "sim/engine/fault.h"
#include "tests/netns/same.h"

extern const struct node_kind nat_kind;

enum { ALICE_NODE, BOB_NODE, MIDDLE_NODE, CHANGES = 8, OUTSIDE = 1 };

#define PUBLIC IPV4(203, 0, 113, 7)
#define FAR    IPV4(203, 0, 113, 30)

static struct change {
    struct lab *lab;
    unsigned node, port;
    uint16_t mtu;
    struct timer timer;
} changes[CHANGES];
static unsigned changes_n;

static void change_fires(void *arg)
{
    struct change *c = arg;
    assert_int_equal(engine_port_mtu(c->lab->engine, c->node, c->port, c->mtu), 0);
}

static void port_becomes(struct lab *lab, lab_time at, unsigned node, unsigned port, uint16_t mtu)
{
    struct change *c = &changes[changes_n++ % CHANGES];
    *c = (struct change){.lab = lab, .node = node, .port = port, .mtu = mtu};
    timer_init(&c->timer, change_fires, c);
    engine_timer_start(lab->engine, &c->timer, at);
}

static void mtu_becomes(struct lab *lab, lab_time at, unsigned node, uint16_t mtu)
{
    port_becomes(lab, at, node, 0, mtu);
}

/* ---- datagrams ---- */

static void send_datagrams(struct lab *lab)
{
    mtu_becomes(lab, 1 * SEC, ALICE_NODE, 1000);
    lab_command(lab, 2 * SEC, ALICE_NODE, "send 192.168.1.30:5000 972");
    lab_command(lab, 3 * SEC, ALICE_NODE, "send 192.168.1.30:5000 973"); /* two fragments */
    lab_command(lab, 4 * SEC, ALICE_NODE, "send 192.168.1.30:5000 4000");
    lab_command(lab, 5 * SEC, ALICE_NODE, "df");
    lab_command(lab, 6 * SEC, ALICE_NODE, "send 192.168.1.30:5000 973"); /* EMSGSIZE */
    lab_command(lab, 7 * SEC, ALICE_NODE, "send 192.168.1.30:5000 972");
    mtu_becomes(lab, 8 * SEC, ALICE_NODE, 1500);
    lab_command(lab, 9 * SEC, ALICE_NODE, "send 192.168.1.30:5000 1472");
    lab_command(lab, 10 * SEC, ALICE_NODE, "send 192.168.1.30:5000 1473");
    mtu_becomes(lab, 11 * SEC, ALICE_NODE, 2000); /* more than the wire takes */
    lab_command(lab, 12 * SEC, ALICE_NODE, "send 192.168.1.30:5000 1473");
    lab_command(lab, 13 * SEC, ALICE_NODE, "send 192.168.1.30:5000 1973");
    lab_command(lab, 14 * SEC, ALICE_NODE, "send 192.168.1.30:5000 1472");
}

static void datagrams_are_cut_or_refused_by_the_new_mtu(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, send_datagrams, 0);
}

/* In the simulated world, whose trace is the others': what exactly. */
static void what_is_refused_is_refused(void **state)
{
    (void)state;
    char *trace = trace_of(draw_pair, send_datagrams, NULL);
    assert_non_null(
        strstr(trace, "{\"t\":1000000000,\"node\":\"alice\",\"ev\":\"mtu\",\"port\":\"on\",\"mtu\":1000}\n"));
    static const char *const results[] = {"2000000000", "3000000000", "4000000000", "7000000000", "9000000000"};
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        char line[80];
        snprintf(line, sizeof line, "{\"t\":%s,\"node\":\"alice\",\"ev\":\"did\"", results[i]);
        assert_non_null(strstr(trace, line));
    }
    unsigned got = 0;
    for (const char *at = trace; (at = strstr(at, "\"ev\":\"got\"")); at++)
        got++;
    assert_int_equal(got, 6); /* 972, 973, 4000, 972, 1472, 1472 */
    unsigned dropped = 0;
    for (const char *at = trace; (at = strstr(at, "\"cause\":\"too-big\"")); at++)
        dropped++;
    assert_int_equal(dropped, 1); /* by the wire: 1501 bytes; 2001 and, before, 1001 and 1501 were refused at home */
    free(trace);
}

/* ---- TCP ---- */

/* On a slow wire the moments tell how large the segments are. */
static void draw_slow_pair(struct lab *lab)
{
    draw_pair(lab);
    for (int i = 0; i < 2; i++)
        lab->plan.wires[0].spec[i].rate = 1000000;
}

static void talk(struct lab *lab)
{
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 0, BOB_NODE, "polite");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 2 * SEC, ALICE_NODE, "tcp-send 0 5000");
}

/* The sender's: RFC 9293 §3.7.1, what it sends next is smaller, and larger again; no ICMP is needed for it. */
static void a_connection_follows(struct lab *lab)
{
    talk(lab);
    mtu_becomes(lab, 3 * SEC, ALICE_NODE, 1000);
    lab_command(lab, 4 * SEC, ALICE_NODE, "tcp-send 0 5000");
    mtu_becomes(lab, 5 * SEC, ALICE_NODE, 1500);
    lab_command(lab, 6 * SEC, ALICE_NODE, "pump 0 50000");
    mtu_becomes(lab, 6 * SEC + 25 * MS, ALICE_NODE, 1200); /* in the middle */
    lab_command(lab, 30 * SEC, ALICE_NODE, "finish 0");
}

static void a_connection_sends_by_the_new_mtu(void **state)
{
    (void)state;
    same_in_all_worlds(draw_slow_pair, a_connection_follows, 0);
}

/* The receiver's: a connection that it opens, or takes, announces the MSS of the day. */
static void announce(struct lab *lab)
{
    lab_command(lab, 0, ALICE_NODE, "listen 192.168.1.20:5060");
    mtu_becomes(lab, 500 * MS, ALICE_NODE, 1000);
    lab_command(lab, 500 * MS, BOB_NODE, "echo");
    talk(lab);
    lab_command(lab, 10 * SEC, BOB_NODE, "connect 192.168.1.20:5060");
    lab_command(lab, 11 * SEC, BOB_NODE, "tcp-send 1 5000");
}

static void a_new_connection_announces_the_new_mss(void **state)
{
    (void)state;
    same_in_all_worlds(draw_slow_pair, announce, 0);
}

/* What was lost is sent again in pieces of the new size: after an expiry by lab time's clock. */
static struct fault_spec loss;
static const unsigned from_alice[] = {0};

static void lose(struct lab *lab, const char *what, uint32_t first)
{
    loss = (struct fault_spec){
        .action = FAULT_DROP, .ways = from_alice, .ways_n = 1, .first = first, .line = 1, .text = "drop"};
    assert_int_equal(packet_match_parse(span_of(what), &loss.match), 0);
    loss.match.protocol = IP_TCP;
    assert_non_null(engine_fault_start(lab->engine, &loss));
}

static void lose_large(struct lab *lab)
{
    talk(lab);
    lose(lab, "everything", 8);
    loss.match.least = 1400;
    mtu_becomes(lab, 2 * SEC + 100 * MS, ALICE_NODE, 900);
    lab_command(lab, 20 * SEC, ALICE_NODE, "tcp-send 0 3000");
    mtu_becomes(lab, 25 * SEC, ALICE_NODE, 1500);
    lab_command(lab, 26 * SEC, ALICE_NODE, "tcp-send 0 3000");
}

static void what_is_sent_again_is_cut_anew(void **state)
{
    (void)state;
    same_in_all_worlds(draw_slow_pair, lose_large, 0);
}

/* Linux: a SYN that is sent again announces less, never more. */
static void lose_syns(struct lab *lab)
{
    lose(lab, "SYN", 3);
    talk(lab);
    mtu_becomes(lab, 1 * SEC + 500 * MS, ALICE_NODE, 1000);
    mtu_becomes(lab, 2 * SEC + 500 * MS, ALICE_NODE, 1500);
    lab_command(lab, 500 * MS, BOB_NODE, "echo");
}

static void a_syn_that_is_sent_again_announces_no_more(void **state)
{
    (void)state;
    same_in_all_worlds(draw_slow_pair, lose_syns, 0);
}

/* ---- in the middle ---- */

/* kind NULL: a router. Its port outside begins with an MTU of 600, so that it grows too. */
static void draw_middle(struct lab *lab, const struct node_kind *kind)
{
    unsigned alice = build_node(&lab->plan, "alice", &talker_kind);
    unsigned bob = build_node(&lab->plan, "bob", &talker_kind);
    unsigned middle = build_node(&lab->plan, "middle", kind);
    struct plan_end a = build_port(&lab->plan, alice, "on", ALICE, 24);
    struct plan_end b = build_port(&lab->plan, bob, "on", FAR, 24);
    struct plan_end inside = build_port(&lab->plan, middle, "inside", IPV4(192, 168, 1, 1), 24);
    struct plan_end outside = build_port(&lab->plan, middle, "outside", PUBLIC, 24);
    build_route(&lab->plan, alice, 0, 0, 0);
    build_route(&lab->plan, bob, 0, 0, 0);
    build_wire(&lab->plan, "alice.home", a, inside, (struct wire_spec){.delay = 2 * MS});
    build_wire(&lab->plan, "middle.net", outside, b, (struct wire_spec){.delay = 5 * MS});
    lab->plan.nodes[middle].ports[OUTSIDE].mtu = 600;
}

static void draw_nat(struct lab *lab)
{
    draw_middle(lab, &nat_kind);
}

static void draw_router(struct lab *lab)
{
    draw_middle(lab, NULL);
}

static void send_through(struct lab *lab)
{
    lab_command(lab, 1 * SEC, ALICE_NODE, "send 203.0.113.30:5000 1472"); /* three fragments */
    port_becomes(lab, 2 * SEC, MIDDLE_NODE, OUTSIDE, 1000);
    lab_command(lab, 3 * SEC, ALICE_NODE, "send 203.0.113.30:5000 1472"); /* two, larger than any before */
    port_becomes(lab, 4 * SEC, MIDDLE_NODE, OUTSIDE, 1500);
    lab_command(lab, 5 * SEC, ALICE_NODE, "send 203.0.113.30:5000 1472");
    port_becomes(lab, 6 * SEC, MIDDLE_NODE, OUTSIDE, 800);
    lab_command(lab, 7 * SEC, ALICE_NODE, "df");
    lab_command(lab, 8 * SEC, ALICE_NODE, "send 203.0.113.30:5000 1472"); /* fragmentation needed, 800 */
    lab_command(lab, 9 * SEC, ALICE_NODE, "send 203.0.113.30:5000 772");
}

static void a_nat_forwards_by_the_new_mtu(void **state)
{
    (void)state;
    same_in_all_worlds(draw_nat, send_through, 0);
    char *trace = trace_of(draw_nat, send_through, NULL);
    assert_non_null(strstr(trace, "\"type\":\"frag-needed\",\"mtu\":800}\n"));
    unsigned got = 0;
    for (const char *at = trace; (at = strstr(at, "\"ev\":\"got\"")); at++)
        got++;
    assert_int_equal(got, 4);
    free(trace);
}

static void a_router_forwards_by_the_new_mtu(void **state)
{
    (void)state;
    same_in_all_worlds(draw_router, send_through, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_are_cut_or_refused_by_the_new_mtu),
        cmocka_unit_test(what_is_refused_is_refused),
        cmocka_unit_test(a_connection_sends_by_the_new_mtu),
        cmocka_unit_test(a_new_connection_announces_the_new_mss),
        cmocka_unit_test(what_is_sent_again_is_cut_anew),
        cmocka_unit_test(a_nat_forwards_by_the_new_mtu),
        cmocka_unit_test(a_router_forwards_by_the_new_mtu),
        cmocka_unit_test(a_syn_that_is_sent_again_announces_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
