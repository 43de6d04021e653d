/* Server transactions: RFC 3261 §17.2, §9.2, RFC 6026; responses that a user agent repeats: §13.3.1.4. */
#include "nodes/sip/sip_accept.h"
#include "tests/sip/sip_rig.h"

#define URI "sip:alice@192.0.2.1"
#define VIA "192.0.2.9:5060;branch=z9hG4bKbob1"
#define TO  "<sip:alice@example.com>"

struct server {
    struct host *host;
    struct sip_transport_layer *transport;
    struct sip_txns *txns;
    struct sip_txn *txn; /* of the last request */
    unsigned requests, acks, cancelled, unacknowledged, ended;
};

static void on_cancelled(void *arg, struct sip_txn *txn)
{
    struct server *s = arg;
    s->cancelled++;
    sip_txn_reply_status(txn, 487);
}

static void on_unacknowledged(void *arg, struct sip_txn *txn)
{
    struct server *s = arg;
    assert_ptr_equal(txn, s->txn);
    s->unacknowledged++;
}

static void on_ended(void *arg, struct sip_txn *txn)
{
    struct server *s = arg;
    (void)txn;
    s->ended++;
}

static const struct sip_server_events server_events = {on_cancelled, on_unacknowledged, on_ended};

static void on_request(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct server *s = arg;
    (void)in;
    s->requests++;
    s->txn = txn;
    sip_txn_own(txn, &server_events, s);
}

static void on_ack(void *arg, const struct sip_incoming *in)
{
    struct server *s = arg;
    assert_int_equal(in->msg->method, SIP_ACK);
    s->acks++;
}

static const struct sip_txns_events node_events = {on_request, on_ack};

static void start(struct server *s, const char *method, const char *via)
{
    unsigned socket;
    *s = (struct server){.host = rig_new()};
    assert_int_equal(sip_transport_new(&s->transport, s->host, &(struct sip_transport_config){0}), 0);
    assert_int_equal(
        sip_transport_listen(s->transport, (struct endpoint){RIG_ADDR, 5060}, (struct endpoint){0}, &socket), 0);
    assert_int_equal(sip_txns_new(&s->txns, s->transport, &(struct sip_timing){0}, &node_events, s), 0);
    rig_receive(s->host, RIG_PEER, rig_request(method, URI, via, TO, 1, ""));
    assert_int_equal(s->requests, 1);
}

static void finish(struct server *s)
{
    sip_txns_free(s->txns);
    sip_transport_free(s->transport);
    assert_int_equal(timers_next(&s->host->timers), NEVER);
    rig_free(s->host);
}

static void receive(struct server *s, const char *method)
{
    rig_receive(s->host, RIG_PEER, rig_request(method, URI, VIA, TO, 1, ""));
}

/* ---- INVITE ---- */

static void trying_is_sent_after_200_ms_17_2_1(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    rig_run(s.host, 200 * MS - 1);
    assert_int_equal(s.host->sent_n, 0);
    rig_run(s.host, 10 * SEC);
    assert_int_equal(s.host->sent_n, 1);
    assert_true(rig_has(rig_sent(s.host, "SIP/2.0 100 Trying", 0), "To: <sip:alice@example.com>\r\n"));
    finish(&s);
}

static void no_trying_after_an_early_provisional_17_2_1(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    sip_txn_reply_status(s.txn, 180);
    rig_run(s.host, 10 * SEC);
    assert_int_equal(s.host->sent_n, 1);
    finish(&s);
}

static void repeated_invite_gets_the_last_provisional_17_2_1(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    sip_txn_reply_status(s.txn, 180);
    sip_txn_reply_status(s.txn, 183);
    receive(&s, "INVITE");
    assert_int_equal(s.requests, 1);
    assert_int_equal(rig_count(s.host, "SIP/2.0 180"), 1);
    assert_int_equal(rig_count(s.host, "SIP/2.0 183"), 2);
    finish(&s);
}

static void timer_g_doubles_up_to_t2_until_timer_h_17_2_1(void **state)
{
    static const lab_time times[] = {0,          500 * MS,   1500 * MS,  3500 * MS,  7500 * MS, 11500 * MS,
                                     15500 * MS, 19500 * MS, 23500 * MS, 27500 * MS, 31500 * MS};
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    sip_txn_reply_status(s.txn, 486);
    rig_run(s.host, 2 * MINUTE);
    assert_int_equal(s.host->sent_n, 11);
    for (unsigned i = 0; i < 11; i++)
        assert_int_equal(s.host->sent[i].at, times[i]);
    assert_int_equal(s.unacknowledged, 1);
    assert_int_equal(s.ended, 1);
    assert_int_equal(
        rig_traced(s.host, "{\"t\":32000000000,\"ev\":\"timeout\",\"timer\":\"H\",\"msg\":\"486 INVITE\"}"), 1);
    finish(&s);
}

