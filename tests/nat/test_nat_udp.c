/* RFC 4787, requirement by requirement. */
#include "tests/nat/rig.h"

static void req_4787_1_endpoint_independent_mapping(void **state)
{
    struct rig *r = *state;
    uint16_t port = rig_mapped(r, EP(A, 5060), EP(S, 5060));
    assert_int_equal(port, 5060);
    assert_forwarded(r, NAT_OUTSIDE, EP(PUBLIC, 5060), EP(S, 5060));
    assert_int_equal(rig_mapped(r, EP(A, 5060), EP(S, 5061)), port);
    assert_int_equal(rig_mapped(r, EP(A, 5060), EP(T, 5060)), port);
    assert_int_equal(r->created, 1);
    assert_int_equal(nat_count(r->nat), 1);
}

static void address_dependent_mapping(void **state)
{
    struct rig *r = *state;
    r->config.mapping = NAT_ADDRESS_DEPENDENT;
    rig_new(r);
    uint16_t port = rig_mapped(r, EP(A, 5060), EP(S, 5060));
    assert_int_equal(rig_mapped(r, EP(A, 5060), EP(S, 5061)), port);
    assert_int_not_equal(rig_mapped(r, EP(A, 5060), EP(T, 5060)), port);
    assert_int_equal(r->created, 2);
}

static void address_and_port_dependent_mapping(void **state)
{
    struct rig *r = *state;
    r->config.mapping = NAT_ADDRESS_AND_PORT_DEPENDENT;
    rig_new(r);
    uint16_t first = rig_mapped(r, EP(A, 5060), EP(S, 5060));
    uint16_t second = rig_mapped(r, EP(A, 5060), EP(S, 5061));
    assert_int_not_equal(first, second);
    assert_int_equal(rig_mapped(r, EP(A, 5060), EP(S, 5060)), first);
    assert_int_equal(r->created, 2);
    rig_udp(r, NAT_OUTSIDE, EP(S, 5061), EP(PUBLIC, second));
    assert_forwarded(r, NAT_INSIDE, EP(S, 5061), EP(A, 5060));
    assert_false(rig_reached(r, EP(S, 5061), first));
}

static void req_4787_3_ports_are_preserved_and_never_shared(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rig_mapped(r, EP(A, 5060), EP(S, 5060)), 5060);
    assert_int_equal(rig_mapped(r, EP(B, 5060), EP(S, 5060)), 5061);
    assert_int_equal(rig_mapped(r, EP(B, 5061), EP(S, 5060)), 5062);
    rig_udp(r, NAT_OUTSIDE, EP(S, 5060), EP(PUBLIC, 5061));
    assert_forwarded(r, NAT_INSIDE, EP(S, 5060), EP(B, 5060));
}

static void req_4787_3_low_ports_are_mapped_into_the_range(void **state)
{
    struct rig *r = *state;
    uint16_t port = rig_mapped(r, EP(A, 53), EP(S, 53));
    assert_true(port >= 1024);
}

static void req_4787_3_a_full_range_refuses(void **state)
{
    struct rig *r = *state;
    r->config.range = (struct port_range){6000, 6003};
    rig_new(r);
    for (uint16_t port = 1; port <= 4; port++)
        rig_mapped(r, EP(A, port), EP(S, 1));
    rig_udp(r, NAT_INSIDE, EP(A, 5), EP(S, 1));
    assert_dropped(r, NAT_NO_PORT);
    assert_int_equal(nat_count(r->nat), 4);
    r->now = 300 * SEC;
    assert_int_equal(rig_mapped(r, EP(A, 5), EP(S, 1)), 6001); /* 6000 + 5 % 4 */
}

static void sequential_ports_go_round(void **state)
{
    struct rig *r = *state;
    r->config.range = (struct port_range){6000, 6002};
    r->config.ports = NAT_PORTS_SEQUENTIAL;
    rig_new(r);
    assert_int_equal(rig_mapped(r, EP(A, 7000), EP(S, 1)), 6000);
    r->now = 200 * SEC;
    assert_int_equal(rig_mapped(r, EP(A, 6000), EP(S, 1)), 6001);
    r->now = 300 * SEC; /* 6000 is free again, but not next */
    assert_int_equal(rig_mapped(r, EP(A, 5), EP(S, 1)), 6002);
    assert_int_equal(rig_mapped(r, EP(A, 6), EP(S, 1)), 6000);
}

