/* The SBC's signalling, with the phone and the PBX played by hand (RFC 3327, RFC 5626, SB-3, SB-9, NW-2). */
#include "tests/sbc/sbc_fixture.h"

static const struct request registers = {.line = "REGISTER sip:lab.example",
                                         .call_id = "reg-1",
                                         .cseq = 1,
                                         .headers = "Contact: <sip:101@192.168.1.20:5060>\r\nExpires: 3600\r\n"};

/* The phone registers; `path` receives the URI in the Path that the PBX saw. */
static void register_phone(struct fixture *f, char path[128])
{
    send_request(f, phone, outside, &registers);
    take(last_to(f, pbx), "Path: <", ">", path, 128);
    answer(f, pbx, inside, "200 OK", "Contact: <sip:101@192.168.1.20:5060>;expires=3600\r\n", "");
    assert_starts(last_to(f, phone), "SIP/2.0 200 ");
}

static const char *const sdp_of_phone =
    "v=0\r\no=- 1 1 IN IP4 192.168.1.20\r\ns=-\r\nc=IN IP4 192.168.1.20\r\nt=0 0\r\n"
    "m=audio 10000 RTP/AVP 0\r\n";
static const char *const sdp_of_bob = "v=0\r\no=- 1 1 IN IP4 10.0.1.31\r\ns=-\r\nc=IN IP4 10.0.1.31\r\nt=0 0\r\n"
                                      "m=audio 12000 RTP/AVP 0\r\n";

/* ---- REGISTER ---- */

static void rfc_3327_register_gets_a_path_with_a_token(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char path[128];
    register_phone(&f, path);
    assert_starts(path, "sip:cb0071079c40");
    assert_non_null(strstr(path, "@10.0.1.2:5060;lr"));
    const char *seen = last_to(&f, pbx);
    assert_non_null(strstr(seen, "Via: SIP/2.0/UDP 10.0.1.2:5060;")); /* NW-2 */
    assert_non_null(strstr(seen, "Max-Forwards: 69\r\n"));
    assert_null(strstr(last_to(&f, phone), "10.0.1.2:5060;branch"));
    assert_int_equal(fake_traced(f.host, "\"location\",\"state\":\"added\"", "\"contact\":\"203.0.113.7:40000\""), 1);
    fixture_fini(&f);
}

static void a_challenge_passes_and_registers_nobody(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    send_request(&f, phone, outside, &registers);
    answer(&f, pbx, inside, "401 Unauthorized", "WWW-Authenticate: Digest realm=\"lab\", nonce=\"n\"\r\n", "");
    assert_starts(last_to(&f, phone), "SIP/2.0 401 ");
    assert_non_null(strstr(last_to(&f, phone), "WWW-Authenticate: Digest realm=\"lab\", nonce=\"n\"\r\n"));
    assert_int_equal(fake_traced(f.host, "\"location\"", ""), 0);
    fixture_fini(&f);
}

static void register_expires_shortens_what_the_phone_hears(void **state)
{
    (void)state;
    static const char *const changes[] = {"register expires", "45s", NULL};
    struct fixture f = fixture_of(changes);
    char path[128];
    register_phone(&f, path);
    assert_non_null(strstr(last_to(&f, phone), "Contact: <sip:101@192.168.1.20:5060>;expires=45\r\n"));
    fake_advance(f.host, 45 * SEC);
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"expired\""), 1);
    fixture_fini(&f);
}

static void rfc_4320_a_silent_pbx_is_silence_for_the_phone(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    send_request(&f, phone, outside, &registers);
    fake_advance(f.host, 40 * SEC);
    assert_int_equal(f.host->sent_n, 11); /* SB-12: ten retransmissions */
    assert_int_equal(fake_traced(f.host, "\"timeout\"", "\"timer\":\"F\""), 1);
    fixture_fini(&f);
}

static void a_register_for_elsewhere_or_from_inside_is_403(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    struct request r = registers;
    send_request(&f, pbx, inside, &r);
    assert_starts(last_to(&f, pbx), "SIP/2.0 403 ");
    r.line = "REGISTER sip:elsewhere.example";
    send_request(&f, phone, outside, &r);
    assert_starts(last_to(&f, phone), "SIP/2.0 403 ");
    fixture_fini(&f);
}

/* ---- requests from inside ---- */

