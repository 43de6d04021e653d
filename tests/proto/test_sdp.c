/* Session descriptions: parse, edit, offer and answer (RFC 4566, RFC 3264). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nodes/proto/sdp.h"

static struct sdp sdp;
static struct sdp_edit edit;
static char buffer[2048];
static struct text out;

#define assert_span_equal(span, text) assert_true(span_is((span), (text)))

#define HEAD "v=0\r\no=alice 28908 7 IN IP4 192.168.1.20\r\ns=-\r\n"
#define CONN "c=IN IP4 192.168.1.20\r\n"
#define TIME "t=0 0\r\n"

static void parse(const char *text)
{
    assert_int_equal(sdp_parse(span_of(text), &sdp, NULL), 0);
}

static void assert_edited(const char *expected)
{
    out = text_on(buffer, sizeof buffer);
    assert_int_equal(sdp_edit_write(&edit, &out), 0);
    assert_string_equal(buffer, expected);
}

/* ---- parsing ---- */

static void test_all_that_is_understood(void **state)
{
    (void)state;
    parse(HEAD "i=info\r\n" CONN TIME "a=tool:x\r\n"
               "m=audio 3000 RTP/AVP 8 0 101\r\n"
               "a=rtpmap:101 telephone-event/8000\r\n"
               "a=fmtp:101 0-15\r\n"
               "a=ptime:20\r\n"
               "a=sendonly\r\n"
               "a=rtcp:3005\r\n"
               "m=video 4000/2 RTP/SAVP 96\r\n"
               "c=IN IP4 224.2.1.1/127/3\r\n"
               "a=rtcp-mux\r\n");
    assert_span_equal(sdp.origin_user, "alice");
    assert_int_equal(sdp.origin_version, 7);
    assert_span_equal(sdp.origin_addr, "192.168.1.20");
    assert_int_equal(sdp.n_media, 2);
    assert_true(endpoint_equal(sdp_rtp(&sdp.media[0]), (struct endpoint){IPV4(192, 168, 1, 20), 3000}));
    assert_true(endpoint_equal(sdp_rtcp(&sdp.media[0]), (struct endpoint){IPV4(192, 168, 1, 20), 3005}));
    assert_int_equal(sdp.media[0].ptime, 20);
    assert_int_equal(sdp.media[0].direction, SDP_SENDONLY);
    assert_true(endpoint_equal(sdp_rtcp(&sdp.media[1]), (struct endpoint){IPV4(224, 2, 1, 1), 4000}));
    assert_int_equal(sdp.media[1].direction, SDP_SENDRECV);
    assert_int_equal(sdp.media[1].type, SDP_VIDEO);
}

static void test_formats_and_codecs(void **state)
{
    (void)state;
    parse(HEAD CONN TIME "m=audio 3000 RTP/AVP 8 96 97 101\r\n"
                         "a=rtpmap:96 opus/48000/2\r\n"
                         "a=rtpmap:101 telephone-event/8000\r\n"
                         "a=fmtp:101 0-15\r\n");
    struct span formats = sdp.media[0].formats;
    struct sdp_codec codec;
    uint8_t payload_type;
    assert_true(sdp_format_next(&formats, &payload_type));
    assert_true(sdp_codec(&sdp.media[0], payload_type, &codec));
    assert_span_equal(codec.name, "PCMA");
    assert_true(sdp_format_next(&formats, &payload_type));
    assert_true(sdp_codec(&sdp.media[0], payload_type, &codec));
    assert_int_equal(codec.clock, 48000);
    assert_int_equal(codec.channels, 2);
    assert_true(sdp_format_next(&formats, &payload_type));
    assert_false(sdp_codec(&sdp.media[0], payload_type, &codec));
    assert_true(sdp_format_next(&formats, &payload_type));
    assert_true(sdp_codec(&sdp.media[0], payload_type, &codec));
    assert_span_equal(codec.fmtp, "0-15");
    assert_false(sdp_format_next(&formats, &payload_type));
}

static void test_three_ways_to_hold(void **state)
{
    (void)state;
    parse(HEAD CONN TIME "m=audio 3000 RTP/AVP 8\r\n");
    assert_false(sdp_on_hold(&sdp.media[0]));
    parse(HEAD CONN TIME "m=audio 3000 RTP/AVP 8\r\na=sendonly\r\n");
    assert_true(sdp_on_hold(&sdp.media[0]));
    parse(HEAD CONN TIME "a=inactive\r\nm=audio 3000 RTP/AVP 8\r\n");
    assert_true(sdp_on_hold(&sdp.media[0]));
    parse(HEAD "c=IN IP4 0.0.0.0\r\n" TIME "m=audio 3000 RTP/AVP 8\r\n");
    assert_true(sdp_on_hold(&sdp.media[0]));
}

