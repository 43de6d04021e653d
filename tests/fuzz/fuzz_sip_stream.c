/* Any bytes as a stream of SIP, in portions that the first bytes choose: what comes out is what comes out of one
 * portion, to the byte. */
#include "nodes/proto/sip_stream.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZES = 4, MAX = 4096 }; /* sizes of portions, used in turn; bytes of a message */

static void must(bool what)
{
    if (!what)
        abort();
}

/* All that came out, in one number, and how the stream ended. */
struct outcome {
    uint64_t hash;
    unsigned events;
    int end;
};

static void mix(struct outcome *o, int event, const struct sip_msg *m, const struct sip_problem *why)
{
    o->events++;
    o->hash = o->hash * 31 + (uint64_t)event;
    if (event != SIP_STREAM_MESSAGE)
        return;
    must(m->bytes.n > 0 && m->bytes.n <= MAX);
    o->hash = o->hash * 31 + span_hash(m->bytes) + (uint64_t)why->fault;
}

static void take(struct sip_stream *s, struct span portion, struct outcome *o)
{
    static struct sip_msg m;
    struct sip_problem why;
    while ((o->end = sip_stream_next(s, &portion, o->events % 3 == 1, &m, &why)) > 0)
        mix(o, o->end, &m, &why);
    must(o->end < 0 || portion.n == 0);
}

static struct outcome cut(struct span stream, const uint8_t *sizes)
{
    struct outcome o = {0};
    struct sip_stream s;
    sip_stream_init(&s, MAX);
    for (unsigned turn = 0; stream.n && o.end == 0; turn++) {
        size_t n = sizes ? sizes[turn % SIZES] + 1u : stream.n;
        n = n < stream.n ? n : stream.n;
        char *exact = malloc(n); /* so that reading past its end is seen */
        must(exact != NULL);
        memcpy(exact, stream.p, n);
        take(&s, span_make(exact, n), &o);
        free(exact);
        stream = span_make(stream.p + n, stream.n - n);
    }
    sip_stream_fini(&s);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < SIZES || size > 16384)
        return 0;
    struct span stream = span_make(data + SIZES, size - SIZES);
    struct outcome whole = cut(stream, NULL);
    struct outcome parts = cut(stream, data);
    must(whole.hash == parts.hash && whole.events == parts.events && whole.end == parts.end);
    return 0;
}
