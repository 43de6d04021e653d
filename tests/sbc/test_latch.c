/* SB-6: from whom a leg takes packets, and where it sends to. */
#include "nodes/sbc/sbc_latch.h"
#include "tests/cmocka.h"

static const struct endpoint first = {IPV4(203, 0, 113, 7), 4000};
static const struct endpoint second = {IPV4(203, 0, 113, 7), 4002}; /* the same address, another port */

static void lock_takes_the_first_sender_only(void **state)
{
    (void)state;
    struct sbc_latch latch = {0};
    struct sbc_latch_policy lock = {0};
    assert_false(sbc_latch_is_set(&latch));
    assert_int_equal(sbc_latch_packet(&latch, &lock, first, 0), SBC_LATCH_LATCHED);
    assert_int_equal(sbc_latch_packet(&latch, &lock, first, 1), SBC_LATCH_KNOWN);
    assert_int_equal(sbc_latch_packet(&latch, &lock, second, 2), SBC_LATCH_REFUSED);
    assert_int_equal(sbc_latch_packet(&latch, &lock, second, 1 * HOUR), SBC_LATCH_REFUSED);
    assert_true(endpoint_equal(sbc_latch_target(&latch), first));
}

static void late_change_waits_for_silence(void **state)
{
    (void)state;
    struct sbc_latch latch = {0};
    struct sbc_latch_policy late = {.late = true};
    sbc_latch_packet(&latch, &late, first, 0);
    assert_int_equal(sbc_latch_packet(&latch, &late, second, SBC_LATCH_SILENCE - 1), SBC_LATCH_REFUSED);
    assert_int_equal(sbc_latch_packet(&latch, &late, second, SBC_LATCH_SILENCE), SBC_LATCH_MOVED);
    assert_true(endpoint_equal(sbc_latch_target(&latch), second));
    assert_int_equal(sbc_latch_packet(&latch, &late, first, SBC_LATCH_SILENCE + 1), SBC_LATCH_REFUSED);
}

static void several_takes_ten_senders_and_answers_the_first(void **state)
{
    (void)state;
    struct sbc_latch latch = {0};
    struct sbc_latch_policy several = {.several = true};
    for (uint16_t i = 0; i < SBC_LATCH_SENDERS; i++)
        assert_int_equal(
            sbc_latch_packet(&latch, &several, (struct endpoint){first.addr, (uint16_t)(first.port + i)}, 0),
            SBC_LATCH_LATCHED);
    assert_int_equal(sbc_latch_packet(&latch, &several, (struct endpoint){first.addr, 9}, 0), SBC_LATCH_REFUSED);
    assert_true(endpoint_equal(sbc_latch_target(&latch), first));
}

static void several_and_late_answers_the_newest(void **state)
{
    (void)state;
    struct sbc_latch latch = {0};
    struct sbc_latch_policy policy = {.several = true, .late = true};
    sbc_latch_packet(&latch, &policy, first, 0);
    assert_int_equal(sbc_latch_packet(&latch, &policy, second, 1), SBC_LATCH_MOVED);
    assert_true(endpoint_equal(sbc_latch_target(&latch), second));
    assert_int_equal(sbc_latch_packet(&latch, &policy, first, 2), SBC_LATCH_KNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lock_takes_the_first_sender_only),
        cmocka_unit_test(late_change_waits_for_silence),
        cmocka_unit_test(several_takes_ten_senders_and_answers_the_first),
        cmocka_unit_test(several_and_late_answers_the_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
