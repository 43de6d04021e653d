#define _GNU_SOURCE
#include "netns/netns_rtnl.h"

#include "nodes/base/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE = 512,      /* bytes of our largest message */
    RTO_NEVER = 100000, /* ms of real time; the kernel's largest is 120 s */
};

struct netns_rtnl {
    struct nl_sock *socket;
    uint8_t *batch;
    size_t n, cap;
    struct nlmsghdr *last; /* valid until the batch grows */
    uint32_t sequence;
    bool no_memory;
};

struct netns_rtnl *netns_rtnl_open(void)
{
    struct netns_rtnl *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->socket = nl_socket_alloc();
    if (!r->socket || nl_connect(r->socket, NETLINK_ROUTE)) {
        netns_rtnl_close(r);
        return NULL;
    }
    return r;
}

void netns_rtnl_close(struct netns_rtnl *r)
{
    if (!r)
        return;
    nl_socket_free(r->socket);
    free(r->batch);
    free(r);
}

/* ---- the batch ---- */

static bool make_room(struct netns_rtnl *r, size_t n)
{
    if (r->n + n <= r->cap)
        return true;
    size_t cap = 2 * r->cap + n + 4096;
    uint8_t *batch = realloc(r->batch, cap);
    if (!batch) {
        r->no_memory = true;
        return false;
    }
    r->batch = batch;
    r->cap = cap;
    return true;
}

/* Moves a finished message into the batch. */
static void add(struct netns_rtnl *r, struct nl_msg *m)
{
    struct nlmsghdr *header = nlmsg_hdr(m);
    size_t n = NLMSG_ALIGN(header->nlmsg_len);
    header->nlmsg_seq = ++r->sequence;
    if (make_room(r, n)) {
        memset(r->batch + r->n, 0, n);
        memcpy(r->batch + r->n, header, header->nlmsg_len);
        r->last = (struct nlmsghdr *)(void *)(r->batch + r->n);
        r->n += n;
    }
    nlmsg_free(m);
}

/* A message with its fixed part; NULL without memory, which commit will report. */
static struct nl_msg *begin(struct netns_rtnl *r, int type, int flags, void *fixed, size_t n)
{
    struct nl_msg *m = nlmsg_alloc_size(MESSAGE);
    if (!m || !nlmsg_put(m, NL_AUTO_PORT, 0, type, 0, NLM_F_REQUEST | flags) ||
        nlmsg_append(m, fixed, n, NLMSG_ALIGNTO)) {
        nlmsg_free(m);
        r->no_memory = true;
        return NULL;
    }
    return m;
}

/* ---- the messages ---- */

void netns_rtnl_up(struct netns_rtnl *r, int index, unsigned mtu, unsigned queue)
{
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct nl_msg *m = begin(r, RTM_NEWLINK, 0, &link, sizeof link);
    if (!m)
        return;
    if (mtu)
        nla_put_u32(m, IFLA_MTU, mtu);
    if (queue)
        nla_put_u32(m, IFLA_TXQLEN, queue);
    /* TCP gives such a device one segment at a time. Of several at once it may hold back the last ones for a
     * millisecond or a part of the round trip, in real time (tcp_tso_should_defer). */
    if (mtu)
        nla_put_u32(m, IFLA_GSO_MAX_SEGS, 1);
    add(r, m);
}

void netns_rtnl_mtu(struct netns_rtnl *r, int index, unsigned mtu)
{
    struct ifinfomsg link = {.ifi_family = AF_UNSPEC, .ifi_index = index};
    struct nl_msg *m = begin(r, RTM_NEWLINK, 0, &link, sizeof link);
    if (!m)
        return;
    nla_put_u32(m, IFLA_MTU, mtu);
    add(r, m);
}

void netns_rtnl_address(struct netns_rtnl *r, int index, ipv4 addr, uint8_t bits)
{
    struct ifaddrmsg address = {.ifa_family = AF_INET, .ifa_prefixlen = bits, .ifa_index = (unsigned)index};
    struct nl_msg *m = begin(r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &address, sizeof address);
    if (!m)
        return;
    nla_put_u32(m, IFA_LOCAL, htonl(addr));
    nla_put_u32(m, IFA_ADDRESS, htonl(addr));
    nla_put_u32(m, IFA_FLAGS, IFA_F_NOPREFIXROUTE);
    add(r, m);
}

