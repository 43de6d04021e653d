#include "nodes/proto/md5.h"

void md5_init(struct md5 *md5)
{
    *md5 = (struct md5){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

/* RFC 1321 §3.4: 2^32 × |sin(i + 1)|, the integer part. */
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

/* Four rounds of sixteen steps; each round has its function, its order of the words and its shifts. */
static const uint8_t shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
static const uint8_t factors[4] = {1, 5, 3, 7};
static const uint8_t offsets[4] = {0, 1, 5, 0};

static uint32_t mix(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
    switch (round) {
    case 0: return (b & c) | (~b & d);
    case 1: return (b & d) | (c & ~d);
    case 2: return b ^ c ^ d;
    default: return c ^ (b | ~d);
    }
}

static uint32_t word_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void digest_block(uint32_t state[4], const uint8_t block[64])
{
    uint32_t a = state[0];
    uint32_t b = state[1];
    uint32_t c = state[2];
    uint32_t d = state[3];
    for (unsigned i = 0; i < 64; i++) {
        unsigned round = i / 16;
        unsigned word = (factors[round] * i + offsets[round]) % 16;
        uint32_t sum = a + mix(round, b, c, d) + word_at(block + (size_t)4 * word) + sines[i];
        a = d;
        d = c;
        c = b;
        b += rotate(sum, shifts[round][i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

void md5_add(struct md5 *md5, struct span s)
{
    while (s.n) {
        size_t used = md5->total % sizeof md5->block;
        size_t room = sizeof md5->block - used;
        size_t n = s.n < room ? s.n : room;
        memcpy(md5->block + used, s.p, n);
        md5->total += n;
        s.p += n;
        s.n -= n;
        if (n == room)
            digest_block(md5->state, md5->block);
    }
}

void md5_end(struct md5 *md5, uint8_t out[MD5_BYTES])
{
    static const char padding[64] = {(char)0x80};
    uint64_t bits = md5->total * 8;
    char length[8];
    size_t used = md5->total % 64;
    for (size_t i = 0; i < 8; i++)
        length[i] = (char)(bits >> (8 * i) & 0xff);
    md5_add(md5, (struct span){padding, used < 56 ? 56 - used : 120 - used});
    md5_add(md5, (struct span){length, sizeof length});
    for (size_t i = 0; i < MD5_BYTES; i++)
        out[i] = (uint8_t)(md5->state[i / 4] >> (8 * (i % 4)));
}

void md5_end_hex(struct md5 *md5, char out[MD5_HEX])
{
    uint8_t bytes[MD5_BYTES];
    md5_end(md5, bytes);
    for (size_t i = 0; i < MD5_BYTES; i++) {
        out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    out[MD5_HEX - 1] = '\0';
}
