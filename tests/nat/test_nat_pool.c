/* Several public addresses, port blocks, reuse, sharing, moving: RFC 4787 §4, RFC 6888, RFC 7857 §3, §4. */
#include "tests/nat/rig.h"

static void pool_of(struct rig *r, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        r->config.pool[i] = PUBLIC + i;
    r->config.pool_n = n;
}

/* The outside endpoint that a UDP packet gets. */
static struct endpoint outside_of(struct rig *r, struct endpoint src, struct endpoint dst)
{
    rig_udp(r, NAT_INSIDE, src, dst);
    assert_int_equal(r->got.action, NAT_FORWARD);
    return EP(r->v.src, r->v.sport);
}

static void assert_endpoint(struct endpoint is, struct endpoint expected)
{
    assert_int_equal(is.addr, expected.addr);
    assert_int_equal(is.port, expected.port);
}

static void refused(struct rig *r, struct endpoint src, struct endpoint dst)
{
    rig_udp(r, NAT_INSIDE, src, dst);
    assert_dropped(r, NAT_NO_PORT);
}

/* ---- addresses ---- */

static void req_4787_2_paired_hosts_keep_to_one_address(void **state)
{
    struct rig *r = *state;
    pool_of(r, 2);
    rig_new(r);
    assert_endpoint(outside_of(r, EP(A, 5000), EP(S, 1)), EP(PUBLIC, 5000));
    assert_endpoint(outside_of(r, EP(B, 5000), EP(S, 1)), EP(PUBLIC + 1, 5000));
    for (uint16_t i = 1; i < 20; i++) {
        assert_int_equal(outside_of(r, EP(A, (uint16_t)(5000 + i)), EP(S, 1)).addr, PUBLIC);
        assert_int_equal(outside_of(r, EP(B, (uint16_t)(5000 + i)), EP(T, 1)).addr, PUBLIC + 1);
    }
    rig_echo(r, NAT_INSIDE, ICMP_ECHO, B, S, 77); /* all protocols of a host */
    assert_int_equal(r->v.src, PUBLIC + 1);
    rig_udp(r, NAT_OUTSIDE, EP(S, 1), EP(PUBLIC + 1, 5000));
    assert_forwarded(r, NAT_INSIDE, EP(S, 1), EP(B, 5000));
}

/* RFC 7857 §4: a paired host gets no port elsewhere when those of its address are used up. */
static void paired_hosts_stay_when_their_address_is_full(void **state)
{
    struct rig *r = *state;
    pool_of(r, 2);
    r->config.range = (struct port_range){5000, 5001};
    rig_new(r);
    outside_of(r, EP(A, 1), EP(S, 1));
    outside_of(r, EP(A, 2), EP(S, 1));
    refused(r, EP(A, 3), EP(S, 1));
    assert_int_equal(outside_of(r, EP(B, 3), EP(S, 1)).addr, PUBLIC + 1);
}

static void arbitrary_pooling_takes_turns_and_uses_every_port(void **state)
{
    struct rig *r = *state;
    pool_of(r, 3);
    r->config.paired = false;
    r->config.range = (struct port_range){5000, 5001};
    rig_new(r);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(outside_of(r, EP(A, (uint16_t)(i + 1)), EP(S, 1)).addr, PUBLIC + i % 3);
    refused(r, EP(A, 7), EP(S, 1));
    assert_int_equal(outside_of(r, EP(A, 1), EP(T, 1)).addr, PUBLIC); /* a mapping stays where it is */
}

static void hairpin_between_two_public_addresses(void **state)
{
    struct rig *r = *state;
    pool_of(r, 2);
    r->config.hairpin = true;
    r->config.filtering = NAT_ENDPOINT_INDEPENDENT;
    rig_new(r);
    outside_of(r, EP(A, 4000), EP(S, 1));
    outside_of(r, EP(B, 4000), EP(S, 1));
    rig_udp(r, NAT_INSIDE, EP(A, 4000), EP(PUBLIC + 1, 4000));
    assert_forwarded(r, NAT_INSIDE, EP(PUBLIC, 4000), EP(B, 4000));
}

