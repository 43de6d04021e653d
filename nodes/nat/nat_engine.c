#include "nodes/nat/nat_engine.h"

#include "nodes/base/error.h"
#include "nodes/nat/nat_alg.h"
#include "nodes/nat/nat_pcp.h"
#include "nodes/proto/ip_forward.h"
#include "nodes/proto/tcp.h"

#include <stdlib.h>

enum { OWN_TTL = 64 };

/* ---- life ---- */

int nat_new(struct nat **out, const struct nat_config *config, const struct prng *rng, lab_time now,
            nat_changed *changed, void *arg)
{
    struct nat *nat = malloc(sizeof *nat);
    if (!nat)
        return FE_EMEM;
    nat_table_init(&nat->table, config, rng, changed, arg);
    nat->fragments = NULL;
    nat->alg = NULL;
    nat->pcp = NULL;
    nat->syns = NULL;
    nat->leaks_until = now + config->leak;
    *out = nat;
    return 0;
}

void nat_free(struct nat *nat)
{
    if (!nat)
        return;
    nat_table_fini(&nat->table);
    nat_fragments_free(nat->fragments);
    nat_alg_stop(nat);
    nat_pcp_stop(nat);
    nat_syns_free(nat->syns);
    free(nat);
}

void nat_configure(struct nat *nat, const struct nat_config *config)
{
    nat->table.config = *config;
}

int nat_forward(struct nat *nat, uint8_t protocol, uint16_t outside_port, struct endpoint inside)
{
    return nat_table_forward(&nat->table, protocol, outside_port, inside);
}

size_t nat_count(const struct nat *nat)
{
    return nat->table.dynamic;
}

size_t nat_flush(struct nat *nat)
{
    return nat_table_flush(&nat->table, true);
}

size_t nat_rebind(struct nat *nat)
{
    return nat_table_rebind(&nat->table);
}

void nat_set_pool(struct nat *nat, const ipv4 *pool, unsigned n)
{
    nat_table_set_pool(&nat->table, pool, n);
}

size_t nat_reboot(struct nat *nat, lab_time now)
{
    nat->leaks_until = now + nat->table.config.leak;
    nat_pcp_restart(nat, now);
    nat_syns_clear(nat->syns);
    if (nat->fragments)
        nat_fragments_clear(nat->fragments);
    return nat_table_flush(&nat->table, false);
}

void nat_expire(struct nat *nat, lab_time now)
{
    nat_table_expire(&nat->table, now);
    if (nat->fragments && nat_fragments_deadline(nat->fragments) <= now)
        nat_fragments_expire(nat->fragments, now);
    nat_syns_expire(nat->syns, now);
}

lab_time nat_deadline(const struct nat *nat)
{
    lab_time mappings = nat_table_deadline(&nat->table);
    lab_time fragments = nat->fragments ? nat_fragments_deadline(nat->fragments) : NEVER;
    lab_time syns = nat_syns_deadline(nat->syns);
    lab_time held = fragments < syns ? fragments : syns;
    return mappings < held ? mappings : held;
}

/* ---- verdicts ---- */

const char *nat_cause_text(enum nat_cause cause)
{
    switch (cause) {
    case NAT_NO_CAUSE: return "";
    case NAT_NO_MAPPING: return "no-mapping";
    case NAT_FILTERED: return "filtered";
    case NAT_NO_HAIRPIN: return "no-hairpin";
    case NAT_NO_PORT: return "no-port";
    case NAT_TTL_EXCEEDED: return "ttl-exceeded";
    case NAT_TOO_BIG: return "too-big";
    case NAT_BAD_PACKET: return "bad-packet";
    case NAT_ALG_UNPARSABLE: return "alg-unparsed";
    }
    return "";
}

void nat_drop(struct nat_parcel *p, enum nat_cause cause)
{
    p->out->action = NAT_DROP;
    p->out->cause = cause;
}

void nat_send(struct nat_parcel *p, enum nat_side to)
{
    ip_decrement_ttl(p->packet);
    p->out->action = NAT_FORWARD;
    p->out->side = to;
    p->out->fragment = p->v.total > p->nat->table.config.mtu[to];
}

/* What stands in `answer`, n bytes of it, goes back; 0: there is nothing to say. */
static void answer(struct nat_parcel *p, size_t n)
{
    if (n == 0)
        return;
    p->out->action = NAT_ANSWER;
    p->out->side = p->from;
    p->out->packet = p->nat->answer;
    p->out->n = n;
}

