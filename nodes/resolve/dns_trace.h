/* The trace of a DNS message, the same by who asks and by who answers: event "dns" of ARCHITECTURE.md. */
#ifndef FAREND_RESOLVE_DNS_TRACE_H
#define FAREND_RESOLVE_DNS_TRACE_H

#include "nodes/host.h"
#include "nodes/proto/dns.h"

enum dns_by { DNS_BY_UDP, DNS_BY_TCP };

/* out: it leaves this node; peer: where it goes or came from. */
void dns_trace(struct host *h, bool out, enum dns_by by, struct endpoint peer, const struct dns_msg *msg);

/* host_drop() of a message that is not used: `cause` is "bad-dns" or "not-ours". */
void dns_trace_drop(struct host *h, const char *cause, struct endpoint from);

#endif
