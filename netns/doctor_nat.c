#include "netns/doctor_nat.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>

enum { LOG_GROUP = 1, BATCH_MAX = 4096 };

static const char table[] = "farend-doctor";

static struct nl_msg *request(unsigned subsystem, unsigned type, int flags, unsigned resource)
{
    const struct nfgenmsg g = {.nfgen_family = AF_INET, .version = NFNETLINK_V0, .res_id = htons((uint16_t)resource)};
    struct nl_msg *m = nlmsg_alloc();
    if (m && nlmsg_put(m, 0, 0, (int)(subsystem << 8 | type), 0, NLM_F_REQUEST | flags))
        nlmsg_append(m, (void *)(uintptr_t)&g, sizeof g, NLMSG_ALIGNTO);
    return m;
}

static bool missing(struct text *found, const char *what, int error)
{
    text_str(found, what);
    text_str(found, ": ");
    text_str(found, nl_geterror(error));
    return false;
}

static struct nl_sock *netfilter(struct text *found)
{
    struct nl_sock *s = nl_socket_alloc();
    int error = s ? nl_connect(s, NETLINK_NETFILTER) : -NLE_NOMEM;
    if (!error) {
        nl_socket_disable_seq_check(s);
        return s;
    }
    missing(found, "nfnetlink", error);
    nl_socket_free(s);
    return NULL;
}

/* ---- the NAT ---- */

/* Sends one request and frees it: 0 when the kernel took it. */
static int ask(struct nl_sock *s, struct nl_msg *m)
{
    if (!m)
        return -NLE_NOMEM;
    int error = nl_send_auto(s, m);
    nlmsg_free(m);
    return error < 0 ? error : nl_wait_for_ack(s);
}

static int ask_for_log(struct nl_sock *s)
{
    const struct nfulnl_msg_config_cmd bind_it = {.command = NFULNL_CFG_CMD_BIND};
    struct nl_msg *m = request(NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG, NLM_F_ACK, LOG_GROUP);
    if (m)
        nla_put(m, NFULA_CFG_CMD, sizeof bind_it, &bind_it);
    return ask(s, m);
}

bool doctor_try_nat(struct text *found)
{
    struct nl_sock *s = netfilter(found);
    if (!s)
        return false;
    int rules = ask(s, request(NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN, NLM_F_ACK, 0));
    int flows = ask(s, request(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, 0));
    int packets = ask_for_log(s);
    nl_socket_free(s);
    if (rules)
        return missing(found, "nf_tables", rules);
    if (flows)
        return missing(found, "nf_conntrack_netlink", flows);
    if (packets)
        return missing(found, "nfnetlink_log", packets);
    text_str(found, "nf_tables, conntrack and the packet log answer");
    return true;
}

/* ---- the SIP helper ---- */

struct batch {
    char bytes[BATCH_MAX];
    size_t n;
};

static void batch_add(struct batch *b, struct nl_msg *m)
{
    if (!m)
        return;
    const struct nlmsghdr *h = nlmsg_hdr(m);
    if (b->n + NLMSG_ALIGN(h->nlmsg_len) <= sizeof b->bytes) {
        memcpy(b->bytes + b->n, h, h->nlmsg_len);
        b->n += NLMSG_ALIGN(h->nlmsg_len);
    }
    nlmsg_free(m);
}

static struct nl_msg *border(unsigned type)
{
    struct nl_msg *m = request(0, type, 0, NFNL_SUBSYS_NFTABLES);
    return m;
}

static struct nl_msg *new_table(void)
{
    struct nl_msg *m = request(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ACK, 0);
    if (m)
        nla_put_string(m, NFTA_TABLE_NAME, table);
    return m;
}

static struct nl_msg *new_helper(void)
{
    struct nl_msg *m = request(NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWOBJ, NLM_F_CREATE | NLM_F_ACK, 0);
    if (!m)
        return NULL;
    nla_put_string(m, NFTA_OBJ_TABLE, table);
    nla_put_string(m, NFTA_OBJ_NAME, "alg");
    nla_put_u32(m, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_CT_HELPER));
    struct nlattr *data = nla_nest_start(m, NFTA_OBJ_DATA);
    nla_put_string(m, NFTA_CT_HELPER_NAME, "sip");
    nla_put_u16(m, NFTA_CT_HELPER_L3PROTO, htons(AF_INET));
    nla_put_u8(m, NFTA_CT_HELPER_L4PROTO, IPPROTO_UDP);
    if (data)
        nla_nest_end(m, data);
    return m;
}

bool doctor_try_alg(struct text *found)
{
    struct batch b = {.n = 0};
    struct nl_sock *s = netfilter(found);
    if (!s)
        return false;
    batch_add(&b, border(NFNL_MSG_BATCH_BEGIN));
    batch_add(&b, new_table());
    batch_add(&b, new_helper());
    batch_add(&b, border(NFNL_MSG_BATCH_END));
    int error = nl_sendto(s, b.bytes, b.n);
    error = error < 0 ? error : nl_wait_for_ack(s); /* the table */
    error = error ? error : nl_wait_for_ack(s);     /* the helper */
    nl_socket_free(s);
    if (error)
        return missing(found, "nf_nat_sip", error);
    text_str(found, "nf_nat_sip may be used");
    return true;
}
