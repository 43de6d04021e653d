/* Connections that carry SIP: RFC 3261 §18, RFC 5626 §3.5.1 and §4.4.1, RFC 5923; PH-4, PB-5, SB-12. */
#include "tests/sip/stream_rig.h"

#define VIA "203.0.113.7:5060;branch=z9hG4bKa"

static struct host_tcp *call_in(struct node *n)
{
    struct host_tcp *c = fake_tcp_accept(n->host, 5060, NODE_FAR);
    assert_non_null(c);
    node_heard(n, "accepted 1, ");
    return c;
}

/* The node has a connection to the peer, number 1, that is up. */
static struct host_tcp *call_out(struct node *n)
{
    struct sip_flow to = node_to_peer(n);
    assert_int_equal(sip_transport_connect(n->transport, &to, (struct span){0}), 0);
    assert_int_equal(to.connection, 1);
    fake_tcp_connected(node_tcp(n, 0));
    node_heard(n, "up 1, ");
    return node_tcp(n, 0);
}

static struct sip_flow named(const struct node *n, uint64_t connection)
{
    struct sip_flow flow = node_to_peer(n);
    flow.connection = connection;
    return flow;
}

/* ---- out ---- */

static void request_waits_for_its_connection_18(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    assert_int_equal(node_send(&n, node_to_peer(&n), "OPTIONS", 0), 0);
    assert_int_equal(n.host->tcp.n, 1);
    assert_int_equal(node_tcp(&n, 0)->sent_n, 0);
    assert_int_equal(rig_traced(n.host, "\"dir\":\"out\""), 0);
    fake_tcp_connected(node_tcp(&n, 0));
    node_heard(&n, "up 1, ");
    assert_int_equal(node_sent(node_tcp(&n, 0), "OPTIONS sip:bob@example.com SIP/2.0\r\n"), 1);
    assert_int_equal(node_sent(node_tcp(&n, 0), "Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK"), 1);
    assert_int_equal(rig_traced(n.host, "{\"t\":0,\"ev\":\"flow\",\"state\":\"connecting\",\"transport\":\"TCP\","
                                        "\"remote\":\"192.0.2.9:5060\"}"),
                     1);
    assert_int_equal(rig_traced(n.host, "\"ev\":\"flow\",\"state\":\"up\",\"transport\":\"TCP\","
                                        "\"remote\":\"192.0.2.9:5060\"}"),
                     1);
    assert_int_equal(rig_traced(n.host, "\"dir\":\"out\",\"msg\":\"OPTIONS\",\"peer\":\"192.0.2.9:5060\""), 1);
    node_answer(&n, node_tcp(&n, 0), 200);
    node_heard(&n, "200, ended, ");
    node_finish(&n);
}

static void requests_to_one_remote_share_a_connection(void **state)
{
    struct node n;
    struct sip_flow elsewhere;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    node_send(&n, node_to_peer(&n), "OPTIONS", 0);
    node_send(&n, node_to_peer(&n), "MESSAGE", 0);
    assert_int_equal(n.host->tcp.n, 1);
    fake_tcp_connected(node_tcp(&n, 0));
    assert_int_equal(node_sent(node_tcp(&n, 0), "SIP/2.0\r\nVia"), 2);
    elsewhere = node_to_peer(&n);
    elsewhere.remote.port = 5070;
    node_send(&n, elsewhere, "OPTIONS", 0);
    assert_int_equal(n.host->tcp.n, 2);
    assert_int_equal(node_tcp(&n, 1)->remote.port, 5070);
    node_finish(&n);
}

static void messages_leave_in_the_order_in_which_they_were_given(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    node_send(&n, node_to_peer(&n), "OPTIONS", 0);
    node_send(&n, node_to_peer(&n), "MESSAGE", 0);
    node_send(&n, node_to_peer(&n), "SUBSCRIBE", 0);
    fake_tcp_connected(node_tcp(&n, 0));
    const char *sent = node_tcp(&n, 0)->sent;
    assert_true(strstr(sent, "OPTIONS sip") < strstr(sent, "MESSAGE sip"));
    assert_true(strstr(sent, "MESSAGE sip") < strstr(sent, "SUBSCRIBE sip"));
    node_finish(&n);
}

