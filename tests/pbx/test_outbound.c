/* The registrar and authoritative proxy of RFC 5626 §6 and §7.
 *
 *     phone, line 103 ── [ SBC 10.0.1.2 ] ── PBX 10.0.1.10 ── alice (102) 10.0.1.31, who calls
 */
#include "nodes/pbx/pbx_outbound.h"
#include "tests/pbx/pbx_fixture.h"

#define ONE      ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-08000f000001>\""
#define TWO      ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-08000f000002>\""
#define OUTBOUND "Supported: path, outbound\r\n"
#define BEHIND   "Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKphone\r\n"
#define PATH(n)  "Path: <sip:flow" #n "@10.0.1.2:5060;lr;ob>\r\n"

static const struct endpoint sbc_at = {IPV4(10, 0, 1, 2), 5060};

/* ---- §6: who is governed ---- */

static void section_6_when_it_governs(void **state)
{
    (void)state;
    static const struct {
        const char *what, *headers;
        enum pbx_outbound governs;
    } rows[] = {
        {"straight here", "Contact: <sip:a@b>" ONE ";reg-id=1\r\n" OUTBOUND, PBX_OUTBOUND_YES},
        {"by an edge proxy", "Contact: <sip:a@b>" ONE ";reg-id=1\r\n" OUTBOUND BEHIND PATH(1), PBX_OUTBOUND_YES},
        {"no Path", "Contact: <sip:a@b>" ONE ";reg-id=1\r\n" OUTBOUND BEHIND, PBX_OUTBOUND_LACKING},
        {"no ob", "Contact: <sip:a@b>" ONE ";reg-id=1\r\n" OUTBOUND BEHIND "Path: <sip:10.0.1.2;lr>\r\n",
         PBX_OUTBOUND_LACKING},
        {"ob of a later proxy", "Contact: <sip:a@b>" ONE ";reg-id=1\r\n" OUTBOUND BEHIND PATH(1) "Path: <sip:p;lr>\r\n",
         PBX_OUTBOUND_LACKING},
        {"ob of the first proxy",
         "Contact: <sip:a@b>" ONE ";reg-id=1\r\n" OUTBOUND BEHIND "Path: <sip:p;lr>\r\n" PATH(1), PBX_OUTBOUND_YES},
        {"no reg-id", "Contact: <sip:a@b>" ONE "\r\n" OUTBOUND BEHIND, PBX_OUTBOUND_NO},
        {"no instance", "Contact: <sip:a@b>;reg-id=1\r\n" OUTBOUND BEHIND, PBX_OUTBOUND_NO},
        {"not supported by the phone", "Contact: <sip:a@b>" ONE ";reg-id=1\r\nSupported: path\r\n" BEHIND,
         PBX_OUTBOUND_NO},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[1024];
        struct sip_msg msg;
        int n =
            snprintf(text, sizeof text, "REGISTER sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.1.2;branch=z9hG4bK1\r\n%s\r\n",
                     rows[i].headers);
        assert_int_equal(sip_parse(span_make(text, (size_t)n), &msg, NULL), 0);
        if (pbx_outbound_judge(&msg) != rows[i].governs)
            fail_msg("%s", rows[i].what);
    }
}

static void section_6_the_response_requires_outbound(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    const char *response =
        pbx_register(&f, "103", 1, "Contact: <sip:103@10.0.1.31>" ONE ";reg-id=1\r\n" OUTBOUND "Require: outbound\r\n");
    assert_status(response, 200);
    assert_non_null(strstr(response, "Require: outbound\r\n"));
    assert_non_null(strstr(response, "Contact: <sip:103@10.0.1.31>;expires=3600" ONE ";reg-id=1\r\n"));
    response = pbx_register(&f, "102", 2, "Contact: <sip:102@10.0.1.31>" ONE "\r\n" OUTBOUND);
    assert_null(strstr(response, "Require:"));
    assert_non_null(strstr(response, "Contact: <sip:102@10.0.1.31>;expires=3600\r\n"));
    pbx_fixture_fini(&f);
}

