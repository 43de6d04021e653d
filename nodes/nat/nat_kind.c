/* The nat node: the engine between two raw ports; with `engine: kernel` nat_kernel.c takes its place. Everything that
 * is a NAT's behaviour is the engine's; here are the settings, the sending, the timer and the trace. */
#include "nodes/base/error.h"
#include "nodes/nat/nat.h"
#include "nodes/nat/nat_node.h"
#include "nodes/nat/nat_settings.h"
#include "nodes/node.h"
#include "nodes/proto/ip.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_MIN = 68 }; /* RFC 791 §3.2: no link takes less */

struct nat_node {
    const struct nat_logic *logic; /* first, as in every node of this kind */
    struct host *host;
    struct host_raw *raw;
    struct nat *engine;
    struct nat_settings settings; /* as changed by "set"; the forwards are borrowed */
    struct nat_config config;
    unsigned port[2]; /* by nat_side: the host's number of the port */
    struct timer deadline;
    uint8_t *piece; /* room for a fragment */
    size_t piece_cap;
};

/* ---- trace ---- */

static void trace_mapping(void *arg, enum nat_change change, const struct nat_mapping *m)
{
    const struct nat_node *node = arg;
    nat_trace_mapping(node->host, change, m);
}

static void trace_alg(void *arg, const struct nat_alg_note *note)
{
    struct nat_node *node = arg;
    struct record *r = host_trace(node->host, "alg");
    record_text(r, "msg", note->message);
    record_str(r, "what", note->what);
    record_text(r, "from", note->from);
    record_text(r, "to", note->to);
    host_trace_end(node->host);
}

static void trace_drop(struct nat_node *node, enum nat_cause cause, const uint8_t *packet, size_t n)
{
    nat_trace_drop(node->host, cause, packet, n);
}

/* ---- packets ---- */

/* What the host refuses is lost on the way out, as in any router. */
static void send(struct nat_node *node, const struct nat_verdict *verdict)
{
    unsigned port = node->port[verdict->side];
    if (!verdict->fragment) {
        (void)host_raw_send(node->raw, port, verdict->packet, verdict->n);
        return;
    }
    uint16_t mtu = node->config.mtu[verdict->side];
    size_t n;
    for (unsigned i = 0; (n = ip_fragment(node->piece, node->piece_cap, verdict->packet, verdict->n, mtu, i)) > 0; i++)
        (void)host_raw_send(node->raw, port, node->piece, n);
}

/* The packet as it came is `packet`; the verdict may be about bytes of the engine's own. */
static void carry_out(struct nat_node *node, const struct nat_verdict *verdict, const uint8_t *packet, size_t n)
{
    switch (verdict->action) {
    case NAT_FORWARD: send(node, verdict); break;
    case NAT_ANSWER:
        if (verdict->cause)
            trace_drop(node, verdict->cause, packet, n);
        send(node, verdict);
        break;
    case NAT_DROP: trace_drop(node, verdict->cause, packet, n); break;
    case NAT_HOLD: break;
    }
}

/* An earlier time than needed is left to come: the engine then finds nothing to do. */
static void settle(struct nat_node *node)
{
    struct nat_verdict verdict;
    struct nat_held held;
    while (nat_released(node->engine, &verdict, &held))
        carry_out(node, &verdict, held.packet, held.n);
    lab_time next = nat_deadline(node->engine);
    if (next != NEVER && (!timer_running(&node->deadline) || next < node->deadline.at))
        host_timer_start(node->host, &node->deadline, next);
}

static void deadline_came(void *arg)
{
    struct nat_node *node = arg;
    nat_expire(node->engine, host_now(node->host));
    settle(node);
}

/* An interface's MTU may change while it is up. What cannot be kept in memory stays as it was. */
static void look_at_mtu(struct nat_node *node, enum nat_side side)
{
    uint16_t mtu = host_port_at(node->host, node->port[side])->mtu;
    if (mtu == node->config.mtu[side])
        return;
    uint8_t *piece = mtu > node->piece_cap ? realloc(node->piece, mtu) : node->piece;
    if (!piece)
        return;
    node->piece = piece;
    node->piece_cap = mtu > node->piece_cap ? mtu : node->piece_cap;
    node->config.mtu[side] = mtu;
    nat_configure(node->engine, &node->config);
}