/* PH-4 */
static void local_port_can_be_fixed(void **state)
{
    struct node n;
    struct sip_flow to;
    const struct sip_local local = {.transport = SIP_TCP, .at = {RIG_ADDR, 5061}, .deaf = true, .connect_port = 5061};
    unsigned socket;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    assert_int_equal(sip_transport_open(n.transport, &local, &socket), 0);
    assert_null(fake_tcp_accept(n.host, 5061, NODE_FAR));
    to = sip_transport_flow(n.transport, socket, RIG_PEER);
    assert_int_equal(sip_transport_connect(n.transport, &to, (struct span){0}), 0);
    assert_int_equal(host_tcp_local(node_tcp(&n, 0)).port, 5061);
    assert_int_equal(rig_traced(n.host, "\"remote\":\"192.0.2.9:5060\",\"local\":5061}"), 1);
    node_finish(&n);
}

static void what_cannot_be_opened_fails_at_once(void **state)
{
    struct node n;
    struct sip_flow to;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    n.host->tcp.connect_error = FE_EUSED;
    to = node_to_peer(&n);
    assert_int_equal(sip_transport_connect(n.transport, &to, (struct span){0}), FE_EUSED);
    assert_int_equal(to.connection, 0);
    assert_int_equal(node_send(&n, to, "OPTIONS", 0), 0);
    assert_int_equal(n.log.n, 0); /* from the loop, never from inside */
    node_heard(&n, "failed 503, ended, ");
    assert_int_equal(rig_traced(n.host, "\"ev\":\"flow\""), 0);
    node_finish(&n);
}

/* ---- failures ---- */

static void refused_connection_fails_what_waits_for_it_18_4(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    node_send(&n, node_to_peer(&n), "OPTIONS", 0);
    node_send(&n, node_to_peer(&n), "INVITE", 0);
    fake_tcp_failed(node_tcp(&n, 0), FE_EREFUSED);
    assert_int_equal(n.log.n, 0);
    node_heard(&n, "down 1 never up: refused, failed 503, ended, failed 503, ended, ");
    assert_int_equal(rig_traced(n.host, "\"ev\":\"flow\",\"state\":\"failed\",\"transport\":\"TCP\","
                                        "\"remote\":\"192.0.2.9:5060\",\"reason\":\"refused\"}"),
                     1);
    assert_int_equal(sip_transport_counts(n.transport)->unsent, 2);
    node_finish(&n);
}

/* PH-13 waits some 30 s, SB-12 90 s. */
static void connection_that_does_not_come_up_is_given_up(void **state)
{
    struct node n;
    struct sip_flow to;
    (void)state;
    node_start(&n, &(struct sip_transport_config){.connect_timeout = 30 * SEC});
    to = node_to_peer(&n);
    sip_transport_connect(n.transport, &to, (struct span){0});
    rig_run(n.host, 30 * SEC - 1);
    node_heard(&n, "");
    assert_true(sip_transport_is_alive(n.transport, &to));
    assert_false(sip_transport_is_up(n.transport, &to));
    rig_run(n.host, 30 * SEC);
    node_heard(&n, "down 1 never up: timed-out, ");
    assert_false(sip_transport_is_alive(n.transport, &to));
    node_finish(&n);

    node_start(&n, &(struct sip_transport_config){0});
    sip_transport_connect(n.transport, &to, (struct span){0});
    rig_run(n.host, 90 * SEC);
    node_heard(&n, "down 1 never up: timed-out, ");
    node_finish(&n);
}

static void request_never_takes_another_connection_than_the_one_named(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    fake_tcp_failed(call_out(&n), FE_ERESET);
    node_heard(&n, "down 1 reset, ");
    assert_int_equal(sip_transport_keep_alive(n.transport, &(struct sip_flow){SIP_TCP, NODE_TCP, RIG_PEER, 1}),
                     FE_ERESET);
    assert_int_equal(node_send(&n, named(&n, 1), "OPTIONS", 0), 0);
    node_heard(&n, "failed 503, ended, ");
    assert_int_equal(n.host->tcp.n, 1);
    node_send(&n, node_to_peer(&n), "OPTIONS", 0);
    assert_int_equal(n.host->tcp.n, 2); /* whichever leads there: a new one, with a new number */
    fake_tcp_connected(node_tcp(&n, 1));
    node_heard(&n, "up 2, ");
    node_finish(&n);
}

static void pending_transactions_fail_with_their_connection(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    struct host_tcp *c = call_out(&n);
    node_send(&n, named(&n, 1), "INVITE", 0);
    node_answer(&n, c, 180);
    node_send(&n, named(&n, 1), "OPTIONS", 0);
    node_heard(&n, "180, ");
    fake_tcp_finished(c);
    node_heard(&n, "down 1 closed, failed 503, ended, failed 503, ended, ");
    assert_int_equal(rig_traced(n.host, "\"state\":\"closed\",\"transport\":\"TCP\",\"remote\":\"192.0.2.9:5060\","
                                        "\"reason\":\"closed\"}"),
                     1);
    node_finish(&n);
}