static void section_6_439_when_the_first_hop_lacks_it(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    const char *response =
        pbx_register(&f, "103", 1, "Contact: <sip:103@192.168.1.20>" ONE ";reg-id=1\r\n" OUTBOUND BEHIND);
    assert_status(response, 439);
    assert_memory_equal(response, "SIP/2.0 439 First Hop Lacks Outbound Support\r\n", 46);
    assert_int_equal(fake_traced(f.host, "\"location\"", ""), 0);
    pbx_fixture_fini(&f);
}

static void section_6_one_flow_a_register(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    assert_status(pbx_register(&f, "103", 1,
                               "Contact: <sip:103@10.0.1.31>" ONE ";reg-id=1, <sip:103@10.0.1.31>" ONE
                               ";reg-id=2\r\n" OUTBOUND),
                  400);
    assert_status(pbx_register(&f, "103", 2,
                               "Contact: <sip:103@10.0.1.31>" ONE ";reg-id=1, <sip:103@10.0.1.31>" ONE
                               ";reg-id=2;expires=0\r\n" OUTBOUND),
                  200);
    pbx_fixture_fini(&f);
}

static void a_pbx_without_it_takes_the_uri(void **state)
{
    (void)state;
    static const char *const off[] = {"outbound support", "no", NULL};
    struct pbx_fixture f = pbx_fixture_of(off);
    assert_status(pbx_register(&f, "103", 1, "Contact: <sip:103@192.168.1.20>" ONE ";reg-id=1\r\n" OUTBOUND BEHIND),
                  200);
    assert_int_equal(
        times(pbx_register(&f, "103", 2, "Contact: <sip:103@192.168.1.21>" ONE ";reg-id=1\r\n" OUTBOUND), "Contact:"),
        2);
    assert_status(pbx_register(&f, "103", 3, "Contact: <sip:103@192.168.1.21>\r\nRequire: outbound\r\n"), 420);
    pbx_fixture_fini(&f);
}

/* ---- §6: what a binding is known by ---- */

/* The NAT has rebound, and the phone has learned its new contact by STUN: failure "stale contacts". */
static void section_6_a_new_contact_replaces_the_old_one(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_register(&f, "103", 1, "Contact: <sip:103@203.0.113.7:40000>" ONE ";reg-id=1\r\n" OUTBOUND);
    const char *response =
        pbx_register(&f, "103", 2, "Contact: <sip:103@203.0.113.7:40001>" ONE ";reg-id=1\r\n" OUTBOUND);
    assert_int_equal(times(response, "Contact:"), 1);
    assert_non_null(strstr(response, "<sip:103@203.0.113.7:40001>"));
    /* After a reboot: another Call-ID, the same letters in another case. */
    response = pbx_request(
        &f, alice_at, "REGISTER sip:lab.example", 1, "reg-2",
        "From: <sip:103@lab.example>;tag=f\r\nTo: <sip:103@lab.example>\r\nContact: <sip:103@203.0.113.8:40002>"
        ";+sip.instance=\"<urn:UUID:00000000-0000-1000-8000-08000F000001>\";reg-id=1\r\n" OUTBOUND);
    assert_int_equal(times(response, "Contact:"), 1);
    assert_non_null(strstr(response, "<sip:103@203.0.113.8:40002>"));
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"refreshed\""), 2);
    pbx_fixture_fini(&f);
}

static void section_6_flows_phones_and_plain_contacts_are_kept_apart(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_register(&f, "103", 1, "Contact: <sip:103@10.0.1.40>" ONE ";reg-id=1\r\n" OUTBOUND);
    pbx_register(&f, "103", 2, "Contact: <sip:103@10.0.1.40>" ONE ";reg-id=2\r\n" OUTBOUND);
    pbx_register(&f, "103", 3, "Contact: <sip:103@10.0.1.40>" TWO ";reg-id=1\r\n" OUTBOUND);
    assert_int_equal(times(pbx_register(&f, "103", 4, "Contact: <sip:103@10.0.1.40>\r\n"), "Contact:"), 4);
    const char *response =
        pbx_register(&f, "103", 5, "Contact: <sip:103@10.0.1.40>" ONE ";reg-id=2;expires=0\r\n" OUTBOUND);
    assert_int_equal(times(response, "Contact:"), 3);
    assert_null(strstr(response, "reg-id=2"));
    pbx_fixture_fini(&f);
}

