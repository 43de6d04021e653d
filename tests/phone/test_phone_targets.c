/* Where a server is found, one place after another (FACTS PH-13, PH-26, DN-2). */
#include "nodes/phone/phone_targets.h"

#include "tests/cmocka.h"

#define FIRST  ((struct endpoint){IPV4(10, 0, 1, 10), 5060})
#define SECOND ((struct endpoint){IPV4(10, 0, 1, 11), 5060})

static struct phone_place place(enum sip_transport transport, struct endpoint at)
{
    return (struct phone_place){transport, at, {0}};
}

static struct phone_targets tcp_then_udp(void)
{
    struct phone_targets t = {0};
    phone_targets_add(&t, place(SIP_TCP, FIRST));
    phone_targets_add(&t, place(SIP_UDP, FIRST));
    return t;
}

static void the_next_is_tried_when_one_fails(void **state)
{
    struct phone_targets t = tcp_then_udp();
    (void)state;
    assert_true(phone_targets_failed(&t, place(SIP_TCP, FIRST), false));
    assert_int_equal(t.current, 1);
}

static void when_none_is_left_the_server_has_failed_and_the_first_is_next(void **state)
{
    struct phone_targets t = tcp_then_udp();
    (void)state;
    assert_true(phone_targets_failed(&t, place(SIP_TCP, FIRST), false));
    assert_false(phone_targets_failed(&t, place(SIP_UDP, FIRST), false));
    assert_int_equal(t.current, 0);
    assert_true(phone_targets_failed(&t, place(SIP_TCP, FIRST), false)); /* anew */
}

static void one_that_answered_stays_until_it_fails(void **state)
{
    struct phone_targets t = tcp_then_udp();
    (void)state;
    assert_true(phone_targets_failed(&t, place(SIP_TCP, FIRST), false));
    phone_targets_answered(&t);
    assert_int_equal(t.current, 1);
    assert_true(phone_targets_failed(&t, place(SIP_UDP, FIRST), false)); /* TCP may work by now */
    assert_int_equal(t.current, 0);
}

static void a_request_that_failed_where_nobody_goes_any_more_is_sent_again(void **state)
{
    struct phone_targets t = tcp_then_udp();
    (void)state;
    assert_true(phone_targets_failed(&t, place(SIP_TCP, FIRST), false));
    assert_true(phone_targets_failed(&t, place(SIP_TCP, FIRST), false)); /* a second one of the same moment */
    assert_int_equal(t.current, 1);
}

static void requests_that_fail_one_after_the_other_come_to_an_end(void **state)
{
    struct phone_targets t = tcp_then_udp();
    (void)state;
    assert_true(phone_targets_failed(&t, place(SIP_UDP, FIRST), false)); /* not the one in use */
    assert_int_equal(t.current, 0);
    assert_false(phone_targets_failed(&t, place(SIP_TCP, FIRST), false));
}

static void one_that_dns_does_not_tell_any_more_says_nothing_of_the_others(void **state)
{
    struct phone_targets t = tcp_then_udp();
    (void)state;
    assert_true(phone_targets_failed(&t, place(SIP_TCP, SECOND), false));
    assert_int_equal(t.tried, 0);
}

static void a_server_of_one_place_has_failed_with_it(void **state)
{
    struct phone_targets t = {0};
    (void)state;
    phone_targets_add(&t, place(SIP_UDP, FIRST));
    assert_false(phone_targets_failed(&t, place(SIP_UDP, FIRST), false));
}

static void a_machine_that_refuses_does_so_by_each_transport(void **state)
{
    struct phone_targets t = tcp_then_udp();
    (void)state;
    phone_targets_add(&t, place(SIP_TCP, SECOND));
    assert_true(phone_targets_failed(&t, place(SIP_TCP, FIRST), true));
    assert_int_equal(t.current, 2);
}

static void more_than_there_is_room_for_is_left_away(void **state)
{
    struct phone_targets t = {0};
    (void)state;
    for (unsigned i = 0; i < PHONE_TARGETS_MAX + 3; i++)
        phone_targets_add(&t, place(SIP_UDP, (struct endpoint){IPV4(10, 0, 1, 1), (uint16_t)(5060 + i)}));
    assert_int_equal(t.n, PHONE_TARGETS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_is_tried_when_one_fails),
        cmocka_unit_test(when_none_is_left_the_server_has_failed_and_the_first_is_next),
        cmocka_unit_test(one_that_answered_stays_until_it_fails),
        cmocka_unit_test(a_request_that_failed_where_nobody_goes_any_more_is_sent_again),
        cmocka_unit_test(requests_that_fail_one_after_the_other_come_to_an_end),
        cmocka_unit_test(one_that_dns_does_not_tell_any_more_says_nothing_of_the_others),
        cmocka_unit_test(a_server_of_one_place_has_failed_with_it),
        cmocka_unit_test(a_machine_that_refuses_does_so_by_each_transport),
        cmocka_unit_test(more_than_there_is_room_for_is_left_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
