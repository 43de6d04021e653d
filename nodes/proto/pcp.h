/* The Port Control Protocol, version 2: RFC 6887. Bytes in, bytes out; of addresses only IPv4 ones, as the RFC writes
 * them (::ffff:a.b.c.d, §5). Times here are the protocol's seconds. */
#ifndef FAREND_PROTO_PCP_H
#define FAREND_PROTO_PCP_H

#include "nodes/base/addr.h"
#include "nodes/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PCP_PORT = 5351, /* of servers (§19.1) */
    PCP_VERSION = 2,
    PCP_MAX = 1100,   /* bytes of a message (§7) */
    PCP_HEADER = 24,  /* bytes, of requests and responses alike (§7.1, §7.2) */
    PCP_FILTERS = 43, /* more do not fit into a message */
    PCP_NONCE = 12,   /* bytes */
};

enum pcp_opcode { PCP_ANNOUNCE = 0, PCP_MAP = 1, PCP_PEER = 2 };

enum pcp_option { PCP_THIRD_PARTY = 1, PCP_PREFER_FAILURE = 2, PCP_FILTER = 3 };

/* §7.4. */
enum pcp_result {
    PCP_SUCCESS,
    PCP_UNSUPP_VERSION,
    PCP_NOT_AUTHORIZED,
    PCP_MALFORMED_REQUEST,
    PCP_UNSUPP_OPCODE,
    PCP_UNSUPP_OPTION,
    PCP_MALFORMED_OPTION,
    PCP_NETWORK_FAILURE,
    PCP_NO_RESOURCES,
    PCP_UNSUPP_PROTOCOL,
    PCP_USER_EX_QUOTA,
    PCP_CANNOT_PROVIDE_EXTERNAL,
    PCP_ADDRESS_MISMATCH,
    PCP_EXCESSIVE_REMOTE_PEERS,
};

/* "SUCCESS", "USER_EX_QUOTA", …; "UNKNOWN" for what §7.4 does not have. */
const char *pcp_result_text(unsigned result);
/* "map", "peer", "announce"; "unknown". */
const char *pcp_opcode_text(unsigned opcode);
/* The Lifetime of an error response: 30 min, or 30 s for what passes soon (§7.4). */
uint32_t pcp_error_lifetime(enum pcp_result result);

struct pcp_nonce {
    uint8_t bytes[PCP_NONCE];
};

static inline bool pcp_nonce_equal(const struct pcp_nonce *a, const struct pcp_nonce *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Remote peers that an inbound mapping lets in (§13.3). */
struct pcp_filter {
    struct subnet peers;
    uint16_t port; /* 0: all */
    bool clears;   /* prefix length 0: none of the filters so far holds any more */
};

/* A request, or a response, as it was read. What the opcode does not have is 0. */
struct pcp_msg {
    uint8_t opcode; /* enum pcp_opcode */
    uint32_t lifetime;
    ipv4 client;    /* of requests; 0: an IPv6 address */
    uint8_t result; /* of responses, as the epoch: seconds since the server lost its state (§8.5) */
    uint32_t epoch;

    struct pcp_nonce nonce;   /* MAP and PEER */
    uint8_t protocol;         /* of IP; 0: all */
    uint16_t internal;        /* port; 0: all */
    struct endpoint external; /* suggested or assigned; each part may be 0: none */
    struct endpoint peer;     /* PEER */

    bool third_party, prefer_failure; /* options */
    struct pcp_filter filters[PCP_FILTERS];
    unsigned filters_n;
};

/* As a server reads (§8.2). 0: a good request. Positive: an enum pcp_result to answer with; *out then has as much as
 * was read. FE_ESHORT, FE_ESYNTAX: it is to be dropped in silence. */
int pcp_read_request(struct span bytes, struct pcp_msg *out);

/* As a client reads (§8.3): 0; FE_ESHORT, FE_ESYNTAX: it is to be ignored. Options of an error response are not read.
 */
int pcp_read_response(struct span bytes, struct pcp_msg *out);

/* ---- writing: bytes written; 0: they do not fit in `cap` ---- */
size_t pcp_write_request(uint8_t *dst, size_t cap, const struct pcp_msg *request);
/* §8.2: an error repeats what was asked, whatever it was; a success has the opcode's fields and the options that were
 * heeded. Of `answer` result, lifetime and epoch are used, and on success, of MAP and PEER, `external`. */
size_t pcp_write_response(uint8_t *dst, size_t cap, struct span request, const struct pcp_msg *answer);

#endif
