/* The phone has moved its subscription back to the primary: the one that it leaves at the backup is ended (RFC 6665
 * §4.1.2.3), or its notifications would go on until it expires. The old dialog is kept for the last of them. */
#include "nodes/phone/phone.h"
#include "nodes/proto/mwi.h"

static void unsubscribe_send(struct phone *p);

static void txn_drop(struct phone *p)
{
    struct phone_unsubscription *u = &p->unsubscription;
    if (u->txn)
        sip_txn_release(u->txn);
    u->txn = NULL;
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone *p = arg;
    unsigned status = in->msg->status;
    (void)txn;
    if (status < 200)
        return;
    txn_drop(p);
    if ((status == 401 || status == 407) && sip_auth_challenged(&p->unsubscription.auth, in->msg) == 0)
        unsubscribe_send(p);
}

static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    (void)txn;
    (void)status;
    txn_drop(arg); /* the subscription expires by itself */
}

static const struct sip_client_events events = {.response = on_response, .failed = on_failed};

static void unsubscribe_send(struct phone *p)
{
    struct phone_unsubscription *u = &p->unsubscription;
    struct sip_credentials who = phone_credentials(p, u->aor);
    char room[1024];
    struct text headers = text_on(room, sizeof room);
    text_str(&headers, "Event: " MWI_EVENT "\r\nExpires: 0\r\n");
    sip_auth_header(&u->auth, &who, SPAN("SUBSCRIBE"), span_of(u->dialog.target), &headers);
    struct sip_dialog_request request = {.method = "SUBSCRIBE", .headers = text_span(&headers)};
    if (sip_dialog_send(&u->dialog, &request, &events, p, &u->txn))
        u->txn = NULL;
}

void phone_unsubscribe_init(struct phone *p)
{
    sip_auth_init(&p->unsubscription.auth, p->host, "unsubscribe");
}

void phone_unsubscribe(struct phone *p, struct sip_dialog *dialog, unsigned aor)
{
    struct phone_unsubscription *u = &p->unsubscription;
    phone_unsubscribe_stop(p);
    u->dialog = *dialog;
    u->aor = aor;
    *dialog = (struct sip_dialog){0};
    sip_auth_accepted(&u->auth);
    unsubscribe_send(p);
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
    txn_drop(p);
    sip_dialog_fini(&p->unsubscription.dialog);
}
