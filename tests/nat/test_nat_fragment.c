/* RFC 4787 REQ-14: fragments, in and out of order. */
#include "tests/nat/rig.h"

enum { PIECES = 3, MTU = 600, PAYLOAD = 1500 };

struct pieces {
    uint8_t whole[2000];
    size_t whole_n;
    uint8_t bytes[PIECES][MTU];
    size_t n[PIECES];
};

static void cut(struct pieces *p, struct endpoint src, struct endpoint dst, uint16_t id)
{
    p->whole_n = rig_udp_packet(p->whole, src, dst, 64, PAYLOAD);
    put16(p->whole + 4, id);
    ip_header_sum(p->whole);
    for (unsigned i = 0; i < PIECES; i++)
        p->n[i] = ip_fragment(p->bytes[i], MTU, p->whole, p->whole_n, MTU, i);
}

static void send_piece(struct rig *r, enum nat_side from, const struct pieces *p, unsigned i)
{
    memcpy(r->sent, p->bytes[i], p->n[i]);
    rig_send(r, from, p->n[i]);
}

static bool released(struct rig *r)
{
    return nat_released(r->nat, &r->got, &r->held);
}

/* Puts what was forwarded together again and looks at the whole. */
struct collector {
    struct ip_reassembly *reassembly;
    const uint8_t *whole;
    size_t n;
};

static void collect(struct collector *c, const struct rig *r)
{
    assert_int_equal(r->got.action, NAT_FORWARD);
    size_t n = ip_reassembly_add(c->reassembly, r->got.packet, r->got.n, 0, &c->whole);
    c->n = n ? n : c->n;
}

static void assert_collected(struct collector *c, struct endpoint src, struct endpoint dst)
{
    struct ip_view v;
    assert_int_equal(c->n, PAYLOAD + 28);
    assert_int_equal(ip_parse(c->whole, c->n, &v), 0);
    assert_true(ip_transport_sum_ok(c->whole, c->n));
    assert_int_equal(v.src, src.addr);
    assert_int_equal(v.sport, src.port);
    assert_int_equal(v.dst, dst.addr);
    assert_int_equal(v.dport, dst.port);
    assert_int_equal(v.ttl, 63);
    ip_reassembly_free(c->reassembly);
}

static void req_4787_14_in_order_outbound(void **state)
{
    struct rig *r = *state;
    struct pieces p;
    struct collector c = {.reassembly = ip_reassembly_new(1)};
    cut(&p, EP(A, 500), EP(S, 5060), 1);
    for (unsigned i = 0; i < PIECES; i++) {
        send_piece(r, NAT_INSIDE, &p, i);
        collect(&c, r);
        assert_false(released(r));
    }
    assert_collected(&c, EP(PUBLIC, 1524), EP(S, 5060));
}

static void req_4787_14_in_order_inbound(void **state)
{
    struct rig *r = *state;
    struct pieces p;
    struct collector c = {.reassembly = ip_reassembly_new(1)};
    rig_mapped(r, EP(A, 500), EP(S, 5060));
    cut(&p, EP(S, 5060), EP(PUBLIC, 1524), 1);
    for (unsigned i = 0; i < PIECES; i++) {
        send_piece(r, NAT_OUTSIDE, &p, i);
        assert_int_equal(r->got.side, NAT_INSIDE);
        collect(&c, r);
    }
    assert_collected(&c, EP(S, 5060), EP(A, 500));
}

static void req_4787_14_out_of_order_wait_for_the_first(void **state)
{
    struct rig *r = *state;
    struct pieces p;
    struct collector c = {.reassembly = ip_reassembly_new(1)};
    cut(&p, EP(A, 500), EP(S, 5060), 1);
    send_piece(r, NAT_INSIDE, &p, 2);
    assert_int_equal(r->got.action, NAT_HOLD);
    send_piece(r, NAT_INSIDE, &p, 1);
    assert_int_equal(r->got.action, NAT_HOLD);
    assert_false(released(r));
    send_piece(r, NAT_INSIDE, &p, 0);
    collect(&c, r);
    for (unsigned i = 2; i > 0; i--) { /* in the order in which they came */
        struct ip_view v;
        assert_true(released(r));
        assert_int_equal(ip_parse(r->got.packet, r->got.n, &v), 0);
        assert_int_equal(v.fragment & IP_OFFSET, i * (MTU - 24) / 8);
        collect(&c, r);
    }
    assert_false(released(r));
    assert_collected(&c, EP(PUBLIC, 1524), EP(S, 5060));
}

