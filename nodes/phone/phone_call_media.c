/* Descriptions of sessions (RFC 3264) and the media session that they are about.
 *
 * The phone speaks when nobody holds the call, and listens (counts silence as loss) only while both sides may speak. */
#include "nodes/phone/phone_call.h"

#include "nodes/base/error.h"
#include "nodes/proto/ip.h"
#include "nodes/proto/rtp.h"

/* ---- the trace ---- */

static struct record *trace_begin(struct phone_call *c, const char *state)
{
    struct record *r = host_trace(c->phone->host, "media");
    record_str(r, "state", state);
    record_u64(r, "call", c->number);
    record_str(r, "peer", c->peer);
    record_endpoint(r, "local", media_local(c->media));
    record_endpoint(r, "remote", media_remote(c->media));
    return r;
}

static void trace_state(struct phone_call *c, const char *state)
{
    trace_begin(c, state);
    host_trace_end(c->phone->host);
}

void phone_call_report(struct phone_call *c)
{
    struct media_report report;
    if (!c->media)
        return;
    media_report(c->media, &report);
    struct record *r = trace_begin(c, "report");
    record_str(r, "heard", report.heard);
    record_u64(r, "sent", report.sent);
    record_u64(r, "expected", report.expected);
    record_u64(r, "received", report.received);
    record_u64(r, "lost", report.lost);
    record_u64(r, "late", report.late);
    record_u64(r, "heard_ppm", report.heard_ppm);
    record_i64(r, "jitter_us", report.jitter / US);
    if (report.has_delay)
        record_i64(r, "delay_us", report.delay / US);
    record_fixed(r, "mos", report.mos, 2);
    host_trace_end(c->phone->host);
}

/* The same error follows every packet: traced when it changes, counted always. */
static void on_refused(void *arg, const struct host_icmp *error)
{
    struct phone_call *c = arg;
    if (error->from == c->refused.from && error->type == c->refused.type && error->code == c->refused.code)
        return;
    c->refused = *error;
    struct record *r = trace_begin(c, "refused");
    record_addr(r, "from", error->from);
    record_str(r, "type", icmp_name(error->type, error->code));
    host_trace_end(c->phone->host);
}

/* The port of the media is known from outside: what had to wait for it goes on. */
static void on_mapped(void *arg)
{
    struct phone_call *c = arg;
    if (c->state == CALL_CALLING && !c->invite)
        phone_call_invite(c);
    else if (c->state == CALL_INCOMING)
        (void)phone_call_answer(c);
}

static const struct media_events media_events = {on_refused, on_mapped};

/* ---- the session ---- */

int phone_call_media_open(struct phone_call *c)
{
    struct phone *p = c->phone;
    const struct phone_settings *s = p->settings;
    struct media_config config = {.addr = p->addr,
                                  .ports = s->media_ports,
                                  .first = p->next_media_port,
                                  .line = span_of(s->line),
                                  .number = c->number,
                                  .playout = s->playout,
                                  .ttl = p->media_ttl,
                                  .stun = s->stun,
                                  .concealment = s->concealment,
                                  .symmetric = s->symmetric_rtp};
    int error = media_open(&c->media, p->host, &config, &media_events, c);
    if (error)
        return error;
    uint16_t port = media_local(c->media).port;
    p->next_media_port = port < 65534 ? (uint16_t)(port + 2) : 0;
    c->sdp_id = prng_u64(&p->rng) >> 33; /* some readers keep it in 32 bits with a sign */
    c->sdp_version = c->sdp_id;
    return 0;
}

void phone_call_media_close(struct phone_call *c)
{
    if (!c->media)
        return;
    if (c->flowing || c->state == CALL_ESTABLISHED) {
        phone_call_report(c);
        trace_state(c, "stopped");
    }
    media_close(c->media);
    c->media = NULL;
    c->flowing = false;
}

static bool peer_sends(const struct phone_call *c)
{
    return c->peer_direction == SDP_SENDRECV || c->peer_direction == SDP_SENDONLY;
}

static bool peer_receives(const struct phone_call *c)
{
    return c->peer_direction == SDP_SENDRECV || c->peer_direction == SDP_RECVONLY;
}

/* Until the ACK the caller may not know that it is heard, so listening begins when the call is established. */
void phone_call_flow(struct phone_call *c)
{
    bool up = c->state == CALL_ANSWERED || c->state == CALL_ESTABLISHED;
    bool described = c->media && media_remote(c->media).port != 0;
    bool speak = up && described && !c->holding && peer_receives(c);
    bool listen = c->state == CALL_ESTABLISHED && described && !c->holding && peer_receives(c) && peer_sends(c);
    if (!c->media)
        return;
    media_flow(c->media, speak, listen);
    if (speak != c->flowing)
        trace_state(c, speak ? "started" : "stopped");
    c->flowing = speak;
}

