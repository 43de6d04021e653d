/* The PBX on TCP: PB-5, PB-2, RFC 5923, failures "server's idle limit" and "wedged".
 *
 *     bob (103) 10.0.1.32 ══ TCP ══ PBX 10.0.1.10 ── UDP ── alice (102) 10.0.1.31
 */
#include "tests/pbx/pbx_fixture.h"

static const char *const both[] = {"listen", "udp", "listen", "tcp", NULL};
static const struct endpoint bobs_port = {IPV4(10, 0, 1, 32), 50001};

static void send(struct host_tcp *c, const char *line, unsigned cseq, const char *call_id, const char *headers)
{
    char text[4096];
    static unsigned branch;
    int n = snprintf(text, sizeof text,
                     "%s SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.1.32:5060;branch=z9hG4bKs%u\r\nMax-Forwards: 70\r\n"
                     "Call-ID: %s\r\nCSeq: %u %.*s\r\n%sContent-Length: 0\r\n\r\n",
                     line, ++branch, call_id, cseq, (int)strcspn(line, " "), line, headers);
    assert_true(n > 0 && (size_t)n < sizeof text);
    fake_tcp_receive(c, span_make(text, (size_t)n));
}

static struct host_tcp *bob_registers(struct pbx_fixture *f)
{
    struct host_tcp *c = fake_tcp_accept(f->host, 5060, bobs_port);
    assert_non_null(c);
    send(c, "REGISTER sip:lab.example", 1, "reg-b",
         "From: <sip:103@lab.example>;tag=f\r\nTo: <sip:103@lab.example>\r\n"
         "Contact: <sip:103@10.0.1.32:5060;transport=tcp>\r\n");
    assert_status(c->sent, 200);
    fake_tcp_forget(c);
    return c;
}

static const char *alice_calls(struct pbx_fixture *f, const char *call_id)
{
    return pbx_request(f, alice_at, "INVITE sip:103@lab.example", 1, call_id,
                       "From: <sip:102@lab.example>;tag=a\r\nTo: <sip:103@lab.example>\r\n"
                       "Contact: <sip:102@10.0.1.31>\r\n");
}

static void pb_5_a_call_comes_by_the_connection_of_the_phone(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(both);
    struct host_tcp *c = bob_registers(&f);
    assert_int_equal(fake_traced(f.host, "\"added\"", "\"contact\":\"10.0.1.32:50001\""), 1);
    alice_calls(&f, "call-1");
    assert_memory_equal(c->sent, "INVITE sip:103@10.0.1.32:5060;transport=tcp SIP/2.0\r\n", 53);
    assert_non_null(
        strstr(c->sent, "Record-Route: <sip:10.0.1.10:5060;transport=tcp;lr>, <sip:10.0.1.10:5060;lr>\r\n"));
    assert_int_equal(f.host->tcp.n, 1);
    pbx_fixture_fini(&f);
}

/* The phone listens nowhere: also a request of the dialog goes by its connection. */
static void pb_5_and_so_does_the_bye(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(both);
    struct host_tcp *c = bob_registers(&f);
    pbx_request(&f, alice_at, "BYE sip:103@10.0.1.32:5060;transport=tcp", 2, "call-1",
                "Route: <sip:10.0.1.10:5060;lr>, <sip:10.0.1.10:5060;transport=tcp;lr>\r\n"
                "From: <sip:102@lab.example>;tag=a\r\nTo: <sip:103@lab.example>;tag=b\r\n");
    assert_memory_equal(c->sent, "BYE sip:103@10.0.1.32:5060;transport=tcp SIP/2.0\r\n", 50);
    assert_null(strstr(c->sent, "\r\nRoute:"));
    pbx_fixture_fini(&f);
}

static void pb_5_a_closed_connection_ends_the_registration(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(both);
    struct host_tcp *c = bob_registers(&f);
    fake_tcp_finished(c);
    fake_advance(f.host, f.host->now);
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"removed\""), 1);
    assert_status(alice_calls(&f, "call-1"), 480);
    assert_int_equal(f.host->tcp.n, 1); /* it opened none */
    bob_registers(&f);
    alice_calls(&f, "call-2");
    assert_memory_equal(f.host->tcp.connections[1].sent, "INVITE ", 7);
    pbx_fixture_fini(&f);
}

static void pb_2_a_restart_remembers_no_connection(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(both);
    pbx_register(&f, "102", 1, "Contact: <sip:102@10.0.1.31>\r\n");
    bob_registers(&f);
    pbx_kind.command(f.node, SPAN("restart"));
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"removed\""), 1);
    assert_status(alice_calls(&f, "call-1"), 480);
    assert_int_equal(times(pbx_register(&f, "102", 2, ""), "Contact:"), 1);
    pbx_fixture_fini(&f);
}

