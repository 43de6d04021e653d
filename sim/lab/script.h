/* Runs the steps of a lab in lab time, on the engine, and judges the expectations; what comes of each is a line of the
 * trace ("step", "expect"). It acts only in script timers and decides by nothing but the trace, so the same steps run
 * alike in both worlds. A step that fails ends the steps; an expectation that does not hold is noted and the steps go
 * on. The expectations of the whole lab are judged last; then the engine is stopped. */
#ifndef FAREND_LAB_SCRIPT_H
#define FAREND_LAB_SCRIPT_H

#include "sim/engine/engine.h"
#include "sim/lab/step.h"

struct script;

/* The lab outlives the script. FE_EMEM. */
int script_new(struct script **out, const struct lab *lab);
void script_free(struct script *s);

/* What the trace has told so far, for who shows it. */
const struct facts *script_facts(const struct script *s);

/* Before engine_run(): the first step is taken at lab time 0. */
void script_begin(struct script *s, struct engine *e);

/* Every line of the trace: call it from engine_config.observe. */
void script_line(struct script *s, struct span line);

/* ---- script_live.c: steps that come one by one, in place of the lab's own ---- */

/* In place of script_begin(): nothing is done until script_add(), and nothing ends by itself. */
void script_open(struct script *s, struct engine *e);
bool script_is_idle(const struct script *s); /* there is no step under way */
/* Steps of this lab that were read after script_new() (lab_add_steps) begin at the present instant; the script is idle.
 * They outlive it. An event that happened before the step was given counts for it as it would in a lab file: of
 * `trace`, which is NULL or holds the trace so far, those since the last action are counted. From attend or a script
 * timer. FE_EMEM; FE_EOS: the trace cannot be read. */
int script_add(struct script *s, const struct step_list *steps, FILE *trace);
/* Nobody wants to know any more what becomes of the step under way: it has failed. What it set going goes on. */
void script_give_up(struct script *s);
/* The end: what is left of a step is not done; faults are reported, and the engine is stopped. The lab's own
 * expectations, which belong to its steps, are not judged. */
void script_finish(struct script *s);

bool script_is_over(const struct script *s);      /* everything was done and judged */
unsigned script_failures(const struct script *s); /* steps and expectations that failed so far */

#endif
