/* A phone with outbound support (RFC 5626 by section, FACTS PH-10, PH-11), over TCP and over UDP. */
#include "tests/media/fake_net.h"

#include "nodes/proto/stun.h"

#include "tests/phone/stream_server.h"

#define SERVER IPV4(10, 0, 1, 10)
#define BACKUP IPV4(10, 0, 1, 11)
#define PHONE  IPV4(10, 0, 1, 20)

static struct rig_phone alice;

static void start(const char *const *settings)
{
    net_begin(MS);
    rig_start(&alice, "alice", PHONE, settings);
    net_run(net.now + 10 * MS);
}

static void finish(void)
{
    rig_stop(&alice);
    assert_int_equal(fake_tcp_open(stream_tcp()), 0);
    net_end();
}

#define START(...)                                                                                                     \
    start((const char *const[]){"line=101", "password=a1", "proxy=10.0.1.10", "outbound support=yes", __VA_ARGS__,     \
                                NULL})

#define BOTH "transport=tcp", "outbound proxy=10.0.1.10", "backup outbound proxy=10.0.1.11"

#define GRANTED "Require: outbound\r\nExpires: 3600\r\n"

static void accept(unsigned connection, const char *headers)
{
    struct host_tcp *c = stream_connection(connection);
    struct sip_msg m;
    fake_tcp_connected(c);
    stream_settle();
    stream_take(c, &m);
    assert_true(span_is(m.method_text, "REGISTER"));
    stream_reply(c, &m, 200, headers);
}

static bool is_registered(void)
{
    return record_is(net_last("alice", "registration", NULL, NULL), "state", "registered");
}

/* ---- §4.2.1 ---- */

static void s4_2_1_what_a_registration_says(void **state)
{
    struct sip_msg m;
    struct sip_contact contact;
    (void)state;
    START("transport=tcp");
    fake_tcp_connected(stream_connection(0));
    stream_settle();
    stream_take(stream_connection(0), &m);
    assert_int_equal(sip_contact_parse(sip_value(&m, SIP_H_CONTACT), &contact), 0);
    assert_int_equal(contact.reg_id, 1);
    assert_true(span_starts(contact.instance, SPAN("<urn:uuid:00000000-0000-1000-8000-08000f")));
    assert_int_equal(contact.instance.n, 47);
    assert_true(sip_lists(&m, SIP_H_SUPPORTED, "outbound"));
    assert_true(sip_lists(&m, SIP_H_SUPPORTED, "path"));
    finish();
}

static void s4_2_1_one_instance_and_a_reg_id_for_each_flow(void **state)
{
    struct sip_msg m;
    struct sip_contact contact;
    char instance[64];
    (void)state;
    START(BOTH);
    assert_int_equal(stream_tcp()->n, 2);
    for (unsigned i = 0; i < 2; i++) {
        fake_tcp_connected(stream_connection(i));
        stream_settle();
        stream_take(stream_connection(i), &m);
        assert_int_equal(sip_contact_parse(sip_value(&m, SIP_H_CONTACT), &contact), 0);
        assert_int_equal(contact.reg_id, i + 1);
        if (i == 0)
            span_copy(contact.instance, instance, sizeof instance);
        else
            assert_true(span_is(contact.instance, instance));
    }
    assert_true(endpoint_equal(stream_connection(1)->remote, (struct endpoint){BACKUP, 5060}));
    finish();
}

static void s4_3_dialogs_ask_to_be_reached_by_the_flow(void **state)
{
    struct sip_msg m;
    (void)state;
    START("transport=tcp");
    accept(0, GRANTED);
    rig_tell(&alice, "call 102");
    stream_settle();
    stream_take(stream_connection(0), &m);
    assert_true(span_is(sip_value(&m, SIP_H_CONTACT), "<sip:101@10.0.1.20;transport=tcp;ob>"));
    finish();
}