static void random_ports_are_the_seeds(void **state)
{
    struct rig *r = *state;
    uint16_t first[20];
    r->config.ports = NAT_PORTS_RANDOM;
    rig_new(r);
    for (uint16_t i = 0; i < 20; i++)
        first[i] = rig_mapped(r, EP(A, (uint16_t)(5000 + i)), EP(S, 1));
    rig_new(r);
    for (uint16_t i = 0; i < 20; i++)
        assert_int_equal(rig_mapped(r, EP(A, (uint16_t)(5000 + i)), EP(S, 1)), first[i]);
    assert_int_not_equal(first[0] + 1, first[1]);
}

static void req_4787_4_parity(void **state)
{
    struct rig *r = *state;
    static const enum nat_ports ways[] = {NAT_PORTS_PRESERVE, NAT_PORTS_SEQUENTIAL, NAT_PORTS_RANDOM};
    for (size_t w = 0; w < 3; w++) {
        r->config.ports = ways[w];
        r->config.range = (struct port_range){6001, 6005};
        r->config.parity = true;
        rig_new(r);
        assert_int_equal(rig_mapped(r, EP(A, 10), EP(S, 1)) % 2, 0);
        assert_int_equal(rig_mapped(r, EP(A, 12), EP(S, 1)) % 2, 0);
        rig_udp(r, NAT_INSIDE, EP(A, 14), EP(S, 1));
        assert_dropped(r, NAT_NO_PORT);
        assert_int_equal(rig_mapped(r, EP(A, 11), EP(S, 1)) % 2, 1);
        assert_int_equal(rig_mapped(r, EP(A, 13), EP(S, 1)) % 2, 1);
        assert_int_equal(rig_mapped(r, EP(A, 15), EP(S, 1)) % 2, 1);
    }
}

static void req_4787_5_a_mapping_ends_after_its_timeout(void **state)
{
    struct rig *r = *state;
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    r->now = 300 * SEC - 1;
    assert_true(rig_reached(r, EP(S, 5060), 5060));
    assert_int_equal(nat_deadline(r->nat), 300 * SEC);
    nat_expire(r->nat, 300 * SEC - 1);
    assert_int_equal(r->expired, 0);
    nat_expire(r->nat, 300 * SEC);
    assert_int_equal(r->expired, 1);
    assert_int_equal(r->mapping.protocol, IP_UDP);
    assert_true(endpoint_equal(r->mapping.inside, EP(A, 5060)));
    assert_true(endpoint_equal(r->mapping.outside, EP(PUBLIC, 5060)));
    assert_true(endpoint_equal(r->mapping.remote, EP(S, 5060)));
    assert_true(nat_deadline(r->nat) == NEVER);
}

static void req_4787_5_a_packet_at_the_deadline_is_too_late(void **state)
{
    struct rig *r = *state;
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    r->now = 300 * SEC;
    rig_udp(r, NAT_OUTSIDE, EP(S, 5060), EP(PUBLIC, 5060));
    assert_dropped(r, NAT_NO_MAPPING);
    assert_int_equal(r->expired, 1);
}

static void req_4787_6_outbound_packets_refresh(void **state)
{
    struct rig *r = *state;
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    for (r->now = 200 * SEC; r->now <= 1000 * SEC; r->now += 200 * SEC)
        rig_mapped(r, EP(A, 5060), EP(S, 5060));
    nat_expire(r->nat, 1300 * SEC - 1);
    assert_int_equal(nat_count(r->nat), 1);
    assert_int_equal(nat_deadline(r->nat), 1300 * SEC);
    nat_expire(r->nat, 1300 * SEC);
    assert_int_equal(nat_count(r->nat), 0);
}

static void req_4787_6_inbound_packets_do_not_refresh(void **state)
{
    struct rig *r = *state;
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    r->now = 299 * SEC;
    assert_true(rig_reached(r, EP(S, 5060), 5060));
    r->now = 300 * SEC;
    assert_false(rig_reached(r, EP(S, 5060), 5060));
}

