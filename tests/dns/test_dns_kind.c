/* The DNS server on a machine made up: RFC 1034 §4.3.2, 2308, 2782; its failures and its commands. */
#include "nodes/node.h"
#include "nodes/proto/dns.h"

#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

extern const struct node_kind dns_kind;

static const struct endpoint server = {IPV4(10, 0, 0, 2), 53}, other = {IPV4(8, 8, 8, 8), 53};
static const struct endpoint client = {IPV4(10, 0, 0, 99), 40000};

struct rig {
    struct host *host;
    void *settings, *node;
};

static int set(struct rig *r, const char *path, const char *value)
{
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    return options_set(dns_kind.options, r->settings, span_of(path), span_of(value), &why);
}

static void rig_prepare(struct rig *r)
{
    r->host = fake_new("on", server.addr, NULL, 0);
    r->settings = options_new(dns_kind.options, dns_kind.settings_size);
    assert_non_null(r->settings);
}

static void rig_start(struct rig *r)
{
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    if (dns_kind.start(r->host, r->settings, &r->node, &why))
        fail_msg("%s", buf);
}

static void arrange(struct rig *r)
{
    static const char *const settings[][2] = {
        {"records.example.com.naptr", "10 50 s SIPS+D2T _sips._tcp.example.com"},
        {"records._sips._tcp.example.com.srv", "10 60 5061 sbc1.example.com"},
        {"records._sips._tcp.example.com.srv", "10 40 5061 sbc2.example.com"},
        {"records._sips._tcp.example.com.ttl", "30s"},
        {"records.sbc1.example.com.a", "203.0.113.11"},
        {"records.sbc2.example.com.a", "203.0.113.12"},
        {"records.sbc2.example.com.a", "203.0.113.13"},
        {"records.sbc2.example.com.a", "203.0.113.14"},
        {"records.www.example.com.cname", "sbc1.example.com"},
        {"records.away.example.com.cname", "www.elsewhere.org"},
        {"records.ring.example.com.cname", "ring.example.com"},
        {"records.10.113.0.203.in-addr.arpa.ptr", "sbc1.example.com"},
        {"records.sbc1.example.com.txt", "a gateway"},
    };
    rig_prepare(r);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        assert_int_equal(set(r, settings[i][0], settings[i][1]), 0);
    rig_start(r);
}

static void finish(struct rig *r)
{
    dns_kind.stop(r->node);
    assert_int_equal(fake_open_sockets(r->host), 0);
    assert_int_equal(timers_next(&r->host->timers), NEVER);
    options_free(dns_kind.options, r->settings);
    fake_free(r->host);
}

static struct span query_of(uint8_t *room, size_t cap, const char *name, unsigned type, uint16_t udp_room)
{
    struct dns_writer w;
    const struct dns_head head = {.id = 4711, .recursion_desired = true};
    struct dns_question q = {.type = (uint16_t)type, .class = DNS_IN};
    assert_int_equal(dns_name_parse(span_of(name), &q.name), 0);
    dns_begin(&w, room, cap, &head);
    dns_put_question(&w, &q);
    if (udp_room)
        assert_true(dns_put_edns(&w, udp_room));
    return dns_end(&w);
}

/* "NOERROR aa | 203.0.113.10 | | sbc1.example.com=203.0.113.11": code, flags, sections. */
static const char *said(const struct fake_datagram *d)
{
    static char buf[4096];
    struct text t = text_on(buf, sizeof buf);
    struct dns_msg m;
    struct dns_record r;
    unsigned section = 0;
    assert_int_equal(dns_parse(span_make(d->data, d->n), &m), 0);
    assert_int_equal(m.head.id, 4711);
    assert_true(m.head.response);
    dns_rcode_text(&t, m.head.rcode);
    text_str(&t, m.head.authoritative ? " aa" : "");
    text_str(&t, m.head.truncated ? " tc" : "");
    for (struct dns_walk w = dns_records(&m); dns_next(&w, &r);) {
        if (r.type == DNS_OPT)
            continue;
        for (; section <= w.section; section++)
            text_str(&t, " |");
        text_char(&t, ' ');
        dns_data_text(&t, &r);
    }
    return buf;
}

