#include "nodes/media/media_session.h"

#include "nodes/base/error.h"
#include "nodes/proto/emodel.h"

#include <stdlib.h>
#include <string.h>

/* ---- sockets ---- */

static void refused(void *arg, const struct host_icmp *error)
{
    struct media *m = arg;
    m->refused++;
    if (m->events->refused)
        m->events->refused(m->arg, error);
}

/* Something came to a port that only sends. */
static void unwanted(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct media *m = arg;
    (void)ttl;
    (void)data;
    media_drop(m, "no-session", from, m->rtp_out);
}

static const struct host_udp_events rtp_events = {media_received, refused};
static const struct host_udp_events rtcp_events = {media_rtcp_received, NULL};
static const struct host_udp_events outlet_events = {unwanted, refused};

static int pair_open(struct media *m, uint16_t port)
{
    struct endpoint at = {m->config.addr, port};
    int error = host_udp_open(m->host, at, &rtp_events, m, &m->rtp);
    if (error)
        return error;
    at.port++;
    error = host_udp_open(m->host, at, &rtcp_events, m, &m->rtcp);
    if (error) {
        host_udp_close(m->rtp);
        m->rtp = NULL;
    }
    return error;
}

/* Every even port of the range once, from `first` on and around. */
static int pair_search(struct media *m)
{
    struct port_range range = m->config.ports;
    unsigned low = (range.low + 1u) & ~1u;
    unsigned pairs = range.high > low ? (range.high - low + 1u) / 2 : 0;
    unsigned start = m->config.first > low ? (m->config.first - low) / 2 : 0;
    int error = FE_EUSED;
    for (unsigned i = 0; i < pairs && error == FE_EUSED; i++)
        error = pair_open(m, (uint16_t)(low + (start + i) % pairs * 2));
    return error;
}

/* Without symmetric RTP: what is sent leaves from ports that nothing is expected at. */
static int outlets_open(struct media *m)
{
    struct endpoint any = {m->config.addr, 0};
    m->rtp_out = m->rtp;
    m->rtcp_out = m->rtcp;
    if (m->config.symmetric)
        return 0;
    m->rtp_out = m->rtcp_out = NULL;
    int error = host_udp_open(m->host, any, &outlet_events, m, &m->rtp_out);
    if (!error)
        error = host_udp_open(m->host, any, &outlet_events, m, &m->rtcp_out);
    return error;
}

static void sockets_close(struct media *m)
{
    if (m->rtp_out && m->rtp_out != m->rtp)
        host_udp_close(m->rtp_out);
    if (m->rtcp_out && m->rtcp_out != m->rtcp)
        host_udp_close(m->rtcp_out);
    if (m->rtp)
        host_udp_close(m->rtp);
    if (m->rtcp)
        host_udp_close(m->rtcp);
}

/* ---- how it is seen from outside ---- */

static void stun_send(void *arg, struct endpoint to, struct span bytes)
{
    struct media *m = arg;
    (void)host_udp_send(m->rtp, to, 0, bytes); /* what is lost is sent again */
}

static void stun_mapped(void *arg, struct endpoint seen)
{
    struct media *m = arg;
    m->seen = seen;
    m->events->mapped(m->arg);
}

static void stun_begin_asking(struct media *m)
{
    static const struct stun_client_events events = {stun_send, stun_mapped};
    char purpose[32];
    struct text t = text_on(purpose, sizeof purpose);
    text_str(&t, "media stun ");
    text_u64(&t, m->config.number);
    stun_client_init(&m->stun, m->host, m->config.stun, purpose, &events, m);
    stun_client_ask(&m->stun);
}

bool media_asks(const struct media *m)
{
    return stun_client_asks(&m->stun);
}

struct endpoint media_public(const struct media *m)
{
    return m->seen.port ? m->seen : media_local(m);
}

/* ---- life ---- */

static void random_begin(struct media *m)
{
    char purpose[32];
    struct text t = text_on(purpose, sizeof purpose);
    text_str(&t, "media ");
    text_u64(&t, m->config.number);
    host_stream(m->host, purpose, &m->rng);
}

int media_open(struct media **out, struct host *h, const struct media_config *config, const struct media_events *events,
               void *arg)
{
    struct media *m = calloc(1, sizeof *m);
    if (!m)
        return FE_EMEM;
    m->host = h;
    m->config = *config;
    m->events = events;
    m->arg = arg;
    m->spoken_at = NEVER;
    m->past.delay = NEVER;
    m->ear.report_at = NEVER;
    random_begin(m);
    media_playout_init(&m->playout, config->playout);
    media_send_init(m);
    media_rtcp_init(m);
    int error = pair_search(m);
    if (!error)
        error = outlets_open(m);
    if (error) {
        media_free(m);
        return error;
    }
    stun_begin_asking(m);
    *out = m;
    return 0;
}

