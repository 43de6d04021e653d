/* The NAT engine: whole IPv4 packets in, a verdict out. Pure: the time is an argument, random numbers come from the
 * PRNG it was given, and the caller does the sending.
 *
 * Behaviour is that of RFC 4787 (UDP), RFC 5382 (TCP) and RFC 5508 (ICMP), with every choice those leave open, and
 * those they forbid but real boxes make, as configuration:
 * - mapping    an inside endpoint and what its mapping depends on get one port of an address of the pool (RFC 4787
 * §4.1);
 * - session    one remote endpoint that the inside endpoint has sent to. Sessions are the filter (RFC 4787 §5) and have
 * the timers; a mapping lives exactly as long as its longest-lived session;
 * - forward    a mapping that the user made: any remote may use it, and it never ends;
 * - one-to-one one inside address and one outside address are each other, ports kept, no state (FACTS NW-1).
 * It is a router too (RFC 1812): TTL, MTU, ICMP errors. It keeps IP identifications. */
#ifndef FAREND_NAT_H
#define FAREND_NAT_H

#include "nodes/base/addr.h"
#include "nodes/base/lab_time.h"
#include "nodes/base/option.h"
#include "nodes/base/prng.h"
#include "nodes/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nat;

enum nat_side { NAT_INSIDE, NAT_OUTSIDE };

enum {
    NAT_POOL = 16,  /* public addresses, at most */
    NAT_BLOCKS = 8, /* port blocks of one subscriber, at most */
    NAT_EXEMPT = 8, /* subnets that are reached untranslated, at most */
};

/* What a mapping or a filter tells apart (RFC 4787 §4.1, §5). */
enum nat_dependence { NAT_ENDPOINT_INDEPENDENT, NAT_ADDRESS_DEPENDENT, NAT_ADDRESS_AND_PORT_DEPENDENT };

/* How a new mapping gets its port, within `range` and never one in use (RFC 4787 §4.2). */
enum nat_ports {
    NAT_PORTS_PRESERVE,   /* the inside port; when it is taken, the next free one above it */
    NAT_PORTS_SEQUENTIAL, /* the next free one after the last that was given out */
    NAT_PORTS_RANDOM,
};

/* What is said to whom no port can be given. */
enum nat_refusal {
    NAT_REFUSE_SILENTLY,
    NAT_REFUSE_PROHIBITED,       /* ICMP: communication administratively prohibited (RFC 5508 REQ-8) */
    NAT_REFUSE_HOST_UNREACHABLE, /* ICMP: host unreachable (RFC 6888 REQ-11 B) */
};

struct nat_config {
    ipv4 own[2];         /* by nat_side: its own addresses; answers pings, sends ICMP errors */
    uint16_t mtu[2];     /* by nat_side: bytes of IP packet */
    ipv4 pool[NAT_POOL]; /* the outside addresses of mappings; a forward's is the first */
    unsigned pool_n;     /* 0: there are no mappings, only one_to_one */
    struct {
        ipv4 inside, outside; /* 0: no such pair */
    } one_to_one;
    struct subnet
        exempt[NAT_EXEMPT]; /* remotes that are reached untranslated and may come in, without state (RFC 6888 REQ-6) */
    unsigned exempt_n;
    ipv4 dmz; /* the inside host that gets what is for no mapping; 0: nobody */

    enum nat_dependence mapping;
    enum nat_dependence filtering;
    enum nat_ports ports;
    struct port_range range; /* of mapped ports and ICMP identifiers */
    bool parity;             /* an even port is mapped to an even one (RFC 4787 REQ-4) */
    bool contiguity;         /* the odd port after a mapped even one is mapped to the next one (RFC 4787 §4.2.3) */
    bool overload;           /* mappings for different remotes may share a port (RFC 4787 §4.2.1, REQ-3 forbids it);
                                needs address-and-port-dependent mapping, and no reuse delay and no blocks */
    bool paired;             /* all mappings of an inside address have one outside address (RFC 4787 REQ-2) */

    uint32_t quota;       /* mappings of one inside address at a time (RFC 6888 REQ-4); 0: no bound */
    uint16_t block;       /* ports are given to an inside address in blocks of so many (RFC 6888 §4); 0: singly */
    uint16_t blocks;      /* of one inside address at a time, at most NAT_BLOCKS */
    lab_time reuse_delay; /* a port stays free so long before another endpoint gets it (RFC 6888 REQ-8) */
    uint32_t reuse_ports; /* so many ports wait at most; the one that waits longest gives way. 0: no bound */

    bool hairpin;          /* inside to inside by way of the public address (RFC 4787 REQ-9) */
    bool hairpin_internal; /* a hairpinned packet keeps its inside source (REQ-9 a forbids it) */
    bool hold_syn;         /* an unsolicited SYN is held for 6 s, then refused (RFC 5382 REQ-4); else dropped */
    enum nat_refusal refuse;
    lab_time leak; /* so long after its start and after a reboot, new flows pass untranslated: a router that
                      forwards before its rules are loaded. Such a flow stays as it is while it lives */
    uint16_t mss;  /* the most that a SYN may announce, bytes of TCP payload; 0: as it is */

