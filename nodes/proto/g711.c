/* Both laws are a sign, a segment (the exponent, 3 bits) and a step within it (the mantissa, 4 bits).
 * µ-law works on magnitudes shifted up by a bias of 33 (of 14 bits; 132 of 16), so that every segment begins at a power
 * of two, and sends all bits inverted. A-law's two lowest segments are one linear piece; its even bits are inverted. */
#include "nodes/proto/g711.h"

enum { ULAW_BIAS = 132, ULAW_CLIP = 32635, ALAW_INVERT = 0x55, SIGN = 0x80 };

/* The position of the highest set bit above bit `low`, counted from there; 0 when none is. */
static unsigned segment_of(unsigned magnitude, unsigned low)
{
    unsigned segment = 0;
    while (magnitude >> (low + segment + 1) && segment < 7)
        segment++;
    return segment;
}

static uint8_t ulaw_encode(int sample)
{
    unsigned sign = sample < 0 ? SIGN : 0;
    unsigned magnitude = (unsigned)(sample < 0 ? -sample : sample);
    if (magnitude > ULAW_CLIP)
        magnitude = ULAW_CLIP;
    magnitude += ULAW_BIAS;
    unsigned segment = segment_of(magnitude, 7);
    return (uint8_t) ~(sign | segment << 4 | (magnitude >> (segment + 3) & 0x0f));
}

static int ulaw_decode(unsigned code)
{
    unsigned bits = ~code & 0xff;
    int magnitude = (int)(((bits & 0x0f) << 3 | 0x84) << (bits >> 4 & 7)) - ULAW_BIAS;
    return bits & SIGN ? -magnitude : magnitude;
}

static uint8_t alaw_encode(int sample)
{
    /* ones' complement, so that -1 … -16 fall in the first negative step as 0 … 15 do in the positive */
    unsigned sign = sample < 0 ? 0 : SIGN;
    unsigned magnitude = (unsigned)(sample < 0 ? -sample - 1 : sample);
    unsigned segment = segment_of(magnitude, 7);
    unsigned shift = segment ? segment + 3 : 4;
    return (uint8_t)((sign | segment << 4 | (magnitude >> shift & 0x0f)) ^ ALAW_INVERT);
}

static int alaw_decode(unsigned code)
{
    unsigned bits = code ^ ALAW_INVERT;
    unsigned segment = bits >> 4 & 7;
    unsigned step = (bits & 0x0f) << 4 | 8; /* the middle of the step */
    int magnitude = (int)(segment ? (step | 0x100) << (segment - 1) : step);
    return bits & SIGN ? magnitude : -magnitude;
}

uint8_t g711_encode(enum g711_law law, int16_t sample)
{
    return law == G711_ALAW ? alaw_encode(sample) : ulaw_encode(sample);
}

int16_t g711_decode(enum g711_law law, uint8_t code)
{
    return (int16_t)(law == G711_ALAW ? alaw_decode(code) : ulaw_decode(code));
}
