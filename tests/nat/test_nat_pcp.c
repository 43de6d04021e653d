/* The NAT as a PCP server: RFC 6887, by section, on the bench of rig.h. */
#include "nodes/nat/nat_pcp.h"
#include "tests/nat/rig.h"

#define HOUR_S 3600u

struct bench {
    struct pcp_msg answer; /* to the last request */
    struct nat_pcp_note note;
    unsigned notes;
} bench;

static void noted(void *arg, const struct nat_pcp_note *note)
{
    (void)arg;
    bench.note = *note;
    bench.notes++;
}

static void renew(struct rig *r)
{
    static const struct nat_pcp_config config = {.least = 120 * SEC, .most = 24 * HOUR};
    rig_new(r);
    assert_int_equal(nat_pcp_start(r->nat, &config, r->now, noted, NULL), 0);
}

static int setup(void **state)
{
    rig_setup(state);
    memset(&bench, 0, sizeof bench);
    renew(*state);
    return 0;
}

#define PCP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, rig_teardown)

/* UDP port 5060 for an hour, by A. */
static struct pcp_msg map_of(uint16_t port)
{
    return (struct pcp_msg){
        .opcode = PCP_MAP, .lifetime = HOUR_S, .client = A, .nonce = {{1}}, .protocol = IP_UDP, .internal = port};
}

static struct pcp_msg peer_of(uint16_t port, struct endpoint peer)
{
    struct pcp_msg m = map_of(port);
    m.opcode = PCP_PEER;
    m.peer = peer;
    return m;
}

/* These bytes, from `src` to the NAT. */
static void send_bytes(struct rig *r, struct endpoint src, ipv4 to, const uint8_t *bytes, size_t n)
{
    struct ip_build ip = {.src = src.addr, .dst = to, .ttl = 64};
    size_t whole = ip_build_udp(r->sent, sizeof r->sent, &ip, src.port, PCP_PORT, span_make(bytes, n));
    rig_send(r, NAT_INSIDE, whole);
}

static void take_answer(struct rig *r, struct endpoint to)
{
    assert_int_equal(r->got.action, NAT_ANSWER);
    assert_int_equal(r->got.side, NAT_INSIDE);
    assert_int_equal(r->got.cause, NAT_NO_CAUSE);
    assert_int_equal(r->v.src, INSIDE);
    assert_int_equal(r->v.dst, to.addr);
    assert_int_equal(r->v.sport, PCP_PORT);
    assert_int_equal(r->v.dport, to.port);
    struct span bytes = span_make(r->got.packet + IP_HEADER + UDP_HEADER, r->got.n - IP_HEADER - UDP_HEADER);
    assert_int_equal(pcp_read_response(bytes, &bench.answer), 0);
}

/* The result of this request, sent by `from`. */
static unsigned ask_from(struct rig *r, ipv4 from, const struct pcp_msg *m)
{
    uint8_t bytes[PCP_MAX];
    size_t n = pcp_write_request(bytes, sizeof bytes, m);
    assert_true(n > 0);
    send_bytes(r, EP(from, 40000), INSIDE, bytes, n);
    take_answer(r, EP(from, 40000));
    assert_int_equal(bench.note.result, bench.answer.result);
    assert_int_equal(bench.answer.opcode, m->opcode);
    return bench.answer.result;
}

static unsigned ask(struct rig *r, struct pcp_msg m)
{
    return ask_from(r, m.client, &m);
}

/* ---- §11.3: MAP ---- */

static void s11_3_a_mapping_lets_everybody_in(void **state)
{
    struct rig *r = *state;
    assert_int_equal(ask(r, map_of(5060)), PCP_SUCCESS);
    assert_int_equal(bench.answer.lifetime, HOUR_S);
    assert_true(endpoint_equal(bench.answer.external, EP(PUBLIC, 5060)));
    assert_int_equal(r->created, 1);
    assert_true(r->mapping.by_pcp);
    assert_true(rig_reached(r, EP(T, 9), 5060));
    assert_forwarded(r, NAT_INSIDE, EP(T, 9), EP(A, 5060));
    assert_int_equal(rig_mapped(r, EP(A, 5060), EP(S, 5060)), 5060);
    assert_int_equal(nat_count(r->nat), 1);
}

