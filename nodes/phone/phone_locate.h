/* Servers that are configured by name (FACTS PH-25, DN-1, DN-2, PH-11): DNS says where they are, and says it anew when
 * the TTL is over. What it told is a list of targets (phone_targets.h); the one in use stays while it is told again,
 * and one that failed a short while ago is not begun with. */
#ifndef FAREND_PHONE_LOCATE_H
#define FAREND_PHONE_LOCATE_H

#include "nodes/base/text.h"
#include "nodes/base/timers.h"
#include "nodes/phone/phone_servers.h"
#include "nodes/resolve/resolver.h"
#include "nodes/resolve/sip_blacklist.h"
#include "nodes/resolve/sip_locate.h"
#include "nodes/sip/sip_transport.h"

struct phone;
struct phone_settings;

struct phone_search {
    struct phone *phone;
    struct sip_search *search; /* NULL: none is under way */
    struct timer timer;        /* runs while the answer is valid */
};

struct phone_locating {
    struct resolver *resolver; /* NULL: no server has a name */
    struct sip_locator locator;
    struct sip_blacklist blacklist;                  /* of targets */
    struct phone_search searches[PHONE_SERVERS_MAX]; /* by server */
};

int phone_locate_init(struct phone *p); /* after the servers are known, and asks for them. FE_EMEM */
void phone_locate_stop(struct phone *p);

/* Is it known where the server is? If not, DNS is asked, and when it has answered the registration goes on. */
bool phone_locate_known(struct phone *p, unsigned server);

/* This target of the server failed. */
void phone_locate_failed(struct phone *p, unsigned server, struct phone_place target);

/* A request to the server has left: with `dns choice: each request` the next one goes where a new draw says (RFC 2782's
 * weights; RFC 3263 §4 without memory), as wrong phones do. */
void phone_locate_used(struct phone *p, unsigned server);

/* The name of who is at the other end, for TLS; nothing where it has none. */
void phone_locate_name(const struct phone *p, const struct sip_flow *flow, struct text *name);

/* As node_kind.conflict: a name needs somebody to ask. */
const char *phone_locate_conflict(const struct phone_settings *s, struct text *why);

#endif
