/* TCP in lab time: the simulated TCP and the kernel's, whose timers the world takes in hand, have the same events at
 * the same times, also when segments are lost, programs are frozen or machines lose power. On an idle machine, beside
 * busy loops, and when the machine stands still for longer than the kernel waits. */
#define _GNU_SOURCE
#include "sim/engine/fault.h"
#include "tests/netns/busy.h"
#include "tests/netns/same.h"

#include <time.h>

enum { ALICE_NODE, BOB_NODE };

/* ---- what happens beside the commands ---- */

enum deed { FREEZE, THAW, CRASH, START, POWER_LOSS, CUT, RESTORE, STAND_STILL };

struct act {
    struct lab *lab;
    struct timer timer;
    enum deed deed;
    unsigned node;      /* CUT, RESTORE: the wire */
    unsigned direction; /* CUT, RESTORE */
};

static struct act acts[16];
static unsigned acts_n;

static void cut(struct engine *e, unsigned wire, unsigned direction, bool down)
{
    struct wire_spec spec = *engine_wire(e, wire, direction == ENGINE_BOTH ? 0 : direction);
    spec.down = down;
    engine_wire_set(e, wire, direction, &spec);
}

/* Longer than the kernel's first timeout for a SYN. */
static void stand_still(void)
{
    nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 300000000}, NULL);
}

static void act_now(void *arg)
{
    const struct act *a = arg;
    struct engine *e = a->lab->engine;
    switch (a->deed) {
    case FREEZE: engine_freeze(e, a->node, true); break;
    case THAW: engine_freeze(e, a->node, false); break;
    case CRASH: engine_power(e, a->node, false); break;
    case START: engine_power(e, a->node, true); break;
    case POWER_LOSS: engine_power_loss(e, a->node); break;
    case CUT: cut(e, a->node, a->direction, true); break;
    case RESTORE: cut(e, a->node, a->direction, false); break;
    case STAND_STILL: stand_still(); break;
    }
}

static void act(struct lab *lab, lab_time at, enum deed deed, unsigned node, unsigned direction)
{
    assert_true(acts_n < sizeof acts / sizeof *acts);
    struct act *a = &acts[acts_n++];
    *a = (struct act){.lab = lab, .deed = deed, .node = node, .direction = direction};
    timer_init(&a->timer, act_now, a);
    engine_timer_start(lab->engine, &a->timer, at);
}

/* The nth packet on the wire of the pair, from alice (0) or to her (1). */
static void lose(struct lab *lab, unsigned direction, unsigned nth)
{
    static const unsigned ways[] = {0, 1};
    static struct fault_spec spec;
    spec = (struct fault_spec){.action = FAULT_DROP, .ways = &ways[direction], .ways_n = 1, .nth = nth, .text = "lose"};
    assert_int_equal(packet_match_parse(SPAN("everything"), &spec.match), 0);
    assert_non_null(engine_fault_start(lab->engine, &spec));
}

static int fresh(void **state)
{
    (void)state;
    acts_n = 0;
    return 0;
}

/* ---- a connection's life ---- */

static void live(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 0, BOB_NODE, "echo");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 1 * SEC, ALICE_NODE, "tcp-send 0 500"); /* before it is connected */
    lab_command(lab, 2 * SEC, ALICE_NODE, "tcp-send 0 1000");
    lab_command(lab, 3 * SEC, ALICE_NODE, "finish 0");
    lab_command(lab, 4 * SEC, BOB_NODE, "tcp-send 0 3000");
    lab_command(lab, 5 * SEC, BOB_NODE, "finish 0");
}

static void from_syn_to_the_second_fin(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, live, 19);
}

static void be_refused(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5061");
    lab_command(lab, 2 * SEC, ALICE_NODE, "connect 203.0.113.1:5060");  /* no route */
    lab_command(lab, 3 * SEC, ALICE_NODE, "connect 192.168.1.20:5060"); /* to herself */
    lab_command(lab, 4 * SEC, ALICE_NODE, "listen 192.168.1.20:5060");
    lab_command(lab, 4 * SEC, ALICE_NODE, "listen 192.168.1.20:5060"); /* taken */
    lab_command(lab, 4 * SEC, ALICE_NODE, "listen 192.168.1.99:5060"); /* not hers */
    lab_command(lab, 5 * SEC, ALICE_NODE, "connect 192.168.1.20:5060");
    lab_command(lab, 5 * SEC, ALICE_NODE, "tcp-send 2 10");
}

