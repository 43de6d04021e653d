/* Around the message (nat_alg_message.c): which packets are looked into, which ports stand for what, and the packet
 * that goes on. A pinhole is an ordinary session of the table with an open remote end, so it is in the filter, in the
 * quota and in the trace like any other.
 *
 * As in a connection-tracking helper, the NAT translates first: also a packet that the ALG then drops has refreshed its
 * mapping. */
#include "nodes/nat/nat_alg.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/nat/nat_alg_message.h"
#include "nodes/nat/nat_engine.h"
#include "nodes/proto/ip_forward.h"

#include <stdlib.h>
#include <string.h>

enum { HEADS_MAX = 60 + UDP_HEADER, PACKET_MAX = 65535, TOTAL_AT = 2, UDP_LENGTH_AT = 4, UDP_SUM_AT = 6 };

struct nat_alg {
    struct nat_alg_config config;
    nat_alg_noted *noted;
    void *arg;
    uint8_t heads[HEADS_MAX]; /* of the packet as it came: what a translation changes */
    uint8_t packet[PACKET_MAX + 1];
    char body[PACKET_MAX + 1];
};

int nat_alg_start(struct nat *nat, const struct nat_alg_config *config, nat_alg_noted *noted, void *arg)
{
    if (!nat->alg)
        nat->alg = malloc(sizeof *nat->alg);
    if (!nat->alg)
        return FE_EMEM;
    nat->alg->config = *config;
    nat->alg->noted = noted;
    nat->alg->arg = arg;
    return 0;
}

void nat_alg_stop(struct nat *nat)
{
    free(nat->alg);
    nat->alg = NULL;
}

/* ---- what the NAT's ports stand for ---- */

static lab_time pinhole_end(const struct nat_parcel *p)
{
    lab_time timeout = p->nat->alg->config.pinhole_timeout;
    return timeout >= NEVER - p->now ? NEVER : p->now + timeout;
}

/* Opens or refreshes the pinhole of one inside port; false: no port is left. */
static bool open_pinhole(struct nat_parcel *p, struct endpoint inside, struct endpoint *outside)
{
    struct nat_table *t = &p->nat->table;
    bool anyone = p->nat->alg->config.pinholes == NAT_ALG_PINHOLES_ANYONE;
    struct endpoint remote = {anyone ? 0 : p->v.dst, 0};
    uint32_t session = nat_session_out(t, IP_UDP, inside, remote);
    if (session == NAT_NONE && nat_session_open(t, IP_UDP, inside, remote, pinhole_end(p), &session))
        return false;
    if (!(t->sessions[session].seen & NAT_SEEN_EXPLICIT))
        nat_session_keep(t, session, pinhole_end(p));
    *outside = t->sessions[session].outside;
    return true;
}

/* An inside port that nothing was sent from. Without a mapping it is hoped to keep its number. */
static struct endpoint expected(const struct nat_parcel *p, struct endpoint inside)
{
    const struct nat_table *t = &p->nat->table;
    uint32_t mapping = nat_mapping_out(t, IP_UDP, inside, (struct endpoint){p->v.dst, p->v.dport});
    return mapping == NAT_NONE ? (struct endpoint){t->config.pool[0], inside.port} : t->mappings[mapping].outside;
}

static bool media_port(void *arg, struct endpoint rtp, struct endpoint rtcp, struct endpoint *shown)
{
    struct nat_parcel *p = arg;
    const struct nat_config *c = &p->nat->table.config;
    struct endpoint rtcp_shown;
    if (rtp.addr == c->one_to_one.inside) {
        *shown = (struct endpoint){c->one_to_one.outside, rtp.port};
        return true;
    }
    *shown = expected(p, rtp);
    if (p->nat->alg->config.pinholes == NAT_ALG_PINHOLES_NONE)
        return true;
    if (!open_pinhole(p, rtp, shown))
        return false;
    if (rtcp.addr == rtp.addr && rtcp.port != rtp.port)
        open_pinhole(p, rtcp, &rtcp_shown);
    return true;
}

static bool signalling_port(void *arg, struct endpoint own, struct endpoint *shown)
{
    struct nat_parcel *p = arg;
    const struct nat_table *t = &p->nat->table;
    const struct nat_config *c = &t->config;
    if (p->from == NAT_INSIDE && own.addr == c->one_to_one.inside) {
        *shown = (struct endpoint){c->one_to_one.outside, own.port};
        return true;
    }
    if (p->from == NAT_INSIDE) {
        *shown = expected(p, own);
        return true;
    }
    if (own.addr == c->one_to_one.outside) {
        *shown = (struct endpoint){c->one_to_one.inside, own.port};
        return true;
    }
    uint32_t mapping = nat_mapping_in(t, IP_UDP, own);
    if (mapping == NAT_NONE)
        return false;
    *shown = t->mappings[mapping].inside;
    return true;
}

/* ---- packets ---- */

