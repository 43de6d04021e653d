/* The order in which the servers of a service are tried (RFC 2782). */
#ifndef FAREND_PROTO_DNS_SRV_H
#define FAREND_PROTO_DNS_SRV_H

#include "nodes/base/prng.h"
#include "nodes/proto/dns.h"

/* Sorts by priority; among equals a draw decides, in which a server's chance is its weight's share, and those of weight
 * 0 have nearly none. One draw for each server that has a choice before it. */
void dns_srv_order(struct dns_srv *list, size_t n, struct prng *rng);

#endif
