/* Dialogs: RFC 3261 §12, §13.2.2.4. The node under test is Alice, 192.0.2.1; her proxy is 192.0.2.9. */
#include "nodes/sip/sip_dialog.h"
#include "tests/sip/sip_rig.h"

#define CONTACT "<sip:alice@192.0.2.1>"
#define BOB     "Contact: <sip:bob@198.51.100.20:5062>\r\n"

struct alice {
    struct host *host;
    struct sip_transport_layer *transport;
    struct sip_txns *txns;
    struct sip_txn *txn;
    struct sip_dialog dialog;
};

static void make_uas_dialog(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct alice *a = arg;
    a->txn = txn;
    if (in->msg->method == SIP_INVITE)
        assert_int_equal(sip_dialog_init_uas(&a->dialog, a->txns, in, sip_txn_tag(txn), SPAN(CONTACT)), 0);
}

static void on_ack(void *arg, const struct sip_incoming *in)
{
    (void)arg;
    (void)in;
}

static const struct sip_txns_events node_events = {make_uas_dialog, on_ack};

static void start(struct alice *a)
{
    unsigned socket;
    *a = (struct alice){.host = rig_new()};
    assert_int_equal(sip_transport_new(&a->transport, a->host, &(struct sip_transport_config){0}), 0);
    assert_int_equal(
        sip_transport_listen(a->transport, (struct endpoint){RIG_ADDR, 5060}, (struct endpoint){0}, &socket), 0);
    assert_int_equal(sip_txns_new(&a->txns, a->transport, &(struct sip_timing){0}, &node_events, a), 0);
}

static void finish(struct alice *a)
{
    sip_dialog_fini(&a->dialog);
    sip_txns_free(a->txns);
    sip_transport_free(a->transport);
    rig_free(a->host);
}

static void invite(struct alice *a)
{
    struct sip_flow to = sip_flow_to(0, RIG_PEER);
    assert_int_equal(sip_txn_request(a->txns, &to,
                                     SPAN("INVITE sip:102@lab.example SIP/2.0\r\nMax-Forwards: 70\r\n"
                                          "From: \"Alice\" <sip:101@lab.example>;tag=alices\r\n"
                                          "To: <sip:102@lab.example>\r\nCall-ID: call-3\r\nCSeq: 5 INVITE\r\n"
                                          "Contact: " CONTACT "\r\nContent-Length: 0\r\n\r\n"),
                                     (struct span){0}, NULL, NULL, &a->txn),
                     0);
}

/* What came to the INVITE, as a message in its own memory. */
static void parse_answer(struct alice *a, char *text, unsigned status, const char *tag, const char *more,
                         struct sip_msg *out)
{
    strcpy(text, rig_response(rig_sent(a->host, "INVITE", 0), status, tag, more));
    assert_int_equal(sip_parse(span_of(text), out, NULL), 0);
}

static int init_uac(struct alice *a, struct sip_dialog *d, unsigned status, const char *tag, const char *more)
{
    char text[RIG_DATA];
    struct sip_msg request;
    struct sip_msg response;
    parse_answer(a, text, status, tag, more, &response);
    sip_txn_msg(a->txn, &request);
    return sip_dialog_init_uac(d, a->txns, &request, &response, sip_txn_flow(a->txn), SPAN(CONTACT));
}

static void call(struct alice *a, const char *more)
{
    start(a);
    invite(a);
    assert_int_equal(init_uac(a, &a->dialog, 200, "bobs", more), 0);
}

static const struct rig_datagram *bye(struct alice *a)
{
    struct sip_txn *txn;
    assert_int_equal(sip_dialog_send(&a->dialog, &(struct sip_dialog_request){.method = "BYE"}, NULL, NULL, &txn), 0);
    return rig_last(a->host);
}

static void assert_goes_to(const struct rig_datagram *d, const char *endpoint)
{
    char text[ENDPOINT_TEXT];
    assert_string_equal(endpoint_text(d->to, text), endpoint);
}

