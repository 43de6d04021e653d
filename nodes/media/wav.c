#include "nodes/media/wav.h"

#include "nodes/base/error.h"
#include "nodes/media/tone.h"

#include <assert.h>
#include <string.h>

enum {
    CHUNK = 8, /* bytes of a chunk's head: name, size */
    FORMAT = 16,
    PCM = 1,
    RATE_MAX = 48000,
    QUIETEST = 256, /* amplitude of a tone that counts as heard, in samples' units */
};

static uint32_t u16_at(const char *p)
{
    return (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8;
}

static uint32_t u32_at(const char *p)
{
    return u16_at(p) | u16_at(p + 2) << 16;
}

static int format_read(struct span chunk, struct wav *out)
{
    if (chunk.n < FORMAT)
        return FE_ESYNTAX;
    out->channels = (uint16_t)u16_at(chunk.p + 2);
    out->rate = u32_at(chunk.p + 4);
    bool known = u16_at(chunk.p) == PCM && u16_at(chunk.p + 14) == 16;
    bool fits = out->rate && out->rate % WAV_TELEPHONE == 0 && out->rate <= RATE_MAX;
    return known && fits && (out->channels == 1 || out->channels == 2) ? 0 : FE_ERANGE;
}

int wav_parse(struct span file, struct wav *out)
{
    *out = (struct wav){0};
    if (file.n < 12 || memcmp(file.p, "RIFF", 4) != 0 || memcmp(file.p + 8, "WAVE", 4) != 0)
        return FE_ESYNTAX;
    struct span rest = {file.p + 12, file.n - 12};
    while (rest.n >= CHUNK) {
        uint32_t n = u32_at(rest.p + 4);
        struct span chunk = {rest.p + CHUNK, rest.n - CHUNK};
        bool data = memcmp(rest.p, "data", 4) == 0;
        if (n <= chunk.n && !(data && n == 0))
            chunk.n = n;
        if (data) {
            out->data = chunk;
            return out->rate ? 0 : FE_ESYNTAX;
        }
        int error = memcmp(rest.p, "fmt ", 4) == 0 ? format_read(chunk, out) : 0;
        if (error)
            return error;
        size_t used = CHUNK + chunk.n + chunk.n % 2; /* chunks begin at even places */
        rest = used < rest.n ? (struct span){rest.p + used, rest.n - used} : (struct span){0};
    }
    return FE_ESYNTAX;
}

/* One window at 8000 Hz: each sample the mean of those that it stands for, of the first channel. */
static void window_read(const struct wav *w, const char *p, int32_t out[TONE_SAMPLES])
{
    unsigned each = w->rate / WAV_TELEPHONE;
    assert(each > 0); /* wav_parse() sees to it */
    for (unsigned i = 0; i < TONE_SAMPLES; i++) {
        int32_t sum = 0;
        for (unsigned k = 0; k < each; k++, p += 2 * w->channels)
            sum += (int16_t)u16_at(p);
        out[i] = sum / (int32_t)each;
    }
}

/* A tone of amplitude a has the mean square a²/2. */
static bool has_tone(const int32_t samples[TONE_SAMPLES], unsigned hz)
{
    int64_t square = 0;
    int64_t tone = tone_power(samples, hz);
    for (unsigned i = 0; i < TONE_SAMPLES; i++)
        square += (int64_t)samples[i] * samples[i];
    return tone >= QUIETEST * QUIETEST && tone >= square / TONE_SAMPLES;
}

struct wav_heard wav_hear(const struct wav *w, unsigned hz)
{
    struct wav_heard heard = {0};
    int32_t samples[TONE_SAMPLES];
    size_t window = (size_t)TONE_SAMPLES * (w->rate / WAV_TELEPHONE) * w->channels * 2;
    for (size_t at = 0; at + window <= w->data.n; at += window) {
        window_read(w, w->data.p + at, samples);
        heard.windows++;
        heard.with_tone += has_tone(samples, hz);
    }
    return heard;
}
