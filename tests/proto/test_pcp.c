/* PCP: RFC 6887's formats and what a server checks, by section. */
#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/proto/pcp.h"

#include "tests/cmocka.h"

/* MAP of UDP 5060 for an hour, by 192.168.1.20, who would like 203.0.113.7:6000 (§7.1, §11.1). */
static const uint8_t map_request[] = {
    2,  1, 0, 0, 0,    0,    14,   16,                                         /* version, opcode, 3600 s */
    0,  0, 0, 0, 0,    0,    0,    0,    0, 0,  0xff, 0xff, 192, 168, 1,   20, /* client */
    1,  2, 3, 4, 5,    6,    7,    8,    9, 10, 11,   12,                      /* nonce */
    17, 0, 0, 0, 0x13, 0xc4, 0x17, 0x70,                                       /* UDP, 5060, 6000 */
    0,  0, 0, 0, 0,    0,    0,    0,    0, 0,  0xff, 0xff, 203, 0,   113, 7};

static struct pcp_msg read(const uint8_t *bytes, size_t n, int expected)
{
    struct pcp_msg msg;
    assert_int_equal(pcp_read_request(span_make(bytes, n), &msg), expected);
    return msg;
}

struct edited {
    uint8_t bytes[PCP_MAX + 8];
    size_t n;
};

/* The request above, with options behind it. */
static struct edited with(const uint8_t *options, size_t n)
{
    struct edited e = {.n = sizeof map_request + n};
    memcpy(e.bytes, map_request, sizeof map_request);
    if (n)
        memcpy(e.bytes + sizeof map_request, options, n);
    return e;
}

#define WITH(...) with((const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})

static int result_of(const struct edited *e)
{
    struct pcp_msg msg;
    return pcp_read_request(span_make(e->bytes, e->n), &msg);
}

/* ---- §7: the formats ---- */

static void s7_1_and_11_1_a_map_request(void **state)
{
    (void)state;
    struct pcp_msg m = read(map_request, sizeof map_request, 0);
    assert_int_equal(m.opcode, PCP_MAP);
    assert_int_equal(m.lifetime, 3600);
    assert_int_equal(m.client, IPV4(192, 168, 1, 20));
    assert_memory_equal(m.nonce.bytes, map_request + 24, PCP_NONCE);
    assert_int_equal(m.protocol, 17);
    assert_int_equal(m.internal, 5060);
    assert_true(endpoint_equal(m.external, (struct endpoint){IPV4(203, 0, 113, 7), 6000}));
    assert_false(m.prefer_failure || m.third_party || m.filters_n);
}

static void requests_are_written_as_they_are_read(void **state)
{
    (void)state;
    uint8_t room[PCP_MAX];
    struct pcp_msg m = read(map_request, sizeof map_request, 0);
    assert_int_equal(pcp_write_request(room, sizeof room, &m), sizeof map_request);
    assert_memory_equal(room, map_request, sizeof map_request);
    assert_int_equal(pcp_write_request(room, sizeof map_request - 1, &m), 0);
}

static void s12_1_a_peer_request(void **state)
{
    (void)state;
    uint8_t room[PCP_MAX];
    struct pcp_msg m = {.opcode = PCP_PEER, .lifetime = 1, .client = 1, .protocol = 6, .internal = 7};
    m.peer = (struct endpoint){IPV4(192, 0, 2, 1), 5061};
    size_t n = pcp_write_request(room, sizeof room, &m);
    assert_int_equal(n, 80);
    assert_int_equal(get16(room + 60), 5061);
    struct pcp_msg again = read(room, n, 0);
    assert_memory_equal(&again, &m, sizeof m);
    room[64] = 0x20; /* a peer of IPv6 */
    read(room, n, PCP_MALFORMED_REQUEST);
}

