#include "nodes/proto/pcp.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"

#include <string.h>

enum { RESPONSE = 0x80, OPTION_HEADER = 4, OPTIONAL = 128, ADDR = 16, V4_BITS = 96 };
enum { OPCODE_AT = 1, RESULT_AT = 3, LIFETIME_AT = 4, CLIENT_AT = 8, EPOCH_AT = 8, RESERVED_AT = 12 };
/* Of MAP, and of the first part of PEER (§11.1, §12.1), from the start of the message. */
enum { NONCE_AT = 24, PROTOCOL_AT = 36, INTERNAL_AT = 40, EXTERNAL_AT = 42, ADDR_AT = 44, MAP_END = 60 };
enum { PEER_PORT_AT = 60, PEER_ADDR_AT = 64, PEER_END = 80 };
enum { THIRD_PARTY_LENGTH = 16, FILTER_LENGTH = 20 };

static const char *const results[] = {
    "SUCCESS",       "UNSUPP_VERSION",          "NOT_AUTHORIZED",   "MALFORMED_REQUEST",     "UNSUPP_OPCODE",
    "UNSUPP_OPTION", "MALFORMED_OPTION",        "NETWORK_FAILURE",  "NO_RESOURCES",          "UNSUPP_PROTOCOL",
    "USER_EX_QUOTA", "CANNOT_PROVIDE_EXTERNAL", "ADDRESS_MISMATCH", "EXCESSIVE_REMOTE_PEERS"};
_Static_assert(sizeof results / sizeof results[0] == PCP_EXCESSIVE_REMOTE_PEERS + 1, "a name for each result");

const char *pcp_result_text(unsigned result)
{
    return result <= PCP_EXCESSIVE_REMOTE_PEERS ? results[result] : "UNKNOWN";
}

const char *pcp_opcode_text(unsigned opcode)
{
    static const char *const names[] = {"announce", "map", "peer"};
    return opcode <= PCP_PEER ? names[opcode] : "unknown";
}

uint32_t pcp_error_lifetime(enum pcp_result result)
{
    bool passes = result == PCP_NETWORK_FAILURE || result == PCP_NO_RESOURCES || result == PCP_USER_EX_QUOTA ||
                  result == PCP_CANNOT_PROVIDE_EXTERNAL;
    return passes ? 30 : 30 * 60;
}

/* ---- addresses (§5) ---- */

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

/* False: it is an IPv6 address. "::", which names none, is 0. */
static bool get_addr(const uint8_t *p, ipv4 *out)
{
    static const uint8_t none[ADDR];
    *out = 0;
    if (memcmp(p, none, ADDR) == 0)
        return true;
    if (memcmp(p, mapped_prefix, sizeof mapped_prefix) != 0)
        return false;
    *out = get32(p + sizeof mapped_prefix);
    return true;
}

static void put_addr(uint8_t *p, ipv4 addr)
{
    memcpy(p, mapped_prefix, sizeof mapped_prefix);
    put32(p + sizeof mapped_prefix, addr);
}

/* ---- reading ---- */

static size_t opcode_end(uint8_t opcode)
{
    return opcode == PCP_MAP ? MAP_END : opcode == PCP_PEER ? PEER_END : PCP_HEADER;
}

/* §13.3: of an IPv4 address the prefix has 96 bits more. */
static int filter_read(const uint8_t *p, struct pcp_msg *out)
{
    struct pcp_filter f = {.port = get16(p + 2), .clears = p[1] == 0};
    if (!get_addr(p + 4, &f.peers.addr) || p[1] > V4_BITS + 32 || (!f.clears && p[1] < V4_BITS))
        return PCP_MALFORMED_OPTION;
    f.peers.bits = f.clears ? 0 : (uint8_t)(p[1] - V4_BITS);
    if (out->filters_n == PCP_FILTERS)
        return PCP_EXCESSIVE_REMOTE_PEERS;
    out->filters[out->filters_n++] = f;
    return 0;
}

static int flag_read(bool *flag, bool fits)
{
    if (*flag || !fits) /* §7.3: too often, or of another length */
        return PCP_MALFORMED_OPTION;
    *flag = true;
    return 0;
}

