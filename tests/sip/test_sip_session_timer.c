/* RFC 4028, section by section: the header fields, both roles of a user agent, and a proxy. */
#include "nodes/proto/sip_build.h"
#include "nodes/sip/sip_session_proxy.h"
#include "nodes/sip/sip_session_timer.h"

#include "tests/cmocka.h"

#include <string.h>

#define COMMON                                                                                                         \
    "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1\r\nFrom: <sip:101@a.example>;tag=1\r\nTo: <sip:102@a.example>\r\n" \
    "Call-ID: 1\r\nCSeq: 1 INVITE\r\n"

/* A message with these header lines; it lives until the next one of its kind. */
static const struct sip_msg *parsed(const char *start, const char *headers, char *room, size_t cap, struct sip_msg *msg)
{
    struct text t = text_on(room, cap);
    text_str(&t, start);
    text_str(&t, COMMON);
    text_str(&t, headers);
    text_str(&t, "Content-Length: 0\r\n\r\n");
    assert_true(text_ok(&t));
    assert_int_equal(sip_parse(text_span(&t), msg, NULL), 0);
    return msg;
}

static const struct sip_msg *request(const char *headers)
{
    static char room[1024];
    static struct sip_msg msg;
    return parsed("INVITE sip:102@a.example SIP/2.0\r\n", headers, room, sizeof room, &msg);
}

static const struct sip_msg *response(const char *start, const char *headers)
{
    static char room[1024];
    static struct sip_msg msg;
    return parsed(start, headers, room, sizeof room, &msg);
}

#define OK        "SIP/2.0 200 OK\r\n"
#define TOO_SMALL "SIP/2.0 422 Session Interval Too Small\r\n"

static struct sip_session_timer timer_of(uint32_t interval, uint32_t least, enum sip_refresher refresher)
{
    struct sip_session_timer t;
    sip_session_timer_init(&t, &(struct sip_session_config){interval, least, refresher});
    return t;
}

static void assert_asks(const struct sip_session_timer *t, const char *lines)
{
    char room[SIP_SESSION_HEADERS];
    struct text out = text_on(room, sizeof room);
    sip_session_timer_ask(t, &out);
    assert_true(text_ok(&out));
    assert_string_equal(out.n ? room : "", lines);
}

static void assert_grants(struct sip_session_timer *t, const char *headers, lab_time now, const char *lines)
{
    char room[SIP_SESSION_HEADERS];
    struct text out = text_on(room, sizeof room);
    sip_session_timer_grant(t, request(headers), now, &out);
    assert_true(text_ok(&out));
    assert_string_equal(out.n ? room : "", lines);
}

/* ---- 4, 5: the header fields ---- */

static void section_4_session_expires_and_its_compact_form(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        struct sip_session_fields is;
    } rows[] = {
        {"", {false, 0, SIP_REFRESHER_OPEN, 0}},
        {"Session-Expires: 4000;refresher=uac\r\n", {false, 4000, SIP_REFRESHER_UAC, 0}},
        {"x: 4000 ; refresher = UAS\r\n", {false, 4000, SIP_REFRESHER_UAS, 0}},
        {"Session-Expires: 90;refresher=me;more\r\n", {false, 90, SIP_REFRESHER_OPEN, 0}},
        {"Session-Expires: soon\r\n", {false, 0, SIP_REFRESHER_OPEN, 0}},
        {"Supported: 100rel, Timer\r\nMin-SE: 3600;x=1\r\n", {true, 0, SIP_REFRESHER_OPEN, 3600}},
        {"k: timer\r\nMin-SE: many\r\n", {true, 0, SIP_REFRESHER_OPEN, 0}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sip_session_fields f;
        sip_session_fields_read(request(rows[i].headers), &f);
        assert_int_equal(f.supported, rows[i].is.supported);
        assert_int_equal(f.interval, rows[i].is.interval);
        assert_int_equal(f.refresher, rows[i].is.refresher);
        assert_int_equal(f.least, rows[i].is.least);
    }
}

