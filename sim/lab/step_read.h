/* What the files that read steps share: step.c, step_wires.c, step_set.c, step_fault.c. Each function returns false
 * after a problem or without memory. */
#ifndef FAREND_LAB_STEP_READ_H
#define FAREND_LAB_STEP_READ_H

#include "sim/lab/step.h"

struct step_reader {
    struct lab *lab;
    unsigned depth;
    bool no_memory;
};

extern const char *const step_direction_words[]; /* out, in */

bool step_kept(struct step_reader *r, const void *p); /* false, and remembered: there was no memory for p */
bool step_command_known(struct step_reader *r, unsigned node, const char *command, struct place at);

/* ---- step_wires.c: they add to s->wires; direction: index into step_direction_words, -1: both ---- */

/* The wires on which a network's own properties lie (sim/engine/plan.h), or all of them. */
bool step_network_wires(struct step_reader *r, struct step *s, unsigned network, bool all, int direction);
bool step_node_wires(struct step_reader *r, struct step *s, unsigned node, int direction);
bool step_named_wire(struct step_reader *r, struct step *s, const struct doc *name, int direction);
bool step_wire_or_on(struct step_reader *r, const struct doc *d, const struct doc *on, const struct doc *wire);
bool step_nobody(struct step_reader *r, const struct doc *name); /* a problem: neither node nor network */

/* ---- step_set.c ---- */
extern const struct field step_set_form[];
bool step_set_read(struct step_reader *r, struct step *s, const struct doc *d);

/* ---- step_fault.c ---- */
extern const struct field step_fault_form[];        /* nodes and wires: {on: router, do: reboot} */
extern const struct field step_packet_fault_form[]; /* packets: {drop: REGISTER, from: alice, nth: 3} */
bool step_fault_read(struct step_reader *r, struct step *s, const struct doc *d);

#endif
