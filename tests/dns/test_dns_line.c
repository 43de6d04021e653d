/* The DNS server's clients on TCP: RFC 7766, RFC 5625 §4.4.2. */
#include "nodes/base/bytes.h"
#include "nodes/node.h"
#include "nodes/proto/dns.h"
#include "nodes/proto/dns_stream.h"
#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

extern const struct node_kind dns_kind;

static const struct endpoint client = {IPV4(10, 0, 0, 99), 40000};
static const ipv4 server = IPV4(10, 0, 0, 2);

struct rig {
    struct host *host;
    void *settings, *node;
    struct host_tcp *line; /* the client's */
};

static void set(struct rig *r, const char *path, const char *value)
{
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    if (options_set(dns_kind.options, r->settings, span_of(path), span_of(value), &why))
        fail_msg("%s", buf);
}

static void start(struct rig *r)
{
    char buf[512];
    struct text why = text_on(buf, sizeof buf);
    if (dns_kind.start(r->host, r->settings, &r->node, &why))
        fail_msg("%s", buf);
}

/* a.example.com has 40 addresses. */
static void prepare(struct rig *r)
{
    *r = (struct rig){.host = fake_new("on", server, NULL, 0)};
    r->settings = options_new(dns_kind.options, dns_kind.settings_size);
    assert_non_null(r->settings);
    for (unsigned i = 1; i <= 40; i++) {
        char addr[32];
        snprintf(addr, sizeof addr, "203.0.113.%u", i);
        set(r, "records.a.example.com.a", addr);
    }
}

static void arrange(struct rig *r)
{
    prepare(r);
    start(r);
    r->line = fake_tcp_accept(r->host, DNS_PORT, client);
    assert_non_null(r->line);
}

static void finish(struct rig *r)
{
    dns_kind.stop(r->node);
    assert_int_equal(fake_open_sockets(r->host), 0);
    assert_int_equal(fake_tcp_open(&r->host->tcp), 0);
    assert_int_equal(timers_next(&r->host->timers), NEVER);
    options_free(dns_kind.options, r->settings);
    fake_free(r->host);
}

/* Framed. */
static struct span query(uint8_t *room, size_t cap, uint16_t id, const char *name)
{
    struct dns_writer w;
    const struct dns_head head = {.id = id, .recursion_desired = true};
    struct dns_question q = {.type = DNS_A, .class = DNS_IN};
    assert_int_equal(dns_name_parse(span_of(name), &q.name), 0);
    dns_begin(&w, room + DNS_STREAM_LENGTH, cap - DNS_STREAM_LENGTH, &head);
    dns_put_question(&w, &q);
    return dns_stream_frame(room, dns_end(&w).n);
}

static void ask(struct rig *r, uint16_t id, const char *name)
{
    uint8_t room[512];
    fake_tcp_receive(r->line, query(room, sizeof room, id, name));
}

/* The message at *at of what has gone out by a connection. */
static void parse(const struct host_tcp *c, size_t *at, struct dns_msg *m)
{
    assert_true(c->sent_n >= *at + DNS_STREAM_LENGTH);
    size_t n = get16((const uint8_t *)c->sent + *at);
    assert_true(c->sent_n >= *at + DNS_STREAM_LENGTH + n);
    assert_int_equal(dns_parse(span_make(c->sent + *at + DNS_STREAM_LENGTH, n), m), 0);
    *at += DNS_STREAM_LENGTH + n;
}

static void nothing_is_truncated(void **state)
{
    struct rig r;
    struct dns_msg m;
    size_t at = 0;
    (void)state;
    arrange(&r);
    ask(&r, 7, "a.example.com");
    parse(r.line, &at, &m);
    assert_int_equal(at, r.line->sent_n);
    assert_int_equal(m.head.id, 7);
    assert_false(m.head.truncated);
    assert_int_equal(m.records[DNS_ANSWER], 40);
    assert_int_equal(fake_traced(r.host, "\"msg\":\"query\"", "\"transport\":\"TCP\""), 1);
    assert_int_equal(fake_traced(r.host, "\"msg\":\"answer\"", "\"transport\":\"TCP\""), 1);
    finish(&r);
}

/* RFC 7766 §6.2.1.1. */
static void questions_one_after_the_other_in_one_portion(void **state)
{
    struct rig r;
    struct dns_msg m;
    uint8_t room[512];
    size_t at = 0;
    (void)state;
    arrange(&r);
    struct span one = query(room, sizeof room, 1, "a.example.com");
    struct span two = query(room + one.n, sizeof room - one.n, 2, "b.example.com");
    fake_tcp_receive(r.line, span_make(room, one.n + two.n));
    parse(r.line, &at, &m);
    assert_int_equal(m.head.id, 1);
    parse(r.line, &at, &m);
    assert_int_equal(m.head.id, 2);
    assert_int_equal(m.head.rcode, DNS_NXDOMAIN);
    assert_int_equal(at, r.line->sent_n);
    finish(&r);
}

