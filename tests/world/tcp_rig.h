/*     alice 10.0.0.1 ── 5 ms ── tap ── 5 ms ── bob 10.0.0.2
 *
 * Two probes (tests/world/probe_tcp.h) and between them a node that owns both wires, traces every TCP segment that
 * passes, and loses, holds back or invents some. It traces "seg" (to, flags, seq, ack, n, win, lost): numbers count
 * from the SYNs seen last, so they do not depend on a stack's choice. Commands of the tap; SIDE is where to, left or
 * right:
 *
 *     SIDE lose N…       the N-th segments with data from now on, each once
 *     SIDE skip N        the next N packets, whatever they are
 *     SIDE cut           everything, until: SIDE mend
 *     SIDE hold N        the N-th segment with data from now on is overtaken by the next packet
 *     SIDE say FLAGS SEQ ACK     a segment as if from the other side */
#ifndef FAREND_TESTS_WORLD_TCP_RIG_H
#define FAREND_TESTS_WORLD_TCP_RIG_H

#include "nodes/base/bytes.h"
#include "nodes/proto/tcp.h"
#include "tests/world/probe.h"

enum { ALICE, TAP, BOB };
enum { TAP_LOST = 32, TAP_PACKET = 1600 };

struct tap_way { /* to one side */
    uint64_t data, lose[TAP_LOST], hold;
    unsigned lose_n;
    uint64_t skip;
    bool cut;
    uint32_t isn; /* of who sends this way */
    struct endpoint src, dst;
    uint8_t held[TAP_PACKET];
    size_t held_n;
};

struct tap {
    struct host *host;
    struct host_raw *raw;
    struct tap_way ways[2]; /* by the port where it leaves: 0 left, 1 right */
};

static inline void tap_trace(const struct tap *tap, unsigned to, const struct tcp_view *s, bool lost)
{
    static const char letters[] = "FSRPA";
    char flags[8];
    size_t n = 0;
    for (unsigned i = 0; letters[i]; i++)
        if (s->flags >> i & 1)
            flags[n++] = letters[i];
    flags[n] = '\0';
    struct record *r = host_trace(tap->host, "seg");
    record_str(r, "to", to ? "right" : "left");
    record_str(r, "flags", flags);
    record_u64(r, "seq", (uint32_t)(s->seq - tap->ways[to].isn));
    record_u64(r, "ack", s->flags & TCP_ACK ? (uint32_t)(s->ack - tap->ways[!to].isn) : 0);
    record_u64(r, "n", s->payload.n);
    record_u64(r, "win", s->window);
    if (lost)
        record_bool(r, "lost", true);
    host_trace_end(tap->host);
}

static inline bool tap_loses(struct tap_way *way, const struct tcp_view *s)
{
    if (way->cut)
        return true;
    if (way->skip) {
        way->skip--;
        return true;
    }
    for (unsigned i = 0; s->payload.n && i < way->lose_n; i++)
        if (way->lose[i] == way->data)
            return true;
    return false;
}

static inline void tap_received(void *arg, unsigned port, uint8_t *packet, size_t n)
{
    struct tap *tap = arg;
    unsigned to = !port;
    struct tap_way *way = &tap->ways[to];
    struct ip_view v;
    struct tcp_view s;
    assert_int_equal(ip_parse(packet, n, &v), 0);
    assert_true(ip_transport_sum_ok(packet, n));
    if (v.protocol != IP_TCP || tcp_parse(packet, &v, &s)) {
        host_raw_send(tap->raw, to, packet, n);
        return;
    }
    assert_true(v.fragment & IP_DF);
    if (s.flags & TCP_SYN)
        way->isn = s.seq;
    way->src = s.src;
    way->dst = s.dst;
    way->data += s.payload.n > 0;
    bool lost = tap_loses(way, &s);
    tap_trace(tap, to, &s, lost);
    if (lost)
        return;
    if (s.payload.n && way->hold && way->hold == way->data) {
        assert_true(n <= TAP_PACKET);
        memcpy(way->held, packet, n);
        way->held_n = n;
        way->hold = 0;
        return;
    }
    host_raw_send(tap->raw, to, packet, n);
    if (way->held_n)
        host_raw_send(tap->raw, to, way->held, way->held_n);
    way->held_n = 0;
}

static inline int tap_start(struct host *h, const void *settings, void **node, struct text *why)
{
    static const struct host_raw_events events = {.received = tap_received};
    struct tap *tap = calloc(1, sizeof *tap);
    (void)settings;
    (void)why;
    assert_non_null(tap);
    tap->host = h;
    *node = tap;
    return host_raw_open(h, &events, tap, &tap->raw);
}

