/* A NAT whose subscribers ask it by PCP, and send and get packets meanwhile. Whatever they ask for: every request is
 * answered with a whole packet or dropped, no port has two owners, no subscriber has more than his quota, what was
 * granted lives as long as was promised, and in the end nothing is left. */
#include "nodes/nat/nat_pcp.h"
#include "nodes/proto/ip.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAPPINGS_MAX = 64, PACKET_MAX = 2048, QUOTA = 3, STEPS_MAX = 300 };
#define INSIDE IPV4(10, 0, 0, 1)
#define PUBLIC IPV4(192, 0, 2, 1)

struct model {
    struct nat *nat;
    struct nat_config config;
    lab_time now;
    struct nat_mapping mappings[MAPPINGS_MAX];
    unsigned n;
    struct nat_pcp_note granted; /* the last MAP; lifetime 0: none, or it may have been ended since */
    lab_time until;
};

static void changed(void *arg, enum nat_change change, const struct nat_mapping *mapping)
{
    struct model *m = arg;
    unsigned i = 0;
    unsigned of_host = 0;
    if (change == NAT_BLOCK_TAKEN || change == NAT_BLOCK_GIVEN)
        return;
    if (change == NAT_CREATED) {
        must(m->n < MAPPINGS_MAX);
        for (unsigned j = 0; j < m->n; j++) {
            of_host += m->mappings[j].inside.addr == mapping->inside.addr;
            must(m->mappings[j].protocol != mapping->protocol ||
                 !endpoint_equal(m->mappings[j].outside, mapping->outside));
        }
        must(of_host < QUOTA);
        m->mappings[m->n++] = *mapping;
        return;
    }
    while (i < m->n &&
           !(m->mappings[i].protocol == mapping->protocol && endpoint_equal(m->mappings[i].outside, mapping->outside)))
        i++;
    must(i < m->n && m->mappings[i].by_pcp == mapping->by_pcp);
    m->mappings[i] = m->mappings[--m->n];
}

static void noted(void *arg, const struct nat_pcp_note *note)
{
    struct model *m = arg;
    if (note->opcode == PCP_MAP)
        m->granted = *note;
    if (note->opcode == PCP_MAP)
        m->until = m->now + note->lifetime * SEC;
}

static struct endpoint inside_end(uint8_t choice)
{
    return (struct endpoint){IPV4(10, 0, 0, 2) + (choice & 1), (uint16_t)(1030 + (choice >> 1 & 3))};
}

static struct endpoint outside_end(uint8_t choice)
{
    return (struct endpoint){IPV4(198, 51, 100, 1) + (choice & 1), (uint16_t)(5060 + (choice >> 1 & 1))};
}

static struct nat_verdict send_packet(struct model *m, enum nat_side from, uint8_t *packet, size_t n)
{
    struct nat_verdict verdict;
    struct ip_view v;
    nat_packet(m->nat, from, packet, n, m->now, &verdict);
    if (verdict.action == NAT_FORWARD || verdict.action == NAT_ANSWER)
        must(ip_parse(verdict.packet, verdict.n, &v) == 0 && ip_transport_sum_ok(verdict.packet, verdict.n));
    return verdict;
}

static void send_udp(struct model *m, enum nat_side from, struct endpoint src, struct endpoint dst, struct span payload)
{
    uint8_t packet[PACKET_MAX];
    const struct ip_build ip = {.src = src.addr, .dst = dst.addr, .ttl = 64};
    size_t n = ip_build_udp(packet, sizeof packet, &ip, src.port, dst.port, payload);
    if (payload.n && payload.p[0] == 'T') {
        packet[9] = IP_TCP;
        ip_header_sum(packet);
        ip_transport_sum(packet, n);
    }
    (void)send_packet(m, from, packet, n);
}

