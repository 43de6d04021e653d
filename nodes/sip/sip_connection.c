/* One connection that carries SIP, from its first SYN or its acceptance to its end.
 *
 *     SIP_CONNECTING --- TCP is up ---> SIP_SECURING --- TLS is up ---> SIP_UP
 *           |                  (TCP alone: at once)                       |
 *           +---- refused, timed out, an alert, closed, reset, idle ------+---> SIP_DOWN ---> told, and freed
 *
 * Its end may be noticed anywhere: in the middle of a message that somebody above still reads, or inside a call from
 * above. So it only becomes SIP_DOWN there, and lets go of the host's connection; a timer of zero length tells the end
 * from the loop and frees. */
#include "nodes/sip/sip_transport_private.h"

#include "nodes/base/error.h"

#include <stdlib.h>

struct sip_waiting {
    struct sip_waiting *next;
    size_t n;
    char bytes[];
};

static struct host *host_of(const struct sip_connection *c)
{
    return c->layer->host;
}

/* ---- trace ---- */

static const char *state_word(const struct sip_connection *c)
{
    switch (c->state) {
    case SIP_CONNECTING:
    case SIP_SECURING: return "connecting";
    case SIP_UP: return "up";
    case SIP_DOWN: return c->end.was_up ? "closed" : "failed";
    }
    return NULL;
}

/* The local port only where it was ours to choose: a free one is the machine's business. */
static void trace(struct sip_connection *c)
{
    struct record *r = host_trace(host_of(c), "flow");
    record_str(r, "state", state_word(c));
    record_text(r, "transport", sip_transport_name(c->flow.transport));
    record_endpoint(r, "remote", c->flow.remote);
    if (c->accepted || c->socket->connect_port)
        record_u64(r, "local", c->accepted ? c->socket->local.port : c->socket->connect_port);
    if (c->state == SIP_DOWN)
        record_str(r, "reason", c->reason);
    host_trace_end(host_of(c));
}

/* ---- states ---- */

static void start_timer(struct sip_connection *c, lab_time after)
{
    host_timer_start(host_of(c), &c->timer, host_now(host_of(c)) + after);
}

/* Trace and timer follow from the state. */
static void set_state(struct sip_connection *c, enum sip_connection_state state)
{
    const struct sip_transport_config *config = &c->layer->config;
    c->state = state;
    switch (state) {
    case SIP_CONNECTING: start_timer(c, config->connect_timeout); break;
    case SIP_SECURING: return; /* under the timer of SIP_CONNECTING, and no news */
    case SIP_UP:
        host_timer_stop(host_of(c), &c->timer);
        if (config->idle_timeout && !c->socket->lasting)
            start_timer(c, config->idle_timeout);
        break;
    case SIP_DOWN: start_timer(c, 0); break;
    }
    trace(c);
}

void sip_connection_end(struct sip_connection *c, int error, const char *reason, bool alert)
{
    if (c->ending)
        return;
    c->ending = true;
    struct text word = text_on(c->reason, sizeof c->reason);
    text_str(&word, reason);
    c->end = (struct sip_flow_down){.was_up = c->state == SIP_UP, .error = error, .reason = c->reason, .alert = alert};
    if (c->tls && c->state == SIP_UP && !c->dead)
        sip_secure_close(c);
    set_state(c, SIP_DOWN);
    if (c->tls)
        sip_secure_fini(c);
    if (c->tcp && c->dead)
        host_tcp_abort(c->tcp);
    else if (c->tcp)
        host_tcp_close(c->tcp);
    c->tcp = NULL;
}

static void drop_waiting(struct sip_connection *c)
{
    while (c->first) {
        struct sip_waiting *w = c->first;
        c->first = w->next;
        c->layer->count.unsent++;
        free(w);
    }
    c->last = NULL;
}

void sip_connection_free(struct sip_connection *c)
{
    host_timer_stop(host_of(c), &c->timer);
    if (c->tls)
        sip_secure_fini(c);
    if (c->tcp)
        host_tcp_close(c->tcp);
    drop_waiting(c);
    sip_stream_fini(&c->in);
    free(c);
}

static void tell_end(struct sip_connection *c)
{
    struct sip_transport_layer *t = c->layer;
    sip_connections_leave(t, c);
    drop_waiting(c);
    if (t->watch->down)
        t->watch->down(t->watch_arg, &c->flow, &c->end);
    if (t->events && t->events->failed)
        t->events->failed(t->arg, c->flow, c->end.error);
    sip_connection_free(c);
}

