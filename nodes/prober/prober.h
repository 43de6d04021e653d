/* The inside of a prober: finds out what the NATs between it and a STUN server do (RFC 5780 §4).
 *
 *   prober.c         settings, start, stop, commands      prober_query.c  one question, repeated until answered
 *   prober_tests.c   the tests, one after the other       prober_life.c   the search for a mapping's lifetime
 *   prober_trace.c   what it tells
 *
 * One question is under way at a time. Each test asks with the socket that fits it: `MAIN` learns how it is mapped;
 * `FRESH` speaks to no other address than the server's first, so that what comes from elsewhere tells of the filter;
 * `SECOND` stands for another host behind the same NATs. */
#ifndef FAREND_PROBER_H
#define FAREND_PROBER_H

#include "nodes/host.h"
#include "nodes/proto/stun.h"

#include <stdbool.h>
#include <stdint.h>

struct prober_settings {
    struct endpoint server;
    bool at_start;
    bool lifetime;           /* is to be found */
    lab_time lifetime_limit; /* of the search */
    lab_time resolution;     /* of the search: whole seconds */
    lab_time rto;            /* RFC 8489 §6.2.1 */
    uint32_t transmissions;  /* Rc there */
};

enum prober_socket_name { PROBER_MAIN, PROBER_FRESH, PROBER_SECOND, PROBER_SOCKETS };

struct prober_socket {
    struct prober *prober;
    struct host_udp *udp;
};

/* ---- questions ---- */
enum prober_result {
    PROBER_ANSWERED, /* `answer` is set */
    PROBER_CAME,     /* crossed questions: one of them arrived at the other socket */
    PROBER_REFUSED,  /* an error response, or an answer from elsewhere than asked: the server cannot do this */
    PROBER_SILENCE,  /* no answer to any transmission */
};

struct prober_question {
    enum prober_socket_name by, at; /* who asks; who is to hear the answer */
    struct endpoint to;
    struct endpoint expected; /* source of the answer */
    uint32_t change;
    uint16_t response_port; /* 0: none */
    bool crossed;           /* MAIN asks `to`, SECOND asks `expected`: each other's public endpoints (§3.4) */
};

struct prober_query {
    struct prober_question question;
    struct stun_id id;
    bool under_way;
    uint32_t sent;
    lab_time rto;       /* doubles */
    lab_time last_sent; /* time of the last transmission */
    struct timer timer;
};

/* ---- what is found out ---- */
enum prober_dependence {
    PROBER_UNKNOWN,
    PROBER_ENDPOINT_INDEPENDENT,
    PROBER_ADDRESS_DEPENDENT,
    PROBER_ADDRESS_AND_PORT_DEPENDENT
};
enum prober_answer { PROBER_NOT_TRIED, PROBER_NO, PROBER_YES };

struct prober_findings {
    struct endpoint local, mapped; /* of MAIN */
    bool translated;
    bool alg;         /* MAPPED-ADDRESS was rewritten on the way, XOR-MAPPED-ADDRESS was not (§3.6) */
    bool moves_ports; /* some socket's public port was not its own */
    enum prober_dependence mapping, filtering;
    enum prober_answer hairpin;
    lab_time lifetime;      /* 0: not found */
    lab_time lifetime_over; /* 0: not so; the search ended here, the mapping was still there */
};

/* The order of the tests. */
enum prober_step {
    PROBER_IDLE,
    PROBER_MAPPING_1,      /* MAIN to the first address (§4.3 test I) */
    PROBER_MAPPING_2,      /* … to the other address, same port (test II) */
    PROBER_MAPPING_3,      /* … to the other address and port (test III) */
    PROBER_FILTERING_1,    /* FRESH to the first address (§4.4 test I) */
    PROBER_FILTERING_2,    /* … to be answered from the other address and port (test II) */
    PROBER_FILTERING_3,    /* … from the other port only (test III) */
    PROBER_HAIRPIN_MAIN,   /* MAIN's public endpoint as it is now */
    PROBER_HAIRPIN_SECOND, /* SECOND's */
    PROBER_HAIRPIN,        /* they speak to each other (§3.4) */
    PROBER_LIFE_MAPPED,    /* MAIN is mapped (§4.6) … */
    PROBER_LIFE_ANSWERED,  /* … and used once more, so that the mapping is that of a conversation */
    PROBER_LIFE_SILENT,    /* the timer runs */
    PROBER_LIFE_ASKED,     /* SECOND has the server speak to MAIN's public port */
};

struct prober_search {
    lab_time alive, dead; /* longest silence survived, shortest not survived (0: none known) */
    lab_time trial;
};

struct prober {
    struct host *host;
    const struct prober_settings *settings;
    struct prober_socket sockets[PROBER_SOCKETS];
    struct prng rng; /* transaction ids */
    enum prober_step step;
    struct prober_query query;
    struct prober_findings found;
    struct endpoint other;          /* OTHER-ADDRESS; port 0: the server has none */
    struct endpoint second_mapping; /* mapping test II's result */
    struct endpoint main_now, second_now;
    struct prober_search search;
    struct timer silence;
};

/* prober_query.c */
void prober_query_init(struct prober *p);
void prober_ask(struct prober *p, const struct prober_question *question);
void prober_query_stop(struct prober *p);
/* A datagram came to socket `at`; what is not of the query is host_drop "not-ours". */
void prober_received(struct prober *p, enum prober_socket_name at, struct endpoint from, struct span data);

/* prober_tests.c; the answer of the query that is under way, NULL unless PROBER_ANSWERED */
void prober_tests_begin(struct prober *p);
void prober_heard(struct prober *p, enum prober_result result, const struct stun_msg *answer);
void prober_tests_done(struct prober *p);
void prober_tests_failed(struct prober *p, const char *reason);

/* prober_life.c */
void prober_life_begin(struct prober *p);
void prober_life_heard(struct prober *p, enum prober_result result, const struct stun_msg *answer);
void prober_life_silent(void *prober); /* the timer */

/* prober.c */
int prober_sockets_open(struct prober *p, struct text *why);
void prober_sockets_close(struct prober *p);

/* prober_trace.c */
void prober_trace_state(struct prober *p, const char *state, const char *reason);
void prober_trace_trial(struct prober *p, bool alive);
void prober_trace_found(struct prober *p);

#endif