static void s11_3_a_tcp_mapping_too(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5061);
    m.protocol = IP_TCP;
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    size_t n = rig_udp_packet(r->sent, EP(T, 9), EP(PUBLIC, 5061), 64, 12);
    r->sent[9] = IP_TCP;
    r->sent[IP_HEADER + 12] = 5 << 4;
    r->sent[IP_HEADER + 13] = 2;
    ip_header_sum(r->sent);
    ip_transport_sum(r->sent, n);
    rig_send(r, NAT_OUTSIDE, n);
    assert_forwarded(r, NAT_INSIDE, EP(T, 9), EP(A, 5061));
}

static void s11_3_it_ends_when_its_lifetime_does(void **state)
{
    struct rig *r = *state;
    ask(r, map_of(5060));
    r->now = HOUR - 1;
    assert_true(rig_reached(r, EP(T, 9), 5060));
    r->now = HOUR;
    assert_false(rig_reached(r, EP(T, 9), 5060));
    assert_int_equal(r->expired, 1);
    assert_true(r->mapping.by_pcp);
}

static void s15_traffic_does_not_prolong_it_but_lives_on_by_itself(void **state)
{
    struct rig *r = *state;
    r->config.refresh_inbound = true;
    renew(r);
    ask(r, map_of(5060));
    r->now = HOUR - SEC;
    assert_true(rig_reached(r, EP(T, 9), 5060));
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    r->now = HOUR;
    assert_false(rig_reached(r, EP(T, 9), 5060)); /* filtered as ever */
    assert_true(rig_reached(r, EP(S, 5060), 5060));
    assert_int_equal(r->expired, 0);
    r->now = HOUR + 300 * SEC;
    nat_expire(r->nat, r->now);
    assert_int_equal(r->expired, 1);
}

static void s15_lifetimes_are_within_bounds_and_may_be_cut_by_renewal(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5060);
    m.lifetime = UINT32_MAX;
    ask(r, m);
    assert_int_equal(bench.answer.lifetime, 24 * 3600);
    m.lifetime = 1;
    ask(r, m);
    assert_int_equal(bench.answer.lifetime, 120);
    assert_int_equal(r->created, 1);
    r->now = 120 * SEC;
    nat_expire(r->nat, r->now);
    assert_int_equal(r->expired, 1);
}

static void s11_3_a_suggested_port_is_given_when_it_is_free(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5060);
    m.external = EP(PUBLIC, 7000);
    ask(r, m);
    assert_true(endpoint_equal(bench.answer.external, EP(PUBLIC, 7000)));
    m.client = B;
    ask(r, m);
    assert_true(endpoint_equal(bench.answer.external, EP(PUBLIC, 5060)));
    m.internal = 5062;
    m.external = EP(T, 7001); /* an address that it has not */
    ask(r, m);
    assert_true(endpoint_equal(bench.answer.external, EP(PUBLIC, 5062)));
    m.internal = 5063;
    m.external = EP(PUBLIC, 80); /* outside of the range */
    ask(r, m);
    assert_true(endpoint_equal(bench.answer.external, EP(PUBLIC, 5063)));
}

static void s13_2_prefer_failure(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5060);
    m.external = EP(PUBLIC, 7000);
    m.prefer_failure = true;
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    assert_true(bench.answer.prefer_failure);
    m.client = B;
    assert_int_equal(ask(r, m), PCP_CANNOT_PROVIDE_EXTERNAL);
    assert_int_equal(bench.answer.lifetime, 30);
    rig_mapped(r, EP(B, 6000), EP(S, 1));
    m.internal = 6000; /* it has one already: another */
    m.external.port = 6001;
    assert_int_equal(ask(r, m), PCP_CANNOT_PROVIDE_EXTERNAL);
    assert_int_equal(nat_count(r->nat), 2);
}

