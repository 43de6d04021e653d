#include "sim/engine/packet.h"
#include "tests/cmocka.h"

#include <string.h>

static void a_packet_has_room_for_what_was_asked(void **state)
{
    static const size_t sizes[] = {0, 1, 200, 224, 225, 992, 993, 1500, 2016, 2017, 9000, 65535};
    struct pool *pool = pool_new();
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct packet *p = packet_new(pool, sizes[i]);
        assert_non_null(p);
        assert_int_equal(p->n, sizes[i]);
        assert_int_equal(p->refs, 1);
        assert_true(packet_room(p) >= sizes[i]);
        memset(p->data, 0xaa, packet_room(p));
        packet_release(p);
    }
    assert_int_equal(pool_live(pool), 0);
    pool_free(pool);
}

static void a_warm_pool_allocates_nothing(void **state)
{
    enum { FLIGHT = 1000 };
    struct pool *pool = pool_new();
    struct packet *flight[FLIGHT];
    uint64_t warm = 0;
    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < FLIGHT; i++)
            flight[i] = packet_new(pool, 200);
        assert_int_equal(pool_live(pool), FLIGHT);
        for (size_t i = 0; i < FLIGHT; i++)
            packet_release(flight[i]);
        if (round == 0)
            warm = pool_allocated(pool);
        assert_int_equal(pool_allocated(pool), warm);
    }
    assert_in_range(warm, FLIGHT, FLIGHT + 100);
    pool_free(pool);
}

static void a_shared_packet_is_copied_for_who_wants_to_change_it(void **state)
{
    struct pool *pool = pool_new();
    struct packet *p = packet_copy(pool, (const uint8_t *)"abc", 3);
    struct packet *alone = packet_own(p);
    (void)state;
    assert_ptr_equal(alone, p);
    struct packet *own = packet_own(packet_share(p));
    assert_ptr_not_equal(own, p);
    assert_int_equal(p->refs, 1);
    own->data[0] = 'x';
    assert_memory_equal(p->data, "abc", 3);
    assert_int_equal(pool_live(pool), 2);
    packet_release(own);
    packet_release(p);
    packet_release(NULL);
    assert_int_equal(pool_live(pool), 0);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_has_room_for_what_was_asked),
        cmocka_unit_test(a_warm_pool_allocates_nothing),
        cmocka_unit_test(a_shared_packet_is_copied_for_who_wants_to_change_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
