/* What the transactions' files share, and nobody else sees. */
#ifndef FAREND_SIP_TXN_PRIVATE_H
#define FAREND_SIP_TXN_PRIVATE_H

#include "nodes/base/prng.h"
#include "nodes/sip/sip_txn.h"

#include <stddef.h>
#include <stdint.h>

enum sip_machine { SIP_ICT, SIP_NICT, SIP_IST, SIP_NIST };

/* RFC 3261 §17.1.1.2, RFC 6026 §8.4. */
enum sip_ict_state {
    SIP_ICT_CALLING,    /* no response yet; the INVITE is repeated (timer A) until timer B */
    SIP_ICT_PROCEEDING, /* a 1xx came; waits without limit, unless it was cancelled */
    SIP_ICT_ACCEPTED,   /* a 2xx came; each one is passed up until timer M */
    SIP_ICT_COMPLETED,  /* refused and acknowledged; repeated refusals are acknowledged until timer D */
    SIP_ICT_TERMINATED,
};

/* RFC 3261 §17.1.2.2. */
enum sip_nict_state {
    SIP_NICT_TRYING,     /* no response yet; repeated (timer E, growing) until timer F */
    SIP_NICT_PROCEEDING, /* a 1xx came; repeated every T2 until timer F */
    SIP_NICT_COMPLETED,  /* the final response was passed up; its repetitions are absorbed until timer K */
    SIP_NICT_TERMINATED,
};

/* RFC 3261 §17.2.1, RFC 6026 §8.5. */
enum sip_ist_state {
    SIP_IST_PROCEEDING, /* the user answers; repeated INVITEs get the last 1xx; a 100 after 200 ms if there is none */
    SIP_IST_ACCEPTED,   /* a 2xx was sent; repeated INVITEs are absorbed, more 2xx go through, until timer L */
    SIP_IST_COMPLETED,  /* a refusal was sent; repeated (timer G) until its ACK or timer H */
    SIP_IST_CONFIRMED,  /* the ACK came; its repetitions are absorbed until timer I */
    SIP_IST_TERMINATED,
};

/* RFC 3261 §17.2.2. */
enum sip_nist_state {
    SIP_NIST_TRYING,     /* nothing was answered; repetitions are absorbed */
    SIP_NIST_PROCEEDING, /* repetitions get the last 1xx */
    SIP_NIST_COMPLETED,  /* repetitions get the final response, until timer J */
    SIP_NIST_TERMINATED,
};

enum { SIP_TAG_DIGITS = 16 };

struct sip_txn {
    struct sip_txns *set;
    struct sip_txn *next; /* in its bucket; once ended, in the list of those to be freed */
    enum sip_machine machine;
    union {
        enum sip_ict_state ict;
        enum sip_nict_state nict;
        enum sip_ist_state ist;
        enum sip_nist_state nist;
    } state;
    uint64_t hash;         /* of key */
    struct span key;       /* what its messages have in common; in the heap block of the transaction */
    struct span request;   /* client: as sent, with Via; server: as received; likewise, or in `rewritten` */
    struct span branch;    /* of the request's top Via */
    uint64_t number;       /* in the order of their beginnings */
    struct sip_flow flow;  /* client: where the request goes; server: where it came from */
    struct sip_flow udp;   /* with `switched`: where it would have gone but for its size */
    struct sip_flow reply; /* server: where responses go */
    struct timer repeat;   /* timers A, E, G; of a server INVITE before any response: its 100 */
    struct timer limit;    /* the end of the present state: timers B, D, F, H, I, J, K, L, M */
    lab_time interval;     /* of `repeat` */
    char *answer;          /* server: the last response; client INVITE: the ACK of a refusal. Heap, NULL: none */
    size_t answer_size;
    unsigned status;    /* of the last response, 0: none */
    bool switched;      /* §18.1.1: went over TCP for its size alone, and may fall back */
    bool unsent;        /* the machine refused the first send; `limit` runs to say so from the loop */
    bool held;          /* timer B or F begins when the connection is up */
    bool cancel_wanted; /* client INVITE: by the owner */
    bool cancel_sent;
    bool ended;
    char tag[SIP_TAG_DIGITS + 1];
    char *cancel_reason; /* heap, NULL: none */
    char *rewritten;     /* heap, the request after it fell back; NULL: it did not */
    const struct sip_client_events *client;
    const struct sip_server_events *server;
    void *arg;
    char bytes[]; /* key, request */
};