static void req_4787_6a_unless_they_are_told_to(void **state)
{
    struct rig *r = *state;
    r->config.refresh_inbound = true;
    r->config.filtering = NAT_ENDPOINT_INDEPENDENT;
    rig_new(r);
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    r->now = 299 * SEC;
    assert_true(rig_reached(r, EP(S, 5060), 5060));
    r->now = 598 * SEC;
    assert_true(rig_reached(r, EP(T, 1), 5060)); /* a stranger's packet is an inbound packet too */
    r->now = 897 * SEC;
    assert_true(rig_reached(r, EP(S, 5060), 5060));
}

static void a_mapping_lives_as_long_as_its_longest_session(void **state)
{
    struct rig *r = *state;
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    r->now = 100 * SEC;
    rig_mapped(r, EP(A, 5060), EP(T, 5060));
    r->now = 350 * SEC;
    assert_true(rig_reached(r, EP(T, 5060), 5060));
    rig_udp(r, NAT_OUTSIDE, EP(S, 5060), EP(PUBLIC, 5060));
    assert_dropped(r, NAT_FILTERED);
    nat_expire(r->nat, 400 * SEC);
    assert_int_equal(r->expired, 1);
}

/* FACTS NW-4: home routers give up sooner on what was never answered. */
static void unreplied_sessions_end_sooner(void **state)
{
    struct rig *r = *state;
    r->config.udp_unreplied = 30 * SEC;
    r->config.udp_timeout = 180 * SEC;
    rig_new(r);
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    rig_mapped(r, EP(A, 5061), EP(S, 5060));
    r->now = 10 * SEC;
    assert_true(rig_reached(r, EP(S, 5060), 5060));
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    nat_expire(r->nat, 30 * SEC);
    assert_int_equal(r->mapping.inside.port, 5061);
    assert_int_equal(nat_count(r->nat), 1);
    nat_expire(r->nat, 190 * SEC);
    assert_int_equal(nat_count(r->nat), 0);
}

static void a_changed_timeout_holds_from_the_next_packet_on(void **state)
{
    struct rig *r = *state;
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    r->config.udp_timeout = r->config.udp_unreplied = 30 * SEC;
    nat_configure(r->nat, &r->config);
    assert_int_equal(nat_deadline(r->nat), 300 * SEC);
    r->now = SEC;
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    assert_int_equal(nat_deadline(r->nat), 31 * SEC);
}

static void req_4787_8_filtering(void **state)
{
    struct rig *r = *state;
    static const struct {
        enum nat_dependence filtering;
        bool same, other_port, other_address;
    } rows[] = {{NAT_ENDPOINT_INDEPENDENT, true, true, true},
                {NAT_ADDRESS_DEPENDENT, true, true, false},
                {NAT_ADDRESS_AND_PORT_DEPENDENT, true, false, false}};
    for (int mapping = NAT_ENDPOINT_INDEPENDENT; mapping <= NAT_ADDRESS_AND_PORT_DEPENDENT; mapping++)
        for (size_t i = 0; i < 3; i++) {
            r->config.mapping = (enum nat_dependence)mapping;
            r->config.filtering = rows[i].filtering;
            rig_new(r);
            rig_mapped(r, EP(A, 5060), EP(S, 5060));
            assert_int_equal(rig_reached(r, EP(S, 5060), 5060), rows[i].same);
            assert_int_equal(rig_reached(r, EP(S, 6000), 5060), rows[i].other_port);
            assert_int_equal(rig_reached(r, EP(T, 5060), 5060), rows[i].other_address);
            assert_int_equal(r->got.cause, rows[i].other_address ? NAT_NO_CAUSE : NAT_FILTERED);
        }
}

static void inbound_to_nobody_is_dropped(void **state)
{
    struct rig *r = *state;
    rig_udp(r, NAT_OUTSIDE, EP(S, 5060), EP(PUBLIC, 5060));
    assert_dropped(r, NAT_NO_MAPPING);
    rig_udp(r, NAT_OUTSIDE, EP(S, 5060), EP(A, 5060)); /* a private address means nothing out there */
    assert_dropped(r, NAT_NO_MAPPING);
    rig_udp(r, NAT_OUTSIDE, EP(S, 5060), EP(INSIDE, 5060));
    assert_dropped(r, NAT_NO_MAPPING);
    rig_udp(r, NAT_INSIDE, EP(A, 5060), EP(INSIDE, 5060));
    assert_dropped(r, NAT_NO_MAPPING);
    assert_int_equal(r->created, 0);
}