static inline void tap_say(struct tap *tap, unsigned to, struct span words)
{
    static const char letters[] = "FSRPA";
    const struct tap_way *way = &tap->ways[to];
    uint8_t packet[64];
    struct span flags = probe_word(&words);
    struct ip_build ip = {.src = way->src.addr, .dst = way->dst.addr, .fragment = IP_DF, .ttl = 64};
    struct tcp_build tcp = {.sport = way->src.port, .dport = way->dst.port, .window = 65535};
    for (size_t i = 0; i < flags.n; i++)
        tcp.flags |= (uint8_t)(1 << (strchr(letters, flags.p[i]) - letters));
    tcp.seq = way->isn + (uint32_t)probe_number(&words);
    tcp.ack = tap->ways[!to].isn + (uint32_t)probe_number(&words);
    size_t n = tcp_build(packet, sizeof packet, &ip, &tcp, (struct span){0});
    host_raw_send(tap->raw, to, packet, n);
}

static inline void tap_command(void *node, struct span words)
{
    struct tap *tap = node;
    unsigned to = span_is(probe_word(&words), "right");
    struct tap_way *way = &tap->ways[to];
    struct span verb = probe_word(&words);
    if (span_is(verb, "lose")) {
        for (way->lose_n = 0; words.n; way->lose_n++)
            way->lose[way->lose_n] = way->data + probe_number(&words);
    } else if (span_is(verb, "skip")) {
        way->skip = probe_number(&words);
    } else if (span_is(verb, "cut")) {
        way->cut = true;
    } else if (span_is(verb, "mend")) {
        way->cut = false;
    } else if (span_is(verb, "hold")) {
        way->hold = way->data + probe_number(&words);
    } else if (span_is(verb, "say")) {
        tap_say(tap, to, words);
    } else {
        fail_msg("no such command");
    }
}

static inline void tap_stop(void *node)
{
    struct tap *tap = node;
    host_raw_close(tap->raw);
    free(tap);
}

static const char *const tap_ports[] = {"left", "right", NULL};
static const struct node_kind tap_kind = {.name = "tap",
                                          .help = "traces and loses TCP segments",
                                          .ports = tap_ports,
                                          .raw = true,
                                          .options = probe_options,
                                          .settings_size = 1,
                                          .start = tap_start,
                                          .command = tap_command,
                                          .stop = tap_stop};

/* ---- the lab ---- */

static inline void tcp_rig_draw(struct lab *lab, const struct node_kind *probe)
{
    static const struct wire_spec wire = {.delay = 5 * MS};
    struct plan *plan = &lab->plan;
    plan->seed = 1;
    build_node(plan, "alice", probe);
    build_node(plan, "tap", &tap_kind);
    build_node(plan, "bob", probe);
    struct plan_end alice = build_port(plan, ALICE, "on", IPV4(10, 0, 0, 1), 24);
    struct plan_end left = build_port(plan, TAP, "left", IPV4(10, 0, 0, 3), 24);
    struct plan_end right = build_port(plan, TAP, "right", IPV4(10, 0, 0, 4), 24);
    struct plan_end bob = build_port(plan, BOB, "on", IPV4(10, 0, 0, 2), 24);
    build_wire(plan, "alice.tap", alice, left, wire);
    build_wire(plan, "bob.tap", right, bob, wire);
}

static inline int tcp_rig_setup(void **state)
{
    struct lab *lab = calloc(1, sizeof *lab);
    if (!lab)
        return -1;
    tcp_rig_draw(lab, &probe_kind);
    lab_open(lab);
    *state = lab;
    return 0;
}

static inline int tcp_rig_teardown(void **state)
{
    lab_close(*state);
    free(*state);
    return 0;
}

/* Bob listens at 5060, Alice is connected 20 ms later. */
static inline void tcp_rig_connect(struct lab *lab)
{
    lab_command(lab, 0, BOB, "listen 0.0.0.0:5060");
    lab_command(lab, 0, ALICE, "connect 10.0.0.2:5060");
}

/* Until everything has been acknowledged and closed nothing is idle: lab_run(), but what is still held may stay. */
static inline void tcp_rig_run(struct lab *lab)
{
    assert_int_equal(engine_run(lab->engine), ENGINE_IDLE);
    assert_true(engine_conserved(lab->engine));
}

static inline int tcp_rig_result(const struct lab *lab, const char *command)
{
    char key[128];
    snprintf(key, sizeof key, "\"what\":\"%s\",\"result\":", command);
    const char *at = strstr(lab->trace, key);
    if (!at)
        fail_msg("never done: %s", command);
    return (int)strtol(at + strlen(key), NULL, 10);
}

/* The trace has these lines, each behind the one before. */
static inline void tcp_rig_in_order(const struct lab *lab, const char *const *lines)
{
    const char *at = lab->trace;
    for (size_t i = 0; lines[i]; i++) {
        const char *found = strstr(at, lines[i]);
        if (!found)
            fail_msg("not there, or not in its place: %s\n%s", lines[i], lab->trace);
        at = found + strlen(lines[i]);
    }
}

#define IN_ORDER(lab, ...) tcp_rig_in_order(lab, (const char *const[]){__VA_ARGS__, NULL})

#endif
