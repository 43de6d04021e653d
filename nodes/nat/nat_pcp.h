/* The NAT as a PCP server (RFC 6887): requests of inside hosts to its inside address, UDP port 5351, are answered by
 * the engine itself, and what they ask for are mappings and sessions of its table like any others: in its quotas,
 * blocks, filters and events.
 *
 * MAP gives an inside port a mapping that everybody may use (or those of FILTER), whatever the NAT's own filtering;
 * PEER makes an outbound session, or keeps it, without a packet; ANNOUNCE tells the epoch. A client speaks for the
 * address that it has, so THIRD_PARTY is an unsupported option (§13.1), and only UDP and TCP have ports to map.
 *
 * The epoch begins anew whenever mappings were lost (§8.5). It is not announced by multicast (§14.1.3), which the labs'
 * networks do not carry: a client finds out by its next request. */
#ifndef FAREND_NAT_PCP_H
#define FAREND_NAT_PCP_H

#include "nodes/nat/nat.h"
#include "nodes/proto/pcp.h"

struct nat_pcp_config {
    lab_time least, most; /* of what is granted (§15), in whole seconds */
};

/* A request that was answered. */
struct nat_pcp_note {
    ipv4 client;
    uint8_t opcode;
    enum pcp_result result;
    uint8_t protocol; /* the rest is of MAP and PEER that were granted, else 0 */
    struct endpoint inside, outside, peer;
    uint32_t lifetime; /* s */
};

/* Called from inside nat_packet. May not call the engine. */
typedef void nat_pcp_noted(void *arg, const struct nat_pcp_note *note);

/* From the next packet on; when it runs already, with another configuration. *config is copied. FE_EMEM. */
int nat_pcp_start(struct nat *nat, const struct nat_pcp_config *config, lab_time now, nat_pcp_noted *noted, void *arg);
void nat_pcp_stop(struct nat *nat); /* fine when it does not run; what was granted stays */
/* Mappings were lost, or moved: another epoch. Fine when it does not run. */
void nat_pcp_restart(struct nat *nat, lab_time now);

#endif