static void req_4787_9_hairpin_comes_from_the_external_endpoint(void **state)
{
    struct rig *r = *state;
    r->config.hairpin = true;
    r->config.filtering = NAT_ENDPOINT_INDEPENDENT;
    rig_new(r);
    rig_mapped(r, EP(A, 4000), EP(S, 5060));
    rig_mapped(r, EP(B, 4000), EP(S, 5060)); /* 4001 outside */
    rig_udp(r, NAT_INSIDE, EP(A, 4000), EP(PUBLIC, 4001));
    assert_forwarded(r, NAT_INSIDE, EP(PUBLIC, 4000), EP(B, 4000));
    rig_udp(r, NAT_INSIDE, EP(B, 4000), EP(PUBLIC, 4000));
    assert_forwarded(r, NAT_INSIDE, EP(PUBLIC, 4001), EP(A, 4000));
}

/* Both sides must have sent before the filter lets either in: the second packet of a hole punch comes through. */
static void req_4787_9_hairpin_obeys_the_filter(void **state)
{
    struct rig *r = *state;
    r->config.hairpin = true;
    rig_new(r);
    rig_mapped(r, EP(A, 4000), EP(S, 5060));
    rig_mapped(r, EP(B, 4002), EP(S, 5060));
    rig_udp(r, NAT_INSIDE, EP(A, 4000), EP(PUBLIC, 4002));
    assert_dropped(r, NAT_FILTERED);
    rig_udp(r, NAT_INSIDE, EP(B, 4002), EP(PUBLIC, 4000));
    assert_forwarded(r, NAT_INSIDE, EP(PUBLIC, 4002), EP(A, 4000));
    rig_udp(r, NAT_INSIDE, EP(A, 4000), EP(PUBLIC, 4002));
    assert_forwarded(r, NAT_INSIDE, EP(PUBLIC, 4000), EP(B, 4002));
}

static void without_hairpin_it_is_dropped(void **state)
{
    struct rig *r = *state;
    rig_mapped(r, EP(A, 4000), EP(S, 5060));
    rig_udp(r, NAT_INSIDE, EP(B, 4000), EP(PUBLIC, 4000));
    assert_dropped(r, NAT_NO_HAIRPIN);
    assert_int_equal(r->created, 1);
}

static void hairpin_to_nobody_makes_no_mapping(void **state)
{
    struct rig *r = *state;
    r->config.hairpin = true;
    rig_new(r);
    rig_udp(r, NAT_INSIDE, EP(B, 4000), EP(PUBLIC, 4000));
    assert_dropped(r, NAT_NO_MAPPING);
    assert_int_equal(r->created, 0);
}

static void req_4787_13_df_asks_for_smaller_packets(void **state)
{
    struct rig *r = *state;
    r->config.mtu[NAT_OUTSIDE] = 1400;
    rig_new(r);
    size_t n = rig_udp_packet(r->sent, EP(A, 5060), EP(S, 5060), 64, 1373);
    r->sent[6] = 0x40;
    ip_header_sum(r->sent);
    rig_send(r, NAT_INSIDE, n);
    assert_int_equal(r->got.action, NAT_ANSWER);
    assert_int_equal(r->got.side, NAT_INSIDE);
    assert_int_equal(r->got.cause, NAT_TOO_BIG);
    assert_int_equal(r->v.src, INSIDE);
    assert_int_equal(r->v.dst, A);
    assert_int_equal(r->v.icmp_type, ICMP_UNREACHABLE);
    assert_int_equal(r->v.icmp_code, ICMP_FRAG_NEEDED);
    assert_int_equal(get32(r->got.packet + 24), 1400);
    assert_memory_equal(r->got.packet + 28, r->sent, 548);
    assert_int_equal(r->created, 0);
}