static void refused_unreachable_and_to_oneself(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, be_refused, 13);
}

static void end_badly(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 0, BOB_NODE, "listen 0.0.0.0:5060");
    for (unsigned i = 0; i < 4; i++)
        lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 2 * SEC, ALICE_NODE, "abort 0");
    lab_command(lab, 3 * SEC, BOB_NODE, "tcp-close 1");
    lab_command(lab, 4 * SEC, ALICE_NODE, "tcp-send 1 100"); /* for nobody */
    lab_command(lab, 5 * SEC, BOB_NODE, "deaf 2");
    lab_command(lab, 6 * SEC, ALICE_NODE, "tcp-send 2 100000"); /* closed in the middle of it */
    lab_command(lab, 9 * SEC, BOB_NODE, "tcp-send 3 100");
    lab_command(lab, 9 * SEC, BOB_NODE, "tcp-close 3"); /* what was sent still comes, and the FIN */
    lab_command(lab, 10 * SEC, ALICE_NODE, "tcp-close 3");
    lab_command(lab, 11 * SEC, BOB_NODE, "refuse");
    lab_command(lab, 11 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 12 * SEC, BOB_NODE, "unlisten 0");
    lab_command(lab, 12 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
}

static void resets(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, end_badly, 0);
}

static void open_from_a_listening_port(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 0, ALICE_NODE, "listen 192.168.1.20:5060");
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060 192.168.1.20:5060");
    lab_command(lab, 2 * SEC, ALICE_NODE, "connect 192.168.1.30:5060 192.168.1.20:5060"); /* there is one */
    lab_command(lab, 3 * SEC, BOB_NODE, "connect 192.168.1.20:5060");
}

static void a_listening_port_connects_too(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, open_from_a_listening_port, 0);
}

/* ---- loss ---- */

static unsigned lost_way, lost_nth;

static void transfer_with_a_loss(struct lab *lab)
{
    acts_n = 0;
    lose(lab, lost_way, lost_nth);
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 0, BOB_NODE, "echo");
    lab_command(lab, 0, BOB_NODE, "polite");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 20 * SEC, ALICE_NODE, "pump 0 30000");
    lab_command(lab, 40 * SEC, ALICE_NODE, "finish 0");
}

static char *transfer_in(const struct netns_config *config)
{
    char *trace = trace_of(draw_pair, transfer_with_a_loss, config);
    if (!strstr(trace, "\"total\":30000,") || !strstr(trace, "\"ev\":\"finished\""))
        fail_msg("packet %u of way %u lost: not all arrived", lost_nth, lost_way);
    return trace;
}

static void whichever_is_lost(unsigned veth_every)
{
    struct netns_config tun = rig_config();
    struct netns_config veth = rig_config();
    veth.veth = true;
    for (lost_way = 0; lost_way < 2; lost_way++)
        for (lost_nth = 1; lost_nth <= 30; lost_nth++) {
            char *sim = transfer_in(NULL);
            char *real = transfer_in(lost_nth % veth_every ? &tun : &veth);
            assert_string_equal(real, sim);
            free(sim);
            free(real);
        }
}

/* RFC 6298, 6582: SYN, SYN-ACK, ACK, data in slow start, FIN; the sixty first packets, each once. */
static void every_segment_is_lost_once(void **state)
{
    (void)state;
    whichever_is_lost(5);
}

/* Only packets of 45 to 60 bytes: alice's small segments, neither her SYN nor her acknowledgements. */
static void lose_small_ones(struct lab *lab)
{
    static const unsigned way = 0;
    static const struct fault_spec spec = {.action = FAULT_DROP,
                                           .match = {.least = 45, .most = 60},
                                           .ways = &way,
                                           .ways_n = 1,
                                           .first = 6,
                                           .text = "lose small ones"};
    acts_n = 0;
    assert_non_null(engine_fault_start(lab->engine, &spec));
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 2 * SEC, ALICE_NODE, "tcp-send 0 6");
    lab_command(lab, 2010 * MS, ALICE_NODE, "tcp-send 0 6");
    for (lab_time t = 2020 * MS; t <= 2060 * MS; t += 10 * MS) /* before the retransmission timeout */
        lab_command(lab, t, ALICE_NODE, "tcp-send 0 500");
    lab_command(lab, 60 * SEC, ALICE_NODE, "finish 0");
}

