#include "nodes/proto/dns_stream.h"

#include "nodes/base/bytes.h"

#include <assert.h>
#include <stdlib.h>

static void begin(struct dns_stream *s)
{
    free(s->message);
    s->size = get16(s->length);
    s->message = s->size ? malloc(s->size) : NULL;
    s->n = 0;
}

static void take_length(struct dns_stream *s, struct span *portion)
{
    while (s->length_n < DNS_STREAM_LENGTH && portion->n) {
        s->length[s->length_n++] = (uint8_t)*portion->p++;
        portion->n--;
        if (s->length_n == DNS_STREAM_LENGTH)
            begin(s);
    }
}

static void take_message(struct dns_stream *s, struct span *portion)
{
    size_t n = portion->n < s->size - s->n ? portion->n : s->size - s->n;
    if (s->message && n)
        memcpy(s->message + s->n, portion->p, n);
    s->n += n;
    portion->p += n;
    portion->n -= n;
}

bool dns_stream_next(struct dns_stream *s, struct span *portion, struct span *message)
{
    take_length(s, portion);
    if (s->length_n < DNS_STREAM_LENGTH)
        return false;
    take_message(s, portion);
    if (s->n < s->size)
        return false;
    s->length_n = 0;
    *message = span_make(s->message, s->message ? s->size : 0);
    return true;
}

bool dns_stream_is_between(const struct dns_stream *s)
{
    return s->length_n == 0;
}

void dns_stream_fini(struct dns_stream *s)
{
    free(s->message);
    *s = (struct dns_stream){0};
}

struct span dns_stream_frame(uint8_t *room, size_t n)
{
    assert(n <= DNS_STREAM_MAX);
    put16(room, (uint16_t)n);
    return span_make(room, DNS_STREAM_LENGTH + n);
}
