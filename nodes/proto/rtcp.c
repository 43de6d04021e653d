#include "nodes/proto/rtcp.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"

#include <assert.h>

enum { HEADER = 4, SENDER_INFO = 24, BLOCK = 24, SDES_CNAME = 1, PADDED = 0x20 };

#define LAB_EPOCH 3786825600u /* 2020-01-01 in seconds since 1900 */

static const uint8_t *bytes(struct span s)
{
    return (const uint8_t *)s.p;
}

static size_t packet_size(const uint8_t *p)
{
    return 4 * ((size_t)get16(p + 2) + 1);
}

/* ---- reading ---- */

static int padding_check(const uint8_t *p, size_t size)
{
    size_t padding = p[size - 1];
    return padding == 0 || padding % 4 || padding > size - HEADER ? FE_ESYNTAX : 0;
}

int rtcp_check(struct span datagram)
{
    const uint8_t *p = bytes(datagram);
    if (datagram.n < HEADER + 4)
        return FE_ESHORT;
    if (p[0] & PADDED || (p[1] != RTCP_SR && p[1] != RTCP_RR))
        return FE_ESYNTAX;
    for (size_t at = 0, size; at < datagram.n; at += size) {
        if (datagram.n - at < HEADER)
            return FE_ESHORT;
        if (p[at] >> 6 != 2)
            return FE_ESYNTAX;
        size = packet_size(p + at);
        if (size > datagram.n - at)
            return FE_ESHORT;
        if (!(p[at] & PADDED))
            continue;
        if (at + size < datagram.n || padding_check(p + at, size))
            return FE_ESYNTAX;
    }
    return 0;
}

bool rtcp_next(struct span *rest, struct rtcp_packet *out)
{
    if (rest->n < HEADER)
        return false;
    const uint8_t *p = bytes(*rest);
    size_t size = packet_size(p);
    size_t padding = p[0] & PADDED ? p[size - 1] : 0;
    assert(size <= rest->n && padding <= size - HEADER);
    *out =
        (struct rtcp_packet){.type = p[1], .count = p[0] & 0x1f, .body = {rest->p + HEADER, size - HEADER - padding}};
    *rest = (struct span){rest->p + size, rest->n - size};
    return true;
}

int rtcp_sender(const struct rtcp_packet *packet, struct rtcp_sender *out)
{
    const uint8_t *p = bytes(packet->body);
    if (packet->type != RTCP_SR)
        return FE_EUNKNOWN;
    if (packet->body.n < SENDER_INFO)
        return FE_ESHORT;
    *out = (struct rtcp_sender){.ssrc = get32(p),
                                .ntp = (uint64_t)get32(p + 4) << 32 | get32(p + 8),
                                .stamp = get32(p + 12),
                                .packets = get32(p + 16),
                                .octets = get32(p + 20)};
    return 0;
}

int rtcp_reporter(const struct rtcp_packet *packet, uint32_t *ssrc)
{
    if (packet->type != RTCP_SR && packet->type != RTCP_RR)
        return FE_EUNKNOWN;
    if (packet->body.n < 4)
        return FE_ESHORT;
    *ssrc = get32(bytes(packet->body));
    return 0;
}

int rtcp_block(const struct rtcp_packet *packet, unsigned index, struct rtcp_block *out)
{
    size_t at = (packet->type == RTCP_SR ? SENDER_INFO : 4) + (size_t)index * BLOCK;
    if ((packet->type != RTCP_SR && packet->type != RTCP_RR) || index >= packet->count)
        return FE_ERANGE;
    if (packet->body.n < at + BLOCK)
        return FE_ESHORT;
    const uint8_t *p = bytes(packet->body) + at;
    uint32_t lost = get32(p + 4) & 0xffffff;
    *out = (struct rtcp_block){.ssrc = get32(p),
                               .fraction = p[4],
                               .lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost,
                               .highest = get32(p + 8),
                               .jitter = get32(p + 12),
                               .lsr = get32(p + 16),
                               .dlsr = get32(p + 20)};
    return 0;
}

bool rtcp_bye_has(const struct rtcp_packet *packet, uint32_t ssrc)
{
    if (packet->type != RTCP_BYE || packet->body.n < 4u * packet->count)
        return false;
    for (unsigned i = 0; i < packet->count; i++)
        if (get32(bytes(packet->body) + 4u * i) == ssrc)
            return true;
    return false;
}

/* One SDES chunk (§6.5): an SSRC, items of (type, length, text), a zero, zeros up to the next 32-bit word.
 * Returns the bytes of the chunk, 0 when it is broken. */
