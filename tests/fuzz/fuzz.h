/* What fuzz targets share: a rule that must hold whatever the input, and the input as a row of bytes. */
#ifndef FAREND_FUZZ_H
#define FAREND_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static inline void must(bool holds)
{
    if (!holds)
        abort();
}

struct input {
    const uint8_t *p;
    size_t n;
};

/* The next byte; 0 when there is none. */
static inline uint8_t next(struct input *in)
{
    if (in->n == 0)
        return 0;
    in->n--;
    return *in->p++;
}

#endif