static void section_5_nothing_is_shorter_than_90_s(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(30, 10, SIP_REFRESHER_OPEN);
    assert_asks(&t, "Supported: timer\r\nSession-Expires: 90\r\n");
}

static void section_5_min_se_is_the_largest_that_was_demanded(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(1800, 120, SIP_REFRESHER_OPEN);
    assert_asks(&t, "Supported: timer\r\nSession-Expires: 1800\r\nMin-SE: 120\r\n");
    assert_grants(&t, "Supported: timer\r\nSession-Expires: 2000;refresher=uac\r\nMin-SE: 700\r\n", 0,
                  "Require: timer\r\nSupported: timer\r\nSession-Expires: 1800;refresher=uac\r\n");
    assert_asks(&t, "Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\nMin-SE: 700\r\n");
}

/* ---- 7: UAC ---- */

static void section_7_1_without_session_timers_nothing_is_said(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(0, 90, SIP_REFRESHER_UAC);
    assert_asks(&t, "");
    assert_grants(&t, "Supported: timer\r\nSession-Expires: 200\r\n", 0, "");
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 200;refresher=uac\r\n"), 0);
    assert_int_equal(sip_session_timer_deadline(&t), NEVER);
    assert_false(sip_session_timer_raised(&t, response(TOO_SMALL, "Min-SE: 500\r\n")));
}

static void section_7_1_the_refresher_is_left_open_unless_set(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(1800, 90, SIP_REFRESHER_OPEN);
    assert_asks(&t, "Supported: timer\r\nSession-Expires: 1800\r\n");
    t = timer_of(1800, 90, SIP_REFRESHER_UAC);
    assert_asks(&t, "Supported: timer\r\nSession-Expires: 1800;refresher=uac\r\n");
    t = timer_of(1800, 90, SIP_REFRESHER_UAS);
    assert_asks(&t, "Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\n");
}

static void section_7_2_the_response_says_who_refreshes_and_how_often(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(1800, 90, SIP_REFRESHER_OPEN);
    sip_session_timer_confirmed(&t, response(OK, "Require: timer\r\nSession-Expires: 600;refresher=uac\r\n"), 10 * SEC);
    assert_int_equal(t.state, SIP_SESSION_OURS);
    assert_int_equal(sip_session_timer_deadline(&t), 310 * SEC);
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 600;refresher=uas\r\n"), 10 * SEC);
    assert_int_equal(t.state, SIP_SESSION_THEIRS);
    assert_int_equal(sip_session_timer_deadline(&t), 10 * SEC + 600 * SEC - 32 * SEC);
}

static void section_7_2_a_uas_that_knows_nothing_is_refreshed_by_the_uac(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(200, 90, SIP_REFRESHER_UAS);
    sip_session_timer_confirmed(&t, response(OK, ""), 0);
    assert_int_equal(t.state, SIP_SESSION_OURS);
    assert_int_equal(t.interval, 200);
    assert_asks(&t, "Supported: timer\r\nSession-Expires: 200;refresher=uac\r\n");
}

static void section_7_3_after_a_422_the_interval_is_what_it_demands(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(100, 90, SIP_REFRESHER_OPEN);
    assert_true(sip_session_timer_raised(&t, response(TOO_SMALL, "Min-SE: 300\r\n")));
    assert_asks(&t, "Supported: timer\r\nSession-Expires: 300\r\nMin-SE: 300\r\n");
    assert_true(sip_session_timer_raised(&t, response(TOO_SMALL, "Min-SE: 301\r\n"))); /* the next hop wants more */
    assert_asks(&t, "Supported: timer\r\nSession-Expires: 301\r\nMin-SE: 301\r\n");
}

