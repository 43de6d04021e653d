/* How it works. A datagram is parsed and judged once. A request whose top Via needs `received` or `rport` is written
 * anew with them and parsed again, so that everybody above reads, keeps and copies the finished Via and no further rule
 * about addresses is needed when the response is built. */
#include "nodes/sip/sip_transport.h"

#include "nodes/base/error.h"
#include "nodes/proto/sip_build.h"
#include "nodes/proto/sip_edit.h"
#include "nodes/proto/stun.h"

#include <stdlib.h>

enum { VIA_MAX = 256, TAG_DIGITS = 16 };

struct sip_socket {
    struct sip_transport_layer *layer;
    struct host_udp *udp;
    struct endpoint local, advertised;
    unsigned number;
};

struct sip_transport_layer {
    struct host *host;
    struct sip_transport_config config;
    const struct sip_transport_events *events;
    void *arg;
    struct sip_socket **sockets; /* each at an address of its own: the host keeps a pointer to it */
    unsigned n;
    struct sip_transport_count count;
    sip_transport_stun *stun_heard; /* NULL: STUN is bad SIP */
    void *stun_arg;
};

int sip_transport_new(struct sip_transport_layer **out, struct host *h, const struct sip_transport_config *config)
{
    struct sip_transport_layer *t = calloc(1, sizeof *t);
    if (!t)
        return FE_EMEM;
    t->host = h;
    t->config = *config;
    *out = t;
    return 0;
}

void sip_transport_free(struct sip_transport_layer *t)
{
    if (!t)
        return;
    for (unsigned i = 0; i < t->n; i++) {
        host_udp_close(t->sockets[i]->udp);
        free(t->sockets[i]);
    }
    free(t->sockets);
    free(t);
}

void sip_transport_attach(struct sip_transport_layer *t, const struct sip_transport_events *events, void *arg)
{
    t->events = events;
    t->arg = arg;
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

static void trace(struct sip_transport_layer *t, const char *direction, const struct sip_msg *msg, struct endpoint peer)
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

/* "why: 200 INVITE from 192.0.2.1:5060" */
static void drop(struct sip_transport_layer *t, const char *cause, const char *why, const struct sip_msg *msg,
                 struct endpoint from)
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
        text_str(&what, "datagram");
    text_str(&what, " from ");
    text_endpoint(&what, from);
    host_drop(t->host, cause, text_span(&what));
}

void sip_transport_discard(struct sip_transport_layer *t, const struct sip_incoming *in)
{
    t->count.stray++;
    drop(t, "not-ours", NULL, in->msg, in->flow.remote);
}

/* ---- out ---- */

static int send_bytes(struct sip_transport_layer *t, const struct sip_flow *to, struct span bytes)
{
    int error = host_udp_send(t->sockets[to->socket]->udp, to->remote, 0, bytes);
    if (error)
        t->count.unsent++;
    return error;
}

int sip_transport_send(struct sip_transport_layer *t, const struct sip_flow *to, struct span bytes)
{
    struct sip_msg msg;
    if (sip_parse(bytes, &msg, NULL))
        return FE_ESYNTAX;
    /* Traced before it is sent: what the peer does about it comes later in the trace, in both worlds. */
    trace(t, "out", &msg, to->remote);
    t->count.sent++;
    return send_bytes(t, to, bytes);
}

int sip_transport_add_via(const struct sip_transport_layer *t, unsigned socket, struct span request, struct span branch,
                          struct text *out)
{
    const char *end = memchr(request.p, '\n', request.n);
    if (!end)
        return FE_ESYNTAX;
    size_t line = (size_t)(end - request.p) + 1;
    text_put(out, span_make(request.p, line));
    sip_put_via(out, SIP_UDP, t->sockets[socket]->advertised, branch, t->config.ask_rport);
    text_put(out, span_make(request.p + line, request.n - line));
    return text_ok(out) ? 0 : FE_ERANGE;
}

int sip_transport_send_request(struct sip_transport_layer *t, const struct sip_flow *to, struct span request,
                               struct span branch)
{
    char buf[SIP_BYTES_MAX];
    struct text out = text_on(buf, sizeof buf);
    int error = sip_transport_add_via(t, to->socket, request, branch, &out);
    return error ? error : sip_transport_send(t, to, text_span(&out));
}

int sip_transport_keep_alive(struct sip_transport_layer *t, const struct sip_flow *to)
{
    return send_bytes(t, to, SPAN("\r\n\r\n"));
}

void sip_transport_on_stun(struct sip_transport_layer *t, sip_transport_stun *heard, void *arg)
{
    t->stun_heard = heard;
    t->stun_arg = arg;
}

int sip_transport_send_stun(struct sip_transport_layer *t, const struct sip_flow *to, struct span bytes)
{
    return send_bytes(t, to, bytes);
}

