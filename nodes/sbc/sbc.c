/* The SBC of a teleworker gateway (SB-1: its SIP proxy): record-routing proxy between phones on the internet and the
 * PBX, keeper of the flows by which phones are reached, and media relay.
 *
 *     phone ── NAT ── outside [ SBC ] inside ── PBX
 *
 * The parts: sbc_register (REGISTER with Path), sbc_call (everything else; sbc_route decides), sbc_location (flows),
 * sbc_token (their names in URIs), sbc_watch (those that phones keep alive), sbc_session (offers and answers),
 * sbc_relay (packets; sbc_latch), sbc_near (SB-4), sbc_ping, sbc_servers, sbc_monitor and sbc_locate (PBXs and their
 * backups, and where they are). */
#include "nodes/base/error.h"
#include "nodes/node.h"
#include "nodes/sbc/sbc_node.h"

#include <stdlib.h>

extern const struct node_kind sbc_kind;

static void request(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct sbc *sbc = arg;
    struct sip_routing routing;
    sbc_watch_heard(sbc->watch, in->flow);
    if (!sip_proxy_accept(sbc->proxy, txn, in, &routing))
        return;
    if (in->msg->method == SIP_REGISTER)
        sbc_register_request(sbc, txn, in, &routing);
    else
        sbc_call_request(sbc, txn, in, &routing);
}

static void ack(void *arg, const struct sip_incoming *in)
{
    sbc_call_ack(arg, in);
}

static void flow_changed(void *arg, struct sip_flow flow, bool good)
{
    struct sbc *sbc = arg;
    sbc_ping_flow(sbc->pings, flow, good);
    if (!good)
        sbc_watch_end(sbc->watch, flow);
}

/* RFC 5626 §5.4: calls by this flow are answered with 430 from now on. */
static void flow_failed(void *arg, struct sip_flow flow)
{
    struct sbc *sbc = arg;
    sbc_location_remove_flow(sbc->location, flow);
}

/* ---- start and stop ---- */

static int open_signalling(struct sbc *sbc, struct text *why)
{
    static const struct sip_txns_events events = {.request = request, .ack = ack};
    const struct sbc_settings *s = &sbc->settings;
    struct sip_timing timing = {.t1 = s->base_retransmission, .t2 = s->longest_retransmission};
    struct sip_proxy_config proxy = {
        .max_forwards = s->max_forwards,
        .double_record_route = true,
        .timer_c = s->invite_timeout,
        .session = {.interval = (uint32_t)(s->session_timer / SEC), .least = (uint32_t)(s->least_session / SEC)}};
    int error = sbc_transport_open(sbc, why);
    if (!error)
        error = sip_txns_new(&sbc->txns, sbc->transport, &timing, &events, sbc);
    if (!error)
        error = sip_proxy_new(&sbc->proxy, sbc->txns, &proxy, &sbc_call_hooks, sbc);
    if (!error)
        error = sbc_registers_new(&sbc->registers);
    if (!error)
        error = sbc_monitor_new(sbc);
    if (!error)
        error = sbc_locate_init(sbc);
    return error;
}

static struct sbc_relay_config relay_config(const struct sbc *sbc)
{
    const struct sbc_settings *s = &sbc->settings;
    ipv4 outside = host_port(sbc->host, "outside")->addr;
    ipv4 inside = host_port(sbc->host, "inside")->addr;
    return (struct sbc_relay_config){
        .ports = s->media_ports,
        .local = {[SBC_OUTSIDE] = outside, [SBC_INSIDE] = inside},
        .written = {[SBC_OUTSIDE] = s->public_address ? s->public_address : outside, [SBC_INSIDE] = inside},
        .latch = {.several = s->media_latching == SBC_LATCHING_SEVERAL, .late = s->late_source_change},
        .reset_ttl = s->media_ttl == SBC_TTL_RESET,
        .timeout = s->media_timeout,
    };
}

static int open_media(struct sbc *sbc)
{
    static const struct sbc_location_events events = {.flow = flow_changed};
    struct sbc_relay_config config = relay_config(sbc);
    int error = sbc_relay_new(&sbc->relay, sbc->host, &config);
    if (!error)
        error =
            sbc_sessions_new(&sbc->sessions, sbc->host, sbc->relay, (enum sbc_same_nat)sbc->settings.same_nat_media);
    if (!error)
        error = sbc_pings_new(&sbc->pings, sbc);
    if (!error)
        error = sbc_watch_new(&sbc->watch, sbc->host, flow_failed, sbc);
    if (!error)
        error = sbc_location_new(&sbc->location, sbc->host, &events, sbc);
    return error;
}

static void stop(void *node)
{
    struct sbc *sbc = node;
    sbc_locate_fini(sbc);
    sbc_monitor_free(sbc->monitor);
    sbc_registers_free(sbc->registers);
    sip_proxy_free(sbc->proxy);
    sip_txns_free(sbc->txns);
    sip_transport_free(sbc->transport);
    sbc_location_free(sbc->location);
    sbc_watch_free(sbc->watch);
    sbc_pings_free(sbc->pings);
    sbc_sessions_free(sbc->sessions);
    sbc_relay_free(sbc->relay);
    tls_context_free(sbc->tls[SBC_OUTSIDE]);
    tls_context_free(sbc->tls[SBC_INSIDE]);
    free(sbc);
}

