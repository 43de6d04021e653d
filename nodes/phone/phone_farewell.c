/* The phone has moved its registration back to the primary: the binding that it leaves at the backup is taken back
 * (RFC 3261 §10.2.2), or calls would go on reaching the phone there until it expires. */
#include "nodes/phone/phone.h"

static int farewell_send(struct phone *p)
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
                                    .auth = &f->parting.auth,
                                    .headers = phone_register_headers(p, f->from.server, 0, &headers)};
    return phone_request_send(p, &request, &phone_parting_events, &f->parting, &f->parting.txn);
}

static void farewell_answered(struct phone *p)
{
    phone_transport_leave(p, p->registration.farewell.from.server);
}

void phone_farewell_init(struct phone *p)
{
    struct phone_parting *parting = &p->registration.farewell.parting;
    parting->send = farewell_send;
    parting->answered = farewell_answered;
    phone_parting_init(parting, p, "farewell");
}

void phone_farewell_say(struct phone *p, struct phone_home from)
{
    p->registration.farewell.from = from;
    phone_parting_say(&p->registration.farewell.parting);
}

void phone_farewell_stop(struct phone *p)
{
    phone_parting_stop(&p->registration.farewell.parting);
}
