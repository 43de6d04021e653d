/* The steps of a lab, as they are after checking: names are indices, commands are ready to be given. script.h runs
 * them. */
#ifndef FAREND_LAB_STEP_H
#define FAREND_LAB_STEP_H

#include "sim/engine/fault.h"
#include "sim/lab/expect.h"
#include "sim/lab/lab.h"
#include "sim/lab/lab_clock.h"

enum step_type {
    STEP_SLEEP,   /* duration */
    STEP_WAIT,    /* until `condition` holds, at most `within` */
    STEP_EXPECT,  /* `condition` */
    STEP_CALL,    /* node calls `number` (of node `other`, if it is one of the lab's) */
    STEP_HANG_UP, /* node's call; waits until it is over, at most `within` */
    STEP_COMMAND, /* `command` to node */
    STEP_LINK,    /* changes wires: `link`, or down and up */
    STEP_POWER,   /* node off or on, or both: a restart */
    STEP_FREEZE,  /* node frozen or thawed */
    STEP_CLOCK,   /* node's clock is set, or jumps: `clock` */
    STEP_MTU,     /* of node's port number `index`: `mtu` */
    STEP_FAULT,   /* `fault` begins */
    STEP_FLAP,    /* wires go down and up for a while */
    STEP_SIDES,   /* a network falls apart: `sides`, of each of `wires` */
    STEP_REPEAT,  /* `steps`, `times` */
    STEP_READY,   /* another's program: until it is ready, at most `within` */
    STEP_RUN,     /* a command beside node's program, at most `within`: its exit status and output */
    STEP_HALT,    /* another's program is asked to end, and does within `within`, with `exit_status` */
};

enum step_call { CALL_SHALL_ESTABLISH, CALL_SHALL_FAIL };
enum step_cut { CUT_NO, CUT_DOWN, CUT_UP };

/* One direction of a wire of the plan. */
struct step_wire {
    unsigned wire, direction;
};

struct step;

enum { STEP_HAS_MAX = 32 };

struct step_list {
    struct step *items;
    size_t n;
};

struct step {
    enum step_type type;
    struct place at;
    const char *text; /* the step in one line */
    unsigned node;
    int other; /* CALL: the phone called, -1: none of the lab's */
    const struct expectation *condition;
    const char *command; /* COMMAND, CALL ("call 101") */
    const char *number;
    lab_time duration; /* SLEEP; CALL: talk */
    lab_time within;
    enum step_call shall;
    uint32_t status; /* CALL that shall fail: 0: any */
    bool stay;       /* CALL: does not hang up */
    struct step_wire *wires;
    size_t wires_n;
    struct link link;
    uint32_t given; /* fields of `link` */
    enum step_cut cut;
    bool power, restart, loss, freeze; /* loss: POWER: off, and the machine with it */
    struct lab_clock clock;
    struct fault_spec *fault;
    unsigned index;    /* FAULT, FLAP: in lab.faults */
    uint32_t mtu;      /* MTU: bytes */
    bool may_miss;     /* FAULT: it need not hit anything */
    lab_time down, up; /* FLAP; `duration` in all */
    uint8_t *sides;    /* SIDES: of `wires`, 0: together again */
    uint32_t times;
    struct step_list steps;
    struct foreign_command run; /* RUN */
    uint32_t exit_status;       /* RUN, HALT */
    bool any_status;            /* HALT: the lab does not say one */
    const char **has;           /* RUN: its output shall have these (escaped as in the trace), each in some line */
    size_t has_n;
};

/* Is it something that is done, after which events are counted anew? (Not waiting, sleeping, expecting, repeating.) */
bool step_is_action(const struct step *s);

/* ---- the forms, for the schema ---- */
struct step_reader;

struct step_word {
    const char *word, *help;
    const struct field *form; /* NULL: only the short form */
    const char *brief;        /* what the short form is: "time", "node", "statement"; NULL: there is none */
    bool (*read)(struct step_reader *r, struct step *s, const struct doc *value); /* step_read.h */
    const struct field *other;                                                    /* a second form, or NULL */
};
extern const struct step_word step_words[]; /* ends with word NULL */

#endif