static void errors_are_translated_for_every_public_address(void **state)
{
    struct rig *r = *state;
    uint8_t about[200];
    pool_of(r, 2);
    rig_new(r);
    outside_of(r, EP(A, 4000), EP(S, 1));
    outside_of(r, EP(B, 4000), EP(S, 1));
    memcpy(about, r->got.packet, r->got.n);
    struct ip_build ip = {.src = T, .ttl = 64};
    size_t n =
        ip_build_icmp_error(r->sent, sizeof r->sent, &ip, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0, about, r->got.n);
    rig_send(r, NAT_OUTSIDE, n);
    assert_int_equal(r->got.action, NAT_FORWARD);
    assert_int_equal(r->v.dst, B);
}

/* ---- RFC 6888 ---- */

static void blocks_of(struct rig *r, uint16_t size, uint16_t most)
{
    r->config.block = size;
    r->config.blocks = most;
    r->config.range = (struct port_range){2000, 2031};
    rig_new(r);
}

static void req_6888_4_ports_come_in_blocks_up_to_a_bound(void **state)
{
    struct rig *r = *state;
    blocks_of(r, 8, 2);
    for (uint16_t i = 0; i < 16; i++) {
        struct endpoint e = outside_of(r, EP(A, (uint16_t)(5000 + i)), EP(S, 1));
        assert_in_range(e.port, i < 8 ? 2000 : 2008, i < 8 ? 2007 : 2015);
    }
    assert_int_equal(r->taken, 2);
    refused(r, EP(A, 6000), EP(S, 1));
    assert_in_range(outside_of(r, EP(B, 5000), EP(S, 1)).port, 2016, 2023);
    assert_int_equal(r->taken, 3);
    assert_int_equal(r->mapping.inside.port, 5000);
}

/* REQ-14: two lines for a block, instead of two for each of its mappings. */
static void req_6888_14_a_block_is_told_when_taken_and_given_back(void **state)
{
    struct rig *r = *state;
    blocks_of(r, 8, 2);
    outside_of(r, EP(A, 5000), EP(S, 1));
    outside_of(r, EP(A, 5001), EP(S, 1));
    assert_int_equal(r->taken, 1);
    nat_expire(r->nat, 300 * SEC);
    assert_int_equal(r->given, 1);
    assert_int_equal(r->mapping.ports, 8);
    assert_endpoint(r->mapping.outside, EP(PUBLIC, 2000));
    assert_int_equal(r->mapping.inside.addr, A);
    r->now = 300 * SEC;
    assert_int_equal(nat_flush(r->nat), 0);
    outside_of(r, EP(A, 5000), EP(S, 1));
    nat_flush(r->nat);
    assert_int_equal(r->given, 2);
}

static void blocks_of_paired_hosts_lie_at_their_address(void **state)
{
    struct rig *r = *state;
    pool_of(r, 2);
    blocks_of(r, 16, 4);
    for (uint16_t i = 0; i < 32; i++)
        assert_int_equal(outside_of(r, EP(A, (uint16_t)(5000 + i)), EP(S, 1)).addr, PUBLIC);
    refused(r, EP(A, 6000), EP(S, 1));
    assert_int_equal(outside_of(r, EP(B, 6000), EP(S, 1)).addr, PUBLIC + 1);
}

static void a_block_is_for_all_protocols(void **state)
{
    struct rig *r = *state;
    blocks_of(r, 8, 1);
    outside_of(r, EP(A, 5000), EP(S, 1));
    rig_echo(r, NAT_INSIDE, ICMP_ECHO, A, S, 9);
    assert_in_range(r->v.sport, 2000, 2007);
    assert_int_equal(r->taken, 1);
}

