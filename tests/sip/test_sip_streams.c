/* Transactions on streams (RFC 3261 §17), and requests that are too large for UDP (§18.1.1). */
#include "tests/sip/stream_rig.h"

#define VIA "203.0.113.7:5060;branch=z9hG4bKa"

static struct host_tcp *start_with_request(struct node *n, const char *method)
{
    node_start(n, &(struct sip_transport_config){0});
    node_send(n, node_to_peer(n), method, 0);
    fake_tcp_connected(node_tcp(n, 0));
    node_heard(n, "up 1, ");
    return node_tcp(n, 0);
}

static struct host_tcp *start_with_peer(struct node *n)
{
    node_start(n, &(struct sip_transport_config){0});
    n->answer = false;
    struct host_tcp *c = fake_tcp_accept(n->host, 5060, NODE_FAR);
    assert_non_null(c);
    node_heard(n, "accepted 1, ");
    return c;
}

/* ---- client: A, E are off; D, K are zero; B, F are not ---- */

static void invite_is_not_repeated_17_1_1_2(void **state)
{
    struct node n;
    (void)state;
    struct host_tcp *c = start_with_request(&n, "INVITE");
    rig_run(n.host, 32 * SEC - 1);
    assert_int_equal(node_sent(c, "INVITE sip:"), 1);
    node_heard(&n, "");
    rig_run(n.host, 32 * SEC);
    node_heard(&n, "failed 408, ended, ");
    node_finish(&n);
}

static void request_is_not_repeated_17_1_2_2(void **state)
{
    struct node n;
    (void)state;
    struct host_tcp *c = start_with_request(&n, "OPTIONS");
    node_answer(&n, c, 100);
    rig_run(n.host, 32 * SEC - 1);
    assert_int_equal(node_sent(c, "OPTIONS sip:"), 1);
    node_heard(&n, "100, ");
    rig_run(n.host, 32 * SEC);
    node_heard(&n, "failed 408, ended, ");
    node_finish(&n);
}

static void timer_d_is_zero_17_1_1_2(void **state)
{
    struct node n;
    (void)state;
    struct host_tcp *c = start_with_request(&n, "INVITE");
    node_answer(&n, c, 486);
    node_heard(&n, "486, ended, ");
    assert_int_equal(node_sent(c, "ACK sip:"), 1);
    node_finish(&n);
}

static void timer_k_is_zero_17_1_2_2(void **state)
{
    struct node n;
    (void)state;
    struct host_tcp *c = start_with_request(&n, "OPTIONS");
    node_answer(&n, c, 404);
    node_heard(&n, "404, ended, ");
    node_finish(&n);
}

static void timer_m_is_not_zero_rfc6026_8_4(void **state)
{
    struct node n;
    (void)state;
    struct host_tcp *c = start_with_request(&n, "INVITE");
    node_answer(&n, c, 200);
    rig_run(n.host, 32 * SEC - 1);
    node_heard(&n, "200, ");
    rig_run(n.host, 32 * SEC);
    node_heard(&n, "ended, ");
    node_finish(&n);
}

/* An accepted INVITE has its final response: the connection's end is the dialog's business. */
static void accepted_invite_outlives_its_connection(void **state)
{
    struct node n;
    (void)state;
    struct host_tcp *c = start_with_request(&n, "INVITE");
    node_answer(&n, c, 200);
    fake_tcp_finished(c);
    node_heard(&n, "200, down 1 closed, ");
    node_finish(&n);
}

/* ---- server: G is off; I, J are zero; H is not ---- */

static void refusal_is_not_repeated_17_2_1(void **state)
{
    struct node n;
    (void)state;
    struct host_tcp *c = start_with_peer(&n);
    node_receive(&n, c, "INVITE", VIA);
    sip_txn_reply_status(n.server, 486);
    rig_run(n.host, 32 * SEC - 1);
    assert_int_equal(node_sent(c, "SIP/2.0 486"), 1);
    assert_int_equal(sip_txns_live(n.txns), 1);
    rig_run(n.host, 32 * SEC);
    assert_int_equal(sip_txns_live(n.txns), 0);
    assert_int_equal(rig_traced(n.host, "\"timer\":\"H\""), 1);
    node_heard(&n, "INVITE on 1, ");
    node_finish(&n);
}

static void timer_i_is_zero_17_2_1(void **state)
{
    struct node n;
    (void)state;
    struct host_tcp *c = start_with_peer(&n);
    node_receive(&n, c, "INVITE", VIA);
    sip_txn_reply_status(n.server, 486);
    node_receive(&n, c, "ACK", VIA);
    assert_int_equal(sip_txns_live(n.txns), 0);
    node_heard(&n, "INVITE on 1, ");
    node_finish(&n);
}

