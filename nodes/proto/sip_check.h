/* What every element reads of every message, and the judgement of RFC 3261 §8.2 and §16.3 on it: the status a server
 * answers, and why. Parsing (sip_msg.h) asks "is it SIP?", checking asks "may we work with it?".
 *
 *     if (sip_parse(datagram, &m, &why) || sip_check(&m, &core, &why))
 *         why.status ? answer(&m, why.status) : drop(sip_fault_text(why.fault)); */
#ifndef FAREND_PROTO_SIP_CHECK_H
#define FAREND_PROTO_SIP_CHECK_H

#include "nodes/proto/sip_msg.h"

#define SIP_MAX_FORWARDS 70 /* what a client sends (§8.1.1.6) */

struct sip_core {
    struct sip_via via; /* the topmost */
    struct sip_addr from, to;
    struct span call_id;
    struct sip_cseq cseq;
    bool has_max_forwards; /* a client of RFC 2543 sends none */
    uint8_t max_forwards;  /* 0–255 */
};

/* Decodes the fields of struct sip_core and nothing else: mandatory, once each (Via: at least once), well-formed,
 * CSeq's method that of the request line. 0; FE_ESYNTAX with `why` (may be NULL) filled in, status 400 for requests, 0
 * for responses and ACK. */
int sip_core(const struct sip_msg *m, struct sip_core *out, struct sip_problem *why);

/* sip_core(), then every header that farend knows: grammar, number of values, and the rules between headers.
 * Neither extensions nor schemes nor hops are judged: sip_check_uas() and sip_check_proxy() do. */
int sip_check(const struct sip_msg *m, struct sip_core *out, struct sip_problem *why);

/* The part of §8.2.2 and §8.2.2.3 that needs no knowledge of the user: 416 for a Request-URI that is neither sip, sips
 * nor tel; 420 for an option tag in Require that is not in `supported` (comma-separated, as in "100rel, timer").
 * why->about is the tag, for Unsupported. ACK and CANCEL are never refused for Require. 0 or FE_EREFUSED. */
int sip_check_uas(const struct sip_msg *m, struct span supported, struct sip_problem *why);

/* §16.3 items 3 and 5: 416 as above, 483 when Max-Forwards is 0, 420 for Proxy-Require. 0 or FE_EREFUSED. */
int sip_check_proxy(const struct sip_msg *m, const struct sip_core *core, struct span supported,
                    struct sip_problem *why);

#endif
