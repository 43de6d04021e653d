#include "nodes/phone/phone_parting.h"

#include "nodes/phone/phone.h"

static void send(struct phone_parting *parting)
{
    if (parting->send(parting->phone))
        parting->txn = NULL;
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone_parting *parting = arg;
    unsigned status = in->msg->status;
    (void)txn;
    if (status < 200)
        return;
    phone_parting_stop(parting);
    if ((status == 401 || status == 407) && sip_auth_challenged(&parting->auth, in->msg) == 0)
        send(parting);
    else if (parting->answered)
        parting->answered(parting->phone);
}

static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    (void)txn;
    (void)status;
    phone_parting_stop(arg);
}

const struct sip_client_events phone_parting_events = {.response = on_response, .failed = on_failed};

void phone_parting_init(struct phone_parting *parting, struct phone *p, const char *purpose)
{
    parting->phone = p;
    sip_auth_init(&parting->auth, p->host, purpose);
}

void phone_parting_say(struct phone_parting *parting)
{
    phone_parting_stop(parting);
    sip_auth_accepted(&parting->auth);
    send(parting);
}

void phone_parting_stop(struct phone_parting *parting)
{
    if (parting->txn)
        sip_txn_release(parting->txn);
    parting->txn = NULL;
}