static void s11_3_an_endpoint_keeps_the_mapping_that_it_has(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5060);
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    m.external = EP(PUBLIC, 7000);
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    assert_true(endpoint_equal(bench.answer.external, EP(PUBLIC, 5060)));
    assert_int_equal(r->created, 1);
    r->now = HOUR - 1;
    assert_true(rig_reached(r, EP(S, 5060), 5060));
}

static void s11_3_only_who_has_the_nonce_changes_it(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5060);
    ask(r, m);
    m.nonce.bytes[11] = 1;
    assert_int_equal(ask(r, m), PCP_NOT_AUTHORIZED);
    assert_int_equal(bench.answer.lifetime, 1800);
    m.lifetime = 0;
    assert_int_equal(ask(r, m), PCP_NOT_AUTHORIZED);
    assert_int_equal(nat_count(r->nat), 1);
    r->now = HOUR; /* it is nobody's any more */
    m.lifetime = 600;
    assert_int_equal(ask(r, m), PCP_SUCCESS);
}

static void s15_1_lifetime_0_ends_it(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5060);
    ask(r, m);
    m.lifetime = 0;
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    assert_int_equal(bench.answer.lifetime, 0);
    assert_int_equal(r->removed, 1);
    assert_false(rig_reached(r, EP(T, 9), 5060));
    assert_int_equal(ask(r, m), PCP_SUCCESS); /* what is not there has ended */
    assert_int_equal(r->removed, 1);
}

static void s15_1_all_at_once(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5060);
    ask(r, m);
    m.internal = 5062;
    ask(r, m);
    m.internal = 5064;
    m.nonce.bytes[0] = 9; /* of another program */
    ask(r, m);
    m.client = B;
    m.nonce.bytes[0] = 1;
    ask(r, m);
    m.client = A;
    m.protocol = 0;
    m.lifetime = m.internal = 0;
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    assert_int_equal(r->removed, 2);
    assert_int_equal(nat_count(r->nat), 2);
}

static void s11_3_what_cannot_be_mapped(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5060);
    m.protocol = 0;
    assert_int_equal(ask(r, m), PCP_MALFORMED_REQUEST);
    m.internal = 0;
    assert_int_equal(ask(r, m), PCP_UNSUPP_PROTOCOL);
    m.protocol = 132;
    m.internal = 1;
    assert_int_equal(ask(r, m), PCP_UNSUPP_PROTOCOL);
    assert_int_equal(nat_count(r->nat), 0);
}

/* RFC 6888 REQ-4: the quota counts what was asked for like all else. */
static void s11_3_quotas(void **state)
{
    struct rig *r = *state;
    r->config.quota = 2;
    renew(r);
    rig_mapped(r, EP(A, 1), EP(S, 1));
    assert_int_equal(ask(r, map_of(5060)), PCP_SUCCESS);
    assert_int_equal(ask(r, map_of(5062)), PCP_USER_EX_QUOTA);
    assert_int_equal(bench.answer.lifetime, 30);
    assert_int_equal(ask(r, map_of(5060)), PCP_SUCCESS);
    struct pcp_msg of_b = map_of(5062);
    of_b.client = B;
    assert_int_equal(ask(r, of_b), PCP_SUCCESS);
    rig_udp(r, NAT_INSIDE, EP(A, 2), EP(S, 1));
    assert_dropped(r, NAT_NO_PORT);
}

