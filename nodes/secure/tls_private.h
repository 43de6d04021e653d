/* What the sources of TLS share, for this folder alone. */
#ifndef FAREND_SECURE_TLS_PRIVATE_H
#define FAREND_SECURE_TLS_PRIVATE_H

#include "nodes/secure/secure_library.h"
#include "nodes/secure/tls.h"

#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

enum { TLS_PEER_MAX = 253, TLS_NAME_ROOM = 256, TLS_WHY_ROOM = 512, TLS_NAMES_ROOM = 1024 };

/* A client's session with one peer. */
struct tls_session {
    struct tls_session *next;
    char peer[TLS_PEER_MAX + 1];
    mbedtls_ssl_session session;
};

struct tls_context {
    struct tls_config config; /* its spans are empty */
    struct prng random;
    unsigned users; /* the owner and the connections */
    mbedtls_ssl_config conf;
    mbedtls_x509_crt chain, trust;
    mbedtls_pk_context key;
    mbedtls_ssl_ticket_context tickets; /* server */
    bool has_tickets;
    struct tls_session *sessions; /* client */
    struct tls *at_work;          /* the connection for which the library works: whose keys it exports */
};

enum tls_state {
    TLS_NEW,         /* tls_start() is to come */
    TLS_HANDSHAKE,   /* tls_input(), tls_close() */
    TLS_ESTABLISHED, /* all */
    TLS_PEER_CLOSED, /* the peer's close_notify was received: tls_close() */
    TLS_CLOSING,     /* ours was sent: tls_input(), for the peer's */
    TLS_DEAD,        /* failed, or closed by both: nothing */
};

/* Bytes to be given to an event once the library has returned. */
struct tls_bytes {
    char *p;
    size_t n, cap;
};

/* What is left of a record buffer that was given back (tls_rest.c). */
enum { TLS_BUFFER_POINTERS = 5 };
struct tls_buffer {
    size_t offsets[TLS_BUFFER_POINTERS]; /* of the library's pointers into it */
    unsigned char count[8];              /* of records, in front */
};

/* Why the peer's certificate is refused: the gravest of the reasons. */
struct tls_refusal {
    int rank; /* 0: it is not */
    uint8_t alert;
    uint32_t flag; /* for mbedTLS: makes it send just this alert */
    char why[TLS_WHY_ROOM];
};

struct tls {
    struct tls_context *context;
    const struct tls_events *events;
    void *arg;
    enum tls_state state;
    lab_time clock; /* of the call under way */
    unsigned depth; /* calls under way, one inside the other's events */
    bool freed;     /* inside an event: memory goes when the last call is over */
    bool no_memory;
    bool resumed;
    bool certificate_seen; /* the handshake came to where the server's is exchanged */
    uint8_t alert_sent;    /* NO_ALERT, ALERT_UNREADABLE, or its number: tls_alert.h */
    struct span input;     /* what the library has not taken yet */
    struct tls_bytes out, secrets;
    struct tls_refusal refusal;
    char peer[TLS_PEER_MAX + 1];
    bool resting; /* the library has no record buffers: it must not be called */
    struct tls_buffer resting_in, resting_out;
    mbedtls_ssl_context ssl;
};

/* tls_bytes: FE_EMEM, nothing is added then. */
int tls_bytes_add(struct tls_bytes *b, const void *p, size_t n);

/* The f_vrfy of mbedTLS; arg is a struct tls (tls_verify.c). */
int tls_verify(void *arg, mbedtls_x509_crt *certificate, int depth, uint32_t *flags);

/* Have the library export its keys as lines of tls->secrets (tls_secret.c). */
void tls_secret_of_context(struct tls_context *c);
void tls_secret_of_connection(struct tls *t);

/* Around all work of the library with a connection: its record buffers are given back when nothing is in them, and
 * taken again. FE_EMEM (tls_rest.c). */
void tls_rest(struct tls *t);
int tls_wake(struct tls *t);

/* Sessions that a client can resume (tls_session.c). */
void tls_session_offer(struct tls *t);
void tls_session_keep(struct tls *t);
void tls_sessions_free(struct tls_context *c);

void tls_context_release(struct tls_context *c); /* one user less */

#endif
