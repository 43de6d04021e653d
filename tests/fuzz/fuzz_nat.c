/* The NAT engine under arbitrary configurations, packets and times, beside a model that is slow and obvious: a list of
 * mappings as the engine tells of them, a list of who sent to whom when, and a list of TCP connections. What the
 * filter's rule forbids never comes in, what it allows always does; no port is shared unless that was asked for; no
 * mapping ends too early or too late; quotas, paired addresses, blocks and the rest of ports are kept to, also when all
 * mappings move to other ports. */
#include "nodes/base/bytes.h"
#include "nodes/nat/nat.h"
#include "nodes/proto/ip.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PUBLIC      IPV4(203, 0, 113, 7)
#define UDP_TIMEOUT (30 * SEC)
enum { MAPPINGS_MAX = 512, SENT_MAX = 4096, FLOWS_MAX = 1024, RESTING_MAX = 4096, PACKET_MAX = 300, BLOCK = 4 };
enum { TCP_FLAGS_AT = 13, FIN = 1, SYN = 2, RST = 4, ACK = 16 };

struct sent { /* an outbound packet: it keeps its session until `until` */
    struct nat_mapping by;
    struct endpoint remote;
    lab_time until;
};

struct flow { /* a TCP connection as far as the NAT can tell */
    struct nat_mapping by;
    struct endpoint remote;
    bool out, in, up, fin_out, fin_in, rst;
    lab_time until;
};

struct resting { /* a port that its last owner alone may have before `until` */
    struct nat_mapping by;
    lab_time until;
};

struct model {
    struct nat *nat;
    struct nat_config config;
    lab_time now;
    struct nat_mapping mappings[MAPPINGS_MAX];
    unsigned mappings_n;
    struct sent sent[SENT_MAX];
    unsigned sent_n;
    struct flow flows[FLOWS_MAX];
    unsigned flows_n;
    struct resting resting[RESTING_MAX];
    unsigned resting_n;
    bool moving;               /* nat_rebind is at work: */
    struct nat_mapping before; /* what the mapping was that it moves */
};

/* ---- the model ---- */

static bool is_modelled(const struct model *m, uint8_t protocol)
{
    return protocol == IP_TCP || !m->config.refresh_inbound;
}

static bool same_mapping(const struct nat_mapping *a, const struct nat_mapping *b)
{
    return a->protocol == b->protocol && endpoint_equal(a->outside, b->outside) &&
           endpoint_equal(a->inside, b->inside) && endpoint_equal(a->remote, b->remote);
}

/* When the last of a mapping's sessions ends. */
static lab_time end_of(const struct model *m, const struct nat_mapping *mapping)
{
    lab_time end = 0;
    for (unsigned i = 0; i < m->sent_n; i++)
        if (same_mapping(&m->sent[i].by, mapping) && m->sent[i].until > end)
            end = m->sent[i].until;
    for (unsigned i = 0; i < m->flows_n; i++)
        if (same_mapping(&m->flows[i].by, mapping) && m->flows[i].until > end)
            end = m->flows[i].until;
    return end;
}

static bool is_alive(const struct model *m, const struct nat_mapping *mapping)
{
    return end_of(m, mapping) > m->now;
}

static unsigned block_of(const struct model *m, struct endpoint outside)
{
    return (outside.addr - m->config.pool[0]) * 1000 + (unsigned)(outside.port - m->config.range.low) / BLOCK;
}

/* A new mapping beside one that is there. */
static void check_pair(const struct model *m, const struct nat_mapping *new, const struct nat_mapping *old)
{
    bool same_port = new->protocol == old->protocol &&endpoint_equal(new->outside, old->outside);
    bool same_host = new->inside.addr == old->inside.addr;
    /* RFC 4787 REQ-3: no port is shared */
    must(!same_port || (m->config.overload && !endpoint_equal(new->remote, old->remote)));
    must(!m->config.paired || !same_host || new->outside.addr == old->outside.addr);
    must(!m->config.block || same_host == (block_of(m, new->outside) == block_of(m, old->outside)));
}