/* After three duplicate acknowledgements a lost segment comes again as it was, not with those behind it. */
static void what_is_sent_again_is_cut_as_it_was(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, lose_small_ones, 0);
}

static void pump_over_a_bad_wire(struct lab *lab)
{
    acts_n = 0;
    struct wire_spec spec = *engine_wire(lab->engine, 0, 0);
    spec.loss = 30000;
    engine_wire_set(lab->engine, 0, ENGINE_BOTH, &spec);
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 20 * SEC, ALICE_NODE, "pump 0 1000000");
    lab_command(lab, 60 * SEC, BOB_NODE, "pump 0 300000");
    lab_command(lab, 300 * SEC, ALICE_NODE, "finish 0");
    lab_command(lab, 300 * SEC, BOB_NODE, "finish 0");
}

static void a_megabyte_over_a_wire_that_loses(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, pump_over_a_bad_wire, 0);
}

static void pump_through_a_narrow_wire(struct lab *lab)
{
    acts_n = 0;
    struct wire_spec spec = *engine_wire(lab->engine, 0, 0);
    spec.rate = 1000000;
    spec.queue = 20000;
    engine_wire_set(lab->engine, 0, ENGINE_BOTH, &spec);
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 2 * SEC, ALICE_NODE, "pump 0 500000");
    lab_command(lab, 100 * SEC, ALICE_NODE, "finish 0");
    lab_command(lab, 100 * SEC, BOB_NODE, "finish 0");
}

static void a_queue_overflows_in_slow_start(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, pump_through_a_narrow_wire, 0);
}

/* ---- nobody there ---- */

static void call_nobody(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.31:5060");
    act(lab, 2500 * MS, CUT, 0, ENGINE_BOTH); /* from now on each SYN is told of */
}

/* RFC 9293 §3.8.1, Linux: tcp_syn_retries 6. Two minutes of lab time are milliseconds of real time. */
static void a_syn_to_nobody_is_retried_in_lab_time(void **state)
{
    static const unsigned at[] = {4, 8, 16, 32, 64}; /* the one at 2 is not seen */
    const struct netns_config tun = rig_config();
    struct timespec begin;
    struct timespec end;
    char line[64];
    (void)state;
    same_in_all_worlds(draw_pair, call_nobody, 8);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    char *trace = trace_of(draw_pair, call_nobody, &tun);
    clock_gettime(CLOCK_MONOTONIC, &end);
    for (unsigned i = 0; i < sizeof at / sizeof *at; i++) {
        snprintf(line, sizeof line, "{\"t\":%u000000000,\"ev\":\"drop\",\"wire\":", at[i]);
        assert_non_null(strstr(trace, line));
    }
    assert_non_null(
        strstr(trace, "{\"t\":128000000000,\"node\":\"alice\",\"ev\":\"failed\",\"c\":0,\"error\":\"timed out\"}"));
    assert_true(end.tv_sec - begin.tv_sec <= 5);
    free(trace);
}

static void lose_the_way_back(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    act(lab, 1005 * MS, CUT, 0, 0); /* the SYN is through, nothing else of hers */
    act(lab, 100 * SEC, RESTORE, 0, 0);
    lab_command(lab, 101 * SEC, ALICE_NODE, "tcp-send 0 100"); /* Bob has forgotten: RST */
}

static void a_syn_ack_is_retried_and_then_forgotten(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, lose_the_way_back, 0);
}

static void lose_the_peer(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    for (unsigned i = 0; i < 3; i++)
        lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 1 * SEC + 100 * MS, ALICE_NODE, "user-timeout 1 7000");
    act(lab, 2 * SEC, CUT, 0, ENGINE_BOTH);
    lab_command(lab, 3 * SEC, ALICE_NODE, "tcp-send 0 100"); /* 15 retransmissions */
    lab_command(lab, 3 * SEC, ALICE_NODE, "tcp-send 1 100"); /* RFC 5482 */
    lab_command(lab, 3 * SEC, ALICE_NODE, "tcp-send 2 100");
    lab_command(lab, 3 * SEC, ALICE_NODE, "tcp-close 2"); /* retried for nobody */
}

