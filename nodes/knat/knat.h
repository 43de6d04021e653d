/* The Linux kernel's own NAT as a node's: host_knat of nodes/host.h on nf_tables (the rules), ctnetlink (the flows)
 * and nfnetlink_log (the packets that passed or were dropped).
 *
 * How flows live in lab time. The kernel's timeouts are set so long that they never come; the node ends a flow by
 * deleting its conntrack entry. When a flow was last used is told by the log: a rule of the forward hook sends the
 * headers of each packet that passes to this program, which gets its turn before lab time moves. (Counters polled at a
 * deadline would say that a flow was used, but not when: an entry could live for twice its timeout.)
 *
 * One socket hears of everything, flows and packets, so that their order is the kernel's. It never blocks the kernel: a
 * full socket loses messages, and then the node has lost its way; that ends the program. */
#ifndef FAREND_KNAT_H
#define FAREND_KNAT_H

#include "nodes/host.h"
#include "nodes/host/host_impl.h"

struct mnl_socket;

/* Groups of the packet log. */
enum knat_group { KNAT_PASSED = 1, KNAT_DROP_NO_MAPPING, KNAT_DROP_NO_HAIRPIN };

struct host_knat {
    struct host_input input; /* first: the two are one block */
    struct host_knat_events events;
    void *arg;
    unsigned index[HOST_PORTS]; /* of the kernel's interfaces, by port */
    unsigned ports;
    struct mnl_socket *heard, *told; /* what the kernel tells; what it is told */
    uint32_t sequence;
};

/* All functions: 0 or FE_EOS (errno). */

/* knat_rules.c: replaces all rules in one transaction. */
int knat_rules_set(struct host_knat *k, const struct host_knat_config *config);
int knat_rules_clear(struct host_knat *k);

/* knat_flow.c */
int knat_flow_message(struct host_knat *k, const void *message); /* a struct nlmsghdr of ctnetlink: calls the events */
int knat_flow_delete(struct host_knat *k, const struct host_knat_flow *flow);
int knat_flow_flush(struct host_knat *k);

/* knat_log.c */
int knat_log_bind(struct host_knat *k);
void knat_log_message(struct host_knat *k, const void *message); /* a struct nlmsghdr of nfnetlink_log */

/* knat.c: sends a request, or a batch of them, and waits for `replies` acknowledgements. */
int knat_ask(struct host_knat *k, const void *request, size_t n, unsigned replies);

#endif
