/* The sockets of the PBX: UDP, TCP, TLS, in the order of the setting. A phone's connection is the way to it (PB-5):
 * over TLS the PBX opens none, and when the phone's is closed, so is its registration. */
#include "nodes/base/error.h"
#include "nodes/pbx/pbx_node.h"
#include "nodes/sip/sip_stun_server.h"

void pbx_put_address(const struct pbx *pbx, struct text *t, unsigned socket)
{
    text_str(t, "<sip:");
    text_endpoint(t, sip_transport_local(pbx->transport, socket));
    if (sip_transport_of(pbx->transport, socket) == SIP_TCP)
        text_str(t, ";transport=tcp");
    else if (sip_transport_of(pbx->transport, socket) == SIP_TLS)
        text_str(t, ";transport=tls");
}

/* ---- events ---- */

/* RFC 5626 §8: keep-alives of phones that keep their flow to this PBX itself. */
static void stun_heard(void *arg, unsigned socket, struct endpoint from, struct span bytes)
{
    struct pbx *pbx = arg;
    (void)sip_stun_answer(pbx->transport, socket, from, bytes);
}

static void connection_down(void *arg, const struct sip_flow *flow, const struct sip_flow_down *why)
{
    struct pbx *pbx = arg;
    (void)why;
    pbx_location_remove_flow(pbx->location, *flow);
}

/* ---- sockets ---- */

static int open_socket(struct pbx *pbx, enum pbx_listen what, struct text *why)
{
    static const enum sip_transport transports[] = {SIP_UDP, SIP_TCP, SIP_TLS};
    const struct pbx_settings *s = pbx->settings;
    struct sip_local local = {
        .transport = transports[what],
        .at = {host_port(pbx->host, "on")->addr, (uint16_t)(what == PBX_LISTEN_TLS ? s->tls_port : s->port)},
    };
    int error = 0;
    unsigned socket;
    if (what == PBX_LISTEN_TLS && !pbx->tls)
        error = sip_identity_context(pbx->host, &s->identity, TLS_SERVER, "tls", &pbx->tls, why);
    local.server = pbx->tls;
    if (!error)
        error = sip_transport_open(pbx->transport, &local, &socket);
    pbx->sockets_n += error == 0;
    return error;
}

int pbx_transport_open(struct pbx *pbx, struct text *why)
{
    static const struct sip_flow_events watch = {.down = connection_down};
    const struct pbx_settings *s = pbx->settings;
    const int *listen = s->listen.items;
    struct sip_transport_config config = {
        .alias = true, /* RFC 5923: the way back to an SBC is the connection that it opened */
        .no_pong = !s->answers_pings,
        .idle_timeout = s->idle_timeout,
    };
    pbx->sockets_n = 0;
    int error = sip_transport_new(&pbx->transport, pbx->host, &config);
    if (!error && s->listen.n == 0)
        error = open_socket(pbx, PBX_LISTEN_UDP, why);
    for (size_t i = 0; i < s->listen.n && !error; i++)
        error = open_socket(pbx, (enum pbx_listen)listen[i], why);
    if (error)
        return error;
    sip_transport_watch(pbx->transport, &watch, pbx);
    if (s->outbound || s->keep_timer)
        sip_transport_on_stun(pbx->transport, stun_heard, pbx);
    return 0;
}

/* ---- the settings together ---- */

const char *pbx_transport_conflict(const struct pbx_settings *s, struct text *why)
{
    static const struct sip_identity_words words = {
        .certificate = "tls certificate",
        .trust = "tls trust",
        .ask = "ask client certificate",
        .most = "most tls version",
    };
    const int *listen = s->listen.items;
    unsigned times[PBX_LISTENS] = {0};
    for (size_t i = 0; i < s->listen.n; i++)
        if (++times[listen[i]] > 1) {
            text_str(why, pbx_listen_words[listen[i]]);
            text_str(why, " stands there twice");
            return "listen";
        }
    if (times[PBX_LISTEN_TCP] && times[PBX_LISTEN_TLS] && s->port == s->tls_port) {
        text_str(why, "TCP and TLS cannot both listen on this port");
        return "tls port";
    }
    return times[PBX_LISTEN_TLS] ? sip_identity_conflict(&s->identity, &words, why) : NULL;
}
