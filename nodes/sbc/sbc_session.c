/* What a description that passes is made to say. Normally: the ports of the leg that its reader talks to. When its
 * writer is reached through another stream of this SBC (two teleworkers) and may be reached directly (SB-4): what the
 * writer itself named there. The passage that leads to the called phone decides, once, when the first offer passes; the
 * other passage finds the decision when the answer, which names the deciding passage's ports, comes back through it. */
#include "nodes/sbc/sbc_session.h"

#include "nodes/base/error.h"
#include "nodes/proto/sdp.h"

#include <stdlib.h>

enum {
    STREAMS_MAX = 6, /* SB-12 */
    BUCKETS = 1024,  /* of calls at one time, by number */
};

enum shortcut { UNDECIDED, RELAYED, DIRECT };

struct sbc_session {
    struct sbc_sessions *set;
    struct sbc_session *next; /* in its bucket */
    uint64_t number;
    enum sbc_side from;
    struct sbc_place callee;
    enum shortcut shortcut;
    struct timer expiry;                     /* RFC 4028; not running: the session does not expire */
    struct sbc_stream *streams[STREAMS_MAX]; /* by m= line; NULL: not opened (yet) */
    size_t call_id_n;
    char call_id[];
};

struct sbc_sessions {
    struct host *host;
    struct sbc_relay *relay;
    enum sbc_same_nat same_nat;
    struct sbc_session *bucket[BUCKETS];
    uint64_t last; /* number given */
    size_t n;
};

/* ---- sessions ---- */

static void close_session(struct sbc_session *session, const char *reason)
{
    struct sbc_session **at = &session->set->bucket[session->number % BUCKETS];
    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    session->set->n--;
    host_timer_stop(session->set->host, &session->expiry);
    for (int i = 0; i < STREAMS_MAX; i++) {
        if (session->streams[i])
            sbc_stream_close(session->streams[i], reason);
        sbc_stream_free(session->streams[i]);
    }
    free(session);
}

static void expired(void *arg)
{
    close_session(arg, "session-expired");
}

struct sbc_session *sbc_session_new(struct sbc_sessions *set, struct span call_id, enum sbc_side from)
{
    struct sbc_session *session = malloc(sizeof *session + call_id.n);
    if (!session)
        return NULL;
    *session = (struct sbc_session){.set = set, .number = ++set->last, .from = from, .call_id_n = call_id.n};
    memcpy(session->call_id, call_id.p, call_id.n);
    timer_init(&session->expiry, expired, session);
    struct sbc_session **bucket = &set->bucket[session->number % BUCKETS];
    session->next = *bucket;
    *bucket = session;
    set->n++;
    return session;
}

struct sbc_session *sbc_session_numbered(const struct sbc_sessions *set, uint64_t number)
{
    struct sbc_session *session = set->bucket[number % BUCKETS];
    while (session && session->number != number)
        session = session->next;
    return session;
}

struct sbc_session *sbc_session_find(const struct sbc_sessions *set, uint64_t number, struct span call_id)
{
    struct sbc_session *session = sbc_session_numbered(set, number);
    return session && span_equal(sbc_session_call_id(session), call_id) ? session : NULL;
}

uint64_t sbc_session_number(const struct sbc_session *session)
{
    return session->number;
}

struct span sbc_session_call_id(const struct sbc_session *session)
{
    return span_make(session->call_id, session->call_id_n);
}

void sbc_session_callee(struct sbc_session *session, struct sbc_place callee)
{
    session->callee = callee;
}

void sbc_session_end(struct sbc_session *session)
{
    close_session(session, NULL);
}

void sbc_session_expires(struct sbc_session *session, lab_time expires)
{
    if (expires == NEVER)
        host_timer_stop(session->set->host, &session->expiry);
    else
        host_timer_start(session->set->host, &session->expiry, expires);
}

/* ---- descriptions ---- */

static bool relayed(const struct sdp_media *m)
{
    return m->port != 0 && m->connection.is_ipv4 &&
           (span_starts(m->protocol, SPAN("RTP/")) || span_equal_nocase(m->protocol, SPAN("udptl")));
}

