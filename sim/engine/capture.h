/* The capture: pcapng (draft-ietf-opsawg-pcapng) that Wireshark reads. One interface a wire, nanoseconds, whole IPv4
 * packets (LINKTYPE_RAW), one Enhanced Packet Block a crossing: at its arrival, or at the wire's entry when it was
 * dropped there. A block with a comment tells where its packet ended and why.
 *
 * The block written last stays open for comments until capture_settle(): a node that drops a packet says so after it
 * arrived. The capture is buffered; write errors are found by capture_flush(). */
#ifndef FAREND_ENGINE_CAPTURE_H
#define FAREND_ENGINE_CAPTURE_H

#include "nodes/base/lab_time.h"
#include "nodes/base/span.h"
#include "sim/engine/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct capture;

/* Writes the heads. The file stays the caller's. FE_EMEM. */
int capture_new(struct capture **out, FILE *file, const struct plan *plan);
int capture_flush(struct capture *c); /* writes what is buffered; FE_EOS when anything could ever not be written */
void capture_free(struct capture *c); /* flushes too; NULL is fine */

/* A packet that crossed, or failed to enter, direction `direction` of a wire. comment: why it was dropped, or NULL. */
void capture_packet(struct capture *c, lab_time at, unsigned wire, unsigned direction, const uint8_t *packet, size_t n,
                    const char *comment);
/* As capture_packet without comment, but the block is open: capture_remark() may still add to it, also after
 * other packets have been captured. */
void capture_open(struct capture *c, lab_time at, unsigned wire, unsigned direction, const uint8_t *packet, size_t n);
/* Adds a comment to the open block; nothing when none is open. */
void capture_remark(struct capture *c, struct span comment);
/* A line of the NSS key log format, without newline: a Decryption Secrets Block (§4.7) of its own. It has to stand
 * before the packets that it decrypts, so it is to be told of before they are sent. */
void capture_secret(struct capture *c, struct span line);
/* Closes the open block, if any. */
void capture_settle(struct capture *c);

#endif
