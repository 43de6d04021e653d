/* Whatever arrives at an SBC's SIP ports, it survives and leaves nothing behind. The input is a row of pieces, each
 * ended by a byte 0x00; the first character of a piece says what the rest is: 'i' a datagram from the PBX, 'r' what the
 * PBX adds to its answer to the last request that it was sent (status line, then further headers and body), 't' bytes
 * of a phone on TCP, 'x' that phone closes its connection, 'w' some time passes, else a datagram from the phone. */
#include "nodes/node.h"
#include "tests/sbc/fake_host.h"

extern const struct node_kind sbc_kind;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct endpoint outside = {IPV4(203, 0, 113, 10), 5060};
static const struct endpoint inside = {IPV4(10, 0, 1, 2), 5060};
static const struct endpoint phone = {IPV4(203, 0, 113, 7), 40000};
static const struct endpoint pbx = {IPV4(10, 0, 1, 10), 5060};

static bool is_copied(struct span line)
{
    static const char *const names[] = {"Via:", "From:", "To:", "Call-ID:", "CSeq:", "Record-Route:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_starts(line, span_of(names[i])))
            return true;
    return false;
}

/* The head of an answer to the last message that went to the PBX: the lines that every response copies (RFC 3261
 * §8.2.6.2), each with its line end. */
static void answer_last(struct host *h, struct span own)
{
    char buf[2 * FAKE_DATA];
    struct text t = text_on(buf, sizeof buf);
    struct span rest;
    size_t i = h->sent_n < FAKE_SENT ? h->sent_n : FAKE_SENT;
    while (i > 0 && !endpoint_equal(h->sent[i - 1].to, pbx))
        i--;
    if (i == 0)
        return;
    text_put(&t, span_cut(own, '\n', &own));
    text_str(&t, "\n");
    rest = span_make(h->sent[i - 1].data, h->sent[i - 1].n);
    while (rest.n) {
        struct span line = span_cut(rest, '\n', &rest);
        if (is_copied(line)) {
            text_put(&t, line);
            text_str(&t, "\n");
        }
    }
    text_put(&t, own);
    if (text_ok(&t))
        fake_deliver(h, pbx, inside, 64, text_span(&t));
}

/* The phone on TCP has one connection at a time. */
static struct host_tcp *connection(struct host *h)
{
    struct host_tcp *c = h->tcp.n ? &h->tcp.connections[h->tcp.n - 1] : NULL;
    if (c && c->open)
        return c;
    return h->tcp.n < FAKE_CONNECTIONS ? fake_tcp_accept(h, 5060, phone) : NULL;
}

static void close_connection(struct host *h)
{
    struct host_tcp *c = connection(h);
    if (c)
        fake_tcp_finished(c);
    fake_advance(h, h->now);
}

static void stream(struct host *h, struct span bytes)
{
    struct host_tcp *c = connection(h);
    if (c)
        fake_tcp_receive(c, bytes);
    fake_advance(h, h->now);
}

static void piece(struct host *h, struct span text)
{
    struct span rest = span_make(text.p + 1, text.n - 1);
    switch (text.p[0]) {
    case 'r': answer_last(h, rest); break;
    case 't': stream(h, rest); break;
    case 'x': close_connection(h); break;
    case 'w': fake_advance(h, h->now + 20 * SEC); break;
    case 'i': fake_deliver(h, pbx, inside, 64, rest); break;
    default: fake_deliver(h, phone, outside, 64, rest); break;
    }
    h->trace_n = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct host *h = fake_new("outside", outside.addr, "inside", inside.addr);
    void *settings = options_new(sbc_kind.options, sbc_kind.settings_size);
    struct span rest = span_make(data, n);
    void *node;
    if (options_set(sbc_kind.options, settings, SPAN("pbx"), SPAN("10.0.1.10"), NULL) ||
        options_set(sbc_kind.options, settings, SPAN("ports.5060.transport"), SPAN("udp+tcp"), NULL) ||
        options_set(sbc_kind.options, settings, SPAN("flow timer"), SPAN("30s"), NULL) ||
        sbc_kind.start(h, settings, &node, NULL))
        abort();
    while (rest.n) {
        struct span text = span_cut(rest, '\0', &rest);
        if (text.n)
            piece(h, text);
    }
    fake_advance(h, h->now + 100 * SEC);
    sbc_kind.stop(node);
    if (fake_open_sockets(h) || timers_next(&h->timers) != NEVER)
        abort();
    options_free(sbc_kind.options, settings);
    fake_free(h);
    return 0;
}
