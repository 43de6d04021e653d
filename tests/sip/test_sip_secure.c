/* TLS under SIP: who is verified, what is told and traced, how it ends. RFC 3261 §26.3, RFC 5923; PB-3, PB-5, CT-1. */
#include "tests/sip/fake_tls.h"
#include "tests/sip/stream_rig.h"

#define PEER ((struct endpoint){IPV4(192, 0, 2, 9), 5061})

enum { NODE_TLS = 2 };

static struct tls_context client = {.role = TLS_CLIENT};
static struct tls_context server = {.role = TLS_SERVER};

static void start(struct node *n, struct tls_context *client_context)
{
    const struct sip_local local = {
        .transport = SIP_TLS, .at = {RIG_ADDR, 0}, .server = &server, .client = client_context};
    unsigned socket;
    node_start(n, &(struct sip_transport_config){0});
    assert_int_equal(sip_transport_open(n->transport, &local, &socket), 0);
    assert_int_equal(socket, NODE_TLS);
    assert_int_equal(sip_transport_local(n->transport, socket).port, 5061);
    server.refuse = NULL;
}

static struct sip_flow to_peer(const struct node *n)
{
    return sip_transport_flow(n->transport, NODE_TLS, PEER);
}

/* The node's connection number 1, up. */
static struct host_tcp *call_out(struct node *n)
{
    struct sip_flow to = to_peer(n);
    assert_int_equal(sip_transport_connect(n->transport, &to, SPAN("sbc.example.com")), 0);
    fake_tcp_connected(node_tcp(n, 0));
    fake_tcp_receive(node_tcp(n, 0), SPAN("WELCOME\n"));
    node_heard(n, "up 1, ");
    return node_tcp(n, 0);
}

static void request_waits_for_the_handshake(void **state)
{
    struct node n;
    (void)state;
    start(&n, &client);
    node_send(&n, to_peer(&n), "OPTIONS", 0);
    struct host_tcp *c = node_tcp(&n, 0);
    assert_int_equal(c->sent_n, 0);
    fake_tcp_connected(c);
    assert_string_equal(c->sent, "HELLO 192.0.2.9\n");
    node_heard(&n, "");
    fake_tcp_forget(c);
    fake_tcp_receive(c, SPAN("WELCOME\n"));
    node_heard(&n, "up 1, ");
    assert_int_equal(node_sent(c, "OPTIONS sip:bob"), 1);
    assert_int_equal(node_sent(c, "Via: SIP/2.0/TLS 192.0.2.1:5061;"), 1);
    assert_int_equal(rig_traced(n.host, "{\"t\":0,\"ev\":\"tls\",\"state\":\"established\",\"peer\":\"192.0.2.9:5061\","
                                        "\"version\":\"1.2\",\"suite\":\"TLS-FAKE\",\"resumed\":false,"
                                        "\"subject\":\"CN=x\"}"),
                     1);
    assert_int_equal(n.host->secrets, 1);
    node_finish(&n);
}

static void messages_go_both_ways(void **state)
{
    struct node n;
    char record[RIG_DATA + 32];
    (void)state;
    start(&n, &client);
    struct host_tcp *c = fake_tcp_accept(n.host, 5061, NODE_FAR);
    assert_non_null(c);
    node_heard(&n, "");
    fake_tcp_receive(c, SPAN("HELLO me\n"));
    node_heard(&n, "accepted 1, ");
    const char *request =
        rig_request_by("TLS", "OPTIONS", "sip:a@192.0.2.1", "203.0.113.7;branch=z9hG4bKa", "<sip:a@b>", 1, "");
    int used = snprintf(record, sizeof record, "DATA %zu\n%s", strlen(request), request);
    fake_tcp_receive(c, span_make(record, (size_t)used));
    node_heard(&n, "OPTIONS on 1, ");
    assert_int_equal(node_sent(c, "SIP/2.0 200 OK"), 1);
    assert_int_equal(n.flow.transport, SIP_TLS);
    assert_true(endpoint_equal(n.reply.remote, (struct endpoint){NODE_FAR.addr, 5061}));
    fake_tcp_receive(c, SPAN("DATA 4\n\r\n\r\n"));
    node_heard(&n, "ping 1, ");
    assert_int_equal(node_sent(c, "DATA 2\n\r\n"), 1);
    node_finish(&n);
}

/* PB-3: a name or an address; who opens the connection knows it. */
static void peer_is_verified_by_the_name_that_the_owner_gave(void **state)
{
    struct node n;
    struct sip_flow to;
    (void)state;
    start(&n, &client);
    to = to_peer(&n);
    assert_int_equal(sip_transport_connect(n.transport, &to, SPAN("sbc.example.com")), 0);
    fake_tcp_connected(node_tcp(&n, 0));
    assert_string_equal(node_tcp(&n, 0)->sent, "HELLO sbc.example.com\n");
    node_send(&n, to_peer(&n), "OPTIONS", 0); /* which is that connection */
    assert_int_equal(n.host->tcp.n, 1);
    node_finish(&n);
}

static void tell_name(void *arg, const struct sip_flow *flow, struct text *name)
{
    (void)arg;
    assert_true(endpoint_equal(flow->remote, PEER));
    text_str(name, "sbc.example.com");
}

