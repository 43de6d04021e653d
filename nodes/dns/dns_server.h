/* The inside of a DNS server.
 *
 *   dns_kind.c      start, stop, questions in, commands      dns_zone.c     names and records
 *   dns_reply.c     the answer of an authority               dns_forward.c  questions passed on
 */
#ifndef FAREND_DNS_SERVER_H
#define FAREND_DNS_SERVER_H

#include "nodes/dns/dns_settings.h"
#include "nodes/dns/dns_zone.h"
#include "nodes/host.h"
#include "nodes/proto/dns.h"

#include <stdbool.h>
#include <stdint.h>

enum { DNS_FORWARDS = 64 }; /* questions that wait for the other server */

struct dns_server;

struct dns_forward {
    struct dns_server *server;
    bool waiting;
    uint16_t id;        /* ours */
    uint16_t client_id; /* the client's */
    bool edns;          /* the client's query had it */
    struct endpoint client;
    struct dns_question question;
    struct timer timer;
};

struct dns_server {
    struct host *host;
    const struct dns_settings *settings;
    enum dns_answers answers;
    struct dns_zone zone;
    struct host_udp *udp;
    unsigned replies;
    struct host_udp *upstream; /* NULL: nothing is passed on */
    struct prng ids;
    struct dns_forward forwards[DNS_FORWARDS];
};

/* dns_kind.c: traced and sent. What cannot be sent is lost, and asked for again. */
void dns_server_send(struct dns_server *s, struct endpoint to, struct span message);
/* An answer without records; edns: the query had EDNS, and so has its answer (RFC 6891 §6.1.1). */
void dns_server_refuse(struct dns_server *s, struct endpoint to, uint16_t id, const struct dns_question *question,
                       bool edns, enum dns_rcode rcode);

/* dns_reply.c: the answer to a question about one of the zones, written into `room`. */
struct span dns_reply_write(struct dns_server *s, const struct dns_msg *query, uint8_t *room, size_t cap);

/* dns_forward.c */
int dns_forward_open(struct dns_server *s); /* errors of host_udp_open() */
void dns_forward_close(struct dns_server *s);
void dns_forward_query(struct dns_server *s, struct endpoint client, const struct dns_msg *query);

#endif
