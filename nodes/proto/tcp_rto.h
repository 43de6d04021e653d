/* The retransmission timeout (RFC 6298), as Linux has it, and the schedules of openings. Pure and in integers; the time
 * is lab time and comes as arguments. Shared by the simulated TCP and by what retransmits for a kernel's.
 *
 * Linux differs from the RFC in its bounds: the variance's part is 200 ms at least instead of the whole 1 s, and a
 * timeout 120 s at most (TCP_RTO_MIN, TCP_RTO_MAX). */
#ifndef FAREND_PROTO_TCP_RTO_H
#define FAREND_PROTO_TCP_RTO_H

#include "nodes/base/lab_time.h"

#include <stdbool.h>

#define TCP_RTO_MIN   (200 * MS)
#define TCP_RTO_MAX   (120 * SEC)
#define TCP_RTO_FIRST (1 * SEC) /* RFC 6298 §2.1 */

enum {
    TCP_SYN_RETRIES = 6,    /* Linux: tcp_syn_retries: given up at the 7th expiry, after 127 s */
    TCP_SYNACK_RETRIES = 5, /* tcp_synack_retries: forgotten at the 6th, after 63 s */
    TCP_RETRIES = 15,       /* tcp_retries2: given up at the 16th */
    TCP_ORPHAN_RETRIES = 8, /* tcp_orphan_retries: of connections that no program has any more */
};

struct tcp_rto {
    bool measured;
    lab_time srtt8, rttvar4; /* 8·SRTT, 4·RTTVAR: no bit is lost */
    unsigned expired;        /* in a row: each doubles */
};

void tcp_rto_init(struct tcp_rto *r);

/* A round trip was measured. Never of what was sent twice (Karn, §3). */
void tcp_rto_sample(struct tcp_rto *r, lab_time rtt);

/* How long to wait from now on: SRTT + max(200 ms, 4·RTTVAR), doubled for each expiry (§5.5), 120 s at most. */
lab_time tcp_rto(const struct tcp_rto *r);

/* The timer has expired. False: `retries` were made in a row without an answer, and that is the end. */
bool tcp_rto_expired(struct tcp_rto *r, unsigned retries);

/* Something new was acknowledged: the doubling is over (Linux; §5.7 waits for a measurement). */
void tcp_rto_advanced(struct tcp_rto *r);

/* When a SYN, or SYN-ACK, that was first sent at `first` and then `again` times is due again: 1, 3, 7, … s after. */
lab_time tcp_rto_opening(lab_time first, unsigned again);

#endif
