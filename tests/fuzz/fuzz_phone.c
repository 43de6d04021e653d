/* Whatever a phone on UDP and TCP with outbound support hears from its server, it survives and leaves nothing behind.
 * The input is a row of acts, each ended by a byte 0x00; its first byte says what happens:
 *
 *     'u' bytes   a datagram          't' bytes   bytes of the youngest connection      'c'  it comes up
 *     'x'         it is reset         'f'         its peer closes it                    'w'  ten seconds pass
 *     'a' 401 headers                 an answer to the last request that the phone sent by it, with these header lines
 *     '>' command                     its user does something */
#include "nodes/node.h"
#include "nodes/phone/phone_options.h"
#include "nodes/proto/sip_build.h"
#include "tests/sbc/fake_host.h"

extern const struct node_kind phone_kind;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MESSAGE = 8192, ACTS = 200 };

static const struct endpoint local = {IPV4(10, 0, 1, 20), 5060};
static const struct endpoint server = {IPV4(10, 0, 1, 10), 5060};

static struct host_tcp *youngest(struct host *h)
{
    for (unsigned i = h->tcp.n; i > 0; i--)
        if (h->tcp.connections[i - 1].open)
            return &h->tcp.connections[i - 1];
    return NULL;
}

/* The last request in what was sent by the connection; n 0: there is none. */
static struct span last_request(const struct host_tcp *c)
{
    for (size_t at = c->sent_n; at > 0; at--) {
        struct span from = span_make(c->sent + at - 1, c->sent_n - (at - 1));
        if (span_starts(from, SPAN("REGISTER ")) || span_starts(from, SPAN("INVITE ")) ||
            span_starts(from, SPAN("SUBSCRIBE ")) || span_starts(from, SPAN("OPTIONS ")) ||
            span_starts(from, SPAN("BYE ")))
            return from;
    }
    return (struct span){0};
}

static void answer(struct host_tcp *c, struct span what)
{
    char buf[MESSAGE];
    char room[MESSAGE];
    struct text t = text_on(room, sizeof room);
    struct sip_msg m;
    uint64_t status;
    struct span headers;
    struct span request = last_request(c);
    struct span digits = span_cut(what, ' ', &headers);
    if (request.n == 0 || request.n > sizeof buf || span_u64(digits, 699, &status) || status < 100)
        return;
    memcpy(buf, request.p, request.n);
    if (sip_parse(span_make(buf, request.n), &m, NULL))
        return;
    sip_put_response(&t, &m, (unsigned)status, (struct span){0}, SPAN("server"), local);
    text_put(&t, headers);
    text_str(&t, "\r\nContent-Length: 0\r\n\r\n");
    if (text_ok(&t))
        fake_tcp_receive(c, text_span(&t));
}

static void act_on(struct host *h, char what, struct span rest)
{
    struct host_tcp *c = youngest(h);
    if (!c)
        return;
    switch (what) {
    case 't': fake_tcp_receive(c, rest); break;
    case 'c': fake_tcp_connected(c); break;
    case 'x': fake_tcp_failed(c, FE_ERESET); break;
    case 'f': fake_tcp_finished(c); break;
    case 'a': answer(c, rest); break;
    }
}

static void act(struct host *h, void *node, struct span line)
{
    struct span rest = line.n ? span_make(line.p + 1, line.n - 1) : line;
    char what = line.n ? line.p[0] : '\0';
    if (what == 'u')
        (void)fake_deliver(h, server, local, 64, rest);
    else if (what == '>')
        phone_kind.command(node, rest);
    else
        act_on(h, what, rest);
    fake_advance(h, h->now + (what == 'w' ? 10 * SEC : 0));
    h->sent_n = 0;
    h->trace_n = 0;
}

static void set(void *settings, const char *name, const char *value)
{
    if (options_set(phone_options, settings, span_of(name), span_of(value), NULL))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct host *h = fake_new("on", local.addr, NULL, 0);
    void *settings = options_new(phone_options, sizeof(struct phone_settings));
    struct span rest = span_make(data, n);
    void *node;
    set(settings, "line", "101");
    set(settings, "password", "x");
    set(settings, "proxy", "10.0.1.10");
    set(settings, "transport", "udp+tcp");
    set(settings, "message waiting", "yes");
    set(settings, "outbound support", n && data[0] == 'o' ? "yes" : "no");
    if (phone_kind.start(h, settings, &node, NULL))
        abort();
    for (unsigned i = 0; i < ACTS && rest.n && h->tcp.n + 2 < FAKE_CONNECTIONS; i++)
        act(h, node, span_cut(rest, '\0', &rest));
    phone_kind.stop(node);
    if (fake_open_sockets(h) || fake_tcp_open(&h->tcp) || timers_next(&h->timers) != NEVER)
        abort();
    options_free(phone_options, settings);
    fake_free(h);
    return 0;
}
