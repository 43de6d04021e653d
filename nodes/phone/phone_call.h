/* A call of a phone: an INVITE dialog (RFC 3261 §13–15, offer and answer RFC 3264) and its media.
 *
 *   phone_call.c        states, trace, the end           phone_call_out.c    calls that the phone makes
 *   phone_call_in.c     calls that come to it            phone_call_hold.c   re-INVITEs of either side
 *   phone_call_media.c  descriptions and the session  phone_call_session.c  how long it lasts (RFC 4028) */
#ifndef FAREND_PHONE_CALL_H
#define FAREND_PHONE_CALL_H

#include "nodes/media/media.h"
#include "nodes/phone/phone.h"
#include "nodes/proto/sdp.h"
#include "nodes/sip/sip_accept.h"
#include "nodes/sip/sip_dialog.h"
#include "nodes/sip/sip_session_timer.h"

#include <stdbool.h>
#include <stdint.h>

enum phone_call_state {
    CALL_IDLE,       /* made, nothing sent or traced */
    CALL_CALLING,    /* out: INVITE sent, `invite` is set; or the STUN server is asked first. Timer: dial timeout */
    CALL_RINGING,    /* out: the other side rings. As calling */
    CALL_CANCELLING, /* out: given up. `invite` is set; its final response is awaited */
    CALL_INCOMING, /* in: rings here. `invite` is set; timer: answer, or ring timeout. With media: it was answered, and
                      the STUN server is asked */
    CALL_ANSWERED, /* in: 200 sent, `accept` repeats it; dialog and media are up */
    CALL_ESTABLISHED, /* dialog and media are up; timer: a hold to be tried again */
    CALL_LEAVING,     /* over for the user: only the answer to BYE is awaited. No media */
};

struct phone_call {
    struct phone *phone;
    struct phone_call *next;
    enum phone_call_state state;
    uint32_t number;
    char peer[64];                                       /* the other line */
    char call_id[PHONE_CALL_ID + 1], tag[PHONE_TAG + 1]; /* out: of the INVITE */
    uint32_t cseq;
    unsigned aor;          /* as which the phone takes part: index in phone.aors */
    int site;              /* out: where the INVITE went … */
    unsigned server;       /* … and its server: index in phone.servers.list */
    unsigned tried;        /* out: sites that have failed it, by bit */
    enum sip_transport by; /* as it began: what our Contact says */
    struct sip_flow line;  /* out: the connection that the INVITE went by */
    bool reconnected;      /* out: the INVITE has been sent again because its connection broke */
    struct timer timer;
    struct sip_txn *invite; /* out: client transaction; in: server transaction. NULL when it has ended */
    struct sip_txn *change; /* our re-INVITE or UPDATE, or BYE when leaving */
    bool refreshing;        /* it changes nothing, and its answer has not come */
    struct sip_dialog dialog;
    struct sip_accept accept;
    bool hang_up; /* in: answered, and hung up before the ACK: say BYE when it comes (§15) */

    struct media *media;
    struct sip_session_timer session;
    struct timer session_timer; /* its deadline */
    bool peer_updates;          /* UPDATE is among what the peer allows */

    uint64_t sdp_id, sdp_version;
    uint64_t sdp_hash;                 /* of the description with this version; 0: there is none */
    bool offered;                      /* our description is the offer of an exchange that still lacks the answer */
    bool holding;                      /* by our user */
    bool flowing;                      /* media was traced as started */
    enum sdp_direction peer_direction; /* as the peer wrote it last */
    struct host_icmp refused;          /* the last error about media that was traced */
};

/* ---- phone.c asks ---- */
struct phone_call *phone_call_active(struct phone *p); /* the one that is not over for the user, or NULL */
struct phone_call *phone_call_of(struct phone *p, const struct sip_msg *msg); /* by its dialog, or NULL */
void phone_call_incoming(struct phone *p, struct sip_txn *txn, const struct sip_incoming *in);
void phone_call_acked(struct phone_call *c, const struct sip_msg *ack);
void phone_call_bye(struct phone_call *c, struct sip_txn *txn);
void phone_call_changed(struct phone_call *c, struct sip_txn *txn, const struct sip_incoming *in); /* re-INVITE */
void phone_call_updated(struct phone_call *c, struct sip_txn *txn, const struct sip_incoming *in); /* UPDATE */
void phone_call_free(struct phone_call *c); /* silently, media too; takes it off the phone's list */

