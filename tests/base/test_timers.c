#include "nodes/base/prng.h"
#include "nodes/base/timers.h"
#include "tests/cmocka.h"

#define MANY 500

struct log {
    struct timers set;
    unsigned fired[MANY];
    unsigned n;
};

/* Each timer of the tests below writes its number to the log. */
struct numbered {
    struct timer timer;
    struct log *log;
    unsigned number;
};

static void write_number(void *arg)
{
    struct numbered *t = arg;
    t->log->fired[t->log->n++] = t->number;
}

static void arrange(struct log *log, struct numbered *timers, unsigned n)
{
    *log = (struct log){0};
    timers_init(&log->set);
    for (unsigned i = 0; i < n; i++) {
        timers[i] = (struct numbered){.log = log, .number = i};
        timer_init(&timers[i].timer, write_number, &timers[i]);
    }
}

static void run(struct log *log, lab_time until)
{
    while (timers_fire(&log->set, until))
        ;
}

static void equal_deadlines_fire_in_the_order_of_starting(void **state)
{
    struct log log;
    struct numbered t[4];
    (void)state;
    arrange(&log, t, 4);
    timers_start(&log.set, &t[2].timer, 5 * MS);
    timers_start(&log.set, &t[0].timer, 5 * MS);
    timers_start(&log.set, &t[3].timer, 5 * MS);
    timers_start(&log.set, &t[1].timer, 5 * MS);
    timers_start(&log.set, &t[2].timer, 5 * MS); /* started again: now the last */
    assert_int_equal(timers_next(&log.set), 5 * MS);
    run(&log, 5 * MS);
    assert_int_equal(log.n, 4);
    assert_int_equal(log.fired[0], 0);
    assert_int_equal(log.fired[1], 3);
    assert_int_equal(log.fired[2], 1);
    assert_int_equal(log.fired[3], 2);
    timers_fini(&log.set);
}

static void a_stopped_timer_never_fires(void **state)
{
    struct log log;
    struct numbered t[2];
    (void)state;
    arrange(&log, t, 2);
    timers_start(&log.set, &t[0].timer, MS);
    timers_start(&log.set, &t[1].timer, 2 * MS);
    timers_stop(&log.set, &t[0].timer);
    timers_stop(&log.set, &t[0].timer);
    timers_start(&log.set, &t[1].timer, NEVER);
    assert_false(timer_running(&t[1].timer));
    run(&log, HOUR);
    assert_int_equal(log.n, 0);
    assert_int_equal(timers_next(&log.set), NEVER);
    timers_fini(&log.set);
}

static void nothing_fires_early(void **state)
{
    struct log log;
    struct numbered t[1];
    (void)state;
    arrange(&log, t, 1);
    timers_start(&log.set, &t[0].timer, MS);
    run(&log, MS - 1);
    assert_int_equal(log.n, 0);
    run(&log, MS);
    assert_int_equal(log.n, 1);
    timers_fini(&log.set);
}

static void any_sequence_of_starts_and_stops_keeps_the_order(void **state)
{
    static struct log log;
    static struct numbered t[MANY];
    struct prng rng;
    (void)state;
    prng_init(&rng, 1, SPAN("test"), SPAN("timers"));
    arrange(&log, t, MANY);
    for (unsigned i = 0; i < 20 * MANY; i++) {
        struct timer *timer = &t[prng_below(&rng, MANY)].timer;
        if (prng_below(&rng, 4) == 0)
            timers_stop(&log.set, timer);
        else
            timers_start(&log.set, timer, (lab_time)prng_below(&rng, 100));
    }
    unsigned running = 0;
    for (unsigned i = 0; i < MANY; i++)
        running += timer_running(&t[i].timer);
    run(&log, 100);
    assert_int_equal(log.n, running);
    for (unsigned i = 1; i < log.n; i++) {
        const struct timer *a = &t[log.fired[i - 1]].timer;
        const struct timer *b = &t[log.fired[i]].timer;
        assert_true(a->at < b->at || (a->at == b->at && a->order < b->order));
    }
    timers_fini(&log.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_deadlines_fire_in_the_order_of_starting),
        cmocka_unit_test(a_stopped_timer_never_fires),
        cmocka_unit_test(nothing_fires_early),
        cmocka_unit_test(any_sequence_of_starts_and_stops_keeps_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