static size_t chunk_read(struct span chunk, uint32_t *ssrc, struct span *cname)
{
    const uint8_t *p = bytes(chunk);
    size_t at = 4;
    *cname = (struct span){NULL, 0};
    if (chunk.n < 8)
        return 0;
    *ssrc = get32(p);
    while (at < chunk.n && p[at] != 0) {
        if (chunk.n - at < 2 || chunk.n - at - 2 < p[at + 1])
            return 0;
        if (p[at] == SDES_CNAME)
            *cname = (struct span){chunk.p + at + 2, p[at + 1]};
        at += 2u + p[at + 1];
    }
    at = (at + 4) / 4 * 4;
    return at <= chunk.n ? at : 0;
}

bool rtcp_cname(const struct rtcp_packet *packet, uint32_t ssrc, struct span *cname)
{
    struct span rest = packet->body;
    if (packet->type != RTCP_SDES)
        return false;
    for (unsigned i = 0; i < packet->count; i++) {
        uint32_t chunk_ssrc;
        size_t size = chunk_read(rest, &chunk_ssrc, cname);
        if (size == 0)
            return false;
        if (chunk_ssrc == ssrc && cname->p)
            return true;
        rest = (struct span){rest.p + size, rest.n - size};
    }
    return false;
}

/* ---- building ---- */

static void header_put(uint8_t *dst, unsigned count, enum rtcp_type type, size_t size)
{
    dst[0] = (uint8_t)(2 << 6 | count);
    dst[1] = (uint8_t)type;
    put16(dst + 2, (uint16_t)(size / 4 - 1));
}

static void block_put(uint8_t *p, const struct rtcp_block *block)
{
    int32_t lost = block->lost > 0x7fffff ? 0x7fffff : block->lost;
    put32(p, block->ssrc);
    put32(p + 4, (uint32_t)block->fraction << 24 | ((uint32_t)lost & 0xffffff));
    put32(p + 8, block->highest);
    put32(p + 12, block->jitter);
    put32(p + 16, block->lsr);
    put32(p + 20, block->dlsr);
}

size_t rtcp_put_sr(uint8_t *dst, size_t room, const struct rtcp_sender *sender, const struct rtcp_block *block)
{
    size_t size = HEADER + SENDER_INFO + (block ? BLOCK : 0u);
    if (room < size)
        return 0;
    header_put(dst, block ? 1 : 0, RTCP_SR, size);
    put32(dst + 4, sender->ssrc);
    put32(dst + 8, (uint32_t)(sender->ntp >> 32));
    put32(dst + 12, (uint32_t)sender->ntp);
    put32(dst + 16, sender->stamp);
    put32(dst + 20, sender->packets);
    put32(dst + 24, sender->octets);
    if (block)
        block_put(dst + HEADER + SENDER_INFO, block);
    return size;
}

size_t rtcp_put_rr(uint8_t *dst, size_t room, uint32_t ssrc, const struct rtcp_block *block)
{
    size_t size = HEADER + 4 + (block ? BLOCK : 0u);
    if (room < size)
        return 0;
    header_put(dst, block ? 1 : 0, RTCP_RR, size);
    put32(dst + 4, ssrc);
    if (block)
        block_put(dst + 8, block);
    return size;
}

size_t rtcp_put_cname(uint8_t *dst, size_t room, uint32_t ssrc, struct span cname)
{
    size_t used = HEADER + 4 + 2 + cname.n;
    size_t size = (used + 4) / 4 * 4; /* at least one zero ends the chunk */
    if (cname.n > 255 || room < size)
        return 0;
    memset(dst, 0, size);
    header_put(dst, 1, RTCP_SDES, size);
    put32(dst + 4, ssrc);
    dst[8] = SDES_CNAME;
    dst[9] = (uint8_t)cname.n;
    if (cname.n)
        memcpy(dst + 10, cname.p, cname.n);
    return size;
}

size_t rtcp_put_bye(uint8_t *dst, size_t room, uint32_t ssrc)
{
    if (room < 8)
        return 0;
    header_put(dst, 1, RTCP_BYE, 8);
    put32(dst + 4, ssrc);
    return 8;
}

/* ---- time ---- */

uint64_t rtcp_ntp(lab_time t)
{
    assert(t >= 0);
    uint64_t seconds = (uint64_t)(t / SEC);
    uint64_t fraction = ((uint64_t)(t % SEC) << 32) / (uint64_t)SEC;
    return (LAB_EPOCH + seconds) << 32 | fraction;
}

/* Rounded to the nearest nanosecond: a fraction is 0.23 ns, so what rtcp_ntp() cut off comes back. */
lab_time rtcp_ntp_time(uint64_t ntp)
{
    lab_time seconds = (lab_time)(ntp >> 32) - (lab_time)LAB_EPOCH;
    uint64_t fraction = ((ntp & 0xffffffffu) * (uint64_t)SEC + (1u << 31)) >> 32;
    return seconds * SEC + (lab_time)fraction;
}
