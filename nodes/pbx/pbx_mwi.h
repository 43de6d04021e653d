/* Message waiting: the PBX as the notifier of the event package message-summary (RFC 6665, RFC 3842; PB-8).
 *
 * Each line has a mailbox, of which only the numbers exist: the command `mwi 101 2/8` says two new and eight old
 * messages. A line may watch its own mailbox and no other. Every subscription gets a NOTIFY when it begins, when it is
 * refreshed, when the mailbox changes and when it ends. A restart loses the subscriptions, never the mailboxes. Changes
 * are traced as `subscription`. */
#ifndef FAREND_PBX_MWI_H
#define FAREND_PBX_MWI_H

#include "nodes/base/span.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>

struct pbx;
struct pbx_mwi;

int pbx_mwi_new(struct pbx_mwi **out, struct pbx *pbx); /* FE_EMEM */
void pbx_mwi_free(struct pbx_mwi *mwi);                 /* silently; NULL is fine */
void pbx_mwi_forget(struct pbx_mwi *mwi);               /* the subscriptions, silently: before the transactions go */

/* Every subscription ends with "deactivated": its phone shall subscribe again, elsewhere if there is one. */
void pbx_mwi_deactivate(struct pbx_mwi *mwi);

/* Is this SUBSCRIBE for the PBX itself? It is then not forwarded; authenticated by 401 as REGISTER is. */
bool pbx_mwi_concerns(const struct pbx *pbx, const struct sip_incoming *in);
void pbx_mwi_request(struct pbx *pbx, struct sip_txn *txn, const struct sip_incoming *in);

/* "101 2/8". NULL, or why not. */
const char *pbx_mwi_set(struct pbx *pbx, struct span words);

#endif