static void section_7_3_a_422_that_demands_nothing_more_is_a_refusal(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(100, 90, SIP_REFRESHER_OPEN);
    assert_false(sip_session_timer_raised(&t, response(TOO_SMALL, "")));
    assert_false(sip_session_timer_raised(&t, response(TOO_SMALL, "Min-SE: 100\r\n")));
    assert_false(sip_session_timer_raised(&t, response("SIP/2.0 486 Busy Here\r\n", "Min-SE: 200\r\n")));
    assert_asks(&t, "Supported: timer\r\nSession-Expires: 100\r\n");
}

static void section_7_4_who_refreshes_goes_on_to(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(1800, 90, SIP_REFRESHER_OPEN);
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 600;refresher=uac\r\n"), 0);
    assert_asks(&t, "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n");
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 600;refresher=uas\r\n"), 0);
    assert_asks(&t, "Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n");
}

/* ---- 9: UAS ---- */

static void section_9_an_interval_that_is_too_short_is_refused(void **state)
{
    (void)state;
    char room[SIP_SESSION_HEADERS];
    struct text headers = text_on(room, sizeof room);
    struct sip_session_timer t = timer_of(1800, 300, SIP_REFRESHER_OPEN);
    assert_true(sip_session_timer_refuses(&t, request("Supported: timer\r\nSession-Expires: 299\r\n"), &headers));
    assert_string_equal(room, "Min-SE: 300\r\n");
    assert_false(sip_session_timer_refuses(&t, request("Supported: timer\r\nSession-Expires: 300\r\n"), &headers));
    assert_false(sip_session_timer_refuses(&t, request("Supported: timer\r\n"), &headers));
}

static void section_9_a_uac_without_session_timers_is_never_refused(void **state)
{
    (void)state;
    char room[SIP_SESSION_HEADERS];
    struct text headers = text_on(room, sizeof room);
    struct sip_session_timer t = timer_of(1800, 300, SIP_REFRESHER_OPEN);
    assert_false(sip_session_timer_refuses(&t, request("Session-Expires: 60\r\n"), &headers));
    assert_grants(&t, "Session-Expires: 60\r\n", 0, "Supported: timer\r\nSession-Expires: 60;refresher=uas\r\n");
}

/* Table 2, and who it is then that refreshes. */
static void section_9_table_2(void **state)
{
    (void)state;
    static const struct {
        const char *request, *granted;
        enum sip_refresher choice;
        enum sip_session_state then;
    } rows[] = {
        {"Session-Expires: 600\r\n", "Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n", SIP_REFRESHER_OPEN,
         SIP_SESSION_OURS},
        {"Session-Expires: 600;refresher=uac\r\n", "Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n",
         SIP_REFRESHER_UAC, SIP_SESSION_OURS}, /* "NA": whoever does not know them does not refresh */
        {"Supported: timer\r\nSession-Expires: 600\r\n",
         "Require: timer\r\nSupported: timer\r\nSession-Expires: 600;refresher=uac\r\n", SIP_REFRESHER_OPEN,
         SIP_SESSION_THEIRS},
        {"Supported: timer\r\nSession-Expires: 600\r\n",
         "Require: timer\r\nSupported: timer\r\nSession-Expires: 600;refresher=uas\r\n", SIP_REFRESHER_UAS,
         SIP_SESSION_OURS},
        {"Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n",
         "Require: timer\r\nSupported: timer\r\nSession-Expires: 600;refresher=uac\r\n", SIP_REFRESHER_UAS,
         SIP_SESSION_THEIRS},
        {"Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n",
         "Require: timer\r\nSupported: timer\r\nSession-Expires: 600;refresher=uas\r\n", SIP_REFRESHER_UAC,
         SIP_SESSION_OURS},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sip_session_timer t = timer_of(1800, 90, rows[i].choice);
        assert_grants(&t, rows[i].request, 0, rows[i].granted);
        assert_int_equal(t.state, rows[i].then);
    }
}