/* ---- descriptions ---- */

static struct sdp_codec codec(enum phone_codec which)
{
    bool ulaw = which == PHONE_PCMU;
    return (struct sdp_codec){.payload_type = ulaw ? RTP_PCMU : RTP_PCMA,
                              .name = ulaw ? SPAN("PCMU") : SPAN("PCMA"),
                              .clock = 8000,
                              .channels = 1};
}

static enum sdp_direction direction(const struct phone_call *c)
{
    if (!c->holding)
        return SDP_SENDRECV;
    return c->phone->settings->hold == PHONE_HOLD_INACTIVE ? SDP_INACTIVE : SDP_SENDONLY;
}

static struct sdp_local local(const struct phone_call *c)
{
    enum phone_codec first = (enum phone_codec)c->phone->settings->codec;
    enum phone_codec second = first == PHONE_PCMU ? PHONE_PCMA : PHONE_PCMU;
    return (struct sdp_local){.user = span_of(c->phone->settings->line),
                              .id = c->sdp_id,
                              .version = c->sdp_version,
                              .at = media_public(c->media),
                              .direction = direction(c),
                              .ptime = 20,
                              .n_codecs = 2,
                              .codecs = {codec(first), codec(second)}};
}

/* RFC 3264 §8: the version goes up with every description that is not the last one again; so does a refresh say that
 * nothing has changed (RFC 4028 §7.4). True: it went up, and the description is to be written once more. */
static bool is_another(struct phone_call *c, struct span written)
{
    uint64_t hash = span_hash(written);
    bool another = c->sdp_hash && c->sdp_hash != hash;
    c->sdp_hash = another ? 0 : hash;
    c->sdp_version += another ? 1 : 0;
    return another;
}

int phone_call_offer(struct phone_call *c, struct text *out)
{
    struct text start = *out;
    do {
        struct sdp_local description = local(c);
        *out = start;
        sdp_write_offer(out, &description);
    } while (is_another(c, text_span(out)));
    c->offered = text_ok(out);
    return c->offered ? 0 : FE_ERANGE;
}

/* What the peer wrote about the stream, and what is sent to it with this codec. */
static void peer_is(struct phone_call *c, const struct sdp_media *stream, enum g711_law law)
{
    struct media_peer peer = {.rtp = sdp_rtp(stream), .rtcp = sdp_rtcp(stream), .law = law, .line = span_of(c->peer)};
    if (!tone_can_say(peer.line))
        peer.line = (struct span){0};
    c->peer_direction = stream->direction;
    if (peer.rtp.addr == 0) { /* hold in the way of RFC 2543: where to send is as before */
        c->peer_direction = SDP_INACTIVE;
        return;
    }
    media_connect(c->media, &peer);
}

static int description_parse(const struct sip_msg *msg, struct sdp *out)
{
    return sip_body_is(msg, "application", "sdp") ? sdp_parse(msg->body, out, NULL) : FE_ESYNTAX;
}

int phone_call_answer_to(struct phone_call *c, const struct sip_msg *msg, struct text *out)
{
    struct sdp offer;
    struct sdp_codec chosen;
    size_t stream;
    if (description_parse(msg, &offer))
        return FE_ESYNTAX;
    struct text start = *out;
    do {
        struct sdp_local description = local(c);
        *out = start;
        int error = sdp_write_answer(out, &description, &offer, &chosen, &stream);
        if (error)
            return error;
    } while (is_another(c, text_span(out)));
    peer_is(c, &offer.media[stream], span_equal_nocase(chosen.name, SPAN("PCMA")) ? G711_ALAW : G711_ULAW);
    return 0;
}

/* The first codec of the answer that we speak (RFC 3264 §7). */
static bool law_of(const struct sdp_media *stream, enum g711_law *law)
{
    struct span rest = stream->formats;
    uint8_t type;
    while (sdp_format_next(&rest, &type)) {
        if (type != RTP_PCMU && type != RTP_PCMA)
            continue;
        *law = type == RTP_PCMA ? G711_ALAW : G711_ULAW;
        return true;
    }
    return false;
}

int phone_call_answered_with(struct phone_call *c, const struct sip_msg *msg)
{
    struct sdp answer;
    enum g711_law law;
    if (description_parse(msg, &answer) || answer.n_media == 0)
        return FE_ESYNTAX;
    if (answer.media[0].port == 0 || !law_of(&answer.media[0], &law))
        return FE_EREFUSED;
    c->offered = false;
    peer_is(c, &answer.media[0], law);
    return 0;
}