bool nat_alg_takes(const struct nat_parcel *p)
{
    struct nat_alg *alg = p->nat->alg;
    if (!alg || p->v.protocol != IP_UDP || !p->v.has_ports)
        return false;
    if (p->from == NAT_OUTSIDE && !alg->config.restores && !alg->config.strict)
        return false;
    if ((p->from == NAT_INSIDE ? p->v.dport : p->v.sport) != alg->config.port)
        return false;
    memcpy(alg->heads, p->packet, p->v.header + (size_t)UDP_HEADER);
    return true;
}

/* The verdict was to forward; it is taken back, and the packet is as it came. */
static void drop(struct nat_parcel *p, enum nat_cause cause)
{
    memcpy(p->packet, p->nat->alg->heads, p->v.header + (size_t)UDP_HEADER);
    p->out->packet = p->packet;
    p->out->n = p->v.total;
    p->out->fragment = false;
    nat_drop(p, cause);
}

/* Its UDP payload; false: there is none that could be a message, or it is not all here. */
static bool payload_of(const struct nat_parcel *p, struct span *payload)
{
    size_t room = p->v.total - (size_t)p->v.header;
    size_t length = get16(p->packet + p->v.header + UDP_LENGTH_AT);
    if (ip_is_fragment(&p->v) || length < UDP_HEADER || length > room || !ip_transport_sum_ok(p->packet, p->v.total))
        return false;
    *payload = span_make(p->packet + p->v.header + UDP_HEADER, length - UDP_HEADER);
    return true;
}

static struct nat_alg_way way_of(struct nat_parcel *p)
{
    const struct nat_ends before = nat_ends_of(&p->v);
    struct ip_view v = {0};
    ip_parse(p->packet, p->v.total, &v);
    const struct nat_ends after = nat_ends_of(&v);
    bool out = p->from == NAT_INSIDE;
    return (struct nat_alg_way){
        .from = p->from,
        .own = out ? before.src : before.dst,
        .shown = out ? after.src : after.dst,
        .signalling = signalling_port,
        .media = media_port,
        .arg = p,
        .noted = p->nat->alg->noted,
        .noted_arg = p->nat->alg->arg,
    };
}

/* Lengths and checksums of the packet with its new payload; all else of its heads stays. A packet without a UDP
 * checksum (RFC 768) goes on without one. */
static size_t finish(const struct nat_parcel *p, size_t payload)
{
    uint8_t *packet = p->nat->alg->packet;
    uint8_t *udp = packet + p->v.header;
    size_t total = p->v.header + UDP_HEADER + payload;
    memcpy(packet, p->packet, p->v.header + (size_t)UDP_HEADER);
    put16(packet + TOTAL_AT, (uint16_t)total);
    put16(udp + UDP_LENGTH_AT, (uint16_t)(UDP_HEADER + payload));
    ip_header_sum(packet);
    if (get16(udp + UDP_SUM_AT) != 0)
        ip_transport_sum(packet, total);
    return total;
}

/* RFC 1191 §4: it must not be fragmented. Its sender is told the MTU, though what it sent did fit. */
static void refuse(struct nat_parcel *p, uint16_t mtu)
{
    struct nat *nat = p->nat;
    const struct ip_forward f = {
        .action = IP_FORWARD_ERROR, .type = ICMP_UNREACHABLE, .code = ICMP_FRAG_NEEDED, .mtu = mtu};
    drop(p, NAT_TOO_BIG);
    size_t n =
        ip_forward_error(nat->answer, sizeof nat->answer, &f, nat->table.config.own[p->from], p->packet, p->v.total);
    if (n == 0)
        return;
    p->out->action = NAT_ANSWER;
    p->out->side = p->from;
    p->out->packet = nat->answer;
    p->out->n = n;
}

/* The rewritten packet goes on, if it still can. */
static void go_on(struct nat_parcel *p, size_t total)
{
    struct nat_alg *alg = p->nat->alg;
    uint16_t mtu = p->nat->table.config.mtu[p->out->side];
    bool too_big = total > mtu;
    if (too_big && (p->v.fragment & IP_DF)) {
        refuse(p, mtu);
        return;
    }
    if (too_big && alg->config.drops_grown) {
        drop(p, NAT_TOO_BIG);
        return;
    }
    p->out->packet = alg->packet;
    p->out->n = total;
    p->out->fragment = too_big;
}

void nat_alg_packet(struct nat_parcel *p)
{
    struct nat_alg *alg = p->nat->alg;
    struct span payload;
    if (p->out->action != NAT_FORWARD || p->out->side == p->from)
        return;
    enum nat_alg_result result = NAT_ALG_UNPARSED;
    size_t heads = p->v.header + (size_t)UDP_HEADER;
    struct text out = text_on((char *)alg->packet + heads, sizeof alg->packet - heads);
    struct text body = text_on(alg->body, sizeof alg->body);
    struct nat_alg_way way = way_of(p);
    if (payload_of(p, &payload)) {
        if (nat_alg_is_keep_alive(payload))
            return;
        result = nat_alg_message(&alg->config, &way, payload, &body, &out);
    }
    switch (result) {
    case NAT_ALG_SAME: break;
    case NAT_ALG_REWRITTEN: go_on(p, finish(p, out.n)); break;
    case NAT_ALG_UNPARSED:
        if (alg->config.strict)
            drop(p, NAT_ALG_UNPARSABLE);
        break;
    }
}
