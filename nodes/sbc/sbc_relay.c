#include "nodes/sbc/sbc_relay.h"

#include "nodes/base/error.h"

#include <assert.h>
#include <stdlib.h>

enum component { RTP, RTCP, COMPONENTS };

enum {
    RELAYED_TTL = 64,  /* SB-5: reset */
    JOINS_MAX = 8,     /* streams that one packet passes at most: SDPs that name each other's ports may form a ring */
    STRANGERS_MAX = 8, /* refused senders of a leg that are traced; all their packets are counted */
};

struct channel { /* one UDP port of a leg */
    struct sbc_leg *leg;
    enum component component;
    struct host_udp *udp;
    struct sbc_latch latch;
};

struct sbc_leg {
    struct sbc_stream *stream;
    enum sbc_end end;
    enum sbc_side side;
    uint16_t port; /* of RTP */
    struct channel channel[COMPONENTS];
    struct sbc_media_peer peer;
    struct endpoint place; /* where the peer was, last that it was not on hold */
    struct endpoint stranger[STRANGERS_MAX];
    unsigned strangers;
};

struct sbc_stream {
    struct sbc_relay *relay;
    struct span call_id;
    unsigned number;
    struct sbc_leg leg[2]; /* by enum sbc_end */
    struct timer idle;
    lab_time heard; /* the last packet that was passed on */
    bool open;
    bool direct;
};

struct sbc_relay {
    struct host *host;
    struct sbc_relay_config config;
    unsigned pairs;           /* port pairs in the range */
    unsigned next[2];         /* by side: the pair to try first */
    struct sbc_leg **legs[2]; /* by side and pair: who has it, or NULL */
    struct sbc_relay_count count;
};

/* ---- trace ---- */

static struct record *trace_begin(struct sbc_leg *leg, const char *state, struct endpoint remote)
{
    struct sbc_stream *stream = leg->stream;
    struct record *r = host_trace(stream->relay->host, "relay");
    record_str(r, "state", state);
    record_text(r, "call_id", stream->call_id);
    record_u64(r, "stream", stream->number);
    record_str(r, "side", leg->end == SBC_END_A ? "a" : "b");
    if (remote.addr)
        record_endpoint(r, "remote", remote);
    return r;
}

static void trace(struct sbc_leg *leg, const char *state, struct endpoint remote)
{
    trace_begin(leg, state, remote);
    host_trace_end(leg->stream->relay->host);
}

static void trace_closed(struct sbc_leg *leg, const char *reason)
{
    const struct sbc_latch *latch = &leg->channel[RTP].latch;
    struct endpoint last = sbc_latch_is_set(latch) ? sbc_latch_target(latch) : (struct endpoint){0, 0};
    struct record *r = trace_begin(leg, "closed", last);
    if (reason)
        record_str(r, "reason", reason);
    host_trace_end(leg->stream->relay->host);
}

static void drop(struct channel *in, const char *cause, struct endpoint from)
{
    struct sbc_relay *relay = in->leg->stream->relay;
    char buf[64];
    struct text what = text_on(buf, sizeof buf);
    text_str(&what, "udp ");
    text_endpoint(&what, from);
    text_str(&what, " > ");
    text_endpoint(&what, host_udp_local(in->udp));
    relay->count.dropped++;
    host_drop(relay->host, cause, text_span(&what));
}

/* Each stranger once: a stream of refused packets is one fact in the trace, and a count. */
static void trace_stranger(struct sbc_leg *leg, struct endpoint from)
{
    for (unsigned i = 0; i < leg->strangers; i++)
        if (endpoint_equal(leg->stranger[i], from))
            return;
    if (leg->strangers == STRANGERS_MAX)
        return;
    leg->stranger[leg->strangers++] = from;
    trace(leg, "refused", from);
}

/* ---- ports and legs ---- */

static unsigned first_port(const struct sbc_relay *relay)
{
    return (relay->config.ports.low + 1u) & ~1u;
}

static uint16_t pair_port(const struct sbc_relay *relay, unsigned pair)
{
    return (uint16_t)(first_port(relay) + 2 * pair);
}

static struct sbc_leg *other_leg(struct sbc_leg *leg)
{
    return &leg->stream->leg[sbc_end_other(leg->end)];
}

static struct endpoint written(const struct sbc_leg *leg)
{
    return (struct endpoint){leg->stream->relay->config.written[leg->side], leg->port};
}

/* The leg of ours that the peer of `leg` turns out to be. Only inside: out there a port of ours in somebody's SDP is
 * nothing that the PBX passed on. Looked up for every packet, by one index, so that no leg points to another's memory.
 * A leg that was answered by somebody else does not take part: of several forks the one that answered is heard. */
