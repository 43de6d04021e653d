/* Keep-alives that the phone and its first hop agree on (RFC 6223): the Via of REGISTER offers them, and the 2xx says
 * whether they are wanted, and how often. Without a word of the first hop none are sent. They are those of RFC 5626
 * §4.4: CR LF CR LF on a connection, a STUN request over UDP, and a flow by which no answer comes has failed. */
#ifndef FAREND_PHONE_KEEP_H
#define FAREND_PHONE_KEEP_H

#include "nodes/base/prng.h"
#include "nodes/base/timers.h"
#include "nodes/media/stun_client.h"
#include "nodes/sip/sip_transport.h"

struct phone;

struct phone_keep {
    bool agreed;
    lab_time recommended;    /* by the first hop; 0: it leaves that to us */
    struct sip_flow flow;    /* of the registration */
    struct timer timer;      /* towards the next one */
    struct timer pong;       /* runs while an answer is awaited */
    struct stun_client stun; /* UDP */
    struct endpoint seen;    /* UDP: as the first hop sees us; port 0: not known yet */
    struct prng rng;         /* the intervals */
};

void phone_keep_init(struct phone *p);
void phone_keep_stop(struct phone *p); /* the registration is over, or the phone */

/* A 2xx to REGISTER came from that server (§4.2.1): every one says anew whether keep-alives are wanted. */
void phone_keep_registered(struct phone *p, const struct sip_msg *response, unsigned server);

/* A connection is down; a ping was answered; an answer of a STUN server came: false, to no question of ours. */
void phone_keep_down(struct phone *p, const struct sip_flow *flow);
void phone_keep_pong(struct phone *p, const struct sip_flow *flow);
bool phone_keep_stun(struct phone *p, struct endpoint from, struct span bytes);

#endif
