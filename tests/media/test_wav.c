/* WAVE files and the tones in them. */
#include "nodes/base/error.h"
#include "nodes/media/tone.h"
#include "nodes/media/wav.h"
#include "tests/cmocka.h"

#include <string.h>

enum { HEAD = 44, ROOM = HEAD + 2 * 2 * 48000 };

static char file[ROOM];

static void put(size_t at, uint32_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        file[at + i] = (char)(value >> 8 * i & 0xff);
}

static void head(uint32_t rate, uint16_t channels, uint32_t data)
{
    memcpy(file, "RIFF    WAVEfmt ", 16);
    put(16, 16, 4);
    put(20, 1, 2);
    put(22, channels, 2);
    put(24, rate, 4);
    put(34, 16, 2);
    memcpy(file + 36, "data", 4);
    put(40, data, 4);
}

/* Frames of the line "0", at each sample of 8000 Hz repeated `each` times: 350 and 400 Hz, equally loud. */
static size_t sing(unsigned frames, unsigned each)
{
    uint8_t frame[TONE_SAMPLES];
    size_t at = HEAD;
    tone_say(SPAN("0"), G711_ULAW, frame);
    for (unsigned f = 0; f < frames; f++)
        for (unsigned i = 0; i < TONE_SAMPLES; i++)
            for (unsigned k = 0; k < each; k++, at += 2)
                put(at, (uint16_t)g711_decode(G711_ULAW, frame[i]), 2);
    return at;
}

static void tones_are_heard_at_any_rate(void **state)
{
    (void)state;
    const uint32_t rates[] = {8000, 16000, 48000};
    for (size_t i = 0; i < 3; i++) {
        struct wav w;
        memset(file, 0, sizeof file);
        size_t n = sing(5, rates[i] / 8000);
        head(rates[i], 1, (uint32_t)(n - HEAD) + 160 * 2 * rates[i] / 8000 * 5); /* then 100 ms of silence */
        n += 160 * 2 * rates[i] / 8000 * 5;
        assert_int_equal(wav_parse(span_make(file, n), &w), 0);
        assert_int_equal(wav_hear(&w, 450).with_tone, 0);
        assert_int_equal(wav_hear(&w, 350).windows, 10);
        assert_in_range(wav_hear(&w, 350).with_tone + wav_hear(&w, 400).with_tone, 5, 10);
    }
}

static void what_was_cut_off_is_read_up_to_its_end(void **state)
{
    (void)state;
    struct wav w;
    size_t n = sing(2, 1);
    head(8000, 1, 0xffffffff);
    assert_int_equal(wav_parse(span_make(file, n), &w), 0);
    assert_int_equal(w.data.n, n - HEAD);
    head(8000, 1, 0);
    assert_int_equal(wav_parse(span_make(file, n), &w), 0);
    assert_int_equal(w.data.n, n - HEAD);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    struct wav w;
    head(44100, 1, 0);
    assert_int_equal(wav_parse(span_make(file, HEAD), &w), FE_ERANGE);
    head(8000, 3, 0);
    assert_int_equal(wav_parse(span_make(file, HEAD), &w), FE_ERANGE);
    head(8000, 1, 0);
    put(20, 7, 2); /* mu-law */
    assert_int_equal(wav_parse(span_make(file, HEAD), &w), FE_ERANGE);
    head(8000, 1, 0);
    for (size_t n = 0; n < HEAD; n++)
        assert_int_equal(wav_parse(span_make(file, n), &w), FE_ESYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tones_are_heard_at_any_rate),
        cmocka_unit_test(what_was_cut_off_is_read_up_to_its_end),
        cmocka_unit_test(other_files_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
