/* The per-packet path allocates nothing once it is warm. The library's double-NAT call runs in the simulated world:
 *
 *     alice ── home ── router ── access ── cgn ══ internet, 12 hops ══ sbc ── office ── bob
 *
 * and while both phones talk, 50 packets a second each way cross wires, routers, both NATs, the SBC's relay and the
 * phones' playout buffers. Every malloc, calloc and realloc of that time is counted (the linker wraps them). */
#include "nodes/base/error.h"
#include "sim/engine/engine.h"
#include "sim/lab/lab.h"
#include "sim/lab/script.h"
#include "tests/cmocka.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_call_allocates_nothing_while_people_talk)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
