/* The edge proxy of RFC 5626 §5: flows that phones keep alive, as the SBC sees them. */
#include "nodes/proto/stun.h"
#include "tests/sbc/sbc_fixture.h"

#define INSTANCE ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-08000f000001>\""
#define FLOW     "Contact: <sip:101@192.168.1.20:5060>" INSTANCE ";reg-id=1\r\nSupported: path, outbound\r\n"
#define GRANTED  "Contact: <sip:101@192.168.1.20:5060>;expires=3600" INSTANCE ";reg-id=1\r\nRequire: outbound\r\n"

static const char *const flow_timer[] = {"flow timer", "30s", NULL};

/* Registers with the headers; the PBX grants with those. What the phone is told. */
static const char *register_with(struct fixture *f, unsigned cseq, const char *via, const char *headers,
                                 const char *granted)
{
    send_request(
        f, phone, outside,
        &(struct request){
            .line = "REGISTER sip:lab.example", .call_id = "reg-1", .cseq = cseq, .headers = headers, .via = via});
    answer(f, pbx, inside, "200 OK", granted, "");
    return last_to(f, phone);
}

/* The PBX calls by this Path: the status that it gets at once, or what the phone gets. */
static const char *call_by(struct fixture *f, const char *path, unsigned n)
{
    char headers[256];
    char call_id[16];
    snprintf(headers, sizeof headers, "Route: <%s>\r\nContact: <sip:102@10.0.1.31>\r\n", path);
    snprintf(call_id, sizeof call_id, "call-%u", n);
    send_request(f, pbx, inside,
                 &(struct request){
                     .line = "OPTIONS sip:101@192.168.1.20:5060", .call_id = call_id, .cseq = 1, .headers = headers});
    return f->host->sent[f->host->sent_n - 1].data;
}

static void section_5_1_ob_when_the_phone_is_the_sender(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char path[128];
    register_with(&f, 1, "", FLOW, GRANTED);
    take(last_to(&f, pbx), "Path: <", ">", path, sizeof path);
    assert_non_null(strstr(path, "@10.0.1.2:5060;lr;ob"));
    register_with(&f, 2, "", FLOW "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKother\r\n", GRANTED);
    take(last_to(&f, pbx), "Path: <", ">", path, sizeof path);
    assert_null(strstr(path, ";ob"));
    fixture_fini(&f);
}

/* A gateway of before: the registrar answers 439 (§6). */
static void section_5_1_no_ob_without_outbound(void **state)
{
    static const char *const none[] = {"outbound support", "no", NULL};
    (void)state;
    struct fixture f = fixture_of(none);
    char path[128];
    register_with(&f, 1, "", FLOW, GRANTED);
    take(last_to(&f, pbx), "Path: <", ">", path, sizeof path);
    assert_null(strstr(path, ";ob"));
    fixture_fini(&f);
}

/* A start without a secret draws another key; on this host, where streams never change, another secret stands for it.
 */
static void section_5_2_a_secret_makes_tokens_that_outlive_a_restart(void **state)
{
    static const char *const one[] = {"flow token secret", "one", NULL};
    static const char *const other[] = {"flow token secret", "other", NULL};
    (void)state;
    char path[128];
    struct fixture f = fixture_of(one);
    register_with(&f, 1, "", FLOW, GRANTED);
    take(last_to(&f, pbx), "Path: <", ">", path, sizeof path);
    assert_starts(call_by(&f, path, 1), "OPTIONS ");
    fixture_fini(&f);
    f = fixture_of(one); /* it made this token, and the phone is not back yet */
    assert_starts(call_by(&f, path, 2), "SIP/2.0 430 ");
    fixture_fini(&f);
    f = fixture_of(other);
    assert_starts(call_by(&f, path, 3), "SIP/2.0 403 ");
    fixture_fini(&f);
}

static void section_5_4_flow_timer_only_where_outbound_is_used(void **state)
{
    (void)state;
    struct fixture f = fixture_of(flow_timer);
    assert_non_null(strstr(register_with(&f, 1, "", FLOW, GRANTED), "Flow-Timer: 30\r\n"));
    assert_null(strstr(register_with(&f, 2, "", "Contact: <sip:101@192.168.1.20:5060>\r\n",
                                     "Contact: <sip:101@192.168.1.20:5060>;expires=3600\r\n"),
                       "Flow-Timer"));
    fixture_fini(&f);
    f = fixture_of(NULL);
    assert_null(strstr(register_with(&f, 1, "", FLOW, GRANTED), "Flow-Timer"));
    fixture_fini(&f);
}

static void rfc_6223_4_3_an_offer_to_keep_alive_is_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *const *changes;
        const char *offered, *answered;
    } rows[] = {
        {flow_timer, ";keep", ";keep=30"},
        {NULL, ";keep;x=y", ";keep=0;x=y"},
        {NULL, ";keep=7", ";keep=7"}, /* no offer: somebody has answered it */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fixture f = fixture_of(rows[i].changes);
        if (!strstr(register_with(&f, 1, rows[i].offered, FLOW, GRANTED), rows[i].answered))
            fail_msg("%s: %s", rows[i].offered, last_to(&f, phone));
        fixture_fini(&f);
    }
}

