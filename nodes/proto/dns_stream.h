/* DNS messages on a stream: each after its length in two bytes (RFC 1035 §4.2.2, RFC 7766 §8). Bytes in any portions
 * in, whole messages out. */
#ifndef FAREND_PROTO_DNS_STREAM_H
#define FAREND_PROTO_DNS_STREAM_H

#include "nodes/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DNS_STREAM_LENGTH = 2,  /* bytes before a message */
    DNS_STREAM_MAX = 65535, /* bytes of a message */
};

/* One direction of a connection. Begins as all zero. */
struct dns_stream {
    uint8_t length[DNS_STREAM_LENGTH];
    uint8_t length_n; /* bytes of it that have come */
    uint8_t *message; /* heap: as far as it has come, or the one that was handed out last */
    size_t n, size;
};

/* Takes the next message off *portion, which becomes shorter. True: it is in *message, empty when its length is 0,
 * until the next call. False: nothing is left in the portion. Without memory a message is lost as if it were empty. */
bool dns_stream_next(struct dns_stream *s, struct span *portion, struct span *message);
bool dns_stream_is_between(const struct dns_stream *s); /* nothing of the next message has come */
void dns_stream_fini(struct dns_stream *s);             /* fine twice */

/* Writes the length before a message of n bytes that stands at room + DNS_STREAM_LENGTH: what is to be sent. */
struct span dns_stream_frame(uint8_t *room, size_t n);

#endif
