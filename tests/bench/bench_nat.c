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
    BURST = 8 /* host_raw's */
};
#define PUBLIC IPV4(203, 0, 113, 7)
#define SERVER IPV4(198, 51, 100, 1)

struct headers {
    uint8_t bytes[2][HEADERS]; /* by the side that a session's packet comes from */
};

/* Of this process, since on a busy machine it would share the core with others. */
static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
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

/* A burst of packets that came from one side, as the NAT program takes them from a socket; the next one from the other
 * side. Their bytes are warm, as they are for whoever has just received them: each was asked for a burst ago. */
struct burst {
    uint8_t packets[BURST][HEADERS + PAYLOAD];
    struct span spans[BURST];
    const uint8_t *coming[BURST]; /* the headers of the next burst */
};

static void receive(struct burst *b, const struct headers *known, unsigned sessions, enum nat_side next,
                    struct prng *rng)
{
    for (unsigned i = 0; i < BURST; i++) {
        memcpy(b->packets[i], b->coming[i], HEADERS);
        b->coming[i] = known[prng_below(rng, sessions)].bytes[next];
        __builtin_prefetch(b->coming[i]);
    }
}

/* The NAT's records are where they are; announced: the NAT is told of each burst, as its program does. Without a NAT:
 * the cost of the loop itself. `now` goes on from run to run. */
static double send_all(struct nat *nat, bool announced, const struct headers *known, unsigned sessions, lab_time *now,
                       uint64_t *forwarded)
{
    static struct burst b;
    struct prng rng;
    prng_init(&rng, 1, SPAN("bench"), SPAN("order"));
    for (unsigned i = 0; i < BURST; i++) {
        b.spans[i] = span_make(b.packets[i], sizeof b.packets[i]);
        b.coming[i] = known[prng_below(&rng, sessions)].bytes[NAT_INSIDE];
    }
    double start = cpu_seconds();
    for (unsigned n = 0; n < PACKETS; n += BURST) {
        enum nat_side from = n / BURST & 1 ? NAT_OUTSIDE : NAT_INSIDE;
        receive(&b, known, sessions, from == NAT_INSIDE ? NAT_OUTSIDE : NAT_INSIDE, &rng);
        if (announced)
            nat_coming(nat, from, b.spans, BURST);
        for (unsigned i = 0; nat && i < BURST; i++) {
            struct nat_verdict verdict;
            nat_packet(nat, from, b.packets[i], sizeof b.packets[i], *now += US, &verdict);
            *forwarded += verdict.action == NAT_FORWARD;
        }
    }
    return cpu_seconds() - start;
}

static void bench(const char *name, unsigned addresses, unsigned sessions, unsigned mappings)
{
    struct nat *nat = engine(addresses);
    struct headers *known = malloc(sessions * sizeof *known);
    uint64_t forwarded = 0;
    lab_time now = 0;
    if (!known)
        exit(1);
    double start = cpu_seconds();
    fill(nat, sessions, mappings, known);
    double filled = cpu_seconds() - start;
    double loop = send_all(NULL, false, known, sessions, &now, &forwarded);
    double singly = send_all(nat, false, known, sessions, &now, &forwarded) - loop;
    double bursts = send_all(nat, true, known, sessions, &now, &forwarded) - loop;
    printf("%s: %u sessions of %zu mappings: %.2f M packets/s in bursts of %d (%.0f ns each), %.2f M singly, "
           "%.2f M new sessions/s%s\n",
           name, sessions, nat_count(nat), PACKETS / bursts / 1e6, BURST, bursts / PACKETS * 1e9,
           PACKETS / singly / 1e6, sessions / filled / 1e6, forwarded == 2 * PACKETS ? "" : " (packets were lost!)");
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