struct sip_txns {
    struct sip_transport_layer *transport;
    struct host *host;
    struct sip_timing timing;
    const struct sip_txns_events *events;
    void *arg;
    struct prng branches, tags;
    struct sip_txn **buckets;
    size_t n_buckets; /* a power of two, or 0 */
    size_t live;
    uint64_t begun;        /* transactions that ever were */
    struct sip_txn *ended; /* to be freed by `sweep` */
    struct timer sweep;
    bool deaf;
};

/* ---- sip_key.c: two messages belong to one transaction when their keys are equal ---- */
enum { SIP_KEY_MAX = 4096 };
/* RFC 3261 §17.1.3. `branch`: of the request sent, or of a response's top Via. Written to `key`; check text_ok(). */
void sip_key_client(struct text *key, struct span branch, struct span method);
/* §17.2.3, also for clients of RFC 2543. `method`: INVITE to find the INVITE of an ACK or CANCEL, else the request's.
 */
void sip_key_server(struct text *key, const struct sip_msg *msg, const struct sip_core *core, struct span method);

/* ---- sip_txn.c: the table ---- */
struct sip_txn *sip_txns_find(const struct sip_txns *set, const struct text *key); /* NULL: none */
/* One more, in the table, with a copy of the request; its machine has not begun. FE_EMEM, FE_ERANGE. */
int sip_txn_new(struct sip_txns *set, enum sip_machine machine, const struct text *key, struct span request,
                struct sip_txn **out);

/* ---- sip_txn_client.c, sip_txn_server.c: what the transport brings ---- */
void sip_txns_take_response(void *arg, const struct sip_incoming *in);
void sip_txns_take_failure(void *arg, struct sip_flow flow, int error);
void sip_txns_take_request(void *arg, const struct sip_incoming *in);

/* ---- sip_txn.c, for the machines ---- */
/* No timer repeats what the transport delivers by itself (§17.1.1.2, §17.1.2.2, §17.2.1, §17.2.2). */
static inline bool sip_txn_is_reliable(const struct sip_txn *txn)
{
    return sip_flow_is_reliable(txn->flow);
}
void sip_txn_start_repeat(struct sip_txn *txn, lab_time interval);
void sip_txn_start_limit(struct sip_txn *txn, lab_time after);
void sip_txn_stop_timers(struct sip_txn *txn);
/* The first time, with timer A or E, and timer B or F after `patience`. */
void sip_txn_start_request(struct sip_txn *txn, lab_time patience);
int sip_txn_send_request(struct sip_txn *txn); /* once more; errors as sip_transport_send */
void sip_txn_send_answer(struct sip_txn *txn); /* the answer kept, once more; nothing when there is none */
int sip_txn_keep_answer(struct sip_txn *txn, struct span bytes);    /* copies; FE_EMEM */
void sip_txn_trace_timeout(struct sip_txn *txn, const char *timer); /* the request, or the response that was sent */
void sip_txn_tell_response(struct sip_txn *txn, const struct sip_incoming *in);
void sip_txn_tell_failed(struct sip_txn *txn, unsigned status);
/* Takes it out of the table, tells `ended`, and leaves the memory to the next turn of the loop. */
void sip_txn_end(struct sip_txn *txn);
/* A client transaction without an owner, for a request that has its Via already: a CANCEL. */
int sip_txn_begin(struct sip_txns *set, const struct sip_flow *to, struct span request, struct sip_txn **out);

/* ---- the machines ---- */
void sip_ict_start(struct sip_txn *txn);
void sip_ict_response(struct sip_txn *txn, const struct sip_incoming *in);
void sip_ict_repeat(struct sip_txn *txn);
void sip_ict_limit(struct sip_txn *txn);
void sip_ict_error(struct sip_txn *txn);
void sip_ict_cancel(struct sip_txn *txn);

void sip_nict_start(struct sip_txn *txn);
void sip_nict_response(struct sip_txn *txn, const struct sip_incoming *in);
void sip_nict_repeat(struct sip_txn *txn);
void sip_nict_limit(struct sip_txn *txn);
void sip_nict_error(struct sip_txn *txn);

void sip_ist_start(struct sip_txn *txn);
void sip_ist_request(struct sip_txn *txn); /* the INVITE again */
bool sip_ist_ack(struct sip_txn *txn);     /* false: it acknowledges a 2xx, and is the user's */
int sip_ist_respond(struct sip_txn *txn, unsigned status, struct span response);
void sip_ist_repeat(struct sip_txn *txn);
void sip_ist_limit(struct sip_txn *txn);

void sip_nist_start(struct sip_txn *txn);
void sip_nist_request(struct sip_txn *txn);
int sip_nist_respond(struct sip_txn *txn, unsigned status, struct span response);
void sip_nist_limit(struct sip_txn *txn);

#endif
