#include "nodes/base/addr.h"

#include "nodes/base/error.h"

static int octet_parse(struct span s, uint64_t *out)
{
    if (s.n == 0 || s.n > 3 || (s.n > 1 && s.p[0] == '0'))
        return FE_ESYNTAX;
    return span_u64(s, 255, out) ? FE_ESYNTAX : 0;
}

int addr_parse(struct span s, ipv4 *out)
{
    ipv4 addr = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t octet;
        struct span part = span_cut(s, '.', &s);
        if (octet_parse(part, &octet))
            return FE_ESYNTAX;
        if ((i == 3) != (s.p == NULL))
            return FE_ESYNTAX;
        addr = addr << 8 | (ipv4)octet;
    }
    *out = addr;
    return 0;
}

int subnet_parse(struct span s, struct subnet *out)
{
    struct span bits_text;
    struct span addr_part = span_cut(s, '/', &bits_text);
    struct subnet net;
    uint64_t bits;
    if (addr_parse(addr_part, &net.addr) || span_u64(bits_text, 32, &bits))
        return FE_ESYNTAX;
    net.bits = (uint8_t)bits;
    *out = net;
    return 0;
}

int endpoint_parse(struct span s, uint16_t default_port, struct endpoint *out)
{
    struct span port_text;
    struct span addr_part = span_cut(s, ':', &port_text);
    struct endpoint e = {.port = default_port};
    uint64_t port;
    if (addr_parse(addr_part, &e.addr))
        return FE_ESYNTAX;
    if (port_text.p) {
        if (span_u64(port_text, 65535, &port))
            return FE_ESYNTAX;
        e.port = (uint16_t)port;
    }
    *out = e;
    return 0;
}

static char *decimal(char *p, unsigned value)
{
    char digits[10];
    int n = 0;
    do {
        digits[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (n)
        *p++ = digits[--n];
    return p;
}

static char *addr_put(ipv4 addr, char *p)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        p = decimal(p, addr >> shift & 255);
        if (shift)
            *p++ = '.';
    }
    return p;
}

const char *addr_text(ipv4 addr, char dst[ENDPOINT_TEXT])
{
    *addr_put(addr, dst) = '\0';
    return dst;
}

const char *endpoint_text(struct endpoint e, char dst[ENDPOINT_TEXT])
{
    char *p = addr_put(e.addr, dst);
    *p++ = ':';
    *decimal(p, e.port) = '\0';
    return dst;
}

bool addr_is_private(ipv4 addr)
{
    static const struct subnet nets[] = {
        {IPV4(10, 0, 0, 0), 8}, {IPV4(172, 16, 0, 0), 12}, {IPV4(192, 168, 0, 0), 16}, {IPV4(100, 64, 0, 0), 10}};
    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++)
        if (subnet_has(nets[i], addr))
            return true;
    return false;
}
