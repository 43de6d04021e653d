/* Unsolicited inbound SYNs, held for 6 s before they are refused, so that both ends can open the connection at the same
 * time (RFC 5382 §5.2 REQ-4). Bounded in number and in time. NULL stands for none in every function but the first. */
#ifndef FAREND_NAT_SYN_H
#define FAREND_NAT_SYN_H

#include "nodes/base/lab_time.h"
#include "nodes/nat/nat.h"
#include "nodes/proto/ip.h"

enum { NAT_SYNS = 32 /* held at once; one more is dropped at once */ };

struct nat_syns;

struct nat_syns *nat_syns_new(void); /* NULL without memory */
void nat_syns_free(struct nat_syns *s);
void nat_syns_clear(struct nat_syns *s);

/* Keeps a copy. False: no room, or one of the same connection is held already. */
bool nat_syns_hold(struct nat_syns *s, const struct ip_view *v, const uint8_t *packet, enum nat_cause cause,
                   lab_time now);
void nat_syns_expire(struct nat_syns *s, lab_time now); /* those whose time has come are due */
lab_time nat_syns_deadline(const struct nat_syns *s);

/* The next one that is due, in the order in which they came; false: none. It lives until the next call here. `cause` is
 * what it was held for. */
bool nat_syns_take(struct nat_syns *s, uint8_t **packet, size_t *n, enum nat_cause *cause);

#endif