/* The stream of m= line i, opened now if it is new or was closed by its timeout. */
static int stream_of(struct sbc_session *session, size_t i, struct sbc_stream **out)
{
    struct sbc_stream **stream = &session->streams[i];
    if (*stream && !sbc_stream_is_open(*stream)) {
        sbc_stream_free(*stream);
        *stream = NULL;
    }
    if (!*stream) {
        const enum sbc_side sides[2] = {session->from, sbc_side_other(session->from)};
        int error = sbc_stream_new(stream, session->set->relay, sbc_session_call_id(session), (unsigned)i, sides);
        if (error)
            return error;
    }
    *out = *stream;
    return 0;
}

/* Inside, what an SDP says is true; outside a private address means something only to its writer, unless the SBC sees
 * the phone at that very address. */
static struct sbc_media_peer peer_of(const struct sdp_media *m, const struct sbc_sdp_source *from)
{
    struct sbc_media_peer peer = {.rtp = sdp_rtp(m), .rtcp = sdp_rtcp(m), .seen = from->seen.addr};
    peer.reachable = from->side == SBC_INSIDE || !addr_is_private(peer.rtp.addr) || peer.rtp.addr == from->seen.addr;
    return peer;
}

static bool takes_shortcut(struct sbc_session *session, const struct sbc_media_peer *caller)
{
    if (session->shortcut == UNDECIDED) {
        struct sbc_place place = {caller->seen, caller->rtp.addr};
        session->shortcut = sbc_near(session->set->same_nat, place, session->callee) ? DIRECT : RELAYED;
    }
    return session->shortcut == DIRECT;
}

/* What the description that came from `end` has to name instead of its writer. */
static struct endpoint passed_on(struct sbc_session *session, struct sbc_stream *stream, enum sbc_end end)
{
    enum sbc_end next_end;
    const struct sbc_stream *next = sbc_stream_joined(stream, end, &next_end);
    if (next) {
        const struct sbc_media_peer *beyond = sbc_stream_peer(next, sbc_end_other(next_end));
        if (end == SBC_END_A && takes_shortcut(session, beyond))
            sbc_stream_set_direct(stream);
        if (sbc_stream_is_direct(stream) || sbc_stream_is_direct(next))
            return beyond->rtp;
    }
    return sbc_stream_written(stream, sbc_end_other(end));
}

int sbc_session_sdp(struct sbc_session *session, const struct sbc_sdp_source *from, struct span body, struct text *out)
{
    struct sdp sdp;
    int error = sdp_parse(body, &sdp, NULL);
    if (error)
        return error;
    enum sbc_end end = from->side == session->from ? SBC_END_A : SBC_END_B;
    struct sdp_edit edit;
    sdp_edit_begin(&edit, &sdp);
    for (size_t i = 0; i < sdp.n_media; i++) {
        const struct sdp_media *m = &sdp.media[i];
        if (!relayed(m))
            continue;
        if (i >= STREAMS_MAX)
            return FE_ERANGE;
        struct sbc_stream *stream;
        error = stream_of(session, i, &stream);
        if (error)
            return error;
        struct sbc_media_peer peer = peer_of(m, from);
        sbc_stream_set_peer(stream, end, &peer);
        sdp_edit_media(&edit, i, passed_on(session, stream, end));
    }
    return sdp_edit_write(&edit, out);
}

/* ---- the set ---- */

int sbc_sessions_new(struct sbc_sessions **out, struct host *h, struct sbc_relay *relay, enum sbc_same_nat same_nat)
{
    struct sbc_sessions *set = calloc(1, sizeof *set);
    if (!set)
        return FE_EMEM;
    set->host = h;
    set->relay = relay;
    set->same_nat = same_nat;
    *out = set;
    return 0;
}

void sbc_sessions_free(struct sbc_sessions *set)
{
    if (!set)
        return;
    for (int i = 0; i < BUCKETS; i++)
        while (set->bucket[i])
            sbc_session_end(set->bucket[i]);
    free(set);
}

size_t sbc_sessions_count(const struct sbc_sessions *set)
{
    return set->n;
}
