/* PB-9: one call record at the end of every attempt. */
#include "nodes/pbx/pbx_cdr.h"
#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

struct row {
    const char *what;
    unsigned statuses[4]; /* what goes to the caller, ended by 0; then, when the last is a 2xx, a BYE passes */
    const char *result;
};

static const struct row rows[] = {
    {"answered", {180, 200, 200}, "\"result\":\"answered\",\"status\":200"},
    {"busy", {180, 486}, "\"result\":\"busy\",\"status\":486"},
    {"busy everywhere", {600}, "\"result\":\"busy\",\"status\":600"},
    {"cancelled", {180, 487}, "\"result\":\"cancelled\",\"status\":487"},
    {"nobody there", {408}, "\"result\":\"no-answer\",\"status\":408"},
    {"nobody lifts", {180, 480}, "\"result\":\"no-answer\",\"status\":480"},
    {"not registered", {480}, "\"result\":\"failed\",\"status\":480"},
    {"unknown", {404}, "\"result\":\"failed\",\"status\":404"},
};

static void every_result(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct host *h = fake_new("on", 1, NULL, 0);
        struct pbx_cdrs *set;
        assert_int_equal(pbx_cdrs_new(&set, h, NULL, NULL), 0);
        assert_int_equal(pbx_cdr_start(set, SPAN("call"), SPAN("101"), SPAN("102")), 0);
        for (const unsigned *status = rows[i].statuses; *status; status++)
            pbx_cdr_status(set, SPAN("call"), *status);
        pbx_cdr_bye(set, SPAN("call"));
        if (fake_traced(h, "\"from\":\"101\",\"to\":\"102\"", rows[i].result) != 1)
            fail_msg("%s: %s", rows[i].what, h->trace);
        assert_int_equal(pbx_cdrs_running(set), 0);
        pbx_cdrs_free(set);
        fake_free(h);
    }
}

static void the_times_of_a_call(void **state)
{
    (void)state;
    struct host *h = fake_new("on", 1, NULL, 0);
    struct pbx_cdrs *set;
    assert_int_equal(pbx_cdrs_new(&set, h, NULL, NULL), 0);
    h->now = 1;
    pbx_cdr_start(set, SPAN("call"), SPAN("101"), SPAN("102"));
    h->now = 2;
    pbx_cdr_status(set, SPAN("call"), 200);
    h->now = 3;
    pbx_cdr_start(set, SPAN("call"), SPAN("101"), SPAN("102")); /* a re-INVITE */
    pbx_cdr_status(set, SPAN("call"), 488);                     /* which fails */
    assert_int_equal(h->trace_n, 0);
    h->now = 4;
    pbx_cdr_bye(set, SPAN("call"));
    assert_int_equal(fake_traced(h, "\"start\":1,\"answer\":2,\"end\":4", "\"cdr\""), 1);
    pbx_cdr_bye(set, SPAN("call"));
    assert_int_equal(fake_traced(h, "\"cdr\"", ""), 1);
    pbx_cdrs_free(set);
    fake_free(h);
}

static void rfc_4028_7_3_a_422_and_the_invite_after_it_are_one_attempt(void **state)
{
    (void)state;
    struct host *h = fake_new("on", 1, NULL, 0);
    struct pbx_cdrs *set;
    assert_int_equal(pbx_cdrs_new(&set, h, NULL, NULL), 0);
    pbx_cdr_start(set, SPAN("call"), SPAN("101"), SPAN("102"));
    pbx_cdr_status(set, SPAN("call"), 422);
    assert_int_equal(pbx_cdrs_running(set), 0); /* it need not come again */
    pbx_cdr_start(set, SPAN("call"), SPAN("101"), SPAN("102"));
    pbx_cdr_status(set, SPAN("call"), 200);
    pbx_cdr_status(set, SPAN("call"), 422); /* to a refresh */
    assert_int_equal(pbx_cdrs_running(set), 1);
    pbx_cdr_bye(set, SPAN("call"));
    assert_int_equal(fake_traced(h, "\"cdr\"", "\"answered\""), 1);
    assert_int_equal(fake_traced(h, "\"cdr\"", ""), 1);
    pbx_cdrs_free(set);
    fake_free(h);
}

static void count(void *arg)
{
    ++*(unsigned *)arg;
}

static void rfc_4028_8_3_a_call_whose_session_expires_is_recorded(void **state)
{
    (void)state;
    struct host *h = fake_new("on", 1, NULL, 0);
    struct pbx_cdrs *set;
    unsigned expired = 0;
    assert_int_equal(pbx_cdrs_new(&set, h, count, &expired), 0);
    pbx_cdr_start(set, SPAN("call"), SPAN("101"), SPAN("102"));
    pbx_cdr_session(set, SPAN("call"), 10 * SEC); /* not answered: it is not up */
    fake_advance(h, 20 * SEC);
    pbx_cdr_status(set, SPAN("call"), 200);
    pbx_cdr_session(set, SPAN("call"), 110 * SEC);
    pbx_cdr_session(set, SPAN("another"), 30 * SEC);
    fake_advance(h, 65 * SEC);
    pbx_cdr_session(set, SPAN("call"), 155 * SEC); /* refreshed */
    fake_advance(h, 155 * SEC - 1);
    assert_int_equal(h->trace_n, 0);
    fake_advance(h, 155 * SEC);
    assert_int_equal(fake_traced(h, "\"result\":\"expired\",\"status\":200",
                                 "\"start\":0,\"answer\":20000000000,\"end\":155000000000"),
                     1);
    assert_int_equal(expired, 1);
    assert_int_equal(pbx_cdrs_running(set), 0);
    pbx_cdr_bye(set, SPAN("call")); /* too late */
    assert_int_equal(fake_traced(h, "\"cdr\"", ""), 1);
    pbx_cdrs_free(set);
    fake_free(h);
}

static void rfc_4028_8_2_a_call_whose_session_timer_is_taken_away_goes_on(void **state)
{
    (void)state;
    struct host *h = fake_new("on", 1, NULL, 0);
    struct pbx_cdrs *set;
    assert_int_equal(pbx_cdrs_new(&set, h, NULL, NULL), 0);
    for (int i = 0; i < 3; i++) {
        static const char *const calls[] = {"told", "bye", "freed"};
        pbx_cdr_start(set, span_of(calls[i]), SPAN("101"), SPAN("102"));
        pbx_cdr_status(set, span_of(calls[i]), 200);
        pbx_cdr_session(set, span_of(calls[i]), 90 * SEC);
    }
    pbx_cdr_session(set, SPAN("told"), NEVER);
    pbx_cdr_bye(set, SPAN("bye"));
    assert_int_equal(pbx_cdrs_running(set), 2);
    pbx_cdrs_free(set);
    assert_int_equal(timers_next(&h->timers), NEVER);
    assert_int_equal(fake_traced(h, "\"cdr\"", ""), 1);
    fake_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_result),
        cmocka_unit_test(the_times_of_a_call),
        cmocka_unit_test(rfc_4028_7_3_a_422_and_the_invite_after_it_are_one_attempt),
        cmocka_unit_test(rfc_4028_8_3_a_call_whose_session_expires_is_recorded),
        cmocka_unit_test(rfc_4028_8_2_a_call_whose_session_timer_is_taken_away_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
