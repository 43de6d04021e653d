/* One flow of a phone with outbound support: it is formed, registered, and lost (RFC 5626 §4.2). phone_outbound.c says
 * when. */
#ifndef FAREND_PHONE_FLOW_H
#define FAREND_PHONE_FLOW_H

#include "nodes/phone/phone.h"

unsigned phone_flow_number(const struct phone_flow *f); /* from 0; its reg-id is one more */

/* Registers by it, for the first time or again; what has no connection gets one. After an error at once the flow is
 * lost, and the caller looks for the machine's next deadline. */
void phone_flow_register(struct phone_flow *f);

/* It has failed: nothing is left of it, the trace and the failover know, and the phone is unregistered if it was the
 * last. `answer`: what the server said, or nothing. The machine is not told. */
void phone_flow_lost(struct phone_flow *f, const struct phone_registered *answer, const char *why,
                     lab_time retry_after);
/* The same, and the machine is told and goes on. */
void phone_flow_failed(struct phone_flow *f, const struct phone_registered *answer, const char *why,
                       lab_time retry_after);

void phone_flow_let_go(struct phone_flow *f); /* silently */
void phone_flow_drop_request(struct phone_flow *f);

/* ---- phone_outbound.c ---- */
bool phone_outbound_any(const struct phone *p); /* is some flow registered? */
void phone_outbound_run(struct phone *p);       /* does what the machine wants now, and waits for its next deadline */

#endif
