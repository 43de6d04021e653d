/* The layer and its sockets, and what goes out. A message that a stream carries finds its connection here: the one that
 * its flow names, or the one that leads there (sip_connections.c). */
#include "nodes/sip/sip_transport_private.h"

#include "nodes/base/error.h"
#include "nodes/proto/sip_build.h"

#include <assert.h>
#include <stdlib.h>

enum { TAG_DIGITS = 16 };

/* §18.1.1 */
enum { SIZE_MAX_UDP = 1300, BELOW_MTU = 200 };

static const struct sip_flow_events no_watch;

int sip_transport_new(struct sip_transport_layer **out, struct host *h, const struct sip_transport_config *config)
{
    struct sip_transport_layer *t = calloc(1, sizeof *t);
    if (!t)
        return FE_EMEM;
    t->host = h;
    t->config = *config;
    t->watch = &no_watch;
    if (t->config.connect_timeout == 0)
        t->config.connect_timeout = SIP_STREAM_TIMEOUT;
    if (t->config.largest == 0 || t->config.largest > SIP_STREAM_MAX)
        t->config.largest = SIP_STREAM_MAX;
    *out = t;
    return 0;
}

void sip_transport_attach(struct sip_transport_layer *t, const struct sip_transport_events *events, void *arg)
{
    t->events = events;
    t->arg = arg;
}

void sip_transport_watch(struct sip_transport_layer *t, const struct sip_flow_events *events, void *arg)
{
    t->watch = events ? events : &no_watch;
    t->watch_arg = arg;
}

const struct sip_transport_count *sip_transport_counts(const struct sip_transport_layer *t)
{
    return &t->count;
}

struct host *sip_transport_host(const struct sip_transport_layer *t)
{
    return t->host;
}

/* ---- trace ---- */

void sip_transport_describe(struct text *t, const struct sip_msg *msg)
{
    if (!msg->request) {
        text_u64(t, msg->status);
        text_char(t, ' ');
    }
    text_put(t, msg->method_text);
}

void sip_transport_trace(struct sip_transport_layer *t, const char *direction, const struct sip_msg *msg,
                         struct endpoint peer)
{
    char buf[128];
    struct text what = text_on(buf, sizeof buf);
    struct sip_cseq cseq = {0};
    sip_transport_describe(&what, msg);
    struct record *r = host_trace(t->host, "sip");
    record_str(r, "dir", direction);
    record_text(r, "msg", text_span(&what));
    record_endpoint(r, "peer", peer);
    record_text(r, "call_id", sip_value(msg, SIP_H_CALL_ID));
    if (sip_cseq_parse(sip_value(msg, SIP_H_CSEQ), &cseq) == 0)
        record_u64(r, "cseq", cseq.number);
    host_trace_end(t->host);
}

void sip_transport_drop(struct sip_transport_layer *t, const char *cause, const char *why, const struct sip_msg *msg,
                        const struct sip_flow *from)
{
    char buf[256];
    struct text what = text_on(buf, sizeof buf);
    if (why) {
        text_str(&what, why);
        text_str(&what, ": ");
    }
    if (msg && msg->method_text.n)
        sip_transport_describe(&what, msg);
    else
        text_str(&what, sip_flow_is_reliable(*from) ? "stream" : "datagram");
    text_str(&what, " from ");
    text_endpoint(&what, from->remote);
    host_drop(t->host, cause, text_span(&what));
}

void sip_transport_discard(struct sip_transport_layer *t, const struct sip_incoming *in)
{
    t->count.stray++;
    sip_transport_drop(t, "not-ours", NULL, in->msg, &in->flow);
}

/* ---- sockets ---- */

static int open_socket(struct sip_socket *s, const struct sip_local *local)
{
    s->transport = local->transport;
    s->local = local->at;
    s->connect_port = local->connect_port;
    s->server = local->server;
    s->client = local->client;
    s->lasting = local->lasting;
    s->passive = local->passive;
    s->admits = local->admits;
    s->admits_arg = local->admits_arg;
    if (s->transport == SIP_UDP)
        return sip_udp_open(s);
    if (s->local.port == 0)
        s->local.port = sip_transport_port(s->transport);
    return local->deaf ? 0 : sip_connections_listen(s);
}

