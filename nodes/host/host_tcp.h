/* TCP on the real machine's sockets, inside: what connections (host_tcp.c), their opening (host_tcp_open.c) and
 * listeners (host_listener.c) share. */
#ifndef FAREND_HOST_TCP_H
#define FAREND_HOST_TCP_H

#include "nodes/host/host_impl.h"

#include <stdbool.h>
#include <stddef.h>

struct host_tcp {
    struct host_input input; /* first: the two are one block */
    struct endpoint local, remote;
    struct host_tcp_events events;
    void *arg;
    bool owned;      /* else nobody hears of it any more, or not yet */
    bool connecting; /* our SYN is unanswered */
    bool dead;       /* `failed` was called */
    bool finished;   /* the peer's FIN was told */
    bool hung_up;    /* both directions are shut */
    bool finishing;  /* our FIN was asked for; it is sent when nothing waits in `buffer` */
    bool closing;    /* by its owner; the descriptor goes when nothing waits in `buffer` */
    bool waiting;    /* there are bytes that the peer's window keeps, in the kernel or in `buffer` */
    int error;       /* a negative enum fe_error that the kernel told in passing; 0: none */
    char *buffer;    /* what the kernel has not taken: from buffer_at on, buffer_n bytes */
    size_t buffer_at, buffer_n, buffer_cap;
    struct turn_tcp options; /* in a lab: as the engine knows them */
};

/* A non-blocking socket without Nagle's algorithm; -1: errno. */
int host_tcp_socket(void);
struct endpoint host_tcp_name(int fd); /* the local end */

/* Takes over fd, also when it fails, and listens to it. FE_EMEM, FE_EOS. */
int host_tcp_adopt(struct host *h, int fd, struct endpoint remote, bool connecting, struct host_tcp **out);

/* Notes that this connection's socket may have sent something: nobody knows how many packets. */
void host_tcp_stirred(const struct host_tcp *c);

/* ---- in a lab, the engine keeps TCP's time (turn.h) ---- */
void host_tcp_note(struct host *h, const struct turn_tcp *note); /* nothing by hand */
/* Whether the engine has ended this connection because its time was over. */
bool host_tcp_is_timed_out(const struct host_tcp *c);

#endif
