/* The inside of a DNS server.
 *
 *   dns_kind.c      start, stop, questions in, commands      dns_zone.c     names and records
 *   dns_reply.c     the answer of an authority               dns_forward.c  questions passed on
 *   dns_line.c      clients on TCP
 */
#ifndef FAREND_DNS_SERVER_H
#define FAREND_DNS_SERVER_H

#include "nodes/dns/dns_settings.h"
#include "nodes/dns/dns_zone.h"
#include "nodes/host.h"
#include "nodes/proto/dns.h"
#include "nodes/proto/dns_stream.h"
#include "nodes/resolve/dns_exchange.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DNS_FORWARDS = 64, /* questions that wait for the other server */
    DNS_LINES = 64     /* connections of clients; more are reset */
};

struct dns_server;

/* A connection of a client. */
struct dns_line {
    struct dns_server *server;
    struct host_tcp *tcp; /* NULL: unused */
    struct dns_stream in;
    struct timer idle;
};

/* Who has asked, and gets the answer. */
struct dns_client {
    struct endpoint at;
    struct dns_line *line; /* NULL: UDP */
};

struct dns_forward {
    struct dns_server *server;
    bool waiting;
    uint16_t id;        /* ours */
    uint16_t client_id; /* the client's */
    bool edns;          /* the client's query had it */
    struct dns_client client;
    struct dns_question question;
    struct timer timer;
    struct dns_exchange tcp; /* what came over TCP is asked over TCP (RFC 5625 §4.4.2) */
};

struct dns_server {
    struct host *host;
    const struct dns_settings *settings;
    enum dns_answers answers;
    struct dns_zone zone;
    struct host_udp *udp;
    struct host_listener *listener; /* NULL: no TCP */
    struct dns_line lines[DNS_LINES];
    unsigned replies;
    struct host_udp *upstream; /* NULL: nothing is passed on */
    struct prng ids;
    struct dns_forward forwards[DNS_FORWARDS];
};

/* dns_kind.c: traced and sent. What cannot be sent is lost, and asked for again. */
void dns_server_send(struct dns_server *s, const struct dns_client *to, struct span message);
/* An answer without records; edns: the query had EDNS, and so has its answer (RFC 6891 §6.1.1). */
void dns_server_refuse(struct dns_server *s, const struct dns_client *to, uint16_t id,
                       const struct dns_question *question, bool edns, enum dns_rcode rcode);
/* A message has come. */
void dns_server_take(struct dns_server *s, const struct dns_client *from, struct span message);

/* dns_reply.c: the answer to a question about one of the zones, written into `room`. */
struct span dns_reply_write(struct dns_server *s, const struct dns_msg *query, uint8_t *room, size_t cap);

/* dns_forward.c */
int dns_forward_open(struct dns_server *s); /* errors of host_udp_open() */
void dns_forward_close(struct dns_server *s);
void dns_forward_query(struct dns_server *s, const struct dns_client *client, const struct dns_msg *query);
void dns_forward_leave(struct dns_server *s, const struct dns_line *line); /* its client is gone */

/* dns_line.c */
int dns_line_open(struct dns_server *s, struct endpoint local); /* errors of host_tcp_listen() */
void dns_line_close(struct dns_server *s);
void dns_line_send(struct dns_line *line, struct span message); /* at most DNS_STREAM_MAX bytes */

#endif