/* ---- UAC ---- */

static void uac_request_has_the_dialogs_parts_12_2_1_1(void **state)
{
    struct alice a;
    (void)state;
    call(&a, BOB);
    const struct rig_datagram *d = bye(&a);
    assert_true(rig_has(d, "BYE sip:bob@198.51.100.20:5062 SIP/2.0\r\n"));
    assert_string_equal(rig_value(d, SIP_H_FROM), "\"Alice\" <sip:101@lab.example>;tag=alices");
    assert_string_equal(rig_value(d, SIP_H_TO), "<sip:102@lab.example>;tag=bobs");
    assert_string_equal(rig_value(d, SIP_H_CALL_ID), "call-3");
    assert_string_equal(rig_value(d, SIP_H_CSEQ), "6 BYE");
    assert_false(rig_has(d, "Route:"));
    assert_goes_to(d, "198.51.100.20:5062");
    finish(&a);
}

static void uac_route_set_is_record_route_reversed_12_1_2(void **state)
{
    struct alice a;
    (void)state;
    call(&a, BOB "Record-Route: <sip:10.0.1.2;lr>, \"Edge, outer\" <sip:t@203.0.113.10:5070;lr>\r\n"
                 "Record-Route: <sip:192.0.2.9;lr>\r\n");
    const struct rig_datagram *d = bye(&a);
    assert_string_equal(rig_value(d, SIP_H_ROUTE),
                        "<sip:192.0.2.9;lr>, <sip:t@203.0.113.10:5070;lr>, <sip:10.0.1.2;lr>");
    assert_goes_to(d, "192.0.2.9:5060");
    finish(&a);
}

static void strict_router_gets_itself_as_request_uri_12_2_1_1(void **state)
{
    struct alice a;
    (void)state;
    call(&a, BOB "Record-Route: <sip:10.0.1.2;lr>, <sip:192.0.2.8>\r\n");
    const struct rig_datagram *d = bye(&a);
    assert_true(rig_has(d, "BYE sip:192.0.2.8 SIP/2.0\r\n"));
    assert_true(rig_has(d, "Route: <sip:10.0.1.2;lr>\r\nRoute: <sip:bob@198.51.100.20:5062>\r\n"));
    assert_goes_to(d, "192.0.2.8:5060");
    finish(&a);
}

static void target_that_is_a_name_goes_where_the_invite_went(void **state)
{
    struct alice a;
    (void)state;
    call(&a, "Contact: <sip:bob@phone.example>\r\n");
    assert_goes_to(bye(&a), "192.0.2.9:5060");
    finish(&a);
}

static void no_dialog_without_to_tag_or_contact_12_1(void **state)
{
    struct alice a;
    struct sip_dialog d;
    (void)state;
    start(&a);
    invite(&a);
    assert_int_equal(init_uac(&a, &d, 180, "", BOB), FE_ESYNTAX);
    assert_int_equal(init_uac(&a, &d, 200, "bobs", ""), FE_ESYNTAX);
    assert_int_equal(d.state, SIP_DIALOG_NONE);
    finish(&a);
}

static void early_dialog_takes_route_set_and_target_of_the_2xx_13_2_2_4(void **state)
{
    struct alice a;
    char text[RIG_DATA];
    struct sip_msg ok;
    (void)state;
    start(&a);
    invite(&a);
    assert_int_equal(init_uac(&a, &a.dialog, 180, "bobs", "Record-Route: <sip:192.0.2.9;lr>\r\n"), 0);
    assert_int_equal(a.dialog.state, SIP_DIALOG_EARLY);
    parse_answer(&a, text, 200, "bobs", BOB "Record-Route: <sip:192.0.2.7;lr>\r\n", &ok);
    assert_true(sip_dialog_has(&a.dialog, &ok));
    assert_int_equal(sip_dialog_confirm(&a.dialog, &ok), 0);
    assert_int_equal(a.dialog.state, SIP_DIALOG_CONFIRMED);
    const struct rig_datagram *d = bye(&a);
    assert_true(rig_has(d, "BYE sip:bob@198.51.100.20:5062 SIP/2.0\r\n"));
    assert_goes_to(d, "192.0.2.7:5060");
    parse_answer(&a, text, 200, "a-fork", BOB, &ok);
    assert_false(sip_dialog_has(&a.dialog, &ok));
    finish(&a);
}