static void check_created(const struct model *m, const struct nat_mapping *new)
{
    unsigned of_host = 0;
    must(new->outside.port >= m->config.range.low &&new->outside.port <= m->config.range.high);
    must(new->outside.addr - m->config.pool[0] < m->config.pool_n);
    must(!m->config.parity || m->config.contiguity || (new->outside.port & 1) == (new->inside.port & 1));
    for (unsigned i = 0; i < m->mappings_n; i++) {
        check_pair(m, new, &m->mappings[i]);
        of_host += m->mappings[i].inside.addr == new->inside.addr;
    }
    must(m->config.quota == 0 || of_host < m->config.quota);
    for (unsigned i = 0; i < m->resting_n; i++) {
        const struct resting *r = &m->resting[i];
        bool same_port = r->by.protocol == new->protocol &&endpoint_equal(r->by.outside, new->outside);
        must(!same_port || r->until <= m->now || endpoint_equal(r->by.inside, new->inside));
    }
}

/* Its sessions go on under another port. */
static void move(struct model *m, const struct nat_mapping *to)
{
    must(m->before.protocol == to->protocol && endpoint_equal(m->before.inside, to->inside));
    must(m->before.outside.addr == to->outside.addr && m->before.outside.port != to->outside.port);
    for (unsigned i = 0; i < m->sent_n; i++)
        if (same_mapping(&m->sent[i].by, &m->before))
            m->sent[i].by = *to;
    for (unsigned i = 0; i < m->flows_n; i++)
        if (same_mapping(&m->flows[i].by, &m->before))
            m->flows[i].by = *to;
}

/* A port that was taken up again by its owner does not rest any more. */
static void rest_ends(struct model *m, const struct nat_mapping *mapping)
{
    for (unsigned i = 0; i < m->resting_n; i++)
        if (m->resting[i].by.protocol == mapping->protocol &&
            endpoint_equal(m->resting[i].by.outside, mapping->outside))
            m->resting[i--] = m->resting[--m->resting_n];
}

static void changed(void *arg, enum nat_change change, const struct nat_mapping *mapping)
{
    struct model *m = arg;
    unsigned i = 0;
    if (change == NAT_BLOCK_TAKEN || change == NAT_BLOCK_GIVEN)
        return;
    while (i < m->mappings_n && !same_mapping(&m->mappings[i], mapping))
        i++;
    if (change == NAT_CREATED) {
        must(m->mappings_n < MAPPINGS_MAX);
        check_created(m, mapping);
        if (m->moving)
            move(m, mapping);
        rest_ends(m, mapping);
        m->mappings[m->mappings_n++] = *mapping;
        return;
    }
    must(i < m->mappings_n);
    m->before = *mapping;
    if (change == NAT_EXPIRED && is_modelled(m, mapping->protocol) && m->resting_n < RESTING_MAX)
        m->resting[m->resting_n++] = (struct resting){*mapping, end_of(m, mapping) + m->config.reuse_delay};
    must(change != NAT_EXPIRED || !is_modelled(m, mapping->protocol) || !is_alive(m, mapping));
    m->mappings[i] = m->mappings[--m->mappings_n];
}

static bool depends(enum nat_dependence on, struct endpoint a, struct endpoint b)
{
    switch (on) {
    case NAT_ENDPOINT_INDEPENDENT: return true;
    case NAT_ADDRESS_DEPENDENT: return a.addr == b.addr;
    case NAT_ADDRESS_AND_PORT_DEPENDENT: return endpoint_equal(a, b);
    }
    return false;
}

static const struct nat_mapping *mapping_of(const struct model *m, uint8_t protocol, struct endpoint inside,
                                            struct endpoint remote)
{
    for (unsigned i = 0; i < m->mappings_n; i++)
        if (m->mappings[i].protocol == protocol && endpoint_equal(m->mappings[i].inside, inside) &&
            depends(m->config.mapping, m->mappings[i].remote, remote))
            return &m->mappings[i];
    return NULL;
}

static struct endpoint remote_end(uint8_t protocol, ipv4 addr, uint16_t port)
{
    return (struct endpoint){addr, protocol == IP_ICMP ? 0 : port};
}

