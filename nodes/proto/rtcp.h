/* RTCP compound packets (RFC 3550 §6): parsing with the validity checks of §A.2, and building. Pure.
 *
 *     if (rtcp_check(datagram) == 0)
 *         for (struct span rest = datagram; rtcp_next(&rest, &packet);)
 *             …
 */
#ifndef FAREND_PROTO_RTCP_H
#define FAREND_PROTO_RTCP_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rtcp_type { RTCP_SR = 200, RTCP_RR = 201, RTCP_SDES = 202, RTCP_BYE = 203, RTCP_APP = 204 };

struct rtcp_packet {
    uint8_t type;     /* enum rtcp_type, or one that is to be skipped */
    uint8_t count;    /* report blocks, chunks or sources */
    struct span body; /* what follows the 4 header bytes, without padding */
};

/* The whole datagram, before anything is believed: 0; FE_ESHORT: no room for one packet, or lengths that run past the
 * end; FE_ESYNTAX: another version, a first packet that is no report or is padded, padding that is wrong or not in the
 * last packet. */
int rtcp_check(struct span datagram);

/* The next packet of a datagram that passed rtcp_check; false at the end. */
bool rtcp_next(struct span *rest, struct rtcp_packet *out);

struct rtcp_sender {
    uint32_t ssrc;
    uint64_t ntp;             /* 32.32 seconds, see rtcp_ntp() */
    uint32_t stamp;           /* the RTP timestamp of the same instant */
    uint32_t packets, octets; /* sent so far */
};
struct rtcp_block {
    uint32_t ssrc;    /* of the source it is about */
    uint8_t fraction; /* lost since the last report, 256ths */
    int32_t lost;     /* cumulative, 24 bits on the wire */
    uint32_t highest; /* extended sequence number */
    uint32_t jitter;  /* ticks */
    uint32_t lsr;     /* middle 32 bits of the NTP time in the last SR received, or 0 */
    uint32_t dlsr;    /* since it came, 65536ths of a second */
};

/* Views of one packet. FE_ESHORT: the body does not hold what the count says. */
int rtcp_sender(const struct rtcp_packet *packet, struct rtcp_sender *out); /* FE_EUNKNOWN: not an SR */
int rtcp_reporter(const struct rtcp_packet *packet, uint32_t *ssrc);        /* of an SR or RR; else FE_EUNKNOWN */
int rtcp_block(const struct rtcp_packet *packet, unsigned index, struct rtcp_block *out); /* FE_ERANGE: no such block */
bool rtcp_bye_has(const struct rtcp_packet *packet, uint32_t ssrc);
bool rtcp_cname(const struct rtcp_packet *packet, uint32_t ssrc, struct span *cname); /* from an SDES */

/* Builders append one packet at dst and return its bytes, 0 when `room` is too small. A lawful compound is an SR or RR,
 * then an SDES with a CNAME, then a BYE if there is one (§6.1). `block` may be NULL. */
size_t rtcp_put_sr(uint8_t *dst, size_t room, const struct rtcp_sender *sender, const struct rtcp_block *block);
size_t rtcp_put_rr(uint8_t *dst, size_t room, uint32_t ssrc, const struct rtcp_block *block);
size_t rtcp_put_cname(uint8_t *dst, size_t room, uint32_t ssrc, struct span cname); /* at most 255 bytes */
size_t rtcp_put_bye(uint8_t *dst, size_t room, uint32_t ssrc);

/* Lab time as an NTP timestamp and back, exactly: lab time 0 is 2020-01-01 00:00:00 UTC. */
uint64_t rtcp_ntp(lab_time t);
lab_time rtcp_ntp_time(uint64_t ntp); /* negative before that date */

#endif
