/* Whole calls through the simulated world: real phones, NATs, SBC and PBX.
 *
 *     alice 192.168.1.20 ─┬─ router 203.0.113.7 ─┐
 *     dave 192.168.1.21 ──┘                      ├─ 203.0.113.10 SBC 10.0.1.2 ─┬─ PBX 10.0.1.10
 *     carol 192.168.2.20 ─── gateway 203.0.113.8 ┘                             └─ bob 10.0.1.31
 */
#include "sim/engine/engine.h"
#include "tests/cmocka.h"
#include "tests/world/build.h"

extern const struct node_kind nat_kind, pbx_kind, phone_kind, sbc_kind;

enum { STEPS = 16 };

struct lab {
    struct plan plan;
    struct engine *engine;
    char *trace;
    size_t n, cap;
    struct timer steps[STEPS];
    struct step {
        struct lab *lab;
        unsigned node;
        const char *line; /* NULL: the end */
    } what[STEPS];
    unsigned steps_n;
    unsigned home, apartment, internet, office; /* switches */
    unsigned alice, dave, carol, bob, router, gateway, sbc, pbx;
};

/* ---- the plan ---- */

static unsigned attach(struct lab *lab, unsigned node, const char *port, ipv4 addr, unsigned network)
{
    struct plan_end end = build_port(&lab->plan, node, port, addr, 24);
    struct plan_end to = {.type = PLAN_END_SWITCH, .index = network};
    return build_wire(&lab->plan, port, end, to, (struct wire_spec){.delay = 5 * MS});
}

static unsigned phone(struct lab *lab, const char *name, ipv4 addr, unsigned network, const char *line,
                      const char *proxy)
{
    unsigned node = build_node(&lab->plan, name, &phone_kind);
    attach(lab, node, "on", addr, network);
    build_route(&lab->plan, node, 0, 0, 0);
    build_setting(&lab->plan, node, "line", line);
    build_setting(&lab->plan, node, "password", line);
    build_setting(&lab->plan, node, "proxy", proxy);
    return node;
}

static unsigned nat(struct lab *lab, const char *name, ipv4 inside, unsigned home, ipv4 outside)
{
    unsigned node = build_node(&lab->plan, name, &nat_kind);
    lab->plan.switches[home].gateway = (int)attach(lab, node, "inside", inside, home);
    attach(lab, node, "outside", outside, lab->internet);
    build_route(&lab->plan, node, 0, 0, 1);
    return node;
}

static void plan_of(struct lab *lab)
{
    struct plan *plan = &lab->plan;
    *lab = (struct lab){.plan = {.name = "teleworkers", .seed = 1}};
    lab->home = build_switch(plan, "home").index;
    lab->apartment = build_switch(plan, "apartment").index;
    lab->internet = build_switch(plan, "internet").index;
    lab->office = build_switch(plan, "office").index;
    lab->alice = phone(lab, "alice", IPV4(192, 168, 1, 20), lab->home, "101", "203.0.113.10");
    lab->dave = phone(lab, "dave", IPV4(192, 168, 1, 21), lab->home, "104", "203.0.113.10");
    lab->carol = phone(lab, "carol", IPV4(192, 168, 2, 20), lab->apartment, "103", "203.0.113.10");
    lab->bob = phone(lab, "bob", IPV4(10, 0, 1, 31), lab->office, "102", "10.0.1.10");
    lab->router = nat(lab, "router", IPV4(192, 168, 1, 1), lab->home, IPV4(203, 0, 113, 7));
    lab->gateway = nat(lab, "gateway", IPV4(192, 168, 2, 1), lab->apartment, IPV4(203, 0, 113, 8));
    lab->sbc = build_node(plan, "sbc", &sbc_kind);
    attach(lab, lab->sbc, "outside", IPV4(203, 0, 113, 10), lab->internet);
    attach(lab, lab->sbc, "inside", IPV4(10, 0, 1, 2), lab->office);
    build_route(plan, lab->sbc, 0, 0, 0);
    build_setting(plan, lab->sbc, "pbx", "10.0.1.10");
    lab->pbx = build_node(plan, "pbx", &pbx_kind);
    attach(lab, lab->pbx, "on", IPV4(10, 0, 1, 10), lab->office);
    build_setting(plan, lab->pbx, "lines.101.password", "101");
    build_setting(plan, lab->pbx, "lines.102.password", "102");
    build_setting(plan, lab->pbx, "lines.103.password", "103");
    build_setting(plan, lab->pbx, "lines.104.password", "104");
}

