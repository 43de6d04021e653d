/* Asks a STUN server how a socket is seen from outside (RFC 8489 §6.2.1): one question at a time, on a socket of the
 * owner's, who passes in what comes there. */
#ifndef FAREND_MEDIA_STUN_CLIENT_H
#define FAREND_MEDIA_STUN_CLIENT_H

#include "nodes/host.h"
#include "nodes/proto/stun.h"

#include <stdbool.h>
#include <stdint.h>

struct stun_client_events {
    void (*send)(void *arg, struct endpoint to, struct span bytes);
    /* How the socket is mapped; port 0: no answer came, or an error. May free the client. */
    void (*mapped)(void *arg, struct endpoint seen);
};

struct stun_client {
    struct host *host;
    struct endpoint server; /* port 0: never asks */
    const struct stun_client_events *events;
    void *arg;
    unsigned transmissions; /* Rc; each waits twice as long as the one before, the last one too */
    struct prng rng;
    struct stun_id id;
    unsigned sent; /* of the question under way; 0: there is none */
    struct timer timer;
};

/* `purpose` names the stream of its transaction ids. */
void stun_client_init(struct stun_client *c, struct host *h, struct endpoint server, const char *purpose,
                      const struct stun_client_events *events, void *arg);
void stun_client_ask(struct stun_client *c); /* nothing while a question is under way */
void stun_client_stop(struct stun_client *c);
/* What is STUN and came to the socket; false: it is no answer to the question. */
bool stun_client_heard(struct stun_client *c, struct endpoint from, struct span bytes);

static inline bool stun_client_asks(const struct stun_client *c)
{
    return c->sent > 0;
}

#endif
