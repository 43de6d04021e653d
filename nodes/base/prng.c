#include "nodes/base/prng.h"

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void prng_init(struct prng *rng, uint64_t seed, struct span owner, struct span purpose)
{
    uint64_t x = seed;
    x = splitmix(&x) ^ span_hash(owner);
    x = splitmix(&x) ^ span_hash(purpose);
    for (int i = 0; i < 4; i++)
        rng->s[i] = splitmix(&x);
}

uint64_t prng_seed_again(uint64_t seed, unsigned starts)
{
    uint64_t x = seed + starts;
    return starts ? splitmix(&x) : seed;
}

static uint64_t rotl(uint64_t v, int k)
{
    return v << k | v >> (64 - k);
}

uint64_t prng_u64(struct prng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t prng_below(struct prng *rng, uint64_t bound)
{
    uint64_t floor = (0 - bound) % bound; /* 2^64 mod bound: below it, the last round is incomplete */
    uint64_t draw;
    do
        draw = prng_u64(rng);
    while (draw < floor);
    return draw % bound;
}

bool prng_chance(struct prng *rng, uint32_t ppm)
{
    return prng_below(rng, 1000000) < ppm;
}

void prng_bytes(struct prng *rng, void *dst, size_t n)
{
    uint8_t *p = dst;
    while (n) {
        uint64_t draw = prng_u64(rng);
        for (int i = 0; i < 8 && n; i++, n--, draw >>= 8)
            *p++ = (uint8_t)draw;
    }
}

void prng_hex(struct prng *rng, char *dst, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = "0123456789abcdef"[prng_u64(rng) >> 60];
    dst[n] = '\0';
}
