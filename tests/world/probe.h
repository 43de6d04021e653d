/* A small lab for tests of the worlds: probes that send what they are told to and trace what they receive, and the
 * trace kept as text to count lines in.
 *
 * A probe has a UDP socket at port 5000. Its commands, each traced as "did" with the result:
 *
 *     send ENDPOINT BYTES [TTL]      open ENDPOINT      close      df
 *     timer MS ENDPOINT              sends an empty datagram after that time
 *
 * It traces "got" (from, ttl, n, intact), "rang" (a timer) and "refused" (to, from, type, code, mtu). TCP:
 * tests/world/probe_tcp.h. */
#ifndef FAREND_TESTS_WORLD_PROBE_H
#define FAREND_TESTS_WORLD_PROBE_H

#include "nodes/base/error.h"
#include "nodes/proto/ip.h"
#include "sim/engine/engine.h"
#include "tests/cmocka.h"
#include "tests/world/build.h"
#include "tests/world/probe_tcp.h"

enum { PROBE_PORT = 5000, PROBE_EXTRA = 8 };

struct probe {
    struct host *host;
    struct host_udp *main;
    struct host_udp *extra[PROBE_EXTRA]; /* opened by command */
    unsigned extras;
    struct timer timer;
    struct endpoint when_it_rings;
    struct probe_tcp tcp;
};

static inline void probe_received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct probe *probe = arg;
    struct record *r = host_trace(probe->host, "got");
    record_endpoint(r, "from", from);
    record_u64(r, "ttl", ttl);
    record_u64(r, "n", data.n);
    bool intact = true;
    for (size_t i = 0; i < data.n; i++)
        intact = intact && (uint8_t)data.p[i] == (uint8_t)i;
    record_bool(r, "intact", intact);
    host_trace_end(probe->host);
}

static inline void probe_refused(void *arg, const struct host_icmp *error)
{
    struct probe *probe = arg;
    struct record *r = host_trace(probe->host, "refused");
    record_endpoint(r, "to", error->to);
    record_addr(r, "from", error->from);
    record_str(r, "type", icmp_name(error->type, error->code));
    record_u64(r, "mtu", error->mtu);
    host_trace_end(probe->host);
}

static const struct host_udp_events probe_events = {probe_received, probe_refused};

static inline int probe_start(struct host *h, const void *settings, void **node, struct text *why)
{
    struct probe *probe = calloc(1, sizeof *probe);
    (void)settings;
    (void)why;
    assert_non_null(probe);
    probe->host = probe->tcp.host = h;
    *node = probe;
    return host_udp_open(h, (struct endpoint){0, PROBE_PORT}, &probe_events, probe, &probe->main);
}

static inline int probe_send(struct probe *probe, struct span words)
{
    static uint8_t payload[65536];
    struct endpoint to;
    uint64_t bytes;
    uint64_t ttl = 0;
    struct span where = span_cut(words, ' ', &words);
    struct span n = span_cut(words, ' ', &words);
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)i;
    assert_int_equal(endpoint_parse(where, PROBE_PORT, &to), 0);
    assert_int_equal(span_u64(n, sizeof payload, &bytes), 0);
    if (words.n)
        assert_int_equal(span_u64(words, 255, &ttl), 0);
    return host_udp_send(probe->main, to, (uint8_t)ttl, span_make(payload, bytes));
}

static inline int probe_open(struct probe *probe, struct span where)
{
    struct endpoint local;
    assert_true(probe->extras < PROBE_EXTRA);
    assert_int_equal(endpoint_parse(where, 0, &local), 0);
    int error = host_udp_open(probe->host, local, &probe_events, probe, &probe->extra[probe->extras]);
    if (!error)
        probe->extras++;
    return error;
}

static inline void probe_rang(void *arg)
{
    struct probe *probe = arg;
    host_trace(probe->host, "rang");
    host_trace_end(probe->host);
    host_udp_send(probe->main, probe->when_it_rings, 0, SPAN(""));
}

static inline void probe_timer(struct probe *probe, struct span words)
{
    uint64_t ms;
    struct span n = span_cut(words, ' ', &words);
    assert_int_equal(span_u64(n, UINT32_MAX, &ms), 0);
    assert_int_equal(endpoint_parse(words, PROBE_PORT, &probe->when_it_rings), 0);
    timer_init(&probe->timer, probe_rang, probe);
    host_timer_start(probe->host, &probe->timer, host_now(probe->host) + (lab_time)ms * MS);
}