static void s6_439_registers_as_of_old(void **state)
{
    struct sip_msg m;
    struct sip_contact contact;
    (void)state;
    START("transport=tcp");
    fake_tcp_connected(stream_connection(0));
    stream_settle();
    stream_take(stream_connection(0), &m);
    stream_reply(stream_connection(0), &m, 439, "");
    stream_take(stream_connection(0), &m);
    assert_int_equal(sip_contact_parse(sip_value(&m, SIP_H_CONTACT), &contact), 0);
    assert_int_equal(contact.reg_id, 0);
    assert_false(sip_lists(&m, SIP_H_SUPPORTED, "outbound"));
    stream_reply(stream_connection(0), &m, 200, "Expires: 3600\r\n");
    assert_true(is_registered());
    net_run(200 * SEC); /* and keep-alives are not for a server that does not know them */
    assert_int_equal(stream_connection(0)->sent_n, 0);
    finish();
}

static void rfc6223_a_first_hop_that_agrees_to_keep_is_kept_alive(void **state)
{
    struct sip_msg m;
    char room[NET_DATAGRAM];
    struct text t = text_on(room, sizeof room);
    (void)state;
    START("transport=tcp");
    fake_tcp_connected(stream_connection(0));
    stream_settle();
    stream_take(stream_connection(0), &m);
    struct span via = sip_value(&m, SIP_H_VIA);
    assert_true(span_contains(via, SPAN(";keep")));
    text_str(&t, "SIP/2.0 200 OK\r\nVia: "); /* no outbound here, but it likes keep-alives */
    text_put(&t, span_make(via.p, via.n));
    text_str(&t, "=50\r\nFrom: ");
    text_put(&t, sip_value(&m, SIP_H_FROM));
    text_str(&t, "\r\nTo: <sip:101@lab.example>;tag=t\r\nCall-ID: ");
    text_put(&t, sip_value(&m, SIP_H_CALL_ID));
    text_str(&t, "\r\nCSeq: 1 REGISTER\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n");
    fake_tcp_receive(stream_connection(0), text_span(&t));
    stream_settle();
    assert_true(is_registered());
    net_run(40 * SEC - MS);
    assert_int_equal(stream_connection(0)->sent_n, 0);
    net_run(50 * SEC + 10 * MS);
    assert_string_equal(stream_connection(0)->sent, "\r\n\r\n");
    finish();
}

/* ---- §4.4 ---- */

static void s4_4_keep_alives_within_80_to_100_percent_of_flow_timer(void **state)
{
    (void)state;
    START("transport=tcp");
    accept(0, GRANTED "Flow-Timer: 50\r\n");
    net_run(40 * SEC - MS);
    assert_int_equal(stream_connection(0)->sent_n, 0);
    net_run(50 * SEC + 10 * MS);
    assert_string_equal(stream_connection(0)->sent, "\r\n\r\n");
    finish();
}

static void ph11_the_keep_alive_timer_can_be_set(void **state)
{
    (void)state;
    START("transport=tcp", "outbound keep alive=20s");
    accept(0, GRANTED);
    net_run(16 * SEC - MS);
    assert_int_equal(stream_connection(0)->sent_n, 0);
    net_run(20 * SEC + 10 * MS);
    assert_string_equal(stream_connection(0)->sent, "\r\n\r\n");
    finish();
}

static void s4_4_1_a_flow_that_was_kept_and_is_not_any_more_is_formed_anew_at_once(void **state)
{
    (void)state;
    START("transport=tcp", "outbound keep alive=20s");
    accept(0, GRANTED);
    net_run(21 * SEC);
    fake_tcp_forget(stream_connection(0));
    fake_tcp_receive(stream_connection(0), SPAN("\r\n")); /* the first is answered */
    net_run(42 * SEC);
    assert_string_equal(stream_connection(0)->sent, "\r\n\r\n"); /* the second is not */
    net_run(52 * SEC);
    assert_false(stream_connection(0)->open);
    assert_int_equal(stream_tcp()->n, 2);
    assert_true(net_line("alice", "outbound", "why", "no answer to keep-alives", 0).n > 0);
    assert_false(is_registered());
    accept(1, GRANTED);
    assert_true(is_registered());
    finish();
}

/* ---- §4.5 ---- */