static void closing_is_told_from_the_loop(void **state)
{
    struct node n;
    struct sip_flow flow;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    call_out(&n);
    flow = named(&n, 1);
    sip_transport_close(n.transport, &flow);
    sip_transport_close(n.transport, &flow);
    assert_false(node_tcp(&n, 0)->open);
    assert_int_equal(n.log.n, 0);
    node_heard(&n, "down 1 local, ");
    sip_transport_close(n.transport, &flow);
    node_finish(&n);
}

/* FACTS failure 9 */
static void idle_connection_is_closed(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){.idle_timeout = 90 * SEC});
    struct host_tcp *c = call_out(&n);
    rig_run(n.host, 60 * SEC);
    fake_tcp_receive(c, SPAN("\r\n\r\n"));
    node_heard(&n, "ping 1, ");
    rig_run(n.host, 150 * SEC - 1);
    node_heard(&n, "");
    rig_run(n.host, 150 * SEC);
    node_heard(&n, "down 1 idle, ");
    node_finish(&n);
}

static void one_whose_peer_is_dead_ends_without_a_word(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    struct host_tcp *c = call_out(&n);
    struct sip_flow flow = node_to_peer(&n);
    flow.connection = 1;
    sip_transport_abort(n.transport, &flow);
    assert_true(c->aborted);
    node_heard(&n, "down 1 local, ");
    sip_transport_abort(n.transport, &flow); /* gone: nothing */
    node_finish(&n);
}

/* ---- in ---- */

static void response_takes_the_connection_of_its_request_18_2_2(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    struct host_tcp *c = call_in(&n);
    node_receive(&n, c, "OPTIONS", VIA);
    node_heard(&n, "OPTIONS on 1, ");
    assert_int_equal(node_sent(c, "SIP/2.0 200 OK"), 1);
    assert_true(sip_flow_equal(n.flow, (struct sip_flow){SIP_TCP, NODE_TCP, NODE_FAR, 1}));
    assert_int_equal(rig_traced(n.host, "\"state\":\"up\",\"transport\":\"TCP\",\"remote\":\"203.0.113.7:40000\","
                                        "\"local\":5060}"),
                     1);
    assert_int_equal(rig_traced(n.host, "\"dir\":\"out\",\"msg\":\"200 OPTIONS\",\"peer\":\"203.0.113.7:40000\""), 1);
    node_finish(&n);
}

static void response_finds_another_connection_when_that_one_is_gone_18_2_2(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    struct host_tcp *c = call_in(&n);
    n.answer = false;
    node_receive(&n, c, "OPTIONS", "10.0.0.5:5070;rport;branch=z9hG4bKa");
    fake_tcp_failed(c, FE_ERESET);
    node_heard(&n, "OPTIONS on 1, down 1 reset, ");
    sip_txn_reply_status(n.server, 200);
    assert_int_equal(n.host->tcp.n, 2);
    assert_true(endpoint_equal(node_tcp(&n, 1)->remote, (struct endpoint){NODE_FAR.addr, 5070}));
    fake_tcp_connected(node_tcp(&n, 1));
    node_heard(&n, "up 2, ");
    assert_int_equal(node_sent(node_tcp(&n, 1), "SIP/2.0 200 OK"), 1);
    node_finish(&n);
}

static void request_goes_back_by_the_connection_that_the_peer_opened(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    struct host_tcp *c = call_in(&n);
    node_send(&n, sip_transport_flow(n.transport, NODE_TCP, NODE_FAR), "INVITE", 0);
    assert_int_equal(n.host->tcp.n, 1);
    assert_int_equal(node_sent(c, "INVITE sip:bob"), 1);
    node_finish(&n);
}

static void alias_leads_to_the_connection_rfc5923_5(void **state)
{
    struct node n;
    struct sip_flow to;
    (void)state;
    for (int heeded = 0; heeded < 2; heeded++) {
        node_start(&n, &(struct sip_transport_config){.alias = heeded});
        struct host_tcp *c = call_in(&n);
        node_receive(&n, c, "OPTIONS", "203.0.113.7;alias;branch=z9hG4bKa");
        to = sip_transport_flow(n.transport, NODE_TCP, (struct endpoint){NODE_FAR.addr, 5060});
        node_send(&n, to, "INVITE", 0);
        assert_int_equal(n.host->tcp.n, heeded ? 1 : 2);
        assert_int_equal(node_sent(c, ";alias\r\n"), heeded);
        node_heard(&n, "OPTIONS on 1, ");
        node_finish(&n);
    }
}

