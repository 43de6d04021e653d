/* The message waiting indication, application/simple-message-summary (RFC 3842 §5.2):
 *
 *     Messages-Waiting: yes
 *     Message-Account: sip:101@lab.example
 *     Voice-Message: 2/8 (0/2)              new/old, of which urgent
 *
 * Pure: bytes in, bytes out. */
#ifndef FAREND_PROTO_MWI_H
#define FAREND_PROTO_MWI_H

#include "nodes/base/span.h"
#include "nodes/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define MWI_EVENT "message-summary"
#define MWI_TYPE  "application/simple-message-summary"

struct mwi {
    bool waiting;
    bool has_counts;     /* a Voice-Message line */
    uint32_t new, old;   /* voice messages */
    struct span account; /* empty: not said; into the body */
};

/* 0; FE_ESYNTAX: no Messages-Waiting line first, or a Voice-Message line that cannot be read. Other lines are
 * skipped. */
int mwi_parse(struct span body, struct mwi *out);

void mwi_write(const struct mwi *m, struct text *out); /* without the urgent ones; has_counts is taken for granted */

/* "2/8": new and old. 0, FE_ESYNTAX, FE_ERANGE. */
int mwi_counts_parse(struct span text, uint32_t *new, uint32_t *old);

#endif