static void retransmission_backs_off_and_ends(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, lose_the_peer, 0);
}

static void keep_alive(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 2 * SEC, ALICE_NODE, "keep-alive 0 10000 2000 3");
    lab_command(lab, 15 * SEC, ALICE_NODE, "tcp-send 0 100");
    act(lab, 50 * SEC, CUT, 0, ENGINE_BOTH);
}

/* RFC 1122 §4.2.3.6. */
static void keep_alives_find_the_peer_gone(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, keep_alive, 0);
}

/* ---- programs that hang, end, and machines without power ---- */

static void freeze_bob(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    act(lab, 2 * SEC, FREEZE, BOB_NODE, 0);
    lab_command(lab, 3 * SEC, ALICE_NODE, "tcp-send 0 1000");
    lab_command(lab, 4 * SEC, ALICE_NODE, "connect 192.168.1.30:5060"); /* his kernel completes it */
    lab_command(lab, 5 * SEC, ALICE_NODE, "finish 0");
    act(lab, 60 * SEC, THAW, BOB_NODE, 0);
}

/* A wedged program: its machine acknowledges, so that TCP sees nothing wrong. */
static void a_frozen_programs_machine_still_acknowledges(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    const struct netns_config tun = rig_config();
    struct engine_count count;
    (void)state;
    same_in_all_worlds(draw_pair, freeze_bob, 0);
    assert_non_null(lab);
    draw_pair(lab);
    rig_open_or_skip(lab, &tun);
    freeze_bob(lab);
    lab_run(lab);
    engine_count_all(lab->engine, &count);
    assert_int_equal(count.sent, 10); /* two handshakes, data and FIN with their ACKs, nothing twice */
    lab_close(lab);
    free(lab);
}

static void fill_a_frozen_bob(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    act(lab, 2 * SEC, FREEZE, BOB_NODE, 0);
    lab_command(lab, 3 * SEC, ALICE_NODE, "pump 0 2000000");
    act(lab, 60 * SEC, THAW, BOB_NODE, 0);
    lab_command(lab, 100 * SEC, ALICE_NODE, "finish 0");
    lab_command(lab, 100 * SEC, BOB_NODE, "finish 0");
}

/* RFC 9293 §3.8.6.1: a closed window is probed. It closes when 1 MiB of tcp_rmem is full, of which Linux counts 2304
 * bytes for each of the 1460: 64240 are offered when 600060 wait, nothing when 664300 do. */
static void a_closed_window_opens_when_the_program_goes_on(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, fill_a_frozen_bob, 0);
}

static void freeze_alice(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    act(lab, 2 * SEC, CUT, 0, 0);
    lab_command(lab, 3 * SEC, ALICE_NODE, "tcp-send 0 1000");
    act(lab, 3100 * MS, FREEZE, ALICE_NODE, 0);
    act(lab, 10 * SEC, RESTORE, 0, 0);
    act(lab, 60 * SEC, THAW, ALICE_NODE, 0);
}

static void a_frozen_programs_machine_still_retransmits(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, freeze_alice, 0);
}

static void crash_bob(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 1 * SEC, ALICE_NODE, "polite");
    act(lab, 2 * SEC, CRASH, BOB_NODE, 0); /* his kernel sends FIN */
    lab_command(lab, 3 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    act(lab, 4 * SEC, START, BOB_NODE, 0);
    lab_command(lab, 5 * SEC, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 6 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 7 * SEC, ALICE_NODE, "connect 192.168.1.31:5060");
    act(lab, 8 * SEC, CRASH, ALICE_NODE, 0); /* the SYN to nobody ends with her */
}

static void a_crash_says_goodbye(void **state)
{
    (void)state;
    same_in_all_worlds(draw_pair, crash_bob, 0);
}

