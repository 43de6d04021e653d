/* SB-2: rows of ports, allow-lists, and what cannot stand together. */
#include "nodes/sbc/sbc_ports.h"
#include "tests/sbc/sbc_fixture.h"

static void *settings_of(const char *const *changes)
{
    void *settings = options_new(sbc_kind.options, sbc_kind.settings_size);
    for (const char *const *set = changes; *set; set += 2)
        assert_int_equal(options_set(sbc_kind.options, settings, span_of(set[0]), span_of(set[1]), NULL), 0);
    return settings;
}

static void without_rows_udp_for_everybody(void **state)
{
    (void)state;
    static const char *const changes[] = {"port", "5070", NULL};
    void *settings = settings_of(changes);
    struct sbc_port ports[SBC_PORTS_MAX];
    assert_int_equal(sbc_ports_read(settings, ports), 1);
    assert_int_equal(ports[0].transport, SIP_UDP);
    assert_int_equal(ports[0].port, 5070);
    assert_true(sbc_port_admits(&ports[0], 1));
    options_free(sbc_kind.options, settings);
}

static void rows_in_their_order(void **state)
{
    (void)state;
    static const char *const changes[] = {"ports.5061.transport",
                                          "tls",
                                          "ports.5060.transport",
                                          "udp+tcp",
                                          "ports.trunk.port",
                                          "5070",
                                          "ports.trunk.transport",
                                          "tcp",
                                          "ports.trunk.allow",
                                          "192.0.2.0/24",
                                          "ports.trunk.allow",
                                          "198.51.100.7/32",
                                          NULL};
    void *settings = settings_of(changes);
    struct sbc_port ports[SBC_PORTS_MAX];
    assert_int_equal(sbc_ports_read(settings, ports), 4);
    assert_int_equal(ports[0].transport, SIP_TLS);
    assert_int_equal(ports[0].port, 5061);
    assert_int_equal(ports[1].transport, SIP_UDP);
    assert_int_equal(ports[1].port, 5060);
    assert_int_equal(ports[2].transport, SIP_TCP);
    assert_int_equal(ports[2].port, 5060);
    assert_int_equal(ports[3].transport, SIP_TCP);
    assert_int_equal(ports[3].port, 5070);
    assert_true(sbc_port_admits(&ports[0], IPV4(203, 0, 113, 7)));
    assert_true(sbc_port_admits(&ports[3], IPV4(192, 0, 2, 200)));
    assert_true(sbc_port_admits(&ports[3], IPV4(198, 51, 100, 7)));
    assert_false(sbc_port_admits(&ports[3], IPV4(198, 51, 100, 8)));
    options_free(sbc_kind.options, settings);
}

