/* PBXs that are configured by name (RFC 3263 §4, FACTS DN-1, DN-2): DNS says where they are, and says it anew when the
 * TTL is over (PH-11: no answer is used for longer). What it tells takes the place of the entry among the servers
 * (sbc_servers.h), in the order of its priorities, and weights drawn anew each time. What was known of a server that is
 * told again stays known.
 *
 * Over TLS a PBX has to show the name that it is configured by (RFC 5922 §4), not that of the server in an SRV. */
#ifndef FAREND_SBC_LOCATE_H
#define FAREND_SBC_LOCATE_H

#include "nodes/base/timers.h"
#include "nodes/resolve/resolver.h"
#include "nodes/resolve/sip_locate.h"
#include "nodes/sbc/sbc_servers.h"
#include "nodes/sbc/sbc_settings.h"

struct sbc;

struct sbc_search {
    struct sbc *sbc;
    unsigned entry;            /* of the setting `pbx` */
    struct sip_search *search; /* NULL: none is under way */
    struct timer timer;        /* runs while the answer is valid, or until it is worth while to ask again */
};

struct sbc_locating {
    struct resolver *resolver; /* NULL: no PBX has a name */
    struct sip_locator locator;
    struct sbc_search searches[SBC_SERVERS_MAX]; /* by entry */
};

int sbc_locate_init(struct sbc *sbc); /* after the monitor; asks. FE_EMEM */
void sbc_locate_fini(struct sbc *sbc);

/* The name of who is to be found there, for TLS; nothing where it has none. */
void sbc_locate_name(const struct sbc *sbc, struct endpoint at, struct text *name);
bool sbc_locate_is_name(const struct sbc *sbc, struct span host); /* of a PBX */

/* As node_kind.conflict: a name needs somebody to ask. */
const char *sbc_locate_conflict(const struct sbc_settings *s, struct text *why);

#endif
