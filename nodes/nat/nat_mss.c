/* The maximum segment size that a SYN announces, lowered to what fits through (RFC 9293 §3.7.1): what home routers do
 * about paths whose ICMP errors get lost. */
#include "nodes/base/bytes.h"
#include "nodes/nat/nat_engine.h"
#include "nodes/proto/tcp.h"

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
    size_t at = tcp_find_mss(tcp, n < there ? n : there);
    if (at == 0 || get16(tcp + at) <= most)
        return;
    put16(tcp + TCP_SUM_AT, fix(get16(tcp + TCP_SUM_AT), tcp, at, most));
}
