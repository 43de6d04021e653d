/* The inside of a media session, shared by its files: media.c (life), media_send.c (voice), media_receive.c (ear),
 * media_rtcp.c (reports). */
#ifndef FAREND_MEDIA_SESSION_H
#define FAREND_MEDIA_SESSION_H

#include "nodes/media/media.h"
#include "nodes/media/media_playout.h"
#include "nodes/media/stun_client.h"
#include "nodes/media/tone.h"
#include "nodes/proto/rtp.h"
#include "nodes/proto/rtp_source.h"

enum { MEDIA_CLOCK = 8000 }; /* Hz */

/* What is sent. The timestamp follows lab time also while nothing is said. */
struct media_voice_out {
    bool speaking;
    bool talkspurt; /* the next packet is the first after a silence: marker bit (RFC 3551 §4.1) */
    bool coded;     /* packet holds the tone in the present law */
    uint16_t seq;   /* of the next packet */
    uint32_t ssrc;
    uint32_t first_stamp; /* of the sample at `begun` */
    lab_time begun;       /* when the first packet was sent */
    lab_time next_at;
    uint32_t packets, octets; /* of payload, for sender reports */
    struct timer timer;
    uint8_t packet[RTP_HEADER + TONE_SAMPLES];
};

/* What is known of the one source that is listened to. */
struct media_ear {
    bool latched;
    bool mapped; /* sent_at_origin is known: a sender report came */
    uint32_t ssrc;
    lab_time last_packet; /* when it came */
    struct rtp_source source;
    uint32_t last_stamp;
    int64_t last_ticks;      /* of last_stamp since the first packet's, without wraps */
    lab_time sent_at_origin; /* lab time at which the first packet's timestamp was sampled */
    lab_time transit_sum; /* Σ (arrival - ticks since the first packet): the mean, less sent_at_origin, is the delay */
    uint64_t transit_n;
    uint32_t report_ntp; /* middle bits of the last sender report's time */
    lab_time report_at;  /* when it came; NEVER: none did */
    struct tone_ear tone;
};

/* What is kept of sources when they are forgotten: sums of packets, the last one's jitter and delay. */
struct media_past {
    uint64_t expected, received, lost;
    lab_time jitter;
    lab_time delay; /* NEVER: not known */
};

struct media {
    struct host *host;
    const struct media_events *events;
    void *arg;
    struct media_config config;
    struct stun_client stun;
    struct endpoint seen; /* RTP's port by the STUN server; port 0: not known */
    struct host_udp *rtp, *rtcp;
    struct host_udp *rtp_out, *rtcp_out; /* the same two when symmetric */
    struct media_peer peer;              /* rtp.port 0: not connected; its line is in peer_line */
    char peer_line[TONE_DIGITS + 1];
    char heard[TONE_DIGITS + 1];
    struct prng rng;
    struct media_voice_out out;
    struct media_ear ear;
    struct media_playout playout;
    bool listening; /* wanted; a BYE ends it for the playout alone */
    bool reporting; /* RTCP runs */
    struct timer report_timer;
    lab_time spoken_at; /* when the last RTP packet was sent; NEVER: none was */
    struct media_past past;
    uint64_t sent, late, duplicate, refused;
};

/* media_send.c */
void media_send_init(struct media *m);
void media_send_start(struct media *m);
void media_send_stop(struct media *m);
/* The RTP timestamp and lab time of the last whole tick before now: what a sender report says. */
uint32_t media_send_stamp(const struct media *m, lab_time now, lab_time *exactly);

/* media_receive.c */
void media_received(void *arg, struct endpoint from, uint8_t ttl, struct span data);
void media_ear_forget(struct media *m); /* into m->past */
void media_past_add(struct media_past *past, const struct media_ear *ear);
void media_drop(struct media *m, const char *cause, struct endpoint from, const struct host_udp *at);

/* media_rtcp.c */
void media_rtcp_init(struct media *m);
void media_rtcp_start(struct media *m); /* the first report now (RFC 3550 §6.2 allows it); nothing when reports run */
void media_rtcp_bye(struct media *m);   /* ends the reports */
void media_rtcp_received(void *arg, struct endpoint from, uint8_t ttl, struct span data);

#endif
