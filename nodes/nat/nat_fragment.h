/* Later fragments have no ports: what was decided about a datagram's first fragment holds for the others, and fragments
 * that come before it wait (RFC 4787 REQ-14: in and out of order). Bounded in datagrams, fragments and time. */
#ifndef FAREND_NAT_FRAGMENT_H
#define FAREND_NAT_FRAGMENT_H

#include "nodes/base/lab_time.h"
#include "nodes/nat/nat.h"
#include "nodes/proto/ip.h"

enum {
    NAT_DATAGRAMS = 64, /* remembered at once; the oldest gives way */
    NAT_HELD = 64,      /* fragments waiting at once; one more is dropped */
};

/* What was decided about the first fragment. */
struct nat_fate {
    enum nat_cause cause; /* NAT_NO_CAUSE: it went through, as follows */
    enum nat_side to;
    ipv4 src, dst;
};

struct nat_fragments;

struct nat_fragments *nat_fragments_new(void); /* NULL without memory */
void nat_fragments_free(struct nat_fragments *f);
void nat_fragments_clear(struct nat_fragments *f);

/* The first fragment's fate: remembered, and due to the fragments that waited for it. */
void nat_fragments_learn(struct nat_fragments *f, enum nat_side from, const struct ip_view *v, lab_time now,
                         const struct nat_fate *fate);

/* The fate of a later fragment, or NULL: the first one has not come. */
const struct nat_fate *nat_fragments_find(const struct nat_fragments *f, enum nat_side from, const struct ip_view *v);

/* Keeps a copy until its first fragment comes. False: no room. */
bool nat_fragments_hold(struct nat_fragments *f, enum nat_side from, const struct ip_view *v, const uint8_t *packet,
                        lab_time now);

void nat_fragments_expire(struct nat_fragments *f,
                          lab_time now); /* those who wait in vain become due, for NAT_NO_MAPPING */
lab_time nat_fragments_deadline(const struct nat_fragments *f);

/* The next fragment that is due, in the order in which they came; false: none. It lives until the next call here. */
bool nat_fragments_take(struct nat_fragments *f, uint8_t **packet, size_t *n, struct nat_fate *fate,
                        enum nat_side *from);

#endif