/* ---- running ---- */

static void observe(void *arg, struct span line)
{
    struct lab *lab = arg;
    if (lab->cap - lab->n < line.n + 2) {
        lab->cap = 2 * lab->cap + line.n + 2;
        lab->trace = realloc(lab->trace, lab->cap);
        assert_non_null(lab->trace);
    }
    memcpy(lab->trace + lab->n, line.p, line.n);
    lab->trace[lab->n + line.n] = '\n';
    lab->n += line.n + 1;
    lab->trace[lab->n] = '\0';
}

static void step(void *arg)
{
    struct step *s = arg;
    if (s->line)
        engine_command(s->lab->engine, s->node, span_of(s->line));
    else
        engine_stop(s->lab->engine);
}

static void at(struct lab *lab, lab_time when, unsigned node, const char *line)
{
    unsigned i = lab->steps_n++;
    assert_true(i < STEPS);
    lab->what[i] = (struct step){lab, node, line};
    timer_init(&lab->steps[i], step, &lab->what[i]);
    engine_timer_start(lab->engine, &lab->steps[i], when);
}

static void open_lab(struct lab *lab)
{
    struct engine_config config = {.observe = observe, .arg = lab};
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    bool mine[8] = {true, true, true, true, true, true, true, true}; /* every node */
    assert_int_equal(engine_new(&lab->engine, &lab->plan, &config), 0);
    if (engine_open(lab->engine, &sim_world, mine, &why))
        fail_msg("%s", buf);
}

static void run_until(struct lab *lab, lab_time end)
{
    at(lab, end, 0, NULL);
    if (engine_run(lab->engine) != ENGINE_STOPPED)
        fail_msg("%s", engine_failure(lab->engine));
    assert_true(engine_conserved(lab->engine));
}

/* Lines of the trace that hold both texts. */
static unsigned count(const struct lab *lab, const char *one, const char *other)
{
    unsigned n = 0;
    for (const char *line = lab->trace; *line; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n');
        const char *a = strstr(line, one);
        const char *b = strstr(line, other);
        n += a && a < end && b && b < end;
    }
    return n;
}

/* The number behind "key": in the last line that holds both texts. */
static long last_number(const struct lab *lab, const char *one, const char *other, const char *key)
{
    long number = -1;
    for (const char *line = lab->trace; *line; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n');
        const char *a = strstr(line, one);
        const char *b = strstr(line, other);
        const char *value = strstr(line, key);
        if (a && a < end && b && b < end && value && value < end)
            number = strtol(value + strlen(key), NULL, 10);
    }
    return number;
}

static void assert_heard(const struct lab *lab, const char *who, const char *whom)
{
    char node[64];
    char heard[64];
    snprintf(node, sizeof node, "\"node\":\"%s\",\"ev\":\"media\",\"state\":\"report\"", who);
    snprintf(heard, sizeof heard, "\"heard\":\"%s\"", whom);
    long ppm = last_number(lab, node, heard, "\"heard_ppm\":");
    if (ppm < 990000)
        fail_msg("%s heard %ld ppm of %s", who, ppm, whom);
}

static void close_lab(struct lab *lab)
{
    engine_free(lab->engine);
    build_free(&lab->plan);
    free(lab->trace);
}

/* ---- tests ---- */

static void all_phones_register_nw_2(void **state)
{
    (void)state;
    struct lab lab;
    plan_of(&lab);
    open_lab(&lab);
    run_until(&lab, 5 * SEC);
    assert_int_equal(count(&lab, "\"registration\"", "\"registered\""), 4);
    assert_int_equal(count(&lab, "\"node\":\"sbc\",\"ev\":\"location\",\"state\":\"added\"", "203.0.113.7:"), 2);
    assert_int_equal(count(&lab, "\"node\":\"pbx\",\"ev\":\"location\",\"state\":\"added\"", "10.0.1.2:5060"), 3);
    close_lab(&lab);
}

