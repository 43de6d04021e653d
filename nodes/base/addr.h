/* IPv4 addresses, subnets and endpoints. Everything is in host byte order; the codecs turn it round. */
#ifndef FAREND_BASE_ADDR_H
#define FAREND_BASE_ADDR_H

#include "nodes/base/span.h"

#include <stdbool.h>
#include <stdint.h>

typedef uint32_t ipv4; /* host byte order; 0 is "any" or "none" */

struct endpoint {
    ipv4 addr;
    uint16_t port; /* host byte order; 0 is "any" or "none" */
};

struct subnet {
    ipv4 addr;    /* as written: may have host bits, as in 192.168.1.1/24 */
    uint8_t bits; /* prefix length, 0–32 */
};

#define IPV4(a, b, c, d) ((ipv4)(a) << 24 | (ipv4)(b) << 16 | (ipv4)(c) << 8 | (ipv4)(d))
#define ENDPOINT_TEXT    24 /* room for "255.255.255.255:65535" and NUL */

static inline ipv4 subnet_mask(uint8_t bits)
{
    return bits == 0 ? 0 : (ipv4)0xffffffffu << (32 - bits);
}

static inline bool subnet_has(struct subnet net, ipv4 addr)
{
    return ((net.addr ^ addr) & subnet_mask(net.bits)) == 0;
}

static inline bool endpoint_equal(struct endpoint a, struct endpoint b)
{
    return a.addr == b.addr && a.port == b.port;
}

/* The whole span must be the thing; FE_ESYNTAX when not. Leading zeros are refused ("010" is octal to some). */
int addr_parse(struct span s, ipv4 *out);
int subnet_parse(struct span s, struct subnet *out);                            /* a.b.c.d/bits */
int endpoint_parse(struct span s, uint16_t default_port, struct endpoint *out); /* a.b.c.d[:port] */

/* Write the text with a NUL into dst (at least ENDPOINT_TEXT bytes) and return dst. */
const char *addr_text(ipv4 addr, char dst[ENDPOINT_TEXT]);
const char *endpoint_text(struct endpoint e, char dst[ENDPOINT_TEXT]);

/* RFC 1918, and the shared space of RFC 6598: addresses that mean nothing on the internet. */
bool addr_is_private(ipv4 addr);

#endif