static const struct fake_datagram *ask_room(struct rig *r, const char *name, unsigned type, uint16_t udp_room)
{
    uint8_t room[512];
    size_t before = r->host->sent_n;
    assert_true(fake_deliver(r->host, client, server, 64, query_of(room, sizeof room, name, type, udp_room)));
    assert_int_equal(r->host->sent_n, before + 1);
    const struct fake_datagram *d = fake_last(r->host);
    assert_true(endpoint_equal(d->to, client) && endpoint_equal(d->from, server));
    return d;
}

static void answers(struct rig *r, const char *name, unsigned type, const char *expected)
{
    assert_string_equal(said(ask_room(r, name, type, 0)), expected);
}

static void silent(struct rig *r, const char *name)
{
    uint8_t room[512];
    size_t before = r->host->sent_n;
    assert_true(fake_deliver(r->host, client, server, 64, query_of(room, sizeof room, name, DNS_A, 0)));
    assert_int_equal(r->host->sent_n, before);
}

static void tell(struct rig *r, const char *command)
{
    dns_kind.command(r->node, span_of(command));
    assert_int_equal(fake_traced(r->host, "bad-command", ""), 0);
}

static void refuse(struct rig *r, const char *command)
{
    size_t before = fake_traced(r->host, "bad-command", "");
    dns_kind.command(r->node, span_of(command));
    assert_int_equal(fake_traced(r->host, "bad-command", ""), before + 1);
}

#define SOA(serial) "ns.example.com hostmaster.example.com " serial " 3600 600 86400 60"

/* ---- answers ---- */

static void records_of_a_name(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    answers(&r, "SBC2.example.com", DNS_A, "NOERROR aa | 203.0.113.12 203.0.113.13 203.0.113.14");
    answers(&r, "10.113.0.203.in-addr.arpa", DNS_PTR, "NOERROR aa | sbc1.example.com");
    answers(&r, "sbc1.example.com", DNS_TXT, "NOERROR aa | \\# 10 09612067617465776179");
    finish(&r);
}

static void srv_brings_addresses_rfc2782(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    answers(&r, "_sips._tcp.example.com", DNS_SRV,
            "NOERROR aa | 10 60 5061 sbc1.example.com 10 40 5061 sbc2.example.com"
            " | | 203.0.113.11 203.0.113.12 203.0.113.13 203.0.113.14");
    finish(&r);
}

static void naptr_brings_servers_rfc3403(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    answers(&r, "example.com", DNS_NAPTR,
            "NOERROR aa | 10 50 s SIPS+D2T _sips._tcp.example.com"
            " | | 10 60 5061 sbc1.example.com 10 40 5061 sbc2.example.com"
            " 203.0.113.11 203.0.113.12 203.0.113.13 203.0.113.14");
    finish(&r);
}

static void nothing_is_brought_along_when_told_not_to(void **state)
{
    struct rig r;
    (void)state;
    rig_prepare(&r);
    assert_int_equal(set(&r, "additional", "no"), 0);
    assert_int_equal(set(&r, "records._sip._udp.a.org.srv", "1 2 5060 b.a.org"), 0);
    assert_int_equal(set(&r, "records.b.a.org.a", "203.0.113.1"), 0);
    rig_start(&r);
    answers(&r, "_sip._udp.a.org", DNS_SRV, "NOERROR aa | 1 2 5060 b.a.org");
    finish(&r);
}