static void s14_an_announce_request_is_a_header(void **state)
{
    (void)state;
    uint8_t room[PCP_MAX];
    const struct pcp_msg m = {.opcode = PCP_ANNOUNCE, .client = IPV4(10, 0, 0, 2)};
    assert_int_equal(pcp_write_request(room, sizeof room, &m), PCP_HEADER);
    assert_int_equal(read(room, PCP_HEADER, 0).opcode, PCP_ANNOUNCE);
}

static void s5_no_address_and_ipv6_addresses(void **state)
{
    (void)state;
    struct edited e = with(NULL, 0);
    e.bytes[8] = 0x20; /* the client's */
    assert_int_equal(read(e.bytes, e.n, 0).client, 0);
    memset(e.bytes + 44, 0, 16); /* "::" suggests none */
    assert_int_equal(read(e.bytes, e.n, 0).external.addr, 0);
    assert_int_equal(read(e.bytes, e.n, 0).external.port, 6000);
}

/* ---- §7.3, §13: options ---- */

static void s7_3_options_that_need_not_be_understood(void **state)
{
    (void)state;
    struct edited optional = WITH(200, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0);
    struct edited mandatory = WITH(127, 0, 0, 0);
    assert_int_equal(result_of(&optional), 0);
    assert_int_equal(result_of(&mandatory), PCP_UNSUPP_OPTION);
}

static void s7_3_malformed_options(void **state)
{
    (void)state;
    struct edited too_long = WITH(200, 0, 0, 1);
    struct edited twice = WITH(PCP_PREFER_FAILURE, 0, 0, 0, PCP_PREFER_FAILURE, 0, 0, 0);
    struct edited with_data = WITH(PCP_PREFER_FAILURE, 0, 0, 4, 0, 0, 0, 0);
    struct edited third = WITH(PCP_THIRD_PARTY, 0, 0, 4, 0, 0, 0, 0);
    assert_int_equal(result_of(&too_long), PCP_MALFORMED_OPTION);
    assert_int_equal(result_of(&twice), PCP_MALFORMED_OPTION);
    assert_int_equal(result_of(&with_data), PCP_MALFORMED_OPTION);
    assert_int_equal(result_of(&third), PCP_MALFORMED_OPTION);
}

static void s13_2_prefer_failure_is_for_map(void **state)
{
    (void)state;
    uint8_t room[PCP_MAX];
    struct edited e = WITH(PCP_PREFER_FAILURE, 0, 0, 0);
    assert_true(read(e.bytes, e.n, 0).prefer_failure);
    const struct pcp_msg peer = {.opcode = PCP_PEER, .prefer_failure = true};
    read(room, pcp_write_request(room, sizeof room, &peer), PCP_MALFORMED_OPTION);
}

static void s13_1_third_party(void **state)
{
    (void)state;
    struct edited e = WITH(PCP_THIRD_PARTY, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 3);
    assert_true(read(e.bytes, e.n, 0).third_party);
}

#define FILTER(prefix, port, a, d)                                                                                     \
    PCP_FILTER, 0, 0, 20, 0, prefix, 0, port, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, 0, 2, d

static void s13_3_filters_in_their_order(void **state)
{
    (void)state;
    struct edited e = WITH(FILTER(0, 0, 0, 0), FILTER(128, 9, 192, 1), FILTER(120, 0, 192, 0));
    struct pcp_msg m = read(e.bytes, e.n, 0);
    assert_int_equal(m.filters_n, 3);
    assert_true(m.filters[0].clears);
    assert_int_equal(m.filters[1].peers.addr, IPV4(192, 0, 2, 1));
    assert_int_equal(m.filters[1].peers.bits, 32);
    assert_int_equal(m.filters[1].port, 9);
    assert_int_equal(m.filters[2].peers.bits, 24);
    struct edited into_the_prefix = WITH(FILTER(95, 0, 192, 1));
    struct edited beyond = WITH(FILTER(129, 0, 192, 1));
    assert_int_equal(result_of(&into_the_prefix), PCP_MALFORMED_OPTION);
    assert_int_equal(result_of(&beyond), PCP_MALFORMED_OPTION);
}