static struct sbc_leg *joined(const struct sbc_leg *leg)
{
    const struct sbc_relay *relay = leg->stream->relay;
    struct endpoint named = leg->peer.rtp;
    unsigned first = first_port(relay);
    if (leg->side != SBC_INSIDE || named.addr != relay->config.written[SBC_INSIDE] || named.port < first ||
        named.port % 2 != 0 || (named.port - first) / 2 >= relay->pairs)
        return NULL;
    struct sbc_leg *found = relay->legs[SBC_INSIDE][(named.port - first) / 2];
    if (!found || found->stream == leg->stream)
        return NULL;
    return found->peer.rtp.addr == 0 || endpoint_equal(found->peer.rtp, written(leg)) ? found : NULL;
}

/* ---- packets ---- */

static bool admit(struct channel *in, struct endpoint from)
{
    struct sbc_leg *leg = in->leg;
    struct sbc_relay *relay = leg->stream->relay;
    bool traced = in->component == RTP;
    switch (sbc_latch_packet(&in->latch, &relay->config.latch, from, host_now(relay->host))) {
    case SBC_LATCH_KNOWN: return true;
    case SBC_LATCH_LATCHED:
        if (traced)
            trace(leg, "latched", from);
        return true;
    case SBC_LATCH_MOVED:
        if (traced)
            trace(leg, "moved", from);
        return true;
    case SBC_LATCH_REFUSED:
        if (traced)
            trace_stranger(leg, from);
        relay->count.refused++;
        return false;
    }
    return false;
}

/* Where a packet that came in on `leg` leaves: through joined streams to the last leg; NULL: round a ring. */
static struct sbc_leg *way_out(struct sbc_leg *leg)
{
    for (int joins = 0; joins < JOINS_MAX; joins++) {
        struct sbc_stream *stream = leg->stream;
        stream->heard = host_now(stream->relay->host);
        leg = other_leg(leg);
        struct sbc_leg *next = joined(leg);
        if (!next)
            return leg;
        leg = next;
    }
    return NULL;
}

/* The cause to drop for, or NULL and *to. */
static const char *target(const struct channel *out, struct endpoint *to)
{
    const struct sbc_media_peer *peer = &out->leg->peer;
    struct endpoint named = out->component == RTP ? peer->rtp : peer->rtcp;
    if (!out->udp || named.addr == 0 || named.port == 0)
        return "no-session";
    if (sbc_latch_is_set(&out->latch))
        *to = sbc_latch_target(&out->latch);
    else if (peer->reachable)
        *to = named;
    else
        return "not-latched";
    return NULL;
}

static void received(void *arg, struct endpoint from, uint8_t ttl, struct span data)
{
    struct channel *in = arg;
    struct sbc_relay *relay = in->leg->stream->relay;
    if (!admit(in, from)) {
        drop(in, "not-latched", from);
        return;
    }
    if (!relay->config.reset_ttl && ttl <= 1) {
        drop(in, "ttl-exceeded", from);
        return;
    }
    struct sbc_leg *leg = way_out(in->leg);
    struct endpoint to;
    const char *cause = leg ? target(&leg->channel[in->component], &to) : "no-session";
    if (cause) {
        drop(in, cause, from);
        return;
    }
    uint8_t sent_ttl = relay->config.reset_ttl ? RELAYED_TTL : (uint8_t)(ttl - 1);
    host_udp_send(leg->channel[in->component].udp, to, sent_ttl, data);
    relay->count.relayed++;
}

/* ---- opening and closing ---- */

static void close_channels(struct sbc_leg *leg)
{
    for (int c = 0; c < COMPONENTS; c++)
        if (leg->channel[c].udp) {
            host_udp_close(leg->channel[c].udp);
            leg->channel[c].udp = NULL;
        }
}

static int open_channels(struct sbc_leg *leg, uint16_t port)
{
    static const struct host_udp_events events = {.received = received};
    struct sbc_relay *relay = leg->stream->relay;
    for (int c = 0; c < COMPONENTS; c++) {
        struct channel *channel = &leg->channel[c];
        struct endpoint local = {relay->config.local[leg->side], (uint16_t)(port + c)};
        *channel = (struct channel){.leg = leg, .component = (enum component)c};
        int error = host_udp_open(relay->host, local, &events, channel, &channel->udp);
        if (error) {
            channel->udp = NULL;
            close_channels(leg);
            return error;
        }
    }
    return 0;
}

/* Ports that somebody else has are skipped. */
static int leg_open(struct sbc_leg *leg)
{
    struct sbc_relay *relay = leg->stream->relay;
    for (unsigned tried = 0; tried < relay->pairs; tried++) {
        unsigned pair = relay->next[leg->side];
        relay->next[leg->side] = (pair + 1) % relay->pairs;
        if (relay->legs[leg->side][pair])
            continue;
        int error = open_channels(leg, pair_port(relay, pair));
        if (error == FE_EUSED)
            continue;
        if (error)
            return error;
        leg->port = pair_port(relay, pair);
        relay->legs[leg->side][pair] = leg;
        return 0;
    }
    return FE_EAGAIN;
}

static void leg_close(struct sbc_leg *leg)
{
    struct sbc_relay *relay = leg->stream->relay;
    close_channels(leg);
    relay->legs[leg->side][(leg->port - first_port(relay)) / 2] = NULL;
}

