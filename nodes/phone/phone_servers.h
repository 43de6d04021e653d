/* Which server a phone asks: the decisions of its failover, and nothing else (FACTS PH-8, PH-20 … PH-23, PH-25). Pure:
 * the time is an argument, nothing is sent here, no memory is allocated. phone_failover.c acts on it.
 *
 * A *server* is a transport and a place, as configured; where it is found in the end is its *target* (phone_targets.h),
 * and it has failed when all of them have. A *site* is one of the phone's choices, 0 the primary, 1 the backup.
 * Requests have two *roles*: REGISTER goes to a registrar, all others go to a proxy. Roles that move together are a
 * *group*:
 *
 *   backup proxy, backup registrar           two groups: either role moves without the other (PH-20, PH-21)
 *   backup outbound proxy, and the former    one group: any failure moves everything (PH-22)
 *   backup outbound proxy alone              one group, whose sites differ in nothing but the outbound proxy (PH-23)
 *
 * What is known of a server is kept once, by its transport and place: a machine that is registrar and proxy at once has
 * failed as both. The site in use of the *proxy* says which address of record is the active one. */
#ifndef FAREND_PHONE_SERVERS_H
#define FAREND_PHONE_SERVERS_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/phone/phone_targets.h"

#include <stdbool.h>

enum phone_role { PHONE_REGISTRAR, PHONE_PROXY };

enum { PHONE_PRIMARY, PHONE_BACKUP, PHONE_SITES };

enum phone_server_state {
    PHONE_SERVER_UP,          /* never asked, or its last request was answered */
    PHONE_SERVER_SUSPECT,     /* it failed last; it may be asked again */
    PHONE_SERVER_BLACKLISTED, /* it failed: until `until` others are asked first; then it is suspect */
};

struct phone_server {
    struct phone_place place;
    struct phone_targets targets; /* where it is now; none: at its place */
    enum phone_server_state state;
    lab_time until; /* of a blacklisted one */
    bool barred;    /* blacklisted by its own word, 503 with Retry-After: until then it is not even probed (§21.5.4) */
};

struct phone_group {
    unsigned n;                /* sites: 1, or PHONE_SITES */
    unsigned hop[PHONE_SITES]; /* where requests to a site go first: index of a server */
    unsigned active;           /* the site in use: where the registration and the subscriptions live */
};

enum { PHONE_GROUPS = 2, PHONE_SERVERS_MAX = PHONE_GROUPS * PHONE_SITES };

struct phone_servers {
    struct phone_server list[PHONE_SERVERS_MAX];
    unsigned n;
    struct phone_group groups[PHONE_GROUPS]; /* by role; with one group, the first is both roles' */
    unsigned groups_n;
    bool one_registrar; /* all sites lead to the same one: only the way there differs (PH-23) */
    lab_time blacklist; /* how long a server that failed is avoided; 0: no blacklist (PH-25) */
};

/* What is configured, by site. `registrar` falls back to the proxy of its site, each backup to its primary; `outbound`
 * stands before both. */
struct phone_places {
    struct phone_place proxy[PHONE_SITES], registrar[PHONE_SITES], outbound[PHONE_SITES];
};

void phone_servers_init(struct phone_servers *s, const struct phone_places *places, lab_time blacklist);

struct phone_group *phone_servers_group(struct phone_servers *s, enum phone_role role);
unsigned phone_servers_active(const struct phone_servers *s, enum phone_role role);
const struct phone_server *phone_servers_hop(const struct phone_servers *s, enum phone_role role, unsigned site);

/* The server of that place, or -1: none of the phone's. */
int phone_servers_find(const struct phone_servers *s, struct phone_place place);

/* Where requests to it go now. */
static inline struct phone_place phone_server_target(const struct phone_server *server)
{
    return server->targets.n ? server->targets.list[server->targets.current] : server->place;
}

enum phone_server_state phone_server_state(const struct phone_server *server, lab_time now);

/* The site to which a request of this role goes next. `tried`: bit n, site n has failed this very request. The first
 * that is not blacklisted; when all are, the first that did not bar us; a new request is always sent somewhere. -1: it
 * has failed everywhere. */
int phone_servers_choose(const struct phone_servers *s, enum phone_role role, unsigned tried, lab_time now);

/* A request to the server got no answer, could not be sent, or was refused with 503; `retry_after`: what that said, 0:
 * nothing. Returns the groups that moved to another site, bit n: group n. */
unsigned phone_servers_failed(struct phone_servers *s, unsigned server, lab_time retry_after, lab_time now);

/* The server answered, whatever it said: it is preferred to lesser sites again, and to better ones that failed last.
 * Returns the groups that moved, as above. */
unsigned phone_servers_answered(struct phone_servers *s, unsigned server);

/* Should it be asked whether it is back? The group uses a lesser site than the server's, and the server did not ask to
 * be left alone. */
bool phone_servers_probed(const struct phone_servers *s, unsigned server, lab_time now);
bool phone_servers_away(const struct phone_servers *s); /* some group is not at its primary site */

#endif
