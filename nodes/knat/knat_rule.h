/* Rules of nf_tables, word by word, and the transaction that carries them. Each knat_rule_* appends to the rule what
 * `nft` would write as one word: a condition, or what is done. Numbers are in host byte order. */
#ifndef FAREND_KNAT_RULE_H
#define FAREND_KNAT_RULE_H

#include "nodes/base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KNAT_TABLE "farend"

/* As the bit of a state in an nf_tables rule (NF_CT_STATE_BIT of the kernel). */
#define NF_CT_STATE_BIT(state) (1u << ((state) % IP_CT_IS_REPLY + 1))

struct host_knat;
struct nftnl_rule;
struct mnl_nlmsg_batch;
struct nlmsghdr;

/* ---- one transaction ---- */
struct knat_batch {
    struct mnl_nlmsg_batch *messages;
    char *memory;
    uint32_t sequence;
    unsigned asked; /* messages that the kernel acknowledges */
    bool no_memory; /* something is missing: nothing is committed */
};

int knat_batch_begin(struct knat_batch *b, size_t bytes); /* FE_EMEM */
struct nlmsghdr *knat_batch_message(struct knat_batch *b, uint16_t type, uint16_t flags);
void knat_batch_next(struct knat_batch *b); /* the message is complete */
/* 0, or FE_EOS (errno); frees the batch in either case. */
int knat_batch_commit(struct knat_batch *b, struct host_knat *k);

/* type: NFT_MSG_NEWTABLE, NFT_MSG_DELTABLE. */
void knat_batch_table(struct knat_batch *b, uint16_t type, uint16_t flags);
/* type: "nat" or "filter"; hook: enum nf_inet_hooks. */
void knat_batch_chain(struct knat_batch *b, const char *name, const char *type, uint32_t hook, int32_t priority);

/* ---- rules: NULL without memory, which every function takes and knat_rule_add remembers ---- */
struct nftnl_rule *knat_rule_new(struct knat_batch *b, const char *chain);
void knat_rule_add(struct knat_batch *b, struct nftnl_rule *r); /* frees it */

enum knat_compare { KNAT_EQUAL, KNAT_OTHER };

void knat_rule_in(struct nftnl_rule *r, unsigned interface);
void knat_rule_out(struct nftnl_rule *r, unsigned interface);
void knat_rule_from(struct nftnl_rule *r, ipv4 addr);
void knat_rule_to(struct nftnl_rule *r, enum knat_compare compare, ipv4 addr);
void knat_rule_transport(struct nftnl_rule *r, uint8_t protocol, uint16_t to_port);
void knat_rule_icmp(struct nftnl_rule *r, uint8_t type);
/* The connection's state or status has none of the bits (EQUAL to none), or some (OTHER). */
void knat_rule_state(struct nftnl_rule *r, enum knat_compare compare, uint32_t bits);
void knat_rule_status(struct nftnl_rule *r, enum knat_compare compare, uint32_t bits);

void knat_rule_log(struct nftnl_rule *r, uint16_t group, uint32_t bytes);
void knat_rule_verdict(struct nftnl_rule *r, int verdict);
void knat_rule_helper(struct nftnl_rule *r, const char *object);
/* type: enum nft_nat_types; low 0: ports stay. */
void knat_rule_nat(struct nftnl_rule *r, uint32_t type, ipv4 addr, uint16_t low, uint16_t high, uint32_t flags);
void knat_rule_masquerade(struct nftnl_rule *r, uint16_t low, uint16_t high, uint32_t flags);

#endif
