/* One source at a time is listened to: the first that speaks, until it has been silent for LATCH. Another voice on the
 * same port meanwhile is dropped as "not-latched"; a new description of the peer (media_connect) clears the way. */
#include "nodes/media/media_session.h"

#include "nodes/base/error.h"

#include <string.h>

#define LATCH (100 * MS)

static void ear_latch(struct media *m, const struct rtp_view *rtp)
{
    struct media_ear *ear = &m->ear;
    media_ear_forget(m);
    ear->latched = true;
    ear->ssrc = rtp->ssrc;
    ear->last_stamp = rtp->stamp;
    /* a source that signalling announced need not prove itself by two packets in order (RFC 3550 §A.1) */
    rtp_source_init(&ear->source, 0);
    if (m->listening && m->playout.listen_from == NEVER) /* after a BYE */
        media_playout_listen(&m->playout, host_now(m->host) + MEDIA_STARTUP, host_now(m->host));
}

void media_ear_forget(struct media *m)
{
    struct media_ear *ear = &m->ear;
    media_past_add(&m->past, ear);
    media_playout_reset(&m->playout, host_now(m->host));
    *ear = (struct media_ear){.tone = ear->tone, .report_at = NEVER};
}

void media_past_add(struct media_past *past, const struct media_ear *ear)
{
    past->expected += rtp_source_expected(&ear->source);
    past->received += ear->source.received;
    past->lost += rtp_source_lost(&ear->source);
    if (ear->transit_n)
        past->jitter = rtp_source_jitter(&ear->source);
    if (ear->mapped && ear->transit_n)
        past->delay = ear->transit_sum / (lab_time)ear->transit_n - ear->sent_at_origin;
}

/* Is this the source that is listened to, or may it become it? */
static bool ear_is_for(struct media *m, const struct rtp_view *rtp)
{
    if (m->ear.latched && m->ear.ssrc == rtp->ssrc)
        return true;
    if (m->ear.latched && host_now(m->host) - m->ear.last_packet < LATCH)
        return false;
    ear_latch(m, rtp);
    return true;
}

/* Transit times against the source's own clock; a sender report turns their mean into the delay, also afterwards. */
static void transit_add(struct media *m, uint32_t stamp)
{
    struct media_ear *ear = &m->ear;
    ear->last_ticks += (int32_t)(stamp - ear->last_stamp);
    ear->last_stamp = stamp;
    ear->transit_sum += host_now(m->host) - ear->last_ticks * MEDIA_TICK;
    ear->transit_n++;
    rtp_source_arrival(&ear->source, stamp, MEDIA_CLOCK, host_now(m->host));
}

static enum media_voice voice_of(struct media *m, const struct rtp_view *rtp)
{
    enum g711_law law = rtp->type == RTP_PCMA ? G711_ALAW : G711_ULAW;
    const char *line = tone_hear(&m->ear.tone, law, (const uint8_t *)rtp->payload.p, rtp->payload.n);
    if (!line[0])
        return MEDIA_NOISE;
    memcpy(m->heard, line, strlen(line) + 1);
    return !m->peer_line[0] || strcmp(line, m->peer_line) == 0 ? MEDIA_VOICE : MEDIA_NOISE;
}

static void frame_take(struct media *m, const struct rtp_view *rtp)
{
    transit_add(m, rtp->stamp);
    switch (media_playout_put(&m->playout, rtp->stamp, voice_of(m, rtp), host_now(m->host))) {
    case MEDIA_QUEUED: break;
    case MEDIA_LATE: m->late++; break;
    case MEDIA_REPEATED: m->duplicate++; break;
    }
}

static void packet_take(struct media *m, const struct rtp_view *rtp)
{
    switch (rtp_source_packet(&m->ear.source, rtp->seq)) {
    case RTP_SEQ_NEW: frame_take(m, rtp); break;
    case RTP_SEQ_DUPLICATE: m->duplicate++; break;
    case RTP_SEQ_PROBATION:
    case RTP_SEQ_JUMP: break;
    case RTP_SEQ_RESTART: /* under its old name, but nothing connects it with what it sent before */
        ear_latch(m, rtp);
        (void)rtp_source_packet(&m->ear.source, rtp->seq);
        frame_take(m, rtp);
        break;
    }
    m->ear.last_packet = host_now(m->host);
}

void media_drop(struct media *m, const char *cause, struct endpoint from, const struct host_udp *at)
{
    char buf[16 + 2 * ENDPOINT_TEXT];
    struct text what = text_on(buf, sizeof buf);
    text_str(&what, "udp ");
    text_endpoint(&what, from);
    text_str(&what, " > ");
    text_endpoint(&what, host_udp_local(at));
    host_drop(m->host, cause, text_span(&what));
}

/* Also refused: our own packets, come back by a loop (RFC 3550 §8.2). */
static bool packet_parse(const struct media *m, struct span data, struct rtp_view *rtp)
{
    return rtp_parse(data, rtp) == 0 && (rtp->type == RTP_PCMU || rtp->type == RTP_PCMA) && rtp->ssrc != m->out.ssrc;
}

void media_received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct media *m = arg;
    struct rtp_view rtp;
    (void)ttl;
    if (stun_is(data) && stun_client_heard(&m->stun, from, data))
        return; /* RFC 7983: told apart from RTP by its first bits. The session may be gone now */
    if (!packet_parse(m, data, &rtp))
        media_drop(m, "bad-rtp", from, m->rtp);
    else if (!ear_is_for(m, &rtp))
        media_drop(m, "not-latched", from, m->rtp);
    else
        packet_take(m, &rtp);
}
