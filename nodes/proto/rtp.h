/* The RTP header (RFC 3550 §5.1): parsing with every check of §A.1 that one packet allows, and building. Pure. */
#ifndef FAREND_PROTO_RTP_H
#define FAREND_PROTO_RTP_H

#include "nodes/base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { RTP_HEADER = 12 };            /* bytes, without contributing sources and extension */
enum { RTP_PCMU = 0, RTP_PCMA = 8 }; /* static payload types (RFC 3551 §6), both 8000 Hz */

/* One packet; the spans point into the datagram. */
struct rtp_view {
    bool marker;
    uint8_t type; /* payload type */
    uint16_t seq;
    uint32_t stamp; /* in ticks of the codec's clock */
    uint32_t ssrc;
    uint8_t csrc_n;        /* contributing sources, 0–15 */
    struct span csrc;      /* 4 bytes each */
    uint16_t profile;      /* of the header extension */
    struct span extension; /* its data; p is NULL without an extension */
    struct span payload;   /* without padding */
};

/* 0; FE_ESHORT: the bytes end before the header does; FE_ESYNTAX: not version 2, padding that is longer than what it
 * pads or says 0, or a payload type that is RTCP's (72–76, RFC 5761 §4: an RTCP packet came to the wrong port). */
int rtp_parse(struct span datagram, struct rtp_view *out);

struct rtp_header {
    bool marker;
    uint8_t type; /* below 128 */
    uint16_t seq;
    uint32_t stamp, ssrc;
};
void rtp_put_header(uint8_t dst[RTP_HEADER], const struct rtp_header *header);

#endif