static void what_is_no_query_is_dropped(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    fake_tcp_receive(r.line, SPAN("\0\0"));
    assert_string_equal(r.host->last_drop, "bad-dns");
    fake_tcp_receive(r.line, SPAN("\0\3abc"));
    assert_int_equal(r.host->drops, 2);
    assert_int_equal(r.line->sent_n, 0);
    assert_true(r.line->open);
    finish(&r);
}

/* RFC 7766 §6.2.3. */
static void idle_connections_are_closed(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    fake_advance(r.host, 9 * SEC);
    ask(&r, 1, "a.example.com");
    fake_advance(r.host, 19 * SEC - 1);
    assert_true(r.line->open);
    fake_advance(r.host, 19 * SEC);
    assert_false(r.line->open);
    finish(&r);
}

static void a_connection_ends_by_the_client(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    fake_tcp_finished(r.line);
    assert_false(r.line->open);
    r.line = fake_tcp_accept(r.host, DNS_PORT, client);
    fake_tcp_failed(r.line, FE_ERESET);
    assert_false(r.line->open);
    finish(&r);
}

static void as_many_as_there_is_room_for(void **state)
{
    enum { LINES = 64 }; /* DNS_LINES; the fake machine has no more connections */
    struct rig r;
    struct host_tcp *lines[LINES];
    (void)state;
    prepare(&r);
    start(&r);
    for (unsigned i = 0; i < LINES - 1; i++)
        lines[i] = fake_tcp_accept(r.host, DNS_PORT, client);
    for (unsigned i = 0; i < LINES - 1; i++)
        assert_non_null(lines[i]);
    assert_int_equal(fake_tcp_open(&r.host->tcp), LINES - 1 + 1);
    finish(&r);
}

static void without_tcp_nobody_listens(void **state)
{
    struct rig r;
    (void)state;
    prepare(&r);
    set(&r, "tcp", "no");
    start(&r);
    assert_null(fake_tcp_accept(r.host, DNS_PORT, client));
    finish(&r);
}

/* ---- passed on: RFC 5625 §4.4.2 ---- */

static void arrange_forward(struct rig *r)
{
    prepare(r);
    set(r, "forward", "8.8.8.8");
    start(r);
    r->line = fake_tcp_accept(r->host, DNS_PORT, client);
    ask(r, 7, "www.example.org");
}

static void what_came_over_tcp_is_passed_on_over_tcp(void **state)
{
    struct rig r;
    struct dns_msg m;
    size_t at = 0;
    (void)state;
    arrange_forward(&r);
    assert_int_equal(r.host->sent_n, 0);
    struct host_tcp *up = &r.host->tcp.connections[1];
    assert_true(endpoint_equal(up->remote, (struct endpoint){IPV4(8, 8, 8, 8), DNS_PORT}));
    up->sent[DNS_STREAM_LENGTH + 2] |= (char)0x80; /* the query, as an answer */
    char *answer = malloc(up->sent_n);
    memcpy(answer, up->sent, up->sent_n);
    fake_tcp_receive(up, span_make(answer, up->sent_n));
    free(answer);
    parse(r.line, &at, &m);
    assert_int_equal(m.head.id, 7);
    assert_int_equal(m.head.rcode, DNS_NOERROR);
    assert_false(up->open);
    finish(&r);
}

static void a_failure_there_is_servfail_here(void **state)
{
    struct rig r;
    struct dns_msg m;
    size_t at = 0;
    (void)state;
    arrange_forward(&r);
    fake_tcp_failed(&r.host->tcp.connections[1], FE_EREFUSED);
    parse(r.line, &at, &m);
    assert_int_equal(m.head.rcode, DNS_SERVFAIL);
    finish(&r);
}

static void a_client_that_leaves_waits_for_nothing(void **state)
{
    struct rig r;
    (void)state;
    arrange_forward(&r);
    fake_tcp_finished(r.line);
    assert_false(r.host->tcp.connections[1].open);
    assert_int_equal(timers_next(&r.host->timers), NEVER);
    finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_truncated),
        cmocka_unit_test(questions_one_after_the_other_in_one_portion),
        cmocka_unit_test(what_is_no_query_is_dropped),
        cmocka_unit_test(idle_connections_are_closed),
        cmocka_unit_test(a_connection_ends_by_the_client),
        cmocka_unit_test(as_many_as_there_is_room_for),
        cmocka_unit_test(without_tcp_nobody_listens),
        cmocka_unit_test(what_came_over_tcp_is_passed_on_over_tcp),
        cmocka_unit_test(a_failure_there_is_servfail_here),
        cmocka_unit_test(a_client_that_leaves_waits_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
