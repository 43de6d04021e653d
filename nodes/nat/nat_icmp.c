/* ICMP errors (RFC 5508 §4): the packet that they quote is translated back to what the addressee knows, and the outer
 * addresses follow from it. An error never makes, refreshes or ends a mapping (RFC 4787 REQ-12, RFC 5508 REQ-6).
 *
 * The quoted packet travelled the other way: of an error that comes in, the quoted source is ours; of one that goes
 * out, the quoted destination. */
#include "nodes/nat/nat_engine.h"

struct quote {
    uint8_t *packet;
    size_t n;
    struct ip_view v;
    struct nat_ends ends; /* what it is to become */
};

/* The quoted source, a public endpoint, to the inside one that sent the packet (RFC 5508 REQ-4). */
static enum nat_cause quote_in(const struct nat_parcel *p, struct quote *q)
{
    const struct nat_table *t = &p->nat->table;
    const struct nat_config *c = &t->config;
    if (q->ends.src.addr != p->v.dst)
        return NAT_NO_MAPPING;
    if (q->ends.src.addr == c->one_to_one.outside) {
        q->ends.src.addr = c->one_to_one.inside;
        return NAT_NO_CAUSE;
    }
    if (!q->v.has_ports || !nat_is_pooled(c, q->ends.src.addr))
        return NAT_NO_MAPPING;
    uint32_t session = nat_session_in(t, q->v.protocol, q->ends.src, nat_remote(q->v.protocol, q->ends.dst));
    if (session == NAT_NONE)
        return NAT_NO_MAPPING;
    q->ends.src = t->sessions[session].inside;
    return NAT_NO_CAUSE;
}

/* The quoted destination, an inside endpoint, to the public one that the sender knows (RFC 5508 REQ-5). */
static enum nat_cause quote_out(const struct nat_parcel *p, struct quote *q)
{
    const struct nat_table *t = &p->nat->table;
    const struct nat_config *c = &t->config;
    if (c->one_to_one.inside != 0 && q->ends.dst.addr == c->one_to_one.inside) {
        q->ends.dst.addr = c->one_to_one.outside;
        return NAT_NO_CAUSE;
    }
    if (!q->v.has_ports)
        return NAT_NO_MAPPING;
    uint32_t mapping = nat_mapping_out(t, q->v.protocol, q->ends.dst, nat_remote(q->v.protocol, q->ends.src));
    if (mapping == NAT_NONE)
        return NAT_NO_MAPPING;
    q->ends.dst = t->mappings[mapping].outside;
    return NAT_NO_CAUSE;
}

static void rewrite_error(struct nat_parcel *p, struct quote *q, const struct nat_ends *outer)
{
    nat_rewrite(q->packet, q->n, &q->v, &q->ends);
    nat_rewrite(p->packet, p->v.total, &p->v, outer);
    ip_transport_sum(p->packet, p->v.total);
}

static bool quote_find(const struct nat_parcel *p, struct quote *q)
{
    struct span quoted = icmp_quoted(p->packet, &p->v);
    if (ip_is_fragment(&p->v) || !ip_transport_sum_ok(p->packet, p->v.total)) /* RFC 5508 REQ-3 */
        return false;
    q->packet = p->packet + p->v.header + ICMP_HEADER;
    q->n = quoted.n;
    if (quoted.n == 0 || ip_parse_quoted(q->packet, q->n, &q->v))
        return false;
    q->ends = nat_ends_of(&q->v);
    return true;
}

/* From inside to the public address: an error about a hairpinned packet (RFC 5508 REQ-7). */
static enum nat_cause translate(const struct nat_parcel *p, struct quote *q, struct nat_ends *outer, enum nat_side *to)
{
    bool in = p->from == NAT_OUTSIDE || nat_is_public(p->nat, p->v.dst);
    enum nat_cause cause = NAT_NO_CAUSE;
    *to = in ? NAT_INSIDE : NAT_OUTSIDE;
    if (p->from == NAT_INSIDE) {
        if (in && !p->nat->table.config.hairpin)
            return NAT_NO_HAIRPIN;
        cause = quote_out(p, q);
        outer->src.addr = q->ends.dst.addr;
    }
    if (in && !cause) {
        cause = quote_in(p, q);
        outer->dst.addr = q->ends.src.addr;
    }
    return cause;
}

void nat_translate_error(struct nat_parcel *p)
{
    struct quote q;
    struct nat_ends outer = nat_ends_of(&p->v);
    enum nat_side to;
    if (!quote_find(p, &q)) {
        nat_drop(p, NAT_BAD_PACKET);
        return;
    }
    enum nat_cause cause = translate(p, &q, &outer, &to);
    if (cause) {
        nat_drop(p, cause);
        return;
    }
    if (!nat_may_go(p, to))
        return;
    rewrite_error(p, &q, &outer);
    nat_send(p, to);
}
