/* The STUN server: Binding (RFC 8489 §6), and the server's half of NAT behaviour discovery (RFC 5780 §6).
 *
 * With two addresses it has four sockets, address by port; whichever gets a request, CHANGE-REQUEST says which one
 * answers. With one address it is a plain server that says nothing of another one. */
#include "nodes/base/error.h"
#include "nodes/node.h"
#include "nodes/proto/stun.h"

#include <stdlib.h>

enum { SOFTWARE_SIZE = 64, MESSAGE_MAX = 2048 };

struct stun_settings {
    uint32_t port, other_port;
    char software[SOFTWARE_SIZE];
};

struct stun_node;

struct stun_socket {
    struct stun_node *node;
    unsigned addr, port; /* which of two each */
    struct host_udp *udp;
    const struct host_port *at;
};

struct stun_node {
    struct host *host;
    const struct stun_settings *settings;
    struct stun_socket sockets[2][2]; /* by address, by port */
    bool two;                         /* addresses */
};

#define AT(field) OPTION_AT(struct stun_settings, field)

static const struct option stun_options[] = {
    {"port", OPT_COUNT, AT(port), .def = "3478", .min = 1, .max = 65535, .help = "UDP port"},
    {"other port", OPT_COUNT, AT(other_port), .def = "3479", .min = 1, .max = 65535,
     .help = "second UDP port, when it has two addresses (RFC 5780 6)"},
    {"software", OPT_TEXT, AT(software), .def = "farend", .help = "what it calls itself; empty: nothing"},
    {0}};

static const char *const stun_ports[] = {"first", "second", NULL};

/* ---- answers ---- */

static void drop(struct stun_node *node, const char *cause, struct endpoint from)
{
    char buf[64];
    struct text what = text_on(buf, sizeof buf);
    text_str(&what, "datagram from ");
    text_endpoint(&what, from);
    host_drop(node->host, cause, text_span(&what));
}

/* What cannot be sent is lost, and asked for again by the client. */
static void send(const struct stun_socket *s, struct endpoint to, const struct stun_writer *w)
{
    struct span bytes = stun_end(w);
    if (bytes.n)
        (void)host_udp_send(s->udp, to, 0, bytes);
}

static void put_software(const struct stun_node *node, struct stun_writer *w)
{
    struct span name = span_of(node->settings->software);
    if (name.n)
        stun_put_software(w, name);
}

/* RFC 8489 §6.3.1: UNKNOWN-ATTRIBUTES goes with 420 only. */
static void refuse(const struct stun_socket *s, const struct stun_msg *request, struct endpoint to, uint16_t code,
                   struct span reason)
{
    uint8_t room[MESSAGE_MAX];
    struct stun_writer w;
    static const uint16_t change[] = {STUN_CHANGE_REQUEST};
    stun_begin(&w, room, sizeof room, STUN_ERROR, &request->id);
    stun_put_error(&w, code, reason);
    if (request->unknown_n)
        stun_put_unknown(&w, request->unknown, request->unknown_n);
    else if (code == 420)
        stun_put_unknown(&w, change, 1);
    put_software(s->node, &w);
    stun_put_fingerprint(&w);
    send(s, to, &w);
}

/* RFC 5780 §6.1. The other address is the one that the request did not come to. */
static void answer(const struct stun_socket *at, const struct stun_msg *request, struct endpoint from)
{
    uint8_t room[MESSAGE_MAX];
    struct stun_writer w;
    struct stun_node *node = at->node;
    unsigned addr = at->addr ^ (request->change & STUN_CHANGE_ADDR ? 1 : 0);
    unsigned port = at->port ^ (request->change & STUN_CHANGE_PORT ? 1 : 0);
    const struct stun_socket *s = &node->sockets[addr][port];
    struct endpoint to = {from.addr, request->response_port ? request->response_port : from.port};
    stun_begin(&w, room, sizeof room, STUN_SUCCESS, &request->id);
    stun_put_endpoint(&w, STUN_MAPPED_ADDRESS, from);
    stun_put_endpoint(&w, STUN_XOR_MAPPED_ADDRESS, from);
    stun_put_endpoint(&w, STUN_RESPONSE_ORIGIN, host_udp_local(s->udp));
    if (node->two)
        stun_put_endpoint(&w, STUN_OTHER_ADDRESS, host_udp_local(node->sockets[!at->addr][!at->port].udp));
    if (request->padding)
        stun_put_padding(&w, s->at->mtu); /* §7.6: so that the response is a fragmented one */
    put_software(node, &w);
    stun_put_fingerprint(&w);
    send(s, to, &w);
}