static void timer_j_is_zero_17_2_2(void **state)
{
    struct node n;
    (void)state;
    struct host_tcp *c = start_with_peer(&n);
    node_receive(&n, c, "OPTIONS", VIA);
    sip_txn_reply_status(n.server, 200);
    assert_int_equal(sip_txns_live(n.txns), 1);
    rig_run(n.host, n.host->now);
    assert_int_equal(sip_txns_live(n.txns), 0);
    node_heard(&n, "OPTIONS on 1, ");
    node_finish(&n);
}

/* ---- size (§18.1.1) ---- */

/* Bytes of the request that node_send() makes of an OPTIONS to the UDP peer without padding, Via included. */
static size_t plain_size(void)
{
    struct node n;
    node_start(&n, &(struct sip_transport_config){0});
    node_send(&n, sip_flow_to(NODE_UDP, RIG_PEER), "OPTIONS", 100);
    size_t size = rig_last(n.host)->n - 100;
    node_finish(&n);
    return size;
}

static void send_sized(struct node *n, size_t size)
{
    assert_int_equal(node_send(n, sip_flow_to(NODE_UDP, RIG_PEER), "OPTIONS", size - plain_size()), 0);
}

static void request_above_1300_bytes_goes_over_tcp(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    send_sized(&n, 1298); /* its Content-Length has one digit more than that which was measured */
    assert_int_equal(n.host->sent_n, 1);
    assert_int_equal(n.host->tcp.n, 0);
    assert_in_range(rig_last(n.host)->n, 1298, 1300);
    send_sized(&n, 1301);
    assert_int_equal(n.host->sent_n, 1);
    assert_int_equal(n.host->tcp.n, 1);
    fake_tcp_connected(node_tcp(&n, 0));
    assert_int_equal(node_sent(node_tcp(&n, 0), "Via: SIP/2.0/TCP 192.0.2.1:5060"), 1);
    node_heard(&n, "up 1, ");
    node_answer(&n, node_tcp(&n, 0), 200);
    node_heard(&n, "200, ended, ");
    node_finish(&n);
}

static void request_within_200_bytes_of_the_mtu_goes_over_tcp(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    n.host->port.mtu = 1280;
    send_sized(&n, 1075);
    assert_int_equal(n.host->tcp.n, 0);
    send_sized(&n, 1081);
    assert_int_equal(n.host->tcp.n, 1);
    node_finish(&n);
}

static void large_request_stays_on_udp_where_there_is_no_tcp(void **state)
{
    struct node n;
    unsigned socket;
    struct endpoint alone = {IPV4(192, 0, 2, 2), 5060};
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    assert_int_equal(sip_transport_listen(n.transport, alone, (struct endpoint){0}, &socket), 0);
    node_send(&n, sip_flow_to(socket, RIG_PEER), "OPTIONS", 1400);
    assert_int_equal(n.host->sent_n, 1);
    n.host->tcp.connect_error = FE_EUNREACH;
    node_send(&n, sip_flow_to(NODE_UDP, RIG_PEER), "OPTIONS", 1400);
    assert_int_equal(n.host->sent_n, 2);
    node_finish(&n);
}

static void refused_by_tcp_it_goes_by_udp_after_all(void **state)
{
    struct node n;
    char branch[64];
    struct sip_msg msg;
    struct sip_via via;
    (void)state;
    node_start(&n, &(struct sip_transport_config){.ask_rport = true});
    node_send(&n, sip_flow_to(NODE_UDP, RIG_PEER), "INVITE", 1400);
    assert_int_equal(n.host->sent_n, 0);
    rig_run(n.host, 2 * SEC);
    fake_tcp_failed(node_tcp(&n, 0), FE_EREFUSED);
    node_heard(&n, "down 1 never up: refused, ");
    assert_int_equal(n.host->sent_n, 1);
    assert_int_equal(node_tcp(&n, 0)->sent_n, 0);
    const struct rig_datagram *d = rig_last(n.host);
    assert_int_equal(sip_parse(span_make(d->data, d->n), &msg, NULL), 0);
    assert_int_equal(sip_via_parse(sip_value(&msg, SIP_H_VIA), &via), 0);
    assert_int_equal(via.transport, SIP_UDP);
    assert_null(sip_find_next(&msg, sip_find(&msg, SIP_H_VIA)));
    assert_true(span_copy(via.branch, branch, sizeof branch));
    rig_run(n.host, 2 * SEC + 500 * MS); /* timer A, since it is on UDP */
    assert_int_equal(n.host->sent_n, 2);
    assert_true(rig_has(&n.host->sent[1], branch));
    rig_receive(n.host, RIG_PEER, rig_response(d, 486, "bobs", ""));
    assert_int_equal(rig_count(n.host, "ACK"), 1);
    rig_run(n.host, MINUTE);
    node_heard(&n, "486, ended, ");
    node_finish(&n);
}