/* ---- §8.2: what a server checks, in its order ---- */

static void s8_2_dropped_in_silence(void **state)
{
    (void)state;
    struct edited e = with(NULL, 0);
    read(e.bytes, 0, FE_ESHORT);
    read(e.bytes, 1, FE_ESHORT);
    read(e.bytes, PCP_HEADER - 1, FE_ESHORT);
    e.bytes[1] |= 0x80;
    read(e.bytes, e.n, FE_ESYNTAX);
    e.bytes[0] = 1; /* a response of whichever version */
    read(e.bytes, e.n, FE_ESYNTAX);
}

static void s8_2_malformed_lengths(void **state)
{
    (void)state;
    struct edited e = with(NULL, 0);
    read(e.bytes, sizeof map_request - 4, PCP_MALFORMED_REQUEST);
    read(e.bytes, sizeof map_request + 1, PCP_MALFORMED_REQUEST);
    read(e.bytes, PCP_MAX + 4, PCP_MALFORMED_REQUEST);
    e.bytes[1] = PCP_PEER;
    read(e.bytes, sizeof map_request, PCP_MALFORMED_REQUEST);
}

static void s8_2_unknown_opcodes_are_answered_with_what_was_sent(void **state)
{
    (void)state;
    uint8_t room[PCP_MAX];
    struct edited e = with(NULL, 0);
    e.bytes[1] = 3;
    read(e.bytes, e.n, PCP_UNSUPP_OPCODE);
    const struct pcp_msg answer = {.result = PCP_UNSUPP_OPCODE, .lifetime = 1800, .epoch = 77};
    assert_int_equal(pcp_write_response(room, sizeof room, span_make(e.bytes, e.n), &answer), e.n);
    assert_int_equal(room[1], 0x83);
    assert_int_equal(room[3], PCP_UNSUPP_OPCODE);
    assert_int_equal(get32(room + 4), 1800);
    assert_int_equal(get32(room + 8), 77);
    assert_memory_equal(room + PCP_HEADER, e.bytes + PCP_HEADER, e.n - PCP_HEADER);
}

/* §9, appendix A: also to the two bytes with which NAT-PMP asks for the address, and in a place where it looks. */
static void s9_other_versions(void **state)
{
    (void)state;
    static const uint8_t nat_pmp[] = {0, 0};
    uint8_t room[PCP_MAX];
    struct edited e = with(NULL, 0);
    const struct pcp_msg answer = {.result = PCP_UNSUPP_VERSION, .lifetime = 1800, .epoch = 5};
    e.bytes[0] = 3;
    read(e.bytes, e.n, PCP_UNSUPP_VERSION);
    read(nat_pmp, sizeof nat_pmp, PCP_UNSUPP_VERSION);
    assert_int_equal(pcp_write_response(room, sizeof room, span_make(nat_pmp, sizeof nat_pmp), &answer), PCP_HEADER);
    assert_int_equal(room[0], PCP_VERSION);
    assert_int_equal(room[1], 0x80);
    assert_int_equal(get16(room + 2), 1); /* RFC 6886 §3.5: unsupported version */
}

static void s8_2_long_requests_are_cut_in_the_answer(void **state)
{
    (void)state;
    uint8_t room[2 * PCP_MAX];
    struct edited e = with(NULL, 0);
    const struct pcp_msg answer = {.result = PCP_MALFORMED_REQUEST};
    assert_int_equal(pcp_write_response(room, sizeof room, span_make(e.bytes, PCP_MAX + 5), &answer), PCP_MAX);
    assert_int_equal(pcp_write_response(room, sizeof room, span_make(e.bytes, 61), &answer), 64);
    assert_int_equal(pcp_write_response(room, 60, span_make(e.bytes, 61), &answer), 0);
}

