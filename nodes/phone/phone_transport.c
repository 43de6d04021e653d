#include "nodes/phone/phone_transport.h"

#include "nodes/base/error.h"
#include "nodes/phone/phone.h"
#include "nodes/phone/phone_tls.h"

/* ---- the settings ---- */

unsigned phone_transport_list(const struct phone_settings *s, enum sip_transport list[2])
{
    static const enum sip_transport lists[][2] = {
        [PHONE_BY_UDP] = {SIP_UDP},
        [PHONE_BY_TCP] = {SIP_TCP},
        [PHONE_BY_TLS] = {SIP_TLS},
        [PHONE_BY_UDP_TCP] = {SIP_TCP, SIP_UDP}, /* PH-12 */
        [PHONE_BY_TCP_TLS] = {SIP_TLS, SIP_TCP}, /* PH-26 */
        [PHONE_BY_UDP_TLS] = {SIP_TLS, SIP_UDP},
    };
    list[0] = lists[s->transport][0];
    list[1] = lists[s->transport][1];
    return list[1] == SIP_TRANSPORT_OTHER ? 1 : 2;
}

static bool speaks(const struct phone_settings *s, enum sip_transport transport)
{
    enum sip_transport list[2];
    unsigned n = phone_transport_list(s, list);
    return list[0] == transport || (n == 2 && list[1] == transport);
}

const char *phone_transport_conflict(const struct phone_settings *s, struct text *why)
{
    if (s->transport == PHONE_BY_UDP_TLS) { /* PH-16 */
        text_str(why, "UDP and TLS together are not supported; a phone speaks UDP and TCP, TCP and TLS, or one of the "
                      "three");
        return "transport";
    }
    if (speaks(s, SIP_TCP) && speaks(s, SIP_TLS) && s->tcp_port == s->tls_port) {
        text_str(why, "TCP and TLS cannot share a local port");
        return "tls port";
    }
    return speaks(s, SIP_TLS) ? phone_tls_conflict(s, why) : NULL;
}

/* ---- sockets ---- */

static bool is_persistent(const struct phone *p)
{
    return p->settings->persistent_tls || !p->settings->certificate;
}

static uint16_t local_port(const struct phone_settings *s, enum sip_transport transport)
{
    if (transport == SIP_UDP)
        return (uint16_t)s->port;
    return (uint16_t)(transport == SIP_TCP ? s->tcp_port : s->tls_port);
}

/* PH-4: persistent TLS is one connection, from the phone's TLS port. Plain TLS accepts connections there, if the phone
 * has a certificate to show (RFC 3261 §18.2.1), and opens its own from free ports. */
static int tls_prepare(struct phone *p, struct sip_local *local, struct text *why)
{
    int error = phone_tls_open(p, TLS_CLIENT, &p->by.client, why);
    local->client = p->by.client;
    local->deaf = is_persistent(p);
    if (p->settings->persistent_tls)
        local->connect_port = local->at.port;
    if (!error && !local->deaf)
        error = phone_tls_open(p, TLS_SERVER, &p->by.server, why);
    local->server = p->by.server;
    return error;
}

static int open_socket(struct phone *p, enum sip_transport transport, struct text *why)
{
    struct phone_socket *s = &p->by.sockets[transport];
    s->local = s->contact = (struct endpoint){p->addr, local_port(p->settings, transport)};
    struct sip_local local = {.transport = transport, .at = s->local};
    int error = transport == SIP_TLS ? tls_prepare(p, &local, why) : 0;
    if (!error)
        error = sip_transport_open(p->transport, &local, &s->number);
    if (error && !why->n) {
        text_str(why, "SIP at ");
        text_endpoint(why, s->local);
        text_str(why, ": ");
        text_str(why, fe_error_text(error));
    }
    s->open = !error;
    return error;
}

const struct phone_socket *phone_socket(const struct phone *p, enum sip_transport transport)
{
    return &p->by.sockets[transport];
}

/* ---- connections ---- */

struct endpoint phone_server_at(const struct phone *p, unsigned server)
{
    return phone_server_target(&p->servers.list[server]).at;
}

enum sip_transport phone_server_by(const struct phone *p, unsigned server)
{
    return phone_server_target(&p->servers.list[server]).transport;
}

struct sip_flow phone_server_flow(const struct phone *p, unsigned server)
{
    struct phone_place target = phone_server_target(&p->servers.list[server]);
    struct sip_flow line = p->by.lines[server];
    struct sip_flow flow = {target.transport, phone_socket(p, target.transport)->number, target.at, 0};
    if (line.transport == target.transport && endpoint_equal(line.remote, target.at) &&
        sip_transport_is_alive(p->transport, &line))
        return line;
    return flow;
}

void phone_transport_used(struct phone *p, unsigned server, struct sip_flow flow)
{
    if (sip_flow_is_reliable(flow))
        p->by.lines[server] = flow;
}

static bool is_line(const struct phone *p, const struct sip_flow *flow)
{
    for (unsigned i = 0; i < p->servers.n; i++)
        if (p->by.lines[i].connection == flow->connection)
            return true;
    return false;
}

