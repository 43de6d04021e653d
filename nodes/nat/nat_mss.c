/* The maximum segment size that a SYN announces, lowered to what fits through (RFC 9293 §3.7.1): what home routers do
 * about paths whose ICMP errors get lost. */
#include "nodes/base/bytes.h"
#include "nodes/nat/nat_engine.h"

enum { TCP_HEADER = 20, TCP_OFFSET_AT = 12, TCP_FLAGS_AT = 13, TCP_SUM_AT = 16, TCP_SYN = 0x02 };
enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2, OPTION_MSS_SIZE = 4 };

/* The option's place in a header of n bytes; 0: there is none. */
static size_t find_mss(const uint8_t *tcp, size_t n)
{
    for (size_t i = TCP_HEADER; i < n && tcp[i] != OPTION_END;) {
        size_t size = tcp[i] == OPTION_NOP ? 1 : i + 1 < n ? tcp[i + 1] : 0;
        if (size == 0 || (size == 1 && tcp[i] != OPTION_NOP) || size > n - i)
            return 0;
        if (tcp[i] == OPTION_MSS)
            return size == OPTION_MSS_SIZE ? i : 0;
        i += size;
    }
    return 0;
}

/* The checksum's words begin at even places; a value at an odd one is its two halves, each in another word. */
static uint16_t fix(uint16_t sum, uint8_t *tcp, size_t at, uint16_t value)
{
    size_t first = at & ~(size_t)1;
    uint16_t before[2] = {get16(tcp + first), at & 1 ? get16(tcp + first + 2) : 0};
    put16(tcp + at, value);
    sum = ip_checksum_fix16(sum, before[0], get16(tcp + first));
    return at & 1 ? ip_checksum_fix16(sum, before[1], get16(tcp + first + 2)) : sum;
}

void nat_mss_clamp(struct nat_parcel *p)
{
    uint16_t most = p->nat->table.config.mss;
    uint8_t *tcp = p->packet + p->v.header;
    if (most == 0 || p->v.protocol != IP_TCP || ip_is_later_fragment(&p->v) || !(tcp[TCP_FLAGS_AT] & TCP_SYN))
        return;
    size_t there = p->v.total - (size_t)p->v.header;
    size_t n = (size_t)(tcp[TCP_OFFSET_AT] >> 4) * 4;
    size_t at = find_mss(tcp, n < there ? n : there);
    if (at == 0 || get16(tcp + at + 2) <= most)
        return;
    put16(tcp + TCP_SUM_AT, fix(get16(tcp + TCP_SUM_AT), tcp, at + 2, most));
}