static void ttl_of_a_name_or_of_the_server(void **state)
{
    struct rig r;
    struct dns_msg m;
    struct dns_answer answer;
    (void)state;
    arrange(&r);
    const struct fake_datagram *d = ask_room(&r, "_sips._tcp.example.com", DNS_SRV, 0);
    assert_int_equal(dns_parse(span_make(d->data, d->n), &m), 0);
    dns_answer_find(&m, &answer);
    assert_int_equal(answer.ttl, 30);
    d = ask_room(&r, "sbc1.example.com", DNS_A, 0);
    assert_int_equal(dns_parse(span_make(d->data, d->n), &m), 0);
    dns_answer_find(&m, &answer);
    assert_int_equal(answer.ttl, 3600);
    finish(&r);
}

static void aliases_rfc1034_4_3_2(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    answers(&r, "www.example.com", DNS_A, "NOERROR aa | sbc1.example.com 203.0.113.11");
    answers(&r, "www.example.com", DNS_CNAME, "NOERROR aa | sbc1.example.com");
    answers(&r, "www.example.com", DNS_SRV, "NOERROR aa | sbc1.example.com | " SOA("1"));
    answers(&r, "away.example.com", DNS_A, "NOERROR aa | www.elsewhere.org");
    (void)ask_room(&r, "ring.example.com", DNS_A, 0); /* ends */
    finish(&r);
}

/* RFC 2308 §2: no such name, and no such data; an empty name in the middle exists (RFC 8020). */
static void what_is_not_has_an_soa(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    answers(&r, "sbc3.example.com", DNS_A, "NXDOMAIN aa | | " SOA("1"));
    answers(&r, "sbc1.example.com", DNS_SRV, "NOERROR aa | | " SOA("1"));
    answers(&r, "_tcp.example.com", DNS_A, "NOERROR aa | | " SOA("1"));
    answers(&r, "example.com", DNS_SOA, "NOERROR aa | " SOA("1"));
    tell(&r, "remove sbc1.example.com");
    answers(&r, "www.example.com", DNS_A, "NXDOMAIN aa | sbc1.example.com | " SOA("2"));
    finish(&r);
}

static void names_of_others_are_refused(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    answers(&r, "www.example.org", DNS_A, "REFUSED");
    answers(&r, "com", DNS_A, "REFUSED");
    finish(&r);
}

static void rotated_answers_begin_with_the_next(void **state)
{
    struct rig r;
    (void)state;
    rig_prepare(&r);
    assert_int_equal(set(&r, "order", "rotated"), 0);
    assert_int_equal(set(&r, "records.a.example.com.a", "203.0.113.1"), 0);
    assert_int_equal(set(&r, "records.a.example.com.a", "203.0.113.2"), 0);
    rig_start(&r);
    answers(&r, "a.example.com", DNS_A, "NOERROR aa | 203.0.113.1 203.0.113.2");
    answers(&r, "a.example.com", DNS_A, "NOERROR aa | 203.0.113.2 203.0.113.1");
    answers(&r, "a.example.com", DNS_A, "NOERROR aa | 203.0.113.1 203.0.113.2");
    finish(&r);
}

/* RFC 1035 §4.2.1: 512 bytes; RFC 6891: or what the client says. */
static void more_than_fits_is_truncated(void **state)
{
    struct rig r;
    struct dns_msg m;
    (void)state;
    rig_prepare(&r);
    for (unsigned i = 1; i <= 40; i++) {
        char addr[32];
        snprintf(addr, sizeof addr, "203.0.113.%u", i);
        assert_int_equal(set(&r, "records.a.example.com.a", addr), 0);
    }
    rig_start(&r);
    const struct fake_datagram *d = ask_room(&r, "a.example.com", DNS_A, 0);
    assert_true(d->n <= 512);
    assert_int_equal(dns_parse(span_make(d->data, d->n), &m), 0);
    assert_true(m.head.truncated);
    assert_in_range(m.records[DNS_ANSWER], 25, 39);
    assert_int_equal(fake_traced(r.host, "\"msg\":\"answer\"", "\"truncated\":true"), 1);
    d = ask_room(&r, "a.example.com", DNS_A, 1232);
    assert_int_equal(dns_parse(span_make(d->data, d->n), &m), 0);
    assert_false(m.head.truncated);
    assert_int_equal(m.records[DNS_ANSWER], 40);
    assert_int_equal(m.udp_room, DNS_MESSAGE_MAX);
    d = ask_room(&r, "www.example.org", DNS_A, 1232); /* RFC 6891 §6.1.1: in a refusal too */
    assert_int_equal(dns_parse(span_make(d->data, d->n), &m), 0);
    assert_int_equal(m.head.rcode, DNS_REFUSED);
    assert_int_equal(m.udp_room, DNS_MESSAGE_MAX);
    finish(&r);
}

