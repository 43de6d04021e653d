/* Latching (RFC 7362 §4, SB-6): from whom a leg of the media relay takes packets, and where it sends to. Pure.
 *
 *     policy          a packet from a new sender                      media is sent to
 *     lock            refused                                         the first sender
 *     lock, late      moves the leg once the old one was silent       the present sender
 *     several         joins, while there are at most 10               the first sender
 *     several, late   joins; the leg moves to it                      the newest sender
 */
#ifndef FAREND_SBC_LATCH_H
#define FAREND_SBC_LATCH_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"

#include <stdbool.h>

enum { SBC_LATCH_SENDERS = 10 };

/* How long the present sender must have been silent before another one takes over a locked leg: long enough that a
 * stranger cannot break into a stream that flows, short beside what a human waits. */
#define SBC_LATCH_SILENCE (500 * MS)

struct sbc_latch_policy {
    bool several, late;
};

/* Zero is the empty latch. */
struct sbc_latch {
    struct endpoint sender[SBC_LATCH_SENDERS];
    unsigned senders;
    unsigned target; /* index of the sender that media is sent to; meaningful when senders > 0 */
    lab_time heard;  /* when the target was heard last */
};

enum sbc_latch_verdict {
    SBC_LATCH_KNOWN,   /* from a sender already taken */
    SBC_LATCH_LATCHED, /* a new sender was taken; the target stays, or is this first one */
    SBC_LATCH_MOVED,   /* a new sender was taken and is the target now */
    SBC_LATCH_REFUSED, /* the packet goes no further */
};

enum sbc_latch_verdict sbc_latch_packet(struct sbc_latch *latch, const struct sbc_latch_policy *policy,
                                        struct endpoint from, lab_time now);

static inline bool sbc_latch_is_set(const struct sbc_latch *latch)
{
    return latch->senders > 0;
}

/* The latch is set. */
static inline struct endpoint sbc_latch_target(const struct sbc_latch *latch)
{
    return latch->sender[latch->target];
}

#endif
