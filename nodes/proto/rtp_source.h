/* What a receiver knows of one RTP source: sequence numbers with their wraps (RFC 3550 §A.1), packets expected and lost
 * (§A.3), interarrival jitter (§A.8, in nanoseconds instead of timestamp ticks). Pure integers. */
#ifndef FAREND_PROTO_RTP_SOURCE_H
#define FAREND_PROTO_RTP_SOURCE_H

#include "nodes/base/lab_time.h"

#include <stdbool.h>
#include <stdint.h>

struct rtp_source {
    uint32_t base;                           /* extended number of the first packet, plus 65536 */
    uint32_t highest;                        /* extended number, plus 65536: wraps in the upper 16 bits */
    uint32_t suspect;                        /* the number that would prove a jump to be a restart; above 65535: none */
    uint8_t probation;                       /* packets in order still to come before the source is believed */
    bool started;                            /* a first packet was seen */
    uint64_t window;                         /* bit i: packet highest - i has come */
    uint32_t received;                       /* packets, without duplicates */
    uint32_t expected_prior, received_prior; /* at the last report (§A.3) */
    uint64_t jitter16;                       /* ns, times 16 */
    lab_time last_arrival;
    uint32_t last_stamp;
    bool timed; /* last_arrival and last_stamp are set */
};

/* probation: packets in sequence before the source is believed; §A.1 has 2 for strangers, 0 believes at once. */
void rtp_source_init(struct rtp_source *s, uint8_t probation);

enum rtp_seq {
    RTP_SEQ_NEW,       /* in order, after a gap, or late but not seen before: count and use it */
    RTP_SEQ_DUPLICATE, /* seen before */
    RTP_SEQ_PROBATION, /* the source is not believed yet */
    RTP_SEQ_JUMP,      /* far from the others: not used, unless the next packet proves a restart */
    RTP_SEQ_RESTART,   /* proven: take the counts, call rtp_source_init() and show this packet again */
};
enum rtp_seq rtp_source_packet(struct rtp_source *s, uint16_t seq);

/* Packet with timestamp `stamp` of a clock with `rate` ticks a second arrived: updates the jitter. */
void rtp_source_arrival(struct rtp_source *s, uint32_t stamp, uint32_t rate, lab_time now);

static inline lab_time rtp_source_jitter(const struct rtp_source *s)
{
    return (lab_time)(s->jitter16 / 16);
}

/* The extended highest sequence number, for a report block. */
uint32_t rtp_source_highest(const struct rtp_source *s);

/* Packets that should have come, up to the highest number seen; 0 before the first. */
uint32_t rtp_source_expected(const struct rtp_source *s);
uint32_t rtp_source_lost(const struct rtp_source *s);

/* Lost of those expected since the last call, in 256ths, for a report block (§A.3). */
uint8_t rtp_source_fraction(struct rtp_source *s);

#endif
