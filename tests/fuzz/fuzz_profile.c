/* Profiles from arbitrary text: what is accepted is in order, and some line holds at every time. */
#include "sim/engine/profile.h"
#include "tests/fuzz/fuzz.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ROWS = 64 };
    struct profile_row rows[ROWS];
    struct span text = span_make(data, size);
    unsigned line;
    const char *why;
    size_t n = profile_parse(text, rows, ROWS, &line, &why);
    must(n <= ROWS && n <= profile_lines(text));
    if (n == 0) {
        must(why != NULL);
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        struct profile p = {"fuzz", rows, n, n > 1 && size % 2};
        size_t row = i;
        const struct profile_row *at = profile_at(&p, rows[i].at, &row);
        must(p.loop && i == n - 1 ? at == &rows[0] : at == &rows[i]);
        must(rows[i].loss <= 1000000 && rows[i].delay >= 0);
        must(i == 0 ? rows[i].at == 0 : rows[i].at > rows[i - 1].at);
    }
    return 0;
}
