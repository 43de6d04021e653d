/* Where a SIP request goes (RFC 3263 §4, PH-25): from a host of a URI to a list of targets, in the order in which they
 * are tried. NAPTR says which transports a domain wants, SRV which servers, A where they are.
 *
 *   host is an address        that address; port 0 means 5060, or 5061 for TLS
 *   a name with a port        its addresses (A) with that port
 *   a name without one        NAPTR, SRV, A; with a transport given SRV, A
 *
 * Each location is drawn anew (RFC 2782's weights, from the node's stream "srv"): two requests to the same domain may
 * go to different servers, unless the caller keeps the location while it is valid. Which target is next after a
 * failure: sip_blacklist.h. */
#ifndef FAREND_RESOLVE_SIP_LOCATE_H
#define FAREND_RESOLVE_SIP_LOCATE_H

#include "nodes/base/addr.h"
#include "nodes/proto/dns_name.h"
#include "nodes/proto/sip_msg.h"
#include "nodes/resolve/resolver.h"

enum {
    SIP_LOCATE_TRANSPORTS = 3, /* UDP, TCP, TLS */
    SIP_LOCATE_TARGETS = 32,   /* the most of a location: later ones are left away */
};

struct sip_locate_query {
    struct span host;                                 /* borrowed for the call */
    uint16_t port;                                    /* 0: none was given */
    enum sip_transport transport;                     /* SIP_TRANSPORT_OTHER: none was given */
    bool sips;                                        /* TLS and nothing else */
    enum sip_transport speaks[SIP_LOCATE_TRANSPORTS]; /* what the caller can, what it likes best first */
    unsigned speaks_n;
};

struct sip_locate_target {
    enum sip_transport transport;
    struct endpoint at;
    struct dns_name server; /* whose address it is, of an SRV or the host itself; n 0: the host was an address */
};

enum sip_locate_result {
    SIP_LOCATE_FOUND,   /* at least one target */
    SIP_LOCATE_NOTHING, /* there is no such server, or none with a transport that the caller speaks */
    SIP_LOCATE_FAILED,  /* DNS did not tell */
};

struct sip_location {
    enum sip_locate_result result;
    struct dns_name domain; /* whose certificate a TLS server has to show: the host (RFC 5922 §4); n 0: an address */
    lab_time expires;       /* the smallest TTL of all that was used; NEVER: nothing was asked; now: it failed */
    unsigned n;
    struct sip_locate_target targets[SIP_LOCATE_TARGETS];
};

struct sip_search; /* one that is under way */

struct sip_locator {
    struct host *host;
    struct resolver *resolver;
    struct prng rng;
    struct sip_search *searches;
};

/* `resolver` is kept. */
void sip_locator_init(struct sip_locator *l, struct host *h, struct resolver *resolver);
void sip_locator_fini(struct sip_locator *l); /* searches end, nobody is told. Before resolver_free() */

/* `done` is called once, from the host's loop, with a location that is borrowed for the call; the search is over then.
 * *out is for sip_search_cancel() until then. FE_EMEM. */
int sip_locate(struct sip_locator *l, const struct sip_locate_query *query,
               void (*done)(void *arg, const struct sip_location *location), void *arg, struct sip_search **out);
void sip_search_cancel(struct sip_search *search); /* NULL is fine */

#endif
