/* A 2xx to an INVITE, repeated until its ACK comes (RFC 3261 §13.3.1.4): after T1, doubling up to T2; given up after
 * 64·T1, when the session is to be ended with a BYE. It is the user agent that repeats it, not the transaction, because
 * the ACK comes end to end. */
#ifndef FAREND_SIP_ACCEPT_H
#define FAREND_SIP_ACCEPT_H

#include "nodes/base/lab_time.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>

/* Memory of the owner, zeroed at first. */
struct sip_accept {
    struct sip_txns *txns;
    struct timer repeat, limit;
    lab_time interval;
    struct sip_flow flow;
    char *bytes; /* the 2xx, while it is being repeated */
    size_t size;
    uint32_t cseq; /* the ACK has the same number */
    void (*unacknowledged)(void *arg);
    void *arg;
};

/* Sends the 2xx on the INVITE's transaction and begins to repeat it. `unacknowledged` is called once after 64·T1
 * without sip_accept_acked(): traced as timeout of timer "2xx"; say BYE. Errors as sip_txn_reply, FE_EMEM. */
int sip_accept_start(struct sip_accept *a, struct sip_txn *invite, const struct sip_reply *reply,
                     void (*unacknowledged)(void *arg), void *arg);

/* An ACK of the dialog came. True when it was the one waited for, for the first time. */
bool sip_accept_acked(struct sip_accept *a, const struct sip_msg *ack);

bool sip_accept_waiting(const struct sip_accept *a);
void sip_accept_stop(struct sip_accept *a); /* frees; fine on zeroed memory and twice */

#endif
