/* Any bytes as a recording: refused, or measured within its bounds. */
#include "nodes/media/wav.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wav w;
    if (wav_parse(span_make(data, size), &w))
        return 0;
    struct wav_heard heard = wav_hear(&w, 450);
    if (heard.with_tone > heard.windows || heard.windows * 320 > size)
        abort();
    return 0;
}
