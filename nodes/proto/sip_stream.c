/* How it works. Between messages, line ends are told apart. From a message's first byte on, its head's end is looked
 * for: the empty line, which may lie across portions. Once the head is there, its Content-Length says how many bytes
 * the message has; what is missing is awaited without looking at the bytes. */
#include "nodes/proto/sip_stream.h"

#include "nodes/base/error.h"
#include "nodes/proto/sip_lex.h"

#include <assert.h>
#include <stdlib.h>

enum { KEPT_FIRST = 2048 }; /* bytes: most messages are smaller */

void sip_stream_init(struct sip_stream *s, size_t max)
{
    *s = (struct sip_stream){.max = max};
}

void sip_stream_fini(struct sip_stream *s)
{
    free(s->kept);
    *s = (struct sip_stream){.max = s->max};
}

bool sip_stream_is_between(const struct sip_stream *s)
{
    return (s->n == 0 || s->used) && !s->cr;
}

/* ---- line ends between messages ---- */

static int line_end(struct sip_stream *s, bool pong_due)
{
    if (pong_due)
        return SIP_STREAM_PONG;
    s->half = !s->half;
    return s->half ? SIP_STREAM_MORE : SIP_STREAM_PING;
}

/* Takes CRs and LFs off the portion until they are an event or a message begins: MORE. */
static int take_line_ends(struct sip_stream *s, struct span *portion, bool pong_due)
{
    while (portion->n && (s->cr || *portion->p == '\r')) {
        if (s->cr && *portion->p != '\n')
            return FE_ESYNTAX;
        bool whole = s->cr;
        s->cr = !s->cr;
        *portion = span_make(portion->p + 1, portion->n - 1);
        int event = whole ? line_end(s, pong_due) : SIP_STREAM_MORE;
        if (event != SIP_STREAM_MORE)
            return event;
    }
    return SIP_STREAM_MORE;
}

/* ---- messages ---- */

/* The byte at `at` of what is kept and the portion behind it. */
static char byte_at(const struct sip_stream *s, struct span portion, size_t at)
{
    return at < s->n ? s->kept[at] : portion.p[at - s->n];
}

/* How many bytes of the portion belong to the head; 0: it goes on behind the portion. An empty line is what sip_parse()
 * takes for one: LF, or CR LF, behind an LF. */
static size_t head_end(const struct sip_stream *s, struct span portion)
{
    const char *end = portion.p + portion.n;
    for (const char *p = portion.p; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++) {
        size_t at = s->n + (size_t)(p - portion.p);
        char before = at ? byte_at(s, portion, at - 1) : '\0';
        if (before == '\n' || (before == '\r' && at > 1 && byte_at(s, portion, at - 2) == '\n'))
            return (size_t)(p - portion.p) + 1;
    }
    return 0;
}

/* Moves n bytes of the portion to those kept. */
static int keep(struct sip_stream *s, struct span *portion, size_t n)
{
    size_t cap = s->cap ? s->cap : KEPT_FIRST;
    while (cap < s->n + n)
        cap *= 2;
    if (cap != s->cap) {
        char *grown = realloc(s->kept, cap);
        if (!grown)
            return FE_EMEM;
        s->kept = grown;
        s->cap = cap;
    }
    memcpy(s->kept + s->n, portion->p, n);
    s->n += n;
    *portion = span_make(portion->p + n, portion->n - n);
    return 0;
}

/* The head is there: how long is the message? */
static int measure(struct sip_stream *s, struct span head, struct sip_msg *m, struct sip_problem *why)
{
    uint32_t length = 0;
    size_t used;
    int error = sip_parse_stream(head, s->max, m, why, &used);
    if (error && error != FE_EAGAIN && used == 0)
        return error;
    (void)sip_number_parse(sip_value(m, SIP_H_CONTENT_LENGTH), UINT32_MAX, &length); /* it was read before */
    s->whole = head.n + length;
    return 0;
}

/* All of the message at `bytes`: its end was measured, so that only its grammar can be at fault. */
static int hand_out(struct span bytes, struct sip_msg *m, struct sip_problem *why)
{
    int error = sip_parse(bytes, m, why);
    assert(!error || why->fault);
    (void)error;
    return SIP_STREAM_MESSAGE;
}

/* The head ends in the portion, after n bytes of it. */
static int take_head(struct sip_stream *s, struct span *portion, size_t n, struct sip_msg *m, struct sip_problem *why)
{
    if (s->n == 0)
        return measure(s, span_make(portion->p, n), m, why);
    int error = keep(s, portion, n);
    return error ? error : measure(s, span_make(s->kept, s->n), m, why);
}

static int await_head(struct sip_stream *s, struct span *portion)
{
    if (s->n + portion->n >= s->max)
        return FE_ERANGE;
    int error = keep(s, portion, portion->n);
    return error ? error : SIP_STREAM_MORE;
}

/* The length is known: hand out or wait. */
static int take_rest(struct sip_stream *s, struct span *portion, struct sip_msg *m, struct sip_problem *why)
{
    size_t missing = s->whole - s->n;
    struct span bytes = span_make(portion->p, s->whole);
    if (s->n == 0 && portion->n >= missing) {
        *portion = span_make(portion->p + missing, portion->n - missing);
        s->whole = 0;
        return hand_out(bytes, m, why);
    }
    int error = keep(s, portion, portion->n < missing ? portion->n : missing);
    if (error || s->n < s->whole)
        return error ? error : SIP_STREAM_MORE;
    s->used = true;
    return hand_out(span_make(s->kept, s->n), m, why);
}

static void forget_used(struct sip_stream *s)
{
    if (!s->used)
        return;
    s->used = false;
    s->n = 0;
    s->whole = 0;
}

int sip_stream_next(struct sip_stream *s, struct span *portion, bool pong_due, struct sip_msg *m,
                    struct sip_problem *why)
{
    *why = (struct sip_problem){0};
    forget_used(s);
    if (s->n == 0) {
        int event = take_line_ends(s, portion, pong_due);
        if (event != SIP_STREAM_MORE || portion->n == 0)
            return event;
        s->half = false;
        if (!sip_char_is(*portion->p, SIP_CHAR_TOKEN))
            return FE_ESYNTAX;
    }
    if (s->whole == 0 && portion->n) {
        size_t n = head_end(s, *portion);
        int error = n ? take_head(s, portion, n, m, why) : await_head(s, portion);
        if (error || n == 0)
            return error;
    }
    return s->whole ? take_rest(s, portion, m, why) : SIP_STREAM_MORE;
}
