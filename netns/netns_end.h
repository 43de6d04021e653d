/* A wire's end: the descriptor by which the engine gives a namespace's interface whole IPv4 packets, and takes what the
 * interface sends.
 *
 * TUN: a write runs the receiving stack to completion before it returns, and what the stack sends can be read at once.
 *
 * Veth, where /dev/net/tun may not be opened: the interface is one end of a veth pair; the other lies in a namespace of
 * the engine ("the wires"), with a packet socket on it. There a packet passes the CPU's backlog queue, which the kernel
 * may leave to its softirq thread, so that nothing follows from the write's return. But the queue is first in, first
 * out, and the engine and its programs run on one CPU: netns_fence() makes arrival a fact again. */
#ifndef FAREND_NETNS_END_H
#define FAREND_NETNS_END_H

#include "nodes/base/text.h"
#include "sim/engine/plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { NETNS_PACKET = 65536 }; /* bytes: room for any packet */

struct netns_rtnl;

struct netns_end {
    int fd;       /* -1: none */
    int index;    /* of the interface in the node's namespace */
    uint16_t mtu; /* of the interface, now */
    int peer;     /* veth: index in the wires' namespace of the end that fd sends by; 0: a TUN device */
};

/* ---- the wires' namespace, veth only ---- */
struct netns_wires {
    int space;                 /* descriptor */
    struct netns_rtnl *rtnl;   /* bound to it */
    int next_index;            /* of the next interface there */
    struct netns_end fence[2]; /* both ends of a pair of its own */
    uint32_t marks;            /* sent through the fence */
};

#define NETNS_WIRES_NONE ((struct netns_wires){.space = -1, .fence = {{.fd = -1}, {.fd = -1}}})

/* This thread is in the namespace `back` afterwards. FE_EOS, FE_EMEM and a sentence; then nothing is open. */
int netns_wires_open(struct netns_wires *wires, int back, struct text *why);
void netns_wires_close(struct netns_wires *wires); /* fine on NETNS_WIRES_NONE */

/* Returns when every packet that was sent before the call, and all that it caused, has arrived where it ends. false:
 * the kernel passes no packets any more. */
bool netns_fence(struct netns_wires *wires);

/* Waits until all its interfaces may send, as netns_interface_await. This thread is in `back` afterwards. */
int netns_wires_await(const struct netns_wires *wires, int back, struct text *why);

/* ---- ends ---- */

/* Waits until an interface of the namespace where this thread is may send: what is sent earlier can be lost. false: it
 * does not come up within some seconds. */
bool netns_interface_await(const char *name);

/* Can TUN devices be had here at all? */
bool netns_end_tun_possible(void);

/* The interfaces of a node's ports, still down, in the namespace `space` where this thread is, before and after; rtnl
 * is bound to it. wires NULL: TUN. ends has node->ports_n elements. Errors as above; then none is open. */
int netns_ends_open(struct netns_end *ends, const struct plan_node *node, int space, struct netns_rtnl *rtnl,
                    struct netns_wires *wires, struct text *why);
void netns_end_close(struct netns_end *end);

/* Gives the interface one packet. false: the kernel has no room (errno). */
bool netns_end_write(const struct netns_end *end, const uint8_t *packet, size_t n);

/* The next IPv4 packet that the interface sent, into buf (NETNS_PACKET bytes); 0: none. */
size_t netns_end_read(const struct netns_end *end, uint8_t *buf);

#endif
