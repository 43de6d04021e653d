/* ITU-T G.107 against values computed from its formulas in floating point. */
#include "nodes/proto/emodel.h"

#include "tests/cmocka.h"

static uint32_t mos(lab_time delay, uint32_t loss, bool concealment)
{
    struct emodel m = {.delay = delay, .loss = loss, .concealment = concealment};
    return emodel_mos(emodel_r(&m));
}

static void nothing_impaired_is_4_41(void **state)
{
    (void)state;
    struct emodel m = {0};
    assert_int_equal(emodel_r(&m), 93200);
    assert_int_equal(mos(0, 0, false), 441);
}

static void delay_impairs_7_4(void **state)
{
    (void)state;
    const struct {
        lab_time delay;
        int32_t r;
    } rows[] = {{20 * MS, 92525},  {50 * MS, 91750},   {100 * MS, 90657}, {150 * MS, 89533},
                {177 * MS, 88069}, {200 * MS, 85798},  {300 * MS, 72659}, {400 * MS, 62240},
                {500 * MS, 54796}, {1000 * MS, 39069}, {5 * SEC, 39069}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct emodel m = {.delay = rows[i].delay};
        assert_in_range(emodel_r(&m), rows[i].r - 100, rows[i].r + 100);
    }
}

static void loss_impairs_by_Bpl(void **state)
{
    (void)state;
    struct emodel m = {.loss = 10000};
    assert_in_range(emodel_r(&m), 93200 - 17925, 93200 - 17924); /* 95 · 1 / (1 + 4.3) */
    m.concealment = true;
    assert_in_range(emodel_r(&m), 93200 - 3640, 93200 - 3639); /* 95 · 1 / (1 + 25.1) */
    m.burst = 2000;
    assert_in_range(emodel_r(&m), 93200 - 3711, 93200 - 3710); /* 95 · 1 / (1/2 + 25.1) */
    assert_int_equal(mos(0, 10000, false), 383);
    assert_int_equal(mos(0, 10000, true), 433);
}

static void the_score_stays_in_its_scale_annex_B(void **state)
{
    (void)state;
    assert_int_equal(emodel_mos(-5000), 100);
    assert_int_equal(emodel_mos(3000), 100); /* where the polynomial dips below 1 */
    assert_int_equal(emodel_mos(50000), 258);
    assert_int_equal(emodel_mos(100000), 450);
    assert_int_equal(mos(0, 1000000, false), 100);
    for (int32_t r = 6500; r < 100000; r++)
        assert_true(emodel_mos(r) <= emodel_mos(r + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_impaired_is_4_41),
        cmocka_unit_test(delay_impairs_7_4),
        cmocka_unit_test(loss_impairs_by_Bpl),
        cmocka_unit_test(the_score_stays_in_its_scale_annex_B),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
