/* Lines and where they are: the registrar's location service (RFC 3261 §10, Path RFC 3327, flows RFC 5626 §6).
 *
 * The lines come from the settings and never change. A binding is one contact of one line, or one flow of one phone of
 * it: a phone that registers with instance and reg-id is known by them, whatever its contact's URI has become, so that
 * it replaces its old binding and does not leave it behind. A line's bindings stay in the order of their first
 * registration. Changes are traced as `location`; a binding ends by itself when it expires. */
#ifndef FAREND_PBX_LOCATION_H
#define FAREND_PBX_LOCATION_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "nodes/host.h"
#include "nodes/pbx/pbx_settings.h"
#include "nodes/proto/sip_uri.h"
#include "nodes/sip/sip_transport.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pbx_location;
struct pbx_line;

/* What a REGISTER says of one contact. */
struct pbx_contact {
    struct span uri;     /* the contact's URI, as written: the Request-URI of calls */
    struct span path;    /* Path values, comma separated: the route set of calls; may be empty */
    struct span call_id; /* with cseq: later registrations of this phone have higher numbers (§10.3 step 7) */
    uint32_t cseq;
    uint16_t q;           /* 0–1000 */
    struct endpoint hop;  /* where calls are sent first: NW-2, behind an SBC its inside address */
    lab_time expires;     /* absolute */
    struct span instance; /* with reg_id: RFC 5626 §6; empty: known by its URI */
    uint32_t reg_id;
    struct sip_flow flow; /* that the phone keeps open to this PBX: calls go by it; remote.port 0: by `hop` */
};

/* What a binding is known by. */
struct pbx_key {
    const struct sip_uri *uri; /* compared by §19.1.4, when there is no instance */
    struct span instance;
    uint32_t reg_id;
};

struct pbx_binding {
    struct pbx_binding *next; /* of the line */
    struct pbx_line *line;
    struct pbx_contact contact; /* its spans belong to the binding */
    struct timer expiry;
    char text[];
};

/* The settings outlive it. FE_EMEM. */
int pbx_location_new(struct pbx_location **out, struct host *h, const struct pbx_settings *settings);
void pbx_location_free(struct pbx_location *location);                              /* silently; NULL is fine */
void pbx_location_forget(struct pbx_location *location);                            /* every binding is removed */
void pbx_location_remove_flow(struct pbx_location *location, struct sip_flow flow); /* those that it was the way to */
void pbx_location_remove_connections(struct pbx_location *location); /* those that any connection was the way to */
size_t pbx_location_count(const struct pbx_location *location);

struct pbx_line *pbx_location_line(const struct pbx_location *location, struct span name); /* NULL: not configured */
struct span pbx_line_name(const struct pbx_line *line);
struct span pbx_line_password(const struct pbx_line *line);
const struct pbx_binding *pbx_line_bindings(const struct pbx_line *line);

const struct pbx_binding *pbx_line_find(const struct pbx_line *line, const struct pbx_key *key); /* or NULL */

/* Of the bindings with this contact URI whose phones keep a flow to this PBX the one that holds longest, or NULL. */
const struct pbx_binding *pbx_line_reached(const struct pbx_line *line, const struct sip_uri *uri);

/* Adds a binding, or refreshes the one with this key (the spans are copied). FE_EMEM; FE_ESYNTAX: no URI. */
int pbx_line_set(struct pbx_line *line, const struct pbx_contact *contact);
void pbx_line_remove(struct pbx_line *line, const struct pbx_key *key);
void pbx_line_remove_all(struct pbx_line *line);

#endif