static inline void probe_command(void *node, struct span line)
{
    struct probe *probe = node;
    struct span words;
    struct span verb = span_cut(line, ' ', &words);
    int error = 0;
    if (span_is(verb, "send"))
        error = probe_send(probe, words);
    else if (span_is(verb, "open"))
        error = probe_open(probe, words);
    else if (span_is(verb, "close"))
        host_udp_close(probe->main);
    else if (span_is(verb, "timer"))
        probe_timer(probe, words);
    else if (span_is(verb, "df"))
        host_udp_set_df(probe->main, true);
    else if (!probe_tcp_command(&probe->tcp, verb, words, &error))
        fail_msg("no such command");
    struct record *r = host_trace(probe->host, "did");
    record_text(r, "what", line);
    record_i64(r, "result", error);
    host_trace_end(probe->host);
}

static const struct option probe_options[] = {{0}};
static const struct node_kind probe_kind = {.name = "probe",
                                            .options = probe_options,
                                            .settings_size = 1,
                                            .start = probe_start,
                                            .command = probe_command,
                                            .stop = free};

/* ---- the lab ---- */

enum { LAB_SCRIPT = 256 };

struct lab_step {
    struct lab *lab;
    struct timer timer;
    unsigned node;
    const char *line;
};

struct lab {
    struct plan plan;
    struct engine *engine;
    char *trace; /* the lines, each with its newline */
    size_t n, cap;
    FILE *capture; /* to be set before lab_open() */
    struct lab_step steps[LAB_SCRIPT];
    unsigned steps_n;
};

static inline void lab_observe(void *arg, struct span line)
{
    struct lab *lab = arg;
    if (lab->cap - lab->n < line.n + 2) {
        lab->cap = 2 * lab->cap + line.n + 2;
        lab->trace = realloc(lab->trace, lab->cap);
        assert_non_null(lab->trace);
    }
    memcpy(lab->trace + lab->n, line.p, line.n);
    lab->trace[lab->n + line.n] = '\n';
    lab->n += line.n + 1;
    lab->trace[lab->n] = '\0';
}

/* Every node in the simulated world. */
static inline void lab_open(struct lab *lab)
{
    struct engine_config config = {.observe = lab_observe, .arg = lab, .capture = lab->capture};
    char buf[256];
    struct text why = text_on(buf, sizeof buf);
    bool *mine = calloc(lab->plan.nodes_n, sizeof *mine);
    assert_non_null(mine);
    memset(mine, 1, lab->plan.nodes_n);
    lab_observe(lab, SPAN(""));
    assert_int_equal(engine_new(&lab->engine, &lab->plan, &config), 0);
    assert_int_equal(engine_open(lab->engine, &sim_world, mine, &why), 0);
    free(mine);
}

static inline void lab_step_fire(void *arg)
{
    struct lab_step *step = arg;
    engine_command(step->lab->engine, step->node, span_of(step->line));
}

/* line is borrowed. */
static inline void lab_command(struct lab *lab, lab_time at, unsigned node, const char *line)
{
    assert_true(lab->steps_n < LAB_SCRIPT);
    struct lab_step *step = &lab->steps[lab->steps_n++];
    *step = (struct lab_step){.lab = lab, .node = node, .line = line};
    timer_init(&step->timer, lab_step_fire, step);
    engine_timer_start(lab->engine, &step->timer, at);
}

static inline void lab_run(struct lab *lab)
{
    assert_int_equal(engine_run(lab->engine), ENGINE_IDLE);
    assert_true(engine_conserved(lab->engine));
    assert_int_equal(pool_live(engine_pool(lab->engine)), 0);
}

/* Lines of the trace that have this text. */
static inline unsigned lab_count(const struct lab *lab, const char *text)
{
    struct span rest = span_of(lab->trace);
    unsigned count = 0;
    while (rest.n) /* line by line: a sanitizer measures all that strstr() could read, each time */
        count += span_contains(span_cut(rest, '\n', &rest), span_of(text));
    return count;
}

static inline void lab_close(struct lab *lab)
{
    engine_free(lab->engine);
    build_free(&lab->plan);
    free(lab->trace);
    *lab = (struct lab){0};
}

/* Runs a lab on the heap to its end, frees it, and returns its trace, the caller's. */
static inline char *lab_finish(struct lab *lab)
{
    lab_run(lab);
    char *trace = lab->trace;
    lab->trace = NULL;
    lab_close(lab);
    free(lab);
    return trace;
}

#endif