static void queries_of_another_form(void **state)
{
    struct rig r;
    uint8_t room[512];
    struct dns_msg m;
    (void)state;
    arrange(&r);
    struct span query = query_of(room, sizeof room, "sbc1.example.com", DNS_A, 0);
    room[2] |= 4 << 3; /* NOTIFY */
    fake_deliver(r.host, client, server, 64, query);
    assert_string_equal(said(fake_last(r.host)), "NOTIMP");
    room[2] &= 0x87;
    room[query.n - 1] = 3; /* CHAOS */
    fake_deliver(r.host, client, server, 64, query);
    assert_string_equal(said(fake_last(r.host)), "REFUSED");
    room[5] = 0;
    fake_deliver(r.host, client, server, 64, query);
    assert_string_equal(said(fake_last(r.host)), "FORMERR");
    assert_int_equal(dns_parse(span_make(fake_last(r.host)->data, fake_last(r.host)->n), &m), 0);
    assert_int_equal(m.questions, 0);
    size_t sent = r.host->sent_n;
    fake_deliver(r.host, client, server, 64, SPAN("\1\2\3"));
    assert_string_equal(r.host->last_drop, "bad-dns");
    room[2] |= 0x80;
    fake_deliver(r.host, client, server, 64, query);
    assert_string_equal(r.host->last_drop, "not-ours");
    assert_int_equal(r.host->sent_n, sent);
    finish(&r);
}

/* ---- failures and changes ---- */

static void it_fails_when_told_to(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    tell(&r, "set answers servfail");
    answers(&r, "sbc1.example.com", DNS_A, "SERVFAIL");
    tell(&r, "set answers refused");
    answers(&r, "sbc1.example.com", DNS_A, "REFUSED");
    tell(&r, "set answers nxdomain");
    answers(&r, "sbc1.example.com", DNS_A, "NXDOMAIN");
    tell(&r, "set answers silent");
    silent(&r, "sbc1.example.com");
    tell(&r, "set answers yes");
    answers(&r, "sbc1.example.com", DNS_A, "NOERROR aa | 203.0.113.11");
    finish(&r);
}

static void records_change_while_it_runs(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    tell(&r, "set sbc2.example.com a 203.0.113.99, 203.0.113.98");
    answers(&r, "sbc2.example.com", DNS_A, "NOERROR aa | 203.0.113.99 203.0.113.98");
    tell(&r, "set records.sbc2.example.com.a 203.0.113.97"); /* as the step `set` has it */
    answers(&r, "sbc2.example.com", DNS_A, "NOERROR aa | 203.0.113.97");
    tell(&r, "set new.example.org srv 1 2 3 a.b, 2 3 4 c.d");
    answers(&r, "new.example.org", DNS_SRV, "NOERROR aa | 1 2 3 a.b 2 3 4 c.d");
    tell(&r, "remove sbc1.example.com a");
    answers(&r, "sbc1.example.com", DNS_TXT, "NOERROR aa | \\# 10 09612067617465776179");
    tell(&r, "remove sbc1.example.com");
    answers(&r, "sbc1.example.com", DNS_A, "NXDOMAIN aa | | " SOA("6"));
    tell(&r, "set sbc2.example.com ttl 5s");
    refuse(&r, "remove sbc1.example.com");
    refuse(&r, "remove sbc2.example.com srv");
    refuse(&r, "set sbc2.example.com a 203.0.113.999");
    refuse(&r, "set sbc2.example.com a 203.0.113.9,");
    refuse(&r, "set sbc2.example.com a");
    refuse(&r, "set sbc2.example.com soa 1");
    refuse(&r, "set sbc2.example.com ttl 5ms");
    refuse(&r, "set nobody.example.com ttl 5s");
    refuse(&r, "set answers no");
    refuse(&r, "set records. x");
    refuse(&r, "set");
    refuse(&r, "");
    answers(&r, "sbc2.example.com", DNS_A, "NOERROR aa | 203.0.113.97");
    finish(&r);
}