static enum nat_side side_of(const struct nat_node *node, unsigned port)
{
    return port == node->port[NAT_INSIDE] ? NAT_INSIDE : NAT_OUTSIDE;
}

static void packets_coming(void *arg, unsigned port, const struct span *packets, size_t n)
{
    const struct nat_node *node = arg;
    nat_coming(node->engine, side_of(node, port), packets, n);
}

static void packet_came(void *arg, unsigned port, uint8_t *packet, size_t n)
{
    struct nat_node *node = arg;
    struct nat_verdict verdict;
    look_at_mtu(node, NAT_INSIDE);
    look_at_mtu(node, NAT_OUTSIDE);
    nat_packet(node->engine, side_of(node, port), packet, n, host_now(node->host), &verdict);
    carry_out(node, &verdict, packet, n);
    settle(node);
}

/* ---- the ALG ---- */

static int configure_alg(struct nat_node *node)
{
    struct nat_alg_config config;
    nat_alg_stop(node->engine);
    if (node->settings.alg.mode == NAT_ALG_OFF)
        return 0;
    nat_settings_alg(&node->settings.alg, &config);
    return nat_alg_start(node->engine, &config, trace_alg, node);
}

/* ---- PCP ---- */

static void trace_pcp(void *arg, const struct nat_pcp_note *note)
{
    struct nat_node *node = arg;
    struct record *r = host_trace(node->host, "pcp");
    record_str(r, "op", pcp_opcode_text(note->opcode));
    record_str(r, "result", pcp_result_text(note->result));
    record_addr(r, "client", note->client);
    if (note->protocol) {
        record_str(r, "proto", nat_protocol_text(note->protocol));
        record_endpoint(r, "inside", note->inside);
        record_endpoint(r, "outside", note->outside);
        record_endpoint(r, "remote", note->peer);
        record_u64(r, "lifetime", note->lifetime);
    }
    host_trace_end(node->host);
}

static int configure_pcp(struct nat_node *node)
{
    struct nat_pcp_config config;
    nat_settings_pcp(&node->settings, &config);
    if (node->settings.pcp)
        return nat_pcp_start(node->engine, &config, host_now(node->host), trace_pcp, node);
    nat_pcp_stop(node->engine);
    return 0;
}

/* ---- commands ---- */

static void reboot(struct nat_node *node)
{
    nat_trace_reboot(node->host, nat_reboot(node->engine, host_now(node->host)));
}

static void set_public(struct nat_node *node, struct span line, struct span value)
{
    ipv4 own = host_port_at(node->host, node->port[NAT_OUTSIDE])->addr;
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    ipv4 addr;
    if (nat_settings_public(&node->settings, own, value, &addr, &why)) {
        nat_trace_bad_command(node->host, line, text_span(&why));
        return;
    }
    node->config.pool[0] = node->config.own[NAT_OUTSIDE] = addr;
    node->config.pool_n = 1;
    nat_set_pool(node->engine, node->config.pool, 1);
    nat_pcp_restart(node->engine, host_now(node->host));
}

static void nat_node_command(void *arg, struct span line)
{
    struct nat_node *node = arg;
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    struct nat_settings changed = node->settings;
    if (span_is(line, "reboot")) {
        reboot(node);
    } else if (span_is(line, "flush")) {
        nat_flush(node->engine);
        nat_pcp_restart(node->engine, host_now(node->host));
    } else if (span_is(line, "rebind")) {
        nat_rebind(node->engine);
        nat_pcp_restart(node->engine, host_now(node->host));
    } else if (span_starts(line, SPAN("set public "))) {
        set_public(node, line, span_make(line.p + 11, line.n - 11));
    } else if (!span_starts(line, SPAN("set "))) {
        nat_trace_bad_command(node->host, line, SPAN("a nat understands reboot, flush, rebind and set"));
    } else if (nat_settings_change(&changed, span_make(line.p + 4, line.n - 4), &why) ||
               nat_settings_conflict(&changed, &why)) {
        nat_trace_bad_command(node->host, line, text_span(&why));
    } else {
        node->settings = changed;
        nat_settings_behaviour(&node->settings, &node->config);
        nat_configure(node->engine, &node->config);
        if (configure_alg(node) || configure_pcp(node))
            nat_trace_bad_command(node->host, line, SPAN("no memory for the SIP ALG, or for PCP"));
    }
}

