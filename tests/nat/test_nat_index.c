/* The hash index against a plain list, with hashes that collide as often as they can. */
#include "nodes/base/prng.h"
#include "nodes/nat/nat_index.h"
#include "tests/cmocka.h"

enum { SLOTS = 300 };

static bool index_has(const struct nat_index *index, uint32_t hash, uint32_t slot)
{
    uint32_t found;
    for (uint32_t at = 0; (found = nat_index_next(index, hash, &at)) != NAT_NONE;)
        if (found == slot)
            return true;
    return false;
}

static void finds_what_was_put_in_and_nothing_else(void **state)
{
    (void)state;
    struct nat_index index = {0};
    bool in[SLOTS] = {false};
    struct prng rng;
    prng_init(&rng, 1, SPAN("test"), SPAN("index"));
    for (int round = 0; round < 20000; round++) {
        uint32_t slot = (uint32_t)prng_below(&rng, SLOTS);
        uint32_t hash = slot % 37 * 0x01000193u;
        assert_int_equal(index_has(&index, hash, slot), in[slot]);
        if (in[slot]) {
            nat_index_remove(&index, hash, slot);
        } else {
            assert_int_equal(nat_index_reserve(&index), 0);
            nat_index_add(&index, hash, slot);
        }
        in[slot] = !in[slot];
    }
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        assert_int_equal(index_has(&index, slot % 37 * 0x01000193u, slot), in[slot]);
    nat_index_fini(&index);
}

static void an_empty_index_has_no_memory(void **state)
{
    (void)state;
    struct nat_index index = {0};
    uint32_t at = 0;
    assert_int_equal(nat_index_next(&index, 1, &at), NAT_NONE);
    assert_null(index.buckets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_put_in_and_nothing_else),
        cmocka_unit_test(an_empty_index_has_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
