/* The makers' own configuration files as settings of a phone (node_kind.read_config): `config: startup.cfg`.
 *
 * A table says for each parameter which setting it is and how its value is written there. A parameter whose feature no
 * phone has yet is known by name and warned about, unless it says what a phone does anyway; one that means nothing in a
 * lab (a display name) is passed over; any other is warned about. */
#ifndef FAREND_PHONE_CONFIG_H
#define FAREND_PHONE_CONFIG_H

#include "nodes/node.h"

void phone_config_read(struct span text, const struct node_config_events *events, void *arg);

#endif
