/* The event queue and the set of node numbers, each against the obvious slow model. */
#include "nodes/base/prng.h"
#include "sim/engine/index_set.h"
#include "sim/engine/queue.h"
#include "tests/cmocka.h"

#include <stdlib.h>

enum { SOURCES = 300 };

static void entries_of_one_instant_come_by_source(void **state)
{
    static const size_t order[] = {7, 2, 9, 0, 4};
    struct queue q;
    (void)state;
    assert_int_equal(queue_init(&q, 10), 0);
    for (size_t i = 0; i < 5; i++)
        queue_set(&q, order[i], 100);
    queue_set(&q, 8, 99);
    static const size_t expected[] = {8, 0, 2, 4, 7, 9};
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(queue_first(&q), expected[i]);
        queue_renew(&q, NEVER);
    }
    assert_true(queue_next(&q) == NEVER);
    queue_fini(&q);
}

static size_t slow_first(const lab_time *at)
{
    size_t first = 0;
    for (size_t i = 1; i < SOURCES; i++)
        if (at[i] < at[first])
            first = i;
    return first;
}

static void the_queue_is_its_model_whatever_is_set_and_renewed(void **state)
{
    struct queue q;
    struct prng rng;
    lab_time at[SOURCES];
    (void)state;
    prng_init(&rng, 1, SPAN("test"), SPAN("queue"));
    assert_int_equal(queue_init(&q, SOURCES), 0);
    for (size_t i = 0; i < SOURCES; i++)
        at[i] = NEVER;
    for (int step = 0; step < 200000; step++) {
        size_t first = slow_first(at);
        assert_true(queue_next(&q) == at[first]);
        lab_time when = prng_below(&rng, 5) ? (lab_time)prng_below(&rng, 1000) : NEVER;
        if (at[first] != NEVER)
            assert_int_equal(queue_first(&q), first);
        if (at[first] != NEVER && prng_below(&rng, 2)) {
            queue_renew(&q, when);
            at[first] = when;
        } else {
            size_t source = prng_below(&rng, SOURCES);
            queue_set(&q, source, when);
            at[source] = when;
        }
    }
    queue_fini(&q);
}

static void a_set_gives_its_lowest_number_at_every_size(void **state)
{
    static const unsigned limits[] = {1, 64, 65, 4096, 4097, 300000};
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        unsigned top = limits[i] - 1;
        struct index_set set;
        assert_int_equal(index_set_init(&set, limits[i]), 0);
        assert_true(index_set_empty(&set));
        index_set_add(&set, top);
        assert_int_equal(index_set_first(&set), top);
        index_set_add(&set, top / 2);
        index_set_add(&set, top / 2);
        assert_int_equal(index_set_first(&set), top / 2);
        index_set_remove(&set, top / 2);
        if (top)
            assert_int_equal(index_set_first(&set), top);
        index_set_remove(&set, top);
        assert_true(index_set_empty(&set));
        index_set_fini(&set);
    }
}

static void a_set_is_its_model(void **state)
{
    enum { LIMIT = 5000 };
    static bool in[LIMIT];
    struct index_set set;
    struct prng rng;
    (void)state;
    prng_init(&rng, 1, SPAN("test"), SPAN("set"));
    assert_int_equal(index_set_init(&set, LIMIT), 0);
    for (int step = 0; step < 20000; step++) {
        unsigned index = (unsigned)prng_below(&rng, LIMIT);
        in[index] = prng_below(&rng, 3) == 0;
        if (in[index])
            index_set_add(&set, index);
        else
            index_set_remove(&set, index);
        unsigned first = 0;
        while (first < LIMIT && !in[first])
            first++;
        assert_int_equal(index_set_empty(&set), first == LIMIT);
        if (first < LIMIT)
            assert_int_equal(index_set_first(&set), first);
    }
    index_set_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_of_one_instant_come_by_source),
        cmocka_unit_test(the_queue_is_its_model_whatever_is_set_and_renewed),
        cmocka_unit_test(a_set_gives_its_lowest_number_at_every_size),
        cmocka_unit_test(a_set_is_its_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