/* ---- start and stop ---- */

static void nat_node_stop(void *arg)
{
    struct nat_node *node = arg;
    host_timer_stop(node->host, &node->deadline);
    if (node->raw)
        host_raw_close(node->raw);
    nat_free(node->engine);
    free(node->piece);
    free(node);
}

static int open_engine(struct nat_node *node, struct text *why)
{
    static const struct host_raw_events events = {.received = packet_came, .coming = packets_coming};
    struct prng rng;
    host_stream(node->host, "ports", &rng);
    int error = nat_new(&node->engine, &node->config, &rng, host_now(node->host), trace_mapping, node);
    if (!error)
        error = nat_settings_forwards(&node->settings, node->engine, why);
    if (!error)
        error = configure_alg(node);
    if (!error)
        error = configure_pcp(node);
    if (!error)
        error = host_raw_open(node->host, &events, node, &node->raw);
    return error;
}

static const struct nat_logic engine_logic = {nat_node_command, nat_node_stop};

static int nat_node_start(struct host *h, const void *settings, void **out, struct text *why)
{
    struct nat_node *node = calloc(1, sizeof *node);
    if (!node)
        return FE_EMEM;
    node->logic = &engine_logic;
    node->host = h;
    node->piece_cap = PIECE_MIN;
    node->settings = *(const struct nat_settings *)settings;
    nat_settings_preset(&node->settings);
    timer_init(&node->deadline, deadline_came, node);
    int error = nat_find_ports(h, node->port, &node->config, why);
    for (unsigned side = NAT_INSIDE; side <= NAT_OUTSIDE; side++)
        if (node->config.mtu[side] > node->piece_cap)
            node->piece_cap = node->config.mtu[side];
    if (!error)
        error = nat_settings_config(&node->settings, &node->config, why);
    if (!error && !(node->piece = malloc(node->piece_cap)))
        error = FE_EMEM;
    if (!error)
        error = open_engine(node, why);
    if (error)
        nat_node_stop(node);
    else
        *out = node;
    return error;
}

/* ---- the kind ---- */

static int nat_start(struct host *h, const void *settings, void **out, struct text *why)
{
    if (nat_settings_conflict(settings, why))
        return FE_ERANGE;
    return nat_settings_forwards_itself(settings) ? nat_kernel_start(h, settings, out, why)
                                                  : nat_node_start(h, settings, out, why);
}

static void nat_command(void *node, struct span line)
{
    const struct nat_logic *const *logic = node;
    (*logic)->command(node, line);
}

static void nat_stop(void *node)
{
    const struct nat_logic *const *logic = node;
    (*logic)->stop(node);
}

static const char *const nat_ports[] = {"inside", "outside", NULL};

const struct node_kind nat_kind = {
    .name = "nat",
    .help = "a home router or carrier NAT between an inside and an outside network",
    .ports = nat_ports,
    .raw = true,
    .options = nat_options,
    .settings_size = sizeof(struct nat_settings),
    .forwards = nat_settings_forwards_itself,
    .conflict = nat_settings_conflict,
    .start = nat_start,
    .command = nat_command,
    .stop = nat_stop,
    .commands =
        "reboot                 all mappings are lost at once\n"
        "flush                  all mappings are removed, and traced one by one\n"
        "rebind                 all mappings get other outside ports, and their sessions go on\n"
        "set public ADDRESS     the outside address changes; all mappings are removed, forwards move along\n"
        "set SETTING VALUE      changes a timeout, filtering, hairpin, refresh, the ALG, … from the next packet on\n",
};
