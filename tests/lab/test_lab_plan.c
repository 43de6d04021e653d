/* From lab files to plans: who hangs on which wire, which way packets go, and what need not be written. */
#include "nodes/base/error.h"
#include "sim/lab/lab.h"
#include "tests/cmocka.h"

#include <stdlib.h>

static struct lab *lab_of(const char *text)
{
    struct lab *lab = NULL;
    int error = lab_parse(&lab, "t.yaml", span_of(text), NULL, 0);
    if (error && lab)
        problems_write(&lab->problems, stderr);
    assert_int_equal(error, 0);
    return lab;
}

static const struct plan_node *node_of(const struct lab *lab, const char *name)
{
    for (size_t i = 0; i < lab->plan.nodes_n; i++)
        if (strcmp(lab->plan.nodes[i].name, name) == 0)
            return &lab->plan.nodes[i];
    fail_msg("no node %s", name);
    return NULL;
}

static const struct plan_wire *wire_of(const struct lab *lab, const char *name)
{
    int index = names_find(&lab->wire_names, span_of(name));
    assert_true(index >= 0);
    return &lab->plan.wires[index];
}

/* The name of the port by which the node sends to an address: longest prefix. */
static const char *way(const struct lab *lab, const char *node, const char *addr)
{
    const struct plan_node *n = node_of(lab, node);
    ipv4 to;
    int bits = -1;
    unsigned port = 0;
    assert_int_equal(addr_parse(span_of(addr), &to), 0);
    for (size_t i = 0; i < n->routes_n; i++)
        if (subnet_has(n->routes[i].to, to) && n->routes[i].to.bits > bits) {
            bits = n->routes[i].to.bits;
            port = n->routes[i].port;
        }
    return bits < 0 ? "none" : n->ports[port].name;
}

/*  alice ── home ── router ── access ── cgn ──┤ internet: 12 routers ├── sbc ── office ── pbx, bob  */
static const char double_nat[] =
    "lab: double-nat\n"
    "networks:\n"
    "  home: 192.168.1.0/24\n"
    "  access: {subnet: 100.64.0.0/24, delay: 8ms}\n"
    "  internet: {subnet: 203.0.113.0/24, delay: 15ms, hops: 12}\n"
    "  office: 10.0.1.0/24\n"
    "nodes:\n"
    "  alice: {kind: phone, on: {at: home.20, loss: 1%}, line: 101}\n"
    "  router: {kind: nat, inside: home.1, outside: access.20}\n"
    "  cgn: {kind: nat, inside: access.1, outside: internet.7}\n"
    "  sbc: {kind: sbc, outside: internet.10, inside: office.2}\n"
    "  pbx: {kind: pbx, on: office.10, lines: {101: {password: a1}, 102: {password: b2}}}\n"
    "  bob: {kind: phone, on: office.31, line: 102}\n";

static void double_nat_has_its_nodes_and_wires(void **state)
{
    (void)state;
    struct lab *lab = lab_of(double_nat);
    assert_int_equal(lab->plan.nodes_n, 6 + 12);
    assert_int_equal(lab->plan.switches_n, 3 + 1); /* and beyond the internet */
    assert_int_equal(lab->plan.wires_n, 2 + 2 + 2 + 11 + 3 + 1);
    assert_string_equal(lab->plan.nodes[6].name, "internet.r1");
    assert_string_equal(lab->plan.nodes[17].name, "internet.r12");
    assert_int_equal(lab->plan.nodes[6].role, PLAN_ROUTER);
    assert_int_equal(lab->plan.nodes[6].ports[0].addr, IPV4(203, 0, 113, 254));
    assert_int_equal(lab->plan.nodes[17].ports[0].addr, IPV4(203, 0, 113, 243));
    wire_of(lab, "internet.3-4");
    lab_free(lab);
}

static void every_port_and_its_wire_agree(void **state)
{
    (void)state;
    struct lab *lab = lab_of(double_nat);
    for (unsigned i = 0; i < lab->plan.nodes_n; i++)
        for (unsigned j = 0; j < lab->plan.nodes[i].ports_n; j++) {
            const struct plan_port *p = &lab->plan.nodes[i].ports[j];
            const struct plan_end *end = &lab->plan.wires[p->wire].end[p->end];
            assert_int_equal(end->type, PLAN_END_PORT);
            assert_int_equal(end->index, i);
            assert_int_equal(end->port, j);
            assert_int_equal(p->mtu, 1500);
        }
    lab_free(lab);
}

