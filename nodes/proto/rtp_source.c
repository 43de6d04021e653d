/* §A.1 keeps no record of single packets, so that its counts include duplicates. Here a window of the last 64 numbers
 * tells duplicates from packets that were overtaken; what is older than the window counts as overtaken. */
#include "nodes/proto/rtp_source.h"

enum { MAX_DROPOUT = 3000, MAX_MISORDER = 100, NO_SUSPECT = 65537, WINDOW = 64 };

/* Numbers start one cycle up, so that packets overtaken by the very first one still have numbers above 0. */
#define CYCLE 65536u

static void sequence_start(struct rtp_source *s, uint16_t seq)
{
    s->base = s->highest = CYCLE + seq;
    s->suspect = NO_SUSPECT;
    s->window = 1;
    s->received = 0;
    s->expected_prior = s->received_prior = 0;
    s->jitter16 = 0;
    s->timed = false;
    s->started = true;
}

void rtp_source_init(struct rtp_source *s, uint8_t probation)
{
    *s = (struct rtp_source){.probation = probation, .suspect = NO_SUSPECT};
}

static enum rtp_seq probation(struct rtp_source *s, uint16_t seq)
{
    bool in_order = seq == (uint16_t)(s->highest + 1);
    sequence_start(s, seq);
    if (in_order && --s->probation == 0) {
        s->received = 1;
        return RTP_SEQ_NEW;
    }
    return RTP_SEQ_PROBATION;
}

static enum rtp_seq newer(struct rtp_source *s, uint16_t ahead)
{
    s->window = ahead < WINDOW ? s->window << ahead | 1 : 1;
    s->highest += ahead;
    s->received++;
    return RTP_SEQ_NEW;
}

static enum rtp_seq older(struct rtp_source *s, uint16_t behind)
{
    if (behind < WINDOW && s->window >> behind & 1)
        return RTP_SEQ_DUPLICATE;
    if (behind < WINDOW)
        s->window |= (uint64_t)1 << behind;
    if (s->highest - behind < s->base)
        s->base = s->highest - behind; /* overtaken by what was taken for the first packet */
    s->received++;
    return RTP_SEQ_NEW;
}

static enum rtp_seq jump(struct rtp_source *s, uint16_t seq)
{
    if (seq == s->suspect)
        return RTP_SEQ_RESTART;
    s->suspect = (uint16_t)(seq + 1);
    return RTP_SEQ_JUMP;
}

enum rtp_seq rtp_source_packet(struct rtp_source *s, uint16_t seq)
{
    if (!s->started) {
        sequence_start(s, seq);
        s->received = s->probation ? 0 : 1;
        return s->probation ? RTP_SEQ_PROBATION : RTP_SEQ_NEW;
    }
    if (s->probation)
        return probation(s, seq);
    uint16_t ahead = (uint16_t)(seq - s->highest);
    if (ahead != 0 && ahead < MAX_DROPOUT)
        return newer(s, ahead);
    if (ahead == 0 || ahead > 65536 - MAX_MISORDER)
        return older(s, (uint16_t)-ahead);
    return jump(s, seq);
}

void rtp_source_arrival(struct rtp_source *s, uint32_t stamp, uint32_t rate, lab_time now)
{
    if (s->timed) {
        lab_time sent_apart = (lab_time)(int32_t)(stamp - s->last_stamp) * SEC / rate;
        lab_time difference = now - s->last_arrival - sent_apart;
        uint64_t size = (uint64_t)(difference < 0 ? -difference : difference);
        s->jitter16 += size - (s->jitter16 + 8) / 16;
    }
    s->last_arrival = now;
    s->last_stamp = stamp;
    s->timed = true;
}

uint32_t rtp_source_highest(const struct rtp_source *s)
{
    return s->highest - CYCLE;
}

uint32_t rtp_source_expected(const struct rtp_source *s)
{
    return s->started && !s->probation ? s->highest - s->base + 1 : 0;
}

uint32_t rtp_source_lost(const struct rtp_source *s)
{
    uint32_t expected = rtp_source_expected(s);
    return expected > s->received ? expected - s->received : 0;
}

uint8_t rtp_source_fraction(struct rtp_source *s)
{
    uint32_t expected = rtp_source_expected(s);
    uint32_t expected_now = expected - s->expected_prior;
    uint32_t received_now = s->received - s->received_prior;
    s->expected_prior = expected;
    s->received_prior = s->received;
    if (expected_now == 0 || received_now >= expected_now)
        return 0;
    uint32_t lost = expected_now - received_now;
    uint64_t fraction = (uint64_t)lost * 256 / expected_now;
    return (uint8_t)(fraction < 255 ? fraction : 255);
}
