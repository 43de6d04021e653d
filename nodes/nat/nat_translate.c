/* Packets that are no ICMP errors, both ways. Everything is found out first: TTL and MTU are looked at before a mapping
 * is made, and the packet is edited last, so that a packet that is dropped is as it came.
 *
 * A hairpinned packet (RFC 4787 §6) goes both ways at once: its source is translated as if it left, and then its
 * destination as if it had come from outside with that source, past the same filter (REQ-9 a). */
#include "nodes/nat/nat_engine.h"
#include "nodes/nat/nat_explicit.h"

/* Whether a packet has what a mapping needs: ports, or the identifier of a query in the right direction (RFC 5508
 * REQ-1). */
static bool can_be_mapped(const struct ip_view *v, uint8_t icmp_type)
{
    return v->has_ports && (v->protocol != IP_ICMP || v->icmp_type == icmp_type);
}

bool nat_is_public(const struct nat *nat, ipv4 addr)
{
    const struct nat_config *c = &nat->table.config;
    return addr != 0 && (nat_is_pooled(c, addr) || addr == c->one_to_one.outside);
}

/* ---- the source of an outbound packet ---- */

/* The rules are not loaded yet: a mapping of the inside endpoint to itself, for this flow. */
static enum nat_cause leak(struct nat_parcel *p, const struct nat_ends *ends, struct endpoint remote)
{
    uint32_t session;
    (void)nat_session_admit(&p->nat->table, p->v.protocol, ends->src, ends->src, remote,
                            nat_lifetime_first(&p->nat->table, p), &session);
    return NAT_NO_CAUSE;
}

static enum nat_cause leave(struct nat_parcel *p, struct nat_ends *ends)
{
    struct nat_table *t = &p->nat->table;
    const struct nat_config *c = &t->config;
    struct endpoint inside = ends->src;
    struct endpoint remote = nat_remote(p->v.protocol, ends->dst);
    if (inside.addr == c->one_to_one.inside) {
        ends->src.addr = c->one_to_one.outside;
        return NAT_NO_CAUSE;
    }
    if (c->pool_n == 0 || !can_be_mapped(&p->v, ICMP_ECHO))
        return NAT_NO_MAPPING;
    uint32_t session = nat_session_out(t, p->v.protocol, inside, remote);
    if (session == NAT_NONE && p->now < p->nat->leaks_until)
        return leak(p, ends, remote);
    if (session == NAT_NONE && nat_session_open(t, p->v.protocol, inside, remote, nat_lifetime_first(t, p), &session))
        return NAT_NO_PORT;
    nat_lifetime_packet(t, session, p, NAT_INSIDE);
    ends->src = t->sessions[session].outside;
    return NAT_NO_CAUSE;
}

/* ---- the destination of an inbound packet ---- */

/* Whom an inbound packet is for, and by which session's right it comes. */
struct entrance {
    struct endpoint inside;
    uint32_t session; /* NAT_NONE: a forward's, or one-to-one */
    bool stranger;    /* the session is another remote's */
};

/* A pinhole of the ALG is a session with port 0 of its remote, or with anybody: all of them may use it. */
static bool is_pinhole_for(const struct nat_session *s, struct endpoint remote)
{
    return s->protocol == IP_UDP && !(s->seen & NAT_SEEN_EXPLICIT) && s->remote.port == 0 &&
           (s->remote.addr == 0 || s->remote.addr == remote.addr);
}

/* RFC 4787 §5: the session that lets a packet of a remote in that has none of its own; false: it is filtered. */
static bool filter_passes(const struct nat_table *t, const struct nat_record *m, struct endpoint remote,
                          uint32_t *session)
{
    bool passes;
    *session = m->sessions;
    if (m->state == NAT_FORWARDING)
        return true;
    if (t->explicits && nat_explicit_decides(t, m, remote, session, &passes))
        return passes;
    switch (t->config.filtering) {
    case NAT_ENDPOINT_INDEPENDENT: return true;
    case NAT_ADDRESS_DEPENDENT:
        while (*session != NAT_NONE && t->sessions[*session].remote.addr != remote.addr &&
               !is_pinhole_for(&t->sessions[*session], remote))
            *session = t->sessions[*session].next;
        return *session != NAT_NONE;
    case NAT_ADDRESS_AND_PORT_DEPENDENT:
        while (*session != NAT_NONE && !is_pinhole_for(&t->sessions[*session], remote))
            *session = t->sessions[*session].next;
        return *session != NAT_NONE;
    }
    return false;
}