static void a_teleworker_and_the_office_talk(void **state)
{
    (void)state;
    struct lab lab;
    plan_of(&lab);
    open_lab(&lab);
    at(&lab, 5 * SEC, lab.bob, "call 101");
    at(&lab, 20 * SEC, lab.bob, "report");
    at(&lab, 20 * SEC, lab.alice, "report");
    at(&lab, 21 * SEC, lab.alice, "hang up");
    run_until(&lab, 25 * SEC);
    assert_heard(&lab, "alice", "102");
    assert_heard(&lab, "bob", "101");
    assert_int_equal(count(&lab, "\"cdr\"", "\"from\":\"102\",\"to\":\"101\",\"result\":\"answered\""), 1);
    assert_int_equal(count(&lab, "\"relay\"", "\"opened\""), count(&lab, "\"relay\"", "\"closed\""));
    close_lab(&lab);
}

static void two_teleworkers_talk_through_one_hop(void **state)
{
    (void)state;
    struct lab lab;
    plan_of(&lab);
    open_lab(&lab);
    at(&lab, 5 * SEC, lab.alice, "call 103");
    at(&lab, 20 * SEC, lab.alice, "report");
    at(&lab, 20 * SEC, lab.carol, "report");
    at(&lab, 21 * SEC, lab.alice, "hang up");
    run_until(&lab, 25 * SEC);
    assert_heard(&lab, "alice", "103");
    assert_heard(&lab, "carol", "101");
    assert_int_equal(count(&lab, "\"relay\",\"state\":\"latched\"", "\"side\":\"a\",\"remote\":\"203.0.113.7:"), 1);
    assert_int_equal(count(&lab, "\"relay\",\"state\":\"latched\"", "\"side\":\"b\",\"remote\":\"203.0.113.8:"), 1);
    assert_int_equal(count(&lab, "\"relay\",\"state\":\"latched\"", "\"remote\":\"10.0.1."), 0);
    assert_int_equal(count(&lab, "\"relay\"", "\"opened\""), count(&lab, "\"relay\"", "\"closed\""));
    assert_int_equal(count(&lab, "\"cdr\"", "\"result\":\"answered\""), 1);
    close_lab(&lab);
}

static void sb_4_two_phones_of_one_home_talk_past_the_sbc(void **state)
{
    (void)state;
    struct lab lab;
    plan_of(&lab);
    open_lab(&lab);
    at(&lab, 5 * SEC, lab.alice, "call 104");
    at(&lab, 20 * SEC, lab.alice, "report");
    at(&lab, 20 * SEC, lab.dave, "report");
    at(&lab, 21 * SEC, lab.dave, "hang up");
    run_until(&lab, 25 * SEC);
    assert_heard(&lab, "alice", "104");
    assert_heard(&lab, "dave", "101");
    assert_int_equal(count(&lab, "\"relay\"", "\"latched\""), 0);
    assert_int_equal(count(&lab, "\"media\",\"state\":\"started\"", "\"remote\":\"192.168.1.2"), 2);
    assert_int_equal(count(&lab, "\"relay\"", "\"opened\""), count(&lab, "\"relay\"", "\"closed\""));
    close_lab(&lab);
}

static void a_cancelled_call_leaves_no_relay(void **state)
{
    (void)state;
    struct lab lab;
    plan_of(&lab);
    build_setting(&lab.plan, lab.carol, "answer", "never");
    open_lab(&lab);
    at(&lab, 5 * SEC, lab.alice, "call 103");
    at(&lab, 8 * SEC, lab.alice, "cancel");
    run_until(&lab, 10 * SEC);
    assert_int_equal(count(&lab, "\"cdr\"", "\"result\":\"cancelled\",\"status\":487"), 1);
    assert_int_equal(count(&lab, "\"relay\"", "\"opened\""), 6); /* challenged once, then two passages */
    assert_int_equal(count(&lab, "\"relay\"", "\"closed\""), 6);
    close_lab(&lab);
}

