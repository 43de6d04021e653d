/* What keeps the NAT's mapping open, and tells whether the connection still lives (FACTS PH-5, X4; RFC 5626 §4.4.1). */
#ifndef FAREND_PHONE_KEEP_ALIVE_H
#define FAREND_PHONE_KEEP_ALIVE_H

#include "nodes/base/prng.h"
#include "nodes/base/timers.h"
#include "nodes/sip/sip_transport.h"

struct phone;

struct phone_keep_alives {
    struct timer timer;    /* `keep-alive` */
    struct sip_txn *probe; /* an OPTIONS that keeps the mapping alive */
    unsigned probed;       /* the server that it was sent to */

    struct timer persistent; /* `persistent tls keep alive`: runs while that connection is up */
    struct prng rng;         /* its intervals */
    struct sip_flow line;    /* that connection; 0: none */
    struct timer pong;       /* runs while an answer is awaited */
    struct sip_flow pinged;  /* by which */
};

void phone_keep_alive_start(struct phone *p);
void phone_keep_alive_stop(struct phone *p);

/* A connection that the phone opened is up; one is down; a ping by it was answered. */
void phone_keep_alive_up(struct phone *p, const struct sip_flow *flow);
void phone_keep_alive_down(struct phone *p, const struct sip_flow *flow);
void phone_keep_alive_pong(struct phone *p, const struct sip_flow *flow);

#endif
