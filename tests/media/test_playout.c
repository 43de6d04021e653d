/* The playout buffer by itself: 20 ms frames, a buffer of 60 ms. */
#include "nodes/media/media_playout.h"

#include "tests/cmocka.h"

static struct media_playout p;

static int fresh(void **state)
{
    (void)state;
    media_playout_init(&p, 60 * MS);
    return 0;
}

static enum media_fate put(uint32_t frame, lab_time now)
{
    return media_playout_put(&p, 1000 + MEDIA_FRAME_TICKS * frame, MEDIA_VOICE, now);
}

static void assert_heard(lab_time now, uint64_t due, uint64_t voice)
{
    struct media_heard heard;
    media_playout_heard(&p, now, &heard);
    assert_int_equal(heard.due, due);
    assert_int_equal(heard.played, voice);
    assert_int_equal(heard.voice, voice);
}

static void a_steady_stream_is_heard_whole(void **state)
{
    (void)state;
    media_playout_listen(&p, SEC, 0);
    for (uint32_t i = 0; i < 500; i++)
        assert_int_equal(put(i, (lab_time)i * 20 * MS + 7 * MS), MEDIA_QUEUED);
    assert_heard(10 * SEC, 450, 450);
}

static void silence_is_due_too(void **state)
{
    (void)state;
    media_playout_listen(&p, SEC, 0);
    assert_heard(3 * SEC, 100, 0);
}

static void what_comes_after_its_turn_is_late(void **state)
{
    (void)state;
    media_playout_listen(&p, 0, 0);
    put(0, 0);
    assert_int_equal(put(1, 80 * MS), MEDIA_QUEUED); /* at the very moment */
    assert_int_equal(put(2, 100 * MS + 1), MEDIA_LATE);
    assert_heard(200 * MS, 10, 2);
}

static void order_does_not_matter_within_the_buffer(void **state)
{
    (void)state;
    media_playout_listen(&p, 60 * MS, 0);
    put(0, 0);
    put(3, 20 * MS);
    put(1, 30 * MS);
    assert_int_equal(put(2, 40 * MS), MEDIA_QUEUED);
    assert_int_equal(put(2, 41 * MS), MEDIA_REPEATED);
    assert_heard(140 * MS, 4, 4);
}

static void gaps_are_counted_however_long(void **state)
{
    (void)state;
    struct media_heard heard;
    media_playout_listen(&p, SEC, 0);
    for (uint32_t i = 0; i < 500; i++)
        if (i % 100 != 60 && (i < 210 || i >= 230)) /* five single frames, and 20 in a row */
            put(i, (lab_time)i * 20 * MS);
    media_playout_heard(&p, 10 * SEC, &heard);
    assert_int_equal(heard.gaps, 6);
    assert_int_equal(heard.due - heard.played, 25);
}

static void a_pause_of_an_hour_keeps_the_stream_on_time(void **state)
{
    (void)state;
    media_playout_listen(&p, 0, 0);
    put(0, 0);
    const uint32_t hour = 3600 * 50;
    assert_int_equal(put(hour, HOUR), MEDIA_QUEUED);
    assert_int_equal(put(hour + 1, HOUR + 81 * MS), MEDIA_LATE);
    assert_heard(HOUR + 100 * MS, hour + 5, 2);
}

static void a_jump_of_the_clock_begins_a_new_stream(void **state)
{
    (void)state;
    media_playout_listen(&p, 0, 0);
    put(0, 0);
    assert_int_equal(put(1000000, 100 * MS), MEDIA_QUEUED);
    assert_int_equal(put(1000001, 180 * MS), MEDIA_QUEUED);
    assert_heard(200 * MS, 10, 3);
}

static void nothing_is_due_while_nobody_listens(void **state)
{
    (void)state;
    media_playout_listen(&p, 0, 0);
    for (uint32_t i = 0; i < 100; i++) {
        if (i == 50)
            media_playout_listen(&p, NEVER, SEC);
        if (i == 75)
            media_playout_listen(&p, 1500 * MS, 1500 * MS);
        put(i, (lab_time)i * 20 * MS);
    }
    assert_heard(2 * SEC, 75, 75 - 3); /* the buffer was empty for its first 60 ms */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_steady_stream_is_heard_whole, fresh),
        cmocka_unit_test_setup(silence_is_due_too, fresh),
        cmocka_unit_test_setup(what_comes_after_its_turn_is_late, fresh),
        cmocka_unit_test_setup(order_does_not_matter_within_the_buffer, fresh),
        cmocka_unit_test_setup(gaps_are_counted_however_long, fresh),
        cmocka_unit_test_setup(a_pause_of_an_hour_keeps_the_stream_on_time, fresh),
        cmocka_unit_test_setup(a_jump_of_the_clock_begins_a_new_stream, fresh),
        cmocka_unit_test_setup(nothing_is_due_while_nobody_listens, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