static void a_call_from_the_pbx_takes_the_flow_whatever_the_contact_says(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char path[128];
    char route[192];
    register_phone(&f, path);
    snprintf(route, sizeof route, "Route: <%s>\r\nContact: <sip:102@10.0.1.31>\r\n", path);
    send_request(&f, pbx, inside,
                 &(struct request){.line = "INVITE sip:101@192.168.1.20:5060",
                                   .call_id = "c",
                                   .cseq = 1,
                                   .headers = route,
                                   .body = sdp_of_bob});
    const char *invite = last_to(&f, phone);
    assert_starts(invite, "INVITE sip:101@192.168.1.20:5060 SIP/2.0\r\n");
    assert_null(strstr(invite, "\r\nRoute:"));
    assert_non_null(strstr(invite, "c=IN IP4 203.0.113.10\r\n"));
    assert_non_null(strstr(invite, "m=audio 20000 "));
    char record_route[256];
    take(invite, "Record-Route: ", "\r", record_route, sizeof record_route);
    assert_starts(record_route, "<sip:cb0071079c40");
    assert_non_null(strstr(record_route, "@203.0.113.10:5060;lr;call=1>, <sip:10.0.1.2:5060;lr;call=1>"));
    fixture_fini(&f);
}

static void call_by_token(struct fixture *f, const char *user, const char *expected)
{
    char route[192];
    snprintf(route, sizeof route, "Route: <sip:%s@10.0.1.2;lr>\r\nContact: <sip:102@10.0.1.31>\r\n", user);
    send_request(
        f, pbx, inside,
        &(struct request){.line = "INVITE sip:101@192.168.1.20", .call_id = user, .cseq = 1, .headers = route});
    assert_starts(last_to(f, pbx), expected);
}

static void rfc_5626_5_3_1_bad_tokens_are_403_and_dead_flows_430(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char path[128];
    char token[64];
    register_phone(&f, path);
    take(path, "sip:", "@", token, sizeof token);
    call_by_token(&f, "alice", "SIP/2.0 403 ");
    fake_advance(f.host, 3600 * SEC);
    call_by_token(&f, token, "SIP/2.0 430 Flow Failed");
    fixture_fini(&f);
}

static void a_request_without_a_token_is_404(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    send_request(&f, pbx, inside,
                 &(struct request){.line = "INVITE sip:101@10.0.1.2",
                                   .call_id = "c",
                                   .cseq = 1,
                                   .headers = "Contact: <sip:102@10.0.1.31>\r\n"});
    assert_starts(last_to(&f, pbx), "SIP/2.0 404 ");
    fixture_fini(&f);
}

/* ---- requests from outside ---- */

#define INVITE_102 .line = "INVITE sip:102@lab.example", .call_id = "c", .cseq = 1, .body = sdp_of_phone
#define CONTACT    "Contact: <sip:101@192.168.1.20:5060>\r\n"

static void strangers_and_foreign_domains_are_403(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char path[128];
    send_request(&f, phone, outside, &(struct request){INVITE_102, .headers = CONTACT});
    assert_starts(last_to(&f, phone), "SIP/2.0 403 ");
    register_phone(&f, path);
    send_request(
        &f, phone, outside,
        &(struct request){.line = "INVITE sip:x@elsewhere.example", .call_id = "d", .cseq = 1, .headers = CONTACT});
    assert_starts(last_to(&f, phone), "SIP/2.0 403 ");
    fixture_fini(&f);
}

static void sb_9_a_preloaded_route_is_rejected_but_not_the_sbc_itself(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char path[128];
    register_phone(&f, path);
    send_request(&f, phone, outside, &(struct request){INVITE_102, .headers = "Route: <sip:10.0.1.99;lr>\r\n" CONTACT});
    assert_starts(last_to(&f, phone), "SIP/2.0 403 ");
    send_request(&f, phone, outside,
                 &(struct request){INVITE_102, .headers = "Route: <sip:203.0.113.10;lr>\r\n" CONTACT});
    assert_starts(last_to(&f, phone), "SIP/2.0 100 ");
    assert_starts(last_to(&f, pbx), "INVITE sip:102@lab.example ");
    fixture_fini(&f);
}

static void a_call_to_the_sbcs_address_is_a_call_to_the_domain(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char path[128];
    register_phone(&f, path);
    send_request(
        &f, phone, outside,
        &(struct request){.line = "INVITE sip:102@203.0.113.10", .call_id = "c", .cseq = 1, .headers = CONTACT});
    assert_starts(last_to(&f, pbx), "INVITE sip:102@lab.example ");
    fixture_fini(&f);
}

