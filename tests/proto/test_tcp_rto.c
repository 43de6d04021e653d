/* The retransmission timeout (RFC 6298). */
#include "nodes/proto/tcp_rto.h"
#include "tests/cmocka.h"

static struct tcp_rto measured(lab_time rtt)
{
    struct tcp_rto r;
    tcp_rto_init(&r);
    tcp_rto_sample(&r, rtt);
    return r;
}

static void rfc6298_2_1_a_second_before_anything_was_measured(void **state)
{
    struct tcp_rto r;
    (void)state;
    tcp_rto_init(&r);
    assert_int_equal(tcp_rto(&r), 1 * SEC);
}

static void rfc6298_2_2_the_first_measurement(void **state)
{
    (void)state;
    struct tcp_rto r = measured(300 * MS); /* 4·RTTVAR = 600 ms */
    assert_int_equal(tcp_rto(&r), 900 * MS);
    r = measured(40 * MS); /* 80 ms: Linux's floor is more */
    assert_int_equal(tcp_rto(&r), 240 * MS);
    r = measured(0);
    assert_int_equal(tcp_rto(&r), 200 * MS);
}

static void rfc6298_2_3_later_measurements(void **state)
{
    (void)state;
    struct tcp_rto r = measured(400 * MS);
    tcp_rto_sample(&r, 480 * MS);
    /* RTTVAR = 3/4·200 + 1/4·80 = 170, SRTT = 7/8·400 + 1/8·480 = 410 */
    assert_int_equal(tcp_rto(&r), 410 * MS + 4 * 170 * MS);
    for (int i = 0; i < 200; i++)
        tcp_rto_sample(&r, 100 * MS);
    assert_in_range(tcp_rto(&r), 300 * MS, 300 * MS + 100);
}

static void rfc6298_5_5_each_expiry_doubles_up_to_120_s(void **state)
{
    (void)state;
    struct tcp_rto r = measured(0);
    lab_time sum = 0;
    unsigned expiries = 0;
    for (;;) {
        assert_int_equal(tcp_rto(&r), expiries < 10 ? 200 * MS << expiries : 120 * SEC);
        sum += tcp_rto(&r);
        expiries++;
        if (!tcp_rto_expired(&r, TCP_RETRIES))
            break;
    }
    assert_int_equal(expiries, 16);
    assert_int_equal(sum, 924600 * MS); /* Linux: tcp_retries2 */
}

static void an_answer_ends_the_doubling(void **state)
{
    (void)state;
    struct tcp_rto r = measured(0);
    assert_true(tcp_rto_expired(&r, TCP_RETRIES));
    assert_true(tcp_rto_expired(&r, TCP_RETRIES));
    assert_int_equal(tcp_rto(&r), 800 * MS);
    tcp_rto_advanced(&r);
    assert_int_equal(tcp_rto(&r), 200 * MS);
}

static void a_long_way_is_waited_for(void **state)
{
    (void)state;
    struct tcp_rto r = measured(200 * SEC);
    assert_int_equal(tcp_rto(&r), 120 * SEC);
}

static void openings_are_repeated_after_1_3_7_s(void **state)
{
    static const lab_time due[] = {1, 3, 7, 15, 31, 63, 127};
    (void)state;
    for (unsigned i = 0; i <= TCP_SYN_RETRIES; i++)
        assert_int_equal(tcp_rto_opening(5 * MS, i), 5 * MS + due[i] * SEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc6298_2_1_a_second_before_anything_was_measured),
        cmocka_unit_test(rfc6298_2_2_the_first_measurement),
        cmocka_unit_test(rfc6298_2_3_later_measurements),
        cmocka_unit_test(rfc6298_5_5_each_expiry_doubles_up_to_120_s),
        cmocka_unit_test(an_answer_ends_the_doubling),
        cmocka_unit_test(a_long_way_is_waited_for),
        cmocka_unit_test(openings_are_repeated_after_1_3_7_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
