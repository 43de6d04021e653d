/* Subscriptions' own header fields (RFC 6665, which replaces RFC 3265): Event and Subscription-State. Pure. */
#ifndef FAREND_PROTO_SIP_EVENT_H
#define FAREND_PROTO_SIP_EVENT_H

#include "nodes/base/span.h"
#include "nodes/proto/sip_msg.h"

#include <stdbool.h>
#include <stdint.h>

enum sip_subscription_state { SIP_SUBSCRIPTION_ACTIVE, SIP_SUBSCRIPTION_PENDING, SIP_SUBSCRIPTION_TERMINATED };

/* Why it was terminated, and with that what the subscriber does next (RFC 6665 §4.1.3). */
enum sip_subscription_reason {
    SIP_REASON_NONE,        /* none, or one that is not known: subscribe again */
    SIP_REASON_DEACTIVATED, /* subscribe again at once, perhaps elsewhere */
    SIP_REASON_PROBATION,   /* later: retry-after */
    SIP_REASON_REJECTED,    /* never */
    SIP_REASON_TIMEOUT,     /* it was not refreshed: at once */
    SIP_REASON_GIVEUP,      /* later: retry-after */
    SIP_REASON_NORESOURCE,  /* never */
    SIP_REASON_INVARIANT,   /* never: the state will not change */
};

struct sip_subscription {
    enum sip_subscription_state state; /* an unknown one counts as active (§4.1.3) */
    enum sip_subscription_reason reason;
    bool has_expires, has_retry_after;
    uint32_t expires, retry_after; /* s */
};

/* "active;expires=3599", "terminated;reason=deactivated". 0 or FE_ESYNTAX. */
int sip_subscription_parse(struct span value, struct sip_subscription *out);

/* Is the message about this event package (§4.5.1: token, without regard to parameters)? */
bool sip_event_is(const struct sip_msg *m, const char *package);

#endif
