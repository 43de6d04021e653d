/* MD5 (RFC 1321), for Digest authentication only: it is broken as a hash, and what phones speak. */
#ifndef FAREND_PROTO_MD5_H
#define FAREND_PROTO_MD5_H

#include "nodes/base/span.h"

#include <stddef.h>
#include <stdint.h>

#define MD5_BYTES 16
#define MD5_HEX   33 /* 32 lower-case digits and NUL */

struct md5 {
    uint32_t state[4];
    uint64_t total; /* bytes so far */
    uint8_t block[64];
};

void md5_init(struct md5 *md5);
void md5_add(struct md5 *md5, struct span s);
void md5_end(struct md5 *md5, uint8_t out[MD5_BYTES]);
void md5_end_hex(struct md5 *md5, char out[MD5_HEX]);

#endif
