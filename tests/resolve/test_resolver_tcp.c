/* The stub resolver asks again over TCP what came truncated: RFC 7766 §5, RFC 2181 §9. */
#include "tests/resolve/dns_rig.h"

#include "nodes/base/bytes.h"
#include "nodes/proto/dns_stream.h"

enum { INSIDE, FAILOVER, PUBLIC };

struct asked {
    struct resolver_waiter waiter;
    unsigned told;
    enum resolver_result result;
    unsigned records;
};

static void told(void *arg, const struct resolver_answer *answer)
{
    struct asked *a = arg;
    a->told++;
    a->result = answer->result;
    a->records = answer->msg ? answer->msg->records[DNS_ANSWER] : 0;
}

/* sbc.example.com has more addresses than a datagram has room for; its servers are asked in turn, and the first has
 * answered by UDP. */
static void arrange(struct rig *r, struct asked *a)
{
    struct dns_name name;
    rig_prepare(r, 2);
    r->dns.tcp = true;
    for (unsigned i = 0; i < 40; i++) {
        char addr[32];
        snprintf(addr, sizeof addr, "203.0.113.%u", i);
        rig_set(r, INSIDE, "records.sbc.example.com.a", addr);
    }
    rig_set(r, FAILOVER, "records.sbc.example.com.a", "203.0.113.99");
    rig_start(r);
    *a = (struct asked){.waiter = {.done = told, .arg = a}};
    assert_int_equal(dns_name_parse(SPAN("sbc.example.com"), &name), 0);
    assert_int_equal(resolver_ask(r->resolver, &name, DNS_A, &a->waiter), 0);
    rig_settle(r);
    assert_int_equal(a->told, 0);
}

static void finish(struct rig *r)
{
    assert_int_equal(fake_tcp_open(&r->client->tcp), 0);
    rig_stop(r);
}

static struct host_tcp *connection(struct rig *r)
{
    assert_int_equal(r->client->tcp.n, 1);
    return &r->client->tcp.connections[0];
}

/* What the client has sent arrives at the server over TCP, and its answer at the client, after `change`. */
static void carry(struct rig *r, void (*change)(uint8_t *message))
{
    const struct endpoint from = {rig_client, 40000};
    struct host_tcp *at_client = connection(r);
    struct host_tcp *at_server = fake_tcp_accept(r->servers[INSIDE], DNS_PORT, from);
    fake_tcp_receive(at_server, span_make(at_client->sent, at_client->sent_n));
    if (change)
        change((uint8_t *)at_server->sent + DNS_STREAM_LENGTH);
    fake_tcp_receive(at_client, span_make(at_server->sent, 3)); /* portions mean nothing */
    fake_tcp_receive(at_client, span_make(at_server->sent + 3, at_server->sent_n - 3));
    fake_tcp_finished(at_server);
    rig_settle(r);
}

static void what_came_truncated_is_asked_again_over_tcp(void **state)
{
    struct rig r;
    struct asked a;
    (void)state;
    arrange(&r, &a);
    assert_true(endpoint_equal(connection(&r)->remote, r.endpoints[INSIDE]));
    carry(&r, NULL);
    assert_int_equal(a.told, 1);
    assert_int_equal(a.result, RESOLVER_FOUND);
    assert_int_equal(a.records, 40);
    assert_int_equal(rig_queries(&r, INSIDE), 2);
    assert_int_equal(rig_queries(&r, FAILOVER), 0);
    assert_int_equal(fake_traced(r.client, "\"dir\":\"out\"", "\"transport\":\"TCP\""), 1);
    assert_int_equal(fake_traced(r.client, "\"dir\":\"in\"", "\"transport\":\"TCP\""), 1);
    finish(&r);
}

static void is_the_second_servers(struct rig *r, const struct asked *a)
{
    assert_int_equal(a->told, 1);
    assert_int_equal(a->records, 1);
    assert_int_equal(rig_queries(r, FAILOVER), 1);
}

