/* The chain: how many packet-hops a second the engine and the simulated world do.
 *
 *     phone 1 ── 10 ms, 100 Mbit/s ──┐
 *     …                               access router ── 1 ms, 10 Gbit/s ── r1 ── r2 ── … ── r8 ── server
 *     phone 32 ──────────────────────┘  (one for every `fan` phones)
 *
 * Each phone sends 172 bytes of UDP payload every 20 ms for S seconds; the server sends each back. A packet-hop is one
 * packet crossing one wire: 20 in a round trip, which takes 38.035 ms.
 *
 *     bench_chain M S [FAN]        FAN 0: all phones on one access router */
#define _DEFAULT_SOURCE
#include "nodes/base/bytes.h"
#include "nodes/base/error.h"
#include "sim/engine/engine.h"
#include "tests/world/build.h"

#include <inttypes.h>
#include <sys/resource.h>
#include <time.h>

enum { ROUTERS = 8, PORT = 4000, PAYLOAD = 172, STAMP = 12, HOPS = 2 * (ROUTERS + 2) };

#define INTERVAL (20 * MS)
#define SERVER   IPV4(172, 16, 0, 2)

static struct {
    uint64_t sent, echoed, received;
    lab_time round_trips; /* sum */
} total;

/* ---- the phone ---- */

struct phone_settings {
    lab_time first, until;
};

static const struct option phone_options[] = {
    {"first", OPT_TIME, OPTION_AT(struct phone_settings, first), .help = "when the first packet is sent"},
    {"until", OPT_TIME, OPTION_AT(struct phone_settings, until), .help = "no packet is sent from here on"},
    {0}};

struct phone {
    const struct phone_settings *settings;
    struct host *host;
    struct host_udp *udp;
    struct timer timer;
};

static void phone_send(void *arg)
{
    struct phone *phone = arg;
    uint8_t payload[PAYLOAD];
    lab_time now = host_now(phone->host);
    memset(payload, 0x55, sizeof payload);
    memcpy(payload + STAMP, &now, sizeof now);
    if (host_udp_send(phone->udp, (struct endpoint){SERVER, PORT}, 0, span_make(payload, sizeof payload)) == 0)
        total.sent++;
    if (now + INTERVAL < phone->settings->until)
        host_timer_start(phone->host, &phone->timer, now + INTERVAL);
}

static void phone_received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct phone *phone = arg;
    lab_time sent;
    (void)from;
    (void)ttl;
    memcpy(&sent, data.p + STAMP, sizeof sent);
    total.received++;
    total.round_trips += host_now(phone->host) - sent;
}

static int phone_start(struct host *h, const void *settings, void **node, struct text *why)
{
    static const struct host_udp_events events = {phone_received, NULL};
    struct phone *phone = calloc(1, sizeof *phone);
    (void)why;
    if (!phone)
        return FE_EMEM;
    phone->settings = settings;
    phone->host = h;
    timer_init(&phone->timer, phone_send, phone);
    host_timer_start(h, &phone->timer, phone->settings->first);
    *node = phone;
    return host_udp_open(h, (struct endpoint){0, PORT}, &events, phone, &phone->udp);
}

static void no_command(void *node, struct span line)
{
    (void)node;
    (void)line;
}

static const struct node_kind phone_kind_bench = {.name = "phone",
                                                  .options = phone_options,
                                                  .settings_size = sizeof(struct phone_settings),
                                                  .start = phone_start,
                                                  .command = no_command,
                                                  .stop = free};

/* ---- the server ---- */

struct server {
    struct host_udp *udp;
};

static void server_received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct server *server = arg;
    (void)ttl;
    if (host_udp_send(server->udp, from, 0, data) == 0)
        total.echoed++;
}

static int server_start(struct host *h, const void *settings, void **node, struct text *why)
{
    static const struct host_udp_events events = {server_received, NULL};
    struct server *server = calloc(1, sizeof *server);
    (void)settings;
    (void)why;
    if (!server)
        return FE_EMEM;
    *node = server;
    return host_udp_open(h, (struct endpoint){0, PORT}, &events, server, &server->udp);
}

static const struct option no_options[] = {{0}};
static const struct node_kind server_kind = {.name = "server",
                                             .options = no_options,
                                             .settings_size = 1,
                                             .start = server_start,
                                             .command = no_command,
                                             .stop = free};

/* ---- the network ---- */

static const struct wire_spec access_link = {.delay = 10 * MS, .rate = 100000000, .queue = 1 << 20};
static const struct wire_spec core_link = {.delay = 1 * MS, .rate = UINT64_C(10000000000), .queue = 1 << 20};