static void what_cannot_stand_together(void **state)
{
    (void)state;
    static const struct {
        const char *const changes[16];
        const char *setting, *why;
    } rows[] = {
        {{"ports.5061.transport", "tls", "tls certificate", "base64:AA==", "tls key", "base64:AA==", "tls trust",
          "base64:AA=="},
         NULL,
         ""},
        {{"ports.5060.transport", "udp", "ports.tcp.port", "5060", "ports.tcp.transport", "tcp"}, NULL, ""},
        /* the teleworkers and a trunk over TLS */
        {{"ports.5061.transport", "tls", "ports.trunk.port", "5061", "ports.trunk.transport", "tls"},
         "ports",
         "\"5061\" and \"trunk\" both listen on port 5061; one of them has to take another one"},
        {{"ports.5060.transport", "udp+tcp", "ports.more.port", "5060", "ports.more.transport", "tls"},
         "ports",
         "\"5060\" and \"more\" both listen on port 5060; one of them has to take another one"},
        {{"ports.trunk.transport", "tcp"}, "ports", "\"trunk\" is not a port, and has no setting \"port\""},
        {{"ports.5061.transport", "tls"}, "tls certificate", "who listens on TLS shows a certificate; this names it"},
        {{"ports.5061.transport", "tls", "tls certificate", "base64:AA==", "tls key", "base64:AA=="},
         "tls trust",
         "clients have to show a certificate, and this says whose are accepted; or else set \"ask client "
         "certificate\" to no"},
        {{"ports.5061.transport", "tls", "tls certificate", "base64:AA==", "tls key",
          "base64:AA==", "ask client certificate", "no", "least tls version", "1.2", "most tls version", "1.1"},
         "most tls version",
         "it is below the least version"},
        {{"inside transport", "tls"}, "inside tls trust", "this says whose certificate is accepted from the PBX"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char buf[256];
        struct text why = text_on(buf, sizeof buf);
        void *settings = settings_of(rows[i].changes);
        const char *setting = sbc_kind.conflict(settings, &why);
        if (!span_equal(span_of(setting), span_of(rows[i].setting)) || !span_is(text_span(&why), rows[i].why))
            fail_msg("row %zu: %s: %s", i, setting ? setting : "fine", buf);
        options_free(sbc_kind.options, settings);
    }
}

static void what_is_not_allowed_is_dropped_unread(void **state)
{
    (void)state;
    static const char *const changes[] = {"ports.5060.allow",
                                          "192.0.2.0/24",
                                          "ports.tcp.port",
                                          "5060",
                                          "ports.tcp.transport",
                                          "tcp",
                                          "ports.tcp.allow",
                                          "192.0.2.0/24",
                                          NULL};
    struct fixture f = fixture_of(changes);
    struct request options = {.line = "OPTIONS sip:203.0.113.10", .call_id = "o", .cseq = 1};
    send_request(&f, phone, outside, &options);
    assert_int_equal(f.host->sent_n, 0);
    assert_string_equal(f.host->last_drop, "not-allowed");
    assert_null(fake_tcp_accept(f.host, 5060, phone));
    assert_int_equal(f.host->drops, 2);
    send_request(&f, (struct endpoint){IPV4(192, 0, 2, 9), 5060}, outside, &options);
    assert_int_equal(f.host->sent_n, 1);
    assert_non_null(fake_tcp_accept(f.host, 5060, (struct endpoint){IPV4(192, 0, 2, 9), 40000}));
    fixture_fini(&f);
}

/* ---- phones on streams ---- */

static const char *const tcp_rows[] = {"ports.5060.transport", "udp+tcp", "idle timeout", "0", NULL};

#define REGISTER_TCP                                                                                                   \
    "REGISTER sip:lab.example SIP/2.0\r\nVia: SIP/2.0/TCP 192.168.1.20:5060;branch=z9hG4bKt1\r\nMax-Forwards: 70\r\n"  \
    "From: <sip:101@lab.example>;tag=a\r\nTo: <sip:101@lab.example>\r\nCall-ID: reg-1\r\nCSeq: 1 REGISTER\r\n"         \
    "Contact: <sip:101@192.168.1.20:5060;transport=tcp>\r\nContent-Length: 0\r\n\r\n"

static struct host_tcp *phone_on_tcp(struct fixture *f, char path[192])
{
    struct host_tcp *c = fake_tcp_accept(f->host, 5060, phone);
    assert_non_null(c);
    fake_tcp_receive(c, SPAN(REGISTER_TCP));
    take(last_to(f, pbx), "Path: <", ">", path, 192);
    answer(f, pbx, inside, "200 OK", "Contact: <sip:101@192.168.1.20:5060;transport=tcp>;expires=3600\r\n", "");
    assert_starts(c->sent, "SIP/2.0 200 ");
    fake_tcp_forget(c);
    return c;
}

static void calls_by(struct fixture *f, const char *path, const char *call_id)
{
    char headers[256];
    snprintf(headers, sizeof headers, "Route: <%s>\r\nContact: <sip:102@10.0.1.31>\r\n", path);
    send_request(f, pbx, inside,
                 &(struct request){.line = "INVITE sip:101@192.168.1.20:5060;transport=tcp",
                                   .call_id = call_id,
                                   .cseq = 1,
                                   .headers = headers});
}

static void pb_5_a_call_takes_the_connection_of_the_phone(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tcp_rows);
    char path[192];
    char record_route[256];
    struct host_tcp *c = phone_on_tcp(&f, path);
    calls_by(&f, path, "c1");
    assert_starts(c->sent, "INVITE sip:101@192.168.1.20:5060;transport=tcp SIP/2.0\r\n");
    assert_non_null(strstr(c->sent, "Via: SIP/2.0/TCP 203.0.113.10:5060;"));
    take(c->sent, "Record-Route: ", "\r", record_route, sizeof record_route);
    assert_non_null(strstr(record_route, "@203.0.113.10:5060;transport=tcp;lr;call=1>, <sip:10.0.1.2:5060;lr;call=1>"));
    fixture_fini(&f);
}

