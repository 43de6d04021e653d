/* The engine against a world that does nothing but keep a log: the order of events, how a run ends, what is traced.
 *
 *     node 0 ── wire 0 ── node 1 */
#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/proto/ip.h"
#include "sim/engine/engine.h"
#include "sim/engine/fault.h"
#include "tests/cmocka.h"
#include "tests/world/build.h"

#define ADDR(node) (IPV4(10, 0, 0, 1) + (node))

/* ---- a world that keeps a log ---- */

static struct {
    char log[2048]; /* "turn0@0 push1@5000 …" */
    struct engine *engine;
    lab_time deadline[8]; /* what the next turn returns */
    lab_time again[8];    /* when the alarm that rings next wants to ring again; 0: no more */
    bool ready[8];
    struct packet *out[8]; /* leaves by port 0 */
    unsigned unsettled;    /* times that settled() says no */
    bool fail;             /* in the next turn */
} world;

static void say(const char *what, unsigned node)
{
    size_t n = strlen(world.log);
    snprintf(world.log + n, sizeof world.log - n, "%s%u@%lld ", what, node, (long long)engine_now(world.engine));
}

static int fake_open(struct world **out, struct engine *e, const struct plan *plan, const bool *mine, struct text *why)
{
    (void)plan;
    (void)mine;
    (void)why;
    world.engine = e;
    *out = NULL;
    return 0;
}

static void fake_close(struct world *w)
{
    (void)w;
    for (size_t i = 0; i < 8; i++)
        packet_release(world.out[i]);
}

static void fake_push(struct world *w, unsigned node, unsigned port, struct packet *p)
{
    (void)w;
    (void)port;
    say("push", node);
    world.ready[node] = true;
    packet_release(p);
}

static struct packet *fake_pull(struct world *w, unsigned node, unsigned port)
{
    struct packet *p = world.out[node];
    (void)w;
    if (port != 0 || !p)
        return NULL;
    say("pull", node);
    world.out[node] = NULL;
    return p;
}

static bool fake_ready(struct world *w, unsigned node)
{
    (void)w;
    return world.ready[node];
}

static lab_time fake_turn(struct world *w, unsigned node)
{
    lab_time deadline = world.deadline[node];
    (void)w;
    say("turn", node);
    world.ready[node] = false;
    world.deadline[node] = NEVER;
    if (world.fail)
        engine_fail(world.engine, "the node died");
    return deadline;
}

static void fake_alarm(struct world *w, unsigned node)
{
    (void)w;
    say("alarm", node);
    if (world.again[node])
        engine_alarm(world.engine, node, world.again[node]);
    world.again[node] = 0;
}

static void fake_command(struct world *w, unsigned node, struct span line)
{
    (void)w;
    (void)line;
    say("command", node);
    world.ready[node] = true;
}

static bool fake_settled(struct world *w)
{
    (void)w;
    if (world.unsettled == 0)
        return true;
    world.unsettled--;
    world.ready[1] = true;
    engine_touch(world.engine, 1);
    return false;
}

static int fake_power(struct world *w, unsigned node, bool on)
{
    (void)w;
    say(on ? "on" : "off", node);
    return 0;
}

static void fake_forget(struct world *w, unsigned node)
{
    (void)w;
    say("forget", node);
}

static const struct world_ops fake_world = {.name = "fake",
                                            .open = fake_open,
                                            .close = fake_close,
                                            .push = fake_push,
                                            .pull = fake_pull,
                                            .ready = fake_ready,
                                            .turn = fake_turn,
                                            .alarm = fake_alarm,
                                            .command = fake_command,
                                            .settled = fake_settled,
                                            .forget = fake_forget,
                                            .power = fake_power};

/* ---- the engine under test ---- */

static struct plan plan;
static struct engine *engine;
static char trace[4096];
static bool interrupt;

static void observe(void *arg, struct span line)
{
    size_t n = strlen(trace);
    (void)arg;
    snprintf(trace + n, sizeof trace - n, "%.*s\n", SPAN_ARG(line));
    if (span_equal(line, SPAN("{\"t\":0,\"ev\":\"outer\"}"))) {
        engine_trace(engine, "inner");
        engine_trace_end(engine);
    }
}