void media_close(struct media *m)
{
    if (!m)
        return;
    media_send_stop(m);
    media_rtcp_bye(m);
    media_free(m);
}

void media_free(struct media *m)
{
    if (!m)
        return;
    host_timer_stop(m->host, &m->out.timer);
    host_timer_stop(m->host, &m->report_timer);
    stun_client_stop(&m->stun);
    sockets_close(m);
    free(m);
}

struct endpoint media_local(const struct media *m)
{
    return host_udp_local(m->rtp);
}

struct endpoint media_remote(const struct media *m)
{
    return m->peer.rtp;
}

void media_connect(struct media *m, const struct media_peer *peer)
{
    if (m->ear.latched && !endpoint_equal(m->peer.rtp, peer->rtp))
        media_ear_forget(m);
    m->peer = *peer;
    m->out.coded = false;
    size_t n = peer->line.n < TONE_DIGITS ? peer->line.n : TONE_DIGITS;
    span_copy((struct span){peer->line.p, n}, m->peer_line, sizeof m->peer_line);
    m->peer.line = span_of(m->peer_line);
}

void media_flow(struct media *m, bool speak, bool listen)
{
    lab_time now = host_now(m->host);
    if (speak && m->peer.rtp.addr && m->peer.rtp.port)
        media_send_start(m);
    else
        media_send_stop(m);
    if (listen != m->listening)
        media_playout_listen(&m->playout, listen ? now + MEDIA_STARTUP : NEVER, now);
    m->listening = listen;
}

void media_set_ttl(struct media *m, uint8_t ttl)
{
    m->config.ttl = ttl;
}

/* ---- the report ---- */

static uint32_t ppm(uint64_t part, uint64_t whole)
{
    return (uint32_t)(part * 1000000 / whole);
}

/* What the listener missed: of the frames that were due, else of the packets that were expected. */
static uint32_t missed_ppm(const struct media_heard *heard, const struct media_report *report)
{
    if (heard->due)
        return 1000000 - ppm(heard->played, heard->due);
    if (report->expected == 0)
        return 1000000;
    uint64_t missed = report->lost + report->late;
    return ppm(missed < report->expected ? missed : report->expected, report->expected);
}

/* BurstR (G.107 §7.5) in thousandths: how long gaps are on average, over how long they would be, 1 / (1 - loss), if
 * loss met each frame by itself. At most 2: what one long gap would give lies beyond what the formula was made for. */
static uint32_t burst_ratio(const struct media_heard *heard)
{
    enum { RANDOM = 1000, LARGEST = 2000 };
    if (heard->gaps == 0 || heard->due == 0)
        return RANDOM;
    uint64_t missed = heard->due - heard->played;
    uint64_t ratio = missed * RANDOM / heard->gaps * heard->played / heard->due;
    return ratio < RANDOM ? RANDOM : ratio > LARGEST ? LARGEST : (uint32_t)ratio;
}

/* Two machines without a common clock give delays that cannot be: not known then. */
static bool delay_is_sane(lab_time delay)
{
    return delay >= 0 && delay < 10 * SEC;
}

void media_report(struct media *m, struct media_report *out)
{
    struct media_heard heard;
    struct media_past all = m->past;
    media_past_add(&all, &m->ear);
    media_playout_heard(&m->playout, host_now(m->host), &heard);
    *out = (struct media_report){.heard = m->heard,
                                 .sent = m->sent,
                                 .expected = all.expected,
                                 .received = all.received,
                                 .lost = all.lost,
                                 .late = m->late,
                                 .duplicate = m->duplicate,
                                 .refused = m->refused,
                                 .jitter = all.jitter,
                                 .has_delay = delay_is_sane(all.delay)};
    out->heard_ppm = heard.due ? ppm(heard.voice, heard.due) : m->heard[0] ? 1000000 : 0;
    if (out->has_delay)
        out->delay = all.delay;
    struct emodel quality = {.delay = out->delay + m->config.playout,
                             .loss = missed_ppm(&heard, out),
                             .burst = burst_ratio(&heard),
                             .concealment = m->config.concealment};
    out->mos = emodel_mos(emodel_r(&quality));
}