static void network_properties_lie_where_the_plan_says(void **state)
{
    (void)state;
    struct lab *lab = lab_of(double_nat);
    assert_int_equal(wire_of(lab, "router.access")->spec[0].delay, 8 * MS); /* switch: from the port only */
    assert_int_equal(wire_of(lab, "router.access")->spec[1].delay, 0);
    assert_int_equal(wire_of(lab, "cgn.internet")->spec[0].delay, 15 * MS); /* chain: near wires, both ways */
    assert_int_equal(wire_of(lab, "cgn.internet")->spec[1].delay, 15 * MS);
    assert_int_equal(wire_of(lab, "sbc.internet")->spec[0].delay, 0);
    assert_int_equal(wire_of(lab, "alice.home")->spec[0].loss, 10000); /* the attachment's own, both ways */
    assert_int_equal(wire_of(lab, "alice.home")->spec[1].loss, 10000);
    lab_free(lab);
}

static void nat_inside_is_the_gateway(void **state)
{
    (void)state;
    struct lab *lab = lab_of(double_nat);
    const struct plan_switch *home = &lab->plan.switches[0];
    assert_string_equal(home->name, "home");
    assert_string_equal(lab->plan.wires[home->gateway].name, "router.home");
    assert_string_equal(way(lab, "alice", "203.0.113.10"), "on");
    assert_string_equal(way(lab, "router", "203.0.113.10"), "outside");
    assert_string_equal(way(lab, "sbc", "203.0.113.7"), "outside");
    lab_free(lab);
}

static void chain_leads_both_ways(void **state)
{
    (void)state;
    struct lab *lab = lab_of(double_nat);
    assert_string_equal(way(lab, "internet.r1", "203.0.113.7"), "p0");
    assert_string_equal(way(lab, "internet.r1", "203.0.113.10"), "right");
    assert_string_equal(way(lab, "internet.r6", "203.0.113.7"), "left");
    assert_string_equal(way(lab, "internet.r6", "203.0.113.10"), "right");
    assert_string_equal(way(lab, "internet.r12", "203.0.113.10"), "p0");
    assert_string_equal(way(lab, "internet.r12", "203.0.113.7"), "left");
    assert_string_equal(way(lab, "internet.r6", "198.51.100.1"), "left");
    assert_string_equal(way(lab, "internet.r1", "198.51.100.1"), "beyond");
    lab_free(lab);
}

static void what_can_be_known_need_not_be_written(void **state)
{
    (void)state;
    struct lab *lab = lab_of(double_nat);
    assert_string_equal(lab_setting(&lab->nodes[0], "proxy"), "203.0.113.10"); /* the only SBC */
    assert_string_equal(lab_setting(&lab->nodes[0], "password"), "a1");        /* from the PBX's lines */
    assert_string_equal(lab_setting(&lab->nodes[3], "pbx"), "10.0.1.10");      /* the only PBX */
    assert_string_equal(lab_setting(&lab->nodes[5], "proxy"), "10.0.1.10");    /* the PBX on the same network */
    lab_free(lab);
}

/* FACTS NW-1, SB-3: an SBC in a DMZ is found at the address that its 1:1 NAT shows. */
static void sbc_behind_a_one_to_one_nat_is_found_outside(void **state)
{
    (void)state;
    struct lab *lab =
        lab_of("lab: t\n"
               "networks: {home: 192.168.1.0/24, internet: {subnet: 203.0.113.0/24, hops: 2}, dmz: 192.168.0.0/24,"
               " office: 10.0.1.0/24}\n"
               "nodes:\n"
               "  alice: {kind: phone, on: home.20, line: 101}\n"
               "  router: {kind: nat, inside: home.1, outside: internet.7}\n"
               "  firewall: {kind: nat, inside: dmz.1, outside: internet.10, one-to-one: sbc}\n"
               "  sbc: {kind: sbc, outside: dmz.2, inside: office.2}\n"
               "  pbx: {kind: pbx, on: office.10, lines: {101: {password: a1}}}\n");
    assert_string_equal(lab_setting(&lab->nodes[0], "proxy"), "203.0.113.10");
    assert_string_equal(lab_setting(&lab->nodes[2], "one-to-one"), "192.168.0.2");
    assert_string_equal(way(lab, "internet.r2", "203.0.113.10"), "p0"); /* far, because the SBC is inside it */
    lab_free(lab);
}