static void req_4787_13a_without_df_it_is_fragmented(void **state)
{
    struct rig *r = *state;
    r->config.mtu[NAT_OUTSIDE] = 1400;
    rig_new(r);
    rig_send(r, NAT_INSIDE, rig_udp_packet(r->sent, EP(A, 5060), EP(S, 5060), 64, 1373));
    assert_int_equal(r->got.action, NAT_FORWARD);
    assert_true(r->got.fragment);
    rig_send(r, NAT_INSIDE, rig_udp_packet(r->sent, EP(A, 5060), EP(S, 5060), 64, 1372));
    assert_false(r->got.fragment);
}

static void rfc1812_an_expiring_packet_is_answered_and_makes_no_mapping(void **state)
{
    struct rig *r = *state;
    rig_send(r, NAT_INSIDE, rig_udp_packet(r->sent, EP(A, 5060), EP(S, 5060), 1, 5));
    assert_int_equal(r->got.action, NAT_ANSWER);
    assert_int_equal(r->got.cause, NAT_TTL_EXCEEDED);
    assert_int_equal(r->v.src, INSIDE);
    assert_int_equal(r->v.icmp_type, ICMP_TIME_EXCEEDED);
    assert_int_equal(r->created, 0);
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    rig_send(r, NAT_OUTSIDE, rig_udp_packet(r->sent, EP(S, 5060), EP(PUBLIC, 5060), 1, 5));
    assert_int_equal(r->got.action, NAT_ANSWER);
    assert_int_equal(r->got.side, NAT_OUTSIDE);
    assert_int_equal(r->v.src, PUBLIC);
    rig_send(r, NAT_OUTSIDE, rig_udp_packet(r->sent, EP(T, 5060), EP(PUBLIC, 5060), 1, 5));
    assert_dropped(r, NAT_FILTERED);
}

static void bad_packets(void **state)
{
    struct rig *r = *state;
    size_t n = rig_udp_packet(r->sent, EP(A, 5060), EP(S, 5060), 64, 5);
    rig_send(r, NAT_INSIDE, n - 1);
    assert_dropped(r, NAT_BAD_PACKET);
    put16(r->sent + 2, 27); /* half a UDP header */
    ip_header_sum(r->sent);
    rig_send(r, NAT_INSIDE, n);
    assert_dropped(r, NAT_BAD_PACKET);
    rig_udp(r, NAT_INSIDE, EP(0, 5060), EP(S, 5060));
    assert_dropped(r, NAT_BAD_PACKET);
    rig_udp(r, NAT_INSIDE, EP(A, 5060), EP(IPV4(224, 0, 1, 1), 5060));
    assert_dropped(r, NAT_BAD_PACKET);
    r->sent[9] = 47; /* a protocol without ports */
    put32(r->sent + 16, S);
    ip_header_sum(r->sent);
    rig_send(r, NAT_INSIDE, r->n);
    assert_dropped(r, NAT_NO_MAPPING);
}

static void rfc768_no_checksum_stays_none(void **state)
{
    struct rig *r = *state;
    size_t n = rig_udp_packet(r->sent, EP(A, 5060), EP(S, 5060), 64, 5);
    put16(r->sent + 26, 0);
    rig_send(r, NAT_INSIDE, n);
    assert_int_equal(r->got.action, NAT_FORWARD);
    assert_int_equal(get16(r->got.packet + 26), 0);
}

/* One of the 65,536 payloads makes the translated checksum come out as zero: it is sent as all ones. */
static void rfc768_a_checksum_that_comes_out_as_zero(void **state)
{
    struct rig *r = *state;
    unsigned ones = 0;
    for (unsigned word = 0; word <= UINT16_MAX; word++) {
        size_t n = rig_udp_packet(r->sent, EP(A, 5060), EP(S, 5060), 64, 2);
        put16(r->sent + 28, (uint16_t)word);
        ip_transport_sum(r->sent, n);
        rig_send(r, NAT_INSIDE, n);
        assert_int_not_equal(get16(r->got.packet + 26), 0);
        ones += get16(r->got.packet + 26) == 0xffff;
    }
    assert_true(ones > 0);
}

