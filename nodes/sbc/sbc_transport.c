/* The SBC's sockets: the rows of ports outside (SB-2), one transport inside, and what becomes of connections. */
#include "nodes/base/error.h"
#include "nodes/sbc/sbc_node.h"
#include "nodes/sip/sip_stun_server.h"

void sbc_put_route(const struct sbc *sbc, struct text *t, unsigned socket, const char *user)
{
    text_str(t, "<sip:");
    if (user) {
        text_str(t, user);
        text_char(t, '@');
    }
    text_endpoint(t, sip_transport_advertised(sbc->transport, socket));
    switch (sip_transport_of(sbc->transport, socket)) {
    case SIP_TCP: text_str(t, ";transport=tcp"); break;
    case SIP_TLS: text_str(t, ";transport=tls"); break;
    case SIP_UDP:
    case SIP_TRANSPORT_OTHER:
    case SIP_SCTP:
    case SIP_WS:
    case SIP_WSS: break;
    }
    text_str(t, ";lr");
}

/* ---- events ---- */

/* RFC 5626 §8. */
static void stun_heard(void *arg, unsigned socket, struct endpoint from, struct span bytes)
{
    struct sbc *sbc = arg;
    if (sip_stun_answer(sbc->transport, socket, from, bytes))
        sbc_watch_heard(sbc->watch, sip_flow_to(socket, from));
}

/* A phone's connection is closed: its registrations by it are gone (RFC 5626 §5.3.1). */
static void connection_down(void *arg, const struct sip_flow *flow, const struct sip_flow_down *why)
{
    struct sbc *sbc = arg;
    (void)why;
    sbc_location_remove_flow(sbc->location, *flow);
}

/* RFC 5922 §4: a PBX is who its configured name says; one that is an address shows that. */
static void connection_name(void *arg, const struct sip_flow *flow, struct text *name)
{
    sbc_locate_name(arg, flow->remote, name);
}

static void pinged(void *arg, const struct sip_flow *flow)
{
    struct sbc *sbc = arg;
    sbc_watch_heard(sbc->watch, *flow);
}

/* ---- opening ---- */

static enum sip_rport rport_of(const struct sbc_settings *s)
{
    switch ((enum sbc_rport)s->rport) {
    case SBC_RPORT_FORCE: return SIP_RPORT_FORCE;
    case SBC_RPORT_ASKED: return SIP_RPORT_ASKED;
    case SBC_RPORT_IGNORE: return SIP_RPORT_IGNORE;
    }
    return SIP_RPORT_FORCE;
}

static int open_tls(struct sbc *sbc, struct text *why)
{
    const struct sbc_settings *s = &sbc->settings;
    int error = 0;
    for (unsigned i = 0; i < sbc->ports_n && !error; i++)
        if (sbc->ports[i].transport == SIP_TLS && !sbc->tls[SBC_OUTSIDE])
            error =
                sip_identity_context(sbc->host, &s->outside, TLS_SERVER, "tls outside", &sbc->tls[SBC_OUTSIDE], why);
    struct sip_identity inside = s->inside;
    inside.least = s->outside.least;
    inside.most = s->outside.most;
    if (!error && s->inside_transport == SBC_INSIDE_TLS)
        error = sip_identity_context(sbc->host, &inside, TLS_CLIENT, "tls inside", &sbc->tls[SBC_INSIDE], why);
    return error;
}

static bool admits(const void *arg, struct endpoint from)
{
    return sbc_port_admits(arg, from.addr);
}

/* SB-2: connections come from outside and are never opened there; to a phone that has closed its own nothing leads. */
static int open_outside(struct sbc *sbc)
{
    const struct sbc_settings *s = &sbc->settings;
    ipv4 addr = host_port(sbc->host, "outside")->addr;
    int error = 0;
    for (unsigned i = 0; i < sbc->ports_n && !error; i++) {
        const struct sbc_port *port = &sbc->ports[i];
        struct sip_local local = {
            .transport = port->transport,
            .at = {addr, port->port},
            .advertised = {s->public_address, s->public_address ? port->port : 0}, /* SB-3 */
            .passive = true,
            .admits = port->allow && port->allow->n ? admits : NULL,
            .admits_arg = port,
            .server = sbc->tls[SBC_OUTSIDE],
        };
        unsigned socket;
        error = sip_transport_open(sbc->transport, &local, &socket);
    }
    return error;
}

/* PB-5: over TLS it is the SBC that opens the connection; it is the PBX's only way here, so it stays. */
static int open_inside(struct sbc *sbc)
{
    static const enum sip_transport transports[] = {SIP_UDP, SIP_TCP, SIP_TLS};
    struct sip_local local = {
        .transport = transports[sbc->settings.inside_transport],
        .at = {host_port(sbc->host, "inside")->addr, (uint16_t)sbc->settings.port},
        .deaf = sbc->settings.inside_transport == SBC_INSIDE_TLS,
        .lasting = true,
        .client = sbc->tls[SBC_INSIDE],
    };
    return sip_transport_open(sbc->transport, &local, &sbc->inside);
}

int sbc_transport_open(struct sbc *sbc, struct text *why)
{
    static const struct sip_flow_events watch = {.name = connection_name, .down = connection_down, .ping = pinged};
    const struct sbc_settings *s = &sbc->settings;
    struct sip_transport_config config = {
        .rport = rport_of(s),
        .alias = true, /* RFC 5923: what the PBX sends here comes by the connection that leads there */
        .connect_timeout = s->connect_timeout,
        .idle_timeout = s->idle_timeout,
    };
    sbc->ports_n = sbc_ports_read(s, sbc->ports);
    int error = sip_transport_new(&sbc->transport, sbc->host, &config);
    if (!error)
        error = open_tls(sbc, why);
    if (!error)
        error = open_outside(sbc);
    if (!error)
        error = open_inside(sbc);
    if (error)
        return error;
    sip_transport_watch(sbc->transport, &watch, sbc);
    sip_transport_on_stun(sbc->transport, stun_heard, sbc);
    return 0;
}

/* ---- the settings together ---- */

const char *sbc_transport_conflict(const struct sbc_settings *s, struct text *why)
{
    static const struct sip_identity_words words = {
        .certificate = "tls certificate",
        .trust = "tls trust",
        .ask = "ask client certificate",
        .most = "most tls version",
    };
    struct sbc_port ports[SBC_PORTS_MAX];
    unsigned n = sbc_ports_read(s, ports);
    const char *setting = NULL;
    for (unsigned i = 0; i < n && !setting; i++)
        if (ports[i].transport == SIP_TLS)
            setting = sip_identity_conflict(&s->outside, &words, why);
    if (!setting && s->inside_transport == SBC_INSIDE_TLS && !s->inside.trust) {
        text_str(why, "this says whose certificate is accepted from the PBX");
        return "inside tls trust";
    }
    return setting;
}
