/* The flows of a machine's own NAT: found from both sides, grouped into mappings. */
#include "nodes/nat/nat_flows.h"
#include "nodes/proto/ip.h"
#include "tests/cmocka.h"

#define A      IPV4(10, 0, 0, 2)
#define B      IPV4(10, 0, 0, 3)
#define PUBLIC IPV4(203, 0, 113, 7)
#define S      IPV4(198, 51, 100, 1)
#define T      IPV4(198, 51, 100, 2)

#define EP(address, number) ((struct endpoint){address, number})

struct bench {
    struct nat_flows flows;
    unsigned told[3]; /* by enum nat_change */
    struct nat_mapping last;
};

static void changed(void *arg, enum nat_change change, const struct nat_mapping *m)
{
    struct bench *b = arg;
    b->told[change]++;
    b->last = *m;
}

static void over(void *flow)
{
    (void)flow;
}

static struct nat_flow *out(struct bench *b, uint32_t id, ipv4 inside, uint16_t port, ipv4 remote)
{
    const struct host_knat_flow flow = {
        id, IP_UDP, EP(inside, port), EP(remote, 5060), EP(PUBLIC, port), EP(remote, 5060)};
    struct nat_flow *f;
    assert_int_equal(nat_flows_add(&b->flows, &flow, true, true, &f), 0);
    return f;
}

static void flows_of_one_port_are_one_mapping(void **state)
{
    struct bench b = {0};
    (void)state;
    nat_flows_init(&b.flows, over, changed, &b);
    struct nat_flow *first = out(&b, 1, A, 5060, S);
    struct nat_flow *second = out(&b, 2, A, 5060, T);
    assert_int_equal(b.told[NAT_CREATED], 1);
    assert_true(endpoint_equal(b.last.remote, EP(S, 5060)));
    assert_true(nat_flows_is_mapped(&b.flows, IP_UDP, EP(PUBLIC, 5060)));
    assert_false(nat_flows_is_mapped(&b.flows, IP_TCP, EP(PUBLIC, 5060)));

    nat_flows_remove(&b.flows, first, NAT_EXPIRED);
    assert_int_equal(b.told[NAT_EXPIRED], 0);
    nat_flows_remove(&b.flows, second, NAT_EXPIRED);
    assert_int_equal(b.told[NAT_EXPIRED], 1);
    assert_int_equal(b.flows.mapped, 0);
    assert_false(nat_flows_is_mapped(&b.flows, IP_UDP, EP(PUBLIC, 5060)));
    nat_flows_fini(&b.flows);
}

static void a_flow_is_found_from_both_sides(void **state)
{
    struct bench b = {0};
    bool back;
    (void)state;
    nat_flows_init(&b.flows, over, changed, &b);
    struct nat_flow *f = out(&b, 1, A, 5060, S);
    assert_ptr_equal(nat_flows_find(&b.flows, IP_UDP, EP(A, 5060), EP(S, 5060), &back), f);
    assert_false(back);
    assert_ptr_equal(nat_flows_find(&b.flows, IP_UDP, EP(S, 5060), EP(A, 5060), &back), f);
    assert_true(back);
    assert_null(nat_flows_find(&b.flows, IP_UDP, EP(A, 5060), EP(T, 5060), &back));
    assert_null(nat_flows_find(&b.flows, IP_TCP, EP(A, 5060), EP(S, 5060), &back));
    nat_flows_fini(&b.flows);
}

static void a_younger_flow_of_the_same_ends_is_another(void **state)
{
    struct bench b = {0};
    (void)state;
    nat_flows_init(&b.flows, over, changed, &b);
    struct nat_flow *f = out(&b, 7, A, 5060, S);
    struct host_knat_flow other = f->is;
    assert_ptr_equal(nat_flows_same(&b.flows, &other), f);
    other.id = 8;
    assert_null(nat_flows_same(&b.flows, &other));
    nat_flows_fini(&b.flows);
}

/* Slots are used again; nothing is lost on the way through growth. */
static void many_flows_come_and_go(void **state)
{
    enum { FLOWS = 1000 };
    static struct nat_flow *flows[FLOWS];
    struct bench b = {0};
    bool back;
    (void)state;
    nat_flows_init(&b.flows, over, changed, &b);
    for (unsigned round = 1; round <= 2; round++) {
        for (uint16_t i = 0; i < FLOWS; i++)
            flows[i] = out(&b, i, i % 2 ? A : B, (uint16_t)(2000 + i), S);
        assert_int_equal(b.flows.mapped, FLOWS);
        for (uint16_t i = 0; i < FLOWS; i++)
            assert_ptr_equal(nat_flows_find(&b.flows, IP_UDP, EP(S, 5060), flows[i]->is.src, &back), flows[i]);
        for (uint16_t i = 0; i < FLOWS; i++)
            nat_flows_remove(&b.flows, flows[(i * 7u) % FLOWS], NAT_REMOVED);
        assert_int_equal(b.told[NAT_REMOVED], round * FLOWS);
        assert_int_equal(b.flows.flows_n, FLOWS);
    }
    nat_flows_fini(&b.flows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flows_of_one_port_are_one_mapping),
        cmocka_unit_test(a_flow_is_found_from_both_sides),
        cmocka_unit_test(a_younger_flow_of_the_same_ends_is_another),
        cmocka_unit_test(many_flows_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