static void req_6888_8_a_port_waits_120_s(void **state)
{
    struct rig *r = *state;
    r->config.range = (struct port_range){2000, 2000};
    r->config.reuse_delay = 120 * SEC;
    rig_new(r);
    outside_of(r, EP(A, 5000), EP(S, 1));
    r->now = 300 * SEC; /* the mapping ends now */
    rig_udp(r, NAT_OUTSIDE, EP(S, 1), EP(PUBLIC, 2000));
    assert_dropped(r, NAT_NO_MAPPING);
    assert_int_equal(nat_count(r->nat), 0);
    refused(r, EP(B, 5000), EP(S, 1));
    r->now = 420 * SEC - 1;
    refused(r, EP(B, 5000), EP(S, 1));
    r->now = 420 * SEC;
    assert_int_equal(outside_of(r, EP(B, 5000), EP(S, 1)).port, 2000);
}

static void the_same_endpoint_gets_its_waiting_port_back(void **state)
{
    struct rig *r = *state;
    r->config.range = (struct port_range){2000, 2000};
    r->config.reuse_delay = 120 * SEC;
    rig_new(r);
    outside_of(r, EP(A, 5000), EP(S, 1));
    r->now = 310 * SEC;
    refused(r, EP(A, 5001), EP(S, 1));
    assert_int_equal(outside_of(r, EP(A, 5000), EP(T, 1)).port, 2000);
    r->now = 430 * SEC; /* 120 s after the first end */
    assert_true(rig_reached(r, EP(T, 1), 2000));
}

static void req_6888_8_the_number_of_waiting_ports_is_bounded(void **state)
{
    struct rig *r = *state;
    r->config.range = (struct port_range){2000, 2002};
    r->config.reuse_delay = 120 * SEC;
    r->config.reuse_ports = 2;
    rig_new(r);
    for (uint16_t port = 2000; port <= 2002; port++) {
        r->now = port * MS;
        assert_int_equal(outside_of(r, EP(A, port), EP(S, 1)).port, port);
    }
    r->now = 303 * SEC;
    assert_int_equal(outside_of(r, EP(B, 9), EP(S, 1)).port, 2000); /* the one that waited longest */
    refused(r, EP(B, 10), EP(S, 1));
}

static void a_block_waits_with_its_last_port(void **state)
{
    struct rig *r = *state;
    r->config.reuse_delay = 120 * SEC;
    blocks_of(r, 32, 1);
    outside_of(r, EP(A, 5000), EP(S, 1));
    r->now = 310 * SEC;
    refused(r, EP(B, 5000), EP(S, 1));
    assert_int_equal(r->given, 0);
    assert_int_equal(nat_deadline(r->nat), 420 * SEC);
    r->now = 420 * SEC;
    outside_of(r, EP(B, 5000), EP(S, 1));
    assert_int_equal(r->given, 1);
}

static void req_6888_11c_a_full_nat_keeps_what_it_has(void **state)
{
    struct rig *r = *state;
    r->config.quota = 2;
    r->config.refuse = NAT_REFUSE_HOST_UNREACHABLE;
    rig_new(r);
    outside_of(r, EP(A, 1), EP(S, 1));
    outside_of(r, EP(A, 2), EP(S, 1));
    rig_udp(r, NAT_INSIDE, EP(A, 3), EP(S, 1));
    assert_int_equal(r->got.action, NAT_ANSWER);
    assert_int_equal(r->got.cause, NAT_NO_PORT);
    assert_int_equal(r->v.icmp_type, ICMP_UNREACHABLE);
    assert_int_equal(r->v.icmp_code, ICMP_HOST_UNREACHABLE); /* REQ-11 B */
    assert_int_equal(nat_count(r->nat), 2);
}

