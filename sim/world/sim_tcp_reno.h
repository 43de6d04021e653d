/* Linux's congestion control without SACK (net/ipv4/tcp_input.c with Reno; RFC 5681, 6582 NewReno, 6937 proportional
 * rate reduction), counted in segments, as one value without a connection around it: what an ACK means, and what may be
 * sent. The kernel of the netns world does exactly this, so it is followed to the letter.
 *
 * Without SACK a duplicate ACK says only that some segment has left the network: `sacked` counts them. */
#ifndef FAREND_WORLD_SIM_TCP_RENO_H
#define FAREND_WORLD_SIM_TCP_RENO_H

#include <stdbool.h>
#include <stdint.h>

enum sim_reno_state {
    SIM_RENO_OPEN,
    SIM_RENO_DISORDER, /* duplicate ACKs, but not three */
    SIM_RENO_RECOVERY, /* fast retransmit and recovery: until high_seq is acknowledged */
    SIM_RENO_LOSS,     /* the path's MTU has shrunk: what was too large is sent again */
};

struct sim_reno {
    enum sim_reno_state state;
    uint32_t cwnd, cwnd_count, ssthresh;
    uint32_t out, sacked, lost, resent; /* segments: unacknowledged; of these delivered, given up, sent again */
    uint32_t high_seq;                  /* recovery ends when this is acknowledged */
    uint32_t prior_cwnd, prr_delivered, prr_out;
    uint32_t reordering;          /* duplicate ACKs that prove a loss */
    bool reduced;                 /* cwnd comes down to ssthresh when recovery ends (Linux: undo_marker) */
    bool limited;                 /* cwnd was what held the sender back (is_cwnd_limited) */
    uint32_t most_out, usage_seq; /* else: what was used of it, until this is acknowledged */
};

/* An ACK, after what it covers has been taken out of the queue. */
struct sim_reno_ack {
    bool advanced;                   /* the left edge */
    bool changed;                    /* it has data, a new window, or covers something: it is no duplicate */
    uint32_t segments, lost, resent; /* that it covers; of these given up, sent again by Reno */
    uint32_t una, nxt;
    bool any;                      /* something is still unacknowledged; of the first such segment: */
    bool first_lost, first_resent; /* its marks */
};

/* What is to be done. */
struct sim_reno_verdict {
    bool mark_first; /* the first unacknowledged segment is given up */
    bool resend;     /* what is given up is sent again, as far as the window goes */
};

void sim_reno_init(struct sim_reno *r);

static inline uint32_t sim_reno_in_flight(const struct sim_reno *r)
{
    return r->out - r->sacked - r->lost + r->resent;
}

struct sim_reno_verdict sim_reno_acked(struct sim_reno *r, const struct sim_reno_ack *ack);
/* After a round of sending, in which `sent` new segments went out: they are counted in `out`. */
void sim_reno_sent(struct sim_reno *r, uint32_t sent, uint32_t una, uint32_t nxt);
void sim_reno_resent(struct sim_reno *r); /* one segment that was given up */
/* The path's MTU has shrunk, and segments were given up for that (counted in `lost`). */
void sim_reno_too_large(struct sim_reno *r, uint32_t nxt);

#endif