static void s11_3_port_blocks(void **state)
{
    struct rig *r = *state;
    r->config.block = 2;
    r->config.range = (struct port_range){6000, 6007};
    renew(r);
    struct pcp_msg m = map_of(5060);
    m.external = EP(PUBLIC, 6006); /* in a block that A has not */
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    assert_in_range(bench.answer.external.port, 6000, 6001);
    assert_int_equal(r->taken, 1);
    m.internal = 5061;
    m.external.port = bench.answer.external.port ^ 1;
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    assert_int_equal(bench.answer.external.port, m.external.port);
    m.internal = 5062;
    assert_int_equal(ask(r, m), PCP_USER_EX_QUOTA);
    m.lifetime = 0;
    m.internal = 0;
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    assert_int_equal(r->given, 1);
}

static void s11_3_no_port_is_left(void **state)
{
    struct rig *r = *state;
    r->config.range = (struct port_range){6000, 6000};
    renew(r);
    assert_int_equal(ask(r, map_of(5060)), PCP_SUCCESS);
    assert_int_equal(ask(r, map_of(5061)), PCP_NO_RESOURCES);
}

static void s11_3_what_the_operator_has_mapped(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5060);
    assert_int_equal(nat_forward(r->nat, IP_UDP, 8000, EP(A, 5060)), 0);
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    assert_true(endpoint_equal(bench.answer.external, EP(PUBLIC, 8000)));
    assert_int_equal(r->created, 0);
    m.lifetime = 0;
    assert_int_equal(ask(r, m), PCP_NOT_AUTHORIZED);
    r->config.one_to_one.inside = A;
    r->config.one_to_one.outside = T;
    renew(r);
    assert_int_equal(ask(r, map_of(5060)), PCP_SUCCESS);
    assert_true(endpoint_equal(bench.answer.external, EP(T, 5060)));
}

/* §11: whatever the NAT's mapping depends on, this one depends on nothing. */
static void s11_a_symmetric_nat_shows_one_face(void **state)
{
    struct rig *r = *state;
    r->config.mapping = NAT_ADDRESS_AND_PORT_DEPENDENT;
    renew(r);
    struct pcp_msg m = map_of(5060);
    m.external.port = 7000;
    ask(r, m);
    assert_int_equal(rig_mapped(r, EP(A, 5060), EP(S, 5060)), 7000);
    assert_int_equal(rig_mapped(r, EP(A, 5060), EP(T, 5060)), 7000);
    assert_int_not_equal(rig_mapped(r, EP(A, 5061), EP(T, 5060)), 7000);
    assert_true(rig_reached(r, EP(T, 9), 7000));
    m.lifetime = 0;
    ask(r, m);
    assert_int_not_equal(rig_mapped(r, EP(A, 5060), EP(T, 5061)), 7000);
}

/* ---- §13.3: FILTER ---- */

static void s13_3_only_those_of_the_filters_come_in(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5060);
    m.filters[0] = (struct pcp_filter){{S, 32}, 5060, false};
    m.filters_n = 1;
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    assert_int_equal(bench.answer.filters_n, 1);
    assert_true(rig_reached(r, EP(S, 5060), 5060));
    assert_false(rig_reached(r, EP(S, 5061), 5060));
    assert_int_equal(r->got.cause, NAT_FILTERED);
    m.filters[0] = (struct pcp_filter){{T, 24}, 0, false}; /* adds to it */
    ask(r, m);
    assert_true(rig_reached(r, EP(S, 5060), 5060));
    assert_true(rig_reached(r, EP(T, 1), 5060));
    m.filters[0] = (struct pcp_filter){.clears = true};
    ask(r, m);
    assert_true(rig_reached(r, EP(B, 1), 5060));
}

static void s13_3_also_where_the_nat_filters_nobody(void **state)
{
    struct rig *r = *state;
    r->config.filtering = NAT_ENDPOINT_INDEPENDENT;
    renew(r);
    struct pcp_msg m = map_of(5060);
    m.filters[0] = (struct pcp_filter){{S, 32}, 0, false};
    m.filters_n = 1;
    ask(r, m);
    assert_true(rig_reached(r, EP(S, 1), 5060));
    assert_false(rig_reached(r, EP(T, 1), 5060));
    rig_mapped(r, EP(A, 5060), EP(T, 1)); /* whom one speaks with may answer */
    assert_true(rig_reached(r, EP(T, 1), 5060));
}