/* The living connection of a remote through an outside endpoint. */
static struct flow *flow_of(struct model *m, struct endpoint outside, struct endpoint remote)
{
    for (unsigned i = 0; i < m->flows_n; i++)
        if (endpoint_equal(m->flows[i].by.outside, outside) && endpoint_equal(m->flows[i].remote, remote) &&
            m->flows[i].until > m->now)
            return &m->flows[i];
    return NULL;
}

/* RFC 5382 REQ-5 and RFC 7857 §2, told once more. */
static void flow_packet(const struct model *m, struct flow *f, uint8_t flags, enum nat_side from)
{
    bool over = f->rst || (f->fin_out && f->fin_in);
    if ((flags & SYN) && !(flags & ACK) && over)
        f->out = f->in = f->up = f->fin_out = f->fin_in = f->rst = false;
    if (f->out && f->in && !(flags & (SYN | RST)))
        f->up = true;
    *(from == NAT_INSIDE ? &f->out : &f->in) = true;
    if (flags & FIN)
        *(from == NAT_INSIDE ? &f->fin_out : &f->fin_in) = true;
    if (flags & RST)
        f->rst = true;
    over = f->rst || (f->fin_out && f->fin_in);
    f->until = m->now + (over ? m->config.tcp_closing : f->up ? m->config.tcp_established : m->config.tcp_transitory);
}

/* Whom an inbound packet may reach by the rule; {0} when nobody. */
static struct endpoint allowed(const struct model *m, uint8_t protocol, struct endpoint remote, struct endpoint to)
{
    for (unsigned i = 0; i < m->flows_n && protocol == IP_TCP; i++) {
        const struct flow *f = &m->flows[i];
        if (endpoint_equal(f->by.outside, to) && f->until > m->now && depends(m->config.filtering, f->remote, remote))
            return f->by.inside;
    }
    for (unsigned i = 0; i < m->sent_n; i++) {
        const struct sent *s = &m->sent[i];
        if (s->by.protocol == protocol && endpoint_equal(s->by.outside, to) && s->until > m->now &&
            depends(m->config.filtering, s->remote, remote))
            return s->by.inside;
    }
    return (struct endpoint){0};
}

/* ---- one packet against the model ---- */

static bool is_query(const struct ip_view *v, uint8_t icmp_type)
{
    return v->has_ports && (v->protocol != IP_ICMP || v->icmp_type == icmp_type);
}

static bool is_public(const struct model *m, ipv4 addr)
{
    return addr - m->config.pool[0] < m->config.pool_n;
}

static void note_flow(struct model *m, const struct nat_mapping *mapping, struct endpoint remote, uint8_t flags)
{
    struct flow *f = flow_of(m, mapping->outside, remote);
    if (!f) {
        unsigned i = 0;
        while (i < m->flows_n && m->flows[i].until > m->now)
            i++;
        must(i < FLOWS_MAX);
        m->flows_n += i == m->flows_n;
        f = &m->flows[i];
        *f = (struct flow){.by = *mapping, .remote = remote};
    }
    flow_packet(m, f, flags, NAT_INSIDE);
}

/* An outbound packet that got as far as its mapping, and perhaps came no further than a hairpin's filter. */
static void note_sent(struct model *m, const struct ip_view *v, uint8_t flags, const struct nat_verdict *verdict,
                      const struct ip_view *after)
{
    struct endpoint inside = {v->src, v->sport};
    struct endpoint remote = remote_end(v->protocol, v->dst, v->dport);
    bool hairpin_filtered = verdict->action == NAT_DROP && verdict->cause == NAT_FILTERED && is_public(m, v->dst);
    if (!is_query(v, ICMP_ECHO) || (verdict->action != NAT_FORWARD && !hairpin_filtered) || m->sent_n == SENT_MAX)
        return;
    const struct nat_mapping *mapping = mapping_of(m, v->protocol, inside, remote);
    must(mapping != NULL);
    if (verdict->action == NAT_FORWARD && v->protocol != IP_ICMP)
        must(after->src == mapping->outside.addr && after->sport == mapping->outside.port);
    if (v->protocol == IP_TCP) {
        note_flow(m, mapping, remote, flags);
        struct flow *f = flow_of(m, (struct endpoint){v->dst, v->dport}, mapping->outside);
        if (f && verdict->action == NAT_FORWARD)
            flow_packet(m, f, flags, NAT_OUTSIDE); /* a hairpinned packet comes in somewhere */
        return;
    }
    lab_time timeout = v->protocol == IP_ICMP ? m->config.icmp_timeout : m->config.udp_timeout;
    m->sent[m->sent_n++] = (struct sent){*mapping, remote, m->now + timeout};
}