static void servers_init(struct sbc *sbc)
{
    const struct sbc_settings *s = &sbc->settings;
    struct endpoint at[SBC_SERVERS_MAX];
    for (unsigned i = 0; i < s->pbx.n; i++)
        at[i] = ((const struct sbc_pbx_settings *)s->pbx.items)[i].at;
    sbc_servers_init(&sbc->servers, at, (unsigned)s->pbx.n, s->monitor_servers ? NEVER : s->blacklist);
}

static int start(struct host *h, const void *settings, void **node, struct text *why)
{
    struct sbc *sbc = calloc(1, sizeof *sbc);
    struct prng rng;
    if (!sbc)
        return FE_EMEM;
    sbc->host = h;
    sbc->settings = *(const struct sbc_settings *)settings;
    if (sbc->settings.flow_token_secret[0])
        prng_init(&rng, 0, span_of(sbc->settings.flow_token_secret), SPAN("flow tokens"));
    else
        host_stream(h, "flow tokens", &rng);
    sbc_token_key_init(&sbc->key, &rng);
    servers_init(sbc);
    int error = host_port(h, "outside") && host_port(h, "inside") ? open_media(sbc) : FE_EUNREACH;
    if (!error)
        error = open_signalling(sbc, why);
    if (error) {
        if (why && why->n == 0) {
            text_str(why, "the SBC cannot open its ports outside and inside: ");
            text_str(why, fe_error_text(error));
        }
        stop(sbc);
        return error;
    }
    *node = sbc;
    return 0;
}

/* Settings that are right one by one but not together. */
static const char *conflict(const void *settings, struct text *why)
{
    const struct sbc_settings *s = settings;
    if (s->pbx.n > SBC_SERVERS_MAX) {
        text_str(why, "at most ");
        text_u64(why, SBC_SERVERS_MAX);
        text_str(why, " PBXs can be named");
        return "pbx";
    }
    const char *setting = sbc_ports_conflict(s, why);
    if (!setting)
        setting = sbc_locate_conflict(s, why);
    return setting ? setting : sbc_transport_conflict(s, why);
}

/* ---- commands ---- */

static void bad_command(struct sbc *sbc, struct span line, struct span reason)
{
    struct record *r = host_trace(sbc->host, "bad-command");
    record_text(r, "line", line);
    record_text(r, "reason", reason);
    host_trace_end(sbc->host);
}

static void report(struct sbc *sbc)
{
    const struct sbc_relay_count *count = sbc_relay_count(sbc->relay);
    struct record *r = host_trace(sbc->host, "report");
    record_u64(r, "registrations", sbc_location_count(sbc->location));
    record_u64(r, "calls", sbc_sessions_count(sbc->sessions));
    record_u64(r, "streams", count->open);
    record_u64(r, "relayed", count->relayed);
    record_u64(r, "refused", count->refused);
    record_u64(r, "dropped", count->dropped);
    host_trace_end(sbc->host);
}

/* Settings that take effect while the SBC runs. */
static bool is_live(struct span name)
{
    static const char *const live[] = {"media ttl",        "media latching", "late source change",
                                       "register expires", "options ping",   "flow timer"};
    for (size_t i = 0; i < sizeof live / sizeof *live; i++)
        if (span_is(name, live[i]))
            return true;
    return false;
}

/* "media ttl reset": the last word is the value. */
static void set(struct sbc *sbc, struct span line, struct span rest)
{
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    size_t cut = rest.n;
    while (cut > 0 && rest.p[cut - 1] != ' ')
        cut--;
    struct span name = span_trim(span_make(rest.p, cut));
    struct span value = span_make(rest.p + cut, rest.n - cut);
    if (!is_live(name)) {
        bad_command(sbc, line, SPAN("this setting cannot be changed while the SBC runs"));
    } else if (options_set(sbc_options, &sbc->settings, name, value, &why)) {
        bad_command(sbc, line, text_span(&why));
    } else {
        struct sbc_relay_config config = relay_config(sbc);
        sbc_relay_reconfigure(sbc->relay, &config);
    }
}

static void command(void *node, struct span line)
{
    struct sbc *sbc = node;
    struct span rest;
    struct span word = span_cut(span_trim(line), ' ', &rest);
    if (span_is(word, "report") && !rest.p)
        report(sbc);
    else if (span_is(word, "set") && rest.p)
        set(sbc, line, span_trim(rest));
    else
        bad_command(sbc, line, SPAN("the SBC knows \"report\" and \"set SETTING VALUE\""));
}

static const char *const ports[] = {"outside", "inside", NULL};

const struct node_kind sbc_kind = {
    .name = "sbc",
    .help = "lets phones on the internet register with the PBX, and relays their media",
    .ports = ports,
    .dates = true,
    .far = true,
    .options = sbc_options,
    .settings_size = sizeof(struct sbc_settings),
    .conflict = conflict,
    .start = start,
    .command = command,
    .stop = stop,
    .commands = "report               registrations, calls and relayed packets, as one line of the trace\n"
                "set SETTING VALUE    media ttl, media latching, late source change, register expires, options ping,\n"
                "                     flow timer\n",
};