static void unplug_bob(struct lab *lab)
{
    acts_n = 0;
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    for (unsigned i = 0; i < 3; i++)
        lab_command(lab, 1 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
    lab_command(lab, 1900 * MS, ALICE_NODE, "connect 192.168.1.30:5061");
    act(lab, 2 * SEC, POWER_LOSS, BOB_NODE, 0);
    lab_command(lab, 3 * SEC, ALICE_NODE, "tcp-send 0 100");
    lab_command(lab, 3 * SEC, ALICE_NODE, "finish 1");
    act(lab, 30 * SEC, START, BOB_NODE, 0);
    lab_command(lab, 31 * SEC, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 60 * SEC, ALICE_NODE, "tcp-send 2 100"); /* he knows nothing of it: RST */
    lab_command(lab, 61 * SEC, ALICE_NODE, "connect 192.168.1.30:5060");
}

static void without_power_a_machine_is_silent_and_forgets(void **state)
{
    const struct netns_config tun = rig_config();
    (void)state;
    same_in_all_worlds(draw_pair, unplug_bob, 0);
    char *trace = trace_of(draw_pair, unplug_bob, &tun);
    const char *dead = strstr(trace, "\"ev\":\"power\",\"on\":false");
    const char *alive = strstr(trace, "\"ev\":\"power\",\"on\":true");
    assert_non_null(dead);
    assert_non_null(alive);
    assert_null(memmem(dead, (size_t)(alive - dead), "\"ev\":\"f", 7)); /* neither finished nor failed */
    assert_non_null(memmem(dead, (size_t)(alive - dead), "\"cause\":\"powered-off\"", 21));
    free(trace);
}

/* ---- the machine stands still, or is busy ---- */

static void live_slowly(struct lab *lab)
{
    live(lab);
    act(lab, 1005 * MS, STAND_STILL, 0, 0); /* the SYN is on its way */
    act(lab, 1025 * MS, STAND_STILL, 0, 0); /* and the ACK of the SYN-ACK */
    act(lab, 2005 * MS, STAND_STILL, 0, 0);
}

/* The kernel repeats SYN and SYN-ACK after a second of real time: nobody hears of it. */
static void the_kernels_own_repetitions_are_never_seen(void **state)
{
    const struct netns_config tun = rig_config();
    (void)state;
    char *sim = trace_of(draw_pair, live, NULL);
    char *real = trace_of(draw_pair, live_slowly, &tun);
    assert_string_equal(real, sim);
    free(sim);
    free(real);
}

static void call_nobody_slowly(struct lab *lab)
{
    call_nobody(lab);
    act(lab, 1500 * MS, STAND_STILL, 0, 0);
    act(lab, 20 * SEC, STAND_STILL, 0, 0);
}

static void a_syn_is_sent_as_often_on_a_slow_machine(void **state)
{
    const struct netns_config tun = rig_config();
    (void)state;
    char *sim = trace_of(draw_pair, call_nobody, NULL);
    char *real = trace_of(draw_pair, call_nobody_slowly, &tun);
    assert_string_equal(real, sim);
    free(sim);
    free(real);
}

#define CASE(f) cmocka_unit_test_setup(f, fresh)
#define BUSY(f)                                                                                                        \
    {                                                                                                                  \
#f "_beside_busy_loops", f, busy_start, busy_stop, NULL                                                        \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(from_syn_to_the_second_fin),
        CASE(refused_unreachable_and_to_oneself),
        CASE(resets),
        CASE(a_listening_port_connects_too),
        CASE(every_segment_is_lost_once),
        CASE(what_is_sent_again_is_cut_as_it_was),
        CASE(a_megabyte_over_a_wire_that_loses),
        CASE(a_queue_overflows_in_slow_start),
        CASE(a_syn_to_nobody_is_retried_in_lab_time),
        CASE(a_syn_ack_is_retried_and_then_forgotten),
        CASE(retransmission_backs_off_and_ends),
        CASE(keep_alives_find_the_peer_gone),
        CASE(a_frozen_programs_machine_still_acknowledges),
        CASE(a_closed_window_opens_when_the_program_goes_on),
        CASE(a_frozen_programs_machine_still_retransmits),
        CASE(a_crash_says_goodbye),
        CASE(without_power_a_machine_is_silent_and_forgets),
        CASE(the_kernels_own_repetitions_are_never_seen),
        CASE(a_syn_is_sent_as_often_on_a_slow_machine),
        BUSY(every_segment_is_lost_once),
        BUSY(a_megabyte_over_a_wire_that_loses),
        BUSY(a_syn_to_nobody_is_retried_in_lab_time),
        BUSY(without_power_a_machine_is_silent_and_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
