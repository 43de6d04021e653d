/* A PCP client (RFC 6887) as a machine, for one mapping: pure, the time is an argument, and the owner sends. It asks
 * until it is answered (§8.1.1), renews what it was granted (§11.2.1), and asks anew when the server's epoch says that
 * mappings were lost (§8.5); what it had then is what it suggests. */
#ifndef FAREND_PCP_CLIENT_H
#define FAREND_PCP_CLIENT_H

#include "nodes/base/lab_time.h"
#include "nodes/base/prng.h"
#include "nodes/proto/pcp.h"

enum pcp_client_state {
    PCP_CLIENT_IDLE,    /* wants nothing */
    PCP_CLIENT_ASKING,  /* has nothing; the next request leaves at `at` */
    PCP_CLIENT_HELD,    /* has it until `until`; asks to renew it at `at` */
    PCP_CLIENT_WAITING, /* was refused, or it was lost; asks anew at `at` */
};

enum pcp_client_news {
    PCP_CLIENT_GRANTED, /* for the first time, again, or with another face */
    PCP_CLIENT_RENEWED,
    PCP_CLIENT_REFUSED, /* `result`, for `lifetime` */
    PCP_CLIENT_SILENT,  /* nobody answers, so far */
    PCP_CLIENT_LOST,    /* the server has lost its state */
    PCP_CLIENT_EXPIRED, /* nobody renewed it */
};

struct pcp_client;

struct pcp_client_events {
    void (*send)(void *arg, struct span bytes);
    /* `before`: the face that it had, port 0: none. May not call the client. */
    void (*told)(void *arg, enum pcp_client_news news, struct endpoint before);
};

/* What is asked for. */
struct pcp_client_wish {
    enum pcp_opcode op; /* MAP or PEER */
    uint8_t protocol;
    struct endpoint inside;
    struct endpoint peer; /* PEER's */
    uint32_t lifetime;    /* s */
};

struct pcp_client {
    const struct pcp_client_events *events;
    void *arg;
    struct prng rng;
    lab_time check; /* an ANNOUNCE so often, to learn the epoch (§14.1); 0: never */
    struct pcp_client_wish wish;
    struct pcp_nonce nonce;

    enum pcp_client_state state;
    lab_time at, check_at;
    lab_time rt;             /* of the last request without an answer */
    unsigned unanswered;     /* requests */
    lab_time granted, until; /* HELD */
    unsigned renewals;       /* asked for since then */
    struct endpoint outside; /* as it was last */
    uint8_t result;          /* of the last refusal */
    uint32_t lifetime;       /* of the last answer, s */

    bool epoch_known;
    uint32_t epoch;
    lab_time epoch_at;
};

/* Idle at first. */
void pcp_client_init(struct pcp_client *c, const struct prng *rng, lab_time check,
                     const struct pcp_client_events *events, void *arg);
/* From now on; what was asked before is left to its end. */
void pcp_client_ask(struct pcp_client *c, const struct pcp_client_wish *wish, lab_time now);
/* What came from the server. False: it is no answer to anything. */
bool pcp_client_heard(struct pcp_client *c, struct span bytes, lab_time now);

lab_time pcp_client_deadline(const struct pcp_client *c); /* when pcp_client_expire wants to be called; NEVER */
void pcp_client_expire(struct pcp_client *c, lab_time now);

#endif