static void received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct stun_socket *s = arg;
    struct stun_msg msg;
    (void)ttl;
    if (stun_parse(data, &msg))
        drop(s->node, "bad-stun", from);
    else if (msg.class != STUN_REQUEST || msg.method != STUN_BINDING)
        drop(s->node, "not-ours", from);
    else if (msg.unknown_n || (msg.change && !s->node->two))
        refuse(s, &msg, from, 420, SPAN("Unknown Attribute"));
    else if (msg.response_port && msg.padding) /* RFC 5780 §7.6: no flood of fragments for somebody else's port */
        refuse(s, &msg, from, 400, SPAN("Bad Request"));
    else
        answer(s, &msg, from);
}

/* ---- life ---- */

static void stop(void *arg)
{
    struct stun_node *node = arg;
    for (unsigned i = 0; i < 4; i++)
        if (node->sockets[i / 2][i % 2].udp)
            host_udp_close(node->sockets[i / 2][i % 2].udp);
    free(node);
}

static int open_socket(struct stun_node *node, unsigned addr, unsigned port, const struct host_port *at,
                       struct text *why)
{
    static const struct host_udp_events events = {.received = received};
    const struct stun_settings *s = node->settings;
    struct stun_socket *socket = &node->sockets[addr][port];
    struct endpoint local = {at->addr, (uint16_t)(port ? s->other_port : s->port)};
    *socket = (struct stun_socket){.node = node, .addr = addr, .port = port, .at = at};
    int error = host_udp_open(node->host, local, &events, socket, &socket->udp);
    if (error) {
        text_str(why, "STUN at ");
        text_endpoint(why, local);
        text_str(why, ": ");
        text_str(why, fe_error_text(error));
    }
    return error;
}

static int open_sockets(struct stun_node *node, const struct host_port *first, const struct host_port *second,
                        struct text *why)
{
    int error = open_socket(node, 0, 0, first, why);
    if (!error && second)
        error = open_socket(node, 0, 1, first, why);
    for (unsigned port = 0; !error && second && port < 2; port++)
        error = open_socket(node, 1, port, second, why);
    return error;
}

static int start(struct host *h, const void *settings, void **out, struct text *why)
{
    const struct stun_settings *s = settings;
    const struct host_port *first = host_port(h, "first");
    const struct host_port *second = host_port(h, "second");
    if (!first || (second && s->port == s->other_port)) {
        text_str(why, first ? "port and other port must differ" : "a stun server needs a network: first");
        return FE_ERANGE;
    }
    struct stun_node *node = calloc(1, sizeof *node);
    if (!node)
        return FE_EMEM;
    node->host = h;
    node->settings = s;
    node->two = second != NULL;
    int error = open_sockets(node, first, second, why);
    if (error)
        stop(node);
    else
        *out = node;
    return error;
}

static void command(void *arg, struct span line)
{
    struct stun_node *node = arg;
    struct record *r = host_trace(node->host, "bad-command");
    record_text(r, "line", line);
    record_str(r, "reason", "a stun server understands no commands");
    host_trace_end(node->host);
}

extern const struct node_kind stun_kind;
const struct node_kind stun_kind = {
    .name = "stun",
    .help = "a STUN server; with two addresses, for finding out NATs (RFC 5780)",
    .ports = stun_ports,
    .enough = 1,
    .far = true,
    .options = stun_options,
    .settings_size = sizeof(struct stun_settings),
    .start = start,
    .command = command,
    .stop = stop,
};
