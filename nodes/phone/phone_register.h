/* The registration of a phone (RFC 3261 §10.2): REGISTER with digest, refreshes, pauses after failures (FACTS PH-25).
 *
 * The phone believes that it is registered until an answer tells otherwise: when the path dies, it notices at the next
 * refresh, or by a keep-alive that asks for an answer. */
#ifndef FAREND_PHONE_REGISTER_H
#define FAREND_PHONE_REGISTER_H

#include "nodes/base/lab_time.h"
#include "nodes/base/timers.h"
#include "nodes/sip/sip_auth.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>
#include <stdint.h>

struct phone;

enum phone_register_state {
    PHONE_UNREGISTERED,  /* nothing is wanted; only a command changes that */
    PHONE_TRYING,        /* REGISTER under way */
    PHONE_REGISTERED,    /* the timer runs towards the refresh, or the refresh is under way */
    PHONE_FAILED,        /* the timer runs towards the next attempt */
    PHONE_UNREGISTERING, /* REGISTER with Expires: 0 under way */
};

struct phone_registration {
    enum phone_register_state state;
    struct sip_auth auth;
    char call_id[25], tag[11]; /* the same for all REGISTERs of one power-on (§10.2) */
    uint32_t cseq;
    uint32_t expires; /* s, to be asked for: the setting, or what 423 demanded */
    struct timer timer;
    struct sip_txn *txn; /* NULL: nothing is under way */
};

void phone_register_init(struct phone *p);
void phone_register_start(struct phone *p); /* now, whatever the state; nothing when one is under way */
void phone_register_end(struct phone *p);   /* takes the binding back */
void phone_register_stop(struct phone *p);  /* silently */

#endif