static void open_with(const struct engine_config *config)
{
    static const bool mine[8] = {true, true, true, true, true, true, true, true};
    assert_int_equal(engine_new(&engine, &plan, config), 0);
    assert_int_equal(engine_open(engine, &fake_world, mine, NULL), 0);
}

static int setup(void **state)
{
    static const struct node_kind kind = {.name = "fake"};
    static const struct engine_config config = {.observe = observe, .stop_flag = &interrupt};
    (void)state;
    memset(&world, 0, sizeof world);
    trace[0] = '\0';
    interrupt = false;
    for (size_t i = 0; i < 8; i++)
        world.deadline[i] = NEVER;
    struct plan_end end[2];
    for (unsigned i = 0; i < 2; i++)
        end[i] = build_port(&plan, build_node(&plan, i ? "bob" : "alice", &kind), "on", ADDR(i), 24);
    build_wire(&plan, "alice.bob", end[0], end[1], (struct wire_spec){.delay = 5});
    open_with(&config);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_true(engine_conserved(engine));
    engine_free(engine);
    build_free(&plan);
    return 0;
}

static struct packet *datagram(ipv4 src, ipv4 dst)
{
    uint8_t bytes[64];
    struct ip_build ip = {.src = src, .dst = dst, .id = 1, .ttl = 64};
    return packet_copy(engine_pool(engine), bytes, ip_build_udp(bytes, sizeof bytes, &ip, 1, 2, SPAN("x")));
}

static void script_says(void *arg)
{
    (void)arg;
    say("script", 0);
}

static void script_stops(void *arg)
{
    (void)arg;
    say("stop", 0);
    engine_stop(engine);
}

/* ---- the order of events ---- */

static void every_program_has_its_first_turn_in_node_order_at_time_0(void **state)
{
    (void)state;
    assert_int_equal(engine_run(engine), ENGINE_IDLE);
    assert_string_equal(world.log, "turn0@0 turn1@0 ");
}

static void at_one_instant_the_script_comes_before_arrivals_before_deadlines(void **state)
{
    struct timer timer;
    (void)state;
    timer_init(&timer, script_says, NULL);
    world.deadline[0] = 5;
    world.out[0] = datagram(ADDR(0), ADDR(1));
    engine_touch(engine, 0);
    engine_timer_start(engine, &timer, 5);
    assert_int_equal(engine_run(engine), ENGINE_IDLE);
    assert_string_equal(world.log, "pull0@0 turn0@0 turn1@0 script0@5 push1@5 turn1@5 turn0@5 ");
}

static void an_answer_is_on_its_wire_before_the_next_event_of_the_instant(void **state)
{
    struct timer timer;
    (void)state;
    timer_init(&timer, script_says, NULL);
    engine_run(engine);
    world.log[0] = '\0';
    engine_timer_start(engine, &timer, 0);
    world.out[1] = datagram(ADDR(1), ADDR(0));
    engine_command(engine, 0, SPAN("x"));
    engine_command(engine, 1, SPAN("x"));
    assert_int_equal(engine_run(engine), ENGINE_IDLE);
    assert_string_equal(world.log, "command0@0 command1@0 pull1@0 turn0@0 turn1@0 script0@0 push0@5 turn0@5 ");
}

static void what_becomes_readable_after_all_is_done_before_the_clock_moves(void **state)
{
    (void)state;
    world.deadline[0] = 7;
    world.unsettled = 2;
    assert_int_equal(engine_run(engine), ENGINE_IDLE);
    assert_string_equal(world.log, "turn0@0 turn1@0 turn1@0 turn1@0 turn0@7 ");
}

static void alarms_come_between_arrivals_and_deadlines(void **state)
{
    (void)state;
    world.deadline[0] = 5;
    world.out[0] = datagram(ADDR(0), ADDR(1));
    engine_touch(engine, 0);
    engine_alarm(engine, 1, 5);
    engine_alarm(engine, 0, 9);
    world.again[0] = 11;
    assert_int_equal(engine_run(engine), ENGINE_IDLE);
    assert_string_equal(world.log, "pull0@0 turn0@0 turn1@0 push1@5 turn1@5 alarm1@5 turn0@5 alarm0@9 alarm0@11 ");
}

