/* The transport layer: RFC 3261 §18, RFC 3581, and what it never passes up. */
#include "nodes/sip/sip_transport.h"
#include "tests/sip/sip_rig.h"

#define NAT ((struct endpoint){IPV4(203, 0, 113, 7), 40000}) /* the phone below, as seen from outside */
#define TO  "<sip:alice@example.com>"
#define URI "sip:alice@192.0.2.1"

struct node {
    struct host *host;
    struct sip_transport_layer *transport;
    unsigned requests, responses;
    struct sip_flow flow, reply;
    char via[RIG_DATA];
};

static void on_request(void *arg, const struct sip_incoming *in)
{
    struct node *n = arg;
    n->requests++;
    n->flow = in->flow;
    n->reply = in->reply;
    assert_true(span_copy(sip_value(in->msg, SIP_H_VIA), n->via, sizeof n->via));
}

static void on_response(void *arg, const struct sip_incoming *in)
{
    struct node *n = arg;
    (void)in;
    n->responses++;
}

static const struct sip_transport_events events = {on_request, on_response, NULL};

static void start(struct node *n, const struct sip_transport_config *config)
{
    unsigned socket;
    *n = (struct node){.host = rig_new()};
    assert_int_equal(sip_transport_new(&n->transport, n->host, config), 0);
    assert_int_equal(
        sip_transport_listen(n->transport, (struct endpoint){RIG_ADDR, 5060}, (struct endpoint){0}, &socket), 0);
    sip_transport_attach(n->transport, &events, n);
}

static void start_with_rport(struct node *n, enum sip_rport rport)
{
    start(n, &(struct sip_transport_config){.rport = rport});
}

static void finish(struct node *n)
{
    sip_transport_free(n->transport);
    rig_free(n->host);
}

static void receive(struct node *n, struct endpoint from, const char *via)
{
    rig_receive(n->host, from, rig_request("OPTIONS", URI, via, TO, 1, ""));
    assert_int_equal(n->requests, 1);
}

static void assert_endpoint(struct endpoint a, struct endpoint b)
{
    char text_a[ENDPOINT_TEXT];
    char text_b[ENDPOINT_TEXT];
    assert_string_equal(endpoint_text(a, text_a), endpoint_text(b, text_b));
}

/* ---- where responses go ---- */

static void reply_goes_to_sent_by_when_it_is_the_source_18_2_2(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    receive(&n, (struct endpoint){RIG_PEER.addr, 40000}, "192.0.2.9:5070;branch=z9hG4bK1");
    assert_string_equal(n.via, "SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK1");
    assert_endpoint(n.reply.remote, (struct endpoint){RIG_PEER.addr, 5070});
    assert_endpoint(n.flow.remote, (struct endpoint){RIG_PEER.addr, 40000});
    finish(&n);
}

static void reply_goes_to_received_and_sent_by_port_without_rport_18_2_2(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    receive(&n, NAT, "192.168.1.20:5060;branch=z9hG4bK1");
    assert_string_equal(n.via, "SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK1;received=203.0.113.7");
    assert_endpoint(n.reply.remote, (struct endpoint){NAT.addr, 5060});
    finish(&n);
}

static void reply_goes_to_the_source_when_rport_asks_rfc3581_4(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    receive(&n, NAT, "192.168.1.20:5060;rport;branch=z9hG4bK1");
    assert_non_null(strstr(n.via, ";rport=40000"));
    assert_non_null(strstr(n.via, ";received=203.0.113.7"));
    assert_endpoint(n.reply.remote, NAT);
    finish(&n);
}

static void forced_rport_is_as_if_asked(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_FORCE);
    receive(&n, NAT, "192.168.1.20:5060;branch=z9hG4bK1");
    assert_string_equal(n.via, "SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK1;received=203.0.113.7;rport=40000");
    assert_endpoint(n.reply.remote, NAT);
    finish(&n);
}

static void ignored_rport_replies_to_sent_by_literally(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_IGNORE);
    receive(&n, NAT, "192.168.1.20:5062;rport;branch=z9hG4bK1");
    assert_string_equal(n.via, "SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bK1");
    assert_endpoint(n.reply.remote, (struct endpoint){IPV4(192, 168, 1, 20), 5062});
    finish(&n);
}

