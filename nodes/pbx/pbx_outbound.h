/* Does RFC 5626 govern this registration? The registrar's question of §6. Pure.
 *
 *     reg-id and instance in a Contact, outbound in Supported     the first hop is this PBX, or    otherwise
 *                                                                 put "ob" into its Path
 *     all three                                                   yes                              439
 *     one is missing                                              no: RFC 3261 alone               no
 */
#ifndef FAREND_PBX_OUTBOUND_H
#define FAREND_PBX_OUTBOUND_H

#include "nodes/proto/sip_msg.h"

enum pbx_outbound {
    PBX_OUTBOUND_NO,      /* bindings are known by their contact's URI; a reg-id says nothing */
    PBX_OUTBOUND_YES,     /* those with instance and reg-id are known by them, and the response requires outbound */
    PBX_OUTBOUND_LACKING, /* the phone counts on it, but its first hop does not: 439 */
};

enum pbx_outbound pbx_outbound_judge(const struct sip_msg *reg);

#endif