static void req_5508_8_who_gets_no_mapping_is_told(void **state)
{
    struct rig *r = *state;
    r->config.quota = 1;
    r->config.refuse = NAT_REFUSE_PROHIBITED;
    rig_new(r);
    outside_of(r, EP(A, 1), EP(S, 1));
    rig_udp(r, NAT_INSIDE, EP(A, 3), EP(S, 1));
    assert_int_equal(r->got.action, NAT_ANSWER);
    assert_int_equal(r->got.side, NAT_INSIDE);
    assert_int_equal(r->v.src, INSIDE);
    assert_int_equal(r->v.dst, A);
    assert_int_equal(r->v.icmp_code, ICMP_PROHIBITED);
    assert_memory_equal(r->got.packet + 28, r->sent, r->n);
    assert_memory_equal(r->packet, r->sent, r->n);
}

/* ---- sharing and pairing of ports ---- */

static void rfc7857_3_a_shared_port_is_told_apart_by_the_remote(void **state)
{
    struct rig *r = *state;
    r->config.mapping = NAT_ADDRESS_AND_PORT_DEPENDENT;
    r->config.overload = true;
    rig_new(r);
    assert_int_equal(outside_of(r, EP(A, 5060), EP(S, 1)).port, 5060);
    assert_int_equal(outside_of(r, EP(B, 5060), EP(T, 1)).port, 5060); /* another remote: the same port */
    assert_int_equal(outside_of(r, EP(B, 5060), EP(S, 1)).port, 5061); /* the same remote: another port */
    rig_udp(r, NAT_OUTSIDE, EP(S, 1), EP(PUBLIC, 5060));
    assert_forwarded(r, NAT_INSIDE, EP(S, 1), EP(A, 5060));
    rig_udp(r, NAT_OUTSIDE, EP(T, 1), EP(PUBLIC, 5060));
    assert_forwarded(r, NAT_INSIDE, EP(T, 1), EP(B, 5060));
    nat_expire(r->nat, 300 * SEC);
    assert_int_equal(r->expired, 3);
}

static void overloading_gives_one_port_to_more_mappings_than_there_are_ports(void **state)
{
    struct rig *r = *state;
    r->config.mapping = NAT_ADDRESS_AND_PORT_DEPENDENT;
    r->config.overload = true;
    r->config.range = (struct port_range){2000, 2001};
    rig_new(r);
    for (uint16_t i = 0; i < 10; i++)
        assert_int_equal(outside_of(r, EP(A, 2000), EP(S, (uint16_t)(1 + i))).port, 2000);
    outside_of(r, EP(B, 2000), EP(S, 1));
    refused(r, EP(B, 3000), EP(S, 1));
    assert_int_equal(nat_count(r->nat), 11);
}

static void nobody_shares_a_forwarded_port(void **state)
{
    struct rig *r = *state;
    r->config.mapping = NAT_ADDRESS_AND_PORT_DEPENDENT;
    r->config.overload = true;
    rig_new(r);
    assert_int_equal(nat_forward(r->nat, IP_UDP, 5060, EP(A, 5060)), 0);
    assert_int_equal(outside_of(r, EP(B, 5060), EP(S, 1)).port, 5061);
}

static void rfc4787_4_2_3_rtcp_follows_rtp(void **state)
{
    struct rig *r = *state;
    r->config.contiguity = true;
    rig_new(r);
    outside_of(r, EP(B, 4001), EP(S, 9)); /* somebody is in the way: at 4001 */
    assert_int_equal(r->v.sport, 4001);
    assert_int_equal(outside_of(r, EP(A, 4000), EP(S, 1)).port, 4002);
    assert_int_equal(outside_of(r, EP(A, 4001), EP(S, 2)).port, 4003);
}

/* ---- moving ---- */

