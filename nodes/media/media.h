/* The media of one call: an RTP session (RFC 3550, audio profile RFC 3551) on nodes/host.h with its RTCP on the next
 * port.
 *
 * What it says is the line's own tone (tone.h), a frame every 20 ms; what it hears it judges: whose voice it is, how
 * much of it came in time, how late, and what a listener would think of it (ITU-T G.107).
 *
 * Life: media_open() takes the ports, so that they can be offered; media_connect() says who is at the other end;
 * media_flow() starts and stops speaking and listening; media_report() looks; media_close() says RTCP BYE and frees.
 * Sending is paced by a timer of the host; receiving does not allocate. */
#ifndef FAREND_MEDIA_MEDIA_H
#define FAREND_MEDIA_MEDIA_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/option.h"
#include "nodes/base/span.h"
#include "nodes/host.h"
#include "nodes/proto/g711.h"

#include <stdbool.h>
#include <stdint.h>

struct media;

struct media_config {
    ipv4 addr;               /* local address of both sockets */
    struct port_range ports; /* RTP takes an even one, RTCP the odd one above it (RFC 3550 §11) */
    uint16_t first;          /* where the search begins; below the range: at its start */
    struct span line;        /* whose voice: tone_can_say(). Borrowed for the session's life */
    uint32_t number;         /* of the call: makes the session's random numbers its own */
    lab_time playout;        /* delay of the playout buffer, below 1.28 s */
    uint8_t ttl;             /* of all that is sent */
    struct endpoint stun;    /* server to ask how RTP's port is seen; port 0: none */
    bool concealment;        /* losses are concealed: counts in the MOS only */
    bool symmetric;          /* sends from the port that it receives on (RFC 4961); false: from a port of its own */
};

struct media_events {
    /* The network said that what was sent did not arrive. May be NULL. */
    void (*refused)(void *arg, const struct host_icmp *error);
    /* The STUN server answered, or will not: media_public() is final. Only with config.stun; may close the session. */
    void (*mapped)(void *arg);
};

/* FE_EUSED: no pair of ports is free; FE_EMEM; else as host_udp_open. `events` is kept. */
int media_open(struct media **out, struct host *h, const struct media_config *config, const struct media_events *events,
               void *arg);

/* Says BYE to a peer that was spoken to (RFC 3550 §6.6), closes the sockets, frees. NULL is fine. */
void media_close(struct media *m);

/* The same in silence: the power switch. */
void media_free(struct media *m);

struct endpoint media_local(const struct media *m); /* of RTP */

bool media_asks(const struct media *m);              /* the STUN server's answer is awaited */
struct endpoint media_public(const struct media *m); /* of RTP, as the STUN server saw it; else the local one */

struct media_peer {
    struct endpoint rtp, rtcp;
    enum g711_law law; /* to send with; either is understood */
    struct span line;  /* whose voice is expected; copied, cut to TONE_DIGITS; may be empty: anybody's */
};

/* From the answer, and again with every new description. A new RTP endpoint forgets the source that was heard. */
void media_connect(struct media *m, const struct media_peer *peer);
struct endpoint media_remote(const struct media *m);

/* Speaks from now on, or stops; listens from now on, or stops. A listener is given MEDIA_STARTUP before silence counts:
 * a session border controller lets the voice through only when it has heard ours, one round trip later. */
#define MEDIA_STARTUP (1 * SEC)
void media_flow(struct media *m, bool speak, bool listen);

void media_set_ttl(struct media *m, uint8_t ttl);

struct media_report {
    const char *heard;                 /* the line whose tone came last, "" when none did; lives as long as m */
    uint64_t sent;                     /* packets */
    uint64_t expected, received, lost; /* packets, by sequence numbers; received without duplicates */
    uint64_t late;                     /* packets that came after their time to be played */
    uint64_t duplicate;                /* packets */
    uint64_t refused;                  /* ICMP errors about what was sent */
    uint32_t heard_ppm; /* frames played with the peer's voice, of those due while listening; a call too short for any
                           to be due: 1000000 when the voice was heard at all */
    lab_time jitter;    /* interarrival, RFC 3550 §A.8 */
    bool has_delay;     /* a sender report told when packets had been sent */
    lab_time delay;     /* one way on the network, mean */
    uint32_t mos;       /* hundredths: of network and playout delay, and of the frames that were due but not played */
};
void media_report(struct media *m, struct media_report *out);

#endif