struct sip_flow phone_transport_flow_for_call(struct phone *p, unsigned server, struct sip_flow line)
{
    struct sip_flow flow = phone_server_flow(p, server);
    if (flow.transport != SIP_TLS || p->settings->persistent_tls)
        return flow;
    if (line.connection && endpoint_equal(line.remote, flow.remote) && sip_transport_is_alive(p->transport, &line))
        return line;
    flow.connection = 0;
    (void)sip_transport_connect(p->transport, &flow, (struct span){0}); /* else the request finds its way, or fails */
    return flow;
}

void phone_transport_close_for_call(struct phone *p, const struct sip_flow *flow)
{
    if (flow->transport == SIP_TLS && flow->connection && !p->settings->persistent_tls && !is_line(p, flow))
        sip_transport_close(p->transport, flow);
}

static bool is_used(const struct phone *p, unsigned server)
{
    const struct phone_servers *s = &p->servers;
    const struct phone_server *it = &s->list[server];
    return it == phone_servers_hop(s, PHONE_PROXY, phone_servers_active(s, PHONE_PROXY)) ||
           it == phone_servers_hop(s, PHONE_REGISTRAR, phone_servers_active(s, PHONE_REGISTRAR));
}

void phone_transport_leave(struct phone *p, unsigned server)
{
    if (p->settings->persistent_tls && p->by.lines[server].transport == SIP_TLS && !is_used(p, server))
        sip_transport_close(p->transport, &p->by.lines[server]);
}

void phone_transport_doubt(struct phone *p, const struct sip_txn *txn, unsigned status)
{
    struct sip_flow flow = sip_txn_flow(txn);
    bool drops = p->settings->drop_silent || p->settings->outbound; /* a flow of RFC 5626 has failed with that */
    if (status == 408 && flow.connection && drops)
        sip_transport_abort(p->transport, &flow);
}

bool phone_transport_broke(const struct phone *p, const struct sip_txn *txn)
{
    struct sip_flow flow = sip_txn_flow(txn);
    return flow.connection && flow.connection == p->by.broken.connection;
}

bool phone_transport_is_busy(struct phone *p, unsigned server)
{
    struct sip_flow flow = phone_server_flow(p, server);
    return sip_flow_is_reliable(flow) && sip_transport_choose(p->transport, &flow, 0) == FE_EUSED;
}

/* ---- events ---- */

/* A server is who its configured name says (RFC 5922 §4); one that is an address shows that. */
static void connection_name(void *arg, const struct sip_flow *flow, struct text *name)
{
    phone_locate_name(arg, flow, name);
}

static void connection_up(void *arg, const struct sip_flow *flow, const struct sip_flow_up *how)
{
    struct phone *p = arg;
    sip_txns_up(p->txns, flow);
    if (!how->accepted)
        phone_keep_alive_up(p, flow);
}

/* Is it by this connection that the server is reached? Not by one that was tried before another way was found. */
static bool carries(const struct phone *p, unsigned server, const struct sip_flow *flow)
{
    struct phone_place target = phone_server_target(&p->servers.list[server]);
    return p->by.lines[server].connection == flow->connection && flow->transport == target.transport &&
           endpoint_equal(flow->remote, target.at);
}

/* PH-6, PH-7: the connection that carries the registration is opened again by registering. */
static void connection_down(void *arg, const struct sip_flow *flow, const struct sip_flow_down *why)
{
    struct phone *p = arg;
    const struct phone_home *home = &p->registration.home;
    bool carried = why->was_up && home->known && carries(p, home->server, flow);
    if (why->was_up)
        p->by.broken = *flow;
    for (unsigned i = 0; i < p->servers.n; i++)
        if (p->by.lines[i].connection == flow->connection)
            p->by.lines[i].connection = 0;
    phone_keep_alive_down(p, flow);
    phone_keep_down(p, flow);
    phone_outbound_down(p, flow);
    if (carried && p->settings->reopen)
        phone_register_lost(p);
}

static void ponged(void *arg, const struct sip_flow *flow)
{
    phone_keep_alive_pong(arg, flow);
    phone_keep_pong(arg, flow);
    phone_outbound_pong(arg, flow);
}

static const struct sip_flow_events watch = {
    .name = connection_name, .up = connection_up, .down = connection_down, .pong = ponged};

/* ---- life ---- */

int phone_transport_open(struct phone *p, struct text *why)
{
    const struct phone_settings *s = p->settings;
    struct sip_transport_config config = {.ask_rport = s->rport,
                                          .heed_icmp = s->heed_icmp,
                                          .keep = s->outbound || s->keep_alive == PHONE_KEEP_ALIVE_NEGOTIATED,
                                          .connect_timeout = s->connect_timeout};
    int error = sip_transport_new(&p->transport, p->host, &config);
    for (enum sip_transport t = SIP_UDP; t <= SIP_TLS && !error; t++)
        if (speaks(s, t) || (t == SIP_UDP && s->in_dialog_udp))
            error = open_socket(p, t, why);
    if (!error)
        sip_transport_watch(p->transport, &watch, p);
    return error;
}

void phone_transport_fini(struct phone *p)
{
    tls_context_free(p->by.client);
    tls_context_free(p->by.server);
}
