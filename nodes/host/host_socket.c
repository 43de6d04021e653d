#define _GNU_SOURCE
#include "nodes/host/host_socket.h"

#include "nodes/base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

enum {
    LOOPBACK = 127,   /* 127.0.0.0/8 */
    PORT_LOW = 32768, /* Linux's default ip_local_port_range */
    PORT_HIGH = 60999,
    PORT_TRIES = 10000,
};

struct sockaddr_in host_sockaddr(struct endpoint e)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(e.port), .sin_addr.s_addr = htonl(e.addr)};
}

struct endpoint host_endpoint(const struct sockaddr_in *a)
{
    return (struct endpoint){ntohl(a->sin_addr.s_addr), ntohs(a->sin_port)};
}

bool host_is_own(const struct host *h, ipv4 addr)
{
    return addr >> 24 == LOOPBACK || host_port_with(h, addr);
}

int host_bind(int fd, struct endpoint local)
{
    struct sockaddr_in address = host_sockaddr(local);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return 0;
    switch (errno) {
    case EADDRINUSE: return FE_EUSED;
    case EADDRNOTAVAIL: return FE_EUNREACH;
    default: return FE_EOS;
    }
}

int host_bind_some(struct host *h, int fd, struct endpoint *local)
{
    if (local->port)
        return host_bind(fd, *local);
    int error = FE_EUSED;
    for (int i = 0; i < PORT_TRIES && error == FE_EUSED; i++) {
        local->port = (uint16_t)(PORT_LOW + prng_below(&h->ports, PORT_HIGH - PORT_LOW + 1));
        error = host_bind(fd, *local);
    }
    return error;
}
