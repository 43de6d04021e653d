/* What the stepping stands on: a packet given to a wire's end is through the namespace's kernel when push returns (TUN)
 * or when the fence has been passed (veth), and what comes of it can be pulled at once. 100,000 packets through a
 * kernel router each, on an idle machine and beside a busy loop on every CPU; not one may be late.
 *
 *     push ── left [router] right ── pull */
#define _GNU_SOURCE
#include "tests/netns/busy.h"
#include "tests/netns/rig.h"

enum { PACKETS = 100000 };

static void draw_router(struct plan *plan)
{
    unsigned router = build_node(plan, "router", NULL);
    struct plan_end left = build_port(plan, router, "left", IPV4(192, 0, 2, 1), 24);
    struct plan_end right = build_port(plan, router, "right", IPV4(203, 0, 113, 1), 24);
    build_wire(plan, "a", left, build_switch(plan, "left"), (struct wire_spec){0});
    build_wire(plan, "b", right, build_switch(plan, "right"), (struct wire_spec){0});
}

static struct packet *datagram(struct pool *pool, uint16_t number, uint8_t ttl)
{
    static const char payload[172];
    const struct ip_build ip = {
        .src = IPV4(192, 0, 2, 2), .dst = IPV4(203, 0, 113, 2), .id = number, .ttl = ttl, .protocol = IP_UDP};
    struct packet *p = packet_new(pool, 256);
    assert_non_null(p);
    p->n = (uint32_t)ip_build_udp(p->data, 256, &ip, 5000, number, span_make(payload, sizeof payload));
    return p;
}

/* Whether the packet with this number leaves by the port, at once. */
static bool leaves(struct world *w, unsigned port, uint16_t number, uint8_t protocol)
{
    struct packet *p = netns_world.pull(w, 0, port);
    struct ip_view v;
    bool ok = p && ip_parse(p->data, p->n, &v) == 0 && v.protocol == protocol &&
              (protocol != IP_UDP || (v.dport == number && v.ttl == 63 && ip_transport_sum_ok(p->data, p->n)));
    packet_release(p);
    return ok;
}

/* Every tenth dies of its TTL and is answered on the side it came from. */
static unsigned count_late(struct engine *e, struct world *w)
{
    unsigned late = 0;
    for (unsigned i = 0; i < PACKETS; i++) {
        bool dies = i % 10 == 0;
        uint16_t number = (uint16_t)i;
        netns_world.push(w, 0, 0, datagram(engine_pool(e), number, dies ? 1 : 64));
        if (!leaves(w, dies ? 0 : 1, number, dies ? IP_ICMP : IP_UDP))
            late++;
        if (!netns_world.settled(w))
            late++;
    }
    return late;
}

static void none_is_late(bool veth)
{
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    struct netns_config config = rig_config();
    const struct engine_config plain = {0};
    const bool mine = true;
    struct plan plan = {0};
    struct engine *engine;
    struct world *world;
    config.veth = veth;
    draw_router(&plan);
    assert_int_equal(engine_new(&engine, &plan, &plain), 0);
    netns_configure(&config);
    if (netns_world.open(&world, engine, &plan, &mine, &why)) {
        print_message("skipped: %s\n", buf);
        skip();
    }
    assert_int_equal(count_late(engine, world), 0);
    netns_world.close(world);
    assert_int_equal(pool_live(engine_pool(engine)), 0);
    engine_free(engine);
    build_free(&plan);
}

static void tun_idle(void **state)
{
    (void)state;
    none_is_late(false);
}

static void veth_idle(void **state)
{
    (void)state;
    none_is_late(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tun_idle),
        cmocka_unit_test(veth_idle),
        {"tun_beside_busy_loops", tun_idle, busy_start, busy_stop, NULL},
        {"veth_beside_busy_loops", veth_idle, busy_start, busy_stop, NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
