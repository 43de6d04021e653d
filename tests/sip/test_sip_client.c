/* Client transactions: RFC 3261 §17.1, RFC 6026. T1 is 500 ms, T2 4 s, T4 5 s throughout. */
#include "tests/sip/sip_rig.h"

struct client {
    struct host *host;
    struct sip_transport_layer *transport;
    struct sip_txns *txns;
    struct sip_txn *txn;
    unsigned responses, last_status, failures, failed_with, ended;
    bool cancel_at_first;
};

static void on_response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct client *c = arg;
    c->responses++;
    c->last_status = in->msg->status;
    if (c->cancel_at_first)
        sip_txn_cancel(txn, (struct span){0});
}

static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    struct client *c = arg;
    assert_ptr_equal(txn, c->txn);
    c->failures++;
    c->failed_with = status;
}

static void on_ended(void *arg, struct sip_txn *txn)
{
    struct client *c = arg;
    assert_ptr_equal(txn, c->txn);
    c->ended++;
}

static void on_request(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    (void)arg;
    (void)txn;
    (void)in;
}

static void on_ack(void *arg, const struct sip_incoming *in)
{
    (void)arg;
    (void)in;
}

static const struct sip_client_events client_events = {on_response, on_failed, on_ended};
static const struct sip_txns_events node_events = {on_request, on_ack};

static void arrange(struct client *c, const struct sip_transport_config *config)
{
    unsigned socket;
    *c = (struct client){.host = rig_new()};
    assert_int_equal(sip_transport_new(&c->transport, c->host, config), 0);
    assert_int_equal(
        sip_transport_listen(c->transport, (struct endpoint){RIG_ADDR, 5060}, (struct endpoint){0}, &socket), 0);
    assert_int_equal(sip_txns_new(&c->txns, c->transport, &(struct sip_timing){0}, &node_events, c), 0);
}

static void finish(struct client *c)
{
    sip_txns_free(c->txns);
    sip_transport_free(c->transport);
    assert_int_equal(timers_next(&c->host->timers), NEVER);
    rig_free(c->host);
}

static void send_request(struct client *c, const char *method)
{
    char text[RIG_DATA];
    struct sip_flow to = sip_flow_to(0, RIG_PEER);
    snprintf(text, sizeof text,
             "%s sip:bob@example.com SIP/2.0\r\nMax-Forwards: 70\r\nRoute: <sip:192.0.2.9;lr>\r\n"
             "From: <sip:alice@example.com>;tag=alices\r\nTo: <sip:bob@example.com>\r\nCall-ID: call-2\r\n"
             "CSeq: 7 %s\r\nContact: <sip:alice@192.0.2.1>\r\nContent-Length: 0\r\n\r\n",
             method, method);
    assert_int_equal(sip_txn_request(c->txns, &to, span_of(text), (struct span){0}, &client_events, c, &c->txn), 0);
}

static void start(struct client *c, const char *method)
{
    arrange(c, &(struct sip_transport_config){0});
    send_request(c, method);
}

static void answer(struct client *c, unsigned status, const char *tag)
{
    rig_receive(c->host, RIG_PEER, rig_response(&c->host->sent[0], status, tag, ""));
}

static void assert_times(const struct host *h, const char *start_text, const lab_time *times, unsigned n)
{
    assert_int_equal(rig_count(h, start_text), n);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(rig_sent(h, start_text, i)->at, times[i]);
}

/* ---- INVITE ---- */

static void timer_a_doubles_uncapped_17_1_1_2(void **state)
{
    static const lab_time times[] = {0, 500 * MS, 1500 * MS, 3500 * MS, 7500 * MS, 15500 * MS, 31500 * MS};
    struct client c;
    (void)state;
    start(&c, "INVITE");
    rig_run(c.host, 2 * MINUTE);
    assert_times(c.host, "INVITE", times, 7);
    finish(&c);
}

static void timer_b_is_408_after_32_s_17_1_1_2(void **state)
{
    struct client c;
    (void)state;
    start(&c, "INVITE");
    rig_run(c.host, 32 * SEC - 1);
    assert_int_equal(c.failures, 0);
    rig_run(c.host, 32 * SEC);
    assert_int_equal(c.failures, 1);
    assert_int_equal(c.failed_with, 408);
    assert_int_equal(c.ended, 1);
    assert_int_equal(rig_traced(c.host, "{\"t\":32000000000,\"ev\":\"timeout\",\"timer\":\"B\",\"msg\":\"INVITE\"}"),
                     1);
    assert_int_equal(sip_txns_live(c.txns), 0);
    finish(&c);
}

