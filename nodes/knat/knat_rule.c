#define _GNU_SOURCE
#include "nodes/knat/knat_rule.h"

#include "nodes/base/error.h"
#include "nodes/knat/knat.h"

#include <netinet/in.h> /* before the kernel's headers, which make room for it */

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

enum { MESSAGE_MAX = 4096 }; /* bytes; a rule of ours takes some hundred */
enum { IP_SOURCE_AT = 12, IP_DESTINATION_AT = 16, TRANSPORT_DESTINATION_AT = 2, ICMP_TYPE_AT = 0 };

/* ---- the transaction ---- */

int knat_batch_begin(struct knat_batch *b, size_t bytes)
{
    *b = (struct knat_batch){.memory = malloc(bytes + MESSAGE_MAX)};
    if (b->memory)
        b->messages = mnl_nlmsg_batch_start(b->memory, bytes);
    if (!b->messages) {
        free(b->memory);
        return FE_EMEM;
    }
    nftnl_batch_begin(mnl_nlmsg_batch_current(b->messages), b->sequence++);
    mnl_nlmsg_batch_next(b->messages);
    return 0;
}

struct nlmsghdr *knat_batch_message(struct knat_batch *b, uint16_t type, uint16_t flags)
{
    b->asked++;
    return nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(b->messages), type, NFPROTO_IPV4, flags | NLM_F_ACK,
                                 b->sequence++);
}

/* False from libmnl: the message did not fit, and would be left for the next batch. */
void knat_batch_next(struct knat_batch *b)
{
    if (!mnl_nlmsg_batch_next(b->messages))
        b->no_memory = true;
}

int knat_batch_commit(struct knat_batch *b, struct host_knat *k)
{
    int error = FE_EOS;
    nftnl_batch_end(mnl_nlmsg_batch_current(b->messages), b->sequence++);
    knat_batch_next(b);
    if (b->no_memory)
        errno = ENOMEM;
    else
        error = knat_ask(k, mnl_nlmsg_batch_head(b->messages), mnl_nlmsg_batch_size(b->messages), b->asked);
    int why = errno;
    mnl_nlmsg_batch_stop(b->messages);
    free(b->memory);
    errno = why;
    return error;
}

/* ---- tables and chains ---- */

void knat_batch_table(struct knat_batch *b, uint16_t type, uint16_t flags)
{
    struct nftnl_table *t = nftnl_table_alloc();
    if (!t) {
        b->no_memory = true;
        return;
    }
    nftnl_table_set_str(t, NFTNL_TABLE_NAME, KNAT_TABLE);
    nftnl_table_nlmsg_build_payload(knat_batch_message(b, type, flags), t);
    nftnl_table_free(t);
    knat_batch_next(b);
}

void knat_batch_chain(struct knat_batch *b, const char *name, const char *type, uint32_t hook, int32_t priority)
{
    struct nftnl_chain *c = nftnl_chain_alloc();
    if (!c) {
        b->no_memory = true;
        return;
    }
    nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, KNAT_TABLE);
    nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
    nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, type);
    nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook);
    nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, priority);
    nftnl_chain_nlmsg_build_payload(knat_batch_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE), c);
    nftnl_chain_free(c);
    knat_batch_next(b);
}

/* ---- rules ---- */

struct nftnl_rule *knat_rule_new(struct knat_batch *b, const char *chain)
{
    struct nftnl_rule *r = nftnl_rule_alloc();
    if (!r) {
        b->no_memory = true;
        return NULL;
    }
    nftnl_rule_set_str(r, NFTNL_RULE_TABLE, KNAT_TABLE);
    nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
    nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, NFPROTO_IPV4);
    return r;
}

void knat_rule_add(struct knat_batch *b, struct nftnl_rule *r)
{
    if (!r)
        return;
    nftnl_rule_nlmsg_build_payload(knat_batch_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND), r);
    nftnl_rule_free(r);
    knat_batch_next(b);
}

/* Without memory an expression is missing, and a rule without one of its conditions would do harm: better none at all.
 */
static struct nftnl_expr *expression(struct nftnl_rule *r, const char *name)
{
    struct nftnl_expr *e = r ? nftnl_expr_alloc(name) : NULL;
    if (r && !e)
        abort();
    if (e)
        nftnl_rule_add_expr(r, e);
    return e;
}

static void number(struct nftnl_expr *e, uint16_t attribute, uint32_t value)
{
    if (e)
        nftnl_expr_set_u32(e, attribute, value);
}

static void compare(struct nftnl_rule *r, uint32_t how, const void *value, uint32_t n)
{
    struct nftnl_expr *e = expression(r, "cmp");
    number(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
    number(e, NFTNL_EXPR_CMP_OP, how);
    if (e)
        nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, value, n);
}

