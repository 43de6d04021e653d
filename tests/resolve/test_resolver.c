/* The stub resolver: DN-1 (servers in order), PH-11 (TTL), RFC 2308 (what is not), RFC 5452 (who may answer). */
#include "tests/resolve/dns_rig.h"

#include "nodes/base/bytes.h"

enum { INSIDE, FAILOVER, PUBLIC };

struct asked {
    struct resolver_waiter waiter;
    unsigned told;
    enum resolver_result result;
    ipv4 addr; /* of the first record */
    lab_time expires;
};

static void told(void *arg, const struct resolver_answer *answer)
{
    struct asked *a = arg;
    struct dns_record r;
    a->told++;
    a->result = answer->result;
    a->expires = answer->expires;
    a->addr = 0;
    if (answer->result != RESOLVER_FOUND)
        return;
    for (struct dns_walk w = dns_records(answer->msg); dns_next(&w, &r);)
        if (r.type == DNS_A && dns_name_equal(&r.name, &answer->name) && !a->addr)
            a->addr = r.addr;
}

static void ask(struct rig *r, struct asked *a, const char *text)
{
    struct dns_name name;
    assert_int_equal(dns_name_parse(span_of(text), &name), 0);
    *a = (struct asked){.waiter = {.done = told, .arg = a}};
    assert_int_equal(resolver_ask(r->resolver, &name, DNS_A, &a->waiter), 0);
    assert_int_equal(a->told, 0); /* never from inside the call */
}

static void answered(struct rig *r, const char *text, enum resolver_result result, ipv4 addr)
{
    struct asked a;
    ask(r, &a, text);
    rig_settle(r);
    assert_int_equal(a.told, 1);
    assert_int_equal(a.result, result);
    assert_int_equal(a.addr, addr);
}

#define INSIDE_ADDR IPV4(10, 0, 0, 10)
#define PUBLIC_ADDR IPV4(203, 0, 113, 10)

static void arrange(struct rig *r)
{
    rig_prepare(r, RIG_SERVERS);
    for (unsigned i = 0; i < RIG_SERVERS; i++) {
        rig_set(r, i, "records.sbc.example.com.a", i == PUBLIC ? "203.0.113.10" : "10.0.0.10");
        rig_set(r, i, "records.sbc.example.com.ttl", "30s");
        rig_set(r, i, "records.www.example.com.cname", "sbc.example.com");
        rig_set(r, i, "negative ttl", "20s");
    }
    rig_start(r);
}

static void the_first_server_is_asked(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    answered(&r, "SBC.example.com", RESOLVER_FOUND, INSIDE_ADDR);
    assert_int_equal(rig_queries(&r, INSIDE), 1);
    assert_int_equal(rig_queries(&r, FAILOVER), 0);
    answered(&r, "www.example.com", RESOLVER_FOUND, INSIDE_ADDR);
    rig_stop(&r);
}

/* 2 s a try, two rounds. */
static void silence_leads_to_the_next_server(void **state)
{
    struct rig r;
    struct asked a;
    (void)state;
    arrange(&r);
    r.up[INSIDE] = false;
    rig_tell(&r, FAILOVER, "set answers silent");
    ask(&r, &a, "sbc.example.com");
    rig_advance(&r, 4 * SEC - 1);
    assert_int_equal(a.told, 0);
    rig_advance(&r, 4 * SEC);
    assert_int_equal(a.told, 1);
    assert_int_equal(a.addr, PUBLIC_ADDR);
    rig_stop(&r);
}

static void after_the_last_round_it_has_failed(void **state)
{
    struct rig r;
    struct asked a;
    (void)state;
    arrange(&r);
    for (unsigned i = 0; i < RIG_SERVERS; i++)
        r.up[i] = false;
    ask(&r, &a, "sbc.example.com");
    rig_advance(&r, 12 * SEC - 1);
    assert_int_equal(a.told, 0);
    rig_advance(&r, 12 * SEC);
    assert_int_equal(a.told, 1);
    assert_int_equal(a.result, RESOLVER_FAILED);
    for (unsigned i = 0; i < RIG_SERVERS; i++)
        assert_int_equal(rig_queries(&r, i), 2);
    r.up[INSIDE] = true; /* a failure is not remembered */
    answered(&r, "sbc.example.com", RESOLVER_FOUND, INSIDE_ADDR);
    rig_stop(&r);
}