static void s13_3_too_many_filters_change_nothing(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5060);
    for (m.filters_n = 0; m.filters_n < 9; m.filters_n++)
        m.filters[m.filters_n] = (struct pcp_filter){{S, 32}, (uint16_t)(m.filters_n + 1), false};
    assert_int_equal(ask(r, m), PCP_EXCESSIVE_REMOTE_PEERS);
    assert_int_equal(nat_count(r->nat), 0);
    m.filters_n = 8;
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    m.filters_n = 1;
    assert_int_equal(ask(r, m), PCP_EXCESSIVE_REMOTE_PEERS);
    assert_true(rig_reached(r, EP(S, 8), 5060));
}

/* ---- §12: PEER ---- */

static void s12_3_peer_keeps_a_mapping_without_traffic(void **state)
{
    struct rig *r = *state;
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    assert_int_equal(ask(r, peer_of(5060, EP(S, 5060))), PCP_SUCCESS);
    assert_true(endpoint_equal(bench.answer.external, EP(PUBLIC, 5060)));
    assert_true(endpoint_equal(bench.answer.peer, EP(S, 5060)));
    r->now = HOUR - SEC;
    assert_true(rig_reached(r, EP(S, 5060), 5060));
    assert_false(rig_reached(r, EP(T, 5060), 5060)); /* it is the peer's alone */
    r->now = HOUR;
    nat_expire(r->nat, r->now);
    assert_int_equal(r->expired, 1);
}

static void s12_3_traffic_does_not_shorten_it(void **state)
{
    struct rig *r = *state;
    ask(r, peer_of(5060, EP(S, 5060)));
    assert_int_equal(r->created, 1);
    r->now = SEC;
    rig_mapped(r, EP(A, 5060), EP(S, 5060));
    r->now = HOUR - SEC;
    assert_true(rig_reached(r, EP(S, 5060), 5060));
    rig_mapped(r, EP(A, 5060), EP(S, 5060)); /* and prolongs it as it would without */
    r->now = HOUR + 298 * SEC;
    assert_true(rig_reached(r, EP(S, 5060), 5060));
}

/* What was lost comes back as it was, or not at all. */
static void s12_3_peer_restores_a_mapping(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = peer_of(5060, EP(S, 5060));
    m.external = EP(PUBLIC, 7000);
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    assert_true(endpoint_equal(bench.answer.external, EP(PUBLIC, 7000)));
    assert_true(rig_reached(r, EP(S, 5060), 7000));
    m.internal = 5062;
    assert_int_equal(ask(r, m), PCP_CANNOT_PROVIDE_EXTERNAL);
    m.external = EP(0, 0);
    assert_int_equal(ask(r, m), PCP_SUCCESS);
}

static void s12_3_malformed_and_unauthorized(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = peer_of(5060, EP(S, 5060));
    ask(r, m);
    m.nonce.bytes[0] = 2;
    assert_int_equal(ask(r, m), PCP_NOT_AUTHORIZED);
    m.peer.port = 0;
    assert_int_equal(ask(r, m), PCP_MALFORMED_REQUEST);
    m = peer_of(0, EP(S, 5060));
    assert_int_equal(ask(r, m), PCP_MALFORMED_REQUEST);
    m = peer_of(5060, EP(S, 5060));
    m.protocol = IP_ICMP;
    assert_int_equal(ask(r, m), PCP_UNSUPP_PROTOCOL);
}

static void s15_1_peer_with_lifetime_0_leaves_it_to_traffic(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = peer_of(5060, EP(S, 5060));
    ask(r, m);
    m.lifetime = 0;
    assert_int_equal(ask(r, m), PCP_SUCCESS);
    r->now = 299 * SEC;
    assert_true(rig_reached(r, EP(S, 5060), 5060));
    r->now = 300 * SEC;
    nat_expire(r->nat, r->now);
    assert_int_equal(r->expired, 1);
    assert_int_equal(ask(r, m), PCP_SUCCESS);
}

