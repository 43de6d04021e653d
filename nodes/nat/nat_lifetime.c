/* How long a session lives after a packet: RFC 4787 §4.3 (UDP), RFC 5382 §5 with RFC 7857 §2 (TCP), RFC 5508 §3.2 (ICMP
 * queries). */
#include "nodes/nat/nat_lifetime.h"

#include "nodes/nat/nat_engine.h"
#include "nodes/nat/nat_explicit.h"
#include "nodes/proto/tcp.h"

bool nat_lifetime_is_closing(uint8_t seen)
{
    const unsigned both = NAT_SEEN_FIN_OUT | NAT_SEEN_FIN_IN;
    return (seen & NAT_SEEN_RST) || (seen & both) == both;
}

/* What is known of a connection after one more segment. A new SYN on a closing one starts it again (RFC 9293 §3.6.1).
 */
static uint8_t tcp_seen(uint8_t seen, uint8_t flags, enum nat_side from)
{
    const unsigned both = NAT_SEEN_OUT | NAT_SEEN_IN;
    if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && nat_lifetime_is_closing(seen))
        seen &= NAT_SEEN_EXPLICIT;
    if ((seen & both) == both && !(flags & (TCP_SYN | TCP_RST)))
        seen |= NAT_SEEN_UP;
    seen |= from == NAT_INSIDE ? NAT_SEEN_OUT : NAT_SEEN_IN;
    if (flags & TCP_FIN)
        seen |= from == NAT_INSIDE ? NAT_SEEN_FIN_OUT : NAT_SEEN_FIN_IN;
    if (flags & TCP_RST)
        seen |= NAT_SEEN_RST;
    return seen;
}

uint8_t nat_lifetime_seen(uint8_t seen, const uint8_t *packet, const struct ip_view *v, enum nat_side from)
{
    if (v->protocol == IP_TCP)
        return tcp_seen(seen, packet[v->header + TCP_FLAGS_AT], from);
    return seen | (from == NAT_INSIDE ? NAT_SEEN_OUT : NAT_SEEN_IN);
}

lab_time nat_lifetime(const struct nat_config *c, uint8_t protocol, uint8_t seen)
{
    if (protocol == IP_ICMP)
        return c->icmp_timeout;
    if (protocol == IP_UDP)
        return seen & NAT_SEEN_IN ? c->udp_timeout : c->udp_unreplied;
    if (nat_lifetime_is_closing(seen))
        return c->tcp_closing;
    return seen & NAT_SEEN_UP ? c->tcp_established : c->tcp_transitory;
}

/* A timeout may be so long that it never comes. */
lab_time nat_lifetime_after(lab_time now, lab_time timeout)
{
    return timeout >= NEVER - now ? NEVER : now + timeout;
}

/* TCP is kept by both sides, since RFC 5382's timeouts are about idle connections; else RFC 4787 REQ-6 has the say. */
bool nat_lifetime_refreshes(const struct nat_config *c, uint8_t protocol, enum nat_side from)
{
    return from == NAT_INSIDE || protocol == IP_TCP || c->refresh_inbound;
}

/* What was asked for by PCP stays as long as that says, if need be. */
static inline lab_time promised(const struct nat_table *t, const struct nat_session *s, lab_time expires)
{
    return s->seen & NAT_SEEN_EXPLICIT ? nat_explicit_end(t, s, expires) : expires;
}

void nat_lifetime_packet(struct nat_table *t, uint32_t session, const struct nat_parcel *p, enum nat_side from)
{
    struct nat_session *s = &t->sessions[session];
    s->seen = nat_lifetime_seen(s->seen, p->packet, &p->v, from);
    if (nat_lifetime_refreshes(&t->config, s->protocol, from))
        nat_session_keep(t, session,
                         promised(t, s, nat_lifetime_after(p->now, nat_lifetime(&t->config, s->protocol, s->seen))));
}

void nat_lifetime_stranger(struct nat_table *t, uint32_t session, lab_time now)
{
    const struct nat_session *s = &t->sessions[session];
    if (t->config.refresh_inbound && s->protocol != IP_TCP)
        nat_session_keep(t, session,
                         promised(t, s, nat_lifetime_after(now, nat_lifetime(&t->config, s->protocol, s->seen))));
}

lab_time nat_lifetime_first(const struct nat_table *t, const struct nat_parcel *p)
{
    return nat_lifetime_after(p->now, nat_lifetime(&t->config, p->v.protocol, 0));
}