static void test_line_feeds_alone_and_no_end_at_the_end(void **state)
{
    (void)state;
    parse("v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\nc=IN IP4 10.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\na=recvonly");
    assert_int_equal(sdp.media[0].direction, SDP_RECVONLY);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
    } cases[] = {
        {"", FE_ESYNTAX},
        {"v=0\r\n", FE_ESYNTAX},
        {"v=1\r\no=- 1 1 IN IP4 1.1.1.1\r\ns=-\r\n", FE_ESYNTAX},
        {"v=0\r\ns=-\r\no=- 1 1 IN IP4 1.1.1.1\r\n", FE_ESYNTAX},
        {"v=0\r\no=- 1 x IN IP4 1.1.1.1\r\ns=-\r\n", FE_ESYNTAX},
        {HEAD "\r\n", FE_ESYNTAX},
        {HEAD "c=IN IP4\r\n", FE_ESYNTAX},
        {HEAD TIME "m=audio 3000 RTP/AVP 8\r\n", FE_ESYNTAX},
        {HEAD CONN TIME "m=audio 3000 RTP/AVP\r\n", FE_ESYNTAX},
        {HEAD CONN TIME "m=audio 65536 RTP/AVP 8\r\n", FE_ERANGE},
        {HEAD CONN TIME "m=audio -1 RTP/AVP 8\r\n", FE_ESYNTAX},
        {HEAD CONN TIME "m=audio 1 RTP/AVP 8\r\na=rtcp:70000\r\n", FE_ERANGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(sdp_parse(span_of(cases[i].text), &sdp, NULL), cases[i].error);
}

static void test_an_error_has_its_offset(void **state)
{
    (void)state;
    size_t offset;
    assert_int_equal(sdp_parse(SPAN(HEAD "bad\r\n" TIME), &sdp, &offset), FE_ESYNTAX);
    assert_int_equal(offset, sizeof HEAD - 1);
}

/* ---- editing ---- */

static void test_relay_replaces_addresses_and_ports_only(void **state)
{
    (void)state;
    parse(HEAD CONN TIME "a=x-192.168.1.20\r\n"
                         "m=audio 3000 RTP/AVP 8\r\n"
                         "a=rtcp:3001 IN IP4 192.168.1.20\r\n"
                         "m=video 4000/2 RTP/AVP 31\r\nc=IN IP4 192.168.1.21/127\r\n");
    sdp_edit_begin(&edit, &sdp);
    sdp_edit_media(&edit, 0, (struct endpoint){IPV4(203, 0, 113, 10), 20000});
    sdp_edit_media(&edit, 1, (struct endpoint){IPV4(203, 0, 113, 11), 20002});
    sdp_edit_origin(&edit, IPV4(203, 0, 113, 10));
    assert_edited("v=0\r\no=alice 28908 7 IN IP4 203.0.113.10\r\ns=-\r\n"
                  "c=IN IP4 203.0.113.10\r\n" TIME "a=x-192.168.1.20\r\n"
                  "m=audio 20000 RTP/AVP 8\r\n"
                  "a=rtcp:20001 IN IP4 203.0.113.10\r\n"
                  "m=video 20002/2 RTP/AVP 31\r\nc=IN IP4 203.0.113.11/127\r\n");
}

static void test_hold_and_refusal_stay(void **state)
{
    (void)state;
    static const char text[] = HEAD "c=IN IP4 0.0.0.0\r\n" TIME "m=audio 0 RTP/AVP 8\r\na=rtcp:9\r\n";
    parse(text);
    sdp_edit_begin(&edit, &sdp);
    sdp_edit_media(&edit, 0, (struct endpoint){IPV4(203, 0, 113, 10), 20000});
    assert_edited(text);
}

static void test_attributes_are_stripped_line_by_line(void **state)
{
    (void)state;
    parse(HEAD CONN TIME "a=ice-ufrag:x\r\nm=audio 3000 RTP/AVP 8\r\n"
                         "a=candidate:1\r\na=candidate:2\r\na=sendrecv\r\na=candidate:3\r\n");
    sdp_edit_begin(&edit, &sdp);
    sdp_edit_strip(&edit, "candidate");
    sdp_edit_strip(&edit, "ice-ufrag");
    sdp_edit_refuse(&edit, 0);
    assert_edited(HEAD CONN TIME "m=audio 0 RTP/AVP 8\r\na=sendrecv\r\n");
}

/* ---- offer and answer ---- */

static struct sdp_local local_phone(void)
{
    return (struct sdp_local){
        .id = 5,
        .version = 6,
        .at = {IPV4(10, 0, 1, 31), 3000},
        .ptime = 20,
        .n_codecs = 3,
        .codecs =
            {
                {.payload_type = 8, .name = SPAN("PCMA"), .clock = 8000, .channels = 1},
                {.payload_type = 0, .name = SPAN("PCMU"), .clock = 8000, .channels = 1},
                {.payload_type = 101,
                 .name = SPAN("telephone-event"),
                 .clock = 8000,
                 .channels = 1,
                 .fmtp = SPAN("0-15")},
            },
    };
}

#define LOCAL_HEAD "v=0\r\no=- 5 6 IN IP4 10.0.1.31\r\ns=-\r\nc=IN IP4 10.0.1.31\r\nt=0 0\r\n"

static void test_offer(void **state)
{
    (void)state;
    const struct sdp_local local = local_phone();
    out = text_on(buffer, sizeof buffer);
    sdp_write_offer(&out, &local);
    assert_string_equal(buffer, LOCAL_HEAD "m=audio 3000 RTP/AVP 8 0 101\r\n"
                                           "a=rtpmap:8 PCMA/8000\r\n"
                                           "a=rtpmap:0 PCMU/8000\r\n"
                                           "a=rtpmap:101 telephone-event/8000\r\n"
                                           "a=fmtp:101 0-15\r\n"
                                           "a=ptime:20\r\n"
                                           "a=sendrecv\r\n");
}

static void test_rfc3264_6_answer_takes_what_both_can(void **state)
{
    (void)state;
    const struct sdp_local local = local_phone();
    struct sdp_codec chosen;
    size_t stream;
    parse(HEAD CONN TIME "m=video 4000 RTP/AVP 31\r\n"
                         "m=audio 5000 RTP/SAVP 8\r\n"
                         "m=audio 6000 RTP/AVP 9 96 0 8\r\n"
                         "a=rtpmap:96 TELEPHONE-EVENT/8000\r\n"
                         "a=sendonly\r\n");
    out = text_on(buffer, sizeof buffer);
    assert_int_equal(sdp_write_answer(&out, &local, &sdp, &chosen, &stream), 0);
    assert_string_equal(buffer, LOCAL_HEAD "m=video 0 RTP/AVP 31\r\n"
                                           "m=audio 0 RTP/SAVP 8\r\n"
                                           "m=audio 3000 RTP/AVP 96 0 8\r\n"
                                           "a=rtpmap:96 TELEPHONE-EVENT/8000\r\n"
                                           "a=fmtp:96 0-15\r\n"
                                           "a=rtpmap:0 PCMU/8000\r\n"
                                           "a=rtpmap:8 PCMA/8000\r\n"
                                           "a=ptime:20\r\n"
                                           "a=recvonly\r\n");
    assert_int_equal(stream, 2);
    assert_span_equal(chosen.name, "PCMU");
}

static void test_nothing_in_common_is_refused(void **state)
{
    (void)state;
    const struct sdp_local local = local_phone();
    parse(HEAD CONN TIME "m=audio 6000 RTP/AVP 9 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    out = text_on(buffer, sizeof buffer);
    assert_int_equal(sdp_write_answer(&out, &local, &sdp, NULL, NULL), FE_EREFUSED);
    assert_int_equal(out.n, 0);
}

static void test_rfc3264_6_1_directions(void **state)
{
    (void)state;
    static const struct {
        enum sdp_direction wish;
        const char *offer;
        const char *answer;
    } cases[] = {
        {SDP_SENDRECV, "sendrecv", "sendrecv"}, {SDP_SENDRECV, "sendonly", "recvonly"},
        {SDP_SENDRECV, "recvonly", "sendonly"}, {SDP_SENDRECV, "inactive", "inactive"},
        {SDP_SENDONLY, "sendrecv", "sendonly"}, {SDP_SENDONLY, "sendonly", "inactive"},
        {SDP_RECVONLY, "recvonly", "inactive"}, {SDP_INACTIVE, "sendrecv", "inactive"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct sdp answer;
        struct sdp_local local = local_phone();
        char offer[512];
        struct text t = text_on(offer, sizeof offer);
        text_str(&t, HEAD CONN TIME "m=audio 6000 RTP/AVP 8\r\na=");
        text_str(&t, cases[i].offer);
        text_str(&t, "\r\n");
        parse(offer);
        local.direction = cases[i].wish;
        out = text_on(buffer, sizeof buffer);
        assert_int_equal(sdp_write_answer(&out, &local, &sdp, NULL, NULL), 0);
        assert_int_equal(sdp_parse(text_span(&out), &answer, NULL), 0);
        assert_span_equal(sdp_direction_name(answer.media[0].direction), cases[i].answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_is_understood),
        cmocka_unit_test(test_formats_and_codecs),
        cmocka_unit_test(test_three_ways_to_hold),
        cmocka_unit_test(test_line_feeds_alone_and_no_end_at_the_end),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_an_error_has_its_offset),
        cmocka_unit_test(test_relay_replaces_addresses_and_ports_only),
        cmocka_unit_test(test_hold_and_refusal_stay),
        cmocka_unit_test(test_attributes_are_stripped_line_by_line),
        cmocka_unit_test(test_offer),
        cmocka_unit_test(test_rfc3264_6_answer_takes_what_both_can),
        cmocka_unit_test(test_nothing_in_common_is_refused),
        cmocka_unit_test(test_rfc3264_6_1_directions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
