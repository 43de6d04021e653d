/* The client of RFC 5626: every figure of §4.4 and §4.5, by drawing often and looking at both ends. */
#include "nodes/sip/sip_outbound.h"
#include "tests/cmocka.h"

enum { DRAWS = 4000 };

static struct sip_outbound machine(const struct sip_outbound_config *config, unsigned flows)
{
    struct sip_outbound o;
    struct prng rng;
    prng_init(&rng, 1, SPAN("phone"), SPAN("outbound"));
    sip_outbound_init(&o, config, flows, &rng);
    return o;
}

static void expect(struct sip_outbound *o, lab_time now, enum sip_outbound_action action, unsigned flow)
{
    unsigned which = SIP_OUTBOUND_FLOWS;
    assert_int_equal(sip_outbound_next(o, now, &which), action);
    assert_int_equal(which, flow);
}

static void nothing(struct sip_outbound *o, lab_time now)
{
    unsigned which;
    assert_int_equal(sip_outbound_next(o, now, &which), SIP_OUTBOUND_NOTHING);
}

/* Draws lie within [low, high], and come within 1 % of both ends. */
struct spread {
    lab_time low, high, least, most;
};

static struct spread spread_of(lab_time low, lab_time high)
{
    return (struct spread){.low = low, .high = high, .least = NEVER, .most = 0};
}

static void spread_add(struct spread *s, const char *what, lab_time drawn)
{
    if (drawn < s->low || drawn > s->high)
        fail_msg("%s: %lld ms", what, (long long)(drawn / MS));
    s->least = drawn < s->least ? drawn : s->least;
    s->most = drawn > s->most ? drawn : s->most;
}

static void spread_check(const struct spread *s, const char *what)
{
    lab_time edge = (s->high - s->low) / 100;
    if (s->least > s->low + edge || s->most < s->high - edge)
        fail_msg("%s: only %lld to %lld ms", what, (long long)(s->least / MS), (long long)(s->most / MS));
}

/* ---- §4.4: how often ---- */

static void section_4_4_intervals(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        enum sip_outbound_carrier carrier;
        lab_time own, recommended, low, high;
    } rows[] = {
        {"§4.4.1 stream", SIP_OUTBOUND_STREAM, 0, 0, 95 * SEC, 120 * SEC},
        {"§4.4.2 STUN over UDP", SIP_OUTBOUND_DATAGRAM, 0, 0, 24 * SEC, 29 * SEC},
        {"Flow-Timer on a stream", SIP_OUTBOUND_STREAM, 0, 150 * SEC, 120 * SEC, 150 * SEC},
        {"Flow-Timer over UDP", SIP_OUTBOUND_DATAGRAM, 0, 20 * SEC, 16 * SEC, 20 * SEC},
        {"PH-5: the phone's own", SIP_OUTBOUND_STREAM, 30 * SEC, 0, 24 * SEC, 30 * SEC},
        {"the phone's own is shorter", SIP_OUTBOUND_STREAM, 30 * SEC, 150 * SEC, 24 * SEC, 30 * SEC},
        {"the phone's own is longer", SIP_OUTBOUND_STREAM, 300 * SEC, 100 * SEC, 80 * SEC, 100 * SEC},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sip_outbound o = machine(&(struct sip_outbound_config){.interval = rows[i].own}, 1);
        struct spread s = spread_of(rows[i].low, rows[i].high);
        lab_time now = 0;
        sip_outbound_start(&o, now);
        expect(&o, now, SIP_OUTBOUND_FORM, 0);
        sip_outbound_registered(&o, 0, now, rows[i].carrier, rows[i].recommended);
        for (int draw = 0; draw < DRAWS; draw++) {
            spread_add(&s, rows[i].what, sip_outbound_deadline(&o) - now);
            now = sip_outbound_deadline(&o);
            expect(&o, now, SIP_OUTBOUND_PING, 0);
            sip_outbound_pong(&o, 0, now);
        }
        spread_check(&s, rows[i].what);
    }
}

static void a_refresh_does_not_put_the_keep_alive_off(void **state)
{
    (void)state;
    struct sip_outbound o = machine(&(struct sip_outbound_config){0}, 1);
    sip_outbound_start(&o, 0);
    expect(&o, 0, SIP_OUTBOUND_FORM, 0);
    sip_outbound_registered(&o, 0, 0, SIP_OUTBOUND_STREAM, 0);
    lab_time first = sip_outbound_deadline(&o);
    sip_outbound_registered(&o, 0, 60 * SEC, SIP_OUTBOUND_STREAM, 0);
    assert_int_equal(sip_outbound_deadline(&o), first);
    sip_outbound_registered(&o, 0, 60 * SEC, SIP_OUTBOUND_STREAM, 10 * SEC); /* a shorter Flow-Timer counts at once */
    assert_in_range(sip_outbound_deadline(&o), 68 * SEC, 70 * SEC);
}