void netns_rtnl_route(struct netns_rtnl *r, int index, struct subnet to, ipv4 source, bool stepped)
{
    struct rtmsg route = {.rtm_family = AF_INET,
                          .rtm_dst_len = to.bits,
                          .rtm_table = RT_TABLE_MAIN,
                          .rtm_protocol = RTPROT_STATIC,
                          .rtm_scope = RT_SCOPE_LINK,
                          .rtm_type = RTN_UNICAST};
    struct nl_msg *m = begin(r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &route, sizeof route);
    if (!m)
        return;
    if (to.bits)
        nla_put_u32(m, RTA_DST, htonl(to.addr & subnet_mask(to.bits)));
    nla_put_u32(m, RTA_OIF, (uint32_t)index);
    if (source)
        nla_put_u32(m, RTA_PREFSRC, htonl(source));
    struct nlattr *metrics = nla_nest_start(m, RTA_METRICS);
    if (metrics) {
        nla_put_u32(m, RTAX_QUICKACK, 1); /* a delayed ACK would come in real time, not in lab time */
        if (stepped) {
            nla_put_u32(m, RTAX_RTO_MIN, RTO_NEVER); /* so would a retransmission */
            nla_put_u32(m, RTAX_LOCK, 1u << RTAX_RTO_MIN);
        }
        nla_nest_end(m, metrics);
    }
    add(r, m);
}

static void put_end(struct nl_msg *m, const char *name, unsigned mtu)
{
    nla_put_string(m, IFLA_IFNAME, name);
    nla_put_u32(m, IFLA_MTU, mtu);
    nla_put_u32(m, IFLA_NUM_TX_QUEUES, 1);
    nla_put_u32(m, IFLA_NUM_RX_QUEUES, 1);
}

static void put_peer(struct nl_msg *m, const struct netns_veth *v)
{
    struct ifinfomsg link = {
        .ifi_family = AF_UNSPEC, .ifi_index = v->peer_index, .ifi_flags = IFF_NOARP, .ifi_change = IFF_NOARP};
    struct nlattr *peer = nla_nest_start(m, VETH_INFO_PEER);
    if (!peer || nlmsg_append(m, &link, sizeof link, NLMSG_ALIGNTO))
        return;
    put_end(m, v->peer, v->mtu);
    nla_put_u32(m, IFLA_NET_NS_FD, (uint32_t)v->peer_space);
    nla_nest_end(m, peer);
}

void netns_rtnl_veth(struct netns_rtnl *r, const struct netns_veth *v)
{
    struct ifinfomsg link = {
        .ifi_family = AF_UNSPEC, .ifi_index = v->index, .ifi_flags = IFF_NOARP, .ifi_change = IFF_NOARP};
    struct nl_msg *m = begin(r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
    if (!m)
        return;
    put_end(m, v->name, v->mtu);
    nla_put(m, IFLA_ADDRESS, 6, v->address);
    struct nlattr *info = nla_nest_start(m, IFLA_LINKINFO);
    nla_put_string(m, IFLA_INFO_KIND, "veth");
    struct nlattr *data = nla_nest_start(m, IFLA_INFO_DATA);
    if (info && data) {
        put_peer(m, v);
        nla_nest_end(m, data);
        nla_nest_end(m, info);
    }
    add(r, m);
}

/* ---- commit ---- */

static int refused(struct text *why, const char *what, int os_error)
{
    text_str(why, what);
    text_str(why, ": ");
    text_str(why, strerror(os_error));
    return FE_EOS;
}

/* Reads answers until the last message is acknowledged; the first refusal is the result. */
static int await(struct netns_rtnl *r, uint32_t last, struct text *why)
{
    for (;;) {
        struct sockaddr_nl from;
        unsigned char *answers = NULL;
        int n = nl_recv(r->socket, &from, &answers, NULL);
        if (n <= 0)
            return refused(why, "no answer from rtnetlink", errno);
        bool done = false;
        int error = 0;
        for (struct nlmsghdr *m = (struct nlmsghdr *)(void *)answers; nlmsg_ok(m, n); m = nlmsg_next(m, &n)) {
            const struct nlmsgerr *e = nlmsg_data(m);
            if (m->nlmsg_type != NLMSG_ERROR)
                continue;
            if (e->error && !error)
                error = -e->error;
            done = done || m->nlmsg_seq == last;
        }
        free(answers);
        if (error)
            return refused(why, "the kernel refused a link, an address or a route", error);
        if (done)
            return 0;
    }
}

int netns_rtnl_commit(struct netns_rtnl *r, struct text *why)
{
    size_t n = r->n;
    r->n = 0;
    if (r->no_memory) {
        text_str(why, "out of memory");
        return FE_EMEM;
    }
    if (n == 0)
        return 0;
    r->last->nlmsg_flags |= NLM_F_ACK;
    if (nl_sendto(r->socket, r->batch, n) < 0)
        return refused(why, "rtnetlink", errno);
    return await(r, r->sequence, why);
}

/* ---- questions ---- */

bool netns_rtnl_is_up(struct netns_rtnl *r, const char *name)
{
    struct rtnl_link *link = NULL;
    if (rtnl_link_get_kernel(r->socket, 0, name, &link))
        return false;
    bool up = rtnl_link_get_operstate(link) == IF_OPER_UP;
    rtnl_link_put(link);
    return up;
}