/* ---- §8.2, §14: requests as such ---- */

static void s8_2_a_nat_in_between_is_noticed(void **state)
{
    struct rig *r = *state;
    struct pcp_msg m = map_of(5060);
    m.client = IPV4(192, 168, 1, 20);
    assert_int_equal(ask_from(r, A, &m), PCP_ADDRESS_MISMATCH);
    assert_int_equal(bench.answer.lifetime, 1800);
    assert_int_equal(nat_count(r->nat), 0);
}

static void s13_1_nobody_asks_for_others(void **state)
{
    static const uint8_t third[] = {PCP_THIRD_PARTY, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 3};
    struct rig *r = *state;
    uint8_t bytes[PCP_MAX];
    struct pcp_msg m = map_of(5060);
    size_t n = pcp_write_request(bytes, sizeof bytes, &m);
    memcpy(bytes + n, third, sizeof third);
    send_bytes(r, EP(A, 1000), INSIDE, bytes, n + sizeof third);
    take_answer(r, EP(A, 1000));
    assert_int_equal(bench.answer.result, PCP_UNSUPP_OPTION);
}

static void s8_2_what_is_answered_and_what_is_not(void **state)
{
    static const uint8_t nat_pmp[] = {0, 0};
    struct rig *r = *state;
    uint8_t bytes[PCP_MAX] = {0};
    struct pcp_msg m = map_of(5060);
    size_t n = pcp_write_request(bytes, sizeof bytes, &m);
    send_bytes(r, EP(A, 1), INSIDE, nat_pmp, sizeof nat_pmp);
    take_answer(r, EP(A, 1));
    assert_int_equal(bench.answer.result, PCP_UNSUPP_VERSION);
    send_bytes(r, EP(A, 1), INSIDE, bytes, n + 1);
    take_answer(r, EP(A, 1));
    assert_int_equal(bench.answer.result, PCP_MALFORMED_REQUEST);
    send_bytes(r, EP(A, 1), INSIDE, bytes, 1);
    assert_dropped(r, NAT_BAD_PACKET);
    bytes[1] |= 0x80;
    send_bytes(r, EP(A, 1), INSIDE, bytes, n);
    assert_dropped(r, NAT_BAD_PACKET);
    bytes[1] = 99 & 0x7f;
    send_bytes(r, EP(A, 1), INSIDE, bytes, n);
    take_answer(r, EP(A, 1));
    assert_int_equal(bench.answer.result, PCP_UNSUPP_OPCODE);
    assert_int_equal(nat_count(r->nat), 0);
}

/* §18.1 and its kind: from outside there is no server, nor at the public address. */
static void s8_2_the_server_is_inside_alone(void **state)
{
    struct rig *r = *state;
    uint8_t bytes[PCP_MAX];
    struct pcp_msg m = map_of(5060);
    size_t n = pcp_write_request(bytes, sizeof bytes, &m);
    rig_udp(r, NAT_OUTSIDE, EP(S, 1), EP(PUBLIC, PCP_PORT));
    assert_dropped(r, NAT_NO_MAPPING);
    send_bytes(r, EP(A, 1), PUBLIC, bytes, n);
    assert_int_equal(r->got.action, NAT_DROP);
    nat_pcp_stop(r->nat);
    send_bytes(r, EP(A, 1), INSIDE, bytes, n);
    assert_dropped(r, NAT_NO_MAPPING);
    assert_int_equal(bench.notes, 0);
}

