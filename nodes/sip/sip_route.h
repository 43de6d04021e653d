/* Lists of Route, Record-Route and Path values as plain text: "<sip:a;lr>, <sip:b;lr>". */
#ifndef FAREND_SIP_ROUTE_H
#define FAREND_SIP_ROUTE_H

#include "nodes/base/addr.h"
#include "nodes/base/span.h"

#include <stdbool.h>

/* Takes the first value off *list; false: it is empty. Commas between < and > do not separate. */
bool sip_route_next(struct span *list, struct span *value);

/* The URI of a value; empty when the value is malformed. */
struct span sip_route_uri(struct span value);

/* A loose router (RFC 3261 §19.1.1): its URI has `lr`. */
bool sip_route_is_loose(struct span uri);

/* The URI's host and port when the host is an IPv4 address. */
bool sip_route_endpoint(struct span uri, struct endpoint *out);

#endif
