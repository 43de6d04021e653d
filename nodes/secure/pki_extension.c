#include "nodes/secure/pki_extension.h"

#include "nodes/base/addr.h"

#include <assert.h>

enum { TAG_OID = 0x06, TAG_SEQUENCE = 0x30, TAG_DNS_NAME = 0x82, TAG_IP_ADDRESS = 0x87 };
enum { HEAD_MAX = 4 }; /* tag and length of up to 65535 bytes */

static size_t put_head(uint8_t *dst, uint8_t tag, size_t n)
{
    size_t i = 0;
    dst[i++] = tag;
    if (n >= 256) {
        dst[i++] = 0x82;
        dst[i++] = (uint8_t)(n >> 8);
    } else if (n >= 128) {
        dst[i++] = 0x81;
    }
    dst[i++] = (uint8_t)n;
    return i;
}

static size_t put_value(uint8_t *dst, uint8_t tag, const void *value, size_t n)
{
    size_t head = put_head(dst, tag, n);
    memcpy(dst + head, value, n);
    return head + n;
}

static size_t put_name(uint8_t *dst, struct span name)
{
    ipv4 addr;
    if (addr_parse(name, &addr))
        return put_value(dst, TAG_DNS_NAME, name.p, name.n);
    const uint8_t octets[4] = {(uint8_t)(addr >> 24), (uint8_t)(addr >> 16), (uint8_t)(addr >> 8), (uint8_t)addr};
    return put_value(dst, TAG_IP_ADDRESS, octets, sizeof octets);
}

/* The items are written behind room for the head of the sequence and moved up to it. */
static size_t close_sequence(uint8_t *dst, size_t end)
{
    size_t n = end - HEAD_MAX;
    size_t head = put_head(dst, TAG_SEQUENCE, n);
    memmove(dst + head, dst + HEAD_MAX, n);
    return head + n;
}

size_t pki_put_names(uint8_t dst[PKI_EXTENSION_MAX], const struct span *names, size_t n)
{
    size_t at = HEAD_MAX;
    for (size_t i = 0; i < n; i++) {
        assert(at + HEAD_MAX + names[i].n <= PKI_EXTENSION_MAX);
        at += put_name(dst + at, names[i]);
    }
    return close_sequence(dst, at);
}

size_t pki_put_uses(uint8_t dst[PKI_EXTENSION_MAX], unsigned uses)
{
    static const uint8_t server[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01}; /* id-kp-serverAuth */
    static const uint8_t client[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02}; /* id-kp-clientAuth */
    size_t at = HEAD_MAX;
    if (uses & PKI_SERVER)
        at += put_value(dst + at, TAG_OID, server, sizeof server);
    if (uses & PKI_CLIENT)
        at += put_value(dst + at, TAG_OID, client, sizeof client);
    return close_sequence(dst, at);
}