static void section_9_the_interval_may_be_reduced_but_not_below_min_se(void **state)
{
    (void)state;
    static const struct {
        const char *request;
        uint32_t granted;
    } rows[] = {
        {"Supported: timer\r\nSession-Expires: 1800\r\n", 200},
        {"Supported: timer\r\nSession-Expires: 1800\r\nMin-SE: 900\r\n", 900},
        {"Supported: timer\r\nSession-Expires: 150\r\n", 150},
        {"Supported: timer\r\n", 200}, /* asked for nothing, and may be asked */
        {"Supported: timer\r\nMin-SE: 900\r\n", 900},
        {"", 200},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sip_session_timer t = timer_of(200, 90, SIP_REFRESHER_OPEN);
        char room[SIP_SESSION_HEADERS];
        struct text out = text_on(room, sizeof room);
        sip_session_timer_grant(&t, request(rows[i].request), 0, &out);
        assert_int_equal(t.interval, rows[i].granted);
    }
}

static void section_9_a_change_of_the_call_leaves_the_refresher(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(600, 90, SIP_REFRESHER_UAS);
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 600;refresher=uac\r\n"), 0); /* we refresh */
    assert_grants(&t, "Supported: timer\r\n", 0,
                  "Require: timer\r\nSupported: timer\r\nSession-Expires: 600;refresher=uas\r\n");
    assert_int_equal(t.state, SIP_SESSION_OURS);
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 600;refresher=uas\r\n"), 0); /* they do */
    assert_grants(&t, "Supported: timer\r\n", 0,
                  "Require: timer\r\nSupported: timer\r\nSession-Expires: 600;refresher=uac\r\n");
    assert_int_equal(t.state, SIP_SESSION_THEIRS);
}

/* ---- 10: performing refreshes ---- */

static void section_10_the_refresh_is_due_at_half(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(1800, 90, SIP_REFRESHER_OPEN);
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 1800;refresher=uac\r\n"), 1 * SEC);
    assert_int_equal(sip_session_timer_next(&t, 901 * SEC - 1), SIP_SESSION_NOTHING);
    assert_int_equal(sip_session_timer_next(&t, 901 * SEC), SIP_SESSION_REFRESH);
    assert_int_equal(sip_session_timer_next(&t, 901 * SEC), SIP_SESSION_NOTHING); /* once */
    assert_int_equal(sip_session_timer_deadline(&t), 1801 * SEC);
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 1800;refresher=uac\r\n"), 902 * SEC);
    assert_int_equal(sip_session_timer_deadline(&t), 1802 * SEC);
}

static void section_10_a_refresh_that_may_be_tried_again_is(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(200, 90, SIP_REFRESHER_OPEN);
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 200;refresher=uac\r\n"), 0);
    assert_int_equal(sip_session_timer_next(&t, 100 * SEC), SIP_SESSION_REFRESH);
    sip_session_timer_retry(&t, 110 * SEC);
    assert_int_equal(sip_session_timer_next(&t, 110 * SEC), SIP_SESSION_REFRESH);
    sip_session_timer_retry(&t, NEVER); /* refused for good: the session runs out */
    assert_int_equal(sip_session_timer_deadline(&t), 200 * SEC);
    assert_int_equal(sip_session_timer_next(&t, 200 * SEC), SIP_SESSION_OVER);
    assert_int_equal(sip_session_timer_deadline(&t), NEVER);
}

static void section_10_bye_comes_32_s_or_a_third_before_the_expiry(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(1800, 90, SIP_REFRESHER_OPEN);
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 1800;refresher=uas\r\n"), 0);
    assert_int_equal(sip_session_timer_deadline(&t), 1768 * SEC);
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 90;refresher=uas\r\n"), 0);
    assert_int_equal(sip_session_timer_deadline(&t), 60 * SEC);
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 96;refresher=uas\r\n"), 0);
    assert_int_equal(sip_session_timer_deadline(&t), 64 * SEC);
    assert_int_equal(sip_session_timer_next(&t, 64 * SEC - 1), SIP_SESSION_NOTHING);
    assert_int_equal(sip_session_timer_next(&t, 64 * SEC), SIP_SESSION_OVER);
    assert_int_equal(sip_session_timer_next(&t, 64 * SEC), SIP_SESSION_NOTHING);
}

