/* The same lab in the simulated world, in namespaces on TUN devices, and in namespaces on veth pairs: the traces are
 * the same bytes. Here with test kinds that use all of nodes/host.h; the lab library does it with the real ones. */
#define _GNU_SOURCE
#include "tests/netns/same.h"

/* ---- two probes on a wire ---- */

static void send_both_ways(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "send 192.168.1.30:5000 172");
    lab_command(lab, 2 * SEC, 1, "send 192.168.1.20:5000 0 200");
    lab_command(lab, 3 * SEC, 0, "send 192.168.1.30:5000 1472 1");
}

static void datagrams_arrive_with_time_and_ttl(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, send_both_ways, 6);
}

static void send_too_much(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "send 192.168.1.30:5000 4000"); /* three fragments */
    lab_command(lab, 2 * SEC, 0, "send 192.168.1.30:5000 65507");
    lab_command(lab, 3 * SEC, 0, "send 192.168.1.30:5000 65508");
    lab_command(lab, 4 * SEC, 0, "df");
    lab_command(lab, 5 * SEC, 0, "send 192.168.1.30:5000 1473");
    lab_command(lab, 6 * SEC, 0, "send 192.168.1.30:5000 1472");
}

static void fragments_df_and_the_largest_datagram(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, send_too_much, 9);
}

static void send_to_nobody(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "send 192.168.1.30:6000 10"); /* port unreachable */
    lab_command(lab, 2 * SEC, 0, "send 192.168.1.31:5000 10"); /* nobody there */
    lab_command(lab, 3 * SEC, 0, "send 203.0.113.1:5000 10");  /* no route */
    lab_command(lab, 4 * SEC, 0, "send 192.168.1.30:5000 10"); /* the error of before is not this one's */
    lab_command(lab, 5 * SEC, 1, "close");
    lab_command(lab, 6 * SEC, 0, "send 192.168.1.30:5000 10");
}

static void errors_come_back_to_the_socket(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, send_to_nobody, 11);
}

static void send_to_itself(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "send 192.168.1.20:5000 10");
    lab_command(lab, 2 * SEC, 0, "send 192.168.1.20:6000 10");
    lab_command(lab, 3 * SEC, 0, "send 192.168.1.20:5000 10 3");
}

static void own_address_is_looped_back_in_the_same_turn(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, send_to_itself, 6);
}

static void open_sockets(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "open 192.168.1.20:5000"); /* taken by the socket on all addresses */
    lab_command(lab, 1 * SEC, 0, "open 192.168.1.99:5001"); /* not ours */
    lab_command(lab, 1 * SEC, 0, "open 192.168.1.20:5001");
    lab_command(lab, 1 * SEC, 0, "open 0.0.0.0:5001"); /* taken */
    lab_command(lab, 1 * SEC, 0, "open 0.0.0.0:0");    /* from the node's own stream */
    lab_command(lab, 2 * SEC, 1, "send 192.168.1.20:5001 11");
    lab_command(lab, 3 * SEC, 0, "close");
    lab_command(lab, 3 * SEC, 0, "open 192.168.1.20:5000");
    lab_command(lab, 4 * SEC, 1, "send 192.168.1.20:5000 12");
}

static void binding_has_the_same_rules(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, open_sockets, 11);
}

/* What arrives at the very time of a timer, 10 ms after it was sent: input comes first, and an error about what is not
 * wanted leaves before anything that the timer sends. */
static void arrive_with_a_timer(struct lab *lab)
{
    lab_command(lab, 1000 * MS, 1, "timer 500 192.168.1.20:5000");
    lab_command(lab, 1490 * MS, 0, "send 192.168.1.30:5000 10");
    lab_command(lab, 2000 * MS, 1, "timer 500 192.168.1.20:5000");
    lab_command(lab, 2490 * MS, 0, "send 192.168.1.30:6000 10");
    lab_command(lab, 3000 * MS, 1, "timer 500 192.168.1.20:5000");
    lab_command(lab, 3490 * MS, 0, "send 192.168.1.30:6000 10");
    lab_command(lab, 3500 * MS, 1, "df"); /* a turn anyway */
}

static void input_comes_before_a_timer_of_the_same_time(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, arrive_with_a_timer, 18);
}

/* ---- a chain of routers ---- */

enum { ROUTERS = 64 };

#define LEFT      IPV4(192, 0, 2, 1)
#define RIGHT     IPV4(203, 0, 113, 1)
#define ROUTER(k) (IPV4(198, 51, 100, 0) + (k)) /* k from 1 */