static void an_alarm_rings_while_the_program_is_frozen_or_off(void **state)
{
    (void)state;
    engine_run(engine);
    world.log[0] = '\0';
    engine_alarm(engine, 0, 3);
    engine_alarm(engine, 1, 4);
    engine_freeze(engine, 0, true);
    engine_power(engine, 1, false);
    assert_int_equal(engine_run(engine), ENGINE_IDLE);
    assert_string_equal(world.log, "off1@0 alarm0@3 alarm1@4 ");
    engine_alarm(engine, 0, 5);
    engine_alarm(engine, 0, NEVER);
    assert_int_equal(engine_run(engine), ENGINE_IDLE);
    assert_int_equal(engine_now(engine), 4);
}

/* ---- how a run ends ---- */

static void stop_lets_the_present_instant_be_settled(void **state)
{
    struct timer stop;
    struct timer same;
    struct timer later;
    (void)state;
    timer_init(&stop, script_stops, NULL);
    timer_init(&same, script_says, NULL);
    timer_init(&later, script_says, NULL);
    engine_timer_start(engine, &stop, 3);
    engine_timer_start(engine, &same, 3);
    engine_timer_start(engine, &later, 4);
    assert_int_equal(engine_run(engine), ENGINE_STOPPED);
    assert_string_equal(world.log, "turn0@0 turn1@0 stop0@3 script0@3 ");
    assert_int_equal(engine_now(engine), 3);
    engine_timer_stop(engine, &later); /* it outlives the test otherwise, and the engine is freed after that */
}

static void an_interrupt_ends_the_run(void **state)
{
    (void)state;
    interrupt = true;
    world.deadline[0] = 10;
    assert_int_equal(engine_run(engine), ENGINE_INTERRUPTED);
}

static void a_failure_ends_the_run_and_the_first_one_is_told(void **state)
{
    (void)state;
    world.fail = true;
    assert_int_equal(engine_run(engine), ENGINE_FAILED);
    engine_fail(engine, "something later");
    assert_string_equal(engine_failure(engine), "the node died");
    assert_string_equal(world.log, "turn0@0 ");
}

/* ---- power ---- */

static void power_off_takes_the_deadline_and_power_on_gives_a_first_turn(void **state)
{
    (void)state;
    world.deadline[0] = 10;
    engine_run(engine);
    world.log[0] = '\0';
    world.deadline[1] = 20;
    engine_command(engine, 1, SPAN("x"));
    assert_int_equal(engine_power(engine, 1, false), 0);
    world.ready[1] = false;
    assert_int_equal(engine_run(engine), ENGINE_IDLE);
    assert_int_equal(engine_power(engine, 1, true), 0);
    assert_int_equal(engine_run(engine), ENGINE_IDLE);
    assert_string_equal(world.log, "command1@10 off1@10 on1@10 turn1@10 turn1@20 ");
    assert_non_null(strstr(trace, "{\"t\":10,\"node\":\"bob\",\"ev\":\"power\",\"on\":false}\n"
                                  "{\"t\":10,\"node\":\"bob\",\"ev\":\"power\",\"on\":true}\n"));
}

/* ---- the trace ---- */

static void an_observer_may_write_lines_of_its_own(void **state)
{
    (void)state;
    engine_trace(engine, "outer");
    engine_trace_end(engine);
    engine_trace(engine, "last");
    engine_trace_end(engine);
    assert_string_equal(trace, "{\"t\":0,\"ev\":\"outer\"}\n{\"t\":0,\"ev\":\"inner\"}\n{\"t\":0,\"ev\":\"last\"}\n");
}

