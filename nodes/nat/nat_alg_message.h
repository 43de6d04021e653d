/* What the ALG makes of one SIP message: bytes in, bytes out. What no edit names stays byte for byte. */
#ifndef FAREND_NAT_ALG_MESSAGE_H
#define FAREND_NAT_ALG_MESSAGE_H

#include "nodes/base/addr.h"
#include "nodes/base/text.h"
#include "nodes/nat/nat_alg.h"

struct nat_alg_way {
    enum nat_side from;
    struct endpoint own;   /* what this packet's inside end (going out) or public end (coming in) was … */
    struct endpoint shown; /* … and what the NAT has made of it */
    /* What another port of own.addr is beyond the NAT; false: nothing. */
    bool (*signalling)(void *arg, struct endpoint own, struct endpoint *shown);
    /* The same for a pair of media ports announced from inside; shown is that of RTP. */
    bool (*media)(void *arg, struct endpoint rtp, struct endpoint rtcp, struct endpoint *shown);
    nat_alg_noted *noted; /* may be NULL */
    void *arg;            /* of signalling and media */
    void *noted_arg;
};

enum nat_alg_result {
    NAT_ALG_SAME,      /* nothing to rewrite; nothing was written */
    NAT_ALG_REWRITTEN, /* `out` has the whole payload */
    NAT_ALG_UNPARSED,  /* no SIP message, or one whose addresses cannot be read; nothing of it may be used */
};

/* `payload`: of one UDP datagram. A result that does not fit into `out`, or a body that does not fit into `scratch`,
 * counts as unparsed. Notes are told when all is written. */
enum nat_alg_result nat_alg_message(const struct nat_alg_config *config, const struct nat_alg_way *way,
                                    struct span payload, struct text *scratch, struct text *out);

/* Keep-alives (RFC 5626 §3.5.1, and the single bytes that phones send) are too short for a start line: nobody tries to
 * parse them. */
bool nat_alg_is_keep_alive(struct span payload);

#endif
