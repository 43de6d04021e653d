/* Registrations and flows at the SBC (RFC 5626 §5.1). */
#include "nodes/sbc/sbc_location.h"
#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

static const struct sip_flow flow = {SIP_UDP, 0, {IPV4(203, 0, 113, 7), 40000}, 0};
static const struct sip_flow rebound = {SIP_UDP, 0, {IPV4(203, 0, 113, 7), 40001}, 0};

struct heard {
    unsigned good, gone;
};

static void on_flow(void *arg, struct sip_flow which, bool good)
{
    struct heard *heard = arg;
    (void)which;
    if (good)
        heard->good++;
    else
        heard->gone++;
}

static const struct sbc_location_events events = {.flow = on_flow};

static void a_flow_is_good_while_a_binding_uses_it(void **state)
{
    (void)state;
    struct host *h = fake_new("outside", 1, "inside", 2);
    struct heard heard = {0};
    struct sbc_location *location;
    assert_int_equal(sbc_location_new(&location, h, &events, &heard), 0);
    sbc_location_set(location, SPAN("sip:101@lab"), SPAN("sip:101@192.168.1.20"), flow, 60 * SEC);
    sbc_location_set(location, SPAN("sip:102@lab"), SPAN("sip:102@192.168.1.20"), flow, 90 * SEC);
    assert_true(sbc_location_has_flow(location, flow));
    assert_int_equal(heard.good, 1);
    fake_advance(h, 60 * SEC);
    assert_int_equal(heard.gone, 0);
    fake_advance(h, 90 * SEC);
    assert_int_equal(heard.gone, 1);
    assert_false(sbc_location_has_flow(location, flow));
    assert_int_equal(fake_traced(h, "\"expired\"", "sip:102@lab"), 1);
    sbc_location_free(location);
    fake_free(h);
}

static void a_rebound_phone_moves_its_binding(void **state)
{
    (void)state;
    struct host *h = fake_new("outside", 1, "inside", 2);
    struct heard heard = {0};
    struct sbc_location *location;
    assert_int_equal(sbc_location_new(&location, h, &events, &heard), 0);
    sbc_location_set(location, SPAN("sip:101@lab"), SPAN("sip:101@192.168.1.20"), flow, 60 * SEC);
    sbc_location_set(location, SPAN("sip:101@lab"), SPAN("sip:101@192.168.1.20"), rebound, 120 * SEC);
    assert_false(sbc_location_has_flow(location, flow));
    assert_true(sbc_location_has_flow(location, rebound));
    assert_int_equal(sbc_location_count(location), 1);
    fake_advance(h, 119 * SEC);
    assert_int_equal(sbc_location_count(location), 1);
    sbc_location_remove(location, SPAN("sip:101@lab"), SPAN("sip:101@192.168.1.20"));
    assert_int_equal(sbc_location_count(location), 0);
    assert_int_equal(fake_traced(h, "\"refreshed\"", "203.0.113.7:40001"), 1);
    sbc_location_free(location);
    fake_free(h);
}

/* PH-4: who comes by a connection from where the line is registered; registered by TLS, only by TLS. */
static void ph_4_a_caller_is_known_by_line_and_address(void **state)
{
    (void)state;
    static const struct sip_flow by_tls = {SIP_TLS, 1, {IPV4(203, 0, 113, 7), 40000}, 5};
    static const struct sip_flow by_tcp = {SIP_TCP, 0, {IPV4(203, 0, 113, 7), 40000}, 5};
    struct host *h = fake_new("outside", 1, "inside", 2);
    struct sbc_location *location;
    struct sip_flow found;
    struct sip_flow caller = {SIP_TLS, 1, {IPV4(203, 0, 113, 7), 50000}, 9};
    assert_int_equal(sbc_location_new(&location, h, NULL, NULL), 0);
    sbc_location_set(location, SPAN("sip:101@lab"), SPAN("sip:101@192.168.1.20"), by_tls, 60 * SEC);
    sbc_location_set(location, SPAN("sip:102@lab"), SPAN("sip:102@192.168.1.20"), by_tcp, 90 * SEC);
    assert_true(sbc_location_knows_caller(location, SPAN("sip:101@lab"), caller));
    assert_true(sbc_location_knows_caller(location, SPAN("sip:102@lab"), caller));
    assert_false(sbc_location_knows_caller(location, SPAN("sip:103@lab"), caller));
    caller.transport = SIP_TCP;
    assert_false(sbc_location_knows_caller(location, SPAN("sip:101@lab"), caller));
    caller.transport = SIP_UDP;
    assert_false(sbc_location_knows_caller(location, SPAN("sip:102@lab"), caller));
    caller = (struct sip_flow){SIP_TLS, 1, {IPV4(203, 0, 113, 8), 50000}, 9};
    assert_false(sbc_location_knows_caller(location, SPAN("sip:101@lab"), caller));
    assert_false(sbc_location_flow_of(location, SPAN("sip:101@lab"), SPAN("sip:101@192.168.1.20:5060"),
                                      by_tls.remote.addr, &found)); /* RFC 3261 19.1.4: not the same URI */
    assert_true(
        sbc_location_flow_of(location, SPAN("sip:101@lab"), SPAN("sip:101@192.168.1.20"), by_tls.remote.addr, &found));
    assert_true(sip_flow_equal(found, by_tls));
    assert_false(
        sbc_location_flow_of(location, SPAN("sip:101@lab"), SPAN("sip:101@192.168.1.20"), caller.remote.addr, &found));
    fake_advance(h, 60 * SEC);
    assert_false(sbc_location_knows_caller(location, SPAN("sip:101@lab"), by_tls));
    sbc_location_free(location);
    fake_free(h);
}

static void ten_thousand_registrations(void **state)
{
    (void)state;
    enum { N = 10000 };
    struct host *h = fake_new("outside", 1, "inside", 2);
    struct sbc_location *location;
    assert_int_equal(sbc_location_new(&location, h, NULL, NULL), 0);
    for (unsigned i = 0; i < N; i++) {
        char aor[32];
        snprintf(aor, sizeof aor, "sip:%u@lab", i);
        h->trace_n = 0;
        assert_int_equal(
            sbc_location_set(location, span_of(aor), span_of(aor),
                             sip_flow_to(0, (struct endpoint){flow.remote.addr + i / 100, (uint16_t)(1024 + i)}),
                             (i + 1) * SEC),
            0);
    }
    h->trace_n = 0;
    assert_int_equal(sbc_location_count(location), N);
    for (unsigned i = 0; i < N; i++)
        assert_true(sbc_location_has_flow(
            location, sip_flow_to(0, (struct endpoint){flow.remote.addr + i / 100, (uint16_t)(1024 + i)})));
    fake_advance(h, 1000 * SEC);
    assert_int_equal(sbc_location_count(location), N - 1000);
    sbc_location_free(location);
    fake_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_is_good_while_a_binding_uses_it),
        cmocka_unit_test(a_rebound_phone_moves_its_binding),
        cmocka_unit_test(ph_4_a_caller_is_known_by_line_and_address),
        cmocka_unit_test(ten_thousand_registrations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
