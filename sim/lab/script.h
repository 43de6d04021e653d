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

/* Before engine_run(): the first step is taken at lab time 0. */
void script_begin(struct script *s, struct engine *e);

/* Every line of the trace: call it from engine_config.observe. */
void script_line(struct script *s, struct span line);

bool script_is_over(const struct script *s);      /* everything was done and judged */
unsigned script_failures(const struct script *s); /* steps and expectations that failed so far */

#endif