static void rebind_gives_every_mapping_another_port(void **state)
{
    struct rig *r = *state;
    uint16_t first = rig_mapped(r, EP(A, 5060), EP(S, 5060));
    rig_mapped(r, EP(A, 5060), EP(T, 5060));
    uint16_t second = rig_mapped(r, EP(B, 6000), EP(S, 5060));
    r->now = 100 * SEC;
    assert_int_equal(nat_rebind(r->nat), 2);
    assert_int_equal(r->created, 4);
    assert_int_equal(r->removed, 2);
    assert_false(rig_reached(r, EP(S, 5060), first));
    assert_int_equal(nat_deadline(r->nat), 300 * SEC); /* sessions go on */
    uint16_t now = rig_mapped(r, EP(A, 5060), EP(S, 5060));
    assert_int_not_equal(now, first);
    assert_int_not_equal(rig_mapped(r, EP(B, 6000), EP(S, 5060)), second);
    rig_udp(r, NAT_OUTSIDE, EP(T, 5060), EP(PUBLIC, now));
    assert_forwarded(r, NAT_INSIDE, EP(T, 5060), EP(A, 5060));
    nat_expire(r->nat, HOUR);
    assert_int_equal(nat_count(r->nat), 0);
}

static void rebind_stays_within_the_subscribers_blocks(void **state)
{
    struct rig *r = *state;
    blocks_of(r, 8, 1);
    uint16_t first = outside_of(r, EP(A, 5000), EP(S, 1)).port;
    assert_int_equal(nat_rebind(r->nat), 1);
    uint16_t second = outside_of(r, EP(A, 5000), EP(S, 1)).port;
    assert_int_not_equal(first, second);
    assert_in_range(second, 2000, 2007);
    assert_int_equal(r->given, 0);
}

static void another_public_address(void **state)
{
    struct rig *r = *state;
    const ipv4 next = PUBLIC + 5;
    assert_int_equal(nat_forward(r->nat, IP_UDP, 8000, EP(B, 8000)), 0);
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    nat_set_pool(r->nat, &next, 1);
    assert_int_equal(r->removed, 1);
    rig_udp(r, NAT_OUTSIDE, EP(S, 5060), EP(PUBLIC, 5060));
    assert_dropped(r, NAT_NO_MAPPING);
    assert_endpoint(outside_of(r, EP(A, 5060), EP(S, 5060)), EP(next, 5060));
    rig_udp(r, NAT_OUTSIDE, EP(T, 1), EP(next, 8000));
    assert_forwarded(r, NAT_INSIDE, EP(T, 1), EP(B, 8000));
    rig_udp(r, NAT_OUTSIDE, EP(T, 1), EP(PUBLIC, 8000));
    assert_dropped(r, NAT_NO_MAPPING);
    rig_echo(r, NAT_OUTSIDE, ICMP_ECHO, S, next, 1);
    assert_int_equal(r->got.action, NAT_ANSWER);
    rig_echo(r, NAT_OUTSIDE, ICMP_ECHO, S, PUBLIC, 1);
    assert_int_equal(r->got.action, NAT_DROP);
}

/* ---- the DMZ host ---- */

static void the_dmz_host_gets_what_is_for_nobody(void **state)
{
    struct rig *r = *state;
    r->config.dmz = B;
    rig_new(r);
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    rig_udp(r, NAT_OUTSIDE, EP(S, 7), EP(PUBLIC, 9999));
    assert_forwarded(r, NAT_INSIDE, EP(S, 7), EP(B, 9999));
    rig_udp(r, NAT_INSIDE, EP(B, 9999), EP(S, 7));
    assert_forwarded(r, NAT_OUTSIDE, EP(PUBLIC, 9999), EP(S, 7));
    rig_udp(r, NAT_OUTSIDE, EP(T, 7), EP(PUBLIC, 5060)); /* what is for somebody and filtered is not for it */
    assert_dropped(r, NAT_FILTERED);
    nat_expire(r->nat, HOUR);
    assert_int_equal(nat_count(r->nat), 0);
}

/* ---- the boot race ---- */

