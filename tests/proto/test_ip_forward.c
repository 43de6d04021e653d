/* The forwarding step: longest prefix, TTL, MTU, in Linux's order (RFC 1812 §5.2, §5.3). */
#include "nodes/base/error.h"
#include "nodes/base/prng.h"
#include "nodes/proto/ip_forward.h"
#include "tests/cmocka.h"

static void add(struct ip_routes *table, const char *to, unsigned port)
{
    struct subnet net;
    assert_int_equal(subnet_parse(span_of(to), &net), 0);
    assert_int_equal(ip_routes_add(table, net, port), 0);
}

static int port_for(const struct ip_routes *table, ipv4 dst)
{
    const struct ip_route *route = ip_routes_find(table, dst);
    return route ? (int)route->port : -1;
}

static void rfc1812_longest_match(void **state)
{
    (void)state;
    struct ip_routes table = {0};
    assert_int_equal(port_for(&table, 1), -1);
    add(&table, "10.0.0.0/8", 1);
    add(&table, "10.1.0.0/16", 2);
    add(&table, "10.1.1.1/32", 3);
    assert_int_equal(port_for(&table, IPV4(10, 1, 1, 1)), 3);
    assert_int_equal(port_for(&table, IPV4(10, 1, 1, 2)), 2);
    assert_int_equal(port_for(&table, IPV4(10, 2, 0, 1)), 1);
    assert_int_equal(port_for(&table, IPV4(11, 0, 0, 1)), -1);
    add(&table, "0.0.0.0/0", 4);
    add(&table, "10.1.255.7/16", 5); /* host bits do not count: replaces */
    assert_int_equal(port_for(&table, IPV4(11, 0, 0, 1)), 4);
    assert_int_equal(port_for(&table, IPV4(10, 1, 1, 2)), 5);
    assert_int_equal(table.n, 4);
    assert_int_equal(ip_routes_add(&table, (struct subnet){0, 33}, 0), FE_ERANGE);
    ip_routes_fini(&table);
}

static int slow_port_for(const struct ip_route *routes, size_t n, ipv4 dst)
{
    const struct ip_route *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (subnet_has(routes[i].to, dst) && (!best || routes[i].to.bits >= best->to.bits))
            best = &routes[i];
    return best ? (int)best->port : -1;
}

static void thousands_of_routes_agree_with_a_linear_search(void **state)
{
    (void)state;
    enum { N = 3000 };
    static struct ip_route routes[N];
    struct ip_routes table = {0};
    struct prng rng;
    prng_init(&rng, 1, SPAN("test"), SPAN("routes"));
    for (unsigned i = 0; i < N; i++) {
        routes[i].to = (struct subnet){(ipv4)prng_below(&rng, 1 << 20), (uint8_t)prng_below(&rng, 33)};
        routes[i].port = i;
        assert_int_equal(ip_routes_add(&table, routes[i].to, i), 0);
    }
    for (int i = 0; i < 5000; i++) {
        ipv4 dst = (ipv4)prng_below(&rng, 1 << 20);
        assert_int_equal(port_for(&table, dst), slow_port_for(routes, N, dst));
    }
    ip_routes_fini(&table);
}

struct sent {
    uint8_t packet[200];
    size_t n;
    struct ip_view v;
    struct ip_forward f;
};

static void forward(struct sent *s, uint8_t ttl, uint16_t fragment, ipv4 dst, uint16_t mtu)
{
    static const uint8_t payload[72];
    struct ip_build ip = {.src = IPV4(192, 0, 2, 1), .dst = dst, .ttl = ttl, .fragment = fragment};
    s->n = ip_build_udp(s->packet, sizeof s->packet, &ip, 1, 2, span_make(payload, sizeof payload));
    assert_int_equal(ip_parse(s->packet, s->n, &s->v), 0);
    ip_forward(s->packet, &s->v, mtu, &s->f);
}

#define DST IPV4(198, 51, 100, 1)

static void rfc1812_sends_with_one_ttl_less(void **state)
{
    (void)state;
    struct sent s = {0};
    struct ip_view after;
    forward(&s, 2, 0, DST, 100);
    assert_int_equal(s.f.action, IP_FORWARD_SEND);
    assert_int_equal(ip_parse(s.packet, s.n, &after), 0);
    assert_int_equal(after.ttl, 1);
}

static void rfc1812_ttl_exceeded(void **state)
{
    (void)state;
    struct sent s = {0};
    uint8_t error[600];
    struct ip_view v;
    forward(&s, 1, IP_DF, DST, 20);
    assert_int_equal(s.f.action, IP_FORWARD_ERROR);
    assert_string_equal(s.f.cause, "ttl-exceeded");
    size_t n = ip_forward_error(error, sizeof error, &s.f, IPV4(192, 0, 2, 254), s.packet, s.n);
    assert_int_equal(ip_parse(error, n, &v), 0);
    assert_int_equal(v.src, IPV4(192, 0, 2, 254));
    assert_int_equal(v.icmp_type, ICMP_TIME_EXCEEDED);
    assert_int_equal(v.ttl, 64);
    assert_int_equal(s.packet[8], 1); /* quoted as it came */
}

static void rfc1191_df_asks_for_smaller_packets(void **state)
{
    (void)state;
    struct sent s = {0};
    forward(&s, 9, IP_DF, DST, 99);
    assert_int_equal(s.f.action, IP_FORWARD_ERROR);
    assert_int_equal(s.f.type, ICMP_UNREACHABLE);
    assert_int_equal(s.f.code, ICMP_FRAG_NEEDED);
    assert_int_equal(s.f.mtu, 99);
    assert_string_equal(s.f.cause, "too-big");
    forward(&s, 9, IP_DF, DST, 100);
    assert_int_equal(s.f.action, IP_FORWARD_SEND);
}

static void rfc1812_fragments_without_df(void **state)
{
    (void)state;
    struct sent s = {0};
    forward(&s, 9, 0, DST, 99);
    assert_int_equal(s.f.action, IP_FORWARD_FRAGMENT);
    assert_int_equal(s.packet[8], 8);
}

static void linux_looks_for_the_route_before_the_ttl(void **state)
{
    (void)state;
    struct sent s = {0};
    forward(&s, 1, 0, DST, 0);
    assert_int_equal(s.f.action, IP_FORWARD_ERROR);
    assert_int_equal(s.f.type, ICMP_UNREACHABLE);
    assert_int_equal(s.f.code, ICMP_NET_UNREACHABLE);
    assert_string_equal(s.f.cause, "no-route");
}

static void rfc1812_martians_are_dropped_in_silence(void **state)
{
    (void)state;
    static const ipv4 martians[] = {IPV4(0, 0, 0, 1), IPV4(127, 0, 0, 1), IPV4(224, 0, 0, 5), IPV4(255, 255, 255, 255)};
    for (size_t i = 0; i < sizeof martians / sizeof martians[0]; i++) {
        struct sent s = {0};
        forward(&s, 9, 0, martians[i], 100);
        assert_int_equal(s.f.action, IP_FORWARD_DROP);
        assert_int_equal(s.packet[8], 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc1812_longest_match),
        cmocka_unit_test(thousands_of_routes_agree_with_a_linear_search),
        cmocka_unit_test(rfc1812_sends_with_one_ttl_less),
        cmocka_unit_test(rfc1812_ttl_exceeded),
        cmocka_unit_test(rfc1191_df_asks_for_smaller_packets),
        cmocka_unit_test(rfc1812_fragments_without_df),
        cmocka_unit_test(linux_looks_for_the_route_before_the_ttl),
        cmocka_unit_test(rfc1812_martians_are_dropped_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
