/* Turns, the engine's half: see nodes/host/turn.h. */
#ifndef FAREND_NETNS_TURN_H
#define FAREND_NETNS_TURN_H

#include "nodes/host/turn.h"

enum netns_turn_end {
    NETNS_TURN_BACK,   /* the page is ours again: page->result says how the turn went */
    NETNS_TURN_DEAD,   /* the program ended while it had the turn */
    NETNS_TURN_WEDGED, /* no answer within `patience` */
};

/* A page for a new program, in a memfd (*fd); NULL: errno. Unmap with netns_turn_unmap. */
struct turn_page *netns_turn_map(int *fd);
void netns_turn_unmap(struct turn_page *page);

/* Grants the turn and sleeps until it is given back. process: the program's pidfd; patience: of real time. */
enum netns_turn_end netns_turn_grant(struct turn_page *page, int process, lab_time patience);

#endif