/* A request of a small world, so that they meet. */
static size_t make_request(struct input *in, struct endpoint from, uint8_t *bytes)
{
    uint8_t what = next(in);
    uint8_t how = next(in);
    struct pcp_msg r = {.opcode = what % 3, .lifetime = (how & 7) * 100u, .client = from.addr, .protocol = IP_UDP};
    r.nonce.bytes[0] = what >> 7;
    r.protocol = how & 8 ? IP_TCP : how & 0x80 ? 0 : IP_UDP;
    r.internal = what & 0x40 ? 0 : from.port;
    r.external.port = how & 0x10 ? (uint16_t)(1030 + (what >> 3 & 7)) : 0;
    if (r.opcode == PCP_PEER)
        r.peer = outside_end(what >> 4);
    r.prefer_failure = r.opcode == PCP_MAP && how & 0x20;
    if (r.opcode == PCP_MAP && how & 0x40)
        r.filters[r.filters_n++] = (struct pcp_filter){{outside_end(how).addr, 32}, 0, (what & 0x20) != 0};
    return pcp_write_request(bytes, PCP_MAX, &r);
}

static size_t make_raw(struct input *in, uint8_t *bytes)
{
    size_t n = next(in);
    for (size_t i = 0; i < n; i++)
        bytes[i] = next(in);
    return n;
}

/* What MAP was granted is there, if nothing but time has passed since. */
static void check_granted(struct model *m)
{
    bool found = false;
    if (m->granted.result != PCP_SUCCESS || m->granted.lifetime == 0 || m->until <= m->now)
        return;
    for (unsigned i = 0; i < m->n; i++)
        found = found || (m->mappings[i].protocol == m->granted.protocol &&
                          endpoint_equal(m->mappings[i].inside, m->granted.inside) &&
                          endpoint_equal(m->mappings[i].outside, m->granted.outside));
    must(found);
}

static void step(struct model *m, struct input *in)
{
    uint8_t bytes[PCP_MAX];
    uint8_t op = next(in);
    struct endpoint inside = inside_end(op >> 3);
    const struct endpoint server = {INSIDE, PCP_PORT};
    struct span data = op & 0x40 ? SPAN("Tabcdefghijklmnop") : SPAN("data");
    switch (op & 7) {
    case 0:
        m->now += next(in) * SEC;
        nat_expire(m->nat, m->now);
        break;
    case 1: send_udp(m, NAT_INSIDE, inside, server, span_make(bytes, make_raw(in, bytes))); break;
    case 2: send_udp(m, NAT_INSIDE, inside, outside_end(next(in)), data); break;
    case 3:
        send_udp(m, NAT_OUTSIDE, outside_end(op >> 4), (struct endpoint){PUBLIC, (uint16_t)(1030 + (next(in) & 7))},
                 data);
        break;
    case 4:
        m->granted.lifetime = 0;
        nat_rebind(m->nat);
        break;
    default: send_udp(m, NAT_INSIDE, inside, server, span_make(bytes, make_request(in, inside, bytes))); break;
    }
    check_granted(m);
    must(nat_count(m->nat) == m->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct nat_pcp_config pcp = {.least = 10 * SEC, .most = 500 * SEC};
    static struct model m;
    struct input in = {data, size};
    struct prng rng;
    prng_init(&rng, size, SPAN("fuzz"), SPAN("nat"));
    memset(&m, 0, sizeof m);
    uint8_t a = next(&in);
    m.config = (struct nat_config){.own = {INSIDE, PUBLIC}, .mtu = {1500, 1500}, .pool = {PUBLIC}, .pool_n = 1};
    m.config.mapping = (enum nat_dependence)(a % 3);
    m.config.filtering = (enum nat_dependence)(a / 3 % 3);
    m.config.ports = (enum nat_ports)(a / 9 % 3);
    m.config.refresh_inbound = a & 0x80;
    m.config.range = (struct port_range){1030, 1037};
    m.config.quota = QUOTA;
    m.config.paired = true;
    m.config.blocks = 1;
    m.config.block = a & 0x40 ? 4 : 0;
    m.config.reuse_delay = a & 0x20 ? 10 * SEC : 0;
    m.config.udp_timeout = m.config.udp_unreplied = m.config.icmp_timeout = 30 * SEC;
    m.config.tcp_established = m.config.tcp_transitory = m.config.tcp_closing = 20 * SEC;
    if (nat_new(&m.nat, &m.config, &rng, 0, changed, &m))
        return 0;
    if (nat_pcp_start(m.nat, &pcp, 0, noted, &m) == 0)
        for (unsigned i = 0; i < STEPS_MAX && in.n > 0; i++)
            step(&m, &in);
    nat_expire(m.nat, m.now + HOUR);
    must(m.n == 0 && nat_deadline(m.nat) == NEVER);
    nat_free(m.nat);
    return 0;
}
