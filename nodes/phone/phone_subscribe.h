/* The phone's subscription to its message waiting indication (RFC 6665, RFC 3842): once it is registered it subscribes
 * through the proxy in use, refreshes, and moves with the proxy (FACTS PH-20 … PH-23). Each change is traced as
 * `subscription`. */
#ifndef FAREND_PHONE_SUBSCRIBE_H
#define FAREND_PHONE_SUBSCRIBE_H

#include "nodes/base/lab_time.h"
#include "nodes/base/prng.h"
#include "nodes/base/timers.h"
#include "nodes/phone/phone_parting.h"
#include "nodes/sip/sip_auth.h"
#include "nodes/sip/sip_dialog.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>
#include <stdint.h>

struct phone;

enum phone_subscription_state {
    PHONE_UNSUBSCRIBED,    /* nothing is wanted, or the phone is not registered yet */
    PHONE_SUBSCRIBING,     /* the first SUBSCRIBE is under way: no dialog yet */
    PHONE_SUBSCRIBED,      /* the dialog is up; the timer runs towards the refresh, or that is under way */
    PHONE_SUBSCRIBE_PAUSE, /* it failed; the timer runs towards the next attempt, or never ends */
};

struct phone_subscription {
    enum phone_subscription_state state;
    unsigned tried;            /* sites that have failed the attempt under way, by bit */
    unsigned server, aor;      /* where and as whom: indices in phone.servers.list and phone.aors */
    char call_id[25], tag[11]; /* of this subscription */
    uint32_t cseq;             /* of SUBSCRIBEs before there is a dialog */
    uint32_t expires;          /* s, to be asked for: the setting, or what 423 demanded */
    struct prng rng;           /* Call-IDs, tags */
    struct sip_auth auth;
    struct sip_dialog dialog;
    struct sip_txn *txn; /* NULL: nothing is under way */
    struct timer timer;
    struct timer notify; /* timer N (§4.1.2.4): each SUBSCRIBE is followed by a NOTIFY */
    bool notified;       /* since the last SUBSCRIBE */
};

/* One that was left at the backup: one at a time. */
struct phone_unsubscription {
    struct sip_dialog dialog;
    unsigned aor;
    struct phone_parting parting;
};

void phone_subscribe_init(struct phone *p);
void phone_subscribe_stop(struct phone *p); /* silently */

/* The registration was accepted, or the proxy in use has changed: subscribes if it is wanted and not done there. */
void phone_subscribe_check(struct phone *p);

/* A NOTIFY came: is answered. */
void phone_subscribe_notify(struct phone *p, struct sip_txn *txn, const struct sip_incoming *in);

/* phone_unsubscribe.c: ends the subscription of this dialog, which it takes over; what comes of it does not matter. */
void phone_unsubscribe_init(struct phone *p);
void phone_unsubscribe(struct phone *p, struct sip_dialog *dialog, unsigned aor);
void phone_unsubscribe_stop(struct phone *p);
/* A NOTIFY of such a dialog has been answered; false: it belongs to none. */
bool phone_unsubscribe_notified(struct phone *p, struct sip_txn *txn, const struct sip_msg *notify);

#endif
