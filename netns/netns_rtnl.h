/* Links, addresses and routes of one namespace, told to the kernel in one batch of rtnetlink messages: the whole batch
 * is one sendmsg, and only its last message is acknowledged, since the kernel works them off in order and speaks up by
 * itself when one fails. */
#ifndef FAREND_NETNS_RTNL_H
#define FAREND_NETNS_RTNL_H

#include "nodes/base/addr.h"
#include "nodes/base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct netns_rtnl; /* bound to the namespace in which it was opened */

struct netns_rtnl *netns_rtnl_open(void); /* NULL: errno */
void netns_rtnl_close(struct netns_rtnl *r);

/* Each adds one message to the batch. Interfaces are named by their index in this namespace. */
void netns_rtnl_up(struct netns_rtnl *r, int index, unsigned mtu, unsigned queue);
void netns_rtnl_mtu(struct netns_rtnl *r, int index, unsigned mtu);
/* The address alone: the subnet's route is the caller's to add, with its metrics. */
void netns_rtnl_address(struct netns_rtnl *r, int index, ipv4 addr, uint8_t bits);
/* stepped: the kernel's TCP retransmits nothing of itself there; see netns_tcp.h. */
void netns_rtnl_route(struct netns_rtnl *r, int index, struct subnet to, ipv4 source, bool stepped);

/* A veth pair: `name` here, `peer` in the namespace of descriptor peer_space; no ARP on either, one queue each. */
struct netns_veth {
    const char *name, *peer;
    int index, peer_index; /* as the pair shall be numbered */
    int peer_space;
    unsigned mtu;
    const uint8_t *address; /* 6 bytes, of the end here */
};
void netns_rtnl_veth(struct netns_rtnl *r, const struct netns_veth *v);

/* Sends the batch and waits for the kernel's word. FE_EOS and a sentence when a message was refused; FE_EMEM. The batch
 * is empty afterwards. */
int netns_rtnl_commit(struct netns_rtnl *r, struct text *why);

/* Whether the interface may send: its operational state (RFC 2863) is up. IFF_RUNNING is no proof: a new interface has
 * it while its state is still unknown, and what it sends then is lost. The kernel sets the state and lets the interface
 * send under one lock, which the question takes too. Not between a message and its commit. */
bool netns_rtnl_is_up(struct netns_rtnl *r, const char *name);

#endif