int sip_transport_open(struct sip_transport_layer *t, const struct sip_local *local, unsigned *socket)
{
    if (local->at.addr == 0)
        return FE_ERANGE;
    assert(local->transport == SIP_UDP || local->transport == SIP_TCP || local->transport == SIP_TLS);
    assert(local->transport != SIP_TLS || local->deaf || local->server);
    struct sip_socket **grown = realloc(t->sockets, (t->n + 1) * sizeof *grown);
    if (!grown)
        return FE_EMEM;
    t->sockets = grown;
    struct sip_socket *s = calloc(1, sizeof *s);
    if (!s)
        return FE_EMEM;
    s->layer = t;
    s->number = t->n;
    int error = open_socket(s, local);
    if (error) {
        free(s);
        return error;
    }
    t->sockets[t->n++] = s;
    sip_transport_advertise(t, s->number, local->advertised.addr ? local->advertised : s->local);
    *socket = s->number;
    return 0;
}

int sip_transport_listen(struct sip_transport_layer *t, struct endpoint local, struct endpoint advertised,
                         unsigned *socket)
{
    const struct sip_local udp = {.transport = SIP_UDP, .at = local, .advertised = advertised};
    return sip_transport_open(t, &udp, socket);
}

static void close_socket(struct sip_socket *s)
{
    if (s->transport == SIP_UDP)
        sip_udp_close(s);
    else
        sip_connections_close_listener(s);
    free(s);
}

void sip_transport_free(struct sip_transport_layer *t)
{
    if (!t)
        return;
    sip_connections_fini(t);
    for (unsigned i = 0; i < t->n; i++)
        close_socket(t->sockets[i]);
    free(t->sockets);
    free(t);
}

void sip_transport_set_tls(struct sip_transport_layer *t, unsigned socket, struct tls_context *server,
                           struct tls_context *client)
{
    t->sockets[socket]->server = server;
    t->sockets[socket]->client = client;
}

void sip_transport_advertise(struct sip_transport_layer *t, unsigned socket, struct endpoint advertised)
{
    struct sip_socket *s = t->sockets[socket];
    s->advertised = advertised;
    if (advertised.port == 0)
        s->advertised.port = s->local.port;
}

enum sip_transport sip_transport_of(const struct sip_transport_layer *t, unsigned socket)
{
    return t->sockets[socket]->transport;
}

struct endpoint sip_transport_local(const struct sip_transport_layer *t, unsigned socket)
{
    return t->sockets[socket]->local;
}

struct endpoint sip_transport_advertised(const struct sip_transport_layer *t, unsigned socket)
{
    return t->sockets[socket]->advertised;
}

bool sip_transport_is_own(const struct sip_transport_layer *t, struct endpoint e)
{
    for (unsigned i = 0; i < t->n; i++)
        if (endpoint_equal(e, t->sockets[i]->local) || endpoint_equal(e, t->sockets[i]->advertised))
            return true;
    return false;
}

bool sip_transport_sibling(const struct sip_transport_layer *t, unsigned beside, enum sip_transport transport,
                           unsigned *socket)
{
    for (unsigned i = 0; i < t->n; i++)
        if (t->sockets[i]->transport == transport && t->sockets[i]->local.addr == t->sockets[beside]->local.addr) {
            *socket = i;
            return true;
        }
    return false;
}

/* ---- flows ---- */

struct sip_flow sip_transport_flow(const struct sip_transport_layer *t, unsigned socket, struct endpoint remote)
{
    return (struct sip_flow){.transport = t->sockets[socket]->transport, .socket = socket, .remote = remote};
}

bool sip_transport_route(const struct sip_transport_layer *t, unsigned from, struct span uri, struct sip_flow *out)
{
    struct sip_uri parsed;
    struct endpoint at;
    unsigned socket = from;
    if (sip_uri_parse(uri, &parsed) || sip_uri_endpoint(&parsed, &at))
        return false;
    enum sip_transport wanted = sip_uri_transport(&parsed);
    if (wanted != t->sockets[from]->transport)
        (void)sip_transport_sibling(t, from, wanted, &socket); /* none: from where one is */
    *out = sip_transport_flow(t, socket, at);
    return true;
}

