/* STUN: RFC 8489's format, the test vectors of RFC 5769, the attributes of RFC 5780. */
#include "nodes/base/error.h"
#include "nodes/proto/stun.h"

#include "tests/cmocka.h"

static const uint8_t vector_id[STUN_ID] = {0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};

static const uint8_t request_2_1[] = {
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87,
    0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74, 0x20, 0x63, 0x6c,
    0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f,
    0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76,
    0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e,
    0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf};

static const uint8_t response_2_2[] = {
    0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9,
    0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b, 0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96};

static const uint8_t response_2_3[] = {
    0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf,
    0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x20, 0x00, 0x20,
    0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe,
    0xd2, 0xb9, 0xd9, 0x00, 0x08, 0x00, 0x14, 0xa3, 0x82, 0x95, 0x4e, 0x4b, 0xe6, 0x7b, 0xf1, 0x17, 0x84, 0xc9, 0x7c,
    0x82, 0x92, 0xc2, 0x75, 0xbf, 0xe3, 0xed, 0x41, 0x80, 0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b, 0x4c};

static const uint8_t request_2_4[] = {
    0x00, 0x01, 0x00, 0x60, 0x21, 0x12, 0xa4, 0x42, 0x78, 0xad, 0x34, 0x33, 0xc6, 0xad, 0x72, 0xc0, 0x29,
    0xda, 0x41, 0x2e, 0x00, 0x06, 0x00, 0x12, 0xe3, 0x83, 0x9e, 0xe3, 0x83, 0x88, 0xe3, 0x83, 0xaa, 0xe3,
    0x83, 0x83, 0xe3, 0x82, 0xaf, 0xe3, 0x82, 0xb9, 0x00, 0x00, 0x00, 0x15, 0x00, 0x1c, 0x66, 0x2f, 0x2f,
    0x34, 0x39, 0x39, 0x6b, 0x39, 0x35, 0x34, 0x64, 0x36, 0x4f, 0x4c, 0x33, 0x34, 0x6f, 0x4c, 0x39, 0x46,
    0x53, 0x54, 0x76, 0x79, 0x36, 0x34, 0x73, 0x41, 0x00, 0x14, 0x00, 0x0b, 0x65, 0x78, 0x61, 0x6d, 0x70,
    0x6c, 0x65, 0x2e, 0x6f, 0x72, 0x67, 0x00, 0x00, 0x08, 0x00, 0x14, 0xf6, 0x70, 0x24, 0x65, 0x6d, 0xd6,
    0x4a, 0x3e, 0x02, 0xb8, 0xe0, 0x71, 0x2e, 0x85, 0xc9, 0xa2, 0x8c, 0xa8, 0x96, 0x66};

static struct stun_msg read(const uint8_t *bytes, size_t n, int expected)
{
    struct stun_msg msg;
    assert_int_equal(stun_parse(span_make(bytes, n), &msg), expected);
    return msg;
}

/* ---- RFC 5769 ---- */

static void vectors_5769_2_1(void **state)
{
    (void)state;
    struct stun_msg msg = read(request_2_1, sizeof request_2_1, 0);
    assert_int_equal(msg.class, STUN_REQUEST);
    assert_int_equal(msg.method, STUN_BINDING);
    assert_memory_equal(msg.id.bytes, vector_id, STUN_ID);
    assert_true(span_is(msg.software, "STUN test client"));
    assert_true(msg.fingerprint);
    assert_int_equal(msg.unknown_n, 1); /* ICE's PRIORITY; ICE-CONTROLLED may be ignored */
    assert_int_equal(msg.unknown[0], 0x0024);
}

static void vectors_5769_2_2(void **state)
{
    (void)state;
    struct stun_msg msg = read(response_2_2, sizeof response_2_2, 0);
    assert_int_equal(msg.class, STUN_SUCCESS);
    assert_true(endpoint_equal(msg.xor_mapped, (struct endpoint){IPV4(192, 0, 2, 1), 32853}));
    assert_true(endpoint_equal(stun_public(&msg), msg.xor_mapped));
    assert_true(span_is(msg.software, "test vector"));
    assert_true(msg.fingerprint);
}

static void vectors_5769_2_3(void **state)
{
    (void)state;
    struct stun_msg msg = read(response_2_3, sizeof response_2_3, 0);
    assert_int_equal(msg.class, STUN_SUCCESS);
    assert_true(msg.fingerprint);
    assert_int_equal(stun_public(&msg).port, 0); /* IPv6: nothing that we could use */
}

static void vectors_5769_2_4(void **state)
{
    (void)state;
    struct stun_msg msg = read(request_2_4, sizeof request_2_4, 0);
    assert_int_equal(msg.class, STUN_REQUEST);
    assert_int_equal(msg.unknown_n, 0);
    assert_false(msg.fingerprint);
}