static void messages_may_come_in_any_portions(void **state)
{
    struct node n;
    (void)state;
    char stream[3 * RIG_DATA];
    node_start(&n, &(struct sip_transport_config){0});
    struct host_tcp *c = call_in(&n);
    int used = snprintf(stream, sizeof stream, "%s",
                        rig_request_by("TCP", "OPTIONS", "sip:a@192.0.2.1", VIA, "<sip:a@b>", 1, ""));
    used += snprintf(stream + used, sizeof stream - (size_t)used, "\r\n\r\n%s",
                     rig_request_by("TCP", "MESSAGE", "sip:a@192.0.2.1", VIA, "<sip:a@b>", 2, ""));
    fake_tcp_receive(c, span_make(stream, (size_t)used));
    node_heard(&n, "OPTIONS on 1, ping 1, MESSAGE on 1, ");
    for (int i = 0; i < used; i++)
        fake_tcp_receive(c, span_make(stream + i, 1));
    node_heard(&n, "OPTIONS on 1, ping 1, MESSAGE on 1, "); /* timer J is zero: they are new ones */
    assert_int_equal(sip_transport_counts(n.transport)->received, 4);
    node_finish(&n);
}

static void nothing_is_taken_from_a_connection_that_was_closed(void **state)
{
    struct node n;
    char stream[2 * RIG_DATA];
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    n.close_at_request = true;
    n.answer = false;
    struct host_tcp *c = call_in(&n);
    int used = snprintf(stream, sizeof stream, "%s",
                        rig_request_by("TCP", "OPTIONS", "sip:a@192.0.2.1", VIA, "<sip:a@b>", 1, ""));
    used += snprintf(stream + used, sizeof stream - (size_t)used, "%s",
                     rig_request_by("TCP", "MESSAGE", "sip:a@192.0.2.1", VIA, "<sip:a@b>", 2, ""));
    fake_tcp_receive(c, span_make(stream, (size_t)used));
    node_heard(&n, "OPTIONS on 1, down 1 local, ");
    node_finish(&n);
}

/* ---- what is no SIP (§18.3) ---- */

static void stream_without_length_is_answered_and_closed(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    struct host_tcp *c = call_in(&n);
    fake_tcp_receive(c, SPAN("OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 203.0.113.7;branch=z9hG4bKa\r\n"
                             "From: <sip:b@c>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n"));
    assert_int_equal(node_sent(c, "SIP/2.0 400 "), 1);
    node_heard(&n, "down 1 bad-sip, ");
    assert_string_equal(n.host->last_drop, "bad-sip");
    node_finish(&n);
}

static void bytes_that_are_no_sip_close_the_connection(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){.largest = 1000});
    struct host_tcp *c = call_in(&n);
    fake_tcp_receive(c, span_make("\x16\x03\x01\x00\x05hello", 10));
    node_heard(&n, "down 1 bad-sip, ");
    assert_int_equal(n.host->drops, 1);
    assert_int_equal(c->sent_n, 0);
    node_finish(&n);
}

/* SB-12 */
static void message_that_is_too_long_closes_the_connection(void **state)
{
    struct node n;
    char longest[1001];
    (void)state;
    node_start(&n, &(struct sip_transport_config){.largest = 1000});
    struct host_tcp *c = call_in(&n);
    memset(longest, 'x', 1000);
    fake_tcp_receive(c, span_make(longest, 1000));
    node_heard(&n, "down 1 bad-sip, ");
    node_finish(&n);
}

static void broken_message_with_a_certain_end_leaves_the_connection_up(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    struct host_tcp *c = call_in(&n);
    fake_tcp_receive(c, SPAN("OPTIONS sip:a@192.0.2.1 SIP/3.0\r\nVia: SIP/2.0/TCP 203.0.113.7;branch=z9hG4bKa\r\n"
                             "From: <sip:b@c>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n"
                             "Content-Length: 0\r\n\r\n"));
    assert_int_equal(node_sent(c, "SIP/2.0 505 "), 1);
    node_receive(&n, c, "OPTIONS", VIA);
    node_heard(&n, "OPTIONS on 1, ");
    node_finish(&n);
}

/* ---- keep-alives (RFC 5626 §3.5.1, §4.4.1; PH-5) ---- */

static void ping_is_answered_with_a_pong(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    struct host_tcp *c = call_in(&n);
    fake_tcp_receive(c, SPAN("\r\n"));
    fake_tcp_receive(c, SPAN("\r\n"));
    node_heard(&n, "ping 1, ");
    assert_string_equal(c->sent, "\r\n");
    assert_int_equal(sip_transport_counts(n.transport)->keep_alives, 1);
    node_finish(&n);
}

