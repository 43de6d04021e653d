/* What a phone says to a server that it leaves: one request, which is sent again with credentials when it is
 * challenged. What comes of it does not matter, for what is not taken back expires by itself. */
#ifndef FAREND_PHONE_PARTING_H
#define FAREND_PHONE_PARTING_H

#include "nodes/sip/sip_auth.h"
#include "nodes/sip/sip_txn.h"

struct phone;

struct phone_parting {
    struct phone *phone;
    /* Writes the request and sends it, with phone_parting_events and the parting as their argument; the transaction is
     * parting->txn. As sip_dialog_send(). */
    int (*send)(struct phone *p);
    void (*answered)(struct phone *p); /* for good; NULL is fine */
    struct sip_auth auth;
    struct sip_txn *txn; /* NULL: nothing is under way */
};

extern const struct sip_client_events phone_parting_events;

/* `purpose`: of host_stream(). */
void phone_parting_init(struct phone_parting *parting, struct phone *p, const char *purpose);
void phone_parting_say(struct phone_parting *parting); /* what was under way is forgotten */
void phone_parting_stop(struct phone_parting *parting);

#endif