static void s4_5_failed_flows_wait_longer_and_longer(void **state)
{
    lab_time before;
    (void)state;
    START("transport=tcp");
    for (unsigned i = 0; i < 3; i++) {
        lab_time most = (lab_time)(60u << i) * SEC; /* 30 s · 2^failures */
        before = net.now;
        fake_tcp_failed(stream_connection(i), FE_EREFUSED);
        net_run(before + most / 2 - MS);
        assert_int_equal(stream_tcp()->n, i + 1);
        net_run(before + most + 10 * MS);
        assert_int_equal(stream_tcp()->n, i + 2);
    }
    finish();
}

static void ph11_a_failed_flow_is_rebuilt_while_the_other_one_serves(void **state)
{
    struct sip_msg m;
    (void)state;
    START(BOTH);
    accept(0, GRANTED);
    accept(1, GRANTED);
    fake_tcp_failed(stream_connection(0), FE_ERESET);
    net_run(net.now + 10 * MS);
    assert_true(is_registered()); /* by the other one */
    rig_tell(&alice, "call 102");
    stream_settle();
    stream_take(stream_connection(1), &m);
    assert_true(span_is(m.method_text, "INVITE"));
    stream_reply(stream_connection(1), &m, 486, "");
    lab_time latest = net.now + 180 * SEC; /* 90 s · 2, since nothing was pinged yet */
    while (stream_tcp()->n < 3 && net.now < latest) {
        net_run(net.now + SEC);
        fake_tcp_receive(stream_connection(1), SPAN("\r\n"));
    }
    assert_true(endpoint_equal(stream_connection(2)->remote, (struct endpoint){SERVER, 5060}));
    accept(2, GRANTED);
    assert_true(record_is(net_last("alice", "failover", NULL, NULL), "to", "primary"));
    finish();
}

static void the_phone_is_unregistered_when_the_last_flow_fails(void **state)
{
    (void)state;
    START(BOTH);
    accept(0, GRANTED);
    accept(1, GRANTED);
    fake_tcp_failed(stream_connection(0), FE_ERESET);
    fake_tcp_failed(stream_connection(1), FE_ERESET);
    net_run(net.now + 10 * MS);
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "state", "failed"));
    finish();
}

static void unregistering_takes_each_registration_back(void **state)
{
    struct sip_msg m;
    (void)state;
    START(BOTH);
    accept(0, GRANTED);
    accept(1, GRANTED);
    rig_tell(&alice, "unregister");
    stream_settle();
    for (unsigned i = 0; i < 2; i++) {
        stream_take(stream_connection(i), &m);
        assert_true(span_is(sip_value(&m, SIP_H_EXPIRES), "0"));
        stream_reply(stream_connection(i), &m, 200, "");
    }
    assert_true(record_is(net_last("alice", "registration", NULL, NULL), "state", "unregistered"));
    finish();
}

static void s4_2_1_a_flow_is_registered_again_before_it_expires(void **state)
{
    struct sip_msg m;
    (void)state;
    START("transport=tcp");
    accept(0, "Require: outbound\r\nExpires: 60\r\n");
    net_run(45 * SEC + 10 * MS);
    stream_take(stream_connection(0), &m);
    assert_true(span_is(m.method_text, "REGISTER"));
    assert_int_equal(stream_tcp()->n, 1);
    finish();
}

/* ---- §4.4.2: UDP ---- */

static struct host_udp *udp;
static unsigned registers, stuns;
static struct endpoint seen; /* what STUN tells */

static void stun_reply(const struct stun_msg *question, struct endpoint to)
{
    uint8_t room[128];
    struct stun_writer w;
    stun_begin(&w, room, sizeof room, STUN_SUCCESS, &question->id);
    stun_put_endpoint(&w, STUN_XOR_MAPPED_ADDRESS, seen);
    host_udp_send(udp, to, 0, stun_end(&w));
}