static void servfail_and_refused_lead_on_at_once(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    rig_tell(&r, INSIDE, "set answers servfail");
    rig_tell(&r, FAILOVER, "set answers refused");
    answered(&r, "sbc.example.com", RESOLVER_FOUND, PUBLIC_ADDR);
    assert_int_equal(r.client->now, 0);
    rig_stop(&r);
}

static void an_icmp_error_leads_on_at_once(void **state)
{
    struct rig r;
    struct asked a;
    (void)state;
    arrange(&r);
    r.up[INSIDE] = false;
    ask(&r, &a, "sbc.example.com");
    rig_settle(&r);
    const struct host_icmp error = {.to = r.endpoints[INSIDE], .from = rig_addresses[INSIDE], .type = 3, .code = 3};
    for (unsigned i = 0; i < FAKE_SOCKETS; i++)
        if (r.client->sockets[i].open)
            r.client->sockets[i].events->refused(r.client->sockets[i].arg, &error);
    rig_settle(&r);
    assert_int_equal(a.addr, INSIDE_ADDR);
    assert_int_equal(rig_queries(&r, FAILOVER), 1);
    rig_stop(&r);
}

/* DN-1: "inside names only inside": the public server is not asked for what the inside one denies. */
static void nxdomain_is_final(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    rig_tell(&r, INSIDE, "remove sbc.example.com");
    answered(&r, "sbc.example.com", RESOLVER_NO_NAME, 0);
    assert_int_equal(rig_queries(&r, FAILOVER) + rig_queries(&r, PUBLIC), 0);
    rig_stop(&r);
}

static void a_name_without_such_records_is_no_data(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    answered(&r, "example.com", RESOLVER_NO_DATA, 0);
    rig_stop(&r);
}

/* PH-11: entries live for their TTL only. */
static void answers_live_for_their_ttl(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    answered(&r, "sbc.example.com", RESOLVER_FOUND, INSIDE_ADDR);
    rig_tell(&r, INSIDE, "set sbc.example.com a 10.0.0.11");
    rig_advance(&r, 30 * SEC - 1);
    answered(&r, "sbc.example.com", RESOLVER_FOUND, INSIDE_ADDR);
    assert_int_equal(rig_queries(&r, INSIDE), 1);
    rig_advance(&r, 30 * SEC);
    answered(&r, "sbc.example.com", RESOLVER_FOUND, IPV4(10, 0, 0, 11));
    assert_int_equal(rig_queries(&r, INSIDE), 2);
    rig_stop(&r);
}

/* The outage that ends a TTL too late: what was known is forgotten in the middle of it. */
static void ttl_ends_during_an_outage(void **state)
{
    struct rig r;
    struct asked a;
    (void)state;
    arrange(&r);
    answered(&r, "sbc.example.com", RESOLVER_FOUND, INSIDE_ADDR);
    for (unsigned i = 0; i < RIG_SERVERS; i++)
        r.up[i] = false;
    rig_advance(&r, 29 * SEC);
    answered(&r, "sbc.example.com", RESOLVER_FOUND, INSIDE_ADDR);
    rig_advance(&r, 31 * SEC);
    ask(&r, &a, "sbc.example.com");
    rig_advance(&r, 43 * SEC);
    assert_int_equal(a.result, RESOLVER_FAILED);
    rig_stop(&r);
}

/* RFC 2308 §5. */
static void what_is_not_is_remembered_for_the_soas_time(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    answered(&r, "new.example.com", RESOLVER_NO_NAME, 0);
    rig_tell(&r, INSIDE, "set new.example.com a 10.0.0.12");
    rig_advance(&r, 20 * SEC - 1);
    answered(&r, "new.example.com", RESOLVER_NO_NAME, 0);
    rig_advance(&r, 20 * SEC);
    answered(&r, "new.example.com", RESOLVER_FOUND, IPV4(10, 0, 0, 12));
    rig_stop(&r);
}

static void ttl_0_is_used_and_forgotten(void **state)
{
    struct rig r;
    struct asked a, b;
    (void)state;
    arrange(&r);
    rig_tell(&r, INSIDE, "set sbc.example.com ttl 0");
    ask(&r, &a, "sbc.example.com");
    ask(&r, &b, "sbc.example.com");
    rig_settle(&r);
    assert_int_equal(a.addr, INSIDE_ADDR);
    assert_int_equal(b.addr, INSIDE_ADDR);
    assert_int_equal(rig_queries(&r, INSIDE), 1);
    answered(&r, "sbc.example.com", RESOLVER_FOUND, INSIDE_ADDR);
    assert_int_equal(rig_queries(&r, INSIDE), 2);
    rig_stop(&r);
}

