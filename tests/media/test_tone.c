/* Whose voice is it: after either law, after both, cut elsewhere, among noise. */
#include "nodes/media/tone.h"

#include "nodes/base/prng.h"

#include "tests/cmocka.h"

#include <string.h>

static struct tone_ear ear;

static int fresh(void **state)
{
    (void)state;
    ear = (struct tone_ear){0};
    return 0;
}

static void lines_that_can_be_said(void **state)
{
    (void)state;
    assert_true(tone_can_say(SPAN("1")));
    assert_true(tone_can_say(SPAN("012345678901")));
    assert_false(tone_can_say(SPAN("")));
    assert_false(tone_can_say(SPAN("0123456789012")));
    assert_false(tone_can_say(SPAN("alice")));
}

static void every_line_is_heard_as_itself(void **state)
{
    (void)state;
    static const char *const lines[] = {"0",    "9",           "00",           "101",         "102",
                                        "2021", "49301234567", "000000000000", "987654321098"};
    for (int law = G711_ULAW; law <= G711_ALAW; law++)
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            uint8_t frame[TONE_SAMPLES];
            ear = (struct tone_ear){0};
            tone_say(span_of(lines[i]), (enum g711_law)law, frame);
            assert_string_equal(tone_hear(&ear, (enum g711_law)law, frame, sizeof frame), lines[i]);
            assert_string_equal(tone_hear(&ear, (enum g711_law)law, frame, sizeof frame), lines[i]); /* the quick way */
        }
}

static void a_thousand_lines_are_told_apart(void **state)
{
    (void)state;
    for (int n = 0; n < 1000; n++) {
        char line[] = {(char)('0' + n / 100), (char)('0' + n / 10 % 10), (char)('0' + n % 10), '\0'};
        uint8_t frame[TONE_SAMPLES];
        tone_say(span_of(line), G711_ULAW, frame);
        assert_string_equal(tone_hear(&ear, G711_ULAW, frame, sizeof frame), line);
    }
}

static void transcoding_and_another_cut_change_nothing(void **state)
{
    (void)state;
    uint8_t frame[TONE_SAMPLES];
    uint8_t other[TONE_SAMPLES];
    tone_say(SPAN("4711"), G711_ULAW, frame);
    for (size_t cut = 0; cut < TONE_SAMPLES; cut++) {
        for (size_t i = 0; i < TONE_SAMPLES; i++)
            other[i] = g711_encode(G711_ALAW, g711_decode(G711_ULAW, frame[(i + cut) % TONE_SAMPLES]));
        assert_string_equal(tone_hear(&ear, G711_ALAW, other, sizeof other), "4711");
    }
}

static void what_is_no_voice_is_not_heard(void **state)
{
    (void)state;
    struct prng rng;
    uint8_t frame[TONE_SAMPLES];
    memset(frame, 0xff, sizeof frame);
    assert_string_equal(tone_hear(&ear, G711_ULAW, frame, sizeof frame), "");
    assert_string_equal(tone_hear(&ear, G711_ULAW, frame, 10), "");
    prng_init(&rng, 1, SPAN("noise"), SPAN("test"));
    for (int i = 0; i < 1000; i++) {
        prng_bytes(&rng, frame, sizeof frame);
        assert_string_equal(tone_hear(&ear, G711_ULAW, frame, sizeof frame), "");
    }
}

static void two_voices_at_once_are_nobodys(void **state)
{
    (void)state;
    uint8_t one[TONE_SAMPLES];
    uint8_t two[TONE_SAMPLES];
    tone_say(SPAN("101"), G711_ULAW, one);
    tone_say(SPAN("202"), G711_ULAW, two);
    for (size_t i = 0; i < TONE_SAMPLES; i++)
        one[i] =
            g711_encode(G711_ULAW, (int16_t)((g711_decode(G711_ULAW, one[i]) + g711_decode(G711_ULAW, two[i])) / 2));
    assert_string_equal(tone_hear(&ear, G711_ULAW, one, sizeof one), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lines_that_can_be_said, fresh),
        cmocka_unit_test_setup(every_line_is_heard_as_itself, fresh),
        cmocka_unit_test_setup(a_thousand_lines_are_told_apart, fresh),
        cmocka_unit_test_setup(transcoding_and_another_cut_change_nothing, fresh),
        cmocka_unit_test_setup(what_is_no_voice_is_not_heard, fresh),
        cmocka_unit_test_setup(two_voices_at_once_are_nobodys, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