static void rfc_5626_5_3_1_a_closed_connection_is_430_and_no_other_is_opened(void **state)
{
    (void)state;
    struct fixture f = fixture_of(tcp_rows);
    char path[192];
    struct host_tcp *c = phone_on_tcp(&f, path);
    fake_tcp_finished(c);
    fake_advance(f.host, f.host->now);
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"removed\""), 1);
    calls_by(&f, path, "c1");
    assert_starts(last_to(&f, pbx), "SIP/2.0 430 Flow Failed");
    assert_int_equal(f.host->tcp.n, 1);
    phone_on_tcp(&f, path); /* the new connection has a token of its own */
    calls_by(&f, path, "c2");
    assert_int_equal(f.host->tcp.n, 2);
    assert_starts(f.host->tcp.connections[1].sent, "INVITE ");
    fixture_fini(&f);
}

/* ---- PH-4: a call by a connection of its own ---- */

static struct host_tcp *invites_by_tcp(struct fixture *f, struct endpoint from, const char *user)
{
    char invite[1024];
    static unsigned n;
    struct host_tcp *c = fake_tcp_accept(f->host, 5060, from);
    snprintf(invite, sizeof invite,
             "INVITE sip:102@lab.example SIP/2.0\r\nVia: SIP/2.0/TCP 192.168.1.20:5060;branch=z9hG4bKi%u\r\n"
             "Max-Forwards: 70\r\nFrom: <sip:%s@lab.example>;tag=a\r\nTo: <sip:102@lab.example>\r\n"
             "Call-ID: own-%u\r\nCSeq: 1 INVITE\r\nContact: <sip:101@192.168.1.20:5060;transport=tcp>\r\n"
             "Content-Length: 0\r\n\r\n",
             n, user, n);
    n++;
    fake_tcp_receive(c, span_of(invite));
    return c;
}

static void re_invites(struct fixture *f, const char *record_route, unsigned cseq)
{
    char headers[384];
    snprintf(headers, sizeof headers, "Route: %s\r\nContact: <sip:102@10.0.1.31>\r\n", record_route);
    send_request(f, pbx, inside,
                 &(struct request){.line = "INVITE sip:101@192.168.1.20:5060;transport=tcp",
                                   .call_id = "in-dialog",
                                   .to_tag = ";tag=a",
                                   .cseq = cseq,
                                   .headers = headers});
}

static void ph_4_a_call_by_another_connection_passes_and_keeps_it(void **state)
{
    (void)state;
    static const struct endpoint other = {IPV4(203, 0, 113, 7), 40001};
    struct fixture f = fixture_of(tcp_rows);
    char path[192];
    char record_route[256];
    struct host_tcp *registered = phone_on_tcp(&f, path);
    struct host_tcp *own = invites_by_tcp(&f, other, "101");
    assert_starts(last_to(&f, pbx), "INVITE sip:102@lab.example ");
    take(last_to(&f, pbx), "Record-Route: ", "\r", record_route, sizeof record_route);
    assert_non_null(strstr(record_route, "<sip:cb0071079c41"));
    answer(&f, pbx, inside, "200 OK", "Contact: <sip:102@10.0.1.31>\r\n", "");
    assert_non_null(strstr(own->sent, "SIP/2.0 200 "));
    fake_tcp_forget(own);
    re_invites(&f, record_route, 7);
    assert_starts(own->sent, "INVITE sip:101@192.168.1.20:5060;transport=tcp ");
    assert_int_equal(registered->sent_n, 0);
    fixture_fini(&f);
}

static void ph_4_in_a_dialog_the_registered_flow_stands_in_for_one_that_is_closed(void **state)
{
    (void)state;
    static const struct endpoint other = {IPV4(203, 0, 113, 7), 40001};
    struct fixture f = fixture_of(tcp_rows);
    char path[192];
    char record_route[256];
    struct host_tcp *registered = phone_on_tcp(&f, path);
    struct host_tcp *own = invites_by_tcp(&f, other, "101");
    take(last_to(&f, pbx), "Record-Route: ", "\r", record_route, sizeof record_route);
    answer(&f, pbx, inside, "200 OK", "Contact: <sip:102@10.0.1.31>\r\n", "");
    fake_tcp_finished(own);
    fake_advance(f.host, f.host->now);
    re_invites(&f, record_route, 8);
    assert_starts(registered->sent, "INVITE sip:101@192.168.1.20:5060;transport=tcp ");
    fake_tcp_finished(registered); /* and now nobody is left */
    fake_advance(f.host, f.host->now);
    re_invites(&f, record_route, 9);
    assert_starts(last_to(&f, pbx), "SIP/2.0 430 ");
    fixture_fini(&f);
}

