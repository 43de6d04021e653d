/* Which interface a port is: found by its address, by its name, or told both. */
#define _GNU_SOURCE
#include "nodes/base/error.h"
#include "nodes/host/host_impl.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static ipv4 addr_of(const struct sockaddr *a)
{
    struct sockaddr_in in;
    memcpy(&in, a, sizeof in);
    return ntohl(in.sin_addr.s_addr);
}

static uint8_t bits_of(ipv4 mask)
{
    return (uint8_t)__builtin_popcount(mask);
}

/* Fills in what is missing of `found` (its name or its address) from the machine's interfaces. */
static bool look_up(struct host_interface *found)
{
    struct ifaddrs *all;
    bool hit = false;
    if (getifaddrs(&all))
        return false;
    for (const struct ifaddrs *i = all; i && !hit; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET || !i->ifa_netmask)
            continue;
        ipv4 addr = addr_of(i->ifa_addr);
        hit = found->name[0] ? strcmp(found->name, i->ifa_name) == 0 : found->port.addr == addr;
        if (!hit)
            continue;
        found->port.addr = addr;
        found->port.bits = bits_of(addr_of(i->ifa_netmask));
        hit = span_copy(span_of(i->ifa_name), found->name, sizeof found->name);
    }
    freeifaddrs(all);
    return hit;
}

/* The kernel's number, MTU and flags of an interface; false when there is no such interface. */
static bool ask_kernel(struct host_interface *found, bool *arp)
{
    struct ifreq request = {0};
    bool ok = false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    memcpy(request.ifr_name, found->name, sizeof request.ifr_name);
    if (ioctl(fd, SIOCGIFINDEX, &request) == 0) {
        found->index = request.ifr_ifindex;
        if (ioctl(fd, SIOCGIFMTU, &request) == 0) {
            found->port.mtu = request.ifr_mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)request.ifr_mtu;
            ok = ioctl(fd, SIOCGIFFLAGS, &request) == 0;
            *arp = !(request.ifr_flags & IFF_NOARP);
        }
    }
    close(fd);
    return ok;
}

void host_ports_look(struct host *h)
{
    bool arp;
    for (unsigned i = 0; i < h->interfaces_n; i++)
        (void)ask_kernel(&h->interfaces[i], &arp); /* one that has gone keeps what it had */
}

/* "ADDRESS", "INTERFACE", "INTERFACE:ADDRESS/BITS" */
static int read_word(struct span where, struct host_interface *out)
{
    struct span address;
    struct span name = span_cut(where, ':', &address);
    if (address.p) {
        struct subnet net;
        int error = subnet_parse(address, &net);
        if (error)
            return error;
        out->port.addr = net.addr;
        out->port.bits = net.bits;
    } else if (addr_parse(where, &out->port.addr) == 0) {
        return 0;
    }
    return name.n && span_copy(name, out->name, sizeof out->name) ? 0 : FE_ESYNTAX;
}

static int complain(struct text *why, const char *port, struct span where, int error, const char *what)
{
    text_str(why, port);
    text_str(why, ": \"");
    text_put(why, where);
    text_str(why, "\" ");
    text_str(why, what);
    return error;
}

int host_port_attach(struct host *h, bool raw, const char *port, struct span where, struct text *why)
{
    struct host_interface found = {.port = {.name = port}};
    bool arp = false;
    if (h->interfaces_n == HOST_PORTS)
        return complain(why, port, where, FE_ERANGE, "is one port too many");
    if (read_word(where, &found))
        return complain(why, port, where, FE_ESYNTAX,
                        "is not an address of this machine, an interface, or INTERFACE:ADDRESS/BITS");
    if ((!found.name[0] || !found.port.addr) && !look_up(&found))
        return complain(why, port, where, FE_EUNREACH, "is on no interface of this machine, or that has no address");
    if (!ask_kernel(&found, &arp))
        return complain(why, port, where, FE_EUNREACH, "names an interface that is not there");
    if (raw && arp)
        return complain(
            why, port, where, FE_ERANGE,
            "is an Ethernet interface; this kind answers no ARP and needs a TUN device, or one with arp off");
    h->interfaces[h->interfaces_n++] = found;
    return 0;
}