static void no_keep_alives_when_told_so(void **state)
{
    (void)state;
    struct sip_outbound o = machine(&(struct sip_outbound_config){.no_keep_alive = true}, 1);
    sip_outbound_start(&o, 0);
    expect(&o, 0, SIP_OUTBOUND_FORM, 0);
    sip_outbound_registered(&o, 0, 0, SIP_OUTBOUND_STREAM, 0);
    assert_true(sip_outbound_is_up(&o, 0));
    assert_int_equal(sip_outbound_deadline(&o), NEVER);
    sip_outbound_failed(&o, 0, SEC, 0); /* the registration alone made it successful: §4.5 */
    assert_int_equal(sip_outbound_deadline(&o), SEC);
}

/* ---- §4.4.1, §4.4.2: no answer ---- */

static void section_4_4_1_a_pong_within_10_s(void **state)
{
    (void)state;
    struct sip_outbound o = machine(&(struct sip_outbound_config){0}, 1);
    sip_outbound_start(&o, 0);
    expect(&o, 0, SIP_OUTBOUND_FORM, 0);
    sip_outbound_registered(&o, 0, 0, SIP_OUTBOUND_STREAM, 0);
    lab_time ping = sip_outbound_deadline(&o);
    expect(&o, ping, SIP_OUTBOUND_PING, 0);
    assert_int_equal(sip_outbound_deadline(&o), ping + 10 * SEC);
    nothing(&o, ping + 10 * SEC - 1);
    sip_outbound_pong(&o, 0, ping + 10 * SEC - 1);
    ping = sip_outbound_deadline(&o);
    expect(&o, ping, SIP_OUTBOUND_PING, 0);
    expect(&o, ping + 10 * SEC, SIP_OUTBOUND_LOST, 0);
    assert_false(sip_outbound_is_up(&o, 0));
    expect(&o, ping + 10 * SEC, SIP_OUTBOUND_FORM, 0); /* it was successful: at once */
}

static void section_4_4_2_a_stun_request_is_given_up_after_39_5_s(void **state)
{
    (void)state;
    struct sip_outbound o = machine(&(struct sip_outbound_config){0}, 1);
    sip_outbound_start(&o, 0);
    expect(&o, 0, SIP_OUTBOUND_FORM, 0);
    sip_outbound_registered(&o, 0, 0, SIP_OUTBOUND_DATAGRAM, 0);
    lab_time ping = sip_outbound_deadline(&o);
    expect(&o, ping, SIP_OUTBOUND_PING, 0);
    nothing(&o, ping + 39499 * MS);
    expect(&o, ping + 39500 * MS, SIP_OUTBOUND_LOST, 0);
}

static void section_4_4_2_another_mapped_address_is_a_failure(void **state)
{
    (void)state;
    struct sip_outbound o = machine(&(struct sip_outbound_config){0}, 1);
    struct endpoint before = {IPV4(203, 0, 113, 7), 40000};
    struct endpoint after = {IPV4(203, 0, 113, 7), 40001};
    sip_outbound_start(&o, 0);
    expect(&o, 0, SIP_OUTBOUND_FORM, 0);
    sip_outbound_registered(&o, 0, 0, SIP_OUTBOUND_DATAGRAM, 0);
    for (int i = 0; i < 2; i++) {
        lab_time ping = sip_outbound_deadline(&o);
        expect(&o, ping, SIP_OUTBOUND_PING, 0);
        assert_true(sip_outbound_mapped(&o, 0, ping, before));
    }
    lab_time ping = sip_outbound_deadline(&o);
    expect(&o, ping, SIP_OUTBOUND_PING, 0);
    assert_false(sip_outbound_mapped(&o, 0, ping, after));
    expect(&o, ping, SIP_OUTBOUND_FORM, 0);
    sip_outbound_registered(&o, 0, ping, SIP_OUTBOUND_DATAGRAM, 0);
    ping = sip_outbound_deadline(&o);
    expect(&o, ping, SIP_OUTBOUND_PING, 0);
    assert_true(sip_outbound_mapped(&o, 0, ping, after)); /* the new flow has a memory of its own */
}

/* ---- §4.5: how long to wait ---- */