static void what_leaks_at_boot_stays_untranslated_while_it_lives(void **state)
{
    struct rig *r = *state;
    r->config.leak = 5 * SEC;
    rig_new(r);
    assert_endpoint(outside_of(r, EP(A, 5060), EP(S, 5060)), EP(A, 5060));
    r->now = 200 * SEC;
    assert_endpoint(outside_of(r, EP(A, 5060), EP(S, 5060)), EP(A, 5060)); /* kept alive, and wrong for ever */
    assert_endpoint(outside_of(r, EP(B, 5060), EP(S, 5060)), EP(PUBLIC, 5060));
    r->now = 500 * SEC;
    assert_endpoint(outside_of(r, EP(A, 5060), EP(S, 5060)), EP(PUBLIC, 5060));
    nat_reboot(r->nat, r->now);
    assert_endpoint(outside_of(r, EP(A, 5060), EP(S, 5060)), EP(A, 5060));
}

/* ---- without translation ---- */

static void req_6888_6_translation_can_be_turned_off_for_destinations(void **state)
{
    struct rig *r = *state;
    r->config.exempt[0] = (struct subnet){S, 32};
    r->config.exempt_n = 1;
    rig_new(r);
    assert_endpoint(outside_of(r, EP(A, 5060), EP(S, 5060)), EP(A, 5060));
    assert_endpoint(outside_of(r, EP(A, 5060), EP(T, 5060)), EP(PUBLIC, 5060));
    assert_endpoint(outside_of(r, EP(A, 5060), EP(S, 5060)), EP(A, 5060));
    assert_int_equal(r->created, 1);
    rig_udp(r, NAT_OUTSIDE, EP(S, 5061), EP(A, 5062));
    assert_forwarded(r, NAT_INSIDE, EP(S, 5061), EP(A, 5062));
    rig_udp(r, NAT_OUTSIDE, EP(T, 5060), EP(A, 5060));
    assert_dropped(r, NAT_NO_MAPPING);
    rig_udp(r, NAT_OUTSIDE, EP(S, 5060), EP(PUBLIC, 5060)); /* the mapping is T's */
    assert_dropped(r, NAT_FILTERED);
    rig_send(r, NAT_INSIDE, rig_udp_packet(r->sent, EP(A, 5060), EP(S, 5060), 1, 5));
    assert_int_equal(r->got.cause, NAT_TTL_EXCEEDED); /* it is a router all the same */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(req_4787_2_paired_hosts_keep_to_one_address),
        RIG_TEST(paired_hosts_stay_when_their_address_is_full),
        RIG_TEST(arbitrary_pooling_takes_turns_and_uses_every_port),
        RIG_TEST(hairpin_between_two_public_addresses),
        RIG_TEST(errors_are_translated_for_every_public_address),
        RIG_TEST(req_6888_4_ports_come_in_blocks_up_to_a_bound),
        RIG_TEST(req_6888_14_a_block_is_told_when_taken_and_given_back),
        RIG_TEST(blocks_of_paired_hosts_lie_at_their_address),
        RIG_TEST(a_block_is_for_all_protocols),
        RIG_TEST(req_6888_8_a_port_waits_120_s),
        RIG_TEST(the_same_endpoint_gets_its_waiting_port_back),
        RIG_TEST(req_6888_8_the_number_of_waiting_ports_is_bounded),
        RIG_TEST(a_block_waits_with_its_last_port),
        RIG_TEST(req_6888_11c_a_full_nat_keeps_what_it_has),
        RIG_TEST(req_5508_8_who_gets_no_mapping_is_told),
        RIG_TEST(rfc7857_3_a_shared_port_is_told_apart_by_the_remote),
        RIG_TEST(overloading_gives_one_port_to_more_mappings_than_there_are_ports),
        RIG_TEST(nobody_shares_a_forwarded_port),
        RIG_TEST(rfc4787_4_2_3_rtcp_follows_rtp),
        RIG_TEST(rebind_gives_every_mapping_another_port),
        RIG_TEST(rebind_stays_within_the_subscribers_blocks),
        RIG_TEST(another_public_address),
        RIG_TEST(what_leaks_at_boot_stays_untranslated_while_it_lives),
        RIG_TEST(req_6888_6_translation_can_be_turned_off_for_destinations),
        RIG_TEST(the_dmz_host_gets_what_is_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