/* The most that UDP may carry from here. The MTU of the own interface is all that is known of the path's. */
static size_t largest_on_udp(const struct sip_transport_layer *t, ipv4 local)
{
    const struct host_port *port;
    for (unsigned i = 0; (port = host_port_at(t->host, i)) != NULL; i++)
        if (port->addr == local && port->mtu > BELOW_MTU && port->mtu - BELOW_MTU < SIZE_MAX_UDP)
            return (size_t)port->mtu - BELOW_MTU;
    return SIZE_MAX_UDP;
}

/* §18.1.1. TCP that cannot even be tried leaves the request to UDP. */
static void choose_by_size(struct sip_transport_layer *t, struct sip_flow *flow, size_t bytes)
{
    struct sip_flow tcp = {.transport = SIP_TCP, .remote = flow->remote};
    if (!sip_transport_sibling(t, flow->socket, SIP_TCP, &tcp.socket) ||
        bytes <= largest_on_udp(t, t->sockets[flow->socket]->local.addr))
        return;
    if (sip_connections_bind(t, &tcp) == 0)
        *flow = tcp;
}

int sip_transport_choose(struct sip_transport_layer *t, struct sip_flow *flow, size_t bytes)
{
    if (sip_flow_is_reliable(*flow))
        return sip_connections_bind(t, flow);
    choose_by_size(t, flow, bytes);
    return 0;
}

int sip_transport_connect(struct sip_transport_layer *t, struct sip_flow *flow, struct span peer)
{
    assert(sip_flow_is_reliable(*flow));
    return sip_connections_open(t, flow, peer);
}

bool sip_transport_is_alive(const struct sip_transport_layer *t, const struct sip_flow *flow)
{
    return flow->connection == 0 || sip_connections_find(t, flow->connection) != NULL;
}

bool sip_transport_is_up(const struct sip_transport_layer *t, const struct sip_flow *flow)
{
    if (!sip_flow_is_reliable(*flow))
        return true;
    const struct sip_connection *c = sip_connections_find(t, flow->connection);
    return c && c->state == SIP_UP;
}

void sip_transport_close(struct sip_transport_layer *t, const struct sip_flow *flow)
{
    struct sip_connection *c = sip_connections_find(t, flow->connection);
    if (c)
        sip_connection_end(c, FE_ERESET, "local", false);
}

void sip_transport_abort(struct sip_transport_layer *t, const struct sip_flow *flow)
{
    struct sip_connection *c = sip_connections_find(t, flow->connection);
    if (!c)
        return;
    c->dead = true;
    sip_connection_end(c, FE_ERESET, "local", false);
}

int sip_transport_keep_alive(struct sip_transport_layer *t, const struct sip_flow *to)
{
    if (!sip_flow_is_reliable(*to))
        return sip_udp_send(t->sockets[to->socket], to->remote, SPAN("\r\n\r\n"));
    struct sip_connection *c = sip_connections_find(t, to->connection);
    return c ? sip_connection_ping(c) : FE_ERESET;
}

/* ---- messages ---- */

/* A response may leave by another connection than its request came by; a request goes by the one that was meant. */
static int send_on_stream(struct sip_transport_layer *t, const struct sip_flow *to, bool response, struct span bytes)
{
    struct sip_flow flow = *to;
    if (response && !sip_connections_find(t, flow.connection))
        flow.connection = 0;
    int error = sip_connections_bind(t, &flow);
    if (error) {
        t->count.unsent++;
        return error;
    }
    return sip_connection_send(sip_connections_find(t, flow.connection), bytes);
}

