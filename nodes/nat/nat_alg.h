/* The SIP ALG of home routers (FACTS NW-4): a NAT that looks into SIP over UDP and puts its own addresses in the place
 * of those inside. What it is meant to do is what RFC 2663 §2.9 calls an application level gateway; what devices in the
 * field leave out of it is configuration here, so that each half of an ALG can be had alone:
 *
 *     going out    Via, Contact and the session description (RFC 4566 c=, m=, o=, a=rtcp) name the public endpoint; for
 *                  announced media a pinhole is opened, through which the other side's media may come in first
 *     coming in    Via, Contact and Request-URI that name the public endpoint name the inside one again
 *
 * A message is one whole packet here: like the boxes that it models, it does not put fragments together. It works on
 * what the NAT has translated, by the port of the remote end, as a connection-tracking helper does. */
#ifndef FAREND_NAT_ALG_H
#define FAREND_NAT_ALG_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/nat/nat.h"

#include <stdbool.h>
#include <stdint.h>

enum nat_alg_sdp { NAT_ALG_SDP_ALL, NAT_ALG_SDP_REQUESTS, NAT_ALG_SDP_NONE };

/* Whom announced media ports let in before anything was sent from them. */
enum nat_alg_pinholes {
    NAT_ALG_PINHOLES_ANYONE,
    NAT_ALG_PINHOLES_PEER, /* the address that the signalling goes to: Linux's sip_direct_media=1 */
    NAT_ALG_PINHOLES_NONE, /* nobody, and no port is mapped: the port inside is announced when it has no mapping yet */
};

struct nat_alg_config {
    uint16_t port; /* of the remote end: what else goes by is not looked at */
    bool strict;   /* what cannot be parsed is dropped ("alg-unparsed"); else it passes as it is */
    bool via, contact;
    enum nat_alg_sdp sdp;
    bool restores;     /* looks at what comes in, too */
    bool fixes_length; /* Content-Length follows the body */
    bool drops_grown;  /* a message that has outgrown the MTU is dropped ("too-big"); else it is fragmented */
    enum nat_alg_pinholes pinholes;
    lab_time pinhole_timeout; /* after the last message that announced it */
};

/* One place that was rewritten. Spans are borrowed for the call. */
struct nat_alg_note {
    struct span message; /* "INVITE", "200 INVITE" */
    const char *what;    /* via, contact, request-uri, media, origin */
    struct span from, to;
};

/* Called from inside nat_packet. May not call the engine. */
typedef void nat_alg_noted(void *arg, const struct nat_alg_note *note);

/* From the next packet on. *config is copied. FE_EMEM. */
int nat_alg_start(struct nat *nat, const struct nat_alg_config *config, nat_alg_noted *noted, void *arg);
void nat_alg_stop(struct nat *nat); /* fine when there is none */

#endif