/* Restarted only here, so that traffic costs nothing. */
static void look_idle(struct sip_connection *c)
{
    lab_time limit = c->layer->config.idle_timeout;
    lab_time idle = host_now(host_of(c)) - c->active;
    if (idle < limit)
        start_timer(c, limit - idle);
    else
        sip_connection_end(c, FE_ERESET, "idle", false);
}

static void fire(void *arg)
{
    struct sip_connection *c = arg;
    switch (c->state) {
    case SIP_CONNECTING:
    case SIP_SECURING: sip_connection_end(c, FE_ETIMEDOUT, "timed-out", false); break;
    case SIP_UP: look_idle(c); break;
    case SIP_DOWN: tell_end(c); break;
    }
}

/* ---- out ---- */

static int transmit(struct sip_connection *c, struct span bytes)
{
    c->active = host_now(host_of(c));
    return c->tls ? sip_secure_send(c, bytes) : host_tcp_send(c->tcp, bytes);
}

/* Traced when it leaves, before it does: what the peer does about it comes later in the trace, in both worlds. */
static int send_now(struct sip_connection *c, struct span bytes)
{
    struct sip_msg msg;
    if (sip_parse(bytes, &msg, NULL) == 0)
        sip_transport_trace(c->layer, "out", &msg, c->flow.remote);
    int error = transmit(c, bytes);
    if (error)
        c->layer->count.unsent++;
    else
        c->layer->count.sent++;
    return error;
}

static int wait(struct sip_connection *c, struct span bytes)
{
    struct sip_waiting *w = malloc(sizeof *w + bytes.n);
    if (!w)
        return FE_EMEM;
    w->next = NULL;
    w->n = bytes.n;
    memcpy(w->bytes, bytes.p, bytes.n);
    if (c->last)
        c->last->next = w;
    else
        c->first = w;
    c->last = w;
    return 0;
}

static void send_waiting(struct sip_connection *c)
{
    while (c->state == SIP_UP && c->first) {
        struct sip_waiting *w = c->first;
        c->first = w->next;
        if (!c->first)
            c->last = NULL;
        (void)send_now(c, span_make(w->bytes, w->n)); /* counted */
        free(w);
    }
}

int sip_connection_send(struct sip_connection *c, struct span bytes)
{
    switch (c->state) {
    case SIP_CONNECTING:
    case SIP_SECURING: return wait(c, bytes);
    case SIP_UP: return send_now(c, bytes);
    case SIP_DOWN: break;
    }
    return FE_ERESET;
}

int sip_connection_ping(struct sip_connection *c)
{
    if (c->state != SIP_UP)
        return c->state == SIP_DOWN ? FE_ERESET : FE_EAGAIN;
    int error = transmit(c, SPAN("\r\n\r\n"));
    if (!error)
        c->pongs_due++;
    return error;
}

/* ---- in ---- */

static void take_ping(struct sip_connection *c)
{
    struct sip_transport_layer *t = c->layer;
    t->count.keep_alives++;
    if (!t->config.no_pong)
        (void)transmit(c, SPAN("\r\n")); /* one that is lost is the peer's proof of it */
    if (t->watch->ping)
        t->watch->ping(t->watch_arg, &c->flow);
}

static void take_pong(struct sip_connection *c)
{
    struct sip_transport_layer *t = c->layer;
    c->pongs_due--;
    t->count.pongs++;
    if (t->watch->pong)
        t->watch->pong(t->watch_arg, &c->flow);
}

/* §18.3: where the next message begins is not known any more. */
static void give_up_framing(struct sip_connection *c, int error, const struct sip_msg *msg,
                            const struct sip_problem *why)
{
    struct sip_transport_layer *t = c->layer;
    if (why->fault) {
        sip_arrival_refuse(t, msg, why, &c->flow);
    } else {
        t->count.bad++;
        sip_transport_drop(t, "bad-sip", error == FE_ERANGE ? "the message is too long" : "not SIP", NULL, &c->flow);
    }
    sip_connection_end(c, FE_ERESET, "bad-sip", false);
}

