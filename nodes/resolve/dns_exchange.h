/* One question to one server over TCP (RFC 7766): a connection, the query, its answer, and the end. For what came
 * truncated over UDP. It has no time-out; who asks has. */
#ifndef FAREND_RESOLVE_DNS_EXCHANGE_H
#define FAREND_RESOLVE_DNS_EXCHANGE_H

#include "nodes/host.h"
#include "nodes/proto/dns.h"
#include "nodes/proto/dns_stream.h"

/* Memory of the caller, all zero before the first start. */
struct dns_exchange {
    struct host *host;
    struct host_tcp *tcp; /* NULL: none is under way */
    struct endpoint server;
    struct dns_stream in;
    /* The answer to this question and id; NULL: there will be none, because the connection failed or ended, or
     * something else came. The exchange is over; the message is borrowed for the call. */
    void (*done)(void *arg, const struct dns_msg *answer);
    void *arg;
    uint16_t id;
    struct dns_question question;
};

/* `query`: one question, at most DNS_MESSAGE_MAX bytes. Errors of host_tcp_connect(): `done` is not called. */
int dns_exchange_start(struct dns_exchange *x, struct host *h, struct endpoint server, const struct dns_msg *query,
                       void (*done)(void *arg, const struct dns_msg *answer), void *arg);
bool dns_exchange_is_under_way(const struct dns_exchange *x);
void dns_exchange_stop(struct dns_exchange *x); /* `done` is not called; fine on one that is over */

#endif
