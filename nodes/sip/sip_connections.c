/* Which connection leads where (RFC 3261 §18, RFC 5923): the table of the living ones, and the sockets that take new
 * ones in. Serial numbers only grow, so the table is ordered by them as it fills. */
#include "nodes/sip/sip_transport_private.h"

#include "nodes/base/error.h"

#include <stdlib.h>

enum { FIRST_CONNECTIONS = 8, NAME_MAX = 256 };

/* ---- the table ---- */

int sip_connections_enter(struct sip_transport_layer *t, struct sip_connection *c)
{
    struct sip_connections *set = &t->connections;
    if (set->n == set->cap) {
        size_t cap = set->cap ? 2 * set->cap : FIRST_CONNECTIONS;
        struct sip_connection **grown = realloc(set->all, cap * sizeof(struct sip_connection *));
        if (!grown)
            return FE_EMEM;
        set->all = grown;
        set->cap = cap;
    }
    c->flow.connection = ++set->serials;
    set->all[set->n++] = c;
    return 0;
}

/* Its place, or where it would be. */
static size_t place(const struct sip_connections *set, uint64_t serial)
{
    size_t low = 0;
    size_t high = set->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->all[middle]->flow.connection < serial)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void sip_connections_leave(struct sip_transport_layer *t, struct sip_connection *c)
{
    struct sip_connections *set = &t->connections;
    size_t at = place(set, c->flow.connection);
    memmove(set->all + at, set->all + at + 1, (set->n - at - 1) * sizeof(struct sip_connection *));
    set->n--;
}

struct sip_connection *sip_connections_find(const struct sip_transport_layer *t, uint64_t serial)
{
    const struct sip_connections *set = &t->connections;
    size_t at = place(set, serial);
    if (at == set->n || set->all[at]->flow.connection != serial || set->all[at]->state == SIP_DOWN)
        return NULL;
    return set->all[at];
}

static bool leads_to(const struct sip_connection *c, const struct sip_flow *flow)
{
    return c->state != SIP_DOWN && c->flow.socket == flow->socket &&
           (endpoint_equal(c->flow.remote, flow->remote) || (c->alias.port && endpoint_equal(c->alias, flow->remote)));
}

/* The youngest: of two from the same peer, the older one may be dead and not know it. */
static struct sip_connection *find_leading(const struct sip_transport_layer *t, const struct sip_flow *flow)
{
    for (size_t i = t->connections.n; i > 0; i--)
        if (leads_to(t->connections.all[i - 1], flow))
            return t->connections.all[i - 1];
    return NULL;
}

void sip_connections_fini(struct sip_transport_layer *t)
{
    for (size_t i = 0; i < t->connections.n; i++)
        sip_connection_free(t->connections.all[i]);
    free(t->connections.all);
}

/* ---- opening ---- */

/* Whom TLS is to verify, when nobody said so with the connection. */
static struct span peer_name(struct sip_transport_layer *t, const struct sip_flow *flow, struct text *name)
{
    if (t->watch->name)
        t->watch->name(t->watch_arg, flow, name);
    if (name->n == 0)
        text_addr(name, flow->remote.addr);
    return text_span(name);
}

int sip_connections_open(struct sip_transport_layer *t, struct sip_flow *flow, struct span peer)
{
    char buf[NAME_MAX];
    struct text name = text_on(buf, sizeof buf);
    struct sip_connection *c;
    if (flow->transport == SIP_TLS && peer.n == 0)
        peer = peer_name(t, flow, &name);
    int error = sip_connection_open(t->sockets[flow->socket], flow->remote, peer, &c);
    if (!error)
        *flow = c->flow;
    return error;
}

int sip_connections_bind(struct sip_transport_layer *t, struct sip_flow *flow)
{
    if (flow->connection)
        return sip_connections_find(t, flow->connection) ? 0 : FE_ERESET;
    const struct sip_connection *c = find_leading(t, flow);
    if (!c)
        return sip_connections_open(t, flow, (struct span){0});
    flow->connection = c->flow.connection;
    return 0;
}

/* ---- accepting ---- */

static void accepted(void *arg, struct host_tcp *tcp, struct endpoint remote)
{
    struct sip_socket *s = arg;
    struct sip_flow flow = {.transport = s->transport, .socket = s->number, .remote = remote};
    if (sip_socket_admits(s, remote))
        sip_connection_accept(s, tcp, remote);
    else
        sip_transport_drop(s->layer, "not-allowed", NULL, NULL, &flow);
}

int sip_connections_listen(struct sip_socket *s)
{
    static const struct host_listener_events events = {.accepted = accepted};
    return host_tcp_listen(s->layer->host, s->local, &events, s, &s->listener);
}

void sip_connections_close_listener(struct sip_socket *s)
{
    if (s->listener)
        host_listener_close(s->listener);
}