static void ack_has_the_cseq_of_its_invite_and_is_repeated_as_it_was_13_2_2_4(void **state)
{
    struct alice a;
    struct span none = {0};
    char first[RIG_DATA];
    (void)state;
    call(&a, BOB);
    bye(&a);
    assert_int_equal(sip_dialog_ack(&a.dialog, 5, SPAN("X-Note: 1\r\n"), none, none), 0);
    const struct rig_datagram *ack = rig_sent(a.host, "ACK sip:bob@198.51.100.20:5062 SIP/2.0", 0);
    assert_string_equal(rig_value(ack, SIP_H_CSEQ), "5 ACK");
    assert_true(rig_has(ack, "X-Note: 1\r\n"));
    strcpy(first, rig_value(&a.host->sent[0], SIP_H_VIA));
    assert_string_not_equal(rig_value(ack, SIP_H_VIA), first);
    strcpy(first, ack->data);
    sip_dialog_ack_again(&a.dialog);
    assert_string_equal(rig_sent(a.host, "ACK", 1)->data, first);
    finish(&a);
}

static void unwanted_fork_is_acknowledged_and_ended_13_2_2_4(void **state)
{
    struct alice a;
    char text[RIG_DATA];
    struct sip_msg request;
    struct sip_msg ok;
    (void)state;
    call(&a, BOB);
    sip_txn_msg(a.txn, &request);
    parse_answer(&a, text, 200, "a-fork", "Contact: <sip:carol@198.51.100.30>\r\n", &ok);
    sip_dialog_decline(a.txns, &request, &ok, sip_txn_flow(a.txn));
    assert_string_equal(rig_value(rig_sent(a.host, "ACK sip:carol@198.51.100.30", 0), SIP_H_CSEQ), "5 ACK");
    assert_string_equal(rig_value(rig_sent(a.host, "BYE sip:carol@198.51.100.30", 0), SIP_H_CSEQ), "6 BYE");
    assert_string_equal(rig_value(rig_sent(a.host, "BYE", 0), SIP_H_TO), "<sip:102@lab.example>;tag=a-fork");
    finish(&a);
}

static void reinvite_carries_contact_and_body_14_1(void **state)
{
    struct alice a;
    struct sip_txn *txn;
    (void)state;
    call(&a, BOB);
    struct sip_dialog_request hold = {
        .method = "INVITE", .content_type = SPAN("application/sdp"), .body = SPAN("v=0\r\n")};
    assert_int_equal(sip_dialog_send(&a.dialog, &hold, NULL, NULL, &txn), 0);
    const struct rig_datagram *d = rig_last(a.host);
    assert_string_equal(rig_value(d, SIP_H_CONTACT), CONTACT);
    assert_true(rig_has(d, "\r\nContent-Length: 5\r\n\r\nv=0\r\n"));
    assert_true(sip_txn_is_invite(txn));
    finish(&a);
}

/* ---- UAS ---- */

static void receive_invite(struct alice *a, const char *more)
{
    start(a);
    rig_receive(
        a->host, RIG_PEER,
        rig_request("INVITE", "sip:alice@192.0.2.1", "192.0.2.9;branch=z9hG4bK1", "<sip:101@lab.example>", 9, more));
}

