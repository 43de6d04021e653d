/* Flows that are promised to be kept alive (RFC 5626 §5.4): a phone that was told a Flow-Timer sends something before
 * it is over, so a flow that is silent for longer, and a grace for what is late on the way, has failed. */
#ifndef FAREND_SBC_WATCH_H
#define FAREND_SBC_WATCH_H

#include "nodes/host.h"
#include "nodes/sip/sip_transport.h"

/* Beyond the Flow-Timer, for delays and retransmissions on the way. */
#define SBC_WATCH_GRACE (10 * SEC)

struct sbc_watch;

/* `failed` comes from the host's loop; the flow is watched no more. FE_EMEM. */
int sbc_watch_new(struct sbc_watch **out, struct host *h, void (*failed)(void *arg, struct sip_flow flow), void *arg);
void sbc_watch_free(struct sbc_watch *set); /* NULL is fine */

/* The phone was told `timer` and counts on this flow from now on; again: the new time holds. Without memory the flow is
 * not watched. */
void sbc_watch_begin(struct sbc_watch *set, struct sip_flow flow, lab_time timer);
/* Something came by this flow: it is good for another Flow-Timer. Fine on one that is not watched. */
void sbc_watch_heard(struct sbc_watch *set, struct sip_flow flow);
void sbc_watch_end(struct sbc_watch *set, struct sip_flow flow); /* fine on one that is not watched */

#endif
