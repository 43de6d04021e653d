/* The registration of a phone (RFC 3261 §10.2): REGISTER with digest, refreshes, pauses after failures (FACTS PH-25).
 *
 * The phone believes that it is registered until an answer tells otherwise: when the path dies, it notices at the next
 * refresh, or by a keep-alive that asks for an answer. */
#ifndef FAREND_PHONE_REGISTER_H
#define FAREND_PHONE_REGISTER_H

#include "nodes/base/lab_time.h"
#include "nodes/base/timers.h"
#include "nodes/phone/phone_parting.h"
#include "nodes/sip/sip_auth.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>
#include <stdint.h>

struct phone;

/* A registrar and the address of record that is registered there. */
struct phone_home {
    bool known;
    unsigned site;   /* of the registrar */
    unsigned server; /* index in phone.servers.list */
    unsigned aor;    /* index in phone.aors */
};

/* Taking back a registration that has been moved away: one at a time. */
struct phone_farewell {
    struct phone_home from;
    struct phone_parting parting;
};

enum phone_register_state {
    PHONE_UNREGISTERED,  /* nothing is wanted; only a command changes that */
    PHONE_TRYING,        /* REGISTER under way */
    PHONE_REGISTERED,    /* the timer runs towards the refresh, or the refresh is under way */
    PHONE_FAILED,        /* the timer runs towards the next attempt */
    PHONE_UNREGISTERING, /* REGISTER with Expires: 0 under way */
};

struct phone_registration {
    enum phone_register_state state;
    struct sip_auth auth;
    char call_id[25], tag[11]; /* the same for all REGISTERs of one power-on (§10.2) */
    uint32_t cseq;
    uint32_t expires; /* s, to be asked for: the setting, or what 423 demanded */
    struct timer timer;
    struct sip_txn *txn;    /* NULL: nothing is under way */
    struct phone_home to;   /* where the REGISTER goes */
    struct phone_home home; /* where the last one was accepted */
    unsigned failures;      /* attempts in a row */
    lab_time come_back;     /* the earliest that a server of this attempt asked for (Retry-After); NEVER: none did */
    bool waiting;           /* the next site is chosen, the timer runs towards going there (failover spread) */
    bool locating;          /* the next site is chosen, and DNS is asked where that is */
    unsigned tried;         /* sites that have failed the attempt under way, by bit */
    bool reconnected;       /* the attempt has been sent again because its connection broke */
    bool deciding;          /* it reports to phone_failover.c, and looks at what moved by itself */
    struct phone_farewell farewell;
};

/* What a change of state is traced with. */
struct phone_registered {
    unsigned status; /* 0: none came */
    struct span reason;
    uint32_t expires; /* s; only when registered */
};

void phone_register_init(struct phone *p);
void phone_register_start(struct phone *p); /* now, whatever the state; nothing when one is under way */
void phone_register_end(struct phone *p);   /* takes the binding back */
/* The registrar or the address of record in use have changed; `away`: from a better one, which failed. */
void phone_register_moved(struct phone *p, bool away);
/* The connection by which the phone was registered is gone: registers again (PH-7), after `reopen after` and a random
 * part of the spread. Nothing when it is at it. */
void phone_register_lost(struct phone *p);
/* DNS has answered about the server: a registration that waited for it goes on. `moved`: it is elsewhere now. */
void phone_register_located(struct phone *p, unsigned server, bool moved);
/* A REGISTER is under way, or about to be. */
bool phone_register_busy(const struct phone *p);
void phone_register_stop(struct phone *p); /* silently */

/* ---- for phone_outbound.c, which registers in its own way ---- */
/* The phone's registration, as everybody else sees it, is now so, at that server. */
void phone_register_tell(struct phone *p, enum phone_register_state state, unsigned server,
                         const struct phone_registered *why);

/* phone_farewell.c: REGISTER with Expires: 0 to where the phone was registered; what comes of it does not matter. */
void phone_farewell_init(struct phone *p);
void phone_farewell_say(struct phone *p, struct phone_home from);
void phone_farewell_stop(struct phone *p);

/* ---- phone_register_message.c ---- */
/* The REGISTER's headers Contact and Expires; at least 160 bytes of room. */
struct span phone_register_headers(const struct phone *p, unsigned server, uint32_t expires, struct text *room);
/* §10.2.4, §10.3: the expiry in s that a 2xx grants; `asked`: where it does not say. */
uint32_t phone_register_granted(const struct phone *p, const struct sip_msg *response, enum sip_transport by,
                                uint32_t asked);
lab_time phone_refresh_after(const struct phone *p, lab_time expires); /* PH-25 */
/* §10.2.8: a 423 raised *expires to what it demands. */
bool phone_interval_raised(const struct sip_msg *response, uint32_t *expires);

#endif