static void hold_and_resume_keep_the_relay(void **state)
{
    (void)state;
    struct lab lab;
    plan_of(&lab);
    open_lab(&lab);
    at(&lab, 5 * SEC, lab.alice, "call 103");
    at(&lab, 10 * SEC, lab.alice, "hold");
    at(&lab, 15 * SEC, lab.alice, "resume");
    at(&lab, 20 * SEC, lab.alice, "hang up");
    run_until(&lab, 25 * SEC);
    assert_int_equal(count(&lab, "\"relay\"", "\"opened\""), 6);
    assert_int_equal(count(&lab, "\"relay\"", "\"latched\""), 2);
    assert_int_equal(count(&lab, "\"relay\"", "\"closed\""), 6);
    assert_int_equal(count(&lab, "\"cdr\"", "\"answered\""), 1);
    close_lab(&lab);
}

/* PB-2: the PBX reboots; a call reaches the phone before it registers again, or does not. */
static void pb_2_a_reboot_of_the_pbx(void **state)
{
    (void)state;
    for (int remember = 0; remember < 2; remember++) {
        struct lab lab;
        plan_of(&lab);
        build_setting(&lab.plan, lab.pbx, "remember registrations", remember ? "yes" : "no");
        open_lab(&lab);
        at(&lab, 5 * SEC, lab.pbx, "restart");
        at(&lab, 6 * SEC, lab.bob, "call 101");
        run_until(&lab, 10 * SEC);
        assert_int_equal(count(&lab, "\"node\":\"bob\",\"ev\":\"call\"", "\"established\""), remember);
        assert_int_equal(count(&lab, "\"cdr\"", "\"status\":480"), !remember);
        close_lab(&lab);
    }
}

/* SB-5: the phone's packets have 3 left; a NAT on each way and the SBC take one each. */
static void sb_5_ttl_runs_out_behind_the_sbc_unless_it_is_reset(void **state)
{
    (void)state;
    for (int reset = 0; reset < 2; reset++) {
        struct lab lab;
        plan_of(&lab);
        build_setting(&lab.plan, lab.alice, "media ttl", "3");
        build_setting(&lab.plan, lab.sbc, "media ttl", reset ? "reset" : "carry");
        open_lab(&lab);
        at(&lab, 5 * SEC, lab.alice, "call 103");
        at(&lab, 20 * SEC, lab.carol, "report");
        run_until(&lab, 21 * SEC);
        assert_int_equal(count(&lab, "\"node\":\"gateway\",\"ev\":\"drop\"", "ttl-exceeded") > 0, !reset);
        if (reset)
            assert_heard(&lab, "carol", "101");
        close_lab(&lab);
    }
}

static void a_run_is_the_same_twice(void **state)
{
    (void)state;
    struct lab lab[2];
    for (int i = 0; i < 2; i++) {
        plan_of(&lab[i]);
        open_lab(&lab[i]);
        at(&lab[i], 5 * SEC, lab[i].alice, "call 103");
        at(&lab[i], 8 * SEC, lab[i].carol, "hang up");
        run_until(&lab[i], 10 * SEC);
    }
    assert_int_equal(lab[0].n, lab[1].n);
    assert_memory_equal(lab[0].trace, lab[1].trace, lab[0].n);
    close_lab(&lab[0]);
    close_lab(&lab[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_phones_register_nw_2),
        cmocka_unit_test(a_teleworker_and_the_office_talk),
        cmocka_unit_test(two_teleworkers_talk_through_one_hop),
        cmocka_unit_test(sb_4_two_phones_of_one_home_talk_past_the_sbc),
        cmocka_unit_test(a_cancelled_call_leaves_no_relay),
        cmocka_unit_test(hold_and_resume_keep_the_relay),
        cmocka_unit_test(pb_2_a_reboot_of_the_pbx),
        cmocka_unit_test(sb_5_ttl_runs_out_behind_the_sbc_unless_it_is_reset),
        cmocka_unit_test(a_run_is_the_same_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
