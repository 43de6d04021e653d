/* TCP in lab time over longer paths: routers, a wire that is narrower than the first, a NAT of farend's. */
#define _GNU_SOURCE
#include "tests/netns/same.h"

#include <stdio.h>
#include <stdlib.h>

extern const struct node_kind nat_kind;

enum { LEFT_NODE, RIGHT_NODE, NARROW = 1000, ROUTERS = 64 };

#define LEFT      IPV4(192, 0, 2, 1)
#define RIGHT     IPV4(203, 0, 113, 1)
#define ROUTER(k) (IPV4(198, 51, 100, 0) + (k)) /* k from 1 */

static unsigned routers;
static unsigned narrow; /* this wire, counted from 1; 0: none */

static struct plan_end draw_router(struct lab *lab, unsigned k, struct plan_end last)
{
    char name[16];
    snprintf(name, sizeof name, "r%u", k);
    unsigned r = build_node(&lab->plan, name, NULL);
    struct plan_end left = build_port(&lab->plan, r, "left", ROUTER(k), 32);
    struct plan_end right = build_port(&lab->plan, r, "right", ROUTER(k), 32);
    build_route(&lab->plan, r, LEFT, 32, left.port);
    build_route(&lab->plan, r, RIGHT, 32, right.port);
    build_wire(&lab->plan, name, last, left, (struct wire_spec){.delay = 1 * MS, .mtu = k == narrow ? NARROW : 0});
    return right;
}

/*     left ── r1 ── r2 ── … ── right */
static void draw_chain(struct lab *lab)
{
    unsigned left = build_node(&lab->plan, "left", &talker_kind);
    unsigned right = build_node(&lab->plan, "right", &talker_kind);
    struct plan_end last = build_port(&lab->plan, left, "on", LEFT, 32);
    struct plan_end end = build_port(&lab->plan, right, "on", RIGHT, 32);
    build_route(&lab->plan, left, 0, 0, 0);
    build_route(&lab->plan, right, 0, 0, 0);
    for (unsigned k = 1; k <= routers; k++)
        last = draw_router(lab, k, last);
    build_wire(&lab->plan, "last", last, end, (struct wire_spec){.delay = 1 * MS});
}

static void talk(struct lab *lab)
{
    lab_command(lab, 0, RIGHT_NODE, "listen 203.0.113.1:5060");
    lab_command(lab, 0, RIGHT_NODE, "echo");
    lab_command(lab, 0, RIGHT_NODE, "polite");
    lab_command(lab, 1 * SEC, LEFT_NODE, "connect 203.0.113.1:5060");
    lab_command(lab, 2 * SEC, LEFT_NODE, "tcp-send 0 700");
    lab_command(lab, 3 * SEC, LEFT_NODE, "pump 0 50000");
    lab_command(lab, 30 * SEC, LEFT_NODE, "finish 0");
}

static void along_sixty_four_routers(void **state)
{
    (void)state;
    routers = ROUTERS;
    narrow = 0;
    same_in_all_worlds(draw_chain, talk, 0);
}

/* RFC 1191: the router's "fragmentation needed" makes the segments smaller, and they are sent again at once. What has
 * not been sent yet goes out in full smaller ones: Linux fills up a short one from the next (tcp_grow_skb, 6.10). */
static void a_narrow_wire_lowers_the_segment_size(void **state)
{
    (void)state;
    routers = 4;
    narrow = 3;
    same_in_all_worlds(draw_chain, talk, 0);
}

static void lose_icmp(struct lab *lab)
{
    struct wire_spec spec = *engine_wire(lab->engine, 0, 1);
    talk(lab);
    spec.icmp_off = true;
    engine_wire_set(lab->engine, 0, 1, &spec);
}

/* RFC 2923 §2.1: a black hole; the small ones arrive, the large ones are sent again until the user's patience ends. */
static void without_icmp_it_is_a_black_hole(void **state)
{
    (void)state;
    routers = 4;
    narrow = 3;
    same_in_all_worlds(draw_chain, lose_icmp, 0);
}

static void ask_for_no_route(struct lab *lab)
{
    lab_command(lab, 1 * SEC, LEFT_NODE, "connect 198.18.0.1:5060");   /* the first router knows no way */
    lab_command(lab, 2 * SEC, LEFT_NODE, "connect 198.51.100.1:5060"); /* the router itself */
}

/* RFC 1122 §4.2.3.9, as Linux: while connecting each such error is the end. */
static void icmp_ends_an_attempt(void **state)
{
    (void)state;
    routers = 2;
    narrow = 0;
    same_in_all_worlds(draw_chain, ask_for_no_route, 0);
}

/* ---- a NAT ---- */

/*     left ── nat ── right */
static void draw_nat(struct lab *lab)
{
    unsigned left = build_node(&lab->plan, "left", &talker_kind);
    unsigned right = build_node(&lab->plan, "right", &talker_kind);
    unsigned nat = build_node(&lab->plan, "nat", &nat_kind);
    struct plan_end a = build_port(&lab->plan, left, "on", IPV4(192, 168, 1, 20), 24);
    struct plan_end b = build_port(&lab->plan, right, "on", RIGHT, 24);
    struct plan_end inside = build_port(&lab->plan, nat, "inside", IPV4(192, 168, 1, 1), 24);
    struct plan_end outside = build_port(&lab->plan, nat, "outside", IPV4(203, 0, 113, 7), 24);
    build_route(&lab->plan, left, 0, 0, 0);
    build_wire(&lab->plan, "left.home", a, inside, (struct wire_spec){.delay = 2 * MS});
    build_wire(&lab->plan, "nat.net", outside, b, (struct wire_spec){.delay = 20 * MS, .loss = 20000});
}

static char folder[] = "/tmp/farend-programs-XXXXXX";

static void link_program(const char *from, const char *name, bool there)
{
    char target[PATH_MAX + 64];
    char path[PATH_MAX + 64];
    snprintf(target, sizeof target, "%s/%s", from, name);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (there)
        assert_int_equal(symlink(target, path), 0);
    else
        unlink(path);
}

/* Programs are looked for in one folder; the talker and the NAT stand in two. */
static void link_programs(bool there)
{
    const char *bin = getenv("FAREND_BIN");
    assert_non_null(bin); /* ctest says where they are */
    if (there)
        assert_non_null(mkdtemp(folder));
    link_program(rig_programs(), "farend-talker", there);
    link_program(bin, "farend-nat", there);
    if (!there)
        rmdir(folder);
}

/* RFC 5382: handshake, data and FINs through the NAT, on a wire that loses. */
static void through_a_nat(void **state)
{
    (void)state;
    link_programs(true);
    rig_folder = folder;
    same_in_all_worlds(draw_nat, talk, 0);
    rig_folder = NULL;
    link_programs(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(along_sixty_four_routers),
        cmocka_unit_test(a_narrow_wire_lowers_the_segment_size),
        cmocka_unit_test(without_icmp_it_is_a_black_hole),
        cmocka_unit_test(icmp_ends_an_attempt),
        cmocka_unit_test(through_a_nat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
