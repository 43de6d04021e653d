/* Packets a second of the NAT engine on one core with many mappings: outbound and inbound packets of known sessions in
 * a random order, and the making of mappings. */
#define _POSIX_C_SOURCE 200809L
#include "nodes/nat/nat.h"
#include "nodes/proto/ip.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    PORTS_PER_HOST = 600,
    PACKETS = 10000000,
    HEADERS = IP_HEADER + UDP_HEADER,
    PAYLOAD = 172,
    AHEAD = 8 /* even */
};
#define PUBLIC IPV4(203, 0, 113, 7)
#define SERVER IPV4(198, 51, 100, 1)

struct headers {
    uint8_t bytes[2][HEADERS]; /* by the side that a session's packet comes from */
};

static enum nat_side side_of(unsigned packet)
{
    return packet & 1 ? NAT_OUTSIDE : NAT_INSIDE;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t make(uint8_t *packet, struct endpoint src, struct endpoint dst)
{
    static const uint8_t payload[PAYLOAD];
    struct ip_build ip = {.src = src.addr, .dst = dst.addr, .ttl = 64};
    return ip_build_udp(packet, HEADERS + PAYLOAD, &ip, src.port, dst.port, span_make(payload, sizeof payload));
}

static struct nat *engine(unsigned addresses)
{
    struct nat_config config = {.own = {IPV4(10, 0, 0, 254), PUBLIC},
                                .mtu = {1500, 1500},
                                .pool = {PUBLIC, PUBLIC + 1, PUBLIC + 2, PUBLIC + 3},
                                .pool_n = addresses,
                                .paired = true,
                                .mapping = NAT_ENDPOINT_INDEPENDENT,
                                .filtering = NAT_ADDRESS_AND_PORT_DEPENDENT,
                                .ports = NAT_PORTS_SEQUENTIAL,
                                .range = {1024, 65535},
                                .udp_timeout = 300 * SEC,
                                .udp_unreplied = 300 * SEC,
                                .icmp_timeout = 60 * SEC,
                                .tcp_established = 2 * HOUR,
                                .tcp_transitory = 4 * MINUTE};
    struct prng rng;
    struct nat *nat;
    prng_init(&rng, 1, SPAN("bench"), SPAN("ports"));
    if (nat_new(&nat, &config, &rng, 0, NULL, NULL))
        exit(1);
    return nat;
}

/* Sends one packet of every session outward; remembers the packets of both directions. */
static void fill(struct nat *nat, unsigned sessions, unsigned mappings, struct headers *known)
{
    for (unsigned i = 0; i < sessions; i++) {
        unsigned host = i % mappings / PORTS_PER_HOST;
        struct endpoint inside = {IPV4(10, 0, 0, 1) + host, (uint16_t)(2000 + i % mappings % PORTS_PER_HOST)};
        struct endpoint remote = {SERVER + i / mappings, 5060};
        uint8_t packet[HEADERS + PAYLOAD];
        struct ip_view v;
        struct nat_verdict verdict;
        size_t n = make(packet, inside, remote);
        memcpy(known[i].bytes[NAT_INSIDE], packet, HEADERS);
        nat_packet(nat, NAT_INSIDE, packet, n, 0, &verdict);
        if (verdict.action != NAT_FORWARD || ip_parse(packet, n, &v))
            exit(1);
        make(packet, remote, (struct endpoint){v.src, v.sport});
        memcpy(known[i].bytes[NAT_OUTSIDE], packet, HEADERS);
    }
}

/* The packets' bytes are warm, as they are for whoever has just received them: they are asked for some packets ahead.
 * The NAT's records are where they are. Without a NAT: the cost of the loop itself. */
static double send_all(struct nat *nat, const struct headers *known, unsigned sessions, uint64_t *forwarded)
{
    uint8_t packet[HEADERS + PAYLOAD] = {0};
    struct prng rng;
    prng_init(&rng, 1, SPAN("bench"), SPAN("order"));
    const uint8_t *coming[AHEAD];
    for (unsigned i = 0; i < AHEAD; i++)
        coming[i] = known[prng_below(&rng, sessions)].bytes[side_of(i)];
    double start = seconds();
    for (unsigned i = 0; i < PACKETS; i++) {
        enum nat_side from = side_of(i);
        struct nat_verdict verdict = {.action = NAT_DROP};
        memcpy(packet, coming[i % AHEAD], HEADERS);
        coming[i % AHEAD] = known[prng_below(&rng, sessions)].bytes[from];
        __builtin_prefetch(coming[i % AHEAD]);
        if (nat)
            nat_packet(nat, from, packet, sizeof packet, i * US, &verdict);
        *forwarded += verdict.action == NAT_FORWARD;
    }
    return seconds() - start;
}

static void bench(const char *name, unsigned addresses, unsigned sessions, unsigned mappings)
{
    struct nat *nat = engine(addresses);
    struct headers *known = malloc(sessions * sizeof *known);
    uint64_t forwarded = 0;
    if (!known)
        exit(1);
    double start = seconds();
    fill(nat, sessions, mappings, known);
    double filled = seconds() - start;
    double took = send_all(nat, known, sessions, &forwarded) - send_all(NULL, known, sessions, &forwarded);
    printf("%s: %u sessions of %zu mappings: %.2f M packets/s (%.0f ns each), %.2f M new sessions/s%s\n", name,
           sessions, nat_count(nat), PACKETS / took / 1e6, took / PACKETS * 1e9, sessions / filled / 1e6,
           forwarded == PACKETS ? "" : " (packets were lost!)");
    free(known);
    nat_free(nat);
}

int main(void)
{
    bench("home router", 1, 20, 20);
    bench("office", 1, 5000, 5000);
    bench("carrier", 1, 60000, 60000);
    bench("carrier, four addresses", 4, 100000, 100000);
    bench("carrier, several calls", 4, 200000, 100000);
    return 0;
}
