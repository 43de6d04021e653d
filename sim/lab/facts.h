/* What the trace has told so far about the phones: their registration, their latest calls and how these sounded. Fed
 * with every line; steps and expectations ask it. A function of the trace alone. */
#ifndef FAREND_LAB_FACTS_H
#define FAREND_LAB_FACTS_H

#include "nodes/base/span.h"
#include "sim/lab/lab.h"
#include "sim/lab/outage.h"
#include "sim/lab/storm.h"

enum phone_state { PHONE_UNREGISTERED, PHONE_TRYING, PHONE_REGISTERED, PHONE_FAILED };

enum call_state {
    CALL_CALLING,
    CALL_RINGING,
    CALL_INCOMING,
    CALL_ANSWERED,
    CALL_ESTABLISHED,
    CALL_ENDED,
    CALL_FAILED,
    CALL_CANCELLED,
};

/* The words of the trace for the states above, NULL-terminated. */
extern const char *const phone_state_words[];
extern const char *const call_state_words[];

static inline bool call_is_over(enum call_state state)
{
    return state == CALL_ENDED || state == CALL_FAILED || state == CALL_CANCELLED;
}

/* A media report, as the phone that listens gives it. */
struct report_facts {
    bool known;
    bool asked;     /* the script asked for it; what the phone says by itself later does not replace it */
    char heard[24]; /* the line that is heard; "" for none */
    uint32_t heard_ppm;
    uint32_t mos;            /* hundredths */
    uint32_t received, lost; /* packets */
};

struct call_facts {
    uint32_t number; /* the phone's count of calls, from 1; 0: no call */
    char peer[24];   /* the other line */
    enum call_state state;
    bool was_established;
    uint32_t status; /* SIP status; 0: none */
    char reason[48];
    lab_time since; /* when the state was entered */
    struct report_facts report;
};

enum { CALLS_KEPT = 4 }; /* of every phone the latest so many */

/* Another's program. */
enum program_state { PROGRAM_NOT_STARTED, PROGRAM_STARTED, PROGRAM_READY, PROGRAM_UNREADY, PROGRAM_ENDED };
extern const char *const program_state_words[];

/* The step's command that ran last. */
struct run_facts {
    uint32_t number; /* from 1; 0: none */
    bool ended, failed;
    uint32_t status; /* of one that ended */
    char reason[64]; /* of one that failed to start */
};

struct node_facts {
    bool off, frozen;           /* its program */
    enum program_state program; /* status: the exit status of one that ended; reason: of one that is not ready */
    enum phone_state state;
    uint32_t status;
    char reason[48];
    struct call_facts *calls; /* CALLS_KEPT, by number modulo; NULL before the first call */
};

struct facts {
    const struct lab *lab;
    struct node_facts *nodes;
    struct run_facts run;
    struct outages outages;
    struct storms storms;
    lab_time now; /* of the latest line */
    bool asking;  /* reports that come now were asked for */
    bool no_memory;
};

int facts_init(struct facts *f, const struct lab *lab); /* 0 or FE_EMEM */
void facts_fini(struct facts *f);

/* A line of the trace. Returns the node that it is about, -1 for the engine's and the script's own lines. */
int facts_line(struct facts *f, struct span line);

/* The latest call of a phone, with `peer` when that is not NULL; NULL when there was none. */
const struct call_facts *facts_call(const struct facts *f, unsigned node, const char *peer);

#endif
