/* How long a session lives, for farend's own engine and for the kernel's flows alike: RFC 4787 §4.3 (UDP), RFC 5382 §5
 * with RFC 7857 §2 (TCP), RFC 5508 §3.2 (ICMP queries). */
#ifndef FAREND_NAT_LIFETIME_H
#define FAREND_NAT_LIFETIME_H

#include "nodes/nat/nat.h"
#include "nodes/proto/ip.h"

/* What is known of a session (NAT_SEEN_…) after one more packet. A TCP packet has its whole header. */
uint8_t nat_lifetime_seen(uint8_t seen, const uint8_t *packet, const struct ip_view *v, enum nat_side from);

/* Whether a packet from that side makes the session live on. */
bool nat_lifetime_refreshes(const struct nat_config *c, uint8_t protocol, enum nat_side from);

/* A TCP connection that was closed by both sides, or reset. */
bool nat_lifetime_is_closing(uint8_t seen);

/* From the last packet that did. */
lab_time nat_lifetime(const struct nat_config *c, uint8_t protocol, uint8_t seen);

/* now + timeout; NEVER when that is beyond all time. */
lab_time nat_lifetime_after(lab_time now, lab_time timeout);

#endif
