/* RTP header, source statistics and RTCP (RFC 3550). */
#include "nodes/base/error.h"
#include "nodes/proto/rtcp.h"
#include "nodes/proto/rtp.h"
#include "nodes/proto/rtp_source.h"

#include "tests/cmocka.h"

static struct rtp_view parsed(const char *bytes, size_t n, int expected)
{
    struct rtp_view v = {0};
    assert_int_equal(rtp_parse(span_make(bytes, n), &v), expected);
    return v;
}

#define BYTES(text) (text), sizeof(text) - 1

/* ---- 5.1 ---- */

static void header_5_1(void **state)
{
    (void)state;
    struct rtp_view v = parsed(BYTES("\x80\x88\x12\x34\x00\x01\x00\x02\xde\xad\xbe\xefvoice"), 0);
    assert_true(v.marker);
    assert_int_equal(v.type, RTP_PCMA);
    assert_int_equal(v.seq, 0x1234);
    assert_int_equal(v.stamp, 0x00010002);
    assert_int_equal(v.ssrc, 0xdeadbeef);
    assert_true(span_is(v.payload, "voice"));
    assert_null(v.extension.p);
}

static void build_is_the_inverse_of_parse(void **state)
{
    (void)state;
    uint8_t bytes[RTP_HEADER];
    struct rtp_header h = {.marker = true, .type = 96, .seq = 65535, .stamp = 0x80000000, .ssrc = 7};
    rtp_put_header(bytes, &h);
    struct rtp_view v = parsed((const char *)bytes, sizeof bytes, 0);
    assert_true(v.marker);
    assert_int_equal(v.type, 96);
    assert_int_equal(v.seq, 65535);
    assert_int_equal(v.stamp, 0x80000000);
    assert_int_equal(v.ssrc, 7);
    assert_int_equal(v.payload.n, 0);
}

static void contributing_sources_extension_and_padding(void **state)
{
    (void)state;
    struct rtp_view v = parsed(BYTES("\xb1\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"
                                     "CSRC\xbe\xde\x00\x01"
                                     "EXT1"
                                     "pay\x00\x02"),
                               0);
    assert_int_equal(v.csrc_n, 1);
    assert_true(span_is(v.csrc, "CSRC"));
    assert_int_equal(v.profile, 0xbede);
    assert_true(span_is(v.extension, "EXT1"));
    assert_true(span_is(v.payload, "pay"));
}

static void broken_headers_are_refused(void **state)
{
    (void)state;
    parsed(BYTES("\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"), FE_ESHORT);
    parsed(BYTES("\x40\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"), FE_ESYNTAX); /* version 1 */
    parsed(BYTES("\x8f\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"
                 "1234"),
           FE_ESHORT);                                                                            /* 15 sources */
    parsed(BYTES("\x90\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01"), FE_ESHORT); /* extension */
    parsed(BYTES("\xa0\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"), FE_ESYNTAX); /* padding of nothing */
    parsed(BYTES("\xa0\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"
                 "a\x00"),
           FE_ESYNTAX); /* of 0 bytes */
    parsed(BYTES("\xa0\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"
                 "a\x03"),
           FE_ESYNTAX);                                                            /* of too many */
    parsed(BYTES("\x80\xc8\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"), FE_ESYNTAX); /* an RTCP SR */
}

/* ---- A.1, A.3 ---- */

static void lost_packets_are_the_gaps_A_3(void **state)
{
    (void)state;
    struct rtp_source s;
    rtp_source_init(&s, 0);
    assert_int_equal(rtp_source_expected(&s), 0);
    const uint16_t seqs[] = {10, 11, 13, 14, 17};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(rtp_source_packet(&s, seqs[i]), RTP_SEQ_NEW);
    assert_int_equal(rtp_source_expected(&s), 8);
    assert_int_equal(s.received, 5);
    assert_int_equal(rtp_source_lost(&s), 3);
    assert_int_equal(rtp_source_fraction(&s), 3 * 256 / 8);
    assert_int_equal(rtp_source_fraction(&s), 0);
}

static void numbers_wrap_A_1(void **state)
{
    (void)state;
    struct rtp_source s;
    rtp_source_init(&s, 0);
    for (uint32_t i = 65530; i < 65546; i++)
        assert_int_equal(rtp_source_packet(&s, (uint16_t)i), RTP_SEQ_NEW);
    assert_int_equal(rtp_source_expected(&s), 16);
    assert_int_equal(rtp_source_highest(&s), 65545);
    assert_int_equal(rtp_source_lost(&s), 0);
}

