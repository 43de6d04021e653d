/* What few wires do: bursts of loss, profiles, duplicates, corruption, DSCP, TTL, no ICMP. Called by wire.c, and only
 * for a direction whose spec asks for any of it. */
#ifndef FAREND_ENGINE_WIRE_SPECIAL_H
#define FAREND_ENGINE_WIRE_SPECIAL_H

#include "sim/engine/wire.h"

void wire_special_init(struct wire_way *way, uint64_t seed, const char *name, unsigned direction);
void wire_special_set(struct wire_way *way); /* way->spec is new */

/* WIRE_TAKEN, or what drops the packet: ICMP, TTL, loss. Changes the header of a packet that it lets pass. */
enum wire_fate wire_special_fate(struct wire_way *way, lab_time now, struct packet *p);

/* What is to be done to a packet that was taken: a set of enum wire_mark. */
uint8_t wire_special_marks(struct wire_way *way);

#endif
