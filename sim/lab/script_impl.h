/* The script, inside: what its files share. */
#ifndef FAREND_LAB_SCRIPT_IMPL_H
#define FAREND_LAB_SCRIPT_IMPL_H

#include "sim/lab/expect.h"
#include "sim/lab/script.h"
#include "sim/lab/step.h"

enum { FRAMES = 8, WHY = 320 };

enum phase {
    PHASE_NEXT,    /* between steps: take the next one */
    PHASE_IDLE,    /* live, and there is none: script_add() brings it */
    PHASE_SLEEP,   /* until the deadline */
    PHASE_WAIT,    /* until the step's condition holds; "never": until it does, which is wrong */
    PHASE_COMMAND, /* a command was given; at this instant's end it was understood or not */
    PHASE_DIAL,    /* until the call is established or over */
    PHASE_TALK,    /* until the deadline, or the call is over, which is wrong */
    PHASE_ASK,     /* reports were asked for; at this instant's end they are there */
    PHASE_HANG_UP, /* until the phones' calls are over */
    PHASE_JUDGE,   /* reports were asked for, for an expectation */
    PHASE_READY,   /* until another's program is ready */
    PHASE_RUN,     /* until the step's command has ended */
    PHASE_HALT,    /* until another's program has ended */
    PHASE_FINAL,   /* reports were asked for, for the lab's expectations */
    PHASE_OVER,
};

/* A list of steps being worked through; repeat nests them. */
struct frame {
    const struct step_list *steps;
    size_t next;
    uint32_t rounds; /* still to go, this one included */
};

struct script {
    const struct lab *lab;
    struct engine *e;
    struct facts facts;
    struct script_faults *faults;
    uint32_t *counts; /* by expectation: lines that matched */
    size_t counts_n;
    lab_time *firsts; /* by expectation: when the first of them came */
    struct timer timer;
    struct frame frames[FRAMES];
    unsigned depth;
    const struct step *step;
    unsigned n;        /* steps begun */
    unsigned n_action; /* the last of them that was an action */
    bool live;         /* steps come one by one: script_live.c */
    enum phase phase;
    lab_time deadline;
    bool met;          /* what the phase waits for has come */
    uint32_t dialled;  /* the caller's latest call before this step */
    unsigned runs;     /* commands run so far */
    uint32_t seen;     /* by text of the step's `has`: a line of the command's output has it */
    bool *halted;      /* by node: its program was asked to end */
    int lost;          /* node whose program ended unasked, and no step was told yet; -1: none */
    char refused[WHY]; /* why a node did not understand its command; "" */
    unsigned failures;
};

/* ---- script.c ---- */
void script_enter_for(struct script *s, enum phase phase, lab_time duration);
void script_step_done(struct script *s);
/* Nothing after a failed step would mean much: what is left of the steps is not done. */
void script_step_failed(struct script *s, const char *why);
/* The same for a step that may be an expectation under way. */
void script_step_lost(struct script *s, const char *why);
void script_expect_trace(struct script *s, const struct expectation *e, bool held, const char *why);

void script_counts_reset(struct script *s);
void script_final_begin(struct script *s);
int script_counts_more(struct script *s); /* as many as the lab has expectations now. FE_EMEM */

/* ---- script_call.c ---- */
void script_call_begin(struct script *s);
/* The call that this step made, once the phone has traced it; else NULL. */
const struct call_facts *script_call_dialled(const struct script *s);
/* The call is over at this end and, as far as the other phone knows of it, at the other. */
bool script_call_is_over(const struct script *s);
/* A call that hung up was asked before; a call that still stands is asked when its sound is judged. */
void script_call_ask_for(struct script *s, const struct expectation *e);
void script_call_dial_end(struct script *s);
void script_call_talk_end(struct script *s);
void script_call_hang_up(struct script *s, lab_time within);
void script_call_hang_up_end(struct script *s);

/* ---- script_program.c ---- */
void script_program_ready_end(struct script *s);
void script_program_run(struct script *s);
void script_program_run_end(struct script *s);
void script_program_halt(struct script *s);
void script_program_halt_end(struct script *s);
/* A program whose end the lab neither asked for nor judges: what follows would mean nothing. */
void script_program_lost_line(struct script *s, struct span line, int node);
/* Fails the step under way; false when there is none that could fail. */
bool script_program_loss_told(struct script *s);
void script_program_output_line(struct script *s, struct span line);

#endif
