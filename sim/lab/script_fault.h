/* The faults that a lab's steps have set going, and what became of them: part of script.h. */
#ifndef FAREND_LAB_SCRIPT_FAULT_H
#define FAREND_LAB_SCRIPT_FAULT_H

#include "sim/lab/step.h"

struct engine;
struct script_faults;

struct script_faults *script_faults_new(const struct lab *lab); /* NULL without memory */
void script_faults_free(struct script_faults *f);
/* The lab has more steps now (script_add). FE_EMEM. */
int script_faults_more(struct script_faults *f, const struct lab *lab);

/* STEP_FAULT, STEP_FLAP: from now on; a step that is repeated begins anew. FE_EMEM. */
int script_fault_begin(struct script_faults *f, struct engine *e, const struct step *step);

/* STEP_SIDES. */
void script_sides_set(struct engine *e, const struct step *step);

/* At the end: a line "fault-over" for each fault, in the order of the steps. Then calls `missed` for those that never
 * hit anything and had to. */
void script_faults_report(struct script_faults *f, void (*missed)(void *arg, const struct step *step), void *arg);

#endif