static void pong_can_be_withheld(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){.no_pong = true});
    struct host_tcp *c = call_in(&n);
    fake_tcp_receive(c, SPAN("\r\n\r\n"));
    node_heard(&n, "ping 1, ");
    assert_int_equal(c->sent_n, 0);
    node_finish(&n);
}

/* FACTS failure 6: the pong stands directly before a response. */
static void pong_is_told(void **state)
{
    struct node n;
    struct sip_flow flow;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    struct host_tcp *c = call_out(&n);
    flow = named(&n, 1);
    node_send(&n, flow, "OPTIONS", 0);
    assert_int_equal(sip_transport_keep_alive(n.transport, &flow), 0);
    assert_int_equal(node_sent(c, "\r\n\r\n\r\n\r\n"), 1);
    fake_tcp_receive(c, SPAN("\r\n"));
    node_answer(&n, c, 200);
    node_heard(&n, "pong 1, 200, ended, ");
    fake_tcp_receive(c, SPAN("\r\n"));
    node_heard(&n, "");
    node_finish(&n);
}

static void nothing_can_be_kept_alive_that_is_not_up(void **state)
{
    struct node n;
    struct sip_flow to;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    to = node_to_peer(&n);
    assert_int_equal(sip_transport_keep_alive(n.transport, &to), FE_ERESET);
    sip_transport_connect(n.transport, &to, (struct span){0});
    assert_int_equal(sip_transport_keep_alive(n.transport, &to), FE_EAGAIN);
    node_finish(&n);
}

/* ---- where URIs lead (RFC 3263 §4.1) ---- */

static void transport_of_a_uri_chooses_the_socket(void **state)
{
    struct node n;
    struct sip_flow flow;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    assert_true(sip_transport_route(n.transport, NODE_UDP, SPAN("sip:192.0.2.9;transport=tcp;lr"), &flow));
    assert_true(sip_flow_equal(flow, node_to_peer(&n)));
    assert_true(sip_transport_route(n.transport, NODE_TCP, SPAN("sip:192.0.2.9"), &flow));
    assert_true(sip_flow_equal(flow, sip_flow_to(NODE_UDP, RIG_PEER)));
    assert_true(sip_transport_route(n.transport, NODE_TCP, SPAN("sips:192.0.2.9"), &flow)); /* no TLS here */
    assert_int_equal(flow.socket, NODE_TCP);
    assert_int_equal(flow.remote.port, 5061);
    assert_false(sip_transport_route(n.transport, NODE_UDP, SPAN("sip:pbx.example.com"), &flow));
    node_finish(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_waits_for_its_connection_18),
        cmocka_unit_test(requests_to_one_remote_share_a_connection),
        cmocka_unit_test(messages_leave_in_the_order_in_which_they_were_given),
        cmocka_unit_test(local_port_can_be_fixed),
        cmocka_unit_test(what_cannot_be_opened_fails_at_once),
        cmocka_unit_test(refused_connection_fails_what_waits_for_it_18_4),
        cmocka_unit_test(connection_that_does_not_come_up_is_given_up),
        cmocka_unit_test(request_never_takes_another_connection_than_the_one_named),
        cmocka_unit_test(pending_transactions_fail_with_their_connection),
        cmocka_unit_test(closing_is_told_from_the_loop),
        cmocka_unit_test(idle_connection_is_closed),
        cmocka_unit_test(response_takes_the_connection_of_its_request_18_2_2),
        cmocka_unit_test(response_finds_another_connection_when_that_one_is_gone_18_2_2),
        cmocka_unit_test(request_goes_back_by_the_connection_that_the_peer_opened),
        cmocka_unit_test(one_whose_peer_is_dead_ends_without_a_word),
        cmocka_unit_test(alias_leads_to_the_connection_rfc5923_5),
        cmocka_unit_test(messages_may_come_in_any_portions),
        cmocka_unit_test(nothing_is_taken_from_a_connection_that_was_closed),
        cmocka_unit_test(stream_without_length_is_answered_and_closed),
        cmocka_unit_test(bytes_that_are_no_sip_close_the_connection),
        cmocka_unit_test(message_that_is_too_long_closes_the_connection),
        cmocka_unit_test(broken_message_with_a_certain_end_leaves_the_connection_up),
        cmocka_unit_test(ping_is_answered_with_a_pong),
        cmocka_unit_test(pong_can_be_withheld),
        cmocka_unit_test(pong_is_told),
        cmocka_unit_test(nothing_can_be_kept_alive_that_is_not_up),
        cmocka_unit_test(transport_of_a_uri_chooses_the_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