/* INVITE, 200, then BYE by the route that the Record-Routes made. */
static void a_call_from_outside_and_its_end(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char path[128];
    char record_route[256];
    char headers[512];
    register_phone(&f, path);
    send_request(&f, phone, outside, &(struct request){INVITE_102, .headers = CONTACT});
    take(last_to(&f, pbx), "Record-Route: ", "\r", record_route, sizeof record_route);
    assert_starts(record_route, "<sip:10.0.1.2:5060;lr;call=1>, <sip:cb0071079c40");
    assert_non_null(strstr(last_to(&f, pbx), "c=IN IP4 10.0.1.2\r\n"));
    answer(&f, pbx, inside, "200 OK", "Contact: <sip:102@10.0.1.31>\r\n", sdp_of_bob);
    assert_starts(last_to(&f, phone), "SIP/2.0 200 ");
    assert_non_null(strstr(last_to(&f, phone), "c=IN IP4 203.0.113.10\r\n"));
    assert_int_equal(fake_traced(f.host, "\"relay\",\"state\":\"opened\"", "\"call_id\":\"c\""), 2);
    /* The callee hangs up: its route set is the Record-Route as it stands. */
    snprintf(headers, sizeof headers, "Route: %s\r\n", record_route);
    send_request(&f, pbx, inside,
                 &(struct request){.line = "BYE sip:101@192.168.1.20:5060",
                                   .call_id = "c",
                                   .cseq = 7,
                                   .to_tag = ";tag=a",
                                   .headers = headers});
    assert_starts(last_to(&f, phone), "BYE sip:101@192.168.1.20:5060 ");
    assert_int_equal(fake_traced(f.host, "\"closed\"", "\"relay\""), 0);
    answer(&f, phone, outside, "200 OK", "", "");
    assert_int_equal(fake_traced(f.host, "\"closed\"", "\"relay\""), 2);
    fixture_fini(&f);
}

static void a_bye_that_nobody_answers_closes_the_relay(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char path[128];
    char record_route[256];
    char headers[512];
    register_phone(&f, path);
    send_request(&f, phone, outside, &(struct request){INVITE_102, .headers = CONTACT});
    take(last_to(&f, pbx), "Record-Route: ", "\r", record_route, sizeof record_route);
    answer(&f, pbx, inside, "200 OK", "Contact: <sip:102@10.0.1.31>\r\n", sdp_of_bob);
    snprintf(headers, sizeof headers, "Route: %s\r\n", record_route);
    send_request(&f, pbx, inside,
                 &(struct request){.line = "BYE sip:101@192.168.1.20:5060",
                                   .call_id = "another",
                                   .cseq = 7,
                                   .to_tag = ";tag=a",
                                   .headers = headers});
    fake_advance(f.host, 100 * SEC);
    assert_int_equal(fake_traced(f.host, "\"closed\"", "\"relay\""), 0); /* another call's number */
    send_request(&f, pbx, inside,
                 &(struct request){.line = "BYE sip:101@192.168.1.20:5060",
                                   .call_id = "c",
                                   .cseq = 7,
                                   .to_tag = ";tag=a",
                                   .headers = headers});
    fake_advance(f.host, 200 * SEC);
    assert_int_equal(fake_traced(f.host, "\"closed\"", "\"relay\""), 2);
    fixture_fini(&f);
}

static void a_failed_call_closes_its_relay(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char path[128];
    register_phone(&f, path);
    send_request(&f, phone, outside, &(struct request){INVITE_102, .headers = CONTACT});
    answer(&f, pbx, inside, "486 Busy Here", "", "");
    assert_starts(last_to(&f, phone), "SIP/2.0 486 ");
    assert_int_equal(fake_traced(f.host, "\"closed\"", "\"relay\""), 2);
    assert_int_equal(fake_open_sockets(f.host), 2);
    fixture_fini(&f);
}

static void an_sdp_that_cannot_be_read_is_488(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char path[128];
    register_phone(&f, path);
    send_request(&f, phone, outside,
                 &(struct request){.line = "INVITE sip:102@lab.example",
                                   .call_id = "c",
                                   .cseq = 1,
                                   .headers = CONTACT,
                                   .body = "this is no description\r\n"});
    assert_starts(last_to(&f, phone), "SIP/2.0 488 ");
    assert_string_equal(f.host->last_drop, "bad-sdp");
    assert_int_equal(fake_open_sockets(f.host), 2);
    fixture_fini(&f);
}

