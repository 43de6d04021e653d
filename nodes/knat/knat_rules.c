/* The rules, as one nf_tables table "farend" that is replaced in one transaction.
 *
 *     hook         priority
 *     prerouting   -150       sip_alg: the SIP helper watches UDP 5060 (after conntrack, which is at -200)
 *     prerouting   -100       destinations: port forwards, one-to-one
 *     prerouting    -50       what nobody let in is logged and dropped: the filter
 *     forward         0       the headers of every packet that passes are logged
 *     postrouting   100       sources: one-to-one, then masquerade
 *
 * The filter stands before routing, so that the kernel never answers for itself what a NAT drops in silence. */
#define _GNU_SOURCE
#include "nodes/knat/knat.h"
#include "nodes/knat/knat_rule.h"

#include "nodes/base/error.h"

#include <netinet/in.h> /* before the kernel's headers, which make room for it */

#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/object.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

enum {
    BATCH = 1 << 20,
    HELPER_PRIORITY = -150,
    DESTINATION_PRIORITY = -100,
    FILTER_PRIORITY = -50,
    SOURCE_PRIORITY = 100
};
enum { SIP_PORT = 5060, LOGGED_HEADERS = 128, LOGGED_DROP = 65535, ECHO_REQUEST = 8 };

static const char helper_name[] = "alg";

/* ---- the helper ---- */

static void helper_add(struct knat_batch *b)
{
    struct nftnl_obj *o = nftnl_obj_alloc();
    if (!o) {
        b->no_memory = true;
        return;
    }
    nftnl_obj_set_u32(o, NFTNL_OBJ_TYPE, NFT_OBJECT_CT_HELPER);
    nftnl_obj_set_str(o, NFTNL_OBJ_TABLE, KNAT_TABLE);
    nftnl_obj_set_str(o, NFTNL_OBJ_NAME, helper_name);
    nftnl_obj_set_str(o, NFTNL_OBJ_CT_HELPER_NAME, "sip");
    nftnl_obj_set_u16(o, NFTNL_OBJ_CT_HELPER_L3PROTO, NFPROTO_IPV4);
    nftnl_obj_set_u8(o, NFTNL_OBJ_CT_HELPER_L4PROTO, IPPROTO_UDP);
    nftnl_obj_nlmsg_build_payload(knat_batch_message(b, NFT_MSG_NEWOBJ, NLM_F_CREATE), o);
    nftnl_obj_free(o);
    knat_batch_next(b);
}

static void add_alg(struct knat_batch *b)
{
    helper_add(b);
    knat_batch_chain(b, "helper", "filter", NF_INET_PRE_ROUTING, HELPER_PRIORITY);
    struct nftnl_rule *r = knat_rule_new(b, "helper");
    knat_rule_transport(r, IPPROTO_UDP, SIP_PORT);
    knat_rule_helper(r, helper_name);
    knat_rule_add(b, r);
}

/* ---- destinations ---- */

static void forward_add(struct knat_batch *b, const struct host_knat_config *c, const unsigned *only_from,
                        const struct host_knat_forward *f)
{
    struct nftnl_rule *r = knat_rule_new(b, "destination");
    if (only_from)
        knat_rule_in(r, *only_from);
    knat_rule_to(r, KNAT_EQUAL, c->public_addr);
    knat_rule_transport(r, f->protocol, f->port);
    knat_rule_nat(r, NFT_NAT_DNAT, f->inside.addr, f->inside.port, f->inside.port, 0);
    knat_rule_add(b, r);
}

static void add_destinations(struct knat_batch *b, const struct host_knat *k, const struct host_knat_config *c)
{
    const unsigned *only_from = c->hairpin ? NULL : &k->index[c->outside];
    knat_batch_chain(b, "destination", "nat", NF_INET_PRE_ROUTING, DESTINATION_PRIORITY);
    if (c->one_to_one.inside) {
        struct nftnl_rule *r = knat_rule_new(b, "destination");
        if (only_from)
            knat_rule_in(r, *only_from);
        knat_rule_to(r, KNAT_EQUAL, c->one_to_one.outside);
        knat_rule_nat(r, NFT_NAT_DNAT, c->one_to_one.inside, 0, 0, 0);
        knat_rule_add(b, r);
    }
    for (size_t i = 0; i < c->forwards_n; i++)
        forward_add(b, c, only_from, &c->forwards[i]);
}

/* ---- the filter ---- */

/* An own address answers pings, unless it stands for somebody inside. */
static void accept_ping(struct knat_batch *b, const struct host_knat_config *c, ipv4 own)
{
    if (own == c->one_to_one.outside)
        return;
    struct nftnl_rule *r = knat_rule_new(b, "filter");
    knat_rule_to(r, KNAT_EQUAL, own);
    knat_rule_icmp(r, ECHO_REQUEST);
    knat_rule_verdict(r, NF_ACCEPT);
    knat_rule_add(b, r);
}

