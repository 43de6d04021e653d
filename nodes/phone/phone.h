/* The inside of a phone: one SIP user agent for one line, with its proxies and registrars, and their backups.
 *
 *   phone.c           start, stop, what arrives outside of calls
 *   phone_options.c   settings                      phone_commands.c  what its user can do
 *   phone_request.c   requests outside of dialogs   phone_register.c  the registration
 *   phone_subscribe.c message waiting               phone_unsubscribe.c, phone_farewell.c, phone_parting.c
 *                                                                     what is left behind
 *   phone_keep_alive.c                              phone_keep.c      keep-alives as the server asks
 *   phone_stun.c      how it is seen from outside   phone_pcp.c       its mapping is asked for (pcp_client.c)
 *   phone_outbound.c  the registration by RFC 5626  phone_flow.c      one of its flows
 *   phone_servers.c   which server is asked         phone_failover.c  what follows when that changes
 *   phone_targets.c   where a server is found       phone_locate.c    what DNS says about that
 *   phone_transport.c sockets and connections       phone_tls.c       certificates
 *   phone_call*.c    calls, see phone_call.h */
#ifndef FAREND_PHONE_H
#define FAREND_PHONE_H

#include "nodes/base/prng.h"
#include "nodes/host.h"
#include "nodes/media/stun_client.h"
#include "nodes/phone/phone_failover.h"
#include "nodes/phone/phone_keep.h"
#include "nodes/phone/phone_keep_alive.h"
#include "nodes/phone/phone_locate.h"
#include "nodes/phone/phone_options.h"
#include "nodes/phone/phone_outbound.h"
#include "nodes/phone/phone_pcp.h"
#include "nodes/phone/phone_register.h"
#include "nodes/phone/phone_servers.h"
#include "nodes/phone/phone_subscribe.h"
#include "nodes/phone/phone_transport.h"
#include "nodes/sip/sip_auth.h"
#include "nodes/sip/sip_transport.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>
#include <stdint.h>

struct phone_call;

/* An address of record: the line of a site (PH-20: the backup proxy may have another one). */
struct phone_aor {
    struct span user, domain; /* into the settings */
};

struct phone {
    struct host *host;
    const struct phone_settings *settings;
    struct sip_transport_layer *transport;
    struct sip_txns *txns;
    ipv4 addr;
    struct phone_transport by;
    struct phone_servers servers;
    struct phone_failover failover;
    struct phone_locating locating;
    struct phone_aor aors[PHONE_SITES];
    struct phone_pcp pcp;
    struct stun_client stun;
    bool stun_tried; /* it was answered, or gave up, once */
    struct phone_registration registration;
    struct phone_outbound outbound; /* in its place, with outbound support */
    struct phone_subscription subscription;
    struct phone_unsubscription unsubscription;
    struct sip_auth call_auth; /* the proxy's challenges to INVITE, BYE, … */
    struct phone_call *calls;  /* newest first; at most one is not over for its user */
    uint32_t calls_made;       /* the number of the newest */
    uint16_t next_media_port;
    uint8_t media_ttl;
    struct prng rng;    /* tags, Call-IDs */
    struct prng spread; /* of moves */
    struct phone_keep_alives keep_alives;
    struct phone_keep keep;
};

enum {
    PHONE_CALL_ID = 24, /* digits of what it makes up itself */
    PHONE_TAG = 10,
    PHONE_TEXT = 4096, /* bytes: more than any message that a phone writes */
};

/* phone_request.c */
struct phone_request {
    const char *method;
    const char *to;              /* the other line; NULL: its own (To), and the domain itself (Request-URI) */
    unsigned server;             /* where it goes: index in p->servers.list; phone_request_route() chooses */
    unsigned aor;                /* whose it is: index in p->aors */
    const struct sip_flow *flow; /* by this one; NULL: by whichever leads to the server */
    struct sip_flow *line;       /* a call: its own connection, if it has one, before and after; NULL: it is no call */
    bool own_uri;                /* the Request-URI is the own address of record (SUBSCRIBE to one's own state) */
    const char *call_id, *tag;
    uint32_t cseq;
    struct sip_auth *auth;    /* credentials are added once it was challenged; NULL: none */
    struct span headers;      /* further header lines */
    struct span content_type; /* of the body */
    struct span body;
};
/* Chooses where the request goes: a site of this role that has not failed it yet (phone_servers_choose), or -1. */
int phone_request_route(const struct phone *p, struct phone_request *request, enum phone_role role, unsigned tried);
/* Errors as sip_txn_request. */
int phone_request_send(struct phone *p, const struct phone_request *request, const struct sip_client_events *events,
                       void *arg, struct sip_txn **out);
/* sip:101@lab.example; sips: over TLS, if so set (PH-9) */
void phone_aor_write(const struct phone *p, unsigned aor, enum sip_transport by, struct text *out);
void phone_allow_write(const struct phone *p, struct text *out); /* the header line Allow: what it understands */
/* <sip:101@192.168.1.20:5060>: where it is called by this transport. */
void phone_contact_write(const struct phone *p, enum sip_transport by, struct text *out);
/* The same for a dialog: with outbound support its requests shall come by the flow that began it (RFC 5626 §4.3). */
void phone_dialog_contact_write(const struct phone *p, enum sip_transport by, struct text *out);
/* The header lines Contact and Allow, which INVITE and its answers carry; at least 256 bytes of room. */
struct span phone_contact_headers(const struct phone *p, enum sip_transport by, struct text *room);
struct sip_credentials phone_credentials(const struct phone *p, unsigned aor);

/* phone_stun.c */
void phone_stun_init(struct phone *p);

/* phone_commands.c */
void phone_command(void *node, struct span line);
extern const char phone_commands_help[];

#endif
