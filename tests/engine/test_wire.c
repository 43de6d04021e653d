/* Each property of a wire, one direction at a time, and that no packet is ever missing from the books. */
#include "sim/engine/switch.h"
#include "sim/engine/wire.h"
#include "tests/cmocka.h"

#include <string.h>

static struct pool *pool;
static struct wire_way way;

static void wire_of(struct wire_spec spec)
{
    pool = pool_new();
    assert_non_null(pool);
    if (!spec.mtu)
        spec.mtu = 1500;
    wire_init(&way, &spec, 1, "alice.home", 0);
}

static void conserved(void)
{
    uint64_t drops = 0;
    for (size_t i = 0; i < WIRE_FATES; i++)
        drops += way.drops[i];
    assert_int_equal(way.sent, way.delivered + wire_in_flight(&way) + drops);
    assert_int_equal(pool_live(pool), wire_in_flight(&way));
}

static void done(void)
{
    conserved();
    wire_fini(&way);
    assert_int_equal(pool_live(pool), 0);
    pool_free(pool);
}

/* Sends a packet that carries its number. */
static enum wire_fate send(lab_time now, uint32_t number, size_t n)
{
    struct packet *p = packet_new(pool, n);
    memcpy(p->data, &number, sizeof number);
    enum wire_fate fate = wire_send(&way, now, p);
    if (fate != WIRE_TAKEN)
        packet_release(p);
    conserved();
    return fate;
}

static uint32_t take(void)
{
    struct packet *p = wire_take(&way);
    uint32_t number;
    memcpy(&number, p->data, sizeof number);
    packet_release(p);
    return number;
}

static void the_delay_is_exact_and_order_is_kept(void **state)
{
    (void)state;
    wire_of((struct wire_spec){.delay = 10 * MS});
    assert_true(wire_next(&way) == NEVER);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(send(i * MS, i, 100), WIRE_TAKEN);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(wire_next(&way), 10 * MS + i * MS);
        assert_int_equal(take(), i);
    }
    done();
}

static void jitter_keeps_order_unless_told_otherwise(void **state)
{
    (void)state;
    for (int reorder = 0; reorder < 2; reorder++) {
        unsigned overtaken = 0;
        lab_time last_at = 0;
        uint32_t last = 0;
        wire_of((struct wire_spec){.delay = 10 * MS, .jitter = 30 * MS, .reorder = reorder});
        for (uint32_t i = 0; i < 500; i++)
            send(i * 10 * MS, i, 100);
        for (int i = 0; i < 500; i++) {
            lab_time at = wire_next(&way);
            uint32_t number = take();
            assert_true(at >= last_at);
            assert_true(at >= number * 10 * MS + 10 * MS);
            if (reorder)
                assert_true(at <= number * 10 * MS + 40 * MS);
            overtaken += number < last;
            last = number;
            last_at = at;
        }
        assert_int_equal(overtaken > 0, reorder);
        done();
    }
}

static void loss_is_what_was_said_and_the_same_in_every_run(void **state)
{
    uint64_t lost[2];
    (void)state;
    for (int run = 0; run < 2; run++) {
        wire_of((struct wire_spec){.loss = 50000});
        for (uint32_t i = 0; i < 20000; i++)
            if (send(i, i, 100) == WIRE_TAKEN)
                take();
        lost[run] = way.drops[WIRE_LOST];
        done();
    }
    assert_in_range(lost[0], 900, 1100);
    assert_int_equal(lost[0], lost[1]);
}

static void all_or_nothing_is_lost_at_the_ends_of_the_scale(void **state)
{
    (void)state;
    wire_of((struct wire_spec){.loss = 1000000});
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(send(i, i, 100), WIRE_LOST);
    done();
}

static void a_rate_spaces_packets_by_their_size(void **state)
{
    (void)state;
    wire_of((struct wire_spec){.delay = 1 * MS, .rate = UINT64_C(10000000000)});
    send(0, 0, 200);
    send(0, 1, 1000);
    send(5 * MS, 2, 200);
    assert_int_equal(wire_next(&way), 1 * MS + 160);
    take();
    assert_int_equal(wire_next(&way), 1 * MS + 160 + 800);
    take();
    assert_int_equal(wire_next(&way), 6 * MS + 160);
    done();
}

static void a_part_of_a_nanosecond_counts_whole(void **state)
{
    (void)state;
    wire_of((struct wire_spec){.rate = 3000000000u});
    send(0, 0, 4); /* 10.67 ns */
    assert_int_equal(wire_next(&way), 11);
    done();
}

static void a_full_queue_drops_and_an_idle_wire_takes_any_packet(void **state)
{
    (void)state;
    wire_of((struct wire_spec){.rate = 8000, .queue = 1000}); /* a byte a millisecond */
    assert_int_equal(send(0, 0, 1400), WIRE_TAKEN);
    assert_int_equal(send(0, 1, 100), WIRE_QUEUE_FULL);
    assert_int_equal(send(500 * MS, 2, 100), WIRE_TAKEN); /* 900 to go and 100 */
    assert_int_equal(send(500 * MS, 3, 4), WIRE_QUEUE_FULL);
    assert_int_equal(send(1500 * MS, 4, 1400), WIRE_TAKEN);
    assert_int_equal(wire_next(&way), 1400 * MS);
    done();
}

