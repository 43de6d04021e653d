/* By which connection the requests of a dialog go: RFC 3261 §12.2.1.1, RFC 3263 §4.1, RFC 5923; FACTS failure 24. */
#include "nodes/sip/sip_dialog.h"
#include "tests/sip/stream_rig.h"

/* A dialog that an INVITE over connection 1 has made; its 200 had these header lines. */
static void call(struct node *n, struct sip_dialog *d, const char *headers)
{
    static const char invite_text[] =
        "INVITE sip:102@lab.example SIP/2.0\r\nMax-Forwards: 70\r\nFrom: <sip:101@lab.example>;tag=alices\r\n"
        "To: <sip:102@lab.example>\r\nCall-ID: call-3\r\nCSeq: 5 INVITE\r\nContact: <sip:101@192.0.2.1>\r\n"
        "Content-Length: 0\r\n\r\n";
    char text[RIG_DATA];
    struct rig_datagram sent = {.n = 0};
    struct sip_flow to;
    struct sip_txn *txn;
    struct sip_msg invite;
    struct sip_msg response;
    node_start(n, &(struct sip_transport_config){0});
    to = node_to_peer(n);
    assert_int_equal(sip_txn_request(n->txns, &to, SPAN(invite_text), (struct span){0}, NULL, NULL, &txn), 0);
    struct host_tcp *c = node_tcp(n, 0);
    fake_tcp_connected(c);
    node_heard(n, "up 1, ");
    sent.n = c->sent_n;
    memcpy(sent.data, c->sent, c->sent_n);
    strcpy(text, rig_response(&sent, 200, "bobs", headers));
    assert_int_equal(sip_parse(span_of(text), &response, NULL), 0);
    sip_txn_msg(txn, &invite);
    assert_int_equal(
        sip_dialog_init_uac(d, n->txns, &invite, &response, sip_txn_flow(txn), SPAN("<sip:101@192.0.2.1>")), 0);
    fake_tcp_forget(c);
}

static void finish(struct node *n, struct sip_dialog *d)
{
    sip_dialog_fini(d);
    node_finish(n);
}

static void bye(struct sip_dialog *d)
{
    struct sip_txn *txn;
    assert_int_equal(sip_dialog_send(d, &(struct sip_dialog_request){.method = "BYE"}, NULL, NULL, &txn), 0);
}

#define BOB        "Contact: <sip:102@198.51.100.20>\r\n"
#define ROUTE(uri) "Record-Route: <" uri ">\r\n" BOB

static void request_goes_by_the_connection_of_the_dialog(void **state)
{
    struct node n;
    struct sip_dialog d;
    (void)state;
    call(&n, &d, ROUTE("sip:192.0.2.9;transport=tcp;lr"));
    bye(&d);
    assert_int_equal(n.host->tcp.n, 1);
    assert_int_equal(node_sent(node_tcp(&n, 0), "BYE sip:"), 1);
    finish(&n, &d);
}

static void ack_goes_by_it_too(void **state)
{
    struct node n;
    struct sip_dialog d;
    (void)state;
    call(&n, &d, ROUTE("sip:192.0.2.9;transport=tcp;lr"));
    assert_int_equal(sip_dialog_ack(&d, 5, (struct span){0}, (struct span){0}, (struct span){0}), 0);
    assert_int_equal(node_sent(node_tcp(&n, 0), "ACK sip:"), 1);
    assert_int_equal(node_sent(node_tcp(&n, 0), "Via: SIP/2.0/TCP "), 1);
    finish(&n, &d);
}

static void request_goes_elsewhere_when_the_route_set_says_so(void **state)
{
    struct node n;
    struct sip_dialog d;
    (void)state;
    call(&n, &d, ROUTE("sip:192.0.2.77:5070;transport=tcp;lr"));
    bye(&d);
    assert_int_equal(n.host->tcp.n, 2);
    assert_true(endpoint_equal(node_tcp(&n, 1)->remote, (struct endpoint){IPV4(192, 0, 2, 77), 5070}));
    finish(&n, &d);
}

/* A Record-Route without `transport` means UDP, whatever the INVITE came by. */
static void route_without_transport_is_the_wrong_transport(void **state)
{
    struct node n;
    struct sip_dialog d;
    (void)state;
    call(&n, &d, ROUTE("sip:192.0.2.9;lr"));
    bye(&d);
    assert_int_equal(n.host->sent_n, 1);
    assert_true(rig_has(rig_last(n.host), "Via: SIP/2.0/UDP 192.0.2.1:5060"));
    finish(&n, &d);
}

/* PH-6, PH-7: the phone has re-established its connection while the call goes on. */
static void dialog_outlives_its_connection(void **state)
{
    struct node n;
    struct sip_dialog d;
    struct sip_flow again;
    (void)state;
    call(&n, &d, ROUTE("sip:192.0.2.9;transport=tcp;lr"));
    fake_tcp_failed(node_tcp(&n, 0), FE_ERESET);
    rig_run(n.host, n.host->now);
    again = node_to_peer(&n);
    assert_int_equal(sip_transport_connect(n.transport, &again, (struct span){0}), 0);
    fake_tcp_connected(node_tcp(&n, 1));
    bye(&d);
    assert_int_equal(n.host->tcp.n, 2);
    assert_int_equal(node_sent(node_tcp(&n, 1), "BYE sip:"), 1);
    finish(&n, &d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_goes_by_the_connection_of_the_dialog),
        cmocka_unit_test(ack_goes_by_it_too),
        cmocka_unit_test(request_goes_elsewhere_when_the_route_set_says_so),
        cmocka_unit_test(route_without_transport_is_the_wrong_transport),
        cmocka_unit_test(dialog_outlives_its_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