/* X4: the phone is silent, so its flow has failed, and calls are told at once. */
static void section_5_4_a_silent_flow_has_failed(void **state)
{
    (void)state;
    struct fixture f = fixture_of(flow_timer);
    char path[128];
    register_with(&f, 1, "", FLOW, GRANTED);
    take(last_to(&f, pbx), "Path: <", ">", path, sizeof path);
    fake_advance(f.host, 40 * SEC - 1);
    assert_starts(call_by(&f, path, 1), "OPTIONS ");
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"removed\""), 0);
    fake_advance(f.host, 40 * SEC);
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"removed\""), 1);
    assert_starts(call_by(&f, path, 2), "SIP/2.0 430 Flow Failed");
    register_with(&f, 2, "", FLOW, GRANTED); /* and comes back with the next REGISTER */
    assert_starts(call_by(&f, path, 3), "OPTIONS ");
    fixture_fini(&f);
}

static void ping(struct fixture *f, uint8_t number)
{
    uint8_t room[64];
    struct stun_id id = {{number}};
    struct stun_writer w;
    stun_begin(&w, room, sizeof room, STUN_REQUEST, &id);
    stun_put_fingerprint(&w);
    assert_true(fake_deliver(f->host, phone, outside, 64, stun_end(&w)));
}

static void section_8_stun_keeps_a_flow_and_shows_the_mapping(void **state)
{
    (void)state;
    struct fixture f = fixture_of(flow_timer);
    register_with(&f, 1, "", FLOW, GRANTED);
    for (uint8_t i = 1; i <= 10; i++) {
        struct stun_msg answer;
        fake_advance(f.host, i * 30 * SEC);
        ping(&f, i);
        const struct fake_datagram *d = fake_last(f.host);
        assert_true(endpoint_equal(d->to, phone));
        assert_int_equal(stun_parse(span_make(d->data, d->n), &answer), 0);
        assert_int_equal(answer.class, STUN_SUCCESS);
        assert_int_equal(answer.id.bytes[0], i);
        assert_true(endpoint_equal(stun_public(&answer), phone));
    }
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"removed\""), 0);
    fake_advance(f.host, 340 * SEC);
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"removed\""), 1);
    fixture_fini(&f);
}

static void section_8_what_is_no_binding_request_is_dropped(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    uint8_t room[64];
    struct stun_id id = {{1}};
    struct stun_writer w;
    stun_begin(&w, room, sizeof room, STUN_INDICATION, &id);
    assert_true(fake_deliver(f.host, phone, outside, 64, stun_end(&w)));
    assert_string_equal(f.host->last_drop, "not-ours");
    stun_begin(&w, room, sizeof room, STUN_REQUEST, &id);
    assert_true(fake_deliver(f.host, phone, outside, 64, span_make(room, w.n - 1)));
    stun_put_change(&w, STUN_CHANGE_PORT);
    room[3] = 9; /* a length that lies */
    assert_true(fake_deliver(f.host, phone, outside, 64, stun_end(&w)));
    assert_string_equal(f.host->last_drop, "bad-stun");
    assert_int_equal(f.host->sent_n, 0);
    fixture_fini(&f);
}

/* Failure "stale contacts": the phone's URI changed with its NAT, and it said which flow it is. */
static void sb_8_a_phone_is_known_by_its_instance(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    register_with(&f, 1, "", FLOW, GRANTED);
    register_with(&f, 2, "", "Contact: <sip:101@203.0.113.7:40001>" INSTANCE ";reg-id=1\r\nSupported: outbound\r\n",
                  "Contact: <sip:101@203.0.113.7:40001>;expires=3600" INSTANCE ";reg-id=1\r\nRequire: outbound\r\n");
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"added\""), 1);
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"refreshed\""), 1);
    fixture_fini(&f);
}

/* Both flows have the same URI: each confirmation counts for its own. */
static void section_4_2_1_two_flows_of_one_phone(void **state)
{
    (void)state;
    static const struct endpoint second = {IPV4(203, 0, 113, 8), 40000};
    struct fixture f = fixture_of(NULL);
    char path[128];
    register_with(&f, 1, "", FLOW, GRANTED);
    take(last_to(&f, pbx), "Path: <", ">", path, sizeof path);
    send_request(&f, second, outside,
                 &(struct request){.line = "REGISTER sip:lab.example",
                                   .call_id = "reg-2",
                                   .cseq = 1,
                                   .headers = "Contact: <sip:101@192.168.1.20:5060>" INSTANCE
                                              ";reg-id=2\r\nSupported: outbound\r\n"});
    answer(&f, pbx, inside, "200 OK",
           GRANTED "Contact: <sip:101@192.168.1.20:5060>;expires=60" INSTANCE ";reg-id=2\r\n", "");
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"added\""), 2);
    fake_advance(f.host, 60 * SEC);
    assert_int_equal(fake_traced(f.host, "\"expired\"", "\"contact\":\"203.0.113.8:40000\""), 1);
    assert_starts(call_by(&f, path, 1), "OPTIONS ");
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(section_5_1_ob_when_the_phone_is_the_sender),
        cmocka_unit_test(section_5_1_no_ob_without_outbound),
        cmocka_unit_test(section_5_2_a_secret_makes_tokens_that_outlive_a_restart),
        cmocka_unit_test(section_5_4_flow_timer_only_where_outbound_is_used),
        cmocka_unit_test(rfc_6223_4_3_an_offer_to_keep_alive_is_accepted),
        cmocka_unit_test(section_5_4_a_silent_flow_has_failed),
        cmocka_unit_test(section_8_stun_keeps_a_flow_and_shows_the_mapping),
        cmocka_unit_test(section_8_what_is_no_binding_request_is_dropped),
        cmocka_unit_test(sb_8_a_phone_is_known_by_its_instance),
        cmocka_unit_test(section_4_2_1_two_flows_of_one_phone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
