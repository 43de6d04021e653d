/* Copies a message with edits; every byte that no edit touches stays as it came (RFC 3261 §16.6: a proxy must not
 * reorder, and must not alter what it does not understand).
 *
 *     sip_edit_begin(&e, &m);
 *     sip_edit_received(&e, &core.via, source);
 *     sip_edit_pop(&e, SIP_H_ROUTE, 1);
 *     sip_edit_prepend(&e, SIP_H_VIA, my_via);
 *     sip_edit_number(&e, SIP_H_MAX_FORWARDS, core.max_forwards - 1u);
 *     error = sip_edit_write(&e, &out);
 *
 * Values given to an edit are borrowed until sip_edit_write(). Two edits must not touch the same bytes. A struct
 * sip_edit points into itself: it is neither copied nor moved. */
#ifndef FAREND_PROTO_SIP_EDIT_H
#define FAREND_PROTO_SIP_EDIT_H

#include "nodes/base/addr.h"
#include "nodes/base/text.h"
#include "nodes/proto/sip_msg.h"
#include "nodes/proto/splice.h"

#define SIP_EDIT_NOTES 128 /* bytes of numbers and addresses that one set of edits writes */

struct sip_edit {
    const struct sip_msg *m;
    struct splices splices;
    char notes[SIP_EDIT_NOTES]; /* digits the edits made themselves: `with` spans point here */
    struct text text;           /* over notes */
};

void sip_edit_begin(struct sip_edit *e, const struct sip_msg *m);

/* A new Request-URI; m is a request. */
void sip_edit_uri(struct sip_edit *e, struct span uri);

/* A new header line before the first one with this id; when there is none, behind the Vias (a Via: behind the start
 * line). Two calls for one id: the lines come in the order of the calls. */
void sip_edit_prepend(struct sip_edit *e, enum sip_header_id id, struct span value);

/* A new header line behind the last one with this id; when there is none, behind all headers. */
void sip_edit_append(struct sip_edit *e, enum sip_header_id id, struct span value);

/* The first header with this id gets this value, its name stays as written; further ones go. Appended if there is none.
 */
void sip_edit_set(struct sip_edit *e, enum sip_header_id id, struct span value);
void sip_edit_number(struct sip_edit *e, enum sip_header_id id, uint32_t value); /* sip_edit_set with digits */

/* All header lines with this id go. */
void sip_edit_remove(struct sip_edit *e, enum sip_header_id id);

/* The first `count` values of the list go: "Route: a, b" becomes "Route: b"; lines that are left empty go too. */
void sip_edit_pop(struct sip_edit *e, enum sip_header_id id, size_t count);

/* These bytes of the message (part of a URI, a parameter, …) become those. */
void sip_edit_replace(struct sip_edit *e, struct span where, struct span with);

/* What a server's transport adds to the topmost Via: "received" when the packet's source is not what sent-by says
 * (§18.2.1), "received" and the value of "rport" when the client asked for it (RFC 3581 §4). */
void sip_edit_received(struct sip_edit *e, const struct sip_via *top, struct endpoint from);

/* A new body; Content-Length follows. type: the new Content-Type, empty: as it was. An empty body takes its
 * Content-Type with it. */
void sip_edit_body(struct sip_edit *e, struct span type, struct span body);

/* 0; FE_ERANGE: does not fit into t, or too many edits; FE_EUSED: two edits touch the same bytes. */
int sip_edit_write(struct sip_edit *e, struct text *t);

#endif