/* Failure "server's idle limit shorter than the expiry". */
static void an_idle_limit_closes_what_is_silent(void **state)
{
    (void)state;
    static const char *const idle[] = {"listen", "tcp", "idle timeout", "60s", NULL};
    struct pbx_fixture f = pbx_fixture_of(idle);
    struct host_tcp *c = bob_registers(&f);
    fake_advance(f.host, 61 * SEC);
    assert_false(c->open);
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"removed\""), 1);
    pbx_fixture_fini(&f);
}

static void pings_are_answered_or_not(void **state)
{
    (void)state;
    static const char *const deaf[] = {"listen", "tcp", "answers pings", "no", NULL};
    struct pbx_fixture f = pbx_fixture_of(both);
    struct host_tcp *c = bob_registers(&f);
    fake_tcp_receive(c, SPAN("\r\n\r\n"));
    assert_string_equal(c->sent, "\r\n");
    pbx_fixture_fini(&f);
    f = pbx_fixture_of(deaf);
    c = bob_registers(&f);
    fake_tcp_receive(c, SPAN("\r\n\r\n"));
    assert_string_equal(c->sent, "");
    pbx_fixture_fini(&f);
}

/* An SBC that registers phones over TCP: calls come back by the connection that it opened. */
static void rfc_5923_the_way_back_to_an_sbc(void **state)
{
    (void)state;
    struct pbx_fixture f = pbx_fixture_of(both);
    struct host_tcp *c = fake_tcp_accept(f.host, 5060, (struct endpoint){IPV4(10, 0, 1, 2), 50002});
    assert_non_null(c);
    fake_tcp_receive(c, SPAN("REGISTER sip:lab.example SIP/2.0\r\n"
                             "Via: SIP/2.0/TCP 10.0.1.2:5060;branch=z9hG4bKsbc;alias\r\n"
                             "Via: SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bKphone\r\nMax-Forwards: 69\r\n"
                             "From: <sip:103@lab.example>;tag=f\r\nTo: <sip:103@lab.example>\r\nCall-ID: reg-b\r\n"
                             "CSeq: 1 REGISTER\r\nPath: <sip:flow@10.0.1.2:5060;transport=tcp;lr;ob>\r\n"
                             "Contact: <sip:103@192.168.1.20:5060>\r\nContent-Length: 0\r\n\r\n"));
    assert_status(c->sent, 200);
    fake_tcp_forget(c);
    alice_calls(&f, "call-1");
    assert_memory_equal(c->sent, "INVITE sip:103@192.168.1.20:5060 SIP/2.0\r\n", 42);
    assert_non_null(strstr(c->sent, "Route: <sip:flow@10.0.1.2:5060;transport=tcp;lr;ob>\r\n"));
    assert_int_equal(f.host->tcp.n, 1);
    pbx_fixture_fini(&f);
}

static void what_cannot_stand_together(void **state)
{
    (void)state;
    static const struct {
        const char *const changes[12];
        const char *setting;
    } rows[] = {
        {{"listen", "udp", "listen", "tcp"}, NULL},
        {{"listen", "udp", "listen", "udp"}, "listen"},
        {{"listen", "tls"}, "tls certificate"},
        {{"listen", "tls", "tls certificate", "base64:AA==", "tls key", "base64:AA=="}, NULL},
        {{"listen", "tls", "tls certificate", "base64:AA==", "tls key", "base64:AA==", "ask client certificate",
          "required"},
         "tls trust"},
        {{"listen", "tcp", "listen", "tls", "tls port", "5060", "tls certificate", "base64:AA==", "tls key",
          "base64:AA=="},
         "tls port"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char buf[256];
        struct text why = text_on(buf, sizeof buf);
        void *settings = options_new(pbx_kind.options, pbx_kind.settings_size);
        for (const char *const *set = rows[i].changes; *set; set += 2)
            assert_int_equal(options_set(pbx_kind.options, settings, span_of(set[0]), span_of(set[1]), NULL), 0);
        const char *setting = pbx_kind.conflict(settings, &why);
        if (!span_equal(span_of(setting), span_of(rows[i].setting)))
            fail_msg("row %zu: %s: %s", i, setting ? setting : "fine", buf);
        options_free(pbx_kind.options, settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pb_5_a_call_comes_by_the_connection_of_the_phone),
        cmocka_unit_test(pb_5_and_so_does_the_bye),
        cmocka_unit_test(pb_5_a_closed_connection_ends_the_registration),
        cmocka_unit_test(pb_2_a_restart_remembers_no_connection),
        cmocka_unit_test(an_idle_limit_closes_what_is_silent),
        cmocka_unit_test(pings_are_answered_or_not),
        cmocka_unit_test(rfc_5923_the_way_back_to_an_sbc),
        cmocka_unit_test(what_cannot_stand_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