static void register_reply(struct span request, struct endpoint to)
{
    char copy[NET_DATAGRAM];
    char room[NET_DATAGRAM];
    struct text t = text_on(room, sizeof room);
    struct sip_msg m;
    memcpy(copy, request.p, request.n);
    assert_int_equal(sip_parse(span_make(copy, request.n), &m, NULL), 0);
    sip_put_response(&t, &m, 200, (struct span){0}, SPAN("server"), to);
    text_str(&t, GRANTED);
    sip_put_end(&t);
    host_udp_send(udp, to, 0, text_span(&t));
}

static void udp_heard(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct stun_msg question;
    (void)arg;
    (void)ttl;
    if (stun_parse(data, &question)) {
        registers++;
        register_reply(data, from);
        return;
    }
    stuns++;
    if (seen.port)
        stun_reply(&question, from);
}

static const struct host_udp_events udp_events = {udp_heard, NULL};

static void start_on_udp(void)
{
    registers = stuns = 0;
    seen = (struct endpoint){IPV4(203, 0, 113, 7), 40000};
    net_begin(MS);
    assert_int_equal(
        host_udp_open(net_host("server", SERVER), (struct endpoint){SERVER, 5060}, &udp_events, NULL, &udp), 0);
    rig_start(&alice, "alice", PHONE,
              (const char *const[]){"line=101", "proxy=10.0.1.10", "outbound support=yes", NULL});
    net_run(10 * MS);
    assert_true(is_registered());
}

static void s4_4_2_keep_alives_over_udp_are_stun_every_24_to_29_s(void **state)
{
    (void)state;
    start_on_udp();
    net_run(24 * SEC - MS);
    assert_int_equal(stuns, 0);
    net_run(29 * SEC + 10 * MS);
    assert_int_equal(stuns, 1);
    net_run(290 * SEC);
    assert_in_range(stuns, 10, 12);
    assert_int_equal(registers, 1);
    finish();
}

static void s4_4_2_another_mapping_is_another_flow(void **state)
{
    (void)state;
    start_on_udp();
    net_run(30 * SEC);
    seen.port = 40001; /* the NAT was rebooted */
    net_run(60 * SEC);
    assert_int_equal(registers, 2);
    assert_true(net_line("alice", "outbound", "why", "mapping changed", 0).n > 0);
    assert_true(is_registered());
    finish();
}

static void s4_4_2_no_answer_within_39_5_s_is_a_lost_flow(void **state)
{
    (void)state;
    start_on_udp();
    net_run(30 * SEC);
    seen.port = 0;
    net_run(60 * SEC + 39 * SEC);
    assert_int_equal(net_count("alice", "outbound", "state", "failed"), 1);
    assert_int_equal(registers, 2); /* the path works for SIP: a new flow */
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(s4_2_1_what_a_registration_says),
        cmocka_unit_test(s4_2_1_one_instance_and_a_reg_id_for_each_flow),
        cmocka_unit_test(s4_2_1_a_flow_is_registered_again_before_it_expires),
        cmocka_unit_test(s4_3_dialogs_ask_to_be_reached_by_the_flow),
        cmocka_unit_test(s6_439_registers_as_of_old),
        cmocka_unit_test(rfc6223_a_first_hop_that_agrees_to_keep_is_kept_alive),
        cmocka_unit_test(s4_4_keep_alives_within_80_to_100_percent_of_flow_timer),
        cmocka_unit_test(ph11_the_keep_alive_timer_can_be_set),
        cmocka_unit_test(s4_4_1_a_flow_that_was_kept_and_is_not_any_more_is_formed_anew_at_once),
        cmocka_unit_test(s4_5_failed_flows_wait_longer_and_longer),
        cmocka_unit_test(ph11_a_failed_flow_is_rebuilt_while_the_other_one_serves),
        cmocka_unit_test(the_phone_is_unregistered_when_the_last_flow_fails),
        cmocka_unit_test(unregistering_takes_each_registration_back),
        cmocka_unit_test(s4_4_2_keep_alives_over_udp_are_stun_every_24_to_29_s),
        cmocka_unit_test(s4_4_2_another_mapping_is_another_flow),
        cmocka_unit_test(s4_4_2_no_answer_within_39_5_s_is_a_lost_flow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