static void connection_that_times_out_is_no_reason_to_fall_back(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){.connect_timeout = 10 * SEC});
    node_send(&n, sip_flow_to(NODE_UDP, RIG_PEER), "OPTIONS", 1400);
    rig_run(n.host, 10 * SEC);
    node_heard(&n, "down 1 never up: timed-out, failed 503, ended, ");
    assert_int_equal(n.host->sent_n, 0);
    node_finish(&n);
}

static void request_that_was_meant_for_tcp_does_not_fall_back(void **state)
{
    struct node n;
    (void)state;
    node_start(&n, &(struct sip_transport_config){0});
    node_send(&n, node_to_peer(&n), "OPTIONS", 1400);
    fake_tcp_failed(node_tcp(&n, 0), FE_EREFUSED);
    node_heard(&n, "down 1 never up: refused, failed 503, ended, ");
    assert_int_equal(n.host->sent_n, 0);
    node_finish(&n);
}

/* As node_start(), with timers B and F that begin when the connection is up, and last 4 s. */
static void start_from_up(struct node *n)
{
    const struct sip_timing timing = {.b = 4 * SEC, .f = 4 * SEC, .from_up = true};
    node_start(n, &(struct sip_transport_config){.connect_timeout = 30 * SEC});
    sip_txns_free(n->txns);
    assert_int_equal(sip_txns_new(&n->txns, n->transport, &timing, &node_events, n), 0);
}

static void b_and_f_may_begin_when_the_connection_is_up(void **state)
{
    struct node n;
    struct sip_flow flow;
    (void)state;
    start_from_up(&n);
    assert_int_equal(node_send(&n, node_to_peer(&n), "OPTIONS", 0), 0);
    assert_int_equal(node_send(&n, node_to_peer(&n), "INVITE", 0), 0);
    rig_run(n.host, 20 * SEC);
    node_heard(&n, "");
    fake_tcp_connected(node_tcp(&n, 0));
    flow = node_to_peer(&n);
    flow.connection = 1;
    sip_txns_up(n.txns, &flow);
    rig_run(n.host, 24 * SEC - 1);
    node_heard(&n, "up 1, ");
    rig_run(n.host, 24 * SEC);
    node_heard(&n, "failed 408, ended, failed 408, ended, ");
    node_finish(&n);
}

static void one_that_never_comes_up_fails_by_its_own_timeout(void **state)
{
    struct node n;
    (void)state;
    start_from_up(&n);
    assert_int_equal(node_send(&n, node_to_peer(&n), "OPTIONS", 0), 0);
    rig_run(n.host, 30 * SEC - 1);
    node_heard(&n, "");
    rig_run(n.host, 30 * SEC);
    node_heard(&n, "down 1 never up: timed-out, failed 503, ended, ");
    node_finish(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_and_f_may_begin_when_the_connection_is_up),
        cmocka_unit_test(one_that_never_comes_up_fails_by_its_own_timeout),
        cmocka_unit_test(invite_is_not_repeated_17_1_1_2),
        cmocka_unit_test(request_is_not_repeated_17_1_2_2),
        cmocka_unit_test(timer_d_is_zero_17_1_1_2),
        cmocka_unit_test(timer_k_is_zero_17_1_2_2),
        cmocka_unit_test(timer_m_is_not_zero_rfc6026_8_4),
        cmocka_unit_test(accepted_invite_outlives_its_connection),
        cmocka_unit_test(refusal_is_not_repeated_17_2_1),
        cmocka_unit_test(timer_i_is_zero_17_2_1),
        cmocka_unit_test(timer_j_is_zero_17_2_2),
        cmocka_unit_test(request_above_1300_bytes_goes_over_tcp),
        cmocka_unit_test(request_within_200_bytes_of_the_mtu_goes_over_tcp),
        cmocka_unit_test(large_request_stays_on_udp_where_there_is_no_tcp),
        cmocka_unit_test(refused_by_tcp_it_goes_by_udp_after_all),
        cmocka_unit_test(connection_that_times_out_is_no_reason_to_fall_back),
        cmocka_unit_test(request_that_was_meant_for_tcp_does_not_fall_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
