/* A node with a UDP and a TCP socket, both at 192.0.2.1:5060, for tests of SIP on streams. What it hears of its
 * connections and transactions is written down as a text. Include it in one file of a test program. */
#ifndef FAREND_TESTS_SIP_STREAM_RIG_H
#define FAREND_TESTS_SIP_STREAM_RIG_H

#include "tests/sip/sip_rig.h"

enum { NODE_LOG = 4096, NODE_UDP = 0, NODE_TCP = 1 };

#define NODE_FAR ((struct endpoint){IPV4(203, 0, 113, 7), 40000}) /* a phone, as seen from outside */

struct node {
    struct host *host;
    struct sip_transport_layer *transport;
    struct sip_txns *txns;
    char log_buf[NODE_LOG];
    struct text log;        /* "up 1, ", "down 1 refused, ", "ping 1, ", "pong 1, ", "INVITE on 1, ", "200, ",
                               "failed 503, ", "ended, " */
    struct sip_txn *server; /* of the last request */
    struct sip_flow flow, reply;
    bool close_at_request; /* the connection that a request comes on is closed at once */
    bool answer;           /* requests are answered with 200 */
};

/* ---- events ---- */

static void node_note(struct node *n, const char *what, uint64_t number, const char *more)
{
    text_str(&n->log, what);
    text_u64(&n->log, number);
    text_str(&n->log, more);
    text_str(&n->log, ", ");
}

static void node_up(void *arg, const struct sip_flow *flow, const struct sip_flow_up *how)
{
    node_note(arg, how->accepted ? "accepted " : "up ", flow->connection, "");
}

static void node_down(void *arg, const struct sip_flow *flow, const struct sip_flow_down *why)
{
    char more[64];
    snprintf(more, sizeof more, " %s%s%s", why->was_up ? "" : "never up: ", why->alert ? "alert " : "", why->reason);
    node_note(arg, "down ", flow->connection, more);
}

static void node_ping(void *arg, const struct sip_flow *flow)
{
    node_note(arg, "ping ", flow->connection, "");
}

static void node_pong(void *arg, const struct sip_flow *flow)
{
    node_note(arg, "pong ", flow->connection, "");
}

static const struct sip_flow_events node_watch = {
    .up = node_up, .down = node_down, .ping = node_ping, .pong = node_pong};

static void node_request(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct node *n = arg;
    n->server = txn;
    n->flow = in->flow;
    n->reply = in->reply;
    text_put(&n->log, in->msg->method_text);
    node_note(n, " on ", in->flow.connection, "");
    if (n->close_at_request)
        sip_transport_close(n->transport, &in->flow);
    if (n->answer)
        sip_txn_reply_status(txn, 200);
}

static void node_ack(void *arg, const struct sip_incoming *in)
{
    node_note(arg, "ACK on ", in->flow.connection, "");
}

static const struct sip_txns_events node_events = {node_request, node_ack};

static void node_response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    (void)txn;
    node_note(arg, "", in->msg->status, "");
}

static void node_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    (void)txn;
    node_note(arg, "failed ", status, "");
}

static void node_ended(void *arg, struct sip_txn *txn)
{
    struct node *n = arg;
    (void)txn;
    text_str(&n->log, "ended, ");
}

static const struct sip_client_events node_client = {node_response, node_failed, node_ended};

/* ---- arranging ---- */

static inline void node_start(struct node *n, const struct sip_transport_config *config)
{
    const struct sip_local tcp = {.transport = SIP_TCP, .at = {RIG_ADDR, 5060}};
    unsigned socket;
    *n = (struct node){.host = rig_new(), .answer = true};
    n->log = text_on(n->log_buf, sizeof n->log_buf);
    assert_int_equal(sip_transport_new(&n->transport, n->host, config), 0);
    assert_int_equal(sip_transport_listen(n->transport, tcp.at, (struct endpoint){0}, &socket), 0);
    assert_int_equal(socket, NODE_UDP);
    assert_int_equal(sip_transport_open(n->transport, &tcp, &socket), 0);
    assert_int_equal(socket, NODE_TCP);
    sip_transport_watch(n->transport, &node_watch, n);
    assert_int_equal(sip_txns_new(&n->txns, n->transport, &(struct sip_timing){0}, &node_events, n), 0);
}

static inline void node_finish(struct node *n)
{
    sip_txns_free(n->txns);
    sip_transport_free(n->transport);
    assert_int_equal(timers_next(&n->host->timers), NEVER);
    assert_int_equal(fake_tcp_open(&n->host->tcp), 0);
    assert_true(text_ok(&n->log));
    rig_free(n->host);
}

/* All that was heard since the last time. */
static inline void node_heard(struct node *n, const char *expected)
{
    rig_run(n->host, n->host->now);
    assert_string_equal(n->log_buf, expected);
    n->log = text_on(n->log_buf, sizeof n->log_buf);
}

/* Connection number `i` of the host, from 0. */
static inline struct host_tcp *node_tcp(struct node *n, unsigned i)
{
    assert_true(i < n->host->tcp.n);
    return &n->host->tcp.connections[i];
}

/* ---- messages ---- */

/* A request to bob with a body of `padding` bytes. */
static inline int node_send(struct node *n, struct sip_flow to, const char *method, size_t padding)
{
    char text[RIG_DATA];
    char body[RIG_DATA] = "";
    struct sip_txn *txn;
    memset(body, 'x', padding);
    snprintf(text, sizeof text,
             "%s sip:bob@example.com SIP/2.0\r\nMax-Forwards: 70\r\n"
             "From: <sip:alice@example.com>;tag=alices\r\nTo: <sip:bob@example.com>\r\nCall-ID: call-2\r\n"
             "CSeq: 7 %s\r\nContact: <sip:alice@192.0.2.1>\r\nContent-Type: text/plain\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             method, method, padding, body);
    return sip_txn_request(n->txns, &to, span_of(text), (struct span){0}, &node_client, n, &txn);
}

static inline struct sip_flow node_to_peer(const struct node *n)
{
    return sip_transport_flow(n->transport, NODE_TCP, RIG_PEER);
}

/* The peer answers the first request that this connection carried since the last time it was forgotten. */
static inline void node_answer(struct node *n, struct host_tcp *c, unsigned status)
{
    struct rig_datagram d = {.n = c->sent_n};
    assert_true(c->sent_n < sizeof d.data);
    memcpy(d.data, c->sent, c->sent_n);
    fake_tcp_receive(c, span_of(rig_response(&d, status, "bobs", "")));
    rig_run(n->host, n->host->now);
}

/* A request that comes by a connection; `via` as for rig_request(). */
static inline void node_receive(struct node *n, struct host_tcp *c, const char *method, const char *via)
{
    fake_tcp_receive(
        c, span_of(rig_request_by("TCP", method, "sip:alice@192.0.2.1", via, "<sip:alice@example.com>", 1, "")));
    rig_run(n->host, n->host->now);
}

/* How often this text was sent by the connection. */
static inline unsigned node_sent(const struct host_tcp *c, const char *text)
{
    unsigned n = 0;
    for (const char *p = c->sent; p && (p = strstr(p, text)) != NULL; p++)
        n++;
    return n;
}

#endif