void sip_connection_take(struct sip_connection *c, struct span plaintext)
{
    struct sip_msg msg;
    struct sip_problem why;
    int event = SIP_STREAM_MORE;
    c->active = host_now(host_of(c));
    /* Whoever is told of a message may end the connection. */
    while (c->state == SIP_UP && (event = sip_stream_next(&c->in, &plaintext, c->pongs_due > 0, &msg, &why)) > 0)
        switch ((enum sip_stream_event)event) {
        case SIP_STREAM_MORE: break;
        case SIP_STREAM_MESSAGE: sip_arrival_take(c->layer, &msg, &why, c->flow, 0); break;
        case SIP_STREAM_PING: take_ping(c); break;
        case SIP_STREAM_PONG: take_pong(c); break;
        }
    if (c->state == SIP_UP && event < 0)
        give_up_framing(c, event, &msg, &why);
}

/* ---- what the host says ---- */

void sip_connection_establish(struct sip_connection *c, const struct tls_established *tls)
{
    struct sip_transport_layer *t = c->layer;
    struct sip_flow_up how = {.accepted = c->accepted, .tls = tls};
    c->active = host_now(host_of(c));
    t->count.connections++;
    set_state(c, SIP_UP);
    send_waiting(c);
    if (t->watch->up)
        t->watch->up(t->watch_arg, &c->flow, &how);
}

/* TCP is there. */
static void secure(struct sip_connection *c)
{
    if (!c->tls) {
        sip_connection_establish(c, NULL);
        return;
    }
    set_state(c, SIP_SECURING);
    sip_secure_start(c);
}

static void connected(void *arg)
{
    secure(arg);
}

static void received(void *arg, struct span data)
{
    struct sip_connection *c = arg;
    if (c->tls)
        sip_secure_input(c, data);
    else
        sip_connection_take(c, data);
}

static void finished(void *arg)
{
    sip_connection_end(arg, FE_ERESET, "closed", false);
}

static const char *error_word(int error)
{
    switch (error) {
    case FE_EREFUSED: return "refused";
    case FE_ETIMEDOUT: return "timed-out";
    case FE_EUNREACH: return "unreachable";
    default: return "reset";
    }
}

static void failed(void *arg, int error)
{
    struct sip_connection *c = arg;
    host_tcp_close(c->tcp);
    c->tcp = NULL;
    sip_connection_end(c, error, error_word(error), false);
}

static const struct host_tcp_events tcp_events = {
    .connected = connected,
    .received = received,
    .finished = finished,
    .failed = failed,
};

/* ---- beginnings ---- */

static struct sip_connection *new_connection(struct sip_socket *s, struct endpoint remote)
{
    struct sip_connection *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->layer = s->layer;
    c->socket = s;
    c->flow = (struct sip_flow){.transport = s->transport, .socket = s->number, .remote = remote};
    sip_stream_init(&c->in, s->layer->config.largest);
    timer_init(&c->timer, fire, c);
    if (sip_connections_enter(s->layer, c)) {
        free(c);
        return NULL;
    }
    return c;
}

static int connect_from(struct sip_connection *c, struct span peer)
{
    struct sip_socket *s = c->layer->sockets[c->flow.socket];
    struct endpoint local = {s->local.addr, s->connect_port};
    int error = s->transport == SIP_TLS ? sip_secure_init(c, s->client, peer) : 0;
    return error ? error : host_tcp_connect(host_of(c), local, c->flow.remote, &tcp_events, c, &c->tcp);
}

int sip_connection_open(struct sip_socket *s, struct endpoint remote, struct span peer, struct sip_connection **out)
{
    if (s->passive || (s->transport == SIP_TLS && !s->client))
        return FE_EUNREACH;
    struct sip_connection *c = new_connection(s, remote);
    if (!c)
        return FE_EMEM;
    int error = connect_from(c, peer);
    if (error) {
        sip_connections_leave(s->layer, c);
        sip_connection_free(c);
        return error;
    }
    set_state(c, SIP_CONNECTING);
    *out = c;
    return 0;
}

void sip_connection_accept(struct sip_socket *s, struct host_tcp *tcp, struct endpoint remote)
{
    struct sip_connection *c = new_connection(s, remote);
    if (!c)
        return;
    c->accepted = true;
    if (s->transport == SIP_TLS && sip_secure_init(c, s->server, (struct span){0})) {
        sip_connections_leave(s->layer, c);
        sip_connection_free(c);
        return;
    }
    c->tcp = tcp;
    host_tcp_own(tcp, &tcp_events, c);
    start_timer(c, s->layer->config.connect_timeout);
    secure(c);
}
