/* The packet log: which packets passed, and which were dropped for which reason, each reason with its own group. */
#define _GNU_SOURCE
#include "nodes/knat/knat.h"

#include "nodes/base/error.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

enum { REPLY = 8192, WHOLE = 65535 };

static struct nlmsghdr *message(void *buf, unsigned group, uint32_t sequence)
{
    struct nlmsghdr *m = mnl_nlmsg_put_header(buf);
    m->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
    m->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    m->nlmsg_seq = sequence;
    struct nfgenmsg *g = mnl_nlmsg_put_extra_header(m, sizeof *g);
    *g = (struct nfgenmsg){.nfgen_family = AF_INET, .version = NFNETLINK_V0, .res_id = htons((uint16_t)group)};
    return m;
}

/* The group's listener is the socket that asks: so the question goes by the hearing one. Nothing else comes there yet,
 * as there are no rules. */
static int bind_group(struct host_knat *k, unsigned group)
{
    _Alignas(struct nlmsghdr) char buf[256];
    _Alignas(struct nlmsghdr) char reply[REPLY];
    const struct nfulnl_msg_config_cmd bind_it = {.command = NFULNL_CFG_CMD_BIND};
    const struct nfulnl_msg_config_mode mode = {.copy_range = htonl(WHOLE), .copy_mode = NFULNL_COPY_PACKET};
    struct nlmsghdr *m = message(buf, group, ++k->sequence);
    mnl_attr_put(m, NFULA_CFG_CMD, sizeof bind_it, &bind_it);
    mnl_attr_put(m, NFULA_CFG_MODE, sizeof mode, &mode);
    mnl_attr_put_u32(m, NFULA_CFG_QTHRESH, htonl(1));
    if (mnl_socket_sendto(k->heard, m, m->nlmsg_len) < 0)
        return FE_EOS;
    ssize_t n = mnl_socket_recvfrom(k->heard, reply, sizeof reply);
    unsigned self = mnl_socket_get_portid(k->heard);
    return n < 0 || mnl_cb_run(reply, (size_t)n, k->sequence, self, NULL, NULL) < 0 ? FE_EOS : 0;
}

int knat_log_bind(struct host_knat *k)
{
    int error = 0;
    for (unsigned group = KNAT_PASSED; group <= KNAT_DROP_NO_HAIRPIN && !error; group++)
        error = bind_group(k, group);
    return error;
}

/* ---- what is logged ---- */

struct logged {
    const uint8_t *packet;
    size_t n;
    uint32_t in; /* interface index */
};

static int attribute(const struct nlattr *a, void *arg)
{
    struct logged *l = arg;
    switch (mnl_attr_get_type(a)) {
    case NFULA_PAYLOAD:
        l->packet = mnl_attr_get_payload(a);
        l->n = mnl_attr_get_payload_len(a);
        break;
    case NFULA_IFINDEX_INDEV:
        if (mnl_attr_get_payload_len(a) == sizeof l->in)
            l->in = ntohl(mnl_attr_get_u32(a));
        break;
    default: break;
    }
    return MNL_CB_OK;
}

void knat_log_message(struct host_knat *k, const void *message)
{
    const struct nlmsghdr *m = message;
    const struct nfgenmsg *g = mnl_nlmsg_get_payload(m);
    struct logged l = {0};
    if (NFNL_MSG_TYPE(m->nlmsg_type) != NFULNL_MSG_PACKET || mnl_nlmsg_get_payload_len(m) < sizeof *g)
        return;
    mnl_attr_parse(m, sizeof *g, attribute, &l);
    if (!l.packet)
        return;
    unsigned group = ntohs(g->res_id);
    unsigned port = 0;
    while (port < k->ports && k->index[port] != l.in)
        port++;
    if (group == KNAT_PASSED && port < k->ports)
        k->events.passed(k->arg, port, l.packet, l.n);
    else if (group == KNAT_DROP_NO_MAPPING)
        k->events.dropped(k->arg, HOST_KNAT_NO_MAPPING, l.packet, l.n);
    else if (group == KNAT_DROP_NO_HAIRPIN)
        k->events.dropped(k->arg, HOST_KNAT_NO_HAIRPIN, l.packet, l.n);
}
