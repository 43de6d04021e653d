/* ITU-T G.711: 16-bit linear samples to 8 bits and back, by arithmetic. Pure. */
#ifndef FAREND_PROTO_G711_H
#define FAREND_PROTO_G711_H

#include <stdint.h>

enum g711_law { G711_ULAW, G711_ALAW };

uint8_t g711_encode(enum g711_law law, int16_t sample);
int16_t g711_decode(enum g711_law law, uint8_t code);

#endif