/* What was not heeded is not repeated (§8.2). */
static void s8_2_a_success_has_the_options_that_were_processed(void **state)
{
    (void)state;
    uint8_t room[PCP_MAX];
    struct pcp_msg got;
    struct edited e = WITH(200, 0, 0, 0, PCP_PREFER_FAILURE, 0, 0, 0, FILTER(128, 9, 192, 1));
    struct pcp_msg answer = {.lifetime = 600, .epoch = 3, .external = {IPV4(203, 0, 113, 7), 7000}};
    size_t n = pcp_write_response(room, sizeof room, span_make(e.bytes, e.n), &answer);
    assert_int_equal(n, e.n - 4);
    assert_int_equal(pcp_read_response(span_make(room, n), &got), 0);
    assert_int_equal(got.opcode, PCP_MAP);
    assert_int_equal(got.lifetime, 600);
    assert_int_equal(got.epoch, 3);
    assert_int_equal(got.internal, 5060);
    assert_true(endpoint_equal(got.external, answer.external));
    assert_true(got.prefer_failure);
    assert_int_equal(got.filters_n, 1);
}

/* ---- §8.3: what a client checks ---- */

static void s8_3_responses_that_are_ignored(void **state)
{
    (void)state;
    uint8_t room[PCP_MAX + 4] = {0};
    struct pcp_msg got;
    const struct pcp_msg answer = {.lifetime = 600};
    size_t n = pcp_write_response(room, sizeof room, span_make(map_request, sizeof map_request), &answer);
    assert_int_equal(pcp_read_response(span_make(room, n - 1), &got), FE_ESYNTAX);
    assert_int_equal(pcp_read_response(span_make(room, n - 4), &got), FE_ESHORT);
    assert_int_equal(pcp_read_response(span_make(room, 20), &got), FE_ESHORT);
    assert_int_equal(pcp_read_response(span_make(room, sizeof room), &got), FE_ESYNTAX);
    assert_int_equal(pcp_read_response(span_make(map_request, sizeof map_request), &got), FE_ESYNTAX);
    room[0] = 0;
    assert_int_equal(pcp_read_response(span_make(room, n), &got), FE_ESYNTAX);
}

static void s7_4_results(void **state)
{
    (void)state;
    assert_string_equal(pcp_result_text(PCP_SUCCESS), "SUCCESS");
    assert_string_equal(pcp_result_text(13), "EXCESSIVE_REMOTE_PEERS");
    assert_string_equal(pcp_result_text(14), "UNKNOWN");
    assert_int_equal(pcp_error_lifetime(PCP_ADDRESS_MISMATCH), 1800);
    assert_int_equal(pcp_error_lifetime(PCP_USER_EX_QUOTA), 30);
    assert_string_equal(pcp_opcode_text(PCP_PEER), "peer");
    assert_string_equal(pcp_opcode_text(3), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s7_1_and_11_1_a_map_request),
        cmocka_unit_test(requests_are_written_as_they_are_read),
        cmocka_unit_test(s12_1_a_peer_request),
        cmocka_unit_test(s14_an_announce_request_is_a_header),
        cmocka_unit_test(s5_no_address_and_ipv6_addresses),
        cmocka_unit_test(s7_3_options_that_need_not_be_understood),
        cmocka_unit_test(s7_3_malformed_options),
        cmocka_unit_test(s13_2_prefer_failure_is_for_map),
        cmocka_unit_test(s13_1_third_party),
        cmocka_unit_test(s13_3_filters_in_their_order),
        cmocka_unit_test(s8_2_dropped_in_silence),
        cmocka_unit_test(s8_2_malformed_lengths),
        cmocka_unit_test(s8_2_unknown_opcodes_are_answered_with_what_was_sent),
        cmocka_unit_test(s9_other_versions),
        cmocka_unit_test(s8_2_long_requests_are_cut_in_the_answer),
        cmocka_unit_test(s8_2_a_success_has_the_options_that_were_processed),
        cmocka_unit_test(s8_3_responses_that_are_ignored),
        cmocka_unit_test(s7_4_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