/* Every byte of a message with a fingerprint is covered: no single change goes unnoticed, but for the last bit of a
 * type that makes FINGERPRINT another attribute. */
static void fingerprint_14_7_covers_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof response_2_2; i++) {
        uint8_t bytes[sizeof response_2_2];
        struct stun_msg msg;
        memcpy(bytes, response_2_2, sizeof bytes);
        bytes[i] ^= 0x01;
        assert_true(stun_parse(span_make(bytes, sizeof bytes), &msg) != 0 || !msg.fingerprint);
    }
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct stun_msg msg;
    for (size_t n = 0; n < sizeof request_2_1; n++)
        assert_int_equal(stun_parse(span_make(request_2_1, n), &msg), FE_ESHORT);
}

/* ---- writing ---- */

static const struct stun_id id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    uint8_t room[256];
    struct stun_writer w;
    struct stun_msg msg;
    struct endpoint a = {IPV4(203, 0, 113, 7), 40001};
    struct endpoint b = {IPV4(198, 51, 100, 9), 3479};
    stun_begin(&w, room, sizeof room, STUN_SUCCESS, &id);
    stun_put_endpoint(&w, STUN_MAPPED_ADDRESS, a);
    stun_put_endpoint(&w, STUN_XOR_MAPPED_ADDRESS, a);
    stun_put_endpoint(&w, STUN_RESPONSE_ORIGIN, b);
    stun_put_endpoint(&w, STUN_OTHER_ADDRESS, b);
    stun_put_software(&w, SPAN("farend"));
    stun_put_padding(&w, 33);
    stun_put_fingerprint(&w);
    assert_int_equal(stun_parse(stun_end(&w), &msg), 0);
    assert_int_equal(msg.class, STUN_SUCCESS);
    assert_true(stun_id_equal(&msg.id, &id));
    assert_true(endpoint_equal(msg.mapped, a) && endpoint_equal(msg.xor_mapped, a));
    assert_true(endpoint_equal(msg.origin, b) && endpoint_equal(msg.other, b));
    assert_true(span_is(msg.software, "farend"));
    assert_true(msg.padding && msg.fingerprint);
}

static void requests_5780_7_2_and_7_5(void **state)
{
    (void)state;
    uint8_t room[64];
    struct stun_writer w;
    struct stun_msg msg;
    stun_begin(&w, room, sizeof room, STUN_REQUEST, &id);
    stun_put_change(&w, STUN_CHANGE_ADDR | STUN_CHANGE_PORT);
    stun_put_response_port(&w, 40001);
    assert_int_equal(stun_parse(stun_end(&w), &msg), 0);
    assert_int_equal(msg.change, STUN_CHANGE_ADDR | STUN_CHANGE_PORT);
    assert_int_equal(msg.response_port, 40001);
    assert_int_equal(stun_end(&w).n, 20 + 8 + 8);
}

static void errors_14_8(void **state)
{
    (void)state;
    static const uint16_t unknown[] = {0x0024, 0x7fff, 0x0005};
    uint8_t room[128];
    struct stun_writer w;
    struct stun_msg msg;
    stun_begin(&w, room, sizeof room, STUN_ERROR, &id);
    stun_put_error(&w, 420, SPAN("Unknown Attribute"));
    stun_put_unknown(&w, unknown, 3);
    assert_int_equal(stun_parse(stun_end(&w), &msg), 0);
    assert_int_equal(msg.class, STUN_ERROR);
    assert_int_equal(msg.error, 420);
    assert_true(span_is(msg.reason, "Unknown Attribute"));
}

static void a_writer_never_leaves_its_room(void **state)
{
    (void)state;
    for (size_t cap = 0; cap < 64; cap++) {
        uint8_t room[65];
        struct stun_writer w;
        memset(room, 0xee, sizeof room);
        stun_begin(&w, room, cap, STUN_REQUEST, &id);
        stun_put_software(&w, SPAN("a name of 21 bytes ..")); /* 20 + 4 + 24 */
        stun_put_fingerprint(&w);
        assert_int_equal(stun_end(&w).n, cap < 56 ? 0 : 56);
        for (size_t i = cap; i < sizeof room; i++)
            assert_int_equal(room[i], 0xee);
    }
}

/* ---- what is refused ---- */

static int parsed(uint8_t first, uint8_t length, const char *attributes, size_t n)
{
    uint8_t bytes[128] = {first, 1, 0, length, 0x21, 0x12, 0xa4, 0x42};
    struct stun_msg msg;
    memcpy(bytes + STUN_HEADER, attributes, n);
    return stun_parse(span_make(bytes, STUN_HEADER + n), &msg);
}
#define PARSED(first, length, attributes) parsed(first, length, attributes, sizeof(attributes) - 1)

