/* A message is a header of 20 bytes and attributes of type, length, value, each filled up to 4 bytes (RFC 8489 §5,
 * §14). The length in the header is kept right after every attribute, as FINGERPRINT's checksum wants it (§14.7). */
#include "nodes/proto/stun.h"

#include "nodes/base/bytes.h"
#include "nodes/base/error.h"

enum {
    COOKIE = 0x2112a442,
    FINGERPRINT_XOR = 0x5354554e,
    IPV4_FAMILY = 1,
    IPV6_FAMILY = 2,
    SOFTWARE_MAX = 763, /* bytes (§14.14) */
    MUST_UNDERSTAND_BELOW = 0x8000,
};

static const uint8_t *at(struct span bytes, size_t offset)
{
    return (const uint8_t *)bytes.p + offset;
}

static size_t filled(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

/* ITU-T V.42, the CRC of Ethernet and zip (§14.7). */
static uint32_t crc32(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* ---- reading ---- */

bool stun_is(struct span bytes)
{
    return bytes.n >= STUN_HEADER && (*at(bytes, 0) & 0xc0) == 0 && get32(at(bytes, 4)) == COOKIE;
}

/* §5: the class is bits 4 and 8 of the type, the method the others. */
static void type_read(uint16_t type, struct stun_msg *out)
{
    out->class = (enum stun_class)((type >> 4 & 1) | (type >> 7 & 2));
    out->method = (uint16_t)((type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80));
}

static int endpoint_read(struct span value, bool xored, struct endpoint *out)
{
    if (value.n < 4)
        return FE_ESYNTAX;
    if (*at(value, 1) == IPV6_FAMILY)
        return value.n == 20 ? 0 : FE_ESYNTAX;
    if (*at(value, 1) != IPV4_FAMILY || value.n != 8)
        return FE_ESYNTAX;
    struct endpoint e = {get32(at(value, 4)), get16(at(value, 2))};
    if (xored) {
        e.addr ^= COOKIE;
        e.port ^= COOKIE >> 16;
    }
    if (out->port == 0 && out->addr == 0)
        *out = e;
    return 0;
}

/* §14.8: the hundreds stand in three bits, the rest is 0–99. */
static int error_read(struct span value, struct stun_msg *out)
{
    if (value.n < 4)
        return FE_ESYNTAX;
    unsigned hundreds = *at(value, 2) & 7;
    unsigned rest = *at(value, 3);
    if (hundreds < 3 || hundreds > 6 || rest > 99)
        return FE_ESYNTAX;
    if (out->error)
        return 0;
    out->error = (uint16_t)(hundreds * 100 + rest);
    out->reason = (struct span){value.p + 4, value.n - 4};
    return 0;
}

static int change_read(struct span value, struct stun_msg *out)
{
    if (value.n != 4)
        return FE_ESYNTAX;
    out->change |= get32(at(value, 0)) & (STUN_CHANGE_ADDR | STUN_CHANGE_PORT);
    return 0;
}

/* RFC 5780 §7.5: two bytes of port; some writers count the two that fill it up. */
static int response_port_read(struct span value, struct stun_msg *out)
{
    if (value.n != 2 && value.n != 4)
        return FE_ESYNTAX;
    if (out->response_port == 0)
        out->response_port = get16(at(value, 0));
    return 0;
}

static int software_read(struct span value, struct stun_msg *out)
{
    if (value.n > SOFTWARE_MAX)
        return FE_ESYNTAX;
    if (!out->software.p)
        out->software = value;
    return 0;
}

/* In a response the list only tells a client what it knows itself: it has to be whole, no more. */
static int unknown_list_read(struct span value)
{
    return value.n % 2 ? FE_ESYNTAX : 0;
}

static int unknown_found(uint16_t type, struct stun_msg *out)
{
    if (type < MUST_UNDERSTAND_BELOW && out->unknown_n < STUN_UNKNOWN_MAX)
        out->unknown[out->unknown_n++] = type;
    return 0;
}

static int attribute_read(uint16_t type, struct span value, struct stun_msg *out)
{
    switch (type) {
    case STUN_MAPPED_ADDRESS: return endpoint_read(value, false, &out->mapped);
    case STUN_XOR_MAPPED_ADDRESS: return endpoint_read(value, true, &out->xor_mapped);
    case STUN_RESPONSE_ORIGIN: return endpoint_read(value, false, &out->origin);
    case STUN_OTHER_ADDRESS: return endpoint_read(value, false, &out->other);
    case STUN_CHANGE_REQUEST: return change_read(value, out);
    case STUN_RESPONSE_PORT: return response_port_read(value, out);
    case STUN_PADDING: out->padding = true; return 0;
    case STUN_ERROR_CODE: return error_read(value, out);
    case STUN_SOFTWARE: return software_read(value, out);
    case STUN_UNKNOWN_ATTRIBUTES: return unknown_list_read(value);
    case STUN_USERNAME:
    case STUN_MESSAGE_INTEGRITY:
    case STUN_REALM:
    case STUN_NONCE:
    case STUN_MESSAGE_INTEGRITY_SHA256: return 0;
    default: return unknown_found(type, out);
    }
}

/* §14.7: the checksum of everything before the attribute, the header's length already counting it. */
static int fingerprint_check(struct span bytes, size_t offset, struct span value, struct stun_msg *out)
{
    if (value.n != 4 || offset + 8 != bytes.n)
        return FE_ESYNTAX;
    if ((crc32(at(bytes, 0), offset) ^ FINGERPRINT_XOR) != get32(at(value, 0)))
        return FE_ESYNTAX;
    out->fingerprint = true;
    return 0;
}

static int header_read(struct span bytes, struct stun_msg *out)
{
    if (bytes.n < STUN_HEADER)
        return FE_ESHORT;
    if (!stun_is(bytes))
        return FE_ESYNTAX;
    size_t length = get16(at(bytes, 2));
    if (length % 4 || length < bytes.n - STUN_HEADER)
        return FE_ESYNTAX;
    if (length > bytes.n - STUN_HEADER)
        return FE_ESHORT;
    type_read(get16(at(bytes, 0)), out);
    memcpy(out->id.bytes, at(bytes, 8), STUN_ID);
    return 0;
}

int stun_parse(struct span bytes, struct stun_msg *out)
{
    bool sealed = false; /* MESSAGE-INTEGRITY was seen */
    *out = (struct stun_msg){0};
    int error = header_read(bytes, out);
    size_t offset = STUN_HEADER;
    while (!error && offset < bytes.n) {
        uint16_t type = get16(at(bytes, offset)); /* the length is a multiple of 4: there are 4 bytes */
        size_t n = get16(at(bytes, offset + 2));
        if (filled(n) > bytes.n - offset - 4)
            return FE_ESYNTAX;
        struct span value = {bytes.p + offset + 4, n};
        if (type == STUN_FINGERPRINT)
            error = fingerprint_check(bytes, offset, value, out);
        else if (!sealed)
            error = attribute_read(type, value, out);
        sealed = sealed || type == STUN_MESSAGE_INTEGRITY;
        offset += 4 + filled(n);
    }
    return error;
}

struct endpoint stun_public(const struct stun_msg *msg)
{
    return msg->xor_mapped.port ? msg->xor_mapped : msg->mapped;
}

/* ---- writing ---- */

/* Room for n bytes, zeroed; NULL when there is none. */
static uint8_t *room(struct stun_writer *w, size_t n)
{
    if (w->cut || n > w->cap - w->n) {
        w->cut = true;
        return NULL;
    }
    uint8_t *p = w->p + w->n;
    memset(p, 0, n);
    w->n += n;
    return p;
}

static uint8_t *attribute(struct stun_writer *w, uint16_t type, size_t n)
{
    uint8_t *p = n > UINT16_MAX ? NULL : room(w, 4 + filled(n));
    if (!p) {
        w->cut = true;
        return NULL;
    }
    put16(p, type);
    put16(p + 2, (uint16_t)n);
    put16(w->p + 2, (uint16_t)(w->n - STUN_HEADER));
    return p + 4;
}

void stun_begin(struct stun_writer *w, uint8_t *p, size_t cap, enum stun_class class, const struct stun_id *id)
{
    *w = (struct stun_writer){.p = p, .cap = cap < UINT16_MAX ? cap : UINT16_MAX};
    uint8_t *header = room(w, STUN_HEADER);
    if (!header)
        return;
    put16(header, (uint16_t)(STUN_BINDING | ((unsigned)class & 1) << 4 | ((unsigned)class & 2) << 7));
    put32(header + 4, COOKIE);
    memcpy(header + 8, id->bytes, STUN_ID);
}

void stun_put_endpoint(struct stun_writer *w, enum stun_attribute type, struct endpoint e)
{
    bool xored = type == STUN_XOR_MAPPED_ADDRESS;
    uint8_t *p = attribute(w, (uint16_t)type, 8);
    if (!p)
        return;
    p[1] = IPV4_FAMILY;
    put16(p + 2, (uint16_t)(e.port ^ (xored ? COOKIE >> 16 : 0)));
    put32(p + 4, e.addr ^ (xored ? COOKIE : 0));
}

void stun_put_change(struct stun_writer *w, uint32_t flags)
{
    uint8_t *p = attribute(w, STUN_CHANGE_REQUEST, 4);
    if (p)
        put32(p, flags);
}

void stun_put_response_port(struct stun_writer *w, uint16_t port)
{
    uint8_t *p = attribute(w, STUN_RESPONSE_PORT, 2);
    if (p)
        put16(p, port);
}

void stun_put_padding(struct stun_writer *w, size_t n)
{
    (void)attribute(w, STUN_PADDING, n);
}

void stun_put_software(struct stun_writer *w, struct span name)
{
    uint8_t *p = attribute(w, STUN_SOFTWARE, name.n);
    if (p && name.n)
        memcpy(p, name.p, name.n);
}

void stun_put_error(struct stun_writer *w, uint16_t code, struct span reason)
{
    uint8_t *p = attribute(w, STUN_ERROR_CODE, 4 + reason.n);
    if (!p)
        return;
    p[2] = (uint8_t)(code / 100);
    p[3] = (uint8_t)(code % 100);
    if (reason.n)
        memcpy(p + 4, reason.p, reason.n);
}

void stun_put_unknown(struct stun_writer *w, const uint16_t *types, size_t n)
{
    uint8_t *p = attribute(w, STUN_UNKNOWN_ATTRIBUTES, 2 * n);
    for (size_t i = 0; p && i < n; i++)
        put16(p + 2 * i, types[i]);
}

void stun_put_fingerprint(struct stun_writer *w)
{
    uint8_t *p = attribute(w, STUN_FINGERPRINT, 4);
    if (p)
        put32(p, crc32(w->p, w->n - 8) ^ FINGERPRINT_XOR);
}

struct span stun_end(const struct stun_writer *w)
{
    return w->cut ? (struct span){0} : span_make(w->p, w->n);
}
