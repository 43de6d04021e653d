/* What a parsed description means: addresses, hold, codecs. */
#include "nodes/proto/sdp.h"

#include <assert.h>

static const char *const direction_names[] = {
    [SDP_SENDRECV] = "sendrecv",
    [SDP_SENDONLY] = "sendonly",
    [SDP_RECVONLY] = "recvonly",
    [SDP_INACTIVE] = "inactive",
};
static_assert(sizeof direction_names / sizeof *direction_names == SDP_INACTIVE + 1, "every direction has a name");

struct span sdp_direction_name(enum sdp_direction d)
{
    return span_of(direction_names[d]);
}

enum sdp_direction sdp_reverse(enum sdp_direction d)
{
    if (d == SDP_SENDONLY)
        return SDP_RECVONLY;
    return d == SDP_RECVONLY ? SDP_SENDONLY : d;
}

struct endpoint sdp_rtp(const struct sdp_media *m)
{
    return (struct endpoint){m->connection.addr, m->port};
}

struct endpoint sdp_rtcp(const struct sdp_media *m)
{
    struct endpoint rtp = sdp_rtp(m);
    if (m->rtcp_mux || rtp.port == 0)
        return rtp;
    if (m->has_rtcp)
        return (struct endpoint){m->rtcp_addr_text.n ? m->rtcp_addr : rtp.addr, m->rtcp_port};
    return (struct endpoint){rtp.addr, (uint16_t)(rtp.port + 1)};
}

bool sdp_on_hold(const struct sdp_media *m)
{
    bool old_way = m->connection.is_ipv4 && m->connection.addr == 0;
    return old_way || m->direction == SDP_SENDONLY || m->direction == SDP_INACTIVE;
}

/* ---- codecs ---- */

static int parse_payload_type(struct span s, uint8_t *out)
{
    uint64_t value;
    int error = span_u64(s, 127, &value);
    if (!error)
        *out = (uint8_t)value;
    return error;
}

bool sdp_format_next(struct span *rest, uint8_t *payload_type)
{
    if (rest->n == 0)
        return false;
    struct span word = span_cut(*rest, ' ', rest);
    return parse_payload_type(word, payload_type) == 0;
}

/* RFC 3551 §6: the payload types that need no rtpmap. G722 is declared with 8000 Hz (§4.5.2). */
static bool static_codec(struct sdp_codec *c)
{
    static const struct {
        uint8_t payload_type;
        const char *name;
        uint32_t clock;
    } known[] = {
        {0, "PCMU", 8000}, {3, "GSM", 8000},   {4, "G723", 8000},   {8, "PCMA", 8000},   {9, "G722", 8000},
        {13, "CN", 8000},  {18, "G729", 8000}, {31, "H261", 90000}, {34, "H263", 90000},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].payload_type != c->payload_type)
            continue;
        c->name = span_of(known[i].name);
        c->clock = known[i].clock;
        c->channels = 1;
        return true;
    }
    return false;
}

/* The text behind "<payload type> " in the attributes with this name: a=rtpmap:8 PCMA/8000. */
static bool format_attribute(const struct sdp_media *m, const char *name, uint8_t payload_type, struct span *text)
{
    struct span block = m->bytes;
    struct sdp_attribute attribute;
    uint8_t number;
    while (sdp_attribute_next(&block, &attribute)) {
        if (!span_is(attribute.name, name) || !attribute.value.p)
            continue;
        struct span word = span_cut(attribute.value, ' ', text);
        if (parse_payload_type(word, &number) == 0 && number == payload_type)
            return true;
    }
    return false;
}

/* "PCMA/8000", "opus/48000/2" */
static bool parse_rtpmap(struct span text, struct sdp_codec *c)
{
    struct span rest;
    struct span channels;
    uint64_t value;
    c->name = span_cut(text, '/', &rest);
    struct span clock = span_cut(rest, '/', &channels);
    if (c->name.n == 0 || span_u64(clock, UINT32_MAX, &value) || value == 0)
        return false;
    c->clock = (uint32_t)value;
    c->channels = 1;
    if (!channels.p)
        return true;
    if (span_u64(channels, UINT8_MAX, &value) || value == 0)
        return false;
    c->channels = (uint8_t)value;
    return true;
}

bool sdp_codec(const struct sdp_media *m, uint8_t payload_type, struct sdp_codec *out)
{
    struct span text;
    *out = (struct sdp_codec){.payload_type = payload_type};
    bool known = format_attribute(m, "rtpmap", payload_type, &text) ? parse_rtpmap(text, out) : static_codec(out);
    if (known && format_attribute(m, "fmtp", payload_type, &text))
        out->fmtp = text;
    return known;
}

bool sdp_codec_same(const struct sdp_codec *a, const struct sdp_codec *b)
{
    return a->clock == b->clock && a->channels == b->channels && span_equal_nocase(a->name, b->name);
}
