/* The STUN server, RFC 8489 §6.3 and RFC 5780 §6.1, on a machine made up: what it answers, to whom, and from where. */
#include "nodes/node.h"
#include "nodes/proto/stun.h"

#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

extern const struct node_kind stun_kind;

static const struct endpoint first = {IPV4(203, 0, 113, 10), 3478}, second = {IPV4(198, 51, 100, 10), 3479};
static const struct endpoint client = {IPV4(192, 0, 2, 7), 40001};
static const struct stun_id id = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};

struct rig {
    struct host *host;
    void *settings, *node;
};

static void rig_start(struct rig *r, bool two)
{
    char room[128];
    struct text why = text_on(room, sizeof room);
    r->host = fake_new("first", first.addr, two ? "second" : NULL, second.addr);
    r->settings = options_new(stun_kind.options, stun_kind.settings_size);
    assert_non_null(r->settings);
    assert_int_equal(stun_kind.start(r->host, r->settings, &r->node, &why), 0);
}

static void rig_stop(struct rig *r)
{
    stun_kind.stop(r->node);
    assert_int_equal(fake_open_sockets(r->host), 0);
    options_free(stun_kind.options, r->settings);
    fake_free(r->host);
}

static struct stun_writer request(uint8_t *room, size_t cap)
{
    struct stun_writer w;
    stun_begin(&w, room, cap, STUN_REQUEST, &id);
    return w;
}

/* Sends it to `to`; the one answer, read. */
static struct stun_msg asked(struct rig *r, struct endpoint to, const struct stun_writer *w)
{
    struct stun_msg answer;
    size_t before = r->host->sent_n;
    assert_true(fake_deliver(r->host, client, to, 60, stun_end(w)));
    assert_int_equal(r->host->sent_n, before + 1);
    const struct fake_datagram *d = fake_last(r->host);
    assert_int_equal(stun_parse(span_make(d->data, d->n), &answer), 0);
    assert_true(stun_id_equal(&answer.id, &id));
    assert_true(answer.fingerprint);
    return answer;
}

static void binding_says_who_was_seen(void **state)
{
    struct rig r;
    uint8_t room[64];
    (void)state;
    rig_start(&r, true);
    struct stun_writer w = request(room, sizeof room);
    struct stun_msg answer = asked(&r, first, &w);
    assert_int_equal(answer.class, STUN_SUCCESS);
    assert_true(endpoint_equal(answer.xor_mapped, client) && endpoint_equal(answer.mapped, client));
    assert_true(endpoint_equal(answer.origin, first) && endpoint_equal(answer.other, second));
    assert_true(endpoint_equal(fake_last(r.host)->from, first) && endpoint_equal(fake_last(r.host)->to, client));
    rig_stop(&r);
}

/* RFC 5780 §6.1's table: by where the request came to and its flags, where the answer comes from. */
static void change_request_6_1(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, true);
    for (unsigned i = 0; i < 16; i++) {
        uint8_t room[64];
        unsigned addr = i & 1, port = i >> 1 & 1, change_addr = i >> 2 & 1, change_port = i >> 3;
        struct endpoint to = {addr ? second.addr : first.addr, port ? 3479 : 3478};
        struct endpoint other = {addr ? first.addr : second.addr, port ? 3478 : 3479};
        struct endpoint from = {change_addr ? other.addr : to.addr, change_port ? other.port : to.port};
        struct stun_writer w = request(room, sizeof room);
        stun_put_change(&w, (change_addr ? STUN_CHANGE_ADDR : 0) | (change_port ? STUN_CHANGE_PORT : 0));
        struct stun_msg answer = asked(&r, to, &w);
        assert_true(endpoint_equal(fake_last(r.host)->from, from));
        assert_true(endpoint_equal(answer.origin, from));
        assert_true(endpoint_equal(answer.other, other));
    }
    rig_stop(&r);
}

