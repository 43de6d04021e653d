/* The phone has moved its subscription back to the primary: the one that it leaves at the backup is ended (RFC 6665
 * §4.1.2.3), or its notifications would go on until it expires. The old dialog is kept for the last of them. */
#include "nodes/phone/phone.h"
#include "nodes/proto/mwi.h"

static int unsubscribe_send(struct phone *p)
{
    struct phone_unsubscription *u = &p->unsubscription;
    struct sip_credentials who = phone_credentials(p, u->aor);
    char room[1024];
    struct text headers = text_on(room, sizeof room);
    text_str(&headers, "Event: " MWI_EVENT "\r\nExpires: 0\r\n");
    sip_auth_header(&u->parting.auth, &who, SPAN("SUBSCRIBE"), span_of(u->dialog.target), &headers);
    struct sip_dialog_request request = {.method = "SUBSCRIBE", .headers = text_span(&headers)};
    return sip_dialog_send(&u->dialog, &request, &phone_parting_events, &u->parting, &u->parting.txn);
}

void phone_unsubscribe_init(struct phone *p)
{
    p->unsubscription.parting.send = unsubscribe_send;
    phone_parting_init(&p->unsubscription.parting, p, "unsubscribe");
}

void phone_unsubscribe(struct phone *p, struct sip_dialog *dialog, unsigned aor)
{
    struct phone_unsubscription *u = &p->unsubscription;
    phone_unsubscribe_stop(p);
    u->dialog = *dialog;
    u->aor = aor;
    *dialog = (struct sip_dialog){0};
    phone_parting_say(&u->parting);
}

bool phone_unsubscribe_notified(struct phone *p, struct sip_txn *txn, const struct sip_msg *notify)
{
    if (!sip_dialog_has(&p->unsubscription.dialog, notify))
        return false;
    sip_txn_reply_status(txn, 200);
    return true;
}

void phone_unsubscribe_stop(struct phone *p)
{
    phone_parting_stop(&p->unsubscription.parting);
    sip_dialog_fini(&p->unsubscription.dialog);
}