/* RFC 5508 REQ-10: as a router, the NAT sends its own errors, about the packet as it came. */
bool nat_may_go(struct nat_parcel *p, enum nat_side to)
{
    const struct nat_config *c = &p->nat->table.config;
    struct ip_forward f;
    ip_forward_check(&p->v, c->mtu[to], &f);
    if (f.action == IP_FORWARD_SEND || f.action == IP_FORWARD_FRAGMENT)
        return true;
    nat_drop(p, f.type == ICMP_TIME_EXCEEDED ? NAT_TTL_EXCEEDED : NAT_TOO_BIG);
    answer(p, ip_forward_error(p->nat->answer, sizeof p->nat->answer, &f, c->own[p->from], p->packet, p->v.total));
    return false;
}

void nat_refuse(struct nat_parcel *p, enum nat_cause cause, uint8_t type, uint8_t code, ipv4 own)
{
    const struct ip_build ip = {.src = own, .ttl = OWN_TTL};
    nat_drop(p, cause);
    answer(p, ip_build_icmp_error(p->nat->answer, sizeof p->nat->answer, &ip, type, code, 0, p->packet, p->v.total));
}

/* ---- the NAT's own addresses ---- */

/* An address at which the NAT itself is at home. From outside its inside address does not exist. */
static bool is_own(const struct nat_parcel *p, ipv4 addr)
{
    const struct nat_config *c = &p->nat->table.config;
    if (addr == c->one_to_one.outside)
        return false;
    return addr == c->own[NAT_OUTSIDE] || nat_is_pooled(c, addr) ||
           (addr == c->own[NAT_INSIDE] && p->from == NAT_INSIDE);
}

static void answer_echo(struct nat_parcel *p)
{
    if (!ip_answer_echo(p->packet, &p->v, OWN_TTL)) {
        nat_drop(p, NAT_BAD_PACKET);
        return;
    }
    p->out->action = NAT_ANSWER;
    p->out->side = p->from;
}

/* ---- packets ---- */

/* A transport header that is cut short cannot be translated. */
static bool transport_is_whole(const struct ip_view *v)
{
    size_t n = v->total - (size_t)v->header;
    if (ip_is_later_fragment(v))
        return true;
    if (v->protocol == IP_TCP)
        return n >= TCP_HEADER;
    if (v->protocol == IP_UDP || v->protocol == IP_ICMP)
        return n >= UDP_HEADER;
    return true;
}

static void translate(struct nat_parcel *p)
{
    bool own = is_own(p, p->v.dst);
    if (own && p->v.protocol == IP_ICMP && p->v.icmp_type == ICMP_ECHO)
        answer_echo(p);
    else if (own && nat_pcp_takes(p))
        nat_pcp_answer(p);
    else if (own && !nat_is_public(p->nat, p->v.dst))
        nat_drop(p, NAT_NO_MAPPING);
    else if (p->v.protocol == IP_ICMP && icmp_is_error(p->v.icmp_type))
        nat_translate_error(p);
    else if (p->from == NAT_INSIDE)
        nat_translate_out(p);
    else
        nat_translate_in(p);
}

/* A packet with its transport header: unfragmented, or the first fragment. */
static void pass(struct nat_parcel *p)
{
    bool sip = nat_alg_takes(p);
    translate(p);
    if (sip)
        nat_alg_packet(p);
}

static void pass_first_fragment(struct nat_parcel *p)
{
    struct ip_view after;
    struct nat_fate fate = {0};
    pass(p);
    if (p->out->action == NAT_FORWARD && ip_parse(p->packet, p->v.total, &after) == 0)
        fate = (struct nat_fate){.to = p->out->side, .src = after.src, .dst = after.dst};
    else
        fate.cause = p->out->cause;
    nat_fragments_learn(p->nat->fragments, p->from, &p->v, p->now, &fate);
}

static void follow(struct nat_parcel *p, const struct nat_fate *fate)
{
    const struct nat_ends ends = {{.addr = fate->src}, {.addr = fate->dst}};
    if (fate->cause) {
        nat_drop(p, fate->cause);
        return;
    }
    if (!nat_may_go(p, fate->to))
        return;
    nat_rewrite(p->packet, p->v.total, &p->v, &ends);
    nat_send(p, fate->to);
}