static void ph_4_others_stay_strangers(void **state)
{
    (void)state;
    static const struct endpoint other = {IPV4(203, 0, 113, 7), 40001};
    static const struct endpoint elsewhere = {IPV4(203, 0, 113, 8), 40000};
    struct fixture f = fixture_of(tcp_rows);
    char path[192];
    phone_on_tcp(&f, path);
    assert_starts(invites_by_tcp(&f, other, "103")->sent, "SIP/2.0 403 ");     /* a line that has not registered */
    assert_starts(invites_by_tcp(&f, elsewhere, "101")->sent, "SIP/2.0 403 "); /* or from another place */
    send_request(&f, other, outside,                                           /* what anybody can write on a packet */
                 &(struct request){.line = "INVITE sip:102@lab.example",
                                   .call_id = "udp",
                                   .cseq = 1,
                                   .headers = "Contact: <sip:101@192.168.1.20:5060>\r\n"});
    assert_starts(last_to(&f, other), "SIP/2.0 403 ");
    fixture_fini(&f);
}

static void sb_12_an_idle_connection_is_closed_after_90_s(void **state)
{
    (void)state;
    static const char *const rows[] = {"ports.5060.transport", "tcp", NULL};
    struct fixture f = fixture_of(rows);
    char path[192];
    struct host_tcp *c = phone_on_tcp(&f, path);
    fake_advance(f.host, 80 * SEC);
    fake_tcp_receive(c, SPAN("\r\n\r\n"));
    assert_string_equal(c->sent, "\r\n"); /* RFC 5626 §3.5.1 */
    fake_advance(f.host, 170 * SEC - 1);
    assert_true(c->open);
    fake_advance(f.host, 171 * SEC);
    assert_false(c->open);
    assert_int_equal(fake_traced(f.host, "\"location\"", "\"removed\""), 1);
    fixture_fini(&f);
}

static void inside_over_tcp(void **state)
{
    (void)state;
    static const char *const tcp[] = {"inside transport", "tcp", NULL};
    struct fixture f = fixture_of(tcp);
    send_request(&f, phone, outside,
                 &(struct request){.line = "REGISTER sip:lab.example",
                                   .call_id = "reg-1",
                                   .cseq = 1,
                                   .headers = "Contact: <sip:101@192.168.1.20:5060>\r\n"});
    struct host_tcp *c = &f.host->tcp.connections[0];
    assert_true(endpoint_equal(c->remote, pbx));
    fake_tcp_connected(c);
    assert_non_null(strstr(c->sent, "Via: SIP/2.0/TCP 10.0.1.2:5060;"));
    assert_non_null(strstr(c->sent, "@10.0.1.2:5060;transport=tcp;lr;ob>"));
    fixture_fini(&f);
}

/* A PBX that is gone is known at once: FE_EREFUSED, and not after 32 s. */
static void inside_over_tcp_a_refused_connection_goes_to_the_backup(void **state)
{
    (void)state;
    static const char *const tcp[] = {"inside transport", "tcp", "pbx", "10.0.1.11", NULL};
    struct fixture f = fixture_of(tcp);
    send_request(&f, phone, outside,
                 &(struct request){.line = "REGISTER sip:lab.example",
                                   .call_id = "reg-1",
                                   .cseq = 1,
                                   .headers = "Contact: <sip:101@192.168.1.20:5060>\r\n"});
    fake_tcp_failed(&f.host->tcp.connections[0], FE_EREFUSED);
    fake_advance(f.host, f.host->now);
    assert_int_equal(f.host->tcp.n, 2);
    assert_int_equal(f.host->tcp.connections[1].remote.addr, IPV4(10, 0, 1, 11));
    assert_int_equal(fake_traced(f.host, "\"server\",\"state\":\"lost\"", ""), 1);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rows_udp_for_everybody),
        cmocka_unit_test(rows_in_their_order),
        cmocka_unit_test(what_cannot_stand_together),
        cmocka_unit_test(what_is_not_allowed_is_dropped_unread),
        cmocka_unit_test(pb_5_a_call_takes_the_connection_of_the_phone),
        cmocka_unit_test(rfc_5626_5_3_1_a_closed_connection_is_430_and_no_other_is_opened),
        cmocka_unit_test(ph_4_a_call_by_another_connection_passes_and_keeps_it),
        cmocka_unit_test(ph_4_in_a_dialog_the_registered_flow_stands_in_for_one_that_is_closed),
        cmocka_unit_test(ph_4_others_stay_strangers),
        cmocka_unit_test(sb_12_an_idle_connection_is_closed_after_90_s),
        cmocka_unit_test(inside_over_tcp),
        cmocka_unit_test(inside_over_tcp_a_refused_connection_goes_to_the_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