/* §7.3: the lower half of the codes must be understood. Each option is for some opcodes. */
static int option_read(uint8_t code, const uint8_t *p, size_t n, struct pcp_msg *out)
{
    bool map = out->opcode == PCP_MAP;
    switch (code) {
    case PCP_THIRD_PARTY:
        return flag_read(&out->third_party, n == THIRD_PARTY_LENGTH && (map || out->opcode == PCP_PEER));
    case PCP_PREFER_FAILURE: return flag_read(&out->prefer_failure, n == 0 && map);
    case PCP_FILTER: return n == FILTER_LENGTH && map ? filter_read(p, out) : PCP_MALFORMED_OPTION;
    default: return code < OPTIONAL ? PCP_UNSUPP_OPTION : 0;
    }
}

static size_t padded(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

static int options_read(const uint8_t *p, size_t n, struct pcp_msg *out)
{
    while (n) {
        size_t length = n < OPTION_HEADER ? n : get16(p + 2);
        if (n < OPTION_HEADER || padded(length) > n - OPTION_HEADER)
            return PCP_MALFORMED_OPTION;
        int result = option_read(p[0], p + OPTION_HEADER, length, out);
        if (result)
            return result;
        p += OPTION_HEADER + padded(length);
        n -= OPTION_HEADER + padded(length);
    }
    return 0;
}

/* What MAP and PEER have. An external address of IPv6 cannot be given: it is as if none was suggested (§11.3). */
static int body_read(const uint8_t *p, struct pcp_msg *out)
{
    if (out->opcode == PCP_ANNOUNCE)
        return 0;
    memcpy(out->nonce.bytes, p + NONCE_AT, PCP_NONCE);
    out->protocol = p[PROTOCOL_AT];
    out->internal = get16(p + INTERNAL_AT);
    out->external.port = get16(p + EXTERNAL_AT);
    (void)get_addr(p + ADDR_AT, &out->external.addr);
    if (out->opcode == PCP_MAP)
        return 0;
    out->peer.port = get16(p + PEER_PORT_AT);
    return get_addr(p + PEER_ADDR_AT, &out->peer.addr) ? 0 : PCP_MALFORMED_REQUEST;
}

/* The order of the checks is that of §8.2. */
int pcp_read_request(struct span bytes, struct pcp_msg *out)
{
    const uint8_t *p = (const uint8_t *)bytes.p;
    *out = (struct pcp_msg){0};
    if (bytes.n < 2)
        return FE_ESHORT;
    if (p[OPCODE_AT] & RESPONSE)
        return FE_ESYNTAX;
    out->opcode = p[OPCODE_AT];
    if (p[0] != PCP_VERSION)
        return PCP_UNSUPP_VERSION;
    if (bytes.n < PCP_HEADER)
        return FE_ESHORT;
    out->lifetime = get32(p + LIFETIME_AT);
    (void)get_addr(p + CLIENT_AT, &out->client);
    if (bytes.n > PCP_MAX || bytes.n % 4 || bytes.n < opcode_end(out->opcode))
        return PCP_MALFORMED_REQUEST;
    if (out->opcode > PCP_PEER)
        return PCP_UNSUPP_OPCODE;
    int result = body_read(p, out);
    return result ? result : options_read(p + opcode_end(out->opcode), bytes.n - opcode_end(out->opcode), out);
}

int pcp_read_response(struct span bytes, struct pcp_msg *out)
{
    const uint8_t *p = (const uint8_t *)bytes.p;
    *out = (struct pcp_msg){0};
    if (bytes.n < PCP_HEADER)
        return FE_ESHORT;
    if (p[0] != PCP_VERSION || !(p[OPCODE_AT] & RESPONSE) || bytes.n > PCP_MAX || bytes.n % 4)
        return FE_ESYNTAX;
    out->opcode = p[OPCODE_AT] & (uint8_t)~RESPONSE;
    out->result = p[RESULT_AT];
    out->lifetime = get32(p + LIFETIME_AT);
    out->epoch = get32(p + EPOCH_AT);
    if (out->opcode > PCP_PEER)
        return out->result ? 0 : FE_ESYNTAX;
    if (bytes.n < opcode_end(out->opcode))
        return FE_ESHORT;
    if (body_read(p, out))
        return FE_ESYNTAX;
    size_t end = opcode_end(out->opcode);
    return out->result == PCP_SUCCESS && options_read(p + end, bytes.n - end, out) ? FE_ESYNTAX : 0;
}

/* ---- writing ---- */

/* Room for an option; NULL: it does not fit. */
static uint8_t *option_put(uint8_t *dst, size_t cap, size_t *n, uint8_t code, uint8_t length)
{
    uint8_t *p = dst + *n;
    if (cap - *n < OPTION_HEADER + (size_t)length)
        return NULL;
    memset(p, 0, OPTION_HEADER + (size_t)length);
    p[0] = code;
    p[3] = length;
    *n += OPTION_HEADER + (size_t)length;
    return p + OPTION_HEADER;
}

/* Those of `m` but THIRD_PARTY, which nobody here asks for. */
static bool options_put(uint8_t *dst, size_t cap, size_t *n, const struct pcp_msg *m)
{
    if (m->prefer_failure && !option_put(dst, cap, n, PCP_PREFER_FAILURE, 0))
        return false;
    for (unsigned i = 0; i < m->filters_n; i++) {
        const struct pcp_filter *f = &m->filters[i];
        uint8_t *p = option_put(dst, cap, n, PCP_FILTER, FILTER_LENGTH);
        if (!p)
            return false;
        p[1] = f->clears ? 0 : (uint8_t)(f->peers.bits + V4_BITS);
        put16(p + 2, f->port);
        put_addr(p + 4, f->peers.addr);
    }
    return true;
}

static void body_put(uint8_t *p, const struct pcp_msg *m)
{
    memcpy(p + NONCE_AT, m->nonce.bytes, PCP_NONCE);
    p[PROTOCOL_AT] = m->protocol;
    put16(p + INTERNAL_AT, m->internal);
    put16(p + EXTERNAL_AT, m->external.port);
    put_addr(p + ADDR_AT, m->external.addr);
    if (m->opcode != PCP_PEER)
        return;
    put16(p + PEER_PORT_AT, m->peer.port);
    put_addr(p + PEER_ADDR_AT, m->peer.addr);
}

size_t pcp_write_request(uint8_t *dst, size_t cap, const struct pcp_msg *m)
{
    size_t n = opcode_end(m->opcode);
    if (cap > PCP_MAX)
        cap = PCP_MAX;
    if (n > cap)
        return 0;
    memset(dst, 0, n);
    dst[0] = PCP_VERSION;
    dst[OPCODE_AT] = m->opcode;
    put32(dst + LIFETIME_AT, m->lifetime);
    put_addr(dst + CLIENT_AT, m->client);
    if (m->opcode != PCP_ANNOUNCE)
        body_put(dst, m);
    return options_put(dst, cap, &n, m) ? n : 0;
}

/* What every response has of its own. The result stands where NAT-PMP (version 0, RFC 6886 §3.5) has the lower half of
 * its own, and is 1 in both for a version that is not spoken: who asked in that version understands it (§9). */
static void response_put(uint8_t *dst, const struct pcp_msg *answer)
{
    dst[0] = PCP_VERSION;
    dst[OPCODE_AT] |= RESPONSE;
    dst[RESULT_AT - 1] = 0;
    dst[RESULT_AT] = answer->result;
    put32(dst + LIFETIME_AT, answer->lifetime);
    put32(dst + EPOCH_AT, answer->epoch);
    memset(dst + RESERVED_AT, 0, PCP_HEADER - RESERVED_AT);
}

static size_t error_write(uint8_t *dst, size_t cap, struct span request, const struct pcp_msg *answer)
{
    size_t copied = request.n < PCP_MAX ? request.n : PCP_MAX;
    size_t n = copied < PCP_HEADER ? PCP_HEADER : padded(copied);
    if (n > cap)
        return 0;
    memcpy(dst, request.p, copied);
    memset(dst + copied, 0, n - copied);
    response_put(dst, answer);
    return n;
}

size_t pcp_write_response(uint8_t *dst, size_t cap, struct span request, const struct pcp_msg *answer)
{
    struct pcp_msg asked;
    if (answer->result != PCP_SUCCESS)
        return error_write(dst, cap, request, answer);
    if (pcp_read_request(request, &asked))
        return 0;
    size_t n = opcode_end(asked.opcode);
    if (n > cap)
        return 0;
    memcpy(dst, request.p, n);
    response_put(dst, answer);
    if (asked.opcode != PCP_ANNOUNCE) {
        put16(dst + EXTERNAL_AT, answer->external.port);
        put_addr(dst + ADDR_AT, answer->external.addr);
    }
    return options_put(dst, cap, &n, &asked) ? n : 0;
}
