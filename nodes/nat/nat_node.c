#include "nodes/nat/nat_node.h"

#include "nodes/base/error.h"
#include "nodes/proto/ip.h"

#include <string.h>

/* ---- ports ---- */

int nat_find_ports(const struct host *h, unsigned port[2], struct nat_config *config, struct text *why)
{
    static const char *const names[] = {[NAT_INSIDE] = "inside", [NAT_OUTSIDE] = "outside"};
    bool found[2] = {false, false};
    const struct host_port *p;
    for (unsigned i = 0; (p = host_port_at(h, i)) != NULL; i++)
        for (unsigned side = NAT_INSIDE; side <= NAT_OUTSIDE; side++)
            if (strcmp(p->name, names[side]) == 0) {
                found[side] = true;
                port[side] = i;
                config->own[side] = p->addr;
                config->mtu[side] = p->mtu;
            }
    if (found[NAT_INSIDE] && found[NAT_OUTSIDE])
        return 0;
    text_str(why, "a nat needs an inside and an outside network");
    return FE_EUNKNOWN;
}

/* ---- trace ---- */

const char *nat_protocol_text(uint8_t protocol)
{
    return protocol == IP_UDP ? "udp" : protocol == IP_TCP ? "tcp" : "icmp";
}

static const char *change_text(enum nat_change change)
{
    switch (change) {
    case NAT_CREATED: return "created";
    case NAT_EXPIRED: return "expired";
    case NAT_REMOVED: return "removed";
    case NAT_BLOCK_TAKEN: return "taken";
    case NAT_BLOCK_GIVEN: return "given-back";
    }
    return "";
}

/* RFC 6888 REQ-13, REQ-14: with blocks, this line is all that an operator needs to keep. */
static void trace_block(struct host *h, enum nat_change change, const struct nat_mapping *m)
{
    struct record *r = host_trace(h, "block");
    record_str(r, "state", change_text(change));
    record_addr(r, "inside", m->inside.addr);
    record_addr(r, "outside", m->outside.addr);
    record_u64(r, "low", m->outside.port);
    record_u64(r, "high", m->outside.port + m->ports - 1u);
    host_trace_end(h);
}

void nat_trace_mapping(struct host *h, enum nat_change change, const struct nat_mapping *m)
{
    if (change == NAT_BLOCK_TAKEN || change == NAT_BLOCK_GIVEN) {
        trace_block(h, change, m);
        return;
    }
    struct record *r = host_trace(h, "mapping");
    record_str(r, "state", change_text(change));
    record_str(r, "proto", nat_protocol_text(m->protocol));
    record_endpoint(r, "inside", m->inside);
    record_endpoint(r, "outside", m->outside);
    record_endpoint(r, "remote", m->remote);
    record_str(r, "by", m->by_pcp ? "pcp" : NULL);
    host_trace_end(h);
}

void nat_trace_drop(struct host *h, enum nat_cause cause, const uint8_t *packet, size_t n)
{
    char buf[256];
    struct text what = text_on(buf, sizeof buf);
    ip_describe(&what, packet, n);
    host_drop(h, nat_cause_text(cause), text_span(&what));
}

void nat_trace_reboot(struct host *h, size_t lost)
{
    struct record *r = host_trace(h, "reboot");
    record_u64(r, "mappings", lost);
    host_trace_end(h);
}

void nat_trace_bad_command(struct host *h, struct span line, struct span reason)
{
    struct record *r = host_trace(h, "bad-command");
    record_text(r, "line", line);
    record_text(r, "reason", reason);
    host_trace_end(h);
}