static void forged_received_is_overwritten_18_2_1(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    receive(&n, NAT, "192.168.1.20:5060;received=198.51.100.1;branch=z9hG4bK1");
    assert_endpoint(n.reply.remote, (struct endpoint){NAT.addr, 5060});
    finish(&n);
}

static void sent_by_name_is_answered_at_the_source_address_18_2_2(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    receive(&n, NAT, "pc33.example.com;branch=z9hG4bK1");
    assert_endpoint(n.reply.remote, (struct endpoint){NAT.addr, 5060});
    finish(&n);
}

static void reply_leaves_from_the_socket_that_received_rfc3581_4(void **state)
{
    struct node n;
    unsigned socket;
    struct endpoint second = {IPV4(10, 0, 1, 2), 5060};
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    assert_int_equal(sip_transport_listen(n.transport, second, (struct endpoint){0}, &socket), 0);
    rig_receive_on(n.host, socket, RIG_PEER, rig_request("OPTIONS", URI, "192.0.2.9;branch=z9hG4bK1", TO, 1, ""));
    assert_int_equal(n.reply.socket, socket);
    assert_int_equal(sip_transport_send(n.transport, &n.reply, SPAN("SIP/2.0 200 OK\r\n\r\n")), 0);
    assert_endpoint(rig_last(n.host)->from, second);
    finish(&n);
}

/* ---- own Vias ---- */

static void own_via_names_the_advertised_address_and_asks_for_rport(void **state)
{
    struct node n;
    unsigned socket;
    struct sip_flow to;
    (void)state;
    start(&n, &(struct sip_transport_config){.ask_rport = true});
    assert_int_equal(sip_transport_listen(n.transport, (struct endpoint){IPV4(10, 0, 1, 2), 5060},
                                          (struct endpoint){IPV4(198, 51, 100, 4), 5060}, &socket),
                     0);
    to = sip_flow_to(socket, RIG_PEER);
    sip_transport_send_request(n.transport, &to, SPAN("OPTIONS sip:a@b SIP/2.0\r\nMax-Forwards: 70\r\n\r\n"),
                               SPAN("z9hG4bK77"));
    const char *via = rig_value(rig_last(n.host), SIP_H_VIA);
    assert_non_null(strstr(via, "SIP/2.0/UDP 198.51.100.4"));
    assert_non_null(strstr(via, ";branch=z9hG4bK77"));
    assert_non_null(strstr(via, ";rport"));
    assert_true(sip_transport_is_own(n.transport, (struct endpoint){IPV4(198, 51, 100, 4), 5060}));
    assert_true(sip_transport_is_own(n.transport, (struct endpoint){IPV4(10, 0, 1, 2), 5060}));
    assert_false(sip_transport_is_own(n.transport, (struct endpoint){IPV4(10, 0, 1, 2), 5061}));
    finish(&n);
}

#define RESPONSE(sent_by)                                                                                              \
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP " sent_by                                                                      \
    ";branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n"                                             \
    "Call-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

static void response_with_a_foreign_via_is_discarded_18_1_2(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    rig_receive(n.host, RIG_PEER, RESPONSE("192.0.2.1"));
    assert_int_equal(n.responses, 1);
    rig_receive(n.host, RIG_PEER, RESPONSE("192.0.2.2"));
    assert_int_equal(n.responses, 1);
    assert_string_equal(n.host->last_drop, "not-ours");
    assert_int_equal(sip_transport_counts(n.transport)->stray, 1);
    finish(&n);
}

/* ---- what never gets up ---- */

static void keep_alives_are_counted_and_ignored(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    rig_receive(n.host, NAT, "\r\n");
    rig_receive(n.host, NAT, "\r\n\r\n");
    assert_int_equal(sip_transport_counts(n.transport)->keep_alives, 2);
    assert_int_equal(n.host->drops + n.host->sent_n + n.host->trace_n, 0);
    finish(&n);
}