    bool refresh_inbound;     /* inbound UDP and ICMP packets keep a mapping alive too (RFC 4787 REQ-6 a) */
    lab_time udp_timeout;     /* after the last packet that refreshes (RFC 4787 REQ-5) */
    lab_time udp_unreplied;   /* the same while nothing has come back (FACTS NW-4) */
    lab_time icmp_timeout;    /* of queries (RFC 5508 REQ-2) */
    lab_time tcp_established; /* idle, handshake done (RFC 5382 REQ-5) */
    lab_time tcp_transitory;  /* idle, opening (RFC 5382 REQ-5, RFC 7857 §2.2) */
    lab_time tcp_closing;     /* idle, closed or reset (RFC 7857 §2.2, §2.3) */
};

/* A mapping as the outside of the engine sees it. For ICMP the ports are query identifiers. */
struct nat_mapping {
    uint8_t protocol; /* IP_UDP, IP_TCP, IP_ICMP */
    struct endpoint inside, outside;
    struct endpoint remote; /* whom the packet that made it was for; all zero for a forward */
    bool by_pcp;            /* a PCP client asked for it */
    uint16_t ports;         /* BLOCK_TAKEN, BLOCK_GIVEN: from outside.port on; protocol, inside.port and remote are 0 */
};

enum nat_change { NAT_CREATED, NAT_EXPIRED, NAT_REMOVED, NAT_BLOCK_TAKEN, NAT_BLOCK_GIVEN };

/* Called for mappings made by packets and for blocks, from inside nat_packet, nat_expire, nat_flush, nat_rebind and
 * nat_set_pool. May not call the engine. */
typedef void nat_changed(void *arg, enum nat_change change, const struct nat_mapping *mapping);

/* *config is copied; `now` begins the leak. FE_EMEM. */
int nat_new(struct nat **out, const struct nat_config *config, const struct prng *rng, lab_time now,
            nat_changed *changed, void *arg);
void nat_free(struct nat *nat); /* NULL is fine */

/* Timeouts, filtering, hairpin, hold_syn, refuse, mss and refresh_inbound may differ from what was; all else must be
 * the same. Holds for packets from now on: what is mapped keeps its deadline until its next packet. */
void nat_configure(struct nat *nat, const struct nat_config *config);

/* Other public addresses from now on, `n` from 1 to NAT_POOL; the first is also the NAT's own outside address. Every
 * mapping is removed; forwards move along. */
void nat_set_pool(struct nat *nat, const ipv4 *pool, unsigned n);

/* A port forward of `protocol` (IP_UDP, IP_TCP). FE_EUSED: the outside port, or the inside endpoint, has a mapping;
 * FE_EMEM. */
int nat_forward(struct nat *nat, uint8_t protocol, uint16_t outside_port, struct endpoint inside);

/* ---- packets ---- */
enum nat_action {
    NAT_FORWARD, /* `packet` leaves by `side` */
    NAT_ANSWER,  /* the NAT's own `packet` leaves by `side`; when there is a cause, what came is dropped for it */
    NAT_DROP,    /* dropped for `cause`; `packet` is as it came */
    NAT_HOLD,    /* a fragment before its first one, or an unsolicited SYN: kept, nat_released() tells of it later */
};

enum nat_cause {
    NAT_NO_CAUSE,
    NAT_NO_MAPPING,
    NAT_FILTERED,
    NAT_NO_HAIRPIN,
    NAT_NO_PORT,
    NAT_TTL_EXCEEDED,
    NAT_TOO_BIG,
    NAT_BAD_PACKET,
    NAT_ALG_UNPARSABLE, /* by the SIP ALG (nat_alg.h) */
};
const char *nat_cause_text(enum nat_cause cause); /* the trace's word; "" for NAT_NO_CAUSE */

struct nat_verdict {
    enum nat_action action;
    enum nat_side side;
    bool fragment; /* FORWARD: larger than the side's MTU, to be sent as its ip_fragment()s */
    enum nat_cause cause;
    uint8_t *packet; /* what was passed in, edited in place, or memory of the engine that lives until its next call */
    size_t n;
};

/* One packet that arrived at `from`. `now` never goes back. */
void nat_packet(struct nat *nat, enum nat_side from, uint8_t *packet, size_t n, lab_time now, struct nat_verdict *out);

/* Packets that wait to be given to nat_packet, all from one side. Each of them needs two places of a large table one
 * after the other; so they are asked for at once, while the memory can still bring them at the same time. Changes
 * nothing: what is announced need not come, and what was not announced may. */
void nat_coming(const struct nat *nat, enum nat_side from, const struct span *packets, size_t n);

/* After nat_packet and nat_expire: what has become of a held packet, one a call; false when there is no more. `held` is
 * the packet as it came; for ANSWER the verdict's packet is another. */
struct nat_held {
    const uint8_t *packet;
    size_t n;
};
bool nat_released(struct nat *nat, struct nat_verdict *out, struct nat_held *held);

/* ---- time ---- */
void nat_expire(struct nat *nat, lab_time now); /* ends what has reached its deadline */

/* When nat_expire wants to be called; NEVER. No mapping ends later than it should if it is; it may find nothing to do.
 */
lab_time nat_deadline(const struct nat *nat);

/* ---- all at once ---- */
size_t nat_count(const struct nat *nat); /* mappings, forwards not counted */
size_t nat_flush(struct nat *nat);       /* removes every mapping, oldest slot first; returns how many. Forwards stay */
size_t nat_reboot(struct nat *nat, lab_time now); /* the same without telling; held packets are forgotten too */
/* Every mapping gets another port, told as its removal and creation; returns how many did. Sessions go on. */
size_t nat_rebind(struct nat *nat);

#endif
