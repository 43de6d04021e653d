#include "nodes/base/error.h"
#include "nodes/base/prng.h"
#include "nodes/base/span.h"
#include "tests/cmocka.h"

static void the_first_numbers_never_change(void **state)
{
    struct prng rng;
    (void)state;
    prng_init(&rng, 1, SPAN("alice"), SPAN("branch"));
    assert_int_equal(prng_u64(&rng), 0x153a49b6652a3e76u);
    assert_int_equal(prng_u64(&rng), 0x697f96d432ac9e88u);
}

static void streams_differ_by_seed_owner_and_purpose(void **state)
{
    struct prng a, b, c, d;
    (void)state;
    prng_init(&a, 1, SPAN("alice"), SPAN("branch"));
    prng_init(&b, 2, SPAN("alice"), SPAN("branch"));
    prng_init(&c, 1, SPAN("bob"), SPAN("branch"));
    prng_init(&d, 1, SPAN("alice"), SPAN("ports"));
    uint64_t first = prng_u64(&a);
    assert_int_not_equal(first, prng_u64(&b));
    assert_int_not_equal(first, prng_u64(&c));
    assert_int_not_equal(first, prng_u64(&d));
}

/* The first start has the lab's own seed: what has never been started again has the numbers that it always had. */
static void a_start_again_has_other_numbers(void **state)
{
    (void)state;
    assert_int_equal(prng_seed_again(7, 0), 7);
    assert_int_not_equal(prng_seed_again(7, 1), 7);
    assert_int_not_equal(prng_seed_again(7, 1), prng_seed_again(7, 2));
    assert_int_not_equal(prng_seed_again(7, 1), prng_seed_again(8, 0));
}

static void below_is_uniform_enough(void **state)
{
    struct prng rng;
    unsigned count[7] = {0};
    (void)state;
    prng_init(&rng, 3, SPAN("x"), SPAN("y"));
    for (int i = 0; i < 70000; i++)
        count[prng_below(&rng, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(count[i], 9600, 10400);
    assert_int_equal(prng_below(&rng, 1), 0);
}

static void a_chance_draws_once_whatever_the_rate(void **state)
{
    struct prng a, b;
    (void)state;
    prng_init(&a, 4, SPAN("x"), SPAN("loss"));
    b = a;
    assert_false(prng_chance(&a, 0));
    assert_true(prng_chance(&b, 1000000));
    assert_int_equal(prng_u64(&a), prng_u64(&b));
}

static void hexadecimal_digits(void **state)
{
    struct prng rng;
    char text[17];
    (void)state;
    prng_init(&rng, 5, SPAN("x"), SPAN("tag"));
    prng_hex(&rng, text, 16);
    assert_int_equal(strlen(text), 16);
    assert_int_equal(strspn(text, "0123456789abcdef"), 16);
}

static void decimal_spans(void **state)
{
    uint64_t v;
    (void)state;
    assert_int_equal(span_u64(SPAN("18446744073709551615"), UINT64_MAX, &v), 0);
    assert_true(v == UINT64_MAX);
    assert_int_equal(span_u64(SPAN("18446744073709551616"), UINT64_MAX, &v), FE_ERANGE);
    assert_int_equal(span_u64(SPAN("256"), 255, &v), FE_ERANGE);
    assert_int_equal(span_u64(SPAN("255"), 255, &v), 0);
    assert_int_equal(span_u64(SPAN("7"), 5, &v), FE_ERANGE);
    assert_int_equal(span_u64(SPAN(""), 5, &v), FE_ESYNTAX);
    assert_int_equal(span_u64(SPAN("+1"), 5, &v), FE_ESYNTAX);
}

static void cutting_spans(void **state)
{
    struct span rest;
    (void)state;
    assert_true(span_is(span_cut(SPAN("a.b.c"), '.', &rest), "a"));
    assert_true(span_is(rest, "b.c"));
    assert_true(span_is(span_cut(SPAN("a."), '.', &rest), "a"));
    assert_true(rest.p != NULL && rest.n == 0);
    assert_true(span_is(span_cut(SPAN("a"), '.', &rest), "a"));
    assert_null(rest.p);
    assert_true(span_is(span_trim(SPAN(" \tx y\t ")), "x y"));
    assert_true(span_equal_nocase(SPAN("Via"), SPAN("vIA")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_numbers_never_change),
        cmocka_unit_test(streams_differ_by_seed_owner_and_purpose),
        cmocka_unit_test(a_start_again_has_other_numbers),
        cmocka_unit_test(below_is_uniform_enough),
        cmocka_unit_test(a_chance_draws_once_whatever_the_rate),
        cmocka_unit_test(hexadecimal_digits),
        cmocka_unit_test(decimal_spans),
        cmocka_unit_test(cutting_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
