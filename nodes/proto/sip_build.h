/* Writes SIP messages. Everything goes to a struct text: check text_ok() once at the end.
 * A message is: start line, header lines, then exactly one of sip_put_end() and sip_put_body(). */
#ifndef FAREND_PROTO_SIP_BUILD_H
#define FAREND_PROTO_SIP_BUILD_H

#include "nodes/base/addr.h"
#include "nodes/base/text.h"
#include "nodes/proto/sip_check.h"
#include "nodes/proto/sip_edit.h"
#include "nodes/proto/sip_msg.h"
#include "nodes/proto/sip_uri.h"

void sip_put_request_line(struct text *t, struct span method, struct span uri);
void sip_put_status_line(struct text *t, unsigned status, struct span reason); /* empty reason: the usual phrase */

void sip_put(struct text *t, enum sip_header_id id, struct span value); /* "Name: value" CRLF */
void sip_put_number(struct text *t, enum sip_header_id id, uint64_t value);
void sip_put_named(struct text *t, struct span name, struct span value); /* a header without an id */
void sip_put_cseq(struct text *t, uint32_t number, struct span method);

/* "Via: SIP/2.0/UDP host:port;branch=…;rport": rport asks for the source port (RFC 3581 §3), alias for requests by the
 * same connection (RFC 5923 §5), keep offers to send keep-alives (RFC 6223 §4.3). */
void sip_put_via(struct text *t, enum sip_transport transport, struct endpoint sent_by, struct span branch, bool rport,
                 bool alias, bool keep);

/* "From: "display" <uri>;tag=…": id is SIP_H_FROM, SIP_H_TO, …; display and tag may be empty. Escapes the display name.
 */
void sip_put_addr(struct text *t, enum sip_header_id id, struct span display, struct span uri, struct span tag);

/* Every line of m with this id, byte for byte, in order (Record-Route of a request into its response, …). */
void sip_put_copy(struct text *t, const struct sip_msg *m, enum sip_header_id id);

void sip_put_end(struct text *t); /* Content-Length: 0, and the empty line */
/* Content-Type, Content-Length, the empty line, the body. An empty body: as sip_put_end(). */
void sip_put_body(struct text *t, struct span type, struct span body);

/* The lines that a response copies from its request (RFC 3261 §8.2.6.2): status line, all Vias, From, To, Call-ID,
 * CSeq; Record-Route when the request forms a dialog and status is 101–299 (§12.1.1); Timestamp in a 100 (§8.2.6.1).
 * to_tag is added to a To without one, not to a 100. from: the packet's source, which goes into the topmost Via as with
 * sip_edit_received(); an address of 0: the Via stays as it is (it was done before).
 * Works on any m of which sip_parse() said that it can be answered, even with fields missing. The caller goes on with
 * its own headers and sip_put_end() or sip_put_body(). */
void sip_put_response(struct text *t, const struct sip_msg *request, unsigned status, struct span reason,
                      struct span to_tag, struct endpoint from);

/* Where a response goes (§18.2.2, RFC 3581 §4), from its own topmost Via: received or sent-by, rport or port or the
 * usual one. FE_EUNKNOWN: the host is a name. */
int sip_response_target(const struct sip_via *top, struct endpoint *out);

/* ACK for a final response other than 2xx (§17.1.1.3), CANCEL for a request (§9.1): from the INVITE as it was sent.
 * ACK takes To from the response. Whole messages. */
void sip_put_ack(struct text *t, const struct sip_msg *invite, const struct sip_msg *response);
void sip_put_cancel(struct text *t, const struct sip_msg *invite);

#endif