static void meta(struct nftnl_rule *r, uint32_t key)
{
    struct nftnl_expr *e = expression(r, "meta");
    number(e, NFTNL_EXPR_META_KEY, key);
    number(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

static void payload(struct nftnl_rule *r, uint32_t base, uint32_t offset, uint32_t n)
{
    struct nftnl_expr *e = expression(r, "payload");
    number(e, NFTNL_EXPR_PAYLOAD_BASE, base);
    number(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
    number(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
    number(e, NFTNL_EXPR_PAYLOAD_LEN, n);
}

/* ---- conditions ---- */

void knat_rule_in(struct nftnl_rule *r, unsigned interface)
{
    uint32_t index = interface;
    meta(r, NFT_META_IIF);
    compare(r, NFT_CMP_EQ, &index, sizeof index);
}

void knat_rule_out(struct nftnl_rule *r, unsigned interface)
{
    uint32_t index = interface;
    meta(r, NFT_META_OIF);
    compare(r, NFT_CMP_EQ, &index, sizeof index);
}

static uint32_t operator_of(enum knat_compare how)
{
    return how == KNAT_EQUAL ? NFT_CMP_EQ : NFT_CMP_NEQ;
}

void knat_rule_from(struct nftnl_rule *r, ipv4 addr)
{
    uint32_t value = htonl(addr);
    payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP_SOURCE_AT, sizeof value);
    compare(r, NFT_CMP_EQ, &value, sizeof value);
}

void knat_rule_to(struct nftnl_rule *r, enum knat_compare how, ipv4 addr)
{
    uint32_t value = htonl(addr);
    payload(r, NFT_PAYLOAD_NETWORK_HEADER, IP_DESTINATION_AT, sizeof value);
    compare(r, operator_of(how), &value, sizeof value);
}

static void protocol_is(struct nftnl_rule *r, uint8_t protocol)
{
    meta(r, NFT_META_L4PROTO);
    compare(r, NFT_CMP_EQ, &protocol, sizeof protocol);
}

void knat_rule_transport(struct nftnl_rule *r, uint8_t protocol, uint16_t to_port)
{
    uint16_t value = htons(to_port);
    protocol_is(r, protocol);
    payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, TRANSPORT_DESTINATION_AT, sizeof value);
    compare(r, NFT_CMP_EQ, &value, sizeof value);
}

void knat_rule_icmp(struct nftnl_rule *r, uint8_t type)
{
    protocol_is(r, IPPROTO_ICMP);
    payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, ICMP_TYPE_AT, sizeof type);
    compare(r, NFT_CMP_EQ, &type, sizeof type);
}

static void bits_of(struct nftnl_rule *r, uint32_t key, enum knat_compare how, uint32_t bits)
{
    const uint32_t none = 0;
    struct nftnl_expr *ct = expression(r, "ct");
    number(ct, NFTNL_EXPR_CT_KEY, key);
    number(ct, NFTNL_EXPR_CT_DREG, NFT_REG_1);
    struct nftnl_expr *e = expression(r, "bitwise");
    number(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
    number(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
    number(e, NFTNL_EXPR_BITWISE_LEN, sizeof bits);
    if (e) {
        nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, &bits, sizeof bits);
        nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, &none, sizeof none);
    }
    compare(r, operator_of(how), &none, sizeof none);
}

void knat_rule_state(struct nftnl_rule *r, enum knat_compare how, uint32_t bits)
{
    bits_of(r, NFT_CT_STATE, how, bits);
}

void knat_rule_status(struct nftnl_rule *r, enum knat_compare how, uint32_t bits)
{
    bits_of(r, NFT_CT_STATUS, how, bits);
}

/* ---- what is done ---- */

void knat_rule_log(struct nftnl_rule *r, uint16_t group, uint32_t bytes)
{
    struct nftnl_expr *e = expression(r, "log");
    if (!e)
        return;
    nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, group);
    nftnl_expr_set_u32(e, NFTNL_EXPR_LOG_SNAPLEN, bytes);
    nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_QTHRESHOLD, 1); /* at once, not when some have come together */
}

void knat_rule_verdict(struct nftnl_rule *r, int verdict)
{
    struct nftnl_expr *e = expression(r, "immediate");
    number(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    number(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
}

void knat_rule_helper(struct nftnl_rule *r, const char *object)
{
    struct nftnl_expr *e = expression(r, "objref");
    number(e, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_CT_HELPER);
    if (e)
        nftnl_expr_set_str(e, NFTNL_EXPR_OBJREF_IMM_NAME, object);
}

static void load(struct nftnl_rule *r, uint32_t to, const void *value, uint32_t n)
{
    struct nftnl_expr *e = expression(r, "immediate");
    number(e, NFTNL_EXPR_IMM_DREG, to);
    if (e)
        nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, value, n);
}

static void load_ports(struct nftnl_rule *r, uint16_t low, uint16_t high)
{
    uint16_t from = htons(low);
    uint16_t to = htons(high);
    load(r, NFT_REG_2, &from, sizeof from);
    load(r, NFT_REG_3, &to, sizeof to);
}

void knat_rule_nat(struct nftnl_rule *r, uint32_t type, ipv4 addr, uint16_t low, uint16_t high, uint32_t flags)
{
    uint32_t value = htonl(addr);
    load(r, NFT_REG_1, &value, sizeof value);
    if (low)
        load_ports(r, low, high);
    struct nftnl_expr *e = expression(r, "nat");
    number(e, NFTNL_EXPR_NAT_TYPE, type);
    number(e, NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4);
    number(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
    if (low) {
        number(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2);
        number(e, NFTNL_EXPR_NAT_REG_PROTO_MAX, NFT_REG_3);
    }
    if (flags)
        number(e, NFTNL_EXPR_NAT_FLAGS, flags);
}

void knat_rule_masquerade(struct nftnl_rule *r, uint16_t low, uint16_t high, uint32_t flags)
{
    load_ports(r, low, high);
    struct nftnl_expr *e = expression(r, "masq");
    number(e, NFTNL_EXPR_MASQ_FLAGS, flags);
    number(e, NFTNL_EXPR_MASQ_REG_PROTO_MIN, NFT_REG_2);
    number(e, NFTNL_EXPR_MASQ_REG_PROTO_MAX, NFT_REG_3);
}