/* ---- commands; each returns NULL or why it cannot be ---- */
const char *phone_call_dial(struct phone *p, struct span line);
const char *phone_call_answer(struct phone_call *c);
const char *phone_call_hang_up(struct phone_call *c); /* BYE, CANCEL or 603, as the state demands */
const char *phone_call_hold(struct phone_call *c, bool hold);
void phone_call_report(struct phone_call *c);

/* ---- phone_call.c ---- */
struct phone_call *phone_call_new(struct phone *p); /* NULL without memory */

struct phone_call_event {
    unsigned status; /* 0: none */
    struct span reason;
    const char *by; /* "local", "remote"; NULL: nobody in particular */
};
void phone_call_set_state(struct phone_call *c, enum phone_call_state state);

enum phone_call_end { CALL_ENDED, CALL_FAILED, CALL_CANCELLED };
/* The call is over for its user: the last media report, the trace. Then the caller says BYE or frees. */
void phone_call_over(struct phone_call *c, enum phone_call_end end, const struct phone_call_event *event);
void phone_call_leave(struct phone_call *c); /* says BYE; the call frees itself after the answer */
/* A 2xx of ours was never acknowledged (§13.3.1.4, §14.2): the caller does not know of the call, or of its change. */
void phone_call_unacknowledged(void *call);
/* The dialog is there: where its requests go. */
void phone_call_route(struct phone_call *c);
/* Header lines of a request in the dialog: credentials, once they were asked for. */
struct span phone_call_headers(struct phone_call *c, const char *method, struct text *room);
/* A 401 or 407 to a request of this call: true when it is worth sending it again. */
bool phone_call_challenged(struct phone_call *c, const struct sip_msg *response);
/* The credentials' header line of an INVITE, which its ACK repeats (§22.1); may be empty. */
struct span phone_call_credentials(const struct sip_msg *invite);

/* ---- phone_call_out.c, phone_call_in.c ---- */
void phone_call_invite(struct phone_call *c);  /* sends the INVITE, or fails */
void phone_call_give_up(struct phone_call *c); /* CANCEL */
void phone_call_decline(struct phone_call *c); /* 603 */

/* ---- phone_call_hold.c ---- */
void phone_call_refresh(struct phone_call *c); /* as nothing has changed; later, when a change is under way */

/* ---- phone_call_session.c ---- */
void phone_call_session_init(struct phone_call *c);
void phone_call_session_stop(struct phone_call *c);
/* An INVITE or UPDATE asks for too short a session: 422, and its Min-SE in `headers`. */
bool phone_call_session_refuses(const struct phone *p, const struct sip_msg *request, struct text *headers);
/* What the peer says of itself in an INVITE, UPDATE, or its answer. */
void phone_call_session_heard(struct phone_call *c, const struct sip_msg *msg);
/* The header lines of the 2xx that is sent to the request now; the session lasts from now. */
void phone_call_session_grant(struct phone_call *c, const struct sip_msg *request, struct text *headers);
void phone_call_session_confirmed(struct phone_call *c, const struct sip_msg *response); /* a 2xx to ours */
/* Our refresh was not sent, or refused: once more after the pause; NEVER: not any more. */
void phone_call_session_retry(struct phone_call *c, lab_time pause);

/* ---- phone_call_media.c ---- */
int phone_call_media_open(struct phone_call *c); /* errors as media_open */
/* Writes our description as an offer: FE_ERANGE. */
int phone_call_offer(struct phone_call *c, struct text *out);
/* Takes the offer in msg and writes the answer. FE_ESYNTAX: no description that can be read; FE_EREFUSED: nothing in
 * common; FE_ERANGE. */
int phone_call_answer_to(struct phone_call *c, const struct sip_msg *msg, struct text *out);
/* Takes the answer to our offer. Errors as before. */
int phone_call_answered_with(struct phone_call *c, const struct sip_msg *msg);
/* Speaks and listens as state and descriptions allow; traces what changed. */
void phone_call_flow(struct phone_call *c);
void phone_call_media_close(struct phone_call *c); /* the last report, then BYE in RTCP */

#endif
