/* By what a phone speaks: its sockets, its TLS, and the connections to its servers (FACTS PH-2 … PH-7, PH-12 … PH-18).
 *
 * One connection to a server carries the registration and what belongs to it. With persistent TLS, and on TCP, it
 * carries the calls too; with plain TLS each call that the phone makes has a connection of its own, from a free local
 * port (PH-4). The phone opens them, and opens again what was closed, by registering anew (PH-6, PH-7, PH-18). */
#ifndef FAREND_PHONE_TRANSPORT_H
#define FAREND_PHONE_TRANSPORT_H

#include "nodes/phone/phone_servers.h"
#include "nodes/secure/tls.h"
#include "nodes/sip/sip_transport.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>

struct phone;
struct phone_settings;

/* One transport of the phone. */
struct phone_socket {
    bool open;
    unsigned number;
    struct endpoint local;
    struct endpoint contact; /* the same as it is written into messages: what the STUN server saw (UDP), or local */
};

enum { PHONE_SOCKETS = SIP_TLS + 1 }; /* by enum sip_transport */

struct phone_transport {
    struct phone_socket sockets[PHONE_SOCKETS];
    struct tls_context *client, *server;
    struct sip_flow lines[PHONE_SERVERS_MAX]; /* by server: the connection that carries the registration; connection 0:
                                                 there is none */
    struct sip_flow broken;                   /* the last connection that was up and is not any more */
};

/* Opens sockets as the settings say. Errors as sip_transport_open() and tls_context_new(); `why` has a sentence. */
int phone_transport_open(struct phone *p, struct text *why);
void phone_transport_fini(struct phone *p); /* what sockets need; after them */

/* What does not go together, as node_kind.conflict. */
const char *phone_transport_conflict(const struct phone_settings *s, struct text *why);

/* The transports of the setting, what is tried first comes first; returns how many. */
unsigned phone_transport_list(const struct phone_settings *s, enum sip_transport list[2]);

const struct phone_socket *phone_socket(const struct phone *p, enum sip_transport transport);

/* The target of the server by the phone's own connection to it, if there is one. */
struct sip_flow phone_server_flow(const struct phone *p, unsigned server);
struct endpoint phone_server_at(const struct phone *p, unsigned server);
/* By which transport requests to it go now. */
enum sip_transport phone_server_by(const struct phone *p, unsigned server);

/* By which a call's request goes to the server: with plain TLS by the call's own connection `line`, or a new one. */
struct sip_flow phone_transport_flow_for_call(struct phone *p, unsigned server, struct sip_flow line);
/* The call is over: its own connection is closed. Nothing on another. */
void phone_transport_close_for_call(struct phone *p, const struct sip_flow *flow);

/* A request to the server has left by this flow: that is the connection to it from now on. */
void phone_transport_used(struct phone *p, unsigned server, struct sip_flow flow);

/* The phone is registered elsewhere and has said good-bye to this server: persistent TLS has one connection (PH-4).
 * Nothing while the server is in use. */
void phone_transport_leave(struct phone *p, unsigned server);

/* A connection to the server cannot be opened just now, because the last one from the same local port has not said
 * good-bye to the end (PH-4): try again after `reopen after`. */
bool phone_transport_is_busy(struct phone *p, unsigned server);

/* The request failed with this status: where no answer came, and the phone is made so, nobody is believed to be at the
 * other end of its connection any more, and the next request gets another one. */
void phone_transport_doubt(struct phone *p, const struct sip_txn *txn, unsigned status);

/* The request failed because its connection, which had been up, broke: it may be sent again by another one. */
bool phone_transport_broke(const struct phone *p, const struct sip_txn *txn);

#endif