static void overtaken_packets_count_and_repeated_ones_do_not(void **state)
{
    (void)state;
    struct rtp_source s;
    rtp_source_init(&s, 0);
    rtp_source_packet(&s, 5);
    rtp_source_packet(&s, 7);
    assert_int_equal(rtp_source_packet(&s, 6), RTP_SEQ_NEW);
    assert_int_equal(rtp_source_packet(&s, 6), RTP_SEQ_DUPLICATE);
    assert_int_equal(rtp_source_packet(&s, 7), RTP_SEQ_DUPLICATE);
    assert_int_equal(rtp_source_packet(&s, 4), RTP_SEQ_NEW); /* overtaken by the very first */
    assert_int_equal(rtp_source_expected(&s), 4);
    assert_int_equal(s.received, 4);
}

static void strangers_are_on_probation_A_1(void **state)
{
    (void)state;
    struct rtp_source s;
    rtp_source_init(&s, 2);
    assert_int_equal(rtp_source_packet(&s, 100), RTP_SEQ_PROBATION);
    assert_int_equal(rtp_source_packet(&s, 200), RTP_SEQ_PROBATION);
    assert_int_equal(rtp_source_expected(&s), 0);
    assert_int_equal(rtp_source_packet(&s, 201), RTP_SEQ_PROBATION);
    assert_int_equal(rtp_source_packet(&s, 202), RTP_SEQ_NEW);
    assert_int_equal(rtp_source_expected(&s), 1);
}

static void a_jump_is_believed_when_the_next_packet_follows_A_1(void **state)
{
    (void)state;
    struct rtp_source s;
    rtp_source_init(&s, 0);
    rtp_source_packet(&s, 1);
    assert_int_equal(rtp_source_packet(&s, 30000), RTP_SEQ_JUMP);
    assert_int_equal(rtp_source_packet(&s, 2), RTP_SEQ_NEW);
    assert_int_equal(rtp_source_packet(&s, 40000), RTP_SEQ_JUMP);
    assert_int_equal(rtp_source_packet(&s, 40001), RTP_SEQ_RESTART);
    assert_int_equal(rtp_source_expected(&s), 2); /* the counts are still there to be taken */
}

/* ---- A.8 ---- */

static void a_steady_path_has_no_jitter_A_8(void **state)
{
    (void)state;
    struct rtp_source s;
    rtp_source_init(&s, 0);
    for (uint32_t i = 0; i < 50; i++)
        rtp_source_arrival(&s, 0xffffff00u + 160 * i, 8000, 3 * SEC + (lab_time)i * 20 * MS);
    assert_int_equal(rtp_source_jitter(&s), 0);
}

static void jitter_approaches_the_mean_difference_A_8(void **state)
{
    (void)state;
    struct rtp_source s;
    rtp_source_init(&s, 0);
    for (uint32_t i = 0; i < 500; i++)
        rtp_source_arrival(&s, 160 * i, 8000, (lab_time)i * 20 * MS + (i % 2 ? 4 * MS : 0));
    assert_in_range(rtp_source_jitter(&s), 4 * MS - US, 4 * MS);
}

/* ---- RTCP ---- */

static size_t compound(uint8_t *dst, size_t room)
{
    struct rtcp_sender sender = {.ssrc = 1, .ntp = rtcp_ntp(SEC), .stamp = 8000, .packets = 50, .octets = 8000};
    struct rtcp_block block = {.ssrc = 2, .fraction = 3, .lost = -4, .highest = 5, .jitter = 6, .lsr = 7, .dlsr = 8};
    size_t n = rtcp_put_sr(dst, room, &sender, &block);
    n += rtcp_put_cname(dst + n, room - n, 1, SPAN("101@192.168.1.20"));
    return n + rtcp_put_bye(dst + n, room - n, 1);
}

