/* The simulated TCP against arbitrary segments: a listener and a connection of its own, into whose path a raw node puts
 * what the fuzzer says, with numbers near those that are expected. Nothing is lost count of, and memory is sound.
 *
 *     host 10.0.0.1 ── 1 ms ── stranger 10.0.0.2 */
#include "nodes/base/bytes.h"
#include "nodes/proto/tcp.h"
#include "sim/engine/engine.h"
#include "tests/fuzz/fuzz.h"
#include "tests/world/build.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEGMENT = 8, SEGMENTS = 400 }; /* bytes of the input a segment takes; segments an input may have */

/* ---- the host: says something, says back, closes when the peer has finished ---- */

struct said {
    struct host_tcp *tcp;
};

static struct said saids[SEGMENTS + 1];
static size_t saids_n;

static void said_received(void *arg, struct span bytes)
{
    struct said *said = arg;
    must(bytes.n > 0);
    if (bytes.p[0] == 'c')
        host_tcp_close(said->tcp);
    else if (bytes.p[0] == 'a')
        host_tcp_abort(said->tcp);
    else if (bytes.p[0] == 'f')
        host_tcp_finish(said->tcp);
    else
        host_tcp_send(said->tcp, bytes);
}

static void said_finished(void *arg)
{
    struct said *said = arg;
    host_tcp_close(said->tcp);
}

static const struct host_tcp_events said_events = {.received = said_received, .finished = said_finished};

static void accepted(void *arg, struct host_tcp *tcp, struct endpoint remote)
{
    (void)arg, (void)remote;
    if (saids_n == sizeof saids / sizeof *saids)
        return; /* it is reset */
    struct said *said = &saids[saids_n++];
    said->tcp = tcp;
    host_tcp_own(tcp, &said_events, said);
}

static int host_start(struct host *h, const void *settings, void **node, struct text *why)
{
    static const struct host_listener_events events = {accepted};
    static const char words[5000];
    struct host_listener *l;
    (void)settings, (void)why;
    *node = h;
    saids_n = 0;
    must(host_tcp_listen(h, (struct endpoint){0, 80}, &events, NULL, &l) == 0);
    struct said *said = &saids[saids_n++];
    must(host_tcp_connect(h, (struct endpoint){0, 4000}, (struct endpoint){IPV4(10, 0, 0, 2), 80}, &said_events, said,
                          &said->tcp) == 0);
    must(host_tcp_send(said->tcp, span_make(words, sizeof words)) == 0);
    return 0;
}

static void stop_nothing(void *node)
{
    (void)node;
}

/* ---- the stranger ---- */

static struct {
    struct host *host;
    struct host_raw *raw;
    struct timer timer;
    const uint8_t *data;
    size_t size;
    uint32_t nxt[2], una[2]; /* of the host's connection and of those to its listener: what it sent, what it has had */
} stranger;

static void stranger_received(void *arg, unsigned port, uint8_t *packet, size_t n)
{
    struct ip_view v;
    struct tcp_view s;
    (void)arg, (void)port;
    must(ip_parse(packet, n, &v) == 0 && v.protocol == IP_TCP && ip_transport_sum_ok(packet, n));
    must(tcp_parse(packet, &v, &s) == 0);
    unsigned which = s.src.port == 80;
    stranger.nxt[which] = s.seq + tcp_length(&s);
    if (s.flags & TCP_ACK)
        stranger.una[which] = s.ack;
}

/* port, flags, seq, ack (near what is expected), window, length and first byte of the payload */
static void say(const uint8_t *in)
{
    static const char letters[] = "cafx";
    char payload[1400];
    uint8_t packet[1500];
    unsigned which = in[0] & 1;
    uint32_t seq = stranger.una[which] + (uint32_t)(int32_t)(int8_t)in[2] * (in[0] & 2 ? 100u : 1u);
    uint32_t ack = stranger.nxt[which] + (uint32_t)(int32_t)(int8_t)in[3] * (in[0] & 4 ? 100u : 1u);
    struct ip_build ip = {.src = IPV4(10, 0, 0, 2), .dst = IPV4(10, 0, 0, 1), .fragment = IP_DF, .ttl = 64};
    struct tcp_build tcp = {.sport = which ? (uint16_t)(1000 + (in[0] >> 6)) : 80,
                            .dport = which ? 80 : 4000,
                            .seq = seq,
                            .ack = ack,
                            .flags = in[1],
                            .window = (uint16_t)(in[4] * 257),
                            .mss = in[1] & TCP_SYN ? get16(in + 4) : 0};
    memset(payload, letters[in[6] & 3], sizeof payload);
    size_t n = tcp_build(packet, sizeof packet, &ip, &tcp, span_make(payload, in[5] * 5u));
    host_raw_send(stranger.raw, 0, packet, n);
}

static void tick(void *arg)
{
    (void)arg;
    if (stranger.size < SEGMENT)
        return;
    say(stranger.data);
    lab_time wait = (lab_time)stranger.data[7] * stranger.data[7] * MS;
    stranger.data += SEGMENT;
    stranger.size -= SEGMENT;
    host_timer_start(stranger.host, &stranger.timer, host_now(stranger.host) + wait);
}

static int stranger_start(struct host *h, const void *settings, void **node, struct text *why)
{
    static const struct host_raw_events events = {.received = stranger_received};
    (void)settings, (void)why;
    *node = h;
    stranger.host = h;
    timer_init(&stranger.timer, tick, NULL);
    host_timer_start(h, &stranger.timer, 10 * MS);
    return host_raw_open(h, &events, NULL, &stranger.raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct option options[] = {{0}};
    static const struct node_kind host_kind = {
        .name = "host", .options = options, .settings_size = 1, .start = host_start, .stop = stop_nothing};
    static const struct node_kind stranger_kind = {.name = "stranger",
                                                   .raw = true,
                                                   .options = options,
                                                   .settings_size = 1,
                                                   .start = stranger_start,
                                                   .stop = stop_nothing};
    static const bool all[2] = {true, true};
    const struct engine_config config = {0};
    struct plan plan = {.seed = 1};
    struct engine *engine;
    if (size > SEGMENT * SEGMENTS)
        return 0;
    memset(&stranger, 0, sizeof stranger);
    stranger.data = data;
    stranger.size = size;
    struct plan_end a = build_port(&plan, build_node(&plan, "host", &host_kind), "on", IPV4(10, 0, 0, 1), 24);
    struct plan_end b = build_port(&plan, build_node(&plan, "stranger", &stranger_kind), "on", IPV4(10, 0, 0, 2), 24);
    build_wire(&plan, "wire", a, b, (struct wire_spec){.delay = 1 * MS});
    must(engine_new(&engine, &plan, &config) == 0 && engine_open(engine, &sim_world, all, NULL) == 0);
    must(engine_run(engine) == ENGINE_IDLE);
    must(engine_conserved(engine));
    must(engine_power(engine, 0, false) == 0);
    must(engine_run(engine) == ENGINE_IDLE);
    must(engine_conserved(engine));
    engine_free(engine);
    build_free(&plan);
    return 0;
}
