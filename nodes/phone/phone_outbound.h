/* The registration of a phone with outbound support (RFC 5626, FACTS PH-10, PH-11): it registers over each of its
 * flows, to the primary and to the backup at once, with the same instance and a reg-id each; calls come by whichever
 * lives.
 *
 * When to form a flow, to send a keep-alive and to give up is decided by sip_outbound.h; here it is done. Flow number i
 * leads to the server of site i and has reg-id i + 1. The phone is registered while one of them is. What befalls a
 * flow is traced as `outbound`. */
#ifndef FAREND_PHONE_OUTBOUND_H
#define FAREND_PHONE_OUTBOUND_H

#include "nodes/base/timers.h"
#include "nodes/media/stun_client.h"
#include "nodes/phone/phone_servers.h"
#include "nodes/sip/sip_auth.h"
#include "nodes/sip/sip_outbound.h"
#include "nodes/sip/sip_transport.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>
#include <stdint.h>

struct phone;

enum { PHONE_INSTANCE = 46 }; /* "urn:uuid:00000000-0000-1000-8000-08000f123456" and NUL */

struct phone_flow {
    struct phone *phone;
    unsigned server;
    struct sip_flow flow; /* while it is formed or up */
    struct sip_auth auth;
    char call_id[25], tag[11];
    uint32_t cseq;
    uint32_t expires; /* s, to be asked for */
    bool plain;       /* 439: the way there knows nothing of outbound (§6); registered as of old */
    bool registered;
    bool locating;           /* DNS is asked where the server is */
    struct sip_txn *txn;     /* NULL: no REGISTER is under way */
    struct timer refresh;    /* runs towards the next REGISTER, or to opening the connection again (PH-4) */
    struct stun_client stun; /* keep-alives over UDP */
};

struct phone_outbound {
    char instance[PHONE_INSTANCE];
    struct sip_outbound machine;
    unsigned n;
    struct phone_flow flows[PHONE_SITES];
    struct timer timer; /* the machine's deadline */
    bool ending;        /* the registrations are taken back */
};

void phone_outbound_init(struct phone *p);
void phone_outbound_stop(struct phone *p);  /* silently */
void phone_outbound_start(struct phone *p); /* forms what is not formed, and registers again by what is */
void phone_outbound_end(struct phone *p);   /* takes the registrations back */

/* A connection is down; a ping was answered; an answer of a STUN server came: false, to no question of a flow. */
void phone_outbound_down(struct phone *p, const struct sip_flow *flow);
void phone_outbound_pong(struct phone *p, const struct sip_flow *flow);
bool phone_outbound_stun(struct phone *p, struct endpoint from, struct span bytes);

/* DNS has answered about the server: a flow that waited for it is formed. `moved`: it is elsewhere now. */
void phone_outbound_located(struct phone *p, unsigned server, bool moved);

/* May requests go to the server? Not while its flow is down: another connection would not be known there (§4.3). */
bool phone_outbound_serves(const struct phone *p, unsigned server);

/* The server's flow has failed, whatever made the phone think so (430, …). */
void phone_outbound_failed(struct phone *p, unsigned server, const char *why);

#endif
