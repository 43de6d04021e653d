/* Registrations that came through the SBC, and the flows they came by (RFC 5626 §5.1: the edge proxy's side).
 *
 * A binding is one contact of one address-of-record, as the PBX confirmed it, with the flow that the REGISTER used: the
 * phone's address as seen on the wire, and the connection. A contact is known by whatever bytes its owner chooses: its
 * URI, or its instance and reg-id. A flow is good while any binding uses it. Changes are traced as `location`. */
#ifndef FAREND_SBC_LOCATION_H
#define FAREND_SBC_LOCATION_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"
#include "nodes/host.h"
#include "nodes/sip/sip_transport.h"

#include <stdbool.h>
#include <stddef.h>

struct sbc_location;

struct sbc_location_events {
    /* A flow has its first binding, or lost its last one. May be NULL. */
    void (*flow)(void *arg, struct sip_flow flow, bool good);
};

int sbc_location_new(struct sbc_location **out, struct host *h, const struct sbc_location_events *events,
                     void *arg);                       /* FE_EMEM */
void sbc_location_free(struct sbc_location *location); /* silently; NULL is fine */

/* The PBX confirmed the contact of the AOR until `expires`; it moves to `flow` if it had another. FE_EMEM. */
int sbc_location_set(struct sbc_location *location, struct span aor, struct span contact, struct sip_flow flow,
                     lab_time expires);
void sbc_location_remove(struct sbc_location *location, struct span aor, struct span contact);
void sbc_location_remove_all(struct sbc_location *location, struct span aor);

/* The flow is gone: so are the bindings that used it. */
void sbc_location_remove_flow(struct sbc_location *location, struct sip_flow flow);

bool sbc_location_has_flow(const struct sbc_location *location, struct sip_flow flow);

/* PH-4: a phone with plain TLS calls by a connection of its own. Is this one that somebody may have opened who has
 * registered the AOR? It has to come from the same address, which on a connection is no forgery, and by TLS when the
 * registration did. Over UDP nobody is known but by his flow. */
bool sbc_location_knows_caller(const struct sbc_location *location, struct span aor, struct sip_flow flow);

/* The flow by which this contact of the AOR is registered, from that address. */
bool sbc_location_flow_of(const struct sbc_location *location, struct span aor, struct span contact, ipv4 from,
                          struct sip_flow *flow);
size_t sbc_location_count(const struct sbc_location *location);

#endif
