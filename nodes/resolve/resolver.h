/* A stub resolver (RFC 1034 §5.3.1, DN-1) on nodes/host.h: asks servers in their order, remembers answers for their
 * TTL, and no longer (PH-11).
 *
 * A server that does not answer in time, or says SERVFAIL, REFUSED, NOTIMP or FORMERR, or is no server (an ICMP error),
 * is given up for the next one; after the last one comes the first again, for `rounds` rounds. That a name does not
 * exist is an answer and final. Each question has a UDP socket and an id of its own, from the node's streams "ports"
 * and "dns" (RFC 5452 §9). Who asks what is being asked already waits for the same answer.
 *
 * Servers are expected to follow aliases: an answer that ends in an alias without records counts as "no data". What
 * came truncated is not used (RFC 2181 §9) but asked for again over TCP (RFC 7766 §5), at the same server, with the
 * time of a new try; when that fails, or `tcp` is not set, the server is given up as if it had failed. */
#ifndef FAREND_RESOLVE_RESOLVER_H
#define FAREND_RESOLVE_RESOLVER_H

#include "nodes/host.h"
#include "nodes/proto/dns.h"
#include "nodes/resolve/resolver_options.h"

struct resolver;
struct resolver_entry;

enum resolver_result {
    RESOLVER_FOUND,   /* there are such records */
    RESOLVER_NO_DATA, /* the name has none of this type */
    RESOLVER_NO_NAME, /* NXDOMAIN */
    RESOLVER_FAILED,  /* no server could tell */
};

/* Borrowed for the callback. */
struct resolver_answer {
    enum resolver_result result;
    const struct dns_msg *msg; /* NULL: RESOLVER_FAILED */
    struct dns_name name;      /* whose records answer: the name asked for, or what it is an alias of */
    lab_time received;         /* the TTL of any record counts from here */
    lab_time expires;          /* when the records asked for, or their absence, are forgotten */
};

/* Who waits for an answer: memory of the caller, untouched until `done` or resolver_cancel(). */
struct resolver_waiter {
    void (*done)(void *arg, const struct resolver_answer *answer); /* may ask and cancel, not free the resolver */
    void *arg;
    struct resolver_entry *entry; /* the resolver's own; NULL: it waits for nothing */
    struct resolver_waiter *next;
};

/* `settings` is kept. FE_EMEM. */
int resolver_new(struct resolver **out, struct host *h, const struct resolver_settings *settings);
/* NULL is fine. Nobody is told. */
void resolver_free(struct resolver *r);

/* The answer comes as a callback from the host's loop, in this turn when it is remembered. FE_EMEM: it never comes. */
int resolver_ask(struct resolver *r, const struct dns_name *name, enum dns_type type, struct resolver_waiter *w);
void resolver_cancel(struct resolver_waiter *w); /* fine on one that waits for nothing */
void resolver_forget(struct resolver *r);        /* what it remembers; questions under way go on */

#endif