static void uas_route_set_is_record_route_in_order_12_1_1(void **state)
{
    struct alice a;
    char tag[64];
    char to[256];
    (void)state;
    receive_invite(&a, BOB "Record-Route: <sip:192.0.2.9;lr>, <sip:10.0.1.2;lr>\r\n");
    snprintf(tag, sizeof tag, "%s", sip_txn_tag(a.txn).p);
    snprintf(to, sizeof to, "<sip:101@lab.example>;tag=%s", tag);
    const struct rig_datagram *d = bye(&a);
    assert_true(rig_has(d, "BYE sip:bob@198.51.100.20:5062 SIP/2.0\r\n"));
    assert_string_equal(rig_value(d, SIP_H_ROUTE), "<sip:192.0.2.9;lr>, <sip:10.0.1.2;lr>");
    assert_string_equal(rig_value(d, SIP_H_FROM), to);
    assert_string_equal(rig_value(d, SIP_H_TO), "<sip:bob@example.com>;tag=bobs");
    assert_string_equal(rig_value(d, SIP_H_CSEQ), "1 BYE");
    finish(&a);
}

static int received(struct alice *a, const char *method, unsigned cseq, const char *more)
{
    struct sip_msg msg;
    char to[256];
    char text[RIG_DATA];
    snprintf(to, sizeof to, "<sip:101@lab.example>;tag=%s", sip_txn_tag(a->txn).p);
    strcpy(text, rig_request(method, "sip:alice@192.0.2.1", "192.0.2.9;branch=z9hG4bK2", to, cseq, more));
    assert_int_equal(sip_parse(span_of(text), &msg, NULL), 0);
    assert_true(sip_dialog_has(&a->dialog, &msg));
    return sip_dialog_received(&a->dialog, &msg);
}

static void request_with_an_old_cseq_is_out_of_order_12_2_2(void **state)
{
    struct alice a;
    (void)state;
    receive_invite(&a, BOB);
    assert_int_equal(received(&a, "INFO", 12, ""), 0);
    assert_int_equal(received(&a, "INFO", 11, ""), FE_ERANGE);
    assert_int_equal(received(&a, "INFO", 12, ""), FE_ERANGE);
    assert_int_equal(received(&a, "BYE", 13, ""), 0);
    finish(&a);
}

static void only_target_refresh_requests_move_the_target_12_2(void **state)
{
    struct alice a;
    (void)state;
    receive_invite(&a, BOB);
    assert_int_equal(received(&a, "INFO", 10, "Contact: <sip:bob@198.51.100.98>\r\n"), 0);
    assert_string_equal(a.dialog.target, "sip:bob@198.51.100.20:5062");
    assert_int_equal(received(&a, "INVITE", 11, "Contact: <sip:bob@198.51.100.99>\r\n"), 0);
    assert_string_equal(a.dialog.target, "sip:bob@198.51.100.99");
    assert_goes_to(bye(&a), "198.51.100.99:5060");
    finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uac_request_has_the_dialogs_parts_12_2_1_1),
        cmocka_unit_test(uac_route_set_is_record_route_reversed_12_1_2),
        cmocka_unit_test(strict_router_gets_itself_as_request_uri_12_2_1_1),
        cmocka_unit_test(target_that_is_a_name_goes_where_the_invite_went),
        cmocka_unit_test(no_dialog_without_to_tag_or_contact_12_1),
        cmocka_unit_test(early_dialog_takes_route_set_and_target_of_the_2xx_13_2_2_4),
        cmocka_unit_test(ack_has_the_cseq_of_its_invite_and_is_repeated_as_it_was_13_2_2_4),
        cmocka_unit_test(unwanted_fork_is_acknowledged_and_ended_13_2_2_4),
        cmocka_unit_test(reinvite_carries_contact_and_body_14_1),
        cmocka_unit_test(uas_route_set_is_record_route_in_order_12_1_1),
        cmocka_unit_test(request_with_an_old_cseq_is_out_of_order_12_2_2),
        cmocka_unit_test(only_target_refresh_requests_move_the_target_12_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
