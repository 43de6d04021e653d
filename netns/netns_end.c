#define _GNU_SOURCE
#include "netns/netns_end.h"

#include "netns/netns_rtnl.h"
#include "netns/netns_space.h"
#include "nodes/base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    AWAIT_MS = 5000,          /* real time */
    FIRST_INDEX = 100,        /* of our interfaces: beyond those a new namespace is born with */
    RECEIVE_BUFFER = 4 << 20, /* bytes, of a packet socket: all that a turn may send must fit */
};

/* The names of the interfaces in the wires' namespace. */
#define FENCE "fence"
#define WIRE  "wire%d" /* its index */

/* Every node's end of a veth pair has this address: they are in namespaces of their own. */
static const uint8_t node_address[6] = {0x02, 0, 0, 0, 0, 1};

static int complain(struct text *why, const char *what, const char *name)
{
    int error = errno;
    text_str(why, what);
    text_str(why, " ");
    text_str(why, name);
    text_str(why, ": ");
    text_str(why, strerror(error));
    return FE_EOS;
}

/* ---- TUN ---- */

bool netns_end_tun_possible(void)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

/* Persistent: closing the descriptor then only detaches it, and the device goes with its namespace. Otherwise every
 * close takes the device down by itself, some 20 ms each. */
static bool tun_make(int fd, const char *name, int index)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    return ioctl(fd, TUNSETIFINDEX, &index) == 0 && ioctl(fd, TUNSETIFF, &request) == 0 &&
           ioctl(fd, TUNSETPERSIST, 1) == 0;
}

static int tun_open(struct netns_end *end, const struct plan_port *port, struct text *why)
{
    end->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (end->fd >= 0 && tun_make(end->fd, port->name, end->index))
        return 0;
    complain(why, "TUN device", port->name);
    netns_end_close(end);
    return FE_EOS;
}

/* ---- waiting ---- */

bool netns_interface_await(const char *name)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    struct netns_rtnl *rtnl = netns_rtnl_open();
    bool up = false;
    for (int ms = 0; rtnl && !(up = netns_rtnl_is_up(rtnl, name)) && ms < AWAIT_MS; ms++)
        nanosleep(&nap, NULL);
    netns_rtnl_close(rtnl);
    return up;
}

/* ---- veth ---- */

/* A socket on an interface of the namespace where this thread is; only packets that the interface receives. */
static int packet_socket(int index)
{
    struct sockaddr_ll local = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index};
    int on = 1;
    int size = RECEIVE_BUFFER;
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size); /* as much as an ordinary user may have */
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) ||
        bind(fd, (const struct sockaddr *)&local, sizeof local)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A veth device leaves checksums and segmentation to a receiver on the same machine; our wires carry finished packets.
 */