static void ack_stops_timer_g_and_is_absorbed_until_timer_i_17_2_1(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    sip_txn_reply_status(s.txn, 486);
    rig_run(s.host, 1 * SEC);
    receive(&s, "ACK");
    rig_run(s.host, 6 * SEC - 1);
    receive(&s, "ACK");
    receive(&s, "INVITE");
    assert_int_equal(s.host->sent_n, 2);
    assert_int_equal(s.acks, 0);
    assert_int_equal(s.ended, 0);
    rig_run(s.host, 6 * SEC);
    assert_int_equal(s.ended, 1);
    assert_int_equal(s.unacknowledged, 0);
    finish(&s);
}

static void repeated_invite_gets_the_refusal_again_17_2_1(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    sip_txn_reply_status(s.txn, 486);
    receive(&s, "INVITE");
    assert_int_equal(rig_count(s.host, "SIP/2.0 486"), 2);
    finish(&s);
}

static void repeated_invite_is_absorbed_after_2xx_until_timer_l_rfc6026_7_1(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    sip_txn_reply_status(s.txn, 200);
    rig_run(s.host, 32 * SEC - 1);
    receive(&s, "INVITE");
    assert_int_equal(s.host->sent_n, 1);
    assert_int_equal(s.requests, 1);
    assert_int_equal(s.ended, 0);
    rig_run(s.host, 32 * SEC);
    assert_int_equal(s.ended, 1);
    finish(&s);
}

static void more_2xx_pass_but_no_refusal_after_2xx_rfc6026_7_1(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    sip_txn_reply_status(s.txn, 200);
    assert_int_equal(sip_txn_reply_status(s.txn, 200), 0);
    assert_int_equal(sip_txn_reply_status(s.txn, 486), FE_EREFUSED);
    assert_int_equal(sip_txn_reply_status(s.txn, 180), FE_EREFUSED);
    assert_int_equal(s.host->sent_n, 2);
    finish(&s);
}

static void ack_of_a_2xx_goes_to_the_user_13_3_1_4(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    sip_txn_reply_status(s.txn, 200);
    receive(&s, "ACK"); /* with the branch of the INVITE, as clients of RFC 2543 do */
    rig_receive(s.host, RIG_PEER, rig_request("ACK", URI, "192.0.2.9:5060;branch=z9hG4bKother", TO, 1, ""));
    assert_int_equal(s.acks, 2);
    finish(&s);
}

static void all_responses_have_one_to_tag_8_2_6_2(void **state)
{
    struct server s;
    char to[RIG_DATA];
    (void)state;
    start(&s, "INVITE", VIA);
    sip_txn_reply_status(s.txn, 180);
    sip_txn_reply_status(s.txn, 486);
    snprintf(to, sizeof to, "%s", rig_value(&s.host->sent[0], SIP_H_TO));
    assert_non_null(strstr(to, ";tag="));
    assert_string_equal(rig_value(&s.host->sent[1], SIP_H_TO), to);
    finish(&s);
}

/* ---- CANCEL ---- */

static void cancel_gets_200_and_its_invite_487_9_2(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    sip_txn_reply_status(s.txn, 180);
    receive(&s, "CANCEL");
    assert_int_equal(s.cancelled, 1);
    assert_int_equal(s.requests, 1);
    assert_string_equal(rig_value(rig_sent(s.host, "SIP/2.0 200", 0), SIP_H_CSEQ), "1 CANCEL");
    assert_string_equal(rig_value(rig_sent(s.host, "SIP/2.0 487", 0), SIP_H_CSEQ), "1 INVITE");
    receive(&s, "CANCEL");
    assert_int_equal(s.cancelled, 1);
    assert_int_equal(rig_count(s.host, "SIP/2.0 200"), 2);
    finish(&s);
}

static void cancel_after_the_final_response_has_no_effect_9_2(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    sip_txn_reply_status(s.txn, 200);
    receive(&s, "CANCEL");
    assert_int_equal(s.cancelled, 0);
    assert_int_equal(rig_count(s.host, "SIP/2.0 200"), 2);
    finish(&s);
}

