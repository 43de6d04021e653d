/* TCP in lab time: what a node's kernel would do when one of TCP's timers expires. Its own timers run in real time and
 * are out of the way (netns_sysctl.c, netns_rtnl.h); here every packet between the node and its wires is looked at, and
 * what is unacknowledged is sent again when lab time says so, as if the kernel had sent it. The schedule is
 * nodes/proto/tcp_rto.h, as in the simulated world.
 *
 * Nothing here touches a descriptor: packets in, packets out, the time as argument. One tracker is one node's. */
#ifndef FAREND_NETNS_TCP_H
#define FAREND_NETNS_TCP_H

#include "nodes/base/lab_time.h"
#include "nodes/host/turn.h"
#include "sim/engine/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Has the node a kernel whose TCP is to run in lab time? Not routers, not who owns his interfaces, not the programs of
 * others, whose clock is real. */
bool netns_tcp_concerns(const struct plan_node *node);

struct netns_tcp;

struct netns_tcp *netns_tcp_new(void); /* NULL without memory */
void netns_tcp_free(struct netns_tcp *t);
bool netns_tcp_failed(const struct netns_tcp *t); /* memory is exhausted: what it says is no longer right */

/* Before a packet is given to the kernel: keeps it off Linux's header prediction, by a flag that means nothing where
 * ECN is off (CWR, RFC 3168). Whether a segment is predicted depends on how the socket's memory happens to be accounted
 * for, and a predicted one takes the window's number back (tcp_rcv_established: SND.WL1), so that a duplicate ACK may
 * count or not. */
void netns_tcp_unpredict(uint8_t *packet, size_t n);

/* ---- packets: n bytes of IPv4, as they are ---- */
/* Has been given to the kernel. */
void netns_tcp_pushed(struct netns_tcp *t, lab_time now, const uint8_t *packet, size_t n);
/* The kernel has sent it by this port. False: only because real time has passed; it is to be thrown away. */
bool netns_tcp_sent(struct netns_tcp *t, lab_time now, unsigned port, const uint8_t *packet, size_t n);
/* The kernel has nothing more to send. */
void netns_tcp_drained(struct netns_tcp *t, lab_time now);

/* The next packet that leaves the node in the kernel's place, by *port; copied to buf (NETNS_PACKET bytes). 0: none. */
size_t netns_tcp_next(struct netns_tcp *t, uint8_t *buf, unsigned *port);

/* ---- time ---- */
lab_time netns_tcp_deadline(const struct netns_tcp *t);
void netns_tcp_expire(struct netns_tcp *t, lab_time now); /* then there may be something for netns_tcp_next() */

/* Connections whose time is over end with a reset that the kernel is to be given. The next such packet, copied to buf;
 * *told: the program is to hear that it was a time-out, of *ends. 0: none. */
size_t netns_tcp_reset(struct netns_tcp *t, uint8_t *buf, bool *told, struct turn_ends *ends);

/* The MTU of a port was `before`, and is `mtu`: what the kernel then sends again is cut to it, and it forgets of paths
 * what fits no more (fib_sync_mtu). */
void netns_tcp_mtu(struct netns_tcp *t, unsigned port, unsigned before, unsigned mtu);

/* ---- what the program says ---- */
void netns_tcp_note(struct netns_tcp *t, lab_time now, const struct turn_tcp *note);
/* The program has ended: its connections are nobody's, and those that were being made are gone. */
void netns_tcp_orphan_all(struct netns_tcp *t, lab_time now);

/* A loss of power: all connections are forgotten; the kernel is to be given the resets that follow (netns_tcp_reset),
 * and nothing that it answers counts. */
void netns_tcp_forget_all(struct netns_tcp *t);

#endif