static void section_6_an_overtaken_registration_of_a_flow_changes_nothing(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_register(&f, "103", 5, "Contact: <sip:103@10.0.1.40>" ONE ";reg-id=1\r\n" OUTBOUND);
    assert_status(pbx_register(&f, "103", 4, "Contact: <sip:103@10.0.1.41>" ONE ";reg-id=1\r\n" OUTBOUND), 500);
    pbx_fixture_fini(&f);
}

/* ---- §7: calls ---- */

static void call_103(struct pbx_fixture *f)
{
    pbx_request(f, alice_at, "INVITE sip:103@lab.example", 1, "call-1",
                "From: <sip:102@lab.example>;tag=a\r\nTo: <sip:103@lab.example>\r\nContact: <sip:102@10.0.1.31>\r\n");
}

/* INVITEs sent to `to` with this text in them. */
static size_t invites(const struct pbx_fixture *f, struct endpoint to, const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < f->host->sent_n; i++)
        n += endpoint_equal(f->host->sent[i].to, to) && strncmp(f->host->sent[i].data, "INVITE ", 7) == 0 &&
             strstr(f->host->sent[i].data, text);
    return n;
}

/* What was sent last to `by` is answered from there: its lines from Via to CSeq. */
static void answers(struct pbx_fixture *f, struct endpoint by, const char *status)
{
    static const char *const names[] = {"Via:", "From:", "To:", "Call-ID:", "CSeq:"};
    char response[4096];
    struct text t = text_on(response, sizeof response);
    const char *request = NULL;
    for (size_t i = f->host->sent_n; i-- > 0 && !request;)
        if (endpoint_equal(f->host->sent[i].to, by))
            request = f->host->sent[i].data;
    assert_non_null(request);
    text_str(&t, "SIP/2.0 ");
    text_str(&t, status);
    text_str(&t, "\r\n");
    for (const char *line = strchr(request, '\n') + 1; *line != '\r'; line = strchr(line, '\n') + 1)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (strncmp(line, names[i], strlen(names[i])) == 0) {
                text_put(&t, span_make(line, strcspn(line, "\r")));
                text_str(&t, i == 2 ? ";tag=b\r\n" : "\r\n");
            }
    text_str(&t, "Content-Length: 0\r\n\r\n");
    assert_true(fake_deliver(f->host, by, pbx_at, 64, text_span(&t)));
}

static void two_flows_through_the_sbc(struct pbx_fixture *f)
{
    pbx_register(f, "103", 1, "Contact: <sip:103@192.168.1.20>" ONE ";reg-id=1\r\n" OUTBOUND BEHIND PATH(1));
    pbx_register(f, "103", 2, "Contact: <sip:103@192.168.1.20>" ONE ";reg-id=2\r\n" OUTBOUND BEHIND PATH(2));
}

static void section_7_one_flow_of_an_instance_then_the_next(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    two_flows_through_the_sbc(&f);
    call_103(&f);
    assert_int_equal(invites(&f, sbc_at, "Route: <sip:flow1@"), 1);
    assert_int_equal(invites(&f, sbc_at, "Route: <sip:flow2@"), 0);
    answers(&f, sbc_at, "430 Flow Failed");
    assert_int_equal(invites(&f, sbc_at, "Route: <sip:flow2@"), 1);
    answers(&f, sbc_at, "486 Busy Here");
    assert_int_equal(fake_traced(f.host, "\"cdr\"", "\"busy\""), 1);
    pbx_fixture_fini(&f);
}

