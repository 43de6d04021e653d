/* The NAT engine on the bench, for the tests of this folder.
 *
 *     A 10.0.0.2 ─┐
 *     B 10.0.0.3 ─┴─ 10.0.0.1 [NAT] 203.0.113.7 ─┬─ S 198.51.100.1
 *                                                └─ T 198.51.100.2
 */
#ifndef FAREND_TESTS_NAT_RIG_H
#define FAREND_TESTS_NAT_RIG_H

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "nodes/nat/nat.h"
#include "nodes/proto/ip.h"
#include "tests/cmocka.h"

#include <string.h>

#define A      IPV4(10, 0, 0, 2)
#define B      IPV4(10, 0, 0, 3)
#define INSIDE IPV4(10, 0, 0, 1)
#define PUBLIC IPV4(203, 0, 113, 7)
#define S      IPV4(198, 51, 100, 1)
#define T      IPV4(198, 51, 100, 2)

#define EP(address, number) ((struct endpoint){address, number})

struct rig {
    struct nat *nat;
    struct nat_config config;
    lab_time now;
    struct nat_verdict got; /* of the last packet */
    struct ip_view v;       /* of got.packet when there is one to send */
    uint8_t sent[4000];     /* the last packet as it was sent */
    uint8_t packet[4000];   /* the same, perhaps edited */
    size_t n;
    struct nat_held held; /* of rig_released() */
    unsigned created, expired, removed, taken, given;
    struct nat_mapping mapping; /* the last that was told of */
};

static const struct nat_config rig_config = {.own = {INSIDE, PUBLIC},
                                             .mtu = {1500, 1500},
                                             .pool = {PUBLIC},
                                             .pool_n = 1,
                                             .mapping = NAT_ENDPOINT_INDEPENDENT,
                                             .filtering = NAT_ADDRESS_AND_PORT_DEPENDENT,
                                             .ports = NAT_PORTS_PRESERVE,
                                             .range = {1024, 65535},
                                             .udp_timeout = 300 * SEC,
                                             .udp_unreplied = 300 * SEC,
                                             .icmp_timeout = 60 * SEC,
                                             .tcp_established = 124 * MINUTE,
                                             .tcp_transitory = 4 * MINUTE,
                                             .tcp_closing = 4 * MINUTE,
                                             .paired = true,
                                             .blocks = 1};

static inline void rig_changed(void *arg, enum nat_change change, const struct nat_mapping *mapping)
{
    struct rig *r = arg;
    r->mapping = *mapping;
    switch (change) {
    case NAT_CREATED: r->created++; break;
    case NAT_EXPIRED: r->expired++; break;
    case NAT_REMOVED: r->removed++; break;
    case NAT_BLOCK_TAKEN: r->taken++; break;
    case NAT_BLOCK_GIVEN: r->given++; break;
    }
}

/* With r->config as it is. */
static inline void rig_new(struct rig *r)
{
    struct prng rng;
    prng_init(&rng, 1, SPAN("nat"), SPAN("ports"));
    nat_free(r->nat);
    assert_int_equal(nat_new(&r->nat, &r->config, &rng, r->now, rig_changed, r), 0);
}

static inline int rig_setup(void **state)
{
    static struct rig r;
    memset(&r, 0, sizeof r);
    r.config = rig_config;
    rig_new(&r);
    *state = &r;
    return 0;
}

static inline int rig_teardown(void **state)
{
    struct rig *r = *state;
    nat_free(r->nat);
    return 0;
}

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

/* What is to be sent must be a whole packet with right checksums. */
static inline void rig_check(struct rig *r)
{
    if (r->got.action != NAT_FORWARD && r->got.action != NAT_ANSWER)
        return;
    assert_int_equal(ip_parse(r->got.packet, r->got.n, &r->v), 0);
    assert_true(ip_transport_sum_ok(r->got.packet, r->got.n));
}

/* Sends what stands in r->sent. */
static inline void rig_send(struct rig *r, enum nat_side from, size_t n)
{
    memcpy(r->packet, r->sent, n);
    r->n = n;
    nat_packet(r->nat, from, r->packet, n, r->now, &r->got);
    rig_check(r);
}

/* Takes what has become of a held packet into r->got. */
static inline bool rig_released(struct rig *r)
{
    bool some = nat_released(r->nat, &r->got, &r->held);
    if (some)
        rig_check(r);
    return some;
}

static inline size_t rig_udp_packet(uint8_t *dst, struct endpoint src, struct endpoint to, uint8_t ttl, size_t payload)
{
    static const uint8_t bytes[3000] = "media";
    struct ip_build ip = {.src = src.addr, .dst = to.addr, .ttl = ttl, .id = 7};
    return ip_build_udp(dst, 4000, &ip, src.port, to.port, span_make(bytes, payload));
}

static inline void rig_udp(struct rig *r, enum nat_side from, struct endpoint src, struct endpoint dst)
{
    rig_send(r, from, rig_udp_packet(r->sent, src, dst, 64, 5));
}

static inline void rig_echo(struct rig *r, enum nat_side from, uint8_t type, ipv4 src, ipv4 dst, uint16_t id)
{
    struct ip_build ip = {.src = src, .dst = dst, .ttl = 64};
    rig_send(r, from, ip_build_echo(r->sent, sizeof r->sent, &ip, type, id, 1, SPAN("ping")));
}

/* ---- what came of it ---- */

static inline void assert_forwarded(const struct rig *r, enum nat_side to, struct endpoint src, struct endpoint dst)
{
    assert_int_equal(r->got.action, NAT_FORWARD);
    assert_int_equal(r->got.side, to);
    assert_int_equal(r->v.src, src.addr);
    assert_int_equal(r->v.dst, dst.addr);
    assert_int_equal(r->v.sport, src.port);
    assert_int_equal(r->v.dport, dst.port);
    assert_int_equal(r->v.ttl, 63);
}

static inline void assert_dropped(const struct rig *r, enum nat_cause cause)
{
    assert_int_equal(r->got.action, NAT_DROP);
    assert_int_equal(r->got.cause, cause);
    assert_ptr_equal(r->got.packet, r->packet);
    assert_memory_equal(r->packet, r->sent, r->n);
}

/* The outside port that a UDP packet gets. */
static inline uint16_t rig_mapped(struct rig *r, struct endpoint src, struct endpoint dst)
{
    rig_udp(r, NAT_INSIDE, src, dst);
    assert_int_equal(r->got.action, NAT_FORWARD);
    assert_int_equal(r->v.src, PUBLIC);
    return r->v.sport;
}

/* Whether a UDP packet to this public port comes in. */
static inline bool rig_reached(struct rig *r, struct endpoint src, uint16_t port)
{
    rig_udp(r, NAT_OUTSIDE, src, EP(PUBLIC, port));
    return r->got.action == NAT_FORWARD;
}

#endif
