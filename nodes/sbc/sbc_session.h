/* Media of one call on its way through the SBC once: which streams it has, and what becomes of the addresses in its
 * offers and answers (RFC 3264). A call between two teleworkers has two sessions, one for each passage.
 *
 * A session has a number, which travels in the SBC's own Record-Route URIs as the parameter "call": a later request of
 * the dialog names its session by the Route that it follows, whatever forks the call had.
 *
 * Sessions hold on to their streams until sbc_session_end(), or until the session timer of the call expires; what the
 * SDP asks for meanwhile (hold, new addresses, new streams, after a timeout of the relay a new opening) is done by the
 * next offer or answer. */
#ifndef FAREND_SBC_SESSION_H
#define FAREND_SBC_SESSION_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "nodes/sbc/sbc_near.h"
#include "nodes/sbc/sbc_relay.h"
#include "nodes/sbc/sbc_settings.h"

#include <stdbool.h>
#include <stdint.h>

struct sbc_session;
struct sbc_sessions;

/* FE_EMEM. The relay outlives it. */
int sbc_sessions_new(struct sbc_sessions **out, struct host *h, struct sbc_relay *relay, enum sbc_same_nat same_nat);
void sbc_sessions_free(struct sbc_sessions *set); /* ends all; NULL is fine */
size_t sbc_sessions_count(const struct sbc_sessions *set);

/* A call that came in on `from`. NULL without memory. */
struct sbc_session *sbc_session_new(struct sbc_sessions *set, struct span call_id, enum sbc_side from);

/* NULL: there is none. */
struct sbc_session *sbc_session_numbered(const struct sbc_sessions *set, uint64_t number);
/* NULL: there is none, or it belongs to another Call-ID: for numbers that come from a message. */
struct sbc_session *sbc_session_find(const struct sbc_sessions *set, uint64_t number, struct span call_id);
uint64_t sbc_session_number(const struct sbc_session *session);
struct span sbc_session_call_id(const struct sbc_session *session);
void sbc_session_end(struct sbc_session *session); /* closes its streams and frees it */

/* RFC 4028 §8.3: unless it is told otherwise before, the session ends at `expires`, its streams close as
 * "session-expired"; NEVER: it does not expire. Nothing is sent: a proxy ends no call. */
void sbc_session_expires(struct sbc_session *session, lab_time expires);

/* The party that a call is sent to, as far as its registration tells: with it SB-4 decides whether the media of two
 * teleworkers may take the short way. Without it media is relayed. */
void sbc_session_callee(struct sbc_session *session, struct sbc_place callee);

/* Where a description came from. */
struct sbc_sdp_source {
    enum sbc_side side;   /* on which it came in */
    struct endpoint seen; /* the source of the message */
};

/* An offer or answer passes: notes what it says and writes what is passed on. 0; FE_ESYNTAX: it is no SDP; FE_EAGAIN:
 * no media port is free; FE_ERANGE: too large, or more streams than SB-12 allows; FE_EMEM, FE_EOS. */
int sbc_session_sdp(struct sbc_session *session, const struct sbc_sdp_source *from, struct span body, struct text *out);

#endif
