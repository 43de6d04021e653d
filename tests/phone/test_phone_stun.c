/* A phone with a STUN server: when it registers, with which address, and what a call waits for. The test plays both
 * servers. */
#include "nodes/node.h"
#include "nodes/proto/stun.h"

#include "tests/cmocka.h"
#include "tests/sbc/fake_host.h"

extern const struct node_kind phone_kind;

static const struct endpoint stun = {IPV4(203, 0, 113, 5), 3478}, local = {IPV4(192, 168, 1, 20), 5060};

struct rig {
    struct host *host;
    void *settings, *node;
};

static void set(struct rig *r, const char *name, const char *value)
{
    assert_int_equal(options_set(phone_kind.options, r->settings, span_of(name), span_of(value), NULL), 0);
}

static void rig_start(struct rig *r, const char *keep_alive)
{
    char room[128];
    struct text why = text_on(room, sizeof room);
    r->host = fake_new("on", local.addr, NULL, 0);
    r->settings = options_new(phone_kind.options, phone_kind.settings_size);
    set(r, "line", "101");
    set(r, "proxy", "203.0.113.10");
    set(r, "stun", "203.0.113.5");
    set(r, "keep-alive", keep_alive);
    assert_int_equal(phone_kind.start(r->host, r->settings, &r->node, &why), 0);
}

static void rig_stop(struct rig *r)
{
    phone_kind.stop(r->node);
    assert_int_equal(fake_open_sockets(r->host), 0);
    options_free(phone_kind.options, r->settings);
    fake_free(r->host);
}

/* Answers the last datagram, a question to the STUN server. */
static void answer(struct rig *r, uint16_t error, struct endpoint seen)
{
    uint8_t room[128];
    struct stun_writer w;
    struct stun_msg question;
    const struct fake_datagram *d = fake_last(r->host);
    assert_true(endpoint_equal(d->to, stun));
    assert_int_equal(stun_parse(span_make(d->data, d->n), &question), 0);
    stun_begin(&w, room, sizeof room, error ? STUN_ERROR : STUN_SUCCESS, &question.id);
    if (error)
        stun_put_error(&w, error, SPAN("No"));
    else
        stun_put_endpoint(&w, STUN_XOR_MAPPED_ADDRESS, seen);
    assert_true(fake_deliver(r->host, stun, d->from, 60, stun_end(&w)));
}

static bool last_has(const struct rig *r, const char *text)
{
    return strstr(fake_last(r->host)->data, text) != NULL;
}

static void registers_with_what_was_seen(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "none");
    assert_int_equal(r.host->sent_n, 1);
    answer(&r, 0, (struct endpoint){IPV4(203, 0, 113, 7), 6001});
    assert_int_equal(r.host->sent_n, 2);
    assert_true(last_has(&r, "REGISTER "));
    assert_true(last_has(&r, "Contact: <sip:101@203.0.113.7:6001>"));
    assert_true(last_has(&r, "Via: SIP/2.0/UDP 203.0.113.7:6001"));
    assert_int_equal(fake_traced(r.host, "\"ev\":\"stun\",\"state\":\"mapped\"", "\"public\":\"203.0.113.7:6001\""), 1);
    rig_stop(&r);
}

/* After 0, 500, 1500 and 3500 ms, and another 4 s, it goes on without. */
static void registers_without_an_answer(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "none");
    fake_advance(r.host, 7500 * MS - 1);
    assert_int_equal(r.host->sent_n, 4);
    fake_advance(r.host, 7500 * MS);
    assert_int_equal(r.host->sent_n, 5);
    assert_true(last_has(&r, "Contact: <sip:101@192.168.1.20"));
    assert_int_equal(fake_traced(r.host, "\"ev\":\"stun\"", "failed"), 1);
    rig_stop(&r);
}

static void a_refusal_is_no_answer(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "none");
    answer(&r, 500, local);
    assert_true(last_has(&r, "Contact: <sip:101@192.168.1.20"));
    rig_stop(&r);
}

/* Keep-alives ask again; an unregistered phone is told where it is, and stays silent. */
static void a_new_mapping_does_not_register_who_is_not(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "stun");
    answer(&r, 0, (struct endpoint){IPV4(203, 0, 113, 7), 6001});
    phone_kind.command(r.node, SPAN("unregister"));
    fake_advance(r.host, 30 * SEC);
    assert_true(endpoint_equal(fake_last(r.host)->to, stun));
    size_t before = r.host->sent_n;
    answer(&r, 0, (struct endpoint){IPV4(203, 0, 113, 7), 6002});
    assert_int_equal(r.host->sent_n, before);
    assert_int_equal(fake_traced(r.host, "\"ev\":\"stun\"", "6002"), 1);
    rig_stop(&r);
}

/* The INVITE waits until the port of the media is known; then it says it. */
static void a_call_waits_for_its_port(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "none");
    answer(&r, 0, (struct endpoint){IPV4(203, 0, 113, 7), 6001});
    phone_kind.command(r.node, SPAN("call 102"));
    assert_int_equal(fake_last(r.host)->from.port, 10000);
    answer(&r, 0, (struct endpoint){IPV4(203, 0, 113, 7), 6010});
    assert_true(last_has(&r, "INVITE "));
    assert_true(last_has(&r, "c=IN IP4 203.0.113.7"));
    assert_true(last_has(&r, "m=audio 6010 "));
    rig_stop(&r);
}

static void a_waiting_call_can_be_given_up(void **state)
{
    struct rig r;
    (void)state;
    rig_start(&r, "none");
    answer(&r, 0, (struct endpoint){IPV4(203, 0, 113, 7), 6001});
    phone_kind.command(r.node, SPAN("call 102"));
    size_t before = r.host->sent_n;
    phone_kind.command(r.node, SPAN("hang up"));
    assert_int_equal(fake_traced(r.host, "\"ev\":\"call\"", "cancelled"), 1);
    assert_int_equal(fake_open_sockets(r.host), 1);
    assert_int_equal(r.host->sent_n, before);
    phone_kind.command(r.node, SPAN("call 102")); /* and the next one is as good as the first */
    answer(&r, 0, (struct endpoint){IPV4(203, 0, 113, 7), 6012});
    assert_true(last_has(&r, "m=audio 6012 "));
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_with_what_was_seen), cmocka_unit_test(registers_without_an_answer),
        cmocka_unit_test(a_refusal_is_no_answer),       cmocka_unit_test(a_new_mapping_does_not_register_who_is_not),
        cmocka_unit_test(a_call_waits_for_its_port),    cmocka_unit_test(a_waiting_call_can_be_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