/* The wait after so many failures in a row, with flow 1 up or not. */
static lab_time wait_after(struct sip_outbound *o, unsigned failures, bool other_up)
{
    lab_time now = 0;
    sip_outbound_stop(o);
    sip_outbound_start(o, now);
    expect(o, now, SIP_OUTBOUND_FORM, 0);
    expect(o, now, SIP_OUTBOUND_FORM, 1);
    if (other_up)
        sip_outbound_registered(o, 1, now, SIP_OUTBOUND_STREAM, 0);
    o->flows[1].deadline = NEVER; /* flow 1 only stands there */
    for (unsigned i = 0; i + 1 < failures; i++) {
        sip_outbound_failed(o, 0, now, 0);
        now = sip_outbound_deadline(o);
        expect(o, now, SIP_OUTBOUND_FORM, 0);
    }
    sip_outbound_failed(o, 0, now, 0);
    return sip_outbound_deadline(o) - now;
}

static void section_4_5_waits(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        unsigned failures;
        bool other_up;
        lab_time low, high;
    } rows[] = {
        {"all failed, 1", 1, false, 30 * SEC, 60 * SEC}, /* the RFC's own example of the boot */
        {"all failed, 2", 2, false, 60 * SEC, 120 * SEC},
        {"all failed, 3", 3, false, 120 * SEC, 240 * SEC}, /* its example of three failures */
        {"all failed, 5", 5, false, 480 * SEC, 960 * SEC},
        {"all failed, 6", 6, false, 900 * SEC, 1800 * SEC},
        {"all failed, 40", 40, false, 900 * SEC, 1800 * SEC}, /* 15 to 30 min, for ever */
        {"another is up, 1", 1, true, 90 * SEC, 180 * SEC},
        {"another is up, 2", 2, true, 180 * SEC, 360 * SEC},
        {"another is up, 4", 4, true, 720 * SEC, 1440 * SEC},
        {"another is up, 5", 5, true, 900 * SEC, 1800 * SEC},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sip_outbound o = machine(&(struct sip_outbound_config){0}, 2);
        struct spread s = spread_of(rows[i].low, rows[i].high);
        for (int draw = 0; draw < DRAWS; draw++)
            spread_add(&s, rows[i].what, wait_after(&o, rows[i].failures, rows[i].other_up));
        spread_check(&s, rows[i].what);
    }
}

static void section_4_5_own_times(void **state)
{
    (void)state;
    struct sip_outbound_config config = {.base_all_failed = 2 * SEC, .base_otherwise = 4 * SEC, .longest = 10 * SEC};
    struct sip_outbound o = machine(&config, 2);
    for (int draw = 0; draw < DRAWS; draw++) {
        assert_in_range(wait_after(&o, 1, false), 2 * SEC, 4 * SEC);
        assert_in_range(wait_after(&o, 1, true), 4 * SEC, 8 * SEC);
        assert_in_range(wait_after(&o, 9, false), 5 * SEC, 10 * SEC);
    }
}

static void section_4_5_registered_but_never_answered_counts_as_a_failure(void **state)
{
    (void)state;
    struct sip_outbound o = machine(&(struct sip_outbound_config){0}, 1);
    lab_time now = 0;
    sip_outbound_start(&o, now);
    for (unsigned failures = 1; failures <= 3; failures++) {
        expect(&o, now, SIP_OUTBOUND_FORM, 0);
        sip_outbound_registered(&o, 0, now, SIP_OUTBOUND_STREAM, 0);
        now = sip_outbound_deadline(&o);
        expect(&o, now, SIP_OUTBOUND_PING, 0);
        now = sip_outbound_deadline(&o);
        expect(&o, now, SIP_OUTBOUND_LOST, 0);
        assert_int_equal(o.flows[0].failures, failures);
        assert_true(sip_outbound_deadline(&o) >= now + 15 * SEC * (1 << failures));
        now = sip_outbound_deadline(&o);
    }
}

static void section_4_5_success_resets(void **state)
{
    (void)state;
    struct sip_outbound o = machine(&(struct sip_outbound_config){0}, 1);
    sip_outbound_start(&o, 0);
    expect(&o, 0, SIP_OUTBOUND_FORM, 0);
    sip_outbound_failed(&o, 0, 0, 0);
    lab_time now = sip_outbound_deadline(&o);
    expect(&o, now, SIP_OUTBOUND_FORM, 0);
    sip_outbound_registered(&o, 0, now, SIP_OUTBOUND_STREAM, 0);
    assert_int_equal(o.flows[0].failures, 1);
    now = sip_outbound_deadline(&o);
    expect(&o, now, SIP_OUTBOUND_PING, 0);
    sip_outbound_pong(&o, 0, now);
    assert_int_equal(o.flows[0].failures, 0);
    sip_outbound_failed(&o, 0, now, 0);
    assert_int_equal(sip_outbound_deadline(&o), now);
    expect(&o, now, SIP_OUTBOUND_FORM, 0);
    sip_outbound_failed(&o, 0, now, 0); /* the first failure of the new attempt */
    assert_in_range(sip_outbound_deadline(&o) - now, 30 * SEC, 60 * SEC);
}