/* What is addressed to `to` (0: anything) and came by this interface, as the packet or connection of nobody. */
static void drop_strangers(struct knat_batch *b, unsigned interface, ipv4 to, enum knat_group group)
{
    struct nftnl_rule *r = knat_rule_new(b, "filter");
    knat_rule_in(r, interface);
    if (to)
        knat_rule_to(r, KNAT_EQUAL, to);
    knat_rule_state(r, KNAT_EQUAL, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
    knat_rule_status(r, KNAT_EQUAL, IPS_DST_NAT);
    knat_rule_log(r, (uint16_t)group, LOGGED_DROP);
    knat_rule_verdict(r, NF_DROP);
    knat_rule_add(b, r);
}

static void add_filter(struct knat_batch *b, const struct host_knat *k, const struct host_knat_config *c)
{
    const struct host_interface *in = &k->input.host->interfaces[c->inside];
    const struct host_interface *out = &k->input.host->interfaces[c->outside];
    enum knat_group turned_back = c->hairpin ? KNAT_DROP_NO_MAPPING : KNAT_DROP_NO_HAIRPIN;
    knat_batch_chain(b, "filter", "filter", NF_INET_PRE_ROUTING, FILTER_PRIORITY);
    accept_ping(b, c, out->port.addr);
    if (c->public_addr && c->public_addr != out->port.addr)
        accept_ping(b, c, c->public_addr);
    drop_strangers(b, k->index[c->outside], 0, KNAT_DROP_NO_MAPPING);
    if (c->public_addr)
        drop_strangers(b, k->index[c->inside], c->public_addr, turned_back);
    if (c->one_to_one.outside)
        drop_strangers(b, k->index[c->inside], c->one_to_one.outside, turned_back);
    accept_ping(b, c, in->port.addr);
    drop_strangers(b, k->index[c->inside], in->port.addr, KNAT_DROP_NO_MAPPING);
    if (out->port.addr != c->public_addr && out->port.addr != c->one_to_one.outside)
        drop_strangers(b, k->index[c->inside], out->port.addr, KNAT_DROP_NO_MAPPING);
}

/* ---- what passes ---- */

static void add_log(struct knat_batch *b)
{
    knat_batch_chain(b, "passed", "filter", NF_INET_FORWARD, 0);
    struct nftnl_rule *r = knat_rule_new(b, "passed");
    knat_rule_log(r, KNAT_PASSED, LOGGED_HEADERS);
    knat_rule_add(b, r);
}

/* ---- sources ---- */

static uint32_t nat_flags(const struct host_knat_config *c)
{
    return NF_NAT_RANGE_PROTO_SPECIFIED | (c->random ? NF_NAT_RANGE_PROTO_RANDOM_FULLY : 0);
}

static void add_translation(struct knat_batch *b, const struct host_knat *k, const struct host_knat_config *c)
{
    struct nftnl_rule *r = knat_rule_new(b, "source");
    knat_rule_out(r, k->index[c->outside]);
    if (c->public_addr == k->input.host->interfaces[c->outside].port.addr)
        knat_rule_masquerade(r, c->low, c->high, nat_flags(c));
    else
        knat_rule_nat(r, NFT_NAT_SNAT, c->public_addr, c->low, c->high, nat_flags(c));
    knat_rule_add(b, r);
}

/* Hairpinned packets leave by the inside with the public address as their source (RFC 4787 REQ-9 a). */
static void add_hairpin(struct knat_batch *b, const struct host_knat *k, const struct host_knat_config *c)
{
    struct nftnl_rule *r = knat_rule_new(b, "source");
    knat_rule_in(r, k->index[c->inside]);
    knat_rule_out(r, k->index[c->inside]);
    knat_rule_status(r, KNAT_OTHER, IPS_DST_NAT);
    knat_rule_nat(r, NFT_NAT_SNAT, c->public_addr, c->low, c->high, nat_flags(c));
    knat_rule_add(b, r);
}

static void add_sources(struct knat_batch *b, const struct host_knat *k, const struct host_knat_config *c)
{
    knat_batch_chain(b, "source", "nat", NF_INET_POST_ROUTING, SOURCE_PRIORITY);
    if (c->one_to_one.inside) {
        struct nftnl_rule *r = knat_rule_new(b, "source");
        knat_rule_from(r, c->one_to_one.inside);
        if (!c->hairpin)
            knat_rule_out(r, k->index[c->outside]);
        knat_rule_nat(r, NFT_NAT_SNAT, c->one_to_one.outside, 0, 0, 0);
        knat_rule_add(b, r);
    }
    if (c->public_addr && c->hairpin)
        add_hairpin(b, k, c);
    if (c->public_addr)
        add_translation(b, k, c);
}

/* ---- all ---- */

/* Made first, so that there is something to delete whatever was there. */
static void clear(struct knat_batch *b)
{
    knat_batch_table(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
    knat_batch_table(b, NFT_MSG_DELTABLE, 0);
}

int knat_rules_set(struct host_knat *k, const struct host_knat_config *config)
{
    struct knat_batch b;
    if (knat_batch_begin(&b, BATCH)) {
        errno = ENOMEM;
        return FE_EOS;
    }
    clear(&b);
    knat_batch_table(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
    if (config->sip_alg)
        add_alg(&b);
    add_destinations(&b, k, config);
    add_filter(&b, k, config);
    add_log(&b);
    add_sources(&b, k, config);
    return knat_batch_commit(&b, k);
}

int knat_rules_clear(struct host_knat *k)
{
    struct knat_batch b;
    if (knat_batch_begin(&b, BATCH)) {
        errno = ENOMEM;
        return FE_EOS;
    }
    clear(&b);
    return knat_batch_commit(&b, k);
}