static void a_refused_connection_leads_on_at_once(void **state)
{
    struct rig r;
    struct asked a;
    (void)state;
    arrange(&r, &a);
    fake_tcp_failed(connection(&r), FE_EREFUSED);
    rig_settle(&r);
    is_the_second_servers(&r, &a);
    assert_int_equal(r.client->now, 0);
    finish(&r);
}

static void a_connection_that_ends_without_an_answer_leads_on(void **state)
{
    struct rig r;
    struct asked a;
    (void)state;
    arrange(&r, &a);
    fake_tcp_finished(connection(&r));
    rig_settle(&r);
    is_the_second_servers(&r, &a);
    finish(&r);
}

/* A try of its own: 2 s from when it was asked over TCP. */
static void silence_leads_on(void **state)
{
    struct rig r;
    struct asked a;
    (void)state;
    arrange(&r, &a);
    rig_advance(&r, 2 * SEC - 1);
    assert_int_equal(a.told, 0);
    rig_advance(&r, 2 * SEC);
    is_the_second_servers(&r, &a);
    finish(&r);
}

static void set_truncated(uint8_t *message)
{
    message[2] |= 2;
}

static void change_id(uint8_t *message)
{
    message[0] ^= 1;
}

static void truncated_over_tcp_is_of_no_use(void **state)
{
    struct rig r;
    struct asked a;
    (void)state;
    arrange(&r, &a);
    carry(&r, set_truncated);
    is_the_second_servers(&r, &a);
    finish(&r);
}

static void an_answer_to_something_else_is_of_no_use(void **state)
{
    struct rig r;
    struct asked a;
    (void)state;
    arrange(&r, &a);
    carry(&r, change_id);
    assert_string_equal(r.client->last_drop, "not-ours");
    is_the_second_servers(&r, &a);
    finish(&r);
}

/* The same truncated answer twice, and an ICMP error: the server is being asked over TCP. */
static void udp_does_not_disturb(void **state)
{
    struct rig r;
    struct asked a;
    (void)state;
    arrange(&r, &a);
    const struct host_icmp error = {.to = r.endpoints[INSIDE], .from = rig_addresses[INSIDE], .type = 3, .code = 3};
    for (unsigned i = 0; i < FAKE_SOCKETS; i++)
        if (r.client->sockets[i].open)
            r.client->sockets[i].events->refused(r.client->sockets[i].arg, &error);
    rig_settle(&r);
    assert_int_equal(rig_queries(&r, FAILOVER), 0);
    carry(&r, NULL);
    assert_int_equal(a.records, 40);
    finish(&r);
}

static void who_waits_no_more_has_no_connection(void **state)
{
    struct rig r;
    struct asked a;
    (void)state;
    arrange(&r, &a);
    resolver_cancel(&a.waiter);
    assert_int_equal(a.told, 0);
    finish(&r);
}

static void a_machine_without_a_route_leads_on(void **state)
{
    struct rig r;
    struct asked a;
    struct dns_name name;
    (void)state;
    arrange(&r, &a);
    resolver_cancel(&a.waiter);
    r.client->tcp.connect_error = FE_EUNREACH;
    a.waiter = (struct resolver_waiter){.done = told, .arg = &a};
    assert_int_equal(dns_name_parse(SPAN("sbc.example.com"), &name), 0);
    assert_int_equal(resolver_ask(r.resolver, &name, DNS_A, &a.waiter), 0);
    rig_settle(&r);
    is_the_second_servers(&r, &a);
    finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_truncated_is_asked_again_over_tcp),
        cmocka_unit_test(a_refused_connection_leads_on_at_once),
        cmocka_unit_test(a_connection_that_ends_without_an_answer_leads_on),
        cmocka_unit_test(silence_leads_on),
        cmocka_unit_test(truncated_over_tcp_is_of_no_use),
        cmocka_unit_test(an_answer_to_something_else_is_of_no_use),
        cmocka_unit_test(udp_does_not_disturb),
        cmocka_unit_test(who_waits_no_more_has_no_connection),
        cmocka_unit_test(a_machine_without_a_route_leads_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