static void waiters_share_a_query_and_may_leave(void **state)
{
    struct rig r;
    struct asked a, b, c;
    (void)state;
    arrange(&r);
    ask(&r, &a, "sbc.example.com");
    ask(&r, &b, "sbc.example.com");
    ask(&r, &c, "sbc.example.com");
    resolver_cancel(&b.waiter);
    resolver_cancel(&b.waiter);
    rig_settle(&r);
    assert_int_equal(rig_queries(&r, INSIDE), 1);
    assert_int_equal(a.told, 1);
    assert_int_equal(b.told, 0);
    assert_int_equal(c.told, 1);
    resolver_forget(r.resolver);
    ask(&r, &a, "sbc.example.com");
    resolver_cancel(&a.waiter); /* the last one: the question ends */
    assert_int_equal(timers_next(&r.client->timers), NEVER);
    rig_settle(&r);
    assert_int_equal(a.told, 0);
    assert_int_equal(rig_queries(&r, INSIDE), 1);
    rig_stop(&r);
}

static void no_servers_is_a_failure(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    r.dns.servers.n = 0;
    answered(&r, "sbc.example.com", RESOLVER_FAILED, 0);
    rig_stop(&r);
}

static void names_are_asked_anew_after_forgetting(void **state)
{
    struct rig r;
    (void)state;
    arrange(&r);
    answered(&r, "sbc.example.com", RESOLVER_FOUND, INSIDE_ADDR);
    resolver_forget(r.resolver);
    answered(&r, "sbc.example.com", RESOLVER_FOUND, INSIDE_ADDR);
    assert_int_equal(rig_queries(&r, INSIDE), 2);
    rig_stop(&r);
}

/* ---- RFC 5452: who may answer what ---- */

/* The client's query, turned into an answer with one address. */
static struct span forge(struct rig *r, uint8_t *room, size_t cap, struct endpoint *client)
{
    struct dns_msg query;
    struct dns_writer w;
    const struct fake_datagram *d = fake_last(r->client);
    assert_non_null(d);
    assert_int_equal(dns_parse(span_make(d->data, d->n), &query), 0);
    struct dns_head head = {.id = query.head.id, .response = true, .recursion_available = true};
    struct dns_record a = {.name = query.question.name, .type = DNS_A, .class = DNS_IN, .ttl = 60, .addr = 7};
    dns_begin(&w, room, cap, &head);
    dns_put_question(&w, &query.question);
    assert_true(dns_put_record(&w, DNS_ANSWER, &a));
    *client = d->from;
    return dns_end(&w);
}

static void forged_answers_are_not_ours(void **state)
{
    struct rig r;
    struct asked a;
    uint8_t room[512];
    struct endpoint client;
    (void)state;
    arrange(&r);
    ask(&r, &a, "sbc.example.com");
    fake_advance(r.client, 0);
    struct span answer = forge(&r, room, sizeof room, &client);
    fake_deliver(r.client, r.endpoints[PUBLIC], client, 64, answer); /* who was not asked */
    room[1] ^= 1;                                                    /* another id */
    fake_deliver(r.client, r.endpoints[INSIDE], client, 64, answer);
    room[1] ^= 1;
    room[13] ^= 1; /* another name */
    fake_deliver(r.client, r.endpoints[INSIDE], client, 64, answer);
    room[13] ^= 1;
    room[2] ^= 0x80; /* no answer */
    fake_deliver(r.client, r.endpoints[INSIDE], client, 64, answer);
    room[2] ^= 0x80;
    assert_int_equal(r.client->drops, 4);
    assert_string_equal(r.client->last_drop, "not-ours");
    fake_deliver(r.client, r.endpoints[INSIDE], client, 64, SPAN("\1\2\3"));
    assert_string_equal(r.client->last_drop, "bad-dns");
    assert_int_equal(a.told, 0);
    fake_deliver(r.client, r.endpoints[INSIDE], client, 64, answer);
    assert_int_equal(a.told, 1);
    assert_int_equal(a.addr, 7);
    rig_stop(&r);
}