void sip_transport_advertise(struct sip_transport_layer *t, unsigned socket, struct endpoint advertised)
{
    t->sockets[socket]->advertised = advertised;
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

/* `source` goes into the Via unless it has been there before (address 0). */
static void answer(struct sip_transport_layer *t, const struct sip_msg *request, const struct sip_flow *to,
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
    answer(t, in->msg, &in->reply, status, (struct span){0}, (struct endpoint){0});
}

/* ---- in ---- */

/* §18.2.2 and RFC 3581 §4, from the Via as it is after the policy was applied. A sent-by that is a name and was not
 * overruled by `received` cannot be looked up here: the source has to do. */
static struct sip_flow reply_flow(struct sip_flow from, const struct sip_via *via, enum sip_rport policy)
{
    struct sip_flow to = from;
    struct sip_via top = *via;
    if (policy == SIP_RPORT_IGNORE) {
        top.received = (struct span){0};
        top.has_rport = false;
    }
    if (sip_response_target(&top, &to.remote))
        to.remote = from.remote;
    return to;
}

/* Writes the request with the finished Via; false: nothing is to be changed. `params` is memory for the edit. */
static bool finish_via(const struct sip_transport_layer *t, const struct sip_incoming *in, struct text *params,
                       struct text *out)
{
    const struct sip_via *via = &in->core->via;
    struct sip_edit edit;
    if (t->config.rport == SIP_RPORT_IGNORE)
        return false;
    sip_edit_begin(&edit, in->msg);
    if (t->config.rport == SIP_RPORT_FORCE && !via->has_rport) {
        text_str(params, ";received=");
        text_addr(params, in->flow.remote.addr);
        text_str(params, ";rport=");
        text_u64(params, in->flow.remote.port);
        sip_edit_replace(&edit, span_make(via->bytes.p + via->bytes.n, 0), text_span(params));
    } else {
        sip_edit_received(&edit, via, in->flow.remote);
    }
    return edit.splices.n > 0 && sip_edit_write(&edit, out) == 0;
}

static void take_request(struct sip_transport_layer *t, struct sip_incoming *in)
{
    char buf[SIP_BYTES_MAX];
    char params[VIA_MAX];
    struct text finished = text_on(buf, sizeof buf);
    struct text room = text_on(params, sizeof params);
    struct sip_msg msg;
    struct sip_core core;
    if (finish_via(t, in, &room, &finished) && sip_parse(text_span(&finished), &msg, NULL) == 0 &&
        sip_core(&msg, &core, NULL) == 0) {
        in->msg = &msg;
        in->core = &core;
    }
    in->reply = reply_flow(in->flow, &in->core->via, t->config.rport);
    t->events->request(t->arg, in);
}

/* §18.1.2: a response must come back to the sent-by that we wrote. */
static bool via_is_own(const struct sip_transport_layer *t, const struct sip_via *via)
{
    struct endpoint sent_by = {0, via->port ? via->port : SIP_DEFAULT_PORT};
    return addr_parse(via->host, &sent_by.addr) == 0 && sip_transport_is_own(t, sent_by);
}

/* Not SIP, or SIP that breaks its rules: answered when it can be, and dropped. */
static void refuse(struct sip_transport_layer *t, const struct sip_msg *msg, const struct sip_problem *why,
                   const struct sip_flow *from)
{
    struct sip_via via;
    t->count.bad++;
    drop(t, "bad-sip", sip_fault_text(why->fault), msg, from->remote);
    if (why->status == 0)
        return;
    struct sip_flow to = *from;
    if (t->config.rport != SIP_RPORT_FORCE && sip_via_parse(sip_value(msg, SIP_H_VIA), &via) == 0 && !via.has_rport)
        to.remote.port = via.port ? via.port : SIP_DEFAULT_PORT;
    answer(t, msg, &to, why->status, span_of(sip_fault_text(why->fault)), from->remote);
}

static bool is_keep_alive(struct span data)
{
    return span_is(data, "\r\n") || span_is(data, "\r\n\r\n");
}

static void received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct sip_socket *socket = arg;
    struct sip_transport_layer *t = socket->layer;
    struct sip_msg msg;
    struct sip_core core;
    struct sip_problem why = {0};
    struct sip_incoming in = {.msg = &msg, .core = &core, .flow = sip_flow_to(socket->number, from), .ttl = ttl};
    if (is_keep_alive(data)) {
        t->count.keep_alives++;
        return;
    }
    if (t->stun_heard && stun_is(data)) {
        t->stun_heard(t->stun_arg, socket->number, from, data);
        return;
    }
    if (sip_parse(data, &msg, &why)) {
        refuse(t, &msg, &why, &in.flow);
        return;
    }
    trace(t, "in", &msg, from);
    t->count.received++;
    if (sip_check(&msg, &core, &why))
        refuse(t, &msg, &why, &in.flow);
    else if (!t->events)
        sip_transport_discard(t, &in);
    else if (msg.request)
        take_request(t, &in);
    else if (via_is_own(t, &core.via))
        t->events->response(t->arg, &in);
    else
        sip_transport_discard(t, &in);
}

static void refused(void *arg, const struct host_icmp *error)
{
    struct sip_socket *socket = arg;
    struct sip_transport_layer *t = socket->layer;
    t->count.icmp++;
    if (t->config.heed_icmp && t->events && t->events->unreachable)
        t->events->unreachable(t->arg, sip_flow_to(socket->number, error->to));
}

/* ---- sockets ---- */

static int open_socket(struct sip_socket *s, struct endpoint local, struct endpoint advertised)
{
    static const struct host_udp_events events = {.received = received, .refused = refused};
    int error = host_udp_open(s->layer->host, local, &events, s, &s->udp);
    if (error)
        return error;
    s->local = host_udp_local(s->udp);
    s->advertised = advertised.addr ? advertised : s->local;
    if (s->advertised.port == 0)
        s->advertised.port = s->local.port;
    return 0;
}

int sip_transport_listen(struct sip_transport_layer *t, struct endpoint local, struct endpoint advertised,
                         unsigned *socket)
{
    if (local.addr == 0)
        return FE_ERANGE;
    struct sip_socket **grown = realloc(t->sockets, (t->n + 1) * sizeof *grown);
    if (!grown)
        return FE_EMEM;
    t->sockets = grown;
    struct sip_socket *s = calloc(1, sizeof *s);
    if (!s)
        return FE_EMEM;
    s->layer = t;
    s->number = t->n;
    int error = open_socket(s, local, advertised);
    if (error) {
        free(s);
        return error;
    }
    t->sockets[t->n++] = s;
    *socket = s->number;
    return 0;
}
