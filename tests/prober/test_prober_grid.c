/* What a prober finds is what the NATs before it were declared to be: every mapping with every filtering, at depth one,
 * two and three.
 *
 *   probe ── n0 ── nat0 ── n1 ── nat1 ── n2 ── nat2 ── internet ──┬── stun (first address)
 *                                                           core ── farm ── stun (second address)
 *
 * NATs in a row behave like the most restrictive of them, each property for itself: a mapping that changes anywhere
 * changes in the end, and a stranger's packet has to pass every filter. Whether packets turn round depends on the
 * outermost alone, whose address is the public one; a mapping lives as long as the one that forgets first. */
#include "nodes/base/record.h"
#include "sim/engine/engine.h"
#include "sim/engine/world.h"
#include "sim/lab/lab.h"
#include "tests/cmocka.h"

#include <stdlib.h>

static const char *const dependences[] = {"endpoint-independent", "address-dependent", "address-and-port-dependent"};
enum { DEPTH_MAX = 3 };

struct nat {
    unsigned mapping, filtering; /* 0–2 */
    bool hairpin;
    unsigned timeout; /* s; 0: the default */
};

struct run {
    struct engine *e;
    char line[RECORD_MAX];
};

/* ---- one probe ---- */

static void nat_write(struct text *t, unsigned i, unsigned depth, const struct nat *nat)
{
    static const char *const outside[] = {"n1.7", "n2.7", "internet.7"};
    text_str(t, "  nat");
    text_u64(t, i);
    text_str(t, ": {kind: nat, inside: n");
    text_u64(t, i);
    text_str(t, ".1, outside: ");
    text_str(t, i + 1 == depth ? "internet.7" : outside[i]);
    text_str(t, ", mapping: ");
    text_str(t, dependences[nat->mapping]);
    text_str(t, ", filtering: ");
    text_str(t, dependences[nat->filtering]);
    text_str(t, nat->hairpin ? ", hairpin: yes" : ", hairpin: no");
    if (nat->timeout) {
        text_str(t, ", udp timeout: ");
        text_u64(t, nat->timeout);
        text_str(t, "s");
    }
    text_str(t, "}\n");
}

static void lab_write(struct text *t, const struct nat *nats, unsigned depth)
{
    static const char *const networks[] = {"  n0: 192.168.1.0/24\n", "  n1: 10.1.0.0/24\n", "  n2: 100.64.0.0/24\n"};
    text_str(t, "lab: grid\nnetworks:\n  internet: {subnet: 203.0.113.0/24, delay: 20ms}\n  farm: 198.51.100.0/24\n");
    for (unsigned i = 0; i < depth; i++)
        text_str(t, networks[i]);
    text_str(t, "nodes:\n  probe: {kind: prober, on: n0.20, server: stun, lifetime: ");
    text_str(t, nats[0].timeout ? "yes}\n" : "no}\n");
    text_str(t, "  stun: {kind: stun, first: internet.10, second: farm.10}\n"
                "  core: {kind: router, ports: [internet.1, farm.1]}\n");
    for (unsigned i = 0; i < depth; i++)
        nat_write(t, i, depth, &nats[i]);
}

static void observe(void *arg, struct span line)
{
    struct run *run = arg;
    if (!record_is(line, "ev", "nat-probe") || record_is(line, "state", "started") ||
        record_is(line, "state", "silence"))
        return;
    assert_true(span_copy(line, run->line, sizeof run->line));
    engine_stop(run->e);
}

/* Runs the lab until the prober has its findings. */
static void probe(const struct nat *nats, unsigned depth, struct run *run)
{
    char room[4096];
    char why_room[256];
    struct text text = text_on(room, sizeof room);
    struct text why = text_on(why_room, sizeof why_room);
    struct lab *lab;
    bool mine[16];
    struct engine_config config = {.observe = observe, .arg = run};
    memset(mine, true, sizeof mine);
    lab_write(&text, nats, depth);
    assert_true(text_ok(&text));
    int error = lab_parse(&lab, "grid.yaml", text_span(&text), NULL, 0);
    if (error)
        problems_write(&lab->problems, stderr);
    assert_int_equal(error, 0);
    assert_true(lab->plan.nodes_n <= sizeof mine);
    *run = (struct run){0};
    assert_int_equal(engine_new(&run->e, &lab->plan, &config), 0);
    assert_int_equal(engine_open(run->e, &sim_world, mine, &why), 0);
    assert_int_equal(engine_run(run->e), ENGINE_STOPPED);
    engine_free(run->e);
    lab_free(lab);
}