static void cancel_of_nothing_gets_481_9_2(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    rig_receive(s.host, RIG_PEER, rig_request("CANCEL", URI, "192.0.2.9:5060;branch=z9hG4bKother", TO, 1, ""));
    assert_int_equal(rig_count(s.host, "SIP/2.0 481"), 1);
    assert_int_equal(s.cancelled, 0);
    finish(&s);
}

/* ---- other requests ---- */

static void repeated_request_is_absorbed_before_an_answer_17_2_2(void **state)
{
    struct server s;
    (void)state;
    start(&s, "OPTIONS", VIA);
    receive(&s, "OPTIONS");
    assert_int_equal(s.requests, 1);
    assert_int_equal(s.host->sent_n, 0);
    finish(&s);
}

static void repeated_request_gets_the_answer_until_timer_j_17_2_2(void **state)
{
    struct server s;
    (void)state;
    start(&s, "OPTIONS", VIA);
    sip_txn_reply_status(s.txn, 200);
    rig_run(s.host, 32 * SEC - 1);
    receive(&s, "OPTIONS");
    assert_int_equal(rig_count(s.host, "SIP/2.0 200"), 2);
    assert_int_equal(s.requests, 1);
    rig_run(s.host, 32 * SEC);
    assert_int_equal(s.ended, 1);
    receive(&s, "OPTIONS");
    assert_int_equal(s.requests, 2);
    finish(&s);
}

static void second_final_answer_is_refused_17_2_2(void **state)
{
    struct server s;
    (void)state;
    start(&s, "OPTIONS", VIA);
    assert_int_equal(sip_txn_reply_status(s.txn, 404), 0);
    assert_int_equal(sip_txn_reply_status(s.txn, 200), FE_EREFUSED);
    assert_int_equal(s.host->sent_n, 1);
    finish(&s);
}

static void abandoned_request_is_never_answered_rfc4320_4_2(void **state)
{
    struct server s;
    (void)state;
    start(&s, "OPTIONS", VIA);
    sip_txn_abandon(s.txn);
    rig_run(s.host, 1 * MINUTE);
    assert_int_equal(s.host->sent_n, 0);
    assert_int_equal(sip_txns_live(s.txns), 0);
    finish(&s);
}

/* ---- matching ---- */

static void same_branch_from_another_sent_by_is_another_request_17_2_3(void **state)
{
    struct server s;
    (void)state;
    start(&s, "OPTIONS", VIA);
    rig_receive(s.host, RIG_PEER, rig_request("OPTIONS", URI, "192.0.2.8:5060;branch=z9hG4bKbob1", TO, 1, ""));
    rig_receive(s.host, RIG_PEER, rig_request("OPTIONS", URI, "192.0.2.9:5061;branch=z9hG4bKbob1", TO, 1, ""));
    rig_receive(s.host, RIG_PEER, rig_request("MESSAGE", URI, VIA, TO, 1, ""));
    assert_int_equal(s.requests, 4);
    finish(&s);
}

static void client_of_rfc2543_is_matched_by_fields_17_2_3(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", "192.0.2.9:5060");
    rig_receive(s.host, RIG_PEER, rig_request("INVITE", URI, "192.0.2.9:5060", TO, 1, ""));
    assert_int_equal(s.requests, 1);
    sip_txn_reply_status(s.txn, 486);
    rig_receive(s.host, RIG_PEER, rig_request("ACK", URI, "192.0.2.9:5060", TO ";tag=ours", 1, ""));
    rig_run(s.host, 1 * MINUTE);
    assert_int_equal(s.unacknowledged, 0);
    assert_int_equal(s.acks, 0);
    rig_receive(s.host, RIG_PEER, rig_request("INVITE", URI, "192.0.2.9:5060", TO, 2, ""));
    assert_int_equal(s.requests, 2);
    finish(&s);
}

static void copy_of_a_request_by_another_way_is_merged_8_2_2_2(void **state)
{
    struct server s;
    (void)state;
    start(&s, "INVITE", VIA);
    assert_false(sip_txn_is_merged(s.txn));
    rig_receive(s.host, RIG_PEER, rig_request("INVITE", URI, "192.0.2.9:5060;branch=z9hG4bKbob2", TO, 1, ""));
    assert_int_equal(s.requests, 2);
    assert_true(sip_txn_is_merged(s.txn));
    rig_receive(s.host, RIG_PEER, rig_request("INVITE", URI, "192.0.2.9:5060;branch=z9hG4bKbob3", TO, 2, ""));
    assert_false(sip_txn_is_merged(s.txn));
    finish(&s);
}

/* ---- the user agent's repetition of its 2xx ---- */

