/* The ladder, inside: what its files share. The contract is ladder.h. */
#ifndef FAREND_REPORT_LADDER_IMPL_H
#define FAREND_REPORT_LADDER_IMPL_H

#include "sim/report/ladder.h"

#include <jansson.h>

/* The event of a line: borrowed for the call. Texts are "" when they are missing. */
struct ladder_event {
    const json_t *line;
    const char *ev, *state;
    lab_time at;
    int node; /* or LADDER_NOBODY */
};

const char *ladder_text(const struct ladder_event *e, const char *key);
int64_t ladder_number(const struct ladder_event *e, const char *key); /* 0 when it is not there */

/* A row of the event's time and node; NULL when there is no room. Lives until the next one. */
struct ladder_row *ladder_row(struct ladder *l, const struct ladder_event *e, enum ladder_type type);
/* The node of that name, which may come to be; LADDER_NOBODY without memory. */
int ladder_node(struct ladder *l, const char *name);
int ladder_word(struct ladder *l, const char *text);

/* ladder_match.c: messages, where they arrived. */
void ladder_sip(struct ladder *l, const struct ladder_event *e);
/* The node that has the address; LADDER_NOBODY when that is not known, or it is one that only passes SIP on, as a NAT.
 */
int ladder_speaker(struct ladder *l, const char *endpoint);

/* ladder_drop.c: packets, where they died. */
void ladder_drop(struct ladder *l, const struct ladder_event *e);
void ladder_icmp(struct ladder *l, const struct ladder_event *e);

/* ladder_note.c: everything else that is shown. */
void ladder_note(struct ladder *l, const struct ladder_event *e);

/* ladder_media.c */
void ladder_media(struct ladder *l, const struct ladder_event *e);

#endif