static void name_is_asked_for_when_the_layer_opens_by_itself(void **state)
{
    static const struct sip_flow_events names = {.name = tell_name};
    struct node n;
    (void)state;
    start(&n, &client);
    sip_transport_watch(n.transport, &names, &n);
    node_send(&n, to_peer(&n), "OPTIONS", 0);
    fake_tcp_connected(node_tcp(&n, 0));
    assert_string_equal(node_tcp(&n, 0)->sent, "HELLO sbc.example.com\n");
    node_finish(&n);
}

static void alert_received_fails_what_waits_ct1(void **state)
{
    struct node n;
    (void)state;
    start(&n, &client);
    node_send(&n, to_peer(&n), "OPTIONS", 0);
    fake_tcp_connected(node_tcp(&n, 0));
    fake_tcp_receive(node_tcp(&n, 0), SPAN("ALERT handshake_failure\n"));
    assert_false(node_tcp(&n, 0)->open);
    node_heard(&n, "down 1 never up: alert handshake_failure, failed 503, ended, ");
    assert_int_equal(rig_traced(n.host, "\"ev\":\"tls\",\"state\":\"failed\",\"peer\":\"192.0.2.9:5061\","
                                        "\"alert\":\"handshake_failure\",\"by\":\"remote\","
                                        "\"why\":\"as the test wants it\"}"),
                     1);
    assert_int_equal(rig_traced(n.host, "\"ev\":\"flow\",\"state\":\"failed\",\"transport\":\"TLS\","
                                        "\"remote\":\"192.0.2.9:5061\",\"reason\":\"handshake_failure\"}"),
                     1);
    node_finish(&n);
}

static void alert_sent_is_on_the_wire_before_the_end(void **state)
{
    struct node n;
    (void)state;
    start(&n, &client);
    server.refuse = "unknown_ca";
    struct host_tcp *c = fake_tcp_accept(n.host, 5061, NODE_FAR);
    fake_tcp_receive(c, SPAN("HELLO me\n"));
    assert_string_equal(c->sent, "ALERT unknown_ca\n");
    assert_int_equal(rig_traced(n.host, "\"alert\":\"unknown_ca\",\"by\":\"local\""), 1);
    node_heard(&n, "down 1 never up: alert unknown_ca, ");
    node_finish(&n);
}

static void both_sides_say_good_bye(void **state)
{
    struct node n;
    (void)state;
    start(&n, &client);
    struct host_tcp *c = call_out(&n);
    fake_tcp_forget(c);
    fake_tcp_receive(c, SPAN("BYE\n"));
    assert_string_equal(c->sent, "BYE\n");
    node_heard(&n, "down 1 closed, ");
    node_finish(&n);

    start(&n, &client);
    c = call_out(&n);
    fake_tcp_forget(c);
    struct sip_flow flow = to_peer(&n);
    flow.connection = 1;
    sip_transport_close(n.transport, &flow);
    assert_string_equal(c->sent, "BYE\n");
    node_heard(&n, "down 1 local, ");
    node_finish(&n);
}

static void reset_ends_without_a_good_bye(void **state)
{
    struct node n;
    (void)state;
    start(&n, &client);
    struct host_tcp *c = call_out(&n);
    fake_tcp_forget(c);
    fake_tcp_failed(c, FE_ERESET);
    assert_int_equal(c->sent_n, 0);
    node_heard(&n, "down 1 reset, ");
    node_finish(&n);
}

static void backlog_that_is_full_ends_the_connection(void **state)
{
    struct node n;
    (void)state;
    start(&n, &client);
    call_out(&n);
    n.host->tcp.send_error = FE_EAGAIN;
    struct sip_flow flow = to_peer(&n);
    flow.connection = 1;
    node_send(&n, flow, "OPTIONS", 0);
    node_heard(&n, "down 1 reset, failed 503, ended, ");
    node_finish(&n);
}

/* PB-5 */
static void without_a_client_context_nothing_is_opened(void **state)
{
    struct node n;
    struct sip_flow to;
    (void)state;
    start(&n, NULL);
    to = to_peer(&n);
    assert_int_equal(sip_transport_connect(n.transport, &to, (struct span){0}), FE_EUNREACH);
    node_send(&n, to_peer(&n), "OPTIONS", 0);
    node_heard(&n, "failed 503, ended, ");
    assert_int_equal(n.host->tcp.n, 0);
    node_finish(&n);
}

static void handshake_has_the_time_of_the_connection(void **state)
{
    struct node n;
    (void)state;
    start(&n, &client);
    fake_tcp_accept(n.host, 5061, NODE_FAR);
    rig_run(n.host, 90 * SEC);
    node_heard(&n, "down 1 never up: timed-out, ");
    node_finish(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_waits_for_the_handshake),
        cmocka_unit_test(messages_go_both_ways),
        cmocka_unit_test(peer_is_verified_by_the_name_that_the_owner_gave),
        cmocka_unit_test(name_is_asked_for_when_the_layer_opens_by_itself),
        cmocka_unit_test(alert_received_fails_what_waits_ct1),
        cmocka_unit_test(alert_sent_is_on_the_wire_before_the_end),
        cmocka_unit_test(both_sides_say_good_bye),
        cmocka_unit_test(reset_ends_without_a_good_bye),
        cmocka_unit_test(backlog_that_is_full_ends_the_connection),
        cmocka_unit_test(without_a_client_context_nothing_is_opened),
        cmocka_unit_test(handshake_has_the_time_of_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
