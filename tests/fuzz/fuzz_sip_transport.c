/* Any bytes as what a peer sends on a connection that it opened, in portions that the first byte chooses, to a
 * transport layer with transactions that answer every request. One step in five pings, sends a request, closes, or lets
 * time go by; in the end nothing is left over. */
#include "nodes/sip/sip_txn.h"
#include "tests/sbc/fake_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NODE ((struct endpoint){IPV4(192, 0, 2, 1), 5060})
#define PEER ((struct endpoint){IPV4(192, 0, 2, 9), 40000})

enum { PORTION_MAX = 64 };

static const char options[] =
    "OPTIONS sip:b@example.com SIP/2.0\r\nMax-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=a\r\n"
    "To: <sip:b@example.com>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

struct node {
    struct host *host;
    struct sip_transport_layer *transport;
    struct sip_txns *txns;
    unsigned socket;
    struct sip_flow flow; /* of the peer's connection */
};

static void must(bool what)
{
    if (!what)
        abort();
}

static void on_up(void *arg, const struct sip_flow *flow, const struct sip_flow_up *how)
{
    struct node *n = arg;
    if (how->accepted)
        n->flow = *flow;
}

static void on_request(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    (void)arg;
    (void)in;
    sip_txn_reply_status(txn, 200);
}

static void on_ack(void *arg, const struct sip_incoming *in)
{
    (void)arg;
    (void)in;
}

static void start(struct node *n)
{
    static const struct sip_flow_events watch = {.up = on_up};
    static const struct sip_txns_events events = {on_request, on_ack};
    const struct sip_transport_config config = {.alias = true, .idle_timeout = MINUTE, .largest = 4096};
    const struct sip_local local = {.transport = SIP_TCP, .at = NODE};
    *n = (struct node){.host = fake_new("on", NODE.addr, NULL, 0)};
    must(n->host != NULL);
    must(sip_transport_new(&n->transport, n->host, &config) == 0);
    must(sip_transport_open(n->transport, &local, &n->socket) == 0);
    sip_transport_watch(n->transport, &watch, n);
    must(sip_txns_new(&n->txns, n->transport, &(struct sip_timing){0}, &events, n) == 0);
}

static void finish(struct node *n)
{
    sip_txns_free(n->txns);
    sip_transport_free(n->transport);
    must(timers_next(&n->host->timers) == NEVER);
    must(fake_tcp_open(&n->host->tcp) == 0);
    fake_free(n->host);
}

static void disturb(struct node *n, unsigned step)
{
    struct sip_txn *txn;
    switch (step % 20) {
    case 4: (void)sip_transport_keep_alive(n->transport, &n->flow); break;
    case 9: (void)sip_txn_request(n->txns, &n->flow, SPAN(options), (struct span){0}, NULL, NULL, &txn); break;
    case 14: fake_advance(n->host, n->host->now + 10 * SEC); break;
    case 19:
        if (step > 100)
            sip_transport_close(n->transport, &n->flow);
        break;
    default: break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct node n;
    if (size < 1 || size > 8192)
        return 0;
    start(&n);
    struct host_tcp *c = fake_tcp_accept(n.host, NODE.port, PEER);
    size_t most = data[0] % 2 ? 1u + data[0] % PORTION_MAX : size;
    must(c != NULL);
    for (size_t at = 1, step = 0; at < size && c->open; step++) {
        size_t part = size - at < most ? size - at : most;
        fake_tcp_receive(c, span_make(data + at, part));
        at += part;
        disturb(&n, (unsigned)step);
        fake_advance(n.host, n.host->now);
    }
    if (c->open)
        fake_tcp_finished(c);
    fake_advance(n.host, n.host->now + 2 * MINUTE);
    finish(&n);
    return 0;
}