static void compound_6_1(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct span rest = span_make(bytes, compound(bytes, sizeof bytes));
    struct rtcp_packet packet;
    struct rtcp_sender sender;
    struct rtcp_block block;
    struct span cname;
    assert_int_equal(rtcp_check(rest), 0);
    assert_true(rtcp_next(&rest, &packet));
    assert_int_equal(rtcp_sender(&packet, &sender), 0);
    assert_int_equal(sender.ssrc, 1);
    assert_int_equal(rtcp_ntp_time(sender.ntp), SEC);
    assert_int_equal(sender.octets, 8000);
    assert_int_equal(rtcp_block(&packet, 0, &block), 0);
    assert_int_equal(block.lost, -4);
    assert_int_equal(block.dlsr, 8);
    assert_int_equal(rtcp_block(&packet, 1, &block), FE_ERANGE);
    assert_true(rtcp_next(&rest, &packet));
    assert_true(rtcp_cname(&packet, 1, &cname));
    assert_true(span_is(cname, "101@192.168.1.20"));
    assert_false(rtcp_cname(&packet, 2, &cname));
    assert_true(rtcp_next(&rest, &packet));
    assert_true(rtcp_bye_has(&packet, 1));
    assert_false(rtcp_bye_has(&packet, 2));
    assert_false(rtcp_next(&rest, &packet));
}

static int check(const char *bytes, size_t n)
{
    return rtcp_check(span_make(bytes, n));
}

static void validity_checks_A_2(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t n = compound(bytes, sizeof bytes);
    for (size_t cut = 1; cut < n; cut++)
        if (rtcp_check(span_make(bytes, cut)) == 0)
            assert_true(cut == 52 || cut == 52 + 28); /* whole packets are left */
    assert_int_equal(check(BYTES("\x80\xc9\x00")), FE_ESHORT);
    assert_int_equal(check(BYTES("\x80\xcb\x00\x01\x00\x00\x00\x01")), FE_ESYNTAX); /* BYE comes first */
    assert_int_equal(check(BYTES("\x40\xc9\x00\x01\x00\x00\x00\x01")), FE_ESYNTAX); /* version 1 */
    assert_int_equal(check(BYTES("\xa0\xc9\x00\x01\x00\x00\x00\x01")), FE_ESYNTAX); /* first one padded */
    assert_int_equal(check(BYTES("\x80\xc9\x00\x01\x00\x00\x00\x01\xa1\xcb\x00\x02\x00\x00\x00\x01\x00\x00\x00\x04")),
                     0);
    assert_int_equal(check(BYTES("\x80\xc9\x00\x01\x00\x00\x00\x01\xa1\xcb\x00\x02\x00\x00\x00\x01\x00\x00\x00\x0c")),
                     FE_ESYNTAX);
}

static void ntp_time_comes_back_exactly(void **state)
{
    (void)state;
    const lab_time times[] = {0, 1, 20 * MS, 999999999, 3 * HOUR + 7, 400 * 24 * HOUR + 123456789};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        assert_int_equal(rtcp_ntp_time(rtcp_ntp(times[i])), times[i]);
}

static void builders_never_write_past_their_room(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct rtcp_sender sender = {0};
    assert_int_equal(rtcp_put_sr(bytes, 27, &sender, NULL), 0);
    assert_int_equal(rtcp_put_rr(bytes, 7, 1, NULL), 0);
    assert_int_equal(rtcp_put_bye(bytes, 7, 1), 0);
    assert_int_equal(rtcp_put_cname(bytes, 11, 1, SPAN("ab")), 0);
    assert_int_equal(rtcp_put_cname(bytes, 16, 1, SPAN("ab")), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_5_1),
        cmocka_unit_test(build_is_the_inverse_of_parse),
        cmocka_unit_test(contributing_sources_extension_and_padding),
        cmocka_unit_test(broken_headers_are_refused),
        cmocka_unit_test(lost_packets_are_the_gaps_A_3),
        cmocka_unit_test(numbers_wrap_A_1),
        cmocka_unit_test(overtaken_packets_count_and_repeated_ones_do_not),
        cmocka_unit_test(strangers_are_on_probation_A_1),
        cmocka_unit_test(a_jump_is_believed_when_the_next_packet_follows_A_1),
        cmocka_unit_test(a_steady_path_has_no_jitter_A_8),
        cmocka_unit_test(jitter_approaches_the_mean_difference_A_8),
        cmocka_unit_test(compound_6_1),
        cmocka_unit_test(validity_checks_A_2),
        cmocka_unit_test(ntp_time_comes_back_exactly),
        cmocka_unit_test(builders_never_write_past_their_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