static void section_7_both_flows_gone_is_480(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    two_flows_through_the_sbc(&f);
    call_103(&f);
    answers(&f, sbc_at, "430 Flow Failed");
    answers(&f, sbc_at, "430 Flow Failed");
    assert_int_equal(fake_traced(f.host, "\"cdr\"", "\"status\":480"), 1);
    pbx_fixture_fini(&f);
}

/* §11.5: an edge proxy also knows flows of phones that register without reg-id; callers never see 430. */
static void section_11_5_a_lone_flow_that_is_gone_is_480(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    pbx_register(&f, "103", 1, "Contact: <sip:103@10.0.1.2>\r\n" BEHIND);
    call_103(&f);
    answers(&f, sbc_at, "430 Flow Failed");
    assert_int_equal(fake_traced(f.host, "\"cdr\"", "\"status\":480"), 1);
    pbx_fixture_fini(&f);
}

static void section_7_a_silent_flow_is_replaced_after_timer_b(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    two_flows_through_the_sbc(&f);
    call_103(&f);
    fake_advance(f.host, 33 * SEC);
    assert_int_equal(invites(&f, sbc_at, "Route: <sip:flow1@"), 7);
    assert_int_equal(invites(&f, sbc_at, "Route: <sip:flow2@"), 2);
    pbx_fixture_fini(&f);
}

static void section_7_two_phones_ring_at_once(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(NULL);
    two_flows_through_the_sbc(&f);
    pbx_register(&f, "103", 3, "Contact: <sip:103@192.168.1.21>" TWO ";reg-id=1\r\n" OUTBOUND BEHIND PATH(3));
    call_103(&f);
    assert_int_equal(invites(&f, sbc_at, "Route: <sip:flow1@"), 1);
    assert_int_equal(invites(&f, sbc_at, "Route: <sip:flow2@"), 0);
    assert_int_equal(invites(&f, sbc_at, "Route: <sip:flow3@"), 1);
    pbx_fixture_fini(&f);
}

/* The phone is behind a NAT and registers with the PBX itself: its contact cannot be reached, its flow can (PH-10). */
static void section_6_a_call_goes_by_the_flow_that_registered(void **state)
{
    (void)state;
    static const struct endpoint nat = {IPV4(203, 0, 113, 7), 40000};
    struct pbx_fixture f = pbx_fixture_of(NULL);
    assert_status(pbx_request(&f, nat, "REGISTER sip:lab.example", 1, "reg-3",
                              "From: <sip:103@lab.example>;tag=f\r\nTo: <sip:103@lab.example>\r\n"
                              "Contact: <sip:103@192.168.1.20>" ONE ";reg-id=1\r\n" OUTBOUND),
                  200);
    assert_int_equal(fake_traced(f.host, "\"added\"", "\"contact\":\"203.0.113.7:40000\""), 1);
    call_103(&f);
    assert_int_equal(invites(&f, nat, "INVITE sip:103@192.168.1.20 SIP/2.0"), 1);
    pbx_fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(section_6_when_it_governs),
        cmocka_unit_test(section_6_the_response_requires_outbound),
        cmocka_unit_test(section_6_439_when_the_first_hop_lacks_it),
        cmocka_unit_test(section_6_one_flow_a_register),
        cmocka_unit_test(a_pbx_without_it_takes_the_uri),
        cmocka_unit_test(section_6_a_new_contact_replaces_the_old_one),
        cmocka_unit_test(section_6_flows_phones_and_plain_contacts_are_kept_apart),
        cmocka_unit_test(section_6_an_overtaken_registration_of_a_flow_changes_nothing),
        cmocka_unit_test(section_7_one_flow_of_an_instance_then_the_next),
        cmocka_unit_test(section_7_both_flows_gone_is_480),
        cmocka_unit_test(section_11_5_a_lone_flow_that_is_gone_is_480),
        cmocka_unit_test(section_7_a_silent_flow_is_replaced_after_timer_b),
        cmocka_unit_test(section_7_two_phones_ring_at_once),
        cmocka_unit_test(section_6_a_call_goes_by_the_flow_that_registered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