static void pass_later_fragment(struct nat_parcel *p)
{
    const struct nat_fate *fate = nat_fragments_find(p->nat->fragments, p->from, &p->v);
    if (fate)
        follow(p, fate);
    else if (nat_fragments_hold(p->nat->fragments, p->from, &p->v, p->packet, p->now))
        p->out->action = NAT_HOLD;
    else
        nat_drop(p, NAT_NO_MAPPING);
}

static void pass_fragment(struct nat_parcel *p)
{
    if (!p->nat->fragments)
        p->nat->fragments = nat_fragments_new();
    if (!p->nat->fragments) {
        nat_drop(p, NAT_NO_MAPPING);
        return;
    }
    nat_fragments_expire(p->nat->fragments, p->now);
    if (ip_is_later_fragment(&p->v))
        pass_later_fragment(p);
    else
        pass_first_fragment(p);
}

/* ---- without translation (RFC 6888 REQ-6) ---- */

/* A packet to a network that is reached untranslated, or from there to an inside host's own address. */
static bool is_exempt(const struct nat_parcel *p)
{
    const struct nat_config *c = &p->nat->table.config;
    ipv4 remote = p->from == NAT_INSIDE ? p->v.dst : p->v.src;
    for (unsigned i = 0; i < c->exempt_n; i++)
        if (subnet_has(c->exempt[i], remote))
            return !is_own(p, p->v.dst) && !nat_is_public(p->nat, p->v.dst);
    return false;
}

/* As any router does: no state, no filter. */
static void route(struct nat_parcel *p)
{
    enum nat_side to = p->from == NAT_INSIDE ? NAT_OUTSIDE : NAT_INSIDE;
    if (nat_may_go(p, to))
        nat_send(p, to);
}

void nat_packet(struct nat *nat, enum nat_side from, uint8_t *packet, size_t n, lab_time now, struct nat_verdict *out)
{
    struct nat_parcel p = {.nat = nat, .from = from, .packet = packet, .now = now, .out = out};
    *out = (struct nat_verdict){.side = from, .packet = packet, .n = n};
    nat_expire(nat, now);
    if (ip_parse(packet, n, &p.v) || ip_is_martian(&p.v) || !transport_is_whole(&p.v)) {
        nat_drop(&p, NAT_BAD_PACKET);
        return;
    }
    out->n = p.v.total;
    if (is_exempt(&p))
        route(&p);
    else if (ip_is_fragment(&p.v))
        pass_fragment(&p);
    else
        pass(&p);
}

static bool released_fragment(struct nat_parcel *p, size_t *n)
{
    struct nat_fate fate;
    if (!p->nat->fragments || !nat_fragments_take(p->nat->fragments, &p->packet, n, &fate, &p->from))
        return false;
    *p->out = (struct nat_verdict){.side = p->from, .packet = p->packet, .n = *n};
    if (ip_parse(p->packet, *n, &p->v))
        nat_drop(p, NAT_BAD_PACKET);
    else
        follow(p, &fate);
    return true;
}

/* RFC 5382 REQ-4: refused, unless the connection was opened from inside meanwhile. */
static bool released_syn(struct nat_parcel *p, size_t *n)
{
    enum nat_cause cause;
    if (!nat_syns_take(p->nat->syns, &p->packet, n, &cause))
        return false;
    p->from = NAT_OUTSIDE;
    *p->out = (struct nat_verdict){.side = p->from, .packet = p->packet, .n = *n};
    if (ip_parse(p->packet, *n, &p->v)) {
        nat_drop(p, NAT_BAD_PACKET);
        return true;
    }
    struct nat_ends ends = nat_ends_of(&p->v);
    if (nat_session_in(&p->nat->table, IP_TCP, ends.dst, ends.src) != NAT_NONE)
        nat_drop(p, cause);
    else
        nat_refuse(p, cause, ICMP_UNREACHABLE, ICMP_PORT_UNREACHABLE, p->v.dst);
    return true;
}

bool nat_released(struct nat *nat, struct nat_verdict *out, struct nat_held *held)
{
    struct nat_parcel p = {.nat = nat, .out = out};
    size_t n;
    if (!released_fragment(&p, &n) && !released_syn(&p, &n))
        return false;
    *held = (struct nat_held){p.packet, n};
    return true;
}
