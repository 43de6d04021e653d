/* The phone asks its router by PCP to keep the mapping of its SIP port (RFC 6887 §10.3), so that it need not send
 * keep-alives: with PEER that towards the server where it is registered, with MAP one for everybody. */
#ifndef FAREND_PHONE_PCP_H
#define FAREND_PHONE_PCP_H

#include "nodes/host.h"
#include "nodes/phone/pcp_client.h"

struct phone;
struct phone_settings;

enum phone_pcp_choice { PHONE_PCP_NO, PHONE_PCP_PEER, PHONE_PCP_MAP };

struct phone_pcp {
    struct host_udp *socket; /* NULL: it does not ask */
    struct pcp_client client;
    struct timer timer;
};

int phone_pcp_open(struct phone *p, struct text *why); /* after its sockets. Errors as host_udp_open() */
void phone_pcp_stop(struct phone *p);
void phone_pcp_registered(struct phone *p); /* with the server in use */

/* What does not go together, as node_kind.conflict. */
const char *phone_pcp_conflict(const struct phone_settings *s, struct text *why);

#endif
