/* Random weather for TCP: connections that send both ways over a wire that loses, delays, reorders, duplicates, queues
 * or is cut, to a program that hangs now and then. A seed is a lab; each has the same trace in the simulated world and
 * on the kernel, TUN and veth in turn, and no packet is lost track of.
 *
 *     test_netns_tcp_storm [FIRST LAST]     seeds; 1 to 40 unless said */
#define _GNU_SOURCE
#include "tests/netns/busy.h"
#include "tests/netns/same.h"

#include <stdlib.h>

enum { ALICE_NODE, BOB_NODE, PUMPS = 12, LINE = 48, LARGE = 200000, SMALL = 5000 };

static unsigned first_seed = 1;
static unsigned last_seed = 40;

static struct {
    unsigned seed;
    struct prng random;
    struct lab *lab;
    struct timer freeze, thaw, cut, restore;
    char lines[2 * PUMPS][LINE];
    unsigned lines_n;
} storm;

static unsigned pick(unsigned below)
{
    return (unsigned)prng_below(&storm.random, below);
}

static bool one_in(unsigned n)
{
    return pick(n) == 0;
}

static void freeze(void *arg)
{
    engine_freeze(arg, BOB_NODE, true);
}

static void thaw(void *arg)
{
    engine_freeze(arg, BOB_NODE, false);
}

static void set_down(struct engine *e, bool down, unsigned direction)
{
    struct wire_spec spec = *engine_wire(e, 0, 0);
    spec.down = down;
    engine_wire_set(e, 0, direction, &spec);
}

static void cut(void *arg)
{
    set_down(arg, true, storm.seed % 2);
}

static void restore(void *arg)
{
    set_down(arg, false, ENGINE_BOTH);
}

static void timer_at(struct timer *t, void (*fire)(void *), lab_time at)
{
    timer_init(t, fire, storm.lab->engine);
    engine_timer_start(storm.lab->engine, t, at);
}

static const char *line(const char *verb, unsigned connection, unsigned n)
{
    char *to = storm.lines[storm.lines_n++];
    snprintf(to, LINE, "%s %u %u", verb, connection, n);
    return to;
}

static void weather(struct engine *e)
{
    struct wire_spec spec = *engine_wire(e, 0, 0);
    spec.loss = pick(12) * 10000;
    spec.jitter = pick(3) * 5 * MS;
    spec.reorder = one_in(4);
    spec.duplicate = one_in(4) ? 20000 : 0;
    if (one_in(3)) {
        spec.rate = 2000000;
        spec.queue = 15000 + pick(40000);
    }
    engine_wire_set(e, 0, ENGINE_BOTH, &spec);
}

static void draw_storm(struct lab *lab)
{
    draw_pair(lab);
    lab->plan.seed = storm.seed;
}

/* Connections are opened in the first seconds, and have minutes for it; then come a dozen bursts within some seconds.
 */
static void rage(struct lab *lab)
{
    unsigned connections;
    lab_time at = 200 * SEC;
    prng_init(&storm.random, storm.seed, SPAN("storm"), SPAN(""));
    storm.lab = lab;
    storm.lines_n = 0;
    weather(lab->engine);
    lab_command(lab, 0, BOB_NODE, "listen 192.168.1.30:5060");
    lab_command(lab, 0, BOB_NODE, "polite");
    if (one_in(2))
        lab_command(lab, 0, BOB_NODE, "echo");
    connections = 1 + pick(3);
    for (unsigned i = 0; i < connections; i++)
        lab_command(lab, SEC + pick(500) * MS, ALICE_NODE, "connect 192.168.1.30:5060");
    for (unsigned i = 0; i < PUMPS; i++) {
        at += pick(900) * MS;
        lab_command(lab, at, ALICE_NODE, line("pump", pick(connections), pick(one_in(4) ? LARGE : SMALL)));
    }
    if (one_in(3)) {
        timer_at(&storm.freeze, freeze, at - 3 * SEC);
        timer_at(&storm.thaw, thaw, at + 20 * SEC);
    }
    if (one_in(3)) {
        timer_at(&storm.cut, cut, at - 2 * SEC);
        timer_at(&storm.restore, restore, at + 5 * SEC);
    }
    for (unsigned i = 0; i < connections; i++)
        lab_command(lab, at + 400 * SEC, ALICE_NODE, line("finish", i, 0));
}

static void every_storm_is_the_same_in_all_worlds(void **state)
{
    (void)state;
    for (storm.seed = first_seed; storm.seed <= last_seed; storm.seed++) {
        struct netns_config config = rig_config();
        config.veth = storm.seed % 4 == 0;
        char *sim = trace_of(draw_storm, rage, NULL);
        char *real = trace_of(draw_storm, rage, &config);
        if (strcmp(real, sim) != 0)
            print_message("seed %u\n", storm.seed);
        assert_string_equal(real, sim);
        free(sim);
        free(real);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_storm_is_the_same_in_all_worlds),
        {"beside_busy_loops", every_storm_is_the_same_in_all_worlds, busy_start, busy_stop, NULL},
    };
    if (argc == 3) {
        first_seed = (unsigned)strtoul(argv[1], NULL, 10);
        last_seed = (unsigned)strtoul(argv[2], NULL, 10);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
