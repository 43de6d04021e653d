/* Session timers (RFC 4028 §8) as a proxy sees them: it may ask for one, shorten one, and refuse one that is too short
 * for it. It refreshes nothing and ends no call, but may free what it keeps for one when the session has expired
 * (§8.3). Pure; what is remembered for the length of a transaction is the request itself. */
#ifndef FAREND_SIP_SESSION_PROXY_H
#define FAREND_SIP_SESSION_PROXY_H

#include "nodes/base/lab_time.h"
#include "nodes/base/text.h"
#include "nodes/proto/sip_edit.h"
#include "nodes/proto/sip_msg.h"

#include <stdbool.h>
#include <stdint.h>

/* Zero: what requests ask for passes as it is. */
struct sip_session_proxy {
    uint32_t interval; /* s: what it asks for when nobody has, and the most that passes; 0: it does not ask */
    uint32_t least;    /* s: a shorter interval is refused, or raised; 0: it does not look; else below 90: 90 */
};

/* §8.1: true: the request is to be refused with 422; Min-SE is written to `headers`. */
bool sip_session_proxy_refuses(const struct sip_session_proxy *p, const struct sip_msg *request, struct text *headers);

/* What it writes into a message that passes: memory of the edit, to live until sip_edit_write(). */
struct sip_session_edit {
    char expires[32]; /* "1800;refresher=uac" */
};

/* §8.1: the request as it is forwarded. */
void sip_session_proxy_request(const struct sip_session_proxy *p, const struct sip_msg *request,
                               struct sip_session_edit *room, struct sip_edit *edit);

/* §8.2: a response to it; `request` is as it was received. Of a UAS that knows no session timers: where the UAC knows
 * them and the request asked for one, the response is made to say that the UAC refreshes. Returns how long the session
 * lasts from when the response is forwarded; NEVER: it does not expire; 0: the response says nothing of it, and what
 * was said before holds. */
lab_time sip_session_proxy_response(const struct sip_session_proxy *p, const struct sip_msg *request,
                                    const struct sip_msg *response, struct sip_session_edit *room,
                                    struct sip_edit *edit);

#endif