static void the_default_queue_is_64_kilobytes(void **state)
{
    (void)state;
    wire_of((struct wire_spec){.rate = 1});
    unsigned taken = 0;
    while (send(0, taken, 1000) == WIRE_TAKEN)
        taken++;
    assert_int_equal(taken, 64);
    done();
}

static void larger_than_the_mtu_is_too_big(void **state)
{
    (void)state;
    wire_of((struct wire_spec){.mtu = 576});
    assert_int_equal(send(0, 0, 576), WIRE_TAKEN);
    assert_int_equal(send(0, 0, 577), WIRE_TOO_BIG);
    done();
}

static void what_is_under_way_when_a_wire_is_cut_arrives(void **state)
{
    struct wire_spec cut = {.delay = 10 * MS, .mtu = 1500, .down = true};
    (void)state;
    wire_of((struct wire_spec){.delay = 10 * MS});
    send(0, 7, 100);
    wire_set(&way, &cut);
    assert_int_equal(send(1, 8, 100), WIRE_DOWN);
    assert_int_equal(wire_next(&way), 10 * MS);
    assert_int_equal(take(), 7);
    assert_true(wire_next(&way) == NEVER);
    cut.down = false;
    wire_set(&way, &cut);
    assert_int_equal(send(2, 9, 100), WIRE_TAKEN);
    done();
}

static void a_shorter_delay_lets_nobody_overtake(void **state)
{
    struct wire_spec shorter = {.delay = 1 * MS, .mtu = 1500};
    (void)state;
    wire_of((struct wire_spec){.delay = 10 * MS});
    send(0, 0, 100);
    wire_set(&way, &shorter);
    send(1 * MS, 1, 100);
    assert_int_equal(take(), 0);
    assert_int_equal(wire_next(&way), 10 * MS);
    done();
}

/* ---- switches ---- */

static void a_switch_knows_its_hosts_and_its_gateway(void **state)
{
    struct plan_port port[3] = {{.addr = IPV4(10, 0, 0, 2)}, {.addr = IPV4(10, 0, 0, 1)}, {.addr = IPV4(10, 0, 0, 3)}};
    struct plan_node nodes[3] = {
        {.ports = &port[0], .ports_n = 1}, {.ports = &port[1], .ports_n = 1}, {.ports = &port[2], .ports_n = 1}};
    struct plan_wire wires[3] = {
        {.end = {{PLAN_END_PORT, 0, 0}, {PLAN_END_SWITCH, 0, 0}}},
        {.end = {{PLAN_END_SWITCH, 0, 0}, {PLAN_END_PORT, 1, 0}}},
        {.end = {{PLAN_END_PORT, 2, 0}, {PLAN_END_SWITCH, 0, 0}}},
    };
    struct plan_switch switches[1] = {{.name = "home", .gateway = 1}};
    struct plan plan = {
        .nodes = nodes, .nodes_n = 3, .wires = wires, .wires_n = 3, .switches = switches, .switches_n = 1};
    struct switch_table *table;
    (void)state;
    assert_int_equal(switch_tables_new(&table, &plan), 0);
    assert_int_equal(switch_find(table, IPV4(10, 0, 0, 3), 0)->wire, 2);
    assert_int_equal(switch_find(table, IPV4(10, 0, 0, 3), 0)->end, 1);
    assert_int_equal(switch_find(table, IPV4(10, 0, 0, 1), 0)->end, 0);
    assert_int_equal(switch_find(table, IPV4(192, 0, 2, 1), 0)->wire, 1);
    assert_null(switch_find(table, IPV4(192, 0, 2, 1), 1)); /* came from the gateway */
    assert_null(switch_find(table, IPV4(10, 0, 0, 3), 2));  /* came from that host */
    switch_tables_free(table, &plan);
    switches[0].gateway = -1;
    assert_int_equal(switch_tables_new(&table, &plan), 0);
    assert_null(switch_find(table, IPV4(192, 0, 2, 1), 0));
    switch_tables_free(table, &plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_delay_is_exact_and_order_is_kept),
        cmocka_unit_test(jitter_keeps_order_unless_told_otherwise),
        cmocka_unit_test(loss_is_what_was_said_and_the_same_in_every_run),
        cmocka_unit_test(all_or_nothing_is_lost_at_the_ends_of_the_scale),
        cmocka_unit_test(a_rate_spaces_packets_by_their_size),
        cmocka_unit_test(a_part_of_a_nanosecond_counts_whole),
        cmocka_unit_test(a_full_queue_drops_and_an_idle_wire_takes_any_packet),
        cmocka_unit_test(the_default_queue_is_64_kilobytes),
        cmocka_unit_test(larger_than_the_mtu_is_too_big),
        cmocka_unit_test(what_is_under_way_when_a_wire_is_cut_arrives),
        cmocka_unit_test(a_shorter_delay_lets_nobody_overtake),
        cmocka_unit_test(a_switch_knows_its_hosts_and_its_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