static enum nat_cause find_entrance(const struct nat_parcel *p, const struct nat_ends *ends, struct entrance *e)
{
    const struct nat_table *t = &p->nat->table;
    struct endpoint remote = nat_remote(p->v.protocol, ends->src);
    *e = (struct entrance){.session = NAT_NONE};
    if (ends->dst.addr == t->config.one_to_one.outside) {
        e->inside = (struct endpoint){t->config.one_to_one.inside, ends->dst.port};
        return NAT_NO_CAUSE;
    }
    if (!nat_is_pooled(&t->config, ends->dst.addr) || !can_be_mapped(&p->v, ICMP_ECHO_REPLY))
        return NAT_NO_MAPPING;
    e->session = nat_session_in(t, p->v.protocol, ends->dst, remote);
    if (e->session != NAT_NONE) {
        e->inside = t->sessions[e->session].inside;
        return NAT_NO_CAUSE;
    }
    uint32_t mapping = nat_mapping_in(t, p->v.protocol, ends->dst);
    if (mapping == NAT_NONE)
        return NAT_NO_MAPPING;
    e->inside = t->mappings[mapping].inside;
    e->stranger = true;
    return filter_passes(t, &t->mappings[mapping], remote, &e->session) ? NAT_NO_CAUSE : NAT_FILTERED;
}

static void enter(struct nat_parcel *p, const struct entrance *e, struct nat_ends *ends)
{
    struct nat_table *t = &p->nat->table;
    if (e->session != NAT_NONE && e->stranger)
        nat_lifetime_stranger(t, e->session, p->now);
    else if (e->session != NAT_NONE)
        nat_lifetime_packet(t, e->session, p, NAT_OUTSIDE);
    ends->dst = e->inside;
}

/* The DMZ host has what is for nobody else. Its mapping makes its answers leave by the same port. */
static bool admit_to_dmz(struct nat_parcel *p, const struct nat_ends *ends, struct entrance *e)
{
    struct nat_table *t = &p->nat->table;
    if (t->config.dmz == 0 || !nat_is_pooled(&t->config, ends->dst.addr) || !p->v.has_ports || p->v.protocol == IP_ICMP)
        return false;
    *e = (struct entrance){.inside = {t->config.dmz, ends->dst.port}};
    return nat_session_admit(t, p->v.protocol, e->inside, ends->dst, ends->src, nat_lifetime_first(t, p),
                             &e->session) == 0;
}

/* ---- whole ways ---- */

static void finish(struct nat_parcel *p, const struct nat_ends *ends, enum nat_side to)
{
    nat_rewrite(p->packet, p->v.total, &p->v, ends);
    nat_mss_clamp(p);
    nat_send(p, to);
}

static void refuse_to_map(struct nat_parcel *p, enum nat_cause cause)
{
    const struct nat_config *c = &p->nat->table.config;
    uint8_t code = c->refuse == NAT_REFUSE_PROHIBITED ? ICMP_PROHIBITED : ICMP_HOST_UNREACHABLE;
    if (cause == NAT_NO_PORT && c->refuse != NAT_REFUSE_SILENTLY)
        nat_refuse(p, cause, ICMP_UNREACHABLE, code, c->own[NAT_INSIDE]);
    else
        nat_drop(p, cause);
}

void nat_translate_in(struct nat_parcel *p)
{
    struct nat_ends ends = nat_ends_of(&p->v);
    struct entrance e;
    enum nat_cause cause = find_entrance(p, &ends, &e);
    if (cause == NAT_NO_MAPPING && p->nat->table.config.dmz && nat_may_go(p, NAT_INSIDE) && admit_to_dmz(p, &ends, &e))
        cause = NAT_NO_CAUSE;
    if (p->out->cause)
        return; /* it may not go to the DMZ host */
    if (cause) {
        if (!nat_syn_hold(p, cause))
            nat_drop(p, cause);
        return;
    }
    if (!nat_may_go(p, NAT_INSIDE))
        return;
    enter(p, &e, &ends);
    finish(p, &ends, NAT_INSIDE);
}

/* From inside to the public address. That there is somebody at that port is seen before the sender gets its mapping;
 * that the filter lets it pass, after, since its packet also opens its own side for the answer. */
static void translate_hairpin(struct nat_parcel *p)
{
    struct nat_ends ends = nat_ends_of(&p->v);
    struct entrance e;
    if (!p->nat->table.config.hairpin) {
        nat_drop(p, NAT_NO_HAIRPIN);
        return;
    }
    if (find_entrance(p, &ends, &e) == NAT_NO_MAPPING) {
        nat_drop(p, NAT_NO_MAPPING);
        return;
    }
    if (!nat_may_go(p, NAT_INSIDE))
        return;
    struct endpoint inside = ends.src;
    enum nat_cause cause = leave(p, &ends);
    if (!cause)
        cause = find_entrance(p, &ends, &e);
    if (cause) {
        refuse_to_map(p, cause);
        return;
    }
    enter(p, &e, &ends);
    if (p->nat->table.config.hairpin_internal)
        ends.src = inside;
    finish(p, &ends, NAT_INSIDE);
}

void nat_translate_out(struct nat_parcel *p)
{
    struct nat_ends ends = nat_ends_of(&p->v);
    if (nat_is_public(p->nat, p->v.dst)) {
        translate_hairpin(p);
        return;
    }
    if (!nat_may_go(p, NAT_OUTSIDE))
        return;
    enum nat_cause cause = leave(p, &ends);
    if (cause)
        refuse_to_map(p, cause);
    else
        finish(p, &ends, NAT_OUTSIDE);
}