/* An answer that comes after its server was given up is still one. */
static void late_answers_count(void **state)
{
    struct rig r;
    struct asked a;
    uint8_t room[512];
    struct endpoint client;
    (void)state;
    arrange(&r);
    ask(&r, &a, "sbc.example.com");
    fake_advance(r.client, 0);
    struct span answer = forge(&r, room, sizeof room, &client);
    fake_advance(r.client, 3 * SEC); /* FAILOVER's turn */
    assert_int_equal(rig_queries(&r, FAILOVER), 1);
    fake_deliver(r.client, r.endpoints[INSIDE], client, 64, answer);
    assert_int_equal(a.addr, 7);
    rig_stop(&r);
}

/* RFC 2181 §9. */
static void what_is_truncated_is_not_used(void **state)
{
    struct rig r;
    struct asked a;
    uint8_t room[512];
    struct endpoint client;
    (void)state;
    arrange(&r);
    ask(&r, &a, "sbc.example.com");
    fake_advance(r.client, 0);
    struct span answer = forge(&r, room, sizeof room, &client);
    room[2] |= 2;
    fake_deliver(r.client, r.endpoints[INSIDE], client, 64, answer);
    assert_int_equal(a.told, 0);
    assert_int_equal(rig_queries(&r, FAILOVER), 1);
    assert_int_equal(fake_traced(r.client, "\"dir\":\"in\"", "\"truncated\":true"), 1);
    rig_stop(&r);
}

static void ports_and_ids_are_drawn_for_each_question(void **state)
{
    struct rig r;
    struct asked a, b;
    (void)state;
    arrange(&r);
    ask(&r, &a, "sbc.example.com");
    ask(&r, &b, "www.example.com");
    fake_advance(r.client, 0);
    const struct fake_datagram *one = &r.client->sent[0], *two = &r.client->sent[1];
    assert_int_equal(r.client->sent_n, 2);
    assert_int_not_equal(one->from.port, two->from.port);
    assert_int_not_equal(get16((const uint8_t *)one->data), get16((const uint8_t *)two->data));
    rig_stop(&r);
}

/* ---- from inside a callback ---- */

struct chain {
    struct rig *rig;
    struct asked *next;
    struct resolver_waiter waiter;
};

static void ask_the_same_again(void *arg, const struct resolver_answer *answer)
{
    struct chain *c = arg;
    (void)answer;
    ask(c->rig, c->next, "sbc.example.com");
}

static void callbacks_may_ask_and_cancel(void **state)
{
    struct rig r;
    struct asked again, leaves;
    struct dns_name name;
    (void)state;
    arrange(&r);
    struct chain c = {&r, &again, {.done = ask_the_same_again, .arg = &c}};
    assert_int_equal(dns_name_parse(SPAN("sbc.example.com"), &name), 0);
    assert_int_equal(resolver_ask(r.resolver, &name, DNS_A, &c.waiter), 0);
    ask(&r, &leaves, "sbc.example.com");
    rig_settle(&r);
    assert_int_equal(again.told, 1);
    assert_int_equal(leaves.told, 1);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_server_is_asked),
        cmocka_unit_test(silence_leads_to_the_next_server),
        cmocka_unit_test(after_the_last_round_it_has_failed),
        cmocka_unit_test(servfail_and_refused_lead_on_at_once),
        cmocka_unit_test(an_icmp_error_leads_on_at_once),
        cmocka_unit_test(nxdomain_is_final),
        cmocka_unit_test(a_name_without_such_records_is_no_data),
        cmocka_unit_test(answers_live_for_their_ttl),
        cmocka_unit_test(ttl_ends_during_an_outage),
        cmocka_unit_test(what_is_not_is_remembered_for_the_soas_time),
        cmocka_unit_test(ttl_0_is_used_and_forgotten),
        cmocka_unit_test(waiters_share_a_query_and_may_leave),
        cmocka_unit_test(no_servers_is_a_failure),
        cmocka_unit_test(names_are_asked_anew_after_forgetting),
        cmocka_unit_test(forged_answers_are_not_ours),
        cmocka_unit_test(late_answers_count),
        cmocka_unit_test(what_is_truncated_is_not_used),
        cmocka_unit_test(ports_and_ids_are_drawn_for_each_question),
        cmocka_unit_test(callbacks_may_ask_and_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
