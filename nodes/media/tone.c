/* Tone number k of a digit at position p lies at 350 + 50·(5p + k) Hz. The receiver measures the power of all 60 tones
 * (Goertzel's algorithm, one bin each) and takes as sounding what is within 12 dB of the strongest. */
#include "nodes/media/tone.h"

#include <assert.h>
#include <string.h>

enum {
    TONES_A_DIGIT = 5,
    BIN_HZ = 50,
    FIRST_BIN = 7, /* 350 Hz */
    QUARTER = TONE_SAMPLES / 4,
    Q = 14,          /* fraction bits of the sine */
    LOUDEST = 24000, /* peak of all tones together */
    THRESHOLD = 16,  /* power ratio: 12 dB */
    QUIETEST = 256,  /* amplitude of a tone that counts as heard, in samples' units */
};

/* sin(2π·i/160) for the first quarter, times 2^14. */
static const int16_t quarter_sine[QUARTER + 1] = {
    0,     643,   1285,  1926,  2563,  3196,  3825,  4447,  5063,  5671,  6270,  6859,  7438,  8006,
    8561,  9102,  9630,  10143, 10641, 11121, 11585, 12031, 12458, 12867, 13255, 13623, 13970, 14295,
    14598, 14879, 15137, 15371, 15582, 15769, 15931, 16069, 16182, 16270, 16333, 16371, 16384};

/* Which two of the five tones a digit sounds. */
static const uint8_t digit_tones[10] = {0x03, 0x05, 0x09, 0x11, 0x06, 0x0a, 0x12, 0x0c, 0x14, 0x18};

static int32_t sine(unsigned i)
{
    i %= TONE_SAMPLES;
    if (i >= TONE_SAMPLES / 2)
        return -sine(i - TONE_SAMPLES / 2);
    return quarter_sine[i <= QUARTER ? i : TONE_SAMPLES / 2 - i];
}

/* ---- saying ---- */

bool tone_can_say(struct span line)
{
    if (line.n == 0 || line.n > TONE_DIGITS)
        return false;
    for (size_t i = 0; i < line.n; i++)
        if (line.p[i] < '0' || line.p[i] > '9')
            return false;
    return true;
}

static void tone_add(int32_t samples[TONE_SAMPLES], unsigned bin, int32_t amplitude)
{
    for (unsigned i = 0; i < TONE_SAMPLES; i++)
        samples[i] += amplitude * sine(bin * i) / (1 << Q);
}

void tone_say(struct span line, enum g711_law law, uint8_t frame[TONE_SAMPLES])
{
    int32_t samples[TONE_SAMPLES] = {0};
    assert(tone_can_say(line));
    int32_t amplitude = LOUDEST / (2 * (int32_t)line.n);
    for (unsigned p = 0; p < line.n; p++)
        for (unsigned k = 0; k < TONES_A_DIGIT; k++)
            if (digit_tones[line.p[p] - '0'] >> k & 1)
                tone_add(samples, FIRST_BIN + TONES_A_DIGIT * p + k, amplitude);
    for (unsigned i = 0; i < TONE_SAMPLES; i++)
        frame[i] = g711_encode(law, (int16_t)samples[i]);
}

/* ---- hearing ---- */

/* The squared amplitude of one bin, in the samples' units. The state stays below 160 · 2^15, products below 2^40. */
static int64_t bin_power(const int32_t samples[TONE_SAMPLES], unsigned bin)
{
    int64_t cosine = sine(bin + QUARTER);
    int64_t s1 = 0;
    int64_t s2 = 0;
    for (unsigned i = 0; i < TONE_SAMPLES; i++) {
        int64_t s0 = samples[i] + 2 * cosine * s1 / (1 << Q) - s2;
        s2 = s1;
        s1 = s0;
    }
    int64_t power = s1 * s1 + s2 * s2 - 2 * cosine * s1 / (1 << Q) * s2;
    return power / (TONE_SAMPLES / 2) / (TONE_SAMPLES / 2);
}

int64_t tone_power(const int32_t samples[TONE_SAMPLES], unsigned hz)
{
    return bin_power(samples, hz / BIN_HZ);
}

/* The digit that sounds exactly these tones, or -1. */
static int digit_of(unsigned tones)
{
    for (int d = 0; d < 10; d++)
        if (digit_tones[d] == tones)
            return d;
    return -1;
}

/* Reads positions up to the first silent one, behind which nothing may sound; false when any position breaks the code.
 */
static bool line_read(const int64_t power[TONE_DIGITS * TONES_A_DIGIT], int64_t threshold, char line[TONE_DIGITS + 1])
{
    size_t n = 0;
    for (unsigned p = 0; p < TONE_DIGITS; p++) {
        unsigned tones = 0;
        for (unsigned k = 0; k < TONES_A_DIGIT; k++)
            tones |= (unsigned)(power[TONES_A_DIGIT * p + k] >= threshold) << k;
        int digit = digit_of(tones);
        if (tones && (digit < 0 || n < p))
            return false;
        if (tones)
            line[n++] = (char)('0' + digit);
    }
    line[n] = '\0';
    return n > 0;
}

static bool frame_read(const uint8_t *frame, enum g711_law law, char line[TONE_DIGITS + 1])
{
    int32_t samples[TONE_SAMPLES];
    int64_t power[TONE_DIGITS * TONES_A_DIGIT];
    int64_t strongest = 0;
    for (unsigned i = 0; i < TONE_SAMPLES; i++)
        samples[i] = g711_decode(law, frame[i]);
    for (unsigned b = 0; b < TONE_DIGITS * TONES_A_DIGIT; b++) {
        power[b] = bin_power(samples, FIRST_BIN + b);
        if (power[b] > strongest)
            strongest = power[b];
    }
    return strongest >= QUIETEST * QUIETEST && line_read(power, strongest / THRESHOLD, line);
}

const char *tone_hear(struct tone_ear *ear, enum g711_law law, const uint8_t *frame, size_t n)
{
    char line[TONE_DIGITS + 1];
    if (n < TONE_SAMPLES)
        return "";
    if (ear->line[0] && ear->law == law && memcmp(ear->known, frame, TONE_SAMPLES) == 0)
        return ear->line;
    if (!frame_read(frame, law, line))
        return "";
    memcpy(ear->known, frame, TONE_SAMPLES);
    memcpy(ear->line, line, sizeof line);
    ear->law = law;
    return ear->line;
}