static void section_10_whoever_does_not_refresh_never_tries(void **state)
{
    (void)state;
    struct sip_session_timer t = timer_of(1800, 90, SIP_REFRESHER_OPEN);
    sip_session_timer_confirmed(&t, response(OK, "Session-Expires: 1800;refresher=uas\r\n"), 0);
    sip_session_timer_retry(&t, 10 * SEC);
    assert_int_equal(sip_session_timer_deadline(&t), 1768 * SEC);
}

/* ---- 8: proxies ---- */

static void assert_field(const char *bytes, const char *line, bool there)
{
    if ((strstr(bytes, line) != NULL) != there)
        fail_msg("%s %s in:\n%s", line, there ? "is missing" : "is", bytes);
}

/* What the proxy makes of the request. */
static const char *forwarded(const struct sip_session_proxy *p, const char *headers)
{
    static char room[2048];
    struct text out = text_on(room, sizeof room);
    struct sip_session_edit memory;
    struct sip_edit edit;
    const struct sip_msg *msg = request(headers);
    sip_edit_begin(&edit, msg);
    sip_session_proxy_request(p, msg, &memory, &edit);
    assert_int_equal(sip_edit_write(&edit, &out), 0);
    return room;
}

static lab_time lasts; /* as the last returned() said */

static const char *returned(const struct sip_session_proxy *p, const char *of_request, const char *start,
                            const char *headers)
{
    static char room[2048];
    struct text out = text_on(room, sizeof room);
    struct sip_session_edit memory;
    struct sip_edit edit;
    const struct sip_msg *msg = response(start, headers);
    sip_edit_begin(&edit, msg);
    lasts = sip_session_proxy_response(p, request(of_request), msg, &memory, &edit);
    assert_int_equal(sip_edit_write(&edit, &out), 0);
    return room;
}

static void section_8_1_a_proxy_asks_for_a_session_timer(void **state)
{
    (void)state;
    const struct sip_session_proxy p = {.interval = 14400};
    const struct sip_session_proxy quiet = {0};
    assert_field(forwarded(&p, "Supported: timer\r\n"), "Session-Expires: 14400\r\n", true);
    assert_field(forwarded(&p, ""), "Session-Expires: 14400\r\n", true);
    assert_field(forwarded(&p, ""), "Min-SE", false);
    assert_field(forwarded(&p, "Min-SE: 20000\r\n"), "Session-Expires: 20000\r\n", true);
    assert_field(forwarded(&quiet, "Supported: timer\r\n"), "Session-Expires", false);
}

static void section_8_1_it_reduces_but_not_below_min_se_and_never_increases(void **state)
{
    (void)state;
    const struct sip_session_proxy p = {.interval = 600};
    assert_field(forwarded(&p, "Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\n"),
                 "Session-Expires: 600;refresher=uas\r\n", true);
    assert_field(forwarded(&p, "Supported: timer\r\nSession-Expires: 1800\r\nMin-SE: 900\r\n"),
                 "Session-Expires: 900\r\n", true);
    assert_field(forwarded(&p, "Supported: timer\r\nSession-Expires: 300\r\n"), "Session-Expires: 300\r\n", true);
}

static void section_8_1_too_short_is_refused_if_the_uac_understands(void **state)
{
    (void)state;
    char room[SIP_SESSION_HEADERS];
    struct text headers = text_on(room, sizeof room);
    struct sip_session_proxy p = {.least = 300};
    assert_true(sip_session_proxy_refuses(&p, request("Supported: timer\r\nSession-Expires: 200\r\n"), &headers));
    assert_string_equal(room, "Min-SE: 300\r\n");
    assert_false(sip_session_proxy_refuses(&p, request("Supported: timer\r\nSession-Expires: 300\r\n"), &headers));
    assert_false(sip_session_proxy_refuses(&p, request("Session-Expires: 200\r\n"), &headers));
    headers = text_on(room, sizeof room);
    p.least = 10; /* §8.1: MUST NOT be lower than 90 s */
    assert_true(sip_session_proxy_refuses(&p, request("Supported: timer\r\nSession-Expires: 89\r\n"), &headers));
    assert_string_equal(room, "Min-SE: 90\r\n");
}