static void sb_3_the_public_address_is_written_outside(void **state)
{
    (void)state;
    static const char *const changes[] = {"public address", "198.51.100.1", NULL};
    struct fixture f = fixture_of(changes);
    char path[128];
    char route[192];
    register_phone(&f, path);
    snprintf(route, sizeof route, "Route: <%s>\r\nContact: <sip:102@10.0.1.31>\r\n", path);
    send_request(&f, pbx, inside,
                 &(struct request){.line = "INVITE sip:101@192.168.1.20:5060",
                                   .call_id = "c",
                                   .cseq = 1,
                                   .headers = route,
                                   .body = sdp_of_bob});
    const char *invite = last_to(&f, phone);
    assert_non_null(strstr(invite, "Via: SIP/2.0/UDP 198.51.100.1:5060;"));
    assert_non_null(strstr(invite, "@198.51.100.1:5060;lr;call=1>"));
    assert_non_null(strstr(invite, "c=IN IP4 198.51.100.1\r\n"));
    assert_null(strstr(invite, "203.0.113.10"));
    fixture_fini(&f);
}

/* ---- session timers: RFC 4028 §8 ---- */

#define TIMER_180 "Supported: timer\r\nSession-Expires: 180\r\n"

/* The phone calls line 102, which answers at 0 s with these header lines; `route` is the callee's way to the phone. */
static void call_102(struct fixture *f, const char *headers, char route[512])
{
    char path[128];
    char record_route[256];
    char contact[256];
    register_phone(f, path);
    send_request(f, phone, outside, &(struct request){INVITE_102, .headers = TIMER_180 CONTACT});
    take(last_to(f, pbx), "Record-Route: ", "\r", record_route, sizeof record_route);
    snprintf(contact, sizeof contact, "%sContact: <sip:102@10.0.1.31>\r\n", headers);
    answer(f, pbx, inside, "200 OK", contact, sdp_of_bob);
    snprintf(route, 512, "Route: %s\r\n" TIMER_180, record_route);
}

static void from_102(struct fixture *f, const char *line, unsigned cseq, const char *headers)
{
    send_request(f, pbx, inside,
                 &(struct request){.line = line, .call_id = "c", .cseq = cseq, .to_tag = ";tag=a", .headers = headers});
}

static void assert_calls(struct fixture *f, unsigned n)
{
    char text[64];
    snprintf(text, sizeof text, "\"registrations\":1,\"calls\":%u,\"streams\":%u,", n, n);
    size_t before = fake_traced(f->host, "\"report\"", text);
    sbc_kind.command(f->node, SPAN("report"));
    assert_int_equal(fake_traced(f->host, "\"report\"", text), before + 1);
}

static void rfc_4028_8_3_a_call_that_nobody_refreshes_is_forgotten(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char route[512];
    call_102(&f, "Require: timer\r\nSession-Expires: 180;refresher=uas\r\n", route);
    fake_advance(f.host, 90 * SEC);
    from_102(&f, "UPDATE sip:101@192.168.1.20:5060", 7, route);
    answer(&f, phone, outside, "200 OK", "Session-Expires: 180;refresher=uac\r\n", "");
    fake_advance(f.host, 270 * SEC - 1);
    assert_calls(&f, 1);
    size_t sent = f.host->sent_n;
    fake_advance(f.host, 270 * SEC);
    assert_calls(&f, 0);
    assert_int_equal(fake_traced(f.host, "\"t\":270000000000", "\"reason\":\"session-expired\""), 2);
    assert_int_equal(f.host->sent_n, sent); /* a proxy MUST NOT send a BYE */
    from_102(&f, "BYE sip:101@192.168.1.20:5060", 8, route);
    assert_starts(last_to(&f, phone), "BYE sip:101@192.168.1.20:5060 "); /* who comes back too late is heard */
    fake_advance(f.host, 400 * SEC);
    fixture_fini(&f);
}

static void rfc_4028_8_2_a_refused_refresh_moves_nothing(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char route[512];
    call_102(&f, "Require: timer\r\nSession-Expires: 180;refresher=uas\r\n", route);
    fake_advance(f.host, 90 * SEC);
    from_102(&f, "UPDATE sip:101@192.168.1.20:5060", 7, route);
    answer(&f, phone, outside, "491 Request Pending", "", "");
    fake_advance(f.host, 180 * SEC - 1);
    assert_calls(&f, 1);
    fake_advance(f.host, 180 * SEC);
    assert_calls(&f, 0);
    fixture_fini(&f);
}