static void named_zones_hold_the_rest_out(void **state)
{
    struct rig r;
    (void)state;
    rig_prepare(&r);
    assert_int_equal(set(&r, "zones", "lab.example.com"), 0);
    assert_int_equal(set(&r, "records.a.lab.example.com.a", "203.0.113.1"), 0);
    rig_start(&r);
    answers(&r, "b.lab.example.com", DNS_A,
            "NXDOMAIN aa | | ns.lab.example.com hostmaster.lab.example.com 1 3600 600 86400 60");
    answers(&r, "b.example.com", DNS_A, "REFUSED");
    refuse(&r, "set b.example.com a 203.0.113.1");
    finish(&r);
}

/* ---- passing on ---- */

static void others_names_are_passed_on(void **state)
{
    struct rig r;
    uint8_t room[512];
    struct dns_msg m;
    (void)state;
    rig_prepare(&r);
    assert_int_equal(set(&r, "records.a.example.com.a", "203.0.113.1"), 0);
    assert_int_equal(set(&r, "forward", "8.8.8.8"), 0);
    rig_start(&r);
    struct span query = query_of(room, sizeof room, "www.example.org", DNS_A, 0);
    fake_deliver(r.host, client, server, 64, query);
    const struct fake_datagram *d = fake_last(r.host);
    assert_true(endpoint_equal(d->to, other));
    assert_int_equal(dns_parse(span_make(d->data, d->n), &m), 0);
    struct dns_writer w;
    struct dns_head head = {.id = m.head.id, .response = true, .recursion_available = true};
    struct dns_record a = {.name = m.question.name, .type = DNS_A, .class = DNS_IN, .ttl = 9, .addr = 0x01020304};
    dns_begin(&w, room, sizeof room, &head);
    dns_put_question(&w, &m.question);
    assert_true(dns_put_record(&w, DNS_ANSWER, &a));
    struct endpoint upstream = d->from;
    fake_deliver(r.host, client, upstream, 64, dns_end(&w)); /* somebody else's */
    assert_string_equal(r.host->last_drop, "not-ours");
    fake_deliver(r.host, other, upstream, 64, dns_end(&w));
    assert_true(endpoint_equal(fake_last(r.host)->to, client));
    assert_string_equal(said(fake_last(r.host)), "NOERROR | 1.2.3.4");
    fake_deliver(r.host, other, upstream, 64, dns_end(&w)); /* a second time */
    assert_int_equal(r.host->drops, 2);
    answers(&r, "a.example.com", DNS_A, "NOERROR aa | 203.0.113.1");
    finish(&r);
}

static void passed_on_in_vain_is_servfail(void **state)
{
    struct rig r;
    uint8_t room[512];
    (void)state;
    rig_prepare(&r);
    assert_int_equal(set(&r, "forward", "8.8.8.8"), 0);
    rig_start(&r);
    fake_deliver(r.host, client, server, 64, query_of(room, sizeof room, "www.example.org", DNS_A, 0));
    fake_advance(r.host, 5 * SEC - 1);
    assert_true(endpoint_equal(fake_last(r.host)->to, other));
    fake_advance(r.host, 5 * SEC);
    assert_string_equal(said(fake_last(r.host)), "SERVFAIL");
    for (unsigned i = 0; i <= 64; i++) /* more than wait at once */
        fake_deliver(r.host, client, server, 64, query_of(room, sizeof room, "www.example.org", DNS_A, 0));
    assert_string_equal(said(fake_last(r.host)), "SERVFAIL");
    finish(&r);
}