static void section_8_1_for_another_uac_it_raises_both(void **state)
{
    (void)state;
    const struct sip_session_proxy p = {.least = 300};
    const char *out = forwarded(&p, "Session-Expires: 200\r\nMin-SE: 100\r\n");
    assert_field(out, "Session-Expires: 300\r\n", true);
    assert_field(out, "Min-SE: 300\r\n", true);
    out = forwarded(&p, "Session-Expires: 500\r\n");
    assert_field(out, "Session-Expires: 500\r\n", true);
    assert_field(out, "Min-SE", false);
}

static void section_8_1_other_requests_pass(void **state)
{
    (void)state;
    static char room[1024];
    static struct sip_msg msg;
    char out_room[SIP_SESSION_HEADERS];
    struct text out = text_on(out_room, sizeof out_room);
    const struct sip_session_proxy p = {.interval = 600, .least = 300};
    struct sip_session_edit memory;
    struct sip_edit edit;
    const struct sip_msg *bye = parsed("BYE sip:102@a.example SIP/2.0\r\n",
                                       "Supported: timer\r\nSession-Expires: 90\r\n", room, sizeof room, &msg);
    assert_false(sip_session_proxy_refuses(&p, bye, &out));
    sip_edit_begin(&edit, bye);
    sip_session_proxy_request(&p, bye, &memory, &edit);
    assert_int_equal(edit.splices.n, 0);
}

static void section_8_2_the_uac_is_told_to_refresh_when_the_uas_knows_nothing(void **state)
{
    (void)state;
    const struct sip_session_proxy p = {.interval = 600};
    const char *out = returned(&p, "Supported: timer\r\n", OK, "");
    assert_field(out, "Session-Expires: 600;refresher=uac\r\n", true);
    assert_field(out, "Require: timer\r\n", true);
    out = returned(&p, "Supported: timer\r\nSession-Expires: 300\r\n", OK, "Require: path\r\n");
    assert_field(out, "Session-Expires: 300;refresher=uac\r\n", true);
    assert_field(out, "Require: path\r\nRequire: timer\r\n", true);
}

static void section_8_2_also_by_a_proxy_that_only_let_it_pass(void **state)
{
    (void)state;
    const struct sip_session_proxy quiet = {0};
    const char *out = returned(&quiet, "Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\n", OK, "");
    assert_field(out, "Session-Expires: 1800;refresher=uac\r\n", true);
    assert_field(out, "Require: timer\r\n", true);
    assert_int_equal(lasts, 1800 * SEC);
    assert_field(returned(&quiet, "Session-Expires: 1800\r\n", OK, ""), "Session-Expires", false); /* whom to tell? */
    assert_int_equal(lasts, NEVER);
    assert_field(returned(&quiet, "Supported: timer\r\n", OK, ""), "Session-Expires", false); /* nobody asked */
    assert_int_equal(lasts, NEVER);
}