static void check_inbound(struct model *m, const struct ip_view *v, uint8_t flags, struct endpoint expected,
                          const struct nat_verdict *verdict, const struct ip_view *after)
{
    if (!is_public(m, v->dst) || m->config.dmz || !is_modelled(m, v->protocol) || !is_query(v, ICMP_ECHO_REPLY) ||
        v->ttl < 2)
        return;
    must((verdict->action == NAT_FORWARD) == (expected.addr != 0));
    if (verdict->action == NAT_FORWARD)
        must(after->dst == expected.addr && after->dport == expected.port);
    struct flow *f = flow_of(m, (struct endpoint){v->dst, v->dport}, (struct endpoint){v->src, v->sport});
    if (verdict->action == NAT_FORWARD && v->protocol == IP_TCP && f)
        flow_packet(m, f, flags, NAT_OUTSIDE);
}

/* Whatever leaves must be a packet, with right checksums if it came with right ones. */
static void check_leaving(const struct nat_verdict *verdict, bool sum_ok, struct ip_view *after)
{
    must(ip_parse(verdict->packet, verdict->n, after) == 0);
    must(!sum_ok || ip_transport_sum_ok(verdict->packet, verdict->n));
}

/* No private face outside, and no public one inside. */
static void check_faces(const struct model *m, const struct nat_verdict *verdict, const struct ip_view *after)
{
    if (verdict->action == NAT_FORWARD && verdict->side == NAT_OUTSIDE)
        must(is_public(m, after->src));
    if (verdict->action == NAT_FORWARD && verdict->side == NAT_INSIDE)
        must(!is_public(m, after->dst));
}

/* RFC 6888 REQ-6: what goes to an exempt network, or comes from it to an inside address. */
static bool is_exempt(const struct model *m, enum nat_side from, const struct ip_view *v)
{
    ipv4 remote = from == NAT_INSIDE ? v->dst : v->src;
    bool ours = is_public(m, v->dst) || v->dst == m->config.own[NAT_INSIDE] || v->dst == m->config.own[NAT_OUTSIDE];
    return m->config.exempt_n && remote == m->config.exempt[0].addr && !ours;
}

/* As a router would: it goes through as it is, or an ICMP error says why not. */
static void check_routed(enum nat_side from, const struct ip_view *v, const struct nat_verdict *verdict,
                         const struct ip_view *after)
{
    must(verdict->action != NAT_HOLD && verdict->cause != NAT_NO_MAPPING && verdict->cause != NAT_FILTERED);
    if (verdict->action != NAT_FORWARD)
        return;
    must(verdict->side != from && after->ttl == v->ttl - 1);
    must(after->src == v->src && after->dst == v->dst && after->sport == v->sport && after->dport == v->dport);
}

static void send_packet(struct model *m, enum nat_side from, uint8_t *packet, size_t n)
{
    uint8_t before[PACKET_MAX];
    struct ip_view v;
    struct ip_view after = {0};
    struct nat_verdict verdict;
    struct endpoint expected = {0};
    bool good = ip_parse(packet, n, &v) == 0;
    bool sum_ok = good && ip_transport_sum_ok(packet, v.total);
    memcpy(before, packet, n);
    if (good)
        expected = allowed(m, v.protocol, remote_end(v.protocol, v.src, v.sport), (struct endpoint){v.dst, v.dport});
    uint8_t flags = good && v.protocol == IP_TCP && v.has_ports && v.total > v.header + TCP_FLAGS_AT
                        ? packet[v.header + TCP_FLAGS_AT]
                        : 0;
    const struct span burst[] = {span_make(packet, n), span_make(packet, n / 2)};
    nat_coming(m->nat, from, burst, sizeof burst / sizeof *burst);
    nat_packet(m->nat, from, packet, n, m->now, &verdict);
    if (verdict.action == NAT_DROP)
        must(verdict.packet == packet && memcmp(before, packet, n) == 0);
    bool exempt = good && is_exempt(m, from, &v);
    if (verdict.action == NAT_FORWARD || verdict.action == NAT_ANSWER)
        check_leaving(&verdict, sum_ok, &after);
    if (!exempt)
        check_faces(m, &verdict, &after);
    if (exempt)
        check_routed(from, &v, &verdict, &after);
    else if (!good)
        must(verdict.action == NAT_DROP && verdict.cause == NAT_BAD_PACKET);
    else if (from == NAT_INSIDE)
        note_sent(m, &v, flags, &verdict, &after);
    else
        check_inbound(m, &v, flags, expected, &verdict, &after);
}