/* The phone has asked for a session timer and is told to refresh, so the SBC may count on it. */
static void rfc_4028_8_2_a_callee_without_session_timers(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char route[512];
    call_102(&f, "", route);
    assert_non_null(strstr(last_to(&f, phone), "Session-Expires: 180;refresher=uac\r\n"));
    assert_non_null(strstr(last_to(&f, phone), "Require: timer\r\n"));
    fake_advance(f.host, 180 * SEC);
    assert_calls(&f, 0);
    fixture_fini(&f);
}

static void rfc_4028_8_2_without_a_session_timer_a_call_lasts(void **state)
{
    (void)state;
    static const char *const changes[] = {"media timeout", "24h", NULL};
    struct fixture f = fixture_of(changes);
    char route[512];
    call_102(&f, "Session-Expires: 180;refresher=uas\r\n", route);
    fake_advance(f.host, 90 * SEC);
    route[strlen(route) - strlen(TIMER_180)] = '\0';
    from_102(&f, "UPDATE sip:101@192.168.1.20:5060", 7, route); /* which does without one from now on */
    answer(&f, phone, outside, "200 OK", "", "");
    fake_advance(f.host, 1 * HOUR - 1);
    assert_calls(&f, 1);
    fixture_fini(&f);
}

/* ---- the rest ---- */

static void options_ping_keeps_pinging_while_the_flow_lives(void **state)
{
    (void)state;
    static const char *const changes[] = {"options ping", "30s", "register expires", "100s", NULL};
    struct fixture f = fixture_of(changes);
    char path[128];
    register_phone(&f, path);
    for (int i = 1; i <= 3; i++) {
        fake_advance(f.host, i * 30 * SEC);
        assert_starts(last_to(&f, phone), "OPTIONS sip:203.0.113.7:40000 ");
        answer(&f, phone, outside, "200 OK", "", "");
    }
    size_t sent = f.host->sent_n;
    fake_advance(f.host, 300 * SEC);
    assert_int_equal(f.host->sent_n, sent);
    fixture_fini(&f);
}

static void commands_report_and_change_settings(void **state)
{
    (void)state;
    struct fixture f = fixture_of(NULL);
    char path[128];
    register_phone(&f, path);
    sbc_kind.command(f.node, SPAN("report"));
    assert_int_equal(fake_traced(f.host, "\"ev\":\"report\",\"registrations\":1,\"calls\":0", ""), 1);
    sbc_kind.command(f.node, SPAN("set media ttl reset"));
    assert_int_equal(fake_traced(f.host, "\"bad-command\"", ""), 0);
    sbc_kind.command(f.node, SPAN("set media ttl often"));
    sbc_kind.command(f.node, SPAN("set port 5070"));
    sbc_kind.command(f.node, SPAN("sing"));
    assert_int_equal(fake_traced(f.host, "\"bad-command\"", ""), 3);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_3327_register_gets_a_path_with_a_token),
        cmocka_unit_test(a_challenge_passes_and_registers_nobody),
        cmocka_unit_test(register_expires_shortens_what_the_phone_hears),
        cmocka_unit_test(rfc_4320_a_silent_pbx_is_silence_for_the_phone),
        cmocka_unit_test(a_register_for_elsewhere_or_from_inside_is_403),
        cmocka_unit_test(a_call_from_the_pbx_takes_the_flow_whatever_the_contact_says),
        cmocka_unit_test(rfc_5626_5_3_1_bad_tokens_are_403_and_dead_flows_430),
        cmocka_unit_test(a_request_without_a_token_is_404),
        cmocka_unit_test(strangers_and_foreign_domains_are_403),
        cmocka_unit_test(sb_9_a_preloaded_route_is_rejected_but_not_the_sbc_itself),
        cmocka_unit_test(a_call_to_the_sbcs_address_is_a_call_to_the_domain),
        cmocka_unit_test(a_call_from_outside_and_its_end),
        cmocka_unit_test(a_bye_that_nobody_answers_closes_the_relay),
        cmocka_unit_test(a_failed_call_closes_its_relay),
        cmocka_unit_test(an_sdp_that_cannot_be_read_is_488),
        cmocka_unit_test(sb_3_the_public_address_is_written_outside),
        cmocka_unit_test(rfc_4028_8_3_a_call_that_nobody_refreshes_is_forgotten),
        cmocka_unit_test(rfc_4028_8_2_a_refused_refresh_moves_nothing),
        cmocka_unit_test(rfc_4028_8_2_a_callee_without_session_timers),
        cmocka_unit_test(rfc_4028_8_2_without_a_session_timer_a_call_lasts),
        cmocka_unit_test(options_ping_keeps_pinging_while_the_flow_lives),
        cmocka_unit_test(commands_report_and_change_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
