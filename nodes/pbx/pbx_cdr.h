/* Call records (PB-9): one `cdr` line at the end of every call attempt.
 *
 *     started ──ringing──▶ ──2xx──▶ answered ──BYE──▶ record "answered"
 *        │                             └──its session expires (RFC 4028 §8.3)──▶ record "expired"
 *        └────────final failure────▶ record "busy", "no-answer", "cancelled", "failed"
 *
 * A call is found by its Call-ID; an INVITE that is challenged, or refused with 422 (RFC 4028 §7.3), and comes again is
 * one attempt: the challenge is not told, the 422 leaves no record. */
#ifndef FAREND_PBX_CDR_H
#define FAREND_PBX_CDR_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/host.h"

#include <stddef.h>

struct pbx_cdrs;

/* `expired`: a record "expired" was written; may be NULL. FE_EMEM. */
int pbx_cdrs_new(struct pbx_cdrs **out, struct host *h, void (*expired)(void *arg), void *arg);
void pbx_cdrs_free(struct pbx_cdrs *set); /* running calls leave no record; NULL is fine */
size_t pbx_cdrs_running(const struct pbx_cdrs *set);

/* An attempt begins; ignored when a call with this Call-ID runs (a re-INVITE). FE_EMEM. */
int pbx_cdr_start(struct pbx_cdrs *set, struct span call_id, struct span from, struct span to);
/* A status went to the caller: 101–199 rings, 2xx answers, above 299 ends. Ignored for calls that do not run or, but
 * for the first 2xx, that were answered. */
void pbx_cdr_status(struct pbx_cdrs *set, struct span call_id, unsigned status);
/* A 2xx says when the session expires, in place of what was said before; NEVER: it does not. Ignored for calls that do
 * not run or were not answered. */
void pbx_cdr_session(struct pbx_cdrs *set, struct span call_id, lab_time expires);
/* A BYE passed. */
void pbx_cdr_bye(struct pbx_cdrs *set, struct span call_id);

#endif