static void s8_5_the_epoch_begins_anew_when_mappings_are_lost(void **state)
{
    struct rig *r = *state;
    const struct pcp_msg announce = {.opcode = PCP_ANNOUNCE, .client = A};
    ask(r, map_of(5060));
    r->now = 90 * SEC + 999 * MS;
    assert_int_equal(ask(r, announce), PCP_SUCCESS);
    assert_int_equal(bench.answer.epoch, 90);
    assert_int_equal(nat_reboot(r->nat, r->now), 1);
    assert_false(rig_reached(r, EP(T, 9), 5060));
    r->now += 2 * SEC;
    ask(r, announce);
    assert_int_equal(bench.answer.epoch, 2);
    struct pcp_msg m = map_of(5060); /* nobody's nonce is remembered */
    m.nonce.bytes[0] = 7;
    assert_int_equal(ask(r, m), PCP_SUCCESS);
}

/* §10: hosts behind it reach the mapping by its public face, where the NAT does that at all. */
static void s11_a_mapping_can_be_reached_by_hairpin(void **state)
{
    struct rig *r = *state;
    r->config.hairpin = true;
    renew(r);
    ask(r, map_of(5060));
    rig_udp(r, NAT_INSIDE, EP(B, 5060), EP(PUBLIC, 5060));
    assert_forwarded(r, NAT_INSIDE, EP(PUBLIC, 5061), EP(A, 5060));
}

static void s8_2_a_long_answer_leaves_in_fragments(void **state)
{
    struct rig *r = *state;
    uint8_t bytes[PCP_MAX] = {PCP_VERSION, 77};
    r->config.mtu[NAT_INSIDE] = 576;
    renew(r);
    send_bytes(r, EP(A, 1), INSIDE, bytes, sizeof bytes);
    take_answer(r, EP(A, 1));
    assert_true(r->got.fragment);
    assert_int_equal(r->got.n, IP_HEADER + UDP_HEADER + PCP_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PCP_TEST(s11_3_a_mapping_lets_everybody_in),
        PCP_TEST(s11_3_a_tcp_mapping_too),
        PCP_TEST(s11_3_it_ends_when_its_lifetime_does),
        PCP_TEST(s15_traffic_does_not_prolong_it_but_lives_on_by_itself),
        PCP_TEST(s15_lifetimes_are_within_bounds_and_may_be_cut_by_renewal),
        PCP_TEST(s11_3_a_suggested_port_is_given_when_it_is_free),
        PCP_TEST(s13_2_prefer_failure),
        PCP_TEST(s11_3_an_endpoint_keeps_the_mapping_that_it_has),
        PCP_TEST(s11_3_only_who_has_the_nonce_changes_it),
        PCP_TEST(s15_1_lifetime_0_ends_it),
        PCP_TEST(s15_1_all_at_once),
        PCP_TEST(s11_3_what_cannot_be_mapped),
        PCP_TEST(s11_3_quotas),
        PCP_TEST(s11_3_port_blocks),
        PCP_TEST(s11_3_no_port_is_left),
        PCP_TEST(s11_3_what_the_operator_has_mapped),
        PCP_TEST(s11_a_symmetric_nat_shows_one_face),
        PCP_TEST(s13_3_only_those_of_the_filters_come_in),
        PCP_TEST(s13_3_also_where_the_nat_filters_nobody),
        PCP_TEST(s13_3_too_many_filters_change_nothing),
        PCP_TEST(s12_3_peer_keeps_a_mapping_without_traffic),
        PCP_TEST(s12_3_traffic_does_not_shorten_it),
        PCP_TEST(s12_3_peer_restores_a_mapping),
        PCP_TEST(s12_3_malformed_and_unauthorized),
        PCP_TEST(s15_1_peer_with_lifetime_0_leaves_it_to_traffic),
        PCP_TEST(s8_2_a_nat_in_between_is_noticed),
        PCP_TEST(s13_1_nobody_asks_for_others),
        PCP_TEST(s8_2_what_is_answered_and_what_is_not),
        PCP_TEST(s8_2_the_server_is_inside_alone),
        PCP_TEST(s8_5_the_epoch_begins_anew_when_mappings_are_lost),
        PCP_TEST(s11_a_mapping_can_be_reached_by_hairpin),
        PCP_TEST(s8_2_a_long_answer_leaves_in_fragments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