static void provisional_stops_a_and_b_17_1_1_2(void **state)
{
    struct client c;
    (void)state;
    start(&c, "INVITE");
    rig_run(c.host, 1 * SEC);
    answer(&c, 180, "x");
    rig_run(c.host, 1 * HOUR);
    assert_int_equal(rig_count(c.host, "INVITE"), 2);
    assert_int_equal(c.failures, 0);
    assert_int_equal(c.responses, 1);
    assert_int_equal(sip_txns_live(c.txns), 1);
    finish(&c);
}

static void refusal_is_acknowledged_with_the_same_branch_17_1_1_3(void **state)
{
    struct client c;
    char via[RIG_DATA];
    (void)state;
    start(&c, "INVITE");
    answer(&c, 486, "x");
    const struct rig_datagram *ack = rig_sent(c.host, "ACK sip:bob@example.com SIP/2.0", 0);
    snprintf(via, sizeof via, "%s", rig_value(rig_sent(c.host, "INVITE", 0), SIP_H_VIA));
    assert_string_equal(rig_value(ack, SIP_H_VIA), via);
    assert_string_equal(rig_value(ack, SIP_H_TO), "<sip:bob@example.com>;tag=x");
    assert_string_equal(rig_value(ack, SIP_H_CSEQ), "7 ACK");
    assert_string_equal(rig_value(ack, SIP_H_ROUTE), "<sip:192.0.2.9;lr>");
    assert_int_equal(c.responses, 1);
    finish(&c);
}

static void repeated_refusal_is_acknowledged_until_timer_d_17_1_1_2(void **state)
{
    struct client c;
    (void)state;
    start(&c, "INVITE");
    answer(&c, 486, "x");
    rig_run(c.host, 32 * SEC - 1);
    answer(&c, 486, "x");
    assert_int_equal(rig_count(c.host, "ACK"), 2);
    assert_int_equal(c.responses, 1);
    rig_run(c.host, 32 * SEC);
    assert_int_equal(c.ended, 1);
    answer(&c, 486, "x");
    assert_int_equal(rig_count(c.host, "ACK"), 2);
    assert_string_equal(c.host->last_drop, "not-ours");
    finish(&c);
}

static void every_2xx_is_passed_up_until_timer_m_rfc6026_7_2(void **state)
{
    struct client c;
    (void)state;
    start(&c, "INVITE");
    answer(&c, 200, "x");
    answer(&c, 200, "x");
    rig_run(c.host, 32 * SEC - 1);
    answer(&c, 200, "another-fork");
    assert_int_equal(c.responses, 3);
    assert_int_equal(rig_count(c.host, "ACK"), 0);
    rig_run(c.host, 32 * SEC);
    assert_int_equal(c.ended, 1);
    finish(&c);
}

static void refusal_after_2xx_is_ignored_rfc6026_8_4(void **state)
{
    struct client c;
    (void)state;
    start(&c, "INVITE");
    answer(&c, 200, "x");
    answer(&c, 486, "y");
    answer(&c, 180, "y");
    assert_int_equal(c.responses, 1);
    assert_int_equal(rig_count(c.host, "ACK"), 0);
    finish(&c);
}

static void refused_send_is_503_from_the_loop_17_1_4(void **state)
{
    struct client c;
    (void)state;
    arrange(&c, &(struct sip_transport_config){0});
    c.host->send_error = FE_EUNREACH;
    send_request(&c, "INVITE");
    assert_int_equal(c.failures, 0);
    rig_run(c.host, 0);
    assert_int_equal(c.failed_with, 503);
    assert_int_equal(c.ended, 1);
    finish(&c);
}

/* ---- CANCEL ---- */

static void cancel_waits_for_a_provisional_9_1(void **state)
{
    struct client c;
    (void)state;
    start(&c, "INVITE");
    sip_txn_cancel(c.txn, (struct span){0});
    assert_int_equal(rig_count(c.host, "CANCEL"), 0);
    answer(&c, 180, "x");
    assert_int_equal(rig_count(c.host, "CANCEL"), 1);
    finish(&c);
}

static void cancel_has_the_branch_and_cseq_number_of_its_invite_9_1(void **state)
{
    struct client c;
    char via[RIG_DATA];
    (void)state;
    start(&c, "INVITE");
    answer(&c, 180, "x");
    sip_txn_cancel(c.txn, SPAN("SIP ;cause=200 ;text=\"Call completed elsewhere\""));
    const struct rig_datagram *cancel = rig_sent(c.host, "CANCEL sip:bob@example.com SIP/2.0", 0);
    snprintf(via, sizeof via, "%s", rig_value(rig_sent(c.host, "INVITE", 0), SIP_H_VIA));
    assert_string_equal(rig_value(cancel, SIP_H_VIA), via);
    assert_string_equal(rig_value(cancel, SIP_H_CSEQ), "7 CANCEL");
    assert_string_equal(rig_value(cancel, SIP_H_TO), "<sip:bob@example.com>");
    assert_string_equal(rig_value(cancel, SIP_H_ROUTE), "<sip:192.0.2.9;lr>");
    assert_string_equal(rig_value(cancel, SIP_H_REASON), "SIP ;cause=200 ;text=\"Call completed elsewhere\"");
    finish(&c);
}

