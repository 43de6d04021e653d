/* Inside the engine: what its files share. */
#ifndef FAREND_NAT_ENGINE_H
#define FAREND_NAT_ENGINE_H

#include "nodes/nat/nat.h"
#include "nodes/nat/nat_fragment.h"
#include "nodes/nat/nat_rewrite.h"
#include "nodes/nat/nat_syn.h"
#include "nodes/nat/nat_table.h"
#include "nodes/proto/ip.h"

enum { NAT_ANSWER_MAX = 576 }; /* no ICMP error is longer */

struct nat {
    struct nat_table table;
    struct nat_fragments *fragments; /* NULL before the first one comes */
    struct nat_alg *alg;             /* NULL: it does not look into SIP */
    struct nat_pcp *pcp;             /* NULL: it speaks none */
    struct nat_syns *syns;           /* the same */
    lab_time leaks_until;
    uint8_t answer[NAT_ANSWER_MAX];
};

/* One packet on its way through. */
struct nat_parcel {
    struct nat *nat;
    enum nat_side from;
    uint8_t *packet;
    lab_time now;
    struct ip_view v;
    struct nat_verdict *out;
};

/* ---- verdicts (nat_engine.c) ---- */
void nat_drop(struct nat_parcel *p, enum nat_cause cause);
/* True when TTL and MTU let it leave by `to`; else the verdict is given. */
bool nat_may_go(struct nat_parcel *p, enum nat_side to);
/* Its last step: one TTL less; the verdict is to send it by `to`. The addresses are the caller's to rewrite. */
void nat_send(struct nat_parcel *p, enum nat_side to);

/* An ICMP error about the packet as it came goes back to its sender, who is also dropped for `cause`. */
void nat_refuse(struct nat_parcel *p, enum nat_cause cause, uint8_t type, uint8_t code, ipv4 own);

/* ---- translation (nat_translate.c) ---- */
/* An address of the pool. */
static inline bool nat_is_pooled(const struct nat_config *c, ipv4 addr)
{
    for (unsigned i = 0; i < c->pool_n; i++)
        if (c->pool[i] == addr)
            return true;
    return false;
}
/* True for an address that stands for something inside when it is seen from outside. */
bool nat_is_public(const struct nat *nat, ipv4 addr);
/* An ICMP query belongs to an identifier and an address, and to no port at the other end (RFC 5508 §3.1). */
static inline struct endpoint nat_remote(uint8_t protocol, struct endpoint e)
{
    return protocol == IP_ICMP ? (struct endpoint){.addr = e.addr} : e;
}
void nat_translate_out(struct nat_parcel *p);
void nat_translate_in(struct nat_parcel *p);

/* ---- the SIP ALG (nat_alg.c) ---- */
/* Whether the packet, not translated yet, is one to look into; then it is remembered as it came. */
bool nat_alg_takes(const struct nat_parcel *p);
/* After its translation: rewrites what is inside, or takes the verdict back. */
void nat_alg_packet(struct nat_parcel *p);

/* ---- PCP (nat_pcp.c) ---- */
/* Whether a packet to one of the NAT's own addresses is a request; then nat_pcp_answer gives the verdict. */
bool nat_pcp_takes(const struct nat_parcel *p);
void nat_pcp_answer(struct nat_parcel *p);

/* ---- ICMP errors (nat_icmp.c) ---- */
void nat_translate_error(struct nat_parcel *p);

/* ---- unsolicited SYNs (nat_syn.c) ---- */
/* What comes in for nobody, or past no filter: `cause`. True when it is held and the verdict is given. */
bool nat_syn_hold(struct nat_parcel *p, enum nat_cause cause);

/* ---- the size of TCP segments (nat_mss.c) ---- */
void nat_mss_clamp(struct nat_parcel *p); /* after the rewriting */

/* ---- how long sessions live (nat_lifetime.c) ---- */
/* A packet of the session came from `from`: notes what it tells and moves the deadline. */
void nat_lifetime_packet(struct nat_table *t, uint32_t session, const struct nat_parcel *p, enum nat_side from);
/* An inbound packet of a stranger that the filter let through on the strength of this session. */
void nat_lifetime_stranger(struct nat_table *t, uint32_t session, lab_time now);
/* When the session that this outbound packet opens would end if nothing followed. */
lab_time nat_lifetime_first(const struct nat_table *t, const struct nat_parcel *p);

#endif