/*  a ── r1 ── b ── r2 ── c   with hosts on a and c  */
static const char *setting_of(const struct lab *lab, const char *node, const char *path, unsigned nth)
{
    const struct plan_node *n = node_of(lab, node);
    for (size_t i = 0; i < n->settings_n; i++)
        if (strcmp(n->settings[i].path, path) == 0 && nth-- == 0)
            return n->settings[i].value;
    return "none";
}

/* In lists too, and each node sees the address that it can reach. */
static void nodes_may_be_named_in_lists(void **state)
{
    (void)state;
    struct lab *lab = lab_of("lab: t\n"
                             "networks: {net: 203.0.113.0/24, office: 10.0.1.0/24}\n"
                             "nodes:\n"
                             "  sbc: {kind: sbc, outside: net.10, inside: office.2, pbx: 10.0.1.10}\n"
                             "  dns:\n"
                             "    kind: dns\n"
                             "    on: net.8\n"
                             "    records:\n"
                             "      sbc.example.com: {a: [sbc, 203.0.113.11], ttl: 60s}\n"
                             "      _sip._udp.example.com: {srv: [10 60 5060 sbc.example.com]}\n"
                             "  inside: {kind: dns, on: office.8, port: 5353, records: {sbc.example.com: {a: sbc}}}\n"
                             "  proxy: {kind: dns, on: office.9, forward: inside}\n");
    assert_string_equal(setting_of(lab, "dns", "records.sbc.example.com.a", 0), "203.0.113.10");
    assert_string_equal(setting_of(lab, "dns", "records.sbc.example.com.a", 1), "203.0.113.11");
    assert_string_equal(setting_of(lab, "dns", "records._sip._udp.example.com.srv", 0), "10 60 5060 sbc.example.com");
    assert_string_equal(setting_of(lab, "inside", "records.sbc.example.com.a", 0), "10.0.1.2");
    assert_string_equal(setting_of(lab, "proxy", "forward", 0), "10.0.1.8:5353");
    lab_free(lab);
}

static void routers_find_the_shortest_way(void **state)
{
    (void)state;
    struct lab *lab = lab_of("lab: t\n"
                             "networks: {a: 10.1.0.0/24, b: 10.2.0.0/24, c: {subnet: 10.3.0.0/24, hops: 2}}\n"
                             "nodes:\n"
                             "  x: {kind: phone, on: a.5, line: 1, proxy: y}\n"
                             "  y: {kind: pbx, on: c.5}\n"
                             "  r1: {kind: router, ports: [a.1, b.1]}\n"
                             "  r2: {kind: router, ports: [b.2, c.1]}\n");
    assert_int_equal(lab->plan.nodes[2].role, PLAN_ROUTER);
    assert_string_equal(way(lab, "r1", "10.3.0.5"), "p1");
    assert_string_equal(way(lab, "r2", "10.1.0.5"), "p0");
    assert_string_equal(way(lab, "c.r1", "10.1.0.5"), "right");   /* its gateway r2 is far */
    assert_ptr_equal(wire_of(lab, "r1.b"), wire_of(lab, "r2.b")); /* back to back: one wire */
    assert_string_equal(lab_setting(&lab->nodes[0], "proxy"), "10.3.0.5");
    lab_free(lab);
}

