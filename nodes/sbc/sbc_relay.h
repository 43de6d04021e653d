/* The media relay: streams of two legs, packets passed on byte for byte.
 *
 *     caller ── leg a [RTP, RTCP] ══ [RTP, RTCP] leg b ── callee        one stream, one m= line of one call
 *
 * A leg is a pair of UDP ports (even RTP, odd RTCP) on one side of the SBC. A packet that comes in on one leg leaves by
 * the other, to that leg's peer: the sender it is latched to (sbc_latch.h), or before that the address of its SDP when
 * that is worth anything from here.
 *
 * A call between two teleworkers passes the SBC twice, so it has two streams whose inner legs are each other's peers:
 *
 *     phone A ── a [stream 1] b ┄┄┄┄ a [stream 2] b ── phone B
 *
 * The SBC knows its own ports when it reads them in an SDP and joins the legs: the packet is passed from stream to
 * stream in memory and sent once, so the relay counts as one hop of TTL, however often the call passes (SB-5, X2).
 *
 * Nothing is allocated for a packet. A leg's ports are taken in turn from the range, so that a port rests as long as
 * possible before the next call has it. */
#ifndef FAREND_SBC_RELAY_H
#define FAREND_SBC_RELAY_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/option.h"
#include "nodes/base/span.h"
#include "nodes/host.h"
#include "nodes/sbc/sbc_latch.h"

#include <stdbool.h>
#include <stdint.h>

enum sbc_side { SBC_OUTSIDE, SBC_INSIDE };

static inline enum sbc_side sbc_side_other(enum sbc_side side)
{
    return side == SBC_OUTSIDE ? SBC_INSIDE : SBC_OUTSIDE;
}

enum sbc_end { SBC_END_A, SBC_END_B }; /* who offered the call first, and who was called */

static inline enum sbc_end sbc_end_other(enum sbc_end end)
{
    return end == SBC_END_A ? SBC_END_B : SBC_END_A;
}

struct sbc_relay_config {
    struct port_range ports;
    ipv4 local[2];   /* by side: where the ports are opened */
    ipv4 written[2]; /* by side: what an SDP says instead (the public address) */
    struct sbc_latch_policy latch;
    bool reset_ttl;   /* send with 64; else received TTL - 1, and what would have 0 is dropped as "ttl-exceeded" */
    lab_time timeout; /* a stream that carries nothing for so long closes as "idle"; NEVER: none */
};

struct sbc_relay;
struct sbc_stream;

int sbc_relay_new(struct sbc_relay **out, struct host *h, const struct sbc_relay_config *config); /* FE_EMEM */
/* Takes over latching, TTL and timeout of `config`; ports and addresses stay. */
void sbc_relay_reconfigure(struct sbc_relay *relay, const struct sbc_relay_config *config);
void sbc_relay_free(struct sbc_relay *relay); /* all streams are freed */

struct sbc_relay_count {
    uint64_t relayed, refused, dropped; /* packets */
    unsigned open;                      /* streams */
};
const struct sbc_relay_count *sbc_relay_count(const struct sbc_relay *relay);

/* Opens both legs. `call_id` is borrowed as long as the stream lives. FE_EAGAIN: the range of ports is used up;
 * FE_EMEM; FE_EUNREACH, FE_EOS from the host. Traced as "opened", one line for each leg. */
int sbc_stream_new(struct sbc_stream **out, struct sbc_relay *relay, struct span call_id, unsigned number,
                   const enum sbc_side sides[2]);
/* Closes the ports (traced as "closed"; `reason` says why, NULL: the call has ended); a closed stream can still be
 * asked for its addresses. Fine when closed. */
void sbc_stream_close(struct sbc_stream *stream, const char *reason);
bool sbc_stream_is_open(const struct sbc_stream *stream);
void sbc_stream_free(struct sbc_stream *stream); /* closes it; NULL is fine */

/* What the SDP sent to the party at `end` has to name: its leg's RTP port; RTCP is the next one. */
struct endpoint sbc_stream_written(const struct sbc_stream *stream, enum sbc_end end);

/* What the SDP of the party at `end` named. */
struct sbc_media_peer {
    struct endpoint rtp, rtcp; /* addr 0: on hold, nothing is sent there */
    ipv4 seen;                 /* where its signalling came from */
    bool reachable;            /* its addresses may be sent to before anything was heard from them */
};

/* An SDP that names other addresses than the last one makes the leg forget what it was latched to. */
void sbc_stream_set_peer(struct sbc_stream *stream, enum sbc_end end, const struct sbc_media_peer *peer);
const struct sbc_media_peer *sbc_stream_peer(const struct sbc_stream *stream, enum sbc_end end);

/* The stream that the party at `end` turns out to be, and by which of its ends: NULL when it is no stream of this SBC.
 */
const struct sbc_stream *sbc_stream_joined(const struct sbc_stream *stream, enum sbc_end end, enum sbc_end *joined_end);

/* A note for whoever writes the descriptions: the parties send to each other, past this stream. */
void sbc_stream_set_direct(struct sbc_stream *stream);
bool sbc_stream_is_direct(const struct sbc_stream *stream);

#endif