static void what_is_filtered_is_filtered_whole(void **state)
{
    struct rig *r = *state;
    struct pieces p;
    rig_mapped(r, EP(A, 500), EP(S, 5060));
    cut(&p, EP(T, 5060), EP(PUBLIC, 1524), 1);
    send_piece(r, NAT_OUTSIDE, &p, 2);
    assert_int_equal(r->got.action, NAT_HOLD);
    send_piece(r, NAT_OUTSIDE, &p, 0);
    assert_dropped(r, NAT_FILTERED);
    assert_true(released(r));
    assert_int_equal(r->got.action, NAT_DROP);
    assert_int_equal(r->got.cause, NAT_FILTERED);
    assert_memory_equal(r->got.packet, p.bytes[2], p.n[2]);
    send_piece(r, NAT_OUTSIDE, &p, 1);
    assert_dropped(r, NAT_FILTERED);
}

static void those_who_wait_in_vain_are_dropped_after_30_s(void **state)
{
    struct rig *r = *state;
    struct pieces p;
    cut(&p, EP(A, 500), EP(S, 5060), 1);
    send_piece(r, NAT_INSIDE, &p, 1);
    assert_int_equal(nat_deadline(r->nat), 30 * SEC);
    nat_expire(r->nat, 30 * SEC - 1);
    assert_false(released(r));
    nat_expire(r->nat, 30 * SEC);
    assert_true(released(r));
    assert_int_equal(r->got.action, NAT_DROP);
    assert_int_equal(r->got.cause, NAT_NO_MAPPING);
    assert_true(nat_deadline(r->nat) == NEVER);
}

static void memory_is_bounded(void **state)
{
    struct rig *r = *state;
    struct pieces p;
    unsigned held = 0;
    unsigned dropped = 0;
    for (uint16_t id = 0; id < 200; id++) {
        cut(&p, EP(A, 500), EP(S, 5060), id);
        send_piece(r, NAT_INSIDE, &p, 1);
        held += r->got.action == NAT_HOLD;
        dropped += r->got.action == NAT_DROP;
        while (released(r))
            dropped++;
    }
    assert_int_equal(held, 64);
    assert_int_equal(dropped, 200 - 64);
    r->now = 30 * SEC;
    nat_expire(r->nat, r->now);
    while (released(r))
        dropped++;
    assert_int_equal(dropped, 200);
}

static void datagrams_with_the_same_id_do_not_mix(void **state)
{
    struct rig *r = *state;
    struct pieces p;
    cut(&p, EP(A, 500), EP(S, 5060), 1);
    send_piece(r, NAT_INSIDE, &p, 0);
    assert_int_equal(r->got.action, NAT_FORWARD);
    cut(&p, EP(B, 500), EP(S, 5060), 1);
    send_piece(r, NAT_INSIDE, &p, 1);
    assert_int_equal(r->got.action, NAT_HOLD);
}

static void the_memory_of_a_first_fragment_fades(void **state)
{
    struct rig *r = *state;
    struct pieces p;
    cut(&p, EP(A, 500), EP(S, 5060), 1);
    send_piece(r, NAT_INSIDE, &p, 0);
    r->now = 30 * SEC;
    send_piece(r, NAT_INSIDE, &p, 1);
    assert_int_equal(r->got.action, NAT_HOLD);
}

static void reboot_forgets_fragments(void **state)
{
    struct rig *r = *state;
    struct pieces p;
    cut(&p, EP(A, 500), EP(S, 5060), 1);
    send_piece(r, NAT_INSIDE, &p, 1);
    nat_reboot(r->nat, r->now);
    assert_true(nat_deadline(r->nat) == NEVER);
    send_piece(r, NAT_INSIDE, &p, 0);
    assert_false(released(r));
}

static void one_to_one_fragments(void **state)
{
    struct rig *r = *state;
    struct pieces p;
    struct collector c = {.reassembly = ip_reassembly_new(1)};
    r->config.pool_n = 0;
    r->config.one_to_one.inside = A;
    r->config.one_to_one.outside = PUBLIC;
    rig_new(r);
    cut(&p, EP(S, 1), EP(PUBLIC, 2), 1);
    send_piece(r, NAT_OUTSIDE, &p, 1);
    send_piece(r, NAT_OUTSIDE, &p, 0);
    collect(&c, r);
    assert_true(released(r));
    collect(&c, r);
    send_piece(r, NAT_OUTSIDE, &p, 2);
    collect(&c, r);
    assert_collected(&c, EP(S, 1), EP(A, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(req_4787_14_in_order_outbound),
        RIG_TEST(req_4787_14_in_order_inbound),
        RIG_TEST(req_4787_14_out_of_order_wait_for_the_first),
        RIG_TEST(what_is_filtered_is_filtered_whole),
        RIG_TEST(those_who_wait_in_vain_are_dropped_after_30_s),
        RIG_TEST(memory_is_bounded),
        RIG_TEST(datagrams_with_the_same_id_do_not_mix),
        RIG_TEST(the_memory_of_a_first_fragment_fades),
        RIG_TEST(reboot_forgets_fragments),
        RIG_TEST(one_to_one_fragments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