static void section_4_5_retry_after_is_a_lower_bound(void **state)
{
    (void)state;
    struct sip_outbound o = machine(&(struct sip_outbound_config){0}, 1);
    sip_outbound_start(&o, 0);
    expect(&o, 0, SIP_OUTBOUND_FORM, 0);
    sip_outbound_failed(&o, 0, 0, 300 * SEC);
    assert_int_equal(sip_outbound_deadline(&o), 300 * SEC);
    expect(&o, 300 * SEC, SIP_OUTBOUND_FORM, 0);
    sip_outbound_failed(&o, 0, 300 * SEC, SEC);
    assert_in_range(sip_outbound_deadline(&o), 360 * SEC, 420 * SEC);
    sip_outbound_failed(&o, 0, 301 * SEC, 3600 * SEC); /* it waits already */
    assert_in_range(sip_outbound_deadline(&o), 360 * SEC, 420 * SEC);
}

/* ---- several flows ---- */

static void section_4_2_1_flows_are_independent(void **state)
{
    (void)state;
    struct sip_outbound o = machine(&(struct sip_outbound_config){0}, 3);
    assert_int_equal(sip_outbound_deadline(&o), NEVER);
    sip_outbound_start(&o, 0);
    for (unsigned i = 0; i < 3; i++)
        expect(&o, 0, SIP_OUTBOUND_FORM, i);
    nothing(&o, 0);
    sip_outbound_registered(&o, 0, 0, SIP_OUTBOUND_STREAM, 0);
    sip_outbound_registered(&o, 2, 0, SIP_OUTBOUND_STREAM, 0);
    sip_outbound_failed(&o, 1, 0, 0);
    assert_in_range(o.flows[1].deadline, 90 * SEC, 180 * SEC);
    assert_true(sip_outbound_is_up(&o, 0) && sip_outbound_is_up(&o, 2) && !sip_outbound_is_up(&o, 1));
    sip_outbound_stop(&o);
    sip_outbound_registered(&o, 0, 0, SIP_OUTBOUND_STREAM, 0); /* an answer that comes too late */
    assert_int_equal(sip_outbound_deadline(&o), NEVER);
}

/* ---- what the server says ---- */

static void rfc_6223_keep(void **state)
{
    (void)state;
    static const struct {
        const char *via;
        bool agreed;
        lab_time interval;
    } rows[] = {
        {"SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1;keep", false, 0},
        {"SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1;keep=30", true, 30 * SEC},
        {"SIP/2.0/TCP 192.0.2.1;keep=0;branch=z9hG4bK1", true, 0},
        {"SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1", false, 0},
        {"SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1;keep=soon", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sip_via via;
        lab_time interval = NEVER;
        assert_int_equal(sip_via_parse(span_of(rows[i].via), &via), 0);
        assert_int_equal(sip_outbound_keep(&via, &interval), rows[i].agreed);
        assert_int_equal(interval, rows[i].interval);
    }
}

static void section_10_flow_timer(void **state)
{
    (void)state;
    struct sip_msg msg;
    assert_int_equal(sip_parse(SPAN("SIP/2.0 200 OK\r\nFlow-Timer: 126\r\n\r\n"), &msg, NULL), 0);
    assert_int_equal(sip_outbound_flow_timer(&msg), 126 * SEC);
    assert_int_equal(sip_parse(SPAN("SIP/2.0 200 OK\r\nExpires: 126\r\n\r\n"), &msg, NULL), 0);
    assert_int_equal(sip_outbound_flow_timer(&msg), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(section_4_4_intervals),
        cmocka_unit_test(a_refresh_does_not_put_the_keep_alive_off),
        cmocka_unit_test(no_keep_alives_when_told_so),
        cmocka_unit_test(section_4_4_1_a_pong_within_10_s),
        cmocka_unit_test(section_4_4_2_a_stun_request_is_given_up_after_39_5_s),
        cmocka_unit_test(section_4_4_2_another_mapped_address_is_a_failure),
        cmocka_unit_test(section_4_5_waits),
        cmocka_unit_test(section_4_5_own_times),
        cmocka_unit_test(section_4_5_registered_but_never_answered_counts_as_a_failure),
        cmocka_unit_test(section_4_5_success_resets),
        cmocka_unit_test(section_4_5_retry_after_is_a_lower_bound),
        cmocka_unit_test(section_4_2_1_flows_are_independent),
        cmocka_unit_test(rfc_6223_keep),
        cmocka_unit_test(section_10_flow_timer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