static bool offload_off(const char *name)
{
    static const uint32_t features[] = {ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0;
    for (size_t i = 0; ok && i < sizeof features / sizeof *features; i++) {
        struct ethtool_value off = {.cmd = features[i], .data = 0};
        struct ifreq request = {.ifr_data = (char *)&off};
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
        ok = ioctl(fd, SIOCETHTOOL, &request) == 0;
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

static void pair_add(struct netns_rtnl *rtnl, const char *name, const struct netns_end *end, unsigned mtu,
                     const struct netns_wires *wires)
{
    char peer[IFNAMSIZ];
    snprintf(peer, sizeof peer, WIRE, end->peer);
    netns_rtnl_veth(rtnl, &(struct netns_veth){.name = name,
                                               .peer = peer,
                                               .index = end->index,
                                               .peer_index = end->peer,
                                               .peer_space = wires->space,
                                               .mtu = mtu,
                                               .address = node_address});
}

/* In the wires' namespace: the peers up, a packet socket on each. */
static int peers_open(struct netns_end *ends, size_t n, struct netns_wires *wires, struct text *why)
{
    for (size_t i = 0; i < n; i++)
        netns_rtnl_up(wires->rtnl, ends[i].peer, 0, 0);
    int error = netns_rtnl_commit(wires->rtnl, why);
    for (size_t i = 0; !error && i < n; i++) {
        ends[i].fd = packet_socket(ends[i].peer);
        if (ends[i].fd < 0)
            error = complain(why, "packet socket", "of a wire");
    }
    return error;
}

static int veths_open(struct netns_end *ends, const struct plan_node *node, int space, struct netns_rtnl *rtnl,
                      struct netns_wires *wires, struct text *why)
{
    for (size_t i = 0; i < node->ports_n; i++) {
        ends[i].peer = wires->next_index++;
        pair_add(rtnl, node->ports[i].name, &ends[i], node->ports[i].mtu, wires);
    }
    int error = netns_rtnl_commit(rtnl, why);
    for (size_t i = 0; !error && i < node->ports_n; i++)
        if (!offload_off(node->ports[i].name))
            error = complain(why, "offloads of", node->ports[i].name);
    if (error)
        return error;
    if (!netns_space_enter(wires->space))
        return complain(why, "namespace", "of the wires");
    error = peers_open(ends, node->ports_n, wires, why);
    if (!netns_space_enter(space) && !error)
        error = complain(why, "namespace of", node->name);
    return error;
}

/* ---- the wires' namespace ---- */

/* Both ends lie among the wires; a packet sent out of the one is received at the other. */
static int fence_open(struct netns_wires *wires, struct text *why)
{
    struct netns_end pair = {.index = wires->next_index++};
    pair.peer = wires->next_index++;
    wires->fence[0] = (struct netns_end){.fd = -1, .index = pair.index, .peer = pair.index};
    wires->fence[1] = (struct netns_end){.fd = -1, .index = pair.peer, .peer = pair.peer};
    pair_add(wires->rtnl, FENCE, &pair, 1500, wires);
    netns_rtnl_up(wires->rtnl, pair.index, 0, 0);
    netns_rtnl_up(wires->rtnl, pair.peer, 0, 0);
    int error = netns_rtnl_commit(wires->rtnl, why);
    for (int i = 0; !error && i < 2; i++) {
        wires->fence[i].fd = packet_socket(wires->fence[i].index);
        if (wires->fence[i].fd < 0)
            error = complain(why, "packet socket", "of the fence");
    }
    return error;
}

int netns_wires_open(struct netns_wires *wires, int back, struct text *why)
{
    *wires = NETNS_WIRES_NONE;
    wires->next_index = FIRST_INDEX;
    wires->space = netns_space_new();
    wires->rtnl = wires->space < 0 ? NULL : netns_rtnl_open();
    int error = wires->rtnl ? fence_open(wires, why) : complain(why, "namespace", "of the wires");
    if (wires->space >= 0 && !netns_space_enter(back) && !error)
        error = complain(why, "namespace", "of the engine");
    if (error)
        netns_wires_close(wires);
    return error;
}

int netns_wires_await(const struct netns_wires *wires, int back, struct text *why)
{
    char name[IFNAMSIZ];
    bool up = netns_space_enter(wires->space);
    for (int index = FIRST_INDEX; up && index < wires->next_index; index++) {
        if (index == wires->fence[0].index)
            snprintf(name, sizeof name, FENCE);
        else
            snprintf(name, sizeof name, WIRE, index);
        up = netns_interface_await(name);
    }
    if (netns_space_enter(back) && up)
        return 0;
    return complain(why, "interfaces", "of the wires");
}

void netns_wires_close(struct netns_wires *wires)
{
    netns_end_close(&wires->fence[0]);
    netns_end_close(&wires->fence[1]);
    netns_rtnl_close(wires->rtnl);
    if (wires->space >= 0)
        close(wires->space);
    *wires = NETNS_WIRES_NONE;
}

/* ---- either ---- */

int netns_ends_open(struct netns_end *ends, const struct plan_node *node, int space, struct netns_rtnl *rtnl,
                    struct netns_wires *wires, struct text *why)
{
    int error = 0;
    for (size_t i = 0; i < node->ports_n; i++)
        ends[i] = (struct netns_end){.fd = -1, .index = FIRST_INDEX + (int)i, .mtu = node->ports[i].mtu};
    if (wires)
        error = veths_open(ends, node, space, rtnl, wires, why);
    for (size_t i = 0; !wires && !error && i < node->ports_n; i++)
        error = tun_open(&ends[i], &node->ports[i], why);
    for (size_t i = 0; error && i < node->ports_n; i++)
        netns_end_close(&ends[i]);
    return error;
}

void netns_end_close(struct netns_end *end)
{
    if (end->fd >= 0)
        close(end->fd);
    end->fd = -1;
}

bool netns_end_write(const struct netns_end *end, const uint8_t *packet, size_t n)
{
    if (!end->peer)
        return write(end->fd, packet, n) == (ssize_t)n;
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = end->peer, .sll_halen = 6};
    memcpy(to.sll_addr, node_address, sizeof node_address);
    return sendto(end->fd, packet, n, 0, (const struct sockaddr *)&to, sizeof to) == (ssize_t)n;
}

size_t netns_end_read(const struct netns_end *end, uint8_t *buf)
{
    for (;;) {
        ssize_t n = read(end->fd, buf, NETNS_PACKET);
        if (n <= 0)
            return 0;
        if (buf[0] >> 4 == 4)
            return (size_t)n;
    }
}

/* ---- the fence ---- */

enum {
    FENCE_HOPS = 2,   /* a packet queues before it enters a namespace, and once more when it has left it */
    FENCE_MS = 100,   /* real time after which a mark counts as lost */
    FENCE_TRIES = 50, /* marks lost in a row: the fence is broken */
    MARK = 24,        /* bytes: an IPv4 header and the mark's number */
};

/* A mark through the same first-in-first-out queue: when it is out, all that was in the queue before it is out. */
static bool pass_mark(struct netns_wires *wires)
{
    uint8_t mark[MARK] = {0x45, 0, 0, MARK};
    uint8_t seen[MARK] = {0};
    wires->marks++;
    memcpy(mark + MARK - sizeof wires->marks, &wires->marks, sizeof wires->marks);
    for (int i = 0; i < FENCE_TRIES; i++) {
        struct pollfd out = {.fd = wires->fence[1].fd, .events = POLLIN};
        netns_end_write(&wires->fence[0], mark, MARK);
        do
            if (read(out.fd, seen, MARK) == MARK && memcmp(seen, mark, MARK) == 0)
                return true;
        while (poll(&out, 1, FENCE_MS) > 0);
    }
    return false;
}

bool netns_fence(struct netns_wires *wires)
{
    for (int i = 0; i < FENCE_HOPS; i++)
        if (!pass_mark(wires))
            return false;
    return true;
}
