/* The nat node with `engine: kernel`: the machine translates (host_knat), and this node gives its flows their lab time:
 * it learns of each packet that passes, and ends the flows that nobody used for their timeout. What it traces has the
 * words of farend's own engine: flows of one inside endpoint by one outside port are one mapping. */
#include "nodes/base/error.h"
#include "nodes/nat/nat_flows.h"
#include "nodes/nat/nat_node.h"
#include "nodes/nat/nat_settings.h"
#include "nodes/nat/nat_table.h"
#include "nodes/proto/tcp.h"

#include <stdlib.h>

struct nat_kernel {
    const struct nat_logic *logic; /* first, as in every node of this kind */
    struct host *host;
    struct host_knat *knat;
    struct nat_settings settings; /* as changed by "set"; the forwards are borrowed */
    struct nat_config config;
    struct host_knat_config rules;
    unsigned port[2]; /* by nat_side: the host's number of the port */
    struct nat_flows flows;
    bool silent; /* what ends is not traced */
};

static void mapping_changed(void *arg, enum nat_change change, const struct nat_mapping *m)
{
    const struct nat_kernel *node = arg;
    if (!node->silent)
        nat_trace_mapping(node->host, change, m);
}

/* ---- flows end ---- */

static void forget(struct nat_kernel *node, struct nat_flow *f, enum nat_change how)
{
    host_timer_stop(node->host, &f->timer);
    nat_flows_remove(&node->flows, f, how);
}

/* A flow that is used is not moved among the timers with every packet: its time is looked at when it comes. */
static void time_is_over(void *arg)
{
    struct nat_flow *f = arg;
    struct nat_kernel *node = f->all->arg;
    if (f->expires > host_now(node->host)) {
        host_timer_start(node->host, &f->timer, f->expires);
        return;
    }
    host_knat_end(node->knat, &f->is);
    forget(node, f, NAT_EXPIRED);
}

/* The machine's own doing, as when a TCP connection begins anew in the place of a closed one; ours is known already. */
static void flow_ended(void *arg, const struct host_knat_flow *flow)
{
    struct nat_kernel *node = arg;
    struct nat_flow *f = nat_flows_same(&node->flows, flow);
    if (f)
        forget(node, f, NAT_REMOVED);
}

/* ---- flows begin ---- */

static bool is_inside(const struct nat_kernel *node, ipv4 addr)
{
    const struct host_port *inside = host_port_at(node->host, node->port[NAT_INSIDE]);
    return subnet_has((struct subnet){inside->addr, inside->bits}, addr);
}

/* Translated to the shared address: a port of it is in use as long as the flow lives. */
static bool is_mapped(const struct nat_kernel *node, const struct host_knat_flow *flow)
{
    return node->rules.public_addr && flow->new_src.addr == node->rules.public_addr &&
           flow->src.addr != flow->new_src.addr;
}

static void live_on(struct nat_kernel *node, struct nat_flow *f)
{
    lab_time life = nat_lifetime(&node->config, f->is.protocol, f->seen);
    f->expires = nat_lifetime_after(host_now(node->host), life);
    if (!timer_running(&f->timer) || f->expires < f->timer.at)
        host_timer_start(node->host, &f->timer, f->expires);
}

/* RFC 5508 §3.1: an ICMP query's remote has no port. */
static struct host_knat_flow normal(const struct host_knat_flow *flow)
{
    struct host_knat_flow f = *flow;
    if (f.protocol == IP_ICMP)
        f.dst.port = f.new_dst.port = 0;
    return f;
}

static void flow_created(void *arg, const struct host_knat_flow *came)
{
    struct nat_kernel *node = arg;
    struct nat_flow *f;
    struct host_knat_flow flow = normal(came);
    bool back;
    bool outward = is_inside(node, flow.src.addr);
    struct nat_flow *before = nat_flows_find(&node->flows, flow.protocol, flow.src, flow.new_dst, &back);
    if (before && !back)
        forget(node, before, NAT_REMOVED); /* its end will be told later: the machine counts references */
    if (nat_flows_add(&node->flows, &flow, is_mapped(node, &flow), outward, &f)) {
        host_exit(node->host, 4);
        return;
    }
    f->seen = outward ? NAT_SEEN_OUT : NAT_SEEN_IN;
    live_on(node, f);
}

/* ---- packets ---- */

static bool read_ends(const uint8_t *packet, size_t n, struct ip_view *v, struct endpoint *src, struct endpoint *dst)
{
    if (ip_parse_quoted(packet, n, v) || !v->has_ports)
        return false;
    *src = (struct endpoint){v->src, v->sport};
    *dst = (struct endpoint){v->dst, v->dport};
    if (v->protocol == IP_ICMP && v->icmp_type == ICMP_ECHO)
        dst->port = 0;
    else if (v->protocol == IP_ICMP)
        src->port = 0;
    return true;
}