static void section_8_2_the_2xx_says_how_long_the_session_lasts(void **state)
{
    (void)state;
    static char room[1024];
    static struct sip_msg msg;
    const struct sip_session_proxy p = {.interval = 600};
    struct sip_session_edit memory;
    struct sip_edit edit;
    returned(&p, "Supported: timer\r\n", OK, "Session-Expires: 400;refresher=uas\r\n");
    assert_int_equal(lasts, 400 * SEC);
    returned(&p, "Supported: timer\r\n", OK, ""); /* the proxy's own */
    assert_int_equal(lasts, 600 * SEC);
    returned(&p, "", OK, "");
    assert_int_equal(lasts, NEVER);
    returned(&p, "Supported: timer\r\n", "SIP/2.0 180 Ringing\r\n", "Session-Expires: 400\r\n");
    assert_int_equal(lasts, 0);
    returned(&p, "Supported: timer\r\n", "SIP/2.0 422 Session Interval Too Small\r\n", "Min-SE: 900\r\n");
    assert_int_equal(lasts, 0);
    const struct sip_msg *bye = parsed("BYE sip:102@a.example SIP/2.0\r\n", "", room, sizeof room, &msg);
    assert_int_equal(sip_session_proxy_response(&p, bye, response(OK, ""), &memory, &edit), 0);
}

static void section_8_2_other_responses_pass(void **state)
{
    (void)state;
    const struct sip_session_proxy p = {.interval = 600};
    const char *out = returned(&p, "", OK, ""); /* nobody knows them: the session does not expire */
    assert_field(out, "Session-Expires", false);
    out = returned(&p, "Supported: timer\r\n", OK, "Session-Expires: 400;refresher=uas\r\n");
    assert_field(out, "Session-Expires: 400;refresher=uas\r\n", true);
    assert_field(out, "Require", false);
    out = returned(&p, "Supported: timer\r\n", "SIP/2.0 486 Busy Here\r\n", "");
    assert_field(out, "Session-Expires", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(section_4_session_expires_and_its_compact_form),
        cmocka_unit_test(section_5_nothing_is_shorter_than_90_s),
        cmocka_unit_test(section_5_min_se_is_the_largest_that_was_demanded),
        cmocka_unit_test(section_7_1_without_session_timers_nothing_is_said),
        cmocka_unit_test(section_7_1_the_refresher_is_left_open_unless_set),
        cmocka_unit_test(section_7_2_the_response_says_who_refreshes_and_how_often),
        cmocka_unit_test(section_7_2_a_uas_that_knows_nothing_is_refreshed_by_the_uac),
        cmocka_unit_test(section_7_3_after_a_422_the_interval_is_what_it_demands),
        cmocka_unit_test(section_7_3_a_422_that_demands_nothing_more_is_a_refusal),
        cmocka_unit_test(section_7_4_who_refreshes_goes_on_to),
        cmocka_unit_test(section_8_1_a_proxy_asks_for_a_session_timer),
        cmocka_unit_test(section_8_1_it_reduces_but_not_below_min_se_and_never_increases),
        cmocka_unit_test(section_8_1_too_short_is_refused_if_the_uac_understands),
        cmocka_unit_test(section_8_1_for_another_uac_it_raises_both),
        cmocka_unit_test(section_8_1_other_requests_pass),
        cmocka_unit_test(section_8_2_the_uac_is_told_to_refresh_when_the_uas_knows_nothing),
        cmocka_unit_test(section_8_2_also_by_a_proxy_that_only_let_it_pass),
        cmocka_unit_test(section_8_2_the_2xx_says_how_long_the_session_lasts),
        cmocka_unit_test(section_8_2_other_responses_pass),
        cmocka_unit_test(section_9_an_interval_that_is_too_short_is_refused),
        cmocka_unit_test(section_9_a_uac_without_session_timers_is_never_refused),
        cmocka_unit_test(section_9_table_2),
        cmocka_unit_test(section_9_the_interval_may_be_reduced_but_not_below_min_se),
        cmocka_unit_test(section_9_a_change_of_the_call_leaves_the_refresher),
        cmocka_unit_test(section_10_the_refresh_is_due_at_half),
        cmocka_unit_test(section_10_a_refresh_that_may_be_tried_again_is),
        cmocka_unit_test(section_10_bye_comes_32_s_or_a_third_before_the_expiry),
        cmocka_unit_test(section_10_whoever_does_not_refresh_never_tries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