int sip_transport_send(struct sip_transport_layer *t, const struct sip_flow *to, struct span bytes)
{
    struct sip_msg msg;
    if (sip_parse(bytes, &msg, NULL))
        return FE_ESYNTAX;
    if (sip_flow_is_reliable(*to))
        return send_on_stream(t, to, !msg.request, bytes);
    /* Traced before it is sent: what the peer does about it comes later in the trace, in both worlds. */
    sip_transport_trace(t, "out", &msg, to->remote);
    t->count.sent++;
    return sip_udp_send(t->sockets[to->socket], to->remote, bytes);
}

static void put_via(const struct sip_transport_layer *t, unsigned socket, struct span request, struct span branch,
                    struct text *out)
{
    const struct sip_socket *s = t->sockets[socket];
    bool alias = t->config.alias && s->transport != SIP_UDP;
    bool keep = t->config.keep && span_starts(request, SPAN("REGISTER "));
    sip_put_via(out, s->transport, s->advertised, branch, t->config.ask_rport, alias, keep);
}

int sip_transport_add_via(const struct sip_transport_layer *t, unsigned socket, struct span request, struct span branch,
                          struct text *out)
{
    const char *end = memchr(request.p, '\n', request.n);
    if (!end)
        return FE_ESYNTAX;
    size_t line = (size_t)(end - request.p) + 1;
    text_put(out, span_make(request.p, line));
    put_via(t, socket, request, branch, out);
    text_put(out, span_make(request.p + line, request.n - line));
    return text_ok(out) ? 0 : FE_ERANGE;
}

int sip_transport_prepare(struct sip_transport_layer *t, struct sip_flow *flow, struct span request, struct span branch,
                          struct text *out)
{
    struct text begun = *out;
    unsigned socket = flow->socket;
    int error = sip_transport_add_via(t, socket, request, branch, out);
    if (error)
        return error;
    (void)sip_transport_choose(t, flow, out->n - begun.n);
    if (flow->socket == socket)
        return 0;
    *out = begun;
    return sip_transport_add_via(t, flow->socket, request, branch, out);
}

int sip_transport_send_request(struct sip_transport_layer *t, const struct sip_flow *to, struct span request,
                               struct span branch)
{
    char buf[SIP_BYTES_MAX];
    struct text out = text_on(buf, sizeof buf);
    struct sip_flow flow = *to;
    int error = sip_transport_prepare(t, &flow, request, branch, &out);
    return error ? error : sip_transport_send(t, &flow, text_span(&out));
}

void sip_transport_on_stun(struct sip_transport_layer *t, sip_transport_stun *heard, void *arg)
{
    t->stun_heard = heard;
    t->stun_arg = arg;
}

int sip_transport_send_stun(struct sip_transport_layer *t, const struct sip_flow *to, struct span bytes)
{
    return sip_udp_send(t->sockets[to->socket], to->remote, bytes);
}

/* A tag that needs no memory: the same for every copy of the request (§8.2.7). */
static struct span stateless_tag(const struct sip_msg *msg, char digits[TAG_DIGITS + 1])
{
    uint64_t hash = span_hash(sip_value(msg, SIP_H_CALL_ID)) * 31 + span_hash(sip_value(msg, SIP_H_FROM));
    struct text t = text_on(digits, TAG_DIGITS + 1);
    uint8_t bytes[TAG_DIGITS / 2];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(hash >> (8 * i));
    text_hex(&t, bytes, sizeof bytes);
    return text_span(&t);
}

void sip_transport_answer(struct sip_transport_layer *t, const struct sip_msg *request, const struct sip_flow *to,
                          unsigned status, struct span reason, struct endpoint source)
{
    char buf[SIP_BYTES_MAX];
    char tag[TAG_DIGITS + 1];
    struct text out = text_on(buf, sizeof buf);
    if (request->method == SIP_ACK)
        return;
    sip_put_response(&out, request, status, reason, stateless_tag(request, tag), source);
    sip_put_end(&out);
    if (text_ok(&out))
        sip_transport_send(t, to, text_span(&out));
}

void sip_transport_reply(struct sip_transport_layer *t, const struct sip_incoming *in, unsigned status)
{
    sip_transport_answer(t, in->msg, &in->reply, status, (struct span){0}, (struct endpoint){0});
}
