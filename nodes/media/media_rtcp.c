/* Reports every 5 s or so (RFC 3550 §6.2, §6.3.1): two members of a 64 kbit/s session stay below 5 % of its bandwidth
 * at the minimum interval, so the interval is the minimum, times a random factor between 0.5 and 1.5, divided by e -
 * 3/2. The number of members never changes, so timer reconsideration (§6.3.3) never finds anything to reconsider. The
 * first report follows the first voice packet at once, which §6.2 allows to unicast sessions: the other end learns when
 * our packets are sent, and so their delay. */
#include "nodes/media/media_session.h"

#include "nodes/base/error.h"
#include "nodes/proto/rtcp.h"

enum { COMPOUND = 512 };
#define INTERVAL     (5 * SEC)
#define COMPENSATION 1218282 /* e - 3/2, times a million */

static lab_time interval_draw(struct media *m)
{
    return INTERVAL * (lab_time)(500000 + prng_below(&m->rng, 1000000)) / COMPENSATION;
}

/* §6.4.1: what was heard of the other side. False when there is nothing to tell. */
static bool block_fill(struct media *m, struct rtcp_block *block)
{
    struct media_ear *ear = &m->ear;
    lab_time now = host_now(m->host);
    if (!ear->latched)
        return false;
    *block = (struct rtcp_block){.ssrc = ear->ssrc,
                                 .fraction = rtp_source_fraction(&ear->source),
                                 .lost = (int32_t)(rtp_source_lost(&ear->source) & 0x7fffff),
                                 .highest = rtp_source_highest(&ear->source),
                                 .jitter = (uint32_t)(rtp_source_jitter(&ear->source) / MEDIA_TICK)};
    if (ear->report_at != NEVER) {
        block->lsr = ear->report_ntp;
        block->dlsr = (uint32_t)((now - ear->report_at) * 65536 / SEC);
    }
    return true;
}

/* A sender report after speaking in the last two intervals (§6.4), else a receiver report. */
static size_t report_put(struct media *m, uint8_t *dst, size_t room)
{
    struct rtcp_block block;
    const struct rtcp_block *about = block_fill(m, &block) ? &block : NULL;
    lab_time now = host_now(m->host);
    if (m->spoken_at == NEVER || now - m->spoken_at > 2 * INTERVAL)
        return rtcp_put_rr(dst, room, m->out.ssrc, about);
    lab_time exactly;
    struct rtcp_sender sender = {.ssrc = m->out.ssrc, .packets = m->out.packets, .octets = m->out.octets};
    sender.stamp = media_send_stamp(m, now, &exactly);
    sender.ntp = rtcp_ntp(exactly);
    return rtcp_put_sr(dst, room, &sender, about);
}

static void compound_send(struct media *m, bool bye)
{
    uint8_t compound[COMPOUND];
    char cname[TONE_DIGITS + 1 + ENDPOINT_TEXT];
    struct text name = text_on(cname, sizeof cname);
    text_put(&name, m->config.line);
    text_char(&name, '@');
    text_addr(&name, m->config.addr);
    if (m->peer.rtcp.port == 0)
        return;
    size_t n = report_put(m, compound, sizeof compound);
    n += rtcp_put_cname(compound + n, sizeof compound - n, m->out.ssrc, text_span(&name));
    if (bye)
        n += rtcp_put_bye(compound + n, sizeof compound - n, m->out.ssrc);
    (void)host_udp_send(m->rtcp_out, m->peer.rtcp, m->config.ttl, span_make(compound, n));
}

static void report_tick(void *arg)
{
    struct media *m = arg;
    compound_send(m, false);
    host_timer_start(m->host, &m->report_timer, host_now(m->host) + interval_draw(m));
}

void media_rtcp_init(struct media *m)
{
    timer_init(&m->report_timer, report_tick, m);
}

void media_rtcp_start(struct media *m)
{
    if (m->reporting)
        return;
    m->reporting = true;
    report_tick(m);
}

void media_rtcp_bye(struct media *m)
{
    if (m->reporting)
        compound_send(m, true);
    m->reporting = false;
    host_timer_stop(m->host, &m->report_timer);
}

/* ---- receiving ---- */

/* §6.4.1: two names of one instant, in the sender's timestamps and in time. */
static void sender_heard(struct media *m, const struct rtcp_sender *sender)
{
    struct media_ear *ear = &m->ear;
    if (!ear->latched || sender->ssrc != ear->ssrc)
        return;
    int64_t ticks = ear->last_ticks + (int32_t)(sender->stamp - ear->last_stamp);
    ear->sent_at_origin = rtcp_ntp_time(sender->ntp) - ticks * MEDIA_TICK;
    ear->mapped = true;
    ear->report_ntp = (uint32_t)(sender->ntp >> 16);
    ear->report_at = host_now(m->host);
}

/* The other side stops speaking: silence from here on is nobody's fault. */
static void bye_heard(struct media *m)
{
    media_playout_listen(&m->playout, NEVER, host_now(m->host));
}

void media_rtcp_received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct media *m = arg;
    struct rtcp_packet packet;
    struct rtcp_sender sender;
    (void)ttl;
    if (rtcp_check(data)) {
        media_drop(m, "bad-rtp", from, m->rtcp);
        return;
    }
    while (rtcp_next(&data, &packet)) {
        if (rtcp_sender(&packet, &sender) == 0)
            sender_heard(m, &sender);
        if (m->ear.latched && rtcp_bye_has(&packet, m->ear.ssrc))
            bye_heard(m);
    }
}