static void packet_passed(void *arg, unsigned port, const uint8_t *packet, size_t n)
{
    struct nat_kernel *node = arg;
    struct ip_view v;
    struct endpoint src;
    struct endpoint dst;
    bool back;
    if (!read_ends(packet, n, &v, &src, &dst) || (v.protocol == IP_TCP && n < (size_t)v.header + TCP_HEADER))
        return;
    struct nat_flow *f = nat_flows_find(&node->flows, v.protocol, src, dst, &back);
    if (!f)
        return; /* it is the first of a flow of which we are told next */
    bool hairpin = port == node->port[NAT_INSIDE] && back == f->outward; /* the answer comes from inside too */
    enum nat_side from = port == node->port[NAT_OUTSIDE] || hairpin ? NAT_OUTSIDE : NAT_INSIDE;
    f->seen = nat_lifetime_seen(f->seen, packet, &v, from);
    if (nat_lifetime_refreshes(&node->config, v.protocol, from))
        live_on(node, f);
}

static void packet_dropped(void *arg, enum host_knat_drop why, const uint8_t *packet, size_t n)
{
    struct nat_kernel *node = arg;
    struct ip_view v;
    enum nat_cause cause = why == HOST_KNAT_NO_HAIRPIN ? NAT_NO_HAIRPIN : NAT_NO_MAPPING;
    if (why == HOST_KNAT_NO_MAPPING && ip_parse_quoted(packet, n, &v) == 0 && v.has_ports &&
        nat_flows_is_mapped(&node->flows, v.protocol, (struct endpoint){v.dst, v.dport}))
        cause = NAT_FILTERED;
    nat_trace_drop(node->host, cause, packet, n);
}

/* ---- commands ---- */

static size_t forget_all(struct nat_kernel *node, bool tell)
{
    size_t mapped = node->flows.mapped;
    node->silent = !tell;
    for (uint32_t i = 0; i < node->flows.flows_n; i++)
        if (node->flows.flows[i]->used)
            forget(node, node->flows.flows[i], NAT_REMOVED);
    node->silent = false;
    return mapped;
}

static void change(struct nat_kernel *node, struct span line)
{
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    struct nat_settings changed = node->settings;
    if (nat_settings_change(&changed, span_make(line.p + 4, line.n - 4), &why) ||
        nat_settings_conflict(&changed, &why)) {
        nat_trace_bad_command(node->host, line, text_span(&why));
        return;
    }
    node->settings = changed;
    nat_settings_behaviour(&node->settings, &node->config);
    node->rules.hairpin = node->config.hairpin;
    node->rules.sip_alg = node->settings.alg.mode == NAT_ALG_KERNEL;
    if (host_knat_configure(node->knat, &node->rules))
        nat_trace_bad_command(node->host, line, SPAN("the kernel refused the new rules"));
}

static void kernel_command(void *arg, struct span line)
{
    struct nat_kernel *node = arg;
    if (span_is(line, "reboot")) {
        host_knat_flush(node->knat);
        nat_trace_reboot(node->host, forget_all(node, false));
    } else if (span_is(line, "flush")) {
        host_knat_flush(node->knat);
        forget_all(node, true);
    } else if (span_starts(line, SPAN("set "))) {
        change(node, line);
    } else {
        nat_trace_bad_command(node->host, line, SPAN("a nat understands reboot, flush and set"));
    }
}

/* ---- start and stop ---- */

static void kernel_stop(void *arg)
{
    struct nat_kernel *node = arg;
    forget_all(node, false);
    if (node->knat)
        host_knat_close(node->knat);
    nat_flows_fini(&node->flows);
    free(node);
}

static const struct nat_logic kernel_logic = {kernel_command, kernel_stop};

static int kernel_open(struct nat_kernel *node, struct text *why)
{
    static const struct host_knat_events events = {flow_created, flow_ended, packet_passed, packet_dropped};
    int error = nat_find_ports(node->host, node->port, &node->config, why);
    if (!error)
        error = nat_settings_config(&node->settings, &node->config, why);
    if (!error)
        error = nat_settings_kernel(&node->settings, &node->config, &node->rules, why);
    node->rules.inside = node->port[NAT_INSIDE];
    node->rules.outside = node->port[NAT_OUTSIDE];
    if (!error)
        error = host_knat_open(node->host, &node->rules, &events, node, &node->knat, why);
    return error;
}

int nat_kernel_start(struct host *h, const void *settings, void **out, struct text *why)
{
    struct nat_kernel *node = calloc(1, sizeof *node);
    if (!node)
        return FE_EMEM;
    node->logic = &kernel_logic;
    node->host = h;
    node->settings = *(const struct nat_settings *)settings;
    nat_settings_preset(&node->settings);
    nat_flows_init(&node->flows, time_is_over, mapping_changed, node);
    int error = kernel_open(node, why);
    if (error)
        kernel_stop(node);
    else
        *out = node;
    return error;
}