static void found(const struct run *run, const char *key, const char *value)
{
    if (record_is(span_of(run->line), key, value))
        return;
    fail_msg("%s should be %s in %s", key, value, run->line);
}

/* ---- every kind ---- */

static unsigned worse(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static void every_kind_at(unsigned depth)
{
    unsigned kinds = 1;
    for (unsigned i = 0; i < depth; i++)
        kinds *= 9;
    for (unsigned kind = 0; kind < kinds; kind++) {
        struct nat nats[DEPTH_MAX] = {{0}};
        struct run run;
        unsigned rest = kind, mapping = 0, filtering = 0;
        for (unsigned i = 0; i < depth; i++, rest /= 9) {
            nats[i] = (struct nat){.mapping = rest % 3, .filtering = rest / 3 % 3, .hairpin = i + 1 < depth};
            mapping = worse(mapping, nats[i].mapping);
            filtering = worse(filtering, nats[i].filtering);
        }
        probe(nats, depth, &run);
        found(&run, "state", "done");
        found(&run, "translated", "yes");
        found(&run, "mapping", dependences[mapping]);
        found(&run, "filtering", dependences[filtering]);
        found(&run, "hairpin", "no"); /* only the outermost could, and does not */
        found(&run, "keeps_ports", "yes");
    }
}

static void every_kind_once(void **state)
{
    (void)state;
    every_kind_at(1);
}

static void every_pair_of_kinds(void **state)
{
    (void)state;
    every_kind_at(2);
}

static void every_three_kinds(void **state)
{
    (void)state;
    every_kind_at(3);
}

/* Only the outermost NAT has the public address. With endpoint-independent mappings no filter can hide that it turns
 * packets round, since both sides send. */
static void hairpin_is_the_outermost_nats(void **state)
{
    (void)state;
    for (unsigned depth = 1; depth <= DEPTH_MAX; depth++)
        for (unsigned filtering = 0; filtering < 3; filtering++) {
            struct nat nats[DEPTH_MAX] = {{0}};
            struct run run;
            for (unsigned i = 0; i < depth; i++)
                nats[i] = (struct nat){.filtering = filtering, .hairpin = i + 1 == depth};
            probe(nats, depth, &run);
            found(&run, "hairpin", "yes");
        }
}

static void lifetime_is_the_shortest_4_6(void **state)
{
    (void)state;
    static const unsigned timeouts[] = {30, 60, 300};
    static const char *const texts[] = {"30", "60", "300"};
    for (unsigned depth = 1; depth <= DEPTH_MAX; depth++)
        for (unsigned kind = 0; kind < (depth == 1 ? 3u : depth == 2 ? 9u : 27u); kind++) {
            struct nat nats[DEPTH_MAX] = {{0}};
            struct run run;
            unsigned rest = kind, shortest = 2;
            for (unsigned i = 0; i < depth; i++, rest /= 3) {
                nats[i] = (struct nat){.mapping = kind % 3, .filtering = 2, .timeout = timeouts[rest % 3]};
                shortest = rest % 3 < shortest ? rest % 3 : shortest;
            }
            probe(nats, depth, &run);
            found(&run, "lifetime", texts[shortest]);
        }
}

/* To the second, whatever the second. */
static void lifetime_to_the_second(void **state)
{
    (void)state;
    for (unsigned timeout = 1; timeout < 40; timeout++) {
        struct nat nat = {.filtering = 2, .timeout = timeout};
        struct run run;
        char digits[8];
        struct text t = text_on(digits, sizeof digits);
        text_u64(&t, timeout);
        probe(&nat, 1, &run);
        found(&run, "lifetime", digits);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_once),
        cmocka_unit_test(every_pair_of_kinds),
        cmocka_unit_test(every_three_kinds),
        cmocka_unit_test(hairpin_is_the_outermost_nats),
        cmocka_unit_test(lifetime_is_the_shortest_4_6),
        cmocka_unit_test(lifetime_to_the_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
