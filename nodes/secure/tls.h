/* TLS as a pure machine (RFC 5246, RFC 4346, RFC 2246; RFC 8446 where the library has it): bytes in, bytes out, the
 * time an argument. The owner carries the ciphertext by host_tcp_*; this layer knows no host, no socket and no clock.
 *
 * Deterministic: the same configuration, random stream, times and input give the same bytes in both directions in any
 * process (secure_time.h says how); but not TLS 1.3, whose key shares come from the library's own entropy. The random
 * numbers are a lab's and not fit to protect anything.
 *
 * A struct tls_context is one set-up of a node in one role: certificates, what is asked of the peer, the sessions that
 * may be resumed. A struct tls is one connection of it.
 *
 * Events are called from inside tls_start(), tls_input(), tls_send() and tls_close(), and only there, once the library
 * below has returned: inside an event every function of this header is allowed, also tls_free() of that connection,
 * but not its tls_input(). */
#ifndef FAREND_SECURE_TLS_H
#define FAREND_SECURE_TLS_H

#include "nodes/base/lab_time.h"
#include "nodes/base/prng.h"
#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_context;
struct tls;

enum tls_role { TLS_CLIENT, TLS_SERVER };

enum tls_version { TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 };
extern const char *const tls_version_words[]; /* "1.0", "1.1", "1.2", "1.3", NULL: for an OPT_CHOICE */
bool tls_version_known(enum tls_version v);   /* does the library of this build speak it? */

/* What a server asks of its clients (CT-1). */
enum tls_ask { TLS_ASK_NOTHING, TLS_ASK_CERTIFICATE, TLS_REQUIRE_CERTIFICATE };
extern const char *const tls_ask_words[]; /* "no", "optional", "required", NULL */

/* The four that a phone is configured with (PH-3); or'ed in tls_config.needs. */
enum tls_material {
    TLS_INTERMEDIATES = 1, /* "root and intermediate certificates" */
    TLS_CERTIFICATE = 2,   /* "local certificate" */
    TLS_KEY = 4,           /* "private key" */
    TLS_TRUST = 8,         /* "trusted certificates" */
};

/* Texts of certificates and keys are PEM (any number after each other), DER, or the one line of a node's setting
 * ("base64:" and DER in Base64, several separated by commas: pki.h); empty: there is none. Borrowed for the call of
 * tls_context_new(). */
struct tls_config {
    enum tls_role role;
    struct span certificate;   /* one's own; intermediates may follow it and are sent after it, in this order */
    struct span intermediates; /* more of them to send after those; self-signed ones in it (roots) are not sent */
    struct span key;           /* of `certificate` */
    struct span trust;         /* roots; without any a client accepts no server */
    unsigned needs;            /* tls_material: what must be there beside what the role cannot do without */
    enum tls_ask ask;          /* server */
    enum tls_version least, most;
    bool resume;       /* server: gives session tickets (RFC 5077) and takes them; client: offers the peer's last one */
    bool verify_dates; /* is the peer's chain valid now, by the machine's clock? */
    bool verify_name;  /* client: is the server the one that tls_new() named? (PB-3) */
};

/* TLS 1.2 alone, resumption, dates and name verified; no certificates; a server asks for none. */
struct tls_config tls_config_of(enum tls_role role);

/* `clock` is here and below what the machine's clock shows, as lab time (host_clock): it may stand wrong, and jump.
 *
 * *random is copied; every number that the context and its connections use comes from it and from the time: a context
 * that is made again later does not know the tickets of the first. 0; FE_EMEM; FE_ESYNTAX: a
 * text is not what it should be, FE_EUNKNOWN: one that is needed is missing, FE_EREFUSED: key and certificate do not
 * belong together, FE_ERANGE: the library does not speak these versions. Then `why` holds a sentence for the user that
 * names the text in the words of tls_material. */
int tls_context_new(const struct tls_config *config, const struct prng *random, lab_time clock,
                    struct tls_context **out, struct text *why);
/* Connections that are still there keep what they need of it. NULL is fine. */
void tls_context_free(struct tls_context *c);
/* Forgets every session: clients and their tickets begin anew. As after a reboot. */
void tls_context_forget(struct tls_context *c, lab_time clock);

/* ---- one connection ---- */

/* The handshake is complete. Spans and texts are borrowed for the call. */
struct tls_established {
    enum tls_version version;
    const char *suite;   /* "TLS-ECDHE-ECDSA-WITH-AES-256-GCM-SHA384" */
    bool resumed;        /* abbreviated handshake: no certificates were exchanged */
    bool certificate;    /* the peer showed one (kept over a resumption) */
    struct span subject; /* "CN=sbc.example.com"; empty without certificate */
    struct span names;   /* its SAN's dNSNames and iPAddresses: "sbc.example.com, 203.0.113.10" */
};

enum tls_alert_way {
    TLS_ALERT_NONE, /* neither side sent one */
    TLS_ALERT_SENT,
    TLS_ALERT_RECEIVED,
};

struct tls_failure {
    enum tls_alert_way way;
    const char *alert; /* RFC 5246 §7.2 and RFC 8446 §6: "unknown_ca", "handshake_failure", …; "" with TLS_ALERT_NONE */
    struct span why; /* a sentence: "the certificate of CN=sbc.example.com has expired" */
};

/* Any may be NULL but `send`. */
struct tls_events {
    /* Ciphertext for the peer: all that there is by now, in one piece. */
    void (*send)(void *arg, struct span bytes);
    void (*established)(void *arg, const struct tls_established *e); /* once; from now on tls_send() may be used */
    void (*received)(void *arg, struct span plaintext);              /* in order; how it is portioned means nothing */
    void (*closed)(void *arg); /* the peer's close_notify: nothing more is received */
    /* The connection is dead: its alert, if any, has been given to `send`. Only tls_free() makes sense. */
    void (*failed)(void *arg, const struct tls_failure *f);
    /* A line of the NSS key log format, without line end: for host_secret(). Comes before the bytes that it decrypts
     * are sent. */
    void (*secret)(void *arg, struct span line);
};

/* peer: whom a client means to talk to, an IPv4 address or a fully qualified domain name as it was configured; it is
 * verified against the certificate, names the session to resume, and a domain name is sent as SNI (RFC 6066 §3). A
 * server ignores it. 0; FE_EMEM; FE_ERANGE: longer than a domain name can be. */
int tls_new(struct tls_context *c, struct span peer, const struct tls_events *events, void *arg, struct tls **out);
/* A client sends its hello, a server does nothing. Once, before the rest. */
void tls_start(struct tls *t, lab_time clock);
/* What TCP received. Bytes after the end of the connection are ignored. */
void tls_input(struct tls *t, struct span bytes, lab_time clock);
/* All of the plaintext goes out, as records of at most 16 kB. 0; FE_EAGAIN: not established yet; FE_ERESET: closed by
 * this side, or failed. */
int tls_send(struct tls *t, struct span plaintext, lab_time clock);
void tls_close(struct tls *t, lab_time clock); /* close_notify, once established; nothing may be sent any more */
void tls_free(struct tls *t);                  /* sends nothing. NULL is fine */

bool tls_is_established(const struct tls *t);

#endif
