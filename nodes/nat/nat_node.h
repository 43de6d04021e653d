/* What the two engines of the nat node share: how each is reached, its ports, its trace. */
#ifndef FAREND_NAT_NODE_H
#define FAREND_NAT_NODE_H

#include "nodes/host.h"
#include "nodes/nat/nat.h"

/* The first member of a node of this kind points to one of these. */
struct nat_logic {
    void (*command)(void *node, struct span line);
    void (*stop)(void *node);
};

/* nat_kernel.c: `engine: kernel` */
int nat_kernel_start(struct host *h, const void *settings, void **out, struct text *why);

/* ---- nat_node.c ---- */
/* Fills in the host's numbers of the ports, and the configuration's `own` and `mtu`. FE_EUNKNOWN: one is missing. */
int nat_find_ports(const struct host *h, unsigned port[2], struct nat_config *config, struct text *why);

const char *nat_protocol_text(uint8_t protocol); /* the trace's word */

/* Of mappings and of port blocks. */
void nat_trace_mapping(struct host *h, enum nat_change change, const struct nat_mapping *m);
void nat_trace_drop(struct host *h, enum nat_cause cause, const uint8_t *packet, size_t n);
void nat_trace_reboot(struct host *h, size_t lost);
void nat_trace_bad_command(struct host *h, struct span line, struct span reason);

#endif