static struct plan_end draw_router(struct lab *lab, unsigned k, struct plan_end last)
{
    char name[16];
    snprintf(name, sizeof name, "r%u", k);
    unsigned r = build_node(&lab->plan, name, NULL);
    struct plan_end left = build_port(&lab->plan, r, "left", ROUTER(k), 32);
    struct plan_end right = build_port(&lab->plan, r, "right", ROUTER(k), 32);
    build_route(&lab->plan, r, LEFT, 32, left.port);
    build_route(&lab->plan, r, RIGHT, 32, right.port);
    build_wire(&lab->plan, name, last, left, (struct wire_spec){.delay = 1 * MS});
    return right;
}

/*     left ── r1 ── r2 ── … ── r64 ── right */
static void draw_chain(struct lab *lab)
{
    unsigned left = build_node(&lab->plan, "left", &talker_kind);
    unsigned right = build_node(&lab->plan, "right", &talker_kind);
    struct plan_end last = build_port(&lab->plan, left, "on", LEFT, 32);
    struct plan_end end = build_port(&lab->plan, right, "on", RIGHT, 32);
    build_route(&lab->plan, left, 0, 0, 0);
    build_route(&lab->plan, right, 0, 0, 0);
    for (unsigned k = 1; k <= ROUTERS; k++)
        last = draw_router(lab, k, last);
    build_wire(&lab->plan, "last", last, end, (struct wire_spec){.delay = 1 * MS});
}

static void send_with_every_ttl(struct lab *lab)
{
    static char commands[ROUTERS + 1][64];
    for (unsigned k = 1; k <= ROUTERS + 1; k++) {
        snprintf(commands[k - 1], sizeof commands[0], "send 203.0.113.1:5000 100 %u", k);
        lab_command(lab, k * SEC, 0, commands[k - 1]);
    }
}

/* X2: each TTL k dies at router k, whose ICMP comes back to the sender: sent, icmp, drop, refused; 65 arrives. */
static void ttl_k_dies_at_router_k(void **state)
{
    (void)state;
    same_in_all_worlds(draw_chain, send_with_every_ttl, 4 * ROUTERS + 2);
}

static void ask_for_what_routers_refuse(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "send 198.18.0.1:5000 100");      /* the first router knows no way */
    lab_command(lab, 2 * SEC, 0, "send 198.51.100.1:5000 100");    /* the router itself: no such port */
    lab_command(lab, 3 * SEC, 0, "send 203.0.113.1:5000 3000 40"); /* fragments die too; only the first is answered */
}

static void routers_answer_as_linux_does(void **state)
{
    (void)state;
    same_in_all_worlds(draw_chain, ask_for_what_routers_refuse, 11);
}

/* ---- raw ---- */

/*     alice ── mirror ── bob */
static void draw_mirror(struct lab *lab)
{
    unsigned alice = build_node(&lab->plan, "alice", &talker_kind);
    unsigned mirror = build_node(&lab->plan, "mirror", &mirror_kind);
    unsigned bob = build_node(&lab->plan, "bob", &talker_kind);
    struct plan_end a = build_port(&lab->plan, alice, "on", ALICE, 24);
    struct plan_end b = build_port(&lab->plan, bob, "on", IPV4(203, 0, 113, 9), 24);
    struct plan_end left = build_port(&lab->plan, mirror, "left", IPV4(192, 168, 1, 1), 24);
    struct plan_end right = build_port(&lab->plan, mirror, "right", IPV4(203, 0, 113, 1), 24);
    build_route(&lab->plan, alice, 0, 0, 0);
    build_wire(&lab->plan, "alice.home", a, left, (struct wire_spec){.delay = 5 * MS});
    build_wire(&lab->plan, "bob.net", b, right, (struct wire_spec){.delay = 7 * MS});
}

static void send_into_the_mirror(struct lab *lab)
{
    lab_command(lab, 1 * SEC, 0, "send 192.168.1.1:5000 172"); /* the mirror's own address: its kernel keeps still */
    lab_command(lab, 2 * SEC, 0, "send 198.51.100.1:5000 1472 9");
    lab_command(lab, 3 * SEC, 2, "send 203.0.113.77:5000 20");
}

static void raw_packets_are_the_programs_alone(void **state)
{
    (void)state;
    same_in_all_worlds(draw_mirror, send_into_the_mirror, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_arrive_with_time_and_ttl),
        cmocka_unit_test(fragments_df_and_the_largest_datagram),
        cmocka_unit_test(errors_come_back_to_the_socket),
        cmocka_unit_test(own_address_is_looped_back_in_the_same_turn),
        cmocka_unit_test(input_comes_before_a_timer_of_the_same_time),
        cmocka_unit_test(binding_has_the_same_rules),
        cmocka_unit_test(ttl_k_dies_at_router_k),
        cmocka_unit_test(routers_answer_as_linux_does),
        cmocka_unit_test(raw_packets_are_the_programs_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