static void cancel_and_its_200_leave_the_487_to_the_invite_9_1(void **state)
{
    struct client c;
    (void)state;
    start(&c, "INVITE");
    answer(&c, 180, "x");
    sip_txn_cancel(c.txn, (struct span){0});
    rig_receive(c.host, RIG_PEER, rig_response(rig_sent(c.host, "CANCEL", 0), 200, "x", ""));
    answer(&c, 487, "x");
    assert_int_equal(c.responses, 2);
    assert_int_equal(c.last_status, 487);
    assert_int_equal(rig_count(c.host, "ACK"), 1);
    finish(&c);
}

static void cancelled_invite_without_final_response_is_408_after_64_t1_9_1(void **state)
{
    struct client c;
    (void)state;
    start(&c, "INVITE");
    answer(&c, 180, "x");
    rig_run(c.host, 10 * SEC);
    sip_txn_cancel(c.txn, (struct span){0});
    rig_run(c.host, 42 * SEC - 1);
    assert_int_equal(c.failures, 0);
    rig_run(c.host, 42 * SEC);
    assert_int_equal(c.failed_with, 408);
    assert_int_equal(c.ended, 1);
    finish(&c);
}

static void no_cancel_after_a_final_response_9_1(void **state)
{
    struct client c;
    (void)state;
    start(&c, "INVITE");
    c.cancel_at_first = true;
    answer(&c, 200, "x");
    assert_int_equal(rig_count(c.host, "CANCEL"), 0);
    finish(&c);
}

/* ---- other requests ---- */

static void timer_e_doubles_up_to_t2_17_1_2_2(void **state)
{
    static const lab_time times[] = {0,          500 * MS,   1500 * MS,  3500 * MS,  7500 * MS, 11500 * MS,
                                     15500 * MS, 19500 * MS, 23500 * MS, 27500 * MS, 31500 * MS};
    struct client c;
    (void)state;
    start(&c, "OPTIONS");
    rig_run(c.host, 2 * MINUTE);
    assert_times(c.host, "OPTIONS", times, 11);
    assert_int_equal(c.failures, 1);
    assert_int_equal(c.failed_with, 408);
    assert_int_equal(c.ended, 1);
    assert_int_equal(rig_traced(c.host, "{\"t\":32000000000,\"ev\":\"timeout\",\"timer\":\"F\",\"msg\":\"OPTIONS\"}"),
                     1);
    finish(&c);
}

static void timer_e_is_t2_after_a_provisional_17_1_2_2(void **state)
{
    static const lab_time times[] = {0, 500 * MS, 1500 * MS, 5500 * MS, 9500 * MS};
    struct client c;
    (void)state;
    start(&c, "OPTIONS");
    rig_run(c.host, 1 * SEC);
    answer(&c, 100, "");
    rig_run(c.host, 10 * SEC);
    assert_times(c.host, "OPTIONS", times, 5);
    finish(&c);
}

static void timer_f_runs_on_after_a_provisional_17_1_2_2(void **state)
{
    struct client c;
    (void)state;
    start(&c, "OPTIONS");
    rig_run(c.host, 1 * SEC);
    answer(&c, 100, "");
    rig_run(c.host, 32 * SEC);
    assert_int_equal(c.failed_with, 408);
    finish(&c);
}

static void final_response_is_passed_up_once_and_absorbed_until_timer_k_17_1_2_2(void **state)
{
    struct client c;
    (void)state;
    start(&c, "OPTIONS");
    answer(&c, 200, "x");
    rig_run(c.host, 5 * SEC - 1);
    answer(&c, 200, "x");
    assert_int_equal(c.responses, 1);
    assert_int_equal(c.host->drops, 0);
    assert_int_equal(c.ended, 0);
    rig_run(c.host, 5 * SEC);
    assert_int_equal(c.ended, 1);
    assert_int_equal(rig_count(c.host, "OPTIONS"), 1);
    finish(&c);
}

/* ---- matching, and the network's errors ---- */