/* ---- streams ---- */

static void idle(void *arg)
{
    struct sbc_stream *stream = arg;
    struct sbc_relay *relay = stream->relay;
    lab_time end = stream->heard + relay->config.timeout;
    if (end > host_now(relay->host))
        host_timer_start(relay->host, &stream->idle, end);
    else
        sbc_stream_close(stream, "idle");
}

static void watch(struct sbc_stream *stream)
{
    struct sbc_relay *relay = stream->relay;
    stream->heard = host_now(relay->host);
    if (relay->config.timeout != NEVER)
        host_timer_start(relay->host, &stream->idle, stream->heard + relay->config.timeout);
}

int sbc_stream_new(struct sbc_stream **out, struct sbc_relay *relay, struct span call_id, unsigned number,
                   const enum sbc_side sides[2])
{
    struct sbc_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return FE_EMEM;
    *stream = (struct sbc_stream){.relay = relay, .call_id = call_id, .number = number};
    timer_init(&stream->idle, idle, stream);
    for (int end = 0; end < 2; end++) {
        stream->leg[end] = (struct sbc_leg){.stream = stream, .end = (enum sbc_end)end, .side = sides[end]};
        int error = leg_open(&stream->leg[end]);
        if (error) {
            if (end == SBC_END_B)
                leg_close(&stream->leg[SBC_END_A]);
            free(stream);
            return error;
        }
    }
    stream->open = true;
    relay->count.open++;
    watch(stream);
    for (int end = 0; end < 2; end++)
        trace(&stream->leg[end], "opened", (struct endpoint){0, 0});
    *out = stream;
    return 0;
}

void sbc_stream_close(struct sbc_stream *stream, const char *reason)
{
    if (!stream->open)
        return;
    stream->open = false;
    stream->relay->count.open--;
    host_timer_stop(stream->relay->host, &stream->idle);
    for (int end = 0; end < 2; end++) {
        trace_closed(&stream->leg[end], reason);
        leg_close(&stream->leg[end]);
    }
}

bool sbc_stream_is_open(const struct sbc_stream *stream)
{
    return stream->open;
}

void sbc_stream_free(struct sbc_stream *stream)
{
    if (!stream)
        return;
    sbc_stream_close(stream, NULL);
    free(stream);
}

struct endpoint sbc_stream_written(const struct sbc_stream *stream, enum sbc_end end)
{
    return written(&stream->leg[end]);
}

void sbc_stream_set_peer(struct sbc_stream *stream, enum sbc_end end, const struct sbc_media_peer *peer)
{
    struct sbc_leg *leg = &stream->leg[end];
    /* Hold (addr 0) is not another place: after it the phone goes on from where it was. */
    if (peer->rtp.addr && leg->place.addr && !endpoint_equal(leg->place, peer->rtp))
        for (int c = 0; c < COMPONENTS; c++)
            leg->channel[c].latch = (struct sbc_latch){0};
    if (peer->rtp.addr)
        leg->place = peer->rtp;
    leg->peer = *peer;
}

const struct sbc_media_peer *sbc_stream_peer(const struct sbc_stream *stream, enum sbc_end end)
{
    return &stream->leg[end].peer;
}

const struct sbc_stream *sbc_stream_joined(const struct sbc_stream *stream, enum sbc_end end, enum sbc_end *joined_end)
{
    const struct sbc_leg *next = joined(&stream->leg[end]);
    if (!next)
        return NULL;
    *joined_end = next->end;
    return next->stream;
}

void sbc_stream_set_direct(struct sbc_stream *stream)
{
    stream->direct = true;
}

bool sbc_stream_is_direct(const struct sbc_stream *stream)
{
    return stream->direct;
}

/* ---- relay ---- */

int sbc_relay_new(struct sbc_relay **out, struct host *h, const struct sbc_relay_config *config)
{
    struct sbc_relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return FE_EMEM;
    *relay = (struct sbc_relay){.host = h, .config = *config};
    unsigned first = first_port(relay);
    relay->pairs = config->ports.high > first ? (config->ports.high - first + 1u) / 2 : 0;
    for (int side = 0; side < 2; side++)
        relay->legs[side] = calloc(relay->pairs + 1u, sizeof(struct sbc_leg *));
    if (!relay->legs[0] || !relay->legs[1]) {
        sbc_relay_free(relay);
        return FE_EMEM;
    }
    *out = relay;
    return 0;
}

void sbc_relay_reconfigure(struct sbc_relay *relay, const struct sbc_relay_config *config)
{
    relay->config.latch = config->latch;
    relay->config.reset_ttl = config->reset_ttl;
    relay->config.timeout = config->timeout;
}

void sbc_relay_free(struct sbc_relay *relay)
{
    if (!relay)
        return;
    assert(relay->count.open == 0);
    for (int side = 0; side < 2; side++)
        free(relay->legs[side]);
    free(relay);
}

const struct sbc_relay_count *sbc_relay_count(const struct sbc_relay *relay)
{
    return &relay->count;
}