static void a_changed_wire_says_what_changed(void **state)
{
    struct wire_spec spec = *engine_wire(engine, 0, 0);
    (void)state;
    spec.loss = 50000;
    engine_wire_set(engine, 0, 0, &spec);
    engine_wire_set(engine, 0, 0, &spec);
    assert_string_equal(trace, "{\"t\":0,\"ev\":\"wire\",\"wire\":\"alice.bob\",\"direction\":0,\"loss\":50000}\n");
    trace[0] = '\0';
    spec.down = true;
    engine_wire_set(engine, 0, 1, engine_wire(engine, 0, 0));
    trace[0] = '\0';
    spec.mtu = 100;
    engine_wire_set(engine, 0, ENGINE_BOTH, &spec);
    assert_string_equal(trace, "{\"t\":0,\"ev\":\"wire\",\"wire\":\"alice.bob\",\"down\":true}\n");
    assert_int_equal(engine_wire(engine, 0, 0)->mtu, BUILD_MTU);
    assert_true(engine_wire(engine, 0, 1)->down);
}

static void a_packet_that_a_wire_drops_is_traced(void **state)
{
    struct wire_spec down = *engine_wire(engine, 0, 0);
    struct engine_count count;
    (void)state;
    down.down = true;
    engine_wire_set(engine, 0, ENGINE_BOTH, &down);
    trace[0] = '\0';
    world.out[0] = datagram(ADDR(0), ADDR(1));
    engine_touch(engine, 0);
    engine_run(engine);
    assert_string_equal(trace, "{\"t\":0,\"ev\":\"drop\",\"wire\":\"alice.bob\",\"cause\":\"down\","
                               "\"packet\":\"udp 10.0.0.1:1 > 10.0.0.2:2\"}\n");
    engine_count(engine, 0, &count);
    assert_int_equal(count.sent, 1);
    assert_int_equal(count.wire_down, 1);
}

/* ---- a loss of power ---- */

static void without_power_nothing_leaves_and_nothing_arrives(void **state)
{
    (void)state;
    engine_run(engine);
    world.log[0] = trace[0] = '\0';
    world.out[1] = datagram(ADDR(1), ADDR(0)); /* said while it dies */
    assert_int_equal(engine_power_loss(engine, 1), 0);
    world.out[0] = datagram(ADDR(0), ADDR(1));
    engine_touch(engine, 0);
    engine_run(engine);
    assert_string_equal(world.log, "off1@0 forget1@0 pull1@0 pull0@0 ");
    assert_non_null(strstr(trace, "\"node\":\"bob\",\"ev\":\"power\",\"on\":false}\n"));
    assert_non_null(strstr(trace, "\"node\":\"bob\",\"ev\":\"drop\",\"cause\":\"powered-off\","
                                  "\"packet\":\"udp 10.0.0.1:1 > 10.0.0.2:2\"}\n"));
    assert_true(engine_conserved(engine));
}

static void with_power_again_nothing_of_before_comes_out(void **state)
{
    (void)state;
    engine_run(engine);
    assert_int_equal(engine_power_loss(engine, 1), 0);
    world.out[1] = datagram(ADDR(1), ADDR(0));
    world.log[0] = '\0';
    assert_int_equal(engine_power(engine, 1, true), 0);
    engine_run(engine);
    assert_null(strstr(world.log, "push0"));
    world.out[0] = datagram(ADDR(0), ADDR(1));
    engine_touch(engine, 0);
    engine_run(engine);
    assert_non_null(strstr(world.log, "push1"));
}

/* ---- clocks ---- */

static void jumps_a_day_ahead(void *arg)
{
    (void)arg;
    assert_int_equal(engine_clock_set(engine, 1, 24 * HOUR), 0);
}

