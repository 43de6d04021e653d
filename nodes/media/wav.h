/* Recordings: RIFF/WAVE files of 16-bit samples (Multimedia Programming Interface and Data Specifications 1.0, 1991),
 * and how much of one is a tone. */
#ifndef FAREND_MEDIA_WAV_H
#define FAREND_MEDIA_WAV_H

#include "nodes/base/span.h"

#include <stdint.h>

enum { WAV_TELEPHONE = 8000 /* Hz: the rate at which tones are measured */ };

struct wav {
    uint32_t rate;     /* Hz: a multiple of WAV_TELEPHONE, up to 48000 */
    uint16_t channels; /* 1 or 2 */
    struct span data;  /* interleaved little-endian samples; points into the file */
};

/* FE_ESYNTAX: not such a file; FE_ERANGE: another format or rate. What a program that was killed left unfinished is
 * read up to its end: sizes larger than the file, or 0, are taken for the rest of the file. */
int wav_parse(struct span file, struct wav *out);

/* Counts the 20 ms windows of the first channel, and those in which the tone of `hz` (a multiple of 50, 50 to 3950) has
 * at least half of the power and is not silence. */
struct wav_heard {
    uint64_t windows, with_tone;
};
struct wav_heard wav_hear(const struct wav *w, unsigned hz);

#endif