static void count_up(void *arg)
{
    (*(unsigned *)arg)++;
}

static void accepted_2xx_is_repeated_for_64_t1_13_3_1_4(void **state)
{
    static const lab_time times[] = {0,          500 * MS,   1500 * MS,  3500 * MS,  7500 * MS, 11500 * MS,
                                     15500 * MS, 19500 * MS, 23500 * MS, 27500 * MS, 31500 * MS};
    struct server s;
    struct sip_accept accept = {0};
    unsigned given_up = 0;
    (void)state;
    start(&s, "INVITE", VIA);
    assert_int_equal(sip_accept_start(&accept, s.txn,
                                      &(struct sip_reply){.status = 200, .headers = SPAN("Contact: <" URI ">\r\n")},
                                      count_up, &given_up),
                     0);
    rig_run(s.host, 32 * SEC - 1);
    assert_int_equal(given_up, 0);
    rig_run(s.host, 2 * MINUTE);
    assert_int_equal(given_up, 1);
    assert_false(sip_accept_waiting(&accept));
    assert_int_equal(s.host->sent_n, 11);
    for (unsigned i = 0; i < 11; i++)
        assert_int_equal(s.host->sent[i].at, times[i]);
    assert_int_equal(rig_traced(s.host, "\"timer\":\"2xx\",\"msg\":\"200 INVITE\""), 1);
    finish(&s);
}

static void ack_with_the_cseq_number_stops_the_2xx_13_3_1_4(void **state)
{
    struct server s;
    struct sip_accept accept = {0};
    struct sip_msg ack;
    unsigned given_up = 0;
    (void)state;
    start(&s, "INVITE", VIA);
    sip_accept_start(&accept, s.txn, &(struct sip_reply){.status = 200}, count_up, &given_up);
    rig_run(s.host, 600 * MS);
    assert_int_equal(sip_parse(span_of(rig_request("ACK", URI, VIA, TO, 2, "")), &ack, NULL), 0);
    assert_false(sip_accept_acked(&accept, &ack));
    assert_int_equal(sip_parse(span_of(rig_request("ACK", URI, VIA, TO, 1, "")), &ack, NULL), 0);
    assert_true(sip_accept_acked(&accept, &ack));
    assert_false(sip_accept_acked(&accept, &ack));
    rig_run(s.host, 2 * MINUTE);
    assert_int_equal(s.host->sent_n, 2);
    assert_int_equal(given_up, 0);
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trying_is_sent_after_200_ms_17_2_1),
        cmocka_unit_test(no_trying_after_an_early_provisional_17_2_1),
        cmocka_unit_test(repeated_invite_gets_the_last_provisional_17_2_1),
        cmocka_unit_test(timer_g_doubles_up_to_t2_until_timer_h_17_2_1),
        cmocka_unit_test(ack_stops_timer_g_and_is_absorbed_until_timer_i_17_2_1),
        cmocka_unit_test(repeated_invite_gets_the_refusal_again_17_2_1),
        cmocka_unit_test(repeated_invite_is_absorbed_after_2xx_until_timer_l_rfc6026_7_1),
        cmocka_unit_test(more_2xx_pass_but_no_refusal_after_2xx_rfc6026_7_1),
        cmocka_unit_test(ack_of_a_2xx_goes_to_the_user_13_3_1_4),
        cmocka_unit_test(all_responses_have_one_to_tag_8_2_6_2),
        cmocka_unit_test(cancel_gets_200_and_its_invite_487_9_2),
        cmocka_unit_test(cancel_after_the_final_response_has_no_effect_9_2),
        cmocka_unit_test(cancel_of_nothing_gets_481_9_2),
        cmocka_unit_test(repeated_request_is_absorbed_before_an_answer_17_2_2),
        cmocka_unit_test(repeated_request_gets_the_answer_until_timer_j_17_2_2),
        cmocka_unit_test(second_final_answer_is_refused_17_2_2),
        cmocka_unit_test(abandoned_request_is_never_answered_rfc4320_4_2),
        cmocka_unit_test(same_branch_from_another_sent_by_is_another_request_17_2_3),
        cmocka_unit_test(client_of_rfc2543_is_matched_by_fields_17_2_3),
        cmocka_unit_test(copy_of_a_request_by_another_way_is_merged_8_2_2_2),
        cmocka_unit_test(accepted_2xx_is_repeated_for_64_t1_13_3_1_4),
        cmocka_unit_test(ack_with_the_cseq_number_stops_the_2xx_13_3_1_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
