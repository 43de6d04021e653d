/* Offers and answers with one audio stream (RFC 3264 §5, §6). */
#include "nodes/proto/sdp.h"

static void put_session(struct text *t, const struct sdp_local *local)
{
    text_str(t, "v=0\r\no=");
    text_put(t, local->user.n ? local->user : SPAN("-"));
    text_char(t, ' ');
    text_u64(t, local->id);
    text_char(t, ' ');
    text_u64(t, local->version);
    text_str(t, " IN IP4 ");
    text_addr(t, local->at.addr);
    text_str(t, "\r\ns=-\r\nc=IN IP4 ");
    text_addr(t, local->at.addr);
    text_str(t, "\r\nt=0 0\r\n");
}

static void put_codec(struct text *t, const struct sdp_codec *c)
{
    text_str(t, "a=rtpmap:");
    text_u64(t, c->payload_type);
    text_char(t, ' ');
    text_put(t, c->name);
    text_char(t, '/');
    text_u64(t, c->clock);
    if (c->channels > 1) {
        text_char(t, '/');
        text_u64(t, c->channels);
    }
    text_str(t, "\r\n");
    if (c->fmtp.n == 0)
        return;
    text_str(t, "a=fmtp:");
    text_u64(t, c->payload_type);
    text_char(t, ' ');
    text_put(t, c->fmtp);
    text_str(t, "\r\n");
}

static void put_audio(struct text *t, const struct sdp_local *local, const struct sdp_codec *codecs, size_t n,
                      enum sdp_direction direction)
{
    text_str(t, "m=audio ");
    text_u64(t, local->at.port);
    text_str(t, " RTP/AVP");
    for (size_t i = 0; i < n; i++) {
        text_char(t, ' ');
        text_u64(t, codecs[i].payload_type);
    }
    text_str(t, "\r\n");
    for (size_t i = 0; i < n; i++)
        put_codec(t, &codecs[i]);
    if (local->ptime) {
        text_str(t, "a=ptime:");
        text_u64(t, local->ptime);
        text_str(t, "\r\n");
    }
    text_str(t, "a=");
    text_put(t, sdp_direction_name(direction));
    text_str(t, "\r\n");
}

void sdp_write_offer(struct text *t, const struct sdp_local *local)
{
    put_session(t, local);
    put_audio(t, local, local->codecs, local->n_codecs, local->direction);
}

/* ---- answers ---- */

static bool is_telephone_event(const struct sdp_codec *c)
{
    return span_equal_nocase(c->name, SPAN("telephone-event"));
}

/* The codec of ours that is the same as theirs, or NULL. */
static const struct sdp_codec *find_same(const struct sdp_local *local, const struct sdp_codec *theirs)
{
    for (size_t i = 0; i < local->n_codecs; i++)
        if (sdp_codec_same(&local->codecs[i], theirs))
            return &local->codecs[i];
    return NULL;
}

struct shared {
    struct sdp_codec codecs[SDP_MAX_CODECS];
    size_t n;
    const struct sdp_codec *voice; /* the first that carries speech; NULL: none */
};

/* What both can, in the offer's order, under the offer's payload types, with our parameters (RFC 3264 §6.1). */
static void find_shared(struct shared *s, const struct sdp_local *local, const struct sdp_media *offer)
{
    struct span formats = offer->formats;
    struct sdp_codec theirs;
    uint8_t payload_type;
    *s = (struct shared){0};
    while (s->n < SDP_MAX_CODECS && sdp_format_next(&formats, &payload_type)) {
        if (!sdp_codec(offer, payload_type, &theirs))
            continue;
        const struct sdp_codec *ours = find_same(local, &theirs);
        if (!ours)
            continue;
        s->codecs[s->n] = theirs;
        s->codecs[s->n].fmtp = ours->fmtp;
        if (!s->voice && !is_telephone_event(&theirs))
            s->voice = &s->codecs[s->n];
        s->n++;
    }
}

/* RFC 3264 §6.1: one end sends only if the other is willing to receive. */
static enum sdp_direction answer_direction(enum sdp_direction wish, enum sdp_direction offer)
{
    bool we_send = wish == SDP_SENDRECV || wish == SDP_SENDONLY;
    bool we_receive = wish == SDP_SENDRECV || wish == SDP_RECVONLY;
    we_send = we_send && (offer == SDP_SENDRECV || offer == SDP_RECVONLY);
    we_receive = we_receive && (offer == SDP_SENDRECV || offer == SDP_SENDONLY);
    if (we_send)
        return we_receive ? SDP_SENDRECV : SDP_SENDONLY;
    return we_receive ? SDP_RECVONLY : SDP_INACTIVE;
}

static void put_refused(struct text *t, const struct sdp_media *m)
{
    text_str(t, "m=");
    text_put(t, m->type_text);
    text_str(t, " 0 ");
    text_put(t, m->protocol);
    text_char(t, ' ');
    text_put(t, m->formats);
    text_str(t, "\r\n");
}

/* The first stream of the offer that can be taken; n_media: none. */
static size_t find_stream(struct shared *s, const struct sdp_local *local, const struct sdp *offer)
{
    for (size_t i = 0; i < offer->n_media; i++) {
        const struct sdp_media *m = &offer->media[i];
        if (m->type != SDP_AUDIO || m->port == 0 || !span_is(m->protocol, "RTP/AVP"))
            continue;
        find_shared(s, local, m);
        if (s->voice)
            return i;
    }
    return offer->n_media;
}

int sdp_write_answer(struct text *t, const struct sdp_local *local, const struct sdp *offer, struct sdp_codec *chosen,
                     size_t *stream)
{
    struct shared shared;
    size_t taken = find_stream(&shared, local, offer);
    if (taken == offer->n_media)
        return FE_EREFUSED;
    put_session(t, local);
    for (size_t i = 0; i < offer->n_media; i++) {
        const struct sdp_media *m = &offer->media[i];
        if (i == taken)
            put_audio(t, local, shared.codecs, shared.n, answer_direction(local->direction, m->direction));
        else
            put_refused(t, m);
    }
    if (chosen)
        *chosen = *shared.voice;
    if (stream)
        *stream = taken;
    return text_ok(t) ? 0 : FE_ERANGE;
}
