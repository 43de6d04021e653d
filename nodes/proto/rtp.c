#include "nodes/proto/rtp.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"

#include <assert.h>

enum { VERSION = 2, FIRST_RTCP = 72, LAST_RTCP = 76 };

/* Takes n bytes from the front of *rest; false when there are not so many. */
static bool take(struct span *rest, size_t n, struct span *out)
{
    if (rest->n < n)
        return false;
    *out = (struct span){rest->p, n};
    *rest = (struct span){rest->p + n, rest->n - n};
    return true;
}

/* §5.3.1: 16 bits of the profile's, then the length in 32-bit words, then the data. */
static int extension_parse(struct span *rest, struct rtp_view *out)
{
    struct span head;
    if (!take(rest, 4, &head))
        return FE_ESHORT;
    const uint8_t *p = (const uint8_t *)head.p;
    out->profile = get16(p);
    return take(rest, 4u * get16(p + 2), &out->extension) ? 0 : FE_ESHORT;
}

/* §5.1: the last octet counts the padding, itself included. */
static int padding_cut(struct span *rest)
{
    size_t padding = rest->n ? (uint8_t)rest->p[rest->n - 1] : 0;
    if (padding == 0 || padding > rest->n)
        return FE_ESYNTAX;
    rest->n -= padding;
    return 0;
}

int rtp_parse(struct span datagram, struct rtp_view *out)
{
    struct span rest = datagram;
    struct span head;
    if (!take(&rest, RTP_HEADER, &head))
        return FE_ESHORT;
    const uint8_t *p = (const uint8_t *)head.p;
    *out = (struct rtp_view){.marker = p[1] >> 7,
                             .type = p[1] & 0x7f,
                             .seq = get16(p + 2),
                             .stamp = get32(p + 4),
                             .ssrc = get32(p + 8),
                             .csrc_n = p[0] & 0x0f};
    if (p[0] >> 6 != VERSION || (out->type >= FIRST_RTCP && out->type <= LAST_RTCP))
        return FE_ESYNTAX;
    if (!take(&rest, 4u * out->csrc_n, &out->csrc))
        return FE_ESHORT;
    int error = p[0] & 0x10 ? extension_parse(&rest, out) : 0;
    if (!error && p[0] & 0x20)
        error = padding_cut(&rest);
    out->payload = rest;
    return error;
}

void rtp_put_header(uint8_t dst[RTP_HEADER], const struct rtp_header *header)
{
    assert(header->type < 128);
    dst[0] = VERSION << 6;
    dst[1] = (uint8_t)((header->marker ? 0x80 : 0) | header->type);
    put16(dst + 2, header->seq);
    put32(dst + 4, header->stamp);
    put32(dst + 8, header->ssrc);
}