static void bytes_that_are_not_sip_are_dropped(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    rig_receive(n.host, NAT, "");
    rig_receive(n.host, NAT, "hello\r\n\r\n");
    rig_receive(n.host, NAT, "INVITE sip:a@b SIP/2.0\r\nVia: x");
    assert_int_equal(n.host->drops, 3);
    assert_string_equal(n.host->last_drop, "bad-sip");
    assert_int_equal(n.requests, 0);
    assert_int_equal(n.host->sent_n, 0);
    finish(&n);
}

static void malformed_request_is_answered_400_at_its_source_8_2_7(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    rig_receive(n.host, NAT,
                "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.20;rport;branch=z9hG4bK1\r\n"
                "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(n.requests, 0);
    assert_int_equal(n.host->drops, 1);
    const struct rig_datagram *answer = rig_sent(n.host, "SIP/2.0 400 ", 0);
    assert_endpoint(answer->to, NAT);
    assert_non_null(strstr(rig_value(answer, SIP_H_VIA), ";received=203.0.113.7"));
    finish(&n);
}

static void malformed_ack_is_not_answered_8_2_7(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    rig_receive(n.host, NAT,
                "ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.20;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
                "To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(n.host->drops, 1);
    assert_int_equal(n.host->sent_n, 0);
    finish(&n);
}

static void stateless_answer_repeats_its_to_tag_8_2_7(void **state)
{
    struct node n;
    char to[RIG_DATA];
    const char *bad =
        "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    rig_receive(n.host, RIG_PEER, bad);
    rig_receive(n.host, RIG_PEER, bad);
    snprintf(to, sizeof to, "%s", rig_value(&n.host->sent[0], SIP_H_TO));
    assert_non_null(strstr(to, ";tag="));
    assert_string_equal(rig_value(&n.host->sent[1], SIP_H_TO), to);
    finish(&n);
}

/* ---- the trace ---- */

static void messages_are_traced_both_ways(void **state)
{
    struct node n;
    (void)state;
    start_with_rport(&n, SIP_RPORT_ASKED);
    receive(&n, RIG_PEER, "192.0.2.9;branch=z9hG4bK1");
    sip_transport_send(n.transport, &n.reply,
                       SPAN("SIP/2.0 200 OK\r\nCall-ID: call-1@example.com\r\nCSeq: 1 OPTIONS\r\n\r\n"));
    assert_string_equal(n.host->trace,
                        "{\"t\":0,\"ev\":\"sip\",\"dir\":\"in\",\"msg\":\"OPTIONS\",\"peer\":\"192.0.2.9:5060\","
                        "\"call_id\":\"call-1@example.com\",\"cseq\":1}\n"
                        "{\"t\":0,\"ev\":\"sip\",\"dir\":\"out\",\"msg\":\"200 OPTIONS\",\"peer\":\"192.0.2.9:5060\","
                        "\"call_id\":\"call-1@example.com\",\"cseq\":1}\n");
    finish(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_goes_to_sent_by_when_it_is_the_source_18_2_2),
        cmocka_unit_test(reply_goes_to_received_and_sent_by_port_without_rport_18_2_2),
        cmocka_unit_test(reply_goes_to_the_source_when_rport_asks_rfc3581_4),
        cmocka_unit_test(forced_rport_is_as_if_asked),
        cmocka_unit_test(ignored_rport_replies_to_sent_by_literally),
        cmocka_unit_test(forged_received_is_overwritten_18_2_1),
        cmocka_unit_test(sent_by_name_is_answered_at_the_source_address_18_2_2),
        cmocka_unit_test(reply_leaves_from_the_socket_that_received_rfc3581_4),
        cmocka_unit_test(own_via_names_the_advertised_address_and_asks_for_rport),
        cmocka_unit_test(response_with_a_foreign_via_is_discarded_18_1_2),
        cmocka_unit_test(keep_alives_are_counted_and_ignored),
        cmocka_unit_test(bytes_that_are_not_sip_are_dropped),
        cmocka_unit_test(malformed_request_is_answered_400_at_its_source_8_2_7),
        cmocka_unit_test(malformed_ack_is_not_answered_8_2_7),
        cmocka_unit_test(stateless_answer_repeats_its_to_tag_8_2_7),
        cmocka_unit_test(messages_are_traced_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
