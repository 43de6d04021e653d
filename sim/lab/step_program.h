/* Steps about other people's programs: run and stop; and those that nobody writes: waiting for their readiness before
 * the lab's own steps, and stopping those with a judged exit status after them. */
#ifndef FAREND_LAB_STEP_PROGRAM_H
#define FAREND_LAB_STEP_PROGRAM_H

#include "sim/lab/step.h"

extern const struct field step_run_form[];

/* False after a problem. */
bool step_run_read(struct lab *lab, struct step *s, const struct doc *d);
bool step_halt_read(struct lab *lab, struct step *s, const struct doc *d);

int step_programs_add(struct lab *lab, struct step_list *list); /* 0 or FE_EMEM */

#endif
