/* The ladder: a trace as the rows of a SIP sequence diagram, in their order. Pure: lines of JSON in, rows out.
 *
 * A message is one row, from its `out` line; the `in` line of whoever receives it fills in where and when it arrived.
 * The two are matched by Call-ID, CSeq and message, and by the addresses as far as the topology tells whose they are. A
 * packet that died is laid to the oldest message that was then on its way between these endpoints. Over TCP it only is
 * the reason when the message never arrives: a lost segment is sent again.
 *
 * A line may hold any JSON: what has another type than the trace's vocabulary says counts as not there. */
#ifndef FAREND_REPORT_LADDER_H
#define FAREND_REPORT_LADDER_H

#include "nodes/base/lab_time.h"
#include "sim/report/topology.h"
#include "sim/report/words.h"

#include <stdint.h>

enum ladder_type {
    LADDER_MESSAGE, /* node → other: text "INVITE", "200 INVITE" */
    LADDER_NOTE,    /* at node: its state changed */
    LADDER_DROPS,   /* at where: packets that were no SIP message, or of TCP */
    LADDER_MEDIA,   /* what node hears of other, at the end of a call */
    LADDER_STEP,    /* a step begins; bad: it failed, later */
    LADDER_EXPECT,  /* bad: it did not hold */
    LADDER_BAND,    /* a fault, or a change of a wire: of the lab as a whole */
};

enum ladder_fate {
    LADDER_UNSEEN,  /* no line tells of its arrival, nor of its end */
    LADDER_ARRIVED, /* at other */
    LADDER_LOST,    /* at where, for cause */
};

enum { LADDER_NOBODY = -1 };

/* Numbers of words are in ladder.words; nodes are numbers in ladder.nodes. */
struct ladder_row {
    enum ladder_type type;
    enum ladder_fate fate; /* MESSAGE */
    bool bad;              /* something failed, expired, was lost */
    lab_time at, until;    /* MESSAGE: sent, arrived; DROPS: first, last; else equal */
    int node, other;       /* or LADDER_NOBODY */
    int text, detail;      /* words: what is shown, and the whole of it; -1: none */
    int peer;              /* MESSAGE: word, the endpoint that it was sent to (or came from, when nobody sent it) */
    int where, cause;      /* LOST, DROPS: words: node or wire, and why; NOTE: cause is its event; -1 */
    int dialog;            /* number of its Call-ID, or -1 */
    unsigned count;        /* MESSAGE: its transmission, from 1; DROPS, NOTE: how many */
    unsigned arrivals;     /* MESSAGE */
    int key, before;       /* MESSAGE: what it is matched by, and the row before with the same; -1 */
    int item;              /* STEP, EXPECT: its place among the items of the verdict, from 0; else -1 */
};

struct ladder_dialog {
    int call_id, text; /* words: Call-ID, its first message */
    int node;          /* who sent that */
    unsigned messages, lost;
    lab_time first, last;
};

struct ladder_node {
    int name;     /* word */
    int topology; /* its number there, or TOPOLOGY_NONE */
    int line;     /* word: the phone number that it registered; -1 */
    bool speaks;  /* SIP, as its lines or its kind tell */
    bool happens; /* something that a column is worth: notes, drops */
    int heard;    /* word: the latest report of a call under way, which is no row yet; -1 */
    bool deaf;    /* nothing was heard in that */
};

/* What died, and where. */
struct ladder_death {
    int cause, where; /* words */
    uint64_t count;
    lab_time first, last;
    int packet; /* word: the first */
};

enum {
    LADDER_ROWS = 200000, /* kept; what comes later is counted only */
    LADDER_DEATHS = 500,
};

struct ladder {
    const struct topology *topology;
    struct words words;
    struct ladder_row *rows;
    size_t n, room;
    uint64_t beyond; /* rows that there was no room for */
    struct ladder_node *nodes;
    size_t nodes_n;
    struct words names;    /* of nodes: the number is the node's */
    struct words call_ids; /* the number is the dialog's */
    struct words keys;     /* of messages */
    int *latest;           /* for each key the latest row; -1 */
    size_t latest_n;
    struct ladder_dialog *dialogs;
    size_t dialogs_n;
    struct ladder_death *deaths;
    size_t deaths_n;
    uint64_t deaths_beyond; /* drops of kinds that there was no room for */
    lab_time now;
    lab_time died_at; /* when the latest drop was, */
    int died_packet;  /* and of which packet: the ICMP error about it follows */
    int items;        /* steps and expectations so far */
    bool no_memory;
};

/* `topology` outlives it. */
void ladder_init(struct ladder *l, const struct topology *topology);
void ladder_fini(struct ladder *l);

/* A line of the trace, in their order. 0; FE_ESYNTAX: it is no JSON object; FE_EMEM. */
int ladder_line(struct ladder *l, struct span line);

/* After the last line: what the reasons of TCP's losses come to. */
void ladder_end(struct ladder *l);

#endif
