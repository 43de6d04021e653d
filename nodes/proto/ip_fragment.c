#include "nodes/base/bytes.h"
#include "nodes/proto/ip.h"

#include <string.h>

enum { OPTION_END = 0, OPTION_NOOP = 1, OPTION_COPIED = 0x80 };

/* RFC 791 §3.1: only options with the copied flag go into later fragments. The others become no-operations there, so
 * that every header keeps its length. */
static void blank_first_only_options(uint8_t *options, size_t n)
{
    size_t i = 0;
    while (i < n && options[i] != OPTION_END) {
        if (options[i] == OPTION_NOOP) {
            i++;
            continue;
        }
        size_t length = i + 1 < n ? options[i + 1] : 0;
        if (length < 2 || length > n - i)
            return;
        if (!(options[i] & OPTION_COPIED))
            memset(options + i, OPTION_NOOP, length);
        i += length;
    }
}

/* Which part of the data goes into fragment number `index`: eights of bytes, except that the last one takes the rest.
 */
static bool part_of(size_t data, size_t room, unsigned index, size_t *start, size_t *part)
{
    size_t step = room & ~(size_t)7;
    size_t taken = 0;
    for (unsigned i = 0; i < index; i++, taken += step)
        if (data - taken <= room)
            return false;
    *start = taken;
    *part = data - taken <= room ? data - taken : step;
    return true;
}

size_t ip_fragment(uint8_t *dst, size_t cap, const uint8_t *packet, size_t n, uint16_t mtu, unsigned index)
{
    struct ip_view v;
    size_t start;
    size_t part;
    if (ip_parse(packet, n, &v) || (v.total > mtu && mtu < v.header + 8))
        return 0;
    size_t data = v.total - v.header;
    if (!part_of(data, v.total <= mtu ? data : (size_t)mtu - v.header, index, &start, &part))
        return 0;
    size_t total = v.header + part;
    size_t offset = (v.fragment & IP_OFFSET) + start / 8;
    if (total > cap || offset > IP_OFFSET)
        return 0;
    memcpy(dst, packet, v.header);
    memcpy(dst + v.header, packet + v.header + start, part);
    if (index > 0)
        blank_first_only_options(dst + IP_HEADER, v.header - (size_t)IP_HEADER);
    bool more = start + part < data || (v.fragment & IP_MF);
    put16(dst + 2, (uint16_t)total);
    put16(dst + 6, (uint16_t)((v.fragment & IP_DF) | (more ? IP_MF : 0) | offset));
    ip_header_sum(dst);
    return total;
}