static ipv4 phone_net(unsigned i)
{
    return IPV4(10, 0, 0, 0) + 4 * i; /* a /30 each */
}

static void add_phone(struct plan *plan, unsigned i, unsigned phones, unsigned seconds, unsigned access)
{
    char text[64];
    snprintf(text, sizeof text, "phone%u", i);
    unsigned phone = build_node(plan, text, &phone_kind_bench);
    struct plan_end on = build_port(plan, phone, "on", phone_net(i) + 1, 30);
    struct plan_end router = build_port(plan, access, "phone", phone_net(i) + 2, 30);
    build_route(plan, phone, 0, 0, 0);
    build_wire(plan, text, on, router, access_link);
    snprintf(text, sizeof text, "%" PRId64 "ns", INTERVAL * i / phones);
    build_setting(plan, phone, "first", text);
    snprintf(text, sizeof text, "%us", seconds);
    build_setting(plan, phone, "until", text);
}

/* A core link between two routers, or a router and the server; each side gets a port and the routes are the caller's.
 */
static void add_core(struct plan *plan, unsigned left, unsigned right, ipv4 net)
{
    struct plan_end a = build_port(plan, left, "right", net + 1, 30);
    struct plan_end b = build_port(plan, right, "left", net + 2, 30);
    build_wire(plan, "core", a, b, core_link);
    build_route(plan, left, IPV4(172, 16, 0, 0), 24, a.port);
}

static uint8_t bits_for(unsigned addresses)
{
    uint8_t bits = 32;
    while (addresses > 1) {
        addresses = (addresses + 1) / 2;
        bits--;
    }
    return bits;
}

static void build_chain(struct plan *plan, unsigned phones, unsigned seconds, unsigned fan)
{
    unsigned routers[ROUTERS];
    unsigned server = build_node(plan, "server", &server_kind);
    for (unsigned r = 0; r < ROUTERS; r++)
        routers[r] = build_node(plan, "r", NULL);
    for (unsigned first = 0; first < phones; first += fan) {
        unsigned access = build_node(plan, "access", NULL);
        for (unsigned i = first; i < first + fan && i < phones; i++)
            add_phone(plan, i, phones, seconds, access);
        add_core(plan, access, routers[0], IPV4(172, 17, 0, 0) + 4 * (first / fan));
        build_route(plan, routers[0], phone_net(first), bits_for(4 * fan), first / fan);
    }
    for (unsigned r = 0; r < ROUTERS; r++) {
        unsigned next = r + 1 < ROUTERS ? routers[r + 1] : server;
        add_core(plan, routers[r], next, r + 1 < ROUTERS ? IPV4(172, 16, 1, 0) + 4 * r : SERVER - 2);
        build_route(plan, next, IPV4(10, 0, 0, 0), 8, 0);
    }
}

/* ---- measuring ---- */

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double peak_megabytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static int run(struct plan *plan, unsigned phones, unsigned seconds, unsigned fan)
{
    static const struct engine_config config = {0};
    struct engine *e;
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    bool *mine = calloc(plan->nodes_n, sizeof *mine);
    double before = peak_megabytes();
    double made = seconds_now();
    if (!mine || engine_new(&e, plan, &config))
        return 1;
    memset(mine, 1, plan->nodes_n);
    int error = engine_open(e, &sim_world, mine, &why);
    free(mine);
    if (error)
        return 1;
    double began = seconds_now();
    enum engine_end end = engine_run(e);
    double took = seconds_now() - began;
    struct engine_count count;
    engine_count_all(e, &count);
    printf("M=%u S=%u fan=%u hops=%" PRIu64 " hops/s=%.0f setup=%.3fs run=%.3fs meanRTT=%.3fms rss=%.1fMB "
           "per_phone=%.2fkB\n",
           phones, seconds, fan, count.delivered, (double)count.delivered / took, began - made, took,
           total.received ? (double)total.round_trips / 1e6 / (double)total.received : 0.0, peak_megabytes(),
           (peak_megabytes() - before) * 1024 / phones);
    bool right = end == ENGINE_IDLE && engine_conserved(e) && total.received == total.sent &&
                 count.delivered == HOPS * total.sent;
    engine_free(e);
    return right ? 0 : 1;
}

int main(int argc, char **argv)
{
    unsigned phones = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10;
    unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 30;
    unsigned fan = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 32;
    struct plan plan = {.name = "chain", .seed = 1};
    if (phones == 0 || phones > 1000000)
        return 2;
    build_chain(&plan, phones, seconds, fan ? fan : phones);
    int status = run(&plan, phones, seconds, fan);
    if (status)
        fprintf(stderr, "bench_chain: packets are missing\n");
    build_free(&plan);
    return status;
}