static void a_clock_that_jumps_moves_no_timer(void **state)
{
    struct timer jump;
    (void)state;
    world.deadline[1] = 2 * SEC;
    timer_init(&jump, jumps_a_day_ahead, NULL);
    engine_timer_start(engine, &jump, SEC);
    assert_int_equal(engine_run(engine), ENGINE_IDLE);
    assert_string_equal(world.log, "turn0@0 turn1@0 turn1@2000000000 ");
    assert_int_equal(engine_now(engine), 2 * SEC);
    assert_int_equal(engine_clock(engine, 0), 2 * SEC);
    assert_int_equal(engine_clock(engine, 1), 2 * SEC + 24 * HOUR);
    assert_string_equal(trace, "{\"t\":1000000000,\"node\":\"bob\",\"ev\":\"clock\",\"shows\":"
                               "\"2026-01-02T00:00:01Z\",\"by\":86400000000000,\"right\":false}\n");
    assert_int_equal(engine_clock_set(engine, 1, 24 * HOUR), 0); /* as it is: nothing to tell */
    assert_int_equal(engine_clock_set(engine, 1, -SEC), 0);
    assert_non_null(strstr(trace, "\"shows\":\"2026-01-01T00:00:01Z\",\"by\":-86401000000000,\"right\":false}\n"));
    assert_int_equal(engine_clock_set(engine, 1, 0), 0);
    assert_non_null(strstr(trace, "\"by\":1000000000,\"right\":true}\n"));
}

static void a_jump_outlives_the_program_and_with_a_battery_the_power(void **state)
{
    (void)state;
    engine_clock_set(engine, 1, HOUR);
    engine_power(engine, 1, false);
    engine_power(engine, 1, true);
    assert_int_equal(engine_clock(engine, 1), HOUR);
    engine_power_loss(engine, 1);
    engine_power(engine, 1, true);
    assert_int_equal(engine_clock(engine, 1), HOUR);
}

static void a_clock_without_battery_starts_anew_with_the_power(void **state)
{
    struct timer later;
    (void)state;
    plan.nodes[1].clock = (struct plan_clock){.unset = true, .shows = -LAB_BEGINS * SEC};
    engine_power_loss(engine, 1); /* the plan of this test comes after the engine's beginning */
    engine_power(engine, 1, true);
    assert_int_equal(engine_clock(engine, 1), -LAB_BEGINS * SEC);
    engine_clock_set(engine, 1, 0);
    timer_init(&later, script_says, NULL);
    engine_timer_start(engine, &later, 10 * SEC);
    engine_run(engine);
    engine_power(engine, 1, false);
    engine_power(engine, 1, true); /* the machine ran on */
    assert_int_equal(engine_clock(engine, 1), 10 * SEC);
    engine_power_loss(engine, 1);
    engine_power(engine, 1, true);
    assert_int_equal(engine_clock(engine, 1), -LAB_BEGINS * SEC);
}

/* ---- faults ---- */

static const unsigned from_alice[] = {0};

static void alice_sends(void *arg)
{
    (void)arg;
    world.out[0] = datagram(ADDR(0), ADDR(1));
    engine_touch(engine, 0);
}

/* Sends `n` datagrams 100 ns apart, after which the fault has hit so many of them. */
static void assert_hits(const struct fault_spec *spec, unsigned n, uint64_t hits)
{
    struct timer timers[8];
    struct fault *fault = engine_fault_start(engine, spec);
    assert_non_null(fault);
    for (unsigned i = 0; i < n; i++) {
        timer_init(&timers[i], alice_sends, NULL);
        engine_timer_start(engine, &timers[i], 100 * (lab_time)(i + 1));
    }
    engine_run(engine);
    assert_int_equal(engine_fault_hits(fault), hits);
}

