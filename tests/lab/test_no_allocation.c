/* The per-packet path allocates nothing once it is warm. The library's double-NAT call runs in the simulated world:
 *
 *     alice ── home ── router ── access ── cgn ══ internet, 12 hops ══ sbc ── office ── bob
 *
 * and while both phones talk, 50 packets a second each way cross wires, routers, both NATs, the SBC's relay and the
 * phones' playout buffers. Every malloc, calloc and realloc of that time is counted (the linker wraps them). So are
 * those of two nodes that talk over TCP while one segment in a hundred is lost. */
#include "nodes/base/error.h"
#include "sim/engine/engine.h"
#include "sim/lab/lab.h"
#include "sim/lab/script.h"
#include "tests/cmocka.h"
#include "tests/world/build.h"

#include <stdlib.h>

static uint64_t allocations;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
    allocations++;
    return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    allocations++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    allocations++;
    return __real_realloc(p, n);
}

struct watch {
    struct engine *engine;
    struct script *script;
    struct timer warm, done;
    uint64_t allocations, delivered; /* when warm; then: since then */
};

static uint64_t delivered(const struct engine *e)
{
    struct engine_count count;
    engine_count_all(e, &count);
    return count.delivered;
}

static void now_warm(void *arg)
{
    struct watch *w = arg;
    w->allocations = allocations;
    w->delivered = delivered(w->engine);
}

static void now_done(void *arg)
{
    struct watch *w = arg;
    w->allocations = allocations - w->allocations;
    w->delivered = delivered(w->engine) - w->delivered;
}

static void observe(void *arg, struct span line)
{
    struct watch *w = arg;
    script_line(w->script, line);
}

static struct lab *library_lab(const char *name)
{
    char path[4096];
    struct lab *lab = NULL;
    const char *source = getenv("FAREND_SOURCE");
    assert_non_null(source);
    snprintf(path, sizeof path, "%s/topologies/%s.yaml", source, name);
    assert_int_equal(lab_load(&lab, path, NULL, 0), 0);
    return lab;
}

static void a_call_allocates_nothing_while_people_talk(void **state)
{
    struct watch w = {0};
    struct engine_config config = {.observe = observe, .arg = &w};
    struct lab *lab = library_lab("calls/double-nat");
    bool *all = calloc(lab->plan.nodes_n, sizeof *all);
    (void)state;
    for (size_t i = 0; i < lab->plan.nodes_n; i++)
        all[i] = true;
    assert_int_equal(script_new(&w.script, lab), 0);
    assert_int_equal(engine_new(&w.engine, &lab->plan, &config), 0);
    assert_int_equal(engine_open(w.engine, &sim_world, all, NULL), 0);
    timer_init(&w.warm, now_warm, &w);
    timer_init(&w.done, now_done, &w);
    script_begin(w.script, w.engine);
    /* Both are registered at 0.1 s, Bob's call is answered at 1.2 s and lasts for 20 s. */
    engine_timer_start(w.engine, &w.warm, 8 * SEC);
    engine_timer_start(w.engine, &w.done, 20 * SEC);
    assert_int_equal(engine_run(w.engine), ENGINE_STOPPED);
    assert_int_equal(script_failures(w.script), 0);
    assert_true(w.delivered > 12 * 100 * 16); /* 12 s, 100 packets a second, 16 wires */
    assert_int_equal(w.allocations, 0);
    engine_free(w.engine);
    script_free(w.script);
    free(all);
    lab_free(lab);
}

/* ---- TCP ---- */

enum { MESSAGE = 4000, TALKERS_PORT = 5060 };

/* Listens and says back what it hears, or connects and says something every 20 ms. */
struct talker {
    struct host *host;
    struct host_listener *listener;
    struct host_tcp *tcp;
    struct timer timer;
    uint64_t received;
};

static void talk(void *arg)
{
    static const char message[MESSAGE];
    struct talker *t = arg;
    host_tcp_send(t->tcp, span_make(message, MESSAGE));
    host_timer_start(t->host, &t->timer, host_now(t->host) + 20 * MS);
}

static void heard(void *arg, struct span data)
{
    struct talker *t = arg;
    t->received += data.n;
    if (t->listener)
        host_tcp_send(t->tcp, data);
}

static const struct host_tcp_events talker_events = {.connected = talk, .received = heard};

static void accepted(void *arg, struct host_tcp *tcp, struct endpoint remote)
{
    struct talker *t = arg;
    (void)remote;
    t->tcp = tcp;
    host_tcp_own(tcp, &talker_events, t);
}

static struct talker talkers[2];

static int talker_start(struct host *h, const void *settings, void **node, struct text *why)
{
    static const struct host_listener_events events = {accepted};
    bool server = strcmp(host_name(h), "server") == 0;
    struct talker *t = &talkers[server];
    (void)settings;
    (void)why;
    *t = (struct talker){.host = h};
    timer_init(&t->timer, talk, t);
    *node = t;
    if (server)
        return host_tcp_listen(h, (struct endpoint){0, TALKERS_PORT}, &events, t, &t->listener);
    return host_tcp_connect(h, (struct endpoint){0}, (struct endpoint){IPV4(10, 0, 0, 1), TALKERS_PORT}, &talker_events,
                            t, &t->tcp);
}

static void talker_stop(void *node)
{
    struct talker *t = node;
    host_timer_stop(t->host, &t->timer);
}

static void stop_engine(void *arg)
{
    struct watch *w = arg;
    now_done(w);
    engine_stop(w->engine);
}

static void tcp_allocates_nothing_while_it_talks_and_loses(void **state)
{
    static const struct option no_options[] = {{0}};
    static const struct node_kind kind = {
        .name = "talker", .options = no_options, .settings_size = 1, .start = talker_start, .stop = talker_stop};
    static const bool all[2] = {true, true};
    const struct engine_config config = {0};
    struct plan plan = {.seed = 1};
    struct watch w = {0};
    (void)state;
    struct plan_end a = build_port(&plan, build_node(&plan, "server", &kind), "on", IPV4(10, 0, 0, 1), 24);
    struct plan_end b = build_port(&plan, build_node(&plan, "client", &kind), "on", IPV4(10, 0, 0, 2), 24);
    build_wire(&plan, "wire", a, b, (struct wire_spec){.delay = 5 * MS, .loss = 10000});
    assert_int_equal(engine_new(&w.engine, &plan, &config), 0);
    assert_int_equal(engine_open(w.engine, &sim_world, all, NULL), 0);
    timer_init(&w.warm, now_warm, &w);
    timer_init(&w.done, stop_engine, &w);
    engine_timer_start(w.engine, &w.warm, 20 * SEC);
    engine_timer_start(w.engine, &w.done, 60 * SEC);
    assert_int_equal(engine_run(w.engine), ENGINE_STOPPED);
    assert_true(w.delivered > 40 * 50 * 6); /* 40 s, 50 messages a second, 3 segments each way */
    assert_int_equal(w.allocations, 0);
    assert_in_range(talkers[1].received, 50 * 55 * MESSAGE, 50 * 60 * MESSAGE);
    assert_in_range(talkers[0].received, 50 * 55 * MESSAGE, 50 * 60 * MESSAGE);
    engine_free(w.engine);
    build_free(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_allocates_nothing_while_people_talk),
        cmocka_unit_test(tcp_allocates_nothing_while_it_talks_and_loses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
