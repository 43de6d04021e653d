/* What UDP's and TCP's sockets have in common: addresses, binding, the choice of ports. */
#ifndef FAREND_HOST_SOCKET_H
#define FAREND_HOST_SOCKET_H

#include "nodes/host/host_impl.h"

#include <netinet/in.h>
#include <stdbool.h>

struct sockaddr_in host_sockaddr(struct endpoint e);
struct endpoint host_endpoint(const struct sockaddr_in *a);

/* Does the address lead back to this machine? */
bool host_is_own(const struct host *h, ipv4 addr);

/* FE_EUSED: the port is taken; FE_EUNREACH: not an address of this node; FE_EOS. */
int host_bind(int fd, struct endpoint local);

/* As host_bind; when local->port is 0 to a free one, which is stored there. Ephemeral ports come from the node's own
 * stream: the kernel's choice would differ from run to run. */
int host_bind_some(struct host *h, int fd, struct endpoint *local);

#endif
