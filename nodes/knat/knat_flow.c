/* Flows: the kernel's conntrack entries, as ctnetlink tells of them. */
#define _GNU_SOURCE
#include "nodes/knat/knat.h"

#include "nodes/base/error.h"
#include "nodes/proto/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

enum { REQUEST = 1024 };

/* ---- what comes ---- */

static ipv4 address(const struct nf_conntrack *ct, enum nf_conntrack_attr attr)
{
    return ntohl(nfct_get_attr_u32(ct, attr));
}

static uint16_t port(const struct nf_conntrack *ct, enum nf_conntrack_attr attr)
{
    return ntohs(nfct_get_attr_u16(ct, attr));
}

/* An ICMP query's identifier after translation, which the library keeps to itself; 0: the message has none. */
static uint16_t reply_identifier(const struct nlmsghdr *m)
{
    static const uint16_t path[] = {CTA_TUPLE_REPLY, CTA_TUPLE_PROTO, CTA_PROTO_ICMP_ID};
    const struct nlattr *at = mnl_nlmsg_get_payload_offset(m, sizeof(struct nfgenmsg));
    int left = (int)(mnl_nlmsg_get_payload_len(m) - sizeof(struct nfgenmsg));
    for (size_t step = 0; left > 0 && mnl_attr_ok(at, left);) {
        if (mnl_attr_get_type(at) != path[step]) {
            left -= (int)MNL_ALIGN(mnl_attr_get_len(at));
            at = mnl_attr_next(at);
            continue;
        }
        if (++step == sizeof path / sizeof path[0])
            return mnl_attr_get_payload_len(at) == sizeof(uint16_t) ? ntohs(mnl_attr_get_u16(at)) : 0;
        left = mnl_attr_get_payload_len(at);
        at = mnl_attr_get_payload(at);
    }
    return 0;
}

/* The reply's direction shows how the first packet left: its source is where it went. An ICMP query's tuple has its
 * identifier instead of ports. */
static void read_flow(const struct nlmsghdr *m, const struct nf_conntrack *ct, struct host_knat_flow *f)
{
    *f = (struct host_knat_flow){.id = nfct_get_attr_u32(ct, ATTR_ID),
                                 .protocol = nfct_get_attr_u8(ct, ATTR_ORIG_L4PROTO),
                                 .src.addr = address(ct, ATTR_ORIG_IPV4_SRC),
                                 .dst.addr = address(ct, ATTR_ORIG_IPV4_DST),
                                 .new_src.addr = address(ct, ATTR_REPL_IPV4_DST),
                                 .new_dst.addr = address(ct, ATTR_REPL_IPV4_SRC)};
    if (f->protocol == IP_ICMP) {
        f->src.port = f->dst.port = port(ct, ATTR_ICMP_ID);
        f->new_src.port = f->new_dst.port = reply_identifier(m);
        return;
    }
    f->src.port = port(ct, ATTR_ORIG_PORT_SRC);
    f->dst.port = port(ct, ATTR_ORIG_PORT_DST);
    f->new_src.port = port(ct, ATTR_REPL_PORT_DST);
    f->new_dst.port = port(ct, ATTR_REPL_PORT_SRC);
}

int knat_flow_message(struct host_knat *k, const void *message)
{
    struct host_knat_flow flow;
    struct nf_conntrack *ct = nfct_new();
    if (!ct)
        return FE_EMEM;
    const struct nlmsghdr *m = message;
    unsigned type = NFNL_MSG_TYPE(m->nlmsg_type);
    bool ok = nfct_nlmsg_parse(m, ct) == 0 && nfct_get_attr_u8(ct, ATTR_ORIG_L3PROTO) == AF_INET;
    if (ok)
        read_flow(m, ct, &flow);
    nfct_destroy(ct);
    if (ok && type == IPCTNL_MSG_CT_NEW && (m->nlmsg_flags & NLM_F_CREATE))
        k->events.created(k->arg, &flow);
    else if (ok && type == IPCTNL_MSG_CT_DELETE)
        k->events.ended(k->arg, &flow);
    return 0;
}

/* ---- what is asked ---- */

static struct nlmsghdr *request(struct host_knat *k, void *buf)
{
    struct nlmsghdr *m = mnl_nlmsg_put_header(buf);
    m->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
    m->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    m->nlmsg_seq = ++k->sequence;
    struct nfgenmsg *g = mnl_nlmsg_put_extra_header(m, sizeof *g);
    *g = (struct nfgenmsg){.nfgen_family = AF_INET, .version = NFNETLINK_V0};
    return m;
}

/* ICMP's identifier names an echo, since no other query is translated. */
static void write_tuple(struct nf_conntrack *ct, const struct host_knat_flow *f)
{
    nfct_set_attr_u8(ct, ATTR_ORIG_L3PROTO, AF_INET);
    nfct_set_attr_u8(ct, ATTR_ORIG_L4PROTO, f->protocol);
    nfct_set_attr_u32(ct, ATTR_ORIG_IPV4_SRC, htonl(f->src.addr));
    nfct_set_attr_u32(ct, ATTR_ORIG_IPV4_DST, htonl(f->dst.addr));
    if (f->protocol == IP_ICMP) {
        nfct_set_attr_u8(ct, ATTR_ICMP_TYPE, ICMP_ECHO);
        nfct_set_attr_u8(ct, ATTR_ICMP_CODE, 0);
        nfct_set_attr_u16(ct, ATTR_ICMP_ID, htons(f->src.port));
    } else {
        nfct_set_attr_u16(ct, ATTR_ORIG_PORT_SRC, htons(f->src.port));
        nfct_set_attr_u16(ct, ATTR_ORIG_PORT_DST, htons(f->dst.port));
    }
}

/* The identity goes with it, so that a younger flow of the same ends is not meant. */
int knat_flow_delete(struct host_knat *k, const struct host_knat_flow *flow)
{
    _Alignas(struct nlmsghdr) char buf[REQUEST];
    struct nf_conntrack *ct = nfct_new();
    if (!ct) {
        errno = ENOMEM;
        return FE_EOS;
    }
    struct nlmsghdr *m = request(k, buf);
    write_tuple(ct, flow);
    nfct_set_attr_u32(ct, ATTR_ID, flow->id);
    int bad = nfct_nlmsg_build(m, ct);
    nfct_destroy(ct);
    return bad < 0 ? FE_EOS : knat_ask(k, m, m->nlmsg_len, 1);
}

/* Without a tuple all entries of the namespace are meant. */
int knat_flow_flush(struct host_knat *k)
{
    _Alignas(struct nlmsghdr) char buf[REQUEST];
    struct nlmsghdr *m = request(k, buf);
    return knat_ask(k, m, m->nlmsg_len, 1);
}