static void response_matches_by_branch_and_cseq_method_17_1_3(void **state)
{
    struct client c;
    char text[RIG_DATA];
    (void)state;
    start(&c, "OPTIONS");
    snprintf(text, sizeof text, "%s", rig_response(&c.host->sent[0], 200, "x", ""));
    memcpy(strstr(text, "7 OPTIONS"), "7 PUBLISH", 9);
    rig_receive(c.host, RIG_PEER, text);
    assert_int_equal(c.responses, 0);
    assert_string_equal(c.host->last_drop, "not-ours");
    answer(&c, 200, "x");
    assert_int_equal(c.responses, 1);
    finish(&c);
}

static void icmp_error_is_ignored_by_default_18_4(void **state)
{
    struct client c;
    struct host_icmp error = {.to = RIG_PEER, .from = RIG_PEER.addr, .type = 3, .code = 3};
    (void)state;
    start(&c, "INVITE");
    c.host->sockets[0].events->refused(c.host->sockets[0].arg, &error);
    rig_run(c.host, 1 * SEC);
    assert_int_equal(c.failures, 0);
    assert_int_equal(sip_transport_counts(c.transport)->icmp, 1);
    finish(&c);
}

static void icmp_error_fails_the_transaction_when_heeded_18_4(void **state)
{
    struct client c;
    struct host_icmp error = {.to = RIG_PEER, .from = RIG_PEER.addr, .type = 3, .code = 3};
    (void)state;
    arrange(&c, &(struct sip_transport_config){.heed_icmp = true});
    send_request(&c, "INVITE");
    error.to.port++;
    c.host->sockets[0].events->refused(c.host->sockets[0].arg, &error);
    assert_int_equal(c.failures, 0);
    error.to.port--;
    c.host->sockets[0].events->refused(c.host->sockets[0].arg, &error);
    assert_int_equal(c.failed_with, 503);
    assert_int_equal(c.ended, 1);
    finish(&c);
}

static void released_transaction_says_no_more_but_acknowledges(void **state)
{
    struct client c;
    (void)state;
    start(&c, "INVITE");
    sip_txn_release(c.txn);
    answer(&c, 486, "x");
    rig_run(c.host, 1 * MINUTE);
    assert_int_equal(rig_count(c.host, "ACK"), 1);
    assert_int_equal(c.responses + c.ended + c.failures, 0);
    assert_int_equal(sip_txns_live(c.txns), 0);
    finish(&c);
}

static void thousand_transactions_find_their_responses(void **state)
{
    struct client c;
    (void)state;
    arrange(&c, &(struct sip_transport_config){0});
    for (unsigned i = 0; i < 1000; i++) {
        send_request(&c, "MESSAGE");
        answer(&c, 200, "x");
        c.host->sent_n = 0;
    }
    assert_int_equal(c.responses, 1000);
    assert_int_equal(sip_txns_live(c.txns), 1000);
    finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timer_a_doubles_uncapped_17_1_1_2),
        cmocka_unit_test(timer_b_is_408_after_32_s_17_1_1_2),
        cmocka_unit_test(provisional_stops_a_and_b_17_1_1_2),
        cmocka_unit_test(refusal_is_acknowledged_with_the_same_branch_17_1_1_3),
        cmocka_unit_test(repeated_refusal_is_acknowledged_until_timer_d_17_1_1_2),
        cmocka_unit_test(every_2xx_is_passed_up_until_timer_m_rfc6026_7_2),
        cmocka_unit_test(refusal_after_2xx_is_ignored_rfc6026_8_4),
        cmocka_unit_test(refused_send_is_503_from_the_loop_17_1_4),
        cmocka_unit_test(cancel_waits_for_a_provisional_9_1),
        cmocka_unit_test(cancel_has_the_branch_and_cseq_number_of_its_invite_9_1),
        cmocka_unit_test(cancel_and_its_200_leave_the_487_to_the_invite_9_1),
        cmocka_unit_test(cancelled_invite_without_final_response_is_408_after_64_t1_9_1),
        cmocka_unit_test(no_cancel_after_a_final_response_9_1),
        cmocka_unit_test(timer_e_doubles_up_to_t2_17_1_2_2),
        cmocka_unit_test(timer_e_is_t2_after_a_provisional_17_1_2_2),
        cmocka_unit_test(timer_f_runs_on_after_a_provisional_17_1_2_2),
        cmocka_unit_test(final_response_is_passed_up_once_and_absorbed_until_timer_k_17_1_2_2),
        cmocka_unit_test(response_matches_by_branch_and_cseq_method_17_1_3),
        cmocka_unit_test(icmp_error_is_ignored_by_default_18_4),
        cmocka_unit_test(icmp_error_fails_the_transaction_when_heeded_18_4),
        cmocka_unit_test(released_transaction_says_no_more_but_acknowledges),
        cmocka_unit_test(thousand_transactions_find_their_responses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
