/* Session timers (RFC 4028): how long a call may go on without being refreshed, and who refreshes it. Pure: the time is
 * an argument, nothing is sent here.
 *
 * The user agent has one timer a dialog. Its roles as UAC and UAS may change with each session refresh request, that
 * is INVITE, re-INVITE or UPDATE:
 *
 *     as UAC   _ask()      the request's header lines            ──▶ 2xx: _confirmed()   422: _raised(), and once more
 *     as UAS   _refuses()  422?                                  ──▶ 2xx with the lines that _grant() writes
 *     forever  wait until _deadline(); _next() says REFRESH: send one, or OVER: say BYE
 *
 *     LASTS  ─ 2xx with Session-Expires ─▶  OURS    the refresh is due at half of the interval (§10)
 *       ▲                                   THEIRS  if none comes, the call is over min(32 s, interval / 3) before
 *       └─ 2xx without ─────────────────────┘       the session expires (§10)
 *
 * What a proxy does to the same header fields: sip_session_proxy.h. */
#ifndef FAREND_SIP_SESSION_TIMER_H
#define FAREND_SIP_SESSION_TIMER_H

#include "nodes/base/lab_time.h"
#include "nodes/base/text.h"
#include "nodes/proto/sip_msg.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SIP_SESSION_LEAST = 90,    /* s: no session interval is shorter (§5) */
    SIP_SESSION_USUAL = 1800,  /* s: recommended (§4) */
    SIP_SESSION_HEADERS = 128, /* bytes of the header lines that are written here */
};

enum sip_refresher {
    SIP_REFRESHER_OPEN, /* not said: the other side chooses */
    SIP_REFRESHER_UAC,
    SIP_REFRESHER_UAS,
};

/* What a message says of session timers. */
struct sip_session_fields {
    bool supported;    /* Supported: timer */
    uint32_t interval; /* s, Session-Expires; 0: there is none, or it cannot be read */
    enum sip_refresher refresher;
    uint32_t least; /* s, Min-SE; 0: there is none */
};

void sip_session_fields_read(const struct sip_msg *msg, struct sip_session_fields *out);

/* ";refresher=uac", ";refresher=uas", or nothing: behind the seconds of Session-Expires. */
struct span sip_session_refresher_text(enum sip_refresher refresher);

/* ---- user agents ---- */

struct sip_session_config {
    uint32_t interval; /* s, asked for; 0: session timers are not known here at all */
    uint32_t least;    /* s, a shorter one is refused with 422; below 90: 90 */
    /* As UAC what the first request asks for; as UAS what is chosen when the UAC leaves it open: OPEN is the UAC then.
     */
    enum sip_refresher refresher;
};

enum sip_session_state {
    SIP_SESSION_LASTS,  /* the session does not expire */
    SIP_SESSION_OURS,   /* we refresh */
    SIP_SESSION_THEIRS, /* the other side does */
};

struct sip_session_timer {
    struct sip_session_config config;
    enum sip_session_state state;
    bool begun;          /* a 2xx has been sent or received in this dialog */
    uint32_t interval;   /* s, of the session; before it began what is asked for */
    uint32_t least;      /* s, the largest Min-SE of a 422 or of a request so far; 0: none came */
    lab_time refresh_at; /* OURS; NEVER: one is under way, or was refused for good */
    lab_time over_at;
};

void sip_session_timer_init(struct sip_session_timer *t, const struct sip_session_config *config);

/* §7.1, §7.4: the header lines of a session refresh request; none when session timers are off. */
void sip_session_timer_ask(const struct sip_session_timer *t, struct text *out);

/* §7.2: a 2xx to it came. */
void sip_session_timer_confirmed(struct sip_session_timer *t, const struct sip_msg *response, lab_time now);

/* §7.3: a 422 came; true: the interval was raised, the request is worth sending once more. */
bool sip_session_timer_raised(struct sip_session_timer *t, const struct sip_msg *response);

/* §9: is the interval that a session refresh request asks for too short? Then it is refused with 422, and Min-SE is
 * written to `headers`. */
bool sip_session_timer_refuses(const struct sip_session_timer *t, const struct sip_msg *request, struct text *headers);

/* §9: the header lines of the 2xx that is sent now. */
void sip_session_timer_grant(struct sip_session_timer *t, const struct sip_msg *request, lab_time now,
                             struct text *out);

lab_time sip_session_timer_deadline(const struct sip_session_timer *t); /* NEVER: none */

enum sip_session_action {
    SIP_SESSION_NOTHING, /* no deadline has come */
    SIP_SESSION_REFRESH, /* send a session refresh request */
    SIP_SESSION_OVER,    /* say BYE; told once */
};
enum sip_session_action sip_session_timer_next(struct sip_session_timer *t, lab_time now);

/* The refresh could not be sent now, or was refused in a way that is worth another try (§10): the next one then. */
void sip_session_timer_retry(struct sip_session_timer *t, lab_time at);

#endif
