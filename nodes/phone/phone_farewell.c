/* The phone has moved its registration back to the primary: the binding that it leaves at the backup is taken back
 * (RFC 3261 §10.2.2), or calls would go on reaching the phone there until it expires. */
#include "nodes/phone/phone.h"

static void farewell_send(struct phone *p);

static void txn_drop(struct phone *p)
{
    struct phone_farewell *f = &p->registration.farewell;
    if (f->txn)
        sip_txn_release(f->txn);
    f->txn = NULL;
}

static void on_response(void *arg, struct sip_txn *txn, const struct sip_incoming *in)
{
    struct phone *p = arg;
    unsigned status = in->msg->status;
    (void)txn;
    if (status < 200)
        return;
    txn_drop(p);
    if ((status == 401 || status == 407) && sip_auth_challenged(&p->registration.farewell.auth, in->msg) == 0)
        farewell_send(p);
    else
        phone_transport_leave(p, p->registration.farewell.from.server);
}

static void on_failed(void *arg, struct sip_txn *txn, unsigned status)
{
    (void)txn;
    (void)status;
    txn_drop(arg); /* the binding expires by itself */
}

static const struct sip_client_events events = {.response = on_response, .failed = on_failed};

static void farewell_send(struct phone *p)
{
    struct phone_registration *reg = &p->registration;
    struct phone_farewell *f = &reg->farewell;
    char room[160];
    struct text headers = text_on(room, sizeof room);
    struct phone_request request = {.method = "REGISTER",
                                    .server = f->from.server,
                                    .aor = f->from.aor,
                                    .call_id = reg->call_id,
                                    .tag = reg->tag,
                                    .cseq = ++reg->cseq,
                                    .auth = &f->auth,
                                    .headers = phone_register_headers(p, f->from.server, 0, &headers)};
    if (phone_request_send(p, &request, &events, p, &f->txn))
        f->txn = NULL;
}

void phone_farewell_init(struct phone *p)
{
    sip_auth_init(&p->registration.farewell.auth, p->host, "farewell");
}

void phone_farewell_say(struct phone *p, struct phone_home from)
{
    struct phone_farewell *f = &p->registration.farewell;
    txn_drop(p);
    f->from = from;
    sip_auth_accepted(&f->auth);
    farewell_send(p);
}

void phone_farewell_stop(struct phone *p)
{
    txn_drop(p);
}
