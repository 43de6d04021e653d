/* Which way a request goes: the SBC's routing as a function of what it knows of the request. Pure.
 *
 * A request always crosses the SBC: what comes from outside goes inside, and the other way round.
 *
 *     from      carries                        goes to                    refused with
 *     outside   a good token in our            the rest of its route      403 when the token is not ours
 *               Record-Route, and a To tag
 *     outside   neither                        the PBX                    403 unless the flow is registered, or its
 *                                                                         caller is by another (PH-4), or the SBC
 *                                                                         open, and the request is for us;
 *                                                                         403 with a preloaded Route (SB-9)
 *     inside    a good token (Path,            the token's flow,          403 when the token is not ours; 430 when
 *               Record-Route)                  whatever the Contact       nobody is registered by it, or its
 *                                              says (RFC 5626 §5.3)       connection is closed and, in a dialog,
 *                                                                         its phone not registered by another
 *     inside    no token                                                  404
 */
#ifndef FAREND_SBC_ROUTE_H
#define FAREND_SBC_ROUTE_H

#include "nodes/sbc/sbc_relay.h"

#include <stdbool.h>

enum sbc_token_state { SBC_TOKEN_NONE, SBC_TOKEN_GOOD, SBC_TOKEN_BAD };

struct sbc_question {
    enum sbc_side from;
    bool in_dialog;             /* there is a To tag */
    enum sbc_token_state token; /* in the own Routes that the request came by */
    bool flow_gone;             /* inside: the token's connection is closed */
    bool flow_registered;       /* outside: the flow it came by; inside: the token's flow */
    bool caller_registered;     /* outside: by another flow (sbc_location_knows_caller()) */
    bool open;                  /* the setting "unregistered callers" */
    bool for_us;                /* the Request-URI names the domain, this SBC or the PBX */
    bool preloaded;             /* Routes of others are left behind the own ones (SB-9: rejected) */
};

enum sbc_way { SBC_REFUSED, SBC_ALONG_ROUTE, SBC_TO_PBX, SBC_TO_FLOW };

struct sbc_decision {
    enum sbc_way way;
    unsigned status; /* SBC_REFUSED */
};

struct sbc_decision sbc_route(const struct sbc_question *q);

#endif