static void forwards_let_everybody_in_and_never_end(void **state)
{
    struct rig *r = *state;
    assert_int_equal(nat_forward(r->nat, IP_UDP, 5060, EP(A, 5070)), 0);
    assert_int_equal(nat_forward(r->nat, IP_UDP, 5060, EP(B, 5070)), FE_EUSED);
    assert_int_equal(nat_forward(r->nat, IP_UDP, 5061, EP(A, 5070)), FE_EUSED);
    r->now = 10 * HOUR;
    rig_udp(r, NAT_OUTSIDE, EP(S, 5060), EP(PUBLIC, 5060));
    assert_forwarded(r, NAT_INSIDE, EP(S, 5060), EP(A, 5070));
    assert_int_equal(rig_mapped(r, EP(A, 5070), EP(T, 1)), 5060); /* its answers come from the forwarded port */
    assert_int_equal(rig_mapped(r, EP(B, 5060), EP(T, 1)), 5061); /* which nobody else gets */
    r->now = 20 * HOUR;
    assert_true(rig_reached(r, EP(S, 5060), 5060));
    assert_int_equal(nat_count(r->nat), 0);
    assert_int_equal(r->created, 1);
}

static void nw1_one_to_one_keeps_ports_both_ways(void **state)
{
    struct rig *r = *state;
    r->config.pool_n = 0;
    r->config.one_to_one.inside = A;
    r->config.one_to_one.outside = PUBLIC;
    rig_new(r);
    rig_udp(r, NAT_OUTSIDE, EP(S, 7), EP(PUBLIC, 99));
    assert_forwarded(r, NAT_INSIDE, EP(S, 7), EP(A, 99));
    rig_udp(r, NAT_INSIDE, EP(A, 99), EP(S, 7));
    assert_forwarded(r, NAT_OUTSIDE, EP(PUBLIC, 99), EP(S, 7));
    rig_echo(r, NAT_OUTSIDE, ICMP_ECHO, S, PUBLIC, 5);
    assert_forwarded(r, NAT_INSIDE, EP(S, 5), EP(A, 5));
    rig_udp(r, NAT_INSIDE, EP(B, 99), EP(S, 7));
    assert_dropped(r, NAT_NO_MAPPING);
    assert_int_equal(r->created, 0);
}

static void one_to_one_beside_a_shared_address(void **state)
{
    struct rig *r = *state;
    r->config.one_to_one.inside = A;
    r->config.one_to_one.outside = PUBLIC + 1;
    r->config.hairpin = true;
    rig_new(r);
    rig_udp(r, NAT_INSIDE, EP(A, 99), EP(S, 7));
    assert_forwarded(r, NAT_OUTSIDE, EP(PUBLIC + 1, 99), EP(S, 7));
    assert_int_equal(rig_mapped(r, EP(B, 99), EP(S, 7)), 1024 + 99);
    rig_udp(r, NAT_INSIDE, EP(B, 5000), EP(PUBLIC + 1, 99));
    assert_forwarded(r, NAT_INSIDE, EP(PUBLIC, 5000), EP(A, 99));
    rig_udp(r, NAT_INSIDE, EP(A, 99), EP(PUBLIC, 5000));
    assert_forwarded(r, NAT_INSIDE, EP(PUBLIC + 1, 99), EP(B, 5000));
}

static void req_6888_4_a_quota_for_each_inside_address(void **state)
{
    struct rig *r = *state;
    r->config.quota = 2;
    rig_new(r);
    rig_mapped(r, EP(A, 1), EP(S, 1));
    rig_mapped(r, EP(A, 2), EP(S, 1));
    rig_udp(r, NAT_INSIDE, EP(A, 3), EP(S, 1));
    assert_dropped(r, NAT_NO_PORT);
    rig_mapped(r, EP(B, 1), EP(S, 1));
    rig_mapped(r, EP(A, 2), EP(T, 1)); /* not a new mapping */
    r->now = 300 * SEC;
    rig_mapped(r, EP(A, 3), EP(S, 1));
    rig_mapped(r, EP(A, 4), EP(S, 1));
    nat_reboot(r->nat, r->now);
    rig_mapped(r, EP(A, 5), EP(S, 1));
}

