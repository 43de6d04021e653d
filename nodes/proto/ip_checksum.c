#include "nodes/base/bytes.h"
#include "nodes/proto/tcp.h"

#include <string.h>

enum { ICMP_SUM = 2, UDP_SUM = 6, IP_SUM = 10 };

static uint64_t fold(uint64_t sum)
{
    sum = (sum >> 32) + (sum & 0xffffffffu);
    sum = (sum >> 32) + (sum & 0xffffffffu);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (sum >> 16) + (sum & 0xffff);
}

/* The ones' complement sum in the machine's own byte order, which RFC 1071 §2 (B) shows to be as good as any: only the
 * result has to be read in network order. Up to 64 kB cannot overflow 64 bits. */
static uint64_t sum_words(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;
    uint32_t word;
    for (; n >= sizeof word; p += sizeof word, n -= sizeof word) {
        memcpy(&word, p, sizeof word);
        sum += word;
    }
    if (n == 0)
        return sum;
    uint8_t tail[4] = {0};
    memcpy(tail, p, n);
    memcpy(&word, tail, sizeof word);
    return sum + word;
}

static uint16_t sum_finish(uint64_t sum)
{
    uint16_t native = (uint16_t)fold(sum);
    uint8_t bytes[2];
    memcpy(bytes, &native, sizeof bytes);
    return (uint16_t)~get16(bytes);
}

uint16_t ip_checksum(const uint8_t *p, size_t n)
{
    return sum_finish(sum_words(p, n));
}

void ip_header_sum(uint8_t *packet)
{
    put16(packet + IP_SUM, 0);
    put16(packet + IP_SUM, ip_checksum(packet, (packet[0] & 15u) * 4));
}

/* Where the transport's checksum stands in its header; 0 when there is none, or it has been cut off. */
static size_t transport_sum_at(uint8_t protocol, size_t n)
{
    if (protocol == IP_UDP && n >= UDP_HEADER)
        return UDP_SUM;
    if (protocol == IP_TCP && n >= TCP_HEADER)
        return TCP_SUM_AT;
    if (protocol == IP_ICMP && n >= ICMP_HEADER)
        return ICMP_SUM;
    return 0;
}

/* Over the pseudo-header (RFC 768, RFC 9293 §3.1; ICMP has none) and the n bytes of the transport's packet. */
static uint16_t transport_sum(const uint8_t *packet, const uint8_t *transport, size_t n)
{
    uint8_t protocol = packet[9];
    uint64_t sum = sum_words(transport, n);
    if (protocol != IP_ICMP) {
        uint8_t tail[4] = {0, protocol};
        put16(tail + 2, (uint16_t)n);
        sum += sum_words(packet + 12, 8) + sum_words(tail, sizeof tail);
    }
    return sum_finish(sum);
}

void ip_transport_sum(uint8_t *packet, size_t n)
{
    size_t header = (packet[0] & 15u) * 4;
    uint8_t *transport = packet + header;
    size_t at = transport_sum_at(packet[9], n - header);
    if (at == 0)
        return;
    put16(transport + at, 0);
    uint16_t sum = transport_sum(packet, transport, n - header);
    /* RFC 768: a UDP checksum that comes out as zero is sent as all ones; zero says that there is none. */
    put16(transport + at, packet[9] == IP_UDP && sum == 0 ? 0xffff : sum);
}

bool ip_transport_sum_ok(const uint8_t *packet, size_t n)
{
    size_t header = (packet[0] & 15u) * 4;
    const uint8_t *transport = packet + header;
    if (get16(packet + 6) & (IP_MF | IP_OFFSET))
        return true;
    if (packet[9] != IP_UDP && packet[9] != IP_TCP && packet[9] != IP_ICMP)
        return true;
    size_t at = transport_sum_at(packet[9], n - header);
    if (at == 0)
        return false;
    if (packet[9] == IP_UDP && get16(transport + at) == 0)
        return true;
    return transport_sum(packet, transport, n - header) == 0;
}
