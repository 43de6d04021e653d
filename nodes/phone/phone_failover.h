/* What a phone does when a server fails or comes back: it tells the trace, moves its registration and its subscriptions
 * to where phone_servers.h says, and asks failed servers whether they are back (FACTS PH-8, PH-20 … PH-23).
 *
 * What counts as a failure: no answer within the transaction timer, a transport error, 503. How the phone finds out
 * that a server is back: OPTIONS every `probe interval` while it uses a lesser site; without probes, by the first
 * request that is sent there once the server's blacklist duration is over. */
#ifndef FAREND_PHONE_FAILOVER_H
#define FAREND_PHONE_FAILOVER_H

#include "nodes/base/lab_time.h"
#include "nodes/base/timers.h"
#include "nodes/phone/phone_servers.h"
#include "nodes/sip/sip_txn.h"

#include <stdbool.h>

struct phone;

struct phone_probe {
    struct phone *phone;
    struct sip_txn *txn; /* NULL: none is under way */
};

struct phone_failover {
    struct timer timer;                           /* runs while a group is away from its primary */
    struct phone_probe probes[PHONE_SERVERS_MAX]; /* by server */
};

void phone_failover_init(struct phone *p);
void phone_failover_stop(struct phone *p); /* silently */

/* Did this response say that the server is out of service? *retry_after: how long by its own word, 0: it did not say,
 * or the phone does not heed it. */
bool phone_server_refuses(const struct phone *p, const struct sip_msg *response, lab_time *retry_after);

/* Everybody who sent a request to one of the servers reports what came of it; then `why` is for the trace. The
 * registration and the subscriptions may be moved from inside the call. */
void phone_server_failed(struct phone *p, unsigned server, const char *why, lab_time retry_after);
void phone_server_answered(struct phone *p, unsigned server);

/* A request to the server failed where it was sent to: true, when it may be sent again to another target of the same
 * server (phone_targets.h); else the server has failed. Called before the former. `machine`: as there. */
bool phone_server_again(struct phone *p, unsigned server, const struct sip_txn *txn, const char *why, bool machine);

/* Why a transaction failed, from the status of its `failed` event. */
const char *phone_failure_text(unsigned status);

#endif