/* A burst of a known session's packet, a stranger's, a whole and a broken one, longer than is looked at at once. */
static void an_announced_burst_changes_nothing(void **state)
{
    struct rig *r = *state;
    enum { N = 40 };
    uint8_t bytes[N][64];
    struct span burst[N];
    rig_udp(r, NAT_INSIDE, EP(A, 5060), EP(S, 5060));
    for (unsigned i = 0; i < N; i++) {
        size_t n = rig_udp_packet(bytes[i], EP(A, (uint16_t)(5060 + i)), EP(i & 1 ? PUBLIC : S, 5060), 64, 5);
        burst[i] = span_make(bytes[i], i % 8 ? n : n - i % 30);
    }
    lab_time deadline = nat_deadline(r->nat);
    r->now += 299 * SEC;
    nat_coming(r->nat, NAT_INSIDE, burst, N);
    nat_coming(r->nat, NAT_OUTSIDE, burst, N);
    nat_coming(r->nat, NAT_OUTSIDE, NULL, 0);
    assert_int_equal(nat_count(r->nat), 1);
    assert_int_equal(nat_deadline(r->nat), deadline);
    nat_expire(r->nat, deadline);
    assert_int_equal(r->expired, 1);
    nat_coming(r->nat, NAT_INSIDE, burst, N);
    assert_int_equal(r->created, 1);
}

static void reboot_loses_everything_but_forwards(void **state)
{
    struct rig *r = *state;
    assert_int_equal(nat_forward(r->nat, IP_UDP, 8000, EP(B, 8000)), 0);
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    rig_mapped(r, EP(B, 8000), EP(S, 5060));
    assert_int_equal(nat_reboot(r->nat, r->now), 1);
    assert_int_equal(r->removed, 0);
    assert_true(nat_deadline(r->nat) == NEVER);
    assert_false(rig_reached(r, EP(S, 5060), 5060));
    assert_true(rig_reached(r, EP(S, 5060), 8000));
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    assert_int_equal(nat_flush(r->nat), 1);
    assert_int_equal(r->removed, 1);
    assert_int_equal(r->expired, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(req_4787_1_endpoint_independent_mapping),
        RIG_TEST(address_dependent_mapping),
        RIG_TEST(address_and_port_dependent_mapping),
        RIG_TEST(req_4787_3_ports_are_preserved_and_never_shared),
        RIG_TEST(req_4787_3_low_ports_are_mapped_into_the_range),
        RIG_TEST(req_4787_3_a_full_range_refuses),
        RIG_TEST(sequential_ports_go_round),
        RIG_TEST(random_ports_are_the_seeds),
        RIG_TEST(req_4787_4_parity),
        RIG_TEST(req_4787_5_a_mapping_ends_after_its_timeout),
        RIG_TEST(req_4787_5_a_packet_at_the_deadline_is_too_late),
        RIG_TEST(req_4787_6_outbound_packets_refresh),
        RIG_TEST(req_4787_6_inbound_packets_do_not_refresh),
        RIG_TEST(req_4787_6a_unless_they_are_told_to),
        RIG_TEST(a_mapping_lives_as_long_as_its_longest_session),
        RIG_TEST(unreplied_sessions_end_sooner),
        RIG_TEST(a_changed_timeout_holds_from_the_next_packet_on),
        RIG_TEST(req_4787_8_filtering),
        RIG_TEST(inbound_to_nobody_is_dropped),
        RIG_TEST(req_4787_9_hairpin_comes_from_the_external_endpoint),
        RIG_TEST(req_4787_9_hairpin_obeys_the_filter),
        RIG_TEST(without_hairpin_it_is_dropped),
        RIG_TEST(hairpin_to_nobody_makes_no_mapping),
        RIG_TEST(req_4787_13_df_asks_for_smaller_packets),
        RIG_TEST(req_4787_13a_without_df_it_is_fragmented),
        RIG_TEST(rfc1812_an_expiring_packet_is_answered_and_makes_no_mapping),
        RIG_TEST(bad_packets),
        RIG_TEST(rfc768_no_checksum_stays_none),
        RIG_TEST(rfc768_a_checksum_that_comes_out_as_zero),
        RIG_TEST(forwards_let_everybody_in_and_never_end),
        RIG_TEST(nw1_one_to_one_keeps_ports_both_ways),
        RIG_TEST(one_to_one_beside_a_shared_address),
        RIG_TEST(req_6888_4_a_quota_for_each_inside_address),
        RIG_TEST(an_announced_burst_changes_nothing),
        RIG_TEST(reboot_loses_everything_but_forwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