static void header_5(void **state)
{
    (void)state;
    assert_int_equal(PARSED(0, 0, ""), 0);
    assert_int_equal(PARSED(0x40, 0, ""), FE_ESYNTAX); /* the first two bits */
    assert_int_equal(PARSED(0, 2, "\0\0"), FE_ESYNTAX);
    assert_int_equal(PARSED(0, 0, "\0\0\0\0"), FE_ESYNTAX); /* bytes beyond the length */
    assert_int_equal(PARSED(0, 4, ""), FE_ESHORT);
}

static void attributes_14(void **state)
{
    (void)state;
    assert_int_equal(PARSED(0, 8,
                            "\x80\x22\x00\x05"
                            "1234"),
                     FE_ESYNTAX);                                                    /* longer than the message */
    assert_int_equal(PARSED(0, 8, "\x00\x03\x00\x03\0\0\0\0"), FE_ESYNTAX);          /* CHANGE-REQUEST */
    assert_int_equal(PARSED(0, 8, "\x00\x20\x00\x04\0\1\0\0"), FE_ESYNTAX);          /* half an address */
    assert_int_equal(PARSED(0, 12, "\x00\x20\x00\x08\0\3\0\0\0\0\0\0"), FE_ESYNTAX); /* of no family */
    assert_int_equal(PARSED(0, 8, "\x00\x09\x00\x04\0\0\7\0"), FE_ESYNTAX);          /* error 700 */
    assert_int_equal(PARSED(0, 8, "\x00\x09\x00\x04\0\0\4\x64"), FE_ESYNTAX);        /* error 4-100 */
    assert_int_equal(PARSED(0, 16, "\x80\x28\x00\x04\0\0\0\0\x80\x22\x00\x04name"), FE_ESYNTAX); /* not the last */
    assert_int_equal(PARSED(0, 8, "\x80\x28\x00\x04\0\0\0\0"), FE_ESYNTAX);                      /* a wrong one */
}

/* §14: the first of two; §14.5: nothing after MESSAGE-INTEGRITY. */
static void the_first_counts_14(void **state)
{
    (void)state;
    uint8_t room[128];
    struct stun_writer w;
    struct stun_msg msg;
    stun_begin(&w, room, sizeof room, STUN_SUCCESS, &id);
    stun_put_endpoint(&w, STUN_MAPPED_ADDRESS, (struct endpoint){IPV4(192, 0, 2, 1), 1});
    stun_put_endpoint(&w, STUN_MAPPED_ADDRESS, (struct endpoint){IPV4(192, 0, 2, 2), 2});
    assert_int_equal(stun_parse(stun_end(&w), &msg), 0);
    assert_int_equal(stun_public(&msg).port, 1);
    static const uint8_t sealed[] = {0x00, 0x01, 0x00, 0x24, 0x21, 0x12, 0xa4, 0x42, 0,    0,    0,   0, 0, 0, 0,
                                     0,    0,    0,    0,    0,    0x00, 0x08, 0x00, 0x14, 0,    0,   0, 0, 0, 0,
                                     0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,   0, 0, 0, 0x00,
                                     0x03, 0x00, 0x04, 0,    0,    0,    6,    0x7f, 0x00, 0x00, 0x00};
    assert_int_equal(stun_parse(span_make(sealed, sizeof sealed), &msg), 0);
    assert_int_equal(msg.change, 0);
    assert_int_equal(msg.unknown_n, 0);
}

static void told_from_sip_and_rtp(void **state)
{
    (void)state;
    assert_true(stun_is(span_make(request_2_1, sizeof request_2_1)));
    assert_false(stun_is(SPAN("REGISTER sip:lab.example SIP/2.0\r\n")));
    assert_false(stun_is(SPAN("\x80\x00\x00\x01\x21\x12\xa4\x42 and so on, as RTP")));
    assert_false(stun_is(SPAN("\r\n\r\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_5769_2_1),
        cmocka_unit_test(vectors_5769_2_2),
        cmocka_unit_test(vectors_5769_2_3),
        cmocka_unit_test(vectors_5769_2_4),
        cmocka_unit_test(fingerprint_14_7_covers_every_byte),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(requests_5780_7_2_and_7_5),
        cmocka_unit_test(errors_14_8),
        cmocka_unit_test(a_writer_never_leaves_its_room),
        cmocka_unit_test(header_5),
        cmocka_unit_test(attributes_14),
        cmocka_unit_test(the_first_counts_14),
        cmocka_unit_test(told_from_sip_and_rtp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
