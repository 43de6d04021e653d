/* Where one server is found, one place after another: by each transport that the phone may use (FACTS PH-13, PH-26),
 * at each address that DNS tells (DN-2). Pure.
 *
 * All requests to the server share the target in use. One that fails there goes to the next; the server itself has
 * failed when none is left, and then the next request begins at the first again. */
#ifndef FAREND_PHONE_TARGETS_H
#define FAREND_PHONE_TARGETS_H

#include "nodes/base/addr.h"
#include "nodes/proto/sip_msg.h"

#include <stdbool.h>
#include <stdint.h>

/* A transport and a place; without port and name none is configured. */
struct phone_place {
    enum sip_transport transport;
    struct endpoint at; /* with a name: address 0, and the port that is written, or 0 (PH-25: SRV) */
    struct span name;   /* into the settings; empty: it is an address. Never of a target */
};

static inline bool phone_place_is_set(struct phone_place place)
{
    return place.at.port != 0 || place.name.n > 0;
}

static inline bool phone_place_equal(struct phone_place a, struct phone_place b)
{
    return a.transport == b.transport && endpoint_equal(a.at, b.at) && span_equal_nocase(a.name, b.name);
}

enum { PHONE_TARGETS_MAX = 16 }; /* of a server; DNS may tell more, which are not used */

struct phone_targets {
    struct phone_place list[PHONE_TARGETS_MAX]; /* in the order in which they are tried */
    unsigned n;
    unsigned current;
    uint32_t tried; /* by bit: failed since the server last answered */
};

void phone_targets_add(struct phone_targets *t, struct phone_place target); /* fine when full: it is left away */

/* A request failed at `where`. True: the target in use is another one now, and the request may be sent again; false:
 * the server has failed. `machine`: the whole machine there is of no use, by whichever transport (a 503). */
bool phone_targets_failed(struct phone_targets *t, struct phone_place where, bool machine);

void phone_targets_answered(struct phone_targets *t); /* the target in use is fine */

#endif