/* ---- packets of a small world, so that they meet ---- */

static struct endpoint inside_end(uint8_t choice)
{
    return (struct endpoint){IPV4(10, 0, 0, 2) + (choice & 1), (uint16_t)(1030 + (choice >> 1 & 3))};
}

static struct endpoint outside_end(uint8_t choice)
{
    return (struct endpoint){IPV4(198, 51, 100, 1) + (choice & 1), (uint16_t)(5060 + (choice >> 1 & 1))};
}

static size_t make_packet(struct input *in, enum nat_side from, uint8_t *packet)
{
    uint8_t who = next(in);
    uint8_t how = next(in);
    struct endpoint src = from == NAT_INSIDE ? inside_end(who) : outside_end(who);
    struct endpoint dst = from == NAT_INSIDE ? outside_end(who >> 4) : (struct endpoint){PUBLIC, 1030};
    if (from == NAT_OUTSIDE || who >> 7)
        dst = (struct endpoint){PUBLIC + (who >> 3 & 1), (uint16_t)(1030 + (who >> 4 & 7))};
    struct ip_build ip = {.src = src.addr, .dst = dst.addr, .ttl = how & 1 ? 64 : 2, .id = how >> 6};
    if (how & 2)
        return ip_build_echo(packet, PACKET_MAX, &ip, from == NAT_INSIDE ? ICMP_ECHO : ICMP_ECHO_REPLY,
                             from == NAT_INSIDE ? src.port : dst.port, 1, SPAN("ping"));
    size_t n = ip_build_udp(packet, PACKET_MAX, &ip, src.port, dst.port, SPAN("0123456789abcdef"));
    if (how & 4) { /* TCP, with flags from the input */
        packet[9] = IP_TCP;
        packet[33] = how >> 3;
        ip_transport_sum(packet, n);
    }
    if ((how & 0x1c) == 0x18)
        put16(packet + 6, how & 0x20 ? 2 : IP_MF);
    ip_header_sum(packet);
    return n;
}

/* An ICMP error about a packet such as the other side might have received. */
static size_t make_error(struct input *in, enum nat_side from, uint8_t *packet)
{
    uint8_t about[PACKET_MAX];
    struct ip_build ip = {.src = from == NAT_INSIDE ? IPV4(10, 0, 0, 2) : IPV4(192, 0, 2, 1), .ttl = 64};
    uint8_t who = next(in);
    struct endpoint src = {PUBLIC, (uint16_t)(1030 + (who & 7))};
    struct endpoint dst = outside_end(who >> 4);
    if (from == NAT_INSIDE) {
        src = outside_end(who >> 4);
        dst = inside_end(who);
    }
    struct ip_build quoted = {.src = src.addr, .dst = dst.addr, .ttl = 3};
    size_t n = ip_build_udp(about, sizeof about, &quoted, src.port, dst.port, SPAN("quoted"));
    return ip_build_icmp_error(packet, PACKET_MAX, &ip, ICMP_UNREACHABLE, next(in) & 15, 0, about, n);
}

static size_t make_raw(struct input *in, uint8_t *packet)
{
    size_t n = next(in);
    for (size_t i = 0; i < n; i++)
        packet[i] = next(in);
    if (n >= IP_HEADER && (packet[0] & 15u) * 4 <= n && (packet[0] & 15) >= 5)
        ip_header_sum(packet);
    return n;
}

