/* Session descriptions (RFC 4566, offer and answer RFC 3264) as spans into the body: parse, edit in place, build.
 *
 * What farend does not understand (other address types, other protocols, attributes) is kept as bytes and passed on.
 * Ownership: a struct sdp borrows the bytes it was parsed from. */
#ifndef FAREND_PROTO_SDP_H
#define FAREND_PROTO_SDP_H

#include "nodes/base/addr.h"
#include "nodes/base/error.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "nodes/proto/splice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SDP_MAX_MEDIA  16
#define SDP_MAX_CODECS 16

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE }; /* without one: sendrecv (§6) */
enum sdp_type { SDP_AUDIO, SDP_VIDEO, SDP_OTHER_TYPE };

struct sdp_connection {
    bool given;       /* there is a c= line */
    struct span text; /* its address as written, without /ttl */
    bool is_ipv4;     /* IN IP4 with an address; a name or IP6: false, and the bytes pass */
    ipv4 addr;
};

struct sdp_media {
    struct span bytes; /* the m= line to the end of the block */
    struct span line;  /* the m= line without its end */
    enum sdp_type type;
    struct span type_text;
    struct span port_text;
    uint16_t port;        /* 0: the stream is refused or over */
    struct span protocol; /* RTP/AVP, RTP/SAVP, … */
    struct span formats;  /* blank-separated; sdp_format_next() */
    struct sdp_connection own;
    struct sdp_connection connection; /* own, or the session's */
    bool has_direction;
    enum sdp_direction direction; /* own, or the session's, or sendrecv */
    bool has_rtcp;                /* a=rtcp (RFC 3605) */
    uint16_t rtcp_port;
    struct span rtcp_port_text;
    struct span rtcp_addr_text; /* empty: only a port is given */
    ipv4 rtcp_addr;             /* 0: none, or not IPv4 */
    bool rtcp_mux;              /* RFC 5761 */
    uint32_t ptime;             /* ms, 0: not given */
};

struct sdp {
    struct span bytes;
    struct span session; /* the part before the first m= */
    struct span origin_user, origin_id, origin_addr;
    uint64_t origin_version;
    struct span origin_version_text;
    struct span name; /* s= */
    struct sdp_connection connection;
    bool has_direction;
    enum sdp_direction direction;
    size_t n_media;
    struct sdp_media media[SDP_MAX_MEDIA];
};

/* Lines may end in CRLF or LF (§5: parsers should accept the latter). *offset (may be NULL) receives where it failed.
 * 0; FE_ESYNTAX: v=, o= or s= missing or out of order, a line that is not "x=…", a malformed line of those understood,
 * a stream without any c=; FE_ERANGE: a port above 65535, too many streams. */
int sdp_parse(struct span body, struct sdp *out, size_t *offset);

/* ---- reading ---- */
/* Where the media of stream i is to be sent; address 0 on hold in the old way or when it is not IPv4. */
struct endpoint sdp_rtp(const struct sdp_media *m);
struct endpoint sdp_rtcp(const struct sdp_media *m); /* a=rtcp, else the next port (RFC 3550 §11); rtcp-mux: the same */

/* Is the writer of this description holding? sendonly, inactive, or c=0.0.0.0 (RFC 3264 §8.4). */
bool sdp_on_hold(const struct sdp_media *m);
enum sdp_direction sdp_reverse(enum sdp_direction d); /* what the other side calls it */
struct span sdp_direction_name(enum sdp_direction d); /* "sendonly"; static */

/* Attributes of a stream, or of the session's part, in order. */
struct sdp_attribute {
    struct span line; /* with its line end */
    struct span name;
    struct span value; /* p == NULL: a flag */
};
bool sdp_attribute_next(struct span *block, struct sdp_attribute *out); /* block: m->bytes or sdp->session, shrinks */
bool sdp_attribute(struct span block, const char *name, struct span *value);

/* Formats of an RTP stream in order of preference: *rest starts as m->formats. False: no more, or not a number ≤ 127.
 */
bool sdp_format_next(struct span *rest, uint8_t *payload_type);

struct sdp_codec {
    uint8_t payload_type;
    struct span name; /* "PCMA", "telephone-event" */
    uint32_t clock;   /* Hz */
    uint8_t channels; /* 1 or more */
    struct span fmtp; /* empty: none */
};

/* From a=rtpmap and a=fmtp, or RFC 3551's static types; false: the payload type means nothing here. */
bool sdp_codec(const struct sdp_media *m, uint8_t payload_type, struct sdp_codec *out);
bool sdp_codec_same(const struct sdp_codec *a, const struct sdp_codec *b); /* name in any case, clock, channels */

/* ---- editing: everything else stays byte for byte ---- */
struct sdp_edit {
    const struct sdp *sdp;
    struct splices splices;
    char notes[1024];
    struct text text;  /* over notes */
    bool session_done; /* the session's c= has been replaced */
};

void sdp_edit_begin(struct sdp_edit *e, const struct sdp *sdp);

/* Stream i is now at `at`: port in m=, address in its c= or, when it has none of its own, in the session's; a=rtcp gets
 * port + 1 and, if it names one, the address. A port that is 0 and an address 0.0.0.0 (hold) stay. Streams that share
 * the session's c= share its address: the first call decides. */
void sdp_edit_media(struct sdp_edit *e, size_t i, struct endpoint at);
void sdp_edit_origin(struct sdp_edit *e, ipv4 addr); /* o= names this address */
void sdp_edit_refuse(struct sdp_edit *e, size_t i);  /* port 0 */
/* Attributes with this name go, everywhere ("candidate", "ice-ufrag", …). */
void sdp_edit_strip(struct sdp_edit *e, const char *attribute);
/* 0; FE_ERANGE: does not fit, or too many edits; FE_EUSED: two edits touch the same bytes. */
int sdp_edit_write(struct sdp_edit *e, struct text *t);

/* ---- building ---- */
struct sdp_local {
    struct span user;     /* o= user name; empty: "-" */
    uint64_t id, version; /* version goes up with every change (RFC 3264 §8) */
    struct endpoint at;   /* where audio is to be sent */
    enum sdp_direction direction;
    uint32_t ptime; /* ms; 0: not written */
    size_t n_codecs;
    struct sdp_codec codecs[SDP_MAX_CODECS]; /* in order of preference */
};

/* A description with one audio stream (RTP/AVP) and these codecs. */
void sdp_write_offer(struct text *t, const struct sdp_local *local);

/* The answer (RFC 3264 §6): one m= line for each of the offer's. The first audio stream over RTP/AVP that shares a
 * codec is taken, with the shared codecs in the offer's order and under the offer's payload types, telephone-event
 * included; all others get port 0. The direction is local->direction as far as the offer lets it. *chosen (may be NULL)
 * receives the first shared codec that is not telephone-event, *stream the index of the stream. FE_EREFUSED: nothing in
 * common (488); nothing was written. FE_ERANGE: does not fit. */
int sdp_write_answer(struct text *t, const struct sdp_local *local, const struct sdp *offer, struct sdp_codec *chosen,
                     size_t *stream);

#endif