static unsigned times_in(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

static void the_nth_packet_alone_is_dropped(void **state)
{
    (void)state;
    assert_hits(&(struct fault_spec){.ways = from_alice, .ways_n = 1, .nth = 3, .text = "t", .line = 7}, 5, 1);
    assert_non_null(strstr(world.log, "push1@105 "));
    assert_non_null(strstr(world.log, "push1@205 "));
    assert_null(strstr(world.log, "push1@305 "));
    assert_non_null(strstr(world.log, "push1@405 "));
    assert_non_null(strstr(trace,
                           "{\"t\":300,\"ev\":\"fault\",\"wire\":\"alice.bob\",\"do\":\"drop\",\"line\":7,\"hit\":1,"
                           "\"packet\":\"udp 10.0.0.1:1 > 10.0.0.2:2\"}\n"
                           "{\"t\":300,\"ev\":\"drop\",\"wire\":\"alice.bob\",\"cause\":\"fault\","));
}

static void every_second_the_first_two_or_for_a_while(void **state)
{
    (void)state;
    assert_hits(&(struct fault_spec){.ways = from_alice, .ways_n = 1, .every = 2, .text = "t"}, 5, 2);
    teardown(NULL);
    setup(NULL);
    assert_hits(&(struct fault_spec){.ways = from_alice, .ways_n = 1, .first = 2, .text = "t"}, 5, 2);
    teardown(NULL);
    setup(NULL);
    assert_hits(&(struct fault_spec){.ways = from_alice, .ways_n = 1, .lasts = 400, .text = "t"}, 5, 3);
}

static void a_fault_hits_only_what_matches_where_it_lies(void **state)
{
    static const unsigned from_bob[] = {1};
    (void)state;
    assert_hits(&(struct fault_spec){.ways = from_bob, .ways_n = 1, .text = "t"}, 3, 0);
    teardown(NULL);
    setup(NULL);
    assert_hits(&(struct fault_spec){.ways = from_alice, .ways_n = 1, .match = {.dport = 3}, .text = "t"}, 3, 0);
    assert_int_equal(times_in(world.log, "push1@"), 3);
}

static void a_delayed_packet_is_overtaken_and_a_duplicate_comes_twice(void **state)
{
    (void)state;
    assert_hits(
        &(struct fault_spec){.action = FAULT_DELAY, .by = 150, .nth = 1, .ways = from_alice, .ways_n = 1, .text = "t"},
        2, 1);
    assert_non_null(strstr(world.log, "push1@205 "));
    assert_non_null(strstr(world.log, "push1@255 "));
    teardown(NULL);
    setup(NULL);
    assert_hits(&(struct fault_spec){.action = FAULT_DUPLICATE, .ways = from_alice, .ways_n = 1, .text = "t"}, 2, 2);
    assert_int_equal(times_in(world.log, "push1@105 "), 2);
    assert_int_equal(times_in(world.log, "push1@205 "), 2);
}

static void a_truncated_datagram_is_whole_and_shorter(void **state)
{
    struct packet *p = datagram(ADDR(0), ADDR(1));
    struct ip_view v;
    (void)state;
    assert_false(fault_truncate(p, 1));
    assert_true(fault_truncate(p, 0));
    assert_int_equal(ip_parse(p->data, p->n, &v), 0);
    assert_int_equal(v.total, IP_HEADER + UDP_HEADER);
    assert_true(ip_transport_sum_ok(p->data, p->n));
    packet_release(p);
}

static void thaws(void *arg)
{
    (void)arg;
    assert_int_equal(engine_freeze(engine, 1, false), 0);
}

static void a_frozen_program_gets_its_turn_when_it_thaws(void **state)
{
    struct timer timers[2];
    (void)state;
    timer_init(&timers[0], alice_sends, NULL);
    timer_init(&timers[1], thaws, NULL);
    engine_timer_start(engine, &timers[0], 100);
    engine_timer_start(engine, &timers[1], 900);
    assert_int_equal(engine_freeze(engine, 1, true), 0);
    assert_int_equal(engine_run(engine), ENGINE_IDLE);
    assert_string_equal(world.log, "turn0@0 pull0@100 push1@105 turn1@900 ");
    assert_non_null(strstr(trace, "{\"t\":900,\"node\":\"bob\",\"ev\":\"freeze\",\"frozen\":false}"));
}

static struct packet *icmp_about(ipv4 src, ipv4 dst, const struct packet *about)
{
    uint8_t bytes[576];
    struct ip_build ip = {.src = src, .dst = dst, .ttl = 64};
    size_t n = ip_build_icmp_error(bytes, sizeof bytes, &ip, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0, about->data,
                                   about->n);
    return packet_copy(engine_pool(engine), bytes, n);
}

static unsigned lines_with(const char *text)
{
    unsigned n = 0;
    for (const char *at = trace; (at = strstr(at, text)); at++)
        n++;
    return n;
}

static void an_icmp_error_is_traced_where_it_begins(void **state)
{
    (void)state;
    struct packet *about = datagram(ADDR(0), ADDR(1));
    world.out[1] = icmp_about(ADDR(1), ADDR(0), about);
    packet_release(about);
    engine_touch(engine, 1);
    engine_run(engine);
    assert_string_equal(trace, "{\"t\":0,\"node\":\"bob\",\"ev\":\"icmp\",\"from\":\"10.0.0.2\",\"type\":"
                               "\"port-unreachable\",\"about\":\"udp 10.0.0.1:1 > 10.0.0.2:2\"}\n");
}

static void an_icmp_error_that_is_passed_on_is_not_traced_again(void **state)
{
    (void)state;
    struct packet *about = datagram(ADDR(0), ADDR(1));
    world.out[0] = icmp_about(ADDR(0), ADDR(1), about);
    world.deadline[1] = NEVER;
    engine_touch(engine, 0);
    engine_run(engine);
    assert_int_equal(lines_with("\"ev\":\"icmp\""), 1);
    world.out[1] = icmp_about(ADDR(1), ADDR(0), about); /* bob sends at the instant in which he received one */
    packet_release(about);
    engine_touch(engine, 1);
    engine_run(engine);
    assert_int_equal(lines_with("\"ev\":\"icmp\""), 1);
}

/* ---- the real clock ---- */

static lab_time clock_now;
static unsigned slept;

static lab_time real_clock(void *arg)
{
    (void)arg;
    return clock_now;
}

static void real_sleep(void *arg, lab_time until)
{
    (void)arg;
    slept++;
    clock_now = until;
}

static void the_real_clock_is_waited_for(void **state)
{
    static const struct engine_config config = {.real = true, .clock = real_clock, .sleep = real_sleep};
    (void)state;
    engine_free(engine);
    memset(&world, 0, sizeof world);
    world.deadline[0] = 10 * MS;
    world.deadline[1] = NEVER;
    clock_now = 0;
    open_with(&config);
    assert_int_equal(engine_run(engine), ENGINE_IDLE);
    assert_string_equal(world.log, "turn0@0 turn1@0 turn0@10000000 ");
    assert_int_equal(slept, 1);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(every_program_has_its_first_turn_in_node_order_at_time_0),
        CASE(at_one_instant_the_script_comes_before_arrivals_before_deadlines),
        CASE(an_answer_is_on_its_wire_before_the_next_event_of_the_instant),
        CASE(alarms_come_between_arrivals_and_deadlines),
        CASE(an_alarm_rings_while_the_program_is_frozen_or_off),
        CASE(what_becomes_readable_after_all_is_done_before_the_clock_moves),
        CASE(stop_lets_the_present_instant_be_settled),
        CASE(an_interrupt_ends_the_run),
        CASE(a_failure_ends_the_run_and_the_first_one_is_told),
        CASE(power_off_takes_the_deadline_and_power_on_gives_a_first_turn),
        CASE(an_observer_may_write_lines_of_its_own),
        CASE(a_changed_wire_says_what_changed),
        CASE(the_nth_packet_alone_is_dropped),
        CASE(every_second_the_first_two_or_for_a_while),
        CASE(a_fault_hits_only_what_matches_where_it_lies),
        CASE(a_delayed_packet_is_overtaken_and_a_duplicate_comes_twice),
        CASE(a_truncated_datagram_is_whole_and_shorter),
        CASE(a_frozen_program_gets_its_turn_when_it_thaws),
        CASE(a_packet_that_a_wire_drops_is_traced),
        CASE(without_power_nothing_leaves_and_nothing_arrives),
        CASE(with_power_again_nothing_of_before_comes_out),
        CASE(a_clock_that_jumps_moves_no_timer),
        CASE(a_jump_outlives_the_program_and_with_a_battery_the_power),
        CASE(a_clock_without_battery_starts_anew_with_the_power),
        CASE(an_icmp_error_is_traced_where_it_begins),
        CASE(an_icmp_error_that_is_passed_on_is_not_traced_again),
        CASE(the_real_clock_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
