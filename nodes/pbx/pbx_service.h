/* How well the PBX serves: normally, or in one of the ways in which a PBX fails without being gone. Set by the setting
 * `answers` and changed by commands while it runs; each change is traced as `service`. */
#ifndef FAREND_PBX_SERVICE_H
#define FAREND_PBX_SERVICE_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/base/timers.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>

struct pbx;

enum pbx_answers { /* the setting */
                   PBX_ANSWERS_NORMALLY,
                   PBX_ANSWERS_503, /* every new request is refused, with Retry-After if one is set (RFC 3261 §21.5.4)
                                     */
                   PBX_ANSWERS_NOTHING, /* its machine is up and its port open, but the program reads and says nothing
                                         */
};

enum pbx_service_state {
    PBX_NORMAL,
    PBX_REFUSING, /* PBX_ANSWERS_503 */
    PBX_SILENT,   /* PBX_ANSWERS_NOTHING */
    PBX_STOPPING, /* new requests are refused with 503, running calls go on; then, or when `timer` fires, it exits */
};

struct pbx_service {
    enum pbx_service_state state;
    lab_time retry_after; /* what a 503 says; 0: nothing */
    lab_time second;      /* the one that `taken` counts new requests of, for the capacity */
    uint32_t taken;
    struct timer timer; /* STOPPING: the end of its patience */
};

void pbx_service_init(struct pbx *pbx);  /* as the settings say */
void pbx_service_stop(struct pbx *pbx);  /* the timer */
void pbx_service_apply(struct pbx *pbx); /* to transactions that were made anew */

/* "normally", "503", "503 retry after 30s", "nothing". NULL, or why not. */
const char *pbx_service_set(struct pbx *pbx, struct span words);

/* Begins to stop (command `stop`). */
void pbx_service_leave(struct pbx *pbx);
/* A call may have ended: the last one of a PBX that stops? */
void pbx_service_call_ended(struct pbx *pbx);

/* True: the request has been refused. What belongs to a call is not new: a PBX that stops sees it to its end. */
bool pbx_service_refuses(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in);

#endif
