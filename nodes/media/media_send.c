#include "nodes/media/media_session.h"

#include "nodes/base/error.h"

/* The packet is made once; a frame costs its header. */
static void voice_code(struct media *m)
{
    if (m->out.coded)
        return;
    tone_say(m->config.line, m->peer.law, m->out.packet + RTP_HEADER);
    m->out.coded = true;
}

static void voice_send(struct media *m)
{
    struct media_voice_out *out = &m->out;
    lab_time elapsed = out->next_at - out->begun;
    struct rtp_header header = {.marker = out->talkspurt,
                                .type = m->peer.law == G711_ALAW ? RTP_PCMA : RTP_PCMU,
                                .seq = out->seq++,
                                .stamp = out->first_stamp + (uint32_t)(elapsed / MEDIA_TICK),
                                .ssrc = out->ssrc};
    voice_code(m);
    rtp_put_header(out->packet, &header);
    /* a refusal of the machine is a loss like any other: the receiver will see the gap */
    (void)host_udp_send(m->rtp_out, m->peer.rtp, m->config.ttl, span_make(out->packet, sizeof out->packet));
    out->talkspurt = false;
    out->packets++;
    out->octets += TONE_SAMPLES;
    m->sent++;
    m->spoken_at = host_now(m->host);
}

static void voice_tick(void *arg)
{
    struct media *m = arg;
    voice_send(m);
    m->out.next_at += MEDIA_FRAME;
    host_timer_start(m->host, &m->out.timer, m->out.next_at);
    media_rtcp_start(m);
}

/* RFC 3550 §5.1: sequence number, timestamp and SSRC start at random. */
void media_send_init(struct media *m)
{
    struct media_voice_out *out = &m->out;
    out->seq = (uint16_t)prng_u64(&m->rng);
    out->first_stamp = (uint32_t)prng_u64(&m->rng);
    out->ssrc = (uint32_t)prng_u64(&m->rng);
    out->begun = NEVER;
    timer_init(&out->timer, voice_tick, m);
}

/* Frames keep to the 20 ms grid of the first one, so that timestamps stay multiples of a frame over a pause. */
void media_send_start(struct media *m)
{
    struct media_voice_out *out = &m->out;
    lab_time now = host_now(m->host);
    if (out->speaking)
        return;
    if (out->begun == NEVER)
        out->begun = now;
    out->speaking = out->talkspurt = true;
    out->next_at = out->begun + (now - out->begun + MEDIA_FRAME - 1) / MEDIA_FRAME * MEDIA_FRAME;
    host_timer_start(m->host, &out->timer, out->next_at);
}

void media_send_stop(struct media *m)
{
    m->out.speaking = false;
    host_timer_stop(m->host, &m->out.timer);
}

uint32_t media_send_stamp(const struct media *m, lab_time now, lab_time *exactly)
{
    lab_time ticks = m->out.begun == NEVER ? 0 : (now - m->out.begun) / MEDIA_TICK;
    *exactly = m->out.begun == NEVER ? now : m->out.begun + ticks * MEDIA_TICK;
    return m->out.first_stamp + (uint32_t)ticks;
}
