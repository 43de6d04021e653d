/* The voice of a line: a chord that says the line's number in every single frame, so that whoever hears it knows whose
 * voice it is, whatever was lost before.
 *
 * Each digit has five neighbouring tones, of which exactly two sound: the two-out-of-five code of multi-frequency
 * signalling. All tones are multiples of 50 Hz, so a 20 ms frame holds whole periods of each: frames join without a
 * click, and any 160 samples of the stream hold the same tones, even cut elsewhere by a transcoder. Pure integers. */
#ifndef FAREND_MEDIA_TONE_H
#define FAREND_MEDIA_TONE_H

#include "nodes/base/span.h"
#include "nodes/proto/g711.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TONE_DIGITS = 12,   /* the longest line: 350 Hz to 3300 Hz, what a telephone carries */
    TONE_SAMPLES = 160, /* of a frame: 20 ms at 8000 Hz */
};

/* Can this line be sung? 1 to TONE_DIGITS decimal digits. */
bool tone_can_say(struct span line);

/* The frame of a line that tone_can_say(). */
void tone_say(struct span line, enum g711_law law, uint8_t frame[TONE_SAMPLES]);

/* A listener: remembers the last frame that it understood, because the next one is usually equal. Zero at first. */
struct tone_ear {
    uint8_t known[TONE_SAMPLES];
    enum g711_law law;
    char line[TONE_DIGITS + 1]; /* of the known frame; "" while there is none */
};

/* The line that is heard in a frame's first 160 samples, "" when none is. Lives until the next call. */
const char *tone_hear(struct tone_ear *ear, enum g711_law law, const uint8_t *frame, size_t n);

/* The squared amplitude of the tone at `hz`, a multiple of 50 below 4000, in the samples' units (16 bits). */
int64_t tone_power(const int32_t samples[TONE_SAMPLES], unsigned hz);

#endif
