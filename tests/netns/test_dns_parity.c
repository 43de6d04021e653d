/* The same questions and answers in the simulated world and in namespaces: the traces are the same bytes, with the
 * ports and ids that the resolver draws, the order of weighted servers, TTLs and timeouts in lab time, and TCP for what
 * a datagram has no room for. */
#define _GNU_SOURCE
#include "tests/netns/dns_kinds.h"
#include "tests/netns/rig.h"

enum { ALICE, INSIDE, PUBLIC };

/*     inside 10.0.0.2 ── alice ── public 203.0.113.8 */
static void draw(struct lab *lab)
{
    static const char *const records[][2] = {
        {"records.example.com.naptr", "10 50 s SIPS+D2T _sips._tcp.example.com"},
        {"records._sips._tcp.example.com.srv", "10 60 5061 sbc1.example.com"},
        {"records._sips._tcp.example.com.srv", "10 40 5061 sbc2.example.com"},
        {"records._sips._tcp.example.com.srv", "10 20 5061 sbc3.example.com"},
        {"records._sips._tcp.example.com.ttl", "30s"},
        {"records.sbc1.example.com.a", "203.0.113.11"},
        {"records.sbc2.example.com.a", "203.0.113.12"},
        {"records.sbc3.example.com.cname", "sbc2.example.com"},
    };
    struct plan *plan = &lab->plan;
    unsigned alice = build_node(plan, "alice", &asker_kind);
    unsigned inside = build_node(plan, "inside", &dns_kind);
    unsigned public = build_node(plan, "public", &dns_kind);
    struct plan_end a = build_port(plan, alice, "on", IPV4(10, 0, 0, 20), 24);
    struct plan_end b = build_port(plan, alice, "left", IPV4(203, 0, 113, 20), 24);
    struct plan_end i = build_port(plan, inside, "on", IPV4(10, 0, 0, 2), 24);
    struct plan_end p = build_port(plan, public, "on", IPV4(203, 0, 113, 8), 24);
    plan->seed = 11;
    build_setting(plan, alice, "dns", "10.0.0.2");
    build_setting(plan, alice, "dns", "203.0.113.8");
    for (size_t r = 0; r < sizeof records / sizeof records[0]; r++) {
        build_setting(plan, inside, records[r][0], records[r][1]);
        build_setting(plan, public, records[r][0], records[r][1]);
    }
    for (unsigned n = 1; n <= 40; n++) {
        char addr[16];
        snprintf(addr, sizeof addr, "203.0.113.%u", n);
        build_setting(plan, inside, "records.pool.example.com.a", addr);
        build_setting(plan, public, "records.pool.example.com.a", addr);
    }
    build_setting(plan, inside, "order", "rotated");
    build_setting(plan, inside, "additional", "no");
    build_setting(plan, inside, "forward", "8.8.8.8"); /* whom it has no route to */
    build_wire(plan, "inside.lan", a, i, (struct wire_spec){.delay = 3 * MS});
    build_wire(plan, "public.net", b, p, (struct wire_spec){.delay = 20 * MS});
}

static void instruct(struct lab *lab)
{
    lab_command(lab, 1 * SEC, ALICE, "locate example.com");
    lab_command(lab, 2 * SEC, ALICE, "locate example.com"); /* remembered */
    lab_command(lab, 3 * SEC, ALICE, "locate sbc3.example.com 5080");
    lab_command(lab, 4 * SEC, ALICE, "locate 203.0.113.99");
    lab_command(lab, 5 * SEC, ALICE, "locate nowhere.example.com");
    lab_command(lab, 6 * SEC, ALICE, "locate www.example.org"); /* passed on, in vain: SERVFAIL, refused */
    lab_command(lab, 40 * SEC, INSIDE, "set answers silent");
    lab_command(lab, 40 * SEC, PUBLIC, "set _sips._tcp.example.com srv 10 1 5061 sbc1.example.com");
    lab_command(lab, 41 * SEC, ALICE, "locate example.com"); /* the SRV's time is over */
    lab_command(lab, 50 * SEC, PUBLIC, "set answers servfail");
    lab_command(lab, 51 * SEC, ALICE, "forget");
    lab_command(lab, 52 * SEC, ALICE, "locate sbc1.example.com 5061");
    lab_command(lab, 60 * SEC, INSIDE, "set answers yes");
    lab_command(lab, 61 * SEC, ALICE, "locate pool.example.com 5060"); /* truncated, and whole over TCP */
}

static char *trace_of(const struct netns_config *config)
{
    struct lab *lab = calloc(1, sizeof *lab);
    assert_non_null(lab);
    draw(lab);
    rig_open_or_skip(lab, config);
    instruct(lab);
    return lab_finish(lab);
}

static unsigned count(const char *trace, const char *text)
{
    unsigned n = 0;
    for (const char *at = trace; (at = strstr(at, text)); at++)
        n++;
    return n;
}

static void questions_and_answers_are_the_same(void **state)
{
    struct netns_config tun = rig_config();
    (void)state;
    char *sim = trace_of(NULL);
    assert_int_equal(count(sim, "\"ev\":\"located\""), 9);
    assert_int_equal(count(sim, "\"result\":\"found\""), 6);
    assert_int_equal(count(sim, "\"result\":\"nothing\""), 1);
    assert_int_equal(count(sim, "\"result\":\"failed\""), 2);
    assert_int_equal(count(sim, "\"targets\":\"TLS 203.0.113.11:5061\""), 1);
    assert_int_equal(count(sim, "\"truncated\":true"), 2); /* told by both ends */
    assert_int_equal(count(sim, "\"transport\":\"TCP\""), 4);
    char *netns = trace_of(&tun);
    assert_string_equal(netns, sim);
    free(sim);
    free(netns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(questions_and_answers_are_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