static void sbc_knows_the_networks_behind_its_inside(void **state)
{
    (void)state;
    struct lab *lab = lab_of("lab: t\n"
                             "networks: {wan: 203.0.113.0/24, office: 10.0.1.0/24, branch: 10.9.0.0/24}\n"
                             "nodes:\n"
                             "  alice: {kind: phone, on: wan.20, line: 101}\n"
                             "  sbc: {kind: sbc, outside: wan.10, inside: office.2, routes: {10.77.0.0/16: inside}}\n"
                             "  core: {kind: router, ports: [office.1, branch.1]}\n"
                             "  pbx: {kind: pbx, on: branch.10}\n");
    assert_string_equal(way(lab, "sbc", "10.9.0.10"), "inside");
    assert_string_equal(way(lab, "sbc", "10.77.0.1"), "inside");
    assert_string_equal(way(lab, "sbc", "198.51.100.1"), "outside");
    lab_free(lab);
}

static void same_private_addresses_twice_are_fine_behind_nats(void **state)
{
    (void)state;
    struct lab *lab = lab_of("lab: t\n"
                             "networks: {h1: 192.168.1.0/24, h2: 192.168.1.0/24, net: 203.0.113.0/24}\n"
                             "nodes:\n"
                             "  a: {kind: phone, on: h1.20, line: 1, proxy: pbx}\n"
                             "  b: {kind: phone, on: h2.20, line: 2, proxy: pbx}\n"
                             "  n1: {kind: nat, inside: h1.1, outside: net.1}\n"
                             "  n2: {kind: nat, inside: h2.1, outside: net.2}\n"
                             "  pbx: {kind: pbx, on: net.10}\n");
    assert_int_equal(lab->plan.switches[2].gateway, -1);
    lab_free(lab);
}

/* `up` leads out of the node or into the network, `down` back; an attachment's word stands above its network's. */
static void up_and_down_lie_on_their_own_way(void **state)
{
    (void)state;
    struct lab *lab =
        lab_of("lab: t\n"
               "networks:\n"
               "  home: 192.168.1.0/24\n"
               "  net: {subnet: 203.0.113.0/24, hops: 2, delay: 5ms, up: {loss: 1%}, down: {delay: 9ms}}\n"
               "nodes:\n"
               "  alice: {kind: phone, on: {at: home.20, up: {ttl: -3}}, line: 101}\n"
               "  nat: {kind: nat, inside: home.1, outside: {at: net.7, up: {rate: 1Mbit/s}, icmp: off}}\n"
               "  pbx: {kind: pbx, on: net.10, lines: {101: {password: a}}}\n");
    const struct wire_spec *alice = lab->plan.wires[names_find(&lab->wire_names, SPAN("alice.home"))].spec;
    const struct wire_spec *nat = lab->plan.wires[names_find(&lab->wire_names, SPAN("nat.net"))].spec;
    const struct wire_spec *pbx = lab->plan.wires[names_find(&lab->wire_names, SPAN("pbx.net"))].spec;
    assert_int_equal(alice[0].ttl, -3);
    assert_int_equal(alice[1].ttl, 0);
    assert_int_equal(nat[0].delay, 5 * MS);
    assert_int_equal(nat[0].loss, 10000);
    assert_int_equal(nat[0].rate, 1000000);
    assert_true(nat[0].icmp_off);
    assert_int_equal(nat[1].delay, 9 * MS);
    assert_int_equal(nat[1].loss, 0);
    assert_int_equal(nat[1].rate, 0);
    assert_true(nat[1].icmp_off);
    assert_int_equal(pbx[1].delay, 0);
    lab_free(lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_and_down_lie_on_their_own_way),
        cmocka_unit_test(double_nat_has_its_nodes_and_wires),
        cmocka_unit_test(every_port_and_its_wire_agree),
        cmocka_unit_test(network_properties_lie_where_the_plan_says),
        cmocka_unit_test(nat_inside_is_the_gateway),
        cmocka_unit_test(chain_leads_both_ways),
        cmocka_unit_test(what_can_be_known_need_not_be_written),
        cmocka_unit_test(sbc_behind_a_one_to_one_nat_is_found_outside),
        cmocka_unit_test(nodes_may_be_named_in_lists),
        cmocka_unit_test(routers_find_the_shortest_way),
        cmocka_unit_test(sbc_knows_the_networks_behind_its_inside),
        cmocka_unit_test(same_private_addresses_twice_are_fine_behind_nats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