static void drain(struct model *m)
{
    struct nat_verdict verdict;
    struct nat_held held;
    struct ip_view after;
    while (nat_released(m->nat, &verdict, &held))
        if (verdict.action == NAT_FORWARD) {
            check_leaving(&verdict, false, &after);
            check_faces(m, &verdict, &after);
        } else if (verdict.action == NAT_ANSWER && ip_parse(held.packet, held.n, &after) == 0 &&
                   after.protocol == IP_TCP) { /* RFC 5382 REQ-4: nobody opened it from inside meanwhile */
            must(!flow_of(m, (struct endpoint){after.dst, after.dport}, (struct endpoint){after.src, after.sport}));
        }
}

static void pass_time(struct model *m, lab_time by)
{
    m->now += by;
    nat_expire(m->nat, m->now);
    drain(m);
    must(nat_deadline(m->nat) > m->now);
    for (unsigned i = 0; i < m->mappings_n; i++)
        must(!is_modelled(m, m->mappings[i].protocol) || is_alive(m, &m->mappings[i]));
}

static void step(struct model *m, struct input *in)
{
    uint8_t packet[PACKET_MAX];
    uint8_t op = next(in);
    enum nat_side from = op & 0x80 ? NAT_OUTSIDE : NAT_INSIDE;
    switch (op & 7) {
    case 0: pass_time(m, next(in) * SEC / 4); break;
    case 1: send_packet(m, from, packet, make_error(in, from, packet)); break;
    case 2: send_packet(m, from, packet, make_raw(in, packet)); break;
    case 3:
        m->moving = true;
        nat_rebind(m->nat);
        m->moving = false;
        break;
    default: send_packet(m, from, packet, make_packet(in, from, packet)); break;
    }
    drain(m);
    must(nat_count(m->nat) == m->mappings_n);
}

static void configure(struct model *m, struct input *in)
{
    uint8_t a = next(in);
    uint8_t b = next(in);
    uint8_t c = next(in);
    bool overload = (c & 0xc0) == 0xc0;
    m->config =
        (struct nat_config){.own = {IPV4(10, 0, 0, 1), PUBLIC},
                            .mtu = {1500, b & 0x20 ? 44 : 1500},
                            .pool = {PUBLIC, PUBLIC + 1},
                            .pool_n = 1 + (c & 1),
                            .paired = !(c & 2),
                            .overload = overload,
                            .contiguity = (c & 0xc0) == 0x40,
                            .reuse_delay = c & 4 && !overload ? 10 * SEC : 0,
                            .block = c & 8 && !overload ? BLOCK : 0,
                            .blocks = 1,
                            .hold_syn = c & 16,
                            .mss = c & 32 ? 100 : 0,
                            .refuse = (enum nat_refusal)(c >> 4 & 1),
                            .mapping = overload ? NAT_ADDRESS_AND_PORT_DEPENDENT : (enum nat_dependence)(a % 3),
                            .filtering = overload ? NAT_ADDRESS_AND_PORT_DEPENDENT : (enum nat_dependence)(a / 3 % 3),
                            .ports = (enum nat_ports)(a / 9 % 3),
                            .range = {1030, 1037},
                            .parity = b & 1,
                            .hairpin = b & 2,
                            .refresh_inbound = (b & 0x1c) == 0x1c,
                            .exempt = {{outside_end(1).addr, 32}},
                            .exempt_n = a / 27 % 4 == 3,
                            .quota = b >> 6,
                            .udp_timeout = UDP_TIMEOUT,
                            .udp_unreplied = UDP_TIMEOUT,
                            .icmp_timeout = UDP_TIMEOUT / 2,
                            .tcp_established = 50 * SEC,
                            .tcp_transitory = 20 * SEC,
                            .tcp_closing = 5 * SEC};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model m;
    struct input in = {data, size};
    struct prng rng;
    prng_init(&rng, size, SPAN("fuzz"), SPAN("nat"));
    memset(&m, 0, sizeof m);
    configure(&m, &in);
    if (nat_new(&m.nat, &m.config, &rng, 0, changed, &m))
        return 0;
    while (in.n > 0 && m.sent_n < SENT_MAX)
        step(&m, &in);
    pass_time(&m, HOUR);
    must(m.mappings_n == 0 && nat_deadline(m.nat) == NEVER);
    nat_free(m.nat);
    return 0;
}