static void response_port_7_5(void **state)
{
    struct rig r;
    uint8_t room[64];
    (void)state;
    rig_start(&r, true);
    struct stun_writer w = request(room, sizeof room);
    stun_put_response_port(&w, 50002);
    struct stun_msg answer = asked(&r, first, &w);
    assert_true(endpoint_equal(answer.xor_mapped, client));
    assert_true(endpoint_equal(fake_last(r.host)->to, (struct endpoint){client.addr, 50002}));
    rig_stop(&r);
}

static void padding_7_6(void **state)
{
    struct rig r;
    uint8_t room[64];
    (void)state;
    rig_start(&r, true);
    struct stun_writer w = request(room, sizeof room);
    stun_put_padding(&w, 4);
    assert_true(asked(&r, first, &w).padding);
    assert_true(fake_last(r.host)->n > 1500);
    stun_put_response_port(&w, 50002); /* a flood for somebody else */
    assert_int_equal(asked(&r, first, &w).error, 400);
    assert_true(endpoint_equal(fake_last(r.host)->to, client));
    rig_stop(&r);
}

static void unknown_attributes_6_3_1(void **state)
{
    struct rig r;
    uint8_t room[64];
    (void)state;
    rig_start(&r, true);
    struct stun_writer w = request(room, sizeof room);
    stun_put_endpoint(&w, (enum stun_attribute)0x0024, client);
    assert_int_equal(asked(&r, first, &w).error, 420);
    const struct fake_datagram *d = fake_last(r.host);
    static const char list[] = "\x00\x0a\x00\x02\x00\x24";
    bool told = false;
    for (size_t i = 0; i + sizeof list - 1 <= d->n; i += 4)
        told = told || memcmp(d->data + i, list, sizeof list - 1) == 0;
    assert_true(told);
    rig_stop(&r);
}

/* §7.4: a server with one address says nothing of another one, and cannot answer from it. */
static void one_address(void **state)
{
    struct rig r;
    uint8_t room[64];
    (void)state;
    rig_start(&r, false);
    assert_int_equal(fake_open_sockets(r.host), 1);
    struct stun_writer w = request(room, sizeof room);
    assert_int_equal(asked(&r, first, &w).other.port, 0);
    stun_put_change(&w, STUN_CHANGE_PORT);
    assert_int_equal(asked(&r, first, &w).error, 420);
    rig_stop(&r);
}

/* §6.3: what is no request is never answered, or two servers would talk to each other for ever. */
static void never_answers_answers(void **state)
{
    struct rig r;
    uint8_t room[64];
    struct stun_writer w;
    (void)state;
    rig_start(&r, true);
    stun_begin(&w, room, sizeof room, STUN_SUCCESS, &id);
    fake_deliver(r.host, client, first, 60, stun_end(&w));
    stun_begin(&w, room, sizeof room, STUN_INDICATION, &id);
    fake_deliver(r.host, client, first, 60, stun_end(&w));
    assert_int_equal(r.host->drops, 2);
    assert_string_equal(r.host->last_drop, "not-ours");
    fake_deliver(r.host, client, first, 60, SPAN("OPTIONS sip:lab.example SIP/2.0\r\n\r\n"));
    assert_string_equal(r.host->last_drop, "bad-stun");
    assert_int_equal(r.host->sent_n, 0);
    rig_stop(&r);
}

static void a_taken_port_is_told(void **state)
{
    char room[128];
    struct text why = text_on(room, sizeof room);
    void *node;
    (void)state;
    struct host *host = fake_new("first", first.addr, "second", second.addr);
    void *settings = options_new(stun_kind.options, stun_kind.settings_size);
    host->taken_port = 3479;
    assert_int_equal(stun_kind.start(host, settings, &node, &why), FE_EUSED);
    assert_non_null(strstr(room, "203.0.113.10:3479"));
    assert_int_equal(fake_open_sockets(host), 0);
    options_free(stun_kind.options, settings);
    fake_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binding_says_who_was_seen), cmocka_unit_test(change_request_6_1),
        cmocka_unit_test(response_port_7_5),         cmocka_unit_test(padding_7_6),
        cmocka_unit_test(unknown_attributes_6_3_1),  cmocka_unit_test(one_address),
        cmocka_unit_test(never_answers_answers),     cmocka_unit_test(a_taken_port_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