/* ---- settings and trace ---- */

static void settings_say_what_is_wrong(void **state)
{
    struct rig r;
    (void)state;
    rig_prepare(&r);
    assert_int_equal(set(&r, "records.a.example.com.srv", "10 60 sbc1.example.com"), FE_ESYNTAX);
    assert_int_equal(set(&r, "records.a.example.com.naptr", "10 60 s SIP+D2U"), FE_ESYNTAX);
    assert_int_equal(set(&r, "records.a..com.a", "1.2.3.4"), FE_ESYNTAX);
    assert_int_equal(set(&r, "records.a.example.com.b", "1.2.3.4"), FE_EUNKNOWN);
    struct text nowhere = text_on(NULL, 0);
    assert_int_equal(set(&r, "records.a.example.com.ttl", "1500ms"), 0);
    assert_string_equal(dns_kind.conflict(r.settings, &nowhere), "records");
    assert_int_equal(set(&r, "records.a.example.com.ttl", "1s"), 0);
    assert_null(dns_kind.conflict(r.settings, &nowhere));
    assert_int_equal(set(&r, "records.a.example.com.cname", "b.example.com"), 0);
    assert_null(dns_kind.conflict(r.settings, &nowhere));
    assert_int_equal(set(&r, "records.a.example.com.a", "1.2.3.4"), 0);
    assert_string_equal(dns_kind.conflict(r.settings, &nowhere), "records");
    options_free(dns_kind.options, r.settings);
    fake_free(r.host);
}

static void every_message_is_traced(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    answers(&r, "_sips._tcp.example.com", DNS_SRV,
            "NOERROR aa | 10 60 5061 sbc1.example.com 10 40 5061 sbc2.example.com"
            " | | 203.0.113.11 203.0.113.12 203.0.113.13 203.0.113.14");
    assert_string_equal(r.host->trace,
                        "{\"t\":0,\"ev\":\"dns\",\"dir\":\"in\",\"msg\":\"query\",\"peer\":\"10.0.0.99:40000\","
                        "\"name\":\"_sips._tcp.example.com\",\"type\":\"SRV\"}\n"
                        "{\"t\":0,\"ev\":\"dns\",\"dir\":\"out\",\"msg\":\"answer\",\"peer\":\"10.0.0.99:40000\","
                        "\"name\":\"_sips._tcp.example.com\",\"type\":\"SRV\",\"rcode\":\"NOERROR\",\"answers\":"
                        "\"10 60 5061 sbc1.example.com, 10 40 5061 sbc2.example.com\",\"ttl\":30}\n");
    finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_a_name),
        cmocka_unit_test(srv_brings_addresses_rfc2782),
        cmocka_unit_test(naptr_brings_servers_rfc3403),
        cmocka_unit_test(nothing_is_brought_along_when_told_not_to),
        cmocka_unit_test(ttl_of_a_name_or_of_the_server),
        cmocka_unit_test(aliases_rfc1034_4_3_2),
        cmocka_unit_test(what_is_not_has_an_soa),
        cmocka_unit_test(names_of_others_are_refused),
        cmocka_unit_test(rotated_answers_begin_with_the_next),
        cmocka_unit_test(more_than_fits_is_truncated),
        cmocka_unit_test(queries_of_another_form),
        cmocka_unit_test(it_fails_when_told_to),
        cmocka_unit_test(records_change_while_it_runs),
        cmocka_unit_test(named_zones_hold_the_rest_out),
        cmocka_unit_test(others_names_are_passed_on),
        cmocka_unit_test(passed_on_in_vain_is_servfail),
        cmocka_unit_test(settings_say_what_is_wrong),
        cmocka_unit_test(every_message_is_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
