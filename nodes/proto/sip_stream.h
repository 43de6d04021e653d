/* Framing of SIP on a stream (RFC 3261 §7.5, §18.3; RFC 5626 §3.5.1, §4.4.1): bytes in any portions in, whole messages
 * and keep-alives out.
 *
 * Portions mean nothing: cut anywhere, the same bytes give the same events. A message that lies in one portion is
 * handed out where it lies; only one that is cut by a portion's end is copied. Every byte is looked at once.
 *
 * Keep-alives are line ends between messages, also directly before one: CR LF CR LF is a ping, CR LF the pong that
 * answers it. One who has sent a ping takes the next line end for its pong; a single line end that nobody waits for is
 * the fore-runner of a message that §7.5 lets servers skip, and is no event. */
#ifndef FAREND_PROTO_SIP_STREAM_H
#define FAREND_PROTO_SIP_STREAM_H

#include "nodes/base/span.h"
#include "nodes/proto/sip_msg.h"

#include <stdbool.h>
#include <stddef.h>

enum { SIP_STREAM_MAX = 131072 }; /* bytes of a message: SB-12 */

/* One direction of a connection. */
struct sip_stream {
    size_t max;    /* bytes of the longest message */
    char *kept;    /* heap: the beginning of a message, or the whole one that was handed out last */
    size_t n, cap; /* of kept */
    size_t whole;  /* bytes of the message in `kept`, once its head is there; 0: not known yet */
    bool used;     /* `kept` was handed out */
    bool cr;       /* CR of a line end between messages; its LF is to come */
    bool half;     /* one line end of a ping */
};

enum sip_stream_event {
    SIP_STREAM_MORE, /* nothing is left in the portion */
    SIP_STREAM_MESSAGE,
    SIP_STREAM_PING,
    SIP_STREAM_PONG,
};

void sip_stream_init(struct sip_stream *s, size_t max);
void sip_stream_fini(struct sip_stream *s); /* fine twice */

/* Takes the next event off *portion, which becomes shorter; call it until SIP_STREAM_MORE. pong_due: a ping was sent
 * and its pong has not come.
 * SIP_STREAM_MESSAGE: *m and *why are what sip_parse() says of it: with why->fault it breaks the grammar, but where it
 * ends is certain, and the stream goes on. m borrows from the portion or from s, until the next call.
 * Or an error, after which the stream cannot go on, since nobody knows where the next message begins (§18.3). When
 * why->fault is set, m may be answered with why->status, which can be 0, before the connection is closed:
 * FE_ESYNTAX: no Content-Length or a bad one, or bytes that begin no message (why->fault is SIP_FINE);
 * FE_ERANGE: longer than max; FE_EMEM. */
int sip_stream_next(struct sip_stream *s, struct span *portion, bool pong_due, struct sip_msg *m,
                    struct sip_problem *why);

/* True between messages, when nothing of the next one has come: the only place where a connection ends well. */
bool sip_stream_is_between(const struct sip_stream *s);

#endif
